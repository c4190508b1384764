"""Time and weigh a lesson page of the site: one explorer of 561 states, two axes, three controls.

Three questions, each answered against a reference in the same run: how large is the page and when is it
ready, against an empty page; how long from a key press on a slider to the painted picture, against a slider
whose handler does nothing, on the same page; how large is the explorer, against its states as lossless WebP.
"""

import io
import sys
import tempfile
from pathlib import Path
from statistics import median

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from website import browser
from website.build import build

LESSON = """\
import numpy as np
from hedgelib import figures, perpetual
from hedgelib.explorer import Choice, Explorer


def draw(fig, ratio, price, leverage):
    left, right = fig.subplots(1, 2, width_ratios=[2, 1])
    prices = np.linspace(40_000, 80_000, 81)
    coin, short = perpetual.pnl(1, 60_000, prices, side=1), perpetual.pnl(max(ratio, 1e-9), 60_000, prices)
    series = {"coin": coin, "short": short, "together": coin + short}
    readouts = figures.payoff(left, prices, series, at=price, ylim=(-21_000, 21_000))
    margin = perpetual.initial_margin(max(ratio, 1e-9), 60_000, leverage)
    figures.signed_bars(right, {"coin": price - 60_000, "margin": -margin}, xlabel="USDT", limit=65_000)
    return readouts | {"Margin": figures.usdt(margin, signed=False)}


explorer = Explorer(
    draw,
    "A hedge of one coin",
    ratio=Choice("Hedge ratio", [step / 10 for step in range(11)], 0.5, "{:.0%}"),
    price=Choice("Price at the end", range(40_000, 80_001, 2_500), 60_000, "{:,} USDT"),
    leverage=Choice("Leverage", (1, 2, 3), 2, "{}x"),
)
explorer"""
PROSE = "# A hedge\n\nA lesson with a formula: $h^* = \\rho\\,\\sigma_S / \\sigma_F$.\n\nMinutes: 1"
LOADS, KEYS, EVERY = 7, 60, 5
FRAME = 1 / 60
READY = """async () => {
    await document.fonts.ready;
    await new Promise(requestAnimationFrame);
    return performance.now() / 1000;
}"""
# From the time stamp of a key press to the start of the frame after the one that shows its effect.
WATCH = """slider => {
    window.seconds = [];
    slider.addEventListener("keydown", event => {
        requestAnimationFrame(() => requestAnimationFrame(() =>
            window.seconds.push((performance.now() - event.timeStamp) / 1000)));
    });
}"""
EMPTY = """() => {
    const slider = Object.assign(document.createElement("input"), { type: "range", max: 100, id: "empty" });
    slider.addEventListener("input", () => {});
    document.querySelector("main").prepend(slider);
}"""


def ready(chromium, path):
    """Return the median time in seconds until a page is drawn, formulas included."""
    seconds = []
    for _ in range(LOADS):
        page = browser.page(chromium)
        page.goto(path.as_uri())
        seconds.append(page.evaluate(READY))
        page.context.close()
    return median(seconds)


def key_to_paint(page, slider):
    """Return the median time in seconds from a key press on a slider to the frame after its effect."""
    slider.evaluate(WATCH)
    slider.press("Home")
    for press in range(KEYS):
        slider.press("ArrowRight" if press // 10 % 2 == 0 else "ArrowLeft")
        page.wait_for_function("pressed => window.seconds.length > pressed", arg=press)
    return median(page.evaluate("window.seconds"))


def webp(explorer):
    """Return the bytes of all states as lossless WebP of 900 × 400 pixels, estimated from one in `EVERY`."""
    sizes = []
    for position in explorer.positions()[::EVERY]:
        stream = io.BytesIO()
        Image.open(io.BytesIO(explorer.png(position, dpi=100)[0])).convert("RGB").save(
            stream, "webp", lossless=True
        )
        sizes.append(stream.tell())
    return sum(sizes) / len(sizes) * len(explorer.positions())


def report(name, value, unit, ratio, reference, reached):
    """Print one line: the value, the ratio to the reference, and whether the target is reached."""
    print(
        f"{name:<18}{value:>8.3f} {unit:<3}{ratio:>8.2f} {reference:<34}{'reached' if reached else 'MISSED'}"
    )
    return reached


def main():
    """Build the lesson, measure, and return the exit status: 1 if a target is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "notebooks").mkdir()
        notebook = new_notebook(cells=[new_markdown_cell(PROSE), new_code_cell(LESSON)])
        nbformat.write(notebook, folder / "notebooks" / "00_hedge.ipynb")
        (lesson,) = build(folder / "notebooks", folder / "site", folder / "cache")
        namespace = {}
        exec(LESSON, namespace)
        frames = webp(namespace["explorer"])
        lesson_page, empty_page = folder / "site" / "00_hedge.html", folder / "empty.html"
        empty_page.write_text("<!DOCTYPE html><title>Empty</title>")
        with browser.chromium() as chromium:
            seconds, empty = ready(chromium, lesson_page), ready(chromium, empty_page)
            page = browser.page(chromium)
            page.goto(lesson_page.as_uri())
            page.evaluate(READY)
            page.evaluate(EMPTY)
            idle = key_to_paint(page, page.locator("#empty"))
            explored = key_to_paint(page, page.locator("#explorer-1 input").first)
        size, twin = lesson_page.stat().st_size, len(lesson.figures[0].encode())
    late = (explored - idle) / FRAME
    return not all(
        [
            report("page", size / 1e6, "MB", size / 1e6, "of 1 MB", size < 1e6),
            report("page ready", seconds, "s", seconds / empty, "times an empty page", seconds < 1.5),
            report("key to picture", explored, "s", late, "frames after an empty handler", late <= 2),
            report(
                "explorer", twin / 1e6, "MB", frames / twin, "times smaller than WebP", frames >= 10 * twin
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
