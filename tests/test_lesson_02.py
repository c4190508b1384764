"""The numbers of lesson 02, computed again by hand and bar by bar, without the library."""

import functools
import math

import lessons
import pandas as pd
import pytest

from hedgelib import contracts, market

PATH = lessons.FOLDER / "02_full_hedge.ipynb"
TAKER = contracts.get("BTCUSDT").taker_fee
RATE = contracts.get("BTCUSDT").brackets.rates[0]  # maintenance of small positions
MEANS = market.facts("funding_by_year", "BTC").query("key == 'mean'").set_index("period")["value"].round(2)
DAY_ONE = pd.Timestamp("2030-01-01", tz="UTC")


@functools.cache
def names():
    return lessons.run(PATH).namespace


@functools.cache
def titled(title):
    return lessons.titled(PATH, title)


@functools.cache
def life(name, leverage):
    """A 1x to 10x hedge of one coin through a market, bar by bar: when it dies, and what it has been paid."""
    frame = names()["market_frame"] if name == "market above" else market.scenario(name)
    prices = ["spot", "mark", "mark_high", "mark_low"]
    frame = frame.assign(**{each: frame[each] * 60_000 / frame["spot"].iloc[0] for each in prices})
    alone = frame["spot"].iloc[-1] - 60_000
    entry, margin, paid = frame["mark"].iloc[0], frame["mark"].iloc[0] / leverage, 0.0
    for time, bar in frame.iloc[1:].iterrows():
        limit = (margin + entry + paid) / (1 + RATE)
        if bar["mark_high"] >= limit:
            change = frame["spot"].iloc[-1] - frame["spot"].iloc[0] - margin - TAKER * entry
            found = {"day": (time - DAY_ONE).days, "at": time, "limit": limit, "entry": entry}
            return found | {"paid": paid, "change": change, "alone": alone}
        paid += bar["mark"] * bar["funding"]
    change = frame["spot"].iloc[-1] - frame["spot"].iloc[0] - (frame["mark"].iloc[-1] - entry)
    return {"day": None, "paid": paid, "change": change + paid - TAKER * entry, "alone": alone}


def test_by_hand():
    assert (names()["spot_pnl"], names()["short_pnl"], names()["total_pnl"]) == (10_000, -10_000, 0)
    # Two fees, at 60,000 and at 70,000; 90 settlements of 6 USDT
    assert names()["open_fee"] + names()["close_fee"] == pytest.approx(130_000 * TAKER)
    assert names()["one_month"] == pytest.approx(540)
    assert names()["short_opened_below"] == pytest.approx(-60)


@pytest.mark.parametrize("way", ["outside", "coins"])
def test_a_short_at_3x_dies_at_one_price_whoever_paid_the_margin(way):
    assert names()["ways"][way].liquidation_price(60_000) == pytest.approx(80_000 / (1 + RATE))


@pytest.mark.parametrize("price", [20_000, 40_000, 90_000, 300_000])
def test_the_coins_behind_a_coin_margined_short_gain_what_it_loses(price):
    lost = price * names()["perpetual"].inverse_pnl(contracts=600, size=100, entry=60_000, exit=price)
    assert lost == pytest.approx(-(price - 60_000))
    assert names()["ways"]["coin-margined"].liquidation_price(60_000) == math.inf


@pytest.mark.parametrize("price", range(40_000, 90_001, 10_000))
@pytest.mark.parametrize("leverage", [1, 3, 5, 10])
@pytest.mark.parametrize("rate", [-3, 0, 1])
def test_a_month_by_hand(price, leverage, rate):
    told = lessons.readouts(
        titled("Full hedge of 1 BTC from 60,000 USDT after 30 days"),
        price=price,
        leverage=leverage,
        rate=rate,
    )
    total = 90 * 6 * rate - TAKER * (60_000 + price)
    if price * (1 + RATE) >= 60_000 * (1 + 1 / leverage):
        total = price - 60_000 - 60_000 / leverage - TAKER * 60_000
    # The readout is rounded to whole USDT.
    assert lessons.amount(told["Total P&L"]) == pytest.approx(total, abs=0.51)


@pytest.mark.parametrize(
    "name", ["pullback", "crash", "chop", "bull_run", "market above", "funding_negative"]
)
@pytest.mark.parametrize("leverage", [1, 3, 10])
def test_the_walk_through_a_market_bar_by_bar(name, leverage):
    told = lessons.readouts(titled("Full hedge of 1 BTC through a market"), name=name, leverage=leverage)
    mine = life(name, leverage)
    fate = told["Your short"].split(" ")
    assert (int(fate[3]) if fate[0] == "died" else None) == mine["day"]
    assert lessons.amount(told["Your hedge"]) == pytest.approx(mine["change"], abs=0.51)
    assert lessons.amount(told["Coin alone"]) == pytest.approx(mine["alone"], abs=0.51)


def test_the_ledger_tells_the_same_death():
    (time,) = names()["walked"].index[names()["died"]]
    row, mine = names()["walked"].loc[time], life("market above", 3)
    assert time == mine["at"]
    assert row["short_pnl"] == pytest.approx(mine["entry"] - mine["limit"])
    # What is left of the margin, funding received included, when the short has been closed
    assert -row["liquidation_loss"] == pytest.approx(mine["entry"] / 3 + mine["paid"] + row["short_pnl"])


def test_a_month_of_negative_funding():
    frame = market.scenario("funding_negative")
    frame[["spot", "mark"]] *= 60_000 / frame["spot"].iloc[0]
    paid = (frame["mark"] * frame["funding"]).iloc[1:].sum()
    row = names()["against"].iloc[-1]
    assert row["funding"] == pytest.approx(paid)
    assert row["spot_pnl"] == pytest.approx(frame["spot"].iloc[-1] - frame["spot"].iloc[0])
    assert row["short_pnl"] == pytest.approx(frame["mark"].iloc[0] - frame["mark"].iloc[-1])


