"""The site without a browser: merging, the HTML of an explorer, building, and what the build refuses."""

import itertools
import json
import re
import xml.etree.ElementTree as ET

import nbformat
import pytest
import site_course
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib.explorer import Choice, Explorer
from website import __main__ as command
from website import lessons, merge, page, proof
from website.build import BuildError, build, publish

SHAPE, START = (2, 3), (1, 0)
POSITIONS = list(itertools.product(*map(range, SHAPE)))


def trees(depth=3):
    attributes = st.dictionaries(st.sampled_from(["d", "x", "style"]), st.sampled_from(["0", "1", "a b"]))
    head = st.tuples(st.sampled_from(["g", "path", "use"]), attributes, st.sampled_from([None, "a", "ü <"]))
    if not depth:
        return head.map(lambda made: (*made, []))
    return st.tuples(head, st.lists(trees(depth - 1), max_size=3)).map(lambda made: (*made[0], made[1]))


def element(made):
    tag, attributes, text, children = made
    root = ET.Element(tag, attributes)
    root.text = text
    root.extend(map(element, children))
    return root


@settings(deadline=None, max_examples=60)
@given(st.lists(trees(), min_size=len(POSITIONS), max_size=len(POSITIONS)))
def test_every_state_comes_back_from_template_and_slots(made):
    states = [ET.Element("svg") for _ in made]
    for state, content in zip(states, made, strict=True):
        state.append(element(content))
    merger = merge.Merger(SHAPE, START)
    template = merger.merge(states)
    for position, state in zip(POSITIONS, states, strict=True):
        assert merge.same(merger.rebuild(template, position), state)
    shown = element_as_shown(template)
    assert merge.same(shown, states[POSITIONS.index(START)]), "the template is not drawn at the start"


def element_as_shown(template):
    """What a viewer without scripts sees."""
    shown = ET.Element(template.tag, {k: v for k, v in template.attrib.items() if k != merge.MARK})
    shown.text = template.text
    shown.extend(element_as_shown(child) for child in template if "hidden" not in child.attrib)
    return shown


@pytest.mark.parametrize(
    ("values", "axes", "index"),
    [
        ("aaabbb", (0,), (0, 1)),
        ("abcabc", (1,), (0, 1, 2)),
        ("abcdef", (0, 1), (0, 1, 2, 3, 4, 5)),
        ("a.cabc", (1,), (0, 2, 1)),  # a state that lacks the element fits any value
        ("aa....", (), (0,)),
    ],
)
def test_a_slot_depends_on_as_few_controls_as_its_values_allow(values, axes, index):
    states = [None if value == "." else ET.Element("g", d=value) for value in values]
    parents = [ET.Element("svg") for _ in states]
    for parent, state in zip(parents, states, strict=True):
        parent.extend([] if state is None else [state])
    merger = merge.Merger(SHAPE, (0, 0))
    merger.merge(parents)
    slots = [slot for slot in merger.slots if slot.attribute == "d"]
    assert [(slot.axes, slot.index) for slot in slots] == ([(axes, index)] if axes else [])


def test_elements_that_change_together_share_one_slot():
    states = [ET.Element("svg") for _ in POSITIONS]
    for (row, _), state in zip(POSITIONS, states, strict=True):
        ET.SubElement(state, "path", d=str(row))
        ET.SubElement(state, "path", d=str(row))
    merger = merge.Merger(SHAPE, START)
    template = merger.merge(states)
    assert len(merger.slots) == 1
    assert [child.get(merge.MARK) for child in template] == ["0", "0"]


SVG = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"
 width="9pt">
 <metadata>when</metadata><defs><style>*{{stroke-linecap: butt}}</style></defs>
 <g id="axes_1"><defs><clipPath id="{clip}"><rect x="1.23456" y="2" width="3" height="4"/></clipPath>
  <path id="glyph" d="M 0 0
L 10 5
z" transform="scale(0.015625)"/></defs>
  <path id="line2d_7" clip-path="url(#{clip})" d="M 1.00001 2.123456 L 3 4.50000 L 2.5 0 z"
   style="fill: none; stroke: #000"/>
  <g transform="translate(1.23456 2) scale(0.1155 -0.1155)"><use xlink:href="#glyph"/></g>
  <image xlink:href="data:image/png;base64,iVBO
 R1.23456789"/></g>
