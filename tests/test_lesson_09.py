"""The numbers of the plan, from closed forms and the facts, and the self-test's answers and pointers."""

import math

import lessons
import pytest

from hedgelib import exercise, funding, hedge, market, planner, ratio

LESSON = next(path for path in lessons.PATHS if path.stem == "09_plan_your_hedge")
MOVES = [0.01, -0.02, 0.03, -0.01]
QUESTIONS = {name: told for name, told in exercise.exercises().items() if name.startswith("09-q")}


@pytest.fixture(scope="module")
def names():
    return lessons.run(LESSON).namespace


def test_the_plan_by_hand(names):
    assert names["ratio"] == pytest.approx(0.6)
    assert names["liquidation"] == pytest.approx(60_000 * (1 + 1 / 3) / 1.004)
    assert names["alarm"] == pytest.approx(66_656.58, abs=0.01)
    assert (names["margin"], names["reserve"]) == (30_000, 15_000)


def test_constants_typed_by_hand_are_the_facts(names):
    facts = market.facts().set_index(["topic", "asset", "key", "period"])["value"].sort_index()
    assert facts["extremes", "BTC", "best_1_day"].item() == 0.1954
    assert facts["funding_by_year", "BTC", "mean", "2019-09-10 to 2026-03-15"] == 1.1156
    assert facts["funding_extremes", "BTC", "worst_30_days"].item() == -0.01312
    assert facts["volatility_by_year", "BTC", "volatility", "2019-09-10 to 2026-03-15"] == 0.6273


def test_chances_by_the_reflection_principle_and_the_facts(names):
    spread = 0.6273 * math.sqrt(60 / 365)
    rises = names["liquidation"] / 60_000, 1.5 / 1.004
    formula = [math.erfc(math.log(rise) / spread / math.sqrt(2)) for rise in rises]
    table = planner.chances(names["sheet"])
    assert table["formula"].to_numpy() == pytest.approx(formula)
    assert table["formula"].round(3).tolist() == [0.265, 0.114]
    assert table["measured"].tolist() == [0.2915, 0.1574]


def test_the_simulated_run_up_kills_the_plan_with_its_reserve(names):
    rows = names["rows"][names["rows"]["event"] != ""]
    assert rows["event"].tolist()[1:] == ["topped up by 5,000.00 USDT", "liquidated at 30,384.71"]
    # Everything behind the short is lost: margin, reserve and the funding received on the way.
    last = rows.iloc[-1]
    assert last["short_pnl"] + last["liquidation_loss"] < -(10_000 + 5_000)
    assert [(time - rows.index[0]).days for time in rows.index] == [0, 6, 10]


def test_exercise_2_and_3_by_closed_form():
    told = exercise.exercises()
    assert told["09-2"].answer == pytest.approx(90_000 * (1.8 * 1.004 - 1) - 30_000)
    # Death within T days has 10 % probability where ln(1.5/1.004) / (σ √T) is the 95 % quantile, 1.644854.
    years = (math.log(1.5 / 1.004) / (0.6273 * 1.644854)) ** 2
    assert told["09-3"].answer == math.floor(years * 365)
    as_opened = (math.log(4 / 3 / 1.004) / (0.6273 * 1.644854)) ** 2
    assert math.floor(as_opened * 365) in [mistake["value"] for mistake in told["09-3"].wrong]


def test_twelve_questions_over_all_lessons():
    assert len(QUESTIONS) == 12
    told = " ".join(question.right for question in QUESTIONS.values())
    assert all(f"Lesson {number:02d}." in told for number in range(1, 10))
    assert {question.answer for question in QUESTIONS.values()} == set("abc")


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_option_of_a_question_explains_itself(name):
    question = QUESTIONS[name]
    for letter in sorted(set("abc") - {question.answer}):
        verdict = exercise.check(name, letter)
        assert not verdict.passed
        assert any(mistake["why"] in verdict.text for mistake in question.wrong)
    assert exercise.check(name, question.answer.upper()).passed


def test_answers_that_can_be_computed():
    def options(name):
        return QUESTIONS[name].answer

    facts = market.facts("cross_hedge").set_index(["period", "key"])["value"]
    shares = {"a": 1, "b": 0.9, "c": facts["2019-09-10 to 2026-03-15", "ratio"]}
    assert min(shares, key=shares.get) == options("09-q10") and round(shares["c"], 2) == 0.62
    sold = hedge.Hedge(1, 1, 3, "BTCUSDT", margin_from="coins").coins_sold(60_000)
    assert {"a": 0, "b": 1 / 3, "c": 1 / 4}[options("09-q3")] == sold
    assert {"a": 0.25, "b": 0.5, "c": 0.75}[options("09-q4")] == ratio.effectiveness(MOVES, MOVES, 0.5)
    assert {"a": -6, "b": 6, "c": -6}[options("09-q5")] == funding.received(1, 60_000, 1e-4)
    ten = hedge.Hedge(1, 1, 10, "BTCUSDT", mode="cross", wallet=30_000)
    at = {"a": 10, "b": 2, "c": 20}[options("09-q6")]
    assert ten.liquidation_price(60_000) == hedge.Hedge(1, 1, at, "BTCUSDT").liquidation_price(60_000)
