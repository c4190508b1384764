"""The model behind the simulated markets: returns, clustering volatility, premium, funding and basis.

The parameters are described in ``scenarios.toml``.
"""

import functools
import zlib

import numpy as np
from scipy.signal import lfilter
from scipy.special import chdtr, chdtrc, ndtri

from hedgelib import funding

HOURS = 8
"""Length of a simulated bar, and the funding interval."""

BARS_A_DAY = 24 // HOURS

_YEAR = 365 * BARS_A_DAY
_BAND = 5.0
_INTEREST = 1.0


def trend(model, coin):
    """Mean log return of the period (fraction per year), without the day that stands apart, if there is one.

    >>> round(trend({"days": 30, "coins": {"BTC": {"return": 0.1}}}, "BTC"), 4)
    1.1596
    """
    own = model["coins"][coin]
    return float(np.log1p(own["return"]) - np.log1p(own.get("worst_day", 0.0))) * 365 / model["days"]


def streams(model, seed, block=0):
    """Return a function that gives the generator for each use of chance, by what it is used for.

    ``draw("BTC change")`` is always the same generator, which goes on where it stopped: neither another coin
    nor another path changes the rest.

    Parameters
    ----------
    model : dict
        Parameters of a scenario and the common ones.
    seed : int
        Same number, same paths.
    block : int
        Which block of paths.
    """

    @functools.cache
    def draw(what):
        return np.random.default_rng([zlib.crc32(what.encode()), model["stream"], seed, block])

    return draw


def simulate(model, coin, shape, draw, drift, conditioned=False):
    """Simulate some paths of one coin: the columns of a market frame, each of shape (paths, bars + 1).

    Called again with the same streams, it returns the next paths of the block. Nothing is checked here: that
    is done by `hedgelib.market`.

    Parameters
    ----------
    model : dict
        Parameters of a scenario and the common ones.
    coin : str
        Which coin of the model.
    shape : (int, int)
        Number of paths, and of bars after the first; whole days if `conditioned`.
    draw : callable
        The `streams`.
    drift : float
        Mean log return (fraction per year).
    conditioned : bool
        Whether each path has to have the return, the daily volatility and the funding of the period.

    Notes
    -----
    High and low are extremes of a Brownian bridge between two closes, drawn independently of each other
    (Glasserman, Monte Carlo Methods in Financial Engineering, 2003, section 6.4).
    """
    rows, bars = shape
    factor = _volatility_factor(draw, model, shape)
    leader, own = model["coins"]["BTC"], model["coins"][coin]
    deviation = leader["volatility"] / _YEAR**0.5
    change, variance = _student(draw, "BTC", model["dof"], deviation * factor)
    score = _score(draw, "BTC", (change + _worst_day(model, "BTC", bars)) / deviation, model)
    if conditioned:
        change, variance = _condition(change, variance, leader["volatility"])
    if coin != "BTC":
        beta = own["correlation"] * own["volatility"] / leader["volatility"]
        deviation = own["volatility"] * ((1 - own["correlation"] ** 2) / _YEAR) ** 0.5
        rest, rest_variance = _student(draw, coin, model["dof"], deviation * factor)
        change, variance = beta * change + rest, beta**2 * variance + rest_variance
        shared = model["premium_shared"]
        score = shared * score + (1 - shared**2) ** 0.5 * _score(draw, coin, rest / deviation, model)
        if conditioned:
            change, variance = _condition(change, variance, own["volatility"])
    if conditioned:
        ranks = score.argsort(axis=1).argsort(axis=1)
        score = ndtri((np.arange(bars + 1) + 0.5) / (bars + 1))[ranks]

    premium = np.interp(score, *_premium(own["funding"])) / 1e4
    noise = model["basis_noise"] / 1e4 * draw(f"{coin} basis").standard_normal((rows, bars + 1))
    noise[:, 1:] *= factor
    worst = _worst_day(model, coin, bars)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = (change + worst + drift / _YEAR).cumsum(axis=1)
        spot = own["start"] * np.exp(np.pad(total, ((0, 0), (1, 0))))
        mark = spot * (1 + premium + noise)
        high, low = _extremes(draw, coin, mark, variance + worst**2)
    rates = funding.rate(premium, interest=_INTEREST / 1e4, hours=HOURS, cap=own["cap"])
    return {"spot": spot, "mark": mark, "mark_high": high, "mark_low": low, "funding": rates}


