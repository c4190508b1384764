"""Many paths at once: the arrays against the loop that defines the ledger, and their distribution."""

from dataclasses import fields
from unittest import mock

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import ledger, many, market
from hedgelib.hedge import Hedge
from hedgelib.plan import After, Batches, Below, BySignal, Fixed

MONEY = (
    "wealth",
    "spot_pnl",
    "short_pnl",
    "basis_pnl",
    "funding",
    "fees",
    "liquidation_loss",
    "top_ups",
)


def paths(*prices, hours=8):
    """Return paths on which spot and mark are these prices, without funding."""
    prices = np.array(prices, dtype=float)
    return market.Paths(prices, prices, prices, prices, np.zeros(prices.shape), hours=hours)


def assert_ends_as_the_ledger(outcome, row, rows, scale):
    """Compare the money of one path with the last row of its ledger, and exactly what happened on the way."""
    for name in MONEY:
        assert abs(getattr(outcome, name)[row] - rows[name].iloc[-1]) <= 1e-9 * scale, name
    assert outcome.wealth_before[row] == pytest.approx(rows.attrs["wealth_before"], rel=1e-14)
    dead = np.flatnonzero(rows["event"].str.contains("liquidated at"))
    assert outcome.liquidated_at[row] == (dead[0] if len(dead) else -1)
    refused = rows["event"].str.contains("order not placed").any()
    assert outcome.never_hedged[row] == (refused and not rows["event"].str.contains("sold short").any())


@settings(max_examples=100)
@given(strategies.paths(st.integers(1, 6), st.integers(1, 150)), strategies.hedges(), st.data())
def test_every_path_ends_as_its_ledger(some, hedge, data):
    plan = data.draw(strategies.plans(hedge))
    outcome = ledger.run_many(some, hedge, plan)
    scale = np.abs(outcome.wealth).max() + hedge.holding * strategies.START
    for row in range(len(some)):
        assert_ends_as_the_ledger(outcome, row, ledger.run(some.frame(row), hedge, plan), scale)


@settings(max_examples=25)
@given(strategies.hedges(), st.data())
def test_simulated_paths_end_as_their_ledgers(hedge, data):
    plan = data.draw(strategies.plans(hedge))
    simulated = market.paths("perp_era", 3, days=60, seed=data.draw(st.integers(0, 99)))
    outcome = ledger.run_many(simulated, hedge, plan)
    for row in range(3):
        rows = ledger.run(simulated.frame(row), hedge, plan)
        assert_ends_as_the_ledger(outcome, row, rows, np.abs(outcome.wealth).max())


@settings(max_examples=40)
@given(strategies.paths(st.integers(1, 6)), strategies.hedges(), st.data(), st.integers(1, 9))
def test_how_time_is_cut_changes_nothing(some, hedge, data, length):
    plan = data.draw(strategies.plans(hedge))
    whole = ledger.run_many(some, hedge, plan)
    with mock.patch.object(many, "SPANS", (7 * length, length)):
        cut = ledger.run_many(some, hedge, plan)
    scale = np.abs(whole.wealth).max() + hedge.holding * strategies.START
    for name in MONEY:
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), 0, 1e-9 * scale, err_msg=name)
    np.testing.assert_array_equal(cut.liquidated_at, whole.liquidated_at)


def test_the_distribution_by_hand():
    # Full hedges at 2x with 30,000 USDT: the first dies at 89,641 and ends with its coin of 96,000.
    hedge = Hedge(1, 1, 2, "BTCUSDT")
    outcome = ledger.run_many(paths([60_000, 60_000, 96_000], [60_000] * 3, [60_000, 50_000, 40_000]), hedge)
    assert outcome.wealth_before.tolist() == [90_000] * 3
    assert outcome.pnl.tolist() == pytest.approx([5_970, -30, -30])
    assert outcome.probability_liquidated == pytest.approx(1 / 3)
    assert outcome.time_to_liquidation.tolist() == [pytest.approx(2 / 3)]
    assert outcome.pnl_quantiles(0.5) == pytest.approx(-30)
    assert outcome.pnl_quantiles().tolist() == pytest.approx([-30, -30, 5_370])
    # Two of three paths: the worst two. Half of the paths: the worst one and a half.
    assert outcome.cvar(2 / 3) == pytest.approx(-30)
    assert outcome.cvar(1) == pytest.approx(1_970)
    assert outcome.cvar(5 / 6) == pytest.approx((-30 - 30 + 0.5 * 5_970) / 2.5)
    # Unhedged 36,000, 0 and −20,000.
    removed = 1 - np.var([6_000, 0, 0]) / np.var([36_000, 0, -20_000])
    assert outcome.variance_removed == pytest.approx(removed)
    # 30 USDT of 60,000 within two bars of eight hours.
    assert outcome.cost_of_carry == pytest.approx(30 / 60_000 * 365 * 3 / 2)
    assert outcome.years == pytest.approx(2 / 3 / 365)


