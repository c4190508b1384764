"""The live site in real browsers, opened from disk without a network: ``make test-live``.

It takes `_site/` as `make live` has made it, and some ten minutes.
"""

import json
import statistics
import time

import lessons
import nbformat
import numpy as np
import pytest

from hedgelib.planner import fields
from website.live import planning
from website.live.join import is_shown
from website.live.pack import ROOT

from . import browsers

SITE = ROOT / "_site"
LESSON = SITE / f"{lessons.PATHS[2].stem}.html"

# Cells whose text in a page is another one than in the notebook, by lesson and cell, and why.
EXCEPTIONS = {}

HOLDINGS = 1_000
TOLD = """
import json
from hedgelib.planner import at, fields

def told(texts):
    try:
        sheet = fields.read(texts)
    except ValueError as refused:
        return str(refused)
    fallen = at(sheet, sheet.price * (1 - sheet.fall))["total_pnl"].item()
    return [sheet.quantity, f"{sheet.liquidation:.2f}", f"{fallen:.2f}"]
"""


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def page(request, tmp_path_factory):
    """A page of each browser; whatever it asks of another machine, or fails at, fails the test."""
    assert (SITE / "python").exists(), "there is no live site: run `make live`"
    if request.param == "chromium":
        opened = browsers.chromium()
    else:
        opened = browsers.firefox(tmp_path_factory.mktemp("firefox"))
    with opened as page:
        yield page
        outside = [url for url in page.asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
        assert (outside, page.wrong) == ([], [])


def call(page, module, name, *values):
    """Ask Python in a page for a function's result."""
    return page.ask(f"Python.call({json.dumps(module)}, {', '.join(map(json.dumps, [name, *values]))})")


def cell(number):
    """JavaScript for the element of a cell."""
    return f"document.querySelectorAll('.jp-CodeCell')[{number}]"


def press(page, number, text):
    """Press a button of a cell."""
    tools = f"[...{cell(number)}.querySelectorAll('.live-tools button')]"
    page.ask(f"void {tools}.find(button => button.textContent === {json.dumps(text)}).click()")


def write(page, number, source):
    """Type into the editor of a cell, over all that is there."""
    press(page, number, "Edit")
    content = f"{cell(number)}.querySelector('.cm-content')"
    page.wait(f"{content} === document.activeElement")
    page.type(source)
    page.wait(f"{content}.innerText.trim() === {json.dumps(source)}", seconds=60)


def shown(page, number):
    """What a cell shows once everything has run."""
    page.wait("!document.querySelector('[aria-busy=true]')")
    return page.wait(f"{cell(number)}.querySelector('.live-output')?.innerText")


def place(part):
    """The number of the first cell of lesson 02 with this in its code."""
    cells = nbformat.read(lessons.PATHS[2], as_version=4).cells
    sources = [each.source for each in cells if is_shown(each)]
    return next(number for number, source in enumerate(sources) if part in source)


def test_a_lesson_is_edited_and_run(page):
    coin, short = place("coins = 1"), place("short_pnl = ")
    page.open(LESSON)
    page.ask("localStorage.clear()")
    page.open(LESSON)
    started = time.monotonic()
    press(page, coin, "Run")
    assert shown(page, coin) == "10000"
    print(f"\nfirst answer after {time.monotonic() - started:.1f} s")
    write(page, coin, "coins = 2\nspot_pnl = coins * (later - entry)\nspot_pnl")
    press(page, coin, "Run")
    page.wait(f"{cell(coin)}.querySelector('.live-output')?.innerText === '20000'")
    press(page, short, "Run")
    assert shown(page, short) == "{'short': -20000, 'together': 0}"
    write(page, short, "spot_pnl / 0")
    press(page, short, "Run")
    page.wait(f"{cell(short)}.querySelector('.live-error')")
    sentence = page.ask(f"{cell(short)}.querySelector('.live-error p').innerText")
    assert "ZeroDivisionError: division by zero" in sentence
    assert not page.ask(f"{cell(short)}.querySelector('.live-error details').open")
    press(page, short, "Reset")

    explorer = place("Explorer(")
    press(page, explorer, "Run")
    page.wait("!document.querySelector('[aria-busy=true]')")
    figure = f"{cell(explorer)}.querySelector('figure.live')"
    page.wait(figure + " && true")
    before, times = page.ask(f"{figure}.querySelector('img').alt"), []
    for step in range(5):
        began = time.monotonic()
        move = f"(input => (input.value = {step}, input.dispatchEvent(new Event('input'))))"
        page.ask(f"{move}({figure}.querySelector('input')) && 0")
        page.wait(f"!{figure}.hasAttribute('aria-busy')")
        times.append(time.monotonic() - began)
    assert page.ask(f"{figure}.querySelector('img').alt") != before
    print(f"new state of an explorer: {statistics.median(times):.2f} s")

    exercise = place('check("02-1"')
    write(page, exercise, 'answer = 0\ncheck("02-1", answer)')
    press(page, exercise, "Run")
    assert shown(page, exercise).startswith(("✓", "✗"))

    page.open(LESSON)
    assert "coins = 2" in page.ask(f"{cell(coin)}.querySelector('pre').textContent")


def test_a_runaway_cell_is_stopped(page):
    write(page, 1, "while True:\n    pass")
    press(page, 1, "Run")
    page.wait(f"{cell(1)}.getAttribute('aria-busy')")
    buttons = "[...document.querySelectorAll('.live-bar button')]"
    page.ask(f"void {buttons}.find(each => each.textContent === 'Stop').click()")
    page.wait("document.querySelector('.live-said').textContent.startsWith('Stopped')")
    assert "while True" in page.ask(f"{cell(1)}.querySelector('.cm-content').innerText")
    page.ask("localStorage.clear()")


def test_the_planner_plans(page):
    page.open(SITE / "planner.html")
    page.ask(
        "(field => (field.value = '5', field.dispatchEvent(new Event('change', { bubbles: true }))))"
        "(document.getElementById('coins')) && 0"
    )
    page.wait("document.getElementById('said').textContent.startsWith('This is your plan')")
    typed = json.loads(planning.first()) | {"coins": "5"}
    wanted = json.loads(planning.plan(json.dumps(typed)))["summary"]
    texts = "row => [...row.cells].map(cell => cell.textContent)"
    rows = page.ask(f"[...document.querySelectorAll('#summary tr')].map({texts})")
    assert dict(rows) == wanted
    assert page.ask("location.hash") == "#coins=5"


def holdings():
    """Random holdings as they are typed, some of which are refused."""
    random = np.random.default_rng(22)
    first = json.loads(planning.first())
    for _ in range(HOLDINGS):
        price = float(random.choice([60_000, 3_000, 150, 0.5]) * random.uniform(0.5, 2))
        contract = random.choice(list(fields.options("contract")))
        decide = random.choice(["ratio", "bearable"])
        yield first | {
            "contract": str(contract),
            "coins": f"{10 ** random.uniform(-2, 3):.5g}",
            "cost": f"{price * random.uniform(0, 2):.6g}",
            "price": f"{price:.6g}",
            "fall": f"{random.uniform(1, 90):.3g} %",
            "decide": str(decide),
            "ratio": f"{random.uniform(2, 100):.3g} %",
            "bearable": f"{10 ** random.uniform(1, 6):.4g}",
            "margin_from": str(random.choice(list(fields.options("margin_from").values()))),
            "mode": str(random.choice(["isolated", "cross"])),
            "leverage": f"{random.integers(1, 20)}",
            "reserve": str(random.choice(["", "1000", "0.1"])),
            "take_profit": str(random.choice(["", "10 %"])),
            "stop": str(random.choice(["", "15 %"])),
        }


def test_random_holdings_equal_plain_python_to_the_cent(page):
    here, typed = {}, list(holdings())
    exec(TOLD, here)
    wanted = [here["told"](texts) for texts in typed]
    assert sum(isinstance(each, list) for each in wanted) > HOLDINGS / 4
    call(page, "session", "fresh")
    call(page, "session", "run", TOLD, "told")
    for start in range(0, HOLDINGS, 100):
        some = json.dumps(json.dumps(typed[start : start + 100]))
        source = f"print(json.dumps([told(each) for each in json.loads({some})]))"
        (output,) = call(page, "session", "run", source, "holdings")
        assert json.loads(output["text"]) == wanted[start : start + 100]


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_a_notebook_gives_its_stored_text(page, path):
    if isinstance(page, browsers.Firefox):
        pytest.skip("the same Python; Chromium runs all of them")
    call(page, "session", "fresh")
    other, began = {}, time.monotonic()
    for number, each in enumerate(nbformat.read(path, as_version=4).cells):
        if each.cell_type == "code":
            outputs = call(page, "session", "run", each.source, f"cell {number}")
            texts = [output.get("text") or output["error"] for output in outputs]
            if texts != (kept := stored(each)):
                other[number] = texts, kept
    print(f"\n{path.stem}: {time.monotonic() - began:.1f} s")
    expected = EXCEPTIONS.get(path.stem, {})
    assert other.keys() == expected.keys(), other


def stored(each):
    """The text of each output of a cell."""
    return [
        output.text if output.output_type == "stream" else output.data["text/plain"]
        for output in each.outputs
    ]
