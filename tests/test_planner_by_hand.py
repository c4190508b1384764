"""Plans worked by hand: each number was reckoned on paper, from prices, fees and brackets alone."""

import math

import pytest

from hedgelib import planner
from hedgelib.planner import Worksheet

TAKER, SPOT, RATE = 0.0005, 0.001, 0.004  # of all contracts used here


def row(sheet, price):
    return planner.at(sheet, price).iloc[0]


def test_the_plan_of_the_lesson():
    # 2.5 BTC; of the 30,000 that a fall by 20 % takes 12,000 are bearable: 60 % short, 3x, 15,000 in reserve.
    sheet = Worksheet(2.5, 30_000, 60_000, bearable=12_000, fall=0.2, leverage=3, reserve=15_000, days=60)
    assert (sheet.quantity, sheet.margin, sheet.opening_fee) == (1.5, 30_000, 45)
    assert sheet.liquidation == pytest.approx((30_000 + 90_000) / (1.5 * 1.004))
    assert sheet.liquidation_with_reserve == pytest.approx(135_000 / (1.5 * 1.004))
    assert sheet.alarm == pytest.approx(79_681.2749 / 1.2033)
    fallen = row(sheet, 48_000)
    assert (fallen.coins_pnl, fallen.short_pnl, fallen.total_pnl, fallen.fees) == (
        -30_000,
        18_000,
        -12_000,
        -45,
    )
    assert fallen.balance == 48_000
    # At 70,000 the reserve is in: 45,000 less 1.5 · 10,000; maintenance is 0.4 % of 105,000.
    risen = row(sheet, 70_000)
    assert (risen.total_pnl, risen.balance) == (10_000, 30_000)
    assert risen.margin_ratio == pytest.approx(420 / 30_000)
    # At 95,000 margin and reserve are gone, and the coins go on.
    dead = row(sheet, 95_000)
    assert (dead.coins_pnl, dead.short_pnl) == (87_500, -45_000)
    assert math.isnan(dead.balance)


def test_a_take_profit_ends_the_protection_and_a_stop_the_short():
    # The first fault: 0.8 BTC short from 87,000 are bought back at 78,300; the rest of a fall is open.
    sheet = Worksheet(1, 0, 87_000, ratio=0.8, leverage=4, take_profit=0.1, stop=0.15, fall=0.3, days=60)
    fallen = row(sheet, 60_900)
    assert (fallen.coins_pnl, fallen.short_pnl) == (-26_100, 0.8 * 8_700)
    assert fallen.total_pnl == pytest.approx(-19_140)
    assert fallen.fees == pytest.approx(-TAKER * 0.8 * (87_000 + 78_300))
    risen = row(sheet, 130_000)
    assert (risen.coins_pnl, risen.short_pnl) == pytest.approx((43_000, -0.8 * 13_050))
    assert risen.fees == pytest.approx(-TAKER * 0.8 * (87_000 + 100_050))
    assert planner.summary(sheet)["A fall of 30 % costs"] == "19,140 USDT instead of 26,100 USDT"
    for text in (planner.markdown(sheet), planner.page(sheet)):
        assert "−19,140" in text and "5,220" not in text
    assert "-19140.0" in planner.ladder_csv(sheet)
    # Liquidated (+24.5 %) it never is: the stop is nearer.
    assert planner.chances(sheet, play=False)["liquidated"].tolist() == [0] * 4


def test_coins_sold_pay_the_margin_and_both_fees():
    # k coins are sold for each coin shorted: k · 87,000 · 0.999 = 87,000 / 3 + 43.50. All others are short.
    k = (1 / 3 + TAKER) / (1 - SPOT)
    sheet = Worksheet(1, 0, 87_000, ratio=1, leverage=3, margin_from="coins")
    assert sheet.quantity == math.floor(1_000 / (1 + k)) / 1_000 == 0.749
    assert sheet.coins_sold == pytest.approx(0.749 * k)
    brought = sheet.coins_sold * 87_000 * (1 - SPOT)
    assert brought == pytest.approx(sheet.margin + sheet.opening_fee)
    assert sheet.margin == pytest.approx(0.749 * 29_000)
    half = row(sheet, 43_500)
    assert half.coins_pnl == pytest.approx(-(1 - 0.749 * k) * 43_500)
    assert half.short_pnl == pytest.approx(0.749 * 43_500)
    assert half.fees == pytest.approx(-0.749 * k * 87 - 0.749 * 43.5)
    assert planner.summary(sheet)["Have ready"].startswith("sell 0.25030 BTC first")


def test_coin_margined_at_2x_isolated_dies_where_it_is_printed():
    # The second fault said "none": 887 contracts need 0.5 · 88,700 / 87,000 coins, and only they back it.
    sheet = Worksheet(
        1.7, 0, 87_000, ratio=0.6, leverage=2, contract="BTCUSD", margin_from="coin_margined", days=60
    )
    assert (sheet.quantity, sheet.margin) == (887, pytest.approx(0.5 * 88_700 / 87_000))
    # Balance = maintenance, in coin: N/(2·E) + N·(1/X − 1/E) = 0.004·N/X, whatever N.
    assert sheet.liquidation == pytest.approx(87_000 * (1 - RATE) / (1 - 1 / 2)) == pytest.approx(173_304)
    assert planner.summary(sheet)["Liquidation price"] == "173,304.00 USDT (+99.2 %)"
    assert "none: no rise" not in planner.markdown(sheet)
    dead = row(sheet, 173_400)
    assert dead.event.startswith("liquidated at 173,304.00")
    # What is left: the coins outside the wallet. In cross mode all of them back it, and nothing kills it.
    left = 1.7 - (0.5 + TAKER) * 88_700 / 87_000
    total = left * 173_400 - (1.7 - TAKER * 88_700 / 87_000) * 87_000
    assert dead.total_pnl == pytest.approx(total, rel=1e-3)
    cross = Worksheet(
        1.7, 0, 87_000, ratio=0.6, leverage=2, contract="BTCUSD", margin_from="coin_margined", mode="cross"
    )
    assert cross.liquidation == math.inf
    assert "all 1.7 BTC in the futures wallet" in planner.summary(cross)["Have ready"]


def test_coin_margined_at_1x_leaves_the_fee():
    # Margin and fee take 1 + 0.0005 of what is shorted: 1.7 · 87,000 / 100 / 1.0005 = 1,478.26 contracts.
    sheet = Worksheet(1.7, 0, 87_000, ratio=1, leverage=1, contract="BTCUSD", margin_from="coin_margined")
    assert sheet.quantity == 1_478
    assert sheet.margin + sheet.opening_fee == pytest.approx(1.0005 * 147_800 / 87_000)
    assert sheet.margin + sheet.opening_fee <= 1.7
    assert sheet.liquidation == math.inf
    # 147,800 dollars stay 147,800 dollars; the few coins left over, and the fee, move with the price.
    loose = 1.7 - (1 + TAKER) * 147_800 / 87_000
    for price in (40_000, 170_000):
        assert row(sheet, price).total_pnl == pytest.approx(loose * (price - 87_000), abs=0.01)


def test_coins_as_collateral():
    # 1 BTC behind 1 BTC short from 60,000, counted at 95 %, the fee of 30 owed. The balance at X is
    # 0.95·X + 60,000 − X − 30, maintenance in the third bracket 0.65 % of X less 1,500.
    sheet = Worksheet(1, 0, 60_000, ratio=1, leverage=2, margin_from="collateral")
    assert sheet.mode == "cross"
    assert sheet.liquidation == pytest.approx((60_000 - 30 + 1_500) / (0.05 + 0.0065))
    doubled = row(sheet, 120_000)
    assert (doubled.coins_pnl, doubled.short_pnl) == (60_000, -60_000)
    assert doubled.balance == pytest.approx(0.95 * 120_000 - 60_000 - 30)
    ready = planner.summary(sheet)["Have ready"]
    assert "they count as 57,000 USDT" in ready and "the fee of 30.00 USDT is owed" in ready
    # With 60 % short no rise kills it: 0.95 grows faster than 0.6 · 1.5, the highest bracket counted.
    assert Worksheet(1, 0, 60_000, ratio=0.6, margin_from="collateral").liquidation == math.inf


