"""What the page about a plan says: the article's six steps and what may become of them."""

import math

from hedgelib.figures import number, percent, usdt
from hedgelib.planner.chances import ENDS, by_formula, chances
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.cross_sections import cross_sections
from hedgelib.planner.section import Section
from hedgelib.planner.summary import UNKNOWN, death, have_ready, known, summary
from hedgelib.planner.tables import amount, at_price, carry, ladder
from hedgelib.planner.walking import at

_VISITS = 8
_THEN, _END, _OPEN = "What then", "Remove the hedge when", "What stays open"
_FRONT = _THEN, _END
_CARRY = "What holding it brings or costs"
_SAID = "symbol", "side", "margin mode", "leverage"  # in the line that names the order


def sections(sheet):
    """The parts of the page."""
    if isinstance(sheet, CrossWorksheet):
        return cross_sections(sheet, sections(sheet.short))
    rungs = ladder(sheet)
    inside = f"; the margin balance in {sheet.rules.base}." if sheet.rules.inverse else "."
    return [
        Section("Step 1: what I hold", _holding(sheet)),
        _settings(sheet),
        _order(sheet, rungs.query("order != '' and level != 'open'")),
        Section(
            "Price ladder and alarms",
            "On the straight way from the price today, in USDT, before funding and fees, the exits and the "
            f"reserve counted{inside}",
            tuple(_ladder(sheet, rungs)),
        ),
        _carry(sheet),
        _chances(sheet),
        Section(_THEN, items=tuple(_what_then(sheet, rungs.set_index("level")))),
        Section(_OPEN, table=(("what", "size"), *_unhedged(sheet))),
        Section(
            "Step 6: watch, and write it down",
            "At each visit: is the margin enough, does the ratio still fit, what has funding cost?",
            tuple(_visits(sheet)),
        ),
        Section(_END, items=tuple(_removal(sheet))),
    ]


def front(sheet):
    """The parts of the page to act by, beside the ladder: what then, and when to end."""
    return [part for part in sections(sheet) if part.title in _FRONT]


def details(sheet):
    """The other parts of the page, less what its front has said; in an order that fills two columns."""
    said = {name.lower() for name in (*summary(sheet), *_SAID)}
    parts = {}
    for part in sections(sheet):
        head, *rows = part.table or [()]
        if head[0:1] in (("setting",), ("field",)):
            rows = [row for row in rows if row[0].lower() not in said]
        if head[-1:] == ("do",):
            head, *rows = (row[:-1] for row in part.table)
        if part.title not in _FRONT:
            parts[part.title] = part._replace(table=(head, *rows) if rows else ())
    carried, left = parts.pop(_CARRY), parts.pop(_OPEN)
    holding, settings, order, *others = parts.values()
    return [holding, settings, carried, order, left, *others]


def _holding(sheet):
    worth, paid = sheet.coins * sheet.price, sheet.coins * sheet.cost
    return (
        f"{sheet.coins:,.10g} {sheet.rules.base}, worth {usdt(worth, signed=False)} today. They cost "
        f"{usdt(paid, signed=False)}: {usdt(worth - paid)} not realised. I fear a fall of "
        f"{percent(sheet.fall, 0)}, which would take {usdt(worth * sheet.fall, signed=False)}."
    )


def _settings(sheet):
    rules = sheet.rules
    highest = rules.highest_leverage(sheet.ticket.notional)
    limit = f"; for this size at most {highest:g}x" if math.isfinite(highest) else ""
    rows = [
        ("contract", f"{rules.symbol} perpetual, rules as of {rules.as_of}"),
        ("leverage and mode", f"{sheet.leverage:g}x, {sheet.mode}{limit}"),
        ("direction", "sell (short)"),
        ("have ready", have_ready(sheet)),
        ("liquidation price", death(sheet.liquidation, sheet)),
    ]
    if sheet.plan.top_up:
        rows.append(("… with the reserve posted", death(sheet.liquidation_with_reserve, sheet)))
    text = {
        "coin_margined": "Margin, gains and losses are in coin; only coins in the futures wallet back it.",
        "collateral": "The coins count as margin at a haircut, which the exchange may change, and all of "
        "them lie there. USDT owed beyond its limit are paid by selling coins.",
    }.get(sheet.margin_from, "The margin is USDT. Gains on the coins themselves do not count for it.")
    return Section("Steps 2 and 3: contract, leverage, margin", text, (("setting", "value"), *rows))


