"""Proves a built site: no page refers to another host, each link leads somewhere, each twin is its original.

The last needs Chromium: each explorer is moved to the sampled states and its picture is compared, pixel by
pixel, with the untouched SVG that matplotlib drew for that state.
"""

import io
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from bs4 import BeautifulSoup
from PIL import Image

from . import browser

MOST_DIFFERENT = 0.001  # of all pixels
SAME_COLOUR = (
    8  # levels of 255: what rounding to thousandths of a point does to smoothed edges mostly stays below
)
ADDRESSES = ("href", "src", "srcset", "action", "formaction", "data", "poster", "cite", "xlink:href")
FOREIGN_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s]+)")
PIXELS_WIDE = 900


def _elements(page):
    """Every address in a page: what refers, and where to."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for name in ADDRESSES:
        for element in soup.find_all(attrs={name: True}):
            yield element, element[name].strip()


def foreign_references(site):
    """List each reference of a page or style to another host, as a sentence."""
    problems = []
    for page in sorted(site.rglob("*.html")):
        problems += [
            f"{page.relative_to(site)} refers to another host: <{element.name}> {address[:120]}"
            for element, address in _elements(page)
            if re.match(r"(?:[a-z][a-z0-9+.]*:)?//|mailto:", address, re.IGNORECASE)
        ]
    for page in sorted([*site.rglob("*.html"), *site.rglob("*.css")]):
        for match in FOREIGN_STYLE.finditer(page.read_text(encoding="utf-8")):
            problems.append(f"{page.relative_to(site)} refers to another host: {match[1][:120]}")
    return problems


def broken_links(site):
    """List each link within the site that leads nowhere, as a sentence."""
    problems = []
    anchors = {}
    for page in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        anchors[page.resolve()] = {element["id"] for element in soup.find_all(id=True)}
    for page in sorted(site.rglob("*.html")):
        for element, address in _elements(page):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or element.name == "use":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
            missing = parts.fragment and target in anchors and parts.fragment not in anchors[target]
            if not target.exists() or missing:
                problems.append(f"{page.relative_to(site)} has a link that leads nowhere: {address}")
    return problems


def move(page, explorer, position):
    """Move the sliders of the explorer with this id as a reader does, by their input events."""
    page.evaluate(
        """([id, position]) => document.querySelectorAll(`#${id} input`).forEach((input, control) => {
            input.value = position[control];
            input.dispatchEvent(new Event("input", { bubbles: true }));
        })""",
        [explorer, position],
    )


def different_pixels(page, explorer, svg):
    """Return the share of pixels in which the picture of an explorer differs from an untouched SVG."""
    shots = []
    inner = f"#{explorer} .drawing"
    page.evaluate(
        """([id, width]) => {
            const drawing = document.querySelector(`#${id} .drawing`);
            drawing.style.cssText = `position: fixed; inset: 0 auto auto 0; z-index: 99; padding: 0;
                background: #fff; width: ${width}px`;
        }""",
        [explorer, PIXELS_WIDE],
    )
    shots.append(page.locator(inner).screenshot(animations="disabled"))
    page.evaluate(
        """([id, svg]) => {
            const drawing = document.querySelector(`#${id} .drawing`);
            drawing.kept = drawing.firstChild;
            const image = document.createElement("img");
            image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
            drawing.replaceChildren(image);
            return image.decode();
        }""",
        [explorer, svg],
    )
    shots.append(page.locator(inner).screenshot(animations="disabled"))
    page.evaluate(
        """(id) => {
            const drawing = document.querySelector(`#${id} .drawing`);
            drawing.replaceChildren(drawing.kept);
            drawing.style.cssText = "";
        }""",
        explorer,
    )
    pictures = [np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"), dtype=int) for shot in shots]
    if pictures[0].shape != pictures[1].shape:
        return 1.0
    return float(np.mean(np.abs(pictures[0] - pictures[1]).max(axis=-1) > SAME_COLOUR))


def different_pictures(chromium, site, lessons):
    """List each sampled state whose picture is not what matplotlib drew, as a sentence."""
    problems = []
    for lesson in lessons:
        page = browser.page(chromium, viewport={"width": 1000, "height": 800}, color_scheme="light")
        page.goto((Path(site).resolve() / f"{lesson.name}.html").as_uri())
        for number, explorer in enumerate(lesson.explorers, 1):
            for sample in explorer["samples"]:
                move(page, f"explorer-{number}", sample["position"])
                share = different_pixels(page, f"explorer-{number}", sample["svg"])
                if share > MOST_DIFFERENT:
                    problems.append(
                        f'{lesson.name}: explorer "{explorer["title"]}" at {sample["position"]} differs '
                        f"from matplotlib's in {share:.2%} of its pixels; {MOST_DIFFERENT:.1%} are accepted"
                    )
        page.context.close()
    return problems