def test_a_reserve_in_cross_mode_backs_the_short_from_the_start():
    sheet = Worksheet(2.5, 0, 60_000, ratio=0.6, leverage=3, reserve=15_000, mode="cross")
    assert sheet.liquidation == sheet.liquidation_with_reserve == pytest.approx(135_000 / (1.5 * 1.004))
    assert row(sheet, 70_000).balance == pytest.approx(45_000 - 15_000)
    assert "reserve 15,000 USDT in the wallet" in planner.summary(sheet)["Have ready"]


def test_a_small_plan_says_what_rounding_made_of_it():
    # 50 % of 0.013 BTC is 0.0065, rounded down 0.006, which is 46 %.
    sheet = Worksheet(0.013, 0, 87_000, ratio=0.5, leverage=2)
    assert sheet.quantity == 0.006
    assert sheet.liquidation == pytest.approx(87_000 * 1.5 / 1.004)
    assert row(sheet, 69_600).total_pnl == pytest.approx(-(0.013 - 0.006) * 17_400)
    assert "50 % became 46 %" in planner.markdown(sheet)


def test_a_large_plan_dies_by_a_higher_bracket():
    # 3,480,000 USDT lie in the fourth bracket: 1 % less 12,000.
    sheet = Worksheet(40, 0, 87_000, ratio=1, leverage=3, reserve=500_000, days=90)
    assert sheet.liquidation == pytest.approx((1_160_000 + 3_480_000 + 12_000) / (40 * 1.01))
    assert sheet.liquidation_with_reserve == pytest.approx((1_660_000 + 3_480_000 + 12_000) / (40 * 1.01))
    assert "for this size at most 50x" in planner.markdown(sheet)


def test_the_bearable_loss_counts_a_take_profit_on_the_way():
    # 10 ETH at 3,000, a fall by 30 % takes 9,000. Bought back at −20 %, a share h makes good h · 6,000:
    # of 9,000 only 5,000 may stay, so h = 4,000 / 6,000, and of 6.6666 ETH 6.666 are sold short.
    sheet = Worksheet(10, 0, 3_000, contract="ETHUSDT", bearable=5_000, fall=0.3, take_profit=0.2, leverage=2)
    assert sheet.share == pytest.approx(2 / 3)
    assert sheet.quantity == 6.666
    assert row(sheet, 2_100).total_pnl == pytest.approx(-9_000 + 6.666 * 600)
    # Even a full hedge loses the last 10 %: 3,000. Less cannot be asked, and the field says why.
    with pytest.raises(planner.WorksheetError) as refused:
        Worksheet(10, 0, 3_000, contract="ETHUSDT", bearable=2_900, fall=0.3, take_profit=0.2)
    assert list(refused.value.problems) == ["take_profit"]
    assert "even a full hedge loses 3,000 USDT" in refused.value.problems["take_profit"]


def test_coin_margined_with_its_own_coins_in_reserve():
    # 1 BTC, half of it short at 2x: 0.25 pledged, 0.5 kept aside and posted at the alarm.
    sheet = Worksheet(
        1, 0, 60_000, ratio=0.5, leverage=2, contract="BTCUSD", margin_from="coin_margined", reserve=0.5
    )
    assert sheet.margin == pytest.approx(0.25)
    assert sheet.liquidation == pytest.approx(60_000 * (1 - RATE) / (1 - 1 / 2))
    # 0.75 coins behind 30,000 USD: 0.75 > 0.5 = N/E, so no rise kills it.
    assert sheet.liquidation_with_reserve == math.inf
    assert row(sheet, 1_000_000).event.startswith("topped up by 0.50000000 BTC")
