"""What both coins do to a cross hedge: the ledger walks it through two prices, given or from their closes."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hedgelib import checks, ledger, ratio
from hedgelib.hedge import Hedge
from hedgelib.market import Paths
from hedgelib.plan import Fixed, Target
from hedgelib.planner.closes import stretches
from hedgelib.planner.cross import CrossWorksheet

HORIZONS = 1, 7, 30, 60, 90  # days
BANDS = 0.0, 0.02, 0.05, 0.1, 0.2
_FEWEST = 5  # separate stretches that a horizon must have
_STARTS = 500  # that are played
_STEPS = 60  # of a straight way
_GREATEST = 150  # leverage


@dataclass(frozen=True, eq=False)
class _Shares(Target):
    """The shares that a cross hedge wants, known at each close from both prices."""

    wanted: np.ndarray

    def shares(self, bars):
        """Return them, shape (paths, bars)."""
        return self.wanted

    def __str__(self):
        """Return the target in words."""
        return "a share of the value of another coin"


def at_both(sheet, held_prices, short_prices):
    """Return what becomes of a cross hedge on the straight way from both prices today to two others.

    The ledger walks it, as ``planner.at`` walks a hedge with its own coin: exits fill, the reserve is posted
    at the alarm, the short may be liquidated or brought back to its ratio. No funding.

    Parameters
    ----------
    sheet : CrossWorksheet
    held_prices, short_prices : float or (n,) array
        Prices of the coin held and of the coin shorted (USDT per coin), above 0.

    Returns
    -------
    pandas.DataFrame
        One pair of prices a row: ``held_price`` and ``short_price``; ``held_pnl``, ``short_pnl`` and
        ``total_pnl`` (USDT, before fees); ``fees`` paid so far (USDT, negative); ``balance`` behind the short
        (USDT), missing where it is closed; ``event`` says what happened last.

    Examples
    --------
    ADA falls by a fifth, and bitcoin by a tenth or not at all:

    >>> plan = CrossWorksheet("ADA", 20_000, 0.75, contract="BTCUSDT", short_price=60_000, ratio=1.2)
    >>> at_both(plan, 0.60, [54_000, 60_000])[["held_pnl", "short_pnl", "total_pnl"]]
       held_pnl  short_pnl  total_pnl
    0   -3000.0     1800.0    -1200.0
    1   -3000.0        0.0    -3000.0
    """
    checks.kind("sheet", sheet, CrossWorksheet, "a planner.CrossWorksheet")
    held = checks.row("held_prices (USDT)", held_prices, above=0)
    shorted = checks.row("short_prices (USDT)", short_prices, above=0)
    checks.broadcast(held_prices=held, short_prices=shorted)
    held, shorted = np.broadcast_arrays(held, shorted)
    moved = shorted / sheet.short_price - 1
    halts = [order.move for order in (sheet.short.plan.stop, sheet.short.plan.take_profit) if order]
    if sheet.short.plan.top_up:
        halts.append(max(sheet.short.alarm / sheet.short_price - 1, 0) + 1e-9)
    way = np.tile(np.linspace(0, 1, _STEPS if sheet.band else 2), (len(held), 1))
    reached = np.divide(
        halts, moved[:, None], out=np.zeros((len(held), len(halts))), where=moved[:, None] != 0
    )
    way = np.sort(np.concatenate([way, np.clip(reached, 0, 1)], axis=1), axis=1)
    runs = []
    for row, moves in enumerate(way):
        ends = held[row] / sheet.price, shorted[row] / sheet.short_price
        prices = (1 - moves + moves * end for end in ends)
        paths, hedge, plan = _played(sheet, *(price[np.newaxis] for price in prices), sheet.band)
        runs.append(ledger.run(paths.frame(0), hedge, plan))
    last = pd.DataFrame([rows.iloc[-1] for rows in runs]).reset_index(drop=True)
    short = (last["short_pnl"] + last["liquidation_loss"]).astype(float)
    return pd.DataFrame(
        {
            "held_price": held,
            "short_price": shorted,
            "held_pnl": last["spot_pnl"].astype(float).round(8),
            "short_pnl": short.round(8),
            "total_pnl": (last["spot_pnl"] + short).astype(float).round(8),
            "fees": last["fees"].astype(float),
            "balance": last["margin"].mask(last["short_quantity"] == 0).astype(float),
            "event": [rows.loc[rows["event"] != "", "event"].iloc[-1] for rows in runs],
        }
    )


def stays(sheet):
    """Return what a cross hedge leaves, by horizon: measured on the closes, the short left alone.

    Parameters
    ----------
    sheet : CrossWorksheet

    Returns
    -------
    pandas.DataFrame
        Index ``days``, without horizons for which the closes are too few; one standard deviation of the
        change of wealth (USDT), ``unhedged`` and ``left`` by the hedge, and ``root``, what a day leaves times
        √days, as the textbook promises; ``removed``, the share of the variance; ``stretches`` that were
        measured, which overlap.

    Examples
    --------
    >>> from hedgelib import market
    >>> both = market.scenario("perp_era", seed=8, days=365, coins=("BTC", "ETH"))
    >>> given = {"held_closes": both["BTC"], "short_closes": both["ETH"]}
    >>> plan = CrossWorksheet("BTC", 1, 60_000, contract="ETHUSDT", short_price=3_000, **given)
    >>> stays(plan)[["unhedged", "left", "removed"]].round(2).iloc[:2]
          unhedged     left  removed
    days
    1      2012.04   892.58     0.80
    7      4992.13  2142.76     0.82
    """
    checks.kind("sheet", sheet, CrossWorksheet, "a planner.CrossWorksheet")
    pair, rows = sheet.judged, {}
    wanted = sorted({*HORIZONS, sheet.days})
    for days in wanted if pair is not None else ():
        if len(pair) - 1 >= _FEWEST * days:
            held, shorted = stretches(pair, days)
            rows[days] = (
                sheet.value * held.std(),
                sheet.value * (held - sheet.placed * shorted).std(),
                float(ratio.effectiveness(held, shorted, sheet.placed)),
                len(held),
            )
    table = pd.DataFrame(rows.values(), list(rows), ["unhedged", "left", "removed", "stretches"])
    table.insert(2, "root", [math.sqrt(days) * table["left"].get(1, math.nan) for days in rows])
    return table.rename_axis("days")


def rebalancing(sheet):
    """Return what bringing the short back to its ratio costs and leaves, by band, within the horizon.

    The ledger plays the plan from many days of the closes, moved to both prices today, with its fees, its
    reserve and its liquidations; closes know neither funding nor the hours between them.

    Parameters
    ----------
    sheet : CrossWorksheet

    Returns
    -------
    pandas.DataFrame
        Index ``band``, 0 for never, the plan's own among them; ``trades`` after the opening (mean number,
        missing where an exit may end them) and ``fees`` after it (USDT, mean, negative); of all results
        ``left``, one standard deviation, and ``worst``, the mean of the worst 5 % (USDT); ``liquidated``, the
        share of starts. Without rows if the closes do not reach over twice the horizon.

    Examples
    --------
    >>> from hedgelib import market
    >>> both = market.scenario("perp_era", seed=8, days=365, coins=("BTC", "ETH"))
    >>> given = {"held_closes": both["BTC"], "short_closes": both["ETH"]}
    >>> plan = CrossWorksheet("BTC", 1, 60_000, contract="ETHUSDT", short_price=3_000, **given)
    >>> rebalancing(plan)[["trades", "fees"]].round(1).iloc[:3]
          trades  fees
    band
    0.00     0.0   0.0
    0.02     6.1  -5.5
    0.05     1.7  -3.1
    """
    checks.kind("sheet", sheet, CrossWorksheet, "a planner.CrossWorksheet")
    columns = ["trades", "fees", "left", "worst", "liquidated"]
    if sheet.judged is None or len(sheet.judged) <= 2 * sheet.days:
        return pd.DataFrame(columns=columns, dtype=float).rename_axis("band")
    prices = sheet.judged.to_numpy().T
    first = np.arange(0, prices.shape[1] - sheet.days, max(1, (prices.shape[1] - sheet.days) // _STARTS))
    held, shorted = (each[first[:, None] + np.arange(sheet.days + 1)] for each in prices)
    rows = {}
    for band in sorted({*BANDS, sheet.band}):
        paths, hedge, plan = _played(sheet, held / held[:, :1], shorted / shorted[:, :1], band)
        outcome = ledger.run_many(paths, hedge, plan)
        shares = plan.target.shares(paths)
        lived = np.where(outcome.liquidated_at < 0, sheet.days + 1, outcome.liquidated_at)
        traded = (np.diff(shares) != 0) & (np.arange(1, sheet.days + 1) < lived[:, None])
        rows[band] = (
            math.nan if sheet.stop or sheet.take_profit else float(traded.sum(axis=1).mean()),
            round(float(np.mean(outcome.fees)) + sheet.short.opening_fee, 8),
            float(np.std(outcome.pnl)),
            outcome.cvar(0.05),
            outcome.probability_liquidated,
        )
    return pd.DataFrame(rows.values(), list(rows), columns).rename_axis("band") + 0.0


def _played(sheet, held, shorted, band):
    """Paths of both prices, as multiples of today, with the hedge and the plan that the ledger walks on them.

    The ledger knows one coin. So the holding is counted in units of as much as the largest short that is
    wanted on the way covers one for one, and `spot` is the price of such a unit: nothing is assumed of it.
    """
    short, value, mark = sheet.short, sheet.value * held, sheet.short_price * shorted
    coins = _wanted(sheet, value, mark, band)
    most = coins.max()
    before = np.column_stack([mark[:, 0], mark[:, :-1]])
    paths = Paths(
        spot=value / most,
        mark=mark,
        mark_high=np.maximum(before, mark),
        mark_low=np.minimum(before, mark),
        funding=np.zeros(mark.shape),
        hours=24,
        label="two coins",
        symbol=short.rules.symbol,
    )
    leverage = sheet.leverage
    if sheet.mode == "cross":  # where it decides nothing but how much must be there, and all of it is
        leverage = min(_GREATEST, leverage * most / sheet.quantity)
    hedge = Hedge(most, 1, leverage, short.rules, "outside", sheet.mode, short.hedge.wallet)
    return paths, hedge, replace(short.plan, target=_Shares(coins / most) if band else Fixed())


def _wanted(sheet, value, mark, band):
    """Coins short at each close: brought back where their value leaves its band, by trades large enough."""
    rules = sheet.short.rules
    wanted = rules.round_quantity(sheet.used * value / mark)
    coins = np.repeat(wanted[:, :1], mark.shape[1], axis=1)
    coins[:] = sheet.quantity
    for bar in range(1, mark.shape[1] if band else 0):
        now, new, price = coins[:, bar - 1], wanted[:, bar], mark[:, bar]
        due = np.abs(now * price - sheet.used * value[:, bar]) > band * value[:, bar]
        due &= (new < now) | ((new - now) * price >= rules.minimum_notional)
        coins[:, bar] = np.where(due, new, now)
    return coins
