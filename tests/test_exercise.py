"""Exercises: every kind of answer gets a sentence, and the files of the lessons are sound."""

import dataclasses
import decimal
import fractions
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import contracts, exercise
from hedgelib.exercise import Exercise, check

MADE = {
    "02-1": Exercise(
        answer=-10_000,
        tolerance=1,
        unit="USDT",
        right="The short pays what the coin gains.",
        hint="Who gains when the price rises?",
        wrong=[{"value": 70_000, "why": "This is the price, not the profit."}],
    ),
    "02-2": Exercise(answer=0.4, right="Two fifths.", hint="Divide."),
    "02-3": Exercise(answer=[30_000, 20_000], relative_tolerance=0.01, right="Both.", hint="Two of them."),
    "02-4": Exercise(
        answer="liquidation", right="So it is.", hint="L…", wrong=[{"value": "funding", "why": "It is paid."}]
    ),
    "03-1": Exercise(answer=1, right="One.", hint="One."),
}


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(exercise, "exercises", lambda: MADE)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("02-1", -10_000),
        ("02-1", -9_999.5),
        ("02-1", np.float64(-10_000)),
        ("02-1", np.array(-10_000)),
        ("02-1", [-10_000]),
        ("02-1", pd.Series([-10_000.0])),
        ("02-1", decimal.Decimal("-10000")),
        ("02-2", fractions.Fraction(2, 5)),
        ("02-2", 0.4003),
        ("02-3", (30_000, 20_100)),
        ("02-3", np.array([30_200, 20_000])),
        ("02-4", "  Liquidation "),
    ],
)
def test_right_answers_pass(made, name, answer):
    verdict = check(name, answer)
    assert verdict.passed
    assert repr(verdict) == f"✓ Right. {MADE[name].right}"


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("02-1", ..., "Not answered yet"),
        ("02-1", None, "Not answered yet"),
        ("02-1", 10_000, "10,000 USDT has the right size and the wrong sign"),
        ("02-1", 70_000, "This is the price, not the profit."),
        ("02-1", -10_100, "−10,100 USDT is close: was something rounded"),
        ("02-1", -20_000, "−20,000 USDT is too low."),
        ("02-1", 0, "0 USDT is too high."),
        ("02-1", -9_998, "close"),
        ("02-1", "-10000", "leave the quotes out"),
        ("02-1", True, "This asks for a number, not a value of type bool."),
        ("02-1", {"a": 1}, "not a value of type dict"),
        ("02-1", [[1], [2, 3]], "not a value of type list"),
        ("02-1", ["a"], "not a value of type list"),
        ("02-1", 1j, "not a value of type complex"),
        ("02-1", 10**400, "not a value of type int"),
        ("02-1", [1, 2], "one number, and there are 2"),
        ("02-1", [], "one number, and there are 0"),
        ("02-1", math.nan, "finite"),
        ("02-1", math.inf, "finite"),
        ("02-1", print, "not a value of type builtin_function_or_method"),
        ("02-2", 40, "40 is 100 times what is asked: did you give a percentage where a fraction"),
        ("02-2", 0.004, "0.004 is 0.01 times what is asked"),
        ("02-2", 0.41, "0.41 is too high"),
        ("02-3", 30_000, "2 numbers in a list, and there are 1"),
        ("02-3", [30_000, 25_000], "Number 2, 25,000, is too high."),
        ("02-4", "funding", "It is paid."),
        ("02-4", "fees", "That is not the word."),
        ("02-4", 5, 'This asks for a word in quotes, such as "yes"'),
        ("02-9", 5, 'There is no exercise "02-9"; there is 02-1, 02-2, 02-3, 02-4.'),
        ("9", 5, "there is 02-1, 02-2, 02-3, 02-4, 03-1."),
        (5, 5, "The name of the exercise comes first"),
    ],
)
def test_wrong_answers_learn_why(made, name, answer, reason):
    verdict = check(name, answer)
    assert not verdict.passed
    assert reason in str(verdict)


def test_a_wrong_answer_gets_the_hint(made):
    assert str(check("02-2", 7)).endswith("Hint: Divide.")


class Hostile:
    def __float__(self):
        raise KeyError

    def __array__(self, *_, **__):
        raise RuntimeError

    def __repr__(self):
        raise ZeroDivisionError


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.complex_numbers() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=5,
) | st.builds(Hostile)


@given(st.sampled_from(sorted(MADE)), anything)
def test_no_answer_raises(name, answer):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercise, "exercises", lambda: MADE)
        assert repr(check(name, answer))


