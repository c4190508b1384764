"""The numbers of lesson 03, computed again from closed forms and from the paths themselves."""

import ast
import functools
import math
import re
import tomllib
from importlib import resources

import lessons
import numpy as np
import pytest

from hedgelib import contracts

PATH = lessons.FOLDER / "03_partial_hedge.ipynb"
FEE = contracts.get("BTCUSDT").taker_fee
FALL, BEARABLE = 0.25, 5_000
SHARE = 1 - BEARABLE / (FALL * 60_000)
ORDER = math.floor(1_000 * SHARE) / 1_000
RETURNS = [4, -2, -4, 2]  # mean 0
SPREAD = math.sqrt(sum(change**2 for change in RETURNS) / 4)


@functools.cache
def lesson():
    return lessons.run(PATH)


def names():
    return lesson().namespace


def readouts(**wanted):
    """Readouts of the second explorer at a state named by its values."""
    return lessons.readouts(lesson().explorers[1], **wanted)


@functools.cache
def month(mood, hedge_ratio, leverage):
    """Readouts of the months of one mood by hand: each path's isolated short, bar by bar."""
    paths = names()["markets"][mood]
    quantity = math.floor(1_000 * hedge_ratio * 60_000 / paths.spot[0, 0] + 1e-9) / 1_000
    entry, posted = paths.mark[:, 0], quantity * paths.mark[:, 0] / leverage
    balance, alive = posted.copy(), np.full(len(entry), True)
    for bar in range(1, paths.mark.shape[1]):
        # Of a notional up to 300,000 USDT 0.4 % must stay as margin, of what is above 0.5 %.
        notional = quantity * paths.mark_high[:, bar]
        required = 0.004 * notional + 0.001 * np.maximum(notional - 300_000, 0)
        alive &= (balance + quantity * (entry - paths.mark_high[:, bar]) > required) | (quantity == 0)
        balance += alive * quantity * paths.mark[:, bar] * paths.funding[:, bar]
    short = quantity * (entry - paths.mark[:, -1]) + balance - posted
    change = paths.spot[:, -1] - paths.spot[:, 0] + np.where(alive, short, -posted) - FEE * quantity * entry
    return {
        "Median": np.median(change),
        "Worst 5 % up to": np.quantile(change, 0.05),
        "Short liquidated": 100 * np.mean(~alive),
    }


def test_half_a_hedge_at_three_prices():
    by_hand = [5_000, -5_000, 0]
    assert names()["half"].payoff(60_000, [70_000, 50_000, 60_000])["total_pnl"].tolist() == by_hand
    assert names()["total_pnl"].tolist() == by_hand


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.5, 1, 1.5])
@pytest.mark.parametrize("price", [40_000, 45_000, 60_000, 80_000])
def test_the_result_is_linear_in_the_ratio(share, price):
    held = names()["hedge"].Hedge(1, share, 2, "BTCUSDT")
    total = held.payoff(60_000, price)["total_pnl"].iloc[0]
    assert total == pytest.approx((1 - share) * (price - 60_000))


def test_from_fear_to_order():
    # 15,000 · (1 − h) = 5,000; two thirds of a coin is 666 steps and two thirds of one step.
    assert names()["wanted"] == pytest.approx(2 / 3)
    assert names()["sized"].short_quantity == 0.666
    assert names()["left_over"] == pytest.approx(0.002 / 3)
    # −25 %, −39.50 % and −53.05 % of 60,000, on the 0.334 coins not hedged
    assert names()["table"]["total_pnl"].tolist() == pytest.approx([-5_010, -0.334 * 23_700, -0.334 * 31_830])


def test_volatility_is_halved_and_three_quarters_of_the_variance_go():
    # Mean square of 4, −2, −4, 2 is (16 + 4 + 16 + 4) / 4 = 10.
    assert names()["variance"] == pytest.approx((10, 2.5))
    assert names()["volatility"] == pytest.approx((10**0.5, 10**0.5 / 2))


