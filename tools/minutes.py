"""How long a lesson takes, by a stated formula.

    python -m tools.minutes            each lesson: stated and computed minutes, and what they are made of
    python -m tools.minutes --write    states what is computed: in lessons, README, TEACHING and the map

A reader new to the subject reads 150 words a minute (the text holds a number every ten words), needs four
seconds for a line of code that is shown, two minutes for a task at an explorer and five for an exercise.
What is folded, code or text, tables and blocks of code are for whoever wants them, and are not counted. The
sum is rounded to five minutes.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tools import bound
from tools.notebooks import replace
from tools.run import ROOT, read

WORDS_A_MINUTE = 150
SECONDS_A_LINE = 4
MINUTES_A_TASK = 2
MINUTES_AN_EXERCISE = 5
ROUNDED_TO = 5

UNREAD = re.compile(r"<details>.*?</details>|^```.*?^```|^\|[^\n]*", re.DOTALL | re.MULTILINE)
TASKS = re.compile(r"^\*\*Tasks\*\*\n+((?:\d+\. .*\n?)+)", re.MULTILINE)
EXERCISE = re.compile(r"^### Exercise ", re.MULTILINE)
STATED = re.compile(r"\*\*Minutes:\*\* (\d+)")


@dataclass(frozen=True)
class Lesson:
    """What a lesson asks of a reader."""

    name: str
    stated: int
    words: int
    lines: int
    tasks: int
    exercises: int

    @property
    def minutes(self):
        """The minutes by the formula."""
        exact = (
            self.words / WORDS_A_MINUTE
            + self.lines * SECONDS_A_LINE / 60
            + self.tasks * MINUTES_A_TASK
            + self.exercises * MINUTES_AN_EXERCISE
        )
        return ROUNDED_TO * round(exact / ROUNDED_TO)


def counted(path):
    """Count what the lesson at `path` asks of a reader."""
    notebook = read(path)
    told = [bound.plain(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    text = "\n\n".join(UNREAD.sub("", source) for source in told)
    shown = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and not cell.metadata.get("jupyter", {}).get("source_hidden")
    ]
    return Lesson(
        name=path.stem,
        stated=int(STATED.search(told[0])[1]),
        words=len(re.findall(r"\w[\w.,%’'-]*", text)),
        lines=sum(bool(line.strip()) for source in shown for line in source.splitlines()),
        tasks=sum(len(re.findall(r"^\d+\. ", found, re.MULTILINE)) for found in TASKS.findall(text)),
        exercises=len(EXERCISE.findall(text)),
    )


def stated_anew(lessons):
    """Let lessons, README, TEACHING and the map of lesson 00 state the minutes that are computed."""
    for each in lessons:
        _rewrite(ROOT / "notebooks" / f"{each.name}.ipynb", STATED.pattern, each.minutes)
        row = rf"^\| \[{each.name}\]\(notebooks/.*\| (\d+) \|$"
        _rewrite(ROOT / "README.md", row, each.minutes)
        _rewrite(ROOT / "TEACHING.md", rf"^\| {each.name[:2]} \| (\d+) \|", each.minutes)
        mapped = rf"\| \W*{each.name}(?:\]\({each.name}\.ipynb\)|\*\*) \|.*\| (\d+) \|"
        _rewrite(ROOT / "notebooks" / "00_start_here.ipynb", mapped, each.minutes)


def _rewrite(path, pattern, minutes):
    """Put a number where the group of the pattern stands, once, in a file."""
    text = path.read_text(encoding="utf-8")
    found = re.search(pattern, text, re.MULTILINE)
    if found and found[1] != str(minutes):
        replace(path, text[: found.start(1)] + str(minutes) + text[found.end(1) :])


def main(arguments=None):
    """Print a line for each lesson; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="state what is computed")
    options = parser.parse_args(arguments)
    lessons = [counted(path) for path in sorted(Path(ROOT, "notebooks").glob("*.ipynb"))]
    if options.write:
        stated_anew(lessons)
    lessons = [counted(path) for path in sorted(Path(ROOT, "notebooks").glob("*.ipynb"))]
    print(f"{'lesson':22} stated computed words lines tasks exercises")
    for each in lessons:
        print(
            f"{each.name:22} {each.stated:6} {each.minutes:8} {each.words:5} {each.lines:5} "
            f"{each.tasks:5} {each.exercises:9}"
        )
    return int(any(each.stated != each.minutes for each in lessons))


if __name__ == "__main__":
    sys.exit(main())
