"""Run the notebooks in this process, without a kernel, and keep what they make."""

import ast
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import nbformat

from hedgelib import exercise
from tools import bound, notebooks
from tools import run as runner

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
    passages: dict = field(default_factory=dict)  # prose with bound numbers
    answers: dict = field(default_factory=dict)  # what the run says of them


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

    `source`, an expression, takes the place of the lesson's market; then no solution runs, nothing is bound.
    """
    lesson, notebook = Lesson(path), runner.read(path)
    verdicts, question = {}, [""]
    judge = exercise.check

    def check(name, answer, function=None):
        verdicts[name] = judge(name, answer, function)
        return verdicts[name]

    def visit(place, cell, session):
        if cell.cell_type == "code":
            if verdicts:
                question[:] = [cell.source]
            lesson.starters |= verdicts
            verdicts.clear()
        for folded in DETAILS.findall(cell.source if cell.cell_type == "markdown" else ""):
            for code in CODE.findall(folded):
                namespace, name = dict(session.namespace), f"{path.name}, solution in cell {place}"
                session.execute(code, name, namespace)
                if not verdicts:
                    session.execute(ast.unparse(ast.parse(question[0]).body[-1]), name, namespace)
                lesson.solutions |= verdicts
                verdicts.clear()

    with mock.patch.object(exercise, "check", check):
        if source:
            for cell in notebook.cells:
                cell.source = switched(cell, source)
            session, _ = runner.in_process(notebook, path)
        else:
            lesson.passages = notebooks.passages(notebook, path)
            asked = notebooks.questions(lesson.passages)
            session, lesson.answers = runner.in_process(notebook, path, asked, visit=visit)
    lesson.namespace, lesson.shown, lesson.explorers = session.namespace, session.shown, session.explorers
    return lesson


@functools.cache
def said(path):
    """What the prose of a lesson says, text by text, under the expression that it follows."""
    texts = {}
    for cell in runner.read(path).cells:
        if cell.cell_type == "markdown":
            for each in bound.find(cell.source):
                texts.setdefault(each.expression, []).append(each.text.replace("−", "-"))
    return texts


def states(path, expression, value):
    """Whether the prose of a lesson states a value, to its last digit, wherever it follows an expression."""
    texts = [text.replace(",", "") for text in said(path)[expression]]
    return all(abs(float(text) - value) < 0.5001 * 10 ** -len(text.partition(".")[2]) for text in texts)


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