def _worst_day(model, coin, bars):
    """Log change of each bar on the day that the scenario puts in its place, 0 on the others."""
    change = np.zeros(bars)
    if "worst_day" in model:
        first = (model["worst_day"]["day"] - 1) * BARS_A_DAY
        fall = np.log1p(model["coins"][coin]["worst_day"]) * np.array(model["worst_day"]["shares"])
        here = change[first : first + BARS_A_DAY]
        here += fall[: len(here)]
    return change


def _volatility_factor(draw, model, shape):
    """Factor on the usual volatility: two log-normal autoregressions, mean square 1."""
    logarithm = np.zeros(shape)
    for part, spread in model["volatility_spread"].items():
        keep = 0.5 ** (HOURS / 24 / model["volatility_half_life"][part])
        logarithm += (
            spread * _autoregression(draw(f"{part} volatility").standard_normal(shape), keep) - spread**2
        )
    return np.exp(logarithm)


def _student(draw, coin, dof, deviation):
    """Student-t changes with this standard deviation, and the variance of each bar given its mixing variable.

    The variance of a bar is at most 16 times what its volatility makes usual: that keeps the far tail within
    what was ever seen.
    """
    limit = 16.0
    mixing = np.minimum((dof - 2) / draw(f"{coin} tails").chisquare(dof, deviation.shape), limit)
    mixing /= _bounded_mean(dof, limit)
    variance = deviation**2 * mixing
    return draw(f"{coin} change").standard_normal(deviation.shape) * np.sqrt(variance), variance


def _bounded_mean(dof, limit):
    """Mean of (dof − 2) / χ² where it is bounded by `limit`."""
    # Below the bound, (dof − 2) / χ² times the density of χ² is the density with two degrees of freedom less.
    edge = (dof - 2) / limit
    return chdtrc(dof - 2, edge) + limit * chdtr(dof, edge)


def _score(draw, coin, shocks, model):
    """Latent sentiment at each close, standard normal: a slow part that follows returns, and a fast one."""
    rows, bars = shocks.shape
    parts = []
    for part, weight in model["premium_weight"].items():
        parts.append(draw(f"{coin} {part} premium").standard_normal((rows, bars + 1)))
        if part == "slow":
            follow = model["premium_follows_returns"]
            parts[-1][:, 1:] = follow * shocks + (1 - follow**2) ** 0.5 * parts[-1][:, 1:]
        keep = 0.5 ** (HOURS / 24 / model["premium_half_life"][part])
        parts[-1] = weight**0.5 * _autoregression(parts[-1], keep)
    return sum(parts)


def _autoregression(shocks, keep):
    """First-order autoregression of unit variance that starts in its long-run state."""
    fresh = shocks * (1 - keep**2) ** 0.5
    fresh[:, 0] = shocks[:, 0]
    return lfilter([1], [1, -keep], fresh)


def _condition(change, variance, volatility):
    """Bend a path so that it ends where it began and has this daily volatility.

    The end is moved as a Brownian bridge would, each bar in proportion to its variance.
    """
    change = change - variance * change.sum(axis=1, keepdims=True) / variance.sum(axis=1, keepdims=True)
    daily = change.reshape(len(change), -1, BARS_A_DAY).sum(axis=2).std(axis=1, ddof=1, keepdims=True)
    scale = volatility / 365**0.5 / daily
    return scale * change, scale**2 * variance


def _premium(measured):
    """Knots (normal score, premium in basis points) whose funding rates have the measured distribution.

    This undoes the clamp: a rate above the interest is a premium 5 bp higher, one below it 5 bp lower. Rates
    do not tell apart the premiums that give the interest; the basis shows half of them below −1.3 bp.
    """
    shares, rates = np.transpose(measured)
    premium = rates + _BAND * np.sign(rates - _INTEREST)
    first, last = np.flatnonzero(rates == _INTEREST)[[0, -1]]
    premium[[first, last]] = _INTEREST - _BAND, _INTEREST + _BAND
    shares = np.insert(shares, last, (shares[first] + shares[last]) / 2)
    return ndtri(shares), np.insert(premium, last, -1.3)


def _extremes(draw, coin, mark, variance):
    """High and low of mark within each bar; those of the first bar are its close."""
    start, end = np.log(mark[:, :-1]), np.log(mark[:, 1:])
    high, low = mark.copy(), mark.copy()
    for column, what, sign, compare in ((high, "high", 1, np.maximum), (low, "low", -1, np.minimum)):
        distance = draw(f"{coin} {what}").standard_exponential(variance.shape)
        reach = np.sqrt((end - start) ** 2 + 2 * variance * distance)
        column[:, 1:] = compare(np.exp((start + end + sign * reach) / 2), mark[:, 1:])
    return high, low
