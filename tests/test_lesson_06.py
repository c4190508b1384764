"""The numbers of lesson 06, computed again by hand, in closed form, or without the ledger."""

import functools

import lessons
import numpy as np
import pytest
from lessons import amount

from hedgelib import contracts, market, plan

PATH = lessons.FOLDER / "06_dynamic_scaling.ipynb"
FEE = contracts.get("BTCUSDT").taker_fee
OPEN = FEE * 60_000  # of the whole hedge at 60,000 USDT


@functools.cache
def names():
    return lessons.run(PATH).namespace


def read(title, **values):
    return lessons.readouts(lessons.titled(PATH, title), **values)


@pytest.mark.parametrize(
    ("points", "rule", "total"),
    [
        # Batches of 0.3, 0.3 and 0.4 BTC; fees on what each is sold for.
        ({1: 57_000, 2: 54_000, 3: 48_000}, "Batches", 56_700 - 60_000 - FEE * 56_700),
        ({1: 57_000, 2: 54_000, 3: 60_000}, "Batches", 56_700 - 60_000 - FEE * 56_700),
        ({1: 50_000}, "Batches", -10_000 + 3_000 - FEE * (0.3 * 60_000 + 0.7 * 50_000)),
        ({1: 70_000}, "Batches", 0.7 * 10_000 - 0.3 * OPEN),
        ({1: 50_000}, "Half hedge", -5_000 - 0.5 * OPEN),
        ({1: 55_000, 2: 60_000}, "Take profit", 5_000 - OPEN - FEE * 55_000),
        ({1: 55_000, 2: 45_000}, "Take profit", -10_000 - OPEN - FEE * 55_000),
        ({1: 56_000, 2: 70_000}, "Take profit", -OPEN),
    ],
)
def test_rules_on_drawn_paths_by_hand(points, rule, total):
    path = market.drawn({0: 60_000} | {day / 3: price for day, price in points.items()})
    assert names()["result"](path, names()["RULES"][rule]) == pytest.approx(total)


def test_by_hand():
    lesson = names()
    assert lesson["mean_entry"] == pytest.approx(0.3 * 60_000 + 0.3 * 57_000 + 0.4 * 54_000)
    assert lesson["coin_pnl"] + lesson["short_pnl"] == pytest.approx(-3_300)
    assert lesson["whipsaw"] == pytest.approx(-3_300)
    assert (lesson["gap_batches"], lesson["gap_half"]) == (-7_000, -5_000)
    assert (lesson["back_up"], lesson["further_down"]) == (5_000, -10_000)


def test_a_fall_that_is_kind_to_both_rules():
    # After 54,000: batches −3,300, take profit X − 55,000, half a hedge (X − 60,000) / 2; fees left out.
    ends = np.arange(44_000, 76_001, 100)
    half = (ends - 60_000) / 2
    kind = ends[(half < -3_300) & (ends - 55_000 > half)]
    assert (kind.min() - 100, kind.max() + 100) == (50_000, 53_400)
    assert (names()["table"].loc[52_000, "Straight"].drop("Half hedge") > -4_015).all()


def test_the_picture_in_closed_form():
    table, ends = names()["table"], names()["ends"].to_numpy()
    detour = table["First to 54,000"]
    assert detour["Batches"].to_numpy() == pytest.approx(-3_300 - FEE * 56_700)
    assert detour["Take profit"].to_numpy() == pytest.approx(ends - 55_000 - OPEN - FEE * 55_000)
    for way in table.columns.levels[0]:
        assert table[way, "Half hedge"].to_numpy() == pytest.approx(0.5 * (ends - 60_000) - 0.5 * OPEN)
    straight = table["Straight"]["Batches"].to_numpy()
    up, down = ends >= 60_000, ends <= 52_000
    assert straight[up] == pytest.approx(0.7 * (ends[up] - 60_000) - 0.3 * OPEN)
    # Sold at the first close below each level, at most one bar of 16,000 / 90 USDT late.
    assert np.all(np.abs(straight[down] - detour["Batches"].iloc[0]) < 0.7 * 16_000 / 90)


def test_what_the_batches_explorer_shows_is_told():
    title = "A hedge of 1 BTC in three batches"
    gaps = {
        (1, 0, 0): -OPEN,
        (0.3, 0.3, 0.4): -7_000 - 0.3 * OPEN - 0.7 * FEE * 50_000,
        (0, 0.3, 0.7): -10_000 - FEE * 50_000,
    }
    for split, total in gaps.items():
        assert amount(read(title, name="gap", split=split)["This rule"]) == pytest.approx(total, abs=0.51)
    ahead = {}
    for name in ("pullback", "crash", "chop", "bull_run"):
        shown = read(title, name=f"simulated {name}", step=0.04)
        ahead[name] = amount(shown["This rule"]) - amount(shown["Plain hedge"])
    assert max(ahead.values()) < -OPEN  # never ahead, and by more than one fee
    shown = read(title, name="simulated bull_run", step=0.05)
    assert amount(shown["This rule"]) == amount(shown["Plain hedge"])


