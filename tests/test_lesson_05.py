"""The numbers that lesson 05 tells, each found again in another way."""

import dataclasses
from pathlib import Path

import lessons
import numpy as np
import pytest
from scipy import stats

from hedgelib import contracts, hedge, ledger, market, perpetual, survival

PATH = Path(lessons.FOLDER) / "05_liquidation.ipynb"
E = 60_000


@pytest.fixture(scope="module")
def lesson():
    return lessons.run(PATH).namespace


def text():
    return " ".join(cell.source for cell in lessons.cells(PATH) if cell.cell_type == "markdown")


def touched_share(histories, rise, bars):
    """Share of the paths whose mark high reaches entry · (1 + rise) in the first bars."""
    highest = histories.mark_high[:, 1 : bars + 1].max(axis=1)
    return np.mean(highest >= histories.mark[:, 0] * (1 + rise))


@pytest.mark.parametrize(
    "leverage, price, rise",
    # (1 + 1/L) · 60,000 / 1.004, divided by hand
    [
        (1, 119_521.91, 0.9920),
        (2, 89_641.43, 0.4940),
        (3, 79_681.27, 0.3280),
        (5, 71_713.15, 0.1952),
        (10, 65_737.05, 0.0956),
    ],
)
def test_prices_of_liquidation(lesson, leverage, price, rise):
    assert hedge.Hedge(1, 1, leverage, "BTCUSDT").liquidation_price(E) == pytest.approx(price, abs=0.005)
    place = list(lesson["leverages"]).index(leverage)
    assert lesson["deaths"][place] == pytest.approx(price, abs=0.005)
    assert price / E - 1 == pytest.approx(rise, abs=5e-5)


def test_balance_meets_maintenance_exactly_there(lesson):
    price = lesson["liquidation"]
    assert 80_000 - price == pytest.approx(0.004 * price)
    assert 80_000 - price == pytest.approx(319, abs=0.5)
    assert 0.0125 * price == pytest.approx(996, abs=0.5)
    assert contracts.get("BTCUSDT").liquidation_fee == 0.0125


def test_margin_ratio_sleeps_and_jumps(lesson):
    # 288/8,000, 312/2,000, 318.4/400
    assert lesson["rising"]["margin ratio"].round(3).tolist() == [0.012, 0.019, 0.036, 0.156, 0.796]


def test_brackets(lesson):
    # 45 BTC: (900,000 + 1,500 + 2,700,000) / 45.2925 and (900,000 + 12,000 + 2,700,000) / 45.45
    assert lesson["with_entry_line"] == pytest.approx(79_516.48, abs=0.005)
    assert lesson["with_own_line"] == pytest.approx(79_471.95, abs=0.005)
    # 100 BTC: (2,000,000 + 12,000 + 6,000,000) / 101
    assert lesson["found"][2] == pytest.approx(8_012_000 / 101)
    assert (lesson["found"] / E - 1).round(4).tolist() == [0.3280, 0.3245, 0.3221]


def test_other_exchanges(lesson):
    differences = [value - lesson["liquidation"] for value in lesson["conventions"].values()]
    # 80,000/1.0045, 80,000 − 240, 80,000/1.0125
    expected = [0, 79_641.61 - 79_681.27, 79_760 - 79_681.27, 79_012.35 - 79_681.27]
    assert differences == pytest.approx(expected, abs=0.01)


def test_modes(lesson):
    # Coin margin B against N/E = 1 coin: 60,000 · 0.996 / (1 − B)
    expected = [65_737.05, 89_641.43, 59_760 / 0.5, np.inf]
    assert [way.liquidation_price(E) for way in lesson["modes"].values()] == pytest.approx(
        expected, abs=0.005
    )
    after_a_month = perpetual.inverse_liquidation_price(600, 100, E, 0.991, contracts.get("BTCUSD").brackets)
    assert after_a_month == pytest.approx(59_760 / 0.009) == 6_640_000
    losses = perpetual.inverse_pnl(600, 100, [60_000, 70_000], [70_000, 80_000])
    assert losses == pytest.approx([-1 / 7, -3 / 28])


def test_same_wealth_different_fate(lesson):
    assert lesson["both"].sum(axis=1).tolist() == pytest.approx([80_000, 80_000])
    assert lesson["both"].loc["Alice", "futures account"] < 0.004 * lesson["price"] == pytest.approx(318.8)


