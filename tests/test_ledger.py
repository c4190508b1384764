"""The ledger: hand-computed cases, closed forms for whole classes of cases, and two identities in every row.

The tables are computed by hand with the fees and brackets stated here, whatever an exchange asks today.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import strategies
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hedgelib import contracts, ledger, perpetual
from hedgelib.hedge import Hedge
from hedgelib.plan import (
    After,
    Batches,
    Below,
    BySignal,
    Fixed,
    Plan,
    Signal,
    Stop,
    TakeProfit,
    Target,
    TopUp,
    Until,
)

CAUSES = ["spot_pnl", "short_pnl", "funding", "fees", "liquidation_loss"]
FEES = {"taker_fee": 0.0005, "maker_fee": 0.0002, "spot_fee": 0.001}
BTC = replace(
    contracts.get("BTCUSDT"),
    **FEES,
    step=0.001,
    minimum_notional=50,
    brackets=perpetual.Brackets((0, 300_000, 800_000, 3_000_000), (0.004, 0.005, 0.0065, 0.01)),
    collateral_ratio=0.95,
    forced_sale_below=-5_000,
)
COIN = replace(contracts.get("BTCUSD"), **FEES, minimum_notional=100, contract_size=100)
FULL = Hedge(1, 1, 3, BTC)  # 20,000 USDT margin at 60,000, liquidated at 79,681.27
PLEDGED = Hedge(1, 1, 2, BTC, margin_from="collateral")


def market(spot, *, high=(), low=(), mark=None, funding=0.0, **last):
    """Return a market frame; `high` and `low` are {bar: price} where they differ from the mark."""
    spot = np.array(spot, dtype=float)
    mark = spot if mark is None else np.array(mark, dtype=float)
    columns = {"spot": spot, "mark": mark, "mark_high": mark.copy(), "mark_low": mark.copy()}
    columns |= {"last_high": mark.copy(), "last_low": mark.copy()}
    for name, extremes in [("high", high), ("low", low)]:
        for bar, price in dict(extremes).items():
            columns[f"mark_{name}"][bar] = columns[f"last_{name}"][bar] = price
    for name, extremes in last.items():
        for bar, price in extremes.items():
            columns[name][bar] = price
    time = pd.date_range("2024-01-01", periods=len(spot), freq="8h", tz="UTC")
    return pd.DataFrame(columns | {"funding": funding}, index=time)


def at_least(price):
    """Return a trigger that fires at closes of at least this price."""
    return Signal(lambda close: close >= price, f"{price:,} or more")


def causes(rows, bar=-1):
    """Return the attribution at a bar, rounded to cents."""
    return rows[CAUSES].iloc[bar].round(2).tolist()


def check_identities(rows):
    """Both identities of a ledger, in every row."""
    change = rows["wealth"] - rows.attrs["wealth_before"]
    scale = rows["wealth"].abs().max() + rows[CAUSES].abs().max().max()
    assert np.abs(rows[CAUSES].sum(axis=1) - change).max() <= 1e-12 * scale
    liquidated = rows["event"].str.contains("liquidated at")
    pd.testing.assert_series_equal(rows["margin"] <= rows["maintenance"], liquidated, check_names=False)


class TestFullHedge:
    def test_columns_and_the_state_before(self):
        rows = ledger.run(market([60_000]), FULL)
        assert set(CAUSES) < set(rows.columns)
        assert rows.attrs["wealth_before"] == 80_000
        assert rows["event"].tolist() == ["1 BTC sold short at 60,000.00"]
        # Taker fee 0.05 % of 60,000; the margin is outside money.
        assert rows["wealth"].iloc[0] == 79_970
        first = rows.iloc[0]
        assert (first["hedge_ratio"], first["short_quantity"], first["entry"]) == (1, 1, 60_000)
        assert (first["margin"], first["maintenance"]) == (20_000, 240)
        assert first["liquidation_price"] == pytest.approx(79_681.27, abs=0.005)

    def test_the_settlement_of_the_opening_bar_is_not_received(self):
        rows = ledger.run(market([60_000, 70_000, 50_000], funding=[0.01, 1e-4, -2e-4]), FULL)
        assert rows["funding"].round(2).tolist() == [0, 7, -3]
        assert causes(rows) == [-10_000, 10_000, -3, -30, 0]
        # Funding settles in the margin: 20,000 + 7 − 10 + 10,000.
        assert rows["margin"].iloc[-1] == pytest.approx(29_997)

    def test_basis_is_the_part_of_the_short_that_spot_does_not_mirror(self):
        rows = ledger.run(market([60_000, 61_000], mark=[60_030, 60_930]), FULL)
        assert causes(rows)[:2] == [1_000, -900]
        assert rows["basis_pnl"].iloc[-1] == pytest.approx(100)

    def test_liquidation_takes_the_margin_and_leaves_the_coin(self):
        rows = ledger.run(market([60_000, 70_000, 60_000], high={1: 80_000}), FULL)
        # The short loses 19,681.27 until it is taken over; what is left of 20,000 goes with it.
        assert causes(rows, 1) == [10_000, -19_681.27, 0, -30, -318.73]
        assert rows["wealth"].iloc[1] == 70_000 - 30
        dead = rows.iloc[1]
        assert (dead["margin"], dead["maintenance"], dead["short_quantity"]) == (0, 320, 0)
        assert dead["event"] == "liquidated at 79,681.27"
        assert rows["wealth"].iloc[2] == 60_000 - 30
        assert rows.iloc[2][["entry", "margin", "liquidation_price"]].isna().all()

    def test_a_settlement_can_liquidate(self):
        # 33 % of 60,000 leaves 200 USDT, less than the 240 that are needed.
        rows = ledger.run(market([60_000, 60_000], funding=[0, -0.33]), FULL)
        assert causes(rows) == [0, 0, -19_800, -30, -200]

    def test_selling_coins_for_the_margin(self):
        rows = ledger.run(market([60_000, 50_000]), Hedge(1, 1, 2, BTC, margin_from="coins"))
        assert rows.attrs["wealth_before"] == 60_000
        # A third of the coin is sold for 20,000 at 0.1 %; 0.666 BTC shorted at 0.05 %.
        assert rows["fees"].iloc[0] == pytest.approx(-20 - 19.98)
        assert causes(rows)[:2] == [-6_666.67, 6_660]

    def test_coin_margined_is_a_synthetic_dollar(self):
        hedge = Hedge(1, 1, 1, COIN, margin_from="coin_margined")
        rows = ledger.run(market([60_000, 120_000, 30_000]), hedge)
        # 600 contracts; the fee of 0.0005 BTC is missing at every price, and worth 15 at 30,000.
        assert rows["short_quantity"].tolist() == [600] * 3
        assert rows["wealth"].round(6).tolist() == [59_970, 59_940, 59_985]
        assert causes(rows, 1) == [59_970, -60_000, 0, -30, 0]
        assert causes(rows, 2) == [-29_985, 30_000, 0, -30, 0]
        assert rows["hedge_ratio"].iloc[1] == pytest.approx(1 / 0.9995)

    def test_coin_margined_funding_is_paid_in_coin(self):
        hedge = Hedge(1, 1, 1, COIN, margin_from="coin_margined")
        rows = ledger.run(market([60_000, 40_000, 80_000], funding=[0, 0.001, 0]), hedge)
        # 60,000 / 40,000 · 0.1 % = 0.0015 BTC, worth 60 when received and 120 in the end.
        assert rows["funding"].round(6).tolist() == [0, 60, 60]
        assert rows["wealth"].iloc[-1] == pytest.approx(60_000 - 0.0005 * 80_000 + 0.0015 * 80_000)


class TestOrdersNotPlaced:
    def test_an_order_below_the_minimum(self):
        rows = ledger.run(market([40_000, 41_000]), Hedge(0.0015, 1, 2, BTC))
        assert rows["short_quantity"].tolist() == [0, 0]
        wanted = "0.0015 BTC wanted, the smallest is 0.002 BTC, worth 50.00 USDT or more"
        assert rows["event"].tolist() == [f"order not placed: {wanted}", ""]

    def test_less_than_a_contract(self):
        hedge = Hedge(0.001, 1, 1, COIN, margin_from="coin_margined")
        event = ledger.run(market([60_000]), hedge)["event"].iloc[0]
        wanted = "0.6 contracts wanted, the smallest is 1 contracts, worth 100.00 USD or more"
        assert event == f"order not placed: {wanted}"

    def test_each_batch_that_is_too_small_and_what_it_grows_to(self):
        plan = Batches((0.3, 0.3, 0.4), (After(0), After(1 / 3), After(2 / 3)))
        rows = ledger.run(market([20_000] * 4), Hedge(0.005, 1, 2, BTC), plan)
        # 0.0015 and 0.002 more: 0.003 are worth 60; the last 0.002 are worth 40 again.
        assert rows["short_quantity"].tolist() == [0, 0.003, 0.003, 0.003]
        assert [event.split(":")[0] for event in rows["event"]] == [
            "order not placed",
            "0.003 BTC sold short at 20,000.00",
            "order not placed",
            "",
        ]

    def test_a_drift_that_is_too_small_to_trade(self):
        rows = ledger.run(market([60_000, 50_000]), Hedge(0.01, 0.5, 3, BTC), Plan(band=0.01))
        # Too much is hedged after the fall, and buying back knows no minimum.
        assert rows["event"].iloc[1] == "0.001 BTC bought back at 50,000.00"
        rows = ledger.run(market([20_000, 24_000]), Hedge(0.05, 0.5, 3, BTC), Plan(band=0.01))
        # Half of the value of 0.05 − (0.025 · 4,000 + 0.25) / 24,000 coins is to be unhedged, which takes
        # 0.00209 more, rounded down to 0.002, worth 48.
        wanted = "order not placed: 0.002089 BTC wanted, the smallest is 0.003 BTC"
        assert rows["event"].iloc[1].startswith(wanted)

    def test_a_reduction_may_be_as_small_as_a_step(self):
        plan = Until(Fixed(), Below(price=45_000))
        rows = ledger.run(market([60_000, 40_000]), Hedge(0.001, 1, 2, BTC), plan)
        assert rows["event"].iloc[1] == "0.001 BTC bought back at 40,000.00"

    def test_nothing_wanted_is_nothing_missing(self):
        for hedge, plan in [(Hedge(1, 0, 2, BTC), None), (FULL, Fixed(0))]:
            assert ledger.run(market([60_000, 61_000]), hedge, plan)["event"].tolist() == ["", ""]


class TestCross:
    def test_the_whole_wallet_is_the_margin(self):
        hedge = Hedge(1, 1, 3, BTC, mode="cross", wallet=50_000)
        rows = ledger.run(market([60_000, 90_000, 115_000]), hedge)
        assert rows["margin"].round(2).tolist()[:2] == [49_970, 19_970]
        assert rows["wealth"].round(2).tolist() == [109_970, 109_970, 115_000]
        # 49,970 + 60,000 = 1.004 · price
        assert rows["event"].iloc[2] == "liquidated at 109,531.87"


class TestCoinsAsCollateral:
    def test_the_coin_carries_its_short_far_up(self):
        rows = ledger.run(market([60_000, 60_000], high={1: 1_200_000}), PLEDGED)
        # 57,000 of the coin count, less the fee of 30 that is owed; nothing is brought in.
        assert rows.attrs["wealth_before"] == 60_000
        assert rows["margin"].iloc[0] == 56_970
        # 60,000 − 30 + 1,500 = (1 + 0.0065 − 0.95) · price, in the third bracket: 5,571.77 of maintenance.
        assert rows["liquidation_price"].iloc[0] == pytest.approx(61_470 / 0.0565)
        assert rows["event"].iloc[1] == (
            "liquidated at 1,087,964.60; 0.95095095 BTC sold at 1,087,964.60 for 1,033,566.37 USDT owed"
        )
        # 0.95 / 0.999 coins are sold and cost 1,034.60; the others are worth 60,000 each again at the close.
        assert causes(rows) == [977_543.92, -1_027_964.60, 0, -1_064.60, -5_571.77]
        assert rows["wealth"].iloc[1] == pytest.approx((1 - 0.95 / 0.999) * 60_000)
        check_identities(rows)

    def test_funding_owed_beyond_the_limit_is_paid_with_coins(self):
        rows = ledger.run(market([60_000] * 12, funding=-0.01), PLEDGED)
        # 30 for the fee and 600 for each settlement: 4,830 after eight, 5,430 after nine.
        assert rows["event"].tolist()[1:9] == [""] * 8
        assert rows["event"].iloc[9] == "0.09059059 BTC sold at 60,000.00 for 5,430.00 USDT owed"
        assert causes(rows, 9) == [0, 0, -5_400, -35.44, 0]
        assert rows["hedge_ratio"].iloc[9] == pytest.approx(1 / (1 - 5_430 / 0.999 / 60_000))
        # Of 0.9094 coins 51,836.34 count: 60,000 + 300 = (1 + 0.005 − 0.8639) · price.
        assert rows["margin"].iloc[9] == pytest.approx(51_836.34, abs=0.005)
        assert rows["liquidation_price"].iloc[9] == pytest.approx(427_475, abs=1)
        check_identities(rows)

    def test_a_hedge_removed_after_a_rise_is_paid_with_coins(self):
        plan = Until(Fixed(), at_least(70_000))
        rows = ledger.run(market([60_000, 65_000, 70_000, 80_000]), PLEDGED, plan)
        # 10,000 lost, 30 and 35 of fees: 10,065 / 0.999 at 70,000 are 0.14393 coins and 10.08 of fees.
        assert rows["event"].iloc[2].endswith("0.14392964 BTC sold at 70,000.00 for 10,065.00 USDT owed")
        assert causes(rows, 2) == [10_000, -10_000, 0, -75.08, 0]
        assert rows["wealth"].iloc[3] == pytest.approx(80_000 * (1 - 10_065 / 0.999 / 70_000))
        check_identities(rows)

    def test_a_small_debt_stays_a_debt(self):
        rows = ledger.run(market([60_000, 64_000]), PLEDGED, Until(Fixed(), at_least(64_000)))
        # 4,000 + 30 + 32 are owed, and no coin is sold.
        assert rows["event"].iloc[1] == "1 BTC bought back at 64,000.00"
        assert rows["wealth"].iloc[1] == pytest.approx(64_000 - 4_062)

    def test_dollars_beside_the_coins(self):
        hedge = Hedge(1, 0.9, 2, BTC, margin_from="collateral", wallet=10_000)
        rows = ledger.run(market([60_000, 60_000]), hedge)
        assert rows.attrs["wealth_before"] == 70_000
        # 10,000 − 27 + 57,000; there is no price at which the short of 0.9 eats up the coin at 95 %.
        assert rows["margin"].iloc[1] == 66_973
        assert rows["liquidation_price"].iloc[1] == np.inf

    def test_a_reserve_of_dollars_tops_up(self):
        plan = Plan(top_up=TopUp(20_000, below=0.93, to=0.95))
        rows = ledger.run(market([60_000, 90_000]), PLEDGED, plan)
        # 85,500 − 30 − 30,000 = 55,470 is below 93 % of 90,000: all of the reserve goes in.
        assert rows["top_ups"].tolist() == [0, 20_000]
        assert rows["margin"].tolist() == [56_970, 75_470]
        assert rows["wealth"].tolist() == [79_970, 79_970]


class TestPlans:
    def test_batches_enter_at_the_weighted_mean(self):
        plan = Batches((0.3, 0.3, 0.4), (After(0), Below(price=58_000), Below(price=56_000)))
        rows = ledger.run(market([60_000, 58_000, 57_000, 56_000, 59_000]), FULL, plan)
        assert rows["hedge_ratio"].tolist() == [0.3, 0.6, 0.6, 1, 1]
        # 0.3 · 60,000 + 0.3 · 58,000 + 0.4 · 56,000
        assert rows["entry"].iloc[-1] == pytest.approx(57_800)
        assert rows["fees"].iloc[-1] == pytest.approx(-0.0005 * 57_800)

    def test_inverse_batches_enter_at_the_harmonic_mean(self):
        hedge = Hedge(1, 1, 1, COIN, margin_from="coin_margined")
        rows = ledger.run(market([60_000, 40_000]), hedge, Batches((0.5, 0.5), (After(0), After(0.3))))
        # 300 contracts cover half a coin. The wallet has 0.99975 BTC left: 199.9 contracts at 40,000.
        assert rows["short_quantity"].tolist() == [300, 499]
        assert rows["entry"].iloc[-1] == pytest.approx(499 / (300 / 60_000 + 199 / 40_000))

    def test_dates_and_removal(self):
        plan = Until(Batches((1.0,), (After(2 / 3),)), at_least(62_000))
        rows = ledger.run(market([60_000, 61_000, 60_500, 62_000, 59_000]), FULL, plan)
        assert rows["short_quantity"].tolist() == [0, 0, 1, 0, 0]
        assert rows["short_pnl"].iloc[-1] == pytest.approx(-1_500)

    def test_signal_states_reduce_and_raise(self):
        states = BySignal((0.4, 0.9, 0.0), (Below(price=59_000), Below(price=57_000), at_least(61_000)))
        rows = ledger.run(market([60_000, 59_000, 57_000, 58_000, 61_000]), FULL, states)
        assert rows["short_quantity"].tolist() == [0, 0.4, 0.9, 0.4, 0]

    def test_take_profit_locks_in_and_stays_out(self):
        plan = Plan(take_profit=TakeProfit(price=55_000))
        rows = ledger.run(market([60_000, 56_000, 58_000], low={1: 54_000}), FULL, plan)
        assert rows["event"].iloc[1] == "take profit, 1 BTC bought back at 55,000.00"
        assert causes(rows) == [-2_000, 5_000, 0, -57.5, 0]

    @pytest.mark.parametrize(("low", "short_pnl", "fee"), [(54_500, 4_000, 28), (53_000, 6_500, 10.7)])
    def test_a_limit_below_the_trigger_may_not_fill(self, low, short_pnl, fee):
        plan = Plan(take_profit=TakeProfit(price=55_000, limit=53_500))
        rows = ledger.run(market([60_000, 56_000], low={1: low}), FULL, plan)
        # 53,500 with the maker fee of 0.02 %, or still open at 56,000.
        assert rows["short_pnl"].iloc[-1] == short_pnl
        assert rows["fees"].iloc[-1] == pytest.approx(-30 - (fee if short_pnl == 6_500 else 0))

    def test_a_resting_limit_fills_later(self):
        plan = Plan(take_profit=TakeProfit(move=-0.1, limit=-0.15))
        rows = ledger.run(market([60_000, 54_000, 57_000, 52_000], low={3: 50_000}), FULL, plan)
        assert rows["event"].iloc[3] == "take profit, 1 BTC bought back at 51,000.00"
        assert rows["event"].tolist()[1:3] == ["", ""]

    def test_a_stop_saves_the_short_from_liquidation(self):
        plan = Plan(stop=Stop(price=70_000))
        rows = ledger.run(market([60_000, 75_000], high={1: 85_000}, low={1: 60_000}), FULL, plan)
        assert causes(rows) == [15_000, -10_000, 0, -65, 0]

    def test_a_stop_that_a_jump_passes_fills_at_the_low(self):
        plan = Plan(stop=Stop(price=70_000))
        rows = ledger.run(market([60_000, 75_000], low={1: 72_000}), FULL, plan)
        assert rows["short_pnl"].iloc[-1] == -12_000

    def test_a_stop_limit_that_a_jump_passes_does_not_save(self):
        plan = Plan(stop=Stop(price=70_000, limit=71_000))
        rows = ledger.run(market([60_000, 75_000, 80_000], low={1: 72_000, 2: 72_000}), FULL, plan)
        assert rows["event"].tolist()[1:] == ["", "liquidated at 79,681.27"]

    def test_a_jump_beyond_both_liquidates_before_the_stop(self):
        plan = Plan(stop=Stop(price=70_000))
        rows = ledger.run(market([60_000, 85_000], low={1: 82_000}), FULL, plan)
        assert rows["event"].iloc[1] == "liquidated at 79,681.27"

    def test_a_wick_of_the_last_price_fires_last_but_not_mark(self):
        frame = market([60_000, 60_000], last_high={1: 90_000})
        on_last, on_mark = (
            ledger.run(frame, FULL, Plan(stop=Stop(price=70_000, on=on)))["short_quantity"].iloc[-1]
            for on in ("last", "mark")
        )
        assert (on_last, on_mark) == (0, 1)

    def test_adverse_first_and_flagged(self):
        plan = Plan(take_profit=TakeProfit(price=55_000))
        rows = ledger.run(market([60_000, 60_000], high={1: 80_000}, low={1: 54_000}), FULL, plan)
        assert rows["event"].iloc[1] == (
            "liquidated at 79,681.27 (take profit reached in the same bar: the adverse event counts)"
        )

    def test_what_a_take_profit_closed_returns_after_the_target_was_zero(self):
        plan = Plan(
            BySignal((1.0, 0.5, 0.0), (Below(price=60_000), Below(price=58_000), at_least(62_000))),
            take_profit=TakeProfit(move=-0.1, share=0.5),
        )
        rows = ledger.run(market([60_000, 54_000, 53_000, 59_000, 62_000, 60_000]), FULL, plan)
        # Half bought back at 54,000, and the target halved at that close: a quarter is left. Then 1 · 0.5.
        assert rows["short_quantity"].tolist() == [1, 0.25, 0.25, 0.5, 0, 1]

    def test_top_ups_until_the_reserve_ends(self):
        plan = Plan(top_up=TopUp(10_000, below=0.2, to=0.3))
        rows = ledger.run(market([60_000, 68_000, 75_000, 82_000, 90_000]), FULL, plan)
        assert rows.attrs["wealth_before"] == 90_000
        # 12,000 is below 20 % of 68,000: 8,400 more make 30 %. At 75,000 it is 13,400: the last 1,600 go.
        assert rows["top_ups"].round(2).tolist() == [0, 8_400, 10_000, 10_000, 10_000]
        assert rows["margin"].round(2).tolist()[:4] == [20_000, 20_400, 15_000, 8_000]
        assert rows["event"].iloc[1] == "topped up by 8,400.00 USDT"
        # 30,000 + 60,000 = 1.004 · price
        assert rows["event"].iloc[4] == "liquidated at 89,641.43"

    def test_a_band_keeps_the_unhedged_value_in_proportion(self):
        rows = ledger.run(market([60_000, 57_000, 40_000]), Hedge(1, 0.5, 3, BTC), Plan(band=0.05))
        # At 40,000 holding and short are worth 40,000 + 10,000 − 15 fee: half of it is 0.6248 coins unhedged.
        assert rows["short_quantity"].tolist() == [0.5, 0.5, 0.375]

    def test_what_was_liquidated_stays_unhedged(self):
        plan = Batches((0.5, 0.5), (After(0), After(1)))
        rows = ledger.run(market([60_000, 90_000, 60_000, 60_000, 60_000]), FULL, plan)
        assert rows["short_quantity"].tolist() == [0.5, 0, 0, 0, 0]


def left_alone(frame, hedge):
    """What becomes of a hedge without a plan, from formulas for all bars at once.

    Returns wealth while it lives and once it is dead, margin balance, maintenance, and the bar of its death.
    """
    spot, mark, high, rate = (frame[name].to_numpy() for name in ("spot", "mark", "mark_high", "funding"))
    contract, entry = hedge.contract, mark[0]
    quantity, fees = hedge.quantity(entry), contract.taker_fee
    if contract.inverse:
        size, unit = contract.contract_size, spot
        gain, notional = quantity * size * (1 / mark - 1 / entry), quantity * size / mark
        gain_high, notional_high = quantity * size * (1 / high - 1 / entry), quantity * size / high
    else:
        unit, gain, notional = 1.0, quantity * (entry - mark), quantity * mark
        gain_high, notional_high = quantity * (entry - high), quantity * high
    backing, coins, fee = hedge.collateral(entry), hedge.hedged_holding, fees * notional[0]
    counted = 0.0
    if contract.inverse:
        coins, money = 0.0, hedge.holding - fee
    elif hedge.margin_from == "coins":
        money = (hedge.holding - coins) * spot[0] * (1 - contract.spot_fee) - fee
    else:
        if hedge.margin_from == "collateral":
            counted, backing = contract.collateral_ratio * coins, hedge.wallet or 0.0
        money = backing - fee
    account = backing - fee if contract.inverse or hedge.mode == "cross" else notional[0] / hedge.leverage
    received = np.append(0.0, (notional * rate)[1:])
    settled = np.cumsum(received)
    margin = account + settled + counted * mark + gain
    before = account + settled - received + counted * high + gain_high
    required = perpetual.maintenance_margin(notional, contract.brackets)
    dead = margin <= required
    dead[1:] |= (before <= perpetual.maintenance_margin(notional_high, contract.brackets))[1:]
    first = int(np.argmax(dead)) if dead.any() else len(dead)
    lives = coins * spot + unit * (money + settled + gain)
    return lives, coins * spot + unit * (money - account), margin, required, first, account + settled


class TestClosedForms:
    """Formulas that know no bars before them, against the loop."""

    @settings(max_examples=80)
    @given(strategies.frames(), strategies.hedges())
    def test_a_hedge_left_alone(self, frame, hedge):
        lives, dead, margin, required, first, owed = left_alone(frame, hedge)
        pledged = hedge.margin_from == "collateral"
        assume(not pledged or owed.min() > -5_000)
        rows = ledger.run(frame, hedge)
        scale = rows["wealth"].abs().max()
        bars = np.flatnonzero(rows["event"].str.contains("liquidated"))
        assert bars.tolist() == [first] * (first < len(rows))
        np.testing.assert_allclose(rows["wealth"][:first], lives[:first], 0, 1e-11 * scale)
        if not pledged:
            np.testing.assert_allclose(rows["wealth"][first:], dead[first:], 0, 1e-11 * scale)
        np.testing.assert_allclose(rows["margin"][:first], margin[:first], 1e-9, 1e-9 * scale)
        np.testing.assert_allclose(rows["maintenance"][:first], required[:first], 1e-9)

    @settings(max_examples=50)
    @given(strategies.frames(), strategies.TARGETS, st.sampled_from([0.05, 1.0, 7.3]))
    def test_any_target_with_money_enough(self, frame, target, holding):
        """What is short during a bar gains what the mark falls in it: no entry, no average, no realising."""
        hedge = Hedge(holding, 1, 1, BTC, mode="cross", wallet=1e9)
        spot, mark = frame["spot"].to_numpy(), frame["mark"].to_numpy()
        shares = target.shares(market_paths(frame))[0]
        short, quantity = [], 0.0
        for share, previous, price in zip(shares, np.append(0, shares[:-1]), mark, strict=True):
            wanted = np.floor(share * holding / 0.001 + 1e-9) * 0.001
            if share != previous and (wanted < quantity or (wanted - quantity) * price >= 50):
                quantity = wanted
            short.append(quantity)
        short = np.array(short)
        fees = np.cumsum(np.abs(np.diff(short, prepend=0)) * mark) * 0.0005
        funding = np.cumsum(np.append(0, short[:-1]) * mark * frame["funding"].to_numpy())
        gained = np.cumsum(np.append(0, -short[:-1] * np.diff(mark)))
        rows = ledger.run(frame, hedge, target)
        np.testing.assert_allclose(rows["short_quantity"], short, 0, 1e-9)
        wealth = 1e9 + holding * spot + gained + funding - fees
        for name, column in [
            ("short_pnl", gained),
            ("funding", funding),
            ("fees", -fees),
            ("wealth", wealth),
        ]:
            np.testing.assert_allclose(rows[name], column, 1e-9, 1e-6 * holding, err_msg=name)

    @given(st.floats(1, 20), st.floats(0.05, 1), st.floats(1_000, 200_000))
    def test_the_liquidation_price_is_that_of_the_hedge(self, leverage, ratio, price):
        frame, free = market([price]), replace(BTC, taker_fee=0)
        for margin_from in ("outside", "coins", "collateral"):
            hedge = Hedge(2, ratio, max(leverage, 1.2), free, margin_from=margin_from)
            stated = ledger.run(frame, hedge)["liquidation_price"].iloc[0]
            assert stated == pytest.approx(hedge.liquidation_price(price), rel=1e-9)
        hedge = Hedge(2, ratio, leverage, replace(COIN, taker_fee=0), margin_from="coin_margined")
        stated = ledger.run(frame, hedge)["liquidation_price"].iloc[0]
        assert stated == pytest.approx(hedge.liquidation_price(price), rel=1e-6)

    @given(st.floats(0.01, 0.3), st.booleans())
    def test_an_order_at_a_price_inside_the_bar(self, move, profit):
        order = {"take_profit": TakeProfit(move=-move)} if profit else {"stop": Stop(move=move)}
        ends = {"low": {1: 60_000 * (1 - move)}} if profit else {"high": {1: 60_000 * (1 + move)}}
        rows = ledger.run(market([60_000, 60_000, 50_000], **ends), FULL, Plan(**order))
        gained = 60_000 * (move if profit else -move)
        assert rows["short_pnl"].iloc[-1] == pytest.approx(gained)
        assert rows["fees"].iloc[-1] == pytest.approx(-0.0005 * (120_000 - gained))
        assert rows["wealth"].iloc[-1] == pytest.approx(
            80_000 - 10_000 + gained - 0.0005 * (120_000 - gained)
        )


def market_paths(frame):
    """Return the closes of a frame as a target takes them."""
    return SimpleNamespace(spot=frame[["spot"]].to_numpy().T, hours=8.0)


class TestRandom:
    @settings(max_examples=100)
    @given(strategies.frames(), strategies.hedges(), st.data())
    def test_two_identities_in_every_row(self, frame, hedge, data):
        check_identities(ledger.run(frame, hedge, data.draw(strategies.plans(hedge))))

    @settings(max_examples=40)
    @given(strategies.frames(st.integers(2, 90)), strategies.hedges(), st.data())
    def test_nothing_sees_the_future(self, frame, hedge, data):
        plan = data.draw(strategies.plans(hedge))
        now = data.draw(st.integers(0, len(frame) - 2))
        altered = data.draw(strategies.paths(st.just(1), st.just(len(frame)))).frame(0)
        altered = altered.reindex(columns=frame.columns)
        for name in {"last_high", "last_low"} & set(frame.columns):
            altered[name] = altered[name.replace("last", "mark")]
        altered.iloc[: now + 1] = frame.iloc[: now + 1]
        past, other_past = (ledger.run(each, hedge, plan).iloc[: now + 1] for each in (frame, altered))
        pd.testing.assert_frame_equal(past, other_past, rtol=1e-12)


class _Greedy(Target):
    """A target of a teacher's own that asks for more than all of the hedge."""

    def shares(self, bars):
        return np.full(bars.spot.shape, 5.0)


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([1, 2], FULL), "market must be a DataFrame"),
            ((market([60_000, -1]), FULL), "spot must be above 0"),
            ((market([60_000]), "full"), "hedge must be a hedge.Hedge"),
            ((market([60_000]), FULL, 0.5), "plan must be a plan.Plan"),
            ((market([60_000]).assign(last_high=np.nan), FULL), "last_high"),
            ((market([60_000]).assign(last_low=61_000), FULL), "last_low must not be above last_high"),
            ((market([60_000] * 8).assign(last_high=66_000), FULL), r"last_high is \+10% from mark_high"),
            ((market([60_000] * 9).assign(last_low=40_000), FULL), "last_low is -33% from mark_low"),
            ((market([60_000]), FULL, _Greedy()), "shares of the target must be .* at most 1, got 5 in it"),
        ],
    )
    def test_what_is_not_of_its_kind(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            ledger.run(*arguments)

    def test_a_reserve_of_coins_that_are_all_in_the_wallet(self):
        hedge = Hedge(1, 1, 1, COIN, margin_from="coin_margined")
        with pytest.raises(ValueError, match="outside the wallet"):
            ledger.run(market([60_000]), hedge, Plan(top_up=TopUp(0.1, 0.2, 0.3)))


def test_fixed_share_and_plan_and_nothing_are_the_same():
    frame = market([60_000, 65_000, 50_000], funding=1e-4)
    rows = [ledger.run(frame, FULL, plan) for plan in (None, Fixed(), Plan())]
    pd.testing.assert_frame_equal(rows[0], rows[1])
    pd.testing.assert_frame_equal(rows[0], rows[2])


def test_without_last_prices_orders_watch_the_mark():
    frame = market([60_000, 61_000], high={1: 71_000}).drop(columns=["last_high", "last_low"])
    rows = ledger.run(frame, FULL, Plan(stop=Stop(price=70_000, on="last")))
    assert rows["event"].iloc[1] == "stop, 1 BTC bought back at 70,000.00"
