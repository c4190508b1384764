"""Markets: one row per bar of a coin's spot price, mark price and funding; scenarios, paths and facts.

Real histories (`read_csv`, `download`, `history`) come from the annex `histories` when first asked for.
"""

import functools
import math
import tomllib
from dataclasses import dataclass, fields
from importlib import import_module, resources

import numpy as np
import pandas as pd

from hedgelib import checks, simulate

__all__ = [
    "COLUMNS",
    "Paths",
    "drawn",
    "facts",
    "paths",
    "scenario",
    "scenarios",
]

COLUMNS = ("spot", "mark", "mark_high", "mark_low", "funding")
"""Columns of a market frame: four prices (USDT per coin) and the rate settled at the close of the bar."""

START = pd.Timestamp("2030-01-01", tz="UTC")
"""First bar of a market whose dates are invented."""

NEEDS = "market.{} needs the package {!r}: pip install 'hedgelib[histories]'"
"""What is said where a package is missing that only real prices need."""

_HISTORIES = ("DownloadError", "download", "history", "read_csv")

_LONGEST = 3_650  # days of a market drawn by hand
_NAMED = 6  # points that the label of one names

_BLOCK = 500  # paths that share their streams
_AT_ONCE = 30_000  # bars simulated at once: the model needs room for some twenty numbers for each
_LARGEST = 50_000_000  # bars of all paths together


def __getattr__(name):
    """Load what belongs to the annex `histories` when it is first asked for."""
    if name not in _HISTORIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module("hedgelib.histories"), name)
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(NEEDS.format(name, missing.name)) from None


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
            checks.assign(self, **{name: values})
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


def drawn(points, rate=0.0, symbol="BTCUSDT"):
    """Make a market frame of straight lines between the prices of a few days, in bars of eight hours.

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

    Examples
    --------
    A price that runs up by a third before it falls:

    >>> market = drawn({0: 60_000, 10: 80_000, 30: 50_000}, rate=1e-4)
    >>> len(market), market["mark"].max().item(), market["mark"].iloc[-1].item()
    (91, 80000.0, 50000.0)
    """
    if not isinstance(points, dict) or len(points) < 2:
        got = checks.shown(points)
        raise ValueError(f"points must be a dict of day to price with two days or more, got {got}")
    days = checks.number("days of the points", list(points), at_least=0, at_most=_LONGEST)
    prices = checks.number("prices of the points (USDT)", list(points.values()), above=0)
    checks.text("symbol", symbol)
    rate = checks.single("rate (fraction per eight hours)", rate, at_least=-1, at_most=1)
    if days[0] != 0 or np.any(np.diff(days) <= 0):
        raise ValueError(f"days of the points must ascend from 0, got {list(points)}")
    at = np.round(days * 24 / simulate.HOURS)
    if np.any(np.diff(at) == 0):
        raise ValueError(f"two points fall into the same bar of {simulate.HOURS} hours: {list(points)}")
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
    names = [f"{price:,.0f}" for price in prices]
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 2], "…", names[-1]]
    return build(
        START + pd.to_timedelta(bars * simulate.HOURS, unit="h"),
        columns,
        symbol=symbol,
        source="drawn",
        label=f"drawn by hand: {' → '.join(names)} USDT",
        hours=simulate.HOURS,
    )


def scenarios():
    """Return the scenarios by name, each with the period that it is calibrated to, in words and dates.

    Examples
    --------
    >>> scenarios()["crash"]
    'the crash of March 2020 (2020-02-13 to 2020-03-31)'
    """
    return {name: f"{spec['what']} ({spec['period']})" for name, spec in _book()["scenario"].items()}


