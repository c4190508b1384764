"""A class of thirty, simulated: what it handed in becomes a table, whatever is in the files."""

import csv
import json
import random
import sys

import lessons
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from hedgelib import progress
from hedgelib.exercise import exercises
from tools import marks

START = "from hedgelib.exercise import check"
QUICK = marks.Limits(cell_seconds=2)


def notebook(folder, *sources, name="02_full_hedge.ipynb"):
    folder.mkdir(parents=True, exist_ok=True)
    cells = [new_markdown_cell("# A lesson"), *map(new_code_cell, (START, *sources))]
    nbformat.write(new_notebook(cells=cells), folder / name)


def answered(name, answer):
    return f'answer = {answer}\ncheck("{name}", answer)'


def attempts(listed):
    made = [
        {"exercise": name, "answer": answer, "verdict": verdict, "mistake": None, "try": number, "time": ""}
        for name, answer, verdict, number in listed
    ]
    return json.dumps({"format": progress.FORMAT, "attempts": made, "votes": {}})


def as_text(answer):
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A folder of 30 students, 24 with a progress file and 6 with notebooks, and what each got right."""
    folder, dice = tmp_path_factory.mktemp("class"), random.Random(1)
    names, right = list(exercises()), {}
    for number in range(24):
        student, listed = f"student{number:02d}", []
        chosen = dice.sample(names, dice.randint(1, len(names)))
        right[student] = set(dice.sample(chosen, dice.randint(0, len(chosen))))
        for name in chosen:
            one = exercises()[name]
            listed.append((name, as_text(one.wrong[0]["value"]), "wrong", 1))
            if name in right[student]:
                listed.append((name, as_text(one.answer), "right", 2))
        place = folder / student / "progress.json" if number % 2 else folder / f"{student}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(attempts(listed), encoding="utf-8")
    notebook(folder / "ada", answered("02-1", -55), answered("02-2", "1 / 3"), answered("02-3", "..."))
    notebook(folder / "bob", answered("02-1", -55), "while True: pass", answered("02-2", 0.4))
    notebook(folder / "cyd", answered("02-1", -55), "import os; os._exit(3)", answered("02-2", "1 / 3"))
    notebook(
        folder / "dan",
        "from hedgelib import exercise\nstolen = exercise.exercises()['02-1'].answer",
        answered("02-1", "stolen"),
        "def check(*_): return 'right'",
        answered("02-2", 5),
    )
    notebook(
        folder / "eve",
        "import socket; socket.create_connection(('127.0.0.1', 1), 1)",
        f"open({str(folder / 'written')!r}, 'w')",
        answered("02-1", "len(bytearray(10**11))"),
        answered("02-2", "'=1+1'"),
    )
    (folder / "=fay()").mkdir()
    (folder / "=fay()" / "broken.ipynb").write_text("{")
    (folder / "=fay()" / "link.json").symlink_to(folder / "student00.json")
    right |= {
        "ada": {"02-1", "02-2"},
        "bob": {"02-1"},
        "cyd": {"02-1"},
        "dan": set(),
        "eve": set(),
        "'=fay()": set(),
    }
    return folder, right


@pytest.fixture(scope="module")
def table(simulated):
    folder, _ = simulated
    assert marks.main([str(folder), "--workers", "2", "--cell-seconds", "2"]) == 0
    with (folder / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_every_student_has_a_row_with_what_is_right(simulated, table):
    _, right = simulated
    assert len(table) == 30
    for student, names in right.items():
        row = table[student]
        assert {name for name in exercises() if row[name] == "1"} == names, row["notes"]
        assert row["right"] == str(len(names))
        assert int(row["tried"]) == sum(row[name] != "" for name in exercises())
        if student.startswith("student"):
            assert {row[f"{name} tries"] for name in names} <= {"2"}


def test_what_went_wrong_is_a_note_and_no_crash(simulated, table):
    told = {student: table[student]["notes"] for student in ("bob", "cyd", "dan", "eve", "'=fay()")}
    assert "cell 4 took more than 2 seconds" in told["bob"] and table["bob"]["02-2"] == "0"
    assert "it ended with status 3 in cell 4" in told["cyd"] and table["cyd"]["02-2"] == ""
    assert "KeyError: '02-1'" in told["dan"]
    assert "cell 5 fails: MemoryError" in told["eve"]
    assert "broken.ipynb: this is no notebook" in told["'=fay()"]
    assert table["ada"]["notes"] == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a network can be taken away on Linux alone")
def test_a_hostile_notebook_has_no_network_and_nothing_to_write_to(simulated, table, tmp_path):
    command, words = marks.guard(tmp_path)
    if not command:
        pytest.skip(words)
    assert "cell 3 fails: " in table["eve"]["notes"]
    if command[0] == "bwrap":
        assert "cell 4 fails: OSError: [Errno 30] Read-only file system" in table["eve"]["notes"]
        assert not (simulated[0] / "written").exists()


def test_the_page_counts_the_misconceptions(simulated, table):
    folder, right = simulated
    page = BeautifulSoup((folder / "marks.html").read_text(encoding="utf-8"), "html.parser")
    misconceptions, students, _ = page.find_all("table")
    counted = {
        (cells[1], cells[2]): int(cells[0])
        for cells in ([cell.get_text() for cell in row(["td", "th"])] for row in misconceptions.tbody("tr"))
    }
    for name, one in exercises().items():
        tried = sum(table[student][name] != "" for student in right if student.startswith("student"))
        assert counted.get((name, one.wrong[0]["why"]), 0) in (tried, tried + 1), name  # bob's 0.4, too
    rows = {row.th.get_text(): row for row in students.tbody("tr")}
    assert rows["ada"]("td", class_="right")[0].get_text() == "✓" and len(rows) == 31
    assert not page("script")


def test_a_claim_is_judged_again(tmp_path):
    (tmp_path / "ada.json").write_text(attempts([("02-1", "7", "right", 1), ("02-99", "7", "right", 1)]))
    student = marks.marked("ada", [tmp_path / "ada.json"], QUICK)
    assert student.right == 0
    assert [note.partition(": ")[2] for note in student.notes] == [
        "02-1 is said to be right, and '7' is not",
        "there is no exercise '02-99'",
    ]


def test_a_function_is_judged_outside_of_the_notebook(tmp_path):
    name, one = next((name, one) for name, one in exercises().items() if one.calls)
    values = [call["value"] for call in one.calls]
    for given, outcome in ((values, "right"), ([2 * value for value in values], "wrong")):
        function = f"given = {given}\ndef carry(*_): return given.pop(0)"
        folder = tmp_path / outcome
        notebook(folder, f'{function}\nanswer = {one.answer}\ncheck("{name}", answer, carry)')
        student = marks.marked("ada", list(folder.iterdir()), QUICK)
        assert student.results[name].outcome == outcome, student.notes


def test_files_beside_the_folders_belong_to_whom_they_are_called_after(tmp_path):
    for name in ("ada_02_full_hedge.ipynb", "ada.json", "bob-03_partial_hedge.ipynb", "marks.csv", ".hidden"):
        (tmp_path / name).touch()
    found = marks.submissions(tmp_path)
    assert {student: [file.name for file in files] for student, files in found.items()} == {
        "ada": ["ada.json", "ada_02_full_hedge.ipynb"],
        "bob": ["bob-03_partial_hedge.ipynb"],
    }


def test_an_empty_or_missing_folder_is_said(tmp_path, capsys):
    assert marks.main([str(tmp_path)]) == marks.main([str(tmp_path / "none")]) == 1
    assert "is empty" in capsys.readouterr().err


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_an_untouched_lesson_is_not_run(path, monkeypatch):
    monkeypatch.setattr(marks, "run", None)
    student = marks.marked("ada", [path], QUICK)
    assert student.notes == [f"{path.name}: nothing is answered"]
