"""A plan in a few lines, and how its numbers read."""

import math

from hedgelib.figures import number, percent, usdt
from hedgelib.planner.chances import by_formula, distances, measured
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.crossing import at_both, stays
from hedgelib.planner.sheet import worksheet
from hedgelib.planner.tables import FAR, amount, at_price, carry
from hedgelib.planner.walking import at

UNKNOWN = "not known"


def summary(sheet):
    """Return the plan in a few lines, a dict of text to text.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> summary(Worksheet(1, 40_000, 60_000, ratio=0.5))["Order"]
    'SELL 0.5 BTC of BTCUSDT at 60,000.00, 2x isolated'
    """
    if isinstance(sheet, CrossWorksheet):
        return _cross(sheet)
    fallen = at(worksheet(sheet), sheet.price * (1 - sheet.fall))["total_pnl"].item()
    lines = _short(sheet)
    lines[f"A fall of {percent(sheet.fall, 0)} costs"] = (
        f"{usdt(-fallen, signed=False)} instead of "
        f"{usdt(sheet.coins * sheet.price * sheet.fall, signed=False)}"
    )
    return lines


def _short(sheet):
    """The lines about order, margin, exits, alarms, ends and carry of a short."""
    lines = {
        "Order": f"SELL {_size(sheet)} of {sheet.rules.symbol} at {sheet.rules.price_text(sheet.price)}, "
        f"{sheet.leverage:g}x {sheet.mode}",
        "Have ready": have_ready(sheet),
        "Liquidation price": death(sheet.liquidation, sheet),
    }
    if sheet.plan.top_up:
        lines["… with the reserve posted"] = death(sheet.liquidation_with_reserve, sheet)
    if sheet.stop or sheet.take_profit:
        lines["Exits"] = _exits(sheet)
    lines |= _alarms(sheet)
    within = f"within {sheet.days} days"
    lines[f"How it ends {within}"] = f"{_formula(sheet)}, by formula"
    lines["… as measured"] = _measured(sheet)
    held = carry(sheet).loc["Total"]
    judged = ", ".join(f"{known(held[judge])} ({judge})" for judge in sheet.outlooks)
    lines[f"Funding and fees {within}"] = f"{judged}; bad case {known(held.bad)}"
    return lines


def _cross(sheet):
    """The lines of a cross hedge: those of its short, each with the name of its coin, and what stays."""
    held, base, falls = sheet.held, sheet.rules.base, feared(sheet)
    lines = {
        "I hold": f"{sheet.coins:,.10g} {held}, worth {usdt(sheet.value, signed=False)}",
        "Ratio": f"{number(sheet.used, 2, signed=False)} USDT of {base} short per USDT of {held}; "
        f"{doubt(sheet)}",
    }
    renamed = {"Liquidation price": f"Liquidation price of {base}"}
    lines |= {renamed.get(name, name): text for name, text in _short(sheet.short).items()}
    for days, row in stays(sheet).iterrows():
        if days in (1, sheet.days):
            lines[f"What {'a day leaves' if days == 1 else f'{days} days leave'}"] = (
                f"±{usdt(row.left, signed=False)} instead of ±{usdt(row.unhedged, signed=False)}, one "
                f"standard deviation; {percent(row.removed, 0)} of the variance removed"
            )
    told = ", ".join(f"{usdt(-total, signed=False)} if {how}" for how, total in falls.items())
    lines[f"A fall of {held} by {percent(sheet.fall, 0)} costs"] = (
        f"{told}; {usdt(sheet.value * sheet.fall, signed=False)} without a hedge"
    )
    return lines


def feared(sheet):
    """Results (USDT) of the feared fall of the coin held by what the coin shorted does then, in words."""
    base, ways = sheet.rules.base, {"{} stands still": 0.0}
    if sheet.follows == sheet.follows:
        move = max(-sheet.fall * sheet.follows, -0.95)
        ways = {f"{{}} moves by {percent(move, signed=True)} as it does on average": move} | ways
    prices = [sheet.short_price * (1 + move) for move in ways.values()]
    totals = at_both(sheet, sheet.price * (1 - sheet.fall), prices)["total_pnl"]
    return dict(zip((way.format(base) for way in ways), totals, strict=True))


def doubt(sheet):
    """How sure the ratio of a cross hedge is, in words."""
    if not sheet.estimates:
        return "given, not measured"
    judge, best = next(iter(sheet.estimates.items()))
    low, high = best.interval()
    found = f"{number(low, 2, signed=False)} to {number(high, 2, signed=False)}"
    own = f"given; the least variance lies at {found}" if sheet.ratio is not None else found
    return f"{own} in 95 of 100 cases, R² {percent(best.r_squared, 0)} ({judge}, {best.observations:,} days)"


