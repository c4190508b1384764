"""What folds out below the form: a contract that is not listed, and a coin held that has no future."""

import dataclasses
import html
import tempfile
from dataclasses import MISSING
from pathlib import Path

import ipywidgets
from matplotlib.figure import Figure

from hedgelib import contracts, rendering
from hedgelib.figures import percent, usdt
from hedgelib.panel import LabelledImage
from hedgelib.planner import entry
from hedgelib.planner.closes import closes
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.drawing import draw
from hedgelib.planner.pasted import own_contract
from hedgelib.planner.sheet import JUDGES, WorksheetError

RULES = {  # label, what stands there at the start, how it is read
    "symbol": ("Its name", "", str),
    "tick": ("Step of the price", "0.01", entry.number),
    "step": ("Step of the quantity", "0.001", entry.number),
    "minimum": ("Smallest order", "5", entry.number),
    "maker_fee": ("Maker fee (%)", "0.02", entry.percent),
    "taker_fee": ("Taker fee (%)", "0.05", entry.percent),
    "spot_fee": ("Spot fee (%)", "0.1", entry.percent),
    "funding_hours": ("Funding every (h)", "8", entry.number),
    "collateral_ratio": ("Counts as margin", "", entry.share),
}
CROSS = {
    "held": ("Coin held", "", str),
    "coins": ("Coins held", "", entry.number),
    "price": ("Its price today", "", entry.number),
    "fall": ("Fall I fear", "30 %", entry.share),
    "short_price": ("Price of that", "", entry.number),
    "ratio": ("Short per USDT held", "", entry.number),
    "leverage": ("Leverage", "2", entry.number),
    "reserve": ("Reserve", "", entry.number),
    "days": ("Horizon (days)", "30", entry.number),
    "band": ("Rebalance from", "", entry.share),
}
LISTS = {"held_closes": "Closes of the coin held", "short_closes": "Closes of the other"}
_HINTS = {
    "symbol": "such as ARBUSDT",
    "collateral_ratio": "or 80 %",
    "held": "such as ADA",
    "ratio": "the least variance",
    "reserve": "none",
    "band": "never, or 5 %",
    "implied": "a volatility, or the one judged by",
}
_PASTE = (
    "Paste the maintenance brackets from the exchange's page, headings and all:\n0 - 50,000  50x  0.4 %  0"
)
_ASKED = (
    "Type the coin that you hold, how many, and its price; choose what to short, and its price. The ratio is "
    "the one of the least variance where two lists of daily closes are given (CSV, a date and a close), or "
    "yours."
)


class ContractBox(ipywidgets.HBox):
    """A contract typed and pasted by its reader; `use` is called with it."""

    def __init__(self, use):
        """Show empty fields."""
        self.fields = {name: text_field(*told[:2], name) for name, told in RULES.items()}
        self.brackets = ipywidgets.Textarea(placeholder=_PASTE, rows=9, layout={"width": "auto"})
        self.button = ipywidgets.Button(description="Use this contract", layout={"width": "auto"})
        self.told, self._use = ipywidgets.HTML(), use
        self.button.on_click(lambda _: self._make())
        right = ipywidgets.VBox([self.brackets, self.button, self.told], layout={"flex": "1 1 0"})
        super().__init__([_column(self.fields.values()), right])

    def _make(self):
        found, problems = read(self.fields, RULES)
        if not problems:
            try:
                contract = own_contract(brackets=self.brackets.value, **found)
            except ValueError as error:
                problems = {"": str(error)}
        if problems:
            self.told.value = alert("; ".join(_named(RULES, *problem) for problem in problems.items()))
            return
        held = contract.brackets
        lines = {
            f"from {usdt(floor, signed=False)}": f"{percent(rate, 2)} of the notional"
            for floor, rate in zip(held.floors, held.rates, strict=True)
        }
        self.told.value = rendering.readouts_html(
            {"read as": f"{contract.symbol} on {contract.base}"} | lines
        )
        self._use(contract)


