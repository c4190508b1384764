import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.rolling import RollingOLS

from hedgelib import ratio


def returns(seed=0, bars=400, correlation=0.8, held=0.04, shorted=0.05):
    """Normal returns of a holding and of its hedge with known volatilities and correlation."""
    first, second = np.random.default_rng(seed).normal(size=(2, bars))
    return held * (correlation * first + np.sqrt(1 - correlation**2) * second), shorted * first


series = st.builds(
    returns,
    seed=st.integers(0, 2**32),
    bars=st.integers(10, 200),
    correlation=st.floats(-0.95, 0.95),
    held=st.floats(1e-6, 1e6),
    shorted=st.floats(1e-6, 1e6),
)


class TestMinimumVariance:
    @given(series)
    def test_is_covariance_over_variance_and_removes_r_squared(self, pair):
        spot, futures = pair
        found = ratio.minimum_variance(spot, futures)
        assert found.ratio == pytest.approx(np.cov(spot, futures)[0, 1] / np.var(futures, ddof=1), rel=1e-8)
        assert found.effectiveness == pytest.approx(np.corrcoef(spot, futures)[0, 1] ** 2, rel=1e-8)
        assert found.observations == len(spot)
        assert ratio.effectiveness(spot, futures, found.ratio) == pytest.approx(found.effectiveness, rel=1e-8)

    @given(series, st.floats(-3, 3))
    def test_no_ratio_does_better(self, pair, shift):
        best = ratio.minimum_variance(*pair)
        other = best.ratio + shift * best.stderr
        assert ratio.effectiveness(*pair, other) <= best.effectiveness + 1e-12

    @given(series, st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.floats(-1, 1))
    def test_units_and_drift(self, pair, held, shorted, drift):
        spot, futures = pair
        base = ratio.minimum_variance(spot, futures)
        scaled = ratio.minimum_variance(held * spot, -shorted * (futures + drift * np.std(futures)))
        assert scaled.ratio == pytest.approx(-base.ratio * held / shorted, rel=1e-6)
        assert scaled.stderr == pytest.approx(base.stderr * held / shorted, rel=1e-6)
        assert scaled.effectiveness == pytest.approx(base.effectiveness, rel=1e-6)

    @pytest.mark.parametrize("lags", [None, 0, 5])
    def test_error_is_newey_west_of_statsmodels(self, lags):
        spot, futures = returns(bars=500)
        # ⌊4 · 5^(2/9)⌋ = ⌊5.72⌋ = 5
        fit = sm.OLS(spot, sm.add_constant(futures)).fit(
            cov_type="HAC", cov_kwds={"maxlags": 5 if lags is None else lags}
        )
        found = ratio.minimum_variance(spot, futures, lags=lags)
        assert (found.ratio, found.stderr) == pytest.approx((fit.params[1], fit.bse[1]), rel=1e-10)
        assert found.interval(0.9) == pytest.approx(tuple(fit.conf_int(0.1)[1]), rel=1e-10)

    def test_error_by_hand(self):
        # Futures ±1 with mean 0; around the slope of 2 the residuals are 1, −1, 1, −1. Without lags
        # Var(h) = Σ x²e² / (Σ x²)² = 4/16, so the error is 0.5.
        futures = np.array([1, 1, -1, -1])
        found = ratio.minimum_variance(2 * futures + [1, -1, 1, -1], futures, lags=0)
        assert (found.ratio, found.stderr) == pytest.approx((2, 0.5))
        # 1 − 4/20 of the variance is explained; 95 % reach 1.959964 errors either side.
        assert found.effectiveness == pytest.approx(0.8)
        assert found.interval() == pytest.approx((2 - 0.979982, 2 + 0.979982), abs=1e-6)

    def test_recovers_the_truth_within_its_interval(self):
        # h* = ρ · σ_spot / σ_futures = 0.8 · 0.04 / 0.05 = 0.64
        inside = [
            low < 0.64 < high
            for low, high in (ratio.minimum_variance(*returns(seed, 500)).interval() for seed in range(200))
        ]
        assert 0.9 < np.mean(inside) < 0.98


class TestEffectiveness:
    spot = np.array([0.02, -0.03, 0.01, 0.04, -0.01])

    @pytest.mark.parametrize(
        ("share", "removed"), [(0, 0), (0.5, 0.75), (1, 1), (1.5, 0.75), (2, 0), (3, -3)]
    )
    def test_same_asset(self, share, removed):
        assert ratio.effectiveness(self.spot, self.spot, share) == pytest.approx(removed)

    def test_many_ratios_draw_a_parabola(self):
        many = ratio.effectiveness(self.spot, self.spot, [[0, 0.5], [1, 1.5]])
        np.testing.assert_allclose(many, [[0, 0.75], [1, 0.75]])

    @given(series, st.floats(-2, 2))
    def test_is_variance_removed(self, pair, multiple):
        spot, futures = pair
        chosen = multiple * np.std(spot) / np.std(futures)
        removed = 1 - np.var(spot - chosen * futures) / np.var(spot)
        assert ratio.effectiveness(spot, futures, chosen) == pytest.approx(removed, abs=1e-9)


class TestBeta:
    @given(series)
    def test_cross_hedge_trap(self, pair):
        """1 / β(hedge on holding) is too much by 1 / R² and removes 2 − 1 / R²."""
        holding, hedge = pair
        wrong_way = ratio.beta(hedge, holding)
        right = ratio.minimum_variance(holding, hedge)
        assert 1 / wrong_way.ratio == pytest.approx(right.ratio / wrong_way.r_squared, rel=1e-6)
        removed = ratio.effectiveness(holding, hedge, 1 / wrong_way.ratio)
        assert removed == pytest.approx(2 - 1 / right.r_squared, rel=1e-6, abs=1e-6)

    def test_is_the_ratio_to_hedge_with(self):
        asset, benchmark = returns()
        beta, best = ratio.beta(asset, benchmark), ratio.minimum_variance(asset, benchmark)
        assert (beta.ratio, beta.stderr, beta.r_squared) == (best.ratio, best.stderr, best.effectiveness)


class TestBasket:
    def test_recovers_the_weights(self):
        hedges = np.random.default_rng(3).normal(size=(200, 3))
        found = ratio.basket(hedges @ [0.5, -1, 2] + 7, hedges)
        np.testing.assert_allclose(found.ratio, [0.5, -1, 2])
        assert found.effectiveness == pytest.approx(1)

    def test_agrees_with_statsmodels_in_any_units(self):
        rng = np.random.default_rng(4)
        hedges = rng.normal(size=(300, 2)) * [1e-4, 1e4] + [0, 3e4]
        asset = hedges @ [1e4, 1e-4] + rng.normal(size=300)
        fit = sm.OLS(asset, sm.add_constant(hedges * [1e4, 1e-4])).fit(
            cov_type="HAC", cov_kwds={"maxlags": 3}
        )
        found = ratio.basket(asset, hedges, lags=3)
        np.testing.assert_allclose(found.ratio, fit.params[1:] * [1e4, 1e-4])
        np.testing.assert_allclose(found.stderr, fit.bse[1:] * [1e4, 1e-4])
        np.testing.assert_allclose(np.array(found.interval()).T, fit.conf_int()[1:] * [[1e4], [1e-4]])

    @given(series)
    def test_of_one_is_the_single_hedge(self, pair):
        spot, futures = pair
        single = ratio.minimum_variance(spot, futures)
        found = ratio.basket(spot, futures[:, None])
        assert (found.ratio[0], found.stderr[0]) == pytest.approx((single.ratio, single.stderr))

    def test_never_worse_than_its_best_member(self):
        asset, first = returns(seed=5)
        second = asset + returns(seed=6)[1]
        both = ratio.basket(asset, np.column_stack([first, second]))
        assert both.effectiveness > max(ratio.beta(asset, one).r_squared for one in (first, second))
        joint = np.column_stack([first, second]) @ both.ratio
        assert ratio.effectiveness(asset, joint, 1) == pytest.approx(both.effectiveness)


MOVING = {
    "rolling": lambda spot, futures: ratio.rolling(spot, futures, 30),
    "ewma": lambda spot, futures: ratio.ewma(spot, futures, 20),
}


@pytest.mark.parametrize("estimate", MOVING.values(), ids=MOVING)
class TestMoving:
    def test_sees_nothing_of_the_future(self, estimate):
        spot, futures = returns(bars=250)
        now = 200
        altered = returns(seed=9, bars=250)
        later = [
            np.r_[old[: now + 1], 3 * new[now + 1 :]]
            for old, new in zip((spot, futures), altered, strict=True)
        ]
        np.testing.assert_array_equal(estimate(*later)[: now + 1], estimate(spot, futures)[: now + 1])
        assert (estimate(*later)[now + 1 :] != estimate(spot, futures)[now + 1 :]).all()
        # … and does use the bar at which it is known.
        spot[now] *= 5
        assert estimate(spot, futures)[now] != estimate(*returns(bars=250))[now]

    def test_units_and_sign(self, estimate):
        spot, futures = returns(bars=250)
        np.testing.assert_allclose(
            estimate(1000 * spot, -futures / 1000), -1e6 * estimate(spot, futures), rtol=1e-9
        )

    def test_recovers_a_constant_ratio(self, estimate):
        spot, futures = returns(bars=3000)
        found = estimate(spot, futures)
        assert np.nanmean(found) == pytest.approx(0.64, abs=0.02)
        assert np.isnan(found).argmin() == np.isnan(found).sum()

    def test_bad_series_are_refused(self, estimate):
        spot, futures = returns(bars=250)
        for bad in (futures[1:], np.zeros(250), np.where(np.arange(250) == 7, np.nan, futures)):
            with pytest.raises(ValueError, match="futures"):
                estimate(spot, bad)


class TestRolling:
    def test_is_the_ratio_of_each_window(self):
        spot, futures = returns(bars=80)
        found = ratio.rolling(spot, futures, 20)
        assert np.isnan(found[:19]).all()
        expected = [
            ratio.minimum_variance(spot[t - 19 : t + 1], futures[t - 19 : t + 1]).ratio for t in range(19, 80)
        ]
        np.testing.assert_allclose(found[19:], expected)
        fit = RollingOLS(spot, sm.add_constant(futures), window=20).fit()
        np.testing.assert_allclose(found, fit.params[:, 1])

    def test_survives_a_crash_in_the_window(self):
        spot, futures = returns(bars=60)
        spot[5] = futures[5] = 1e9
        expected = ratio.rolling(spot[6:], futures[6:], 20)[19:]
        np.testing.assert_allclose(ratio.rolling(spot, futures, 20)[25:], expected, rtol=1e-6)

    def test_futures_at_rest_within_a_window_are_refused(self):
        spot, futures = returns(bars=60)
        futures[20:30] = 0.1
        ratio.rolling(spot, futures, 11)
        with pytest.raises(ValueError, match="every window of 10 bars"):
            ratio.rolling(spot, futures, 10)

    @pytest.mark.parametrize("window", [2, 61, 10.5, np.nan, "30", [10]])
    def test_bad_windows_are_refused(self, window):
        with pytest.raises(ValueError, match="window"):
            ratio.rolling(*returns(bars=60), window)


class TestEwma:
    def test_by_hand(self):
        # Half-life 1: weights 1, ½, ¼ back from the last bar.
        # Bar 1: (2·1·1 + ½·1·2)/(1 + ½·4) = 3/3. Bar 2: (1·3 + ½·2 + ¼·2)/(9 + ½·1 + ¼·4) = 4.5/10.5.
        found = ratio.ewma(spot=[1, 2, 1], futures=[2, 1, 3], halflife=1)
        np.testing.assert_allclose(found, [np.nan, 1, 4.5 / 10.5])

    def test_adapts_with_its_halflife(self):
        spot, futures = returns(bars=200, correlation=1)
        spot[100:] *= 2
        found = ratio.ewma(spot, futures, 10)
        assert found[99] == pytest.approx(0.8)
        assert found[-1] == pytest.approx(1.6, rel=0.01)

    @pytest.mark.parametrize("halflife", [0, -1, 60, np.nan, None, [10]])
    def test_bad_halflives_are_refused(self, halflife):
        with pytest.raises(ValueError, match="halflife"):
            ratio.ewma(*returns(bars=60), halflife)

    def test_futures_at_rest_at_the_start_are_refused(self):
        spot, futures = returns(bars=60)
        futures[:11] = 0
        with pytest.raises(ValueError, match="within the first 11 bars"):
            ratio.ewma(spot, futures, 10)


