"""Proves a built site: no page loads from another host, each link leads somewhere, each twin is its original.

The last needs Chromium: each explorer is moved to the sampled states and its picture is compared, pixel by
pixel, with the untouched SVG that matplotlib drew for that state.
"""

import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from PIL import Image

from . import browser

MOST_DIFFERENT = 0.001  # of all pixels
SAME_COLOUR = (
    8  # levels of 255: what rounding to thousandths of a point does to smoothed edges mostly stays below
)
ADDRESSES = ("href", "src", "srcset", "action", "formaction", "data", "poster", "cite", "xlink:href")
FOREIGN = re.compile(r"([a-z][a-z0-9+.]*:)?//|mailto:", re.IGNORECASE)
FOREIGN_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s]+)")
PIXELS_WIDE = 900


class _Page(HTMLParser):
    """What a page refers to, each with its element, and the ids in it."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.addresses = path, set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            elif name in ADDRESSES and tag != "use" and ("rel", "canonical") not in attributes:
                self.addresses.append((tag, (value or "").strip()))


def wrong_references(site):
    """List, as sentences, what refers to another host or leads nowhere within the site."""
    pages = {path.resolve(): _Page(path) for path in sorted(site.rglob("*.html"))}
    problems = []
    for path, page in pages.items():
        name = page.path.relative_to(site)
        for tag, address in page.addresses:
            parts = urlsplit(address)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if tag == "a" and parts.scheme == "https":
                continue  # a reader may follow it; the page itself loads nothing
            if FOREIGN.match(address):
                problems.append(f"{name} refers to another host: <{tag}> {address[:120]}")
            elif not parts.scheme and not (target.exists() and parts.fragment in _anchors(pages.get(target))):
                problems.append(f"{name} has a link that leads nowhere: {address}")
    for path in sorted([*site.rglob("*.html"), *site.rglob("*.css")]):
        for match in FOREIGN_STYLE.finditer(path.read_text(encoding="utf-8")):
            problems.append(f"{path.relative_to(site)} refers to another host: {match[1][:120]}")
    return problems


def _anchors(page):
    """Where a link into a page may lead: its beginning or any id."""
    return {""} | (page.ids if page else set())


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


def digest(lesson):
    """Return a digest of all that the pictures of a lesson depend on; the same one needs no new proof."""
    ours = [Path(__file__), *sorted((Path(__file__).parent / "static").glob("*.[cj]s*"))]
    parts = [*lesson.figures, *(path.read_text(encoding="utf-8") for path in ours)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


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
