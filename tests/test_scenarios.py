"""Simulated markets: their moments against the measured ones, their promises, and what is refused."""

import tomllib
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hedgelib import market, simulate

BOOK = tomllib.loads((resources.files("hedgelib") / "scenarios.toml").read_text("utf-8"))["scenario"]
NAMES = sorted(BOOK)
COINS = ("BTC", "ETH")
YEARS = 2379  # days from 2019-09-10 to 2026-03-15

# Measured over those days: volatility, Student-t degrees of freedom (with 90 % interval), mean funding (bp),
# share of settlements above zero, share at exactly 1 bp, autocorrelation of funding at 8 hours and 7 days.
MEASURED = {
    "BTC": (0.627, (2.28, 2.98), 1.1156, 0.865, 0.3737, 0.795, 0.453),
    "ETH": (0.834, (2.59, 3.53), 1.3706, 0.8781, 0.3657, 0.786, 0.445),
}


@pytest.fixture(scope="module")
def long():
    """Forty histories as long as the measured one, of both coins."""
    return {coin: market.paths("perp_era", 40, days=YEARS, coin=coin, drift=0) for coin in COINS}


def daily(paths, drop=None):
    """Daily log returns of spot, without one day (counted from 1) if asked."""
    returns = np.diff(np.log(paths.spot[:, ::3]), axis=1)
    return returns if drop is None else np.delete(returns, drop - 1, axis=1)


def autocorrelation(values, lag):
    centred = values - values.mean(axis=1, keepdims=True)
    return np.mean((centred[:, lag:] * centred[:, :-lag]).mean(axis=1) / centred.var(axis=1))


