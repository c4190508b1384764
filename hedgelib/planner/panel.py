"""The live form: fields with their complaints beside them, the plan as it is typed, three downloads.

It sends nothing anywhere: the downloads are made in the kernel and carried inside their links.
"""

import base64
import functools
import html

import ipywidgets

from hedgelib import contracts, market
from hedgelib.planner.form import PAGE_LEVEL
from hedgelib.planner.sheet import Worksheet, WorksheetError
from hedgelib.planner.summary import summary
from hedgelib.planner.writing import NO_ORDER, fragment, ladder_csv, markdown, page
from hedgelib.rendering import readouts_html

_WIDE = {"description_width": "15em"}
_LAYOUT = {"width": "30em", "max_width": "100%"}
_SHARES = {"step": 0.05, "readout_format": ".0%"}

LABELS = {
    "coins": "Coins held",
    "cost": "Cost of one (USDT)",
    "price": "Price today (USDT)",
    "decide": "Decide by",
    "ratio": "Hedge ratio",
    "bearable": "Loss I can bear (USDT)",
    "fall": "Fall I fear",
    "contract": "Contract",
    "leverage": "Leverage",
    "mode": "Margin mode",
    "margin_from": "Margin from",
    "reserve": "Reserve (USDT)",
    "days": "Horizon (days)",
    "take_profit": "Take profit below by",
    "stop": "Stop above by",
    "evidence": "Judge by",
}
_WORDS = {
    "decide": {"the hedge ratio": "ratio", "the loss I can bear": "bearable"},
    "mode": {"isolated": "isolated", "cross": "cross"},
    "margin_from": {"money outside": "outside", "selling coins": "coins", "the coins": "coin_margined"},
    "evidence": {"published facts": "facts", "my downloaded history": "history"},
}
_FIELDS = {"market": "evidence"}  # fields of a worksheet that have another name here
_SLIDERS = {
    "ratio": {"min": 0.05, "max": 1.0},
    "fall": {"min": 0.05, "max": 0.95},
    "take_profit": {"min": 0.0, "max": 0.9},
    "stop": {"min": 0.0, "max": 1.0},
}


class FormPanel(ipywidgets.VBox):
    """The live form: `fields` and `complaints` by name, `result`, `links` and the whole `plan` below."""

    def __init__(self, start):
        """Show the start; judge by the history in the local cache where there is one."""
        self.fields = {name: _field(name, label, _start(start, name)) for name, label in LABELS.items()}
        self.complaints = {name: ipywidgets.HTML(layout={"flex": "1 1 12em"}) for name in LABELS}
        self.result, self.links, self.plan = (ipywidgets.HTML() for _ in range(3))
        try:
            self._history(start.rules.base)
            self.fields["evidence"].value = "history"
        except ValueError:
            pass
        rows = {
            name: ipywidgets.HBox([field, self.complaints[name]], layout={"flex_flow": "row wrap"})
            for name, field in self.fields.items()
        }
        self._either = {name: rows[name] for name in ("ratio", "bearable")}
        whole = ipywidgets.Accordion([self.plan], titles=("The whole plan, to read and print",))
        super().__init__([*rows.values(), self.result, self.links, whole])
        self._show()
        for field in self.fields.values():
            field.observe(self._show, "value")

    @staticmethod
    @functools.lru_cache(maxsize=2)
    def _history(base):
        """All history of a coin that the cache holds."""
        return market.history(f"{base}USDT", "2019-09-01", "2099-12-31")

    def _sheet(self):
        """Return the worksheet that the fields describe."""
        values = {name: field.value for name, field in self.fields.items()}
        values[{"ratio": "bearable", "bearable": "ratio"}[values.pop("decide")]] = None
        if values.pop("evidence") == "history":
            try:
                values["market"] = self._history(contracts.get(values["contract"]).base)
            except ValueError as error:
                raise WorksheetError({"market": str(error)}) from None
        return Worksheet(**values)

    def _show(self, change=None):
        """Put the plan, or the complaints, on the screen."""
        chosen = self.fields["decide"].value
        for name, row in self._either.items():
            row.layout.display = "flex" if name == chosen else "none"
        try:
            sheet, problems = self._sheet(), {}
        except WorksheetError as error:
            problems = {_FIELDS.get(name, name): why for name, why in error.problems.items()}
        for name, complaint in self.complaints.items():
            complaint.value = _alert(problems[name]) if name in problems else ""
        if problems:
            self.result.value = _alert(f"No plan yet. See: {', '.join(LABELS[name] for name in problems)}")
            self.links.value = self.plan.value = ""
            return
        self.result.value = f'<div aria-live="polite">{readouts_html(summary(sheet))}<p>{NO_ORDER}</p></div>'
        self.plan.value = fragment(sheet, PAGE_LEVEL)
        self.links.value = "Save: " + " · ".join(
            _link(name, kind, text)
            for name, kind, text in (
                ("my-hedge.html", "text/html", page(sheet)),
                ("my-hedge.md", "text/markdown", markdown(sheet)),
                ("my-hedge-ladder.csv", "text/csv", ladder_csv(sheet)),
            )
        )


def _start(sheet, name):
    """What a field shows at the start."""
    chosen = "ratio" if sheet.bearable is None else "bearable"
    bearable = (1 - sheet.share) * sheet.coins * sheet.price * sheet.fall
    otherwise = {"ratio": sheet.share, "bearable": bearable, "decide": chosen, "evidence": "facts"}
    value = getattr(sheet, name, None)
    return otherwise[name] if value is None else value


def _field(name, label, value):
    """Make one field: a list of words, a slider for a share, or a number."""
    common = {"value": value, "description": label, "style": _WIDE, "layout": _LAYOUT}
    if name == "contract":
        return ipywidgets.Dropdown(options=contracts.symbols(), **common)
    if name in _WORDS:
        return ipywidgets.Dropdown(options=list(_WORDS[name].items()), **common)
    if name in _SLIDERS:
        return ipywidgets.FloatSlider(**_SLIDERS[name], **_SHARES, **common, continuous_update=False)
    return ipywidgets.FloatText(**common)


def _alert(text):
    """Write a complaint."""
    red = "color:var(--jp-error-color0,#b00020)"
    return f'<span role="alert" style="{red};line-height:1.4">✗ {html.escape(text)}</span>'


def _link(name, kind, text):
    """Return a link that carries a file in itself."""
    data = base64.b64encode(text.encode()).decode()
    href = f"data:{kind};charset=utf-8;base64,{data}"
    return f'<a download="{name}" href="{href}" style="text-decoration:underline">{name}</a>'
