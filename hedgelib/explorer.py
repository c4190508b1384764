"""Explorers: sliders joined to one draw function, live in JupyterLab and still in every other viewer.

`Choice` is a control and its values. `Explorer` knows every state: its values, figure, readouts, PNG and SVG.
Its live form is the `Panel`, which alone needs widgets and is loaded when it is shown.
"""

import functools
import html
import itertools
import math
import random
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from hedgelib import checks, rendering, told
from hedgelib.rendering import NOT_POSSIBLE, typeset

__all__ = ["Choice", "Explorer"]

MOST_STATES = 600
MOST_CORNERS = 8  # measured to place the axes; all of them with up to three controls
KEPT_PICTURES = 64


@dataclass(frozen=True)
class Choice:
    """A control: the values it can take and how they read.

    Parameters
    ----------
    label : str
        What the control is called, with its unit where the values do not show it.
    values : sequence
        The values in the order of the slider.
    start : optional
        The value at the start, the first one if not given.
    format : str or callable
        How a value reads: a format such as ``"{:,.0f} USDT"`` or a function from value to text.

    Examples
    --------
    >>> choice = Choice("Price of BTC", range(50_000, 70_001, 10_000), start=60_000, format="{:,} USDT")
    >>> choice.texts, choice.start_index
    (('50,000 USDT', '60,000 USDT', '70,000 USDT'), 1)
    """

    label: str
    values: tuple
    start: object = None
    format: str | Callable = str

    def __post_init__(self):
        """Check the values and find the start among them."""
        if not checks.text("label of a Choice", self.label).strip():
            raise ValueError("label of a Choice must not be empty")
        checks.kind(f"format of {self.label!r}", self.format, str | Callable, "a text or a function")
        try:
            given = self.values.tolist() if isinstance(self.values, np.ndarray) else self.values
            values = tuple(itertools.islice(given, MOST_STATES + 1))
        except TypeError:
            raise ValueError(f"values of {self.label!r} must be a sequence, got {self.values!r}") from None
        if not 1 <= len(values) <= MOST_STATES:
            got = "none" if not values else "more"
            raise ValueError(f"values of {self.label!r} must be 1 to {MOST_STATES} values, got {got}")
        same = [value for value in values if self.start is None or _is_meant(value, self.start)]
        if not same:
            got = checks.shown(self.start)
            raise ValueError(f"start of {self.label!r} must be one of its values, got {got}")
        checks.assign(self, values=values, start=same[0])
        if len(set(self.texts)) < len(values):
            raise ValueError(f"values of {self.label!r} must read differently, got {', '.join(self.texts)}")

    @functools.cached_property
    def texts(self):
        """How each value reads."""
        if not isinstance(self.format, str):
            return tuple(str(self.format(value)) for value in self.values)
        try:
            return tuple(typeset(self.format.format(value)) for value in self.values)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f"format {self.format!r} cannot write the values of {self.label!r}: {error}"
            ) from None

    @property
    def start_index(self):
        """Position of the start among the values."""
        return self.values.index(self.start)


def _is_meant(value, start):
    """Tell whether a value is the one meant by `start`: equal, or another float of the same number."""
    if isinstance(value, float) and isinstance(start, int | float):
        return math.isclose(value, start, abs_tol=1e-12)
    try:
        return bool(value == start)
    except (TypeError, ValueError):  # of an array, or of a missing value
        return False


