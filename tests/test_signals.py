import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import signals

TOPS = [signals.double_top, signals.head_and_shoulders, signals.bearish_divergence]
BOTTOMS = [signals.double_bottom, signals.inverse_head_and_shoulders, signals.bullish_divergence]

# Unequal moves of up to 8 % a bar, from a seed, long enough for several shapes to form.
walks = st.builds(
    lambda seed, bars: 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, bars))),
    st.integers(0, 2**32),
    st.integers(40, 300),
)


def drawn(*corners, bars=6):
    """Closes on straight lines between the corners, `bars` bars apart."""
    at = np.arange(len(corners)) * bars
    return np.interp(np.arange(at[-1] + 1), at, corners)


class TestRsi:
    def test_wilder_by_hand(self):
        # Changes +2 −1 +3 −2, length 3. Bar 3: gain 5/3, loss 1/3, 100·5/6.
        # Bar 4: gain (2·5/3 + 0)/3 = 10/9, loss (2·1/3 + 2)/3 = 8/9, 100·10/18.
        expected = [np.nan, np.nan, np.nan, 500 / 6, 1000 / 18]
        np.testing.assert_allclose(signals.rsi([100, 102, 101, 104, 102], length=3), expected)

    def test_fourteen_by_hand(self):
        # Ten changes of +1 and four of −1: 100·10/14. Then +1: gain (13·10/14 + 1)/14, loss (13·4/14)/14.
        close = 100 + np.cumsum([0, 1, 1, -1, 1, 1, 1, -1, 1, 1, -1, 1, 1, -1, 1, 1])
        gain, loss = (13 * 10 / 14 + 1) / 14, 13 * 4 / 14 / 14
        expected = [np.nan] * 14 + [1000 / 14, 100 * gain / (gain + loss)]
        np.testing.assert_allclose(signals.rsi(close), expected)

    @pytest.mark.parametrize(
        ("close", "value"),
        [(np.arange(1, 31), 100), (np.arange(31, 1, -1), 0), (np.full(30, 7.0), 100)],
        ids=["no losses", "no gains", "flat"],
    )
    def test_limits(self, close, value):
        result = signals.rsi(close)
        assert np.isnan(result[:14]).all()
        assert (result[14:] == value).all()

    @given(walks, st.integers(2, 60))
    def test_is_that_of_talib(self, close, length):
        np.testing.assert_allclose(signals.rsi(close, length), talib.RSI(close, length), rtol=0, atol=1e-12)

    def test_is_that_of_talib_over_years(self):
        close = 60_000 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, 20_000)))
        np.testing.assert_allclose(signals.rsi(close), talib.RSI(close, 14), rtol=0, atol=1e-12)

    def test_a_flat_stretch_keeps_its_value(self):
        found = signals.rsi([100, 101, 100, *[100] * 3_000], length=2)
        np.testing.assert_allclose(found[2:1_000], 50)
        assert not np.isnan(found[2:]).any()

    def test_too_short_a_series_has_no_value(self):
        assert np.isnan(signals.rsi(np.arange(1, 15))).all()

    @given(walks)
    def test_mirror_and_scale(self, close):
        ours = signals.rsi(close)[14:]
        np.testing.assert_allclose(signals.rsi(1000 * close)[14:], ours, atol=1e-6)
        np.testing.assert_allclose(100 - signals.rsi(close.max() + close.min() - close)[14:], ours, atol=1e-6)
        assert ((ours >= 0) & (ours <= 100)).all()


class TestTops:
    def test_a_plateau_counts_once_at_its_first_bar(self):
        assert signals.tops(np.array([1, 2, 3, 3, 3, 2, 1]), confirm=2) == [2]

    def test_a_higher_bar_within_reach_forbids_it(self):
        assert signals.tops(np.array([1, 2, 3, 2, 4, 1, 1]), confirm=2) == [4]

    def test_none_before_the_last_confirming_bar(self):
        close = drawn(100, 110, 100)
        assert signals.tops(close[:-1], confirm=6) == []
        assert signals.tops(close, confirm=6) == [6]

    def test_flat_and_short_series_have_none(self):
        assert signals.tops(np.full(50, 100.0), 5) == signals.tops(np.array([100, 101, 100]), 5) == []


