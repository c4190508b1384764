"""The tables of a plan: the prices that matter, what holding it brings, and how it may die."""

import math

import pandas as pd

from hedgelib import survival
from hedgelib.figures import percent, usdt
from hedgelib.planner.sheet import worksheet


def ladder(sheet):
    """Every price that matters to a plan, from the top down: what it does to you, and what you do.

    Parameters
    ----------
    sheet : Worksheet

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
    entry, tick = worksheet(sheet).price, sheet.rules.tick
    unit = "contracts" if sheet.rules.inverse else sheet.rules.base
    quantity, early = f"{sheet.ticket.quantity:,.10g} {unit}", sheet.alarm <= entry
    act = "add margin, or buy back part of the short"
    if sheet.reserve and sheet.mode == "isolated":
        act = f"post the reserve of {usdt(sheet.reserve, signed=False)}, or buy back part of the short"
    if early:
        best = percent(sheet.outlook.best_day, signed=True)
        act += f"; rings from the start: one day of {best} is enough"
    levels = {
        "liquidation": (
            sheet.liquidation,
            "",
            "the exchange closes the short; the coins are unprotected",
        ),
        "stop": (
            entry * (1 + sheet.stop) if sheet.stop else math.nan,
            f"BUY STOP {quantity}, reduce-only, on mark",
            "buys back at a loss that the coins have gained",
        ),
        "alarm": (max(sheet.alarm, entry), "", act),
        "watch": (
            math.nan if early else (sheet.alarm + entry) / 2,
            "",
            "look every day; is the reserve at hand?",
        ),
        "open": (entry, f"SELL LIMIT {quantity}", "opens the short"),
        "take profit": (
            entry * (1 - sheet.take_profit) if sheet.take_profit else math.nan,
            f"BUY TAKE_PROFIT {quantity}, reduce-only",
            "buys back, the coins are free again",
        ),
        "feared fall": (entry * (1 - sheet.fall), "", "is the reason for the hedge still there?"),
    }
    known = [(name, *told) for name, told in levels.items() if math.isfinite(told[0])]
    table = pd.DataFrame(known, columns=["level", "price", "order", "action"])
    marks = table["price"].clip(lower=tick)
    table["price"] = sheet.rules.round_price(marks)
    table = pd.concat([table, sheet.at(marks).reset_index(drop=True)], axis=1)
    return table.sort_values("price", ascending=False, kind="stable", ignore_index=True)


def carry(sheet):
    """What holding the hedge to its horizon brings or costs, at a price that stays where it is.

    Parameters
    ----------
    sheet : Worksheet

    Returns
    -------
    pandas.DataFrame
        Rows ``Funding``, ``Fees`` (taker, opening and closing), ``Total``; columns ``expected`` and ``bad``
        (USDT; positive is received, missing is not known).

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> carry(Worksheet(1, 40_000, 60_000, ratio=0.5)).round(2)
             expected    bad
    Funding    289.04 -393.6
    Fees       -30.00  -30.0
    Total      259.04 -423.6
    """
    funding = worksheet(sheet).outlook.funding(sheet.days)
    rates = {"expected": funding.expected, "bad": funding.bad}
    table = pd.DataFrame({case: [rate * sheet.value] for case, rate in rates.items()}, index=["Funding"])
    table.loc["Fees"] = -2 * sheet.value * sheet.rules.taker_fee
    table.loc["Total"] = table.sum(skipna=False)
    return table


def chances(sheet):
    """How likely the short dies within the horizon, by formula and as measured.

    Parameters
    ----------
    sheet : Worksheet

    Returns
    -------
    pandas.DataFrame
        Rows ``as opened`` and, with a reserve still to be posted, ``reserve posted in time``. Columns
        ``distance`` (fraction), ``formula`` (probability that a log-normal price of the measured volatility
        touches the level), ``measured`` (share of starts), ``bound`` ("at most" it or "at least" it) and
        ``case``, what was measured in words. What is not known is missing.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> sheet = Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=3)
    >>> chances(sheet)[["distance", "formula", "measured"]].round(2)
               distance  formula  measured
    as opened      0.33     0.11      0.12
    """
    deaths = {"as opened": worksheet(sheet).liquidation}
    if sheet.liquidation_with_reserve > sheet.liquidation:
        deaths["reserve posted in time"] = sheet.liquidation_with_reserve
    rows = {}
    for name, price in deaths.items():
        rise = price / sheet.price - 1
        measured = sheet.outlook.touched(rise, sheet.days)
        rows[name] = (rise, touching(sheet, price, sheet.days), measured.share, measured.bound, measured.case)
    columns = ["distance", "formula", "measured", "bound", "case"]
    return pd.DataFrame(rows.values(), index=list(rows), columns=columns)


def touching(sheet, price, days):
    """Probability that a log-normal price of the measured volatility touches `price` within days."""
    volatility = sheet.outlook.volatility
    if math.isinf(price) or volatility == 0:
        return 0.0 * days
    if math.isnan(volatility):
        return math.nan * days
    return survival.touch_probability(price / sheet.price - 1, volatility, days)
