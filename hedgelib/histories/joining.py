"""A market frame out of candles of spot and perpetual and of funding settlements."""

import re

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.market import COLUMNS, validate

_WICK = 0.01
_LONGEST = 8.0  # hours between two settlements, on every exchange
_DAY = pd.Timedelta("1D")
_ENOUGH = 8  # closes, to tell two clocks apart
_CALM = 0.002  # spread of the ratio of spot to perpetual below which their clocks are the same
_MOST_MOVED = 24  # bars that a clock may be off
_SPAN = re.compile(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d")


class History(pd.DataFrame):
    """A market frame of real prices: the days in its label are those of its own rows, also after slicing.

    A class of its own, because pandas hands ``attrs`` on to a slice as they are, and whatever shows a label,
    in lessons and in a reader's code, reads it there.
    """

    @property
    def _constructor(self):
        return History

    @property
    def attrs(self):
        """What the frame is, as of any DataFrame."""
        attrs = pd.DataFrame.attrs.fget(self)
        if "label" in attrs and len(self) and isinstance(self.index, pd.DatetimeIndex):
            first, last = self.index[[0, -1]]
            attrs["label"] = _SPAN.sub(f"{first:%Y-%m-%d} to {last:%Y-%m-%d}", attrs["label"])
        return attrs

    @attrs.setter
    def attrs(self, value):
        pd.DataFrame.attrs.fset(self, value)


def instant(value):
    """Return a time, given as text, a time or milliseconds, in UTC."""
    try:
        if isinstance(value, bool):
            raise TypeError
        time = pd.Timestamp(value, unit="ms" if isinstance(value, int) else None)
        time = time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
    except (TypeError, ValueError, OverflowError):
        time = pd.NaT
    if time is pd.NaT or not 2009 <= time.year < 2100:
        raise ValueError(
            f"a time must be a day or a time from 2009 to 2099, as '2024-01-01', got {checks.shown(value)}"
        )
    return time


def span(time):
    """Return a length of time in words.

    Examples
    --------
    >>> span(pd.Timedelta("8h")), span(pd.Timedelta("1D")), span(pd.Timedelta("56h30min"))
    ('8 hours', '1 day', '2 days 8 hours 30 minutes')
    """
    parts = pd.Timedelta(time).components
    counted = [(getattr(parts, unit), unit) for unit in ("days", "hours", "minutes", "seconds")]
    return " ".join(f"{n} {unit if n > 1 else unit[:-1]}" for n, unit in counted if n) or "no time"


def join(spot, perp, mark, funding, *, notes, label, wicks="keep", start=None, end=None, **attrs):
    """Make a market frame of spot candles, candles of the perpetual and funding settlements.

    Parameters
    ----------
    spot : pandas.DataFrame
        Columns high, low, close (USDT per coin; of spot only close need be known), index: close of the bar; a
        column where, if there is one, says in which line of which file a row stands.
    perp, mark : pandas.DataFrame or None
        The same of the perpetual, last price and mark price; one of them may be None, or both.
    funding : pandas.DataFrame or None
        Columns rate (fraction) and hours (since the last settlement, missing where not known), index: time.
    notes : list of str
        What stands in for what is added to it.
    label : str
        Where this comes from.
    wicks : {"keep", "spot"}
        "spot" limits highs and lows of mark that lie more than 1 % beyond the spot range of their bar.
    start, end : pandas.Timestamp, optional
        First and last close.
    **attrs
        Passed on to the frame.

    Returns
    -------
    History
        The bars for which all that is given is known. Where spot has no close of its own it is built without
        looking ahead: mark times the ratio of spot to perpetual at the last spot close.

    Raises
    ------
    ValueError
        If what is given does not overlap, has holes, or contradicts each other.
    """
    tables = {"spot": spot, "perpetual": perp, "mark": mark, "funding": funding}
    tables = {name: table for name, table in tables.items() if table is not None}
    base = next(tables[name] for name in ("perpetual", "mark", "spot") if name in tables)
    length = bar_length(base)
    price = base if perp is None or mark is None else _mark(mark, perp, length)
    known = spot.index.intersection(price.index)
    ratio = spot["close"].loc[known] / price["close"].loc[known]
    bounds = {name: table for name, table in tables.items() if name != "mark" or table is base}
    first = max([table.index[0] for table in bounds.values()] + list(known[:1]))
    last = min(table.index[-1] for table in bounds.values())
    rows = price.loc[max(first, start or first) : min(last, end or last)]
    if known.empty or rows.empty:
        raise ValueError(_apart(tables, start, end, known))
    _refuse_strangers(spot, price, ratio.loc[: rows.index[-1]])
    _refuse_holes(
        base.loc[rows.index[0] : rows.index[-1]], length, "spot" if base is spot else "the perpetual"
    )
    if base is spot:
        notes.append("spot stands in for mark")
    elif mark is None:
        notes.append("the last price of the perpetual stands in for mark")
    elif perp is not None and not rows.index.isin(mark.index).all():
        notes.append("where mark is missing, the last price of the perpetual stands in for it")
    columns = {"spot": _spot(rows, spot, ratio, length, notes), "mark": rows["close"]}
    if base is spot or rows[["high", "low"]].isna().any(axis=None):
        notes.append("closes only: without highs and lows nothing can be said of liquidation and stops")
        label = f"closes only, {label}"
    else:
        columns |= {"mark_high": rows["high"], "mark_low": rows["low"]}
        if perp is not None and perp.loc[rows.index, ["high", "low"]].notna().all(axis=None):
            columns |= {"last_high": perp.loc[rows.index, "high"], "last_low": perp.loc[rows.index, "low"]}
    if wicks == "spot":
        attrs["wicks_limited"] = _limit(columns, rows, spot, ratio, length)
        notes.append(f"{attrs['wicks_limited']} highs and lows limited to the spot range")
    if funding is not None:
        columns["funding"] = _funding(funding, rows.index, length)
    elif base is not spot:
        notes.append("no funding is given, so none is received or paid")
    _tell_cut(tables, rows.index, start, end, notes)
    market = History(columns).rename_axis("time").astype(float)
    market = market[sorted(market, key=(*COLUMNS, "last_high", "last_low").index)]
    hours = length / pd.Timedelta("1h")
    market.attrs = attrs | {
        "hours": int(hours) if hours == int(hours) else hours,
        "label": f"{attrs['symbol']}, {rows.index[0]:%Y-%m-%d} to {rows.index[-1]:%Y-%m-%d}, {label}",
        "notes": notes,
    }
    return validate(market) if set(COLUMNS) <= set(columns) else market


def bar_length(table):
    """Return the shortest time between two rows, in whatever order they are."""
    return pd.Timedelta(np.diff(table.index.unique().sort_values()).min()).as_unit("us")


def _mark(mark, perp, length):
    """Candles of mark at the bars of the perpetual, whose own stand in where there are none."""
    if bar_length(mark) != length:
        raise ValueError(
            f"mark has bars of {span(bar_length(mark))}, perp of {span(length)}; give bars of one length"
        )
    _refuse_other_coin("mark", mark["close"], perp["close"])
    found, there = mark.reindex(perp.index), perp.index.isin(mark.index)
    return found.where(pd.DataFrame(np.tile(there[:, None], found.shape[1]), perp.index, found.columns), perp)


def _refuse_other_coin(name, closes, perp):
    """Refuse closes that have little to do with those of the perpetual."""
    ratio = (closes / perp).dropna()
    for time in ratio.index[(ratio - 1).abs() > 0.5][:1]:
        raise ValueError(
            f"{name} closes at {closes[time]:g} and the perpetual at {perp[time]:g} on "
            f"{time:%Y-%m-%d %H:%M}; are these the same coin?"
        )


def _apart(tables, start, end, known):
    """Say why there is no bar for which everything is known."""
    asked = f" from {start:%Y-%m-%d %H:%M}" if start else ""
    asked += f" to {end:%Y-%m-%d %H:%M}" if end else ""
    why = f"spot, perpetual and funding share no bar{asked} (closes, UTC: {_spans(tables)})"
    if known.empty and tables["spot"].index[-1] > tables["spot"].index[0]:
        why += "; if one of them is not in UTC, say timezone="
    return why


def _refuse_strangers(spot, price, ratio):
    """Refuse spot and perpetual that are of two coins, two currencies or two clocks."""
    _refuse_other_coin("spot", spot["close"].loc[: ratio.index[-1]], price["close"])
    if abs(ratio.median() - 1) > 0.05:
        raise ValueError(
            f"spot is {ratio.median() - 1:+.1%} from the perpetual in the middle of {len(ratio)} closes; "
            "are they quoted in the same currency?"
        )
    if len(ratio) < _ENOUGH or (spread := np.log(ratio).std()) < _CALM:
        return
    step = min(bar_length(spot), bar_length(price))
    moved = {}
    for bars in range(-_MOST_MOVED, _MOST_MOVED + 1):
        other = np.log(spot["close"].set_axis(spot.index + bars * step).reindex(price.index) / price["close"])
        if other.count() >= _ENOUGH:
            moved[bars] = other.std()
    best = min(moved, key=moved.get, default=0)
    if best and moved[best] < spread / 4:
        raise ValueError(
            f"spot and perpetual agree only when spot is read {span(abs(best) * step)} "
            f"{'later' if best > 0 else 'earlier'}: is the clock of both files UTC? If not, say timezone="
        )


def _place(table, row):
    return f"{table['where'].iloc[row]}: " if "where" in table else ""


def _refuse_holes(base, length, what):
    """Refuse bars that are not one behind the other."""
    steps = np.diff(base.index)
    for row in np.flatnonzero(steps != length)[:1]:
        before, after = base.index[row], base.index[row + 1]
        raise ValueError(
            f"{_place(base, row + 1)}rows are missing: {what} has no bars from {before:%Y-%m-%d %H:%M} to "
            f"{after - length:%Y-%m-%d %H:%M} ({span(after - before - length)}); add a file that has them, "
            f"or read one side alone, with end='{before:%Y-%m-%d %H:%M}' or start='{after:%Y-%m-%d %H:%M}'"
        )


def _spot(rows, spot, ratio, length, notes):
    """Spot at each close, its own or built from mark and the last known ratio."""
    own = spot["close"].reindex(rows.index)
    step = max(bar_length(spot), length)
    due = rows.index[(rows.index - spot.index[0]) % step == pd.Timedelta(0)]
    lacking = due[own[due].isna()]
    if step > length:
        notes.append("spot between its own closes is mark times the last known ratio of spot to perpetual")
    if len(lacking):
        when = " to ".join(f"{time:%Y-%m-%d %H:%M}" for time in lacking[[0, -1]].unique())
        notes.append(
            f"spot has no close at {len(lacking)} of {len(due)} bars ({when}): there it is mark times the "
            "last known ratio of spot to perpetual"
        )
    return own.fillna(rows["close"] * ratio.reindex(rows.index, method="ffill"))


def _limit(columns, rows, spot, ratio, length):
    """Limit highs and lows of mark to the range of spot, in place; return how many were limited."""
    if "mark_high" not in columns or spot[["high", "low"]].isna().any(axis=None):
        raise ValueError("wicks='spot' needs highs and lows of spot and of the perpetual, not closes only")
    within, later = spot.rolling(length), max(bar_length(spot) - length, pd.Timedelta(0))
    basis = ratio.reindex(rows.index, method="ffill")
    highs, lows = (
        ends.reindex(rows.index, method="bfill", tolerance=later) / basis
        for ends in (within["high"].max(), within["low"].min())
    )
    highest, lowest = np.maximum(highs, rows["close"]), np.minimum(lows, rows["close"])
    too_high, too_low = rows["high"] > highest * (1 + _WICK), rows["low"] < lowest * (1 - _WICK)
    columns["mark_high"] = rows["high"].mask(too_high, highest)
    columns["mark_low"] = rows["low"].mask(too_low, lowest)
    return int(too_high.sum() + too_low.sum())


def _funding(funding, closes, length):
    """Rate settled at each close, 0 where none is; refused where settlements are missing."""
    before = funding.index.searchsorted(closes[0], side="right") - 1
    near = funding.iloc[max(before, 0) : funding.index.searchsorted(closes[-1]) + 1]
    _refuse_gaps(near)
    settled = funding["rate"].loc[closes[0] : closes[-1]]
    for time in settled.index.difference(closes)[:1]:
        often = near.index.to_series().diff().median() < length
        clock = "if the clock of its file is not UTC, say timezone=, if it is, give shorter bars"
        raise ValueError(
            f"funding is settled at {time:%Y-%m-%d %H:%M}, where no bar of the perpetual closes; "
            f"{'give bars no longer than the funding interval' if often else clock}"
        )
    return settled.reindex(closes, fill_value=0.0)


def _refuse_gaps(funding):
    """Refuse settlements that are further apart than they are due, or nearer than the file says."""
    if len(funding) < 2:
        return
    steps = np.diff(funding.index.asi8) / 3.6e9
    hours = funding["hours"].to_numpy(dtype=float)
    unlike = np.abs(steps - hours[1:]) > 1e-6  # an extra settlement between two makes two in a row
    often = unlike[2:] & unlike[1:-1] & unlike[:-2] if len(unlike) > 2 else unlike[:1] & unlike.all()
    stated = np.full(len(hours), np.nan) if often.any() else hours
    due = np.fmax(stated[1:], stated[:-1])
    due = np.minimum(np.where(np.isnan(due), _usual(steps), due), _LONGEST)
    for row in np.flatnonzero(steps > due + 1e-6)[:1]:
        clock = " (or the clock of the file changes between summer and winter: say timezone=)"
        before, after = funding.index[row], funding.index[row + 1]
        raise ValueError(
            f"{_place(funding, row + 1)}settlements are missing before this one, {_count(steps[row])} after "
            f"that of {before:%Y-%m-%d %H:%M} where one is due after {_count(due[row])}"
            f"{clock if 9 in steps else ''}; add a file that has them, or read one side alone, with "
            f"end='{before:%Y-%m-%d %H:%M}' or start='{after:%Y-%m-%d %H:%M}'"
        )
    for row in np.flatnonzero(often)[:1]:
        raise ValueError(
            f"{_place(funding, row + 1)}the file says that a rate is for {_count(hours[row + 1])}, but its "
            f"rows are {_count(steps[row])} apart: if each is what was settled, name its column "
            f"last_funding_rate and leave out the hours; if not, multiply by {steps[row] / hours[row + 1]:g}"
        )


def _count(hours):
    return span(pd.Timedelta(hours=hours).round("s"))


def _usual(steps):
    """Hours after which each settlement is due where the file does not say.

    A stretch of slower settlements between faster ones that lasts a day or less is taken for a hole.
    """
    starts = np.flatnonzero(np.append(True, np.diff(steps) != 0))
    lengths = np.diff(np.append(starts, len(steps)))
    pace = steps[starts]
    due = pace.copy()
    for run in range(len(pace)):
        beside = [pace[other] for other in (run - 1, run + 1) if 0 <= other < len(pace)]
        if beside and max(beside) < pace[run] and pace[run] * lengths[run] <= 24:
            due[run] = max(beside)
    return np.repeat(due, lengths)


def _tell_cut(tables, closes, start, end, notes):
    """Note what is left out because another file lacks it, and what was asked for and is not there."""
    first, last = closes[[0, -1]]
    left = []
    for name, table in tables.items():
        slack = pd.Timedelta(0) if name in ("perpetual", "mark") else _DAY
        asked = table.loc[start:end].index
        out = asked[(asked < first) | (asked > last)]
        if ((out < first - slack) | (out > last + slack)).any():
            left.append(f"{len(out)} {'settlements' if name == 'funding' else f'bars of {name}'}")
    if left:
        notes.append(
            f"what all files have is shown; left out are {', '.join(left)} (closes, UTC: {_spans(tables)})"
        )
    slack = closes[:2].max() - first
    if (start and first - start > slack) or (end and end - last > slack):
        notes.append(f"known from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} only")


def _spans(tables):
    return "; ".join(
        f"{name} {table.index[0]:%Y-%m-%d %H:%M} to {table.index[-1]:%Y-%m-%d %H:%M}"
        for name, table in tables.items()
    )
