"""The tables of a plan: price ladder with orders and alarms, carry, chances, what stays open, what to watch.

Each takes a ``Worksheet`` and refuses anything else with a ``ValueError``.
"""

import math

import pandas as pd

from hedgelib import survival
from hedgelib.figures import number, percent, usdt
from hedgelib.planner import outlook
from hedgelib.planner.sheet import check

_ROWS_TO_WATCH = 8


def alarm(sheet):
    """Price at which margin must be added or the short made smaller (USDT); inf if nothing can kill it.

    One day like the best one measured leads from there to the liquidation price. It may lie below the price
    today: then the alarm rings from the start.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    float

    Notes
    -----
    Source: lesson 05; the margin ratio wakes too late to be an alarm.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> round(alarm(Worksheet(1, 40_000, 60_000, ratio=0.5)))
    74989
    """
    check(sheet)
    return sheet.liquidation / (1 + outlook.constant("extremes", sheet.rules.base, "best_1_day"))


def ladder(sheet):
    """Every price that matters to a plan, from the top down: what it does to you, and what you do.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    pandas.DataFrame
        One level a row: ``level``, ``price`` (USDT), ``order`` to place, ``action`` in words, and the columns
        of ``Worksheet.at``.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> ladder(Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=2)).set_index("level")["price"].round(1)
    level
    liquidation    89641.4
    alarm          74988.7
    watch          67494.3
    open           60000.0
    feared fall    42000.0
    Name: price, dtype: float64
    """
    check(sheet)
    entry, quantity = sheet.price, f"{sheet.ticket.quantity:,.10g}"
    quantity += " contracts" if sheet.rules.inverse else f" {sheet.rules.base}"
    ringing = alarm(sheet)
    early, best = ringing <= entry, outlook.constant("extremes", sheet.rules.base, "best_1_day")
    act = "add margin, or buy back part of the short"
    if sheet.reserve and sheet.mode == "isolated":
        act = f"post the reserve of {usdt(sheet.reserve, signed=False)}, or buy back part of the short"
    if early:
        act += f"; rings from the start: one day of {percent(best, signed=True)} is enough"
    levels = [
        ("liquidation", sheet.liquidation, "", "the exchange closes the short; the coins are unprotected"),
        (
            "stop",
            entry * (1 + sheet.stop),
            f"BUY STOP {quantity}, reduce-only, on mark",
            "buys back at a loss that the coins have gained",
        ),
        ("alarm", max(ringing, entry), "", act),
        ("watch", (ringing + entry) / 2, "", "look every day; is the reserve at hand?"),
        ("open", entry, f"SELL LIMIT {quantity}", "opens the short"),
        (
            "take profit",
            entry * (1 - sheet.take_profit),
            f"BUY TAKE_PROFIT {quantity}, reduce-only",
            "buys back, the coins are free again",
        ),
        ("feared fall", entry * (1 - sheet.fall), "", "is the reason for the hedge still there?"),
    ]
    left_out = {"watch"} if early else set()
    left_out |= {name for name in ("stop", "take_profit") if not getattr(sheet, name)}
    kept = [
        level for level in levels if math.isfinite(level[1]) and level[0].replace(" ", "_") not in left_out
    ]
    table = pd.DataFrame(kept, columns=["level", "price", "order", "action"])
    tick = sheet.rules.tick
    rounded = [sheet.rules.round_price(max(price, tick)) for price in table["price"]]
    marks = sheet.at([max(price, tick) for price in table["price"]]).reset_index(drop=True)
    table = pd.concat([table.assign(price=rounded), marks], axis=1)
    return table.sort_values("price", ascending=False, kind="stable").reset_index(drop=True)


def carry(sheet):
    """What holding the hedge to its horizon brings or costs, at a price that stays where it is.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    pandas.DataFrame
        Rows ``Funding``, ``Fees`` (taker, opening and closing), ``Total``; columns ``expected`` and ``bad``
        (USDT; positive is received).

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> carry(Worksheet(1, 40_000, 60_000, ratio=0.5)).round(2)
             expected    bad
    Funding    301.21 -393.6
    Fees       -30.00  -30.0
    Total      271.21 -423.6
    """
    check(sheet)
    fees = -2 * sheet.value * sheet.rules.taker_fee
    funding = {"expected": sheet.outlook.funding_expected, "bad": sheet.outlook.funding_bad}
    columns = {case: [rate * sheet.value, fees, rate * sheet.value + fees] for case, rate in funding.items()}
    return pd.DataFrame(columns, index=["Funding", "Fees", "Total"])


