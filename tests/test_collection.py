"""The collection as a whole: reading order, the anatomy of a lesson, links, and the layers of the library."""

import ast
import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import lessons
import pytest

from tools import bound

ROOT = Path(__file__).parents[1]
NAMES = [path.stem for path in lessons.PATHS]
every_lesson = pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)

SECTIONS = [
    "The situation",
    "By hand",
    "The formula",
    "The picture",
    "Where it breaks",
    "The claims, checked",
    "Exercises",
    "What this model leaves out",
    "Summary",
]


EVERYDAY = {"ask", "interest", "return", "stop", "trigger"}  # words that also mean what they always do


def cells(path, kind=None):
    return [cell for cell in lessons.cells(path) if kind in (None, cell.cell_type)]


def prose(path):
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def headings(path, level):
    return re.findall(rf"^#{{{level}}} (.+)$", prose(path), flags=re.MULTILINE)


def section(path, heading):
    return re.split(r"^##? ", prose(path).split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]


def links(text):
    return re.findall(r"\]\(([^)#]+)\)", text)


class TestReadingOrder:
    def test_file_names_count_from_zero(self):
        assert [name[:2] for name in NAMES] == [f"{place:02d}" for place in range(len(NAMES))]

    def test_the_first_sentence_counts_them(self):
        assert f"\n{bound.words(len(NAMES)).capitalize()} notebooks " in cells(lessons.PATHS[0])[0].source

    def test_readme_map_and_teaching_list_the_same_lessons_with_their_minutes(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        listed = dict(re.findall(r"^\| \[(\d\d_\w+)\]\(notebooks/\1\.ipynb\) \|.*\| (\d+) \|$", readme, re.M))
        course = section(lessons.PATHS[0], "The map")
        mapped = dict(re.findall(r"^\| \W*(\d\d_\w+)(?:\]\(\1\.ipynb\)|\*\*) \|.*\| (\d+) \|$", course, re.M))
        teaching = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
        taught = re.findall(r"^\| (\d\d) \| (\d+) \|.*\|.*\|.*\|$", teaching, re.M)
        stated = {path.stem: re.search(r"\*\*Minutes:\*\* (\d+)", prose(path))[1] for path in lessons.PATHS}
        assert listed == mapped == stated
        assert taught == [(name[:2], minutes) for name, minutes in stated.items()]

    def test_neighbours_are_linked_at_the_end(self):
        for place, path in enumerate(lessons.PATHS):
            last = cells(path)[-1].source.strip().splitlines()[-1]
            wanted = NAMES[max(0, place - 1) : place] + NAMES[place + 1 : place + 2]
            assert links(last) == [f"{name}.ipynb" for name in wanted], path.stem


@every_lesson
class TestAnatomy:
    def test_one_title_and_a_head(self, path):
        assert len(headings(path, 1)) == 1
        head = r"\*\*Minutes:\*\* \d+ · \*\*Needs:\*\* .+ · Not investment advice"
        assert re.search(head, cells(path)[0].source)

    def test_sections_come_in_the_order_of_the_skeleton(self, path):
        if path.stem.startswith("00"):
            pytest.skip("the first notebook explains the course and has a skeleton of its own")
        found = [heading for heading in headings(path, 2) if heading in SECTIONS]
        assert found == SECTIONS

    def test_goals_and_terms_come_before_the_claims(self, path):
        found = headings(path, 2)
        for heading in ("Goals", "Terms met here"):
            assert found.count(heading) == 1
            if not path.stem.startswith("00"):
                assert found.index(heading) < found.index("The claims, checked")

    def test_summary_mirrors_the_goals(self, path):
        goals, summary = (
            [verb.lower() for verb in re.findall(r"^- \*\*([^*]+)\*\*", section(path, heading), re.M)]
            for heading in ("Goals", "Summary")
        )
        assert 3 <= len(goals) <= 5
        assert summary == goals

    def test_explorers_have_legend_and_three_tasks(self, path):
        for heading in headings(path, 2):
            if heading.startswith("Explore"):
                text = section(path, heading)
                assert "**Legend**" in text and "**Tasks**" in text, heading
                assert re.search(r"^1\. .*^2\. .*^3\. ", text, re.M | re.S), heading

    def test_code_is_short_and_plain(self, path):
        for cell in cells(path, "code"):
            assert len(cell.source.splitlines()) <= 15, cell.source
            assert not re.search(r"^\s*[%!]|https?://|^\s*class ", cell.source, re.M), cell.source
            assert not cell.source.rstrip().endswith(";"), cell.source

    def test_prose_stands_between_code_cells(self, path):
        kinds = [cell.cell_type for cell in cells(path)]
        assert ("code", "code") not in set(itertools.pairwise(kinds))

    def test_three_exercises_or_more_with_hint_and_solution(self, path):
        number = path.stem[:2]
        starters = [cell.source for cell in cells(path, "code") if "check(" in cell.source]
        told = prose(path)
        asked = set(re.findall(rf"^### Exercise ({number}-\d)$", told, re.M))
        assert len(asked) >= 3
        assert all(any(f'check("{name}"' in starter for starter in starters) for name in asked)
        assert told.count("<summary>Hint</summary>") >= len(asked)
        assert told.count("<summary>Solution</summary>") >= len(asked)

    def test_every_cell_says_what_it_is_on_a_slide(self, path):
        kinds = {cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells(path)}
        assert kinds <= {"slide", "subslide", "fragment", "skip", "notes", "-"}

    def test_links_resolve(self, path):
        for link in links(prose(path)):
            assert link.startswith("https://") or (path.parent / link).is_file(), link

    def test_terms_are_in_the_glossary(self, path):
        glossary = section(lessons.PATHS[0], "The words").lower()
        if not path.stem.startswith("00"):
            for term in re.findall(r"^- \*\*([^*]+)\*\*", section(path, "Terms met here"), re.M):
                for word in term.lower().split(", "):
                    assert word.removesuffix("s") in glossary, f"{word} is missing from the glossary"

    def test_prose_is_spelled_as_dictionaries_do(self, path):
        command = [sys.executable, "-m", "codespell_lib", "-"]
        spelled = subprocess.run(command, input=prose(path), capture_output=True, text=True, check=False)
        assert spelled.returncode == 0, spelled.stdout

    def test_file_is_small(self, path):
        assert path.stat().st_size < 500_000


def glossary():
    """The words of the course, each with the number of the lesson that it is first met in."""
    rows = re.findall(r"^\| (.+?) \| .+ \| (\d\d) \|$", section(lessons.PATHS[0], "The words"), re.M)
    for terms, lesson in rows:
        for term in re.sub(r"\(.*?\)", "", terms).split(","):
            yield term.strip(), lesson


def test_a_term_comes_in_its_lesson_or_later_or_names_that_lesson():
    terms = dict(glossary())
    assert terms.keys() > EVERYDAY
    for path in lessons.PATHS:
        told = prose(path)
        if path.stem[:2] == "00":
            told = told.replace(section(path, "The map"), "").replace(section(path, "The words"), "")
        told = re.sub(r"```.*?```|`[^`]*`", "", told, flags=re.DOTALL).replace("basis point", "bp")
        for term, paragraph in itertools.product(terms.keys() - EVERYDAY, told.split("\n\n")):
            if terms[term] > path.stem[:2] and f"lesson {terms[term]}" not in paragraph:
                used = re.search(rf"(?<![\w-]){re.escape(term)}s?(?![\w-])", paragraph, re.IGNORECASE)
                assert not used, f"{path.stem} uses {term!r} of lesson {terms[term]}: {paragraph[:200]}"


def test_the_lesson_that_the_glossary_names_is_the_first_to_define_the_term():
    defined = {}
    for path in lessons.PATHS:
        for term in re.findall(r"\*\*([^*]+)\*\*", section(path, "Terms met here")):
            for word in term.lower().split(", "):
                defined.setdefault(word.removesuffix("s"), path.stem[:2])
    for term, lesson in glossary():
        assert lesson <= defined.get(term.lower(), lesson), f"{term} is defined in {defined[term.lower()]}"


def test_exercise_files_belong_to_lessons():
    files = {path.stem for path in (ROOT / "hedgelib" / "exercises").glob("*.toml")}
    assert files == set(NAMES)


def test_documents_link_to_files_that_exist():
    for document in ROOT.glob("*.md"):
        for link in links(document.read_text(encoding="utf-8")):
            assert link.startswith("http") or (ROOT / link).exists(), f"{document.name}: {link}"


def test_package_data_is_valid_toml():
    for path in (ROOT / "hedgelib").rglob("*.toml"):
        assert tomllib.loads(path.read_text(encoding="utf-8")), path


def modules():
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "hedgelib").rglob("*.py")}


def public_functions(tree):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


@every_lesson
def test_pictures_are_stored_for_viewers_that_take_them_out_of_html(path):
    assert path.stat().st_size <= 1_000_000
    outputs = [output for cell in lessons.cells(path) for output in cell.get("outputs", [])]
    shown = [
        output.data for output in outputs if 'src="data:image' in output.get("data", {}).get("text/html", "")
    ]
    assert shown and all(data["image/png"].strip() in data["text/html"] for data in shown)


def code_lines(text, tree):
    """How many lines hold code: docstrings, comments and blank lines are not counted."""
    documented = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            documented.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in documented
        for number, line in enumerate(text.splitlines(), start=1)
    )


def test_files_are_short_enough_to_read():
    for path, tree in modules().items():
        assert code_lines(path.read_text(encoding="utf-8"), tree) <= 450, path.name


def test_every_module_says_what_is_in_it():
    for path, tree in modules().items():
        assert ast.get_docstring(tree), path.name