def scenario(name, seed=0, days=None, coins=("BTC",)):
    """Simulate one path of a market that is like a stated period of the past.

    The path is conditioned on the period: over its days the coin moves by as much as it did then (in
    proportion for other `days`), its daily volatility is that of the period, and so is the distribution of
    funding. So a pullback falls for every seed; what differs is the way. For chances use `paths`, which is
    not conditioned. The markets of the lessons were drawn once and are stored (``frozen.toml``), so they stay
    the same with every numpy.

    Parameters
    ----------
    name : str
        One of `scenarios`.
    seed : int
        Same number, same path.
    days : int, optional
        Length; the period's own if not given.
    coins : tuple of str
        ``("BTC",)``, ``("ETH",)`` or several. Adding a coin does not change the others.

    Returns
    -------
    pandas.DataFrame
        A market frame of 8-hour bars, or for several coins one frame beside the other: ``market["ETH"]`` is a
        market frame. The dates are invented; ``attrs["label"]`` says that it is simulated, and as what.

    Examples
    --------
    >>> market = scenario("pullback")
    >>> market["spot"].iloc[[0, -1]].round().tolist()
    [65000.0, 54854.0]
    """
    days, most = _spec(name)["days"] if days is None else days, _LARGEST // simulate.BARS_A_DAY
    days = checks.whole("days", days, at_least=2, at_most=most)
    seed = checks.whole("seed", seed, at_least=0, at_most=2**53)
    if not isinstance(coins, tuple | list) or not coins or len(set(map(str, coins))) < len(coins):
        got = checks.shown(coins)
        raise ValueError(f"coins must be a tuple of different coins, as in ('BTC', 'ETH'), got {got}")
    coins = [_coin(name, coin) for coin in coins]
    columns = _frozen(name, days, seed) or simulated(name, days, seed, coins)
    markets = {}
    for coin in coins:
        label = f"simulated {coin}: like {scenarios()[name]}, seed {seed}"
        markets[coin] = Paths(**columns[coin], label=label, symbol=f"{coin}USDT").frame(0)
    if len(coins) == 1:
        return markets[coins[0]]
    label = f"simulated {' and '.join(coins)}: like {scenarios()[name]}, seed {seed}"
    several = pd.concat(markets, axis=1)
    several.attrs = {"source": "scenario", "hours": simulate.HOURS, "label": label}
    return several


def simulated(name, days, seed, coins=None):
    """Draw the one path of a scenario: its columns by coin, of all coins if none are named."""
    spec, shape, made = _spec(name), (1, days * simulate.BARS_A_DAY), {}
    for coin in coins or spec["coins"]:
        streams, drift = simulate.streams(spec, seed), simulate.trend(spec, coin)
        made[coin] = simulate.simulate(spec, coin, shape, streams, drift, conditioned=True)
    return made


def frozen_key(name, days, seed):
    """Name of a market among those that are stored."""
    return f"{name}, {days} days, seed {seed}"


def _frozen(name, days, seed):
    """What `simulated` drew when the market was stored; None if it is not among those."""
    with (resources.files("hedgelib") / "frozen.npz").open("rb") as file, np.load(file) as stored:
        key = frozen_key(name, days, seed)
        if key not in stored:
            return None
        coins = zip(_spec(name)["coins"], stored[key], strict=True)
        return {coin: dict(zip(COLUMNS, columns, strict=True)) for coin, columns in coins}


