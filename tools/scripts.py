"""Write each lesson as a plain Python file, for editors and screen readers that take no notebooks.

    python -m tools.scripts                  all lessons, into _scripts/
    python -m tools.scripts notebooks/02*    these only

Cells begin with ``# %%``, which editors know; prose stands in comments. What a notebook would show is
printed: a picture as the sentence that stands for it, an explorer as its readouts and one sentence for each
slider.
"""

import argparse
import ast
import sys
from pathlib import Path

from tools import bound
from tools.run import ROOT, read

SHOW = '''\
# %% What follows prints what a notebook would show.
import pandas

pandas.set_option("display.width", 100, "display.max_columns", None)


def show(*things):
    """Print things as text, an explorer with a sentence for each of its sliders."""
    for thing in things:
        bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {}
        if thing is not None:
            print(bundle.get("text/plain", thing))
        for name in getattr(thing, "controls", ()):
            print(thing.tell(name))


display = show
'''


def script(path):
    """Return the notebook at `path` as the text of a script."""
    cells = [f"# {path.stem}: this lesson as a plain file, written by `make scripts`.\n\n{SHOW}"]
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            lines = bound.plain(cell.source).splitlines()
            cells.append("\n".join(["# %% [markdown]", *(f"# {line}".rstrip() for line in lines)]) + "\n")
        elif cell.cell_type == "code":
            cells.append(f"# %%\n{showing(cell.source)}\n")
    return "\n".join(cells)


def showing(source):
    """Return the code of a cell with what a notebook would show of its last line given to ``show``.

    Examples
    --------
    >>> showing("round(0.5 * 3)  # coins")
    'show(round(0.5 * 3))  # coins'
    """
    body = ast.parse(source).body
    if not body or not isinstance(body[-1], ast.Expr):
        return source
    last = body[-1].value
    lines = source.encode().splitlines(keepends=True)  # positions are counted in bytes
    before = b"".join(lines[: last.lineno - 1]) + lines[last.lineno - 1][: last.col_offset]
    after = lines[last.end_lineno - 1][last.end_col_offset :] + b"".join(lines[last.end_lineno :])
    shown = source.encode()[len(before) : len(source.encode()) - len(after)]
    return b"".join([before, b"show(", shown, b")", after]).decode()


def main(arguments=None):
    """Write the scripts."""
    parser = argparse.ArgumentParser(prog="python -m tools.scripts", description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="notebooks, all lessons if none is given")
    parser.add_argument("--output", type=Path, default=ROOT / "_scripts", help="folder of the scripts")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    for path in options.notebooks or sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        target = options.output / f"{path.stem}.py"
        target.write_text(script(path), encoding="utf-8")
        print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
