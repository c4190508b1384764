"""The editions of a class, from the one source: for students, for the teacher, for nbgrader.

    python -m tools.classpack                      into _class/: student.zip, teacher.zip, nbgrader/
    python -m tools.classpack --names names.txt    and students/NAME/: each with numbers of their own

A student's edition has no solutions, and of the answers only what checks them (`hedgelib.sealed`). The
teacher's is the project as it is, with ANSWERS.md. For nbgrader each lesson is an assignment, a point an
exercise. With names, one in a line, the exercises that can vary have numbers drawn from the name, in the
question and in what checks the answer; ``make marks`` with VARIANTS=1 judges them.
"""

import argparse
import ast
import json
import re
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from hedgelib import sealed
from hedgelib.exercise import exercises
from tools.run import read

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
STUDENTS_GET = (
    "hedgelib",
    "notebooks",
    "tools/installed",
    "README.md",
    "LICENSE",
    "LICENSE-TEXT.md",
    "Makefile",
)
STUDENTS_GET += ("pyproject.toml", "requirements.lock", "environment.yml", "postBuild", "CITATION.cff")
LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", ".*", "_site", "_pdf", "_class", "_live", "node_modules", "own", "*.egg-info"
)
FOLD = r"<details><summary>{}</summary>.*?</details>\n?"
SOLUTION, HINT = (re.compile(FOLD.format(word), re.DOTALL) for word in ("Solution", "Hint"))
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
QUESTION = re.compile(r"(^### Exercise (\d\d-\w+)\n+).*", re.DOTALL | re.MULTILINE)
CONFIG = """c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "hedge-lab"
c.ClearSolutions.code_stub = {"python": "# Replace the dots above."}
c.ExecutePreprocessor.timeout = 120
"""


def checks(source):
    """Calls of `check` in a code cell: the name of the exercise, the variable of the answer, the call."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "check" and len(node.args) >= 2:
            found.append((ast.literal_eval(node.args[0]), ast.unparse(node.args[1]), ast.unparse(node)))
    return found


def is_exercise(cell):
    """Whether a learner's answer is checked in this cell."""
    return cell.cell_type == "code" and "exercise" in cell.metadata.get("tags", [])


def without_solutions(notebook):
    """Take the folded solutions out of a notebook, in place; a cell that held nothing else goes, too."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = SOLUTION.sub("", cell.source).rstrip("\n")
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    return notebook


def for_student(notebook, name):
    """Put the questions of one student into a notebook, in place; `check` gives hints in these numbers."""
    varied = False
    for cell in notebook.cells:
        asked = QUESTION.search(cell.source) if cell.cell_type == "markdown" else None
        if asked:
            varied = bool(exercises()[asked[2]].vary)
            if varied:
                prompt = exercises().variant(asked[2], name).prompt
                cell.source = QUESTION.sub(lambda match, prompt=prompt: match[1] + prompt, cell.source)
        elif varied and cell.cell_type == "markdown":
            cell.source, varied = HINT.sub("", cell.source).strip("\n"), False
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    return notebook


def locked(chosen):
    """Exercises as a file that checks answers and does not tell them."""
    salt = secrets.token_hex(16)
    closed = {name: sealed.seal(one, f"{salt} {name}") for name, one in chosen.items()}
    return json.dumps({"format": sealed.FORMAT, "exercises": closed}, ensure_ascii=False, indent=1) + "\n"


def students_edition(folder):
    """Write what every student gets."""
    for place in STUDENTS_GET:
        source, target = ROOT / place, folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_OUT)
        elif source.exists():
            shutil.copyfile(source, target)
    answers = folder / "hedgelib" / "exercises"
    for file in answers.glob("*.toml"):
        file.unlink()
    (answers / "course.sealed.json").write_text(locked(exercises()), encoding="utf-8")
    for path in (folder / "notebooks").glob("*.ipynb"):
        nbformat.write(without_solutions(read(path)), path)


def teachers_edition(folder):
    """Write the project as it is, and every answer on a page."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT, dirs_exist_ok=True)
    (folder / "ANSWERS.md").write_text(answers_page(), encoding="utf-8")


def answers_page(names=()):
    """Every answer of the course, and of each student's variants, as Markdown."""
    lines = [
        "# Answers",
        "",
        "| exercise | answer | unit | what a right answer teaches |",
        "|---|--:|---|---|",
    ]
    lines += [f"| {name} | {one.answer} | {one.unit} | {one.right} |" for name, one in exercises().items()]
    if names:
        lines += [
            "",
            "## Numbers by student",
            "",
            "| student | exercise | answer | question |",
            "|---|---|--:|---|",
        ]
    for student in names:
        for name in varied():
            one = exercises().variant(name, student)
            lines.append(f"| {student} | {name} | {one.answer} | {one.prompt} |")
    return "\n".join(lines) + "\n"


