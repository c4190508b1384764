"""The ledger: hand-computed cases, the two identities on random markets, and the plain loop as oracle."""

import numpy as np
import oracle
import pandas as pd
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import contracts, ledger
from hedgelib.hedge import Hedge
from hedgelib.ledger import OtherPosition
from hedgelib.ledger.bars import of_frame
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

CAUSES = ["spot_pnl", "short_pnl", "funding", "fees", "liquidation_loss", "other_pnl"]
FULL = Hedge(1, 1, 3, "BTCUSDT")  # 20,000 USDT margin at 60,000, liquidated at 79,681.27


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
        assert tuple(rows.columns) == ledger.COLUMNS
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
        assert causes(rows) == [-10_000, 10_000, -3, -30, 0, 0]
        # Funding settles in the margin: 20,000 + 7 − 10 + 10,000.
        assert rows["margin"].iloc[-1] == pytest.approx(29_997)

    def test_basis_is_the_part_of_the_short_that_spot_does_not_mirror(self):
        rows = ledger.run(market([60_000, 61_000], mark=[60_030, 60_930]), FULL)
        assert causes(rows)[:2] == [1_000, -900]
        assert rows["basis_pnl"].iloc[-1] == pytest.approx(100)

    def test_liquidation_takes_the_margin_and_leaves_the_coin(self):
        rows = ledger.run(market([60_000, 70_000, 60_000], high={1: 80_000}), FULL)
        # The short loses 19,681.27 until it is taken over; what is left of 20,000 goes with it.
        assert causes(rows, 1) == [10_000, -19_681.27, 0, -30, -318.73, 0]
        assert rows["wealth"].iloc[1] == 70_000 - 30
        dead = rows.iloc[1]
        assert (dead["margin"], dead["maintenance"], dead["short_quantity"]) == (0, 320, 0)
        assert dead["event"] == "liquidated at 79,681.27"
        assert rows["wealth"].iloc[2] == 60_000 - 30
        assert rows.iloc[2][["entry", "margin", "liquidation_price"]].isna().all()

    def test_a_settlement_can_liquidate(self):
        # 33 % of 60,000 leaves 200 USDT, less than the 240 that are needed.
        rows = ledger.run(market([60_000, 60_000], funding=[0, -0.33]), FULL)
        assert causes(rows) == [0, 0, -19_800, -30, -200, 0]

    def test_selling_coins_for_the_margin(self):
        rows = ledger.run(market([60_000, 50_000]), Hedge(1, 1, 2, "BTCUSDT", margin_from="coins"))
        assert rows.attrs["wealth_before"] == 60_000
        # A third of the coin is sold for 20,000 at 0.1 %; 0.666 BTC shorted at 0.05 %.
        assert rows["fees"].iloc[0] == pytest.approx(-20 - 19.98)
        assert causes(rows)[:2] == [-6_666.67, 6_660]

    def test_coin_margined_is_a_synthetic_dollar(self):
        hedge = Hedge(1, 1, 1, "BTCUSD", margin_from="coin_margined")
        rows = ledger.run(market([60_000, 120_000, 30_000]), hedge)
        # 600 contracts; the fee of 0.0005 BTC is missing at every price, and worth 15 at 30,000.
        assert rows["short_quantity"].tolist() == [600] * 3
        assert rows["wealth"].round(6).tolist() == [59_970, 59_940, 59_985]
        assert causes(rows, 1) == [59_970, -60_000, 0, -30, 0, 0]
        assert causes(rows, 2) == [-29_985, 30_000, 0, -30, 0, 0]
        assert rows["hedge_ratio"].iloc[1] == pytest.approx(1 / 0.9995)

    def test_coin_margined_funding_is_paid_in_coin(self):
        hedge = Hedge(1, 1, 1, "BTCUSD", margin_from="coin_margined")
        rows = ledger.run(market([60_000, 40_000, 80_000], funding=[0, 0.001, 0]), hedge)
        # 60,000 / 40,000 · 0.1 % = 0.0015 BTC, worth 60 when received and 120 in the end.
        assert rows["funding"].round(6).tolist() == [0, 60, 60]
        assert rows["wealth"].iloc[-1] == pytest.approx(60_000 - 0.0005 * 80_000 + 0.0015 * 80_000)

    def test_below_the_minimum_notional_nothing_is_traded(self):
        rows = ledger.run(market([40_000, 41_000]), Hedge(0.0015, 1, 2, "BTCUSDT"))
        assert rows["short_quantity"].tolist() == [0, 0]
        assert rows["event"].tolist() == ["", ""]


