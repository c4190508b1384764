"""Simulated markets, calibrated to measured periods: one path for a lesson, thousands for Monte Carlo.

A bar's log return is Student-t with clustering volatility; the premium of the perpetual is an autocorrelated
latent number, driven by returns, mapped to the funding rates measured in the period. The parameters, their
periods and sources are in ``scenarios.toml``; the model is described there as well.
"""

import functools
import tomllib
from importlib import resources

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.market import frame, simulation
from hedgelib.market.frame import Paths

_BLOCK = 500  # paths that share their streams
_AT_ONCE = 30_000  # bars simulated at once: the model needs room for some twenty numbers for each
_LARGEST = 50_000_000


def scenarios():
    """Return the names of the scenarios and the periods that they are calibrated to.

    Returns
    -------
    dict of str to str
        The period, in words and dates, by name.

    Examples
    --------
    >>> scenarios()["crash"]
    'the crash of March 2020 (2020-02-13 to 2020-03-31)'
    """
    return {name: f"{spec['what']} ({spec['period']})" for name, spec in _book()["scenario"].items()}


def scenario(name, seed=0, days=None, coins=("BTC",)):
    """Simulate one path of a market that is like a stated period of the past.

    The path is conditioned on the period: over its days the coin moves by as much as it did then (in
    proportion for other `days`), its daily volatility is that of the period, and so is the distribution of
    funding. So a pullback falls for every seed; what differs is the way. For chances use `paths`, which is
    not conditioned.

    Parameters
    ----------
    name : str
        One of `scenarios`.
    seed : int
        Same number, same path.
    days : int, optional
        Length; the period's own if not given.
    coins : tuple of str
        ``("BTC",)``, ``("ETH",)`` or several. Adding a coin does not change the others.

    Returns
    -------
    pandas.DataFrame
        A market frame of 8-hour bars, or for several coins one frame beside the other: ``market["ETH"]`` is a
        market frame. The dates are invented; ``attrs["label"]`` says that it is simulated, and as what.

    Raises
    ------
    ValueError
        If the name or a coin is unknown, or `seed` or `days` is not a whole number in range.

    Examples
    --------
    >>> market = scenario("pullback")
    >>> market["spot"].iloc[[0, -1]].round().tolist()
    [65000.0, 54854.0]
    """
    spec = _spec(name)
    days, most = spec["days"] if days is None else days, _LARGEST // simulation.BARS_A_DAY
    days = checks.whole("days", days, at_least=2, at_most=most)
    seed = checks.whole("seed", seed, at_least=0, at_most=2**53)
    if not isinstance(coins, tuple | list) or not coins or len(set(map(str, coins))) < len(coins):
        got = checks.shown(coins)
        raise ValueError(f"coins must be a tuple of different coins, as in ('BTC', 'ETH'), got {got}")
    markets = {}
    for coin in coins:
        drift = simulation.trend(spec, _coin(name, coin))
        shape, draw = (1, days * simulation.BARS_A_DAY), simulation.streams(spec, seed)
        columns = simulation.simulate(spec, coin, shape, draw, drift, conditioned=True)
        label = f"simulated {coin}: like {scenarios()[name]}, seed {seed}"
        paths = Paths(**columns, label=label, symbol=f"{coin}USDT")
        markets[coin] = paths.frame(0)
    if len(coins) == 1:
        return markets[coins[0]]
    label = f"simulated {' and '.join(coins)}: like {scenarios()[name]}, seed {seed}"
    several = pd.concat(markets, axis=1)
    several.attrs = {"source": "scenario", "hours": simulation.HOURS, "label": label}
    return several


def paths(name, n, days=None, seed=0, coin="BTC", drift=None):
    """Simulate many independent paths for Monte Carlo.

    Nothing is conditioned: return, volatility and funding differ from path to path as the model has it.
    Each drifts at the mean log return of the period, which is hindsight, not a forecast; ``drift=0`` takes
    no view.

    Parameters
    ----------
    name : str
        One of `scenarios`; "perp_era" is the long run.
    n : int
        Number of paths; the first ones do not depend on it.
    days : int, optional
        Length; the period's own if not given (a year for "perp_era").
    seed : int
        Same number, same paths.
    coin : str
        ``"BTC"`` or ``"ETH"``; the same seed gives paths that belong together.
    drift : float, optional
        Mean log return (fraction per year); that of the period if not given.

    Returns
    -------
    Paths
        Arrays of shape (n, 3 · days + 1).

    Raises
    ------
    ValueError
        If the name or the coin is unknown, or a number is out of range.

    Examples
    --------
    >>> paths("perp_era", n=100, days=60).mark.shape
    (100, 181)
    """
    spec = _spec(name)
    days, most = spec["days"] if days is None else days, _LARGEST // simulation.BARS_A_DAY
    days = checks.whole("days", days, at_least=1, at_most=most)
    seed = checks.whole("seed", seed, at_least=0, at_most=2**53)
    bars = days * simulation.BARS_A_DAY
    n = checks.whole("n (paths)", n, at_least=1, at_most=_LARGEST // bars)
    trended = simulation.trend(spec, _coin(name, coin))
    drift = trended if drift is None else drift
    drift = checks.single("drift (log return per year)", drift, at_least=-100, at_most=100)
    columns = {column: np.empty((n, bars + 1)) for column in frame.COLUMNS}
    at_once = max(_AT_ONCE // bars, 1)
    for first in range(0, n, _BLOCK):
        draw, last = simulation.streams(spec, seed, first // _BLOCK), min(first + _BLOCK, n)
        for start in range(first, last, at_once):
            rows = slice(start, min(start + at_once, last))
            shape = rows.stop - start, bars
            for column, values in simulation.simulate(spec, coin, shape, draw, drift).items():
                columns[column][rows] = values
    view = "no drift" if drift == 0 else f"{drift:+.0%} log drift a year"
    return Paths(**columns, label=f"simulated {coin}: like {scenarios()[name]}, {view}", symbol=f"{coin}USDT")


@functools.cache
def _book():
    """Parameters of all scenarios."""
    return tomllib.loads((resources.files("hedgelib.market") / "scenarios.toml").read_text("utf-8"))


def _spec(name):
    """Parameters of one scenario, the common ones among them."""
    known = _book()["scenario"]
    return _book()["model"] | known[checks.one_of("scenario", name, tuple(known))]


def _coin(name, coin):
    """Return the coin if the scenario has it."""
    return checks.one_of(f"coin of {name}", coin, tuple(_spec(name)["coins"]))
