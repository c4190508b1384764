"""How a draw function becomes a picture: one style, one way of rendering, and a text that tells what is seen.

A draw function puts axes into the `Figure` it is given and returns the readouts: the numbers of the
picture in words, ``{"Total P&L": "+5,000 USDT"}``. They become the text alternative of the picture.
"""

import base64
import contextlib
import functools
import html
import io
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.style
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from PIL import Image

from hedgelib import checks, told

# After Okabe and Ito (2008), two of them darkened to stand out 4:1 from white.
BLUE, VERMILION, BLACK = "#0072B2", "#D55E00", "#000000"
GREEN, PURPLE, GREY = "#008060", "#A4508B", "#666666"

# Each colour comes with a line style of its own, so that nothing is told by colour alone.
STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 10.5,
    "axes.prop_cycle": cycler(
        color=[BLUE, VERMILION, BLACK, GREEN, PURPLE, GREY],
        linestyle=["-", "--", "-", "-.", ":", (0, (6, 2, 1, 2, 1, 2))],
        linewidth=[2, 2, 3, 2, 2.4, 2],
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titley": 1.0,
    "font.size": 10,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "legend.fontsize": 10,
    "legend.framealpha": 0.9,
    "svg.fonttype": "path",
    "svg.hashsalt": "hedgelab",
}
PIXELS_PER_INCH = 100  # on screen; 10 point letters come out 14 pixels high
DPI = 144  # of the picture itself, sharp on dense screens
NOT_POSSIBLE = "Not possible"  # the readout of a state that its draw function refuses
NO_DATE = {"Creator": None, "Date": None, "Format": None, "Type": None}
_ALONE = threading.RLock()
_HYPHEN = re.compile(r"(?<!\w)-(?=[\d∞])")
_SIGN_OF_ZERO = re.compile(r"(?<![\w.])[+−-](?=0([.,]0*)?(?![\d.,]|e))")


@contextlib.contextmanager
def style():
    """Draw and render inside this context: matplotlib's defaults and the house style, no user settings.

    One thread at a time may be inside, as settings and canvas are shared: JupyterLab has sliders answered in
    another thread than cells.
    """
    with _ALONE, matplotlib.style.context(["default", STYLE]):
        yield


def checked_size(draw, title, size):
    """Return width and height in inches, if a picture can be asked for with these arguments."""
    checks.text("title", title)
    checks.kind(f'draw of "{title}"', draw, Callable, "a function that draws")
    inches = checks.number("size (inches)", size, at_least=0.5, at_most=50)
    if np.shape(inches) != (2,):
        raise ValueError(f"size must be width and height in inches, got {size!r}")
    return tuple(inches.tolist())


def checked_readouts(title, figure, readouts):
    """Return what a draw function returned, typeset, if it is a dict of texts and the figure has axes."""
    if not isinstance(readouts, dict) or not all(
        isinstance(part, str) for item in readouts.items() for part in item
    ):
        raise ValueError(
            f'the draw function of "{title}" must return its readouts as a dict of texts, '
            f'such as {{"Total P&L": "+5,000 USDT"}}, got {readouts!r}'
        )
    if not figure.axes:
        raise ValueError(f'the draw function of "{title}" must add axes to the figure it is given')
    return {name: typeset(text) for name, text in readouts.items()}


def typeset(text):
    """Return text with a true minus sign, no sign at zero and a space before %, as every number is shown.

    Examples
    --------
    >>> typeset("{:+.0%}".format(-0.25)), typeset("{:+d} bp".format(0))
    ('−25 %', '0 bp')
    """
    return re.sub(r"(?<=\d)%", " %", _HYPHEN.sub("−", _SIGN_OF_ZERO.sub("", text)))


