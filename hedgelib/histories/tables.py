"""One CSV file as a table: which line is the header, which column is which, which rows are of the symbol."""

import csv
import io
import re
from typing import NamedTuple

import pandas as pd

from hedgelib import checks
from hedgelib.histories import cells, layouts

KINDS = ("spot", "perp", "mark", "funding")
_WHAT = tuple(dict.fromkeys([*layouts.CANDLES, *layouts.FUNDING]))
_VOLUME_IN = {"usd", "usdt", "usdc", "busd", "base", "quote", "asset", "ma", "currency", "total"}
_FIRST = "open time (no header)"
_HEADERLESS = re.compile(r"[-+\d][-+\d\s.,:/TZe%]*", re.IGNORECASE)


class Table(NamedTuple):
    """What a file says: texts and times by row, file and line of each row, and what the header states."""

    name: str
    texts: pd.DataFrame
    times: pd.DatetimeIndex
    closes: bool  # the times are those of the close
    where: pd.Series
    header: list
    headerless: bool
    comma: bool  # it separates the cells
    power: int | None
    hours: int | None


def mappings(columns, kinds):
    """Return for each kind of file, and under None for all of them, what the caller calls its columns."""
    columns = {} if columns is None else columns
    words = "a dict of what a column means to its name in the file"
    checks.kind("columns", columns, dict, words)
    found = {kind: columns.get(kind, {}) for kind in KINDS}
    found[None] = {what: name for what, name in columns.items() if what not in KINDS}
    for kind, names in found.items():
        checks.kind(f"columns[{kind!r}]", names, dict, words)
        if names and kind not in (None, *kinds):
            raise ValueError(f"columns speaks of {kind}, but no {kind}= is given")
        for what, name in names.items():
            checks.one_of("a key of columns", what, (*_WHAT, *KINDS))
            checks.text(f"the column for {what!r}", name)
    return found


def table(kind, name, text, mapping, symbol, timezone, notes):
    """Read one file and take the rows of a symbol; `mapping` says what its columns are called, if need be."""
    spot = kind == "spot"
    stated = layouts.named(name.split("/")[-1]) or layouts.named(name)
    if stated and not any(layouts.is_of(each, symbol, spot) for each in stated):
        raise ValueError(f"{name}: the name of the file says {' and '.join(stated)}, not {symbol}")
    if not text.endswith(("\n", "\r")):
        notes.append(f"{name} does not end with a line break; if it was cut short, its last number is wrong")
    separator, lines = _lines(name, text)
    line, header, lines = _header(f"{name}, line", lines, kind, symbol)
    places = _places(f"{name}, line {line}", header, kind, mapping, symbol)
    for number, row in lines:
        if len(row) != len(header):
            raise ValueError(f"{name}, line {number}: {len(header)} cells expected, got {len(row)}")
    texts = pd.DataFrame([row for _, row in lines], columns=range(len(header)), dtype=object)
    where = pd.Series([f"{name}, line {number}" for number, _ in lines], dtype=object)
    if not len(texts):
        raise ValueError(f"{name}: no rows under the header")
    clock = places.pop("time", places.get("closed"))
    closes = clock == places.pop("closed", None)
    days = [place for place, cell in enumerate(header) if layouts.plain(cell) == "date" and place != clock]
    if days and texts[clock].str.fullmatch(r"\d\d?:\d\d(:\d\d)?").all():
        texts[clock] = texts[days[0]] + " " + texts[clock]
    picked = pd.DataFrame({what: texts[place] for what, place in places.items() if what in places})
    value = "rate" if kind == "funding" else "close"
    keep = ~cells.blank(picked[value])
    for what in set(picked) & {"open", "high", "low"}:
        keep |= ~cells.blank(picked[what])
    if "symbol" in picked:
        ours = picked["symbol"].map(lambda each: layouts.is_of(each, symbol, spot))
        if not ours.any():
            others = ", ".join(sorted(picked["symbol"].unique())[:6])
            raise ValueError(f"{name}: no {kind} of {symbol}; the file has {others}")
        keep &= ours
    if not keep.any():
        raise ValueError(f"{name}: no row has a {value}")
    picked, where, texts = (part[keep].reset_index(drop=True) for part in (picked, where, texts))
    zone = layouts.clock(header[clock]) or timezone
    times = cells.times(texts[clock], where, zone or "UTC")
    if zone is None and {"Time", "Contracts"} <= set(header):
        notes.append(
            f"{name}: the exchange's page writes times in the clock of your browser; they are read as UTC, "
            "if it was another, say timezone="
        )
    closes |= (times.second == 59).mean() > 0.5  # some stamp a bar with its last second
    power, hours, _ = layouts.rate_of(header[places[value]])
    return Table(
        name, picked, times, closes, where, header, header[:1] == [_FIRST], separator == ",", power, hours
    )


