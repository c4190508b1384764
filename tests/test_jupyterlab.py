"""Every notebook in a real JupyterLab in Chromium: run from the top, every slider moved by keyboard.

With ``HEDGELAB_SCREENSHOTS=folder`` each explorer is also saved there as a picture, at its start and
after each move.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import lessons
import pytest
from axe_playwright_python.sync_playwright import Axe

from hedgelib import market, planner, told
from hedgelib.rendering import data_url

pytestmark = pytest.mark.browser
SECONDS = 90
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "preload": False}
INSTALLED = Path(__file__).parents[1] / "tools" / "installed"  # settings that come with the package
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
RUN_ALL = """async path => {
    const { commands, shell } = window.jupyterapp;
    for (const panel of shell.widgets("main")) {
        await panel.sessionContext?.shutdown();
        panel.dispose();
    }
    const panel = await commands.execute("docmanager:open", { path });
    await panel.context.ready;
    await panel.sessionContext.ready;
    await commands.execute("notebook:run-all-cells");
}"""
# What is asked of the notebook's model rather than of the page, which holds only the cells in sight.
OUTCOME = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.toJSON());
    const begins = word => ({ data }) => [data?.["text/plain"]].flat().join("").startsWith(word);
    const outputs = cells.map(cell => cell.outputs ?? []);
    return {
        waiting: cells.filter(cell => cell.cell_type === "code" && !cell.execution_count).length,
        errors: outputs.flat().filter(output => output.output_type === "error").map(output => output.evalue),
        explorers: outputs.flatMap((some, index) => some.some(begins("Explorer: ")) ? [index] : []),
        forms: outputs.flatMap((some, index) => some.some(begins("Form: ")) ? [index] : []),
    };
}"""
# The evening ends: save, stop the kernel, close; the next day begins with the file.
NEXT_DAY = """async path => {
    const { commands, shell } = window.jupyterapp;
    await commands.execute("docmanager:save");
    const before = shell.currentWidget;
    await before.sessionContext.shutdown();
    before.dispose();
    const panel = await commands.execute("docmanager:open", { path });
    await panel.context.ready;
    await panel.sessionContext.ready;
}"""
SCROLL = "index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index)"
# Whether a panel shows a state: its picture, its numbers, also in the picture's name, and its sliders.
SHOWS = """([panel, picture, readouts, sliders]) => {
    const image = panel.querySelector("img");
    const rows = [...panel.querySelectorAll("tr")].map(row => [...row.cells].map(cell => cell.textContent));
    const places = [...panel.querySelectorAll("[role=slider]")].map(slider => +slider.ariaValueNow);
    return image.src === picture
        && JSON.stringify([rows, places]) === JSON.stringify([readouts, sliders])
        && readouts.every(([name, text]) => image.title.includes(`${name}: ${text}`));
}"""


@contextlib.contextmanager
def jupyter_lab(folder, home):
    """Run a server on a free local port, with settings of its own; yield what it writes about itself."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(NO_NEWS))
    shutil.copytree(INSTALLED / "etc" / "jupyter", home / "config")
    places = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    environment = {f"JUPYTER_{key}": str(home / place) for key, place in places.items()}
    environment |= {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += ["--ServerApp.port=0", "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}"]
    log = home / "log.txt"
    with log.open("w") as stream:
        server = subprocess.Popen(command, env=os.environ | environment, stdout=stream, stderr=stream)
        try:
            yield wait_for_server(server, home / "runtime", log), log
        finally:
            server.terminate()
            server.wait(SECONDS)


def wait_for_server(server, runtime, log):
    """Return the address and token once the server has written them down."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(StopIteration, json.JSONDecodeError):
            return json.loads(next(runtime.glob("jpserver-*.json")).read_text())
        time.sleep(0.05)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    for path in lessons.PATHS:
        shutil.copy(path, folder)
    with jupyter_lab(folder, tmp_path_factory.mktemp("lab")) as (server, log):
        yield server, log


