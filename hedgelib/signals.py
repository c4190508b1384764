"""Chart signals as rules: RSI, double top, head and shoulders, divergence and their mirrors.

Every pattern carries the bar at whose close it is *known*; nothing before that bar may act on it.
A bottom is the same rule run on 1 / price, so tops and bottoms share one code path.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from hedgelib import checks

__all__ = [
    "Pattern",
    "bearish_divergence",
    "bullish_divergence",
    "double_bottom",
    "double_top",
    "head_and_shoulders",
    "inverse_head_and_shoulders",
    "known",
    "rsi",
]


@dataclass(frozen=True)
class Pattern:
    """A shape found in a price series.

    Parameters
    ----------
    kind : str
        Name of the function that found it.
    pivots : tuple of int
        Bars of the turning points that make up the shape, in time order.
    known : int
        Bar at whose close the shape is complete and may first be acted on.
    """

    kind: str
    pivots: tuple[int, ...]
    known: int


def rsi(close, length=14):
    """Relative strength index with Wilder's smoothing: 100 · average gain / (average gain + average loss).

    Parameters
    ----------
    close : array, shape (n,)
        Closing prices (USDT per coin), oldest first.
    length : int
        Bars in Wilder's average, 2 or more. The first averages are simple means of `length` changes, later
        ones are ((length − 1) · previous + change) / length.

    Returns
    -------
    array, shape (n,)
        Between 0 and 100; NaN before bar `length`. 100 as long as no bar has closed lower, also if none has
        closed higher (other programs print 0 for a flat series, which reads as oversold).

    Notes
    -----
    Source: J. Welles Wilder, New Concepts in Technical Trading Systems, 1978.

    Examples
    --------
    One bar up by 2, one down by 1: average gain 1, average loss 0.5.

    >>> rsi([100, 102, 101], length=2).round(2)
    array([  nan,   nan, 66.67])
    """
    close = prices(close)
    length = checks.whole("length (bars)", length, at_least=2, at_most=100_000)
    if len(close) <= length:
        return np.full(len(close), np.nan)
    change = np.diff(close)
    gain, loss = (_wilder(moves, length) for moves in (np.maximum(change, 0), np.maximum(-change, 0)))
    strength = (100 * gain / (gain + loss)).where(loss > 0, 100.0)
    return np.r_[np.full(length, np.nan), strength]


def _wilder(moves, length):
    """Mean of the first `length` moves, and Wilder's moving average from there on."""
    return pd.Series(np.r_[moves[:length].mean(), moves[length:]]).ewm(alpha=1 / length, adjust=False).mean()


def double_top(close, confirm=5, tolerance=0.03, depth=0.03):
    """Two highs at about the same price, and then a close below the valley between them.

    The two highs are neighbouring pivots that differ by at most `tolerance`; both stand at least `depth`
    above the lowest close between them, the neckline. The pattern is complete at the first close below the
    neckline, if no close above the highs comes first and it comes within as many bars as the highs are apart.

    Parameters
    ----------
    close : array, shape (n,)
        Closing prices (USDT per coin), oldest first.
    confirm : int
        Bars on either side that a pivot stands out from: it is known as many bars later. 1 or more.
    tolerance : float
        Largest gap between the two highs (fraction of the lower one).
    depth : float
        Least height of both highs above the valley (fraction of the valley).

    Returns
    -------
    tuple of Pattern
        ``pivots`` are high, valley, high; ordered by the bar at which each is known.

    Notes
    -----
    Source: Lo, Mamaysky and Wang, Foundations of Technical Analysis, Journal of Finance 55, 2000 (both highs
    within 1.5 % of their mean, so 3 % apart). That a reversal counts only once the neckline is broken is the
    rule of Edwards and Magee, Technical Analysis of Stock Trends, 1948.

    Examples
    --------
    >>> double_top([100, 110, 100, 111, 105, 99], confirm=1)
    (Pattern(kind='double_top', pivots=(1, 2, 3), known=5),)
    """
    return _reversals("double_top", close, +1, 2, confirm, tolerance, depth)


def double_bottom(close, confirm=5, tolerance=0.03, depth=0.03):
    """Two lows at about the same price, and then a close above the peak between them.

    The mirror of `double_top`, with the same parameters and result.

    Examples
    --------
    >>> double_bottom([110, 100, 110, 99, 105, 111], confirm=1)
    (Pattern(kind='double_bottom', pivots=(1, 2, 3), known=5),)
    """
    return _reversals("double_bottom", close, -1, 2, confirm, tolerance, depth)


