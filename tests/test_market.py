"""The market frame: what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import market


def flat(rows=4):
    time = pd.date_range("2024-01-01", periods=rows, freq="8h", tz="UTC", name="time")
    return pd.DataFrame(60_000.0, index=time, columns=market.COLUMNS).assign(funding=1e-4)


def test_validate_accepts_and_returns():
    good = flat()
    assert market.validate(good) is good
    assert market.validate(good.iloc[:1]) is not None
    assert market.validate(good.astype({"spot": "int64"})) is not None


@pytest.mark.parametrize("name", market.COLUMNS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@given(row=st.integers(0, 3))
def test_validate_names_the_row(name, value, row):
    bad = flat()
    bad.iloc[row, bad.columns.get_loc(name)] = value
    with pytest.raises(
        ValueError, match=rf"row {row} \(2024-01-0[12] \d\d:00\) of the market: {name} must be"
    ):
        market.validate(bad)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda m: None, "must be a DataFrame"),
        (lambda m: m.drop(columns="mark"), "each once; see mark"),
        (lambda m: pd.concat([m, m[["mark"]]], axis=1), "each once; see mark"),
        (lambda m: pd.concat({"BTC": m, "ETH": m}, axis=1), r"several coins \(BTC, ETH\)"),
        (lambda m: m.iloc[:0], "no rows"),
        (lambda m: m.iloc[::-1], "row 1 .*: times must ascend"),
        (lambda m: m.iloc[[0, 1, 1, 2]], "row 2 .*: this time is there twice"),
        (lambda m: m.iloc[[0, 1, 3]], "row 2 .*: bars must be evenly spaced"),
        (lambda m: m.reset_index(drop=True), "times in UTC"),
        (lambda m: m.tz_convert("Asia/Tokyo"), "times in UTC"),
        (lambda m: m.tz_localize(None), "times in UTC"),
        (lambda m: m.set_axis([*m.index[:3], pd.NaT]), "missing times"),
        (lambda m: m.astype({"spot": str}), "column spot of the market must hold numbers"),
        (lambda m: m.assign(spot=0.0), "row 0 .*: spot must be above 0"),
        (lambda m: m.assign(mark_low=60_001.0), "mark must lie between"),
        (lambda m: m.assign(mark_high=59_999.0), "mark must lie between"),
        (lambda m: m.assign(funding=-2.0), "funding must be a fraction"),
    ],
)
def test_validate_refuses(broken, message):
    with pytest.raises(ValueError, match=message):
        market.validate(broken(flat()))


def test_validate_compares_hours_with_the_rows():
    wrong = flat()
    wrong.attrs["hours"] = 24
    with pytest.raises(ValueError, match="attrs say that a bar has 24 hours"):
        market.validate(wrong)