def test_the_simulated_market_follows_the_formula():
    measured, ratios = names()["measured"], names()["ratios"]
    # Mark falls a little deeper than spot: a share of the move, twice for each unit of the ratio
    assert (np.abs(measured - (1 - (1 - ratios) ** 2)) <= 2 * 0.0075 * ratios).all()
    assert measured.max() < 1
    assert "simulated" in names()["market_frame"].attrs["label"]


def test_every_ratio_dies_at_the_same_price_and_spare_margin_moves_it():
    # (margin + quantity · entry) / (quantity · 1.004), by hand
    for held in names()["at_3x"]:
        assert held.liquidation_price(60_000) == pytest.approx(80_000 / 1.004)
    assert names()["spare"].liquidation_price(60_000) == pytest.approx((20_000 + 30_000) / (0.5 * 1.004))


def test_without_a_hedge_the_distribution_is_that_of_the_coin():
    for mood, paths in names()["markets"].items():
        assert "simulated" in paths.label
        gains = 60_000 * (paths.spot[:, -1] / paths.spot[:, 0] - 1)
        told = readouts(mood=mood, hedge_ratio=0.0, leverage=1)
        assert told["Worst 5 % up to"] == f"{np.quantile(gains, 0.05):+,.0f} USDT".replace("-", "−")
        assert told["Loses more than 5,000"] == f"{100 * np.mean(gains < -5_000):.1f} %"


MONTH = re.compile(r"number_in\(at\(month, ([^()]*)\)\['([^']*)'\]\)")


@functools.cache
def told_of_the_months():
    """State and readout of every number that the text takes from the months as it stands there."""
    told = {}
    for expression in lessons.said(PATH):
        if found := MONTH.fullmatch(expression):
            arguments = ast.parse(f"month({found[1]})", mode="eval").body.keywords
            state = {each.arg: ast.literal_eval(each.value) for each in arguments}
            told[expression] = {"mood": "era", "leverage": 1} | state, found[2]
    return told


def test_the_text_tells_what_the_months_bring():
    assert len(told_of_the_months()) >= 11
    for expression, (state, name) in told_of_the_months().items():
        assert lessons.states(PATH, expression, month(**state)[name]), expression


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "unhedged_loss": FALL * 60_000,
        "order": ORDER,
        "order + contract.step": ORDER + 0.001,
        "left_over": SHARE - ORDER,
        "left_over * unhedged_loss": (SHARE - ORDER) * 15_000,
        "bearable + left_over * unhedged_loss": (1 - ORDER) * 15_000,
        "volatility[0]": SPREAD,
        "volatility[1]": SPREAD / 2,
        "variance[0]": SPREAD**2,
        "variance[1]": SPREAD**2 / 4,
        "100 * (left['variance left'][0] - left['variance left'][2])": 75,
        "100 * (left['variance left'][2] - left['variance left'][4])": 25,
        "- number_in(at(payoff, hedge_ratio=1.3, price=entry + 15_000)['together'])": 0.3 * 15_000,
        "- table['total_pnl'].iloc[0]": (1 - ORDER) * 15_000,
        "- table['total_pnl'].iloc[1]": (1 - ORDER) * 23_700,  # 39.5 % of 60,000
        "- table['total_pnl'].iloc[2]": (1 - ORDER) * 31_830,  # 53.05 %
        "unnoticed.payoff(entry, later)['total_pnl'].iloc[0]": (0.75 - 1) * 10_000,
        "100 * unnoticed.ratio": 100 / 0.75,
        "at_3x[0].liquidation_price(entry)": 80_000 / 1.004,
        "spare.liquidation_price(entry)": (20_000 + 30_000) / (0.5 * 1.004),
        "100 * ratio.effectiveness(returns, returns, 0.3)": 100 * (1 - 0.7**2),
        "100 * contract.taker_fee": 100 * FEE,
        "- number_in(at(payoff)['coin'])": 15_000,
        "hedge.Hedge(2.5, 1 - 700 / (2.5 * 3_000 * 0.4), 2, 'ETHUSDT').short_quantity": 1.916,
    }.items(),
)  # fmt: skip
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(PATH, expression, value)