def varied():
    """Names of the exercises whose numbers vary."""
    return [name for name, one in exercises().items() if one.vary]


def own_numbers(folder, names):
    """Write a folder for each student: the notebooks with their questions, and what checks the answers."""
    for student in names:
        (folder / student).mkdir(parents=True)
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            nbformat.write(for_student(without_solutions(read(path)), student), folder / student / path.name)
        chosen = {name: exercises().variant(name, student) for name in varied()}
        (folder / student / "exercises.sealed.json").write_text(locked(chosen), encoding="utf-8")


def assignment(notebook):
    """Make a lesson an assignment of nbgrader, in place: a point for each exercise."""
    cells = []
    for place, cell in enumerate(notebook.cells):
        cells.append(cell)
        if not is_exercise(cell):
            continue
        later = "\n".join(each.source for each in notebook.cells[place + 1 : place + 2])
        folded = CODE.findall("".join(SOLUTION.findall(later)))
        found = checks(cell.source)
        solution = folded[0].strip() if folded and len(found) == 1 else ""
        cell.source = with_solution(cell.source, solution, found)
        cell.outputs = []
        cell.metadata["nbgrader"] = graded(f"answer-{found[0][0]}", solution=True)
        for name, _, call in found:
            test = new_code_cell(f"verdict = {call}\nassert verdict.passed, verdict.text", id=f"test-{name}")
            test.metadata["nbgrader"] = graded(f"test-{name}", points=1)
            cells.append(test)
    notebook.cells = cells
    return without_solutions(notebook)


def with_solution(source, solution, found):
    """Code of an exercise with its solution where nbgrader takes it out again, before the last statement."""
    last = ast.parse(source).body[-1].lineno - 1
    lines = source.splitlines()
    if not solution:
        solution = "\n".join(f"{variable} = {exercises()[name].answer!r}" for name, variable, _ in found)
    return "\n".join([*lines[:last], "### BEGIN SOLUTION", solution, "### END SOLUTION", *lines[last:]])


def graded(name, *, solution=False, points=None):
    """The metadata of a cell that nbgrader knows."""
    made = {
        "grade_id": name,
        "schema_version": 3,
        "locked": not solution,
        "solution": solution,
        "task": False,
    }
    return made | {"grade": points is not None} | ({"points": points} if points else {})


def nbgraders_edition(folder):
    """Write a course of nbgrader: its configuration and a source for each lesson with exercises."""
    folder.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        source = folder / "source" / path.stem
        source.mkdir(parents=True)
        nbformat.write(assignment(read(path)), source / path.name)


def names_in(file):
    """Return the names of a file, one in a line; each is going to be a folder."""
    names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    wrong = [name for name in names if not re.fullmatch(r"[\w][\w .@+-]*", name)]
    if wrong or len({name.casefold() for name in names}) < len(names):
        raise ValueError(f"{file}: a name must be letters and digits, once only; see {(wrong or names)[0]!r}")
    return names


def write(output, names=()):
    """Write every edition into a folder, which is replaced as a whole."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as work:
        fresh = Path(work) / "class"
        students_edition(fresh / "student" / "hedge-lab")
        teachers_edition(fresh / "teacher" / "hedge-lab")
        for edition in ("student", "teacher"):
            shutil.make_archive(str(fresh / edition), "zip", fresh / edition)
            shutil.rmtree(fresh / edition)
        nbgraders_edition(fresh / "nbgrader")
        if names:
            own_numbers(fresh / "students", names)
            (fresh / "ANSWERS.md").write_text(answers_page(names), encoding="utf-8")
        if output.exists():
            shutil.rmtree(output)
        fresh.rename(output)


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.classpack", description=__doc__.splitlines()[0])
    parser.add_argument("--names", type=Path, help="a file with a student in each line")
    parser.add_argument("--output", type=Path, default=ROOT / "_class")
    options = parser.parse_args(arguments)
    output = options.output
    if output.exists() and any(output.iterdir()) and not (output / "student.zip").exists():
        print(f"error: {output} holds something else; name another folder with --output", file=sys.stderr)
        return 1
    try:
        names = names_in(options.names) if options.names else ()
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write(output, names)
    print(
        f"{output}: student.zip, teacher.zip, nbgrader/" + (f", {len(names)} in students/" if names else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