@pytest.fixture
def file(monkeypatch, tmp_path):
    """Let the exercises be those of one file with this text."""

    def write(text):
        folder = tmp_path / "exercises"
        folder.mkdir(exist_ok=True)
        (folder / "02_topic.toml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(exercise, "resources", SimpleNamespace(files=lambda package: tmp_path))
        exercise.exercises.cache_clear()

    yield write
    exercise.exercises.cache_clear()


FEE = contracts.get("BTCUSDT").taker_fee
BOTH = 2 * FEE * 60_000
COMPUTED = """
[given]
price = 60_000
fee = "=contracts.get('BTCUSDT').taker_fee"
both = "=2 * fee * price"

[02-1]
answer = "=-both"
right = "Two fees of {both / 2:,.0f} USDT, {-100 * fee:.2f} %, make {{{both}}}."
hint = "Add {['two', 'three'][0]:>4} fees."
wrong = [{ value = "=[both, np.sqrt(4)]", why = "Of {price:,}." }]
"""


def test_answers_and_sentences_are_computed(file):
    file(COMPUTED)
    made = exercise.exercises()["02-1"]
    assert made.answer == -BOTH
    assert made.right == f"Two fees of {BOTH / 2:.0f} USDT, −{100 * FEE:.2f} %, make {{{BOTH}}}."
    assert made.hint == "Add  two fees."
    assert made.wrong == [{"value": [BOTH, 2], "why": "Of 60,000."}]


def test_an_exercise_follows_the_fee(monkeypatch):
    contract = contracts.get("BTCUSDT")
    monkeypatch.setattr(contracts, "get", lambda name: dataclasses.replace(contract, taker_fee=0.0004))
    exercise.exercises.cache_clear()
    assert check("02-1", -0.0004 * (60_000 + 50_000)).passed
    assert "each 0.04 % of the notional" in str(check("02-1", -55))
    assert check("03-3", 10_000 / (15_000 - 0.0004 * (60_000 + 45_000) - 540)).passed
    assert "24 USDT at the opening and 18.00 at the closing" in str(check("03-3", 10_000 / (15_000 - 540)))
    exercise.exercises.cache_clear()


def test_an_exercise_asks_for_nothing_that_it_does_not_need(file):
    file(COMPUTED + '[02-2]\nanswer = "=1 / 0"\nright = "r"\nhint = "h"\n')
    assert check("02-1", -BOTH).passed
    with pytest.raises(ValueError, match=r"02_topic\.toml, exercise 02-2: '1 / 0' fails: ZeroDivisionError"):
        check("02-2", 1)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('answer = 1\ntolerence = 1\nright = "r"\nhint = "h"', "exercise 02-1: .*tolerence"),
        ('answer = "=1 +"\nright = "r"\nhint = "h"', r"exercise 02-1: '1 \+' fails: SyntaxError"),
        ('answer = 1\nright = "r"\nhint = "{price}"', "exercise 02-1: 'price' fails: NameError"),
        ('answer = 1\nright = "{3:x,}"\nhint = "h"', "exercise 02-1: .* fails: ValueError"),
        ('answer = 1\nright = "{3"\nhint = "h"', "exercise 02-1: .* fails: ValueError"),
    ],
)
def test_a_broken_exercise_is_refused_by_name(file, broken, reason):
    file(f"[02-1]\n{broken}\n")
    with pytest.raises(ValueError, match=rf"02_topic\.toml, {reason}"):
        exercise.exercises()["02-1"]


def test_what_is_given_is_refused_by_name(file):
    file('[given]\na = "=b"\n[02-1]\nanswer = 1\nright = "r"\nhint = "h"\n')
    with pytest.raises(ValueError, match="given a: 'b' fails: NameError"):
        exercise.exercises()["02-1"]


def test_the_exercises_of_the_course_are_sound():
    folder = exercise.resources.files("hedgelib") / "exercises"
    lessons = {file.name[:2] for file in folder.iterdir() if file.name.endswith(".toml")}
    assert {name[:2] for name in exercise.exercises()} == lessons
    for name, one in exercise.exercises().items():
        assert name[2] == "-", name
        assert isinstance(one.answer, int | float | list | str), name
        assert one.right.endswith("."), name
        assert one.hint.endswith((".", "?")), name
        assert one.tolerance is None or one.relative_tolerance is None, name
        for tolerance in (one.tolerance, one.relative_tolerance):
            assert tolerance is None or tolerance > 0, name
        assert check(name, one.answer).passed, name
        for mistake in one.wrong:
            assert set(mistake) == {"value", "why"}, name
            verdict = check(name, mistake["value"])
            assert not verdict.passed, name
            assert mistake["why"] in str(verdict), name
