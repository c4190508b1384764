"""The plan of lesson 09 computed again without the library, and the self-test's answers and pointers."""

import functools
import math
from dataclasses import replace
from pathlib import Path

import csv_files
import lessons
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from hedgelib import contracts, exercise, funding, hedge, market, planner, ratio

PATH = lessons.FOLDER / "09_plan_your_hedge.ipynb"
MOVES = [0.01, -0.02, 0.03, -0.01]
QUESTIONS = {name: told for name, told in exercise.exercises().items() if name.startswith("09-q")}
BTC, ETH = contracts.get("BTCUSDT"), contracts.get("ETHUSDT")
RATE, MAKER, TAKER = BTC.brackets.rates[0], BTC.maker_fee, BTC.taker_fee


def fact(topic, key, asset="BTC", row=0):
    """The value of a fact, that of the whole period where there are several."""
    table = market.facts(topic)
    return table[(table["asset"] == asset) & (table["key"] == key)]["value"].iloc[row]


@functools.cache
def names():
    return lessons.run(PATH).namespace


# 2.5 BTC at 60,000, 12,000 of a fall by 20 % are bearable: 1.5 BTC short at 3x, 15,000 in reserve.
ENTRY, COINS, NOTIONAL, MARGIN, RESERVE = 60_000, 1.5, 90_000, 30_000, 15_000
DEATH, LATER = ((money + NOTIONAL) / (COINS * (1 + RATE)) for money in (MARGIN, MARGIN + RESERVE))
FASTEST = {
    (coin, hours): fact("fast_rises", f"best_{hours}_hours", coin)
    for coin in ("BTC", "ETH")
    for hours in (8, 24)
}
ALARM, DAILY = (DEATH / (1 + FASTEST["BTC", hours]) for hours in (8, 24))
VOLATILITY, RECENT = (fact("volatility_by_year", "volatility", row=row) for row in (0, 1))


def chance(price, days, volatility=VOLATILITY):
    """Probability of touching a price, by the reflection principle."""
    return 2 * norm.sf(math.log(price / ENTRY) / (volatility * math.sqrt(days / 365)))


def horizon(up, down, days):
    """Probability that a log without drift meets neither price, by the sine series of the heat equation."""
    above, below = math.log1p(up), -math.log1p(-down)
    width, variance = above + below, VOLATILITY**2 * days / 365
    odd = np.arange(1, 99, 2)
    return np.sum(
        4
        / (np.pi * odd)
        * np.sin(odd * np.pi * below / width)
        * np.exp(-variance * (odd * np.pi / width) ** 2 / 2)
    )


def carry(days, notional, asset="BTC", rise=None, fees=TAKER):
    """Expected funding while the short lives, and the bad case of more than a week, each less both fees."""
    spread = fact("volatility_by_year", "volatility", asset) / math.sqrt(365)
    alive, _ = quad(lambda day: 1 - 2 * norm.sf(math.log1p(rise) / (spread * math.sqrt(day))), 0, days)
    expected = alive * 3 * 1e-4 * fact("funding_by_year", "mean", asset) * notional
    bad = fact("funding_extremes", "worst_30_days", asset) * notional
    return [each - 2 * fees * notional for each in (expected, bad)]


def survived(share):
    """Rise that a 3x short of this share of 2.5 coins survives with the reserve, in percent."""
    behind = share * 2.5 * ENTRY / 3 + RESERVE
    return 100 * ((behind / (share * 2.5) + ENTRY) / (1 + RATE) / ENTRY - 1)


def days_within(chance_of_death, price):
    """Days until the chance of touching a price reaches this, from its quantile."""
    spread = math.log(price / ENTRY) / norm.isf(chance_of_death / 2)
    return math.floor((spread / VOLATILITY) ** 2 * 365)


