"""What stands in the cells of a CSV file, as numbers and times: every way of writing that has one meaning."""

import numpy as np
import pandas as pd

BLANK = ("", "nan", "null", "none", "n/a", "na", "-", "--")
"""How files write that a number is not known."""

_POINT = r"[+-]?(?=[.,]?\d)(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)?(?:\.\d*)?(?:e[+-]?\d+)?"
_COMMA = r"[+-]?(?=[.,]?\d)(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)?(?:,\d*)?(?:e[+-]?\d+)?"
_PACKED = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_EPOCHS = {10: 1_000_000, 13: 1_000, 16: 1}  # microseconds in a second, a millisecond, a microsecond


def refuse(where, bad, why):
    """Raise for the first row that is bad, with its file and line."""
    for row in np.flatnonzero(bad)[:1]:
        raise ValueError(f"{where.iloc[row]}: {why(row) if callable(why) else why}")


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
        What the numbers are, for the message.
    """
    try:
        plain = texts.to_numpy(dtype=str).astype(float)
    except ValueError:
        plain = np.nan
    if comma_separated and np.isfinite(plain).all():
        return pd.DataFrame(plain, texts.index, texts.columns)
    cells = texts.apply(lambda column: column.str.replace(r"[\s$'’_]", "", regex=True).str.lower())
    cells = cells.apply(lambda column: column.str.replace("−", "-"))
    known = ~cells.isin(BLANK)
    every = pd.Series(cells.to_numpy()[known.to_numpy()], dtype=object)
    point, comma = (every.str.fullmatch(pattern).astype(bool) for pattern in (_POINT, _COMMA))
    with_comma = comma.all() and not point.all()
    if comma.all() and point.all() and not (comma_separated and not every.str.contains(",").any()):
        unlike = np.flatnonzero(_floats(every, True) != _floats(every, False))
        for row in unlike[:1]:
            place = np.argwhere(known.to_numpy())[row][0]
            raise ValueError(
                f"{where.iloc[place]}: {every[row]} can be {_floats(every, False)[row]:.10g} or "
                f"{_floats(every, True)[row]:.10g}, and no row tells which; write numbers without separators"
            )
    for name in cells:
        good = cells[name].str.fullmatch(_COMMA if with_comma else _POINT).astype(bool) | ~known[name]
        refuse(where, ~good, lambda row, name=name: f"{name} must be {what}, got {texts[name].iloc[row]!r}")
    cells = cells.where(known, "nan")
    return pd.DataFrame({name: _floats(cells[name], with_comma) for name in cells}, cells.index)


def _floats(texts, comma):
    texts = texts.str.replace(".", "").str.replace(",", ".") if comma else texts.str.replace(",", "")
    return np.array(texts, dtype=str).astype(float)


def times(texts, where, zone):
    """Return texts as times in UTC; where a text has no zone of its own it is of `zone`.

    Epochs in seconds, milliseconds, microseconds or nanoseconds, days with or without a time, and names of
    months are read. Of days as 08/01/2024, one row must tell whether the day or the month comes first.
    """
    texts = texts.str.strip()
    packed = texts.str.extract(r"^(\d+)(?:\.(\d*))?$")
    epoch = packed[0].notna().to_numpy()
    result = pd.Series(pd.NaT, texts.index, dtype="datetime64[us, UTC]")
    if epoch.any():
        result[epoch] = _from_digits(packed[0][epoch], packed[1][epoch].fillna(""))
    if not epoch.all():
        result[~epoch] = _from_text(texts[~epoch], where[~epoch], zone)
    bad = ~((result >= "2009-01-01") & (result < "2100-01-01"))
    accepted = "ISO 8601, a day, or seconds, milliseconds or microseconds since 1970"
    refuse(where, bad, lambda row: f"time must be {accepted}, got {texts.iloc[row]!r}")
    return pd.DatetimeIndex(result).as_unit("us")


def _from_digits(whole, part):
    """Times of digits: how many there are tells what they count."""
    found = pd.Series(pd.NaT, whole.index, dtype="datetime64[us, UTC]")
    for length in whole.str.len().unique():
        rows = whole.index[whole.str.len() == length]
        if length in _PACKED:
            found[rows] = pd.to_datetime(whole[rows], format=_PACKED[length], utc=True, errors="coerce")
        elif length in (*_EPOCHS, 19):
            digits = whole[rows] if length < 19 else whole[rows].str[:16]
            micro = digits.astype("int64") * _EPOCHS[min(length, 16)]
            if length == 10:
                micro += part[rows].str[:6].str.ljust(6, "0").astype("int64")
            found[rows] = pd.to_datetime(micro, unit="us", utc=True, errors="coerce")
    return found


def _from_text(texts, where, zone):
    """Times of days written out; a day without a time is one of UTC, whatever the clock."""
    parts = texts.str.extract(r"^(\d\d?)[-/.](\d\d?)[-/.]\d{4}\b").dropna().astype(int)
    if len(parts):
        day_first, month_first = (parts > 12).any()
        why = "in some rows the day is first, not in others" if day_first else "day or month may be first"
        ask = texts.index.isin(parts.index) & (day_first == month_first)
        refuse(where, ask, lambda row, read=texts: f"{read.iloc[row]!r}: {why}; write days as 2024-08-31")
        order = r"\3-\2-\1" if day_first else r"\3-\1-\2"
        texts = texts.str.replace(r"^(\d\d?)[-/.](\d\d?)[-/.](\d{4})", order, regex=True)
    texts = texts.str.replace(r"^(\d{4})[/.](\d\d?)[/.](\d\d?)", r"\1-\2-\3", regex=True)
    told = texts.str.contains(r"(?<!\d)\d{4}(?!\d)") & texts.str.contains(r"\d\D+\d")
    texts = texts.where(told)  # "today" and "12:00" are no days
    aware = texts.str.contains(r":.*(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$", case=False, na=False)
    result = pd.Series(pd.NaT, texts.index, dtype="datetime64[us, UTC]")
    for rows, clock in ((aware, "UTC"), (~aware & texts.str.contains(":", na=False), zone)):
        result[rows] = _in_zone(_parsed(texts[rows]), where[rows], clock)
    days = result.isna()
    result[days] = _in_zone(_parsed(texts[days]), where[days], "UTC")
    return result


def _parsed(texts):
    """Times as they stand in texts: in UTC where a text names its zone, else of no zone."""
    found = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)
    rest = found.isna() & texts.notna()
    found[rest] = pd.to_datetime(texts[rest], format="mixed", errors="coerce", utc=True)
    return found.dt.tz_localize(None).astype("datetime64[us]")


def _in_zone(naive, where, zone):
    """Times of a clock in UTC.

    Of an hour that comes twice in autumn, two rows are the first and the second; one alone is the one
    that agrees with the hours of the other rows, or else the first.
    """
    if not len(naive):
        return naive.dt.tz_localize("UTC")
    every = np.ones(len(naive), dtype=bool)
    first, second = (
        naive.dt.tz_localize(zone, ambiguous=summer, nonexistent="NaT").dt.tz_convert("UTC")
        for summer in (every, ~every)
    )
    gone = (first.isna() & naive.notna()).to_numpy()
    refuse(where, gone, lambda row: f"{naive.iloc[row]} is an hour that the clock of {zone} leaves out")
    certain = set(first[first == second].dt.time)
    again = naive.duplicated(keep="last" if naive.iloc[0] > naive.iloc[-1] else "first")
    likely = ~naive.duplicated(keep=False) & ~first.dt.time.isin(certain) & second.dt.time.isin(certain)
    return first.where(~again & ~likely, second)
