"""The built site as people with other eyes, fingers and screens meet it: no barrier, nothing cut.

And as anybody meets it who builds it again.
"""

import lessons
import pytest
import site_course
from axe_playwright_python.sync_playwright import Axe

from website.build import DRAFT, ROOT

pytestmark = pytest.mark.browser
NAMES = [path.stem for path in lessons.PATHS]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CUT = """() => [...document.querySelectorAll(".slides section section")].flatMap(section => {
    const { h, v } = Reveal.getIndices(section);
    Reveal.slide(h, v, 99);
    const tall = section.getBoundingClientRect().height > 700 * Reveal.getScale();
    const wide = section.scrollWidth > section.clientWidth + 1;
    return tall || wide ? [section.textContent.trim().slice(0, 60)] : [];
})"""


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


def barriers(page, rules):
    """What axe finds wrong, everything unfolded; a picture is one image, not its parts."""
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    options = {"runOnly": rules, "preload": False}
    found = Axe().run(page, context={"exclude": [[".drawing svg > *"]]}, options=options)
    return found.response["violations"] and found.generate_report()


@pytest.mark.parametrize("name", ["index", *NAMES])
def test_no_barrier_in_light_or_dark(site, visit, name):
    page = visit(site[0] / f"{name}.html")
    assert not barriers(page, WCAG)
    page.emulate_media(color_scheme="dark")
    assert not barriers(page, ["color-contrast"]), "the one rule that colours can break"


@pytest.mark.parametrize("name", ["index", *NAMES])
def test_no_barrier_and_nothing_cut_on_a_small_screen(site, visit, name):
    page = visit(
        site[0] / f"{name}.html", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert not page.evaluate(HIDDEN), "an explorer may reach the edges of the screen, not beyond"
    assert not barriers(page, WCAG)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_stands_outside_a_slide(site, visit, name):
    page = visit(site[0] / "slides" / f"{name}.html", viewport={"width": 1200, "height": 750})
    assert not page.evaluate(CUT)


@pytest.mark.parametrize("name", NAMES[:2])
def test_no_barrier_on_the_slides(site, visit, name):
    """What stands on slides stands on the pages too; what is around it is the same for all lessons."""
    assert not barriers(visit(site[0] / "slides" / f"{name}.html"), WCAG)


def test_a_second_build_gives_the_same_bytes(site, tmp_path):
    cache = ROOT / ".cache" / "website" / "draft"
    site_course.built(ROOT / "notebooks", tmp_path / "site", cache, steps=DRAFT)
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (site[0], tmp_path / "site")
    )
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []
