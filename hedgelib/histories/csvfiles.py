"""Market frames from CSV files: named columns with units, or the exchange's public bulk files."""

import csv
import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.histories.joining import join

_BULK = ["open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count"]
_BULK += ["taker_buy_volume", "taker_buy_quote_volume", "ignore"]
_CANDLES = {
    "time": ("bar_open_utc", "date_utc", "open_time"),
    "open": ("open_usdt", "open"),
    "high": ("high_usdt", "high"),
    "low": ("low_usdt", "low"),
    "close": ("close_usdt", "close"),
}
_FUNDING = {"time": ("time_utc", "calc_time"), "rate": ("rate_per_8h", "last_funding_rate")}
_ZIP = (zipfile.BadZipFile, zlib.error)
_YEARS = ("2009-01-01", "2100-01-01")


def read_csv(*, spot, funding, symbol, perp=None, mark=None, wicks="keep"):
    """Read a coin's price and funding history from CSV files into a market frame.

    Two layouts are read, zipped or not: columns with units (``date_utc`` or ``bar_open_utc``, ``open_usdt``,
    ``high_usdt``, ``low_usdt``, ``close_usdt``; ``time_utc``, ``symbol``, ``rate_per_8h``) and the exchange's
    public bulk files (candles with or without a header, opening times in milliseconds or microseconds;
    ``calc_time``, ``funding_interval_hours``, ``last_funding_rate``).

    Parameters
    ----------
    spot : path or list of paths
        Spot candles (USDT per coin), bars of a day or shorter; several files follow each other in time.
    funding : path or list of paths
        Funding settlements (fraction per interval).
    symbol : str
        Which rows of `funding` to take, and the name of the market: ``"BTCUSDT"``.
    perp : path or list of paths, optional
        Candles of the perpetual, last price, which stands in for mark where `mark` is not given.
    mark : path or list of paths, optional
        Candles of the mark price; needed if there is no `perp`.
    wicks : {"keep", "spot"}
        "spot" limits highs and lows of the perpetual more than 1 % beyond the spot range of their bar: last
        prices print such wicks, mark prices do not.

    Returns
    -------
    pandas.DataFrame
        A market frame with the bars of the perpetual; ``attrs["notes"]`` lists what stands in for what.
        Between closes of spot (a daily file) spot is mark × (last known spot close / close of the perpetual
        then): nothing in a row comes from a later time.

    Raises
    ------
    ValueError
        If a file cannot be read, lacks a column or the symbol, or a row is unsorted, doubled, missing or
        impossible (the message names file and line); if the files do not overlap.

    Examples
    --------
    >>> read_csv(spot="spot.csv", perp="perp.csv", funding="funding.csv", symbol="BTCUSDT")
    Traceback (most recent call last):
    ...
    ValueError: cannot read spot.csv: No such file or directory
    """
    if not isinstance(symbol, str) or not symbol:
        raise ValueError(f"symbol must be a name such as 'BTCUSDT', got {checks.shown(symbol)}")
    checks.one_of("wicks", wicks, ("keep", "spot"))
    if perp is None and mark is None:
        raise ValueError("give perp= (last price of the perpetual) or mark= (mark price), or both")
    for given in (perp, mark):
        if given is not None:
            _listed(given)
    notes = [] if mark is not None else ["the last price of the perpetual stands in for mark"]
    bars, price = _candles(spot, symbol), _candles(perp if mark is None else mark, symbol)
    if bars.index[1] - bars.index[0] > price.index[1] - price.index[0]:
        notes.append("spot between its own closes is mark times the last known ratio of spot to perpetual")
    market = join(bars, price, _settlements(funding, symbol), wicks=wicks, symbol=symbol, source="csv")
    if "wicks_limited" in market.attrs:
        notes.append(f"{market.attrs['wicks_limited']} highs and lows limited to the spot range")
    first, last = market.index[[0, -1]]
    market.attrs |= {
        "label": f"{symbol}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, from CSV files",
        "notes": notes,
    }
    return market


def _candles(paths, symbol):
    """Candles of one or several files by the close of the bar, checked row by row."""
    table = _read(paths, _CANDLES, headerless=_BULK)
    place = table["where"].iloc[0]
    coin = table.attrs["coin"]
    if coin not in ("", "usdt") and not symbol.upper().startswith(coin.upper()):
        raise ValueError(f"{place}: the header is about {coin.upper()}, not {symbol}")
    candles = pd.DataFrame({name: _numbers(table, name) for name in ("open", "high", "low", "close")})
    for name in candles:
        _refuse(table, candles[name] <= 0, f"{name} must be above 0 USDT")
    inside = candles[["open", "close"]]
    impossible = (candles["low"] > inside.min(axis=1)) | (candles["high"] < inside.max(axis=1))
    _refuse(table, impossible, "open and close must lie between low and high")
    opened = _times(table)
    if len(opened) < 2:
        raise ValueError(f"{place}: one row only; candles need at least two")
    steps = np.diff(opened.asi8)
    length = int(steps.min())
    if length > pd.Timedelta(days=1).value // 1000:
        raise ValueError(f"{place}: bars are longer than a day; give bars of a day or shorter")
    gaps = np.append(False, steps != length)
    _refuse(table, gaps, f"rows are missing: this one is not {pd.Timedelta(length, 'us')} after the last")
    return candles.set_axis(opened + pd.Timedelta(length, "us"), axis=0)


