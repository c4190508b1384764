"""The numbers of lesson 02, computed again by hand, and what its explorers show."""

import lessons
import pytest

PATH = lessons.FOLDER / "02_full_hedge.ipynb"


@pytest.fixture(scope="module")
def names():
    return lessons.run(PATH).namespace


@pytest.fixture(scope="module")
def explorers():
    return lessons.run(PATH).explorers


def test_by_hand(names):
    assert (names["spot_pnl"], names["short_pnl"], names["total_pnl"]) == (10_000, -10_000, 0)
    # 30 USDT at 60,000 and 35 at 70,000; 90 settlements of 6 USDT
    assert names["open_fee"] + names["close_fee"] == pytest.approx(65)
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
        ({"price": 40_000}, "+490 USDT"),  # 540 − 30 − 20
        ({"price": 75_000}, "+472 USDT"),  # 540 − 30 − 37.50
        ({"rate": 0}, "−65 USDT"),
        ({"price": 75_000, "leverage": 5}, "+2,970 USDT"),  # 15,000 − 12,000 − 30
    ],
)
def test_a_month_by_hand(explorers, state, total):
    assert lessons.readouts(explorers[0], **state)["Total P&L"] == total


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


@pytest.mark.parametrize(("leverage", "change"), [(10, "+21,910 USDT"), (1, "+3,892 USDT")])
def test_the_short_that_dies_first_loses_least(names, explorers, leverage, change):
    assert lessons.readouts(explorers[1], name="market above", leverage=leverage)["Change"] == change
    assert change.removesuffix(" USDT") in lessons.prose(PATH)
    # what the coin gains, less the margin, the funding in it and the fee of the opening
    spot = names["market_frame"]["spot"]
    margin = 20_019.91 / leverage
    assert lessons.amount(change) == pytest.approx(spot.iloc[-1] - spot.iloc[0] - margin, abs=20)


def test_the_loss_in_cash_and_the_gain_that_is_no_margin(names):
    row = names["walked"].loc[names["died"]].iloc[0]
    told = [f"{abs(row[name]):,.0f}" for name in ("short_pnl", "spot_pnl", "liquidation_loss")]
    assert told == ["6,807", "6,458", "107"]
    assert all(number in lessons.prose(PATH) for number in told)


def test_the_liquidation_price_rises_with_the_funding_received(names):
    for leverage, at_first, at_last in ((3, 0.328, 0.34), (1, 0.99, 1.05)):
        rows = names["ledger"].run(names["market_frame"], names["hedge"].Hedge(1, 1, leverage, "BTCUSDT"))
        entry, alive = rows["entry"].iloc[0], rows[rows["short_quantity"] > 0]
        by_hand = (entry * (1 + 1 / leverage) + alive["funding"]) / 1.004
        assert alive["liquidation_price"].to_numpy() == pytest.approx(by_hand.to_numpy())
        assert by_hand.iloc[[0, -1]].to_numpy() / entry - 1 == pytest.approx([at_first, at_last], abs=0.006)


def test_a_month_of_negative_funding(names):
    row = names["against"].iloc[-1]
    assert f"{-row['funding']:.2f}" in lessons.prose(PATH)
    assert row["wealth"] - names["against"]["wealth"].iloc[0] == pytest.approx(
        row["spot_pnl"] + row["short_pnl"] + row["funding"], abs=60
    )