class Explorer:
    """Sliders joined to one draw function.

    Parameters
    ----------
    draw : callable
        ``draw(figure, **values)`` draws into the figure and returns its readouts, a dict of texts. It draws
        the same number of axes in every state. A ``ValueError`` it raises is shown in place of the picture.
    title : str
        What is explored, in a few words.
    size : (float, float)
        Width and height of the picture in inches, shown at 100 pixels an inch.
    **controls : Choice
        One for each argument of `draw`.

    Examples
    --------
    >>> def draw(figure, price):
    ...     figure.subplots().bar(["Spot", "Short"], [price - 60_000, 60_000 - price])
    ...     return {"Spot P&L": f"{price - 60_000:+,} USDT"}
    >>> explorer = Explorer(draw, "Full hedge", price=Choice("Price (USDT)", [50_000, 60_000, 70_000]))
    >>> print(explorer.text)
    Explorer: Full hedge
      Price (USDT): 50000 (3 steps from 50000 to 70000)
      Spot P&L: −10,000 USDT

    Everything about a state is found by its position, one index for each control:

    >>> explorer.values((2,)), explorer.svg((2,))[1]
    ({'price': 70000}, {'Spot P&L': '+10,000 USDT'})

    A slider can be told instead of moved:

    >>> print(explorer.tell("price"))
    Price (USDT) from 50000 to 70000: spot P&L rises from −10,000 to +10,000 USDT.
    """

    def __init__(self, draw, title, *, size=(9, 4), **controls):
        """Check the controls; nothing is drawn yet."""
        size = rendering.checked_size(draw, title, size)
        if not controls or not all(isinstance(control, Choice) for control in controls.values()):
            raise ValueError(f'explorer "{title}" must have at least one control, and each must be a Choice')
        counts = {name: len(control.values) for name, control in controls.items()}
        states = math.prod(counts.values())
        if states > MOST_STATES:
            listed = " × ".join(f"{name} {count}" for name, count in counts.items())
            raise ValueError(
                f'explorer "{title}" has {states:,} states ({listed}); '
                f"at most {MOST_STATES} are accepted, so give its controls fewer values"
            )
        self.draw, self.title, self.size, self.controls = draw, title, size, controls
        self.cached_png = functools.lru_cache(KEPT_PICTURES)(self.png)
        self._known = {}  # readouts of each state that was drawn

    @property
    def start(self):
        """Position of the start state."""
        return tuple(control.start_index for control in self.controls.values())

    def positions(self):
        """Every position, the last control moving fastest."""
        return list(itertools.product(*(range(len(control.values)) for control in self.controls.values())))

    def values(self, position):
        """Return what `draw` is called with at `position`."""
        chosen = zip(self.controls.items(), self._checked(position), strict=True)
        return {name: control.values[index] for (name, control), index in chosen}

    def figure(self, position, sheet=None):
        """Draw one state and return its figure and readouts.

        A state that `draw` refuses with a ``ValueError`` shows the reason, and its only readout is
        "Not possible"; refused at the start, the error is raised.

        Parameters
        ----------
        position : tuple of int
            One index for each control.
        sheet : Figure, optional
            An empty figure of this size to draw on.
        """
        position = self._checked(position)
        if sheet is not None:
            checks.kind("sheet", sheet, Figure, "an empty figure of matplotlib")
        with rendering.style():
            figure, readouts = self._draw(position, sheet or Figure(figsize=self.size))
            if figure is None:
                figure = self._notice(readouts[NOT_POSSIBLE])
            if len(figure.axes) != len(self._places):
                raise ValueError(
                    f'explorer "{self.title}" must draw the same number of axes in every state: '
                    f"{len(figure.axes)} at {self.values(position)}, {len(self._places)} at the start"
                )
            _freeze(figure, self._places)
        self._known[position] = readouts
        return figure, readouts

    def sweep(self, name, position=None):
        """Return the readouts at every value of one control.

        Parameters
        ----------
        name : str
            The control.
        position : tuple of int, optional
            Where the other controls stand, at the start if not given.
        """
        names = list(self.controls)
        if name not in names:
            raise ValueError(
                f'explorer "{self.title}" has no control {name!r}: name one of {", ".join(names)}'
            )
        position, place = self._checked(self.start if position is None else position), names.index(name)
        states = []
        for index in range(len(self.controls[name].values)):
            state = (*position[:place], index, *position[place + 1 :])
            if state not in self._known:
                with rendering.style():
                    self._known[state] = self._draw(state, Figure(figsize=self.size))[1]
            states.append(self._known[state])
        return states

    def tell(self, name, position=None):
        """Return one sentence on what a control does over all its values; arguments as of `sweep`."""
        readouts, control = self.sweep(name, position), self.controls[name]
        return told.sentence(control.label, control.texts, readouts)

    @functools.cached_property
    def weightiest(self):
        """Name of the control that moves the readouts most, from the start."""
        names = list(self.controls)
        return names[told.weightiest([self.sweep(name) for name in names])]

    def png(self, position, dpi=rendering.DPI):
        """Return the picture of a state as PNG bytes, and its readouts."""
        figure, readouts = self.figure(position)
        with rendering.style():
            return rendering.png(figure, dpi), readouts

    def svg(self, position):
        """Return the picture of a state as SVG text, and its readouts."""
        figure, readouts = self.figure(position)
        with rendering.style():
            return rendering.svg(figure), readouts

    def alt(self, readouts):
        """Return the text that stands for the picture with these readouts."""
        return rendering.alt_text(self.title, readouts)

    @property
    def text(self):
        """Title, controls with their ranges, and the readouts of the start state: the same in every run."""
        lines = [f"Explorer: {self.title}"]
        for control, index in zip(self.controls.values(), self.start, strict=True):
            texts = control.texts
            span = f"{len(texts)} steps from {texts[0]} to {texts[-1]}" if texts[1:] else "one value"
            lines.append(f"  {control.label}: {texts[index]} ({span})")
        lines += [f"  {name}: {text}" for name, text in self.cached_png(self.start)[1].items()]
        return "\n".join(lines)

    @property
    def still(self):
        """The start state as HTML: title, picture with its text alternative, and readouts."""
        png, readouts = self.cached_png(self.start)
        caption = f"<figcaption><strong>{html.escape(self.title)}</strong></figcaption>"
        image = rendering.image_html(png, self.alt(readouts), self.size)
        return f"<figure>{caption}{image}{rendering.readouts_html(readouts)}</figure>"

    def widget(self):
        """Return the live panel: sliders, picture and readouts."""
        from hedgelib.panel import Panel  # the first widget that is shown loads ipywidgets

        return Panel(self)

    def _repr_mimebundle_(self, include=None, exclude=None):
        png, _ = self.cached_png(self.start)
        return self.widget()._repr_mimebundle_() | rendering.bundle(self.still, png, self.text)

    def _checked(self, position):
        """Return a position as a tuple, if there is such a state."""
        counts = [len(control.values) for control in self.controls.values()]
        if (
            not isinstance(position, tuple | list)
            or len(position) != len(counts)
            or not all(
                type(index) is int and 0 <= index < count
                for index, count in zip(position, counts, strict=True)
            )
        ):
            raise ValueError(f'explorer "{self.title}" has no state at {position!r}')
        return tuple(position)

    def _draw(self, position, figure):
        """Draw a state on an empty figure, return it and the readouts; no figure if `draw` refuses it."""
        try:
            readouts = self.draw(figure, **self.values(position))
        except ValueError as error:
            if position == self.start:
                raise
            return None, {NOT_POSSIBLE: str(error)}
        return figure, rendering.checked_readouts(self.title, figure, readouts)

    def _notice(self, reason):
        """Return a figure that tells why `draw` refuses a state, on as many axes as the others have."""
        figure = Figure(figsize=self.size)
        for _ in self._places:
            figure.add_axes((0, 0, 1, 1)).set_axis_off()
        message = textwrap.fill(f"{NOT_POSSIBLE}: {reason}", 60)
        figure.text(0.5, 0.5, message, ha="center", va="center", size=12)
        return figure

    @functools.cached_property
    def _places(self):
        """Places of axes and labels with room for those of every corner state: nothing jumps on a move."""
        ends = (dict.fromkeys((0, len(control.values) - 1)) for control in self.controls.values())
        corners = list(itertools.product(*ends))
        some = random.Random(0).sample(corners, min(MOST_CORNERS, len(corners)))
        seen = []
        for position in [self.start, *some]:
            figure, _ = self._draw(position, Figure(figsize=self.size, layout="constrained"))
            if figure is not None:
                seen.append(_measured(figure))
                figure.clear()  # its text keeps the pixels that it was measured on
        return _common([each for each in seen if len(each) == len(seen[0])])


