"""The live form: fields left, picture and results right, the whole plan to read and save below.

It sends nothing anywhere: the downloads are made in the kernel and carried inside their links.
"""

import base64
import functools
import html
import tempfile
from datetime import date
from pathlib import Path

import ipywidgets
import pandas as pd
from matplotlib.figure import Figure

from hedgelib import contracts, market, rendering
from hedgelib.figures import percent
from hedgelib.panel import LabelledImage
from hedgelib.planner import entry, fields
from hedgelib.planner.boxes import ContractBox, CrossBox, text_field
from hedgelib.planner.comparing import MOST, WAYS, comparable, compare, draw_comparison
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.drawing import draw_ends, draw_results
from hedgelib.planner.fields import GROUPS, HINTS, LABELS, SHARES, WORDS, worded
from hedgelib.planner.form import PAGE_LEVEL
from hedgelib.planner.keeping import follow, load, saved
from hedgelib.planner.sheet import JUDGES, Worksheet, WorksheetError
from hedgelib.planner.summary import known, summary
from hedgelib.planner.writing import NO_ORDER, fragment, ladder_csv, markdown, page

TITLES = (
    "The whole plan, to read, print and save",
    "Side by side",
    "Open a saved plan, and follow it",
    "A contract that is not listed",
    "A coin without a future: short another",
)
_CROSS = TITLES[-1]
_HISTORY, _MARKET = "my downloaded history", "the market given"
FOLLOWED = {
    "price": "Price now",
    "day": "Days so far",
    "funding": "Funding so far",
    "posted": "Reserve posted",
    "highest": "Highest since",
    "lowest": "Lowest since",
}
_SIZE = 4.6, 3.1  # inches of a picture
# Both halves are as high as the window less JupyterLab's bars, and each scrolls for itself. Where the right
# one is wide, its pictures stand side by side above the lines; where narrow, the second comes last.
_STYLE = """
.hl-form { --hl-tall: max(20rem, calc(100vh - 11rem)) }
.hl-form .hl-fields { flex: 0 0 20.5em; max-height: var(--hl-tall); overflow: hidden; padding-right: .4em }
.hl-form .hl-scroll { flex: 0 1 auto; min-height: 0; overflow: hidden auto }
.hl-form .hl-scroll > * { flex: none }
.hl-form .hl-scroll .widget-text, .hl-form .hl-scroll .widget-dropdown { height: 24px; margin: 1px 2px }
.hl-form .hl-scroll .widget-label, .hl-form .hl-scroll input, .hl-form .hl-scroll select
  { height: 24px; line-height: 24px }
.hl-form .hl-scroll .widget-html { margin: 0 2px }
.hl-form .hl-scroll .widget-html-content { line-height: 1.3 }
.hl-form .hl-takers button { height: 20px; line-height: 20px; margin: 1px 2px; padding: 0 .5em;
  font-size: 11px }
.hl-form .hl-seen { flex: 1 1 0; min-width: 0; max-height: var(--hl-tall); overflow: hidden auto;
  container-type: inline-size }
.hl-form .hl-grid { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .6em; align-content: start }
.hl-form .hl-grid > * { margin: 0; min-width: 0 }
.hl-form .hl-grid > img { width: 100%; max-width: 460px; height: auto }
.hl-form .hl-lines { grid-column: 1 / -1; height: auto }
.hl-form .hl-lines .widget-html-content { line-height: 1.3 }
.hl-form .hl-lines p { margin: .3em 0 0 }
.hl-form .hl-fields > .widget-hbox button { padding: 0 .6em }
.hl-form .hl-lines tr > * { padding: 1px 1em 1px 0 !important }
.hl-form .widget-accordion .widget-html-content { line-height: 1.35; min-width: 0; max-width: 100% }
.hl-form .widget-accordion section { overflow-x: auto }
.hl-form .widget-accordion table { border-collapse: collapse; margin: .4em 0 }
.hl-form .widget-accordion tr > * { padding: 1px .6em 1px 0; text-align: left; vertical-align: top }
.hl-form .widget-accordion td:nth-child(9) { min-width: 18em } /* of the ladder: what to do there */
.hl-form .hl-beside tr > :not(:first-child) { text-align: right }
@media (max-width: 1100px) {
  .hl-form { --jp-widgets-font-size: 12px }
  .hl-form .hl-fields { flex-basis: 232px }
}
@container (max-width: 40em) {
  .hl-form .hl-grid { grid-template-columns: 1fr }
  .hl-form .hl-lines { order: 1 }
  .hl-form .hl-days { order: 2 }
}
"""