# Where 1 BTC counts so much, its short dies in the bracket with this rate and amount: above 800,000 USDT,
# between that and 300,000, below (table of 2025-08-21).
DEATHS = {0.95: (0.0065, 1_500), 0.90: (0.005, 300), 0.80: (0.004, 0)}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_coins_as_collateral_die_where_the_haircut_is_used_up(place):
    counted, (rate, amount) = list(DEATHS.items())[place]
    dies = (60_000 + amount) / (1 - counted + rate)
    assert names()["dies"][place] == pytest.approx(dies)
    assert lessons.states(PATH, f"100 * (dies[{place}] / entry - 1)", 100 * (dies / 60_000 - 1))
    if counted == contracts.get("BTCUSDT").collateral_ratio:
        assert names()["ways"]["collateral"].liquidation_price(60_000) == pytest.approx(dies)
        assert lessons.states(PATH, "dies[0]", dies)


def test_coins_as_collateral_live_through_the_market_above_and_pay_at_its_end():
    frame = names()["market_frame"]
    mark, entry = frame["mark"].iloc[1:], frame["mark"].iloc[0]
    received = (mark * frame["funding"].iloc[1:]).cumsum()
    balance = 0.95 * mark + entry - mark + received - TAKER * entry
    ratio = 100 * (RATE * mark / balance).max()
    expression = "100 * (lasting['maintenance'] / lasting['margin']).max()"
    assert lessons.states(PATH, expression, ratio)
    assert not names()["lasting"]["event"].str.contains("liquidated").any()
    owed = mark.iloc[-1] - entry - received.iloc[-1] + TAKER * entry
    sold = next(each for each in lessons.said(PATH) if "lasting[['short_pnl'" in each)
    assert lessons.states(PATH, sold, owed / frame["spot"].iloc[-1])


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "100 * bitcoin.taker_fee": 100 * TAKER,
        "open_fee": 60_000 * TAKER,
        "bitcoin.taker_fee * (entry - 10_000)": 50_000 * TAKER,
        "open_fee + close_fee": 130_000 * TAKER,
        "open_fee + bitcoin.taker_fee * (entry - 10_000)": 110_000 * TAKER,
        "-open_fee - bitcoin.taker_fee * 50_000": -110_000 * TAKER,
        "one_settlement": 6,
        "one_month": 540,
        "one_month * era": 540 * MEANS["era"],
        "one_month * recent": 540 * MEANS["last 365 days"],
        "owed": 10_000 + 130_000 * TAKER,
        "coins_taken": (10_000 + 130_000 * TAKER) / 70_000 / (1 - contracts.get("BTCUSDT").spot_fee),
        "(coins - coins_taken) * later": 70_000
        - (10_000 + 130_000 * TAKER) / (1 - contracts.get("BTCUSDT").spot_fee),
        "(open_fee + close_fee) / one_month": 130_000 * TAKER / 540,
        "2 * open_fee": 120_000 * TAKER,
        "2 * open_fee / (90 * entry)": 2 * TAKER / 90,
        "1e4 * 2 * open_fee / (90 * entry)": 2e4 * TAKER / 90,
        "in_coin[1] * marks[1]": 6,
        "30_000 + bitcoin.taker_fee * (entry + 90_000)": 30_000 + 150_000 * TAKER,
        "(30_000 + bitcoin.taker_fee * (entry + 90_000)) / (90_000 * (1 - bitcoin.spot_fee))": (
            30_000 + 150_000 * TAKER
        )
        / 90_000
        / (1 - contracts.get("BTCUSDT").spot_fee),
        "margin_3x": 20_000,
        "margin_2x": 30_000,
        "coins_sold": 0.25,
        "from_coins.margin(entry)": 0.75 * 60_000 / 3,
        "short_contracts": 60_000 / 100,
        "1 + at_40k": 60_000 / 40_000,
        "1 + at_90k": 60_000 / 90_000,
        "full.liquidation_price(entry)": 80_000 / (1 + RATE),
        "100 * full.distance_to_liquidation(entry)": 100 * (4 / 3 / (1 + RATE) - 1),
        'round(number_in(at(month, price=entry)["Total P&L"]), -1)': round(540 - 120_000 * TAKER, -1),
        'number_in(at(month, leverage=5, price=entry * 5 // 4)["The short is"])': 72_000 / (1 + RATE),
        "hedge.Hedge(2, 1, 5, 'BTCUSDT', margin_from='coins').coins_sold(entry)": 2 / 6,
        "-0.01 * own['SOL', 'basis_lowest']": 16.903,
    }.items(),
)
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(PATH, expression, value)


def test_the_days_and_prices_at_which_the_shorts_died():
    days = [life("market above", leverage)["day"] for leverage in (10, 5, 3, 2, 1)]
    told = {
        text
        for expression, texts in lessons.said(PATH).items()
        if '"Your short"], 0)' in expression
        for text in texts
    }
    assert told == {str(day) for day in [*days, life("bull_run", 3)["day"]]}
    mine = life("market above", 1)
    assert lessons.states(
        PATH, "number_in(walked.loc[died, 'event'].iloc[0])", life("market above", 3)["limit"]
    )
    last = next(each for each in lessons.said(PATH) if "query('short_quantity > 0')" in each)
    assert lessons.states(PATH, last, 100 * (mine["limit"] / mine["entry"] - 1))
