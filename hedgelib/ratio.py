"""How much to short: minimum-variance ratio, its error and effectiveness, beta, and ratios that move in time.

Series are price changes or returns, one per bar, of what is held (`spot`) and what is shorted (`futures`).
From price changes a ratio is coins short per coin held; from returns, notional short per notional held.
Arrays are paired by place; series and frames of pandas must have the same index, or they are refused.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from hedgelib import checks

__all__ = [
    "Estimate",
    "basket",
    "beta",
    "effectiveness",
    "ewma",
    "horizon",
    "minimum_variance",
    "out_of_sample",
    "rolling",
]


@dataclass(frozen=True, eq=False)
class Estimate:
    """A hedge ratio, or one per hedge of a basket, with its uncertainty.

    Parameters
    ----------
    ratio : float or array, shape (hedges,)
        Units short per unit held; for `beta`, the sensitivity to the benchmark.
    stderr : float or array, shape (hedges,)
        Standard error of each ratio (Newey–West).
    r_squared : float
        Share of variance explained, 0 to 1.
    observations : int
        Bars the estimate rests on.
    """

    ratio: float | np.ndarray
    stderr: float | np.ndarray
    r_squared: float
    observations: int

    @property
    def effectiveness(self):
        """Share of the variance that the hedge removed in this very sample: at the optimum it equals R²."""
        return self.r_squared

    def interval(self, coverage=0.95):
        """Confidence interval of the ratio, by the normal approximation: its lower and its upper end.

        Parameters
        ----------
        coverage : float
            How often such intervals hold the true ratio, between 0 and 1.

        Examples
        --------
        >>> low, high = Estimate(ratio=1.11, stderr=0.029, r_squared=0.70, observations=2379).interval()
        >>> print(f"{low:.2f} to {high:.2f}")
        1.05 to 1.17
        """
        outside = 1 - checks.single("coverage", coverage, above=0, below=1)
        reach = -ndtri(outside / 2) * self.stderr
        return self.ratio - reach, self.ratio + reach


def minimum_variance(spot, futures, lags=None):
    """Hedge ratio that leaves the least variance: Cov(spot, futures) / Var(futures) = ρ · σ_spot / σ_futures.

    Parameters
    ----------
    spot : array, shape (n,)
        Changes or returns of the holding.
    futures : array, shape (n,)
        Changes or returns of what is shorted, over the same bars.
    lags : int, optional
        Lags of autocorrelation the standard error allows for; ⌊4 · (n / 100)^(2/9)⌋ if not given.

    Returns
    -------
    Estimate
        Its ``effectiveness`` is that of the ratio in this sample.

    Notes
    -----
    Source: Ederington, The Hedging Performance of the New Futures Markets, Journal of Finance 34, 1979; Hull,
    Options, Futures, and Other Derivatives, ch. 3. Errors: Newey and West, Econometrica 55, 1987, with the
    usual rule of thumb for the lags.

    Examples
    --------
    A future that moves twice as much as the coin:

    >>> best = minimum_variance(spot=[1, -2, 3, -1], futures=[2, -4, 6, -2])
    >>> print(f"{best.ratio:.2f} removes {best.effectiveness:.0%}")
    0.50 removes 100%
    """
    spot, futures = paired(spot=spot, futures=futures)
    return _regress(spot, futures, lags)


def beta(asset, benchmark, lags=None):
    """Sensitivity of an asset to a benchmark: Cov(asset, benchmark) / Var(benchmark).

    It is the ratio to hedge `asset` with `benchmark`. To hedge the other way round takes the other beta:
    1 / β is too much by the factor 1 / R².

    Parameters
    ----------
    asset : array, shape (n,)
        Returns of the asset (fraction per bar).
    benchmark : array, shape (n,)
        Returns of the benchmark over the same bars (fraction per bar).
    lags : int, optional
        As in `minimum_variance`.

    Examples
    --------
    >>> both = beta(asset=[0.03, -0.04, 0.02, -0.01], benchmark=[0.02, -0.02, 0.01, -0.01])
    >>> print(f"{both.ratio:.2f}, R² {both.r_squared:.2f}")
    1.70, R² 0.96
    """
    asset, benchmark = paired(asset=asset, benchmark=benchmark)
    return _regress(asset, benchmark, lags)


def basket(asset, hedges, lags=None):
    """Minimum-variance ratios of several hedges used together, by multiple regression.

    Parameters
    ----------
    asset : array, shape (n,)
        Changes or returns of the holding.
    hedges : array, shape (n, k)
        Changes or returns of the k things shorted, one column each; none may be a mixture of the others.
    lags : int, optional
        As in `minimum_variance`.

    Returns
    -------
    Estimate
        With ``ratio`` and ``stderr`` of shape (k,). Their joint move is ``hedges @ ratio``.

    Examples
    --------
    A coin that moves as one half of the first future and twice the second:

    >>> first, second = np.array([2, -4, 6, -2, 0]), np.array([1, 1, -1, 0, -1])
    >>> basket(first / 2 + 2 * second, np.column_stack([first, second])).ratio.round(6)
    array([0.5, 2. ])
    """
    checks.same_index(asset=asset, hedges=hedges)
    hedges = np.asarray(checks.number("hedges", hedges))
    if hedges.ndim != 2 or not hedges.size:
        raise ValueError(f"hedges must be a table, one column per hedge, got shape {hedges.shape}")
    asset, *columns = paired(asset=asset, **{f"hedge {i}": column for i, column in enumerate(hedges.T)})
    return _regress(asset, np.column_stack(columns), lags)


def effectiveness(spot, futures, ratio):
    """Share of variance that a hedge of any ratio removes: 1 − Var(spot − ratio · futures) / Var(spot).

    Parameters
    ----------
    spot, futures : array, shape (n,)
        Changes or returns, as in `minimum_variance`.
    ratio : float or array of any shape
        Units short per unit held; one ratio, or many to draw the parabola.

    Returns
    -------
    float or array
        1 if nothing is left, 0 for no hedge, negative if the hedge adds variance.

    Notes
    -----
    Source: Ederington 1979; Hull, ch. 3.

    Examples
    --------
    Half a hedge in the same asset leaves a quarter of the variance:

    >>> effectiveness(spot=[1, -2, 3], futures=[1, -2, 3], ratio=0.5)
    0.75
    """
    spot, futures = paired(spot=spot, futures=futures)
    ratio = checks.number("ratio", ratio)
    (spot_variance, covariance), (_, futures_variance) = np.cov(spot, futures)
    return checks.plain((2 * ratio * covariance - ratio**2 * futures_variance) / spot_variance)


def horizon(spot, futures, bars):
    """Changes of two price series over non-overlapping stretches, to estimate the ratio of a longer hedge.

    Parameters
    ----------
    spot, futures : array, shape (n,)
        Prices (USDT per coin); logarithms of prices give log returns.
    bars : int
        Length of one stretch. The bars left over at the end are not used.

    Returns
    -------
    tuple of two arrays, shape ((n − 1) // bars,)
        Changes of `spot` and `futures`. Overlapping ones would repeat the same news and understate the error.

    Examples
    --------
    >>> horizon(spot=[100, 101, 104, 103, 99], futures=[100, 102, 105, 104, 99], bars=2)
    (array([ 4., -5.]), array([ 5., -6.]))
    """
    spot, futures = paired(spot=spot, futures=futures)
    bars = checks.whole("bars", bars, at_least=1, at_most=len(spot) - 1)
    return np.diff(spot[::bars]), np.diff(futures[::bars])


def rolling(spot, futures, window):
    """Minimum-variance ratio over the last `window` bars, known at the close of each bar.

    Parameters
    ----------
    spot, futures : array, shape (n,)
        Changes or returns of what is held and of what is shorted, over the same bars.
    window : int
        Bars in each estimate, 3 or more; `futures` must vary within each.

    Returns
    -------
    array, shape (n,)
        Entry t uses the bars t − window + 1 … t, so it can hedge bar t + 1. NaN before bar window − 1.

    Examples
    --------
    >>> rolling(spot=[1, -1, 1, -2, 2, -2], futures=[1, -1, 1, -1, 1, -1], window=3).round(2)
    array([ nan,  nan, 1.  , 1.25, 1.75, 2.  ])
    """
    spot, futures = paired(spot=spot, futures=futures)
    window = checks.whole("window (bars)", window, at_least=3, at_most=len(spot))
    held, shorted = (np.lib.stride_tricks.sliding_window_view(series, window) for series in (spot, futures))
    if np.any(_still(shorted.max(axis=1), shorted.min(axis=1))):
        raise ValueError(f"futures must vary within every window of {window} bars")
    # Each window from scratch: running sums would carry the rounding errors of a crash along for ever.
    held, shorted = (windows - windows.mean(axis=1, keepdims=True) for windows in (held, shorted))
    estimates = np.vecdot(held, shorted) / np.vecdot(shorted, shorted)
    return np.r_[np.full(window - 1, np.nan), estimates]


def ewma(spot, futures, halflife):
    """Minimum-variance ratio with exponentially fading weights, known at the close of each bar.

    Parameters
    ----------
    spot, futures : array, shape (n,)
        Changes or returns of what is held and of what is shorted, over the same bars.
    halflife : float
        Bars after which an observation counts half; `futures` must move within the first of them.

    Returns
    -------
    array, shape (n,)
        Entry t is Σ w · spot · futures / Σ w · futures² over the bars 0 … t, w = 0.5^(age / halflife), so it
        can hedge bar t + 1. NaN before bar ⌈halflife⌉.

    Notes
    -----
    Source: RiskMetrics Technical Document, 1996, which takes the mean of a bar as zero; its decay of 0.94 is
    a half-life of 11.2 bars.

    Examples
    --------
    >>> ewma(spot=[1, 1, 2, 2], futures=[1, 1, 1, 1.001], halflife=1).round(2)
    array([ nan, 1.  , 1.57, 1.8 ])
    """
    spot, futures = paired(spot=spot, futures=futures)
    halflife = checks.single("halflife (bars)", halflife, above=0, below=len(spot))
    from scipy.signal import lfilter  # brings 50 MB that lessons without a fading ratio do not need

    fading = [1, -(0.5 ** (1 / halflife))]
    covariance, variance = lfilter([1], fading, [spot * futures, futures**2])
    ready = math.ceil(halflife)
    if not np.all(variance[ready:] > 0):
        raise ValueError(f"futures must move within the first {ready + 1} bars")
    return np.r_[np.full(ready, np.nan), covariance[ready:] / variance[ready:]]


def out_of_sample(spot, futures, estimates):
    """Effectiveness of a moving ratio, each bar hedged with the estimate known one bar earlier.

    Parameters
    ----------
    spot, futures : array, shape (n,)
        Changes or returns of what is held and of what is shorted, over the same bars.
    estimates : array, shape (n,)
        Ratio known at the close of each bar, NaN while there is none, as `rolling` and `ewma` return.

    Returns
    -------
    float
        1 − Var(spot[t] − estimates[t − 1] · futures[t]) / Var(spot[t]), over the bars t that have one.

    Examples
    --------
    Always half the right ratio, known from bar 1 on:

    >>> out_of_sample([9, 9, 1, -1, 1], [9, 9, 1, -1, 1], estimates=[np.nan, 0.5, 0.5, 0.5, 0.5])
    0.75
    """
    checks.same_index(spot=spot, estimates=estimates)
    spot, futures = paired(spot=spot, futures=futures)
    array = np.asarray(estimates)
    if array.dtype.kind not in "iuf" or array.shape != spot.shape or np.ma.isMaskedArray(estimates):
        got = checks.shown(estimates)
        raise ValueError(f"estimates must be one number per bar ({len(spot)}), got {got}")
    first = int(np.isnan(array).argmin())
    ratio = checks.number("estimates from the first one on", array[first:-1])
    judged, shorted = paired(spot=spot[first + 1 :], futures=futures[first + 1 :])
    return float(1 - np.var(judged - ratio * shorted) / np.var(judged))


def paired(**series):
    """Return the named series as float arrays if each is one row, all are of the same bars, and all vary."""
    checks.same_index(**series)
    arrays = [checks.number(name, values) for name, values in series.items()]
    if np.ndim(arrays[0]) != 1 or len({np.shape(array) for array in arrays}) > 1:
        listed = ", ".join(f"{name} {np.shape(array)}" for name, array in zip(series, arrays, strict=True))
        raise ValueError(f"{listed} must be one row each, of the same length")
    if len(arrays[0]) < 3:
        raise ValueError(f"{' and '.join(series)} must hold at least 3 observations, got {len(arrays[0])}")
    for name, array in zip(series, arrays, strict=True):
        if _still(array.max(), array.min()):
            raise ValueError(f"{name} must vary, got {array[0]:g} throughout")
    return arrays


def _still(highest, lowest):
    """Whether a range is no more than rounding."""
    return highest - lowest <= np.maximum(1e-12 * np.maximum(np.abs(highest), np.abs(lowest)), 1e-30)


def _regress(held, shorted, lags):
    """Least squares with intercept of `held` on the column or columns of `shorted`."""
    columns = shorted.reshape(len(held), -1)
    observations, hedges = columns.shape
    if observations < hedges + 2:
        raise ValueError(f"{hedges} hedges need at least {hedges + 2} observations, got {observations}")
    if lags is None:
        lags = int(4 * (observations / 100) ** (2 / 9))
    lags = checks.whole("lags", lags, at_least=0, at_most=observations - 1)
    # Standardised, so that no unit decides which hedges count as mixtures of each other.
    spreads = columns.std(axis=0)
    held, columns = held - held.mean(), (columns - columns.mean(axis=0)) / spreads
    slopes, _, rank, _ = np.linalg.lstsq(columns, held)
    if rank < hedges:
        raise ValueError("hedges must not be mixtures of each other: their ratios cannot be told apart")
    left = held - columns @ slopes
    bread = np.linalg.inv(columns.T @ columns)
    errors = np.sqrt(np.diag(bread @ _newey_west(columns * left[:, np.newaxis], lags) @ bread))
    ratio, stderr = slopes / spreads, errors / spreads
    if shorted.ndim == 1:
        ratio, stderr = ratio.item(), stderr.item()
    return Estimate(ratio, stderr, float(1 - left @ left / (held @ held)), observations)


def _newey_west(scores, lags):
    """Covariance of the sum of `scores`, whose neighbours up to `lags` rows apart are correlated."""
    total = scores.T @ scores
    for lag in range(1, lags + 1):
        together = scores[lag:].T @ scores[:-lag]
        total += (1 - lag / (lags + 1)) * (together + together.T)
    return total
