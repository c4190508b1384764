"""The live form of an explorer: plain ipywidgets, drawn in the kernel, no ``Output`` widget and no pyplot."""

import asyncio
import base64
import functools
import html
import time

import ipywidgets
import traitlets

from hedgelib import rendering, told

PAUSE = 0.02  # seconds between two states drawn ahead
LETTER = 0.6  # em; the width of a letter or digit, on the safe side
REST = 1.0  # seconds without a move before the other sliders' next states are drawn
DRAWN = 0.002  # seconds; what takes less was not drawn but known
WAITED = 1.5  # a draw that takes so many times the processor time that it needs has waited for a processor
BEAT = 0.4  # seconds that a playing slider stays at a value
STYLE = """
.hedgelab-said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.hedgelab-told .widget-html-content { line-height: 1.45; }
.hedgelab-told .widget-html-content > div { max-height: 22em; overflow: auto; }
.hedgelab-told :is(th, td) { padding: 1px 1em 1px 0; text-align: left; vertical-align: top; }
"""
# The front end gives the handles of its sliders no name and has them say their index; and it makes what an
# HTML widget shows anew each time, so that no live region in it lasts. Both are set here, in the page.
NAMES = """
(panel => {
    if (!panel || panel.named) return;
    panel.named = true;
    const set = (element, name, value) => {
        if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
    };
    const name = () => {
        for (const slider of panel.querySelectorAll(".widget-slider")) {
            const handle = slider.querySelector("[role=slider]");
            set(handle, "aria-label", slider.querySelector(".widget-label").textContent);
            set(handle, "aria-valuetext", slider.querySelector(".widget-readout").textContent);
        }
        set(panel.querySelector(".hedgelab-said .widget-html-content"), "aria-live", "polite");
    };
    const attributeFilter = ["aria-valuetext"];
    const parts = { subtree: true, childList: true, characterData: true, attributeFilter };
    new MutationObserver(name).observe(panel, parts);
    name();
})(this.closest(".hedgelab-explorer"))
"""
COPY = "getSelection().selectAllChildren(this.nextElementSibling); document.execCommand('copy')"


class LabelledImage(ipywidgets.Image):
    """An image whose tooltip names it for screen readers.

    The front end sets the tooltip of a widget only if the widget has an (empty) description. The picture goes
    there as a data URL, which a browser shows about 10 ms sooner than bytes that it must first store.
    """

    format = traitlets.Unicode("url").tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)


