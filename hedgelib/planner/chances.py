"""How a plan may end: liquidated, stopped, by its take profit, or at its horizon; and how long it lives.

By formula for log-normal prices, by shares that were measured, and by playing many paths through the ledger.
"""

import functools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import erfc

from hedgelib import checks, market
from hedgelib.figures import percent
from hedgelib.planner.outlook import LONGEST, History
from hedgelib.planner.sheet import worksheet
from hedgelib.planner.walking import play as walk

ENDS = ["liquidated", "stopped", "take profit", "horizon"]
_IMAGES = np.arange(-20, 21)[:, np.newaxis]  # reflections at both prices
_SETTLED = 4  # widths between both prices: where a log has spread as far, all paths have met one
_MOMENTS = 200  # of the horizon, at which the short may still live
_PATHS = 500  # simulated
_SIMULATED = ("BTC", "ETH")  # coins that the scenarios know


def first_touch(up, down, volatility, days):
    """Probabilities that a log-normal price first touches a price above, and first one below, within days.

    Its log has no drift. Where there is only one price it is ``survival.touch_probability``.

    Parameters
    ----------
    up, down : float
        Distances to both prices (fractions above 0, `down` below 1); inf where there is none.
    volatility : float
        Fraction per year, 0 or more.
    days : float or array
        Above 0.

    Returns
    -------
    (float or array, float or array)

    Notes
    -----
    Source: method of images. With a = ln(1 + up), b = −ln(1 − down) and s = σ√(T/365), the first is the sum
    over all k of sign(c)·erfc(|c| / (s√2)), c = a + 2k(a + b); the second the same with b first.

    Examples
    --------
    >>> above, below = first_touch(0.328, 0.2, 0.63, [30, 60])
    >>> above.round(3), below.round(3)
    (array([0.116, 0.262]), array([0.217, 0.38 ]))
    """
    days = np.asarray(days, dtype=float)
    above, below = math.log1p(up), math.inf if math.isinf(down) else -math.log1p(-down)
    if volatility == 0:
        return np.zeros(days.shape), np.zeros(days.shape)
    spread = volatility * np.sqrt(days.ravel() / 365) * math.sqrt(2)
    spread = np.minimum(spread, _SETTLED * (above + below))
    first = []
    for distance, other in ((above, below), (below, above)):
        if math.isinf(distance):
            chance = np.zeros(spread.shape)
        elif math.isinf(other):
            chance = erfc(distance / spread)
        else:
            images = distance + 2 * _IMAGES * (distance + other)
            chance = np.sum(np.sign(images) * erfc(np.abs(images) / spread), axis=0)
        first.append(chance.reshape(days.shape))
    return tuple(first)


def chances(sheet, posted=True, play=True):
    """How a plan may end within its horizon, as each judge sees it.

    Parameters
    ----------
    sheet : Worksheet
    posted : bool
        Whether a reserve kept aside is posted at the alarm, as the plan says.
    play : bool
        Whether many paths are played through the ledger, which takes a second.

    Returns
    -------
    pandas.DataFrame
        One judge a row, the deciding one first: "formula" with the volatility that he names, "measured" and
        "played". Columns ``liquidated``, ``stopped``, ``take profit`` and ``horizon`` (reached), which add up
        to 1; ``days``, the mean life of the short; ``remark`` in words. What is not known is missing. Of a
        plan with a take profit the facts tell how often its rise was met, and how often its fall; how often
        both, and which came first, is the formula's, and the remark says so.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> sheet = Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=3, take_profit=0.2)
    >>> by_formula = chances(sheet, play=False).loc["formula, era"]
    >>> by_formula[["liquidated", "take profit", "horizon"]].astype(float).round(2).to_dict()
    {'liquidated': 0.11, 'take profit': 0.21, 'horizon': 0.68}
    """
    for name, given in {"posted": posted, "play": play}.items():
        checks.kind(name, given, bool, "True or False")
    rows = {}
    for judge, known in worksheet(sheet).outlooks.items():
        rows[f"formula, {judge}"] = by_formula(sheet, known.volatility, posted)
        if judge != "mine":
            rows[f"measured, {judge}"] = measured(sheet, known, posted)
        if play and isinstance(known, History):
            rows[f"played, {judge}"] = played(sheet, known.paths(sheet.days), posted)
    if play and sheet.rules.base in _SIMULATED:
        rows["played, simulated"] = played(sheet, _simulated(sheet.rules.base, sheet.days), posted)
    return pd.DataFrame(rows.values(), index=list(rows), columns=[*ENDS, "days", "remark"])


