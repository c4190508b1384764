import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import checks


@given(st.floats(-1e30, 1e30))
def test_numbers_pass_unchanged(value):
    assert checks.number("value", value) == value
    np.testing.assert_array_equal(checks.number("value", [value, 1]), [value, 1])


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), np.array(3)])
def test_a_single_number_becomes_a_python_float(value):
    assert type(checks.number("value", value)) is float


def test_sequences_become_arrays():
    for value in ([1, 2], (1, 2), np.array([1, 2]), pd.Series([1, 2])):
        checked = checks.number("value", value)
        assert type(checked) is np.ndarray
        assert checked.dtype == float


@pytest.mark.parametrize(
    "value",
    [
        "1",
        None,
        True,
        [True],
        [np.True_, 1.5],
        [[1, 2], [1, True]],
        [1, None],
        [[1], [1, 2]],
        1j,
        object(),
        {},
        np.nan,
        np.inf,
        -np.inf,
        10**400,
        [1, np.nan],
        1e31,
        -1e31,
        pd.Timestamp("2020-01-01"),
        np.datetime64("2020-01-01"),
    ],
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match=r"^price \(USDT\)"):
        checks.number("price (USDT)", value)


@pytest.mark.parametrize(
    ("limits", "good", "bad", "words"),
    [
        ({"above": 0}, 1e-30, 0, "above 0"),
        ({"above": 0}, 1, 1e-31, "too large or too small"),
        ({"at_least": 0}, 0, -1e-300, "at least 0"),
        ({"below": 1}, 0.999, 1, "below 1"),
        ({"at_most": 1}, 1, 1.001, "at most 1"),
        ({"at_least": 1, "at_most": 150}, 150, 151, "at least 1 and at most 150"),
    ],
)
def test_limits(limits, good, bad, words):
    assert checks.number("value", good, **limits) == good
    with pytest.raises(ValueError, match=words):
        checks.number("value", bad, **limits)
    with pytest.raises(ValueError, match=words):
        checks.number("value", [good, bad], **limits)


def test_the_offender_is_named():
    with pytest.raises(ValueError, match="got -2 in it"):
        checks.number("price (USDT)", [1, -2, 3], above=0)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda value: checks.number("price", value),
        lambda value: checks.one_of("mode", value, ("isolated", "cross")),
        lambda value: checks.kind("plan", value, int, "a whole number"),
    ],
)
@pytest.mark.parametrize("value", [pd.Series(["a", "b"]), pd.DataFrame({"a": ["b"]}), np.full((2, 2), "a")])
def test_messages_are_one_line(refuse, value):
    with pytest.raises(ValueError, match=r"\A.+\Z"):
        refuse(value)


def test_single_refuses_sequences():
    assert checks.single("value", 1) == 1
    with pytest.raises(ValueError, match="must be one number"):
        checks.single("value", [1])


@pytest.mark.parametrize("value", [0, 2, -1.5, "short", None, [1, 0], np.nan])
def test_sides(value):
    with pytest.raises(ValueError, match="side"):
        checks.side("side", value)


def test_words():
    for value in ("Isolated", None, 1, ["isolated"]):
        with pytest.raises(ValueError, match="mode must be one of 'isolated', 'cross'"):
            checks.one_of("mode", value, ("isolated", "cross"))


def test_shapes():
    checks.broadcast(one=1.0, two=np.ones((2, 1)), three=np.ones(3))
    with pytest.raises(ValueError, match=r"one \(2,\), two \(3,\) must be"):
        checks.broadcast(one=np.ones(2), two=np.ones(3))


def test_rows_of_other_days_are_refused():
    days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    one = pd.Series(1.0, days)
    checks.aligned(one=one, two=pd.Series(2.0, days.copy()), three=2.0, four=np.ones(3), five=[1, 2, 3])
    checks.aligned(one=one, frame=pd.DataFrame({"a": one}))
    for other in (one[::-1], one[1:], pd.Series(1.0, range(3)), pd.DataFrame({"a": one[:2]})):
        with pytest.raises(ValueError, match="one and other have rows of different times or order"):
            checks.aligned(one=one, three=3.0, other=other)


def test_arguments_are_checked_once_and_the_formula_is_bare():
    @checks.arguments(a=checks.numbers("coin", above=0), b=checks.numbers())
    def ratio(a, b, word="x", c=None):
        """Divide."""
        return a / b if c is None else word

    assert ratio.unchecked(1, 2) == 0.5
    assert ratio.__doc__ == "Divide."
    assert type(ratio(np.float32(1), b=2)) is float
    np.testing.assert_array_equal(ratio([1, 2], 2), [0.5, 1])
    with pytest.raises(ValueError, match=r"a \(coin\) must be a finite number above 0, got 0"):
        ratio(0, 2)
    with pytest.raises(ValueError, match="b must be a finite number"):
        ratio(1, b="2")
    with pytest.raises(ValueError, match=r"a \(2,\), b \(3,\) must be"):
        ratio([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="rows of different times"):
        ratio(pd.Series([1, 2]), pd.Series([1, 2], index=[1, 2]))
    with pytest.raises(TypeError):
        ratio(1)


def test_plain():
    assert type(checks.plain(np.float64(1))) is float
    assert str(checks.plain(-0.0)) == "0.0"
    assert not np.signbit(checks.plain(np.array([-0.0]))).any()


def test_rows_of_equal_times_belong_together_in_whatever_unit_they_are_counted():
    days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    for unit in ("s", "us", "ns"):
        checks.aligned(mark=pd.Series(1.0, days), rate=pd.Series(1e-4, days.as_unit(unit)))
    with pytest.raises(ValueError, match="rows of different times"):
        checks.aligned(mark=pd.Series(1.0, days), rate=pd.Series(1e-4, days + pd.Timedelta("1h")))
