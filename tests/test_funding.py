import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import funding

rates = st.floats(-0.01, 0.01)


def test_a_short_receives_a_positive_rate():
    assert funding.received(1, 60_000, 0.0001) == 6
    assert funding.received(1, 60_000, 0.0001, side=1) == -6
    assert funding.received(1, 60_000, -0.0001) == -6


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(1, 1e6), rates)
def test_additive_over_quantity(one, other, mark, rate):
    together = funding.received(one + other, mark, rate)
    apart = funding.received(one, mark, rate) + funding.received(other, mark, rate)
    assert together == pytest.approx(apart, rel=1e-9, abs=1e-9)


def test_rows_of_other_settlements_are_refused():
    times = pd.date_range("2024-01-01", periods=3, freq="8h", tz="UTC")
    mark, rate = pd.Series([60_000.0, 61_000, 62_000], times), pd.Series([1e-4, 2e-4, 3e-4], times)
    np.testing.assert_allclose(funding.received(1, mark, rate), [6, 12.2, 18.6])
    for other in (rate[::-1], rate[1:], rate.shift(freq="8h")):
        with pytest.raises(ValueError, match="mark and rate have rows of different times"):
            funding.received(1, mark, other)


@given(st.lists(st.tuples(st.floats(1, 1e6), rates), min_size=2, max_size=30), st.integers(1, 29))
def test_additive_over_time(settlements, cut):
    marks, paid = map(np.array, zip(*settlements, strict=True))
    whole = funding.received(2, marks, paid).sum()
    parts = [funding.received(2, marks[part], paid[part]).sum() for part in (slice(cut), slice(cut, None))]
    assert whole == pytest.approx(sum(parts), rel=1e-9, abs=1e-6)


@given(st.floats(0, 1e6), st.floats(1, 1e6), rates)
def test_inverse_funding_is_the_linear_one_in_coin(contracts, mark, rate):
    coins = contracts * 100 / mark
    in_usd = funding.received(coins, mark, rate)
    assert funding.inverse_received(contracts, 100, mark, rate) * mark == pytest.approx(in_usd, rel=1e-9)


@pytest.mark.parametrize(
    ("premium", "expected"),
    [
        (0.0001, 0.0001),
        (0.0006, 0.0001),  # |I − P| = 0.05 %: still the interest
        (-0.0004, 0.0001),
        (0.0007, 0.0002),  # P − 0.05 %
        (-0.0010, -0.0005),  # P + 0.05 %
    ],
)
def test_rate_by_hand(premium, expected):
    assert funding.rate(premium) == pytest.approx(expected, abs=1e-15)


@given(st.floats(-0.0004, 0.0006), st.sampled_from([1, 2, 4, 8]))
def test_rate_is_the_interest_inside_the_band(premium, hours):
    assert funding.rate(premium, hours=hours) == pytest.approx(0.0001 * hours / 8, rel=1e-9)


@given(st.floats(-1, 1), st.floats(0.0001, 0.03), st.sampled_from([1, 2, 4, 8]))
def test_rate_stays_within_its_cap_and_keeps_its_order(premium, cap, hours):
    rate = funding.rate(premium, hours=hours, cap=cap)
    assert abs(rate) <= cap
    assert funding.rate(min(premium + 0.001, 1), hours=hours, cap=cap) >= rate


def test_cap_is_reached():
    np.testing.assert_array_equal(funding.rate([0.02, -0.02], cap=0.003), [0.003, -0.003])


def test_annualised_both_ways():
    # 0.0001 · 3 · 365 and 1.0001^1095 − 1
    assert funding.annualised(0.0001) == pytest.approx(0.1095)
    assert funding.annualised(0.0001, compounded=True) == pytest.approx(0.11571, abs=5e-6)
    assert funding.annualised([0.0002, 0.0], hours=4) == pytest.approx(0.219)


@given(st.lists(rates, min_size=1, max_size=20), st.sampled_from([1, 2, 4, 8]))
def test_a_repeated_period_is_annualised_the_same(period, hours):
    for compounded in (False, True):
        once = funding.annualised(period, hours, compounded)
        assert funding.annualised(period * 3, hours, compounded) == pytest.approx(once, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: funding.received(-1, 1, 0), "quantity"),
        (lambda: funding.received(1, 0, 0), "mark"),
        (lambda: funding.received(1, 1, 10), "0.0001 is 0.01 %"),
        (lambda: funding.received(1, 1, np.nan), "rate"),
        (lambda: funding.received(1, 1, 0, side=2), "side"),
        (lambda: funding.received([1, 2], 1, [0, 0, 0]), "matching shape"),
        (lambda: funding.inverse_received(1, -100, 1, 0), "size"),
        (lambda: funding.rate(2), "premium"),
        (lambda: funding.rate(0, hours=3), "hours must be 1, 2, 4 or 8"),
        (lambda: funding.rate(0, hours=[8]), "hours must be one number"),
        (lambda: funding.rate(0, cap=0), "cap"),
        (lambda: funding.annualised([]), "at least one"),
        (lambda: funding.annualised([[0.1]]), "shape"),
        (lambda: funding.annualised(-1, compounded=True), "loses everything"),
        (lambda: funding.annualised(1, hours=1, compounded=True), "too large"),
        (lambda: funding.annualised(0.0001, compounded="yes"), "compounded"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
