"""What the page about a cross hedge says: each coin by its name, and of the short what its own plan says."""

import math

from hedgelib.figures import number, percent, usdt
from hedgelib.planner.crossing import at_both, rebalancing, stays
from hedgelib.planner.section import Section
from hedgelib.planner.summary import UNKNOWN, death, doubt, feared, have_ready, known
from hedgelib.planner.tables import carry, ladder

_VISITS = 8


def cross_sections(sheet, of_the_short):
    """The parts of the page.

    Parameters
    ----------
    sheet : CrossWorksheet
    of_the_short : list of Section
        The parts of the page about its short, some of which say the same here.
    """
    told = {part.title: part for part in of_the_short}
    carried, ends = told["What holding it brings or costs"], told["How it may end"]
    base = sheet.rules.base
    return [
        Section("Step 1: what I hold", _holding(sheet)),
        _settings(sheet),
        _order(sheet),
        Section("The ratio", _ratio(sheet), tuple(_estimates(sheet))),
        Section("What stays open", _open(sheet), tuple(_stays(sheet))),
        Section(
            "Two prices",
            f"On the straight way from both prices today, in USDT, before funding and fees. {_feared(sheet)}",
            tuple(_moves(sheet)),
        ),
        Section(
            f"Price ladder and alarms of {base}",
            f"Prices of {base}, which alone decide about the short; in USDT, before funding and fees.",
            tuple(_ladder(sheet)),
        ),
        Section("Rebalance by value", _band(sheet), tuple(_bands(sheet))),
        carried._replace(text=f"Of the short of {base}. {carried.text}"),
        ends._replace(text=f"Of the short of {base}, whatever {sheet.held} does. {ends.text}"),
        Section("What then", items=tuple(_what_then(sheet))),
        Section(
            "Step 6: watch, and write it down",
            f"At each visit: is the margin enough, and is {base} short still {_two(sheet.used)} of "
            f"{sheet.held} held?",
            tuple(_visits(sheet)),
        ),
        Section("Remove the hedge when", items=tuple(_removal(sheet))),
    ]


def _two(value):
    return number(value, 2, signed=False)


def _price(sheet, price):
    return sheet.rules.price_text(sheet.rules.round_price(price))


def _holding(sheet):
    return (
        f"{sheet.coins:,.10g} {sheet.held} at {sheet.price:,.10g} USDT, worth "
        f"{usdt(sheet.value, signed=False)} today. Of {sheet.held} there is no future that I can short: I "
        f"short {sheet.rules.base}. I fear a fall of {sheet.held} by {percent(sheet.fall, 0)}, which would "
        f"take {usdt(sheet.value * sheet.fall, signed=False)}."
    )


def _settings(sheet):
    short, rules = sheet.short, sheet.rules
    highest = rules.highest_leverage(short.ticket.notional)
    limit = f"; for this size at most {highest:g}x" if math.isfinite(highest) else ""
    rows = [
        ("contract", f"{rules.symbol} perpetual, rules as of {rules.as_of}"),
        ("leverage and mode", f"{sheet.leverage:g}x, {sheet.mode}{limit}"),
        ("direction", f"sell (short) {rules.base}"),
        ("have ready", have_ready(short)),
        (f"liquidation price of {rules.base}", death(short.liquidation, short)),
    ]
    if short.plan.top_up:
        rows.append(("… with the reserve posted", death(short.liquidation_with_reserve, short)))
    text = (
        f"The margin is USDT. Gains on {sheet.held} do not count for it, and {rules.base} may rise while "
        f"{sheet.held} stands still."
    )
    return Section("Steps 2 and 3: contract, leverage, margin", text, (("setting", "value"), *rows))


def _order(sheet):
    ticket = sheet.short.ticket.table().drop(["Liquidation price", "Left unhedged by rounding"])
    rows = [(name, f"{row.value} {row.unit}".strip()) for name, row in ticket.iterrows()]
    for row in ladder(sheet).itertuples():
        if row.order and row.level != "open":
            rows.append((row.level.capitalize(), f"{row.order}, trigger {_price(sheet, row.price)}"))
    text = (
        f"{_two(sheet.used)} USDT of {sheet.rules.base} per USDT of {sheet.held}, for "
        f"{usdt(sheet.value, signed=False)}: rounded down to the step of {sheet.rules.step:g}, "
        f"{usdt(sheet.short.value, signed=False)} are sold short, a ratio of {_two(sheet.placed)}."
    )
    return Section("Steps 4 and 5: how much, and the order", text, (("field", "value"), *rows))


def _ratio(sheet):
    text = f"{_two(sheet.used)} USDT of {sheet.rules.base} short per USDT of {sheet.held}: {doubt(sheet)}."
    if sheet.pair is not None:
        first, last = sheet.pair.index[[0, -1]]
        text += f" From daily closes of both, {first:%Y-%m-%d} to {last:%Y-%m-%d}."
    return text


def _estimates(sheet):
    if sheet.estimates:
        yield "judged by", "ratio", "standard error", "from", "to", "R²", "days"
    for name, found in sheet.estimates.items():
        low, high = found.interval()
        numbers = map(_two, (found.ratio, found.stderr, low, high))
        yield name, *numbers, percent(found.r_squared, 0), f"{found.observations:,}"


