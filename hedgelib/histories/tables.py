"""One CSV file as a table: which line is the header, which column is which, which rows are of the symbol."""

import csv
import io
import re
from typing import NamedTuple

import pandas as pd

from hedgelib.histories import cells, layouts

_HEADERLESS = re.compile(r"[-+\d][-+\d\s.,:/TZe%]*", re.IGNORECASE)
_CURRENCIES = {"usd", "usdt", "usdc", "busd", "base", "quote", "asset", "ma", "currency", "total"}


class Table(NamedTuple):
    """What a file says: texts and times by row, file and line of each row, and what the header states."""

    name: str
    texts: pd.DataFrame
    times: pd.DatetimeIndex
    closes: bool  # the times are those of the close
    where: pd.Series
    header: list
    comma: bool  # it separates the cells
    per: int | None  # rates of this unit make 1
    hours: int | None


def table(kind, name, text, columns, symbol, timezone, notes):
    """Read one file and take the rows of a symbol; `columns` says what its columns mean, if need be."""
    spot = kind == "spot"
    stated = layouts.named(name.split("/")[-1]) or layouts.named(name)
    if stated and not any(layouts.is_of(each, symbol, spot) for each in stated):
        raise ValueError(f"{name}: the name of the file says {' and '.join(stated)}, not {symbol}")
    if not text.endswith(("\n", "\r")):
        notes.append(f"{name} does not end with a line break; if it was cut short, its last number is wrong")
    separator, lines = _lines(name, text)
    line, header, lines = _header(f"{name}, line", lines, kind, symbol)
    places = _places(f"{name}, line {line}", header, kind, columns, symbol)
    for number, row in lines:
        if len(row) != len(header):
            raise ValueError(f"{name}, line {number}: {len(header)} cells expected, got {len(row)}")
    if not lines:
        raise ValueError(f"{name}: no rows under the header")
    every = pd.DataFrame([row for _, row in lines], dtype=object)
    every["where"] = [f"{name}, line {number}" for number, _ in lines]
    clock, value = places.get("time", places.get("closed")), "rate" if kind == "funding" else "close"
    days = [place for place, cell in enumerate(header) if layouts.plain(cell) == "date" and place != clock]
    if days and every[clock].str.fullmatch(r"\d\d?:\d\d(:\d\d)?").all():
        every[clock] = every[days[0]] + " " + every[clock]
    keep = ~every[[places[what] for what in {value, "open", "high", "low"} & set(places)]].apply(cells.blank)
    keep = keep.any(axis=1)
    if "symbol" in places:
        symbols = every[places["symbol"]]
        ours = symbols.map(lambda each: layouts.is_of(each, symbol, spot))
        if not ours.any():
            others = ", ".join(sorted(symbols.unique())[:6])
            raise ValueError(f"{name}: no {kind} of {symbol}; the file has {others}")
        keep &= ours
    if not keep.any():
        raise ValueError(f"{name}: no row has a {value}")
    every = every[keep].reset_index(drop=True)
    zone = layouts.clock(header[clock]) or timezone
    times = cells.times(every[clock], every["where"], zone or "UTC")
    if zone is None and {"Time", "Contracts"} <= set(header):
        notes.append(
            f"{name}: the exchange's page writes times in the clock of your browser; they are read as UTC, "
            "if it was another, say timezone="
        )
    closes = (
        "time" not in places or (times.second == 59).mean() > 0.5
    )  # some stamp a bar with its last second
    texts = every[list(places.values())].set_axis(list(places), axis=1)
    per, hours, _ = layouts.rate_of(header[places[value]])
    return Table(name, texts, times, closes, every["where"], header, separator == ",", per, hours)


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
            return number, layouts.headerless(f"{place} {number}", kind, len(row)), lines[above:]
        if row[0] == "Price" and rest and rest[0][1][0] == "Ticker":  # yfinance writes three lines
            for other in rest[0][1][1:]:
                if not layouts.is_of(other, symbol, spot=True):
                    raise ValueError(f"{place} {rest[0][0]}: the file is about {other}, not {symbol}")
            return number, ["Date", *row[1:]], rest[2:]
        wide = max(at for at, cell in enumerate(row) if cell) + 1  # commas may trail behind each line
        return (
            number,
            row[:wide],
            [(at, line if any(line[wide:]) else line[:wide]) for at, line in rest if line != row],
        )
    raise ValueError(
        f"{place} 1: a table needs a time and a number in each row, as time,close; this file has none"
    )


def _places(where, header, kind, columns, symbol):
    """Place of each column that is needed or understood, by what it means."""
    names, rates = [layouts.plain(cell) for cell in header], [layouts.rate_of(cell)[2] for cell in header]
    found, value = {}, "rate" if kind == "funding" else "close"
    for what, aliases in (layouts.FUNDING if kind == "funding" else layouts.CANDLES).items():
        told = [place for place, cell in enumerate(header) if columns.get(cell) == what]
        known = (
            [at for at, name in enumerate(rates if what == "rate" else names) if name == alias]
            for alias in aliases
        )
        here = told or next(filter(None, known), [])
        if len(here) > 1:
            raise ValueError(f"{where}: the header names a column twice: {header[here[0]]}")
        if here:
            found[what] = here[0]
    if kind == "funding":
        found |= {"rate": names.index("open")} if "rate" not in found and "open" in names else {}  # freqtrade
    else:
        coins = [place for place, cell in enumerate(header) if layouts.is_of(cell, symbol, kind == "spot")]
        found |= {"close": coins[0]} if "close" not in found and len(coins) == 1 else {}
        for stated in re.findall(r"^volume[ _(]+([a-z]+)", "\n".join(header).lower(), re.MULTILINE):
            if stated not in _CURRENCIES and not layouts.split(symbol)[0].lower().endswith(stated):
                raise ValueError(f"{where}: the header is about {stated.upper()}, not {symbol}")
    missing = [
        what for what in ("time", value) if what not in found and not (what == "time" and "closed" in found)
    ]
    if missing:
        ask = ", ".join(f"'...': {what!r}" for what in missing)
        hint = " (if that is a row, the file has no header: write one)" * header[-1][:1].isdigit()
        raise ValueError(
            f"{where}: in a file for {kind}= no column is known to be the {' and '.join(missing)} among "
            f"{', '.join(header)}{hint}; say which it is, columns={{{ask}}}, or give one of the layouts that "
            "help(market.read_csv) lists"
        )
    return found
