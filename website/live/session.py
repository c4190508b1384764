"""Runs the cells of a notebook inside a page and gives back what they show; also importable anywhere, for tests."""

import ast
import contextlib
import io
import json
import linecache
import traceback

import pandas as pd

pd.set_option("display.width", 80, "display.max_columns", 20)  # as a notebook prints

namespace = {"__name__": "__main__"}
explorers = {}


def fresh():
    """Forget every name that cells have made."""
    namespace.clear()
    namespace["__name__"] = "__main__"
    explorers.clear()


def run(source, name):
    """Run one cell and return what it shows, as JSON: a list of outputs, an error as the last of them.

    An output is ``{"text": ...}``, ``{"html": ..., "text": ...}``, ``{"explorer": name, "text": ...}`` or
    ``{"error": sentence, "trace": ...}``.
    """
    printed, outputs = io.StringIO(), []
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # for tracebacks
    value = None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            tree = ast.parse(source, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), namespace)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
            shown = [] if value is None else [show(value, name)]
        except BaseException as error:
            shown = [failure(error)]
    if printed.getvalue():
        outputs.append({"text": printed.getvalue()})
    return json.dumps(outputs + shown)


def show(value, name):
    """Return how a value is shown: an explorer by its name, a picture or a table as HTML, all else as text."""
    if type(value).__module__ == "hedgelib.explorer" and type(value).__name__ == "Explorer":
        value.figure(value.start)
        explorers[name] = value
        return {"explorer": name, "text": value.text}
    if hasattr(value, "_repr_mimebundle_"):
        bundle = value._repr_mimebundle_()
        return {"html": bundle["text/html"], "text": bundle["text/plain"]}
    if isinstance(value, pd.DataFrame):
        return {"html": value._repr_html_(), "text": repr(value)}
    return {"text": repr(value)}


def failure(error):
    """Return an error as one sentence, and its traceback without the lines of this module."""
    sentence = f"{type(error).__name__}: {error}".strip()
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    trace = "".join(["Traceback (most recent call last):\n", *traceback.format_list(frames), sentence, "\n"])
    return {"error": sentence, "trace": trace}


def state(name, position):
    """Return the picture of one state of an explorer as SVG and its readouts, as JSON."""
    svg, readouts = explorers[name].svg(tuple(position))
    return json.dumps({"svg": svg, "readouts": readouts})


def controls(name):
    """Return what a page needs to build the controls of an explorer, as JSON."""
    explorer = explorers[name]
    listed = [
        {"label": control.label, "texts": control.texts, "start": control.start_index}
        for control in explorer.controls.values()
    ]
    return json.dumps({"title": explorer.title, "controls": listed})
