"""Markets drawn by hand go through their points and hold nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import market
from hedgelib.market import drawn

PRICES = st.lists(st.floats(1, 1e6), min_size=2, max_size=8)


@given(PRICES)
def test_goes_through_every_point_and_stays_between_neighbours(prices):
    frame = drawn(dict(enumerate(prices)))
    assert frame["mark"].iloc[::3].to_numpy() == pytest.approx(prices)
    assert frame["mark_high"].max() == pytest.approx(max(prices))
    assert frame["mark_low"].min() == pytest.approx(min(prices))
    assert (frame["spot"] == frame["mark"]).all()


def test_gap_within_one_bar():
    frame = drawn({0: 100, 1: 100, 1 + 1 / 3: 80, 2: 80})
    assert list(frame["mark"]) == [100, 100, 100, 100, pytest.approx(80), 80, 80]
    assert frame["mark_high"].iloc[4] == 100


def test_is_a_valid_market_with_its_funding_and_its_label():
    frame = market.validate(drawn({0: 60_000, 30: 50_000}, rate=-2e-4))
    assert np.all(frame["funding"] == -2e-4)
    assert frame.attrs["label"] == "drawn by hand: 60,000 → 50,000 USDT"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({0: 60_000}, "two days or more"),
        ([60_000, 50_000], "dict of day to price"),
        ({1: 60_000, 2: 50_000}, "ascend from 0"),
        ({0: 60_000, 2: 50_000, 1: 55_000}, "ascend from 0"),
        ({0: 60_000, 1: -5}, "above 0"),
        ({0: 60_000, 1: float("nan")}, "above 0"),
        ({0: 60_000, 1e9: 50_000}, "at most 3,650"),
        ({0: 60_000, "b": 50_000}, "finite number"),
    ],
)
def test_bad_points_are_refused(points, said):
    with pytest.raises(ValueError, match=said):
        drawn(points)


def test_two_points_within_one_bar_are_refused():
    with pytest.raises(ValueError, match="same bar"):
        drawn({0: 60_000, 0.1: 50_000})