def _settlements(paths, symbol):
    """Funding rates of one symbol by time of settlement, checked row by row."""
    table = _read(paths, _FUNDING)
    if "symbol" in table:
        names = table["symbol"].str.strip()
        found = names.unique()
        table = table[names == symbol].reset_index(drop=True)
        if table.empty:
            raise ValueError(f"no funding of {symbol}; the file has {', '.join(sorted(found))}")
    rates = _numbers(table, "rate")
    _refuse(table, abs(rates) > 1, "the rate must be a fraction between -1 and 1")
    # The exchange stamps settlements a few milliseconds late.
    settled = _times(table).round("min")
    hours = np.full(len(table), 8.0)
    if "funding_interval_hours" in table:
        hours = _numbers(table, "funding_interval_hours")
    allowed = np.maximum(hours[1:], hours[:-1])
    gaps = np.append(False, np.diff(settled.asi8) > allowed * 3.6e9)
    _refuse(table, gaps, "settlements are missing before this one")
    return pd.Series(rates, index=settled)


def _listed(paths):
    """One or several paths as a list."""
    paths = paths if isinstance(paths, list) and paths else [paths]
    if not all(isinstance(path, str | Path) for path in paths):
        raise ValueError(
            f"a file must be given by its path, several by a list of paths, got {checks.shown(paths)}"
        )
    return [Path(path) for path in paths]


def _read(paths, columns, headerless=()):
    """Cells of the files as text in one table, with the file and line of each row."""
    parts = [_part(path, columns, headerless) for path in _listed(paths)]
    table = pd.concat(parts, ignore_index=True)
    table.attrs = parts[0].attrs
    return table


def _part(path, columns, headerless):
    """Cells of one file as text, the columns needed under their short names."""
    rows = _rows(path)
    first = 1
    if len(rows[0]) == len(headerless) and rows[0][0].isdigit():
        header, first = headerless, 0
    else:
        header = [cell.strip() for cell in rows[0]]
    names = {}
    for name, accepted in columns.items():
        here = [column for column in header if column in accepted]
        if len(here) != 1:
            raise ValueError(f"{path.name}, line 1: the header needs one column {' or '.join(accepted)}")
        names[here[0]] = name
    if len(set(header)) < len(header):
        raise ValueError(f"{path.name}, line 1: the header names a column twice")
    if len(rows) == first:
        raise ValueError(f"{path.name}: no rows under the header")
    for line, row in enumerate(rows[first:], start=first + 1):
        if len(row) != len(header):
            raise ValueError(f"{path.name}, line {line}: {len(header)} cells expected, got {len(row)}")
    part = pd.DataFrame(rows[first:], columns=header, dtype=object).rename(columns=names)
    part["where"] = [f"{path.name}, line {line}" for line in range(first + 1, len(rows) + 1)]
    part.attrs["coin"] = next((column[7:] for column in header if column.startswith("volume_")), "")
    return part


def _rows(path):
    """Cells of a file, line by line."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
        else:
            text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except (OSError, ValueError, RuntimeError, IndexError, csv.Error, *_ZIP) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"cannot read {path.name}: {reason}") from None
    if not any(rows):
        raise ValueError(f"cannot read {path.name}: the file is empty")
    return rows


def _numbers(table, name):
    """Return one column as finite floats, each the number nearest to its text."""
    numbers = pd.to_numeric(table[name].str.strip(), errors="coerce").to_numpy(dtype=float)
    bad = ~np.isfinite(numbers)
    for row in np.flatnonzero(bad)[:1]:
        _refuse(table, bad, f"{name} must be a finite number, got {table[name].iloc[row]!r}")
    return np.array(table[name], dtype=str).astype(float)


def _times(table):
    """Return the times, ISO text or milliseconds or microseconds, in UTC and strictly ascending."""
    text = table["time"].str.strip()
    if text.str.fullmatch(r"\d{1,17}").all():
        stamps = text.astype("int64")
        stamps = stamps.where(stamps > 10**14, stamps * 1000)
        times = pd.DatetimeIndex(pd.to_datetime(stamps, unit="us", utc=True, errors="coerce"))
    else:
        times = pd.DatetimeIndex(pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce"))
    times = times.as_unit("us")
    bad = ~((times >= _YEARS[0]) & (times < _YEARS[1]))
    for row in np.flatnonzero(bad)[:1]:
        _refuse(table, bad, f"time must be ISO 8601 or milliseconds since 1970, got {text.iloc[row]!r}")
    steps = np.diff(times.asi8)
    _refuse(table, np.append(False, steps == 0), "this time is there twice")
    _refuse(table, np.append(False, steps < 0), "times must ascend")
    return times


def _refuse(table, bad, why):
    """Raise for the first row that is bad, with its file and line."""
    for row in np.flatnonzero(bad)[:1]:
        raise ValueError(f"{table['where'].iloc[row]}: {why}")