class FormPanel(ipywidgets.VBox):
    """The live form: `fields` and `notes` by name, `result` and `pictures` beside them, `plan` below."""

    def __init__(self, start):
        """Show the start."""
        self._start, self._past, self._base = start, [], start.rules.base
        self.notes = {
            name: ipywidgets.HTML(layout={"display": "none", "margin": "0 0 0 2px"}) for name in LABELS
        }
        self.fields = {name: self._field(name) for name in LABELS}
        self.result = _classed(ipywidgets.HTML(), "hl-lines")
        self.links, self.plan = ipywidgets.HTML(), ipywidgets.HTML()
        self.pictures = [_classed(LabelledImage(), name) for name in ("hl-prices", "hl-days")]
        self.undo = ipywidgets.Button(description="Undo", layout={"width": "auto"})
        self.reset = ipywidgets.Button(description="Reset", layout={"width": "auto"})
        self.undo.on_click(lambda _: self._past and self._put(self._past.pop()))
        self.reset.on_click(lambda _: self._put(self._first))
        self.takers = {
            name: _classed(ipywidgets.HBox(layout={"flex_flow": "row wrap"}), "hl-takers")
            for name in ("volatility", "funding")
        }
        self.keep = ipywidgets.Button(description="Keep to compare", layout={"width": "auto"})
        self.keep.on_click(lambda _: self._keep())
        self.beside, self.kept = _classed(ipywidgets.HTML(), "hl-beside"), {}
        self.side_picture = LabelledImage(layout={"width": "100%", "max_width": "720px"})
        self.implied = text_field("Put priced at", "", "implied")
        self.implied.layout.width = "24em"
        self.implied.observe(lambda _: self._unfold(), "value")
        self.upload = ipywidgets.FileUpload(description="Open a saved plan", accept=".json")
        self.upload.layout.width = "auto"
        self.upload.observe(lambda _: self._open(), "value")
        self.visit = {
            name: ipywidgets.Text(continuous_update=False, **_label(text)) for name, text in FOLLOWED.items()
        }
        self.standing = ipywidgets.HTML()
        self.own, self.cross = ContractBox(self._use), CrossBox(_links)
        parts = (
            ipywidgets.VBox([self.links, self.plan]),
            ipywidgets.VBox([self.implied, self.beside, self.side_picture]),
            ipywidgets.HBox([ipywidgets.VBox([self.upload, *self.visit.values()]), self.standing]),
            self.own,
            self.cross,
        )
        self.whole = ipywidgets.Accordion(parts)
        self.whole.titles = TITLES
        self.whole.selected_index = None
        style = ipywidgets.HTML(f"<style>{_STYLE}</style>", layout={"display": "none"})
        super().__init__([style, ipywidgets.HBox([self._left(), self._right()]), self.whole])
        self.add_class("hl-form")
        self._first = self._typed(start)
        self._put(self._first)
        for name, field in self.fields.items():
            field.observe(functools.partial(self._changed, name), "value")
        for field in (self.whole, *self.visit.values()):
            field.observe(lambda _: self._unfold(), "selected_index" if field is self.whole else "value")

    def _field(self, name):
        """Make one field: a list of words, or a line to type in."""
        label = _label(LABELS[name])
        if name in WORDS:
            return ipywidgets.Dropdown(options=list(WORDS[name].items()), **label)
        if name == "contract":
            own = self._start.rules
            known = {symbol: contracts.get(symbol) for symbol in contracts.symbols()} | {own.symbol: own}
            return ipywidgets.Dropdown(options=list(known.items()), **label)
        if name == "judge":
            given = () if self._start.market is None else (_MARKET,)
            return ipywidgets.Dropdown(options=(*given, *JUDGES, _HISTORY), **label)
        return ipywidgets.Text(placeholder=HINTS.get(name, ""), continuous_update=False, **label)

    def _left(self):
        """The groups of fields, each with its complaint below it."""
        rows = []
        for title, names in GROUPS.items():
            rows.append(ipywidgets.HTML(f'<strong style="line-height:1.3">{title}</strong>'))
            for name in names:
                rows += [self.fields[name], self.notes[name], *filter(None, [self.takers.get(name)])]
        buttons = ipywidgets.HBox([self.undo, self.reset, self.keep], layout={"flex_flow": "row wrap"})
        return _classed(ipywidgets.VBox([_classed(ipywidgets.VBox(rows), "hl-scroll"), buttons]), "hl-fields")

    def _right(self):
        """Both pictures and the lines, in a box that asks how wide it is."""
        results, ends = self.pictures
        seen = _classed(ipywidgets.Box([results, ends, self.result]), "hl-grid")
        return _classed(ipywidgets.VBox([seen]), "hl-seen")

    def _typed(self, sheet):
        """What the fields show of a plan."""
        own = {} if sheet.market is None else {"judge": _MARKET}
        return fields.typed(sheet) | {"contract": sheet.rules} | own

    def _put(self, values):
        """Put values into all fields, and show what follows."""
        self._moving = True
        for name, value in values.items():
            self.fields[name].value = value
        self._moving = False
        self._base = self.fields["contract"].value.base
        self._show()

    def _changed(self, name, change):
        """Take what was typed."""
        if self._moving:
            return
        if name == "price":
            self._base = self.fields["contract"].value.base
        self._past.append({each: field.value for each, field in self.fields.items()} | {name: change["old"]})
        self._show()

    def _read(self):
        """Return the worksheet that the fields describe; a share shows how it was read: 0.5 becomes 50 %."""
        values, problems = fields.values({name: field.value for name, field in self.fields.items()})
        self._moving, before = True, self._moving
        for name in SHARES.keys() & values.keys():
            if values[name] is not None and self.fields[name].value.strip():
                self.fields[name].value = entry.written_share(values[name])
        self._moving = before
        if values["judge"] in (_HISTORY, _MARKET):
            try:
                kept = self._start.market
                base = values["contract"].base
                values["market"] = kept if values["judge"] == _MARKET else self._history(base)
            except ValueError as error:
                problems["judge"] = str(error)
            values["judge"] = JUDGES[0]
        if problems:
            raise WorksheetError(problems)
        return Worksheet(**values)

    @staticmethod
    @functools.lru_cache(maxsize=2)
    def _history(base):
        """All history of a coin that the cache holds."""
        return market.history(f"{base}USDT", "2019-09-01", "2099-12-31")

    def _show(self):
        """Put the plan, or the complaints, on the screen."""
        decided = self.fields["decide"].value
        for name in ("ratio", "bearable"):
            self.fields[name].layout.display = None if name == decided else "none"
        try:
            self.sheet, problems = self._read(), {}
        except WorksheetError as error:
            self.sheet = None
            problems = {"judge" if name == "market" else name: why for name, why in error.problems.items()}
        doubted = self._doubted()
        for name, note in self.notes.items():
            told = _alert(worded(problems[name])) if name in problems else doubted.get(name, "")
            note.value, note.layout.display = told, None if told else "none"
        self._offer()
        self._unfold()
        if self.sheet is None:
            told = "; ".join(f"{LABELS[name]}: {worded(why)}" for name, why in problems.items())
            self.result.value = _alert(f"No plan yet. {told}")
            for picture in self.pictures:
                picture.layout.display = "none"
            return
        told = summary(self.sheet)
        lines = rendering.readouts_html(told).replace(" %", "\N{NO-BREAK SPACE}%")
        self.result.value = f'<div aria-live="polite">{lines}<p>{NO_ORDER}</p></div>'
        for picture, draw in zip(self.pictures, (draw_results, draw_ends), strict=True):
            with rendering.style():
                figure = Figure(figsize=_SIZE, layout="constrained")
                axes = figure.add_subplot()
                draw(axes, self.sheet)
                picture.tooltip = rendering.alt_text(axes.get_title(loc="left").replace("\n", ", "), told)
                picture.value = rendering.data_url(rendering.png(figure)).encode()
            picture.layout.display = None

    def _doubted(self):
        """What may be doubted in fields that are accepted, by name."""
        if self.sheet is None:
            return {}
        priced = self._base if self.sheet.market is None else None
        return {name: _remark(told) for name, told in fields.remarks(self.sheet, priced).items()}

    def _offer(self):
        """Offer what was measured, one click each, beside the fields for numbers of today."""
        if self.sheet is None:
            return
        for name, judged in fields.measured(self.sheet).items():
            buttons = []
            for judge, text in judged.items():
                button = ipywidgets.Button(description=f"{judge}: {text}", layout={"width": "auto"})
                button.on_click(functools.partial(self._take, name, text))
                buttons.append(button)
            self.takers[name].children = buttons

    def _take(self, name, text, _):
        self.fields[name].value = text

    def _keep(self):
        """Keep the plan beside those that come, the newest three of them."""
        if self.sheet:
            name = f"{len(self.kept) + 1}: {percent(self.sheet.share, 0)} at {self.sheet.leverage:g}x"
            self.kept = dict([*self.kept.items(), (name, self.sheet)][1 - MOST :])
            self.whole.selected_index = 1
            self._unfold()

    def _open(self):
        """Put a saved plan into the fields."""
        if not self.upload.value:
            return
        file = self.upload.value[0]
        self.upload.value = ()
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "my-hedge.json"
                path.write_bytes(file["content"])
                sheet = load(path)
        except ValueError:
            self.standing.value = _alert(
                f"{file['name']} holds no plan: open a my-hedge.json that was saved here"
            )
            return
        self._list(sheet.rules)
        if isinstance(sheet, CrossWorksheet):
            try:
                self.cross.put(sheet)
                self.whole.selected_index = TITLES.index(_CROSS)
            except ValueError as error:
                self.standing.value = _alert(f"{file['name']}: {error}")
            return
        self._past.append({name: field.value for name, field in self.fields.items()})
        self._put(self._typed(sheet))

    def _list(self, contract):
        """Have a contract among those to choose from."""
        for field in (self.fields["contract"], *[self.cross.contract] * (not contract.inverse)):
            if contract not in dict(field.options).values():
                field.options = (*field.options, (contract.symbol, contract))

    def _use(self, contract):
        """Plan with a contract of one's own."""
        self._list(contract)
        self.fields["contract"].value = contract

    def _follow(self):
        """Say how the plan stands, once a price has been typed."""
        typed = {name: field.value for name, field in self.visit.items() if field.value.strip()}
        if "price" not in typed:
            told = "The plan above is the one that was opened. Type the price now, the days and the funding."
            self.standing.value = html.escape(told)
            return
        try:
            known = {name: _labelled(FOLLOWED[name], text) for name, text in typed.items()}
            told = follow(self.sheet, **{"day": 0} | known)
            self.standing.value = f'<div aria-live="polite">{rendering.readouts_html(told)}</div>'
        except ValueError as error:
            self.standing.value = _alert(str(error))

    def _set_beside(self):
        """Set this plan beside those kept for the same coins, and beside a sale, a put and batches."""
        same = {name: kept for name, kept in self.kept.items() if comparable(kept, self.sheet)}
        plans = dict([*({"this plan": self.sheet} | same | {way: way for way in WAYS}).items()][:MOST])
        told = ""
        try:
            text = self.implied.value.strip()
            implied = entry.share(text) if text else None
            table = compare(plans, implied)
        except ValueError as error:
            told, implied = _alert(str(error)), None
            plans.pop("batches", None)
            table = compare(plans)
        writes = {"liquidated": lambda share: known(share, percent, 0)}
        writes |= dict.fromkeys(("cash", "given up"), lambda value: known(value, signed=False))
        rows = {name: column.map(writes.get(name, known)) for name, column in table.items()}
        self.beside.value = told + pd.DataFrame(rows).T.to_html(border=0)
        with rendering.style():
            figure = Figure(figsize=(7.5, 3.6), layout="constrained")
            told = draw_comparison(figure, plans, implied)
            self.side_picture.tooltip = rendering.alt_text("Side by side", told)
            self.side_picture.value = rendering.data_url(rendering.png(figure)).encode()
        self.side_picture.layout.display = None

    def _unfold(self):
        """Write what somebody looks at: the whole plan and its files, or the plans side by side."""
        self.links.value = self.plan.value = self.beside.value = self.standing.value = ""
        self.side_picture.layout.display = "none"
        if self.whole.selected_index is None:
            return
        if self.sheet is None:
            told = _alert("No plan yet: see the fields above")
            self.links.value = self.beside.value = self.standing.value = told
            return
        others = {1: self._set_beside, 2: self._follow}
        if self.whole.selected_index:
            others.get(self.whole.selected_index, lambda: None)()
            return
        self.plan.value = fragment(self.sheet, PAGE_LEVEL)
        self.links.value = _links(self.sheet)