def _open(sheet):
    held, base = sheet.held, sheet.rules.base
    own = f"What {held} does alone stays mine: no other coin contains it."
    if sheet.pair is None:
        return f"How much stays is not known: no closes of {held} and {base} were given. {own}"
    return (
        f"One standard deviation of the change of wealth (USDT), measured on stretches of so many days, the "
        f"short left alone; √days is what a day leaves times the root of the days. {own}"
    )


def _stays(sheet):
    table = stays(sheet)
    if len(table):
        yield "days", "without a hedge", "with it", "√days", "variance removed"
    for days, row in table.iterrows():
        money = (number(value, signed=False) for value in (row.unhedged, row.left, row.root))
        yield str(days), *money, percent(row.removed, 0)


def _feared(sheet):
    told = (f"{usdt(total)} if {how}" for how, total in feared(sheet).items())
    return f"If {sheet.held} falls by {percent(sheet.fall, 0)}: {', '.join(told)}."


def _moves(sheet):
    """Every pair of a fall, no move and a rise of both coins."""
    held, base, fall = sheet.held, sheet.rules.base, sheet.fall
    yield f"{held} moves", *(f"{base} {percent(move, 0, signed=True)}" for move in (-fall, 0.0, fall))
    for move in (-fall, 0.0, fall):
        prices = [sheet.short_price * (1 + other) for other in (-fall, 0.0, fall)]
        totals = at_both(sheet, sheet.price * (1 + move), prices)["total_pnl"]
        yield percent(move, 0, signed=True), *map(number, totals)


def _ladder(sheet):
    yield "level", "price", "move", "short", "margin balance", "margin ratio", "do"
    for row in ladder(sheet).itertuples():
        yield (
            row.level,
            _price(sheet, row.price),
            percent(row.change, signed=True),
            number(row.short_pnl),
            "closed" if math.isnan(row.balance) else number(row.balance, signed=False),
            "–" if math.isnan(row.margin_ratio) else percent(row.margin_ratio),
            row.action,
        )


def _band(sheet):
    held, base = sheet.held, sheet.rules.base
    rule = (
        f"When {base} short is worth more than {percent(sheet.band, 0)} of {held} more or less than "
        f"{_two(sheet.used)} of it, I trade it back."
        if sheet.band
        else f"I leave the {base} short as it is, however far the two values drift apart."
    )
    least = usdt(sheet.rules.minimum_notional, signed=False)
    what = (
        f" Played from many days of the closes over {sheet.days} days each, with all fees, before funding:"
        if len(rebalancing(sheet))
        else " What a band costs is not known: the closes do not reach over twice the horizon."
    )
    return f"{rule} No order to sell below {least} is placed.{what}"


def _bands(sheet):
    table = rebalancing(sheet)
    if len(table):
        yield "band", "trades", "their fees", "left (±)", "worst 5 %, mean", "liquidated"
    for band, row in table.iterrows():
        name = percent(band, 0) if band else "never"
        mine = " (mine)" if band == sheet.band else ""
        yield (
            f"{name}{mine}",
            known(row.trades, number, 1, signed=False),
            number(row.fees),
            number(row.left, signed=False),
            number(row.worst),
            percent(row.liquidated, 0),
        )


def _what_then(sheet):
    held, base, short = sheet.held, sheet.rules.base, sheet.short
    if math.isfinite(short.liquidation_with_reserve) and not sheet.stop:
        price = short.liquidation_with_reserve
        lost = short.margin + sheet.reserve
        again = sheet.quantity * price / sheet.leverage
        yield (
            f"If {base} rises to {_price(sheet, price)}: the short is liquidated, "
            f"{usdt(lost, signed=False)} are gone, and {held} need not have gained anything. The same "
            f"short again takes {usdt(again, signed=False)} of margin. I hedge again, sell or hold: ______"
        )
    if sheet.stop:
        yield f"If {base} is stopped: {held} is unprotected. I cancel the take profit; a new plan or none."
    if sheet.take_profit:
        yield f"If the take profit fills: {held} is unprotected. I cancel the stop; a new plan or none."
    yield (
        f"If {held} falls and {base} does not: the hedge earns nothing. That is the risk it never covered; I "
        f"sell {held}, or bear it: ______"
    )
    each, hours = usdt(short.value * 1e-4, 2, signed=False), sheet.rules.funding_hours
    yield f"If funding turns: every −1 bp costs {each} at each settlement, every {hours} hours."


def _visits(sheet):
    empty = f"price of {sheet.held}", f"price of {sheet.rules.base}", "margin balance", "ratio of values"
    yield "day", "date", *empty, "still afraid of what?"
    for day in sorted({*range(0, sheet.days, max(1, math.ceil(sheet.days / _VISITS))), sheet.days}):
        yield str(day), *[""] * (len(empty) + 2)


def _removal(sheet):
    yield f"The reason has passed, or {sheet.held} has fallen as I feared."
    yield f"Day {sheet.days} has come. To go on is a new decision: new closes, a new ratio, a new plan."
    bad = -carry(sheet.short).loc["Funding", "bad"]
    cost = known(bad, usdt, signed=False)
    yield (
        "Funding has cost as much as I am ready to pay: ______ USDT."
        if cost == UNKNOWN
        else f"Funding has cost {cost} or more: that is the bad case of this plan."
    )
    yield f"{sheet.held} and {sheet.rules.base} no longer move together: newer closes give another ratio."
