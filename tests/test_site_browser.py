"""The built site in a real browser: every explorer and whatever else moves, without a network."""

import dataclasses
import re
import shutil

import lessons
import nbformat
import pytest
import site_course

from website import handout, proof
from website.build import publish

pytestmark = pytest.mark.browser
NAMES = [path.stem for path in lessons.PATHS]
STATE = """explorer => {
    const seen = element => element.hasAttribute("hidden") ? [] : [
        element.tagName,
        [...element.attributes].map(({ name, value }) => `${name}=${value}`).sort(),
        [...element.children].map(seen),
    ];
    return {
        shown: Object.fromEntries([...explorer.querySelectorAll(".readouts tr")]
            .filter(row => row.checkVisibility())
            .map(row => [...row.cells].map(cell => cell.textContent))),
        told: explorer.querySelector("svg").getAttribute("aria-label"),
        drawn: JSON.stringify([...explorer.querySelector("svg").children].map(seen)),
        values: [...explorer.querySelectorAll("input")].map(input => input.getAttribute("aria-valuetext")),
    };
}"""
CUT = """() => [...document.querySelectorAll(".slides section section")].flatMap(section => {
    const { h, v } = Reveal.getIndices(section);
    Reveal.slide(h, v, 99);
    const tall = section.getBoundingClientRect().height > 700 * Reveal.getScale();
    const wide = section.scrollWidth > section.clientWidth + 1;
    return tall || wide ? [section.textContent.trim().slice(0, 60)] : [];
})"""
SHOW_SLIDE = """explorer => {
    const { h, v } = Reveal.getIndices(explorer.closest("section"));
    Reveal.slide(h, v, 99);
}"""


def told(explorer, readouts):
    """The text alternative that Python gives a state."""
    return f"{explorer['title']}. " + "; ".join(f"{name}: {text}" for name, text in readouts.items()) + "."


def moved(explorer, number, key):
    """Press a key on a slider; return the state that is shown."""
    explorer.locator("input").nth(number).press(key)
    return explorer.evaluate(STATE)


def stands(figure):
    """Where the sliders of an explorer stand."""
    return tuple(int(slider.input_value()) for slider in figure.locator("input").all())


@pytest.mark.parametrize("name", NAMES)
def test_every_slider_reaches_both_ends_and_comes_back(site, visit, name):
    page = visit(site[0] / f"{name}.html", viewport={"width": 1000, "height": 800})
    explorers = site[1][name].explorers
    assert page.locator("figure.explorer").count() == len(explorers)
    for number, explorer in enumerate(explorers, 1):
        figure = page.locator(f"#explorer-{number}")
        samples = {tuple(sample["position"]): sample for sample in explorer["samples"]}
        start, first = stands(figure), figure.evaluate(STATE)
        compare(page, number, explorer, samples[start], first)
        tells_what_python_tells(figure)
        for index, slider in enumerate(figure.locator("input").all()):
            last = int(slider.get_attribute("max"))
            for key, end in (("Home", 0), ("End", last)):
                state = moved(figure, index, key)
                assert (state["values"] != first["values"]) == (end != start[index])
                if end == start[index]:
                    assert state == first
                    continue
                sample = samples[(*start[:index], end, *start[index + 1 :])]
                assert (state["drawn"] != first["drawn"]) == (sample["svg"] != samples[start]["svg"])
                compare(page, number, explorer, sample, state)
            for _ in range(last - start[index]):
                slider.press("ArrowLeft")
            assert figure.evaluate(STATE) == first


def compare(page, number, explorer, sample, state):
    """Compare what an explorer shows with what Python said and matplotlib drew at this state."""
    assert state["shown"] == sample["readouts"], (explorer["title"], sample["position"])
    assert state["told"] == told(explorer, sample["readouts"])
    share = proof.different_pixels(page, f"explorer-{number}", sample["svg"])
    assert share <= proof.MOST_DIFFERENT, (explorer["title"], sample["position"])


def tells_what_python_tells(figure):
    """Of the slider that has its sentence on paper, written by Python, the page says the same."""
    told = figure.locator(".printed p").text_content()
    labels = figure.locator(".control label").all_text_contents()
    label = max((each for each in labels if told.startswith((f"{each} ", f"{each}, "))), key=len)
    if len(labels) > 1:
        figure.get_by_role("combobox", name="Slider").select_option(label)
    figure.get_by_role("button", name="Tell", exact=True).click()
    assert figure.locator(".telling").text_content() == told
    figure.get_by_role("button", name="Tell", exact=True).click()


