"""Measure the facts of ``hedgelib/facts.toml`` again from market rows, and say what changed.

    python tools/facts.py ROWS hedgelib/facts.toml                     to the last day of the rows
    python tools/facts.py ROWS hedgelib/facts.toml --to 2026-03-15     to an earlier day

ROWS is a cache of ``market.download`` (the folder that holds the folder ``binance``) or a folder of tables:
``ohlc_daily_btcusdt.csv``, ``perp_ohlc_daily_btcusdt.csv`` and ``perp_ohlc_8h_btcusdt.csv`` for each coin,
``prices_daily.csv``, ``perp_close_daily.csv`` and ``funding_8h.csv`` for all. What these rows do not reach is
kept as it stands in the file, with its own days, and named. Bad rows stop the tool with one sentence and
leave the file whole. The same rows give the same bytes. The definitions are in ``tools/factlib``.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from tools.factlib import book, funding, hedges, lessons, prices, rules
from tools.factlib.rows import RowsError, read

ROOT = Path(__file__).parents[1]
TABLES = (*funding.TABLES, *prices.TABLES, *hedges.TABLES, *rules.TABLES)


def measure(rows):
    """Every table by its topic; without facts where the rows are not enough."""
    return {table.topic: table.measured(rows) for table in TABLES}


def report(rows, kept, changed):
    """Yield the lines that tell what was read, what was kept, what changed by how much, and what follows."""
    yield "Read, to the day:"
    for name, series in rows.series():
        ends = {}
        for coin, values in series.items():
            last = values.index[-1] - pd.Timedelta(hours=8 if name == "bars" else 0)
            ends.setdefault(f"{last:%Y-%m-%d}", []).append(coin)
        for end, coins in ends.items():
            yield f"  {name} to {end}: {', '.join(coins)}"
    for name in rows.unused:
        yield f"  not used: {name}"
    if kept:
        yield "Kept as they were:"
        yield from (f"  {line}" for line in kept)
    titles = {
        "same days": "Another number from the same days (rows or definition corrected?):",
        "changed": "Changed:",
        "gone": "Gone:",
    }
    for kind, title in titles.items():
        lines = [(topic, line) for topic, line, each in changed if each == kind]
        if lines:
            yield title
        yield from (f"  {topic}: {line}" for topic, line in lines)
    counts = {}
    for topic, _, kind in changed:
        counts[topic] = counts.get(topic, 0) + (kind == "new")
    if any(counts.values()):
        yield "New:"
        yield from (f"  {topic}: {count} numbers" for topic, count in counts.items() if count)
    topics = {topic for topic, _, kind in changed if kind != "new"}
    if follow := list(lessons.followers(topics, ROOT)):
        yield "Bound numbers that follow with `make notebooks`:"
        yield from (f"  {line}" for line in follow)


def main(arguments=None):
    """Write the book and print the report; return 0, or a sentence that says what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", type=Path, help="folder of the rows")
    parser.add_argument("out", type=Path, help="file of the facts, read and replaced")
    parser.add_argument("--to", type=pd.Timestamp, metavar="DATE", help="last day that counts")
    given = parser.parse_args(arguments)
    try:
        rows = read(given.rows, given.to)
    except RowsError as error:
        return f"{given.out} is left as it was: {error}"
    old = book.load(given.out)
    new, kept = book.renew(old, measure(rows), given.to and f"{given.to:%Y-%m-%d}")
    book.save(given.out, book.text(new))
    print(*report(rows, kept, list(book.changes(old, new))), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
