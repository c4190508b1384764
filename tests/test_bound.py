"""Numbers in prose that follow: how they are found, written and evaluated, and that the lessons' do."""

import re

import lessons
import pytest
from bs4 import BeautifulSoup, Comment
from hypothesis import given
from hypothesis import strategies as st
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes

from tools import bound, notebooks, run
from website import pages

EXPLORER = """from hedgelib.explorer import Choice, Explorer
drawn = []
def draw(figure, price, ratio):
    figure.subplots()
    drawn.append(price)
    if ratio > 1:
        raise ValueError("too much")
    return {"Total": f"{-ratio * (price - 60_000):+,.0f} USDT".replace("-", "−"), "Day": "26 of 90"}
Explorer(draw, "A short", price=Choice("Price", [50_000, 70_000]), ratio=Choice("Ratio", [0.1 * 5, 1, 2]))"""


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("costs **10,377.26 USDT**<!--= x -->", 9_123.456, "costs **9,123.46 USDT**<!--= x -->"),
        ("**+5,000 USDT**<!--= x -->", -12.4, "**−12 USDT**<!--= x -->"),
        ("**−12 USDT**<!--= x -->", 5_000, "**+5,000 USDT**<!--= x -->"),
        ("it costs 5<!--= x -->", -3, "it costs −3<!--= x -->"),
        ("of −3.50 bp<!--= x -->", -0.001, "of 0.00 bp<!--= x -->"),
        ("of +3.50 bp<!--= x -->", -0.0, "of 0.00 bp<!--= x -->"),
        ("(+32.8 %)<!--= x -->", 1_032.84, "(+1,032.8 %)<!--= x -->"),
        ("in 2024<!--= x -->", 2025, "in 2025<!--= x -->"),
        ("a 3x<!--= x --> short", 2, "a 2x<!--= x --> short"),
        ("2-3x<!--= x -->", 4, "2-4x<!--= x -->"),
        ("2–3x<!--= x -->", 4, "2–4x<!--= x -->"),
        (r"$q = 60{,}000.5$<!--= x -->", -1_234.5, r"$q = -1{,}234.5$<!--= x -->"),
        (r"$x = -5$<!--= x -->", -12_345, r"$x = -12{,}345$<!--= x -->"),
        (r"$a - 5$<!--= x -->", 6, r"$a - 6$<!--= x -->"),
        (r"costs 5 \$<!--= x -->", 1_234, r"costs 1,234 \$<!--= x -->"),
        ('"worst 5 %"<!--= x -->', 6, '"worst 6 %"<!--= x -->'),
        ("x2 and 2<!--= x -->", 3, "x2 and 3<!--= x -->"),
        ("7 USDT<!--= x -->", "−1,250 USDT", "−1,250 USDT<!--= x -->"),
        ("<b>7</b> is <!--:-->a third<!--= x --> of it", "half", "<b>7</b> is <!--:-->half<!--= x --> of it"),
        ("is **<!--:-->+5 USDT<!--= x -->**", "−6 USDT", "is **<!--:-->−6 USDT<!--= x -->**"),
        ("of <!--:-->5 and so very far away<!--= x -->", 7.2, "of <!--:-->7 and so very far away<!--= x -->"),
        ("on <!--:-->2020-12-26<!--= x -->", "2020-12-27", "on <!--:-->2020-12-27<!--= x -->"),
        ("| 1 | 2.0 %<!--= x --> | 3 |", 2.46, "| 1 | 2.5 %<!--= x --> | 3 |"),
        ("<details>\n\n1. At 5<!--=> x -->.\n</details>", 6, "<details>\n\n1. At 6<!--=> x -->.\n</details>"),
    ],
)  # fmt: skip
def test_a_number_is_rewritten_in_its_format(text, value, wanted):
    assert bound.follow(text, [value]) == wanted
    assert bound.follow(wanted, [value]) == wanted
    assert bound.plain(wanted) == re.sub("<!--.*?-->", "", wanted)


