"""The core is small: each of its names is used by a lesson, and it does without the annexes."""

import ast

import lessons
import public
import pytest
from test_layers import ANNEXES

CORE = {name: part for name, part in public.names().items() if name.split(".")[0] not in ANNEXES}

# What a reader meets without calling it by name.
RESULTS = {
    "contracts.Contract": "contracts.get gives it",
    "exercise.Exercise": "exercise.exercises holds it",
    "exercise.exercises": "exercise.check looks it up",
    "exercise.Verdict": "exercise.check gives it",
    "figures.Picture": "figures.picture gives it",
    "ledger.Outcome": "ledger.run_many gives it",
    "perpetual.Brackets": "a contract holds it",
    "ratio.Estimate": "ratio.beta and others give it",
    "signals.Pattern": "the functions of signals give it",
}


def code(path):
    """Every piece of code that a lesson shows: its cells, and the blocks in its prose, solutions included."""
    for cell in lessons.cells(path):
        if cell.cell_type == "code":
            yield cell.source
        else:
            yield from lessons.CODE.findall(cell.source)


def used(source):
    """Names of the library that a piece of code uses, as module.name."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("hedgelib."):
            yield from (f"{node.module.removeprefix('hedgelib.')}.{alias.name}" for alias in node.names)


USED = {name for path in lessons.PATHS for source in code(path) for name in used(source)}


@pytest.mark.parametrize("name", sorted(CORE.keys() - RESULTS.keys()))
def test_a_lesson_uses_it(name):
    assert name in USED


def test_results_are_what_no_lesson_calls():
    assert RESULTS.keys() <= CORE.keys()
    assert not RESULTS.keys() & USED
