"""Answers on the pages: judged as `check` judges them, kept in the browser, harmless whatever is typed."""

import json
from dataclasses import asdict

import lessons
import nbformat
import pytest
import typed_answers
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from hedgelib import exercise
from hedgelib.exercise import exercises
from website import answers
from website.build import HERE, BuildError, publish
from website.sketches import sketches

KEY = "hedge-lab-progress"
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], "preload": False}
JUDGE = """([given, cases]) => cases.map(([name, text, attempt]) => {
    const { outcome, mistake, text: said } = hedgeLab.judge(given[name], text, attempt);
    return [outcome, mistake, said];
})"""


def given():
    """The exercises as a page holds them."""
    pages = BeautifulSoup(
        "".join(answers.forms(f'check("{name}", a)', "x") for name in exercises()), "html.parser"
    )
    return {form["data-exercise"]: json.loads(form.script.string) for form in pages.select("form.exercise")}


def test_a_page_holds_all_that_judges_an_answer():
    held = given()
    assert held.keys() == exercises().keys()
    for name, one in exercises().items():
        whole = json.loads(
            json.dumps({key: value for key, value in asdict(one).items() if value not in (None, "")})
        )
        assert held[name] == {key: value for key, value in whole.items() if key not in answers.NOT_ON_A_PAGE}


@pytest.mark.parametrize(
    ("source", "names", "only"),
    [
        ('answer = ...\ncheck("02-1", answer)', ["02-1"], True),
        (
            'def death(wallet):\n    return ...\n\n\nanswer = ...\ncheck("05-3", answer, death)',
            ["05-3"],
            True,
        ),
        ('a, b = ..., ...\n[check("09-q1", a), check("09-q2", b)]', ["09-q1", "09-q2"], True),
        ('month = [0.1]\nanswer = ...\ncheck("04-3", answer)', ["04-3"], False),
        ("answer = f(...)\ncheck('04-3', answer)", ["04-3"], False),
    ],
)
def test_what_a_cell_asks(source, names, only):
    assert answers.asked(source) == names
    assert answers.only_asks(source) == only


def page(*cells):
    return BeautifulSoup(
        "".join(f'<div class="jp-Cell {kind}">{text}</div>' for kind, text in cells), "html.parser"
    )


QUESTION = "<p><strong>q1.</strong> Which?</p><ul><li>a) this</li><li>b) <em>that</em></li></ul>"


def test_letters_are_chosen_where_they_are_listed():
    body = page(("", QUESTION), ("", answers.forms('check("09-q1", q1)', "09_plan")))
    answers.settle(body)
    (form,) = body.select(".jp-Cell:first-child form.exercise")
    assert [(label.input["value"], label.text.strip()) for label in form.select("label")] == [
        ("a", "a) this"),
        ("b", "b) that"),
    ]
    assert not body.select("ul")


def test_a_prediction_is_put_to_the_vote():
    body = page(
        ("celltag_vote", "<p><strong>Predict</strong></p><ol><li>More,</li><li><p>less?</p></li></ol>")
    )
    assert answers.put_to_vote(body, "02") == 2
    assert [" ".join(label.text.split()) for label in body.select("form.vote label")] == [
        "1. More,",
        "2. less?",
    ]
    assert answers.put_to_vote(page(("", "<ol><li>no vote</li></ol>")), "02") == 0


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda: answers.forms('check("02-77", 1)', "02_topic"), '02_topic.ipynb checks "02-77"'),
        (
            lambda: answers.settle(page(("", answers.forms('check("09-q1", q1)', "x")))),
            "letters of exercise 09-q1",
        ),
        (lambda: answers.put_to_vote(page(("celltag_vote", "<p>?</p>")), "02"), "lists its options"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask, reason):
    with pytest.raises(BuildError, match=reason):
        ask()


def test_a_sealed_exercise_is_answered_in_the_notebook(monkeypatch):
    monkeypatch.setattr(answers, "exercises", lambda: {"02-1": object()})
    assert "Answer it in the" in answers.forms('check("02-1", answer)', "02_topic")


@pytest.mark.browser
def test_a_page_says_of_every_answer_what_python_says(browser):
    cases = [list(case) for case in typed_answers.cases(170)]
    assert len(cases) > 10_000
    tab = browser.new_page()
    tab.add_script_tag(path=HERE / "static" / "verdict.js")
    said = tab.evaluate(JUDGE, [given(), cases])
    tab.close()
    told = [exercises()[name].judge(text, attempt) for name, text, attempt in cases]
    different = [
        (case, answer, str(verdict))
        for case, answer, verdict in zip(cases, said, told, strict=True)
        if answer != [verdict.outcome, verdict.mistake, verdict.text]
    ]
    assert not different[:5]
    assert {"right", "wrong", "unread"} == {verdict.outcome for verdict in told}
    assert {"sign", "percent", "fraction", "close", "order", "1", "2"} <= {
        verdict.mistake for verdict in told
    }


