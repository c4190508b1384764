"""Real history: downloaded once into a local cache, read from there without a network."""

import errno
import itertools

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from hedgelib import checks
from hedgelib.histories import cache as store
from hedgelib.histories.exchange import LONGEST, NAMES, SLACK, DownloadError, Exchange, default_hours, moment
from hedgelib.histories.joining import instant, join

_CANDLES = "opened_ms,open,high,low,close"
_SETTLEMENTS = "settled_ms,rate"
_WAIT = 600
_LATE = 600_000  # the newest rows may not be out yet


def download(symbol, start, end, exchange="binance", hours=None, cache=None, progress=True):
    """Download spot, perpetual and funding history of a symbol into the cache, and return it.

    What is in the cache is not asked for again. Every page is saved as it comes, so that a second call goes
    on where the first one stopped; several notebooks may download at once.

    Parameters
    ----------
    symbol : str
        ``"BTCUSDT"``; kraken quotes in USD, hyperliquid in USDC.
    start, end : str or time
        First and last close of a bar, UTC: ``"2024-01-01"``.
    exchange : {"binance", "bybit", "okx", "kraken", "hyperliquid"}
        Whose history. Spot of the last two is that of coinbase.
    hours : int, optional
        Length of a bar, no longer than the funding interval; 8, 4, 4, 1 and 1 if not given.
    cache : path, optional
        Folder to keep it in; otherwise that of the environment variable ``HEDGELAB_CACHE`` or of the user.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        A market frame, as `history` gives it.

    Raises
    ------
    ValueError
        If the symbol is unknown to the exchange, or the times or another argument cannot be.
    DownloadError
        If the network, the exchange or the disk fails; the message says what to do, and what came before is
        kept.

    Examples
    --------
    >>> download("BTCUSDT", "2024-06-30", "2024-01-01")
    Traceback (most recent call last):
    ...
    ValueError: start must be before end, got 2024-06-30 00:00 and 2024-01-01 00:00
    """
    folder, start, end, hours = _arguments(symbol, start, end, exchange, hours, cache)
    source = Exchange(exchange, symbol, hours)
    now = source.now()
    if _stamp(start) > now:
        raise ValueError(
            f"start {start:%Y-%m-%d %H:%M} lies in the future; at {exchange} it is {moment(now)}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=_WAIT):
            aside = _fill(source, folder, start, min(_stamp(end), now - _LATE), now, progress)
    except Timeout:
        raise DownloadError(f"another program has been downloading {symbol} for {_WAIT} seconds") from None
    except OSError as error:
        full = "the disk is full; make room" if error.errno == errno.ENOSPC else f"cannot write: {error}"
        raise DownloadError(f"{full} (cache: {folder}). What was saved before is kept") from None
    market = history(symbol, start, end, exchange, hours, cache)
    market.attrs["notes"] += [f"a damaged file was set aside as {path.name}" for path in aside]
    return market


def history(symbol, start, end, exchange="binance", hours=None, cache=None):
    """Read downloaded history from the cache, without a network.

    Parameters
    ----------
    symbol, start, end, exchange, hours, cache
        As in `download`.

    Returns
    -------
    pandas.DataFrame
        A market frame, with ``last_high`` and ``last_low``, how far the last price went in each bar. Where
        mark candles are missing the last price stands in for mark, where spot lacks a close it is mark times
        the last known ratio; ``attrs["notes"]`` says so.

    Raises
    ------
    ValueError
        If this is not in the cache, or a file there is damaged or has a gap.

    Examples
    --------
    >>> history("BTCUSDT", "2024-01-01", "2024-06-30", cache="an empty folder")
    Traceback (most recent call last):
    ...
    ValueError: no spot history of BTCUSDT from binance in the cache; market.download gets it
    """
    folder, start, end, hours = _arguments(symbol, start, end, exchange, hours, cache)
    step = hours * 3_600_000
    # A settlement on either side tells that the first and the last bar are without one.
    since, until = _stamp(start) - LONGEST - step, _stamp(end) + LONGEST + SLACK
    tables = {}
    for kind in ("spot", "perp", "mark", "funding"):
        known = [row for year in _years(start, end) for row in store.read(_path(folder, kind, hours, year))]
        rows = [row for row in known if since <= row[0] <= until]
        longest = LONGEST if kind == "funding" else step
        for before, after in itertools.pairwise(row[0] for row in rows):
            if after - before > longest + SLACK and kind != "spot":  # a hole in spot is bridged
                gap = f"between {moment(before)} and {moment(after)}"
                raise ValueError(
                    f"the cache has no {kind} rows of {symbol} from {exchange} {gap}; market.download gets "
                    "them, or choose a time on one side"
                )
        if not rows and kind != "mark":
            when = f" between {start:%Y-%m-%d} and {end:%Y-%m-%d}" if known else ""
            raise ValueError(
                f"no {kind} history of {symbol} from {exchange}{when} in the cache; market.download gets it"
            )
        if kind == "perp" and len(rows) < 2:
            raise ValueError(f"{symbol} from {exchange} has one bar only; ask for a time with two or more")
        names = (_SETTLEMENTS if kind == "funding" else _CANDLES).split(",")
        table = pd.DataFrame(rows, columns=names, dtype=float)
        stamps = pd.to_datetime(
            table[names[0]].astype("int64") + (0 if kind == "funding" else step), unit="ms", utc=True
        )
        tables[kind] = table.set_axis(pd.DatetimeIndex(stamps).as_unit("us").round("min"))
    mark = tables["mark"] if len(tables["mark"]) > 1 else None
    return join(
        tables["spot"],
        tables["perp"],
        mark,
        tables["funding"].assign(hours=np.nan),
        notes=[],
        label=f"history from {exchange}",
        start=start,
        end=end,
        symbol=symbol,
        source="history",
    )


def _fill(source, folder, start, end, now, progress):
    """Bring the cache up to `end`, page by page; return the damaged files that were set aside."""
    from tqdm.auto import tqdm

    aside = []
    with tqdm(desc=f"{source.symbol} from {source.name}", unit=" rows", disable=not progress) as bar:
        for kind in source.kinds():
            candles, follows, found = kind != "funding", False, False
            length = source.step if candles else 0
            for year in _years(start, instant(end)):
                path = _path(folder, kind, source.hours, year)
                try:
                    rows = store.read(path)
                except ValueError:
                    aside.append(store.set_aside(path))
                    rows = []
                since, stop = (_stamp(pd.Timestamp(f"{y}-01-01", tz="UTC")) for y in (year, year + 1))
                stop = min(stop, end) if candles else min(stop - SLACK, end + SLACK)
                while True:
                    if rows:
                        follows, since = True, rows[-1][0] + (length or 1)
                    due = since + length if candles or not rows else rows[-1][0] + _interval(rows)
                    if due > stop:
                        break
                    page = [row for row in source.page(kind, since, now, follows) if row[0] + length <= stop]
                    if page:
                        rows += page
                        store.write(path, _CANDLES if candles else _SETTLEMENTS, rows)
                        bar.update(len(page))
                    elif follows:
                        raise DownloadError(
                            f"{source.name} has no {kind} rows of {source.symbol} after {moment(since - 1)}; "
                            "ask for an earlier end. What came before is kept"
                        )
                    else:
                        since += source.limit * (length or LONGEST)
                found = found or bool(rows)
            if not found and kind != "mark":
                raise DownloadError(
                    f"{source.name} has no {kind} rows of {source.symbol} before {moment(end)}"
                )
    return aside


def _arguments(symbol, start, end, exchange, hours, cache):
    """Return the folder of the symbol, the times in UTC and the length of a bar, all checked."""
    checks.one_of("exchange", exchange, NAMES)
    if not isinstance(symbol, str) or not symbol.isalnum() or not symbol.isascii() or not symbol.isupper():
        raise ValueError(f"symbol must be capital letters and digits, as BTCUSDT, got {checks.shown(symbol)}")
    hours = checks.hours("hours", default_hours(exchange) if hours is None else hours)
    start, end = instant(start), instant(end)
    if not start < end:
        raise ValueError(f"start must be before end, got {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M}")
    return store.folder(cache) / exchange / symbol, start, end, hours


def _stamp(time):
    """Return a time in milliseconds since 1970."""
    return int(time.timestamp() * 1000)


def _years(start, end):
    """Return the calendar years whose files hold the bars from one close to another."""
    return range((start - pd.Timedelta(days=1)).year, end.year + 1)


def _path(folder, kind, hours, year):
    """Return the file of one kind and year."""
    return folder / (f"funding-{year}.csv" if kind == "funding" else f"{kind}-{hours}h-{year}.csv")


def _interval(rows):
    """Return the funding interval that the last settlements show (milliseconds)."""
    gaps = [after - before for before, after in itertools.pairwise(row[0] for row in rows[-10:])]
    return min(gaps, default=LONGEST)
