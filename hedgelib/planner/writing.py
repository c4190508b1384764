"""A plan in words: a summary of a few lines, and the article's six steps as Markdown, HTML and CSV."""

import html
import math
from typing import NamedTuple

from hedgelib.figures import number, percent, usdt
from hedgelib.planner import tables
from hedgelib.planner.sheet import worksheet

NO_ORDER = (
    "This page is arithmetic. It places no order, sends nothing anywhere, and is not investment advice."
)
TITLE = "My hedge"
UNKNOWN = "not known"
_VISITS = 8
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}
table{border-collapse:collapse;margin:.6em 0;width:100%}
th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}
thead th{background:#eee}
h2{margin-top:1.4em;border-bottom:2px solid #0072b2}
@media print{body{margin:0;max-width:none;font-size:10pt}h2,tr{break-inside:avoid}h2{break-after:avoid}}
"""


def summary(sheet):
    """Return the plan in a few lines, a dict of text to text.

    Parameters
    ----------
    sheet : Worksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> summary(Worksheet(1, 40_000, 60_000, ratio=0.5))["Order"]
    'SELL 0.5 BTC of BTCUSDT at 60,000.00, 2x isolated'
    """
    ticket, chances = worksheet(sheet).ticket, tables.chances(sheet)
    unit = "contracts" if sheet.rules.inverse else sheet.rules.base
    held = tables.carry(sheet).loc["Total"]
    fallen = sheet.at(sheet.price * (1 - sheet.fall))["total_pnl"].item()
    within = f"within {sheet.days} days"
    return {
        "Order": f"SELL {ticket.quantity:,.10g} {unit} of {sheet.contract} at {sheet.price:,.2f}, "
        f"{sheet.leverage:g}x {sheet.mode}",
        "Margin": f"{_amount(ticket.initial_margin, sheet)} {_source(sheet)}",
        "Liquidation price": _death(sheet.liquidation, sheet.price),
        "Alarm": _alarm(sheet),
        **{
            f"Dies {within}" if name == "as opened" else f"… {name}": (
                f"{_known(chance.formula, percent, 0)} by formula, {_measured(chance)} measured"
            )
            for name, chance in chances.iterrows()
        },
        f"Funding and fees {within}": f"{_known(held.expected)} expected, {_known(held.bad)} in the bad case",
        f"A fall of {percent(sheet.fall, 0)} costs": f"{usdt(-fallen, signed=False)} instead of "
        f"{usdt(sheet.coins * sheet.price * sheet.fall, signed=False)}",
    }


def markdown(sheet):
    """Write the plan as Markdown.

    Parameters
    ----------
    sheet : Worksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> print(markdown(Worksheet(1, 40_000, 60_000, ratio=0.5))[:66])
    # My hedge
    <BLANKLINE>
    ## Step 1: what I hold
    <BLANKLINE>
    1 BTC, worth 60,000 USDT today
    """
    parts = [f"# {TITLE}"]
    for section in _sections(sheet):
        head, *rows = section.table or [()]
        lines = [head, ["---"] * len(head), *rows] if rows else []
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        items = "\n".join(f"- {item}" for item in section.items)
        parts += [f"## {section.title}", section.text, table, items]
    return "\n\n".join([*filter(None, parts), NO_ORDER]) + "\n"


def fragment(sheet, level=2):
    """Write the plan as HTML without a page around it, with headings of this level."""
    parts = []
    for section in _sections(sheet):
        parts.append(_tag(f"h{level}", section.title))
        parts += [_tag("p", section.text)] if section.text else []
        if section.table:
            head, *rows = section.table
            names = "".join(_tag("th", name, ' scope="col"') for name in head)
            body = ""
            for first, *others in rows:
                cells = [_tag("th", first, ' scope="row"'), *(_tag("td", cell) for cell in others)]
                body += f"<tr>{''.join(cells)}</tr>"
            parts.append(f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>")
        parts += ["<ul>", *(_tag("li", item) for item in section.items), "</ul>"] if section.items else []
    return "".join(parts) + _tag("p", NO_ORDER)


def page(sheet):
    """Write the plan as an HTML page of its own, made to be printed.

    Parameters
    ----------
    sheet : Worksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> page(Worksheet(1, 40_000, 60_000, ratio=0.5))[:15]
    '<!doctype html>'
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{TITLE}</h1>{fragment(sheet)}</main></body></html>\n"
    )


def ladder_csv(sheet):
    """Write the price ladder as CSV: numbers with a point, amounts to the cent, changes as fractions.

    Parameters
    ----------
    sheet : Worksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> ladder_csv(Worksheet(1, 40_000, 60_000, ratio=0.5)).splitlines()[0]
    'level,price,order,action,change,coins_pnl,short_pnl,total_pnl,balance,margin_ratio'
    """
    table = tables.ladder(sheet)
    digits = {"change": 4, "margin_ratio": 4, "balance": 8 if sheet.rules.inverse else 2}
    money = dict.fromkeys(("price", "coins_pnl", "short_pnl", "total_pnl"), 2)
    return table.round(digits | money).to_csv(index=False, lineterminator="\n")


def _tag(name, text, attributes=""):
    return f"<{name}{attributes}>{html.escape(text)}</{name}>"


class _Section(NamedTuple):
    """One part of the page: title, sentences, a table (names of the columns first), and a list."""

    title: str
    text: str = ""
    table: tuple = ()
    items: tuple = ()


def _sections(sheet):
    """The parts of the page."""
    ladder = tables.ladder(sheet)
    inside = f"; the margin balance in {sheet.rules.base}." if sheet.rules.inverse else "."
    funding = sheet.outlook.funding(sheet.days)
    return [
        _Section("Step 1: what I hold", _holding(sheet)),
        _settings(sheet),
        _order(sheet, ladder.query("order != '' and level != 'open'")),
        _Section(
            "Price ladder and alarms",
            f"From the top down, in USDT, before funding and fees{inside}",
            tuple(_ladder(sheet, ladder)),
        ),
        _Section(
            "What holding it brings or costs",
            f"Over {sheet.days} days at an unchanged price; positive is received. By {sheet.outlook.source}; "
            f"the bad case is {funding.bad_case}.",
            (
                ("", "expected", "bad case"),
                *((name, *map(_known, row)) for name, *row in tables.carry(sheet).itertuples()),
            ),
        ),
        _Section(
            "How it can die",
            f"The short dies within {sheet.days} days if the mark price once rises this far. "
            f"Formula: log-normal prices. Measured: {sheet.outlook.source}.",
            (("", "rise", "by formula", "measured"), *map(_chance, tables.chances(sheet).itertuples())),
        ),
        _Section("What stays open", table=(("what", "size"), *_unhedged(sheet))),
        _Section(
            "Step 6: watch, and write it down",
            "At each visit: is the margin enough, does the ratio still fit, what has funding cost?",
            tuple(_visits(sheet)),
        ),
        _Section("Remove the hedge when", items=tuple(_removal(sheet))),
    ]


def _holding(sheet):
    worth, paid = sheet.coins * sheet.price, sheet.coins * sheet.cost
    return (
        f"{sheet.coins:,.10g} {sheet.rules.base}, worth {usdt(worth, signed=False)} today. They cost "
        f"{usdt(paid, signed=False)}: {usdt(worth - paid)} not realised. I fear a fall of "
        f"{percent(sheet.fall, 0)}, which would take {usdt(worth * sheet.fall, signed=False)}."
    )


def _settings(sheet):
    reserve = f"{usdt(sheet.reserve, signed=False)}, "
    reserve += "in the wallet" if sheet.mode == "cross" else "kept aside, posted at the alarm"
    rows = [
        ("contract", f"{sheet.contract} perpetual, rules as of {sheet.rules.as_of}"),
        ("leverage and mode", f"{sheet.leverage:g}x, {sheet.mode}"),
        ("direction", "sell (short)"),
        ("initial margin", f"{_amount(sheet.ticket.initial_margin, sheet)} {_source(sheet)}"),
        ("reserve", reserve if sheet.reserve else "none"),
        ("liquidation price", _death(sheet.liquidation, sheet.price)),
    ]
    if sheet.liquidation_with_reserve > sheet.liquidation:
        rows.append(("… with the reserve posted", _death(sheet.liquidation_with_reserve, sheet.price)))
    wallet = f"The margin is {sheet.rules.margin_unit}. Gains on the coins themselves do not count for it."
    title = "Steps 2 and 3: contract, leverage, margin"
    return _Section(title, "" if sheet.rules.inverse else wallet, (("setting", "value"), *rows))


def _order(sheet, exits):
    base, ticket = sheet.rules.base, sheet.ticket.table().drop("Liquidation price")
    text = (
        f"{percent(sheet.share)} of {sheet.coins_kept:,.6g} {base}, rounded down to the step of "
        f"{sheet.rules.step:g}. Rounding leaves {sheet.ticket.residual:.6f} {base} of it without a short."
    )
    rows = [(name, f"{row.value} {row.unit}".strip()) for name, row in ticket.iterrows()]
    rows += [(row.level.capitalize(), f"{row.order}, trigger {row.price:,.2f}") for row in exits.itertuples()]
    return _Section("Steps 4 and 5: how much, and the order", text, (("field", "value"), *rows))


def _ladder(sheet, ladder):
    yield "level", "price", "move", "coins", "short", "together", "margin balance", "margin ratio", "do"
    for row in ladder.itertuples():
        yield (
            row.level,
            number(row.price, 2, signed=False),
            percent(row.change, signed=True),
            number(row.coins_pnl),
            number(row.short_pnl),
            number(row.total_pnl),
            number(row.balance, 4 if sheet.rules.inverse else 0, signed=False),
            "–" if math.isnan(row.margin_ratio) else percent(row.margin_ratio),
            row.action,
        )


def _chance(row):
    rise = percent(row.distance, signed=True) if math.isfinite(row.distance) else "no such price"
    return row.Index, rise, _known(row.formula, percent, 0), f"{_measured(row)} ({row.case})"


def _unhedged(sheet):
    """What the hedge leaves open, each with a size."""
    base, fallen, kept = sheet.rules.base, sheet.price * (1 - sheet.fall), sheet.coins_kept
    left, whole = sheet.at(fallen)["total_pnl"].item(), -sheet.coins * sheet.price * sheet.fall
    covered = sheet.value / sheet.price
    spread = _known(sheet.outlook.basis * sheet.value, usdt, signed=False)
    return [
        ("coins without a short", f"{max(0.0, kept - covered):,.6g} of {kept:,.6g} {base}"),
        (f"result of a fall to {usdt(fallen, signed=False)}", f"{usdt(left)}, without a hedge {usdt(whole)}"),
        ("basis, one standard deviation of a day", spread if spread == UNKNOWN else f"±{spread}"),
        ("the exchange and the stablecoin", "everything you keep there"),
        ("the upside", f"{percent(min(1.0, covered / kept), 0)} of it is given away"),
    ]


def _visits(sheet):
    """A table to fill in while the hedge is on: about nine days, what should be there, room for what is."""
    empty = ("date", "mark price", "margin balance", "coins held", "funding so far", "still afraid of what?")
    yield "day", "funding expected so far", *empty
    expected = tables.carry(sheet).loc["Funding", "expected"] / sheet.days
    for day in sorted({*range(0, sheet.days, max(1, math.ceil(sheet.days / _VISITS))), sheet.days}):
        yield str(day), _known(expected * day), *[""] * len(empty)


def _removal(sheet):
    """Rules by which the hedge ends, so that the end is decided before it begins."""
    yield "The reason has passed: the event is over, or the thing you feared has happened."
    if sheet.take_profit:
        cancel = " Cancel the stop." if sheet.stop else ""
        taken = usdt(sheet.price * (1 - sheet.take_profit), signed=False)
        yield f"The take profit at {taken} has filled: the coins are free.{cancel}"
    yield f"Day {sheet.days} has come. To go on is a new decision: fill in a new plan."
    bad = -tables.carry(sheet).loc["Funding", "bad"]
    if math.isnan(bad):
        yield "Funding has cost as much as I am ready to pay. Write that sum down here: ______ USDT."
    else:
        yield f"Funding has cost {usdt(bad, signed=False)} or more: that is the bad case of this plan."
    if math.isfinite(sheet.liquidation):
        yield "The alarm rings and you would rather not add margin: buy back part, do not hope."
    if sheet.stop:
        stopped = usdt(sheet.price * (1 + sheet.stop), signed=False)
        yield f"The stop at {stopped} has filled: cancel the take profit. The loss is real, the gain is not."


def _known(value, write=usdt, *digits, **how):
    """Write a number, or that it is not known."""
    return UNKNOWN if math.isnan(value) else write(value, *digits, **how)


def _measured(chance):
    """Write a measured share, with what it is a bound of."""
    return f"{chance.bound} {_known(chance.measured, percent, 0)}".strip()


def _alarm(sheet):
    """Write the alarm price with its distance."""
    if math.isinf(sheet.alarm):
        return "none needed for the price"
    if math.isnan(sheet.alarm):
        return f"{UNKNOWN}: no day of {sheet.rules.base} was measured"
    if sheet.alarm <= sheet.price:
        return "rings from the start"
    return f"{sheet.alarm:,.0f} USDT ({percent(sheet.alarm / sheet.price - 1, signed=True)})"


def _death(price, today):
    """Write a liquidation price with its distance."""
    if math.isinf(price):
        return "none: no rise alone liquidates it"
    return f"{price:,.2f} USDT ({percent(price / today - 1, signed=True)})"


def _amount(margin, sheet):
    """Write an amount of margin in its own unit."""
    return f"{margin:,.6g} {sheet.rules.base}" if sheet.rules.inverse else usdt(margin, 2, signed=False)


def _source(sheet):
    """Write where the margin comes from."""
    sold = f"{sheet.coins - sheet.coins_kept:,.6g} {sheet.rules.base}"
    return {
        "outside": "from money I own besides the coins",
        "coins": f"from selling {sold}; the gain on them is realised, ask about tax",
        "coin_margined": "from the coins themselves: all of them are pledged",
    }[sheet.margin_from]