CAREFUL = "Worksheet(coins, 30_000, price, **(decisions | {'bearable': 6_000}))"
GRID = "number_in(at(grid, {})['{}']{})"
BILL = "Funding and fees within 60 days"
TWICE, TWICE_ETH = (carry(60, NOTIONAL, coin, 1.5 / (1 + RATE) - 1) for coin in ("BTC", "ETH"))


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "feared": 30_000,
        "100 * ratio": 60,
        "ratio * coins": 1.5,
        "margin": MARGIN,
        "reserve": RESERVE,
        "liquidation": DEATH,
        "100 * (liquidation / price - 1)": 100 * (DEATH / ENTRY - 1),
        "100 * fastest[8]": 100 * FASTEST["BTC", 8],
        "100 * fastest[24]": 100 * FASTEST["BTC", 24],
        "alarm[8]": ALARM,
        "alarm[24]": DAILY,
        "100 * (alarm[8] / price - 1)": 100 * (ALARM / ENTRY - 1),
        "income['era']": 180 * 1e-4 * fact("funding_by_year", "mean") * NOTIONAL,
        "income['last 365 days']": 180 * 1e-4 * fact("funding_by_year", "mean", row=1) * NOTIONAL,
        "bad": fact("funding_extremes", "worst_30_days") * NOTIONAL,
        "fees": -2 * TAKER * NOTIONAL,
        "sheet.ticket.maker_fee": MAKER * NOTIONAL,
        "sheet.ticket.taker_fee": TAKER * NOTIONAL,
        "100 * likely": 100 * chance(DEATH, 60),
        "100 * ends.loc['formula, era', 'liquidated']": 100 * chance(LATER, 60),
        "100 * unposted.loc['formula, last 365 days', 'liquidated']": 100 * chance(DEATH, 60, RECENT),
        "-planner.at(early, (1 - fall) * price)['total_pnl'].item()": 2.5 * 12_000 - COINS * 6_000,
        "100 * planner.chances(both, play=False).loc['formula, era', 'horizon']": 100
        * horizon(0.15, 0.1, 60),
        "100 * (sheet.liquidation_with_reserve / price - 1)": 100 * (LATER / ENTRY - 1),
        "ladder.loc['alarm, 8 hours', 'coins_pnl']": 2.5 * (ALARM - ENTRY),
        "-ladder.loc['alarm, 8 hours', 'short_pnl']": COINS * (ALARM - ENTRY),
        "ladder.loc['alarm, 8 hours', 'balance']": MARGIN + RESERVE - COINS * (ALARM - ENTRY),
        GRID.format("leverage=5", "Liquidation price", ", 1"): 100 * (1.2 / (1 + RATE) - 1),
        GRID.format("leverage=10", "Liquidation price", ", 1"): 100 * (1.1 / (1 + RATE) - 1),
        GRID.format("leverage=2, reserve=0", "Alarm, 24 hours", ", 1"): 100
        * (1.5 / (1 + RATE) / (1 + FASTEST["BTC", 24]) - 1),
        GRID.format("leverage=2, reserve=0, holding='ETH'", "Alarm, 24 hours", ", 1"): 100
        * (1.5 / (1 + ETH.brackets.rates[0]) / (1 + FASTEST["ETH", 24]) - 1),
        GRID.format("leverage=2, reserve=0", BILL, ""): TWICE[0],
        GRID.format("leverage=2, reserve=0", BILL, ", 3"): TWICE[1],
        GRID.format("leverage=2, reserve=0, holding='ETH'", BILL, ""): TWICE_ETH[0],
        GRID.format("leverage=2, reserve=0, holding='ETH'", BILL, ", 3"): TWICE_ETH[1],
        "planner.carry(sheet).loc['Total', 'era']": carry(60, NOTIONAL, rise=LATER / ENTRY - 1)[0],
        CAREFUL + ".ticket.quantity": 2,
        CAREFUL + ".ticket.initial_margin": 40_000,
    }.items(),
)
def test_what_the_lesson_says(expression, value):
    said = {lessons.amount(text) for text in lessons.said(PATH)[expression]}
    assert len(said) == 1
    digits = len(next(iter(lessons.said(PATH)[expression])).partition(".")[2])
    assert said.pop() == pytest.approx(value, abs=0.5001 * 10**-digits)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_reserve_is_worth_what_it_is_for_each_coin(share):
    told = next(texts for key, texts in lessons.said(PATH).items() if f"ratio={share}, leverage=3" in key)
    assert lessons.amount(told[0]) == pytest.approx(survived(share), abs=0.05)


@pytest.mark.parametrize(("hours", "alarm"), [(8, ALARM), (24, DAILY)])
def test_the_margin_ratio_at_the_alarm(hours, alarm):
    # At the alarm the balance is what the margin and the short have left.
    here = RATE * COINS * alarm / (MARGIN - COINS * (alarm - ENTRY))
    assert names()["alarm_ratio"][hours] == pytest.approx(here)
    assert {lessons.amount(text) for text in lessons.said(PATH)[f"100 * alarm_ratio[{hours}]"]} == {
        round(100 * here, 1)
    }


def test_the_answer_of_q7_tells_both_alarms():
    right = exercise.exercises()["09-q7"].right
    for hours in (8, 24):
        assert f"{100 * RATE / ((1 + FASTEST['BTC', hours]) * (1 + RATE) - 1):.1f} %" in right
    assert f"{100 * FASTEST['BTC', 8]:.1f} %" in right


