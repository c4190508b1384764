"""The numbers of the case studies and of the table of claims, from the article and the facts."""

import lessons
import pytest

from hedgelib import hedge, market

LESSON = next(path for path in lessons.PATHS if path.stem == "08_case_studies")


@pytest.fixture(scope="module")
def names():
    return lessons.run(LESSON).namespace


def read(title, **values):
    return lessons.readouts(lessons.titled(LESSON, title), **values)


def test_case_1_as_published(names):
    assert (names["unrealised"], names["spot_pnl"], names["short_pnl"]) == (125_000, -50_000, 30_000)
    assert names["margin"] == 65_000
    assert names["wang"].liquidation_price(65_000) == pytest.approx((65_000 + 65_000 / 3) / 1.004)


def test_the_detour_costs_the_margin_and_the_protection(names):
    def total(path):
        return names["ledger"].run(path, names["wang"])[names["causes"]].iloc[-1].drop("fees").sum()

    straight, detour = (total(market.drawn(names[name])) for name in ("straight", "detour"))
    assert straight == pytest.approx(-50_000 + 30_000)
    assert detour == pytest.approx(-50_000 - 65_000)


@pytest.mark.parametrize(("rise", "survivors"), [(0.33, {2, 3}), (0.4, {2}), (0.5, set())])
def test_which_leverage_outlives_the_rise(rise, survivors):
    assert {
        x
        for x in (2, 3, 5)
        if read("Case 1: 5 BTC from 65,000 USDT", rise=rise, leverage=x)["The short is"] == "alive"
    } == survivors


def test_what_was_missing_at_the_top_of_the_last_task(names):
    path = market.drawn({0: 65_000, 10: 97_500, 30: 55_000}, rate=1e-4)
    at_top = names["ledger"].run(path, hedge.Hedge(5, 0.6, 2, "BTCUSDT")).iloc[30]
    # The margin of 97,500 is gone; 29 settlements of 1 bp on 3 BTC came in on the way up.
    funding = 3e-4 * sum(65_000 + bar * 32_500 / 30 for bar in range(1, 30))
    assert at_top["margin"] == pytest.approx(funding) == pytest.approx(707, abs=0.5)
    assert at_top["maintenance"] == pytest.approx(0.004 * 3 * 97_500) == 1_170
    assert at_top["event"].startswith("liquidated")


def test_case_2_in_coins(names):
    assert names["in_coins"].round(4).tolist() == [
        round((8.5 + 1.05) / 0.85, 4),
        round((11.5 - 1.05) / 1.15, 4),
    ]
    assert names["li"].liquidation_price(2_000) == pytest.approx(2_000 * 1.5 / 1.004)


def test_coins_sold_for_the_margin():
    wang = hedge.Hedge(5, 0.6, 3, "BTCUSDT", margin_from="coins").coins_sold(65_000)
    li = hedge.Hedge(10, 0.7, 2, "ETHUSDT", margin_from="coins").coins_sold(2_000)
    # x coins pay the margin of h of the rest at leverage L: x = h / L · (coins − x)
    assert (wang, li) == pytest.approx((0.2 * 5 / 1.2, 0.35 * 10 / 1.35))
    assert (f"{wang:.2f}", f"{li:.2f}") == ("0.83", "2.59")
    assert all(told in lessons.prose(LESSON) for told in ("0.83 of the five", "2.59 of her 10"))


def test_case_3_needs_a_margin_beyond_the_notional(names):
    assert names["run_up"] == 1.3258
    assert names["enough"] == pytest.approx(2.3258 * 1.004 - 1)
    for leverage in (1, 2, 3):
        assert hedge.Hedge(1, 1, leverage, "BTCUSDT").distance_to_liquidation(60_000) < names["run_up"]


CLAIMED = {
    "full hedge: total 0 at every price": "0 USDT",
    "100 % of price risk removed": "99.988% of variance",
    "an insurance: only the premium is lost": "0 USDT where the coin gains 10,000",
    "20,000 to 30,000 USDT of margin": "25% to 33% of the coins",
    "half hedge: ±5,000": "+5,000 USDT at 70,000",
    "half hedge cuts the risk in half": "75% of variance removed",
    "hedging costs less than selling": "0.10% against 0.20%",
    "2x or lower gives plenty of room": "24% (BTC), 40% (ETH) in 90 days",
    "use 2x to 3x": "40% (BTC), 52% (ETH) in 90 days",
    "funding is mostly positive": "86.5% (BTC); 65.8% (ETH in 2022)",
    "negative funding: it may drop": "next 7 days +3.6%, else +0.9%",
    "batches of 30/30/40 ensure protection": "70%, 40% unprotected",
    "take profit at 55,000 earns 5,000": "+5,000 USDT",
    "BTC −10 %, ETH −15 %": "measured 1.11; 1.47 in 2025",
    "case 1: 125,000; −50,000; +30,000": "125,000; -50,000; +30,000 USDT",
    "the future earns the fall back": "60% in case 1",
    "case 2: ±0.45 ETH": "11.2353 and 9.0870 ETH owned",
}


def test_every_claim_has_its_number(names):
    claims = names["claims"].set_index("the article says")
    assert claims["the number"].to_dict() == CLAIMED


def test_every_claim_points_to_a_lesson_that_exists(names):
    assert set(names["claims"]["lesson"]) <= {path.name[:2] for path in lessons.PATHS}
