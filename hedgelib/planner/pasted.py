"""A contract of your own: its maintenance brackets as an exchange's page prints them, and a few other rules.

What a column means is told by its heading, or by how its cells are written: 0.4 % is a rate, 50x a leverage,
0 - 50,000 a range. What could mean two things is refused, with the line.
"""

import datetime
import itertools
import math
import re
from typing import NamedTuple

from hedgelib import checks, contracts
from hedgelib.perpetual import Brackets

_UNLIMITED = 1e15  # notional that a table without a last cap covers
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![.,]?\d)"
_UNITS = r"(?:\s*(?:USDT|USDC|USD|[A-Z]{3,5}))?"
_RANGE = re.compile(
    rf"({_NUMBER}){_UNITS}\s*(?:-|–|—|~|to|<.*(?:<|≤|<=))\s*({_NUMBER}){_UNITS}", re.IGNORECASE
)
_OPEN = re.compile(rf"(?:>|≥|>=|above|over)\s*({_NUMBER}){_UNITS}|({_NUMBER}){_UNITS}\s*\+", re.IGNORECASE)
_UPTO = re.compile(rf"(?:<|≤|<=|up to)\s*({_NUMBER}){_UNITS}", re.IGNORECASE)
_RATE = re.compile(rf"({_NUMBER})\s*%")
_TIMES = re.compile(rf"(?:(?:{_NUMBER})\s*x?\s*(?:-|–|—|~|to)\s*)?({_NUMBER})\s*[x×]", re.IGNORECASE)
_PLAIN = re.compile(rf"({_NUMBER}){_UNITS}", re.IGNORECASE)
_HEADINGS = (  # the first that is found in a heading, in small letters and without blanks, is its meaning
    ("leverage", ("leverage", "hebel")),
    ("amount", ("amount", "cum", "deduction")),
    ("ignored", ("initialmargin", "imr", "symbol")),
    ("rate", ("mainten", "maint", "mmr", "rate")),
    ("floor", ("floor", "from", "min")),
    ("cap", ("cap", "max", "upto", "upper", "limit")),
    ("size", ("position", "notional", "size", "value")),
    ("ignored", ("tier", "bracket", "level", "#")),
)
_DOUBTFUL = 0.1  # no exchange asks for a tenth of the smallest position
_ROUNDED = 0.006  # a printed amount may be off by half a cent


class Pasted(NamedTuple):
    """A table that was read: its brackets, and the largest position that they cover."""

    brackets: Brackets
    largest: float


def read_brackets(text):
    """Read a table of maintenance brackets as it is pasted from an exchange's page.

    Parameters
    ----------
    text : str
        One bracket a line: its notional (a range, or floor and cap, or only the cap), its maintenance rate,
        and where there are such columns the highest leverage and the maintenance amount. Columns are divided
        by tabs, ``|``, ``;``, commas or blanks; a line of headings may come first.

    Returns
    -------
    Pasted
        ``brackets``, their amounts calculated (a column of amounts is compared with them), and ``largest``,
        the last cap in the unit of the table.

    Raises
    ------
    ValueError
        If a line cannot be read, or contradicts the one before; the message names it.

    Examples
    --------
    >>> table = read_brackets('''Position (USDT)   Max. leverage   Maintenance margin rate   Amount
    ... 0 - 50,000         125x    0.40%    0
    ... 50,000 - 600,000   100x    0.50%    50''')
    >>> table.brackets.rates, table.brackets.leverages, table.largest
    ((0.004, 0.005), (125.0, 100.0), 600000.0)
    >>> read_brackets("0 - 50,000  0.4 %  0")
    Pasted(brackets=Brackets(floors=(0.0,), rates=(0.004,), amounts=(0.0,), leverages=None), largest=50000.0)
    """
    lines = [(place, line.strip()) for place, line in enumerate(checks.text("text", text).splitlines(), 1)]
    lines = [(place, line) for place, line in lines if re.search(r"\w", line)]
    if not lines:
        raise ValueError("paste the table of brackets: one bracket a line, its notional and its rate")
    split = _divider([line for _, line in lines])
    rows = [(place, split(line)) for place, line in lines]
    heads = None
    if not any(map(_kind, rows[0][1])):
        heads, *rows = rows
        if not rows:
            raise ValueError(f"line {heads[0]} holds headings only: paste the brackets below it, too")
    width = len(rows[0][1])
    for place, cells in rows:
        if len(cells) != width:
            raise ValueError(
                f"line {place} has {len(cells)} columns and line {rows[0][0]} has {width}: write each "
                "bracket on a line of its own, and divide columns by tabs or |"
            )
        for cell in cells:
            if not _kind(cell):
                raise ValueError(f"line {place}: {cell!r} is no number, no range and no rate such as 0.4 %")
    columns = list(zip(*(cells for _, cells in rows), strict=True))
    for number, name in enumerate(heads[1] if heads else ()):
        if "%" in name and number < width:
            columns[number] = tuple(f"{cell.rstrip('% ')} %" for cell in columns[number])
    meanings = _told(heads, columns) if heads else _guessed(columns, rows[0][0])
    return _table(dict(zip(meanings, columns, strict=True)), [place for place, _ in rows])