class TestCross:
    def test_the_whole_wallet_is_the_margin(self):
        hedge = Hedge(1, 1, 3, "BTCUSDT", mode="cross", wallet=50_000)
        rows = ledger.run(market([60_000, 90_000, 115_000]), hedge)
        assert rows["margin"].round(2).tolist()[:2] == [49_970, 19_970]
        assert rows["wealth"].round(2).tolist() == [109_970, 109_970, 115_000]
        # 49,970 + 60,000 = 1.004 · price
        assert rows["event"].iloc[2] == "liquidated at 109,531.87"

    def test_another_position_brings_the_liquidation_nearer(self):
        hedge = Hedge(1, 1, 3, "BTCUSDT", mode="cross", wallet=30_030)
        ether = market([3_000, 2_500, 2_500], low={2: 2_400})
        other = OtherPosition(10, 3_000, 1, contracts.get("ETHUSDT").brackets, ether)
        rows = ledger.run(market([60_000, 70_000, 84_000]), hedge, other=other)
        # Wallet 30,000 after the fee, long 10 ETH: −5,000 and maintenance 0.4 % of 25,000 and of 70,000.
        assert rows["margin"].round(2).tolist()[:2] == [30_000, 15_000]
        assert rows["maintenance"].round(2).tolist()[:2] == [360, 380]
        # At the low of 2,400: 30,000 − 6,000 − 96 + 60,000 = 1.004 · price.
        assert rows["event"].iloc[2] == "liquidated at 83,569.72"
        assert rows["other_pnl"].tolist() == [0, -5_000, -6_000]
        assert causes(rows) == [24_000, -23_569.72, 0, -30, -430.28, -6_000]
        check_identities(rows)


class TestPlans:
    def test_batches_enter_at_the_weighted_mean(self):
        plan = Batches((0.3, 0.3, 0.4), (After(0), Below(price=58_000), Below(price=56_000)))
        rows = ledger.run(market([60_000, 58_000, 57_000, 56_000, 59_000]), FULL, plan)
        assert rows["hedge_ratio"].tolist() == [0.3, 0.6, 0.6, 1, 1]
        # 0.3 · 60,000 + 0.3 · 58,000 + 0.4 · 56,000
        assert rows["entry"].iloc[-1] == pytest.approx(57_800)
        assert rows["fees"].iloc[-1] == pytest.approx(-0.0005 * 57_800)

    def test_inverse_batches_enter_at_the_harmonic_mean(self):
        hedge = Hedge(1, 1, 1, "BTCUSD", margin_from="coin_margined")
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
        assert causes(rows) == [-2_000, 5_000, 0, -57.5, 0, 0]

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
        assert causes(rows) == [15_000, -10_000, 0, -65, 0, 0]

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

    def test_rehedged_with_new_margin(self):
        rows = ledger.run(market([60_000, 80_000, 70_000]), FULL, Plan(rehedge=True))
        assert rows["event"].iloc[1] == "liquidated at 79,681.27; 1 BTC sold short at 80,000.00"
        # −20,000 and fees of 30 + 40; the second short gains 10,000 from 80,000.
        assert causes(rows) == [10_000, -9_681.27, 0, -70, -318.73, 0]
        assert rows.iloc[1]["margin"] <= rows.iloc[1]["maintenance"]

    def test_a_band_keeps_the_unhedged_value_in_proportion(self):
        rows = ledger.run(market([60_000, 57_000, 40_000]), Hedge(1, 0.5, 3, "BTCUSDT"), Plan(band=0.05))
        # At 40,000 holding and short are worth 40,000 + 10,000 − 15 fee: half of it is 0.6248 coins unhedged.
        assert rows["short_quantity"].tolist() == [0.5, 0.5, 0.375]

    def test_a_coin_margined_wallet_can_be_hedged_again_from_the_coins_outside(self):
        hedge = Hedge(1, 0.5, 5, "BTCUSD", margin_from="coin_margined", wallet=0.2)
        rows = ledger.run(market([60_000, 120_000, 110_000]), hedge, Plan(rehedge=True))
        # The wallet is lost; of the 0.8 coins left half is hedged: 480 contracts at 120,000.
        assert rows["short_quantity"].tolist() == [300, 480, 480]
        check_identities(rows)