def by_formula(sheet, volatility, posted=True, days=None):
    """The ends of a plan for log-normal prices, by name; for each of `days` if they are given."""
    moments = np.linspace(0, sheet.days, _MOMENTS + 1)[1:] if days is None else days
    higher, lower = first_touch(*distances(sheet, posted), volatility, moments)
    alive = 1 - higher - lower
    none = np.zeros(alive.shape)
    ends = {
        "liquidated": none if sheet.stop else higher,
        "stopped": higher if sheet.stop else none,
        "take profit": lower,
        "horizon": alive,
    }
    if days is not None:
        return ends
    life = float(np.trapezoid(np.append(1.0, alive), np.append(0.0, moments)))
    words = (
        f"log-normal, {100 * volatility:.1f} % a year" if volatility == volatility else "no volatility known"
    )
    return {name: float(chance[-1]) for name, chance in ends.items()} | {"days": life, "remark": words}


def distances(sheet, posted=True):
    """Return how far the price may rise and fall before the short is closed; inf where it may for ever."""
    death = sheet.liquidation_with_reserve if posted else sheet.liquidation
    return sheet.stop or death / sheet.price - 1, sheet.take_profit or math.inf


def measured(sheet, known, posted=True):
    """The ends of a plan as they were measured, by the names of `ENDS`."""
    rise, fall = distances(sheet, posted)
    if math.isinf(fall):
        touched, falls = known.touched(rise, sheet.days), 0.0
        rises, remark = touched.share, touched.remark
    elif isinstance(known, History):
        rises, falls, remark = known.first(rise, fall, sheet.days)
    else:
        rises, falls, remark = _split(known, rise, fall, sheet.days)
    closed, other = ("stopped", "liquidated") if sheet.stop else ("liquidated", "stopped")
    ends = {closed: rises, other: 0.0, "take profit": falls, "horizon": 1 - rises - falls}
    return ends | {"days": math.nan, "remark": remark}


def _split(known, rise, fall, days):
    """Shares of starts that met the rise first, and the fall first, and how that is known.

    How often each was met is measured, how often both were is not. The formula says how much more often than
    two strangers they meet, and which of them comes first.
    """
    up, down = known.touched(rise, days), known.fell(fall, days)
    if math.isinf(rise):
        return 0.0, down.share, down.remark
    risen, _ = first_touch(rise, math.inf, known.volatility, days)
    _, fallen = first_touch(math.inf, fall, known.volatility, days)
    before, after = first_touch(rise, fall, known.volatility, days)
    met = float(risen + fallen - before - after)  # both, by formula
    share = up.share * down.share * met / float(risen * fallen) if risen * fallen > 0 else 0.0
    both = float(np.clip(share, max(0.0, up.share + down.share - 1), min(up.share, down.share)))
    late = float(risen - before) / met if met > 0 else 0.5  # of them, the fall came first
    told = f"; both by about {percent(both)}, estimated with the formula" if both == both else ""
    remark = f"{up.remark}; falls {down.remark}{told}"
    return up.share - both * late, down.share - both * (1 - late), remark


def played(sheet, paths, posted=True):
    """The ends of a plan on many paths, each moved to the price today, by name; funding moves the margin."""
    if not posted and sheet.plan.top_up:
        sheet = _unposted(sheet)
    outcome, bars = walk(sheet, paths), paths.spot.shape[1]
    entry = paths.mark[:, :1]
    reached = {name: np.full(len(paths), bars) for name in ("stopped", "take profit")}
    for name, order, prices in (
        ("stopped", sheet.plan.stop, paths.mark_high),
        ("take profit", sheet.plan.take_profit, -paths.mark_low),
    ):
        if order:
            hit = prices[:, 1:] >= (-1 if name == "take profit" else 1) * entry * (1 + order.move)
            reached[name] = np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, bars)
    dead = outcome.liquidated_at >= 0
    stopped = ~dead & (reached["stopped"] < bars) & (reached["stopped"] <= reached["take profit"])
    taken = ~dead & ~stopped & (reached["take profit"] < bars)
    ends = dict(zip(ENDS, (dead, stopped, taken, ~(dead | stopped | taken)), strict=True))
    last = np.select([dead, stopped, taken], [outcome.liquidated_at, *reached.values()], bars - 1)
    shares = {name: float(np.mean(each)) for name, each in ends.items()}
    error = math.sqrt(max(share * (1 - share) for share in shares.values()) / len(paths))
    label = f"{len(paths):,} paths, {paths.label}; error {100 * error:.1f} %"
    return shares | {"days": float(np.mean(last)) * paths.hours / 24, "remark": label}


def _unposted(sheet):
    """The same plan without its reserve."""
    return replace(sheet, reserve=0.0, ratio=sheet.share, bearable=None)


def _simulated(base, days):
    """Simulated paths of the era, without a view on where the price goes."""
    paths = _longest(base)
    bars = days * 24 // paths.hours + 1
    return replace(paths, **{name: getattr(paths, name)[:, :bars] for name in market.COLUMNS})


@functools.cache
def _longest(base):
    """Paths of the longest horizon, drawn once: each plan walks as much of them as it needs."""
    return market.paths("perp_era", _PATHS, days=LONGEST, coin=base, drift=0)