@pytest.mark.parametrize("coin", COINS)
def test_returns_are_like_the_measured_ones(long, coin):
    volatility, tail, *_ = MEASURED[coin]
    returns = daily(long[coin])
    assert returns.std() * 365**0.5 == pytest.approx(volatility, rel=0.05)
    assert tail[0] < np.mean([stats.t.fit(path)[0] for path in returns[:12]]) < tail[1]
    # Clustering: the autocorrelation of |return| was 0.156 (BTC) and 0.177 (ETH) from day to day.
    assert autocorrelation(np.abs(returns), 1) == pytest.approx(0.16, abs=0.06)
    # The middle half and the ends of 30-day volatility (measured for BTC: 0.275, 0.534, 0.974).
    months = returns[:, : YEARS // 30 * 30].reshape(40, -1, 30).std(axis=2) * 365**0.5 / volatility
    assert np.percentile(months, [5, 50, 95]) == pytest.approx([0.44, 0.85, 1.55], abs=0.12)


def test_coins_move_together_as_measured(long):
    btc, eth = (daily(long[coin]).ravel() for coin in COINS)
    assert np.corrcoef(btc, eth)[0, 1] == pytest.approx(0.834, abs=0.03)
    assert np.cov(btc, eth)[0, 1] / btc.var() == pytest.approx(1.109, abs=0.05)
    both = np.corrcoef(long["BTC"].funding.ravel(), long["ETH"].funding.ravel())[0, 1]
    assert both == pytest.approx(0.82, abs=0.1)


@pytest.mark.parametrize("coin", COINS)
def test_funding_is_like_the_measured_one(long, coin):
    *_, mean, positive, exact, hours, week = MEASURED[coin]
    rates = long[coin].funding
    assert rates.mean() * 1e4 == pytest.approx(mean, abs=0.25)
    assert np.mean(rates > 0) == pytest.approx(positive, abs=0.03)
    assert np.mean(rates == 1e-4) == pytest.approx(exact, abs=0.03)
    assert autocorrelation(rates, 1) == pytest.approx(hours, abs=0.05)
    assert autocorrelation(rates, 21) == pytest.approx(week, abs=0.1)
    # Momentum: 30-day funding and 30-day return were correlated 0.31 (BTC) and 0.47 (ETH).
    sums = np.diff(np.pad(rates[:, 1:].cumsum(axis=1), ((0, 0), (1, 0)))[:, ::90], axis=1)
    gains = np.diff(np.log(long[coin].mark[:, : 90 * sums.shape[1] + 1 : 90]), axis=1)
    assert 0.15 < np.corrcoef(sums.ravel(), gains.ravel())[0, 1] < 0.55


@pytest.mark.parametrize("coin", COINS)
def test_basis_is_like_the_measured_one(long, coin):
    basis = (long[coin].mark / long[coin].spot - 1)[:, ::3] * 1e4
    assert basis.std() == pytest.approx({"BTC": 5.6, "ETH": 6.6}[coin], abs=1)
    assert abs(basis.mean()) < 2
    spot, mark = (np.diff(getattr(long[coin], name)[:, ::3]) for name in ("spot", "mark"))
    assert 1 - np.var(spot - mark) / np.var(spot) > 0.999


@pytest.mark.parametrize("coin", COINS)
def test_highs_reach_as_far_as_measured(coin):
    """How often a short opened on a random day was touched within 60 days; tolerance: the 90 % interval."""
    paths = market.paths("perp_era", 2000, days=60, coin=coin)
    measured = {
        "BTC": {0.49: (0.08, 0.25), 0.32: (0.20, 0.40), 0.19: (0.35, 0.56), 0.09: (0.65, 0.79)},
        "ETH": {0.49: (0.17, 0.38), 0.32: (0.31, 0.52), 0.19: (0.47, 0.70), 0.09: (0.68, 0.84)},
    }
    for rise, (low, high) in measured[coin].items():
        assert low <= np.mean(paths.mark_high[:, 1:].max(axis=1) >= paths.mark[:, 0] * (1 + rise)) <= high


@pytest.mark.parametrize("name", NAMES)
def test_long_paths_have_the_moments_of_their_period(name):
    made = {coin: market.paths(name, 40, days=1000, coin=coin, drift=0) for coin in COINS}
    drop = BOOK[name].get("worst_day", {}).get("day")
    for coin, paths in made.items():
        spec = BOOK[name]["coins"][coin]
        assert daily(paths, drop).std() * 365**0.5 == pytest.approx(spec["volatility"], rel=0.07)
        rates, (shares, settled) = paths.funding * 1e4, np.transpose(spec["funding"])
        exact = np.flatnonzero(settled == 1)
        assert np.mean(rates == 1) == pytest.approx(np.ptp(shares[exact]), abs=0.06)
        assert np.mean(rates > 0) == pytest.approx(1 - np.interp(0, settled, shares), abs=0.05)
    btc, eth = (daily(paths, drop).ravel() for paths in made.values())
    assert np.corrcoef(btc, eth)[0, 1] == pytest.approx(BOOK[name]["coins"]["ETH"]["correlation"], abs=0.05)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("coin", COINS)
@settings(max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_a_scenario_keeps_what_its_period_says(name, coin, seed):
    made, spec = market.scenario(name, seed, coins=(coin,)), BOOK[name]["coins"][coin]
    spot = made["spot"].to_numpy()
    assert spot[-1] / spot[0] == pytest.approx(1 + spec["return"])
    assert spot[0] == spec["start"]
    returns = np.diff(np.log(spot[::3]))
    if "worst_day" in spec:
        worst = BOOK[name]["worst_day"]["day"] - 1
        assert (
            returns[worst] < returns.mean() + np.log1p(spec["worst_day"]) + 6 * spec["volatility"] / 365**0.5
        )
    else:
        assert returns.std(ddof=1) * 365**0.5 == pytest.approx(spec["volatility"])
    shares, settled = np.transpose(spec["funding"])
    exact = np.ptp(shares[settled == 1])
    assert np.mean(made["funding"] == 1e-4) == pytest.approx(exact, abs=2 / len(made) + 1e-4)
    market.validate(made)


def test_the_names_hold_on_the_default_seed():
    made = {name: market.scenario(name, coins=COINS) for name in NAMES}
    change = {name: m["BTC"]["mark"].iloc[-1] / m["BTC"]["mark"].iloc[0] - 1 for name, m in made.items()}
    assert change["bull_run"] > 4 and change["squeeze_up"] > 1 and change["etf_rally"] > 1
    assert change["pullback"] == pytest.approx(-10_000 / 65_000, abs=0.005)
    assert change["crash"] < -0.3 and change["bear"] < -0.7 and abs(change["chop"]) < 0.1
    worst = made["crash"]["BTC"]["spot"].iloc[::3].pct_change().min()
    assert worst == pytest.approx(-0.395, abs=0.03)
    squeeze = made["squeeze_up"]["BTC"]
    assert (
        squeeze["mark_high"].max() > squeeze["mark"].iloc[0] * 1.494
    )  # beyond the liquidation of a 2x short
    for coin, paid in (("BTC", -0.0126), ("ETH", -0.0176)):
        assert made["funding_negative"][coin]["funding"].sum() == pytest.approx(paid, abs=0.003)


@pytest.mark.parametrize("dof", [2.5, 3, 5, 6, 12])
def test_the_bounded_tail_has_the_mean_that_integration_finds(dof):
    mean = stats.chi2(dof).expect(lambda x: min((dof - 2) / x, 16))
    assert simulate._bounded_mean(dof, 16) == pytest.approx(mean, rel=1e-6)


def test_an_autoregression_has_unit_variance_and_its_memory_from_the_start():
    made = simulate._autoregression(np.random.default_rng(0).standard_normal((100_000, 5)), keep=0.8)
    assert np.cov(made.T) == pytest.approx(0.8 ** np.abs(np.subtract.outer(range(5), range(5))), abs=0.02)


def test_same_input_same_market():
    pd.testing.assert_frame_equal(market.scenario("crash", 3), market.scenario("crash", 3), check_exact=True)
    assert not market.scenario("crash", 3).equals(market.scenario("crash", 4))


@pytest.mark.parametrize("days", [None, 10])
def test_a_coin_more_changes_nothing(days):
    both = market.scenario("chop", 1, days, COINS)
    for coin in COINS:
        pd.testing.assert_frame_equal(market.scenario("chop", 1, days, (coin,)), both[coin], check_exact=True)
        market.validate(both[coin])
    with pytest.raises(ValueError, match=r"several coins \(BTC, ETH\)"):
        market.validate(both)


def test_a_path_more_changes_nothing():
    few, many = (market.paths("bear", n, days=3, seed=5) for n in (3, 700))
    for name in market.COLUMNS:
        assert np.array_equal(getattr(few, name), getattr(many, name)[:3])
    assert len(np.unique(many.spot[:, -1])) == 700


def test_paths_begin_at_the_start_and_drift_as_told():
    paths = market.paths("perp_era", 3000, days=30, drift=6.0)
    assert np.all(paths.spot[:, 0] == 60_000)
    assert np.array_equal(paths.mark_high[:, 0], paths.mark[:, 0])
    assert np.array_equal(paths.mark_low[:, 0], paths.mark[:, 0])
    # A standard error is 0.627 sqrt(30 / 365 / 3000) = 0.0033.
    assert np.mean(np.log(paths.spot[:, -1] / 60_000)) == pytest.approx(6 * 30 / 365, abs=0.012)
    calm = market.paths("perp_era", 2, days=30, drift=0)
    assert "simulated" in calm.label and "no drift" in calm.label and "simulated" in paths.label


def test_labels_say_simulated():
    made = market.scenario("bear", seed=7)
    assert (
        made.attrs["label"].startswith("simulated BTC") and "2021-11-11 to 2022-11-21" in made.attrs["label"]
    )
    assert made.attrs["source"] == "scenario"
    assert "simulated BTC and ETH" in market.scenario("bear", coins=COINS).attrs["label"]


def test_paths_are_cut_and_become_frames():
    paths = market.paths("chop", 5, days=4)
    assert len(paths) == 5 and len(paths[1:3]) == 2
    assert np.array_equal(paths[1:3].mark, paths.mark[1:3])
    one = paths.frame(2)
    assert one["mark"].tolist() == paths.mark[2].tolist()
    assert one.attrs["symbol"] == paths.symbol == "BTCUSDT"
    assert repr(paths).startswith("<5 paths of 13 bars of 8 hours: simulated BTC")
    for wrong in (5, -1, 1.5, True):
        with pytest.raises(ValueError, match="row must be a"):
            paths.frame(wrong)
    with pytest.raises(ValueError, match="rows must be a slice"):
        paths[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spot": np.ones(3)}, "arrays of shape"),
        ({"spot": np.ones((2, 0))}, "arrays of shape"),
        ({"spot": np.zeros((2, 3))}, "spot of the paths must be a finite number above 0"),
        ({"funding": np.full((2, 3), np.nan)}, "funding of the paths must be"),
        ({"funding": np.full((2, 4), 0.0)}, "funding must have the shape of spot"),
        ({"mark_low": np.full((2, 3), 2.0)}, "mark must lie between"),
        ({"hours": 0}, "hours of a bar must be a finite number above 0"),
    ],
)
def test_broken_paths_are_refused(change, message):
    columns = {name: np.ones((2, 3)) for name in market.COLUMNS}
    with pytest.raises(ValueError, match=message):
        market.Paths(**(columns | change))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: market.scenario("moon"), "scenario must be one of 'perp_era', 'bull_run'"),
        (lambda: market.scenario(None), "scenario must be one of"),
        (lambda: market.scenario("bear", seed=-1), "seed must be a finite number at least 0"),
        (lambda: market.scenario("bear", seed=0.5), "seed must be a whole number"),
        (lambda: market.scenario("bear", days=1), "days must be a finite number at least 2"),
        (lambda: market.scenario("bear", days=True), "days must be a finite number"),
        (lambda: market.scenario("bear", days=10**12), "at most 16,666,666, got 1000000000000"),
        (lambda: market.scenario("bear", coins=()), "coins must be a tuple"),
        (lambda: market.scenario("bear", coins="BTC"), "coins must be a tuple"),
        (lambda: market.scenario("bear", coins=("BTC", "BTC")), "coins must be a tuple of different coins"),
        (lambda: market.scenario("bear", coins=("DOGE",)), "coin of bear must be one of 'BTC', 'ETH'"),
        (lambda: market.scenario("bear", days=100_000), "spot of the paths"),
        (lambda: market.paths("bear", 0), r"n \(paths\) must be a finite number at least 1"),
        (lambda: market.paths("bear", 10**7), r"n \(paths\) must be .* at most 44,326"),
        (lambda: market.paths("bear", 2, drift="up"), r"drift \(log return per year\) must be"),
        (lambda: market.paths("bear", 2, days=36500, drift=90), "of the paths"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_parameter_has_its_period():
    assert set(market.scenarios()) == set(BOOK)
    for spec in BOOK.values():
        assert {"what", "period", "days", "stream", "dof", "volatility_spread", "coins"} <= set(spec)
        for coin in spec["coins"].values():
            shares, rates = np.transpose(coin["funding"])
            assert np.all(np.diff(shares) > 0) and np.all(np.diff(rates) >= 0)
            assert np.abs(rates).max() <= coin["cap"] * 1e4
