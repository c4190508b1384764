"""Market rows as the definitions want them, from a folder of tables or from the cache of ``market.download``.

Rows that are wrong are refused here, in one sentence: everything behind this border may trust them.
"""

import re
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd

from hedgelib.histories import cache

DAY, BAR = pd.Timedelta(days=1), pd.Timedelta(hours=8)

FEWEST_DAYS = 366
"""Days of the shortest series: a year of returns, so that "the last 365 days" can be told."""

EXCHANGES = ("binance", "bybit", "okx")
"""Exchanges whose funding is compared; prices are those of the first."""

_PRICES = ["open", "high", "low", "close"]
_LARGEST_RATE = 0.03  # of a settlement; beyond it a table holds percent, or basis points
_LARGEST_BASIS = 0.3  # of a close; beyond it a table holds another coin


class RowsError(ValueError):
    """Rows that cannot be measured: which, what is wrong with them, and what is accepted."""


@dataclass(frozen=True)
class Rows:
    """All that facts are measured from; what is not there is not measured.

    Parameters
    ----------
    close, high, low : dict of str to pandas.Series
        Spot by coin (USDT per coin), indexed by the day that ends at 24:00 UTC.
    perp : dict of str to pandas.Series
        Last price of the perpetual by coin at 24:00 UTC, indexed by the day.
    bars : dict of str to pandas.DataFrame
        ``high`` and ``close`` of the perpetual's last price by coin, in bars of 8 hours, indexed by when they
        close.
    marked : dict of str to pandas.DataFrame
        ``close``, ``last_high`` and ``mark_high`` of the perpetual by coin, indexed by the day.
    binance, bybit, okx : dict of str to pandas.Series
        Settled funding by coin (fraction per 8 hours), indexed by its time (UTC).
    unused : tuple of str
        What was found and is not measured, in words.
    """

    close: dict = field(default_factory=dict)
    high: dict = field(default_factory=dict)
    low: dict = field(default_factory=dict)
    perp: dict = field(default_factory=dict)
    bars: dict = field(default_factory=dict)
    marked: dict = field(default_factory=dict)
    binance: dict = field(default_factory=dict)
    bybit: dict = field(default_factory=dict)
    okx: dict = field(default_factory=dict)
    unused: tuple = ()

    def until(self, day):
        """The rows to the end of a day; a series that begins later is left out, one too short is refused."""
        cut = {}
        for name, series in self.series():
            # A bar belongs to the day before the midnight at which it closes; a settlement to its own day.
            ends = day + DAY if name == "bars" else day + DAY - BAR / 8
            cut[name] = {
                coin: values.loc[:ends] for coin, values in series.items() if values.index[0] <= ends
            }
            step = BAR if name in ("bars", *EXCHANGES) else DAY
            for coin, values in cut[name].items():
                _regular(f"{name} of {coin} to {day:%Y-%m-%d}", values.index, step)
        return replace(self, **cut)

    def series(self):
        """Yield the name of each kind of rows, and the rows by coin."""
        for known in fields(self)[:-1]:
            yield known.name, getattr(self, known.name)


def read(folder, until=None):
    """Read all rows that a folder holds.

    Parameters
    ----------
    folder : pathlib.Path
        Tables such as ``prices_daily.csv`` and ``funding_8h.csv``, or a cache of ``market.download``.
    until : pandas.Timestamp, optional
        The last day that counts.

    Returns
    -------
    Rows

    Raises
    ------
    RowsError
        If nothing is known there, or if rows are out of order, miss a time, hold what cannot be, belong to
        another coin, or are fewer than a year.
    """
    if not folder.is_dir():
        raise RowsError(f"{folder} is no folder; name the one that holds the rows")
    rows = _cached(folder) if any((folder / name).is_dir() for name in EXCHANGES) else _tables(folder)
    if not any(series for _, series in rows.series()):
        raise RowsError(
            f"{folder} holds no rows: neither tables such as prices_daily.csv and funding_8h.csv nor the "
            "folder binance of a cache of market.download"
        )
    _compare(rows)
    return rows if until is None else rows.until(until)


def _tables(folder):
    """Read the tables of a folder."""
    rows, unused = Rows(), []
    readers = {
        r"ohlc_daily_([a-z0-9]+)usdt\.csv": _read_spot,
        r"prices_daily\.csv": _read_closes,
        r"perp_ohlc_daily_([a-z0-9]+)usdt\.csv": _read_perp,
        r"perp_close_daily\.csv": _read_perps,
        r"perp_ohlc_8h_([a-z0-9]+)usdt\.csv": _read_bars,
        r"funding_8h\.csv": _read_funding,
    }
    for path in sorted(folder.iterdir()):
        for name, reader in readers.items():
            if match := re.fullmatch(name, path.name):
                reader(rows, path, *(coin.upper() for coin in match.groups()))
                break
        else:
            unused.append(path.name)
    return replace(rows, unused=tuple(unused))


def _read_spot(rows, path, coin):
    candles = _candles(path, "date_utc", DAY, coin)
    _add(rows.close, coin, candles["close"], path.name)
    rows.high[coin], rows.low[coin] = candles["high"], candles["low"]