def _order(sheet, exits):
    base, ticket = sheet.rules.base, sheet.ticket.table().drop("Liquidation price")
    wanted, placed = percent(sheet.share, 0), percent(sheet.covered / sheet.coins_kept, 0)
    became = f", so {wanted} became {placed}" if wanted != placed else ""
    text = (
        f"{percent(sheet.share)} of {sheet.coins_kept:,.6g} {base}, rounded down to the step of "
        f"{sheet.rules.step:g}{became}. Without a short stay "
        f"{max(0.0, sheet.coins_kept - sheet.covered):,.6g} {base}."
    )
    rows = [(name, f"{row.value} {row.unit}".strip()) for name, row in ticket.iterrows()]
    rows += [
        (row.level.capitalize(), f"{row.order}, trigger {sheet.rules.price_text(row.price)}")
        for row in exits.itertuples()
    ]
    if len(exits):
        text += (
            " The exits are market orders once the mark price is there: a limit may not fill, and the last "
            "price may touch a trigger in a wick that the mark never saw. When one fills, cancel the other."
        )
    return Section("Steps 4 and 5: how much, and the order", text, (("field", "value"), *rows))


def _ladder(sheet, rungs):
    yield "level", "price", "move", "coins", "short", "together", "margin balance", "margin ratio", "do"
    for row in rungs.itertuples():
        yield (
            row.level,
            sheet.rules.price_text(row.price),
            percent(row.change, signed=True),
            number(row.coins_pnl),
            number(row.short_pnl),
            number(row.total_pnl),
            "closed" if math.isnan(row.balance) else amount(row.balance, sheet).removesuffix(" USDT"),
            "–" if math.isnan(row.margin_ratio) else percent(row.margin_ratio),
            row.action,
        )


def _carry(sheet):
    table, (_, bad_case) = carry(sheet), sheet.outlook.worst_funding(sheet.days)
    judges = "; ".join(f"{name}: {judge.source}" for name, judge in sheet.outlooks.items())
    text = (
        f"Over {sheet.days} days at an unchanged price; positive is received. The rows of the judges "
        f"count funding only as long as a short lives on average. {judges}. The bad case is {bad_case}."
    )
    rows = [(name if name != "bad" else "bad case", *map(known, row)) for name, *row in table.T.itertuples()]
    return Section(_CARRY, text, (("", *table.index), *rows))


def _chances(sheet):
    table = chances(sheet)
    rows = [
        (
            name,
            *(known(row[end], percent, 0) for end in ENDS),
            known(row.days, number, 0, signed=False),
            row.remark,
        )
        for name, row in table.iterrows()
    ]
    text = f"Within {sheet.days} days. Formula: log-normal prices without drift. Measured: shares of starts."
    if sheet.plan.top_up and not sheet.stop:
        text += " The reserve is posted at the alarm; "
        unposted = by_formula(sheet, sheet.outlook.volatility, posted=False)["liquidated"]
        text += f"if it is not, {known(unposted, percent, 0)} are liquidated by formula."
    head = ("", "liquidated", "stopped", "take profit", "day reached", "days alive", "how")
    return Section("How it may end", text, (head, *rows))