def svg(figure):
    """Return `figure` as the text of an SVG, the same each time, without dates."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", dpi=72, metadata=NO_DATE)
    return stream.getvalue().decode()


def png(figure, dpi=DPI):
    """Return `figure` as the bytes of a PNG, the same each time, without dates; it is empty then.

    The picture has 256 colours, a quarter of the bytes of one in all colours; no colour is off by more than a
    shade. A figure that is not emptied keeps megabytes until Python's collector of cycles gets round to it.
    """
    figure.set_dpi(dpi)
    renderer, stream = _renderer(*figure.bbox.size, dpi), io.BytesIO()
    renderer.clear()
    figure.draw(renderer)
    for axes in figure.axes:
        figure.delaxes(axes)
    image = Image.fromarray(np.asarray(renderer.buffer_rgba())).convert("RGB")
    image.quantize(method=Image.Quantize.FASTOCTREE).save(stream, "png")
    return stream.getvalue()


@functools.lru_cache(1)
def _renderer(width, height, dpi):
    """Return a canvas of pixels, the same one while the size stays: it keeps the letters it has drawn."""
    return RendererAgg(int(width), int(height), dpi)


def data_url(png):
    """Return a PNG as an address that holds all of it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def alt_text(title, readouts):
    """Return the sentence that stands for a picture.

    Examples
    --------
    >>> alt_text("Full hedge", {"Spot P&L": "+10,000 USDT", "Short P&L": "−10,000 USDT"})
    'Full hedge. Spot P&L: +10,000 USDT; Short P&L: −10,000 USDT.'
    """
    listed = "; ".join(f"{name}: {text}" for name, text in readouts.items())
    return f"{title}. {listed}." if listed else f"{title}."


def image_html(png, alt, size):
    """Return an ``<img>`` that carries its picture and its text alternative in itself."""
    width, height = (round(inches * PIXELS_PER_INCH) for inches in size)
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
        f'style="max-width:100%;height:auto" src="{data_url(png)}">'
    )


def bundle(html, png, text):
    """Return the forms in which a picture is handed to a notebook, which shows the best it can."""
    return {"text/html": html, "image/png": base64.b64encode(png).decode(), "text/plain": text}


def readouts_html(readouts):
    """Return the readouts as a table with a header for each row."""
    close = "padding:1px 1.5em 1px 0;line-height:1.4;text-align:left"
    rows = "".join(
        f'<tr><th scope="row" style="{close}">{html.escape(name)}</th>'
        f'<td style="{close};font-variant-numeric:tabular-nums">{html.escape(text)}</td></tr>'
        for name, text in readouts.items()
    )
    return f"<table><tbody>{rows}</tbody></table>"


def sweep_html(label, texts, readouts):
    """Return the states of one control as a table with a row for each value.

    Only what changes is in it: what does not stands in the sentence that goes with it.

    Parameters
    ----------
    label : str
        What the control is called.
    texts : sequence of str
        How its values read.
    readouts : sequence of dict
        The readouts at each of them.
    """
    changing = [(name, column) for name, column in told.columns(readouts) if len(set(column)) > 1]
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in [label, *dict(changing)])
    rows = "".join(
        f'<tr><th scope="row">{html.escape(text)}</th>'
        + "".join(f"<td>{html.escape(column[place] or '')}</td>" for _, column in changing)
        + "</tr>"
        for place, text in enumerate(texts)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


@dataclass(frozen=True)
class Picture:
    """A picture with its text alternative, shown by any notebook viewer.

    HTML comes first, because JupyterLab shows a PNG without its text alternative; the PNG beside it is for
    viewers that take pictures out of HTML.
    """

    title: str
    png: bytes
    readouts: dict
    size: tuple = (9, 4)

    @property
    def alt(self):
        """The text alternative: the title and every readout."""
        return alt_text(self.title, self.readouts)

    def __repr__(self):
        """Show the text alternative."""
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        return bundle(image_html(self.png, self.alt, self.size), self.png, self.alt)


def picture(draw, title, *, size=(9, 4), **values):
    """Draw one static figure.

    Parameters
    ----------
    draw : callable
        ``draw(figure, **values)`` draws into the figure and returns its readouts, a dict of texts.
    title : str
        What the picture shows, in a few words; it opens the text alternative.
    size : (float, float)
        Width and height in inches, shown at 100 pixels an inch.
    **values
        Handed to `draw`.

    Examples
    --------
    >>> def draw(figure, price):
    ...     figure.subplots().plot([50_000, price], [10_000, 0])
    ...     return {"P&L at the end": "0 USDT"}
    >>> picture(draw, "Short of 1 BTC", price=60_000)
    Short of 1 BTC. P&L at the end: 0 USDT.
    """
    size = checked_size(draw, title, size)
    with style():
        figure = Figure(figsize=size, layout="constrained")
        readouts = checked_readouts(title, figure, draw(figure, **values))
        return Picture(title, png(figure), readouts, size)
