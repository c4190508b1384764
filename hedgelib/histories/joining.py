"""A market frame out of candles of spot and perpetual and of funding settlements."""

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.market import build

_WICK = 0.01


def join(spot, price, funding, wicks="keep", **attrs):
    """Make a market frame of spot candles, candles of the perpetual and funding settlements.

    Parameters
    ----------
    spot : pandas.DataFrame
        Columns high, low, close (USDT per coin), index: close of the bar; as long as the bars of `price`,
        or longer, up to a day.
    price : pandas.DataFrame
        The same of the perpetual: mark price, or last price to stand in for it. Its bars become the rows.
    funding : pandas.Series
        Settled rate (fraction per interval), index: time of settlement.
    wicks : {"keep", "spot"}
        "spot" limits highs and lows of `price` that lie more than 1 % beyond the spot range of their bar.
    **attrs
        Passed on to the frame.

    Returns
    -------
    pandas.DataFrame
        The bars for which all three are known. Where spot has no close of its own it is built without looking
        ahead: mark times the ratio of spot to perpetual at the last spot close. ``attrs["wicks_limited"]``
        counts the limited highs and lows.

    Raises
    ------
    ValueError
        If the three do not overlap, are of different coins, or the bars are longer than the funding interval.
    """
    checks.one_of("wicks", wicks, ("keep", "spot"))
    known = spot.index.intersection(price.index)
    ratio = spot["close"].loc[known] / price["close"].loc[known]
    bounds = [table.index[[0, -1]] for table in (spot, price, funding)]
    first = max(start for start, _ in [*bounds, known[[0, -1]] if len(known) else bounds[0]])
    rows = price.loc[first : min(end for _, end in bounds)]
    if known.empty or rows.empty:
        spans = "; ".join(
            f"{name} {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
            for name, (start, end) in zip(("spot", "perpetual", "funding"), bounds, strict=True)
        )
        raise ValueError(f"spot, perpetual and funding share no bar (closes, UTC: {spans})")
    for time in ratio.index[(ratio - 1).abs() > 0.5][:1]:
        raise ValueError(
            f"spot closes at {spot['close'][time]:g} and the perpetual at {price['close'][time]:g} "
            f"on {time:%Y-%m-%d %H:%M}; are these the same coin?"
        )
    settled = funding.loc[first : rows.index[-1]]
    for time in settled.index.difference(rows.index)[:1]:
        raise ValueError(
            f"funding is settled at {time:%Y-%m-%d %H:%M}, where no bar of the perpetual closes; "
            "give bars no longer than the funding interval"
        )
    basis = ratio.reindex(rows.index, method="ffill")
    columns = {
        "spot": spot["close"].reindex(rows.index).fillna(rows["close"] * basis),
        "mark": rows["close"],
        "mark_high": rows["high"],
        "mark_low": rows["low"],
        "funding": settled.reindex(rows.index, fill_value=0.0),
    }
    if wicks == "spot":
        highest = np.maximum(spot["high"].reindex(rows.index, method="bfill") / basis, rows["close"])
        lowest = np.minimum(spot["low"].reindex(rows.index, method="bfill") / basis, rows["close"])
        too_high = rows["high"] > highest * (1 + _WICK)
        too_low = rows["low"] < lowest * (1 - _WICK)
        columns["mark_high"] = rows["high"].mask(too_high, highest)
        columns["mark_low"] = rows["low"].mask(too_low, lowest)
        attrs["wicks_limited"] = int(too_high.sum() + too_low.sum())
    hours = (price.index[1] - price.index[0]) / pd.Timedelta(hours=1)
    return build(rows.index, columns, hours=int(hours) if hours == int(hours) else hours, **attrs)