@pytest.fixture(scope="module")
def opened(browser, lab):
    """A page with JupyterLab, and the list of its complaints and of requests that leave the machine."""
    server, _ = lab
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(SECONDS * 1000)
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    def stay_local(route):
        if route.request.url.startswith((server["url"], "data:", "blob:")):
            route.continue_()
        else:
            problems.append(f"request to {route.request.url}")
            route.abort()

    page.route("**/*", stay_local)
    page.goto(f"{server['url']}doc?token={server['token']}&reset")
    page.wait_for_function("window.jupyterapp?.restored")
    page.evaluate("window.jupyterapp.restored")
    yield page, problems
    page.close()


@pytest.fixture
def page(opened):
    """The page; a test fails on any complaint in its time."""
    page, problems = opened
    problems.clear()
    yield page
    assert not problems


def shows(page, panel, explorer, position, name):
    """Wait until the kernel has answered with this state, which is drawn here a second time."""
    png, readouts = explorer.cached_png(position)
    wanted = [data_url(png), list(readouts.items()), position]
    page.wait_for_function(SHOWS, arg=[panel.element_handle(), *wanted])
    folder = os.environ.get("HEDGELAB_SCREENSHOTS")
    if folder:
        panel.screenshot(path=Path(folder) / f"{name}-{'-'.join(map(str, position))}.png")


def tells(page, panel, explorer):
    """Each handle has the name and the value that its slider shows, and the panel tells what Python tells."""
    for slider, control in zip(panel.get_by_role("slider").all(), explorer.controls.values(), strict=True):
        named = "([handle, name, text]) => handle.ariaLabel === name && handle.ariaValueText === text"
        wanted = [slider.element_handle(), control.label, control.texts[control.start_index]]
        page.wait_for_function(named, arg=wanted)
    panel.get_by_role("button", name="Tell").click()
    said = panel.locator(".hedgelab-said [aria-live=polite]")
    spoken = "([said, sentence]) => said.textContent === sentence"
    page.wait_for_function(spoken, arg=[said.element_handle(), explorer.tell(next(iter(explorer.controls)))])


def plays(page, panel, explorer):
    """The slider moved last is heard as long as it has values, listed, and moved to its end by a button."""
    *_, control = explorer.controls.values()
    slider = panel.get_by_role("slider").last
    panel.get_by_role("button", name="Listen").click()
    heard = "([panel, seconds]) => Math.abs(panel.querySelector('audio')?.duration - seconds) < 0.1"
    page.wait_for_function(heard, arg=[panel.element_handle(), told.STEP * len(control.values)])
    panel.get_by_role("button", name="Table").click()
    panel.get_by_role("button", name="Copy the table").click()
    copied = page.evaluate("getSelection().toString()")
    assert all(text in copied for text in control.texts)
    panel.get_by_role("button", name="Play").click()
    end = "([slider, text]) => slider.ariaValueText === text"
    page.wait_for_function(end, arg=[slider.element_handle(), control.texts[-1]])


def start_but(explorer, number, index):
    """The start with one slider elsewhere."""
    return (*explorer.start[:number], index, *explorer.start[number + 1 :])


def walk(explorer, number, to_the_ends=False):
    """Keys for one slider and where they lead: a step on that changes the picture, and back to the start.

    To both ends in their turn where a step changes nothing, or if that is wanted.
    """
    start, last = explorer.start[number], len(list(explorer.controls.values())[number].values) - 1
    still = explorer.cached_png(explorer.start)[0]
    for key, index, back in (("ArrowRight", start + 1, "ArrowLeft"), ("ArrowLeft", start - 1, "ArrowRight")):
        if to_the_ends or not 0 <= index <= last:
            continue
        if explorer.cached_png(start_but(explorer, number, index))[0] != still:
            return [([key], index), ([back], start)]
    return [(["End"], last), (["Home"], 0), (["ArrowRight"] * start, start)]