class CrossBox(ipywidgets.VBox):
    """The plan of a coin held that has no future: its fields left, picture and lines right."""

    def __init__(self, links):
        """Show empty fields; `links` makes the links to save a plan."""
        self.fields = {name: text_field(*told[:2], name) for name, told in CROSS.items()}
        style = {"style": {"description_width": "12em"}, "layout": {"width": "auto"}}
        listed = [symbol for symbol in contracts.symbols() if not contracts.get(symbol).inverse]
        options = [(symbol, contracts.get(symbol)) for symbol in listed]
        self.contract = ipywidgets.Dropdown(options=options, description="Short a future on", **style)
        self.judge = ipywidgets.Dropdown(options=JUDGES, description="Judge by", **style)
        self.lists = {
            name: ipywidgets.FileUpload(description=label, accept=".csv", layout={"width": "auto"})
            for name, label in LISTS.items()
        }
        self.result, self.links, self._links = ipywidgets.HTML(), ipywidgets.HTML(), links
        self.picture = LabelledImage(layout={"width": "100%", "max_width": "760px", "display": "none"})
        self.sheet = None
        held, rest = list(self.fields.values())[:4], list(self.fields.values())[4:]
        left = _column([*held, self.contract, *rest, self.judge, *self.lists.values()])
        right = ipywidgets.VBox([self.picture, self.result, self.links], layout={"flex": "1 1 0"})
        super().__init__([ipywidgets.HBox([left, right])])
        for field in (*self.fields.values(), self.contract, self.judge, *self.lists.values()):
            field.observe(lambda _: self.show(), "value")
        self.show()

    def put(self, sheet):
        """Put a plan that was saved into the fields; its contract is among those listed.

        Refused is a plan with something that has no field here.
        """
        kept = {part.name: part.default for part in dataclasses.fields(sheet) if part.default is not MISSING}
        shown = {*self.fields, *self.lists, "contract", "judge"}
        more = [name for name in kept if name not in shown and getattr(sheet, name) != kept[name]]
        if more:
            told = ", ".join(more)
            raise ValueError(
                f"this plan has {told}, which the form does not show: use planner.load in a cell"
            )
        self.contract.value, self.judge.value = sheet.rules, sheet.judge
        for name, field in self.fields.items():
            value = getattr(sheet, name)
            write = entry.written_share if CROSS[name][2] is entry.share else entry.written
            field.value = value if isinstance(value, str) else write(value) if value else ""

    def show(self):
        """Put the plan, or what is missing, on the screen."""
        self.sheet, self.links.value = None, ""
        self.picture.layout.display = "none"
        if not all(self.fields[name].value.strip() for name in ("held", "coins", "price", "short_price")):
            self.result.value = html.escape(_ASKED)
            return
        found, problems = read(self.fields, CROSS)
        try:
            if not problems:
                found |= {"contract": self.contract.value, "judge": self.judge.value} | self._closes(found)
                self.sheet = CrossWorksheet(**found)
        except WorksheetError as error:
            problems = error.problems
        except ValueError as error:
            problems = {"": str(error)}
        if problems:
            labels = CROSS | {name: (label,) for name, label in LISTS.items()}
            labels |= {"contract": ("Short a future on",), "judge": ("Judge by",)}
            self.result.value = alert("; ".join(_named(labels, *problem) for problem in problems.items()))
            return
        with rendering.style():
            figure = Figure(figsize=(8.6, 3.4), layout="constrained")
            told = draw(figure, self.sheet)
            self.picture.tooltip = rendering.alt_text(figure.axes[0].get_title(loc="left"), told)
            self.picture.value = rendering.data_url(rendering.png(figure)).encode()
        self.picture.layout.display = None
        self.result.value = f'<div aria-live="polite">{rendering.readouts_html(told)}</div>'
        self.links.value = self._links(self.sheet)

    def _closes(self, found):
        """The lists of closes that were given, by name."""
        coins, told = {"held_closes": found["held"], "short_closes": self.contract.value.base}, {}
        for name, upload in self.lists.items():
            for file in upload.value:
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "closes.csv"
                    path.write_bytes(file["content"])
                    try:
                        told[name] = closes(name, path, coins[name].strip().upper(), "spot")
                    except ValueError as error:
                        why = str(error).replace(str(path), file["name"])
                        raise ValueError(f"{LISTS[name]}: {why}") from None
        return told


def text_field(label, start, name=""):
    """A line to type in."""
    how = {"style": {"description_width": "12em"}, "layout": {"width": "auto"}}
    hint = _HINTS.get(name, "")
    return ipywidgets.Text(start, description=label, placeholder=hint, continuous_update=False, **how)


def read(fields, told):
    """What stands in fields, by name, those left empty left out; and why some cannot be read."""
    found, problems = {}, {}
    for name, field in fields.items():
        text = field.value.strip()
        try:
            if text or name == "symbol":
                found[name] = told[name][2](text)
        except ValueError as error:
            problems[name] = str(error)
    for name in ("days", "funding_hours"):
        if name in found and found[name] == int(found[name]):
            found[name] = int(found[name])
    return found, problems


def alert(text):
    """Write a complaint."""
    red = "color:var(--jp-error-color0,#b00020)"
    return f'<div role="alert" style="{red};line-height:1.3">✗ {html.escape(text)}</div>'


def _named(told, name, why):
    """A complaint in the words of the fields."""
    for each, label in LISTS.items():
        why = why.replace(each, f"“{label}”")
    return f"{told[name][0]}: {why}" if name in told else why


def _column(fields):
    return ipywidgets.VBox([*fields], layout={"flex": "0 0 23em", "overflow": "hidden"})
