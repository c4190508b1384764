"""All pictures of an explorer in one: a template, and slots for what differs between the states.

`clean` turns the SVG of one state into a small tree whose definitions (letters, markers, clip paths) go to a
collection that all states share. `Merger.merge` lays such trees over each other: what is the same in every
state stands in the template, each attribute or text that differs becomes a slot, and an element that some
states lack is hidden there. A slot holds its values once and knows which controls it depends on.
`Merger.rebuild` goes back from template and slots to the tree of one state; the build uses it to prove that
nothing was lost.
"""

import difflib
import functools
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np

TEXT = ""  # the attribute of a slot that sets the text of an element
ABSENT = object()  # what a slot holds in a state that lacks the element
KIND = "kind"  # attribute of a cleaned element: what it is, so that like is laid over like
MARK = "data-slots"  # attribute of a template element: the slots that write to it
NUMBER = re.compile(r"-?\d+\.\d+")
PREFIX = re.compile(r".*[}:]")
STRAIGHT = re.compile(r"[MLz\s\d.-]*")
COORDINATES = {"d", "x", "y", "width", "height", "points"}
DROPPED = {"metadata", "style"}
ROOT = {
    "stroke-linejoin": "round"
}  # stands for the rule that matplotlib's own <style> gives to every element


def _rounded(text):
    """Round decimal numbers to thousandths of a point; of hundredths, smoothed edges show traces."""
    return NUMBER.sub(lambda number: f"{float(number[0]):.3f}".rstrip("0").rstrip("."), text)


def _straight(path):
    """Write a path of straight lines with each point relative to the one before, which takes half the space.

    Positions are whole thousandths of a point, so the relative ones add up to them exactly.
    """
    words = iter(path.split())
    written, last = [], (0, 0)
    for command in words:
        if command == "z":
            written.append("z")
            continue
        point = round(1000 * float(next(words))), round(1000 * float(next(words)))
        moved = point if command == "M" else (point[0] - last[0], point[1] - last[1])
        x, y = (f"{number / 1000:.3f}".rstrip("0").rstrip(".") for number in moved)
        written.append(f"{'M' if command == 'M' else 'l'}{x} {y}".replace(" -", "-"))
        last = point
    return re.sub(r"(?<!\d)0\.", ".", "".join(written))


@functools.lru_cache(100_000)
def _compact(name, value):
    """Return an attribute value of matplotlib in fewer characters; glyph scales and data stay as they are."""
    if name == "d" and STRAIGHT.fullmatch(value):
        return _straight(value)
    if name in COORDINATES:
        return re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(_rounded(value).split()))
    if name == "transform":
        return re.sub(r"translate\([^)]*\)", lambda part: _rounded(part[0]), value)
    if name == "style":
        return value.replace("; ", ";").replace(": ", ":")
    if name == "href" and value.startswith("data:"):
        return "".join(value.split())
    return value


class Definitions:
    """What the pictures refer to, each thing once, under short names that are unique in the page."""

    def __init__(self, prefix):
        """Start empty; every name will begin with `prefix`."""
        self.prefix = prefix
        self._names = {}

    def name(self, element):
        """Return the name of `element`, which is added if its like is not yet there."""
        return self._names.setdefault(serialised(element), f"{self.prefix}{len(self._names):x}")

    def element(self):
        """Return all of it as one ``<defs>``."""
        defs = ET.Element("defs")
        for source, name in self._names.items():
            child = ET.fromstring(source)
            child.set("id", name)
            defs.append(child)
        return defs


def serialised(element):
    """Return `element` as markup that can stand in an HTML page."""
    return ET.tostring(element, encoding="unicode").replace(" />", "/>")


def clean(svg, definitions):
    """Return the tree of an SVG without metadata, definitions, names and needless digits."""
    root = ET.fromstring(svg)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        attributes = compact(element.attrib)
        element.attrib.clear()
        element.attrib.update(attributes)
        element.text = element.tail = None
    names = {}
    for defs in list(root.iter("defs")):
        for child in defs:
            if child.tag not in DROPPED:
                old = child.attrib.pop("id")
                names[old] = definitions.name(child)
    _drop(root, DROPPED | {"defs"})
    for element in root.iter():
        if "id" in element.attrib:
            element.set(KIND, kind(element.attrib.pop("id")))
        refer(element, names)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib.update(ROOT)
    return root


def compact(attributes):
    """Return attributes of matplotlib's SVG in fewer characters, without the prefixes of their names."""
    bare = {PREFIX.sub("", name): value for name, value in attributes.items()}
    return {name: _compact(name, value) for name, value in bare.items()}


def kind(identity):
    """Return what an element is, by its id without the number at the end."""
    return re.sub(r"_?\d+$", "", identity)


def refer(element, names):
    """Let an element refer to definitions by these names of theirs."""
    for name, value in element.attrib.items():
        if value.startswith("#") and name == "href":
            element.set(name, "#" + names[value[1:]])
        elif "url(#" in value:
            element.set(name, re.sub(r"url\(#([^)]*)\)", lambda link: f"url(#{names[link[1]]})", value))


def _drop(element, tags):
    """Remove every descendant with one of these tags."""
    for child in list(element):
        if child.tag in tags:
            element.remove(child)
        else:
            _drop(child, tags)


@dataclass(frozen=True)
class Slot:
    """One attribute, or the text, of one or more elements, as a function of the controls.

    `index` tells for each position of the controls in `axes`, row by row, which of the `values` holds. A
    value of None means that the attribute is not there.
    """

    attribute: str
    axes: tuple
    index: tuple
    values: tuple

    def value(self, position, shape):
        """Return the value at a position of all controls."""
        place = 0
        for axis in self.axes:
            place = place * shape[axis] + position[axis]
        return self.values[self.index[place]]


