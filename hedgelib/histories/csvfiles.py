"""Market frames from the CSV files that people have."""

import numpy as np
import pandas as pd

from hedgelib import checks, contracts
from hedgelib.histories import archives, cells, layouts
from hedgelib.histories.joining import bar_length, instant, join, span
from hedgelib.histories.tables import table

_KINDS = ("spot", "perp", "mark", "funding")
_PRICES = ["open", "high", "low", "close"]
_MOST_AT_ONCE = 0.05  # no exchange settles more at a time
_USUAL_MOST = 0.003  # what hardly any settlement exceeds, whatever the cap
_PRICE = 100  # no rate, in whatever unit
_SOME = 3
_SHARE = 0.25  # of the settlements of a file that may exceed it; of those in percent more do
_USUAL = 1e-4  # what eight hours cost most of the time
_FEW = 3  # settlements, of which a mean tells nothing
_YEARLY_MOST, _YEARLY_LEAST = 1.6, 0.015  # no 10 days of bitcoin or ether had a mean beyond these
_UNITS = {"fraction": 1, "percent": 100, "basis points": 10_000}  # how many make 1
_SIGNS = {"%": 100, "‰": 1_000, "bp": 10_000, "bps": 10_000}
_LARGEST = 1e12


def read_csv(
    *,
    spot,
    symbol,
    funding=None,
    perp=None,
    mark=None,
    start=None,
    end=None,
    columns=None,
    rate_unit=None,
    timezone=None,
    wicks="keep",
):
    """Read a coin's price and funding history from CSV files into a market frame.

    Files may be zipped, newest first, overlapping, in any of the layouts below; ``attrs["notes"]`` tells what
    is not used, or stands in for something else.

    Parameters
    ----------
    spot : path or list of paths
        Spot candles (USDT per coin), bars of a day or shorter; dates and closes suffice. Several files are
        merged by time; where they contradict each other they are refused.
    symbol : str
        Name of the market, ``"BTCUSDT"``; where files hold several symbols, which rows to take.
    funding : path or list of paths, optional
        Funding settlements: the rate of each as it was settled, a fraction unless the file says otherwise.
    perp : path or list of paths, optional
        Candles of the perpetual, last price; it stands in for mark where `mark` is not given.
    mark : path or list of paths, optional
        Candles of the mark price.
    start, end : str or time, optional
        First and last close to read, UTC: ``"2024-01-01"``.
    columns : dict, optional
        What the columns of other layouts mean: ``{"Datum": "time", "Kurs": "close", "Satz": "rate"}``; also
        ``"closed"`` (time of the close), ``"open"``, ``"high"``, ``"low"``, ``"hours"`` and ``"symbol"``.
    rate_unit : {"fraction", "percent", "basis points"}, optional
        Unit of the rates, where the file does not say and it is no fraction, or to say that it is.
    timezone : str or dict, optional
        Clock of times that are written without a zone, ``"Europe/London"``, or of each kind of file,
        ``{"funding": "Europe/London"}``; UTC if not given. A day without a time is one of UTC.
    wicks : {"keep", "spot"}
        "spot" limits highs and lows of mark more than 1 % beyond the spot range of their bar: last prices,
        which may stand in for mark, print such wicks.

    Returns
    -------
    pandas.DataFrame
        A market frame with the bars of the perpetual. Spot without a close of its own (a daily file, a hole)
        is mark × (last known spot close / close of the perpetual then): nothing in a row comes from a later
        time. Without candles and funding of a perpetual the frame has closes only, spot and mark, which is
        enough where only closes are used.

    Raises
    ------
    ValueError
        If something that is given cannot be used, or may have another meaning; the message names file and
        line, what was found, what is accepted, and what to do.

    Notes
    -----
    Layouts that are known, and where they come from:

    - Binance's bulk files, spot and futures (``data.binance.vision``: klines, markPriceKlines, fundingRate);
      its API's ``fundingRate``; the table of its web page *Funding Rate History*, which is in percent and in
      the clock of your browser: give `timezone`
    - CryptoDataDownload (``cryptodatadownload.com/data``)
    - OKX's historical data (``okx.com/historical-data``) and API; Bybit's and Kraken's
    - tables written by ccxt or freqtrade (``to_csv``)
    - closes: TradingView (*Export chart data*), Yahoo Finance, CoinGecko, CoinMarketCap, Investing.com; or a
      table with one column for each coin
    - columns with units: ``bar_open_utc`` or ``date_utc``, ``open_usdt``, ``high_usdt``, ``low_usdt``,
      ``close_usdt``; ``time_utc``, ``symbol``, ``rate_per_8h``

    Examples
    --------
    >>> read_csv(spot="spot.csv", perp="perp.csv", funding="funding.csv", symbol="BTCUSDT")
    Traceback (most recent call last):
    ...
    ValueError: cannot read spot.csv: No such file or directory
    """
    if not isinstance(symbol, str) or not layouts.bare(symbol):
        raise ValueError(f"symbol must be a name such as 'BTCUSDT', got {checks.shown(symbol)}")
    checks.one_of("wicks", wicks, ("keep", "spot"))
    if rate_unit is not None:
        checks.one_of("rate_unit", rate_unit, tuple(_UNITS))
    timezone = {} if timezone is None else timezone
    clocks = timezone if isinstance(timezone, dict) else dict.fromkeys(_KINDS, timezone)
    for kind, clock in clocks.items():
        checks.one_of("a file that timezone speaks of", kind, _KINDS)
        checks.text("timezone", clock)
        try:
            pd.Timestamp(0).tz_localize(clock)
        except (KeyError, IndexError, ValueError, OSError):
            raise ValueError(f"timezone must be a name such as 'Europe/London', got {clock!r}") from None
    columns = {} if columns is None else columns
    checks.kind("columns", columns, dict, "a dict of the name of a column to what it means")
    for column, meaning in columns.items():
        checks.one_of(f"what columns says of {column!r}", meaning, layouts.MEANINGS)
    start, end = (None if time is None else instant(time) for time in (start, end))
    if None not in (start, end) and not start < end:
        raise ValueError(f"start must be before end, got {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}")
    if funding is not None and perp is None and mark is None:
        raise ValueError("give perp= (last price of the perpetual) or mark= (mark price), or both")
    given, notes = {"spot": spot, "perp": perp, "mark": mark, "funding": funding}, []
    read = {
        kind: [
            table(kind, name, text, columns, symbol, clocks.get(kind), notes)
            for name, text in archives.texts(paths, notes)
        ]
        for kind, paths in given.items()
        if paths is not None or kind == "spot"
    }
    header = {cell for parts in read.values() for part in parts for cell in part.header}
    for column in [column for column in columns if column not in header][:1]:
        raise ValueError(f"columns speaks of {checks.shown(column)}, but no file has such a column")
    settled = _settlements(read.pop("funding"), symbol, rate_unit, notes) if "funding" in read else None
    candles = {kind: _candles(parts) for kind, parts in read.items()}
    tables = [candles.get(kind) for kind in _KINDS[:3]]
    told = {"symbol": symbol, "source": "csv", "label": "from CSV files", "notes": notes}
    return join(*tables, settled, wicks=wicks, start=start, end=end, **told)