def own_contract(
    symbol,
    brackets,
    *,
    coin=None,
    tick=0.01,
    step=0.001,
    minimum=5.0,
    maker_fee=0.0002,
    taker_fee=0.0005,
    spot_fee=0.001,
    funding_hours=8,
    collateral_ratio=None,
    day=None,
):
    """Make a ``Contract`` margined in USDT of the few rules that a plan needs.

    Parameters
    ----------
    symbol : str
        Its name at the exchange, ``"ARBUSDT"``.
    brackets : str or Brackets
        The maintenance table, pasted as for `read_brackets`.
    coin : str, optional
        The coin; the symbol without USDT where left out.
    tick, step : float
        Smallest change of a price (USDT) and of a quantity (coins).
    minimum : float
        Smallest order (USDT).
    maker_fee, taker_fee, spot_fee : float
        Fractions of the notional.
    funding_hours : int
        Hours between two settlements.
    collateral_ratio : float, optional
        Share of the coin's value that counts as margin (fraction), where it does.
    day : datetime.date, optional
        Day on which the rules were read; today where left out.

    Examples
    --------
    >>> own = own_contract("ARBUSDT", "0 - 5,000  0.65 %  0", tick=0.0001, step=0.1)
    >>> own.base, own.maximum_notional, own.price_text(0.51234)
    ('ARB', 5000.0, '0.5123')
    """
    symbol = checks.text("symbol", symbol).strip().upper()
    coin = (
        re.sub(r"[-_/]?USD[TC]?(-PERP|-SWAP)?$", "", symbol)
        if coin is None
        else checks.text("coin", coin).strip().upper()
    )
    if not coin or (coin == symbol and not symbol.isalnum()):
        raise ValueError(f"symbol must be the name of a contract such as 'ARBUSDT', got {symbol!r}")
    table = Pasted(brackets, _UNLIMITED) if isinstance(brackets, Brackets) else read_brackets(brackets)
    checks.kind("day", day, datetime.date | None, "a datetime.date")
    return contracts.Contract(
        symbol=symbol,
        base=coin,
        margin="USDT",
        kind="linear",
        tick=tick,
        step=step,
        minimum_notional=minimum,
        maximum_notional=table.largest,
        spot_fee=spot_fee,
        maker_fee=maker_fee,
        taker_fee=taker_fee,
        funding_hours=funding_hours,
        funding_cap=0.02,  # no plan asks for this one or the next
        liquidation_fee=0.015,
        brackets=table.brackets,
        as_of=day or datetime.date.today(),
        source="typed by its reader",
        collateral_ratio=collateral_ratio,
    )