def _slot(attribute, values, shape):
    """Make the slot of one value for each state; it depends on as few controls as the values allow."""
    distinct = {
        value: number for number, value in enumerate(dict.fromkeys(v for v in values if v is not ABSENT))
    }
    index = np.array([-1 if value is ABSENT else distinct[value] for value in values]).reshape(shape)
    axes = []
    for axis in range(len(shape)):
        known = index.max(axis=axis, keepdims=True)
        if np.any((index >= 0) & (index != known)):
            axes.append(axis)
        else:
            index = known
    return Slot(attribute, tuple(axes), tuple(np.maximum(index, 0).ravel().tolist()), tuple(distinct))


def _signature(element):
    return element.tag, element.get(KIND)


def _common_order(sequences):
    """Return a sequence that holds each of `sequences` in order, with gaps."""
    longest, *others = sorted(dict.fromkeys(sequences), key=len, reverse=True)
    order = list(longest)
    for other in others:
        grown = []
        steps = difflib.SequenceMatcher(None, order, other, autojunk=False).get_opcodes()
        for step, start, stop, other_start, other_stop in steps:
            grown += order[start:stop]
            if step in ("insert", "replace"):
                grown += other[other_start:other_stop]
        order = grown
    return order


def _laid_over(elements):
    """List, for each child that any of `elements` has, that child in each state, None where it is missing."""
    rows = {id(element): tuple(map(_signature, element)) for element in elements if element is not None}
    order = _common_order(list(rows.values()))
    places = {}
    for row in set(rows.values()):
        place = -1
        places[row] = [place := order.index(signature, place + 1) for signature in row]
    table = [[None] * len(elements) for _ in order]
    for state, element in enumerate(elements):
        if element is not None:
            for child, place in zip(element, places[rows[id(element)]], strict=True):
                table[place][state] = child
    return [row for row in table if any(child is not None for child in row)]


class Merger:
    """Lays the trees of all states over each other; several merges share one list of slots.

    What is one and the same object in several states is looked at once.
    """

    def __init__(self, shape, start):
        """Take the number of values of each control and the position at the start."""
        self.shape = tuple(shape)
        self.start = tuple(start)
        self.slots = []
        self._numbers = {}
        self._fixed = {}  # templates of elements that are the same wherever they are, by these
        self._still = set()  # these templates
        self._same = functools.cache(same)

    def merge(self, elements, parents=None):
        """Return the template of one tree for each state, shown as it is at the start.

        Parameters
        ----------
        elements : list of Element or None
            One for each state, the last control moving fastest; None where a state lacks the element.
        parents : list of Element or None, optional
            What the elements stand in: where that is missing, it is hidden and they need not be.
        """
        present = list({id(element): element for element in elements if element is not None}.values())
        template = ET.Element(present[0].tag)
        marks = []
        names = sorted({name for element in present for name in element.attrib} - {KIND})
        written = [(name, [ABSENT if e is None else e.get(name) for e in elements]) for name in names]
        written.append((TEXT, [ABSENT if e is None else e.text for e in elements]))
        if parents:
            pairs = zip(elements, parents, strict=True)
            hidden = [ABSENT if above is None else "" if e is None else None for e, above in pairs]
            written.append(("hidden", hidden))
        for name, values in written:
            different = set(values) - {ABSENT}
            if len(different) == 1:
                _write(template, name, different.pop())
                continue
            slot = _slot(name, values, self.shape)
            marks.append(self._number(slot))
            _write(template, name, slot.value(self.start, self.shape))
        if marks:
            template.set(MARK, " ".join(map(str, marks)))
        if len(present) == 1:
            template.extend(map(self._fix, present[0]))
        else:
            template.extend([self.merge(children, elements) for children in _laid_over(elements)])
        return template

    def _fix(self, element):
        """Return the template of an element that is the same in all states."""
        if element not in self._fixed:
            attributes = {name: value for name, value in element.attrib.items() if name != KIND}
            template = ET.Element(element.tag, attributes)
            template.text = element.text
            template.extend(map(self._fix, element))
            self._fixed[element] = template
            self._still.add(template)
        return self._fixed[element]

    def _number(self, slot):
        """Number of a slot; equal slots are one."""
        if slot not in self._numbers:
            self._numbers[slot] = len(self.slots)
            self.slots.append(slot)
        return self._numbers[slot]

    def rebuild(self, template, position):
        """Return the tree of the state at `position`, or None if that state lacks it."""
        if template in self._still:
            return template
        element = ET.Element(template.tag, template.attrib)
        element.text = template.text
        for number in element.attrib.pop(MARK, "").split():
            slot = self.slots[int(number)]
            _write(element, slot.attribute, slot.value(position, self.shape))
        if "hidden" in element.attrib:
            return None
        children = (self.rebuild(child, position) for child in template)
        element.extend(child for child in children if child is not None)
        return element

    def shows(self, template, position, source):
        """Tell whether the rebuilt state at `position` equals its source; what stays is compared once."""

        def equal(one, other):
            if one in self._still:
                return self._same(one, other)
            return _alike(one, other) and all(map(equal, one, other))

        return equal(self.rebuild(template, position), source)


def _write(element, name, value):
    """Set an attribute or the text of `element`; None removes it."""
    if name == TEXT:
        element.text = value
    elif value is None:
        element.attrib.pop(name, None)
    else:
        element.set(name, value)


def same(one, other):
    """Tell whether two trees are equal, whatever kind their elements are said to be."""
    return _alike(one, other) and all(map(same, one, other))


def _alike(one, other):
    """Tell whether two elements are equal but for their children."""
    return (
        one.tag == other.tag
        and one.text == other.text
        and {**one.attrib, KIND: None} == {**other.attrib, KIND: None}
        and len(one) == len(other)
    )
