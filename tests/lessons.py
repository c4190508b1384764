"""Run the notebooks in this process, without a kernel, and keep what they make."""

import ast
import contextlib
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import nbformat

from hedgelib import exercise, explorer
from tools import bound

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass
class Lesson:
    """A notebook after all its code cells have run."""

    path: Path
    namespace: dict = field(default_factory=dict)
    shown: list = field(default_factory=list)
    explorers: list = field(default_factory=list)
    starters: dict = field(default_factory=dict)  # verdict on each exercise as the notebook stands
    solutions: dict = field(default_factory=dict)  # verdict on each exercise with its solution


def cells(path):
    """Return the cells of a notebook, prose as it is read: without the comments that bind its numbers."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = bound.plain(cell.source)
    return notebook.cells


@functools.cache
def prose(path):
    """The text of a lesson, without emphasis and with the signs that numbers are computed with."""
    text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
    return re.sub(r"\*\*|\$", "", text).replace("−", "-")


def run_cell(source, namespace, shown, name="cell"):
    """Execute `source`; what a notebook would show goes to the list `shown`."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
        if value is not None:
            shown.append(value)


def switched(cell, source):
    """Code of a cell; in the one tagged "market" the first statement takes its market from `source`."""
    if not source or "market" not in cell.metadata.get("tags", []):
        return cell.source
    tree = ast.parse(cell.source)
    tree.body[0].value = ast.parse(source, mode="eval").body
    return ast.unparse(tree)


@functools.cache
def run(path, source=""):
    """Run the notebook at `path` from top to bottom and return its `Lesson`.

    A solution is a block of code folded in ``<details>`` after the cell of its exercise. It runs where it
    stands; the check of the exercise follows unless the solution calls it itself.

    `source`, an expression, takes the place of the lesson's market; solutions do not run then.
    """
    lesson = Lesson(path, {"__name__": "__main__"})
    lesson.namespace["display"] = lambda *objects: lesson.shown.extend(objects)
    verdicts = {}
    judge, prepare = exercise.check, explorer.Explorer.__init__

    def check(name, answer):
        verdicts[name] = judge(name, answer)
        return verdicts[name]

    def __init__(self, *arguments, **controls):  # noqa: N807
        prepare(self, *arguments, **controls)
        lesson.explorers.append(self)

    question = ""
    with (
        mock.patch.object(exercise, "check", check),
        mock.patch.object(explorer.Explorer, "__init__", __init__),
        contextlib.chdir(path.parent),
    ):
        for place, cell in enumerate(cells(path), start=1):
            if cell.cell_type == "code":
                verdicts.clear()
                code = switched(cell, source)
                run_cell(code, lesson.namespace, lesson.shown, f"{path.name}, cell {place}")
                if verdicts:
                    question = cell.source
                lesson.starters |= verdicts
            elif cell.cell_type == "markdown" and not source:
                for folded in DETAILS.findall(cell.source):
                    for code in CODE.findall(folded):
                        verdicts.clear()
                        namespace, name = dict(lesson.namespace), f"{path.name}, solution in cell {place}"
                        run_cell(code, namespace, [], name)
                        if not verdicts:
                            run_cell(ast.unparse(ast.parse(question).body[-1]), namespace, [], name)
                        lesson.solutions |= verdicts
    return lesson


def titled(path, title):
    """The explorer of a lesson that has this title."""
    return next(each for each in run(path).explorers if each.title == title)


def readouts(explorer, **values):
    """Readouts of an explorer at these values, the other controls at the start."""
    controls = explorer.controls.items()
    position = [control.values.index(values.get(name, control.start)) for name, control in controls]
    return explorer.figure(position)[1]


def amount(text):
    """Read the number back from a readout such as "−1,250 USDT" or "12.5 %"."""
    return float(text.replace("−", "-").replace(",", "").rstrip(" %USDT"))
