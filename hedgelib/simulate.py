"""The model behind the simulated markets: returns, clustering volatility, premium, funding and basis.

Bar by bar, with the parameters that ``scenarios.toml`` describes:

- A log return of BTC is a Student-t shock at the volatility of the bar, a drift that lasts for weeks, and now
  and then a sudden fall. Volatility follows two autoregressions, which bad shocks and falls raise.
- Another coin follows BTC, more in falls than in rises, and has shocks and a drift of its own.
- Sentiment follows returns slowly and jumps about quickly. It is mapped to the premiums whose funding has the
  measured distribution. Greed lasts, fear does not: funding below zero reverts sooner than high funding.
- Mark is spot times one plus the premium, with a little noise, and a gap below it in a sudden fall.
"""

import functools
import zlib

import numpy as np
from scipy.special import chdtr, chdtrc, gamma, ndtr, ndtri

from hedgelib import funding

HOURS = 8
"""Length of a simulated bar, and the funding interval."""

BARS_A_DAY = 24 // HOURS

_YEAR = 365 * BARS_A_DAY
_BAND = 5.0
_INTEREST = 1.0
_MOST = 16.0


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
    leader, own, momentum = model["coins"]["BTC"], model["coins"][coin], model["momentum"]
    deviation, worst = leader["volatility"] / _YEAR**0.5, _worst_day(model, "BTC", bars)
    falls = _falls(draw, model, shape)
    shocks, mixing = _student(draw, "BTC", model["dof"], shape)
    factor = _volatility_factor(draw, model, shocks, falls + worst / deviation)
    usual = deviation * (1 - momentum["BTC"] - _falls_moment(model, 2)) ** 0.5 * factor
    sudden = falls + _falls_moment(model, 1)
    change = usual * shocks + deviation * (_momentum(draw, model, "BTC", momentum["BTC"], shape) + sudden)
    variance = usual**2 * mixing
    score = _score(draw, model, "BTC", shocks, falls + worst / deviation)
    if conditioned:
        change, variance = _condition(change, variance, leader["volatility"])
    if coin != "BTC":
        beta, left = _following(model, coin)
        size = usual * _mean_size(model["dof"]) + deviation * _falls_moment(model, 1)
        shocks, mixing = _student(draw, coin, model["dof"], shape)
        deviation = left / _YEAR**0.5
        usual = deviation * (1 - momentum["own"]) ** 0.5 * factor
        alone = usual * shocks + deviation * _momentum(draw, model, coin, momentum["own"], shape)
        change = beta * change - model["tilt"] * (np.abs(change) - size) + alone
        variance = beta**2 * variance + usual**2 * mixing
        shared = model["premium_shared"]
        score = shared * score + (1 - shared**2) ** 0.5 * _score(draw, model, coin, shocks, np.zeros(shape))
        if conditioned:
            change, variance = _condition(change, variance, own["volatility"])
    if conditioned:
        ranks = score.argsort(axis=1).argsort(axis=1)
        score = ndtri((np.arange(bars + 1) + 0.5) / (bars + 1))[ranks]

    premium = np.interp(score, *_premium(own["funding"])) / 1e4
    worst = _worst_day(model, coin, bars)
    plunge = worst + own["volatility"] / _YEAR**0.5 * falls
    noise = model["basis_noise"] / 1e4 * draw(f"{coin} basis").standard_normal((rows, bars + 1))
    noise[:, 1:] = factor * noise[:, 1:] + model["basis_in_falls"] * plunge
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        total = (change + worst + drift / _YEAR).cumsum(axis=1)
        spot = own["start"] * np.exp(np.pad(total, ((0, 0), (1, 0))))
        mark = spot * (1 + premium + noise)
        high, low = _extremes(draw, coin, mark, variance + (plunge / 3) ** 2)
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


def _falls(draw, model, shape):
    """Sudden falls of BTC, in standard deviations of a bar and 0 on most bars; their sizes are Pareto."""
    falls = model["falls"]
    small, large, exponent = falls["smallest"], falls["largest"], falls["exponent"]
    there = draw("falls").random(shape) < falls["a_year"] / _YEAR
    beyond = 1 - draw("sizes of falls").random(shape) * (1 - (small / large) ** exponent)
    return np.where(there, -(BARS_A_DAY**0.5) * small * beyond ** (-1 / exponent), 0.0)


def _falls_moment(model, power):
    """Mean of the sizes of falls to this power, over all bars."""
    falls, exponent = model["falls"], model["falls"]["exponent"]
    small, large = (BARS_A_DAY**0.5 * falls[end] for end in ("smallest", "largest"))
    mean = exponent / (power - exponent) * (large ** (power - exponent) - small ** (power - exponent))
    return falls["a_year"] / _YEAR * mean / (small**-exponent - large**-exponent)


