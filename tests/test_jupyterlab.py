"""Every notebook in a real JupyterLab in Chromium: run from the top, every slider moved by keyboard.

With ``HEDGELAB_SCREENSHOTS=folder`` each explorer is also saved there as a picture, at its start and at both
ends of each slider.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import lessons
import pytest

from hedgelib.rendering import data_url

pytestmark = pytest.mark.browser
SECONDS = 90
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
RUN_ALL = """async () => {
    const app = window.jupyterapp;
    await app.shell.currentWidget.sessionContext.ready;
    await app.commands.execute("notebook:run-all-cells");
}"""
# What is asked of the notebook's model rather than of the page, which holds only the cells in sight.
OUTCOME = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.toJSON());
    const isExplorer = ({ data }) => [data?.["text/plain"]].flat().join("").startsWith("Explorer: ");
    const outputs = cells.map(cell => cell.outputs ?? []);
    return {
        waiting: cells.filter(cell => cell.cell_type === "code" && !cell.execution_count).length,
        errors: outputs.flat().filter(output => output.output_type === "error").map(output => output.evalue),
        explorers: outputs.flatMap((some, index) => some.some(isExplorer) ? [index] : []),
    };
}"""
SCROLL = "index => window.jupyterapp.shell.currentWidget.content.scrollToItem(index)"
STATE = """panel => ({
    picture: panel.querySelector("img").src,
    name: panel.querySelector("img").title,
    readouts: [...panel.querySelectorAll("tr")].map(row => [...row.cells].map(cell => cell.textContent)),
    slider: [...panel.querySelectorAll("[role=slider]")].map(slider => slider.getAttribute("aria-valuenow")),
})"""

ANSWERED = f"""([panel, before]) => {{
    const now = ({STATE})(panel);
    return JSON.stringify(now.readouts) !== JSON.stringify(before.readouts)
        && now.readouts.every(([name, text]) => now.name.includes(`${{name}}: ${{text}}`));
}}"""

BACK = f"([panel, first]) => JSON.stringify(({STATE})(panel).readouts) === JSON.stringify(first.readouts)"


@contextlib.contextmanager
def jupyter_lab(folder, home):
    """Run a server on a free local port, with settings of its own; yield what it writes about itself."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(NO_NEWS))
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


@pytest.fixture
def page(browser, lab):
    """A page that fails its test on any message of an error, and on any request that leaves the machine."""
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
    yield page
    page.close()
    assert not problems


def state(panel):
    return panel.evaluate(STATE)


def screenshot(panel, name):
    folder = os.environ.get("HEDGELAB_SCREENSHOTS")
    if folder:
        panel.screenshot(path=Path(folder) / f"{name}.png")


def move(page, panel, number, key, name):
    """Press `key` in a slider and return the state once the kernel has answered."""
    before = state(panel)
    panel.get_by_role("slider").nth(number).press(key)
    page.wait_for_function(ANSWERED, arg=[panel.element_handle(), before])
    screenshot(panel, f"{name}-{number}-{key}")
    return state(panel)


def there_and_back(page, panel, number, name, explorer):
    """Move a slider to both ends, where the picture must be another and the right one, and back."""
    slider = panel.get_by_role("slider").nth(number)
    start, last = (int(float(slider.get_attribute(f"aria-value{name}"))) for name in ("now", "max"))
    first = state(panel)
    # The nearer end comes second, for the shorter way back, by five steps and by one.
    down, up = ("PageDown", "ArrowLeft"), ("PageUp", "ArrowRight")
    keys, (far, near) = (("Home", "End"), down) if 2 * start > last else (("End", "Home"), up)
    ends = [move(page, panel, number, key, name) for key in keys]
    assert {end["slider"][number] for end in ends} == {"0.0", f"{last}.0"}
    pages, steps = divmod(min(start, last - start), 5)
    for key in [far] * pages + [near] * steps:
        slider.press(key)
    page.wait_for_function(BACK, arg=[panel.element_handle(), first])
    assert len({seen["picture"] for seen in (first, *ends)}) > 1, f"slider {number} does not change {name}"
    for end in ends:
        position = tuple(int(float(place)) for place in end["slider"])
        assert end["picture"] == data_url(explorer.png(position)[0]), (name, explorer.values(position))


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_notebook_runs_and_its_sliders_move(path, page, lab):
    server, log = lab
    page.goto(f"{server['url']}doc/tree/{path.name}?token={server['token']}&reset")
    page.get_by_text("| Idle").wait_for()
    page.evaluate(RUN_ALL)
    page.wait_for_function(f"() => ({OUTCOME})().waiting === 0")
    page.get_by_text("| Idle").wait_for()
    outcome = page.evaluate(OUTCOME)
    assert outcome["errors"] == []
    explorers = lessons.run(path).explorers
    for index, explorer in zip(outcome["explorers"], explorers, strict=True):
        page.evaluate(SCROLL, index)
        panel = page.locator(f'[data-windowed-list-index="{index}"] .widget-vbox')
        panel.locator("img").wait_for()
        name = f"{path.stem}-{index}"
        screenshot(panel, f"{name}-start")
        for number in range(panel.get_by_role("slider").count()):
            there_and_back(page, panel, number, name, explorer)
    assert "Traceback" not in log.read_text()
