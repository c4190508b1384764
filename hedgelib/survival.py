"""How often a price is touched: the closed form for log-normal paths, by the reflection principle."""

import numpy as np
from scipy.special import erfcx, ndtr

from hedgelib import checks


@checks.arguments(
    rise=checks.numbers("fraction", at_least=0),
    volatility=checks.numbers("fraction per year", above=0),
    days=checks.numbers(above=0),
    log_drift=checks.numbers("per year"),
)
def touch_probability(rise, volatility, days, log_drift=0.0):
    """Probability that a log-normal price rises by `rise` at any time within `days`.

    With the rise at which a short is liquidated it is the probability that the short dies: no top-ups, and
    every moment counts, not only the closes.

    Parameters
    ----------
    rise : float or array
        Distance to the price asked about, as a fraction of the price today, 0 or more: 0.328 is +32.8 %.
    volatility : float or array
        Standard deviation of a year's log return, as a fraction above 0.
    days : float or array
        Length of the time, in days above 0; a year has 365.
    log_drift : float or array
        Drift of the log price per year. 0, the default: a price as likely above as below today's (its median
        stays). −volatility²/2: a price without drift (its mean stays).

    Notes
    -----
    Source: reflection principle of Brownian motion, with drift by Girsanov (Karatzas and Shreve, Brownian
    Motion and Stochastic Calculus, sections 2.6 and 3.5). With b = ln(1 + rise), σ = volatility,
    ν = log_drift and T = days/365:

    P = Φ((νT − b)/(σ√T)) + exp(2νb/σ²) · Φ(−(νT + b)/(σ√T)), which is 2 · Φ(−b/(σ√T)) for ν = 0.

    Examples
    --------
    A 3x short of bitcoin dies at +32.8 %. Within 30 and 60 days, at a volatility of 63 % a year:

    >>> touch_probability(0.328, 0.63, [30, 60]).round(3)
    array([0.116, 0.267])
    """
    barrier, years = np.log1p(rise), np.divide(days, 365)
    spread = volatility * np.sqrt(years)
    ahead, behind = (barrier - log_drift * years) / spread, (barrier + log_drift * years) / spread
    # The factor exp(2νb/σ²) overflows for ν > 0 although its product does not; erfcx holds both together.
    upward = erfcx(np.maximum(behind, 0) / np.sqrt(2)) / 2 * np.exp(-(ahead**2) / 2)
    downward = np.exp(np.minimum(2 * log_drift * barrier / volatility**2, 0)) * ndtr(-behind)
    reflected = np.where(behind > 0, upward, downward)
    return np.minimum(ndtr(-ahead) + reflected, 1.0)