def _following(model, coin):
    """Beta of a coin on BTC before the tilt, and the volatility that is its own.

    With the tilt, which adds to both as falls are larger than rises, they give what was measured.
    """
    own, volatility = model["coins"][coin], model["coins"]["BTC"]["volatility"]
    tilt, falls = model["tilt"], _falls_moment(model, 2)
    beta = own["correlation"] * own["volatility"] / volatility - tilt * falls
    spread = (1 - falls) * (1 - _mean_size(model["dof"]) ** 2) + falls
    followed = beta**2 + 2 * beta * tilt * falls + tilt**2 * spread
    return beta, (own["volatility"] ** 2 - followed * volatility**2) ** 0.5


def _momentum(draw, model, coin, share, shape):
    """Drift that lasts for weeks, in standard deviations of a bar: this share of the variance of a day."""
    keep = _keep(model["momentum_half_life"])
    return (share / BARS_A_DAY) ** 0.5 * _autoregression(
        draw(f"{coin} momentum").standard_normal(shape), keep
    )


def _volatility_factor(draw, model, shocks, falls):
    """Factor on the usual volatility, mean square about 1: two log-normal autoregressions.

    A bad shock raises both (the leverage effect), a sudden fall the slow one.
    """
    logarithm, follow = np.zeros(shocks.shape), model["volatility_follows_shocks"]
    for part, spread in model["volatility_spread"].items():
        news = draw(f"{part} volatility").standard_normal(shocks.shape)
        bad = -shocks - (falls + _falls_moment(model, 1) if part == "slow" else 0)
        news[:, 1:] = follow * bad[:, :-1] + (1 - follow**2) ** 0.5 * news[:, 1:]
        logarithm += spread * _autoregression(news, _keep(model["volatility_half_life"][part])) - spread**2
    return np.exp(logarithm)


def _student(draw, coin, dof, shape):
    """Student-t shocks of variance 1, and the variance of each given its mixing variable.

    It is at most 16 times the usual one: that keeps the far tail within what was ever seen.
    """
    mixing = np.minimum((dof - 2) / draw(f"{coin} tails").chisquare(dof, shape), _MOST)
    mixing /= _bounded_moment(dof, 1)
    return draw(f"{coin} change").standard_normal(shape) * np.sqrt(mixing), mixing


def _bounded_moment(dof, power):
    """Mean of (dof − 2) / χ², bounded, to this power."""
    edge, half = (dof - 2) / _MOST, dof / 2
    free = ((dof - 2) / 2) ** power * gamma(half - power) / gamma(half)
    return free * chdtrc(dof - 2 * power, edge) + _MOST**power * chdtr(dof, edge)


def _mean_size(dof):
    """Mean of the absolute value of the shocks of `_student`."""
    return (2 / np.pi) ** 0.5 * _bounded_moment(dof, 0.5) / _bounded_moment(dof, 1) ** 0.5


def _score(draw, model, coin, shocks, falls):
    """Latent sentiment at each close, standard normal: a slow part that follows returns, and a fast one.

    The slow part counts only above zero, and a sudden fall moves the fast one: fear does not last.
    """
    rows, bars = shocks.shape
    parts = {}
    for part, half_life in model["premium_half_life"].items():
        news = draw(f"{coin} {part} premium").standard_normal((rows, bars + 1))
        if part == "slow":
            follow = model["premium_follows_returns"]
            news[:, 1:] = follow * shocks + (1 - follow**2) ** 0.5 * news[:, 1:]
        else:
            news[:, 1:] += model["premium_in_falls"] * falls
        parts[part] = model["premium_weight"][part] ** 0.5 * _autoregression(news, _keep(half_life))
    sums, scores = _normal_scores(**model["premium_weight"])
    return np.interp(np.maximum(parts["slow"], 0) + parts["fast"], sums, scores)


@functools.cache
def _normal_scores(slow, fast):
    """Sums of the two parts of sentiment, which have these variances, and the normal scores of as many."""
    sums = np.linspace(-6, 6, 241)
    greed = slow**0.5 * np.maximum(ndtri((np.arange(1_000) + 0.5) / 1_000), 0)
    scores = ndtri(ndtr((sums[:, np.newaxis] - greed) / fast**0.5).mean(axis=1))
    return sums[np.isfinite(scores)], scores[np.isfinite(scores)]


def _keep(half_life):
    """Share of a deviation that is left after a bar, for a half-life in days."""
    return 0.5 ** (1 / BARS_A_DAY / half_life)


def _autoregression(shocks, keep):
    """First-order autoregression of unit variance that starts in its long-run state."""
    from scipy.signal import lfilter  # brings 50 MB that stored markets do not need

    shocks = shocks * (1 - keep**2) ** 0.5
    shocks[:, 0] /= (1 - keep**2) ** 0.5
    return lfilter([1], [1, -keep], shocks)


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
