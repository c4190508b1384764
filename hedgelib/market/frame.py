"""The market frame: one row per bar of a coin's spot price, mark price and funding.

How it is built from candles and settlements, and how it is checked.
"""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from hedgelib import checks

COLUMNS = ("spot", "mark", "mark_high", "mark_low", "funding")
"""Columns of a market frame: four prices (USDT per coin) and the rate settled at the close of the bar."""

START = pd.Timestamp("2030-01-01", tz="UTC")
"""First bar of a market whose dates are invented."""

_WICK = 0.01


def build(time, columns, **attrs):
    """Make a market frame and check it.

    Parameters
    ----------
    time : sequence of times
        Close of each bar, UTC.
    columns : dict of str to array
        The five columns by name, each as long as `time`.
    **attrs
        What the frame is: symbol, source, label, hours and more.

    Returns
    -------
    pandas.DataFrame
        A valid market frame.

    Raises
    ------
    ValueError
        As `validate`.
    """
    index = pd.DatetimeIndex(pd.to_datetime(time, utc=True), name="time").as_unit("us")
    market = pd.DataFrame({name: np.asarray(columns[name], dtype=float) for name in COLUMNS}, index=index)
    market.attrs = attrs
    return validate(market)


def validate(market):
    """Check that a table is a market frame and hand it back.

    Parameters
    ----------
    market : pandas.DataFrame
        Index: close of each bar, UTC, ascending, evenly spaced. Columns: ``spot``, ``mark``, ``mark_high``,
        ``mark_low`` (USDT per coin) and ``funding`` (fraction settled at that time, 0 where none is).

    Returns
    -------
    pandas.DataFrame
        The same object.

    Raises
    ------
    ValueError
        If it is not a market frame; the message names the first row that is wrong.

    Examples
    --------
    >>> time = pd.date_range("2024-01-01", periods=2, freq="8h", tz="UTC")
    >>> flat = pd.DataFrame(60_000.0, index=time, columns=COLUMNS).assign(funding=1e-4)
    >>> validate(flat) is flat
    True
    >>> validate(flat.assign(mark_high=[60_000, 59_000]))
    Traceback (most recent call last):
    ...
    ValueError: row 1 (2024-01-01 08:00) of the market: mark must lie between mark_low and mark_high
    """
    checks.kind("market", market, pd.DataFrame, f"a DataFrame with columns {', '.join(COLUMNS)}")
    if market.columns.nlevels > 1:
        coins = ", ".join(map(str, market.columns.get_level_values(0).unique()))
        raise ValueError(f"this market holds several coins ({coins}); choose one, as in market['BTC']")
    missing = [name for name in COLUMNS if list(market.columns).count(name) != 1]
    if missing:
        raise ValueError(
            f"a market needs the columns {', '.join(COLUMNS)}, each once; see {', '.join(missing)}"
        )
    _check_index(market)
    values = {}
    for name in COLUMNS:
        if market[name].dtype.kind not in "iuf":
            raise ValueError(f"column {name} of the market must hold numbers, got {market[name].dtype}")
        values[name] = market[name].to_numpy(dtype=float)
        _refuse(market, ~np.isfinite(values[name]), f"{name} must be a finite number")
    for name in COLUMNS[:4]:
        _refuse(market, values[name] <= 0, f"{name} must be above 0 USDT")
    outside = (values["mark_low"] > values["mark"]) | (values["mark"] > values["mark_high"])
    _refuse(market, outside, "mark must lie between mark_low and mark_high")
    _refuse(market, np.abs(values["funding"]) > 1, "funding must be a fraction between -1 and 1")
    return market


