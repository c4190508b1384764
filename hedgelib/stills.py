"""What stays of an explorer in a saved notebook: its still picture, numbers and a word on how to wake it.

A widget is shown by the kernel that made it. Saved with the notebook, its view would stand there on the next
day in place of the picture, and say "Error displaying widget: model not found". So this module extends the
Jupyter server, which calls `keep` before each save; the setting that says so comes with the package
(``etc/jupyter/jupyter_server_config.d``).
"""

WIDGET = "application/vnd.jupyter.widget-view+json"
HOW = "<p><em>A still picture. Run › Run All Cells makes the sliders move.</em></p>"


def keep(model, **_):
    """Take the views of widgets out of a notebook that is about to be saved, where a picture stands beside.

    Parameters
    ----------
    model : dict
        What the Jupyter server saves; changed in place.

    Examples
    --------
    >>> data = {WIDGET: {"model_id": "1f"}, "text/html": "<figure>…</figure>"}
    >>> keep({"type": "notebook", "content": {"cells": [{"outputs": [{"data": data}]}]}})
    >>> list(data), data["text/html"].startswith(HOW)
    (['text/html'], True)
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    for cell in model["content"].get("cells", []):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET in data and "text/html" in data:
                del data[WIDGET]
                still = data["text/html"]
                data["text/html"] = HOW + (still if isinstance(still, str) else "".join(still))


def _jupyter_server_extension_points():
    """Tell the Jupyter server what extends it."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    """Let the Jupyter server call `keep`."""
    server.contents_manager.register_pre_save_hook(keep)