def paths(name, n, days=None, seed=0, coin="BTC", drift=None):
    """Simulate many independent paths for Monte Carlo.

    Nothing is conditioned: return, volatility and funding differ from path to path as the model has it.
    Each drifts at the mean log return of the period, which is hindsight, not a forecast; ``drift=0`` takes
    no view.

    Parameters
    ----------
    name : str
        One of `scenarios`; "perp_era" is the long run.
    n : int
        Number of paths; the first ones do not depend on it.
    days : int, optional
        Length; the period's own if not given (a year for "perp_era").
    seed : int
        Same number, same paths.
    coin : str
        ``"BTC"`` or ``"ETH"``; the same seed gives paths that belong together.
    drift : float, optional
        Mean log return (fraction per year); that of the period if not given.

    Examples
    --------
    >>> paths("perp_era", n=100, days=60).mark.shape
    (100, 181)
    """
    spec = _spec(name)
    days, most = spec["days"] if days is None else days, _LARGEST // simulate.BARS_A_DAY
    days = checks.whole("days", days, at_least=1, at_most=most)
    seed = checks.whole("seed", seed, at_least=0, at_most=2**53)
    bars = days * simulate.BARS_A_DAY
    n = checks.whole("n (paths)", n, at_least=1, at_most=_LARGEST // bars)
    trended = simulate.trend(spec, _coin(name, coin))
    drift = trended if drift is None else drift
    drift = checks.single("drift (log return per year)", drift, at_least=-100, at_most=100)
    columns = {column: np.empty((n, bars + 1)) for column in COLUMNS}
    at_once = max(_AT_ONCE // bars, 1)
    for first in range(0, n, _BLOCK):
        draw, last = simulate.streams(spec, seed, first // _BLOCK), min(first + _BLOCK, n)
        for start in range(first, last, at_once):
            rows = slice(start, min(start + at_once, last))
            shape = rows.stop - start, bars
            for column, values in simulate.simulate(spec, coin, shape, draw, drift).items():
                columns[column][rows] = values
    view = "no drift" if drift == 0 else f"{drift:+z.0%} log drift a year"
    return Paths(**columns, label=f"simulated {coin}: like {scenarios()[name]}, {view}", symbol=f"{coin}USDT")


@functools.cache
def _book():
    """Parameters of all scenarios."""
    return tomllib.loads((resources.files("hedgelib") / "scenarios.toml").read_text("utf-8"))


def _spec(name):
    """Parameters of one scenario, the common ones among them."""
    known = _book()["scenario"]
    return _book()["model"] | known[checks.one_of("scenario", name, tuple(known))]


def _coin(name, coin):
    """Return the coin if the scenario has it."""
    return checks.one_of(f"coin of {name}", coin, tuple(_spec(name)["coins"]))


def facts(topic=None, asset=None):
    """Statistics of real markets: funding, beta, how often shorts were touched, worst days and more.

    Parameters
    ----------
    topic : str, optional
        One of the words in the column ``topic``; everything if not given.
    asset : str, optional
        One of the coins in the column ``asset``; all of them if not given.

    Returns
    -------
    pandas.DataFrame
        One fact a row: topic, asset, period, key, value, unit, since, as_of, source; `since` is the first day
        counted, `as_of` the last day of the rows. ``attrs["what"]`` says in words what each topic holds.

    Examples
    --------
    How often a 3x short of BTC was touched within 60 days:

    >>> touched = facts("touched", "BTC").query("period == '60 days'").set_index("key")["value"]
    >>> touched[["3x_low", "3x", "3x_high"]].round(2).tolist()
    [0.18, 0.27, 0.37]
    >>> facts("touched", "SOL")
    Traceback (most recent call last):
    ...
    ValueError: asset of touched must be one of 'BTC', 'ETH', got 'SOL'
    """
    table = _all()
    if topic is not None:
        table = table[table["topic"] == checks.one_of("topic", topic, tuple(table.attrs["what"]))]
    if asset is not None:
        name = "asset" if topic is None else f"asset of {topic}"
        table = table[table["asset"] == checks.one_of(name, asset, tuple(table["asset"].unique()))]
    return table.reset_index(drop=True)


@functools.cache
def _all():
    """Every fact, in one table."""
    book = tomllib.loads((resources.files("hedgelib") / "facts.toml").read_text("utf-8"))
    rows = []
    for table in book["table"]:
        for asset, period, since, as_of, *values in table["rows"]:
            dates = since, as_of, table["source"]
            for (key, unit), value in zip(table["columns"].items(), values, strict=True):
                if not math.isnan(value):
                    rows.append((table["topic"], asset, period, key, float(value), unit, *dates))
    names = ["topic", "asset", "period", "key", "value", "unit", "since", "as_of", "source"]
    facts = pd.DataFrame(rows, columns=names)
    facts.attrs["what"] = {table["topic"]: table["what"] for table in book["table"]}
    return facts