def _classed(widget, name):
    """Return a widget with a class of the form's style."""
    widget.add_class(name)
    return widget


def _label(text):
    """How a field shows its label."""
    return {"description": text, "style": {"description_width": "9em"}, "layout": {"width": "auto"}}


def _labelled(label, text):
    """Read a number; a complaint names its field."""
    try:
        return entry.number(text)
    except ValueError as error:
        raise ValueError(f"{label}: {error}") from None


def _alert(text):
    """Write a complaint."""
    red = "color:var(--jp-error-color0,#b00020)"
    return f'<div role="alert" style="{red};line-height:1.3">✗ {html.escape(text)}</div>'


def _remark(text):
    """Write a remark."""
    grey = "color:var(--jp-ui-font-color2,#555)"
    return f'<div style="{grey};line-height:1.3;text-align:right">{html.escape(text)}</div>'


def _links(sheet):
    """Return the links that save a plan."""
    files = (
        ("my-hedge.html", "text/html", page(sheet, date.today())),
        ("my-hedge.md", "text/markdown", markdown(sheet)),
        ("my-hedge-ladder.csv", "text/csv", ladder_csv(sheet)),
        ("my-hedge.json", "application/json", saved(sheet)),
    )
    return "Save: " + " · ".join(_link(*file) for file in files)


def _link(name, kind, text):
    """Return a link that carries a file in itself."""
    data = base64.b64encode(text.encode()).decode()
    href = f"data:{kind};charset=utf-8;base64,{data}"
    return f'<a download="{name}" href="{href}" style="text-decoration:underline">{name}</a>'
