"""The numbers of the case studies and of the table of claims, from the article and the facts."""

import lessons
import pytest

from hedgelib import contracts, hedge, market

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


def test_case_3_needs_a_margin_beyond_the_notional(names):
    assert names["run_up"] == 1.3258
    assert names["enough"] == pytest.approx(2.3258 * 1.004 - 1)
    for leverage in (1, 2, 3):
        assert hedge.Hedge(1, 1, leverage, "BTCUSDT").distance_to_liquidation(60_000) < names["run_up"]


def fact(topic, asset, period, key):
    table = market.facts(topic)
    chosen = table[(table["asset"] == asset) & (table["period"] == period) & (table["key"] == key)]
    return chosen["value"].item()


def test_the_claims_that_rest_on_facts_and_fees_have_their_numbers(names):
    told = names["claims"].set_index("the article says")["the number"]
    contract = names["contracts"].get("BTCUSDT")
    assert told["hedging costs less than selling"] == (
        f"{200 * contract.taker_fee:.2f}% against {200 * contract.spot_fee:.2f}%"
    )
    for claim, leverage in (("2x or lower gives plenty of room", "2x"), ("use 2x to 3x", "3x")):
        shares = [100 * fact("touched", asset, "90 days", leverage) for asset in ("BTC", "ETH")]
        assert told[claim] == f"{shares[0]:.0f}% (BTC), {shares[1]:.0f}% (ETH) in 90 days"
    assert told["funding is mostly positive"].endswith(
        f"{100 * fact('funding_by_year', 'ETH', '2022', 'share_positive'):.1f}% (ETH in 2022)"
    )


CLAIMED = {
    "full hedge: total 0 at every price": "0 USDT",
    "an insurance: only the premium is lost": "0 USDT where the coin gains 10,000",
    "20,000 to 30,000 USDT of margin": "25% to 33% of the coins",
    "half hedge: ±5,000": "+5,000 USDT at 70,000",
    "half hedge cuts the risk in half": "75% of variance removed",
    "batches of 30/30/40 ensure protection": "70%, 40% unprotected",
    "take profit at 55,000 earns 5,000": "+5,000 USDT",
    "case 1: 125,000; −50,000; +30,000": "125,000; -50,000; +30,000 USDT",
    "the future earns the fall back": "60% in case 1",
    "case 2: ±0.45 ETH": "11.2353 and 9.0870 ETH owned",
}


def test_the_claims_that_are_arithmetic_have_the_numbers_of_a_calculation_by_hand(names):
    claims = names["claims"].set_index("the article says")["the number"]
    assert {claim: claims[claim] for claim in CLAIMED} == CLAIMED


def test_every_claim_points_to_a_lesson_that_exists(names):
    assert set(names["claims"]["lesson"]) <= {path.name[:2] for path in lessons.PATHS}


DIES = {leverage: 100 * ((1 + 1 / leverage) / 1.004 - 1) for leverage in (1, 2, 3, 5)}
SAID = {
    "spot_pnl + short_pnl": -5 * 10_000 + 3 * 10_000,
    "fees": 3 * (65_000 + 55_000) * contracts.get("BTCUSDT").taker_fee,
    "wang.liquidation_price(entry)": 65_000 * (4 / 3) / 1.004,
    "100 * wang.distance_to_liquidation(entry)": DIES[3],
    "detour[10]": 65_000 * 1.33,
    "hedge.Hedge(5, 0.6, 3, 'BTCUSDT', margin_from='coins').coins_sold(entry)": 1 / 1.2,
    "hedge.Hedge(10, 0.7, 2, 'ETHUSDT', margin_from='coins').coins_sold(2_000)": 3.5 / 1.35,
    'ledger.run(paths["with funding"], wang)["funding"].iloc[30]': 3e-4
    * sum(65_000 + bar * 21_450 / 30 for bar in range(1, 31)),
    '100 * hedge.Hedge(5, 0.6, 5, "BTCUSDT").distance_to_liquidation(65_000)': DIES[5],
    '100 * hedge.Hedge(5, 0.6, 2, "BTCUSDT").distance_to_liquidation(65_000)': DIES[2],
    "in_coins[1_700]": (17_000 + 2_100) / 1_700,
    "in_coins[2_300]": (23_000 - 2_100) / 2_300,
    "li.liquidation_price(2_000)": 2_000 * 1.5 / 1.004,
    "li.ticket(2_000).taker_fee": 14_000 * contracts.get("ETHUSDT").taker_fee,
    "100 * survived[1]": DIES[1],
}


@pytest.mark.parametrize(("expression", "value"), SAID.items())
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(LESSON, expression, value)