def asking(path):
    """A lesson as it is stored, cut down to its title, what asks the reader, and its summary."""
    notebook = nbformat.read(path, as_version=4)
    asks = [{"exercise", "vote"} & set(cell.metadata.get("tags", [])) for cell in notebook.cells]
    notebook.cells = [
        cell
        for place, cell in enumerate(notebook.cells)
        if not place
        or "## Summary" in cell.source
        or "**Predict" in cell.source
        or any(asks[max(place - 1, 0) : place + 2])
    ]
    return notebook


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A site of what every lesson asks. Nothing runs."""
    folder = tmp_path_factory.mktemp("asking") / "site"
    publish(lessons.PATHS, list(map(asking, lessons.PATHS)), folder)
    return folder


def kept(tab):
    return json.loads(tab.evaluate(f"localStorage.getItem('{KEY}')"))


def give(tab, name, text):
    """Answer an exercise by keyboard; return what the page says."""
    form = tab.locator(f'[data-exercise="{name}"]')
    if form.locator("fieldset").count():
        form.locator(f'input[value="{text}"]').focus()
        tab.keyboard.press("Space")
    else:
        form.locator("input").fill(text)
    tab.keyboard.press("Enter")
    return form.locator("output").text_content()


def as_typed(answer):
    return answer if isinstance(answer, str) else json.dumps(answer)


@pytest.mark.browser
def test_every_exercise_is_answered_wrong_and_right_and_found_again(stored, visit):
    """All lessons in one browser, from disk and by keyboard, as a reader goes through them."""
    exercise.session.clear()
    tab = visit(stored / "index.html")
    assert not tab.locator(".resume").is_visible()
    for path in lessons.PATHS:
        tab.goto((stored / f"{path.stem}.html").as_uri())
        for name in tab.locator("form.exercise").evaluate_all(
            "all => all.map(form => form.dataset.exercise)"
        ):
            one = exercises()[name]
            for answer in [*(mistake["value"] for mistake in one.wrong[:2]), one.answer]:
                assert give(tab, name, as_typed(answer)) == str(exercise.check(name, as_typed(answer))), name
    tried = [
        {"exercise": each.exercise, "answer": each.answer, "verdict": each.outcome, "mistake": each.mistake}
        | {"try": each.attempt}
        for each in exercise.session
    ]
    assert [{key: each[key] for key in tried[0]} for each in kept(tab)["attempts"]] == tried

    tab.locator("article h2").nth(2).scroll_into_view_if_needed()
    tab.goto((stored / "progress.html").as_uri())
    assert (
        tab.locator(".sum").text_content()
        == f"{len(exercises())} of {len(exercises())} exercises are answered right."
    )
    wrong = len(exercises()["02-1"].wrong[:2])
    row = tab.locator('tr[data-exercise="02-1"] td').all_text_contents()
    assert row[:3] == ["✓ right", as_typed(exercises()["02-1"].answer), str(1 + wrong)]
    tab.goto((stored / "index.html").as_uri())
    assert tab.locator(".map .tick.all").count() == len(lessons.PATHS)
    tab.locator(".resume a").click()
    assert "09_plan_your_hedge.html#" in tab.url
    form = tab.locator('[data-exercise="09-1"]')
    assert form.locator("output").text_content().startswith("✓ Right.")
    assert form.locator("input").input_value() == as_typed(exercises()["09-1"].answer)


@pytest.mark.browser
def test_a_vote_is_kept_and_shown_again(stored, visit):
    lesson = next(
        path.stem
        for path in lessons.PATHS
        if 'form class="vote"' in (stored / f"{path.stem}.html").read_text()
    )
    tab = visit(stored / f"{lesson}.html")
    form = tab.locator("form.vote")
    form.locator("button").press("Enter")
    assert form.locator("output").text_content() == "Choose one first."
    form.locator("input").nth(0).focus()
    tab.keyboard.press("ArrowDown")
    form.locator("button").press("Enter")
    assert kept(tab)["votes"] == {lesson[:2]: 2}
    tab.reload()
    assert form.locator("input").nth(1).is_checked()
    assert form.locator("input:disabled").count() == form.locator("input").count()
    said = [" ".join(text.split()) for text in tab.locator(".said").all_text_contents()]
    assert len(said) == 2, "in the fold that answers, and in the summary"
    assert all(text.startswith("Your prediction: you said 2. ") for text in said)


@pytest.mark.browser
def test_a_prediction_is_drawn_and_the_truth_laid_over_it(stored, visit):
    tab = visit(stored / "04_funding.html")
    figure = tab.locator("figure.sketch")
    truth = sketches()["04"].truth
    figure.scroll_into_view_if_needed()
    box = figure.locator("svg").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.13, box["y"] + box["height"] / 2)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    tab.mouse.up()
    drawn = [field.input_value() for field in figure.locator("input").all()]
    assert drawn[-1] == "", "the line ends where the mouse did"
    assert all(abs(float(value)) < 2 for value in drawn[:4]), "what a fast mouse skips is drawn, too"
    figure.get_by_role("button").press("Enter")
    assert "Still missing: " in figure.locator("output").text_content()
    for field, value in zip(figure.locator("input").all(), [*truth[:-1], 0], strict=True):
        field.fill(str(value))
        field.press("Tab")
    figure.get_by_role("button").press("Enter")
    said = f"Farthest off at +15 bp: you said 0, it is 10 bp. {sketches()['04'].why}"
    assert figure.locator("output").text_content() == said
    assert kept(tab)["drawings"] == {"04": [*truth[:-1], 0]}
    tab.reload()
    assert figure.locator("output").text_content() == said
    assert figure.locator(".truth").is_visible()
    assert not Axe().run(tab, options=AXE).response["violations"]


def test_the_lines_to_draw_fit_into_their_pictures():
    assert sketches().keys() == {"02", "03", "04", "05"}
    for lesson, sketch in sketches().items():
        assert len(sketch.points) == len(sketch.truth) > 4, lesson
        assert all(sketch.low <= height <= sketch.high for height in sketch.truth), lesson
        assert (sketch.high - sketch.low) % sketch.grid == 0, lesson
    # by hand: 40,000 - 60,000 of the coin and a margin of 20,000; a clamp that flattens 5 bp; 1 - 1.5 squared
    assert sketches()["02"].truth[0] == -40_000
    assert sketches()["03"].truth[-1] == 25
    assert sketches()["04"].truth == (-10, -5, 0, 1, 1, 5, 10)


INSIDE = {
    "format": "hedge-lab-progress-1",
    "place": 7,
    "attempts": [
        None,
        5,
        {"exercise": "02-1"},
        {"exercise": "02-1", "answer": "1", "verdict": "wrong", "try": 0, "time": ""},
        {"exercise": "02-1", "answer": "1" * 201, "verdict": "wrong", "try": 1, "time": ""},
    ],
    "votes": {"02": "<b>", "x": 1},
}
FORBIDDEN = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("no", "SecurityError"); }
})"""
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
NONSENSE = ["{]", "[[1]]", '{"format": "x"}', json.dumps(INSIDE)]
SPOILT = [*(f"localStorage.setItem('{KEY}', {json.dumps(text)})" for text in NONSENSE), FORBIDDEN, FULL]


