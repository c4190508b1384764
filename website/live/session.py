"""Runs the cells of a notebook inside a page and gives back what they show; importable anywhere, for tests.

Every function that a page calls returns JSON.
"""

import ast
import base64
import contextlib
import io
import json
import linecache
import traceback
from pathlib import Path

import pandas as pd

WIDE = 79  # letters of a line

namespace = {"__name__": "__main__"}
explorers = {}


def fresh():
    """Begin anew: no names, and tables as wide as a notebook prints them."""
    pd.set_option("display.width", 80, "display.max_columns", 20)
    namespace.clear()
    namespace["__name__"] = "__main__"
    explorers.clear()
    return json.dumps(None)


def run(source, name, quiet=False):
    """Run one cell and return a list of what it shows, an error as the last of them.

    Parameters
    ----------
    source : str
        Python, as it stands in the cell.
    name : str
        What tracebacks call the cell; it also names an explorer that the cell shows.
    quiet : bool
        Whether the cell runs only for the names it makes: nothing is drawn, and only an error is shown.

    Returns
    -------
    str
        JSON. An output is ``{"text": ...}``, ``{"html": ..., "text": ...}``, ``{"explorer": name, ...}`` with
        what `state` returns, or ``{"error": sentence, "kind": ..., "trace": ...}``.
    """
    printed, shown = io.StringIO(), []
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # for tracebacks
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            tree = ast.parse(source, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), namespace)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
                if value is not None and not quiet and not _silent(source):
                    shown.append(show(value, name))
        except BaseException as error:
            shown.append(failure(error, name))
    if printed.getvalue() and not quiet:
        shown.insert(0, {"text": printed.getvalue()})
    return json.dumps(shown)


def _silent(source):
    """Whether a semicolon ends the cell: its value is not shown then."""
    return source.rstrip().endswith(";")


def show(value, name):
    """Return how a value is shown: an explorer with its start, what knows its HTML so, all else as text."""
    kind = f"{type(value).__module__}.{type(value).__name__}"
    if kind == "hedgelib.explorer.Explorer":
        explorers[name] = value
        return _explorer(value, name)
    if hasattr(value, "_repr_mimebundle_"):
        if hasattr(value, "widget"):
            value.widget = _Still  # a page has no widgets: what is not alive shows its start
        bundle = value._repr_mimebundle_()
        return {"html": bundle["text/html"], "text": bundle["text/plain"]}
    if isinstance(value, pd.DataFrame):
        return {"html": value._repr_html_(), "text": repr(value)}
    return {"text": written(value)}


class _Still:
    """Stands where a widget would be made."""

    def _repr_mimebundle_(self, **_):
        return {}


def written(value):
    """Return a value as a notebook writes it: what does not fit a line, an item a line.

    Examples
    --------
    >>> written((1, 2)), written(["right"]), written({"a": (1,)})
    ('(1, 2)', "['right']", "{'a': (1,)}")
    >>> print(written(("x" * 50, "y" * 50)))
    ('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
     'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')
    """
    if type(value) not in (list, tuple, dict) or not value:
        return repr(value)
    begin, end = {list: "[]", tuple: "()", dict: "{}"}[type(value)]
    if type(value) is dict:
        items = [f"{key!r}: {written(item)}" for key, item in value.items()]
    else:
        items = [written(item) for item in value]
    end = "," + end if type(value) is tuple and len(items) == 1 else end
    line = begin + ", ".join(items) + end
    if len(line) <= WIDE and "\n" not in line:
        return line
    return begin + ",\n".join(items).replace("\n", "\n ") + end


def _explorer(explorer, name):
    """Return what a page needs to build an explorer: title, controls, text, and its start."""
    controls = [
        {"label": control.label, "texts": control.texts, "start": control.start_index}
        for control in explorer.controls.values()
    ]
    about = {"explorer": name, "title": explorer.title, "controls": controls, "text": explorer.text}
    return about | _state(explorer, explorer.start)


def state(name, *position):
    """Return the picture of one state of an explorer, its text alternative and readouts."""
    return json.dumps(_state(explorers[name], position))


def _state(explorer, position):
    png, readouts = explorer.cached_png(tuple(position))
    return {
        "picture": base64.b64encode(png).decode(),
        "alt": explorer.alt(readouts),
        "readouts": readouts,
    }


def failure(error, name):
    """Return an error as one sentence, and its traceback from the cell on."""
    kind = type(error).__name__
    sentence = f"{kind}: {error}" if str(error) else kind
    frames = traceback.extract_tb(error.__traceback__)
    first = next((place for place, frame in enumerate(frames) if frame.filename == name), len(frames))
    lines = traceback.format_list(frames[first:]) + traceback.format_exception_only(error)
    return {
        "error": sentence,
        "kind": kind,
        "trace": "".join(["Traceback (most recent call last):\n", *lines]),
    }


def keep(name, content):
    """Keep a file that the reader has given, under its own name, where cells find it."""
    Path(Path(name).name).write_bytes(content.to_bytes())
    return json.dumps(None)