def test_the_summary_holds_what_the_properties_say():
    outcome = ledger.run_many(market.paths("perp_era", 50, days=20), Hedge(1, 1, 10, "BTCUSDT"))
    summary = outcome.summary()
    assert summary["paths"] == 50
    assert summary["probability liquidated"] == outcome.probability_liquidated > 0
    assert summary["median days to liquidation"] == np.median(outcome.time_to_liquidation)
    assert summary["CVaR 5 % (USDT)"] == outcome.cvar() <= summary["5 % quantile (USDT)"]
    assert summary["variance removed"] == outcome.variance_removed
    assert summary["cost of carry per year"] == outcome.cost_of_carry


def test_nothing_to_divide_by():
    outcome = ledger.run_many(paths([60_000]), Hedge(1, 1, 2, "BTCUSDT"))
    assert np.isnan(outcome.variance_removed)
    assert np.isnan(outcome.cost_of_carry)
    assert outcome.summary().isna().sum() == 3
    assert outcome.time_to_liquidation.size == 0


def test_every_array_of_an_outcome_has_one_number_for_each_path():
    outcome = ledger.run_many(paths([60_000, 61_000], [60_000, 59_000]), Hedge(1, 1, 2, "BTCUSDT"))
    arrays = [field.name for field in fields(ledger.Outcome) if field.name not in ("bars", "hours")]
    assert {np.shape(getattr(outcome, name)) for name in arrays} == {(2,)}


class TestOrdersNotPlaced:
    """A hedge that was never on did not survive: there was nothing that could have died."""

    def test_all_orders_too_small(self):
        tiny = Hedge(0.0005, 1, 3, "BTCUSDT")
        outcome = ledger.run_many(paths([60_000, 96_000], [60_000, 50_000]), tiny)
        assert outcome.never_hedged.tolist() == [True, True]
        assert np.isnan(outcome.probability_liquidated)
        summary = outcome.summary()
        assert summary["paths never hedged"] == 2
        assert np.isnan(summary["probability liquidated"])

    def test_paths_never_hedged_are_no_survivors(self):
        # 0.0009 BTC are worth 54 USDT where the price stays, and 45 where it falls before the hedge begins.
        plan = Batches((0.9,), (After(1 / 3),))
        some = paths([60_000, 60_000, 99_000], [60_000, 48_000, 48_000], [60_000, 61_000, 61_000])
        outcome = ledger.run_many(some, Hedge(0.00112, 1, 2, "BTCUSDT"), plan)
        assert outcome.never_hedged.tolist() == [False, True, False]
        assert outcome.liquidated_at.tolist() == [2, -1, -1]
        assert outcome.probability_liquidated == 1 / 2

    @pytest.mark.parametrize(
        "hedge",
        [
            Hedge(0.0009, 1, 2, "BTCUSDT"),  # less than a step
            Hedge(0.005, 1, 2, "ETHUSDT", margin_from="coins"),
            Hedge(0.001, 1, 2, "BTCUSD", margin_from="coin_margined"),  # less than a contract
            Hedge(0.0005, 1, 2, "BTCUSDT", margin_from="collateral"),
        ],
    )
    def test_whatever_the_margin(self, hedge):
        price = 3_000 if hedge.contract.base == "ETH" else 60_000
        assert ledger.run_many(paths([price, price]), hedge).never_hedged.all()

    @pytest.mark.parametrize(
        ("hedge", "plan"),
        [
            (Hedge(1, 0, 2, "BTCUSDT"), None),
            (Hedge(1, 1, 2, "BTCUSDT"), Fixed(0)),
            (Hedge(1, 1, 2, "BTCUSDT"), Batches((1,), (Below(move=-0.5),))),
        ],
    )
    def test_where_none_was_wanted_none_is_missing(self, hedge, plan):
        outcome = ledger.run_many(paths([60_000, 61_000]), hedge, plan)
        assert not outcome.never_hedged.any()
        assert outcome.probability_liquidated == 0

    def test_what_was_on_once_was_on(self):
        # Sold for 60 USDT, bought back at 50,000, and at 40 USDT too small to be sold again.
        plan = BySignal((0.0, 1.0), (Below(price=55_000), Below(price=45_000)), start=1.0)
        some, tiny = paths([60_000, 50_000, 40_000]), Hedge(0.001, 1, 2, "BTCUSDT")
        assert "order not placed" in ledger.run(some.frame(0), tiny, plan)["event"].iloc[-1]
        assert not ledger.run_many(some, tiny, plan).never_hedged.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ledger.run_many([[1.0]], Hedge(1, 1, 2, "BTCUSDT")), "paths must be a market.Paths"),
        (lambda: ledger.run_many(paths([1.0]), None), "hedge must be a hedge.Hedge"),
        (
            lambda: ledger.run_many(paths([1.0]), Hedge(1, 1, 2, "BTCUSDT"), "fixed"),
            "plan must be a plan.Plan",
        ),
        (lambda: ledger.run_many(paths([1.0]), Hedge(1, 1, 2, "BTCUSDT")).cvar(0), "share must be"),
        (
            lambda: ledger.run_many(paths([1.0]), Hedge(1, 1, 2, "BTCUSDT")).pnl_quantiles(1.5),
            "probabilities must be",
        ),
        (lambda: Batches((1,), (After(-1),)), "days must be"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