</svg>"""


def test_cleaning_keeps_what_is_seen_and_nothing_else():
    definitions = merge.Definitions("e-")
    first = merge.clean(SVG.format(clip="p1"), definitions)
    second = merge.clean(SVG.format(clip="p2"), definitions)
    assert merge.same(first, second), "two names of the same thing"
    path, letters, image = first[0]
    assert (first[0].get(merge.KIND), path.get(merge.KIND)) == ("axes", "line2d")
    assert path.get("d") == "M1 2.123l2 2.377l-.5-4.5z"
    assert path.get("style") == "fill:none;stroke:#000"
    assert path.get("clip-path") == "url(#e-0)"
    assert letters.get("transform") == "translate(1.235 2) scale(0.1155 -0.1155)"
    assert letters[0].attrib == {"href": "#e-1"}
    assert image.get("href") == "data:image/png;base64,iVBOR1.23456789"
    assert [child.get("id") for child in definitions.element()] == ["e-0", "e-1"]
    assert {element.tag for element in first.iter()} == {"svg", "g", "path", "use", "image"}


def explorer(draw=None, **changes):
    """The explorer of the small course, made here."""
    namespace = {}
    exec(site_course.IMPORTS + "\n" + site_course.DRAW, namespace)
    controls = {
        "price": Choice("Price of BTC", range(40_000, 90_001, 10_000), 60_000, "{:,} USDT"),
        "ratio": Choice("Hedge ratio", (0, 0.5, 1), 0.5, "{:.0%}"),
    }
    return Explorer(draw or namespace["draw"], "Price < 90k & hedge", **(controls | changes))


@pytest.fixture(scope="module")
def made():
    """An explorer, its figure as a tree, and its samples."""
    one = explorer()
    html, summary = page.twin(one, "explorer-1")
    return one, BeautifulSoup(html, "html.parser"), summary


def test_a_twin_is_a_figure_with_named_parts(made):
    one, figure, _ = made
    assert figure.figure["class"] == ["explorer"]
    assert figure.figcaption.text == one.title
    picture = figure.find("svg")
    assert picture["role"] == "img"
    assert picture["aria-label"] == one.alt(one.svg(one.start)[1])
    assert figure.select_one("[aria-live=polite] table")
    for slider, label, control in zip(
        figure.select("input"), figure.select("label"), one.controls.values(), strict=True
    ):
        assert slider["type"] == "range"
        assert label["for"] == slider["id"]
        assert label.text == control.label
        assert int(slider["max"]) == len(control.values) - 1
        assert int(slider["value"]) == control.start_index
        assert slider["aria-valuetext"] == control.texts[control.start_index]
    identities = [tag["id"] for tag in figure.select("[id]")]
    assert len(identities) == len(set(identities))
    assert all(identity.startswith("explorer-1") for identity in identities)


def test_the_slots_of_a_twin_give_the_readouts_of_every_state(made):
    one, figure, _ = made
    data = json.loads(figure.script.string)
    for position in one.positions():
        shown = {}
        for row in figure.select(".readouts tr"):
            cells = []
            for cell in row.select("th, td"):
                texts = [written(data, number, position) for number in marks(cell)]
                cells.append(texts[0] if texts else cell.text)
            hidden = [written(data, number, position) for number in marks(row)]
            if hidden in ([], [None]):
                shown[cells[0]] = cells[1]
        assert shown == one.svg(position)[1], position


def marks(tag):
    return map(int, tag.get(merge.MARK, "").split())


def written(data, number, position):
    """What a slot writes, read from the page as its script does."""
    _, axes, index, values = data["slots"][number]
    place = 0
    for axis in axes:
        place = place * data["shape"][axis] + position[axis]
    return values[index[place]]


def test_a_twin_samples_the_start_and_both_ends_of_each_control(made):
    one, _, summary = made
    assert summary["states"] == 18
    assert {sample["position"] for sample in summary["samples"]} == {(2, 1), (0, 1), (5, 1), (2, 0), (2, 2)}
    for sample in summary["samples"]:
        assert (sample["svg"], sample["readouts"]) == one.svg(sample["position"])


def test_a_twin_is_the_same_each_time():
    price = Choice("Price of BTC", (50_000, 60_000))
    first, second = (page.twin(explorer(price=price), "explorer-2")[0] for _ in range(2))
    assert first == second
    assert "explorer-2-" in first


def test_another_text_alternative_than_the_page_makes_is_refused():
    one = explorer(price=Choice("Price of BTC", (50_000,)))
    one.alt = lambda readouts: "a picture"
    with pytest.raises(ValueError, match='explorer "Price < 90k & hedge" has another text alternative'):
        page.twin(one, "explorer-1")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The small course, built: folder of the notebooks, the site, the cache, and the lessons."""
    folder = tmp_path_factory.mktemp("course")
    notebooks = site_course.write_course(folder / "notebooks")
    made = build(notebooks, folder / "site", folder / "cache")
    return folder, made