def have_ready(sheet):
    """Write the money that must be there before the order, and where it lies."""
    margin, fee = amount(sheet.margin, sheet, 2), amount(sheet.opening_fee, sheet, 2)
    parts, total = f"margin {margin}, fee {fee}", sheet.margin + sheet.opening_fee
    if sheet.margin_from == "coins":
        sold = math.ceil(sheet.coins_sold * 1e5) / 1e5  # as finely as a coin is sold
        return f"sell {sold:,.5f} {sheet.rules.base} first: {parts}; the gain is realised, ask about tax"
    if sheet.margin_from == "collateral":
        counted = usdt(sheet.rules.collateral_ratio * sheet.coins * sheet.price, signed=False)
        paid = f"{amount(sheet.reserve, sheet)} beside them" if sheet.reserve else f"the fee of {fee} is owed"
        coins = f"all {sheet.coins:,.10g} {sheet.rules.base} in the futures wallet, Multi-Assets mode on"
        return f"{coins}: they count as {counted} of margin, {margin} are needed; {paid}"
    if sheet.rules.inverse and sheet.mode == "cross":
        return f"all {sheet.coins:,.10g} {sheet.rules.base} in the futures wallet: {parts}, the rest backs it"
    if sheet.reserve:
        where = "in the wallet" if sheet.mode == "cross" else "kept aside"
        parts += f", reserve {amount(sheet.reserve, sheet)} {where}"
    if sheet.rules.inverse:
        return f"{amount(total, sheet)} of the coins in the futures wallet: {parts}"
    return f"{usdt(total + sheet.reserve, 2, signed=False)} besides the coins: {parts}"


def known(value, write=usdt, *digits, **how):
    """Write a number, or that it is not known."""
    return UNKNOWN if math.isnan(value) else write(value, *digits, **how)


def _formula(sheet):
    """Write how often each end comes by formula, of those that can."""
    rise, fall = distances(sheet)
    chance = by_formula(sheet, sheet.outlook.volatility)
    above = "stopped" if sheet.stop else "liquidated"
    told = {above: math.isfinite(rise), "take profit": math.isfinite(fall)}
    told = [f"{end} {known(chance[end], percent, 0)}" for end, can in told.items() if can]
    return ", ".join([*told, f"day {sheet.days} reached {known(chance['horizon'], percent, 0)}"])


def _measured(sheet):
    """Write how often each end that can come before the last day came, as each judge has measured."""
    rise, fall = distances(sheet)
    above = "stopped" if sheet.stop else "liquidated"
    ends = [end for end, distance in ((above, rise), ("take profit", fall)) if math.isfinite(distance)]
    if not ends:
        return "no rise closes it"
    judged = {name: measured(sheet, judge) for name, judge in sheet.outlooks.items() if name != "mine"}
    told = []
    for end in ends:
        shares = []
        for judge, found in judged.items():
            share = known(found[end], percent, 0)
            bound = next((word for word in ("at most", "at least") if found["remark"].startswith(word)), "")
            shares.append(
                f"{share if share == UNKNOWN or end != ends[0] else f'{bound} {share}'.strip()} ({judge})"
            )
        told.append(f"{end} {', '.join(shares)}")
    return "; ".join(told)


def _exits(sheet):
    """Write the exit orders with their prices."""
    told = []
    for name, distance in (("stop", sheet.stop), ("take profit", -sheet.take_profit)):
        if distance:
            price = sheet.rules.round_price(sheet.price * (1 + distance))
            told.append(
                f"{name} at {sheet.rules.price_text(price)} ({percent(price / sheet.price - 1, signed=True)})"
            )
    return ", ".join(told)


def _alarms(sheet):
    """Write each alarm price with its distance and the margin ratio there."""
    if not sheet.alarms:
        return {"Alarm": f"{_alarm(sheet, sheet.alarm)}, halfway: fastest hours not measured"}
    return {f"Alarm, {hours} hours": _alarm(sheet, price) for hours, price in sheet.alarms.items()}


def _alarm(sheet, alarm):
    """Write one alarm price."""
    if alarm > FAR * sheet.price:
        return "none needed for the price"
    if sheet.stop and sheet.price * (1 + sheet.stop) <= max(sheet.alarm, sheet.price):
        return "none: the stop comes before"
    if alarm <= sheet.price:
        return "rings from the start"
    balance, _, maintenance = sheet.margin_at(alarm)
    ratio = percent(maintenance / balance, 2 if maintenance < 0.01 * balance else 1)
    return f"{at_price(alarm, sheet)} ({percent(alarm / sheet.price - 1, signed=True)}), margin ratio {ratio}"


def death(price, sheet, today=None):
    """Write a liquidation price with its distance from the price today, or from another."""
    today = today or sheet.price
    if math.isinf(price):
        return "none: no rise alone liquidates it"
    if price > FAR * today:
        return f"beyond {FAR} times the price today"
    return f"{sheet.rules.price_text(price)} USDT ({percent(price / today - 1, signed=True)})"


def _size(sheet):
    return f"{sheet.quantity:,.10g} {'contracts' if sheet.rules.inverse else sheet.rules.base}"
