"""A class at a glance: what was handed in, as a table of students and exercises.

    python -m tools.marks FOLDER       writes marks.csv and marks.html into FOLDER

In FOLDER lies a folder for each student, or a file: notebooks and progress files (``docs/progress.md``). A
file beside the folders belongs to whom it is called after: ``ada.json``, ``ada_02_full_hedge.ipynb``.
Every answer is judged again, here, whatever a file says of it.

A notebook runs in a process of its own with bounded time and memory; with bubblewrap (``bwrap``) also without
a network, the answers, or a place to write to; with ``unshare`` at least without a network. What crashes,
never ends or cannot be read is a note in its student's row.
"""

import argparse
import contextlib
import csv
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import nbformat

from hedgelib import progress
from hedgelib.exercise import exercises

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "hedgelib" / "exercises"
OURS = ("marks.csv", "marks.html")
LESSONS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
MOST_BYTES = 20_000_000
MOST_OUTPUT = 1_000_000
STARTER = re.compile(r"=\s*\.\.\.(,\s*\.\.\.)*\s*$", re.M)
CHECKED = re.compile(r"\bcheck\(")
RANK = {"right": 3, "wrong": 2, "unread": 1}
SIGNS = {"right": "✓", "wrong": "✗", "unread": "?"}
GENERAL = {
    "sign": "the right size with the wrong sign",
    "percent": "a percentage where a fraction is asked for",
    "fraction": "a fraction where a percentage is asked for",
    "close": "rounded on the way, or a small part left out",
    "order": "the right numbers in another order",
    "function": "the right answer, and a function that does not give it",
}


@dataclass
class Result:
    """What a student did in one exercise."""

    outcome: str
    tries: int = 1
    answers: list = field(default_factory=list)
    mistakes: set = field(default_factory=set)

    def add(self, other):
        """Take in what another file says."""
        self.outcome = max(self.outcome, other.outcome, key=RANK.get)
        self.tries = max(self.tries, other.tries)
        self.answers += [each for each in other.answers if each not in self.answers]
        self.mistakes |= other.mistakes


@dataclass
class Student:
    """A row of the table."""

    name: str
    has_variants: bool = False
    results: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def asked(self, exercise):
        """Return an exercise as this student has it."""
        one = exercises()[exercise]
        return exercises().variant(exercise, self.name) if self.has_variants and one.vary else one

    def add(self, exercise, result):
        """Take in what a file says of an exercise."""
        if exercise in self.results:
            self.results[exercise].add(result)
        else:
            self.results[exercise] = result

    @property
    def right(self):
        """How many exercises are right."""
        return sum(result.outcome == "right" for result in self.results.values())


@dataclass(frozen=True)
class Limits:
    """What one notebook may take."""

    seconds: int = 120
    cell_seconds: int = 20
    megabytes: int = 4_000


def submissions(folder):
    """Return the files of each student, by name."""
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in OURS or entry.is_symlink():
            continue
        if entry.is_dir():
            files = sorted(
                path
                for path in entry.rglob("*")
                if path.is_file() and not path.is_symlink() and ".ipynb_checkpoints" not in path.parts
            )
            found.setdefault(entry.name, []).extend(files)
        elif entry.is_file():
            lesson = next((lesson for lesson in LESSONS if entry.stem.endswith(lesson)), "")
            name = entry.stem.removesuffix(lesson).rstrip("_- ") or entry.stem
            found.setdefault(name, []).append(entry)
    return found


def marked(name, files, limits, has_variants=False):
    """Return the `Student` whose files these are."""
    student = Student(name, has_variants)
    for file in files:
        try:
            if file.suffix not in READERS:
                student.notes.append(f"{file.name}: not looked at, only {', '.join(READERS)} are")
            elif file.stat().st_size > MOST_BYTES:
                student.notes.append(f"{file.name}: larger than {MOST_BYTES:,} bytes, so not looked at")
            else:
                READERS[file.suffix](student, file, limits)
        except (OSError, ValueError) as error:
            student.notes.append(f"{file.name}: {shortened(error)}")
    return student