def _what_then(sheet, rungs):
    """What to do when the plan has ended before its time, decided before it begins."""
    if "liquidation" in rungs.index and not sheet.stop:
        row = rungs.loc["liquidation"]
        lost, price = usdt(-row.short_pnl, signed=False), at_price(row.price, sheet)
        worth = usdt(row.coins_pnl + sheet.coins_kept * sheet.price, signed=False)
        again = usdt(sheet.covered * row.price / sheet.leverage, signed=False)
        yield (
            f"If it is liquidated at {price}: {lost} are gone, the coins are worth {worth} and unprotected. "
            f"The same short again takes {again} of margin. I hedge again, sell or hold: ______"
        )
    if sheet.stop:
        row = rungs.loc["stop"]
        lost, gained = usdt(-row.short_pnl, signed=False), usdt(row.coins_pnl, signed=False)
        yield (
            f"If it is stopped: the short has lost {lost}, the coins have gained {gained}, and a fall from "
            "there is not hedged. I cancel the take profit, and short again only by a new plan."
        )
    if sheet.take_profit:
        earned = usdt(rungs.loc["take profit"].short_pnl, signed=False)
        yield (
            f"If the take profit fills: the short has earned {earned}, and a further fall is not hedged. I "
            "cancel the stop, and short again only by a new plan."
        )
    each, hours = usdt(sheet.value * 1e-4, 2, signed=False), sheet.rules.funding_hours
    yield (
        f"If funding turns: every −1 bp costs {each} at each settlement, every {hours} hours. After a week "
        "below zero I ask whether the reason for the hedge is worth it."
    )
    if sheet.margin_from == "collateral" and sheet.rules.forced_sale_below is not None:
        limit = usdt(-sheet.rules.forced_sale_below, signed=False)
        yield f"If more than {limit} are owed, coins are sold for them, a sale for the tax: USDT first."
    yield (
        "If the exchange closes a winning short (auto-deleveraging, as on 2025-10-10): the coins are "
        "unprotected in the middle of a fall. I look at the position, not only at the price."
    )


def _unhedged(sheet):
    """What the hedge leaves open, each with a size."""
    base, fallen, kept = sheet.rules.base, sheet.price * (1 - sheet.fall), sheet.coins_kept
    left, whole = at(sheet, fallen)["total_pnl"].item(), -sheet.coins * sheet.price * sheet.fall
    spread = known(sheet.outlook.basis * sheet.value, usdt, signed=False)
    return [
        ("coins without a short", f"{max(0.0, kept - sheet.covered):,.6g} of {kept:,.6g} {base}"),
        (f"result of a fall to {at_price(fallen, sheet)}", f"{usdt(left)}, without a hedge {usdt(whole)}"),
        ("basis, one standard deviation of a day", spread if spread == UNKNOWN else f"±{spread}"),
        ("the exchange and the stablecoin", _at_the_venue(sheet)),
        ("the upside", f"{percent(min(1.0, sheet.covered / kept), 0)} of it is given away"),
    ]


def _at_the_venue(sheet):
    """What lies at the exchange."""
    if sheet.margin_from == "collateral" or (sheet.rules.inverse and sheet.mode == "cross"):
        coins = f"all {sheet.coins:,.10g} {sheet.rules.base}"
        return f"{coins} and {amount(sheet.reserve, sheet)}" if sheet.reserve else coins
    there = sheet.margin + sheet.opening_fee + (sheet.reserve if sheet.mode == "cross" else 0.0)
    return f"{amount(there, sheet)}, and what the short gains"


def _visits(sheet):
    """A table to fill in while the hedge is on: about nine days, what should be there, room for what is."""
    empty = ("date", "mark price", "margin balance", "coins held", "funding so far", "still afraid of what?")
    yield "day", f"funding so far, USDT: {' / '.join(sheet.outlooks)}", *empty
    held = [judge.funding * sheet.value for judge in sheet.outlooks.values()]
    for day in sorted({*range(0, sheet.days, max(1, math.ceil(sheet.days / _VISITS))), sheet.days}):
        yield str(day), " / ".join(known(each * day, number) for each in held), *[""] * len(empty)


def _removal(sheet):
    """Rules by which the hedge ends, so that the end is decided before it begins."""
    yield "The reason has passed: the event is over, or the thing you feared has happened."
    yield f"Day {sheet.days} has come. To go on is a new decision: fill in a new plan."
    bad = -carry(sheet).loc["Funding", "bad"]
    if math.isnan(bad):
        yield "Funding has cost as much as I am ready to pay. Write that sum down here: ______ USDT."
    else:
        yield f"Funding has cost {usdt(bad, signed=False)} or more: that is the bad case of this plan."
    if math.isfinite(sheet.liquidation) and not sheet.stop:
        yield "An alarm rings and you would rather not add margin: buy back part, do not hope."
