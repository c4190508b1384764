"""The editions of a class: students get no answers, teachers all, graders a point for each exercise."""

import itertools
import json
import os
import subprocess
import sys

import lessons
import pytest

from hedgelib.exercise import exercises
from tools import classpack, marks, notebooks
from tools.run import read

every_lesson = pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
LESSON = lessons.PATHS[2]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@every_lesson
def test_no_solution_is_left_and_nothing_else_is_lost(path):
    whole, part = read(path), classpack.without_solutions(read(path))
    assert "Solution</summary>" in prose(whole) and "Solution</summary>" not in prose(part)
    assert prose(part).count("Hint</summary>") == prose(whole).count("Hint</summary>")
    assert prose(part).count("<details>") == prose(part).count("</details>")
    code = [[cell.source for cell in each.cells if cell.cell_type == "code"] for each in (whole, part)]
    assert code[0] == code[1]


@every_lesson
def test_an_assignment_has_a_point_for_each_exercise(path):
    whole, made = read(path), classpack.assignment(read(path))
    named = [
        name
        for cell in whole.cells
        if classpack.is_exercise(cell)
        for name, *_ in classpack.checks(cell.source)
    ]
    assert set(named) == {name for name in exercises() if name[:2] == path.stem[:2]}
    told = [cell.metadata["nbgrader"] for cell in made.cells if "nbgrader" in cell.metadata]
    assert sum(each.get("points", 0) for each in told) == len(named)
    assert len({each["grade_id"] for each in told}) == len(told)
    assert len({cell.id for cell in made.cells}) == len(made.cells)
    released, begun = [], False
    for cell in made.cells:
        if cell.cell_type == "code":
            compile(cell.source, "cell", "exec")
        if cell.metadata.get("nbgrader", {}).get("solution"):
            lines = cell.source.splitlines()
            first, last = lines.index("### BEGIN SOLUTION"), lines.index("### END SOLUTION")
            assert last - first > 1
            released.append("\n".join(lines[:first] + lines[last + 1 :]))
            begun = True
    starters = [cell.source for cell in whole.cells if classpack.is_exercise(cell)]
    assert begun and [text.split() for text in released] == [text.split() for text in starters]


def test_what_nbgrader_knows_outlives_make_notebooks():
    made = classpack.assignment(read(LESSON))
    before = [cell.metadata.get("nbgrader") for cell in made.cells]
    notebooks.normalise(made)
    assert any(before) and [cell.metadata.get("nbgrader") for cell in made.cells] == before


def test_students_get_answers_that_check_and_do_not_tell(tmp_path, monkeypatch):
    few = {name: exercises()[name] for name in ("02-1", "02-2")}
    monkeypatch.setattr(classpack, "exercises", lambda: few)
    classpack.students_edition(tmp_path)
    assert not list((tmp_path / "hedgelib" / "exercises").glob("*.toml"))
    assert not (tmp_path / "TEACHING.md").exists() and not (tmp_path / "tests").exists()
    script = """
from hedgelib import exercise
right = exercise.check("02-1", -55), exercise.check("02-2", 1 / 3)
assert all(verdict.passed for verdict in right), right
assert exercise.check("02-1", -60).mistake == "3"
known = exercise.exercises()["02-1"]
assert known.answer != known.answer and not hasattr(known, "right")
"""
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)


def test_each_student_has_numbers_of_their_own_and_marks_know_them(tmp_path):
    questions = set()
    for student in ("ada", "bob", "cyd", "dan", "eve", "fay"):
        made = classpack.for_student(classpack.without_solutions(read(LESSON)), student)
        mine = exercises().variant("02-1", student)
        assert mine.prompt in prose(made) and "02-1" in classpack.varied()
        assert prose(made).count("Hint</summary>") == prose(read(LESSON)).count("Hint</summary>") - 1
        questions.add(mine.prompt)
        attempt = {"exercise": "02-1", "answer": str(mine.answer), "verdict": "right", "try": 1, "time": ""}
        (tmp_path / f"{student}.json").write_text(
            json.dumps({"format": "hedge-lab-progress-1", "attempts": [attempt | {"mistake": None}]})
        )
        answered = [tmp_path / f"{student}.json"]
        assert marks.marked(student, answered, marks.Limits(), has_variants=True).right == 1
    assert len(questions) > 2
    others = [marks.marked("ada", [path], marks.Limits(), has_variants=True) for path in tmp_path.iterdir()]
    assert any(student.right == 0 for student in others)


def test_the_teacher_has_every_answer_on_a_page():
    page = classpack.answers_page(["ada"])
    for name, one in exercises().items():
        assert f"| {name} | {one.answer} | {one.unit} |" in page
    for name in classpack.varied():
        assert f"| ada | {name} | {exercises().variant(name, 'ada').answer} |" in page


@pytest.mark.parametrize("names", ["../ada", "ada\nAda", ".", "a/b", "=cmd"])
def test_a_name_is_a_safe_folder(tmp_path, names):
    file = tmp_path / "names.txt"
    file.write_text(f"bob\n{names}\n")
    with pytest.raises(ValueError, match=r"names\.txt: a name must be letters and digits, once only"):
        classpack.names_in(file)


def test_a_folder_of_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "precious").touch()
    assert classpack.main(["--output", str(tmp_path)]) == 1
    assert [path.name for path in itertools.chain(tmp_path.iterdir())] == ["precious"]
    assert "holds something else" in capsys.readouterr().err