def soup(course, name):
    return BeautifulSoup((course[0] / "site" / name).read_text(encoding="utf-8"), "html.parser")


def test_index_maps_the_course(course):
    index = soup(course, "index.html")
    titles = [link.text for link in index.select(".map h3 a")]
    assert titles == ["Start here", "A hedge by hand"]
    assert [link["href"] for link in index.select(".map h3 a")] == ["00_start.html", "01_hedge.html"]
    assert "Is everything working?" in index.select(".map li")[0].text
    assert "10 minutes" in index.select(".map li")[0].text
    assert "20 minutes" in index.select(".map li")[1].text
    assert index.select_one("figure.explorer")


def test_a_page_holds_its_lesson(course):
    lesson = soup(course, "01_hedge.html")
    assert [heading.text for heading in lesson.select("h1")] == ["A hedge by hand"]
    assert lesson.select_one("[rel=prev]")["href"] == "00_start.html"
    assert not lesson.select_one("[rel=next]")
    assert lesson.select_one('a[href="notebooks/01_hedge.ipynb"][download]')
    assert (course[0] / "site" / "notebooks" / "01_hedge.ipynb").read_bytes() == (
        course[0] / "notebooks" / "01_hedge.ipynb"
    ).read_bytes()
    assert lesson.select_one("[aria-current=page]").text.endswith("A hedge by hand")
    assert lesson.select_one("details summary").text == "Hint and solution"
    assert not lesson.select("details[open]")
    assert lesson.select_one("img[alt='Two legs. Total: 0.']")
    assert 'check("02-1", answer)' in lesson.text.replace("\n", "")
    assert "Answer it in the notebook file" in lesson.text
    assert "Ask who has held a future." not in lesson.text
    assert "\\frac{\\sigma_S}{\\sigma_F}" in lesson.text
    assert lesson.select_one('script[src="assets/tex-svg.js"]')
    assert not lesson.select("style")


def test_links_between_notebooks_lead_to_pages(course):
    assert soup(course, "00_start.html").select_one('article a[href="01_hedge.html#the-formula"]')
    assert soup(course, "slides/00_start.html").select_one('a[href="../01_hedge.html#the-formula"]')


def test_a_page_without_formulas_or_explorers_loads_neither_script(course):
    scripts = [script["src"] for script in soup(course, "00_start.html").select("script[src]")]
    assert scripts == ["assets/search.js", "assets/scroll.js"]


def test_slides_hide_code_unless_it_is_the_lesson(course):
    slides = soup(course, "slides/01_hedge.html")
    assert [code.text.strip() for code in slides.select(".jp-InputArea .highlight")] == [
        "70_000 - 60_000  # what the coin gains"
    ]
    assert slides.select_one("aside.notes").text.strip() == "Ask who has held a future."
    assert slides.select_one(".fragment").text.strip() == "Predict before you run."
    assert len(slides.select("figure.explorer")) == 1
    assert "What does the short lose" not in slides.text


def test_search_knows_sections_and_text_but_not_the_source_of_formulas(course):
    script = (course[0] / "site" / "assets" / "search-index.js").read_text(encoding="utf-8")
    entries = json.loads(re.fullmatch(r"window\.SEARCH_INDEX = (.*);\n", script)[1])
    formula = next(entry for entry in entries if entry["section"] == "The formula")
    assert formula == {
        "url": "01_hedge.html#the-formula",
        "lesson": "A hedge by hand",
        "section": "The formula",
        "text": "Profit is .",
    }


