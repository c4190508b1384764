"""The built site as people with other eyes, fingers and screens meet it: no barrier, nothing cut."""

import lessons
import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
NAMES = [path.stem for path in lessons.PATHS]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HIDDEN = """() => [...document.querySelectorAll(".explorer")].flatMap(explorer => {
    const { left, right } = explorer.getBoundingClientRect();
    const clips = [];
    for (let box = explorer.parentElement; box !== document.body; box = box.parentElement) {
        const edges = box.getBoundingClientRect();
        if (getComputedStyle(box).overflowX !== "visible" && (left < edges.left || right > edges.right)) {
            clips.push(`${explorer.id} in ${box.className}`);
        }
    }
    return left < 0 || right > innerWidth ? [...clips, explorer.id] : clips;
})"""


# Spares axe what it would walk through for minutes: a picture is one image with a text alternative, not its
# thousands of parts, and of the thousands of words of code one of each look tells whether it can be read.
BARE = """() => {
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    document.querySelectorAll(".drawing svg").forEach(svg => svg.replaceChildren());
    const looks = new Set();
    for (const word of document.querySelectorAll("pre span")) {
        const places = [word, word.closest("pre")].map(place => getComputedStyle(place));
        const look = word.className + places.map(({ color, backgroundColor }) => color + backgroundColor);
        if (looks.has(look)) word.replaceWith(...word.childNodes);
        looks.add(look);
    }
}"""


def barriers(page, rules):
    """What axe finds wrong, everything unfolded."""
    page.evaluate(BARE)
    found = Axe().run(page, options={"runOnly": rules, "preload": False})
    return found.response["violations"] and found.generate_report()


@pytest.mark.parametrize("name", ["index", "accessibility", *NAMES])
def test_no_barrier_in_light_or_dark(site, visit, name):
    page = visit(site[0] / f"{name}.html")
    assert not barriers(page, WCAG)
    page.emulate_media(color_scheme="dark")
    assert not barriers(page, ["color-contrast"]), "the one rule that colours can break"


@pytest.mark.parametrize("name", ["index", "accessibility", *NAMES])
def test_no_barrier_and_nothing_cut_on_a_small_screen(site, visit, name):
    page = visit(
        site[0] / f"{name}.html", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert not page.evaluate(HIDDEN), "an explorer may reach the edges of the screen, not beyond"
    assert not barriers(page, WCAG)


@pytest.mark.parametrize("name", NAMES[:2])
def test_no_barrier_on_the_slides(site, visit, name):
    """What stands on slides stands on the pages too; what is around it is the same for all lessons."""
    assert not barriers(visit(site[0] / "slides" / f"{name}.html"), WCAG)


def test_one_weak_colour_is_found_among_the_words_of_code(course, visit):
    page = visit(course / "00_start.html")
    assert not barriers(page, ["color-contrast"])
    page = visit(course / "00_start.html")
    page.add_style_tag(content="pre .nb { color: #ccc !important; }")
    assert "color-contrast" in barriers(page, ["color-contrast"])
