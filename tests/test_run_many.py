"""Many paths at once: the engine against the plain loop and the ledger, and the distribution it returns."""

from dataclasses import fields
from unittest import mock

import numpy as np
import oracle
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import ledger, market
from hedgelib.hedge import Hedge
from hedgelib.ledger import engine
from hedgelib.ledger.outcome import Outcome
from hedgelib.plan import After, Batches

MONEY = (
    "wealth",
    "spot_pnl",
    "short_pnl",
    "basis_pnl",
    "funding",
    "fees",
    "liquidation_loss",
    "other_pnl",
    "top_ups",
)


def paths(*prices, hours=8):
    """Return paths on which spot and mark are these prices, without funding."""
    prices = np.array(prices, dtype=float)
    return market.Paths(prices, prices, prices, prices, np.zeros(prices.shape), hours=hours)


def assert_same(one, another, scale, tolerance=1e-9):
    """Compare the money of two outcomes, and exactly when each path was liquidated."""
    for name in MONEY:
        np.testing.assert_allclose(
            getattr(one, name), getattr(another, name), 0, tolerance * scale, err_msg=name
        )
    np.testing.assert_array_equal(one.liquidated_at, another.liquidated_at)


@settings(max_examples=300)
@given(strategies.cases(paths=st.integers(1, 24), length=st.integers(1, 60)))
def test_the_plain_loop(case):
    bars, hedge, plan, other = case
    outcome = ledger.run_many(bars, hedge, plan, other)
    scale = np.abs(outcome.wealth).max() + hedge.holding * strategies.START
    for path in range(len(bars.spot)):
        rows = oracle.play(bars, path, hedge, plan, other)
        for name in MONEY:
            assert abs(getattr(outcome, name)[path] - rows[-1][name]) <= 1e-9 * scale, name
        liquidated = [row["liquidated"] for row in rows]
        assert outcome.liquidated_at[path] == (liquidated.index(True) if any(liquidated) else -1)


@settings(max_examples=40)
@given(strategies.cases(), st.integers(1, 20), st.integers(1, 20), st.integers(1, 3))
def test_how_time_and_paths_are_cut_changes_nothing(case, stretch, block, chunk):
    whole = ledger.run_many(*case)
    with (
        mock.patch.object(engine, "STRETCH", stretch),
        mock.patch.object(engine, "BLOCK", block),
        mock.patch.object(ledger, "CHUNK", chunk),
    ):
        cut = ledger.run_many(*case)
    assert_same(whole, cut, np.abs(whole.wealth).max() + case[1].holding * strategies.START)


@settings(max_examples=25)
@given(strategies.hedges(), st.data())
def test_simulated_paths_end_as_their_ledgers(hedge, data):
    plan = data.draw(strategies.plans(hedge))
    simulated = market.paths("perp_era", 3, days=60, seed=data.draw(st.integers(0, 99)))
    outcome = ledger.run_many(simulated, hedge, plan)
    ends = [ledger.run(simulated.frame(path), hedge, plan).iloc[-1] for path in range(3)]
    for name in MONEY:
        expected = [end[name] for end in ends]
        scale = np.abs(outcome.wealth).max()
        np.testing.assert_allclose(getattr(outcome, name), expected, 0, 1e-9 * scale, err_msg=name)


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
    arrays = [field.name for field in fields(Outcome) if field.name not in ("bars", "hours")]
    assert {np.shape(getattr(outcome, name)) for name in arrays} == {(2,)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ledger.run_many([[1.0]], Hedge(1, 1, 2, "BTCUSDT")), "paths must be a market.Paths"),
        (lambda: ledger.run_many(paths([1.0]), None), "hedge must be a hedge.Hedge"),
        (
            lambda: ledger.run_many(paths([1.0]), Hedge(1, 1, 2, "BTCUSDT"), "fixed"),
            "plan must be a plan.Plan",
        ),
        (lambda: ledger.run_many(paths([1.0]), Hedge(1, 1, 2, "BTCUSDT")).cvar(0), "level must be"),
        (
            lambda: ledger.run_many(paths([1.0]), Hedge(1, 1, 2, "BTCUSDT")).pnl_quantiles(1.5),
            "levels must be",
        ),
        (lambda: Batches((1,), (After(-1),)), "days must be"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
