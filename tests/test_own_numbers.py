"""A reader's own numbers: none stops a lesson, none is dropped in silence, and no picture is silently wrong.

A lesson whose cell is tagged "yours" runs with all its numbers changed at once: up, down, and to absurd ones.
"""

import ast
import re
import subprocess

import lessons
import pytest

from hedgelib import lived, market, story
from tools import fresh, run

YOURS = "yours"
SENSIBLE = (0.5, 0.8, 1.1, 1.5, 2.0)  # times the number of the text, as far as its limits allow
ABSURD = (-1.0, 1e15)
MISSING = re.compile(r"\bnan\b|^–")
FEW = 20  # paths in place of thousands: nothing here depends on their number
MARKED = [
    path
    for path in lessons.PATHS
    if any(YOURS in cell.metadata.get("tags", []) for cell in lessons.cells(path))
]


def calls(source):
    """The calls of story.yours in a piece of code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "story.yours":
            yield node


def given(path):
    """The numbers that a lesson passes to story.yours, as they are written, by name."""
    return {
        word.arg: ast.literal_eval(word.value)
        for cell in lessons.cells(path)
        if cell.cell_type == "code"
        for call in calls(cell.source)
        for word in call.keywords
    }


def changed(number, factor):
    """A number of a story times a factor, inside its limits where the factor is a sensible one."""
    value = number["told"] * factor
    if factor in SENSIBLE:
        value = min(max(value, number["at_least"]), number["at_most"])
    return round(value) if number.get("whole") else float(value)


def rewritten(source, numbers):
    """Code with other numbers in its calls of story.yours."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "story.yours":
            for word in node.keywords:
                word.value = ast.Constant(numbers[word.arg])
    return ast.unparse(tree)


@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_the_story_has_the_numbers_of_its_text(path):
    told = story.stories()[path.stem[:2]]
    assert given(path) == {name: number["told"] for name, number in told.items()}
    for cell in lessons.cells(path):
        if cell.cell_type == "code" and list(calls(cell.source)):
            assert YOURS in cell.metadata.get("tags", [])


def ends(explorer):
    """The start of an explorer, and each control at either end with the others at the start."""
    yield explorer.start
    for place, control in enumerate(explorer.controls.values()):
        for index in (0, len(control.values) - 1):
            yield (*explorer.start[:place], index, *explorer.start[place + 1 :])


@pytest.mark.parametrize("factor", [*SENSIBLE, *ABSURD])
@pytest.mark.parametrize("path", MARKED, ids=lambda path: path.stem)
def test_other_numbers_run_to_the_end(path, factor, monkeypatch):
    many, said = market.paths, []
    monkeypatch.setattr(market, "paths", lambda name, n, **options: many(name, n=min(n, FEW), **options))
    monkeypatch.setattr(story, "print", said.append, raising=False)
    told = story.stories()[path.stem[:2]]
    numbers = {name: changed(number, factor) for name, number in told.items()}
    notebook = run.read(path)
    for cell in notebook.cells:
        if YOURS in cell.metadata.get("tags", []):
            cell.source = rewritten(cell.source, numbers)
    session, _ = run.in_process(notebook, path)
    said = "\n".join(said)
    for name, number in told.items():
        if factor in SENSIBLE:
            assert session.namespace[name] == numbers[name]
            assert numbers[name] == number["told"] or f"{name} {numbers[name]:,.10g}" in said
        else:
            assert session.namespace[name] == number["told"]
            assert f"{name} (" in said
    for explorer in [
        each for each in session.explorers if each.draw is not lived.draw
    ]:  # it has its own price
        for position in dict.fromkeys(ends(explorer)):
            _, readouts = explorer.figure(position)
            assert not any(MISSING.search(text) for text in readouts.values()), readouts
            INVARIANTS.get(path.stem[:2], lambda readouts: None)(readouts)


def a_put_costs_something(readouts):
    """Lesson 01: an insurance is never free, nor paid for by who sells it."""
    if "Premium" in readouts:
        assert lessons.amount(readouts["Premium"]) < 0


INVARIANTS = {"01": a_put_costs_something}


def test_a_fresh_lesson_keeps_the_readers_own(tmp_path):
    def git(*arguments):
        names = ["-c", "user.name=reader", "-c", "user.email=reader@example.org"]
        subprocess.run(["git", *names, *arguments], cwd=tmp_path, check=True, capture_output=True)

    lesson = tmp_path / "notebooks" / "02_full_hedge.ipynb"
    lesson.parent.mkdir()
    lesson.write_text("as it came")
    with pytest.raises(FileNotFoundError, match="unpack the archive"):
        fresh.fresh(lesson, tmp_path)
    git("init")
    git("add", ".")
    git("commit", "--message", "The course")
    assert fresh.fresh(lesson, tmp_path) is None
    lesson.write_text("mine")
    kept = fresh.fresh(lesson, tmp_path)
    assert (lesson.read_text(), kept.read_text()) == ("as it came", "mine")
    assert kept.parent.name == "kept"