def _read_closes(rows, path):
    for coin, closes in _closes(path):
        _add(rows.close, coin, closes, path.name)


def _read_perp(rows, path, coin):
    _add(rows.perp, coin, _candles(path, "date_utc", DAY, coin)["close"], path.name)


def _read_perps(rows, path):
    for coin, closes in _closes(path):
        _add(rows.perp, coin, closes, path.name)


def _read_bars(rows, path, coin):
    rows.bars[coin] = _by_close(_candles(path, "bar_open_utc", BAR, coin))


def _read_funding(rows, path):
    table = _table(path, ["time_utc", "symbol", "rate_per_8h"], words=["symbol"])
    for symbol, part in table.groupby("symbol", sort=False):
        rates = _settlements(f"{path.name}, {symbol},", part["rate_per_8h"])
        rows.binance[symbol.removesuffix("USDT")] = rates


def _add(series, coin, closes, name):
    """Add closes of a coin; those that are there already from another file have to be the same."""
    if coin in series:
        _same(f"{name}, {coin},", closes, series[coin])
    else:
        series[coin] = closes


def _cached(folder):
    """Read a cache of ``market.download``: a folder for each symbol, with a file for each kind and year."""
    rows, unused = Rows(), []
    for place in sorted(path for path in folder.glob("*/*") if path.is_dir()):
        exchange, coin = place.parent.name, place.name.removesuffix("USDT")
        if exchange not in EXCHANGES or coin == place.name:
            unused.append(f"{exchange}/{place.name}")
            continue
        funding = _stored(place, "funding", ["rate"])
        if funding is not None:
            rates = funding["rate"].set_axis(funding.index.round("min"))
            if (rates.index[1:] - rates.index[:-1]).min() < BAR:
                unused.append(f"{exchange}/{place.name}, settled more often than every 8 hours")
                continue
            getattr(rows, exchange)[coin] = _settlements(f"{exchange} {place.name} funding", rates)
        if exchange == EXCHANGES[0]:
            _add_candles(rows, place, coin)
    return replace(rows, unused=tuple(unused))


def _add_candles(rows, place, coin):
    """Add spot, perpetual and mark of one cached symbol, from the longest bars that there are."""
    for hours in (8, 4, 2, 1):
        kinds = {kind: _stored(place, f"{kind}-{hours}h", _PRICES) for kind in ("spot", "perp", "mark")}
        if kinds["spot"] is not None and kinds["perp"] is not None:
            break
    else:
        return
    step = pd.Timedelta(hours=hours)
    kinds = {kind: _checked(f"{place.name} {kind}", c, step) for kind, c in kinds.items() if c is not None}
    days = {kind: _joined(candles, DAY, step) for kind, candles in kinds.items()}
    rows.close[coin], rows.high[coin], rows.low[coin] = (
        days["spot"][name] for name in ("close", "high", "low")
    )
    rows.perp[coin] = days["perp"]["close"]
    rows.bars[coin] = _by_close(_joined(kinds["perp"], BAR, step))
    if "mark" in days:
        highs = {"last_high": days["perp"]["high"], "mark_high": days["mark"]["high"]}
        rows.marked[coin] = pd.DataFrame({"close": days["perp"]["close"]} | highs).dropna()


def _stored(place, kind, names):
    """All rows of one kind of a cached symbol, indexed by their time; None if there are none."""
    try:
        stored = [row for path in sorted(place.glob(f"{kind}-[0-9]*.csv")) for row in cache.read(path)]
    except ValueError as error:
        raise RowsError(str(error)) from None
    if not stored:
        return None
    table = pd.DataFrame(stored, columns=["time", *names])
    return table.set_index(pd.to_datetime(table.pop("time"), unit="ms").to_numpy().astype("datetime64[us]"))