def _divider(lines):
    """How the lines of a table are divided into cells."""
    for mark in ("\t", "|", ";"):
        if any(mark in line for line in lines):
            return lambda line: [cell.strip() for cell in line.strip("|").split(mark) if cell.strip()]
    if all("," in line for line in lines):
        parts = [line.split(",") for line in lines]
        if len({len(cells) for cells in parts}) == 1 and not any(" " in cell.strip() for cell in parts[-1]):
            headed = not re.search(r"\d", lines[0])
            for place, cells in enumerate(parts, 1):
                for before, cell in itertools.pairwise(cells):
                    if (
                        not headed
                        and re.fullmatch(r"[1-9]\d{0,2}", before)
                        and re.match(r"\d{3}(\D|$)", cell)
                    ):
                        raise ValueError(
                            f"line {place}: {before},{cell} may be one number or two: divide columns by tabs"
                        )
            return lambda line: [cell.strip() for cell in line.split(",")]
    if all(re.search(r"\S\s{2,}\S", line) for line in lines):
        return lambda line: re.split(r"\s{2,}", line)
    cell = "|".join(part.pattern for part in (_RANGE, _OPEN, _UPTO, _RATE, _TIMES, _PLAIN))
    words = re.compile(rf"{cell}|\S+", re.IGNORECASE)
    return lambda line: [found.group().strip() for found in words.finditer(line)]


def _kind(cell):
    """What a cell is by how it is written; an empty text for none of them."""
    kinds = {
        "range": _RANGE,
        "open": _OPEN,
        "up to": _UPTO,
        "rate": _RATE,
        "leverage": _TIMES,
        "plain": _PLAIN,
    }
    return next((kind for kind, pattern in kinds.items() if pattern.fullmatch(cell)), "")


def _told(heads, columns):
    """What each column means by its heading."""
    place, names = heads
    if len(names) != len(columns):
        raise ValueError(
            f"line {place} has {len(names)} headings and the brackets have {len(columns)} columns: divide "
            "all by tabs or |, or leave the headings out"
        )
    meanings = []
    for name in names:
        bare = re.sub(r"[\s_.]", "", name).lower()
        meaning = next((word for word, signs in _HEADINGS if any(sign in bare for sign in signs)), None)
        if meaning is None:
            raise ValueError(f"line {place}: what {name!r} means is not known here: leave that column out")
        if meaning == "ignored":
            meaning = f"ignored {name}"
        if meaning in meanings:
            raise ValueError(
                f"line {place}: {name!r} and another column both tell the {meaning}: leave one out"
            )
        meanings.append(meaning)
    return meanings


def _guessed(columns, first):
    """What each column means by how its cells are written."""
    meanings, sized = [], False
    count = len(columns[0])
    for number, cells in enumerate(columns):
        kinds = set(map(_kind, cells))
        numbers = [_plain(cell) for cell in cells] if kinds == {"plain"} else []
        if kinds <= {"range", "open", "up to"} and not sized:
            meaning, sized = "size", True
        elif kinds == {"rate"}:
            meaning = "rate"
        elif kinds == {"leverage"}:
            meaning = "leverage"
        elif numbers == list(range(1, count + 1)) and not number and len(columns) > 2:
            meaning = "ignored tier"
        elif numbers and max(numbers) < 1 and min(numbers) > 0:
            meaning = "rate"
        elif count > 1 and numbers and all(a >= b for a, b in itertools.pairwise(numbers)) and numbers[0] > 0:
            meaning = "leverage"
        elif numbers and not sized and not numbers[0]:
            meaning, sized = "floor", "cap"
        elif numbers and (not sized or sized == "cap") and "rate" not in meanings:
            meaning, sized = "cap", True
        elif numbers and not numbers[0]:
            meaning = "amount"
        else:
            raise ValueError(
                f"column {number + 1} of line {first}: name the columns in a line above the brackets"
            )
        if meaning in meanings:
            raise ValueError(
                f"line {first} seems to tell the {meaning} twice: name the columns in a line above it"
            )
        meanings.append(meaning)
    return meanings