class TestOutOfSample:
    def test_judges_with_the_estimate_of_the_bar_before(self):
        # Hedged: 2 − 1·2 = 0, −2 + 0·2 = −2, 2 − 2·2 = −2: variance 8/9 against 32/9. The 99s play no part.
        removed = ratio.out_of_sample([99, 2, -2, 2], [99, 2, -2, 2], [1, 0, 2, 99])
        assert removed == pytest.approx(1 - 8 / 32)

    @given(series, st.floats(-2, 2))
    def test_constant_estimate_is_plain_effectiveness(self, pair, chosen):
        spot, futures = pair
        estimates = np.full(len(spot), chosen * np.std(spot) / np.std(futures))
        estimates[:2] = np.nan
        judged = ratio.effectiveness(spot[3:], futures[3:], estimates[-1])
        assert ratio.out_of_sample(spot, futures, estimates) == pytest.approx(judged, abs=1e-9)

    def test_flatters_less_than_the_sample(self):
        """An estimate from ten bars, judged later, removes less than the same ten bars promise."""
        promised, kept = [], []
        for seed in range(30):
            spot, futures = returns(seed, bars=300, correlation=0.5)
            promised.append(ratio.minimum_variance(spot[:10], futures[:10]).effectiveness)
            kept.append(ratio.out_of_sample(spot, futures, ratio.rolling(spot, futures, 10)))
        assert np.mean(kept) < 0.25 < np.mean(promised)

    @pytest.mark.parametrize(
        ("estimates", "message"),
        [
            ([1, 1, 1], "one number per bar"),
            (None, "one number per bar"),
            (["1"] * 5, "one number per bar"),
            (np.ma.masked_invalid([1, 1, np.nan, 1, 1]), "one number per bar"),
            ([1, 1, np.nan, 1, 1], "estimates"),
            ([1, 1, np.inf, 1, 1], "estimates"),
            ([np.nan, np.nan, 1, 1, 1], "at least 3 observations"),
            ([np.nan] * 5, "estimates"),
        ],
    )
    def test_bad_estimates_are_refused(self, estimates, message):
        with pytest.raises(ValueError, match=message):
            ratio.out_of_sample([1, -1, 2, -2, 1], [1, -1, 2, -2, 2], estimates)


class TestHorizon:
    @given(st.integers(3, 100), st.integers(1, 99), st.integers(0, 1000))
    def test_changes_add_up_and_do_not_overlap(self, count, bars, seed):
        spot, futures = np.random.default_rng(seed).normal(100, 5, size=(2, count))
        if bars >= count:
            with pytest.raises(ValueError, match="bars"):
                ratio.horizon(spot, futures, bars)
            return
        held, shorted = ratio.horizon(spot, futures, bars)
        assert len(held) == len(shorted) == (count - 1) // bars
        assert held.sum() == pytest.approx(spot[len(held) * bars] - spot[0])
        assert shorted[0] == futures[bars] - futures[0]

    def test_noise_at_the_close_washes_out_over_longer_hedges(self):
        # One random walk of σ 1; each quote of the future errs by σ 1. Over k bars h* = k / (k + 2).
        rng = np.random.default_rng(0)
        spot = np.cumsum(rng.normal(size=60_000))
        futures = spot + rng.normal(size=60_000)
        for bars, expected in [(1, 1 / 3), (6, 6 / 8), (30, 30 / 32)]:
            found = ratio.minimum_variance(*ratio.horizon(spot, futures, bars))
            assert found.ratio == pytest.approx(expected, abs=0.03)


