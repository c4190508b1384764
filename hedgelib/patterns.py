"""Turning points of a price series, each with the bar at whose close it is *known*."""

from dataclasses import dataclass

import numpy as np

from hedgelib import checks


@dataclass(frozen=True)
class Pattern:
    """A shape found in a price series.

    Parameters
    ----------
    kind : str
        ``"high"`` or ``"low"`` for a single pivot, otherwise the name of the function that found it.
    pivots : tuple of int
        Bars of the turning points that make up the shape, in time order.
    known : int
        Bar at whose close the shape is complete and may first be acted on.
    """

    kind: str
    pivots: tuple[int, ...]
    known: int


def pivots(close, confirm=5, kind="high"):
    """Local highs or lows, each known only `confirm` bars later.

    A high closes above each of the `confirm` bars before it and below none of the `confirm` bars after it.

    Parameters
    ----------
    close : array, shape (n,)
        Closing prices (USDT per coin), oldest first.
    confirm : int
        Bars on either side that the pivot must dominate, 1 or more.
    kind : str
        ``"high"`` or ``"low"``.

    Returns
    -------
    tuple of Pattern
        One pivot each, known `confirm` bars after it, in time order.

    Raises
    ------
    ValueError
        If a price is missing, infinite or not positive, `confirm` is no whole number above 0, or `kind` is
        neither word.

    Examples
    --------
    >>> pivots([100, 104, 110, 107, 105, 108], confirm=2)
    (Pattern(kind='high', pivots=(2,), known=4),)
    """
    sign = {"high": 1, "low": -1}[checks.one_of("kind", kind, ("high", "low"))]
    confirm = checks.whole("confirm (bars)", confirm, at_least=1)
    return tuple(Pattern(kind, (bar,), bar + confirm) for bar in tops(sign * prices(close), confirm))


def known(patterns, bars):
    """Whether some pattern became known at each bar.

    Parameters
    ----------
    patterns : Pattern, or list or tuple of them
        What the functions of `signals` return; add the tuples of several to join them.
    bars : int
        Length of the series they were found in.

    Returns
    -------
    array of bool, shape (bars,)
        True at the bars at whose close a pattern was completed.

    Raises
    ------
    ValueError
        If `patterns` holds anything else, or one that is known outside the bars.

    Examples
    --------
    >>> known([Pattern("high", pivots=(2,), known=4)], bars=6)
    array([False, False, False, False,  True, False])
    """
    bars = checks.whole("bars", bars, at_least=1, at_most=100_000_000)
    result = np.zeros(bars, dtype=bool)
    for pattern in patterns if isinstance(patterns, list | tuple) else [patterns]:
        checks.kind("patterns", pattern, Pattern, "a Pattern, or a list or tuple of them")
        if not 0 <= pattern.known < bars:
            raise ValueError(f"a pattern known at bar {pattern.known} lies outside the {bars} bars")
        result[pattern.known] = True
    return result


def tops(heights, confirm):
    """Bars that exceed the `confirm` bars before them and are not exceeded by the `confirm` bars after."""
    if len(heights) <= 2 * confirm:
        return []
    highest = np.lib.stride_tricks.sliding_window_view(heights, confirm).max(axis=1)
    middle, before, after = heights[confirm:-confirm], highest[: -confirm - 1], highest[confirm + 1 :]
    # Strict on one side only: a plateau counts once, at its first bar, whenever it will end.
    return (np.flatnonzero((middle > before) & (middle >= after)) + confirm).tolist()


def prices(close):
    """Return closing prices as a float array of one dimension, or say what is wrong with them."""
    return checks.row("close (USDT per coin)", close, above=0)
