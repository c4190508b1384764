"""The numbers of lesson 01, computed again without the library."""

import functools
import math
from statistics import NormalDist

import lessons
import pytest
from scipy.optimize import brentq

from hedgelib import contracts, market

phi = NormalDist().cdf
PATH = lessons.FOLDER / "01_why_hedge.ipynb"
SPOT, TAKER = contracts.get("BTCUSDT").spot_fee, contracts.get("BTCUSDT").taker_fee


def fact(topic, period, key):
    """A fact of BTC."""
    table = market.facts(topic, "BTC")
    return table.loc[(table["period"] == period) & (table["key"] == key), "value"].item()


SIGMA, SIGMA_RECENT = (
    round(fact("volatility_by_year", period, "volatility"), 2) for period in ("era", "last 365 days")
)
ERA, RECENT = (round(fact("funding_by_year", period, "mean"), 2) for period in ("era", "last 365 days"))


@functools.cache
def names():
    return lessons.run(PATH).namespace


def totals(**numbers):
    return names()["reasons"](**numbers).sum().to_dict()


@pytest.mark.parametrize("tax", [0, 0.25])
@pytest.mark.parametrize(("days", "rate"), [(30, 1e-4), (30, -1e-4), (7, -1e-4), (90, -1e-4)])
@pytest.mark.parametrize(
    ("gain", "slippage", "staking"), [(40_000, 0.0005, 0.04), (40_000, 0.0005, 0), (0, 0, 0)]
)
def test_reasons_by_hand(gain, tax, days, rate, slippage, staking):
    sell = 60_000 * (2 * SPOT + 2 * slippage + staking * days / 365) + tax * gain
    short = 60_000 * (3 * days * rate - 2 * TAKER)
    way = totals(gain=gain, tax=tax, days=days, rate=rate, slippage=slippage, staking=staking)
    assert way == pytest.approx({"sell and buy back": -sell, "hold and short": short - tax * max(short, 0)})


@pytest.mark.parametrize("days", [7, 30, 90])
@pytest.mark.parametrize("numbers", [{}, {"gain": 0, "slippage": 0, "staking": 0}, {"tax": 0.1}])
def test_at_the_break_even_rate_both_ways_cost_the_same(numbers, days):
    def difference(rate):
        way = totals(rate=rate, days=days, **numbers)
        return way["hold and short"] - way["sell and buy back"]

    table = names()["reasons"](days=days, **numbers)
    assert names()["break_even"](table, days) == pytest.approx(1e4 * brentq(difference, -0.2, 0.2), rel=1e-6)


def test_above_the_tax_rate_of_the_exercise_holding_is_cheaper():
    even = (270 * 18 + 120_000 * (TAKER - SPOT)) / 40_000
    way = totals(days=90, rate=-3e-4, staking=0, slippage=0, tax=even)
    assert way["sell and buy back"] == pytest.approx(way["hold and short"])


def test_a_full_hedge_regrets_as_a_sale_does_and_half_a_hedge_half_as_much():
    worst = names()["regret"].max()
    assert worst["do nothing"] == pytest.approx(15_000 - 105_000 * TAKER)
    assert worst["sell and buy back"] == pytest.approx(15_000 + 135_000 * SPOT)
    assert worst["hold and short"] == pytest.approx(15_000 + 135_000 * TAKER)
    assert worst["short half"] == pytest.approx(7_500 + 135_000 * TAKER / 2)


def test_put_prices():
    # At the money and without interest, Black–Scholes is price · (2 Φ(σ √T / 2) − 1).
    at_the_money = 60_000 * (2 * phi(SIGMA * math.sqrt(1 / 12) / 2) - 1)
    assert names()["put_price"](60_000) == pytest.approx(at_the_money)
    assert names()["rule_of_thumb"] == pytest.approx(0.4 * SIGMA * 60_000 / math.sqrt(12))
    # Far out of reach a put is worth nothing; deep inside, what it pays at once.
    assert names()["put_price"](20_000) == pytest.approx(0, abs=0.01)
    assert names()["put_price"](200_000) == pytest.approx(140_000)


def test_put_price_is_the_mean_of_what_it_pays():
    # E[max(K − X, 0)] with log X normal, mean of X the price: summed over a fine grid of quantiles.
    spread, count = SIGMA * math.sqrt(1 / 12), 100_000
    normal = NormalDist().inv_cdf
    ends = (60_000 * math.exp(spread * normal((i + 0.5) / count) - spread**2 / 2) for i in range(count))
    mean = sum(max(55_000 - end, 0) for end in ends) / count
    assert names()["put_price"](55_000) == pytest.approx(mean, rel=1e-4)


def test_the_hedge_moves_the_tax_and_does_not_avoid_it():
    assert (names()["taxed"]["holder in all"] == 40_000).all()
    assert names()["cost_of_paying_early"] == pytest.approx(10_000 - 10_000 / 1.05**5)


def test_the_extremes_of_funding_come_from_the_facts():
    extremes = names()["extremes"]
    assert round(60_000 * extremes["worst_30_days"]) == -787
    assert round(60_000 * extremes["best_30_days"]) == 4_626