@pytest.mark.parametrize("level", [0.025, 0.05, 1 / 12, 0.1, 0.15, 0.2])
@pytest.mark.parametrize("final", [45_000, 60_000, 75_000])
@pytest.mark.parametrize("lowest", [46_000, 52_000, 58_000])
def test_the_take_profit_explorer_in_closed_form(level, lowest, final):
    shown = read("Full hedge of 1 BTC with a take profit", level=level, lowest=lowest, final=final)
    order = 60_000 * (1 - level)
    filled = min(lowest, final) <= order
    total = final - order - OPEN - FEE * order if filled else -OPEN
    assert amount(shown["Take profit"]) == pytest.approx(total, abs=0.51)
    assert amount(shown["Coin"]) == final - 60_000
    assert shown[f"The order at {order:,.0f} USDT"].startswith("filled" if filled else "not reached")


def test_a_double_top_of_six_bars():
    top = names()["top"]
    assert (top.pivots, top.known) == ((1, 2, 3), 5)


def test_alarms_in_noise_say_nothing_once_they_are_known():
    for (name, row), find in zip(names()["alarms"].items(), names()["KINDS"], strict=True):
        after, before = [], []
        for walk in names()["walks"]:
            for pattern in find(walk):
                if pattern.known + 10 < len(walk):
                    after.append(walk[pattern.known + 10] / walk[pattern.known] - 1)
                    before.append(walk[pattern.known] / walk[pattern.pivots[-1]] - 1)
        assert row["alarms per 1,000 bars"] == len(after) / 20
        assert row["10 bars after it was known"] == pytest.approx(np.mean(after))
        error = np.std(after) / np.sqrt(len(after))
        assert abs(np.mean(after)) < 2 * error, name
        assert np.mean(before) < -0.05


def test_what_the_signal_explorer_shows_is_told():
    def shown(name, pattern, confirm):
        return read("Chart signals and the hedge they make", name=name, pattern=pattern, confirm=confirm)

    alarms = {name: int(shown(name, "double top", 5)["Alarms"]) for name in names()["LONG"]}
    assert all(len(frame.attrs["label"]) < 120 for frame in names()["LONG"].values())
    assert [alarms.pop("noise 1"), alarms.pop("noise 2")] == [8, 9]
    assert (min(alarms.values()), max(alarms.values())) == (3, 8)
    bear = {bars: shown("simulated bear", "double top", bars) for bars in (2, 3, 4, 5, 6, 8, 12)}
    counts = [int(each["Alarms"]) for each in bear.values()]
    assert (counts[0], max(counts), counts[-1]) == (3, 5, 5)
    moved = [bear[bars]["Moved before they were known"] for bars in (2, 12)]
    assert moved == ["−8.7 %", "−12.5 %"]


def test_the_paths_have_no_direction():
    spot = names()["paths"].spot
    error = spot[:, -1].std() / np.sqrt(len(spot))
    assert abs(spot[:, -1].mean() - 60_000) < 2 * error


def test_no_rule_beats_a_plain_hedge_of_its_size_on_average():
    """P&L again as the sum of unhedged share times price change; fees and funding are small beside it."""
    spot, funding = names()["paths"].spot, names()["paths"].funding
    moved = np.diff(spot, axis=1)
    outcomes = list(names()["outcomes"].values())
    for rule, moving, plain in zip(names()["MOVING"].values(), outcomes[::2], outcomes[1::2], strict=True):
        shares = rule.shares(names()["paths"])
        received = (shares[:, :-1] * spot[:, 1:] * funding[:, 1:]).sum(axis=1)
        traded = np.abs(np.diff(shares, axis=1, prepend=0)) * spot
        pnl = ((1 - shares[:, :-1]) * moved).sum(axis=1) + received - FEE * traded.sum(axis=1)
        assert moving.pnl == pytest.approx(pnl, abs=1)
        better = moving.pnl - plain.pnl
        assert abs(better.mean()) < 2 * better.std() / np.sqrt(len(better))
        assert plain.liquidated_at.max() == moving.liquidated_at.max() == -1


def test_the_shape_of_the_distributions():
    outcomes = names()["outcomes"]
    batches, _, _, _, off, plain_off, bottom, plain_bottom, *_ = outcomes.values()
    for moving, flat in ((off, plain_off), (bottom, plain_bottom)):
        assert moving.cvar() < flat.cvar()
    assert np.mean((batches.pnl > -3_750) & (batches.pnl < -2_500)) > 1 / 3


def plain_statistics(pnl):
    unhedged = np.diff(names()["paths"].spot[:, [0, -1]]).ravel()
    funding = (names()["paths"].spot * names()["paths"].funding)[:, 1:].sum(axis=1)
    hindsight = np.maximum(unhedged, funding - OPEN)
    return np.sort(pnl)[:50].mean(), np.median(pnl), np.quantile(pnl, 0.95), np.mean(hindsight - pnl)


