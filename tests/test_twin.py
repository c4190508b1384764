"""Twins: every state of an explorer merged into one figure, and nothing lost on the way."""

import itertools
import json
import xml.etree.ElementTree as ET

import pytest
import site_course
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hedgelib import rendering
from hedgelib.explorer import Choice, Explorer
from website import drawing, merge, twin

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


@settings(max_examples=60)
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


def plain(figure):
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 12_345], label="Short")
    right.bar(["spot", "short"], [1, -1], hatch="//")


def shaped(figure):
    left, right = figure.subplots(1, 2)
    left.set(xscale="log", yscale="symlog", xlim=(1, 1_000), title="Logarithms", xlabel="price")
    left.tick_params(labelrotation=30, colors="red")
    right.invert_yaxis()
    right.set_yticks([0, 1], ["none", "all"])
    right.spines["top"].set_visible(True)
    right.grid(False)
    figure.text(0.5, 0.5, "Stands on the figure")


def marked(figure):
    left, right = figure.subplots(1, 2)
    left.scatter([1, 2, 3], [3, 1, 2], c=["red", "blue", "red"])
    left.fill_between([1, 2, 3], [3, 1, 2], alpha=0.3)
    left.annotate("here", (2, 1), (2.5, 2), arrowprops={"arrowstyle": "->"})
    left.set(ylim=(0, 1e7), yticks=range(0, 10_000_001, 500_000))
    right.imshow([[0, 1], [2, 3]])
    right.set_axis_off()
    right.twinx().plot([5, 6])


def shared(figure):
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    above.plot([0, 5], [1, 2])
    below.text(0.5, 0.5, r"$\alpha$ in a frame", clip_on=True, bbox={"facecolor": "white"})


def test_a_pen_on_a_used_sheet_draws_what_matplotlib_writes_of_a_new_figure():
    definitions = merge.Definitions("e-")
    sheet, pen = drawing.Sheet((9, 4)), drawing.Pen((9, 4), definitions)
    draws = [plain, shaped, plain, marked, plain, shared, shaped, shared, marked, marked, shaped, plain]
    with rendering.style():
        pictures = []
        for draw in draws:
            used, new = sheet.empty(), Figure((9, 4))
            draw(used)
            draw(new)
            pictures.append((pen.draw(used), rendering.svg(new)))
    pen.finish()
    for draw, (tree, svg) in zip(draws, pictures, strict=True):
        assert merge.same(tree, merge.clean(svg, definitions)), draw.__name__


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
    html, summary = twin.make(one, "explorer-1")
    return one, BeautifulSoup(html, "html.parser"), summary


def test_a_twin_is_a_figure_with_named_parts(made):
    one, figure, _ = made
    assert figure.figure["class"] == ["explorer"]
    assert figure.figcaption.text == one.title
    picture = figure.find("svg")
    assert picture["role"] == "img"
    assert picture["aria-label"] == one.alt(one.svg(one.start)[1])
    assert not figure.select("[aria-live]"), "a table of numbers is no sentence"
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


def test_a_twin_has_on_paper_the_table_of_the_slider_that_moves_most(made):
    one, figure, _ = made
    assert figure.select_one(".printed p").text == one.tell("price")
    head, *rows = figure.select(".printed tr")
    assert [cell.text for cell in head.select("th")] == ["Price of BTC", "Spot P&L", "Total P&L"]
    for row, text, readouts in zip(rows, one.controls["price"].texts, one.sweep("price"), strict=True):
        assert [cell.text for cell in row.select("th, td")] == [text, *readouts.values()]


def test_a_twin_samples_the_start_and_both_ends_of_each_control(made):
    one, _, summary = made
    assert summary["states"] == 18
    assert {sample["position"] for sample in summary["samples"]} == {(2, 1), (0, 1), (5, 1), (2, 0), (2, 2)}
    for sample in summary["samples"]:
        assert (sample["svg"], sample["readouts"]) == one.svg(sample["position"])


def test_a_twin_is_the_same_each_time():
    price = Choice("Price of BTC", (50_000, 60_000))
    first, second = (twin.make(explorer(price=price), "explorer-2")[0] for _ in range(2))
    assert first == second
    assert "explorer-2-" in first
