"""Markets drawn by hand: straight lines between a few prices, to show one thing at a time."""

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.market import frame

_HOURS = 8
_TOLD = 6  # points that a label names
_LONGEST = 3_650


def drawn(points, rate=0.0, symbol="BTCUSDT"):
    """Make a market frame of straight lines between the prices of a few days.

    Spot and mark are equal, highs and lows are those of the line: nothing happens but what is drawn.

    Parameters
    ----------
    points : dict of float to float
        Day (0 is the first, up to 3,650) to price (USDT per coin); days ascend. Two days 1/3 apart make a gap
        within one bar of eight hours.
    rate : float
        Funding settled at every bar (fraction per eight hours).
    symbol : str
        Contract the market belongs to.

    Returns
    -------
    pandas.DataFrame
        A market frame of eight-hour bars from the first to the last day.

    Raises
    ------
    ValueError
        If there are fewer than two points, days do not ascend from 0 by a bar or more, a price or the rate is
        no number in its range, or `symbol` is no text.

    Examples
    --------
    A price that runs up by a third before it falls:

    >>> market = drawn({0: 60_000, 10: 80_000, 30: 50_000}, rate=1e-4)
    >>> len(market), market["mark"].max().item(), market["mark"].iloc[-1].item()
    (91, 80000.0, 50000.0)
    """
    if not isinstance(points, dict) or len(points) < 2:
        told = checks.shown(points)
        raise ValueError(f"points must be a dict of day to price with two days or more, got {told}")
    days = checks.number("days of the points", list(points), at_least=0, at_most=_LONGEST)
    prices = checks.number("prices of the points (USDT)", list(points.values()), above=0)
    checks.text("symbol", symbol)
    rate = checks.single("rate (fraction per eight hours)", rate, at_least=-1, at_most=1)
    if days[0] != 0 or np.any(np.diff(days) <= 0):
        raise ValueError(f"days of the points must ascend from 0, got {list(points)}")
    at = np.round(days * 24 / _HOURS)
    if np.any(np.diff(at) == 0):
        raise ValueError(f"two points fall into the same bar of {_HOURS} hours: {list(points)}")
    bars = np.arange(at[-1] + 1)
    line = np.interp(bars, at, prices)
    before = np.append(line[0], line[:-1])
    columns = {
        "spot": line,
        "mark": line,
        "mark_high": np.maximum(before, line),
        "mark_low": np.minimum(before, line),
        "funding": np.full(len(line), rate),
    }
    told = [f"{price:,.0f}" for price in prices]
    if len(told) > _TOLD:
        told = [*told[: _TOLD - 2], "…", told[-1]]
    return frame.build(
        frame.START + pd.to_timedelta(bars * _HOURS, unit="h"),
        columns,
        symbol=symbol,
        source="drawn",
        label=f"drawn by hand: {' → '.join(told)} USDT",
        hours=_HOURS,
    )