def test_several_numbers_of_a_cell_follow_each_its_own_expression():
    text = (
        "from 3.162<!--= a --> to **1.581 %**<!--= b -->, <!--:-->a half<!--=> c -->\n\n- and 4 %<!--= d -->"
    )
    assert [each.expression for each in bound.find(text)] == ["a", "b", "c", "d"]
    assert [each.last for each in bound.find(text)] == [False, False, True, False]
    wanted = "from 1.000<!--= a --> to **2.000 %**<!--= b -->, <!--:-->a third<!--=> c -->\n\n- and −5 %"
    wanted += "<!--= d -->"
    assert bound.follow(text, [1, 2, "a third", -5]) == wanted
    assert bound.changed(text, [None, 2, None, 4]) == ["3.162", "2.000", "a half", "4"]


def test_code_is_not_touched():
    text = "`3<!--= x -->`\n\n```python\n3<!--= x -->\n```\n\n<details>\n\n```\n5<!--= x -->\n```\n</details>"
    assert bound.find(text) == []
    assert bound.plain(text) == text
    assert bound.unbound(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no number <!--= x -->", "no number directly before <!--= x -->"),
        ("5 " + "far " * 8 + "<!--= x -->", "no number directly before"),
        ("5\n<!--= x -->", "no number directly before"),
        ("| 5 | a <!--= x --> |", "no number directly before"),
        ("1. <!--:-->half<!--= x -->", "must not begin a line"),
        ("<!--:-->half<!--= x -->", "must not begin a line"),
        ("a <!--:-->half of it", "has no comment"),
        ("a 5<!--= x\n-->", "not closed on its line"),
        ("a 5<!--= a--b -->", "must not hold --"),
        ("| 5<!--= a | b --> |", "must not hold |"),
    ],
)
def test_what_cannot_be_bound_is_refused(text, reason):
    with pytest.raises(bound.BindError, match=re.escape(reason)):
        bound.find(text)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("5<!--= x -->", "26 of 90", "x gives '26 of 90': say which number with number_in"),
        ("5<!--= x -->", "dead", "'dead' has no number 0: it holds 0"),
        ("a <!--:-->5 to 6<!--= x -->", 7, "'5 to 6' holds 2 numbers and x gives one"),
        ("a <!--:-->third<!--= x -->", 7, "'third' holds 0 numbers"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(text, value, reason):
    with pytest.raises(bound.BindError, match=re.escape(reason)):
        bound.follow(text, [value])


signs, tails = st.sampled_from(["", "+", "−"]), st.sampled_from(["", " %", " USDT**", "x", ")", " bp"])


@given(st.integers(0, 10**9), st.integers(0, 4), signs, tails, st.booleans())
def test_the_same_value_changes_nothing(digits, decimals, sign, tail, grouped):
    value = digits / 10**decimals
    number = f"{value:,.{decimals}f}" if grouped else f"{value:.{decimals}f}"
    text = f"It is {sign if value else ''}{number}{tail}<!--= x -->, and so on."
    assert bound.follow(text, [-value if sign == "−" else value]) == text


@given(st.floats(-1e12, 1e12), st.integers(0, 4), signs, st.booleans())
def test_a_rewritten_number_reads_as_its_value_and_stays(value, decimals, sign, formula):
    text = f"It is {'$' if formula else ''}{sign}{1:.{decimals}f}{'$' if formula else ''}<!--= x -->."
    once = bound.follow(text, [value])
    assert bound.number_in(once) == float(f"{value:.{decimals}f}")
    assert bound.follow(once, [value]) == once
    assert len(bound.find(once)) == 1


def test_typed_numbers_are_listed_and_twins_of_bound_ones_found():
    text = (
        "| **60,000** on 2020-03-13, 3x, [lesson 02](02.ipynb) |\n\n1. It is −15,045 USDT<!--= x -->, `100`, "
        "$x^2$; 15,045 less, of 60,000; +5,000<!--= y -->, 5,000<!--= 5_000 --> and 12"
    )
    typed = [match[0] for match in bound.unbound(text)]
    assert typed == ["60,000", "2020-03-13", "3", "2", "15,045", "60,000", "12"]
    assert [match[0] for match in bound.twins(text)] == ["15,045"]
    assert [match[0] for match in bound.twins(text.replace("2020-03-13", "+5,000"))] == ["+5,000", "15,045"]
    assert [each.given for each in bound.find(text)] == [False, False, True]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(10, "ten"), (2.0, "two"), (0.34, "a third"), (0.5, "half"), (0.749, "three quarters")],
)
def test_words(value, wanted):
    assert bound.words(value) == wanted