def test_a_second_build_runs_nothing_and_gives_the_same_bytes(course, tmp_path):
    folder, _ = course
    told = []
    build(folder / "notebooks", tmp_path / "again", folder / "cache", report=told.append)
    assert told == ["00_start: unchanged", "01_hedge: unchanged"]
    build(folder / "notebooks", tmp_path / "fresh", tmp_path / "cache", report=told.append)
    assert [line.split(" in ")[0] for line in sorted(told[2:])] == [
        "00_start: 1 cells run",
        "01_hedge: 7 cells run",
    ]
    wanted = files(folder / "site")
    assert files(tmp_path / "again") == wanted
    assert files(tmp_path / "fresh") == wanted


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def notebook(folder, *sources, name="00_small", title="# Small\n\nA lesson."):
    """Write a notebook of a title and code cells into a new folder."""
    folder.mkdir(exist_ok=True)
    cells = [source if isinstance(source, dict) else site_course.code(source) for source in sources]
    site_course.write(folder, name, [site_course.text(title), *cells])
    return folder


def test_prose_may_change_without_a_run_but_code_may_not(tmp_path):
    told = []

    def built(*sources, **changes):
        build(
            notebook(tmp_path / "notebooks", *sources, **changes),
            tmp_path / "site",
            tmp_path / "cache",
            report=told.append,
        )

    built("1 + 1")
    built("1 + 1", title="# Small\n\nAnother sentence.")
    assert "Another sentence." in (tmp_path / "site" / "00_small.html").read_text(encoding="utf-8")
    built("1 + 2")
    assert [line.split(" in ")[0] for line in told] == [
        "00_small: 1 cells run",
        "00_small: unchanged",
        "00_small: 1 cells run",
    ]
    assert len(list((tmp_path / "cache").iterdir())) == 1


TWO_AXES = """\
from hedgelib.explorer import Choice, Explorer
Explorer(lambda figure, n: figure.subplots(1, n) is None or {}, "Panels", n=Choice("n", (1, 2)))"""
TOO_MANY = """\
from hedgelib.explorer import Choice, Explorer
Explorer(lambda figure, n: {}, "Panels", n=Choice("n", range(601)))"""


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("1 / 0", ["ZeroDivisionError", "1 / 0"]),
        (TWO_AXES, ['explorer "Panels" must draw the same number of axes in every state']),
        (TOO_MANY, ['explorer "Panels" has 601 states', "at most 600"]),
    ],
    ids=["error", "axes", "states"],
)
def test_a_cell_that_fails_stops_the_build_and_is_named(tmp_path, source, messages):
    (tmp_path / "site" / "assets").mkdir(parents=True)
    (tmp_path / "site" / "assets" / "explorer.js").write_text("the site of yesterday")
    with pytest.raises(BuildError) as caught:
        build(notebook(tmp_path / "notebooks", "x = 1", source), tmp_path / "site", tmp_path / "cache")
    for message in ["00_small.ipynb, cell 3, stops the build", *messages]:
        assert message in str(caught.value)
    assert (tmp_path / "site" / "assets" / "explorer.js").read_text() == "the site of yesterday"
    assert not list((tmp_path / "cache").glob("*.json"))


def test_an_error_that_a_cell_is_there_to_show_is_shown(tmp_path):
    shown = site_course.code("1 / 0", tags=["raises-exception"])
    build(notebook(tmp_path / "notebooks", shown), tmp_path / "site", tmp_path / "cache")
    assert "ZeroDivisionError" in (tmp_path / "site" / "00_small.html").read_text(encoding="utf-8")


def output(**data):
    """A notebook of one cell that shows `data`, as a lesson."""
    cell = site_course.code("shown")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {key.replace("_", "/", 1): v for key, v in data.items()})
    ]
    return lessons.lesson("00_small", nbformat.v4.new_notebook(cells=[site_course.text("# T\n\nS."), cell]))