@pytest.mark.browser
def test_what_a_browser_keeps_or_refuses_does_no_harm(stored, visit):
    tab = visit(stored / "index.html")
    for script in SPOILT:
        other = tab.context.new_page()
        faults = []
        other.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
        other.add_init_script(script)
        other.goto((stored / "02_full_hedge.html").as_uri())
        assert give(other, "02-1", "55").startswith("✗ Not yet. 55 USDT has the right size"), script
        assert " Hint: " in give(other, "02-1", "54"), script
        other.goto((stored / "progress.html").as_uri())
        assert other.locator(".sum").text_content().startswith("0 of "), script
        assert other.locator(".unkept").is_visible() == (script == FORBIDDEN), script
        other.close()
        assert not faults, script


@pytest.mark.browser
def test_progress_can_be_taken_along_and_erased(stored, visit, tmp_path):
    tab = visit(stored / "02_full_hedge.html")
    give(tab, "02-1", "55")
    give(tab, "02-1", "-55 USDT")
    tab.goto((stored / "progress.html").as_uri())
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Export").click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    tab.get_by_role("button", name="Erase").click()
    tab.get_by_role("button", name="Yes, erase all of it").click()
    assert tab.evaluate(f"localStorage.getItem('{KEY}')") is None
    assert tab.locator(".sum").text_content().startswith("0 of ")
    for added in (2, 0):
        tab.locator("[name=import]").set_input_files(file)
        tab.locator(".tools output", has_text=f"Added: {added} answers.").wait_for()
    assert tab.locator(".sum").text_content().startswith("1 of ")
    file.write_text("{}", encoding="utf-8")
    tab.locator("[name=import]").set_input_files(file)
    tab.locator(".tools output", has_text="not a progress file").wait_for()
    assert len(kept(tab)["attempts"]) == 2
    assert not Axe().run(tab, options=AXE).response["violations"]
    tab.set_viewport_size({"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.browser
def test_slides_answer_too(stored, visit):
    tab = visit(stored / "slides" / "02_full_hedge.html")
    tab.locator('[data-exercise="02-1"]').evaluate(
        "form => { const { h, v } = Reveal.getIndices(form.closest('section')); Reveal.slide(h, v, 99); }"
    )
    place = tab.evaluate("Reveal.getIndices()")
    assert give(tab, "02-1", "-(0.0005*60_000 + 0.0005*50_000)").startswith("✓ Right.")
    assert tab.evaluate("Reveal.getIndices()") == place, "typing turned the slide"