@pytest.mark.parametrize("value", [0.45, 1.5, 1_000, -0.5])
def test_there_is_no_word_for_everything(value):
    with pytest.raises(bound.BindError, match="no simple word"):
        bound.words(value)


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """Write a notebook of these cells, a text for Markdown, a list for code; stamps stay here."""
    for name in ("STAMPS", "CHECKED"):
        monkeypatch.setattr(notebooks, name, tmp_path / name)
    monkeypatch.setattr(notebooks, "TEACHING", tmp_path / "TEACHING.md")
    notebooks.TEACHING.write_text("Nothing.")

    def write(*cells, name="02_made.ipynb"):
        path = tmp_path / name
        made = [new_code_cell(*each) if isinstance(each, list) else new_markdown_cell(each) for each in cells]
        path.write_text(writes(new_notebook(cells=made)), encoding="utf-8")
        return path

    return write


def prose(path):
    return [cell.source for cell in run.read(path).cells if cell.cell_type == "markdown"]


STORY = (
    "In the end 0<!--=> price -->.",
    ["price = 60_000"],
    "It was 0<!--= price -->",
    ["price += 10_000"],
    "It is 0<!--= price -->",
)
TOLD = ["In the end 70,000<!--=> price -->.", "It was 60,000<!--= price -->", "It is 70,000<!--= price -->"]


@pytest.mark.parametrize("options", [[], ["--bind-only"]], ids=["kernel", "in process"])
def test_prose_follows_the_cells_above_it_and_the_arrow_the_last(lesson, options, capsys):
    path = lesson(*STORY)
    notebooks.TEACHING.write_text("At the board: 0 USDT<!--= 02: price -->, 7<!--= 03: price -->.")
    assert notebooks.main([*options, str(path)]) == 0
    assert prose(path) == TOLD
    assert (
        notebooks.TEACHING.read_text()
        == "At the board: 70,000 USDT<!--= 02: price -->, 7<!--= 03: price -->."
    )
    assert "02_made.ipynb, cell 3: '0' becomes '60,000' (price)" in capsys.readouterr().out
    before = path.read_bytes()
    assert notebooks.main([*options, str(path)]) == 0
    assert path.read_bytes() == before


def test_the_run_that_answers_leaves_no_trace(lesson):
    path = lesson(*STORY, ["sorted(name for name in globals() if name[0] != '_')"])
    assert notebooks.main([str(path)]) == 0
    assert len(run.read(path).cells) == 6
    names = run.read(path).cells[-1].outputs[0].data["text/plain"]
    assert "price" in names and "bound" not in names and "tools" not in names


