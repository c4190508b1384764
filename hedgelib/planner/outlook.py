"""What a short may meet over a horizon: funding, and how often prices rose far enough to kill it.

From the published facts, or from a market frame of real history.
"""

import functools
from dataclasses import dataclass

import numpy as np

from hedgelib import checks
from hedgelib.figures import percent
from hedgelib.market import facts, validate

_FULL_PERIOD = r"^\d{4}-\d{2}-\d{2} to"
_RISES = {"2x": 0.49, "3x": 0.32, "5x": 0.19, "10x": 0.09}
_HORIZONS = (30, 60, 90)
LONGEST = 365


@dataclass(frozen=True)
class Outlook:
    """What was measured about a horizon.

    Parameters
    ----------
    funding_expected, funding_bad : float
        Funding that a short receives over the horizon: the mean, and a bad case (fraction of the notional;
        negative is paid).
    bad_case : str
        What the bad case is, in words.
    touched : float
        Share of starts from which the price rose to the level within the horizon.
    case : str
        Which rise and horizon `touched` was measured for, in words.
    source : str
        Where the numbers come from, in words.
    bound : str
        How the share for the very rise and horizon asked for stands to `touched`: "at most" or "at least" it,
        "about", or nothing where it is the same.
    """

    funding_expected: float
    funding_bad: float
    bad_case: str
    touched: float
    case: str
    source: str
    bound: str = ""


@functools.cache
def constant(topic, base, key):
    """Return one number of the published facts, that of the longest period where there are several.

    Parameters
    ----------
    topic, key : str
        As in ``market.facts``.
    base : str
        The coin, ``"BTC"`` or ``"ETH"``.

    Returns
    -------
    float
        In the unit that ``market.facts`` names.

    Raises
    ------
    ValueError
        If there is no such fact.

    Examples
    --------
    >>> constant("extremes", "BTC", "best_1_day"), constant("volatility_by_year", "ETH", "volatility")
    (0.1954, 0.8344)
    """
    table = facts(topic)
    rows = table[(table["asset"] == base) & (table["key"] == key)]
    if len(rows) > 1:
        rows = rows[rows["period"].str.contains(_FULL_PERIOD)]
    if len(rows) != 1:
        raise ValueError(f"there is no single fact {key!r} of {base!r} in {topic!r}")
    return float(rows["value"].item())


def published(base, rise, days):
    """Outlook of a short by the published facts.

    Parameters
    ----------
    base : str
        The coin, ``"BTC"`` or ``"ETH"``.
    rise : float
        Rise of the price that kills the short, as a fraction of the entry; inf if none does.
    days : int
        Horizon in days, 1 to 365.

    Returns
    -------
    Outlook
        Expected funding: the mean settlement times three a day. Bad: the worst week measured for a horizon
        of up to a week; the worst 30 days for a longer one, and nothing received on its other days. The share
        of starts is that of the next smaller rise and the next longer horizon that were measured, so it is
        rather too high; the words of `case` say when yours is likelier, less likely, or hard to compare.

    Raises
    ------
    ValueError
        If the coin has no facts, or a number is out of range.

    Examples
    --------
    >>> outlook = published("BTC", rise=0.328, days=60)
    >>> outlook.case, round(outlook.touched, 2), round(outlook.funding_expected, 4)
    ('a rise of 32 % within 60 days; 90 % interval 20 % to 40 %', 0.29, 0.0201)
    """
    days, rise = _check(rise, days)
    checks.one_of("base", base, ("BTC", "ETH"))
    mean = constant("funding_by_year", base, "mean") * 1e-4
    stretch = 7 if days <= 7 else 30
    worst = constant("funding_extremes", base, f"worst_{stretch}_days")
    bad_case = f"the worst {stretch} days" + (", and nothing received on the others" if days > 30 else "")
    key = next((key for key, level in _RISES.items() if level <= rise), "10x")
    horizon = next((known for known in _HORIZONS if known >= days), _HORIZONS[-1])
    if np.isinf(rise):
        touched, case, bound = 0.0, "no rise reaches it", ""
    else:
        table, period = _touched(), f"{horizon} days"
        touched = table[base, period, key]
        low, high = (percent(table[base, period, f"{key}_{end}"], 0) for end in ("low", "high"))
        case = f"a rise of {percent(_RISES[key], 0)} within {horizon} days"
        more, less = rise < _RISES[key] or days > horizon, rise > _RISES[key] + 0.02 or days < horizon
        bound, remark = {
            (True, False): ("at least", "yours is more likely"),
            (False, True): ("at most", "yours is less likely"),
            (True, True): ("about", "only a rough guide to yours"),
            (False, False): ("", f"90 % interval {low} to {high}"),
        }[more, less]
        case += f"; {remark}"
    source = "published facts, 2019-09 to 2026-03"
    return Outlook(mean * 3 * days, worst, bad_case, touched, case, source, bound)


def from_history(market, rise, days):
    """Outlook of a short by the history of one market: every bar is a start.

    Parameters
    ----------
    market : pandas.DataFrame
        A market frame, such as ``market.history`` returns, of at least twice the horizon.
    rise, days
        As in `published`.

    Returns
    -------
    Outlook
        Expected and bad funding: mean and lowest sum over the horizon. Share of starts: highs of the mark.

    Raises
    ------
    ValueError
        If the frame is no market frame or too short, or a number is out of range.

    Examples
    --------
    >>> from hedgelib.market import drawn
    >>> from_history(drawn({0: 100, 40: 140, 80: 100}, rate=1e-4), rise=0.2, days=30).case
    'a rise of 20.0 % within 30 days, 151 overlapping starts'
    """
    days, rise = _check(rise, days)
    validate(market)
    bars = round(days * 24 / market.attrs["hours"])
    starts = len(market) - bars
    if starts < bars:
        raise ValueError(f"days must be at most half of the history, {market.attrs['label']}, got {days}")
    sums = np.convolve(market["funding"].to_numpy()[1:], np.ones(bars), mode="valid")
    highs = np.lib.stride_tricks.sliding_window_view(market["mark_high"].to_numpy()[1:], bars).max(axis=1)
    touched = float(np.mean(highs >= market["mark"].to_numpy()[:starts] * (1 + rise)))
    case = f"a rise of {percent(rise)} within {days} days, {starts:,} overlapping starts"
    if np.isinf(rise):
        case = "no rise reaches it"
    bad_case = f"the worst {days} days in it"
    return Outlook(float(sums.mean()), float(sums.min()), bad_case, touched, case, market.attrs["label"])


@functools.cache
def _touched():
    """Share of starts by coin, period and key."""
    return facts("touched").set_index(["asset", "period", "key"])["value"].to_dict()


def _check(rise, days):
    """Check what both outlooks are asked for."""
    if not (isinstance(rise, float) and np.isposinf(rise)):
        rise = checks.single("rise (fraction)", rise, above=0)
    return checks.whole("days", days, at_least=1, at_most=LONGEST), rise