def form_in_one_view(page, cell):
    """At both sizes a field is changed, and picture, order and complaint are in sight without scrolling."""
    before = page.viewport_size
    for width, height, leverage in ((1440, 900, "2"), (1024, 768, "4")):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(SCROLL, cell)
        form = page.locator(".hl-form")
        form.evaluate("form => form.scrollIntoView({ block: 'start' })")
        for text, answer in (("0,5", "write 0.5, with a point"), (leverage, f"{leverage}x isolated")):
            field = form.get_by_label("Leverage").first
            field.fill(text)
            field.press("Enter")
            told = form.locator(".hl-lines").get_by_text(answer).first
            told.wait_for()
            for seen in (field, told, *([form.locator(".hl-prices")] if text == leverage else [])):
                while (box := seen.bounding_box()) is None:
                    seen.wait_for()  # it is written again while it is looked at
                assert box["y"] >= 0 and box["y"] + box["height"] <= height, (width, text)
                assert box["x"] >= 0 and box["x"] + box["width"] <= width, (width, text)
    page.set_viewport_size(before)


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_notebook_runs_and_its_sliders_move(path, page, lab):
    _, log = lab
    page.evaluate(RUN_ALL, path.name)
    page.wait_for_function(f"() => ({OUTCOME})().waiting === 0")
    page.get_by_text("| Idle").wait_for()
    outcome = page.evaluate(OUTCOME)
    assert outcome["errors"] == []
    explorers = lessons.run(path).explorers
    for cell, explorer in zip(outcome["explorers"], explorers, strict=True):
        page.evaluate(SCROLL, cell)
        panel = page.locator(f'[data-windowed-list-index="{cell}"] .widget-vbox')
        panel.locator("img").wait_for()
        name = f"{path.stem}-{cell}"
        shows(page, panel, explorer, explorer.start, name)
        tells(page, panel, explorer)
        if explorer is explorers[0] and path in lessons.PATHS[:2]:
            found = Axe().run(
                page, context=f'[data-windowed-list-index="{cell}"] .widget-vbox', options=RULES
            )
            assert not found.response["violations"], found.generate_report()
        for number in range(panel.get_by_role("slider").count()):
            for keys, index in walk(explorer, number, to_the_ends=path == lessons.PATHS[0]):
                for key in keys:
                    panel.get_by_role("slider").nth(number).press(key)
                shows(page, panel, explorer, start_but(explorer, number, index), name)
        if path == lessons.PATHS[0]:
            plays(page, panel, explorer)
    for cell in outcome["forms"]:
        form_in_one_view(page, cell)
    assert "Traceback" not in log.read_text()


def test_a_plan_prints_on_two_pages(browser):
    """One to act by, and its details behind: a plain plan, two with everything in them, a cross plan."""
    start = {"coins": 2.5, "cost": 30_000, "price": 60_000, "fall": 0.2, "leverage": 3, "ratio": 0.6}
    known = {"volatility": 0.5, "funding": 1e-5, "market": market.drawn({0: 60_000, 30: 80_000, 200: 60_000})}
    exits = {"take_profit": 0.1, "stop": 0.3, "reserve": 15_000, "band": 0.05}
    changes = {"reserve": 15_000}, known | exits, known | {"margin_from": "collateral", "stop": 0.3}
    closes = dict.fromkeys(("held_closes", "short_closes"), lessons.FOLDER / "example" / "closes.csv")
    short = {"short_price": 60_000, "reserve": 5_000, "days": 60, "band": 0.05}
    sheets = [planner.Worksheet(**start | change) for change in changes]
    page = browser.new_page()
    for sheet in (*sheets, planner.CrossWorksheet("ETH", 20, 3_000, **short | closes)):
        page.set_content(planner.page(sheet))
        assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))) == 2
    page.close()


def test_a_saved_notebook_shows_its_pictures_on_the_next_day(page, lab):
    server, _ = lab
    lesson = Path(server["root_dir"]) / "evening.ipynb"
    shutil.copy(lessons.PATHS[0], lesson)
    page.evaluate(RUN_ALL, lesson.name)
    page.wait_for_function(f"() => ({OUTCOME})().waiting === 0")
    page.get_by_text("| Idle").wait_for()
    cell = page.evaluate(OUTCOME)["explorers"][0]
    page.evaluate(SCROLL, cell)
    here = page.locator(f'.jp-CodeCell[data-windowed-list-index="{cell}"]')
    here.get_by_role("slider").first.wait_for()
    page.evaluate(NEXT_DAY, lesson.name)
    page.evaluate(SCROLL, cell)
    here.locator("img").wait_for()
    assert here.get_by_role("slider").count() == 0
    assert "Run All Cells" in here.inner_text()
    assert "model not found" not in page.locator("body").inner_text()
    explorer = lessons.run(lessons.PATHS[0]).explorers[0]
    for name, text in explorer.cached_png(explorer.start)[1].items():
        assert name in here.inner_text() and text in here.inner_text()
