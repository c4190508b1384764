"""Parts that several definitions share: periods, windows, and intervals by bootstrap."""

import zlib

import numpy as np
import pandas as pd

from tools.factlib.book import Fact
from tools.factlib.rows import DAY

ERA = pd.Timestamp("2019-09-10")
"""First day of the era: BTCUSDT, the oldest USDT-margined perpetual of the exchange, was two days old."""

YEAR = 365
LAST = f"last {YEAR} days"

REGIMES = (
    ("2020-02-13", "2020-03-31"),
    ("2020-10-01", "2021-04-14"),
    ("2021-05-08", "2021-06-22"),
    ("2021-07-21", "2021-11-10"),
    ("2021-11-11", "2022-11-21"),
    ("2022-05-05", "2022-06-18"),
    ("2022-11-02", "2022-11-21"),
    ("2022-11-22", "2023-10-15"),
    ("2023-10-16", "2024-03-13"),
    ("2024-03-14", "2024-11-04"),
    ("2024-11-05", "2025-01-20"),
    ("2025-01-21", "2025-04-08"),
    ("2025-04-09", "2025-10-06"),
    ("2025-10-07", "2026-03-15"),
)
"""First and last day of named periods, chosen in hindsight: the crash of 2020, the bull run after it, ..."""

FEWEST = 30
"""Days that a calendar year, or one side of a split, must have to be told."""


def era(values):
    """The rows since the first day of the era."""
    return values.loc[ERA:]


def last_days(values):
    """The rows of the last 365 days, that of the last row included."""
    return values.loc[values.index[-1].normalize() - (YEAR - 1) * DAY :]


def era_and_last(values):
    """Yield name and rows of the two periods that a plan looks at.

    >>> days = pd.date_range("2019-09-08", "2020-12-31")
    >>> [(name, len(part)) for name, part in era_and_last(pd.Series(0, days))]
    [('era', 479), ('last 365 days', 365)]
    """
    yield "era", era(values)
    yield LAST, last_days(values)


def years(values, first=2018, fewest=FEWEST):
    """Yield name and rows of each calendar year from `first` on that has as many days as `fewest`."""
    for year, part in values.groupby(values.index.year):
        if year >= first and part.index.normalize().nunique() >= fewest:
            yield str(year), part


def regimes(values):
    """Yield name and rows of each named period that they cover."""
    for first, last in REGIMES:
        if values.index[0] <= pd.Timestamp(first) and pd.Timestamp(last) <= values.index[-1].normalize():
            yield f"{first} to {last}", values.loc[first:last]


def fact(asset, period, part, values, as_of=None):
    """Numbers that `part` gave; its index tells since when they count, and until when if `as_of` does not."""
    since, until = part.index[0], part.index[-1] if as_of is None else as_of
    return Fact(asset, period, f"{since:%Y-%m-%d}", f"{until:%Y-%m-%d}", values)


def log_returns(close):
    """Daily log returns, each at its day."""
    return np.log(close).diff().iloc[1:]


def simple_returns(close):
    """Daily simple returns, each at its day."""
    return close.pct_change().iloc[1:]


def ahead(values, steps, best):
    """Highest (``np.max``) or lowest (``np.min``) of the next `steps` values, where there are as many.

    >>> ahead(pd.Series([5, 1, 4, 2]), 2, np.max).tolist()
    [4, 4]
    """
    windows = np.lib.stride_tricks.sliding_window_view(values.to_numpy()[1:], steps)
    return pd.Series(best(windows, axis=1), values.index[: len(windows)])


def interval(hits, name, block, draws=4000):
    """90 % interval of the means of `hits`, by circular block bootstrap.

    Parameters
    ----------
    hits : array, shape (n, k)
        One row a start, one column a level; neighbours are much alike.
    name : str
        What the blocks are drawn for: same name, same blocks.
    block : int
        Rows of a block.
    draws : int
        Histories put together from blocks.

    Returns
    -------
    array, shape (2, k)
        5th and 95th percentile.

    Notes
    -----
    Source: Politis and Romano, A circular block-resampling procedure for stationary data, 1992.
    """
    count = len(hits)
    lengths = np.full(-(-count // block), block)
    lengths[-1] -= lengths.sum() - count
    starts = np.random.default_rng(zlib.crc32(name.encode())).integers(count, size=(draws, len(lengths)))
    running = np.pad(np.concatenate([hits, hits]).cumsum(axis=0), ((1, 0), (0, 0)))
    means = (running[starts + lengths] - running[starts]).sum(axis=1) / count
    return np.percentile(means, [5, 95], axis=0)
