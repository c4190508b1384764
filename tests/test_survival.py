import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from hedgelib import survival
from hedgelib.survival import touch_probability

rises = st.floats(0.001, 5)
volatilities = st.floats(0.05, 3)
spans = st.floats(0.1, 1000)
drifts = st.floats(-5, 5)


def first_passage(rise, volatility, days, log_drift):
    """Integral of the inverse Gaussian density of the first time the level is met."""
    level, years = np.log1p(rise), days / 365

    def density(time):
        gap = (level - log_drift * time) ** 2 / (2 * volatility**2 * time)
        return level / (volatility * np.sqrt(2 * np.pi * time**3)) * np.exp(-gap)

    return integrate.quad(density, 0, years, epsabs=1e-12, limit=200)[0]


@pytest.mark.parametrize(
    "rise, volatility, days",
    [(0.494, 0.63, 60), (0.328, 0.63, 30), (0.1952, 0.83, 90), (0.0956, 0.4, 1)],
)
@pytest.mark.parametrize("log_drift", [-2.0, -0.2, 0.0, 0.3, 2.0])
def test_agrees_with_the_first_passage_density(rise, volatility, days, log_drift):
    expected = first_passage(rise, volatility, days, log_drift)
    assert touch_probability(rise, volatility, days, log_drift) == pytest.approx(expected, abs=1e-8)


def test_without_log_drift_it_is_twice_the_chance_of_ending_above():
    spread = 0.63 * np.sqrt(60 / 365)
    assert touch_probability(0.328, 0.63, 60) == pytest.approx(2 * stats.norm.sf(np.log(1.328) / spread))


def test_agrees_with_monte_carlo_on_bar_highs():
    """Closes alone miss touches; the exact high of each bar (a Brownian bridge's maximum) misses none."""
    random = np.random.default_rng(0)
    paths, bars, volatility, rise = 40_000, 30, 0.83, 0.494
    for log_drift in (0.0, -(volatility**2) / 2):
        deviation = volatility * np.sqrt(1 / 365)
        steps = log_drift / 365 + deviation * random.standard_normal((paths, bars))
        closes = np.cumsum(steps, axis=1)
        bridge = -2 * deviation**2 * np.log(random.random((paths, bars)))
        highs = closes - steps + (steps + np.sqrt(steps**2 + bridge)) / 2
        touched = np.mean(highs.max(axis=1) >= np.log1p(rise))
        expected = touch_probability(rise, volatility, bars, log_drift)
        assert touched == pytest.approx(expected, abs=4 * np.sqrt(expected / paths))
        assert np.mean(closes.max(axis=1) >= np.log1p(rise)) < expected


@given(rises, volatilities, spans, drifts)
def test_is_a_probability_that_grows_with_time_and_falls_with_distance(rise, volatility, days, log_drift):
    now = touch_probability(rise, volatility, days, log_drift)
    assert 0 <= now <= 1
    assert touch_probability(rise, volatility, 2 * days, log_drift) >= now - 1e-12
    assert touch_probability(2 * rise, volatility, days, log_drift) <= now + 1e-12
    assert touch_probability(rise, volatility, days, log_drift + 1) >= now - 1e-12


@given(rises, volatilities, spans)
def test_a_price_without_drift_obeys_the_maximal_inequality(rise, volatility, days):
    """Doob: a fair price reaches (1 + rise) times its start with a probability of at most 1/(1 + rise)."""
    assert touch_probability(rise, volatility, days, -(volatility**2) / 2) <= 1 / (1 + rise) + 1e-12


def test_arrays_broadcast_and_numbers_stay_numbers():
    table = touch_probability([[0.494], [0.328]], 0.63, [30, 60, 90])
    assert table.shape == (2, 3)
    assert table[1, 1] == touch_probability(0.328, 0.63, 60)
    assert type(touch_probability(0.328, 0.63, 60)) is float


@pytest.mark.parametrize("log_drift", [-1e30, -1e3, 1e3, 1e30])
def test_extreme_drifts_are_certain(log_drift):
    assert touch_probability(0.328, 0.63, 60, log_drift) == (log_drift > 0)


def test_a_level_already_reached_is_certain():
    assert touch_probability(0, 0.63, 60, [-0.3, 0.0, 0.3]) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((-0.1, 0.63, 30), "rise .fraction. must be a finite number at least 0"),
        ((0.3, 0, 30), "volatility .fraction per year. must be a finite number above 0"),
        ((0.3, 0.63, 0), "days must be a finite number above 0"),
        ((np.inf, 0.63, 30), "rise"),
        ((0.3, 0.63, 30, np.nan), "log_drift"),
        ((0.3, "much", 30), "volatility"),
        (([0.1, 0.2], 0.63, [1, 2, 3]), "matching shape"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        survival.touch_probability(*arguments)