def _candles(parts):
    """Candles of one or several files by the close of the bar."""
    tables = [_prices(part) for part in parts]
    steps = {
        part.name: bar_length(rows)
        for part, rows in zip(parts, tables, strict=True)
        if len(rows.index.unique()) > 1
    }
    if not steps:
        raise ValueError(f"{parts[0].where[0]}: one row only; candles need at least two")
    brief, wide = min(steps, key=steps.get), max(steps, key=steps.get)
    length, longest = steps[brief], steps[wide]
    if longest > pd.Timedelta("1D"):
        raise ValueError(
            f"{wide}: bars are longer than a day ({span(longest)}); give bars of a day or shorter"
        )
    if length != longest:
        raise ValueError(
            f"{brief} has bars of {span(length)}, {wide} of {span(longest)}; give bars of one length"
        )
    for part, rows in zip(parts, tables, strict=True):
        rows.index += pd.Timedelta(0) if part.closes else length
    merged = _merged(tables, 0)
    apart = merged.index - merged.index[0]
    uneven = f"{span(length)} lie between two bars, but not between this one and the last"
    cells.refuse(merged["where"], apart % length != pd.Timedelta(0), uneven)
    return merged


def _prices(part):
    """Prices of one file by the time that stands there, checked row by row."""
    names = [name for name in _PRICES if name in part.texts]
    names = names if {"high", "low"} <= set(names) else ["close"]
    prices, texts = cells.numbers(part.texts[names], part.where, part.comma, "prices"), part.texts[names]
    cells.refuse(
        part.where,
        ~((prices > 0) & (prices < _LARGEST)).all(axis=1),
        f"prices must lie between 0 and {_LARGEST:.0e}",
        texts,
    )
    prices = prices.reindex(columns=_PRICES)
    ends = prices[["open", "close"]]
    outside = (prices["low"] > ends.min(axis=1)) | (prices["high"] < ends.max(axis=1))
    cells.refuse(part.where, outside, "open and close must lie between low and high", texts)
    return prices[_PRICES[1:]].assign(where=part.where).set_axis(part.times.round("min"), axis=0)


