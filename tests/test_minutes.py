"""The minutes of a lesson are those of the formula, and the formula counts what it says."""

import json

import lessons
import pytest

from tools import minutes


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_a_lesson_states_its_minutes(path):
    found = minutes.counted(path)
    # A sentence more or less must not turn a test red; ten minutes off is another lesson.
    assert abs(found.stated - found.minutes) <= minutes.ROUNDED_TO, "python -m tools.minutes --write"


def test_the_formula_counts_what_is_read(tmp_path):
    def cell(kind, source, hidden=False):
        made = {"cell_type": kind, "id": str(len(source)), "source": source, "metadata": {}}
        if hidden:
            made["metadata"]["jupyter"] = {"source_hidden": True}
        return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})

    folded = "<details><summary>Answer</summary>\n\n" + "word " * 900 + "\n\n</details>"
    table = "| a | b |\n|---|---|\n| " + "word " * 300 + "| 1 |"
    cells = [
        cell("markdown", "**Minutes:** 20"),  # two words
        cell("markdown", "word " * 748 + f"\n\n{folded}\n\n{table}"),  # with them five minutes
        cell("code", "a = 1\n\nb = 2\n" + "c = 3\n" * 28),  # thirty lines, two minutes
        cell("code", "c = 3\n" * 300, hidden=True),
        cell("markdown", "**Tasks**\n\n1. \n2. \n3. "),  # six minutes and four words
        cell("markdown", "### Exercise 01-1"),  # five minutes and three words
    ]
    path = tmp_path / "01_lesson.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found = minutes.counted(path)
    assert (found.lines, found.tasks, found.exercises) == (30, 3, 1)
    assert 750 <= found.words <= 760
    assert found.minutes == found.stated == 20  # 18.06, rounded
