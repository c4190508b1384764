"""What a page about a plan says: the article's six steps in sentences and tables, and a short summary."""

import math
from dataclasses import dataclass

from hedgelib.figures import number, percent, usdt
from hedgelib.planner import tables
from hedgelib.planner.sheet import check

NO_ORDER = (
    "This page is arithmetic. It places no order, sends nothing anywhere, and is not investment advice."
)


@dataclass(frozen=True)
class Section:
    """One part of the page: its title, sentences, a table (names of the columns first), and a list."""

    title: str
    text: str = ""
    table: tuple = ()
    items: tuple = ()


def sections(sheet):
    """Return the parts of the page.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    list of Section
    """
    check(sheet)
    return [
        _holding(sheet),
        _settings(sheet),
        _order(sheet),
        _ladder(sheet),
        _carry(sheet),
        _chances(sheet),
        Section("What stays open", table=(("what", "size"), *tables.unhedged(sheet))),
        _watch(sheet),
        Section("Remove the hedge when", items=tuple(tables.removal(sheet))),
    ]


def summary(sheet):
    """Return the plan in a few lines.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> summary(Worksheet(1, 40_000, 60_000, ratio=0.5))["Order"]
    'SELL 0.5 BTC of BTCUSDT at 60,000.00, 2x isolated'
    """
    check(sheet)
    ticket, chances = sheet.ticket, tables.chances(sheet)
    unit = "contracts" if sheet.rules.inverse else sheet.rules.base
    ringing = tables.alarm(sheet)
    held = tables.carry(sheet).loc["Total"]
    fallen = sheet.at(sheet.price * (1 - sheet.fall))["total_pnl"].item()
    alarm = f"{ringing:,.0f} USDT ({percent(ringing / sheet.price - 1, signed=True)})"
    if math.isinf(ringing):
        alarm = "none needed for the price"
    elif ringing <= sheet.price:
        alarm = "rings from the start"
    within = f"within {sheet.days} days"
    return {
        "Order": f"SELL {ticket.quantity:,.10g} {unit} of {sheet.contract} at {sheet.price:,.2f}, "
        f"{sheet.leverage:g}x {sheet.mode}",
        "Margin": f"{_amount(ticket.initial_margin, sheet)} {_source(sheet)}",
        "Liquidation price": _death(sheet.liquidation, sheet.price),
        "Alarm": alarm,
        **{
            f"Dies {within}" if name == "as opened" else f"… {name}": (
                f"{percent(chance.formula, 0)} by formula, {_measured(chance)} measured"
            )
            for name, chance in chances.iterrows()
        },
        f"Funding and fees {within}": f"{usdt(held.expected)} expected, {usdt(held.bad)} in the bad case",
        f"A fall of {percent(sheet.fall, 0)} costs": f"{usdt(-fallen, signed=False)} instead of "
        f"{usdt(sheet.coins * sheet.price * sheet.fall, signed=False)}",
    }


def _holding(sheet):
    worth, paid = sheet.coins * sheet.price, sheet.coins * sheet.cost
    base = sheet.rules.base
    text = f"{sheet.coins:,.10g} {base}, worth {usdt(worth, signed=False)} today. They cost "
    text += f"{usdt(paid, signed=False)}: {usdt(worth - paid)} not realised. I fear a fall of "
    text += f"{percent(sheet.fall, 0)}, which would take {usdt(worth * sheet.fall, signed=False)}."
    return Section("Step 1: what I hold", text)


def _settings(sheet):
    unit, margin = sheet.rules.margin_unit, sheet.ticket.initial_margin
    reserve = f"{usdt(sheet.reserve, signed=False)}, "
    reserve += "in the wallet" if sheet.mode == "cross" else "kept aside, posted at the alarm"
    rows = [
        ("contract", f"{sheet.contract} perpetual, rules as of {sheet.rules.as_of}"),
        ("leverage and mode", f"{sheet.leverage:g}x, {sheet.mode}"),
        ("direction", "sell (short)"),
        ("initial margin", f"{_amount(margin, sheet)} {_source(sheet)}"),
        ("reserve", reserve if sheet.reserve else "none"),
        ("liquidation price", _death(sheet.liquidation, sheet.price)),
    ]
    if sheet.liquidation_with_reserve > sheet.liquidation:
        rows.append(("… with the reserve posted", _death(sheet.liquidation_with_reserve, sheet.price)))
    title = "Steps 2 and 3: contract, leverage, margin"
    wallet = f"The margin is {unit}. Gains on the coins themselves do not count for it."
    return Section(title, "" if sheet.rules.inverse else wallet, (("setting", "value"), *rows))