def test_the_run_up_kills_3x_and_spares_2x(lesson):
    run_up, walked = lesson["market_frame"], lesson["walked"]
    assert "simulated" in run_up.attrs["label"]
    rise = run_up["mark_high"].max() / run_up["mark"].iloc[0] - 1
    assert 0.34 < rise < 0.48
    assert not walked["2x"]["event"].str.contains("liquidated").any()
    died = walked["3x"].index[walked["3x"]["event"].str.contains("liquidated")]
    assert len(died) == 1
    assert (died[0] - run_up.index[0]).days == 26
    assert walked["3x"].loc[died[0], "liquidation_price"] == pytest.approx(79_754.90, abs=0.005)
    opening = walked["3x"].iloc[0]
    assert opening["entry"] == pytest.approx(59_961.52, abs=0.005)
    assert opening["liquidation_price"] == pytest.approx(opening["entry"] * 4 / 3 / 1.004)
    assert opening["liquidation_price"] == pytest.approx(79_630, abs=0.5)
    assert (walked["3x"]["maintenance"] / walked["3x"]["margin"]).shift()[died[0]] == pytest.approx(
        0.39, abs=0.005
    )
    assert run_up["mark_high"].max() == pytest.approx(87_754, abs=0.5)
    # What is left to explain after the coin: the loss of the whole margin, and the funding it had earned.
    last = walked["3x"].iloc[-1]
    assert last["short_pnl"] + last["liquidation_loss"] + last["funding"] == pytest.approx(-E / 3, rel=2e-3)
    causes = last[lesson["causes"]].sum()
    assert causes == pytest.approx(last["wealth"] - walked["3x"].attrs["wealth_before"])
    assert causes == pytest.approx(-16_984, abs=0.5)
    assert walked["2x"].iloc[-1][lesson["causes"]].sum() == pytest.approx(1_606, abs=0.5)
    assert run_up["spot"].iloc[-1] - run_up["spot"].iloc[0] == pytest.approx(3_033, abs=0.5)


def test_the_markets_of_the_player_do_what_the_tasks_say(lesson):
    def change(name, leverage):
        rows = ledger.run(lesson["markets"][name], hedge.Hedge(1, 1, leverage, "BTCUSDT"))
        died = np.flatnonzero(rows["event"].str.contains("liquidated")) // 3
        return list(died), (rows["wealth"].iloc[-1] - rows.attrs["wealth_before"]) / lesson["markets"][name][
            "spot"
        ].iloc[0]

    assert change("market above", 3) == ([26], pytest.approx(-0.283, abs=5e-4))
    assert change("market above", 2) == ([], pytest.approx(0.027, abs=5e-4))
    assert change("rise, then crash", 3) == ([27], pytest.approx(-0.709, abs=5e-4))
    crash = ledger.run(lesson["markets"]["rise, then crash"], hedge.Hedge(1, 1, 3, "BTCUSDT"))
    death = crash["liquidation_price"][crash["event"].str.contains("liquidated")].iloc[0]
    assert death / crash["entry"].iloc[0] - 1 == pytest.approx(0.35, abs=0.005)
    assert change("rise, then crash", 2) == ([], pytest.approx(0.024, abs=5e-4))


def test_facts(lesson):
    happened, facts = lesson["happened"], lesson["facts"]
    assert (100 * happened.loc["2x"]).round().tolist() == [4, 16, 24, 12, 27, 40]
    assert (100 * happened.loc["3x"]).round().tolist() == [13, 29, 40, 24, 41, 52]
    assert facts.loc[["3x_low", "3x_high"], ("BTC", "60 days")].round(1).tolist() == [0.2, 0.4]
    by_year = lesson["by_year"].set_index(["asset", "period"])["value"].round(2)
    assert by_year["BTC", "2020"] == 0.57
    assert by_year["BTC", "2025"] == 0.06
    last_and_mark = (
        market.facts("touched_last_and_mark").query("period == '60 days'").set_index("key")["value"]
    )
    assert last_and_mark[["3x_last", "3x_mark"]].tolist() == pytest.approx([0.337, 0.331], abs=6e-4)


def test_closed_form(lesson):
    z = np.log(1.328) / (0.63 * np.sqrt(60 / 365))
    assert lesson["z"] == pytest.approx(z, abs=1e-3) == pytest.approx(1.11, abs=0.005)
    assert lesson["by_formula"] == pytest.approx(2 * stats.norm.sf(z), abs=2e-4)
    assert stats.norm.sf(z) == pytest.approx(0.133, abs=5e-4)


def test_drift_explains_2x_and_fat_tails_the_far_end():
    chance = survival.touch_probability
    assert chance(0.494, 0.63, 60, log_drift=0.30) == pytest.approx(0.16, abs=0.005)
    assert 1 / chance(1.38, 0.63, 60, log_drift=0.30) == pytest.approx(770, abs=5)


def test_formula_facts_and_simulation_agree_within_the_interval_of_the_facts(lesson):
    low, high = lesson["facts"].loc[["3x_low", "3x_high"], ("BTC", "60 days")]
    for answer in lesson["answers"].values():
        assert low < np.asarray(answer)[1] < high
    # The same market once more, with other random numbers.
    again = touched_share(market.paths("perp_era", n=4_000, days=60, seed=1), lesson["distance"], 180)
    assert again == pytest.approx(lesson["simulated"].loc["3x", "60 days"], abs=0.03)


def test_touched_counts_the_windows_that_reach_the_level(lesson):
    history = market.paths("perp_era", n=1, days=40).frame(0)
    mark, high, bars = history["mark"].to_numpy(), history["mark_high"].to_numpy(), 30
    starts = range(len(mark) - bars)
    expected = np.mean([high[t + 1 : t + 1 + bars].max() >= 1.1 * mark[t] for t in starts])
    assert lesson["touched"](history, 0.1, 10) == pytest.approx(expected)


def test_ten_histories_spread_as_wide_as_the_interval(lesson):
    histories, touched, distance = lesson["histories"], lesson["touched"], lesson["distance"]
    shares = [round(100 * float(touched(histories.frame(row), distance, days=60))) for row in range(10)]
    assert (min(shares), max(shares)) == (18, 43)


def test_the_sum_of_money_decides(lesson):
    dead = dict(zip(lesson["ways"], lesson["dead"]["dead within 90 days"], strict=True))
    same = [dead[way] for way in [(2, 0), (3, 10_000), (5, 18_000), (10, 24_000)]]
    assert max(same) - min(same) < 0.01
    assert dead[3, 0] > 1.5 * dead[2, 0]
    assert dead[3, 40_000] == pytest.approx(dead[1, 0], abs=0.01)
    thousands = [lesson["thousand"](seed) for seed in range(4)]
    unpaid = [dataclasses.replace(paths, funding=0 * paths.funding) for paths in thousands]
    twice = hedge.Hedge(1, 1, 2, "BTCUSDT")
    without = np.mean([ledger.run_many(paths, twice).probability_liquidated for paths in unpaid])
    assert (round(dead[2, 0], 2), round(without, 2)) == (0.21, 0.24)
    # A reserve that is all posted in time leaves the balance of the leverage 60,000 / (posted + reserve).
    touched = np.mean([touched_share(paths, 0.494, 270) for paths in thousands])
    assert dead[2, 0] == pytest.approx(touched, abs=0.04)


def test_reserve_and_alarm(lesson):
    # 60,000 · (1 + rise) · 1.004 − 60,000 − 20,000
    assert lesson["reserve"](lesson["survive"], 3).round().tolist() == [8_252, 28_733, 41_143]
    balance_after = 20_000 + lesson["reserve"](0.60, 3) - 36_000
    assert balance_after == pytest.approx(0.004 * 96_000)
    assert lesson["rise_left"].round(3).tolist() == [0.001, 0.004, 0.036, 0.076, 0.195, 0.394]
    best = market.facts("extremes").query("key == 'best_1_day'").set_index("asset")["value"]
    for coin, ratio in (("BTC", 0.020), ("ETH", 0.015)):
        assert 0.004 / (1.004 * (1 + best[coin]) - 1) == pytest.approx(ratio, abs=5e-4)
    assert (1 + best["BTC"]) * 1.004 - 1 == pytest.approx(0.20, abs=5e-4)


def test_alarms_for_the_highs_inside_a_day():
    # BTCUSDT spot: close 4,800.00 on 2020-03-12, high 5,955.00 on the 13th; close 38,795.69 on 2021-02-07,
    # high 46,794.45 on the 8th. ETHUSDT: close 774.56 on 2021-01-02, high 1,011.07 on the 3rd.
    highs = 5_955 / 4_800, 46_794.45 / 38_795.69, 1_011.07 / 774.56
    assert [round(high - 1, 3) for high in highs] == [0.241, 0.206, 0.305]
    ratios = [0.004 / (1.004 * high - 1) for high in highs]
    assert (round(ratios[0], 3), round(ratios[2], 3)) == (0.016, 0.013)
    assert ratios[1] < 0.02  # an alarm at 2 % came too late on the best day


def test_the_first_alarm_of_the_player_rings_on_day_8(lesson):
    rows = lesson["walked"]["3x"]
    ringing = rows.index[rows["maintenance"] / rows["margin"] > 0.02]
    assert (ringing[0] - rows.index[0]).days == 8


def test_the_survival_explorer_shows_what_its_tasks_say():
    explorer = lessons.titled(PATH, "How many shorts are alive after so many days")
    days = 10, 20, 30, 60, 90
    dead = [lessons.readouts(explorer, days=number)["Dead by then"] for number in days]
    assert dead == ["0.7 %", "5.4 %", "11.6 %", "26.7 %", "36.4 %"]
    assert all(share.removesuffix(" %") in text() for share in dead)
    safer = [lessons.readouts(explorer, leverage=times)["Dead by then"] for times in (1.5, 1)]
    assert safer == ["4.7 %", "0.7 %"]


def test_the_reserve_saves_the_3x_hedge(lesson):
    saved = lesson["saved"]
    assert not saved["event"].str.contains("liquidated").any()
    assert saved["top_ups"].iloc[-1] == pytest.approx(20_000)
    assert saved.loc[saved["event"] != "", "liquidation_price"].iloc[-1] == pytest.approx(99_728, abs=0.5)
    assert saved["wealth"].iloc[-1] - saved.attrs["wealth_before"] == pytest.approx(1_606, abs=0.5)


def test_wick_of_eth():
    assert 323 / 107.82 - 1 > 0.992
    assert round(139.68 / 107.82 - 1, 3) == 0.295 < 0.328


@pytest.mark.parametrize(
    "told",
    [
        "79,681.27",
        "89,641.43",
        "79,754.90",
        "−16,984",
        "87,754",
        "99,728",
        "8,252",
        "28,733",
        "41,143",
        "61,143",
    ],
)
def test_the_text_tells_these_numbers(told):
    assert told in text()