@pytest.mark.parametrize("name", NAMES)
def test_slides_hold_all_and_their_sliders_move(site, visit, name):
    page = visit(site[0] / "slides" / f"{name}.html", viewport={"width": 1200, "height": 750})
    assert not page.evaluate(CUT), "stands outside its slide"
    explorers = site[1][name].explorers
    assert page.locator("figure.explorer").count() == len(explorers)
    for number, explorer in enumerate(explorers, 1):
        figure = page.locator(f"#explorer-{number}")
        figure.evaluate(SHOW_SLIDE)
        slide, start, first = page.evaluate("Reveal.getIndices()"), stands(figure), figure.evaluate(STATE)
        samples = {tuple(sample["position"]): sample["readouts"] for sample in explorer["samples"]}
        for index, slider in enumerate(figure.locator("input").all()):
            last = int(slider.get_attribute("max"))
            key, end = ("Home", 0) if start[index] == last else ("End", last)
            position = (*start[:index], end, *start[index + 1 :])
            assert moved(figure, index, key)["shown"] == samples[position], (explorer["title"], position)
            figure.get_by_role("button", name="Reset").press("Space")
            assert figure.evaluate(STATE) == first
        assert page.evaluate("Reveal.getIndices()") == slide, "a key in a slider turned the slide"


def test_the_proof_finds_a_picture_that_is_not_matplotlibs(browser, small):
    folder, (_, lesson) = small
    assert not proof.different_pictures(browser, folder / "site", [lesson])
    (explorer,) = lesson.explorers
    first, second, *others = explorer["samples"]
    swapped = explorer | {"samples": [first | {"svg": second["svg"]}, *others]}
    wrong = dataclasses.replace(lesson, explorers=[swapped])
    (problem,) = proof.different_pictures(browser, folder / "site", [wrong])
    assert f'01_hedge: explorer "Price < 90k & hedge" at {first["position"]} differs' in problem


def test_an_explorer_that_refuses_a_state_shows_why_and_recovers(course, visit):
    explorer = visit(course / "01_hedge.html").locator("#explorer-1")
    start = explorer.evaluate(STATE)
    moved(explorer, 0, "End")
    refused = moved(explorer, 1, "Home")
    assert refused["shown"] == {"Not possible": "nothing to protect"}
    assert refused["told"] == "Price < 90k & hedge. Not possible: nothing to protect."
    moved(explorer, 1, "ArrowRight")
    for _ in range(3):
        state = moved(explorer, 0, "ArrowLeft")
    assert state == start


def test_a_slider_is_told_listed_heard_and_played(course, visit):
    explorer = visit(course / "01_hedge.html").locator("#explorer-1")
    said, answer = explorer.get_by_role("status"), explorer.locator(".telling")
    button = lambda name: explorer.get_by_role("button", name=name, exact=True)  # noqa: E731
    moved(explorer, 1, "Home")
    explorer.page.wait_for_function(
        "said => said.textContent === 'Nothing changes.'", arg=said.element_handle()
    )
    button("Tell").click()
    nothing = "Hedge ratio from 0 to 100 %: nothing changes: spot P&L 0 USDT, total P&L 0 USDT."
    assert said.text_content() == answer.text_content() == nothing
    moved(explorer, 0, "ArrowRight")
    assert answer.is_hidden(), "it told of another state"
    spoken = "said => said.textContent === 'Spot P&L: +10,000 USDT; Total P&L: +10,000 USDT.'"
    explorer.page.wait_for_function(spoken, arg=said.element_handle())
    button("Table").click()
    rows = [row.locator("th, td").all_text_contents() for row in answer.get_by_role("row").all()]
    assert rows[0] == ["Price of BTC", "Spot P&L", "Total P&L", "Not possible"]
    assert rows[1] == ["40,000 USDT", "−20,000 USDT", "−20,000 USDT", ""]
    assert rows[-1] == ["90,000 USDT", "", "", "nothing to protect"]
    answer.evaluate("""answer => {
        window.heard = [];
        const note = () => heard.push(answer.querySelector(".now")?.textContent);
        new MutationObserver(note).observe(answer, { subtree: true, childList: true });
    }""")
    button("Listen").click()
    assert said.text_content() == (
        "Spot P&L over 6 values of Price of BTC: low is −20,000 USDT, high is +20,000 USDT, "
        "a hum is no number, a knock is a change of words."
    )
    explorer.page.wait_for_function("heard.includes('90,000 USDT: not shown') && heard.at(-1) === ''")
    assert "80,000 USDT: +20,000 USDT" in explorer.page.evaluate("heard")
    button("Play").click()
    explorer.page.wait_for_function(
        "slider => slider.value === slider.max", arg=explorer.locator("input").first.element_handle()
    )
    button("Play").wait_for()