def _lines(name, text):
    """Separator, and number and cells of each line that is not blank."""
    some = [line for line in text.splitlines()[:30] if line.strip()]
    often = [mark for mark in ";\t|" if sum(mark in line for line in some) > len(some) / 2]
    separator = (often or [","])[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise ValueError(f"{name}, line {reader.line_num}: {error}") from None
    return separator, [(number, row) for number, row in rows if any(row)]


def _header(place, lines, kind, symbol):
    """Line and cells of the header, and the lines beneath it."""
    for above, (number, row) in enumerate(lines):
        if sum(map(bool, row)) < 2 or row[0].startswith("#"):
            continue  # an address, a title or a comment stands above the header
        rest = lines[above + 1 :]
        if all(_HEADERLESS.fullmatch(cell) for cell in row if cell):
            wide = len(row)
            names = [_FIRST, "open", "high", "low", "close"] if wide > 4 else [_FIRST, "close"]
            if kind == "funding":
                names = [_FIRST, "funding_interval_hours", "last_funding_rate"][:: 1 if wide == 3 else 2]
            if wide < 5 and wide != len(names):
                raise ValueError(
                    f"{place} {number}: the file has no header and {wide} columns, which can be anything: "
                    "write their names into a first line, as time,close or calc_time,last_funding_rate"
                )
            names += [f"column {more}" for more in range(len(names) + 1, wide + 1)]
            return number, names, lines[above:]
        if row[0] == "Price" and rest and rest[0][1][0] == "Ticker":  # yfinance writes three lines
            for other in rest[0][1][1:]:
                if not layouts.is_of(other, symbol, spot=True):
                    raise ValueError(f"{place} {rest[0][0]}: the file is about {other}, not {symbol}")
            return number, ["Date", *row[1:]], rest[2:]
        wide = max(place for place, cell in enumerate(row) if cell) + 1  # commas may trail behind each line
        rest = [(at, line if any(line[wide:]) else line[:wide]) for at, line in rest if line != row]
        return number, row[:wide], rest
    raise ValueError(
        f"{place} 1: a table needs a time and a number in each row, as time,close; this file has none"
    )


def _places(where, header, kind, mapping, symbol):
    """Place of each column that is needed or understood, by what it means."""
    known = layouts.FUNDING if kind == "funding" else layouts.CANDLES
    names = [layouts.plain(cell) for cell in header]
    rates = [layouts.rate_of(cell)[2] for cell in header]
    found = {}
    for what, aliases in known.items():
        told = [place for place, cell in enumerate(header) if cell == mapping.get(what)]
        for alias in aliases:
            here = told or [at for at, name in enumerate(rates if what == "rate" else names) if name == alias]
            if len(here) > 1:
                raise ValueError(f"{where}: the header names a column twice: {header[here[0]]}")
            if here:
                found[what] = here[0]
                break
    if kind == "funding" and "rate" not in found and "open" in names:
        found["rate"] = names.index("open")  # freqtrade keeps rates as candles
    if kind != "funding":
        coins = [place for place, cell in enumerate(header) if layouts.is_of(cell, symbol, kind == "spot")]
        if "close" not in found and len(coins) == 1:
            found["close"] = coins[0]
        for stated in re.findall(r"^volume[ _(]+([a-z]+)", "\n".join(header).lower(), re.MULTILINE):
            if stated not in _VOLUME_IN and not layouts.split(symbol)[0].lower().endswith(stated):
                raise ValueError(f"{where}: the header is about {stated.upper()}, not {symbol}")
    if "time" in found:
        found.pop("closed", None)
    needed = {"time": "time" in found or "closed" in found}
    needed |= {"rate": "rate" in found} if kind == "funding" else {"close": "close" in found}
    if not all(needed.values()):
        missing = " and ".join(what for what, there in needed.items() if not there)
        ask = ", ".join(f"{what!r}: '...'" for what, there in needed.items() if not there)
        hint = " (if that is a row, the file has no header: write one)" * header[-1][:1].isdigit()
        raise ValueError(
            f"{where}: in a file for {kind}= no column is known to be the {missing} among {', '.join(header)}"
            f"{hint}; say which it is, columns={{{kind!r}: {{{ask}}}}}, or give one of the layouts that "
            "help(market.read_csv) lists"
        )
    return found