def _measured(figure):
    """Return the places of all axes of a figure in constrained layout, shape (axes, 6), parts of its size.

    Left, bottom, right and top of the box; how far the y label stands left of it, the x label below it.
    """
    figure.get_layout_engine().execute(figure)
    to_figure = figure.transFigure.inverted()
    places = []
    for axes in figure.axes:
        axes.get_tightbbox()  # moves the labels to where they belong
        box = axes.get_position()
        corner = axes.yaxis.label.get_position()[0], axes.xaxis.label.get_position()[1]
        left, bottom = to_figure.transform(corner)
        places.append([*box.extents, box.x0 - left, box.y0 - bottom])
    return np.array(places)


def _common(all_places):
    """Return places with room for what any of these states shows: the smallest box, the widest gaps."""
    each = np.array(all_places)
    return np.hstack([each[..., :2].max(axis=0), each[..., 2:4].min(axis=0), each[..., 4:].max(axis=0)])


def _freeze(figure, places):
    """Put the axes of a figure, and labels on their left and below them, to these places."""
    for axes, (left, bottom, right, top, beside, below) in zip(figure.axes, places, strict=True):
        axes.set_position((left, bottom, right - left, top - bottom))
        if axes.yaxis.label_position == "left":
            axes.yaxis.set_label_coords(left - beside, (bottom + top) / 2, figure.transFigure)
        if axes.xaxis.label_position == "bottom":
            axes.xaxis.set_label_coords((left + right) / 2, bottom - below, figure.transFigure)
