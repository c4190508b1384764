"""A plan in a few lines, and how its numbers read."""

import math

from hedgelib.figures import percent, usdt
from hedgelib.planner.chances import by_formula, distances, measured
from hedgelib.planner.sheet import worksheet
from hedgelib.planner.tables import FAR, amount, carry
from hedgelib.planner.walking import at

UNKNOWN = "not known"


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
    fallen = at(worksheet(sheet), sheet.price * (1 - sheet.fall))["total_pnl"].item()
    lines = {
        "Order": f"SELL {_size(sheet)} of {sheet.rules.symbol} at {sheet.price:,.2f}, "
        f"{sheet.leverage:g}x {sheet.mode}",
        "Have ready": have_ready(sheet),
        "Liquidation price": death(sheet.liquidation, sheet.price),
    }
    if sheet.plan.top_up:
        lines["… with the reserve posted"] = death(sheet.liquidation_with_reserve, sheet.price)
    if sheet.stop or sheet.take_profit:
        lines["Exits"] = _exits(sheet)
    lines |= _alarms(sheet)
    within = f"within {sheet.days} days"
    lines[f"How it ends {within}"] = f"{_formula(sheet)}, by formula"
    lines["… as measured"] = _measured(sheet)
    held = carry(sheet).loc["Total"]
    judged = ", ".join(f"{known(held[judge])} ({judge})" for judge in sheet.outlooks)
    lines[f"Funding and fees {within}"] = f"{judged}; bad case {known(held.bad)}"
    lines[f"A fall of {percent(sheet.fall, 0)} costs"] = (
        f"{usdt(-fallen, signed=False)} instead of "
        f"{usdt(sheet.coins * sheet.price * sheet.fall, signed=False)}"
    )
    return lines


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
    """Write how often the end above today's price came, as each judge has measured."""
    above = "stopped" if sheet.stop else "liquidated"
    if math.isinf(distances(sheet)[0]):
        return "no rise closes it"
    told = []
    for judge, outlook in sheet.outlooks.items():
        if judge != "mine":
            found = measured(sheet, outlook)
            bound = next(
                (f"{word} " for word in ("at most", "at least") if found["remark"].startswith(word)), ""
            )
            told.append(f"{bound}{known(found[above], percent, 0)} ({judge})")
    return f"{above} {', '.join(told)}"


def _exits(sheet):
    """Write the exit orders with their prices."""
    told = []
    for name, distance in (("stop", sheet.stop), ("take profit", -sheet.take_profit)):
        if distance:
            price = sheet.rules.round_price(sheet.price * (1 + distance))
            told.append(f"{name} at {price:,.2f} ({percent(price / sheet.price - 1, signed=True)})")
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
    return f"{alarm:,.0f} USDT ({percent(alarm / sheet.price - 1, signed=True)}), margin ratio {ratio}"


def death(price, today):
    """Write a liquidation price with its distance."""
    if math.isinf(price):
        return "none: no rise alone liquidates it"
    if price > FAR * today:
        return f"beyond {FAR} times the price today"
    return f"{price:,.2f} USDT ({percent(price / today - 1, signed=True)})"


def _size(sheet):
    return f"{sheet.quantity:,.10g} {'contracts' if sheet.rules.inverse else sheet.rules.base}"
