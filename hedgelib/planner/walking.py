"""What a price or a path does to a plan: the ledger walks its hedge, its exits and its reserve."""

from dataclasses import replace

import numpy as np
import pandas as pd

from hedgelib import checks, ledger
from hedgelib.market import Paths, validate
from hedgelib.plan import After, Batches, Below
from hedgelib.planner.sheet import AT, worksheet

_STEPS = 60  # of the straight way on which a band is tried
_PRICES = ("spot", "mark", "mark_high", "mark_low")


def at(sheet, prices):
    """Return what becomes of the plan on the straight way from the price today to others.

    The ledger walks it: exits fill, the reserve is posted at the alarm, the short may be liquidated. No
    funding.

    Parameters
    ----------
    sheet : Worksheet
    prices : float or (n,) array
        Mark prices (USDT per coin), above 0.

    Returns
    -------
    pandas.DataFrame
        Index ``price``; ``change`` from the price today (fraction); ``coins_pnl`` of the coins kept,
        ``short_pnl`` and ``total_pnl`` (USDT, before fees), ``fees`` paid so far (USDT, negative),
        ``balance`` behind the short (USDT; coins if inverse) and ``margin_ratio``, maintenance margin /
        balance; these two are missing where the short is closed. ``event`` says what happened last.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> sheet = Worksheet(1, 40_000, 60_000, ratio=0.5, take_profit=0.1)
    >>> at(sheet, [54_000, 42_000])[["coins_pnl", "short_pnl", "event"]]
             coins_pnl  short_pnl                                          event
    price
    54000.0    -6000.0     3000.0  take profit, 0.5 BTC bought back at 54,000.00
    42000.0   -18000.0     3000.0  take profit, 0.5 BTC bought back at 54,000.00
    """
    worksheet(sheet)
    prices = checks.row("prices (USDT)", prices, above=0)
    ways = _ways(sheet, prices)
    ends = [ledger.run(ways.frame(row), sheet.hedge, sheet.plan) for row in range(len(ways))]
    last = pd.DataFrame([rows.iloc[-1] for rows in ends], index=pd.Index(prices, name="price"))
    closed = last["short_quantity"] == 0
    events = [rows.loc[rows["event"] != "", "event"].iloc[-1] for rows in ends]
    short = last["short_pnl"] + last["liquidation_loss"]
    balance = last["margin"].mask(closed).astype(float)
    columns = {
        "change": prices / sheet.price - 1,
        "coins_pnl": last["spot_pnl"].round(8),  # no dust of the ledger's coins and cash
        "short_pnl": short.round(8),
        "total_pnl": (last["spot_pnl"] + short).round(8),
        "fees": last["fees"] - sheet.coins_sold * sheet.price * sheet.rules.spot_fee,
        "balance": balance,
        "margin_ratio": last["maintenance"] / balance,
        "event": events,
    }
    return pd.DataFrame(columns, index=last.index)


def results(sheet, prices):
    """Return the total P&L of `at` (USDT, before fees) for many prices at once, shape (n,)."""
    end = ledger.run_many(_ways(sheet, checks.row("prices (USDT)", prices, above=0)), sheet.hedge, sheet.plan)
    return end.pnl - end.fees


def in_batches(sheet, prices, batches):
    """Return P&L before fees, and fees so far (USDT, negative), where the hedge is placed batch by batch.

    Parameters
    ----------
    sheet : Worksheet
    prices : (n,) array
        As in `at`.
    batches : dict of float to float
        Share of the hedge by the fall (fraction) at which it is added, 0 for at once.
    """
    when = tuple(Below(move=-fall) if fall else After(0) for fall in batches)
    ways = _ways(sheet, checks.row("prices (USDT)", prices, above=0), [fall for fall in batches if fall])
    target = Batches(tuple(batches.values()), when)
    end = ledger.run_many(ways, sheet.hedge, replace(sheet.plan, target=target))
    return end.pnl - end.fees, end.fees


def _ways(sheet, prices, falls=()):
    """The straight ways from the price today, halting where something happens; in small steps with a band."""
    first = np.full(len(prices), sheet.price)
    turns = [first, prices] if not sheet.band else list(np.linspace(first, prices, _STEPS))
    # Just beyond each exit, whatever the last digit: it fills there, and its fee is one of there.
    exits = (sheet.plan.stop, AT), (sheet.plan.take_profit, 1 / AT)
    halts = [sheet.price * (1 + order.move) * beyond for order, beyond in exits if order]
    halts += [sheet.price * (1 - fall) / AT for fall in falls]
    if sheet.plan.top_up:
        halts.append(max(sheet.alarm, sheet.price) * AT)
    turns += [np.clip(halt, np.minimum(first, prices), np.maximum(first, prices)) for halt in halts]
    mark = np.sort(turns, axis=0).T
    mark = np.where((prices < first)[:, None], mark[:, ::-1], mark)
    before = np.column_stack([first, mark[:, :-1]])
    extremes = {"mark_high": np.maximum(before, mark), "mark_low": np.minimum(before, mark)}
    return Paths(spot=mark, mark=mark, **extremes, funding=np.zeros(mark.shape), label="a straight way")


def play(sheet, market):
    """Walk the plan through a market that is moved to the price today.

    Parameters
    ----------
    sheet : Worksheet
    market : pandas.DataFrame or Paths
        A market frame, walked by ``ledger.run``, or many paths, walked by ``ledger.run_many``.

    Examples
    --------
    >>> from hedgelib.market import drawn
    >>> from hedgelib.planner import Worksheet
    >>> rows = play(Worksheet(1, 40_000, 60_000, ratio=0.5), drawn({0: 100, 1: 90}))
    >>> rows[["spot_pnl", "short_pnl"]].iloc[-1].to_dict()
    {'spot_pnl': -6000.0, 'short_pnl': 3000.0}
    """
    worksheet(sheet)
    if isinstance(market, Paths):
        factor = sheet.price / market.mark[:, :1]
        prices = {name: getattr(market, name) * factor for name in ("spot", "mark", "mark_high", "mark_low")}
        return ledger.run_many(replace(market, **prices), sheet.hedge, sheet.plan)
    moved = validate(market).copy()
    prices = [name for name in market.columns if name != "funding"]
    moved[prices] *= sheet.price / market["mark"].iloc[0]
    moved.attrs = market.attrs | {"label": f"{market.attrs.get('label', '')}, moved to {sheet.price:,.10g}"}
    return ledger.run(moved, sheet.hedge, sheet.plan)
