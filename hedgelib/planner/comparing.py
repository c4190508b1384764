"""Plans side by side, and beside them other ways: to sell, to buy a put, to hedge in batches."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase
from scipy.stats import norm

from hedgelib import checks
from hedgelib.figures import lines, percent, usdt
from hedgelib.planner.chances import by_formula, first_touch
from hedgelib.planner.sheet import Worksheet
from hedgelib.planner.tables import carry
from hedgelib.planner.walking import in_batches, results

MOST = 4
WAYS = ("sell", "put", "batches")
BATCHES = {0.0: 0.3, 0.05: 0.3, 0.1: 0.4}
"""Shares of the hedge that lesson 06 adds, by the fall after which it does."""
_MOVES = np.round(np.arange(-0.6, 1.01, 0.02), 2)


def compare(plans, implied=None):
    """Set up to four plans side by side.

    Parameters
    ----------
    plans : dict of str to Worksheet or str
        Plans by the name that they shall have, the first a worksheet. The word ``"sell"`` stands for selling
        as many coins as the first plan covers and buying them back at its horizon, ``"put"`` for a put on
        them at the price today, priced by Black and Scholes without interest, ``"batches"`` for the first
        plan placed as in lesson 06: 30 % at once, 30 % after a fall of 5 %, 40 % after one of 10 %.
    implied : float, optional
        Volatility at which puts are sold today (fraction per year); that of the first plan's judge where left
        out.

    Returns
    -------
    pandas.DataFrame
        One plan a row (USDT): ``cash`` that must be there besides the coins; ``cost``, funding, fees or
        premium within its horizon, by the judge that decides (negative is paid); the ``result`` of the
        feared fall, of a fall by half and of a rise by half, after fees and premium, before funding; ``given
        up`` of that rise, compared with the coins alone; ``liquidated``, its probability by formula. Batches
        need the cash of all of them, pay for those that are likely to be placed, and may be liquidated as
        the first of them is.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> plain = Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=2, fall=0.2)
    >>> compare({"hedge": plain, "sell": "sell"})[["cash", "fall of 20 %", "rise by half"]]
              cash  fall of 20 %  rise by half
    hedge  15015.0       -6030.0       14970.0
    sell       0.0       -6054.0       14925.0
    """
    sheets, implied = _checked(plans), _implied(plans, implied)
    first = next(iter(sheets.values()))
    prices = first.price * np.array([1 - first.fall, 0.5, 1.5])
    fallen = f"fall of {100 * first.fall:g} %"
    rows = {}
    for name, sheet in sheets.items():
        told = _results(sheet, plans[name], prices, implied)
        outcome = dict(zip((fallen, "fall by half", "rise by half"), told, strict=True))
        given_up = sheet.coins * sheet.price / 2 - told[-1]
        rows[name] = _costs(sheet, plans[name], implied) | outcome | {"given up": given_up}
        rows[name]["liquidated"] = 0.0
        if plans[name] not in ("sell", "put"):
            opened = _first_batch(sheet) if plans[name] == "batches" else sheet
            rows[name]["liquidated"] = by_formula(opened, sheet.outlook.volatility)["liquidated"]
    return pd.DataFrame.from_dict(rows, orient="index")


def draw_comparison(figure, plans, implied=None):
    """Draw what each price makes of up to four plans, after fees and premium and before funding.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into, on one axes.
    plans : dict of str to Worksheet or str
        As in `compare`.
    implied : float, optional
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
    table, sheets = compare(plans, implied), _checked(plans)
    implied = _implied(plans, implied)
    first = next(iter(sheets.values()))
    curves = {"coins alone": first.coins * first.price * _MOVES}
    for name, sheet in sheets.items():
        curves[name] = _results(sheet, plans[name], first.price * (1 + _MOVES), implied)
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


def _implied(plans, implied):
    """The volatility at which puts are priced."""
    if implied is not None:
        return checks.single("implied volatility (fraction per year)", implied, above=0, at_most=10)
    return next(iter(plans.values())).outlook.volatility


def _first_batch(sheet):
    """The plan of the first batch alone."""
    part = BATCHES[0.0] * sheet.covered / sheet.coins_kept
    try:
        return replace(sheet, ratio=part, bearable=None)
    except ValueError as refused:
        raise ValueError(
            f"the first batch, {percent(BATCHES[0.0], 0)} of the hedge, is refused: {refused}"
        ) from None


def _premium(sheet, implied):
    """Price of a put on one coin at the price today (USDT)."""
    spread = implied * math.sqrt(sheet.days / 365)
    return sheet.price * (2 * norm.cdf(spread / 2) - 1)


def _costs(sheet, plan, implied):
    """Cash to have ready, and what comes in or is paid, by the judge that decides."""
    if plan == "sell":
        return {"cash": 0.0, "cost": -2 * sheet.value * sheet.rules.spot_fee}
    if plan == "put":
        premium = sheet.covered * _premium(sheet, implied)
        return {"cash": premium, "cost": -premium}
    cash = {"outside": sheet.margin + sheet.opening_fee + sheet.reserve, "collateral": sheet.reserve}
    held = carry(sheet)[next(iter(sheet.outlooks))]  # as long as it lives
    shares = np.ones(sheet.days) if plan != "batches" else _likely(sheet)
    return {
        "cash": cash.get(sheet.margin_from, 0.0),
        "cost": held["Funding"] * shares.mean() + held["Fees"] * shares[-1],
    }


def _likely(sheet):
    """Share of the batches that is likely to be placed by each day, by formula."""
    days = np.arange(1, sheet.days + 1)
    met = {fall: first_touch(math.inf, fall, sheet.outlook.volatility, days)[1] for fall in BATCHES if fall}
    return sum(part * met.get(fall, 1.0) for fall, part in BATCHES.items())


def _results(sheet, plan, prices, implied):
    """What prices make of a plan, after fees and premium and before funding (USDT)."""
    if plan == "sell":
        kept = sheet.coins - sheet.covered
        return kept * (prices - sheet.price) - sheet.covered * (sheet.price + prices) * sheet.rules.spot_fee
    if plan == "put":
        paid = sheet.covered * (np.maximum(sheet.price - prices, 0) - _premium(sheet, implied))
        return sheet.coins * (prices - sheet.price) + paid
    if plan == "batches":
        result, fees = in_batches(sheet, prices, BATCHES)
        return result + 2 * fees - sheet.coins_sold * sheet.price * sheet.rules.spot_fee
    return results(sheet, prices) + carry(sheet).loc["Fees"].iloc[0]
