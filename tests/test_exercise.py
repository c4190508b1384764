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
        pointer="Who gains when the price rises?",
        hint="Quantity times the rise.",
        wrong=[
            {"value": 70_000, "why": "This is the price, not the profit."},
            {"value": 0, "why": "The short did not stand still."},
        ],
        calls=[{"arguments": [50_000], "value": 10_000}, {"arguments": [[1, 2]], "value": [59_999, 59_998]}],
    ),
    "02-2": Exercise(answer=0.4, right="Two fifths.", hint="Divide."),
    "02-3": Exercise(answer=[30_000, 20_000], relative_tolerance=0.01, right="Both.", hint="Two of them."),
    "02-4": Exercise(
        answer="liquidation", right="So it is.", hint="L…", wrong=[{"value": "funding", "why": "It is paid."}]
    ),
    "03-1": Exercise(answer=1, unit="of the gain", right="One.", hint="One."),
    "03-2": Exercise(
        answer="b", right="B.", hint="Read.", wrong=[{"value": letter, "why": "No."} for letter in "ca"]
    ),
}


@pytest.fixture(autouse=True)
def nothing_answered():
    exercise.session.clear()
    yield
    exercise.session.clear()


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
        ("02-1", "-10000"),
        ("02-1", "−10,000 USDT"),
        ("02-1", "-(0.5 * 20_000)"),
        ("02-2", "40 %"),
        ("02-2", "2/5"),
        ("02-3", "[30,000, 20,000]"),
        ("02-2", fractions.Fraction(2, 5)),
        ("02-2", 0.4003),
        ("02-3", (30_000, 20_100)),
        ("02-3", np.array([30_200, 20_000])),
        ("02-4", "  Liquidation "),
        ("03-2", " B) "),
    ],
)
def test_right_answers_pass(made, name, answer):
    verdict = check(name, answer)
    assert verdict.passed
    total = sum(other[:2] == name[:2] for other in MADE)
    assert repr(verdict) == f"✓ Right. {MADE[name].right} Done in lesson {name[:2]}: 1 of {total}."


@pytest.mark.parametrize(
    ("name", "answer", "reason"),
    [
        ("02-1", ..., "Not answered yet"),
        ("02-1", None, "Not answered yet"),
        ("02-1", 10_000, "10,000 USDT has the right size and the wrong sign"),
        ("02-1", 70_000, "This is the price, not the profit."),
        ("02-1", -10_090, "−10,090 USDT is close: was something rounded"),
        ("02-1", -9_990.005, "−9,990"),
        ("02-1", -20_000, "−20,000 USDT is too low."),
        ("02-1", 0, "The short did not stand still."),
        ("02-1", -0.5, "−0.5 USDT is too high."),
        ("02-1", -9_998, "close"),
        ("02-1", "0,5", "Write decimals with a point"),
        ("02-1", "5 BTC", "This asks for USDT, and your answer is in BTC."),
        ("02-1", "ten", "“ten” cannot be read: type a number or arithmetic"),
        ("02-1", "1/0", "divided by 0"),
        ("02-1", (10, 0), "there are 2. In Python a comma makes two numbers of one: write 10_000"),
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
        ("03-1", 4_920, "4,920 is too high."),
        ("03-1", 100, "100 is 100 times what is asked"),
        ("02-3", [20_000, 30_000], "the right numbers, in another order"),
        ("03-2", "d", "one of the letters a, b, c."),
        ("03-2", 2, "one of the letters a, b, c, in quotes, not a value of type int."),
        ("02-3", 30_000, "2 numbers in a list, and there are 1"),
        ("02-3", [30_000, 25_000], "Number 2, 25,000, is too high."),
        ("02-4", "funding", "It is paid."),
        ("02-4", "fees", "That is not the word."),
        ("02-4", 5, "This asks for a word, in quotes, not a value of type int."),
        ("02-9", 5, 'There is no exercise "02-9"; there is 02-1, 02-2, 02-3, 02-4.'),
        ("9", 5, "there is 02-1, 02-2, 02-3, 02-4, 03-1, 03-2."),
        (5, 5, "The name of the exercise comes first"),
    ],
)
def test_wrong_answers_learn_why(made, name, answer, reason):
    verdict = check(name, answer)
    assert not verdict.passed
    assert reason in str(verdict)


def test_each_wrong_answer_tells_more(made):
    told = [
        str(check("02-1", answer)).partition("too low.")[2] for answer in (-20_000, -21_000, -22_000, -23_000)
    ]
    assert told == [
        "",
        " Hint: Who gains when the price rises?",
        " Hint: Quantity times the rise.",
        " Hint: Quantity times the rise. The whole way is folded below.",
    ]
    assert "Hint: Divide. The whole way" in [str(check("02-2", answer)) for answer in (7, 8, 9)][-1]


def test_what_is_no_try_tells_no_more(made):
    assert str(check("02-1", -20_000)) == str(check("02-1", -20_000)), "the cell was run again"
    assert check("02-1", "?").outcome == "unread"
    second = check("02-1", -21_000)
    assert (second.attempt, second.outcome, second.mistake) == (2, "wrong", None)
    assert check("02-1", 10_000).mistake == "sign"
    assert [each.attempt for each in exercise.session] == [1, 2, 2, 3]


def test_check_alone_says_what_is_done(made):
    assert str(check()) == "Nothing is answered yet."
    for name, answer in [
        ("02-2", 7),
        ("02-2", 0.4),
        ("02-2", 8),
        ("03-1", 1),
        ("02-4", "liquidation"),
        ("02-3", 1),
    ]:
        check(name, answer)
    assert str(check()) == (
        "Done in lesson 02: 2 of 4. 02-2 at try 2, 02-4 at try 1.\nDone in lesson 03: 1 of 2. 03-1 at try 1."
    )


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda price: ..., "(50000) gives a value of type ellipsis."),
        (lambda price: 1, "(50000) gives 1, and it should give 10,000."),
        (lambda price: 10_000, "([1, 2]) gives 10,000."),
        (lambda price: [10_000], "(50000) gives other values, and it should give 10,000."),
        (lambda: 1, "(50000) fails: TypeError"),
        (7, "the function(50000) fails: TypeError"),
    ],
)
def test_a_function_that_is_asked_for_is_called(made, function, reason):
    verdict = check("02-1", -10_000, function)
    assert not verdict.passed
    assert verdict.mistake == "function"
    assert reason in str(verdict)
    assert check("02-1", -10_000, lambda price: 60_000 - price).passed


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
        exercise._course.cache_clear()

    yield write
    exercise._course.cache_clear()


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
    exercise._course.cache_clear()
    assert check("02-1", -0.0004 * (60_000 + 50_000)).passed
    assert "each 0.04 % of the notional" in exercise.exercises()["02-1"].hint
    assert check("03-3", 10_000 / (15_000 - 0.0004 * (60_000 + 45_000) - 540)).passed
    assert "24 USDT at the opening and 18.00 at the closing" in str(check("03-3", 10_000 / (15_000 - 540)))
    exercise._course.cache_clear()


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
        assert one.letters or one.pointer.endswith("?"), name
        assert one.tolerance is None or one.relative_tolerance is None, name
        for tolerance in (one.tolerance, one.relative_tolerance):
            assert tolerance is None or tolerance > 0, name
        assert check(name, one.answer).passed, name
        for mistake in one.wrong:
            assert set(mistake) == {"value", "why"}, name
            verdict = one.judge(mistake["value"])
            assert not verdict.passed, name
            assert mistake["why"] in str(verdict), name