def _joined(candles, length, step):
    """Candles joined to longer ones; those at the ends that are not whole are left out."""
    groups = candles.groupby(candles.index.floor(length))
    joined = groups.agg({"open": "first", "high": "max", "low": "min", "close": "last"})
    return joined[groups.size() == length // step]


def _by_close(bars):
    """High and close of 8-hour candles, indexed by when they close."""
    return bars[["high", "close"]].set_axis(bars.index + BAR)


def _table(path, names=None, words=()):
    """Columns of a CSV file, all if not named; the first holds the time and becomes the index."""
    try:
        table = pd.read_csv(path, dtype=str, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise RowsError(f"{path.name} is no table: {str(error).strip()}") from None
    names = list(table.columns) if names is None else names
    if missing := [name for name in names if name not in table]:
        raise RowsError(f"{path.name} has no column {missing[0]}: is it of another coin, or another layout?")
    table = table[names]
    times = pd.to_datetime(table[names[0]], errors="coerce", utc=True, format="ISO8601")
    if (wrong := times.isna()).any():
        raise RowsError(f"{path.name} has {table[names[0]][wrong].iloc[0]!r} where a time should stand")
    for name in names[1:]:
        if name not in words:
            numbers = pd.to_numeric(table[name], errors="coerce")
            if (wrong := numbers.isna() & table[name].notna()).any():
                raise RowsError(f"{path.name} has {table[name][wrong].iloc[0]!r} in {name}: no number")
            table = table.assign(**{name: numbers})
    return table[names[1:]].set_axis(pd.DatetimeIndex(times).tz_localize(None).as_unit("us"))


def _candles(path, time, step, coin):
    """Candles from the file of one coin; the column of the volume names the coin once more."""
    table = _table(path, [time, *(f"{name}_usdt" for name in _PRICES), f"volume_{coin.lower()}"])
    return _checked(path.name, table.iloc[:, :4].set_axis(_PRICES, axis=1), step)


def _closes(path):
    """Yield coin and closes of each column, from its first price to its last."""
    table, earlier = _table(path), {}
    for name, column in table.items():
        if not re.fullmatch("[a-z0-9]+_usdt", name):
            raise RowsError(f"{path.name} has a column {name}; columns of prices are named as btc_usdt")
        if column.notna().any():
            coin, known = name.removesuffix("_usdt").upper(), column.dropna()
            known = column.loc[known.index[0] : known.index[-1]]
            yield coin, _checked(f"{path.name}, {name},", known.to_frame("close"), DAY)["close"]
            for other, closes in earlier.items():
                if (closes == column).mean() > 0.5:
                    raise RowsError(
                        f"{path.name} has the prices of {other} in the column of {coin}, or the reverse"
                    )
            earlier[coin] = column


def _checked(name, table, step):
    """Return prices that are in order, whole and possible."""
    _regular(name, table.index, step)
    if (wrong := table.isna().any(axis=1)).any():
        raise RowsError(f"{name} has no price at {_when(wrong)}; blanks may stand at either end only")
    if (wrong := ~(np.isfinite(table) & (table > 0)).all(axis=1)).any():
        raise RowsError(f"{name} has a price that is not above 0 at {_when(wrong)}")
    if "high" in table:
        wrong = (table.max(axis=1) > table["high"]) | (table.min(axis=1) < table["low"])
        if wrong.any():
            raise RowsError(f"{name} has a price outside low and high at {_when(wrong)}")
    return table


def _settlements(name, rates):
    """Return funding that is in order, at the hours of settlement, and a fraction."""
    _regular(name, rates.index, BAR)
    if rates.index[0] != rates.index[0].floor(BAR):
        raise RowsError(f"{name} settles at {rates.index[0]:%H:%M}; that is at 00:00, 08:00 and 16:00")
    if (wrong := ~(rates.abs() <= _LARGEST_RATE)).any():
        raise RowsError(
            f"{name} has {rates[wrong].iloc[0]:g} at {_when(wrong)}; a rate is a fraction of the notional, "
            f"0.0001 for 0.01 %, and never beyond {_LARGEST_RATE:g}"
        )
    return rates


def _regular(name, index, step):
    """Refuse times that are out of order, doubled, not one after every `step`, or too few."""
    gaps = index.to_series().diff()
    if (wrong := gaps <= pd.Timedelta(0)).any():
        raise RowsError(f"{name} is out of order: {_when(wrong)} does not come after the time before it")
    if (wrong := gaps.iloc[1:] != step).any():
        raise RowsError(
            f"{name} misses rows before {_when(wrong)}; one must follow another by {step / BAR * 8:g} hours"
        )
    days = len(index) * (step / DAY)
    if days < FEWEST_DAYS:
        raise RowsError(f"{name} has {days:.0f} days; for a window of a year there must be {FEWEST_DAYS}")


def _compare(rows):
    """Refuse series that cannot be of one coin, and funding that two coins share."""
    for coin, perp in rows.perp.items():
        if coin in rows.close:
            basis = (perp / rows.close[coin] - 1).dropna()
            if (wrong := basis.abs() > _LARGEST_BASIS).any():
                raise RowsError(
                    f"perpetual and spot of {coin} are {basis[wrong].iloc[0]:+.0%} apart at {_when(wrong)}: "
                    "one of them is of another coin"
                )
        if coin in rows.bars:
            closes = rows.bars[coin]["close"]
            closes = closes[closes.index.hour == 0]
            _same(f"the 8-hour bars of {coin}", closes.set_axis(closes.index - DAY), perp)
    seen = {}
    for coin, rates in rows.binance.items():
        for other, earlier in seen.items():
            if len(rates) == len(earlier) and np.array_equal(rates, earlier):
                raise RowsError(f"{other} and {coin} have the same funding: one of them is of another coin")
        seen[coin] = rates


def _same(name, closes, others):
    """Refuse two files of one coin that tell different prices of a day."""
    both = pd.concat({"here": closes, "there": others}, axis=1, join="inner")
    wrong = ~pd.Series(np.isclose(both["here"], both["there"], rtol=1e-6, atol=0), both.index)
    if wrong.any():
        here, there = both[wrong].iloc[0]
        raise RowsError(f"{name} has {here:g} at {_when(wrong)} where another file of the coin has {there:g}")


def _when(wrong):
    """The first time at which something is wrong."""
    return f"{wrong[wrong].index[0]:%Y-%m-%d %H:%M}"
