"""The live form of an explorer: plain ipywidgets, drawn in the kernel, no ``Output`` widget and no pyplot."""

import asyncio
import functools
import html

import ipywidgets
import traitlets

from hedgelib import rendering

PAUSE = 0.02  # seconds between two states drawn ahead
LETTER = 0.6  # em; the width of a letter or digit, on the safe side
REST = 1.0  # seconds without a move before the other sliders' next states are drawn


class LabelledImage(ipywidgets.Image):
    """An image whose tooltip names it for screen readers.

    The front end sets the tooltip of a widget only if the widget has an (empty) description. The picture goes
    there as a data URL, which a browser shows about 10 ms sooner than bytes that it must first store.
    """

    format = traitlets.Unicode("url").tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)


class Panel(ipywidgets.VBox):
    """The live form of an explorer: title, labelled sliders, one persistent picture, readouts.

    A move is drawn at once, in the kernel's turn, so that the front end, which sends the newest position only
    when the last one is answered, never builds a backlog. While the kernel is idle after a move, the states
    that the next move may reach are drawn ahead, one at a time.
    """

    def __init__(self, explorer):
        """Show the start state."""
        self.explorer = explorer
        controls = explorer.controls.values()
        width = round(explorer.size[0] * rendering.PIXELS_PER_INCH)
        label = max(len(control.label) for control in controls)
        value = max(len(text) for control in controls for text in control.texts)
        self.sliders = [
            ipywidgets.SelectionSlider(
                options=control.texts,
                index=control.start_index,
                description=control.label,
                style={"description_width": f"{label * LETTER + 1:.0f}em"},
                layout={"width": "100%", "max_width": f"{width}px"},
            )
            for control in controls
        ]
        self.image = LabelledImage(width=width, layout={"max_width": "100%"})
        self.readouts = ipywidgets.HTML()
        self._next = None
        self._show()
        for index, slider in enumerate(self.sliders):
            slider.observe(functools.partial(self._moved, index), "index")
        # The values take the same room beside every slider, so that all tracks are as long.
        room = f"<style>.values-{value} .widget-readout {{ min-width: {value * LETTER:.1f}em }}</style>"
        title = ipywidgets.HTML(f"<strong>{html.escape(explorer.title)}</strong>{room}")
        super().__init__([title, *self.sliders, self.image, self.readouts])
        self.add_class(f"values-{value}")

    @property
    def position(self):
        """Where the sliders stand."""
        return tuple(slider.index for slider in self.sliders)

    def _show(self):
        png, readouts = self.explorer.cached_png(self.position)
        with self.image.hold_sync():
            self.image.value = rendering.data_url(png).encode()
            self.image.tooltip = self.explorer.alt(readouts)
        table = rendering.readouts_html(readouts)
        region = 'role="alert"' if rendering.NOT_POSSIBLE in readouts else 'aria-live="polite"'
        self.readouts.value = f"<div {region}>{table}</div>"

    def _moved(self, moved, change):
        self._show()
        onward = 1 if change["new"] > change["old"] else -1
        others = (index for index in range(len(self.sliders)) if index != moved)
        near = self._reached([(moved, onward), (moved, 2 * onward), (moved, -onward)])
        far = self._reached([(index, step) for index in others for step in (1, -1)])
        self._draw_ahead(near, far)

    def _reached(self, moves):
        """Positions that these moves of single sliders lead to."""
        for moved, step in moves:
            position = list(self.position)
            position[moved] += step
            if 0 <= position[moved] < len(self.sliders[moved].options):
                yield tuple(position)

    def _draw_ahead(self, near, far):
        """Draw positions one by one, giving way to the next move after each; only where a kernel runs.

        Those of the slider just moved come at once, those of the others after a rest.
        """
        if self._next:
            self._next.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return

        def draw_next(positions, later):
            position = next(positions, None)
            if position is not None:
                self.explorer.cached_png(position)
                self._next = loop.call_later(PAUSE, draw_next, positions, later)
            elif later is not None:
                self._next = loop.call_later(REST, draw_next, later, None)

        self._next = loop.call_later(PAUSE, draw_next, near, far)