BAD = {
    "empty": [],
    "one number": 1.0,
    "table": [[1.0, 2.0], [3.0, 4.0]],
    "too few": [1.0, -1.0],
    "another length": [1.0, -1.0, 2.0],
    "missing": [1.0, -1.0, np.nan, 2.0],
    "infinite": [1.0, -1.0, np.inf, 2.0],
    "constant": [0.1] * 4,
    "text": ["a"] * 4,
    "nothing": None,
    "ragged": [[1.0], [1.0, 2.0], 1.0, 2.0],
}
GOOD = [1.0, -1.0, 2.0, -1.5]
CALLS = {
    "minimum_variance": ratio.minimum_variance,
    "beta": ratio.beta,
    "effectiveness": lambda spot, futures: ratio.effectiveness(spot, futures, 1),
    "rolling": lambda spot, futures: ratio.rolling(spot, futures, 3),
    "ewma": lambda spot, futures: ratio.ewma(spot, futures, 1),
    "out_of_sample": lambda spot, futures: ratio.out_of_sample(spot, futures, [1, 1, 1, 1]),
    "horizon": lambda spot, futures: ratio.horizon(spot, futures, 1),
    "basket": lambda spot, futures: ratio.basket(
        spot, futures if futures is not GOOD else [[x] for x in GOOD]
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_series_are_refused(call, bad):
    for spot, futures in [(bad, GOOD), (GOOD, bad)]:
        with pytest.raises(ValueError, match="must"):
            call(spot, futures)


DAYS = pd.date_range("2024-01-01", periods=4, tz="UTC")
SERIES = pd.Series(GOOD, DAYS)
OTHERWISE = {
    "newest first": SERIES[::-1],
    "a day late": SERIES.shift(1, freq="D"),
    "one day more": pd.concat([SERIES, SERIES.shift(1, freq="D")[-1:]]),
    "another day missing": SERIES.drop(DAYS[1]),
    "another zone": SERIES.tz_localize(None).tz_localize("Asia/Tokyo"),
    "no dates": SERIES.reset_index(drop=True),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("other", OTHERWISE.values(), ids=OTHERWISE)
def test_series_of_other_dates_are_refused(call, other):
    for spot, futures in [(SERIES, other), (other, SERIES), (SERIES, other.to_frame()), (SERIES[1:], other)]:
        with pytest.raises(ValueError, match=r"must have the same index, row by row, but row \d is .*concat"):
            call(spot, futures)


def test_estimates_of_other_dates_are_refused():
    with pytest.raises(ValueError, match="spot and estimates must have the same index"):
        ratio.out_of_sample(SERIES, SERIES.to_numpy(), estimates=SERIES.shift(1, freq="D"))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_series_of_the_same_dates_are_taken_as_arrays_are(call):
    other = pd.Series([2.0, -1.0, 1.0, -2.0], DAYS.as_unit("ns"), name="other")
    if call is CALLS["basket"]:
        call, other = ratio.basket, other.to_frame()
    as_arrays = call(SERIES.to_numpy(), other.to_numpy())
    for futures in (other, other.to_numpy()):
        found = call(SERIES, futures)
        for name in ("ratio", "stderr") if isinstance(found, ratio.Estimate) else ():
            np.testing.assert_array_equal(getattr(found, name), getattr(as_arrays, name))
        if not isinstance(found, ratio.Estimate):
            np.testing.assert_array_equal(found, as_arrays)


@pytest.mark.parametrize(
    ("spot", "futures", "message"),
    [
        (GOOD, GOOD[1:], r"spot \(4,\), futures \(3,\) must be one row each, of the same length"),
        (GOOD[:2], GOOD[:2], "spot and futures must hold at least 3 observations, got 2"),
        (GOOD, [0.1] * 4, "futures must vary, got 0.1 throughout"),
        ([1, np.nan, 2, 3], GOOD, "spot must be a finite number, got nan in it"),
    ],
)
def test_the_refusal_says_why(spot, futures, message):
    with pytest.raises(ValueError, match=message):
        ratio.minimum_variance(spot, futures)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ratio.minimum_variance(GOOD, GOOD, lags=-1), "lags"),
        (lambda: ratio.minimum_variance(GOOD, GOOD, lags=4), "lags"),
        (lambda: ratio.beta(GOOD, GOOD, lags=1.5), "lags must be a whole number"),
        (lambda: ratio.effectiveness(GOOD, GOOD, np.nan), "ratio"),
        (lambda: ratio.minimum_variance(GOOD, GOOD).interval(1), "coverage"),
        (lambda: ratio.minimum_variance(GOOD, GOOD).interval(95), "coverage"),
        (lambda: ratio.basket(GOOD, GOOD), "table"),
        (lambda: ratio.basket(GOOD, np.ones((4, 0))), "table"),
        (lambda: ratio.basket(GOOD, np.transpose([GOOD, np.multiply(GOOD, -2)])), "mixtures"),
        (lambda: ratio.basket(GOOD, np.random.default_rng(0).normal(size=(4, 3))), "at least 5 observations"),
    ],
)
def test_bad_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
