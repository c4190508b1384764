"""The daily closes of two coins, that of what is held beside that of what is shorted, and their moves."""

from pathlib import Path

import numpy as np
import pandas as pd

from hedgelib import checks, market, ratio

LEAST = 20  # days
_DAY = pd.Timedelta(days=1)
_BETTER = 0.3  # correlation that one day's shift must gain before it is taken for a mistake


def closes(name, value, coin, column):
    """Return the daily closes of a coin, index the day (UTC).

    Parameters
    ----------
    name : str
        What the closes are called in a complaint.
    value : pandas.Series, pandas.DataFrame, str or Path
        Closes by date; a market frame; or a CSV file for ``market.read_csv``, dates and closes suffice. Of
        bars shorter than a day the close at midnight (UTC) counts. Without a zone times are UTC.
    coin : str
        The coin, ``"SOL"``.
    column : str
        Column of a market frame that is taken.
    """
    if isinstance(value, str | Path):
        value = market.read_csv(spot=value, symbol=f"{coin}USDT")["spot"]
    elif isinstance(value, pd.DataFrame) and list(value.columns).count(column) == 1:
        value = value[column]
    checks.kind(name, value, pd.Series, "a series of closes by date, a market frame or the name of a file")
    days = value.index
    if not isinstance(days, pd.DatetimeIndex) or days.hasnans:
        raise ValueError(f"{name} must have dates as their index, such as pandas.to_datetime makes them")
    days = days.tz_localize("UTC") if days.tz is None else days.tz_convert("UTC")
    series = pd.Series(checks.number(f"{name} (USDT)", value.to_numpy(), above=0), days)
    if not days.is_monotonic_increasing or not days.is_unique:
        raise ValueError(f"{name} must ascend in time, each date once")
    if len(days) > 1 and np.diff(days).min() < _DAY:
        series = series[days.hour + days.minute == 0]
    series.index = series.index.floor("D")
    return series


def paired(held, shorted):
    """Return the closes of both coins on the days that both have, columns ``held`` and ``short``.

    Refused are pairs with fewer than `LEAST` days, with a day missing in between, and such as fit much better
    when one is moved by a day: then one list dates its closes by the day's beginning, the other by its end.
    """
    pair = pd.concat({"held": held, "short": shorted}, axis=1, join="inner")
    if len(pair) < LEAST:
        raise ValueError(f"both price lists must share at least {LEAST} days, got {len(pair)}")
    gaps = np.flatnonzero(np.diff(pair.index) > _DAY)
    if len(gaps):
        missing = pair.index[gaps[0]] + _DAY
        raise ValueError(f"both price lists must have every day, but {missing:%Y-%m-%d} is missing in one")
    moves = pair.pct_change()
    now, before, after = (moves["held"].corr(moves["short"].shift(days)) for days in (0, 1, -1))
    if max(before, after) > max(now, 0) + _BETTER:
        raise ValueError(
            "the price lists fit each other better one day apart: one dates a close by the day that begins, "
            "the other by the day that ends; move one by a day"
        )
    return pair


def stretches(pair, days):
    """Return the moves (fractions) of both coins over every stretch of so many days, however they overlap."""
    prices = pair.to_numpy().T
    return prices[:, days:] / prices[:, :-days] - 1


def estimate(pair):
    """Return the minimum-variance ``ratio.Estimate`` of the daily moves."""
    return ratio.minimum_variance(*stretches(pair, 1))