def _order(sheet):
    share, base = percent(sheet.share), sheet.rules.base
    text = f"{share} of {sheet.coins_kept:,.6g} {base}, rounded down to the step of {sheet.rules.step:g}. "
    text += "Rounding leaves "
    text += f"{sheet.ticket.residual:.6f} {base} of it without a short."
    ticket = sheet.ticket.table()
    rows = [
        (name, f"{row.value} {row.unit}".strip()) for name, row in ticket.drop("Liquidation price").iterrows()
    ]
    exits = tables.ladder(sheet).query("order != '' and level != 'open'")
    rows += [(row.level.capitalize(), f"{row.order}, trigger {row.price:,.2f}") for row in exits.itertuples()]
    return Section("Steps 4 and 5: how much, and the order", text, (("field", "value"), *rows))


def _ladder(sheet):
    table = tables.ladder(sheet)
    rows = [
        (
            row.level,
            number(row.price, 2, signed=False),
            percent(row.change, signed=True),
            number(row.coins_pnl),
            number(row.short_pnl),
            number(row.total_pnl),
            number(row.balance, 4 if sheet.rules.inverse else 0, signed=False),
            percent(row.margin_ratio) if row.margin_ratio == row.margin_ratio else "–",
            row.action,
        )
        for row in table.itertuples()
    ]
    head = ("level", "price", "move", "coins", "short", "together", "margin balance", "margin ratio", "do")
    text = "From the top down, in USDT, before funding and fees"
    text += f"; the margin balance in {sheet.rules.base}." if sheet.rules.inverse else "."
    return Section("Price ladder and alarms", text, (head, *rows))


def _carry(sheet):
    rows = [(name, usdt(row.expected), usdt(row.bad)) for name, row in tables.carry(sheet).iterrows()]
    text = f"Over {sheet.days} days at an unchanged price; positive is received. By {sheet.outlook.source}; "
    text += f"the bad case is {sheet.outlook.bad_case}."
    return Section("What holding it brings or costs", text, (("", "expected", "bad case"), *rows))


def _measured(chance):
    """A measured share, with what it is a bound of."""
    return f"{chance.bound} {percent(chance.measured, 0)}".strip()


def _chances(sheet):
    rows = [
        (
            name,
            percent(row.distance, signed=True) if math.isfinite(row.distance) else "no such price",
            percent(row.formula, 0),
            f"{_measured(row)} ({row.case})",
        )
        for name, row in tables.chances(sheet).iterrows()
    ]
    text = f"The short dies within {sheet.days} days if the mark price once rises this far. "
    text += f"Formula: log-normal prices. Measured: {sheet.outlook.source}."
    return Section("How it can die", text, (("", "rise", "by formula", "measured"), *rows))


def _watch(sheet):
    table = tables.monitoring(sheet)
    rows = [tuple(map(str, row)) for row in table.itertuples(index=False)]
    text = "At each visit: is the margin enough, does the ratio still fit, what has funding cost?"
    return Section("Step 6: watch, and write it down", text, (tuple(table.columns), *rows))


def _death(price, today):
    """Write a liquidation price with its distance."""
    if math.isinf(price):
        return "none: no rise alone liquidates it"
    return f"{price:,.2f} USDT ({percent(price / today - 1, signed=True)})"


def _amount(margin, sheet):
    """Write an amount of margin in its own unit."""
    if sheet.rules.inverse:
        return f"{margin:,.6g} {sheet.rules.base}"
    return usdt(margin, 2, signed=False)


def _source(sheet):
    """Write where the margin comes from."""
    sold = f"{sheet.coins - sheet.coins_kept:,.6g} {sheet.rules.base}"
    return {
        "outside": "from money I own besides the coins",
        "coins": f"from selling {sold}; the gain on them is realised, ask about tax",
        "coin_margined": "from the coins themselves: all of them are pledged",
    }[sheet.margin_from]