def test_the_worst_month_of_funding_beats_small_reasons_and_not_the_tax():
    spread = 1e4 * names()["extremes"]["worst_30_days"] / 90
    assert spread == pytest.approx(-1.46, abs=0.005)
    # the sale's costs less the two fees of the future, over 90 settlements of 60,000 USDT
    small = -(60_000 * 2 * (SPOT + 0.0005 - TAKER) + 72_000 / 365) / 60_000 / 90 * 1e4
    table = names()["reasons"](tax=0)
    assert names()["break_even"](table) == pytest.approx(small)
    assert names()["break_even"](names()["reasons"]()) < spread < small


def black_scholes(strike, volatility=SIGMA):
    spread = volatility / math.sqrt(12)
    d = math.log(60_000 / strike) / spread
    return strike * phi(spread / 2 - d) - 60_000 * phi(-spread / 2 - d)


MONTH_OF_INTEREST = 60_000 * 0.04 * 30 / 365
SALE = 60_000 * 2 * (SPOT + 0.0005) + MONTH_OF_INTEREST  # what selling costs, the tax apart
HEDGE = 90 * 6 - 2 * TAKER * 60_000  # what the short brings in a month at 1 bp
IDLE = 20_000 * 0.04 * 30 / 365  # what the margin of 3x would have brought


def test_without_tax_and_yield_funding_decided_and_decides_no_more():
    sale = MONTH_OF_INTEREST - 60_000 * 2 * (SPOT + 0.0005)
    table = names()["no_tax"]
    for period, rate in [("era", ERA), ("last 365 days", RECENT)]:
        assert table[period]["sell and buy back"] == pytest.approx(sale)
        assert table[period]["hold and short"] == pytest.approx(540 * rate - 120_000 * TAKER - IDLE)
    ahead = [table[period]["hold and short"] - sale for period in ("era", "last 365 days")]
    assert ahead[0] > 400
    assert 0 < ahead[1] < 0.001 * 60_000


def test_one_basis_point_was_seen_most_often_and_became_the_ceiling():
    ended = market.facts("funding_extremes", "BTC").set_index("key").loc["last_above_interest", "period"]
    assert lessons.said(PATH)[
        "market.facts('funding_extremes', 'BTC').set_index('key')['period']['last_above_interest'][:10]"
    ] == [ended.partition("T")[0]]
    for year in ("2019", "2020", "2021", "2022", "2023", "2024"):
        assert fact("funding_by_year", year, "share_at_interest") > 0.3
    assert fact("funding_by_year", "last 365 days", "share_above_interest") == 0
    assert RECENT < 1


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "spot_fees": 120_000 * SPOT,
        "futures_fees": 120_000 * TAKER,
        "staking_missed": MONTH_OF_INTEREST,
        "-sell": SALE + 10_000,
        "hold": HEDGE * 0.75,
        "tax_of_holder": HEDGE * 0.25,
        "hold + tax_of_holder - (sell + tax_of_seller)": SALE + HEDGE,
        "break_even(reasons())": (-SALE - 10_000 + 120_000 * TAKER) / 540,
        "break_even(reasons(tax=0))": (-SALE + 120_000 * TAKER) / 540,
        "break_even(reasons(gain=0, slippage=0, staking=0))": 120_000 * (TAKER - SPOT) / 540,
        'at(ways, tax=0)["Sell and buy back"]': -SALE,
        'at(ways, tax=0)["Hold and short"]': HEDGE,
        "outcomes['sell and buy back'].iloc[-1]": -135_000 * SPOT,
        "outcomes['hold and short'].iloc[-1]": -135_000 * TAKER,
        "regret['short half'].max()": 7_500 + 135_000 * TAKER / 2,
        "rule_of_thumb": 0.4 * SIGMA / math.sqrt(12) * 60_000,
        "put_price(60_000)": black_scholes(60_000),
        "put_price(55_000)": black_scholes(55_000),
        "put_price(50_000)": black_scholes(50_000),
        'at(protection, at=90_000)["coin + put"]': 30_000 - black_scholes(60_000),
        '-number_in(at(protection, volatility=sigma_recent)["Premium"])': black_scholes(60_000, SIGMA_RECENT),
        '-number_in(at(protection, volatility=0.9)["Premium"])': black_scholes(60_000, 0.9),
        "cost_of_paying_early": 10_000 * (1 - 1 / 1.05**5),
        "margin_of_holder": IDLE,
        "recent": RECENT,
        "funding_received * era": 540 * ERA,
        "funding_received * recent": 540 * RECENT,
        "hold + tax_of_holder - (sell + tax_of_seller) - funding_received * (1 - recent)": SALE
        + 540 * RECENT
        - 120_000 * TAKER,
        "spot_fees * 0.75": 120_000 * SPOT * 0.75,
        "futures_fees * 0.90": 120_000 * TAKER * 0.9,
        "months['worst'] * price": 60_000 * fact("funding_by_horizon_last_365_days", "30 days", "worst"),
        "months['best'] * price": 60_000 * fact("funding_by_horizon_last_365_days", "30 days", "best"),
        "put_price(60_000, sigma_recent)": black_scholes(60_000, SIGMA_RECENT),
        "put_price(55_000, sigma_recent)": black_scholes(55_000, SIGMA_RECENT),
        "put_price(50_000, sigma_recent)": black_scholes(50_000, SIGMA_RECENT),
        "put_price(60_000, 0.42)": black_scholes(60_000, 0.42),
        "put_price(60_000, 0.47)": black_scholes(60_000, 0.47),
        "55_000 - price - put_price(55_000)": -5_000 - black_scholes(55_000),
    }.items(),
)
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(PATH, expression, value)
