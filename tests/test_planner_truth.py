"""Random plans: what the worksheet says of a price or a path is what the ledger does, however it is asked."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hedgelib import ledger, market, perpetual, planner
from hedgelib.planner import Worksheet, WorksheetError
from hedgelib.planner.chances import played
from hedgelib.planner.walking import results

SOURCES = ("outside", "coins", "coin_margined", "collateral")


@st.composite
def plans(draw, banded=False):
    """Worksheets of all sources of margin, both modes, with and without exits, reserve and band."""
    source, coin = draw(st.sampled_from(SOURCES)), draw(st.sampled_from(["BTC", "ETH"]))
    inverse = source == "coin_margined"
    mode = "cross" if source == "collateral" else draw(st.sampled_from(["isolated", "cross"]))
    coins = draw(st.floats(0.1, 4 if inverse else 60))
    reserve = 0.0
    if source in ("outside", "collateral") or (inverse and mode == "isolated"):
        reserve = draw(st.sampled_from([0.0, 0.05, 0.3])) * coins * (1 if inverse else 2_000)
    given = {
        "coins": coins,
        "cost": 0,
        "price": draw(st.floats(500, 120_000)),
        "contract": f"{coin}{'USD' if inverse else 'USDT'}",
        "ratio": draw(st.floats(0.05, 1)),
        "leverage": draw(st.floats(1, 12)),
        "mode": mode,
        "margin_from": source,
        "reserve": reserve,
        "days": draw(st.integers(1, 120)),
        "take_profit": draw(st.sampled_from([0.0, 0.07, 0.25])),
        "stop": draw(st.sampled_from([0.0, 0.04, 0.2])),
        "band": draw(st.sampled_from([0.02, 0.1])) if banded else 0.0,
    }
    try:
        return Worksheet(**given)
    except WorksheetError as refused:
        assert set(refused.problems) <= set(given)
        assume(False)


def straight(sheet, price, steps=40):
    """A market that goes from the price today to another in many small steps, and halts where orders wait."""
    halts = [sheet.price * (1 + order.move) for order in (sheet.plan.stop, sheet.plan.take_profit) if order]
    halts += [sheet.alarm * (1 + 1e-9)] if sheet.plan.top_up and sheet.price <= sheet.alarm else []
    way = sorted((sheet.price, price))
    turns = [*np.geomspace(*way, steps), *(halt for halt in halts if way[0] < halt < way[1])]
    return market.drawn(dict(enumerate(sorted(turns, reverse=price < sheet.price))))


def by_arithmetic(sheet, price):
    """P&L of coins kept and short by closed forms: no ledger, no band, fees in coin left out."""
    death = sheet.liquidation_with_reserve
    exits = [sheet.price * (1 + order.move) for order in (sheet.plan.stop, sheet.plan.take_profit) if order]
    closed = next((at for at in exits if min(sheet.price, price) <= at <= max(sheet.price, price)), price)
    coins = sheet.coins_kept * (price - sheet.price)
    dead = closed == price >= death
    if sheet.rules.inverse:
        coin_pnl = sheet.covered * sheet.price * (1 / closed - 1 / sheet.price)
        if dead:
            coin_pnl = -(sheet.hedge.collateral(sheet.price) - sheet.opening_fee)
            coin_pnl -= sheet.reserve
        return coins, coin_pnl * price
    if dead and sheet.margin_from == "collateral":
        return None  # the coins that counted are sold: told in the ledger's own tests
    if dead:
        return coins, -(sheet.margin + sheet.reserve)
    if sheet.margin_from == "collateral" and closed > sheet.price and closed != price:
        # A stopped short is owed with both fees; beyond the limit coins are sold for it there.
        owed = sheet.quantity * (closed - sheet.price) - sheet.reserve
        owed += sheet.quantity * (closed + sheet.price) * sheet.rules.taker_fee
        if owed > -sheet.rules.forced_sale_below:
            coins -= owed / (1 - sheet.rules.spot_fee) / closed * (price - closed)
    return coins, sheet.quantity * (sheet.price - closed)


# Of 500 plans this one had its exit's fee, in coin, valued at a later price by one of both engines.
LATE = {"contract": "BTCUSD", "margin_from": "coin_margined", "mode": "cross", "take_profit": 0.07}


@settings(max_examples=60)
@given(plans(), st.floats(0.3, 3))
@example(Worksheet(1, 0, 1_875, ratio=1, leverage=1, days=1, **LATE), 0.5)
def test_a_price_is_what_the_ledger_makes_of_it(sheet, move):
    price = sheet.price * move
    assume(abs(price / sheet.liquidation_with_reserve - 1) > 1e-6)
    told = planner.at(sheet, price).iloc[0]
    # The way in two or three steps and the way in forty end at the same place.
    rows = ledger.run(straight(sheet, price), sheet.hedge, sheet.plan)
    end = rows.iloc[-1]
    scale = sheet.coins * max(price, sheet.price)
    assert told.total_pnl == pytest.approx(
        end.wealth - rows.attrs["wealth_before"] - end.fees, abs=1e-6 * scale
    )
    assert told.fees <= 0
    if end.short_quantity:
        assert told.balance == pytest.approx(end.margin, rel=1e-6)
        assert told.margin_ratio == pytest.approx(end.maintenance / end.margin, rel=1e-6)
    else:
        assert math.isnan(told.balance)
    # Both engines, one path or many, and plain arithmetic agree.
    assert results(sheet, price)[0] == pytest.approx(told.total_pnl, abs=1e-6 * scale)
    hand = by_arithmetic(sheet, price)
    if hand:
        fee_in_coin = 3 * sheet.opening_fee * max(price, sheet.price) if sheet.rules.inverse else 0.0
        assert told.total_pnl == pytest.approx(sum(hand), abs=1e-6 * scale + fee_in_coin)


@settings(max_examples=60)
@given(plans())
def test_the_liquidation_price_is_that_of_the_ledgers_first_row(sheet):
    opened = ledger.run(
        straight(sheet, sheet.price * 1.0001, 2), sheet.hedge, replace(sheet.plan, top_up=None)
    )
    first = opened.iloc[0]
    if sheet.liquidation < 1e9 * sheet.price:
        assert first.liquidation_price == pytest.approx(sheet.liquidation, rel=1e-9)
    else:
        assert first.liquidation_price == math.inf
    assert first.short_quantity == pytest.approx(sheet.quantity)
    if sheet.mode == "isolated":
        assert first.margin == pytest.approx(sheet.margin, rel=1e-9)
    # At the liquidation price balance and maintenance meet, by the arithmetic of lesson 05.
    if sheet.margin_from == "outside" and sheet.mode == "isolated":
        left = sheet.margin - sheet.quantity * (sheet.liquidation - sheet.price)
        needed = perpetual.maintenance_margin(sheet.quantity * sheet.liquidation, sheet.rules.brackets)
        assert left == pytest.approx(needed, rel=1e-6)


@settings(max_examples=25)
@given(plans(banded=True), st.lists(st.floats(0.4, 2.5), min_size=1, max_size=4))
def test_with_a_band_one_path_and_many_agree(sheet, moves):
    prices = sheet.price * np.array(moves)
    told = planner.at(sheet, prices)["total_pnl"].to_numpy()
    assert results(sheet, prices) == pytest.approx(told, abs=1e-6 * sheet.coins * prices.max())


@settings(max_examples=15)
@given(plans(), st.integers(0, 10_000))
def test_paths_end_as_the_ledger_ends_them(sheet, seed):
    """The shares of `chances` against the events that `ledger.run` writes down, path by path."""
    paths = market.paths("perp_era", 12, days=min(sheet.days, 40), seed=seed, coin=sheet.rules.base, drift=0)
    told = played(sheet, paths)
    ends = dict.fromkeys(["liquidated", "stop", "take profit", "alive"], 0)
    days = []
    for row in range(len(paths)):
        rows = planner.play(sheet, paths.frame(row))
        events = rows.loc[rows["event"] != "", "event"]
        word = next((word for word in ends for text in events[1:] if word in text.split(", ")[0]), "alive")
        ends[word] += 1
        closed = np.flatnonzero(rows["short_quantity"] == 0)
        days.append((closed[0] if len(closed) else len(rows) - 1) * 8 / 24)
    names = {"liquidated": "liquidated", "stop": "stopped", "take profit": "take profit", "alive": "horizon"}
    assert {names[word]: count / 12 for word, count in ends.items()} == pytest.approx(
        {name: told[name] for name in names.values()}
    )
    assert told["days"] == pytest.approx(np.mean(days))


@settings(max_examples=60)
@given(
    st.sampled_from(["outside", "coins", "coin_margined", "collateral"]),
    st.floats(0.05, 0.6),
    st.floats(0.05, 0.95),
    st.sampled_from([0.0, 0.1, 0.4]),
)
def test_the_bearable_loss_is_borne(source, fall, part, take_profit):
    """The share that follows from it, rounded down, loses what is bearable and at most a step more."""
    inverse = source == "coin_margined"
    given = {"coins": 3, "cost": 0, "price": 50_000, "fall": fall, "take_profit": take_profit, "leverage": 2}
    given |= {"contract": "BTCUSD" if inverse else "BTCUSDT", "margin_from": source}
    bearable = part * 3 * 50_000 * fall
    try:
        sheet = Worksheet(**given, bearable=bearable)
    except WorksheetError as refused:
        assert list(refused.problems) == ["take_profit"] and 0 < take_profit < fall
        full = Worksheet(**given, ratio=1)
        assert -planner.at(full, 50_000 * (1 - fall))["total_pnl"].item() > bearable - 200
        return
    lost = -planner.at(sheet, 50_000 * (1 - fall))["total_pnl"].item()
    step = 100 if inverse else 0.001 * 50_000
    assert bearable - 80 <= lost <= bearable + step + 80