def _settlements(parts, symbol, rate_unit, notes):
    """Settled rates by time, with the hours since the last one where a file states them."""
    tables = []
    for part in parts:
        rates = _rates(part, rate_unit)
        hours = pd.Series(part.hours, rates.index, dtype=float)
        if "hours" in part.texts:
            named, hours = hours, _hours(part)
            contradicted = named.notna() & (named != hours)
            cells.refuse(part.where, contradicted, "its hours are not those in the name of its rate")
        times = part.times.round("min")  # the exchange stamps settlements a few milliseconds late
        rows = pd.DataFrame({"rate": rates, "hours": hours, "where": part.where})
        tables.append(rows.set_axis(times, axis=0).sort_index())
    merged = _merged(tables, 1e-8)
    for each in (*tables, merged) if rate_unit is None else ():
        _refuse_unlikely(each, symbol)
    _tell_unusual(merged, symbol, notes)
    return merged


def _merged(tables, tolerance):
    """Rows of several files in the order of time, those that are there twice once; refused if they differ."""
    rows = pd.concat(tables).sort_index(kind="stable")
    twice = rows[rows.index.duplicated(keep=False)].drop(columns="where").groupby(level=0)
    unlike = (twice.max() - twice.min()).max(axis=1) > tolerance
    for time in unlike.index[unlike][:1]:
        name = next(name for name in twice.obj if np.ptp(twice.obj[name].loc[time].dropna()) > tolerance)
        same = rows.loc[time].dropna(subset=[name])
        first, *others = zip(same["where"], same[name], strict=True)
        where, other = next(row for row in others if abs(row[1] - first[1]) > tolerance)
        raise ValueError(
            f"{where}: this time is there twice, {time:%Y-%m-%d %H:%M}: {name} is {other:.10g} here and "
            f"{first[1]:.10g} in {first[0]}; remove the wrong row"
        )
    return rows.groupby(level=0).first() if len(twice) else rows


def _rates(part, rate_unit):
    """Rates of one file as fractions: a sign behind the number, the header or the caller tells the unit."""
    per = part.texts["rate"].str.lower().str.extract(r"(%|‰|bps?)\s*$")[0].map(_SIGNS)
    bare = part.texts[["rate"]].replace(r"(?i)\s*(%|‰|bps?)\s*$", "", regex=True)
    rates = cells.numbers(bare, part.where, part.comma, "rates")["rate"]
    told = part.per if rate_unit is None else _UNITS[rate_unit]
    if rate_unit is not None and (part.per or told) != told:
        raise ValueError(f"{part.name}: the header states another unit of the rates than {rate_unit!r}")
    if told is None and per.notna().any():
        told = per.dropna().iloc[0]
        per = per.mask(per.isna() & (rates != 0), 1)  # a bare number between others with a sign
    unlike = per.notna() & (per != told)
    cells.refuse(part.where, unlike, "rates must be in one unit", part.texts["rate"])
    return rates / (told or 1) + 0.0  # no -0


