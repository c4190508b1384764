"""Triggers: at which closes something has happened, known at that very close.

``trigger.fired(bars)`` takes anything with the arrays `spot` (paths, bars), `hours` per bar and, for dates,
`times`, and returns an array of bool of the shape of `spot`.
"""

import numbers
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hedgelib import checks, signals


class Trigger:
    """What all triggers have in common."""

    def fired(self, bars):
        """Return at which closes the trigger holds, shape (paths, bars)."""
        raise NotImplementedError


@dataclass(frozen=True)
class After(Trigger):
    """Fires once some days have passed since the first bar; 0 is at once.

    Parameters
    ----------
    days : float
        Days since the first close, 0 or more.

    Raises
    ------
    ValueError
        If `days` is negative or no number.

    Examples
    --------
    >>> print(After(0), "/", After(7))
    at once / after 7 days
    """

    days: float

    def __post_init__(self):
        """Check the number."""
        checks.settle(self, days=checks.single("days", self.days, at_least=0))

    def fired(self, bars):
        """Return at which closes the days have passed, shape (paths, bars)."""
        elapsed = np.arange(bars.spot.shape[1]) * bars.hours / 24
        return np.broadcast_to(elapsed >= self.days, bars.spot.shape)

    def __str__(self):
        """Return the condition in words."""
        return f"after {self.days:g} days" if self.days else "at once"


@dataclass(frozen=True)
class On(Trigger):
    """Fires from a date on; for market frames, because paths have no dates.

    Parameters
    ----------
    date : str or timestamp
        Any text or time that pandas reads as a date, in UTC unless it says otherwise.

    Raises
    ------
    ValueError
        If it is no date, or if the market has none.

    Examples
    --------
    >>> print(On("2024-01-05"))
    from 2024-01-05 00:00
    """

    date: str | pd.Timestamp

    def __post_init__(self):
        """Read the date."""
        try:
            time = pd.Timestamp(self.date)
            # pandas would take 20240105 for nanoseconds since 1970, a day that has always come.
            if pd.isna(time) or isinstance(self.date, numbers.Number):
                raise ValueError
            checks.settle(self, date=time.tz_convert("UTC") if time.tz else time.tz_localize("UTC"))
        except (TypeError, ValueError, OverflowError, AttributeError):
            raise ValueError(
                f"date must be a date such as '2024-01-05', got {checks.shown(self.date)}"
            ) from None

    def fired(self, bars):
        """Return at which closes the date has come, shape (paths, bars)."""
        if bars.times is None:
            raise ValueError(
                f"On('{self.date:%Y-%m-%d}') needs a market with dates; use After(days) on simulated paths"
            )
        return np.broadcast_to(np.asarray(bars.times >= self.date), bars.spot.shape)

    def __str__(self):
        """Return the condition in words."""
        return f"from {self.date:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class _Level(Trigger):
    """What `Below` and `Above` have in common: a level of spot."""

    price: float | None = None
    move: float | None = None

    def __post_init__(self):
        """Check the level."""
        checks.settle(self, **checked_level(self.price, self.move))

    def _level(self, bars):
        """Return the level of each path (USDT), shape (paths, 1)."""
        return level(self.price, self.move, bars.spot[:, :1])

    def __str__(self):
        """Return the condition in words."""
        where = level_text(self.price, self.move, "the start")
        return f"when spot is at or {type(self).__name__.lower()} {where}"


@dataclass(frozen=True)
class Below(_Level):
    """Fires where spot closes at or below a level.

    Parameters
    ----------
    price : float, optional
        The level (USDT per coin).
    move : float, optional
        The level as a move from the first close (fraction, −0.05 is 5 % below). Give either of the two.

    Raises
    ------
    ValueError
        If neither or both are given, or the level is not positive.

    Examples
    --------
    >>> print(Below(price=58_000), "/", Below(move=-0.05))
    when spot is at or below 58,000 / when spot is at or below -5 % from the start
    """

    def fired(self, bars):
        """Return at which closes spot is at or below the level, shape (paths, bars)."""
        return bars.spot <= self._level(bars)


@dataclass(frozen=True)
class Above(_Level):
    """Fires where spot closes at or above a level; `price` and `move` as in `Below`.

    Raises
    ------
    ValueError
        If neither or both are given, or the level is not positive.

    Examples
    --------
    >>> print(Above(move=0.2))
    when spot is at or above +20 % from the start
    """

    def fired(self, bars):
        """Return at which closes spot is at or above the level, shape (paths, bars)."""
        return bars.spot >= self._level(bars)


@dataclass(frozen=True)
class Signal(Trigger):
    """Fires where a function of the spot closes says so.

    Parameters
    ----------
    function : callable
        Takes the closes (USDT per coin), shape (bars,), and returns one bool per bar, or the patterns that
        the functions of `signals` return, which fire at the bar they are known. It must not look ahead.
    name : str, optional
        What it is called in print; the function's own name if left out.

    Raises
    ------
    ValueError
        If `function` cannot be called, or returns neither of the two.

    Examples
    --------
    >>> print(Signal(signals.double_top), "/", Signal(lambda close: signals.rsi(close) > 70, "RSI above 70"))
    on double top / on RSI above 70
    """

    function: Callable
    name: str | None = None

    def __post_init__(self):
        """Check that there is something to call."""
        checks.kind("function", self.function, Callable, "a function, such as signals.double_top")
        checks.kind("name", self.name, str | None, "a text, or None")

    def fired(self, bars):
        """Return at which closes the signal is known, shape (paths, bars)."""
        return np.array([self._row(close) for close in bars.spot])

    def _row(self, close):
        """Return the answer for one path."""
        answer = self.function(close)
        if isinstance(answer, tuple):
            return signals.known(answer, len(close))
        answer = np.asarray(answer)
        if answer.dtype != bool or answer.shape != close.shape:
            raise ValueError(
                f"{self} must return patterns or one bool per bar ({len(close)}), "
                f"got {answer.dtype} of shape {answer.shape}"
            )
        return answer

    def __str__(self):
        """Return the condition in words."""
        return f"on {self.name or getattr(self.function, '__name__', 'signal').replace('_', ' ')}"


def checked_level(price, move):
    """Return a level by its name after checking that it is given in one of two ways, and positive."""
    if (price is None) == (move is None):
        got = f"price={checks.shown(price)}, move={checks.shown(move)}"
        raise ValueError(f"give either price (USDT) or move (fraction), got {got}")
    if move is None:
        return {"price": checks.single("price (USDT)", price, above=0)}
    return {"move": checks.single("move (fraction)", move, above=-1)}


def level(price, move, reference):
    """Return the level in USDT, where a move is counted from the `reference` price."""
    return np.full_like(reference, price) if move is None else reference * (1 + move)


def level_text(price, move, reference):
    """Return the level in words."""
    return f"{price:,.10g}" if move is None else f"{100 * move:+.4g} % from {reference}"


def percent(fraction):
    """Return a fraction in words."""
    return f"{100 * fraction:.4g} %"