def head_and_shoulders(close, confirm=5, tolerance=0.03, depth=0.03):
    """Three highs, the middle one highest, and then a close below the valleys between them.

    The three are neighbouring pivots. The outer two (shoulders) differ by at most `tolerance`, and so do the
    valleys; the shoulders stand at least `depth` above both valleys. The pattern is complete at the first
    close below the lower valley, the neckline, if no close above the shoulders comes first and it comes
    within as many bars as the shoulders are apart.

    Parameters
    ----------
    close, confirm
        As in `double_top`.
    tolerance : float
        Largest gap between the shoulders, and between the valleys (fraction of the lower one).
    depth : float
        Least height of the shoulders above both valleys (fraction of the valley).

    Returns
    -------
    tuple of Pattern
        ``pivots`` are shoulder, valley, head, valley, shoulder; ordered by the bar at which each is known.

    Notes
    -----
    Source: as `double_top`; shoulders, and valleys, each within 1.5 % of their mean.

    Examples
    --------
    >>> head_and_shoulders([100, 110, 100, 120, 101, 111, 99], confirm=1)
    (Pattern(kind='head_and_shoulders', pivots=(1, 2, 3, 4, 5), known=6),)
    """
    return _reversals("head_and_shoulders", close, +1, 3, confirm, tolerance, depth)


def inverse_head_and_shoulders(close, confirm=5, tolerance=0.03, depth=0.03):
    """Three lows, the middle one lowest, and then a close above the peaks between them.

    The mirror of `head_and_shoulders`, with the same parameters and result.

    Examples
    --------
    >>> inverse_head_and_shoulders([110, 100, 110, 90, 109, 99, 111], confirm=1)
    (Pattern(kind='inverse_head_and_shoulders', pivots=(1, 2, 3, 4, 5), known=6),)
    """
    return _reversals("inverse_head_and_shoulders", close, -1, 3, confirm, tolerance, depth)


def bearish_divergence(close, confirm=5, length=14):
    """A higher high in price with a lower high in RSI, at two neighbouring pivots.

    Parameters
    ----------
    close, confirm
        As in `double_top`.
    length : int
        Bars in the average of the RSI, 2 or more.

    Returns
    -------
    tuple of Pattern
        ``pivots`` are the two highs; known `confirm` bars after the second.

    Notes
    -----
    The RSI is read at the bars of the price pivots; it needs `length` bars, so a pivot before that takes no
    part.

    Examples
    --------
    RSI at the two highs: 100 and 85.

    >>> bearish_divergence([100, 105, 110, 109, 108, 111, 109], confirm=1, length=2)
    (Pattern(kind='bearish_divergence', pivots=(2, 5), known=6),)
    """
    return _divergences("bearish_divergence", close, +1, confirm, length)


def bullish_divergence(close, confirm=5, length=14):
    """A lower low in price with a higher low in RSI, at two neighbouring pivots.

    The mirror of `bearish_divergence`, with the same parameters and result.

    Examples
    --------
    >>> bullish_divergence([111, 106, 101, 102, 103, 100, 102], confirm=1, length=2)
    (Pattern(kind='bullish_divergence', pivots=(2, 5), known=6),)
    """
    return _divergences("bullish_divergence", close, -1, confirm, length)


def _reversals(kind, close, sign, count, confirm, tolerance, depth):
    """Reversals of `count` neighbouring tops of sign · price; heights are logarithms."""
    heights = sign * np.log(prices(close))
    confirm = checks.whole("confirm (bars)", confirm, at_least=1)
    tolerance, depth = (
        np.log1p(checks.single(name, value, at_least=0))
        for name, value in [("tolerance", tolerance), ("depth", depth)]
    )
    highest = tops(heights, confirm)
    found = []
    for group in zip(*(highest[skip:] for skip in range(count)), strict=False):
        first, *heads, last = group
        valleys = [left + int(heights[left:right].argmin()) for left, right in pairwise(group)]
        shoulders, necks = heights[[first, last]], heights[valleys]
        if (
            np.ptp(shoulders) > tolerance
            or np.ptp(necks) > tolerance
            or shoulders.min() - necks.max() < depth
            or np.any(heights[heads] <= shoulders.max())
        ):
            continue
        after = heights[last + 1 : last + 1 + last - first]
        broken = np.flatnonzero(after < necks.min())
        if broken.size and after[: broken[0]].max(initial=-np.inf) <= shoulders.max():
            known_at = max(last + 1 + int(broken[0]), last + confirm)
            found.append(Pattern(kind, tuple(sorted([*group, *valleys])), known_at))
    return tuple(sorted(found, key=lambda pattern: pattern.known))


def _divergences(kind, close, sign, confirm, length):
    """Neighbouring tops of sign · price that rise while sign · RSI falls."""
    strength = sign * rsi(close, length)
    heights = sign * prices(close)
    confirm = checks.whole("confirm (bars)", confirm, at_least=1)
    return tuple(
        Pattern(kind, (first, last), last + confirm)
        for first, last in pairwise(tops(heights, confirm))
        if heights[last] > heights[first] and strength[last] < strength[first]
    )


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

    Examples
    --------
    >>> known(double_top([100, 110, 100, 111, 105, 99, 98], confirm=1), bars=7)
    array([False, False, False, False, False,  True, False])
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
