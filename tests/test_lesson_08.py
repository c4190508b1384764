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


def fact(topic, asset, key, period=None):
    table = market.facts(topic)
    chosen = table[(table["asset"] == asset) & (table["key"] == key)]
    return chosen[chosen["period"] == period]["value"].item() if period else chosen["value"].item()


def alarm(rise):
    """Maintenance over margin, when the liquidation price is `rise` above the price of now."""
    return 0.004 / ((1 + rise) * 1.004 - 1)


BITCOIN = contracts.get("BTCUSDT")
# What the tables of claims say, from a calculation by hand or from the stored facts.
CLAIMED = {
    "total[1]": 10_000 - 10_000,
    "total[0.5]": 10_000 - 5_000,
    "0.25 * short_pnl": 7_500,
    "100 * sold[2]": 100 / 3,
    "100 * sold[3]": 100 / 4,
    "taker_trips": 2 * 60_000 * BITCOIN.taker_fee,
    "spot_trips": 2 * 60_000 * BITCOIN.spot_fee,
    "100 * removed": 100 * (1 - 0.5**2),
    "shorts[3].liquidation_price(60_000)": 80_000 / 1.004,
    "cross": 80_000 / 1.004,
    '100 * alarm["best_8_hours"]': 100 * alarm(fact("fast_rises", "BTC", "best_8_hours")),
    '100 * alarm["best_24_hours"]': 100 * alarm(fact("fast_rises", "BTC", "best_24_hours")),
    "45_000 - 60_000 + perpetual.pnl(1, 60_000, 55_000)": -10_000,
    "60_000 - 60_000 + perpetual.pnl(1, 60_000, 70_000)": -10_000,
    "-100 * short_pnl / spot_pnl": 60,
    '100 * news["total_pnl"].iloc[1] / 20_000': 15 * (1 - 0.7),
    '60_000 * fact("funding_by_horizon", "BTC", "worst", "30 days")': 60_000
    * fact("funding_by_horizon", "BTC", "worst", "30 days"),
    '100 * fact("touched_last_365_days", "ETH", "2x", "90 days")': 100
    * fact("touched_last_365_days", "ETH", "2x", "90 days"),
    '100 * fact("funding_by_year", "ETH", "share_positive", "2022")': 100
    * fact("funding_by_year", "ETH", "share_positive", "2022"),
    '100 * fact("after_negative_funding", "BTC", "after_negative")': 100
    * fact("after_negative_funding", "BTC", "after_negative", "era"),
    'fact("moving_hedges", "BTC", "batches", "since 2025")': fact(
        "moving_hedges", "BTC", "batches", "since 2025"
    ),
    '100 * fact("alarms", "ETH", "double_top_after")': 100 * fact("alarms", "ETH", "double_top_after"),
}


@pytest.mark.parametrize(("expression", "value"), CLAIMED.items())
def test_a_claim_has_the_number_of_a_calculation_by_hand(expression, value):
    assert lessons.states(LESSON, expression, value)


def claims():
    """The rows of the tables of claims, as four cells of text each."""
    tables = [
        cell.source
        for cell in lessons.cells(LESSON)
        if cell.cell_type == "markdown" and "| the article says | verdict |" in cell.source
    ]
    rows = [line.strip("| ").split(" | ") for text in tables for line in text.splitlines() if line[:1] == "|"]
    return [row for row in rows if row[0] != "the article says" and not row[0].startswith("---")]


def test_every_claim_has_a_verdict_a_number_and_lessons_that_exist():
    rows = claims()
    assert len({row[0] for row in rows}) == len(rows) > 40
    for row in rows:
        assert len(row) == 4 and all(row)
        assert set(row[3].split(", ")) <= {path.name[:2] for path in lessons.PATHS}


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