SHAPES = [
    (signals.double_top, drawn(100, 120, 108, 121, 106), (6, 12, 18)),
    (signals.head_and_shoulders, drawn(90, 120, 108, 130, 109, 121, 107), (6, 12, 18, 24, 30)),
]
MIRROR = dict(zip(TOPS, BOTTOMS, strict=True))


class TestReversals:
    @pytest.mark.parametrize(("find", "close", "pivots"), SHAPES)
    def test_drawn_shape_is_found_when_its_neckline_breaks(self, find, close, pivots):
        (found,) = find(close)
        assert (found.kind, found.pivots) == (find.__name__, pivots)
        neckline = close[list(pivots[1:-1:2])].min()
        assert close[found.known] < neckline <= close[found.known - 1]

    @pytest.mark.parametrize(("find", "close", "pivots"), SHAPES)
    def test_mirrored_shape_is_found(self, find, close, pivots):
        (top,) = find(close)
        (bottom,) = MIRROR[find](10_000 / close)
        assert (bottom.pivots, bottom.known) == (pivots, top.known)
        assert find(10_000 / close) == MIRROR[find](close) == ()

    @pytest.mark.parametrize(
        ("find", "corners"),
        [
            (signals.double_top, (100, 120, 108, 124, 100)),  # highs 3.3 % apart
            (signals.double_top, (100, 120, 117, 121, 100)),  # valley only 2.6 % deep
            (signals.double_top, (100, 120, 108, 121, 109)),  # neckline holds
            (signals.double_top, (100, 120, 108, 121, 109, 109, 100)),  # breaks too late
            (signals.head_and_shoulders, (90, 120, 108, 120.5, 109, 121, 90)),  # head below a shoulder
            (signals.head_and_shoulders, (90, 120, 108, 130, 109, 124, 90)),  # shoulders 3.3 % apart
            (signals.head_and_shoulders, (90, 120, 108, 130, 112, 121, 90)),  # valleys 3.7 % apart
            (signals.head_and_shoulders, (90, 120, 117, 130, 116, 121, 90)),  # valley only 2.6 % deep
            (signals.head_and_shoulders, (90, 120, 108, 130, 109, 121, 109)),  # neckline holds
        ],
    )
    def test_broken_shape_is_not(self, find, corners):
        assert find(drawn(*corners)) == ()

    def test_a_close_above_the_highs_voids_it(self):
        close = np.r_[drawn(100, 120, 108, 121, 115), 122, 112, 107]
        assert signals.double_top(close) == ()
        close[25] = 121
        assert len(signals.double_top(close)) == 1

    def test_break_before_the_pivot_is_confirmed_waits_for_it(self):
        # The neckline breaks 3 bars after the second high, which 5 bars have to confirm.
        close = np.r_[drawn(100, 120, 108, 121), 115, 109, 104, 103, 102, 101]
        (found,) = signals.double_top(close)
        assert found.known == 18 + 5

    def test_settings_decide(self):
        close = drawn(100, 120, 108, 124, 100)
        assert len(signals.double_top(close, tolerance=0.04)) == 1
        assert signals.double_top(close, tolerance=0.04, depth=0.2) == ()


class TestDivergence:
    # A steep rise, a dip, a slower rise to a slightly higher high.
    close = np.r_[drawn(100, 100.5, 130, 120), np.linspace(120, 131, 20), drawn(130, 125)]

    def test_higher_high_on_less_strength_is_found(self):
        (found,) = signals.bearish_divergence(self.close, length=6)
        first, second = found.pivots
        strength = signals.rsi(self.close, length=6)
        assert self.close[second] > self.close[first]
        assert strength[second] < strength[first]
        assert found.known == second + 5

    def test_mirrored_shape_is_found(self):
        (top,) = signals.bearish_divergence(self.close, length=6)
        (bottom,) = signals.bullish_divergence(231 - self.close, length=6)
        assert (bottom.pivots, bottom.known) == (top.pivots, top.known)

    def test_lower_high_is_none(self):
        assert signals.bearish_divergence(np.minimum(self.close, 129), length=6) == ()

    def test_higher_high_on_more_strength_is_none(self):
        # Rises of 0.1 and then of 2 a bar: RSI is higher at the second high.
        close = np.r_[drawn(100, 99, 101, 100), drawn(100, 125, 110)]
        assert len(signals.tops(close, 5)) == 2
        assert signals.bearish_divergence(close, length=6) == ()