def test_a_widget_without_a_twin_says_where_it_works():
    shown = nbformat.v4.new_output(
        "display_data", {lessons.WIDGET: {"model_id": "1"}, "text/plain": "VBox(children=(Text(),))"}
    )
    cell = site_course.code("form")
    cell.outputs = [shown]
    made = lessons.lesson("00_small", nbformat.v4.new_notebook(cells=[site_course.text("# T\n\nS."), cell]))
    assert "works in the notebook" in made.body
    assert "VBox" not in made.body


def test_a_bare_png_gets_its_text_as_alternative():
    assert 'alt="Two lines"' in output(image_png="iVBO", text_plain="Two lines").body


def published(folder, text):
    """Publish a lesson of prose alone, which needs no kernel."""
    cells = [site_course.text(text)]
    path = site_course.write(folder, "00_small", cells)
    return publish([path], [nbformat.v4.new_notebook(cells=cells)], folder / "site")


@pytest.mark.parametrize("first", ["## No title\n\nA sentence.", "# Only a title", "# T\n\n## Next"])
def test_a_notebook_without_title_and_sentence_is_refused_before_it_runs(tmp_path, first):
    notebook(tmp_path / "notebooks", "1 / 0", title=first)
    with pytest.raises(BuildError, match=r"00_small\.ipynb must begin with a title"):
        build(tmp_path / "notebooks", tmp_path / "site", tmp_path / "cache")


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        ("[x](https://example.org/x)", "00_small.html refers to another host: <a> https://example.org/x"),
        ("![x](//example.org/x.png)", "00_small.html refers to another host: <img> //example.org/x.png"),
        ('<p style="background: url(http://e.org/x)">x</p>', "refers to another host: http://e.org/x"),
        ("[x](07_gone.ipynb)", "00_small.html has a link that leads nowhere: 07_gone.html"),
        ("[x](00_small.ipynb#Gone)", "00_small.html has a link that leads nowhere: 00_small.html#gone"),
    ],
)
def test_pages_refer_to_nothing_outside_and_nothing_missing(tmp_path, prose, message):
    with pytest.raises(BuildError, match=re.escape(message)):
        published(tmp_path, f"# T\n\n{prose}")
    assert {path.name for path in tmp_path.iterdir()} == {"00_small.ipynb"}


def test_the_link_to_the_neighbours_gives_way_to_the_pager(tmp_path):
    (made,) = published(tmp_path, "# T\n\nS. See [00_small](00_small.ipynb).\n\n← [00_small](00_small.ipynb)")
    assert "←" not in made.body
    assert '<a href="00_small.html">T</a>' in made.body


def test_foreign_styles_are_found(tmp_path):
    (tmp_path / "site.css").write_text("@import '//fonts.example.org/a.css'; a { background: url(b.png) }")
    assert proof.wrong_references(tmp_path) == ["site.css refers to another host: //fonts.example.org/a.css"]


def test_headings_of_the_same_name_get_different_ids():
    cells = [site_course.text("# T\n\nS."), site_course.text("## Task\n\na\n\n## Task\n\nb")]
    made = lessons.lesson("00_small", nbformat.v4.new_notebook(cells=cells))
    assert [section["id"] for section in made.sections] == ["", "task", "task-2"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("years of work")
    with pytest.raises(BuildError, match="holds something that is not a site"):
        published(tmp_path, "# T\n\nS.")
    assert (tmp_path / "site" / "thesis.txt").exists()


def test_the_command_tells_in_a_sentence_what_is_wrong(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert command.main(["--notebooks", str(tmp_path / "empty"), "--output", str(tmp_path / "site")]) == 1
    assert capsys.readouterr().err == f"error: no notebooks in {tmp_path / 'empty'}\n"
    assert command.main(["--pdf", "--output", str(tmp_path / "site")]) == 1
    assert "build it first: make site" in capsys.readouterr().err


def test_the_command_builds_without_a_browser(tmp_path, capsys):
    folder = notebook(tmp_path / "notebooks", "1 + 1")
    options = [
        "--notebooks",
        folder,
        "--output",
        tmp_path / "site",
        "--cache",
        tmp_path / "cache",
        "--no-browser",
    ]
    assert command.main(list(map(str, options))) == 0
    out = capsys.readouterr().out
    assert "explorers not compared by pixels: --no-browser" in out
    assert "1 lessons, 0 states of explorers" in out