@dataclass(frozen=True, eq=False, repr=False)
class Paths:
    """Many paths of one market: row = path, column = bar.

    Column 0 is the bar at whose close a position may be opened: its funding is not received by that position,
    and its high and low are its close.

    Parameters
    ----------
    spot, mark, mark_high, mark_low : array, shape (paths, bars)
        Prices at the close of the bar, and the extremes of mark within it (USDT per coin).
    funding : array, shape (paths, bars)
        Rate settled at the close of the bar (fraction).
    hours : int
        Length of a bar.
    label : str
        What this is, in words.
    symbol : str
        ``"BTCUSDT"``.

    Raises
    ------
    ValueError
        If the arrays differ in shape or a number in them cannot be.

    Examples
    --------
    Two paths of three bars on which nothing happens:

    >>> flat = np.full((2, 3), 60_000.0)
    >>> Paths(spot=flat, mark=flat, mark_high=flat, mark_low=flat, funding=np.zeros((2, 3)))
    <2 paths of 3 bars of 8 hours: simulated>
    """

    spot: np.ndarray
    mark: np.ndarray
    mark_high: np.ndarray
    mark_low: np.ndarray
    funding: np.ndarray
    hours: int = 8
    label: str = "simulated"
    symbol: str = "BTCUSDT"

    def __post_init__(self):
        """Check shapes and values."""
        shape = np.shape(self.spot)
        checks.single("hours of a bar", self.hours, above=0, at_most=24)
        for name in ("label", "symbol"):
            checks.text(name, getattr(self, name))
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"paths must be arrays of shape (paths, bars), got shape {shape}")
        for name in COLUMNS:
            limits = {"at_least": -1, "at_most": 1} if name == "funding" else {"above": 0}
            values = checks.number(f"{name} of the paths", getattr(self, name), **limits)
            if np.shape(values) != shape:
                raise ValueError(f"{name} must have the shape of spot, {shape}, got {np.shape(values)}")
            checks.settle(self, **{name: values})
        if np.any(self.mark_low > self.mark) or np.any(self.mark > self.mark_high):
            raise ValueError("mark must lie between mark_low and mark_high on every path")

    def __repr__(self):
        """Return a line about the paths."""
        return f"<{len(self):,} paths of {self.spot.shape[1]:,} bars of {self.hours} hours: {self.label}>"

    def __len__(self):
        """Return the number of paths."""
        return len(self.spot)

    def __getitem__(self, rows):
        """Return some of the paths, given by a slice."""
        checks.kind("rows", rows, slice, "a slice, as in paths[:10]; one path is paths.frame(0)")
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return Paths(**columns | {name: columns[name][rows] for name in COLUMNS})

    def frame(self, row):
        """Return one path as a market frame; its dates are invented."""
        row = checks.whole("row", row, at_least=0, at_most=len(self) - 1)
        time = pd.date_range(START, periods=self.spot.shape[1], freq=pd.Timedelta(hours=self.hours))
        columns = {name: getattr(self, name)[row] for name in COLUMNS}
        return build(time, columns, symbol=self.symbol, source="scenario", label=self.label, hours=self.hours)


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


def _check_index(market):
    index = market.index
    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) != "UTC":
        raise ValueError("the index of a market must be times in UTC (a DatetimeIndex with tz='UTC')")
    if not len(index):
        raise ValueError("the market has no rows; it needs at least one bar")
    if index.hasnans:
        raise ValueError("the index of a market must not hold missing times")
    steps = np.diff(index.asi8)
    _refuse(market, np.append(False, steps == 0), "this time is there twice")
    _refuse(market, np.append(False, steps < 0), "times must ascend")
    if len(steps):
        uneven = f"bars must be evenly spaced, {index[1] - index[0]} as the first two, not"
        for row in np.flatnonzero(steps != steps[0])[:1]:
            _refuse(market, np.arange(len(index)) == row + 1, f"{uneven} {index[row + 1] - index[row]}")
        hours = market.attrs.get("hours")
        if hours is not None and pd.Timedelta(hours=hours) != index[1] - index[0]:
            raise ValueError(
                f"attrs say that a bar has {hours} hours, but rows are {index[1] - index[0]} apart"
            )


def _refuse(market, bad, why):
    """Raise for the first row that is bad."""
    for row in np.flatnonzero(bad)[:1]:
        raise ValueError(f"row {row} ({market.index[row]:%Y-%m-%d %H:%M}) of the market: {why}")
