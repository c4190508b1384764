"""How much to short: minimum-variance ratio, its error and effectiveness, beta, and ratios that move in time.

Series are price changes or returns, one per bar, of what is held (`spot`) and what is shorted (`futures`).
From price changes a ratio is coins short per coin held; from returns, notional short per notional held.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from hedgelib import checks
from hedgelib.dynamic_ratio import changes, dcc, ewma, out_of_sample, rolling

__all__ = [
    "Estimate",
    "basket",
    "beta",
    "dcc",
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

    def interval(self, level=0.95):
        """Confidence interval of the ratio, by the normal approximation.

        Parameters
        ----------
        level : float
            Coverage, between 0 and 1.

        Returns
        -------
        tuple of two floats or arrays
            Lower and upper end.

        Raises
        ------
        ValueError
            If `level` is not between 0 and 1.

        Examples
        --------
        >>> low, high = Estimate(ratio=1.11, stderr=0.029, r_squared=0.70, observations=2379).interval()
        >>> print(f"{low:.2f} to {high:.2f}")
        1.05 to 1.17
        """
        tail = (1 + checks.single("level", level, above=0, below=1)) / 2
        reach = NormalDist().inv_cdf(min(tail, np.nextafter(1, 0))) * self.stderr
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

    Raises
    ------
    ValueError
        If a number is missing or infinite, a series does not vary, the lengths differ, or n is below 3.

    Notes
    -----
    Source: Ederington, The Hedging Performance of the New Futures Markets, Journal of Finance 34, 1979; Hull,
    Options, Futures, and Other Derivatives, ch. 3. Errors: Newey and West, Econometrica 55, 1987, with the
    usual rule of thumb for the lags; their sum by statsmodels.

    Examples
    --------
    A future that moves twice as much as the coin:

    >>> best = minimum_variance(spot=[1, -2, 3, -1], futures=[2, -4, 6, -2])
    >>> print(f"{best.ratio:.2f} removes {best.effectiveness:.0%}")
    0.50 removes 100%
    """
    spot, futures = changes(spot=spot, futures=futures)
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

    Returns
    -------
    Estimate
        Its ``ratio`` is β.

    Raises
    ------
    ValueError
        As `minimum_variance`.

    Notes
    -----
    Source: Hull, ch. 3; computed as `minimum_variance`.

    Examples
    --------
    >>> both = beta(asset=[0.03, -0.04, 0.02, -0.01], benchmark=[0.02, -0.02, 0.01, -0.01])
    >>> print(f"{both.ratio:.2f}, R² {both.r_squared:.2f}")
    1.70, R² 0.96
    """
    asset, benchmark = changes(asset=asset, benchmark=benchmark)
    return _regress(asset, benchmark, lags)


def basket(asset, hedges, lags=None):
    """Minimum-variance ratios of several hedges used together, by multiple regression.

    Parameters
    ----------
    asset : array, shape (n,)
        Changes or returns of the holding.
    hedges : array, shape (n, k)
        Changes or returns of the k things shorted, one column each.
    lags : int, optional
        As in `minimum_variance`.

    Returns
    -------
    Estimate
        With ``ratio`` and ``stderr`` of shape (k,). Their joint move is ``hedges @ ratio``.

    Raises
    ------
    ValueError
        As `minimum_variance`; also if n is below k + 2 or one hedge is a mixture of the others.

    Notes
    -----
    Source: Hull, ch. 3, with several regressors.

    Examples
    --------
    A coin that moves as one half of the first future and twice the second:

    >>> first, second = np.array([2, -4, 6, -2, 0]), np.array([1, 1, -1, 0, -1])
    >>> basket(first / 2 + 2 * second, np.column_stack([first, second])).ratio.round(6)
    array([0.5, 2. ])
    """
    hedges = np.asarray(checks.number("hedges", hedges))
    if hedges.ndim != 2 or not hedges.size:
        raise ValueError(f"hedges must be a table, one column per hedge, got shape {hedges.shape}")
    asset, *columns = changes(asset=asset, **{f"hedge {i}": column for i, column in enumerate(hedges.T)})
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

    Raises
    ------
    ValueError
        As `minimum_variance`; also if `ratio` is missing or infinite.

    Notes
    -----
    Source: Ederington 1979; Hull, ch. 3.

    Examples
    --------
    Half a hedge in the same asset leaves a quarter of the variance:

    >>> effectiveness(spot=[1, -2, 3], futures=[1, -2, 3], ratio=0.5)
    0.75
    """
    spot, futures = changes(spot=spot, futures=futures)
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
        Changes of `spot` and `futures`.

    Raises
    ------
    ValueError
        If a price is missing or infinite, the lengths differ, or `bars` is no whole number from 1 to n − 1.

    Notes
    -----
    Source: Ederington 1979. Overlapping changes would repeat the same news and understate the error.

    Examples
    --------
    >>> horizon(spot=[100, 101, 104, 103, 99], futures=[100, 102, 105, 104, 99], bars=2)
    (array([ 4., -5.]), array([ 5., -6.]))
    """
    spot, futures = changes(spot=spot, futures=futures)
    bars = checks.whole("bars", bars, at_least=1, at_most=len(spot) - 1)
    return np.diff(spot[::bars]), np.diff(futures[::bars])


def _regress(held, shorted, lags):
    """Least squares with intercept of `held` on the column or columns of `shorted`."""
    # Only its Newey–West sum: all of its regression would take another 60 MB of every kernel.
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    columns = shorted.reshape(len(held), -1)
    observations, hedges = columns.shape
    if observations < hedges + 2:
        raise ValueError(f"{hedges} hedges need at least {hedges + 2} observations, got {observations}")
    if lags is None:
        lags = int(4 * (observations / 100) ** (2 / 9))
    lags = checks.whole("lags", lags, at_least=0, at_most=observations - 1)
    # Standardised, the slope is the correlation, whatever the units; it scales back by σ_held / σ_shorted.
    held_spread, spreads = np.std(held), np.std(columns, axis=0)
    held, columns = (held - held.mean()) / held_spread, (columns - columns.mean(axis=0)) / spreads
    if np.linalg.matrix_rank(columns) < hedges:
        raise ValueError("hedges must not be mixtures of each other: their ratios cannot be told apart")
    slopes = np.linalg.lstsq(columns, held)[0]
    left = held - columns @ slopes
    bread = np.linalg.inv(columns.T @ columns)
    errors = np.sqrt(np.diag(bread @ S_hac_simple(columns * left[:, np.newaxis], lags) @ bread))
    ratio, stderr = slopes * held_spread / spreads, errors * held_spread / spreads
    if shorted.ndim == 1:
        ratio, stderr = ratio.item(), stderr.item()
    return Estimate(ratio, stderr, float(1 - left @ left / (held @ held)), observations)
