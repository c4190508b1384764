"""The numbers of lesson 02, computed again by hand, and what its explorers show."""

import lessons
import pytest

from hedgelib import contracts, market

PATH = lessons.FOLDER / "02_full_hedge.ipynb"
FEE = contracts.get("BTCUSDT").taker_fee


@pytest.fixture(scope="module")
def names():
    return lessons.run(PATH).namespace


@pytest.fixture(scope="module")
def explorers():
    return lessons.run(PATH).explorers


def test_by_hand(names):
    assert (names["spot_pnl"], names["short_pnl"], names["total_pnl"]) == (10_000, -10_000, 0)
    # a share of 60,000 and one of 70,000; 90 settlements of 6 USDT
    assert names["open_fee"] + names["close_fee"] == pytest.approx(130_000 * FEE)
    assert names["one_month"] == pytest.approx(540)
    assert names["short_opened_below"] == pytest.approx(-60)


def test_margin_and_death_of_the_three_ways(names):
    ways = names["ways"]
    assert ways["coins"].margin(60_000) == pytest.approx(0.25 * 60_000)
    # (20,000 + 60,000) / 1.004, whoever paid the margin
    for way in ("outside", "coins"):
        assert ways[way].liquidation_price(60_000) == pytest.approx(80_000 / 1.004)
    assert ways["coin-margined"].liquidation_price(60_000) == float("inf")


@pytest.mark.parametrize("price", [20_000, 40_000, 90_000, 300_000])
def test_the_coins_behind_a_coin_margined_short_gain_what_it_loses(names, price):
    lost = price * names["perpetual"].inverse_pnl(contracts=600, size=100, entry=60_000, exit=price)
    assert lost == pytest.approx(-(price - 60_000))


@pytest.mark.parametrize(
    ("state", "total"),
    [
        ({"price": 40_000}, 540 - 100_000 * FEE),
        ({"price": 75_000}, 540 - 135_000 * FEE),
        ({"rate": 0}, -130_000 * FEE),
        ({"price": 75_000, "leverage": 5}, 15_000 - 12_000 - 60_000 * FEE),  # the margin is lost
    ],
)
def test_a_month_by_hand(explorers, state, total):
    shown = lessons.readouts(explorers[0], **state)["Total P&L"]
    assert lessons.amount(shown) == pytest.approx(total, abs=0.51)


@pytest.mark.parametrize(
    ("market", "leverage", "last_event"),
    [
        ("pullback", 3, "2030-01-01 1 BTC sold short"),
        ("crash", 3, "2030-01-01 1 BTC sold short"),
        ("chop", 3, "2030-01-01 1 BTC sold short"),
        ("bull_run", 3, "2030-02-04 liquidated"),  # after 34 days
        ("market above", 10, "2030-01-05 liquidated"),
        ("market above", 5, "2030-01-07 liquidated"),
        ("market above", 3, "2030-01-09 liquidated"),
        ("market above", 2, "2030-01-11 liquidated"),
        ("market above", 1, "2030-01-23 liquidated"),
    ],
)
def test_when_the_short_dies(explorers, market, leverage, last_event):
    *_, last = lessons.readouts(explorers[1], name=market, leverage=leverage)["Events"].split("; ")
    assert last_event in last


@pytest.mark.parametrize("leverage", [10, 1])
def test_the_short_that_dies_first_loses_least(names, explorers, leverage):
    change = lessons.readouts(explorers[1], name="market above", leverage=leverage)["Change"]
    # what the coin gains, less the margin, the funding in it and the fee of the opening
    spot, mark = names["market_frame"]["spot"], names["market_frame"]["mark"].iloc[0]
    gained = spot.iloc[-1] - spot.iloc[0] - mark / leverage - mark * FEE
    assert lessons.amount(change) == pytest.approx(gained, abs=1)


def test_the_loss_in_cash_and_the_gain_that_is_no_margin(names):
    row = names["walked"].loc[names["died"]].iloc[0]
    frame = names["market_frame"]
    assert row["spot_pnl"] == pytest.approx(frame["spot"][row.name] - frame["spot"].iloc[0])
    # all that was posted and received is gone, the price's part of it and what the exchange keeps
    lost = names["walked"]["entry"].iloc[0] / 3 + row["funding"]
    assert -(row["short_pnl"] + row["liquidation_loss"]) == pytest.approx(lost)


def test_the_liquidation_price_rises_with_the_funding_received(names):
    for leverage, at_first, at_last in ((3, 0.328, 0.34), (1, 0.99, 1.05)):
        rows = names["ledger"].run(names["market_frame"], names["hedge"].Hedge(1, 1, leverage, "BTCUSDT"))
        entry, alive = rows["entry"].iloc[0], rows[rows["short_quantity"] > 0]
        by_hand = (entry * (1 + 1 / leverage) + alive["funding"]) / 1.004
        assert alive["liquidation_price"].to_numpy() == pytest.approx(by_hand.to_numpy())
        assert by_hand.iloc[[0, -1]].to_numpy() / entry - 1 == pytest.approx([at_first, at_last], abs=0.006)


def test_a_month_of_negative_funding(names):
    row = names["against"].iloc[-1]
    frame = market.scenario("funding_negative")
    assert row["funding"] == pytest.approx((frame["mark"] * frame["funding"]).iloc[1:].sum())
    assert row["wealth"] - names["against"]["wealth"].iloc[0] == pytest.approx(
        row["spot_pnl"] + row["short_pnl"] + row["funding"], abs=60
    )


SAID = {
    "open_fee + close_fee": 130_000 * FEE,
    "open_fee + bitcoin.taker_fee * 50_000": 110_000 * FEE,
    "margin_3x": 60_000 / 3,
    "full.liquidation_price(entry)": 80_000 / 1.004,
    "100 * full.distance_to_liquidation(entry)": 100 * (4 / 3 / 1.004 - 1),
    "1 + at_40k": 1.5,
    "1 + at_90k": 2 / 3,
    'number_in(at(month, price=75_000, leverage=5)["The short is"])': 72_000 / 1.004,
    "(open_fee + close_fee) / one_month": 130_000 * FEE / 540,
    "insured[-1]": 20_000 - 0.4 * 0.63 * (1 / 12) ** 0.5 * 60_000,
    "hedge.Hedge(2, 1, 5, 'BTCUSDT', margin_from='coins').coins_sold(60_000)": 2 / 6,
    "2e4 * open_fee / (90 * 60_000)": 2e4 * FEE / 90,
}


@pytest.mark.parametrize(("expression", "value"), SAID.items())
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(PATH, expression, value)