@pytest.mark.parametrize("row", range(10))
def test_the_table_of_rules_from_sorted_results(row):
    columns, outcomes = names()["columns"], list(names()["outcomes"].values())
    for told, value in zip(columns.values(), plain_statistics(outcomes[row].pnl), strict=True):
        assert told[row] == pytest.approx(value)


WALK = 6_500 / 60  # USDT a bar, from 53,500 up to 60,000 in 20 days
SAID = {
    "mean_entry": 0.3 * 60_000 + 0.3 * 57_000 + 0.4 * 54_000,
    "short_pnl": 56_700 - 48_000,
    "result(sharp, batches)": -3_300 - FEE * 56_700,
    "fees": FEE * 56_700,
    "2 * (60_000 - taken) - 60_000": 50_000,  # where X − 55,000 is (X − 60,000) / 2
    "60_000 + 2 * (mean_entry - 60_000)": 53_400,  # where −3,300 is (X − 60,000) / 2
    "100 * (1 - closes[top.known] / closes[top.pivots[-1]])": 100 * 12 / 111,
    "number_in(at(scaled, name='gap', split=(1, 0, 0))[\"This rule\"])": -OPEN,
    'number_in(at(rebound, level=0.025, final=60_000)["Take profit"])': 1_500 - OPEN - FEE * 58_500,
    'number_in(at(rebound, level=0.1, final=60_000)["Take profit"])': 6_000 - OPEN - FEE * 54_000,
    "result(turn, at_market)": 7_000 - OPEN - FEE * 55_000,
    "taker_fee * (57_000 - 51_000)": FEE * 6_000,
    "SHOWN['dip and back']['spot'][(SHOWN['dip and back']['spot'] >= 1.05 * SHOWN['dip and back']"
    "['spot'].cummin())].iloc[0]": 53_500 + WALK * np.ceil(0.05 * 53_500 / WALK),
}


@pytest.mark.parametrize(("expression", "value"), SAID.items())
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(PATH, expression, value)


@pytest.mark.parametrize(
    ("order", "total"), [("at_market", 7_000 - OPEN - FEE * 55_000), ("at_limit", -OPEN)]
)
def test_the_limit_that_does_not_fill(order, total):
    assert names()["result"](names()["turn"], names()[order]) == pytest.approx(total)


def test_a_wick_fires_the_order_on_the_last_price_only():
    by_last, by_mark = names()["events"]
    assert "bought back at 55,000" in by_last
    assert by_mark == ""


def test_the_rule_that_fits_the_past_fits_nothing_else():
    first, second, grid = names()["first"], names()["second"], names()["grid"]
    assert first.shape == second.shape == (20, 100)
    closes = names()["closes"][[7]].to_numpy().ravel()
    days, distance = grid[9]
    hedged = np.array(
        [
            closes[t] < (1 - distance) * closes[t - days + 1 : t + 1].mean() if t >= days - 1 else False
            for t in range(1_461)
        ]
    )
    known = names()["timing"](names()["closes"][[7]], days, distance)
    average = hedged[200:].mean()
    for half, span in zip(known, (range(200, 830), range(830, 1_460)), strict=True):
        gained = sum((average - hedged[t]) * (closes[t + 1] / closes[t] - 1) for t in span)
        fees = FEE * sum(hedged[t] != hedged[t - 1] for t in span)
        assert half.iloc[0] == pytest.approx(gained - fees)
    best = first.argmax(axis=0), np.arange(100)
    error = second[best].std() / 10
    assert first[best].mean() > 10 * error
    assert second[best].mean() < 2 * error


def test_the_third_exercise_by_hand():
    # Up from 53,500 by 6,500 / 60 USDT a bar; the 25th close is the first at or above 1.05 · 53,500.
    bought = 53_500 + 25 * 6_500 / 60
    assert 1.05 * 53_500 <= bought < 1.05 * 53_500 + 6_500 / 60
    total = 60_000 - bought - OPEN - FEE * bought

    def bounced(close):
        return close >= 1.05 * np.minimum.accumulate(close)

    rule = plan.Until(plan.Fixed(), plan.Signal(bounced))
    assert names()["result"](names()["SHOWN"]["dip and back"], rule) == pytest.approx(total)


def test_stretches_of_a_market_are_cut_each_week_and_begin_at_the_same_price():
    lesson = names()
    frame, stretches = lesson["market_frame"], lesson["stretches"]
    days = 60
    starts = list(range(0, len(frame) - 3 * days, 21))
    assert len(stretches) == len(starts)
    for row, start in enumerate(starts):
        part = frame.iloc[start : start + 3 * days + 1]
        assert stretches.spot[row] == pytest.approx(60_000 * (part["spot"] / part["spot"].iloc[0]).to_numpy())
        assert stretches.mark_high[row] == pytest.approx(
            60_000 * (part["mark_high"] / part["spot"].iloc[0]).to_numpy()
        )
        assert stretches.funding[row] == pytest.approx(part["funding"].to_numpy())
    short = lesson["windows"](frame.iloc[:40])
    assert (len(short), short.spot.shape[1]) == (1, 40)