def _table(columns, places):
    """Make brackets of columns by their meaning, looking at each line."""
    if "rate" not in columns or not {"size", "floor", "cap"} & columns.keys():
        missing = "the maintenance rate" if "rate" not in columns else "the notional"
        raise ValueError(f"{missing} of the brackets is missing: each line needs its notional and its rate")
    floors, caps = _edges(columns, places)
    rates = [_fraction(columns["rate"][0], places[0])]
    rates += [_fraction(cell) for cell in columns["rate"][1:]]
    leverages = [_last(cell) for cell in columns["leverage"]] if "leverage" in columns else None
    for line, (before, rate) in enumerate(itertools.pairwise(rates), 1):
        if rate < before:
            raise ValueError(
                f"line {places[line]}: the rate falls from {before:.4g} to {rate:.4g}: sort the brackets"
            )
    for line, (before, highest) in enumerate(itertools.pairwise(leverages or ()), 1):
        if highest > before:
            raise ValueError(f"line {places[line]}: the leverage rises from {before:g}x to {highest:g}x")
    brackets = Brackets(floors, rates, leverages=leverages)
    for place, cell, amount in zip(places, columns.get("amount", ()), brackets.amounts, strict=False):
        if not math.isclose(_last(cell), amount, rel_tol=1e-6, abs_tol=_ROUNDED):
            raise ValueError(
                f"line {place}: the amount {cell} does not follow from floors and rates, which give "
                f"{amount:,.10g}: look at this line and the one before"
            )
    return Pasted(brackets, caps[-1] if math.isfinite(caps[-1]) else _UNLIMITED)


def _edges(columns, places):
    """Floor and cap of each bracket."""
    count = len(places)
    for name in ("size", "floor", "cap"):
        for place, cell in zip(places, columns.get(name, ()), strict=False):
            if found := re.search(r"(?<![\d.,])\d{1,3}\.\d{3}(?!\d)", cell):
                whole, short = found[0].replace(".", ""), found[0][:-1]
                why = f"{found[0]} may be thousands or decimals"
                raise ValueError(f"line {place}: {why}: write {whole} or {short}")
    if "size" in columns:
        edges = [_edge(cell) for cell in columns["size"]]
        floors, caps = (list(each) for each in zip(*edges, strict=True))
    else:
        floors = [_last(cell) for cell in columns["floor"]] if "floor" in columns else [None] * count
        caps = [_last(cell) for cell in columns["cap"]] if "cap" in columns else [None] * count
    for line in range(count):
        before = 0.0 if not line else caps[line - 1]
        if before is None:
            caps[line - 1] = before = floors[line]
        floors[line] = before if floors[line] is None else floors[line]
        if floors[line] not in (before, before + 1):
            raise ValueError(
                f"line {places[line]} begins at {floors[line]:,.10g}, but "
                f"{'a table begins at 0' if not line else f'the line before ends at {before:,.10g}'}"
            )
        floors[line] = before
        if caps[line] is not None and caps[line] <= before:
            raise ValueError(
                f"line {places[line]} ends at {caps[line]:,.10g}, which is not above {before:,.10g}"
            )
    caps[-1] = math.inf if caps[-1] is None else caps[-1]
    return floors, caps


def _edge(cell):
    """Floor and cap that one cell tells; None for what it does not."""
    if found := _RANGE.fullmatch(cell):
        return _plain(found[1]), _plain(found[2])
    if found := _OPEN.fullmatch(cell):
        return _plain(found[1] or found[2]), math.inf
    return None, _last(cell)


def _fraction(cell, place=None):
    """Read a rate, 0.4 % or 0.004; one that may be either is refused, with its place."""
    value = _last(cell)
    if _kind(cell) == "rate":
        value /= 100
    elif place and value > _DOUBTFUL:
        raise ValueError(f"line {place}: {cell} may be percent or a fraction: write {cell} %, or 0.004")
    return round(value, 12)


def _last(cell):
    """The last number of a cell."""
    return _plain(re.findall(_NUMBER, cell)[-1])


def _plain(text):
    return float(re.findall(_NUMBER, text)[0].replace(",", ""))