def test_measured_chances_lie_between_the_facts_of_the_grid():
    table = market.facts("touched_by_rise", "BTC").query("period == '60 days'").set_index("key")["value"]
    for name, rise, low, high in (("unposted", DEATH, "0.3", "0.35"), ("ends", LATER, "0.4", "0.5")):
        part = (rise / ENTRY - 1 - float(low)) / (float(high) - float(low))
        between = table[low] + part * (table[high] - table[low])
        assert names()[name].loc["measured, era", "liquidated"] == pytest.approx(between)


def test_the_simulated_run_up_kills_the_plan_with_its_reserve():
    rows = names()["rows"]
    events = rows[rows["event"] != ""]
    opened, posted, died = events.itertuples()
    days = [(row.Index - opened.Index).days for row in (opened, posted, died)]
    assert days[0] == 0 and 0 < days[1] < days[2] < 60
    assert (opened.entry, posted.top_ups) == (ENTRY, pytest.approx(RESERVE))
    # At death everything behind the short is as much as the exchange demands: margin, reserve, funding.
    short_at_death = COINS * (ENTRY - died.liquidation_price)
    behind = MARGIN + RESERVE + died.funding
    assert behind + short_at_death == pytest.approx(RATE * COINS * died.liquidation_price, rel=1e-3)
    assert died.short_pnl == pytest.approx(short_at_death)
    assert died.wealth > rows.attrs["wealth_before"]


def test_with_files_of_ones_own_sheet_explorer_and_form_say_the_same(tmp_path, monkeypatch):
    many = market.paths
    monkeypatch.setattr(market, "paths", lambda name, n, **options: many(name, n=20, **options))
    rows, paths = csv_files.candles(rows=600, level=60_000), {}
    for name, text in {
        "spot": csv_files.bulk(rows),
        "perp": csv_files.bulk(rows),
        "funding": csv_files.settled(csv_files.rates(rows=601, rate=-1e-4)),
    }.items():
        paths[name] = str(tmp_path / f"{name}.csv")
        Path(paths[name]).write_text(text, encoding="utf-8")
    listed = ", ".join(f"{name}={path!r}" for name, path in paths.items())
    lesson = lessons.run(PATH, f"market.read_csv({listed}, symbol='BTCUSDT')")
    sheet, told = lesson.namespace["sheet"], planner.summary(lesson.namespace["sheet"])
    assert sheet.market is lesson.namespace["market_frame"] and "history" in sheet.outlooks
    paid = carry_at_unchanged_price(-1e-4, 60)
    assert told[BILL].startswith(f"−{paid:,.0f} USDT (history)")
    (explorer,) = lesson.explorers
    assert explorer.figure(explorer.start)[1] == told
    (form,) = (each for each in lesson.shown if isinstance(each, planner.Form))
    assert form.start == replace(sheet, take_profit=0.2)
    panel = form.widget()
    assert panel.fields["judge"].value == "the market given"
    for text in planner.summary(form.start).values():
        assert text in form.text and text in panel.result.value.replace("\N{NO-BREAK SPACE}", " ")


def carry_at_unchanged_price(rate, days):
    """What shorts pay at a rate, and both fees."""
    return 2 * TAKER * NOTIONAL - 3 * days * rate * NOTIONAL


def test_exercises_by_closed_form():
    told = exercise.exercises()
    assert told["09-1"].answer == pytest.approx(2.5 * (1 - 6_000 / 30_000))
    assert told["09-2"].answer == pytest.approx(NOTIONAL * (1.8 * (1 + RATE) - 1) - MARGIN)
    assert told["09-3"].answer == days_within(0.1, LATER)
    assert days_within(0.1, DEATH) in [mistake["value"] for mistake in told["09-3"].wrong]
    text = lessons.said(PATH)[next(key for key in lessons.said(PATH) if "<= 0.10).sum()" in key)][0]
    assert lessons.amount(text) == told["09-3"].answer


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
    shares = {"a": 1, "b": 0.9, "c": facts["era", "ratio"]}
    assert min(shares, key=shares.get) == options("09-q10") and round(shares["c"], 2) == 0.62
    sold = hedge.Hedge(1, 1, 3, "BTCUSDT", margin_from="coins").coins_sold(60_000)
    assert {"a": 0, "b": 1 / 3, "c": 1 / 4}[options("09-q3")] == sold
    assert {"a": 0.25, "b": 0.5, "c": 0.75}[options("09-q4")] == ratio.effectiveness(MOVES, MOVES, 0.5)
    assert {"a": -6, "b": 6, "c": -6}[options("09-q5")] == funding.received(1, 60_000, 1e-4)
    ten = hedge.Hedge(1, 1, 10, "BTCUSDT", mode="cross", wallet=30_000)
    at = {"a": 10, "b": 2, "c": 20}[options("09-q6")]
    assert ten.liquidation_price(60_000) == hedge.Hedge(1, 1, at, "BTCUSDT").liquidation_price(60_000)