class Panel(ipywidgets.VBox):
    """The live form of an explorer: title, labelled sliders, one persistent picture, readouts, buttons.

    *Tell*, *Table* and *Listen* answer for one slider, the one moved last, over all its values; *Play* moves
    it. What a move has changed is said to screen readers, in one sentence.

    A move is drawn at once, in the kernel's turn, so that the front end, which sends the newest position only
    when the last one is answered, never builds a backlog. While the kernel is idle after a move, the states
    that the next move may reach are drawn ahead, one at a time; not on a machine so busy that a draw waits.
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
        self._next = self._beat = None
        self._waited = False
        self._told = self._show()
        for index, slider in enumerate(self.sliders):
            slider.observe(functools.partial(self._moved, index), "index")
        # The values take the same room beside every slider, so that all tracks are as long.
        room = f".values-{value} .widget-readout {{ min-width: {value * LETTER:.1f}em }}"
        style = f'<style onload="{html.escape(NAMES)}">{STYLE}{room}</style>'
        title = ipywidgets.HTML(f"<strong>{html.escape(explorer.title)}</strong>{style}")
        below = [self._buttons(), self.told, self.said]
        super().__init__([title, *self.sliders, self.image, self.readouts, *below])
        self.add_class(f"values-{value}").add_class("hedgelab-explorer")

    def _buttons(self):
        """One line of buttons: which slider is meant, and what is wanted of it."""
        controls = self.explorer.controls
        options = [(control.label, name) for name, control in controls.items()]
        slim = {"width": "auto", "max_width": "16em"}
        self.chosen = ipywidgets.Dropdown(
            options=options, description="Slider", style={"description_width": "initial"}, layout=slim
        )
        self.heard = ipywidgets.Dropdown(
            description="Hear", style={"description_width": "initial"}, layout=slim | {"display": "none"}
        )
        self.told = ipywidgets.HTML().add_class("hedgelab-told")
        self.said = ipywidgets.HTML().add_class("hedgelab-said")
        self.buttons = {}
        for label, answer, does in (
            ("Tell", self._tell, "Say in one sentence what the slider does"),
            ("Table", self._tabulate, "List all values of the slider"),
            ("Listen", self._listen, "Hear a readout over all values of the slider"),
            ("Play", self._play, "Move the slider through its values"),
        ):
            self.buttons[label] = ipywidgets.Button(description=label, tooltip=does, layout={"width": "auto"})
            self.buttons[label].on_click(answer)
        self.heard.observe(self._sound, "value")
        chosen = [self.chosen] if len(controls) > 1 else []
        layout = {"flex_flow": "row wrap", "align_items": "center"}
        return ipywidgets.HBox([*chosen, *self.buttons.values(), self.heard], layout=layout)

    @property
    def position(self):
        """Where the sliders stand."""
        return tuple(slider.index for slider in self.sliders)

    def _show(self):
        """Show the state and return its readouts."""
        png, readouts = self._drawn(self.position)
        with self.image.hold_sync():
            self.image.value = rendering.data_url(png).encode()
            self.image.tooltip = self.explorer.alt(readouts)
        self.readouts.value = rendering.readouts_html(readouts)
        return readouts

    def _drawn(self, position):
        """Return picture and readouts of a state, and remember whether drawing it had to wait."""
        began, worked = time.perf_counter(), time.process_time()
        drawn = self.explorer.cached_png(position)
        took = time.perf_counter() - began
        if took > DRAWN:
            self._waited = took > WAITED * (time.process_time() - worked)
        return drawn

    def _moved(self, moved, change):
        readouts = self._show()
        self.said.value, self._told = html.escape(told.moved(self._told, readouts)), readouts
        self.chosen.index = moved
        self.told.value, self.heard.layout.display = "", "none"  # they told of where the sliders stood
        onward = 1 if change["new"] > change["old"] else -1
        others = (index for index in range(len(self.sliders)) if index != moved)
        near = self._reached([(moved, onward), (moved, 2 * onward), (moved, -onward)])
        far = self._reached([(index, step) for index in others for step in (1, -1)])
        self._draw_ahead(near, far)

    def _answer(self, words, shown):
        """Show an answer to a button, and say it."""
        self.told.value, self.said.value = shown, html.escape(words)

    def _swept(self):
        """The chosen control, its readouts at every value, and what tells them in one sentence."""
        name, position = self.chosen.value, self.position
        control, readouts = self.explorer.controls[name], self.explorer.sweep(name, position)
        return control, readouts, told.sentence(control.label, control.texts, readouts)

    def _tell(self, _):
        _, _, sentence = self._swept()
        self._answer(sentence, f"<p>{html.escape(sentence)}</p>")

    def _tabulate(self, _):
        control, readouts, sentence = self._swept()
        table = rendering.sweep_html(control.label, control.texts, readouts)
        button = f'<button class="jupyter-button widget-button" onclick="{COPY}">Copy the table</button>'
        words = f"A table of {len(readouts)} rows follows."
        self._answer(words, f'<p>{html.escape(sentence)}</p>{button}<div tabindex="0">{table}</div>')

    def _listen(self, _):
        """Offer the readouts that the chosen slider changes, and play one."""
        _, readouts, sentence = self._swept()
        names = [name for name, column in told.columns(readouts) if len(set(column)) > 1]
        if not names:
            self._answer(sentence, f"<p>{html.escape(sentence)}</p>")
            return
        before = self.heard.value
        self.heard.unobserve(self._sound, "value")
        self.heard.options = names
        self.heard.value = before if before in names else names[0]
        self.heard.observe(self._sound, "value")
        self.heard.layout.display = None
        self._sound()

    def _sound(self, _=None):
        """Play the readout that is chosen, below a line that says what is heard."""
        control, readouts, _ = self._swept()
        column = dict(told.columns(readouts)).get(self.heard.value)
        if column is None:
            return
        legend = told.legend(control.label, self.heard.value, column)
        sound = base64.b64encode(told.sound(told.tones(column))).decode()
        player = f'<audio controls autoplay src="data:audio/wav;base64,{sound}"></audio>'
        self._answer(legend, f"<p>{html.escape(legend)}</p>{player}")

    def _play(self, _):
        """Move the chosen slider on, value by value, until its end or until the button is pressed again."""
        if self._beat:
            self._beat.cancel()
            self._beat, self.buttons["Play"].description = None, "Play"
            return
        slider, loop = self.sliders[self.chosen.index], asyncio.get_running_loop()
        last = len(slider.options) - 1
        if slider.index == last:
            slider.index = 0
        self.buttons["Play"].description = "Stop"

        def step():
            slider.index += slider.index < last
            self._beat = loop.call_later(BEAT, step)
            if slider.index == last:
                self._play(None)

        self._beat = loop.call_later(BEAT, step)

    def _reached(self, moves):
        """Positions that these moves of single sliders lead to."""
        for moved, step in moves:
            position = list(self.position)
            position[moved] += step
            if 0 <= position[moved] < len(self.sliders[moved].options):
                yield tuple(position)

    def _draw_ahead(self, near, far):
        """Draw positions one by one, giving way to the next move after each; only where a kernel runs.

        Those of the slider just moved come at once, those of the others after a rest. Where drawing has to
        wait for a processor, others need it: it stops until a move is drawn without waiting.
        """
        if self._next:
            self._next.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return

        def draw_next(positions, later):
            position = None if self._waited else next(positions, None)
            if position is not None:
                self._drawn(position)
                self._next = loop.call_later(PAUSE, draw_next, positions, later)
            elif later is not None and not self._waited:
                self._next = loop.call_later(REST, draw_next, later, None)

        self._next = loop.call_later(PAUSE, draw_next, near, far)