class TestRandom:
    @settings(max_examples=250)
    @given(strategies.cases(paths=st.just(1)))
    def test_identities_and_the_plain_loop_in_every_row(self, case):
        path, hedge, plan, other = case
        rows = ledger.run(strategies.frame(path), hedge, plan, other)
        check_identities(rows)
        expected = oracle.play(path, 0, hedge, plan, other)
        scale = rows["wealth"].abs().max() + hedge.holding * strategies.START
        names = [*CAUSES, "wealth", "basis_pnl", "top_ups", "margin", "maintenance"]
        np.testing.assert_allclose(
            rows[names], [[row[name] for name in names] for row in expected], 0, 1e-9 * scale
        )
        names = ["short_quantity", "entry"]
        np.testing.assert_allclose(
            rows[names], [[row[name] for name in names] for row in expected], 1e-9, 1e-12
        )

    @settings(max_examples=80)
    @given(strategies.cases(paths=st.just(1), length=st.integers(2, 90)), st.data())
    def test_nothing_sees_the_future(self, case, data):
        path, hedge, plan, _ = case
        frame = strategies.frame(path)
        now = data.draw(st.integers(0, len(frame) - 2))
        altered = strategies.frame(data.draw(strategies.bars(st.just(1), st.just(len(frame)))))
        altered.iloc[: now + 1] = frame.iloc[: now + 1]
        past, other_past = (ledger.run(market, hedge, plan).iloc[: now + 1] for market in (frame, altered))
        assert past["event"].tolist() == other_past["event"].tolist()
        numbers = [name for name in ledger.COLUMNS if name != "event"]
        np.testing.assert_allclose(past[numbers], other_past[numbers], rtol=1e-9, atol=1e-6)


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
            ((market([60_000]), FULL, None, 3), "other must be a ledger.OtherPosition"),
            ((market([60_000]).assign(last_high=np.nan), FULL), "last_high"),
            ((market([60_000]).assign(last_low=61_000), FULL), "last_low must not be above last_high"),
            ((market([60_000]), FULL, _Greedy()), "shares of the target must be .* at most 1, got 5 in it"),
        ],
    )
    def test_what_is_not_of_its_kind(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            ledger.run(*arguments)

    def test_another_position_needs_a_cross_wallet_and_the_same_bars(self):
        other = OtherPosition(1, 3_000, 1, contracts.get("ETHUSDT").brackets, market([3_000, 3_100]))
        with pytest.raises(ValueError, match="mode='cross'"):
            ledger.run(market([60_000, 61_000]), FULL, other=other)
        with pytest.raises(ValueError, match="shape"):
            ledger.run(market([60_000]), Hedge(1, 1, 3, "BTCUSDT", mode="cross"), other=other)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"quantity": 0}, "quantity"),
            ({"entry": np.nan}, "entry"),
            ({"side": 2}, "side"),
            ({"side": [1, -1]}, "side"),
            ({"brackets": None}, "brackets"),
            ({"market": None}, "paths must be a market.Paths"),
        ],
    )
    def test_a_position_that_cannot_be(self, change, message):
        good = {"quantity": 1, "entry": 3_000, "side": 1, "brackets": contracts.get("ETHUSDT").brackets}
        with pytest.raises(ValueError, match=message):
            OtherPosition(**good | {"market": market([3_000])} | change)

    def test_a_reserve_of_coins_that_are_all_in_the_wallet(self):
        hedge = Hedge(1, 1, 1, "BTCUSD", margin_from="coin_margined")
        with pytest.raises(ValueError, match="outside the wallet"):
            ledger.run(market([60_000]), hedge, Plan(top_up=TopUp(0.1, 0.2, 0.3)))


def test_fixed_share_and_plan_and_nothing_are_the_same():
    frame = market([60_000, 65_000, 50_000], funding=1e-4)
    rows = [ledger.run(frame, FULL, plan) for plan in (None, Fixed(), Plan())]
    pd.testing.assert_frame_equal(rows[0], rows[1])
    pd.testing.assert_frame_equal(rows[0], rows[2])


def test_the_bars_of_a_frame_without_last_prices_use_the_mark():
    frame = market([60_000, 61_000], high={1: 62_000}).drop(columns=["last_high", "last_low"])
    assert of_frame(frame).last_high.tolist() == [[60_000, 62_000]]