def test_on_paper_a_table_stands_for_the_sliders(course, visit):
    page = visit(course / "01_hedge.html")
    explorer = page.locator("#explorer-1")
    assert explorer.locator(".printed").is_hidden() and explorer.locator(".tools").is_visible()
    page.emulate_media(media="print")
    assert explorer.locator(".printed table").is_visible()
    assert not [part for part in explorer.locator("input, button").all() if part.is_visible()]


def test_formulas_are_drawn_and_numbers_in_explorers_left_alone(course, visit):
    page = visit(course / "01_hedge.html")
    assert page.locator("article math").count() == 3
    assert page.locator("math[display=block]").bounding_box()["height"] > 30
    assert page.evaluate("document.fonts.check('16px Formulas')")


def test_search_finds_text_and_leads_to_its_section(course, visit):
    page = visit(course / "index.html")
    box = page.get_by_role("searchbox")
    box.fill("secomd positions")
    page.get_by_text("1 passage").wait_for()
    box.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('#found') !== null")
    page.keyboard.press("Enter")
    page.wait_for_url("**/00_start.html#the-terms")
    page.get_by_role("searchbox").fill("zzzz qqqq")
    page.get_by_text("No passages").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#found").is_hidden()


def test_python_is_folded_until_a_reader_wants_it_and_this_is_remembered(course, visit):
    page = visit(course / "01_hedge.html")
    code = page.locator(".jp-Editor").first
    assert not code.is_visible()
    page.get_by_role("button", name="Python").click()
    assert code.is_visible()
    page.reload()
    assert page.locator(".jp-Editor").first.is_visible()


def test_an_explorer_can_stand_alone(course, visit):
    page = visit(course / "01_hedge.html")
    page.goto(page.url + "?embed=explorer-1#explorer-1=5,2")
    assert page.locator("h1, header, nav").count() == 0
    assert stands(page.locator("#explorer-1")) == (5, 2)
    assert page.get_by_role("link").get_attribute("href").endswith("01_hedge.html#explorer-1")


def test_hints_unfold(course, visit):
    page = visit(course / "01_hedge.html")
    answer = page.get_by_text("Compare both legs")
    assert not answer.is_visible()
    page.get_by_text("Hint and solution").click()
    assert answer.is_visible()


