"""The book of facts, ``facts.toml``: what a table is, how the file is read and written, and what changed."""

import json
import math
import os
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

HEAD = """\
# Measured facts that no simulation should stand in for: statistics of public market data, never its prices.
# Written by tools/facts.py, which holds the definitions; do not edit by hand.
# Each row: asset, period, first day counted, last day of the rows, then the values of `columns` (name = unit)
# in their order; nan where there are too few days.
"""


class Fact(NamedTuple):
    """Numbers of one asset and period by their keys, the first day counted and the last day of the rows."""

    asset: str
    period: str
    since: str
    as_of: str
    numbers: dict


@dataclass(frozen=True)
class Table:
    """One topic of the book.

    Parameters
    ----------
    topic : str
        One word, by which ``market.facts`` finds it.
    what, source : str
        What it holds and where the rows came from, in words.
    columns : dict of str to (str, int)
        Unit and decimals of each key.
    measure : callable
        ``measure(rows)`` yields a `Fact` for each asset and period that the rows are enough for.
    facts : tuple of Fact
        What was measured.
    """

    topic: str
    what: str
    source: str
    columns: dict
    measure: Callable | None = None
    facts: tuple = ()

    def measured(self, rows):
        """This table with the facts that these rows give, rounded."""
        return replace(self, facts=tuple(self._rounded(fact) for fact in self.measure(rows)))

    def _rounded(self, fact):
        digits = {key: self.columns[key][1] for key in fact.numbers}
        rounded = {key: round(float(value), digits[key]) + 0.0 for key, value in fact.numbers.items()}
        return fact._replace(numbers={k: v if digits[k] else int(v) for k, v in rounded.items()})


def load(path):
    """Return the tables of a book, those of one topic joined; none if there is no file."""
    if not path.exists():
        return {}
    tables = {}
    for block in tomllib.loads(path.read_text("utf-8"))["table"]:
        topic, keys = block["topic"], list(block["columns"])
        known = tables.get(topic, Table(topic, block["what"], block["source"], {}))
        facts = [Fact(*row[:4], dict(zip(keys, row[4:], strict=True))) for row in block["rows"]]
        units = {key: (unit, 0) for key, unit in block["columns"].items()}
        tables[topic] = replace(known, columns=known.columns | units, facts=(*known.facts, *facts))
    return tables


def text(tables):
    """The whole file: facts of one topic and with the same keys stand in one block."""
    return "\n".join([HEAD, *(block for table in tables.values() for block in _blocks(table))])


def _blocks(table):
    """Yield each block of a table."""
    for keys in dict.fromkeys(tuple(fact.numbers) for fact in table.facts):
        units = ", ".join(f"{_name(key)} = {_quoted(table.columns[key][0])}" for key in keys)
        rows = [fact for fact in table.facts if tuple(fact.numbers) == keys]
        yield "\n".join(
            [
                "[[table]]",
                f"topic = {_quoted(table.topic)}",
                f"what = {_quoted(table.what)}",
                f"source = {_quoted(table.source)}",
                f"columns = {{ {units} }}",
                "rows = [",
                *(f"    [{', '.join(_written(row))}]," for row in rows),
                "]",
                "",
            ]
        )


def _written(fact):
    """The parts of one row as TOML writes them."""
    return [*map(_quoted, fact[:-1]), *map(repr, fact.numbers.values())]


def _quoted(words):
    """Text as TOML writes it."""
    return json.dumps(words, ensure_ascii=False)


def _name(key):
    """A key as TOML writes it: bare where it can be."""
    return key if key.isidentifier() else _quoted(key)


def save(path, written):
    """Replace a file in one step: a reader finds the old one or the new one, whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(written)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def renew(old, new, until=None):
    """Join what was measured now with what stands in the book and these rows do not reach.

    Parameters
    ----------
    old, new : dict of str to Table
        The book as it was, and what was measured, by topic.
    until : str, optional
        The last day that was asked for; if it lies before the end of the book, it is wanted so.

    Returns
    -------
    dict of str to Table
        Of each topic and asset the new facts if their rows reach as far back and forth, else the old ones.
    list of str
        A line for each topic and asset that is kept.
    """
    joined, kept = {}, []
    for topic in dict.fromkeys([*new, *old]):
        before, now = (book[topic].facts if topic in book else () for book in (old, new))
        facts = []
        for asset in dict.fromkeys(fact.asset for fact in (*before, *now)):
            known, measured = ([fact for fact in each if fact.asset == asset] for each in (before, now))
            if known and not (measured and _reaches(measured, known, until)):
                rows = f"rows from {_span(measured)}" if measured else "no rows"
                kept.append(f"{topic} of {asset}, {_span(known)}: {rows}")
                measured = known
            facts += measured
        columns = (old[topic].columns if topic in old else {}) | (new[topic].columns if topic in new else {})
        if facts:
            known = new if now else old
            joined[topic] = replace(known[topic], columns=columns, facts=tuple(facts))
    return joined, kept


def _reaches(measured, known, until):
    """Whether new facts begin no later than the known ones, and end no earlier unless that was asked for."""
    since, needed_since = (min(fact.since for fact in facts) for facts in (measured, known))
    as_of, needed = (max(fact.as_of for fact in facts) for facts in (measured, known))
    return since <= needed_since and as_of >= min(needed, until or needed)


def _span(facts):
    """First and last day of some facts."""
    return f"{min(fact.since for fact in facts)} to {max(fact.as_of for fact in facts)}"


def changes(old, new):
    """Yield topic, one line and kind of each number that is not what it was.

    The kinds are "changed"; "same days", where the rows of the same days gave another number, so that either
    they or a definition were corrected; "new" and "gone".
    """
    for topic in dict.fromkeys([*new, *old]):
        before, now = (_numbers(book[topic]) if topic in book else {} for book in (old, new))
        for key in dict.fromkeys([*now, *before]):
            name = " ".join(key)
            if key not in before:
                yield topic, f"{name} {now[key][0]:g} ({now[key][1].period})", "new"
            elif key not in now:
                yield topic, f"{name} {before[key][0]:g} ({before[key][1].period})", "gone"
            elif now[key][0] != before[key][0]:
                (value, fact), (was, earlier) = now[key], before[key]
                same = (fact.since, fact.as_of) == (earlier.since, earlier.as_of)
                when = f", {earlier.period} to {fact.period}" if fact.period != earlier.period else ""
                line = f"{name} {was:g} to {value:g} ({value - was:+.4g}{when})"
                yield topic, line, "same days" if same else "changed"


def _numbers(table):
    """Each number of a table and its fact, by asset, period and key; without the period if that says when."""
    when = {}
    for fact in table.facts:
        for key in fact.numbers:
            when.setdefault((fact.asset, key), []).append(fact.period)
    alone = {name for name, periods in when.items() if len(periods) == 1}
    numbers = {}
    for fact in table.facts:
        for key, value in fact.numbers.items():
            name = (fact.asset, key) if (fact.asset, key) in alone else (fact.asset, fact.period, key)
            if not math.isnan(value):
                numbers[name] = value, fact
    return numbers