def chances(sheet):
    """How likely the short dies within the horizon, by formula and as measured.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    pandas.DataFrame
        Rows ``as opened`` and, with a reserve still to be posted, ``reserve posted in time``. Columns
        ``distance`` (fraction), ``formula`` (probability that a log-normal price of the measured volatility
        touches the level), ``measured`` (share of starts), ``bound`` ("at most" it or "at least" it) and
        ``case``, what was measured in words.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> sheet = Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=3)
    >>> chances(sheet)[["distance", "formula", "measured"]].round(2)
               distance  formula  measured
    as opened      0.33     0.11      0.13
    """
    check(sheet)
    volatility = outlook.constant("volatility_by_year", sheet.rules.base, "volatility")
    distances = {"as opened": sheet.distance}
    if sheet.liquidation_with_reserve > sheet.liquidation:
        distances["reserve posted in time"] = sheet.liquidation_with_reserve / sheet.price - 1
    rows = {}
    for name, rise in distances.items():
        found = sheet.outlook_of(rise)
        known = math.isfinite(rise)
        formula = survival.touch_probability(rise, volatility, sheet.days) if known else 0.0
        rows[name] = (rise, formula, found.touched, found.bound, found.case)
    columns = ["distance", "formula", "measured", "bound", "case"]
    return pd.DataFrame(rows.values(), index=list(rows), columns=columns)


def unhedged(sheet):
    """What the hedge leaves open, each with a size.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    list of (str, str)
        What it is, and its size in words.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> unhedged(Worksheet(1, 40_000, 60_000, ratio=0.5))[0]
    ('coins without a short', '0.5 of 1 BTC')
    """
    check(sheet)
    fallen = sheet.price * (1 - sheet.fall)
    left = sheet.at(fallen)["total_pnl"].item()
    whole = -sheet.coins * sheet.price * sheet.fall
    open_coins = max(0.0, sheet.coins_kept - sheet.value / sheet.price)
    spread = outlook.constant("own_perpetual", sheet.rules.base, "basis_std") * 1e-4 * sheet.value
    base = sheet.rules.base
    return [
        ("coins without a short", f"{open_coins:,.6g} of {sheet.coins_kept:,.6g} {base}"),
        (f"result of a fall to {usdt(fallen, signed=False)}", f"{usdt(left)}, without a hedge {usdt(whole)}"),
        ("basis, one standard deviation of a day", f"±{usdt(spread, signed=False)}"),
        ("the exchange and the stablecoin", "everything you keep there"),
        (
            "the upside",
            f"{percent(min(1.0, sheet.value / sheet.price / sheet.coins_kept), 0)} of it is given away",
        ),
    ]


def monitoring(sheet):
    """Table to fill in while the hedge is on: what should be there, and room for what is.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    pandas.DataFrame
        About nine days from 0 to the horizon; ``funding expected so far`` (USDT) and empty columns.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> monitoring(Worksheet(1, 40_000, 60_000, ratio=0.5)).loc[0, "funding expected so far"]
    '0 USDT'
    """
    check(sheet)
    apart = max(1, math.ceil(sheet.days / _ROWS_TO_WATCH))
    days = sorted({*range(0, sheet.days, apart), sheet.days})
    expected = carry(sheet).loc["Funding", "expected"] / sheet.days
    table = pd.DataFrame({"day": days, "funding expected so far": [usdt(expected * day) for day in days]})
    empty = ["date", "mark price", "margin balance", "coins held", "funding so far", "still afraid of what?"]
    return table.assign(**dict.fromkeys(empty, ""))


def removal(sheet):
    """Rules by which the hedge ends, so that the end is decided before it begins.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    list of str
        One sentence each.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> print(removal(Worksheet(1, 40_000, 60_000, ratio=0.5))[1])
    Day 30 has come. To go on is a new decision: fill in a new plan.
    """
    check(sheet)
    bad = carry(sheet).loc["Funding", "bad"]
    rules = [
        "The reason has passed: the event is over, or the thing you feared has happened.",
        f"Day {sheet.days} has come. To go on is a new decision: fill in a new plan.",
        f"Funding has cost {usdt(-bad, signed=False)} or more: that is the bad case of this plan.",
    ]
    if math.isfinite(sheet.liquidation):
        rules.append("The alarm rings and you would rather not add margin: buy back part, do not hope.")
    if sheet.take_profit:
        cancel = " Cancel the stop." if sheet.stop else ""
        taken = number(sheet.price * (1 - sheet.take_profit), 0, "USDT", signed=False)
        rules.insert(1, f"The take profit at {taken} has filled: the coins are free.{cancel}")
    if sheet.stop:
        stopped = number(sheet.price * (1 + sheet.stop), 0, "USDT", signed=False)
        rules.append(
            f"The stop at {stopped} has filled: cancel the take profit. The loss is real, the gain is not."
        )
    return rules