def stored(topic, period):
    """Facts of BTC as they are stored, by column."""
    book = tomllib.loads((resources.files("hedgelib") / "facts.toml").read_text("utf-8"))
    (table,) = (table for table in book["table"] if table["topic"] == topic)
    (row,) = (row[4:] for row in table["rows"] if row[:2] == ["BTC", period])
    return dict(zip(table["columns"], row, strict=True))


@pytest.mark.parametrize("topic", ["funding_by_horizon", "funding_by_horizon_last_365_days"])
@pytest.mark.parametrize("key", ["median", "bad"])
def test_the_real_funding_of_30_days_beside_the_simulated_months(topic, key):
    sums = f"market.facts('{topic}', 'BTC').query(\"key == '{key}' and period == '30 days'\")['value'].item()"
    net = 60_000 * stored(topic, "30 days")[key] - 30  # the taker fee of 0.05 %
    assert lessons.states(PATH, f"entry * ({sums} - contract.taker_fee)", net)


@pytest.mark.parametrize("period", ["era", "last 365 days"])
def test_how_often_the_real_fall_was_larger_than_the_fear(period):
    key = f"key == 'fell_25' and period == '{period}'"
    share = f"100 * market.facts('moves_of_30_days', 'BTC').query(\"{key}\")['value'].item()"
    assert lessons.states(PATH, share, 100 * stored("moves_of_30_days", period)["fell_25"])


def told(begin, part):
    """The one number that the text takes from an expression with this beginning and this part."""
    (text,) = {
        text
        for expression, texts in lessons.said(PATH).items()
        if expression.startswith(begin) and part in expression
        for text in texts
    }
    return lessons.amount(text)


def test_the_first_ratio_that_is_enough_and_the_one_before_it():
    by_hand = {step: (1 - step / 10) * -15_000 for step in range(11)}
    months = {step: month("era", step / 10, 1)["Worst 5 % up to"] for step in range(11)}
    for part, results, least, most, sign in (
        ("payoff", by_hand, "-min(total", "-max(total", -1),
        ("month", months, "min(worst", "max(worst", +1),
    ):
        first = next(step for step in results if results[step] > -BEARABLE)
        assert told("10 * min(", part) == 10 * first
        assert told("10 * max(step", part) == 10 * (first - 1)
        assert told(least, part) == pytest.approx(sign * results[first], abs=0.51)
        assert told(most, part) == pytest.approx(sign * results[first - 1], abs=0.51)


def test_the_best_ratio_in_the_wild_market():
    worst = {step: month("wild", step / 10, 5)["Worst 5 % up to"] for step in range(11)}
    best = max(worst, key=worst.get)
    assert told("10 * max((", "wild") == 10 * best
    assert told("max(number_in", "wild") == pytest.approx(worst[best], abs=0.51)


def test_the_share_that_pays_its_own_costs():
    # One coin shorted brings 15,000, less fees at 60,000 and at 45,000 and 90 settlements of 6 USDT.
    (expression,) = (each for each in lessons.said(PATH) if each.startswith("10_000 / (15_000 - "))
    assert lessons.states(PATH, expression, 10_000 / (15_000 - FEE * 105_000 - 540))


def test_the_effectiveness_in_the_simulated_year():
    moves = np.diff(names()["market_frame"][["spot", "mark"]].to_numpy(), axis=0)
    for place, share in ((2, 0.5), (4, 1)):
        removed = 1 - np.var(moves[:, 0] - share * moves[:, 1]) / np.var(moves[:, 0])
        assert lessons.states(PATH, f"100 * measured[{place}]", 100 * removed)


def test_more_hedge_stops_helping_where_shorts_die():
    def worst(**state):
        told = readouts(**state)["Worst 5 % up to"]
        return lessons.amount(told)

    assert worst(mood="wild", hedge_ratio=1, leverage=5) < worst(mood="wild", hedge_ratio=0.5, leverage=5)
    assert worst(mood="wild", hedge_ratio=1, leverage=1) > worst(mood="wild", hedge_ratio=0.5, leverage=1)
    liquidated = readouts(mood="wild", hedge_ratio=1, leverage=5)["Short liquidated"]
    assert float(liquidated.removesuffix(" %")) > 50
