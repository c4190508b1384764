"""The twin of an explorer: a figure with native sliders, one picture, and readouts, alive without a kernel.

`make` draws every state of an explorer, merges them and proves that each can be rebuilt. `show_twins` is
called in the kernel that runs a notebook for the site: from then on explorers show as their twins.
"""

import gc
import html
import itertools
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np

from hedgelib import rendering

from .drawing import Pen, Sheet
from .merge import KIND, Definitions, Merger, clean, same, serialised

PRINTED_ROWS = 11  # at most so many
SAMPLES = "application/vnd.hedgelab.samples+json"  # what the site's proof compares, beside the HTML


def make(explorer, name):
    """Return the HTML of an explorer's twin and a sample of its states as matplotlib drew them.

    Parameters
    ----------
    explorer : hedgelib.explorer.Explorer
        Every state of it is drawn.
    name : str
        Prefix of all ids, unique in the page.

    Returns
    -------
    (str, dict)
        The ``<figure>``; then title, number of states and, for the start and both ends of every control, the
        position, the untouched SVG and the readouts.
    """
    definitions = Definitions(f"{name}-")
    pictures, tables, samples = _drawn(explorer, definitions)
    for sample in samples:
        if not same(clean(sample["svg"], definitions), pictures[sample["position"]]):
            raise ValueError(f'explorer "{explorer.title}" differs from its SVG at {sample["position"]}')
    merger = Merger([len(control.values) for control in explorer.controls.values()], explorer.start)
    picture, table = (merger.merge(list(trees.values())) for trees in (pictures, tables))
    for template, trees in ((picture, pictures), (table, tables)):
        for position, tree in trees.items():
            if not merger.shows(template, position, tree):
                values = explorer.values(position)
                raise ValueError(f'explorer "{explorer.title}" cannot be rebuilt at {values}')
    picture.insert(0, definitions.element())
    picture.set("role", "img")
    start = samples[[sample["position"] for sample in samples].index(explorer.start)]
    picture.set("aria-label", explorer.alt(start["readouts"]))
    summary = {"title": explorer.title, "states": len(pictures), "samples": samples}
    return _figure(explorer, name, picture, table, merger), summary


def _drawn(explorer, definitions):
    """Pictures and readouts of all states, as trees by position, and the samples."""
    pictures, tables, samples = {}, {}, []
    sheet, pen, sampled = Sheet(explorer.size), Pen(explorer.size, definitions), _sampled(explorer)
    with rendering.style():
        for position in explorer.positions():
            figure, readouts = explorer.figure(position, sheet.empty())
            if position in sampled:
                svg = rendering.svg(figure)
                samples.append({"position": position, "svg": svg, "readouts": readouts})
            pictures[position], tables[position] = pen.draw(figure), _table(readouts)
    pen.finish()
    return pictures, tables, samples


def _sampled(explorer):
    """Positions that the proof compares: the start, and each control at both ends."""
    positions = {explorer.start}
    for place, control in enumerate(explorer.controls.values()):
        for end in (0, len(control.values) - 1):
            positions.add((*explorer.start[:place], end, *explorer.start[place + 1 :]))
    return positions


def _table(readouts):
    """The readouts as the body of a table."""
    body = ET.Element("tbody")
    for name, text in readouts.items():
        row = ET.SubElement(body, "tr", {KIND: name})
        ET.SubElement(row, "th", scope="row").text = name
        ET.SubElement(row, "td").text = text
    return body


def _control(identity, control):
    """One control: label, slider, and the value in words."""
    text = html.escape(control.texts[control.start_index])
    return (
        f'<div class="control"><label for="{identity}">{html.escape(control.label)}</label>'
        f'<input type="range" id="{identity}" min="0" max="{len(control.values) - 1}" '
        f'value="{control.start_index}" autocomplete="off" aria-valuetext="{text}">'
        f'<span class="value" aria-hidden="true">{text}</span></div>'
    )


def _figure(explorer, name, picture, table, merger):
    """The whole ``<figure>``, with the slots as JSON for `explorer.js`."""
    controls = explorer.controls.values()
    data = {
        "shape": merger.shape,
        "texts": [control.texts for control in controls],
        "slots": [(slot.attribute, slot.axes, slot.index, slot.values) for slot in merger.slots],
    }
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    sliders = "".join(_control(f"{name}-control-{place}", control) for place, control in enumerate(controls))
    return (
        f'<figure class="explorer" id="{name}" data-prevent-swipe>'
        f'<figcaption id="{name}-title">{html.escape(explorer.title)}</figcaption>'
        f'<div class="drawing">{serialised(picture)}</div><div class="panel">'
        f'<div class="sliders" role="group" aria-labelledby="{name}-title">{sliders}</div>'
        f'<div class="readouts"><table>{serialised(table)}</table></div></div>{_printed(explorer)}'
        f'<script type="application/json">{written}</script></figure>'
    )


def _printed(explorer):
    """What stands on paper in place of sliders: what the control that moves most does, told and listed."""
    name = explorer.weightiest
    few = thinned(explorer, PRINTED_ROWS).controls[name]
    control, readouts = explorer.controls[name], explorer.sweep(name)
    kept = [readouts[control.values.index(value)] for value in few.values]
    table = rendering.sweep_html(control.label, few.texts, kept)
    return f'<div class="printed"><p>{html.escape(explorer.tell(name))}</p>{table}</div>'


def thinned(explorer, steps):
    """Return an explorer with at most so many values for each control: both ends, the start, some between.

    Examples
    --------
    >>> from hedgelib.explorer import Choice, Explorer
    >>> fine = Explorer(lambda figure, n: {}, "Fine", n=Choice("n", range(100), 30))
    >>> thinned(fine, 4).controls["n"].values
    (0, 30, 50, 99)
    """
    controls = {}
    for name, control in explorer.controls.items():
        even = np.linspace(0, len(control.values) - 1, steps - 1).round().astype(int).tolist()
        kept = sorted({*even, control.start_index})
        controls[name] = replace(control, values=tuple(control.values[index] for index in kept))
    return type(explorer)(explorer.draw, explorer.title, size=explorer.size, **controls)


def show_twins(steps=None):
    """Let the running kernel show every explorer as its twin; in a draft with at most `steps` values each."""
    from IPython import get_ipython

    # A picture makes thousands of objects; to collect after every 700 of them takes a fourth of the time.
    gc.freeze()
    gc.set_threshold(100_000)
    numbers = itertools.count(1)

    def show(explorer):
        shown = explorer if steps is None else thinned(explorer, steps)
        figure, summary = make(shown, f"explorer-{next(numbers)}")
        return {"text/html": figure, "text/plain": explorer.text, SAMPLES: summary}

    formatter = get_ipython().display_formatter.mimebundle_formatter
    formatter.for_type_by_name("hedgelib.explorer", "Explorer", show)
