"""Plans side by side, and beside them the two ways without a future: to sell, or to buy a put."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase
from scipy.stats import norm

from hedgelib import checks
from hedgelib.figures import lines, usdt
from hedgelib.planner.chances import by_formula
from hedgelib.planner.sheet import Worksheet
from hedgelib.planner.tables import carry
from hedgelib.planner.walking import results

MOST = 4
WAYS = ("sell", "put")
_MOVES = np.round(np.arange(-0.6, 1.01, 0.02), 2)


def compare(plans):
    """Set up to four plans side by side.

    Parameters
    ----------
    plans : dict of str to Worksheet or str
        Plans by the name that they shall have, the first a worksheet. The word ``"sell"`` stands for selling
        as many coins as the first plan covers and buying them back at its horizon, ``"put"`` for a put on
        them at the price today, priced by Black and Scholes at the volatility of the first plan's judge,
        without interest.

    Returns
    -------
    pandas.DataFrame
        One plan a row (USDT): ``cash`` that must be there besides the coins; ``cost``, funding, fees or
        premium within its horizon, by the judge that decides (negative is paid); the ``result`` of the
        feared fall, of a fall by half and of a rise by half, after fees and premium, before funding; ``given
        up`` of that rise, compared with the coins alone; ``liquidated``, its probability by formula.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> plain = Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=2, fall=0.2)
    >>> compare({"hedge": plain, "sell": "sell"})[["cash", "fall of 20 %", "rise by half"]]
              cash  fall of 20 %  rise by half
    hedge  15015.0       -6030.0       14970.0
    sell       0.0       -6054.0       14925.0
    """
    sheets = _checked(plans)
    first = next(iter(sheets.values()))
    prices = first.price * np.array([1 - first.fall, 0.5, 1.5])
    fallen = f"fall of {100 * first.fall:g} %"
    rows = {}
    for name, sheet in sheets.items():
        told = _results(sheet, plans[name], prices)
        outcome = dict(zip((fallen, "fall by half", "rise by half"), told, strict=True))
        given_up = sheet.coins * sheet.price / 2 - told[-1]
        rows[name] = _costs(sheet, plans[name]) | outcome | {"given up": given_up}
        short = isinstance(plans[name], Worksheet)
        rows[name]["liquidated"] = by_formula(sheet, sheet.outlook.volatility)["liquidated"] if short else 0.0
    return pd.DataFrame.from_dict(rows, orient="index")


def draw_comparison(figure, plans):
    """Draw what each price makes of up to four plans, after fees and premium and before funding.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into, on one axes.
    plans : dict of str to Worksheet or str
        As in `compare`.

    Returns
    -------
    dict of str to str
        The result of the feared fall by plan.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hedgelib.planner import Worksheet
    >>> draw_comparison(Figure(), {"hedge": Worksheet(1, 40_000, 60_000, ratio=0.5, fall=0.2), "put": "put"})
    {'hedge': '−6,030 USDT', 'put': '−8,120 USDT'}
    """
    checks.kind("figure", figure, FigureBase, "a matplotlib figure")
    table, sheets = compare(plans), _checked(plans)
    first = next(iter(sheets.values()))
    curves = {"coins alone": first.coins * first.price * _MOVES}
    for name, sheet in sheets.items():
        curves[name] = _results(sheet, plans[name], first.price * (1 + _MOVES))
    fallen = table.columns[2]
    best = table[fallen].idxmax()
    words = {"xlabel": "Price moves by", "ylabel": "Profit or loss (USDT)"}
    lines(
        figure.subplots(),
        _MOVES,
        curves,
        xticks="{x:+.0%}",
        title=f"After a {fallen}: {best} is best",
        **words,
    )
    return {name: usdt(value) for name, value in table[fallen].items()}


def _checked(plans):
    """The worksheets by name; a word stands for the first one."""
    if not isinstance(plans, dict) or not 1 <= len(plans) <= MOST:
        raise ValueError(f"plans must be a dict of 1 to {MOST} plans by name, got {checks.shown(plans)}")
    first = checks.kind("the first plan", next(iter(plans.values())), Worksheet, "a planner.Worksheet")
    for name, plan in plans.items():
        checks.text("name of a plan", name)
        if not isinstance(plan, Worksheet):
            checks.one_of(f"plan {name!r}", plan, WAYS)
    sheets = {name: first if isinstance(plan, str) else plan for name, plan in plans.items()}
    for name, sheet in sheets.items():
        if not comparable(sheet, first):
            raise ValueError(
                f"plan {name!r} holds other coins than the first one: compare plans for one holding"
            )
    return sheets


def comparable(sheet, other):
    """Whether two plans hold the same coins at the same price."""
    return (sheet.coins, sheet.price, sheet.rules.base) == (other.coins, other.price, other.rules.base)


def _premium(sheet):
    """Price of a put on one coin at the price today (USDT)."""
    spread = sheet.outlook.volatility * math.sqrt(sheet.days / 365)
    return sheet.price * (2 * norm.cdf(spread / 2) - 1)


def _costs(sheet, plan):
    """Cash to have ready, and what comes in or is paid, by the judge that decides."""
    if plan == "sell":
        return {"cash": 0.0, "cost": -2 * sheet.value * sheet.rules.spot_fee}
    if plan == "put":
        premium = sheet.covered * _premium(sheet)
        return {"cash": premium, "cost": -premium}
    cash = {"outside": sheet.margin + sheet.opening_fee + sheet.reserve, "collateral": sheet.reserve}
    held = carry(sheet).loc["Total"].iloc[1]  # as long as it lives
    return {"cash": cash.get(sheet.margin_from, 0.0), "cost": held}


def _results(sheet, plan, prices):
    """What prices make of a plan, after fees and premium and before funding (USDT)."""
    if plan == "sell":
        kept = sheet.coins - sheet.covered
        return kept * (prices - sheet.price) - sheet.covered * (sheet.price + prices) * sheet.rules.spot_fee
    if plan == "put":
        paid = sheet.covered * (np.maximum(sheet.price - prices, 0) - _premium(sheet))
        return sheet.coins * (prices - sheet.price) + paid
    return results(sheet, prices) + carry(sheet).loc["Fees"].iloc[0]
