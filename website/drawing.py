"""What matplotlib draws, as a tree: what its SVG would say, without writing that text and reading it again.

One `Pen` draws all states of an explorer, so letters are measured and written down once, and parts that are
alike are one object: what two states share is found without a look at what is in it.
"""

import io
import xml.etree.ElementTree as ET

import numpy as np
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure

from .merge import KIND, ROOT, compact, kind, refer

CHANGING = dict, list, set, tuple, np.ndarray  # kinds of values that a drawing may change, or what is in them
TICKS = 8  # made beforehand on each axis; a drawing makes more where it needs them


class Pen(RendererSVG):
    """Draws the figures of one size, each as the tree that `merge.clean` makes of its SVG.

    Parameters
    ----------
    size : (float, float)
        Width and height of the figures in inches.
    definitions : merge.Definitions
        Takes what the pictures refer to: letters, markers, clip paths and hatches.
    """

    def __init__(self, size, definitions):
        """Draw nothing yet; what matplotlib writes at the head of a file goes nowhere."""
        self._sheet = tuple(72 * inches for inches in size)
        super().__init__(*self._sheet, io.StringIO())
        self._known, self._definitions, self._names, self._letters = {}, definitions, {}, {}

    def draw(self, figure):
        """Return the tree of a figure. What it refers to gets its name from `finish`."""
        self.writer = _Writer(self._known, self._define)
        figure.set_dpi(72)
        figure.draw(self)
        root = ET.Element("svg", {"viewBox": "0 0 {:g} {:g}".format(*self._sheet)}, **ROOT)
        root.extend(self.writer.top)
        return root

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        """Draw a text, as matplotlib calls it; its letters are written down once, and then moved."""
        if gc.get_clip_rectangle() or gc.get_clip_path()[0] or gc.get_url():
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        look = s, prop, angle, ismath, gc.get_rgb(), gc.get_alpha(), gc.get_forced_alpha()
        if look not in self._letters:
            page, self.writer = self.writer, _Writer(self._known, self._define)
            super().draw_text(gc, 0, 0, s, prop, angle, ismath, mtext)
            (self._letters[look],) = self.writer.top
            self.writer = page
        self.writer.move(self._letters[look], x, y)

    def finish(self):
        """Name all that the pictures refer to; clip paths and hatches are only now written."""
        self.writer = _Writer(self._known, self._define)
        self.finalize()
        for element in self._known.values():
            refer(element, self._names)

    def _define(self, name, element):
        self._names[name] = self._definitions.name(element)


class _Writer:
    """Takes the place of matplotlib's writer of XML: builds elements, those that are alike only once."""

    def __init__(self, known, define):
        self._known, self._define = known, define
        self._open = [("", {}, []), ("svg", {}, [])]

    @property
    def top(self):
        """What the whole consists of."""
        return self._open[1][-1]

    def start(self, tag, attrib=None, **extra):
        """Open an element; attributes without a value are left out."""
        written = {name: value for name, value in {**(attrib or {}), **extra}.items() if value}
        self._open.append((tag, compact(written), []))
        return len(self._open) - 2

    def end(self, tag=None, indent=True):
        """Close the element that was opened last."""
        tag, attributes, children = self._open.pop()
        above, _, beside = self._open[-1]
        identity = attributes.pop("id", None)
        if above == "defs":
            element = ET.Element(tag, attributes)
            element.extend(children)
            self._define(identity, element)
        elif tag != "defs":
            if identity:
                attributes[KIND] = kind(identity)
            beside.append(self._alike(tag, attributes, children))

    def element(self, tag, text=None, attrib=None, **extra):
        """Write an element without children."""
        self.start(tag, attrib, **extra)
        self.end()

    def move(self, element, x, y):
        """Write an element at another place."""
        place = f"translate({x:f} {y:f}) {element.get('transform')}"
        self._open[-1][-1].append(
            self._alike(element.tag, element.attrib | compact({"transform": place}), element)
        )

    def close(self, opened):
        """Close the elements from this one on."""
        while len(self._open) > opened + 1:
            self.end()

    def comment(self, comment):
        """Leave out what nobody sees."""

    def flush(self):
        """Nothing waits to be written."""

    def _alike(self, tag, attributes, children):
        """Return the one element that has this tag, these attributes and these children."""
        key = (tag, *attributes.items(), *map(id, children))
        if key not in self._known:
            element = self._known[key] = ET.Element(tag, attributes)
            element.extend(children)
        return self._known[key]


class Sheet:
    """A figure that many states are drawn on, one after the other, whose axes are made only once.

    To make axes and ticks takes as long as to draw them. Here they are put back, with all that belongs to
    them, to how they were when they had just been made.
    """

    def __init__(self, size):
        """Make an empty figure of this width and height in inches."""
        self._figure = Figure(figsize=size)
        self._make = self._figure.subplots
        self._figure.subplots = self._subplots
        self._empty, self._made = _Memory(self._figure), {}

    def empty(self):
        """Return the figure with nothing on it."""
        self._empty.recall()
        return self._figure

    def _subplots(self, *args, **kwargs):
        """Make axes as `Figure.subplots` does, or recall those that were made when it was last asked so."""
        if self._figure.axes:
            return self._make(*args, **kwargs)
        asked = repr((args, kwargs))
        if asked not in self._made:
            axes = self._make(*args, **kwargs)
            for each in self._figure.axes:
                each.xaxis.get_major_ticks(TICKS)
                each.yaxis.get_major_ticks(TICKS)
            self._made[asked] = axes, _Memory(self._figure)
        axes, memory = self._made[asked]
        memory.recall()
        return axes


class _Memory:
    """How a figure, and everything of matplotlib that belongs to it, is now."""

    def __init__(self, figure):
        self._things, todo = {}, [figure]
        while todo:
            thing = todo.pop()
            if id(thing) not in self._things and hasattr(thing, "__dict__"):
                held = _copied(vars(thing))
                changing = {name: value for name, value in held.items() if isinstance(value, CHANGING)}
                self._things[id(thing)] = thing, held, changing
                todo += _parts(vars(thing))

    def recall(self):
        """Put all of it back."""
        for thing, held, changing in self._things.values():
            thing.__dict__ = held | {name: _copied(value) for name, value in changing.items()}


def _copied(value):
    """Copy what can change in its place; objects stay the same ones."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {name: _copied(part) for name, part in value.items()}
    return type(value)(map(_copied, value)) if type(value) in CHANGING else value


def _parts(value):
    """Yield the objects of matplotlib in a value."""
    if type(value) in CHANGING:
        for part in value.values() if isinstance(value, dict) else value:
            yield from _parts(part)
    elif type(value).__module__.startswith("matplotlib.") and not isinstance(value, type):
        yield value