def _hours(part):
    """Hours between two settlements, as files write them: 8, 8h, 480 (minutes) or 28800 (seconds)."""
    texts = part.texts["hours"].str.lower()
    texts = texts.str.replace(r"^2000-01-01t(\d\d):00.*", r"\1", regex=True)  # BitMEX writes hours as a time
    digits = texts.str.extract(r"^(\d+(?:\.\d+)?)\s*(?:h|hours?|hrs?)?$")[0].astype(float)
    digits = digits.mask(digits >= 3_600, digits / 3_600).mask((digits >= 60) & (digits < 3_600), digits / 60)
    cells.refuse(
        part.where, ~((digits > 0) & (digits <= 24)), "hours must be as 8 or 8h", part.texts["hours"]
    )
    return digits


def _cap(symbol):
    """Largest rate that one settlement of a contract can have; None where it is not known."""
    symbol = layouts.bare(symbol)
    return contracts.get(symbol).funding_cap if symbol in contracts.symbols() else None


def _pace(settled):
    """Hours between most settlements."""
    return np.median(np.diff(settled.index.asi8)) / 3.6e9 if len(settled) > 1 else 8.0


def _percent(fraction):
    return f"{100 * fraction:,.4g} %"


def _refuse_unlikely(settled, symbol):
    """Refuse rates that no settlements of this contract can be, and say of which unit they look."""
    cap, size = _cap(symbol), settled["rate"].abs()
    most = min(cap or 1, _USUAL_MOST)
    beyond, wild = size > most, size > _MOST_AT_ONCE
    if size.median() > _PRICE:
        raise ValueError(f"{settled['where'].iloc[0]}: these are no rates but prices, or amounts of money")
    if beyond.sum() < _SOME or beyond.mean() <= _SHARE:
        why = "a rate must be a fraction, and this is more than any exchange settles at once: correct it, or"
        cells.refuse(settled["where"], wild, f"{why} say rate_unit='percent' or 'fraction'", settled["rate"])
        return
    a_year = 365 * 24 / _pace(settled)
    units = {unit: per for unit, per in _UNITS.items() if per > 1}
    units |= {"yearly rates": a_year, "yearly rates in percent": 100 * a_year}
    usual = size[size > 0].median() / (_USUAL * _pace(settled) / 8)
    likely = min(units, key=lambda unit: abs(np.log(usual / units[unit])))
    way = f"say rate_unit={likely!r}" if likely in _UNITS else f"divide them by {units[likely]:,.0f}"
    limit = f"the cap of {symbol}" if cap == most else "what settlements hardly ever exceed"
    where, rate = settled[["where", "rate"]][beyond].iloc[0]
    raise ValueError(
        f"{where}: the rate must be a fraction, and {rate:.6g} is {_percent(rate)} in one settlement; "
        f"{beyond.sum()} of {len(size)} exceed {_percent(most)}, {limit}. Most likely these are {likely}: "
        f"{way}; amounts of money are not read. If they are fractions, say rate_unit='fraction'"
    )


def _tell_unusual(settled, symbol, notes):
    """Note what settlements hardly ever are, but can be."""
    cap, pace = _cap(symbol), _pace(settled)
    above = settled[settled["rate"].abs() > (cap or np.inf)]
    if len(above):
        notes.append(
            f"{len(above)} of {len(settled)} rates exceed the cap of {symbol}, {_percent(cap)}; the first "
            f"is {_percent(above['rate'].iloc[0])} on {above.index[0]:%Y-%m-%d %H:%M}"
        )
    yearly = settled["rate"].abs().mean() * 365 * 24 / pace
    if len(settled) > _FEW and (yearly > _YEARLY_MOST or 0 < yearly < _YEARLY_LEAST):
        notes.append(f"the rates come to {_percent(yearly)} a year; if that cannot be, say rate_unit=")
    late = (settled.index - settled.index.normalize()) % pd.Timedelta(hours=pace)
    off = settled.index[late != pd.Timedelta(0)]
    if len(off) > len(settled) / 2:
        hours = ", ".join(sorted({f"{time:%H:%M}" for time in off})[:6])
        notes.append(
            f"funding is settled at {hours} UTC, off the grid of most exchanges, from 00:00 on; if the "
            "clock of its file is not UTC, say timezone="
        )