def read_progress(student, file, _limits):
    """Take in a progress file, every answer judged again."""
    for each in progress.read(file.read_text(encoding="utf-8"))["attempts"]:
        judge(student, file, each["exercise"], each["answer"], each["try"], claimed=each["verdict"])


@functools.cache
def starters():
    """The cells of the lessons as a student gets them."""
    paths = (ROOT / "notebooks" / f"{lesson}.ipynb" for lesson in LESSONS)
    cells = [cell for path in paths for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    return {"".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}


def read_notebook(student, file, limits):
    """Take in what the exercises of a notebook are answered with."""
    try:
        notebook = nbformat.reads(file.read_text(encoding="utf-8"), as_version=4)
        cells = [
            (place, cell.source)
            for place, cell in enumerate(notebook.cells, start=1)
            if cell.cell_type == "code"
        ]
    except Exception as error:  # nbformat, jsonschema and json each have errors of their own
        raise ValueError(f"this is no notebook: {type(error).__name__}") from None
    answered = [
        number
        for number, (_, source) in enumerate(cells)
        if CHECKED.search(source) and not STARTER.search(source) and source not in starters()
    ]
    if not answered:
        student.notes.append(f"{file.name}: nothing is answered")
        return
    lines, ending = run(cells[: answered[-1] + 1], limits, student)
    for line in lines:
        if "exercise" in line:
            answer, outputs = revived(line["answer"]), iter(line["calls"])
            judge(
                student,
                file,
                line["exercise"],
                answer,
                function=functools.partial(replay, outputs) if line["calls"] else None,
            )
        elif "failed" in line:
            student.notes.append(f"{file.name}: cell {line['failed']} fails: {shortened(line['why'])}")
        elif "stopped" in line:
            student.notes.append(
                f"{file.name}: cell {line['stopped']} took more than {limits.cell_seconds} seconds"
            )
    if not any("done" in line for line in lines):
        place = next((line["cell"] for line in reversed(lines) if "cell" in line), cells[0][0])
        student.notes.append(f"{file.name}: {ending} in cell {place}; what came before it is marked")


READERS = {".ipynb": read_notebook, ".json": read_progress, ".txt": read_progress}


def revived(answer):
    """An answer as the notebook had it, from what came out of its process."""
    if "numbers" in answer:
        return answer["numbers"]
    return answer["text"] if "text" in answer else object()


def replay(outputs, *_arguments):
    """What a learner's function gave, call by call."""
    output = next(outputs)
    if "error" in output:
        raise RuntimeError(output["error"])
    return revived(output)


def judge(student, file, name, answer, tries=1, *, function=None, claimed=None):
    """Judge an answer and take it in."""
    if name not in exercises():
        student.notes.append(f"{file.name}: there is no exercise {shortened(name)!r}")
        return
    verdict = student.asked(name).judge(answer, function=function)
    if claimed == "right" and not verdict.passed:
        student.notes.append(f"{file.name}: {name} is said to be right, and {shortened(answer)!r} is not")
    shown = f"{answer:g}" if isinstance(answer, float) else str(answer)[:40]
    mistakes = {verdict.mistake} if verdict.mistake else set()
    student.add(name, Result(verdict.outcome, tries, [shown], mistakes))


def shortened(text):
    """A message in one short line."""
    return " ".join(str(text).split())[:160]


def guard(work):
    """Return the command that keeps a process from the network and the disk, and what it does in words."""
    bwrap = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--size", str(64 * 2**20)]
    bwrap += ["--tmpfs", str(work), "--tmpfs", str(ANSWERS), "--chdir", str(work)]
    bwrap += ["--unshare-all", "--die-with-parent", "--new-session"]
    unshare = ["unshare", "--user", "--net", "--pid", "--fork", "--kill-child"]
    if works("bwrap"):
        return bwrap, "without a network, the answers, or a place to write to"
    if works("unshare"):
        return unshare, "without a network"
    return [], "unguarded: install bubblewrap (bwrap) to keep them from the network and your files"


@functools.cache
def works(program):
    """Whether a program is here, and the system lets it shut a process in."""
    tries = {"bwrap": ["--ro-bind", "/", "/", "--unshare-all"], "unshare": ["--user", "--net"]}
    if not shutil.which(program):
        return False
    tried = subprocess.run([program, *tries[program], "true"], capture_output=True, check=False, timeout=60)
    return tried.returncode == 0


def run(cells, limits, student):
    """Run cells in a guarded process; return what it said, and how it ended if it did not come to the end."""
    calls = {name: [call["arguments"] for call in student.asked(name).calls] for name in exercises()}
    asked = {"cells": cells, "calls": calls, **vars(limits)}
    with tempfile.TemporaryDirectory() as work:
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ} | threads
        environment |= {"HOME": work, "TMPDIR": work, "PYTHONPATH": str(ROOT), "HEDGELAB_PROGRESS": "off"}
        command = [*guard(work)[0], sys.executable, "-m", "tools.submission"]
        with subprocess.Popen(
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(json.dumps(asked).encode(), timeout=limits.seconds)
                ending = f"it ended with status {process.returncode}"
                if -process.returncode == getattr(signal, "SIGXCPU", None):
                    ending = f"it took more than {limits.seconds} seconds of a processor"
            except subprocess.TimeoutExpired as error:
                said, ending = error.stdout or b"", f"it took more than {limits.seconds} seconds"
            finally:
                with contextlib.suppress(ProcessLookupError, AttributeError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
    return list(sound(said[:MOST_OUTPUT])), ending


def sound(said):
    """The lines that a process said, as far as they are what it may say."""
    kinds = {
        "exercise": str,
        "answer": dict,
        "calls": list,
        "failed": int,
        "why": str,
        "stopped": int,
        "cell": int,
    }
    for text in said.decode("utf-8", "replace").splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            line = json.loads(text)
            known = isinstance(line, dict) and all(
                isinstance(line[key], kinds[key]) for key in line.keys() & kinds.keys()
            )
            if known and ("exercise" not in line or {"answer", "calls"} <= line.keys()):
                yield line


def mistakes(students):
    """Return the misconceptions of a class, the most frequent first: exercise, what it means, and who."""
    who = {}
    for student in students:
        for name, result in student.results.items():
            for mistake in result.mistakes:
                who.setdefault((name, mistake), []).append(student.name)
    rows = [(name, meaning(name, mistake), names) for (name, mistake), names in who.items()]
    return sorted(rows, key=lambda row: (-len(row[2]), row[0], row[1]))


def meaning(name, mistake):
    """What a recognised mistake means."""
    return GENERAL[mistake] if mistake in GENERAL else exercises()[name].wrong[int(mistake) - 1]["why"]


def safe(text):
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_csv(students, file):
    """Write a row for each student: totals, notes, then each exercise (1 right, 0 not yet) and its tries."""
    names = list(exercises())
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        columns = [column for name in names for column in (name, f"{name} tries")]
        writer.writerow(["student", "right", "tried", "tries", "notes", *columns])
        for student in students:
            results = [student.results.get(name) for name in names]
            cells = [
                cell
                for result in results
                for cell in ((int(result.outcome == "right"), result.tries) if result else ("", ""))
            ]
            tried = [result for result in results if result]
            totals = [student.right, len(tried), sum(result.tries for result in tried)]
            writer.writerow([safe(student.name), *totals, safe("; ".join(student.notes)), *cells])


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Marks: {{ folder }}</title>
<style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { border: 1px solid #c8c8c8; padding: .2rem .45rem; text-align: center; white-space: nowrap }
th[scope=row], td.text { text-align: left }
td.text { white-space: normal; max-width: 60rem }
.right { background: #d9efdc } .wrong { background: #f8dcd6 } .unread { background: #f5ecc9 }
small { color: #555 }
</style>
<h1>Marks: {{ folder }}</h1>
<p>{{ students | length }} students, {{ names | length }} exercises. ✓ right, ✗ not yet, ? could not
be read as an answer, empty: not tried; the small number counts the tries where there was more than one. Each
answer was judged again here. Notebooks ran {{ guarded }}.</p>
<h2>Which misconceptions</h2>
{% if mistakes %}<table><thead><tr><th scope="col">students</th><th scope="col">exercise</th>
<th scope="col">what the answer means</th><th scope="col">who</th></tr></thead><tbody>
{% for name, why, who in mistakes %}<tr><td>{{ who | length }}</td><th scope="row">{{ name }}</th>
<td class="text">{{ why }}</td><td class="text">{{ who | join(", ") }}</td></tr>
{% endfor %}</tbody></table>{% else %}<p>No well-known mistake was made.</p>{% endif %}
<h2>Students and exercises</h2>
<div class="wide" tabindex="0" role="region" aria-label="Students and exercises"><table>
<thead><tr><th scope="col">student</th><th scope="col">right</th>
{% for name in names %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for student in students %}<tr><th scope="row">{{ student.name }}</th><td>{{ student.right }}</td>
{% for name in names %}{% set result = student.results.get(name) %}{% if result -%}
<td class="{{ result.outcome }}" title="{{ result.answers | join('; ') }}">{{ signs[result.outcome] }}
{%- if result.tries > 1 %} <small>{{ result.tries }}</small>{% endif %}</td>
{%- else %}<td></td>{% endif %}{% endfor %}</tr>
{% endfor %}<tr><th scope="row">right</th><td></td>
{% for name in names %}<td>{{ rights[name] }}</td>{% endfor %}</tr></tbody></table></div>
<h2>Notes</h2>
{% if noted %}<table><tbody>{% for student in noted %}<tr><th scope="row">{{ student.name }}</th>
<td class="text">{% for note in student.notes %}{{ note }}<br>{% endfor %}</td></tr>
{% endfor %}</tbody></table>{% else %}<p>Nothing needs a word.</p>{% endif %}
</html>
"""


def write_html(students, file, guarded):
    """Write the page to look at: misconceptions, students by exercises, what needs a word."""
    rights = Counter(
        name for student in students for name, result in student.results.items() if result.outcome == "right"
    )
    page = jinja2.Environment(autoescape=True).from_string(PAGE)
    text = page.render(
        folder=file.parent.name,
        students=students,
        names=list(exercises()),
        signs=SIGNS,
        rights=rights,
        mistakes=mistakes(students),
        noted=[student for student in students if student.notes],
        guarded=guarded,
    )
    file.write_text(text, encoding="utf-8")


def main(arguments=None):
    """Mark a folder; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.marks", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder, or a file, for each student")
    parser.add_argument("--seconds", type=int, default=Limits.seconds, help="that a notebook may take")
    parser.add_argument("--cell-seconds", type=int, default=Limits.cell_seconds, help="that a cell may take")
    parser.add_argument("--megabytes", type=int, default=Limits.megabytes, help="of memory that it may take")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2, help="notebooks at the same time")
    parser.add_argument(
        "--variants",
        action="store_true",
        help="each student has numbers of their own: tools.classpack --names",
    )
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"error: there is no folder {options.folder}", file=sys.stderr)
        return 1
    limits = Limits(options.seconds, options.cell_seconds, options.megabytes)
    handed = submissions(options.folder)
    if not handed:
        print(f"error: {options.folder} is empty: put a folder for each student into it", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(options.workers) as pool:
        students = list(pool.map(lambda item: marked(*item, limits, options.variants), handed.items()))
    with tempfile.TemporaryDirectory() as work:
        guarded = guard(work)[1]
    write_csv(students, options.folder / OURS[0])
    write_html(students, options.folder / OURS[1], guarded)
    noted = sum(bool(student.notes) for student in students)
    print(f"{len(students)} students, {noted} with a note; notebooks ran {guarded}")
    print(options.folder / OURS[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
