"""Time a slider in JupyterLab from key press to changed picture: an explorer against two references.

The references share notebook, kernel and page with the explorer: `ipywidgets.interact` around the same draw
function with pyplot, which is what a lesson would do without `Explorer`, and a slider whose callback only
writes its value into a label, which is the way to the kernel and back. The three take turns in rounds. Every
move goes one step on, to a state not seen before, so that nothing but drawing ahead can help. Two kinds of
moves count apart: the very first, cold, and the first of each later round, rested, with all drawn ahead.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from test_jupyterlab import OUTCOME, RUN_ALL, jupyter_lab

from tools.notebooks import NOTEBOOK_METADATA
from website import browser

DRAW = """\
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from hedgelib import figures, perpetual
from hedgelib.explorer import Choice, Explorer


def draw(fig, price, leverage):
    left, right = fig.subplots(1, 2, width_ratios=[2, 1])
    prices = np.linspace(40_000, 80_000, 81)
    coin, short = perpetual.pnl(1, 60_000, prices, side=1), perpetual.pnl(0.5, 60_000, prices)
    series = {"coin": coin, "short": short, "together": coin + short}
    readouts = figures.payoff(left, prices, series, at=price, ylim=(-21_000, 21_000))
    margin = perpetual.initial_margin(0.5, 60_000, leverage)
    figures.signed_bars(right, {"coin": price - 60_000, "margin": -margin}, xlabel="USDT", limit=65_000)
    return readouts"""
EXPLORER = """\
Explorer(
    draw,
    "Half a hedge",
    price=Choice("Price", range(40_000, 80_001, 1_000), format="{:,} USDT"),
    leverage=Choice("Leverage", (1, 2, 3), 2, "{}x"),
)"""
NAIVE = """\
@ipywidgets.interact(price=(40_000, 80_000, 1_000), leverage=(1, 3))
def show(price=40_000, leverage=2):
    draw(plt.figure(figsize=(9, 4)), price, leverage)
    plt.show()"""
BARE = """\
slider = ipywidgets.IntSlider(40_000, 40_000, 80_000, 1_000)
label = ipywidgets.Label()
label.add_class("answer")
slider.observe(lambda change: label.set_trait("value", f"{change.new} USDT"), "value")
ipywidgets.VBox([slider, label])"""
RIVALS = {"explorer": (1, "img"), "naive interact": (2, "img"), "bare label": (3, ".answer")}  # cell, answer
ROUNDS, MOVES = 3, 10
EVERY, REST = 350, 2500  # milliseconds from one answer to the next key press; before a round
# Promises the seconds from the next key press (its time stamp) until the answer is there, a picture decoded.
# The widget sets its picture again with every message, which cuts a decoding short: then the next one counts.
WATCH = """([cell, selector]) => {
    const look = () => {
        const answer = cell.querySelector(selector);
        return answer?.src ?? answer?.textContent;
    };
    const decoded = () => cell.querySelector(selector).decode?.().catch(decoded);
    const before = look();
    window.seconds = new Promise((resolve, reject) => {
        let pressed;
        const note = event => { pressed = event.timeStamp; };
        cell.addEventListener("keydown", note, { once: true, capture: true });
        const watcher = new MutationObserver(async () => {
            if (look() && look() !== before) {
                watcher.disconnect();
                await decoded();
                resolve((performance.now() - pressed) / 1000);
            }
        });
        watcher.observe(cell, { subtree: true, childList: true, characterData: true, attributes: true });
        setTimeout(reject, 30_000, new Error("the slider was not answered"));
    });
}"""


def move(page, rival):
    """Press a key on the first slider of `rival`; return the seconds until its answer has changed."""
    index, selector = RIVALS[rival]
    cell = page.locator(f'[data-windowed-list-index="{index}"]')
    page.evaluate(WATCH, [cell.element_handle(), selector])
    cell.get_by_role("slider").first.press("ArrowRight")
    seconds = page.evaluate("window.seconds")
    page.wait_for_timeout(EVERY)
    return seconds


def opened(chromium, server):
    """Return a page, tall enough for all cells, on which the notebook has run."""
    page = chromium.new_page(viewport={"width": 1280, "height": 2400})
    page.goto(f"{server['url']}doc?token={server['token']}&reset")
    page.wait_for_function("window.jupyterapp?.restored")
    page.evaluate("window.jupyterapp.restored")
    page.evaluate(RUN_ALL, "sliders.ipynb")
    page.wait_for_function(f"() => ({OUTCOME})().waiting === 0")
    page.get_by_text("| Idle").wait_for()
    errors = page.evaluate(OUTCOME)["errors"]
    if errors:
        raise RuntimeError(f"the notebook failed: {errors}")
    return page


def measure():
    """Return for each rival the seconds of its first and of its steady moves."""
    with tempfile.TemporaryDirectory() as name:
        folder, home = Path(name) / "notebooks", Path(name) / "lab"
        folder.mkdir()
        cells = [new_code_cell(source) for source in (DRAW, EXPLORER, NAIVE, BARE)]
        notebook = new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)
        nbformat.write(notebook, folder / "sliders.ipynb")
        first, steady = ({rival: [] for rival in RIVALS} for _ in range(2))
        with jupyter_lab(folder, home) as (server, _), browser.chromium() as chromium:
            page = opened(chromium, server)
            for turn in range(ROUNDS):
                order = list(RIVALS)
                for rival in order[turn:] + order[:turn]:
                    page.wait_for_timeout(REST)
                    first[rival].append(move(page, rival))
                    steady[rival] += [move(page, rival) for _ in range(MOVES)]
    return first, steady


def report(ratio, reference, goal):
    """Print one ratio of medians and whether its goal is reached."""
    verdict = "reached" if ratio <= goal else "MISSED"
    print(f"explorer / {reference:<16}{ratio:6.2f}  goal {goal:.2f}  {verdict}")
    return ratio <= goal


def main():
    """Measure, print, and return the exit status: 1 if a goal is missed."""
    first, steady = measure()
    print(f"key press to changed picture: {ROUNDS * MOVES} steady moves each, one step a time")
    print(f"{'milliseconds':<16}{'median':>8}{'p90':>8}{'cold':>8}{'rested':>8}")
    for rival, seconds in steady.items():
        cold, *rested = first[rival]
        numbers = median(seconds), quantiles(seconds, n=10)[-1], cold, median(rested)
        print(f"{rival:<16}" + "".join(f"{1000 * number:8.0f}" for number in numbers))
    ours, naive, bare = (median(seconds) for seconds in steady.values())
    return not all([report(ours / naive, "naive interact", 1 / 5), report(ours / bare, "bare label", 2)])


if __name__ == "__main__":
    sys.exit(main())