def test_the_first_tab_stop_skips_to_the_text(course, visit):
    page = visit(course / "01_hedge.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_an_explorer_goes_back_to_its_start(course, visit):
    explorer = visit(course / "01_hedge.html").locator("#explorer-1")
    start = explorer.evaluate(STATE)
    assert moved(explorer, 0, "End") != start
    explorer.get_by_role("button", name="Reset: Price < 90k & hedge").click()
    assert explorer.evaluate(STATE) == start


def test_the_address_names_the_state_and_leads_back_to_it(course, visit):
    page = visit(course / "01_hedge.html")
    start = page.locator("#explorer-1").evaluate(STATE)
    moved(page.locator("#explorer-1"), 0, "End")
    state = moved(page.locator("#explorer-1"), 1, "End")
    page.wait_for_url(re.compile(r"#explorer-1=\d+,\d+$"))
    other = visit(course / "00_start.html")
    other.goto(page.url)
    assert other.locator("#explorer-1").evaluate(STATE) == state
    for wrong in ("#explorer-1", "#explorer-1=3", "#explorer-2=0,0"):
        other.goto((course / "00_start.html").as_uri())
        other.goto(page.url.partition("#")[0] + wrong)
        assert other.locator("#explorer-1").evaluate(STATE) == start
    other.evaluate("address => { location.href = address; }", page.url)
    other.wait_for_function(
        "aria => document.querySelector('#explorer-1 svg').getAttribute('aria-label') === aria",
        arg=state["told"],
    )


def test_the_list_of_sections_tells_where_one_reads(course, visit):
    page = visit(course / "01_hedge.html", viewport={"width": 1280, "height": 300})
    here = page.locator(".course [aria-current=location]")
    assert here.count() == 0
    for section in ("The formula", "Explore", "By hand"):
        page.locator(".course").get_by_role("link", name=section, exact=True).click()
        page.wait_for_function(
            "name => document.querySelector('.course [aria-current=location]')?.textContent === name",
            arg=section,
        )
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function(
        "document.querySelector('.course [aria-current=location]').textContent === 'Exercise'"
    )


def test_a_button_on_a_slide_is_pressed_and_the_slide_stays(course, visit):
    page = visit(course / "slides" / "01_hedge.html")
    explorer = page.locator("figure.explorer")
    explorer.evaluate(SHOW_SLIDE)
    slide, start = page.evaluate("Reveal.getIndices()"), explorer.evaluate(STATE)
    assert moved(explorer, 0, "End") != start
    explorer.get_by_role("button", name="Reset").press("Space")
    assert explorer.evaluate(STATE) == start
    assert page.evaluate("Reveal.getIndices()") == slide


def test_without_javascript_a_page_says_what_is_missing(browser, course):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto((course / "01_hedge.html").as_uri())
    assert page.locator(".no-script").is_visible()
    assert not page.locator("#search").is_visible()
    page.goto((course / "slides" / "01_hedge.html").as_uri())
    page.locator(".no-script a").click()
    page.wait_for_url("**/site/01_hedge.html")
    assert page.locator("figure.explorer svg").is_visible()
    context.close()


def test_slides_turn_by_keyboard_but_not_from_within_a_slider(course, visit):
    page = visit(course / "slides" / "01_hedge.html")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("Reveal.getCurrentSlide().querySelector('h2').textContent") == "By hand"
    page.locator("figure.explorer").evaluate(SHOW_SLIDE)
    slide = page.evaluate("Reveal.getIndices()")
    slider = page.locator("#explorer-1 input").first
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End", "Home", "Space"):
        slider.press(key)
    assert page.evaluate("Reveal.getIndices()") == slide
    value = slider.input_value()
    slider.press("PageUp")  # what a presenter's remote sends
    assert page.evaluate("Reveal.getIndices()") != slide
    slider.press("PageDown")
    assert page.evaluate("Reveal.getIndices()") == slide and slider.input_value() == value


def test_speaker_notes_reach_the_slides(course, visit):
    page = visit(course / "slides" / "01_hedge.html")
    assert "<p>Ask who has held a future.</p>" in page.evaluate("Reveal.getSlideNotes()")


def test_what_does_not_fit_goes_on_to_the_next_slide(tmp_path, visit):
    prose = "\n\n".join(
        f"Paragraph {number}. " + "Many words make a slide too long. " * 8 for number in range(9)
    )
    cells = [
        site_course.text("# Long\n\nA lesson.", "slide"),
        site_course.text(f"## Much\n\n{prose}", "slide"),
    ]
    path = site_course.write(tmp_path, "00_long", cells)
    publish([path], [nbformat.v4.new_notebook(cells=cells)], tmp_path / "site")
    page = visit(tmp_path / "site" / "slides" / "00_long.html")
    assert page.evaluate("Reveal.getTotalSlides()") > 2
    assert set(page.locator(".continued").all_text_contents()) == {"Much"}
    shown = page.locator(".slides p:not(.continued)").all_text_contents()
    assert [text.split(".")[0] for text in shown[1:]] == [f"Paragraph {number}" for number in range(9)]


def test_a_handout_holds_everything_and_folds_nothing(browser, course, tmp_path):
    handout.print_pages(browser, course, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"00_start.pdf", "01_hedge.pdf"}
    written = (tmp_path / "01_hedge.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    assert b"/StructTreeRoot" in written, "tagged for screen readers"


def test_twins_do_not_depend_on_where_the_site_lies(course, visit, tmp_path):
    elsewhere = shutil.copytree(course, tmp_path / "a folder with spaces & more")
    page = visit(elsewhere / "01_hedge.html")
    assert moved(page.locator("#explorer-1"), 0, "End")["shown"]["Spot P&L"] == "+30,000 USDT"