def test_check_names_what_would_change_and_is_content_with_what_was_stored(lesson, capsys):
    path = lesson(*STORY)
    notebooks.TEACHING.write_text("0 USDT<!--= 02: price -->")
    assert notebooks.main([str(path)]) == 0
    assert notebooks.main(["--check", str(path)]) == 0
    (notebooks.STAMPS / path.name).unlink()
    assert notebooks.main(["--check", str(path)]) == 0
    assert (notebooks.CHECKED / path.name).exists()
    stored = path.read_text(encoding="utf-8")
    path.write_text(stored.replace("60,000<!", "60,001<!"), encoding="utf-8")
    notebooks.TEACHING.write_text("70,001 USDT<!--= 02: price -->")
    capsys.readouterr()
    assert notebooks.main(["--check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "02_made.ipynb, cell 3: '60,001' becomes '60,000' (price)" in said
    assert "TEACHING.md: '70,001' becomes '70,000' (price)" in said
    assert "60,001" in path.read_text(encoding="utf-8")


def test_readouts_of_an_explorer_by_calling_its_draw_function(lesson):
    path = lesson(
        'First +0<!--=> at(draw, ratio=1)["Total"] -->',
        [EXPLORER],
        '+0 USDT<!--= at(draw)["Total"] --> or +0 USDT<!--= at(draw, price=70_000)["Total"] -->, day '
        '0<!--= number_in(at(draw)["Day"]) -->; <!--:-->no<!--= at(draw, ratio=2)["Not possible"] -->',
        "Drawn 0 times<!--=> len(drawn) -->",
    )
    assert notebooks.main([str(path)]) == 0
    assert prose(path)[0].startswith("First +10,000<!")
    assert bound.plain(prose(path)[1]) == "+5,000 USDT or −5,000 USDT, day 26; too much"
    # four states asked for, each drawn once, and the start once more for the stored picture
    assert notebooks.main(["--bind-only", str(path)]) == 0
    assert prose(path)[2].startswith("Drawn 4 times")


def test_errors_name_file_cell_and_expression_and_leave_the_file_alone(lesson, capsys):
    path = lesson(
        "A 5<!--= later -->",
        [EXPLORER],
        '5<!--= 1 / 0 -->, 5<!--= [1, 2] -->, 5<!--= float("nan") -->, 5<!--= at(draw)["Profit"] -->',
        "5<!--= at(draw, price=1) -->, 5<!--= at(draw, coin=1) -->",
    )
    before = path.read_bytes()
    assert notebooks.main(["--bind-only", str(path)]) == 1
    said = capsys.readouterr().err
    for line in (
        "02_made.ipynb, cell 1: later fails: NameError: name 'later' is not defined (if a cell below",
        "02_made.ipynb, cell 3: 1 / 0 fails: ZeroDivisionError: division by zero",
        "02_made.ipynb, cell 3: [1, 2] gives [1, 2], neither a finite number nor a text",
        'float("nan") gives nan, neither a finite number nor a text',
        "there is no readout 'Profit', there is 'Total', 'Day'",
        "price=1 is not on the slider, which has 50000, 70000",
        "the explorer of draw has no control coin",
    ):
        assert line in said
    assert path.read_bytes() == before


def test_a_lesson_before_an_expression_belongs_into_teaching(lesson, capsys):
    path = lesson("5<!--= 03: x -->")
    assert notebooks.main(["--check", str(path)]) == 1
    assert "02_made.ipynb, cell 1: only TEACHING.md names a lesson" in capsys.readouterr().err


def test_an_expression_in_teaching_names_its_lesson(lesson, capsys):
    path = lesson("5")
    notebooks.TEACHING.write_text("5<!--= x -->")
    assert notebooks.main(["--check", str(path)]) == 1
    assert "TEACHING.md: each expression names its lesson" in capsys.readouterr().err


def test_teaching_names_lessons_that_exist():
    named = {each.lesson for each in bound.find(notebooks.TEACHING.read_text(encoding="utf-8"))}
    assert named <= {path.name[:2] for path in lessons.PATHS}


SHOWN = """# Title

A sentence with **10 %**<!--= 100 * part % 3 --> and $60{,}000$<!--= x ** 2 * y --> of 5 %<!--= a < b > c -->.

| a | b |
|---|---|
| 1<!--= x['a'] --> | <!--:-->half<!--= words(x) --> |

<details><summary>More</summary>

1. It is **<!--:-->half<!--= "*" -->** of 3 USDT<!--= _x_ -->.

</details>
"""


def test_nobody_sees_a_comment():
    notebook = new_notebook(cells=[new_markdown_cell(SHOWN)])
    whole = BeautifulSoup(HTMLExporter().from_notebook_node(notebook)[0], "html.parser")
    seen = whole.select_one(".jp-RenderedMarkdown")
    comments = {str(comment) for comment in seen.find_all(string=lambda text: isinstance(text, Comment))}
    assert {each.strip("=: ") for each in comments} - {""} == {each.expression for each in bound.find(SHOWN)}
    notebook.cells[0].source = bound.plain(SHOWN)
    bare = BeautifulSoup(HTMLExporter().from_notebook_node(notebook)[0], "html.parser")
    assert seen.get_text() == bare.select_one(".jp-RenderedMarkdown").get_text()
    made = pages.lesson("02_made", new_notebook(cells=[new_markdown_cell(SHOWN)]))
    assert "<!--=" not in made.body + made.slides and "<!--:" not in made.body + made.slides
    told = " ".join(section["text"] for section in made.sections)
    assert "part % 3" not in told and "words(" not in told


every_lesson = pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)


@every_lesson
def test_no_typed_number_of_a_lesson_looks_like_a_bound_one(path):
    """A literal such as ``<!--= 60_000 -->`` says that a number is given here."""
    source = "\n\n".join(cell.source for cell in run.read(path).cells if cell.cell_type == "markdown")
    around = [source[max(match.start() - 60, 0) : match.end() + 20] for match in bound.twins(source)]
    assert not around


@every_lesson
def test_every_bound_number_of_a_lesson_says_what_is_computed(path):
    lesson = lessons.run(path)
    _, changes = notebooks.followed(lesson.passages, lesson.answers)
    assert not changes
