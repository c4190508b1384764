"""What stands in the cells of a CSV file, as numbers and times: every way of writing that has one meaning."""

import numpy as np
import pandas as pd

BLANK = ("", "nan", "null", "none", "n/a", "na", "-", "--")
"""How files write that a number is not known."""

_DAY = (
    r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{4}|[a-z]{3,9}\.? \d\d?,? \d{4}|"
    r"\d\d?[ -][a-z]{3,9}\.?,?[ -]\d{4}"
)
_CLOCK = r"\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[ap]m)?"
_ZONE = r"(?:z|utc|gmt)?(?:[+-]\d\d:?\d\d(?: \([a-z ]+\))?)?"
_TIME = rf"(?i)^(?:[a-z]{{3,9}},? )?({_DAY})(?:[t ,]+({_CLOCK}))? ?({_ZONE})$"
_PACKED = {r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$": r"\1-\2-\3 \4:\5:\6"}
_PACKED |= {r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$": r"\1-\2-\3 \4:\5", r"^(\d{4})(\d\d)(\d\d)$": r"\1-\2-\3"}


def refuse(where, bad, why, got=None):
    """Raise for the first row that is bad, with its file and line, and what it has: a text, or several."""
    for row in np.flatnonzero(bad)[:1]:
        cells = {} if got is None else pd.DataFrame(got).iloc[row].to_dict()
        several = ", ".join(
            f"{name} {text!r}" if len(cells) > 1 else repr(text) for name, text in cells.items()
        )
        raise ValueError(f"{where.iloc[row]}: {why}{f', got {several}' if cells else ''}")


def blank(texts):
    """Tell which of the texts say that a number is not known."""
    return texts.str.strip().str.lower().isin(BLANK)


def numbers(texts, where, comma_separated, what):
    """Return texts as floats, each the one nearest to its digits; missing where a text is blank.

    Parameters
    ----------
    texts : pandas.DataFrame
        Columns of texts; they are written in one way, with a decimal point or a decimal comma.
    where : pandas.Series
        File and line of each row.
    comma_separated : bool
        Whether commas separate the cells of the file: an unquoted comma is then no part of a number.
    what : str
        What the numbers are, in the plural, for the message.
    """
    try:
        plain = texts.to_numpy(dtype=str).astype(float)
    except ValueError:
        plain = np.nan
    if comma_separated and np.isfinite(plain).all():
        return pd.DataFrame(plain, texts.index, texts.columns)
    bare = texts.apply(lambda column: column.str.replace(r"[\s$'’_]", "", regex=True).str.lower())
    bare = bare.replace("−", "-", regex=True).mask(bare.isin(BLANK), "nan")
    commas = not comma_separated or bare.apply(lambda column: column.str.contains(",")).any(axis=None)
    fits = {marks: _fits(bare, *marks) for marks in [".,", ",."][: 1 + commas]}
    read = {marks: _floats(bare, *marks) for marks, good in fits.items() if good.all(axis=None)}
    if len(read) == 2:
        point, comma = read.values()
        unlike = point.ne(comma) & point.notna()
        for row, name in np.argwhere(unlike.to_numpy())[:1]:
            raise ValueError(
                f"{where.iloc[row]}: {texts.iloc[row, name]} can be {point.iloc[row, name]:.10g} or "
                f"{comma.iloc[row, name]:.10g}, and no row tells which; write numbers without separators"
            )
    if not read:
        refuse(where, ~fits[".,"].all(axis=1), f"{what} must be in finite numbers", texts)
    return next(iter(read.values()))


def _fits(bare, decimal, thousands):
    """Tell which texts are numbers with these marks."""
    whole = rf"(?:\d+|[1-9]\d{{0,2}}(?:[{thousands}]\d{{3}})+)?"
    number = rf"nan|[+-]?(?=[.,]?\d){whole}(?:[{decimal}]\d*)?(?:e[+-]?\d+)?"
    return bare.apply(lambda column: column.str.fullmatch(number).astype(bool))


def _floats(bare, decimal, thousands):
    plain = bare.apply(lambda column: column.str.replace(thousands, "").str.replace(decimal, "."))
    return pd.DataFrame(plain.to_numpy(dtype=str).astype(float), bare.index, bare.columns)


def times(texts, where, zone):
    """Return texts as times in UTC; where a text has a time but no zone of its own it is of `zone`.

    Epochs in seconds, milliseconds, microseconds or nanoseconds, days with or without a time, and names of
    months are read. Of days as 08/01/2024, one row must tell whether the day or the month comes first.
    """
    texts = texts.str.strip()
    epoch = texts.str.extract(r"^(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d*))?$")
    micro = (epoch[0] + epoch[1].fillna("")).str.ljust(16, "0").str[:16].astype("Int64")
    found = pd.to_datetime(micro, unit="us", utc=True, errors="coerce")
    if (written := epoch[0].isna()).any():
        found[written] = _from_text(texts[written], where[written], zone)
    bad = ~((found >= "2009-01-01") & (found < "2100-01-01"))
    accepted = "ISO 8601, a day, or seconds, milliseconds or microseconds since 1970"
    refuse(where, bad, f"time must be {accepted}", texts)
    return pd.DatetimeIndex(found).as_unit("us")


def _from_text(texts, where, zone):
    """Times of days written out; a day without a time is one of UTC, whatever the clock."""
    parts = texts.replace(_PACKED, regex=True).str.extract(_TIME)
    day, clock, offset = parts[0], parts[1], parts[2].str.replace(r"(?i)z|utc|gmt| \(.*", "", regex=True)
    slashed = day.str.extract(r"^(\d\d?)\D(\d\d?)\D\d{4}$").astype(float)
    day_first, month_first = (slashed > 12).any()
    why = "in some rows the day is first, not in others" if day_first else "day or month may be first"
    refuse(where, slashed[0].notna() & (day_first == month_first), f"write days as 2024-08-31: {why}", texts)
    order = r"\3-\2-\1" if day_first else r"\3-\1-\2"
    day = day.str.replace(r"^(\d\d?)\D(\d\d?)\D(\d{4})$", order, regex=True)
    stamps = day + " " + clock.fillna("00:00") + offset.where(offset != "", "+00:00")
    found = pd.to_datetime(stamps, format="mixed", utc=True, errors="coerce").astype("datetime64[us, UTC]")
    local = clock.notna() & (parts[2] == "")
    found[local] = _in_zone(found[local].dt.tz_localize(None), where[local], zone)
    return found


def _in_zone(naive, where, zone):
    """Times of a clock in UTC.

    Of an hour that comes twice in autumn, two rows are the first and the second; one alone is the one
    that agrees with the hours of the other rows, or else the first.
    """
    every = np.ones(len(naive), dtype=bool)
    first, second = (
        naive.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT").dt.tz_convert("UTC")
        for summer in (every, ~every)
    )
    refuse(
        where, first.isna() & naive.notna(), f"the clock of {zone} leaves this hour out", naive.astype(str)
    )
    certain = set(first[first == second].dt.time)
    newest_first = len(naive) and naive.iloc[0] > naive.iloc[-1]
    again = naive.duplicated(keep="last" if newest_first else "first")
    likely = ~naive.duplicated(keep=False) & ~first.dt.time.isin(certain) & second.dt.time.isin(certain)
    return first.where(~again & ~likely, second)