@pytest.mark.parametrize("find", [*TOPS, *BOTTOMS])
@given(walks, st.data())
def test_nothing_looks_ahead(find, close, data):
    now = data.draw(st.integers(0, len(close) - 1))
    factor = data.draw(st.sampled_from([0.2, 0.9, 1.1, 5]))
    altered = np.r_[close[: now + 1], close[now + 1 :][::-1] * factor]
    seen = [pattern for pattern in find(close) if pattern.known <= now]
    assert seen == [pattern for pattern in find(altered) if pattern.known <= now]
    assert seen == [pattern for pattern in find(close[: now + 1]) if pattern.known <= now]


@pytest.mark.parametrize("find", [*TOPS, *BOTTOMS])
@given(walks)
def test_patterns_are_ordered_and_known_after_their_last_pivot(find, close):
    found = find(close)
    assert [pattern.known for pattern in found] == sorted(pattern.known for pattern in found)
    for pattern in found:
        assert list(pattern.pivots) == sorted(set(pattern.pivots))
        assert pattern.pivots[-1] + 5 <= pattern.known < len(close)
    assert find(close * 2) == found


@given(walks)
def test_bottoms_are_tops_of_the_inverse_price(close):
    for top, bottom in list(zip(TOPS, BOTTOMS, strict=True))[:2]:
        assert [p.pivots for p in bottom(close)] == [p.pivots for p in top(1 / close)]


def test_false_positives_on_noise():
    """What the lesson tells: shapes per 1,000 bars on Gaussian random walks of 3.3 % a bar (63 % a year)."""
    rng = np.random.default_rng(2024)
    walks = [100 * np.exp(np.cumsum(rng.normal(0, 0.033, 1000))) for _ in range(100)]
    rates = {find.__name__: np.mean([len(find(walk)) for walk in walks]) for find in TOPS}
    assert rates == pytest.approx(
        {"double_top": 9.88, "head_and_shoulders": 1.02, "bearish_divergence": 6.95}, abs=0.2
    )


class TestKnown:
    def test_marks_the_bars_at_which_any_pattern_is_known(self):
        patterns = (
            signals.Pattern("a", (0, 1), 2),
            signals.Pattern("b", (1,), 4),
            signals.Pattern("c", (2,), 4),
        )
        assert signals.known(patterns, 6).tolist() == [False, False, True, False, True, False]
        assert not signals.known((), 3).any()

    def test_refuses_patterns_from_elsewhere(self):
        with pytest.raises(ValueError, match="known at bar 4 lies outside the 4 bars"):
            signals.known([signals.Pattern("high", (2,), 4)], 4)
        with pytest.raises(ValueError, match="must be a Pattern, or a list or tuple of them"):
            signals.known([3], 4)
        with pytest.raises(ValueError, match="must be a Pattern, or a list or tuple of them"):
            signals.known(None, 4)
        with pytest.raises(ValueError, match="bars"):
            signals.known((), 0)


@pytest.mark.parametrize("find", [*TOPS, *BOTTOMS, signals.rsi])
@pytest.mark.parametrize(
    "close",
    [[], [[100.0, 101.0]], [100, np.nan], [100, np.inf], [100, 0], [100, -1], ["100"], None],
    ids=repr,
)
def test_bad_prices_are_refused(find, close):
    with pytest.raises(ValueError, match="close"):
        find(close)


@pytest.mark.parametrize(
    ("find", "settings", "message"),
    [
        (signals.rsi, {"length": 1}, "length"),
        (signals.rsi, {"length": 2.5}, "length .* whole number"),
        (signals.rsi, {"length": [14]}, "length"),
        (signals.double_bottom, {"confirm": 0}, "confirm"),
        (signals.double_top, {"confirm": 1.5}, "confirm .* whole number"),
        (signals.double_top, {"tolerance": -0.1}, "tolerance"),
        (signals.head_and_shoulders, {"depth": np.nan}, "depth"),
        (signals.bullish_divergence, {"length": 0}, "length"),
        (signals.bearish_divergence, {"confirm": None}, "confirm"),
    ],
)
def test_bad_settings_are_refused(find, settings, message):
    with pytest.raises(ValueError, match=message):
        find([100, 101, 102], **settings)
