"""The numbers of lesson 07, computed again without the library's ratios."""

import functools

import lessons
import numpy as np
import pytest
from lessons import amount
from scipy.stats import linregress

from hedgelib import market

PATH = lessons.FOLDER / "07_cross_asset_beta.ipynb"


@functools.cache
def names():
    return lessons.run(PATH).namespace


def told(*numbers):
    return [number for number in numbers if number not in lessons.prose(PATH)]


@functools.cache
def returns(name):
    return names()["MARKETS"][name].to_numpy().T


def explorer(title):
    return lessons.titled(PATH, title)


def read(title, **values):
    return lessons.readouts(explorer(title), **values)


@pytest.mark.parametrize(
    ("hedge_ratio", "left"),
    [
        # Left over on each day, then squares by hand; 30 without a hedge.
        (0.6, 1.44 + 2.56 + 0.16 + 1.00 + 3.24),  # 1.2, -1.6, -0.4, -1, 1.8
        (1, 0 + 4 + 4 + 1 + 9),  # 0, -2, -2, 1, 3
        (1.2, 0.36 + 4.84 + 7.84 + 4.00 + 12.96),  # -0.6, -2.2, -2.8, 2, 3.6
        (30 / 36, 0.25 + 121 / 36 + 16 / 9 + 1 / 36 + 6.25),  # 1/2, -11/6, -4/3, 1/6, 5/2
    ],
)
def test_the_five_days_by_hand(hedge_ratio, left):
    held, shorted = np.array([3, -1, 2, -4, 0]), np.array([3, 1, 4, -5, -3])
    assert ((held - hedge_ratio * shorted) ** 2).sum() == pytest.approx(left)
    shares = names()["left"]
    place = list(names()["candidates"].values()).index(pytest.approx(hedge_ratio))
    assert list(shares.values())[place] == pytest.approx(left / 30)


@pytest.mark.parametrize("name", ["market above", "crash", "bull_run", "bear", "chop"])
def test_ratio_and_effectiveness_are_those_of_a_plain_regression(name):
    held, shorted = returns(name)
    line, reverse = linregress(shorted, held), linregress(held, shorted)
    best = names()["BEST"][name]
    assert (best.ratio, best.r_squared) == pytest.approx((line.slope, line.rvalue**2))
    assert line.slope * reverse.slope == pytest.approx(line.rvalue**2)
    shown = read("1 BTC hedged with ETH", name=name, chosen=0.6)
    month = 60_000 * np.sqrt(30) * np.std(held - 0.6 * shorted)
    assert shown["Variance removed"] == f"{100 * (1 - np.var(held - 0.6 * shorted) / np.var(held)):.1f} %"
    assert shown["Stays, one month"] == f"{month:,.0f} USDT"


def test_the_text_tells_the_numbers_of_the_market():
    held, shorted = returns("market above")
    best, beta = names()["best"], names()["beta"]
    low, high = best.interval()
    assert not told(
        f"ratio is {best.ratio:.3f}, with a standard error of {best.stderr:.3f}",
        f"({low:.3f} to {high:.3f})",
        f"{20 * low:.1f} and {20 * high:.1f} ETH, best guess {20 * best.ratio:.1f}",
        f"the right quantity is known to ±{20 * (high - best.ratio):.1f} ETH",
        f"the ratio itself is known to ±{20 * (high - best.ratio):.1f} ETH",
        f"The error of its β, {beta.stderr:.3f}, makes {beta.stderr * np.sqrt(6):.2f}",
    )
    after = [1 - np.var(held - h * shorted) / np.var(held) for h in (best.ratio, 1 / beta.ratio, 1)]
    month = 60_000 * np.sqrt(30) * np.std(held)
    stays = np.sqrt(1 - after[0])
    assert not told(
        "removes {:.0%} of the variance, 1/β {:.0%}, 1:1 {:.0%}".format(*after).replace("%", " %"),
        f"about {month:,.0f} USDT in a month",
        f"still by {month * stays:,.0f} USDT",
        f"falls by {100 * (1 - stays):.0f} %",
        f"{100 * stays**2:.0f} % of the variance and {100 * stays:.0f} % of the volatility",
    )


def test_the_text_tells_the_numbers_of_the_regimes_and_their_facts():
    best = names()["BEST"]
    assert not told(
        f"{best['crash'].ratio:.2f} is best; in",
        f"{best['bull_run'].ratio:.2f} is best and removes only {100 * best['bull_run'].r_squared:.0f} %",
    )
    facts = market.facts("cross_hedge").query("key == 'ratio'").set_index("period")["value"]
    periods = ["2020-02-13 to 2020-03-31", "2020-10-01 to 2021-04-14"]
    periods += ["2021-11-11 to 2022-11-21", "2024-03-14 to 2024-11-04"]
    assert not told(", ".join(f"{facts[period]:.2f}" for period in periods))
    for name, period in zip(("crash", "bull_run", "bear", "chop"), periods, strict=True):
        assert best[name].ratio == pytest.approx(facts[period], abs=0.05)
    whole = (
        market.facts("beta_by_year").query("period == '2019-09-10 to 2026-03-15'").set_index("key")["value"]
    )
    assert not told(f"$h^*$ = {facts.iloc[0]:.2f}, β = {whole['beta']:.2f}".replace("$", ""))
    assert best["market above"].ratio == pytest.approx(facts.iloc[0], abs=0.03)
    assert names()["beta"].ratio == pytest.approx(whole["beta"], abs=0.05)


@pytest.mark.parametrize(("source", "days"), [("market above", 20), ("four regimes in a row", 365)])
def test_the_window_explorer_hedges_each_day_with_the_days_before(source, days):
    held, shorted = names()["SOURCES"][source].to_numpy().T
    estimates = [linregress(shorted[t - days : t], held[t - days : t]).slope for t in range(days, len(held))]
    left = held[days:] - np.array(estimates) * shorted[days:]
    shown = read("The ratio from a moving window", source=source, days=days)
    assert shown["Removed out of sample"] == f"{100 * (1 - np.var(left) / np.var(held[days:])):.1f} %"


def test_the_text_tells_what_the_window_explorer_shows():
    title = "The ratio from a moving window"
    for days in (20, 365):
        shown = read(title, source="market above", days=days)
        removed = shown["Removed out of sample"], shown["Removed by one ratio, same days"]
        assert not told(shown["ETH short"] + " ETH" * (days == 365), "{} against {}".format(*removed))
    shown = read(title, source="four regimes in a row", days=20)
    assert not told(
        f"20 days remove {shown['Removed out of sample']} where one ratio removes "
        f"{shown['Removed by one ratio, same days']}"
    )
    lost = {}
    for source in ("market above", "four regimes in a row"):
        for days in (20, 90, 120, 180, 270, 365):
            shown = read(title, source=source, days=days)
            moving, one = (amount(shown[name]) for name in list(shown)[1:])
            lost[source, days] = round(one - moving, 1)
    assert lost["market above", 20] == 3.3
    assert [lost["market above", days] for days in (180, 270, 365)] == [0.5, 0.5, 0.5]
    assert [lost["four regimes in a row", days] for days in (365, 120, 90, 180)] == [0.4, 0.1, 0.9, 0.8]
    facts = market.facts("cross_hedge_out_of_sample").query("asset == 'BTC' and key == 'variance_removed'")
    first, second, third, fourth = (f"{100 * value:.1f}" for value in facts["value"])
    assert not told(f"{first}, {second}, {third} and {fourth} %")


def test_the_moving_estimates_gain_nothing_where_the_ratio_is_constant():
    held, shorted = returns("market above")
    shown = names()["fixed"]
    assert shown == pytest.approx(linregress(shorted[:730], held[:730]).slope)
    left = np.var(held[730:] - shown * shorted[730:]) / np.var(held[730:])
    last = next(
        thing for thing in lessons.run(PATH).shown if getattr(thing, "name", "") == "variance removed"
    )
    assert last.iloc[0] == round(1 - left, 2)
    assert not told(f"All three remove {100 * last.min():.0f} to {100 * last.max():.0f} %")


def test_longer_stretches_give_the_same_ratio_with_a_larger_error():
    held, shorted = np.log1p(returns("market above"))
    longer = names()["longer"]
    for days in (5, 30):
        count = (len(held) - 1) // days
        sums = [series[1 : 1 + count * days].reshape(-1, days).sum(axis=1) for series in (held, shorted)]
        assert longer[days].ratio == pytest.approx(linregress(*sums[::-1]).slope)
        assert longer[days].observations == count
    assert not told(
        f"from {longer[1].stderr:.3f} to {longer[30].stderr:.3f}",
        f"{longer[30].observations} stretches know less than {longer[1].observations:,} days",
    )


@pytest.mark.parametrize(
    ("values", "eth", "unhedged", "one_to_one"),
    [
        ({"btc_move": -10, "beta_then": 1.5}, "−15.0 %", "−6,000 USDT", "+3,000 USDT"),
        ({"btc_move": 10, "beta_then": 1.1, "surprise": 20}, "+31.0 %", "+6,000 USDT", "−12,600 USDT"),
        ({"btc_move": -40, "beta_then": 0.8, "surprise": -20}, "−52.0 %", "−24,000 USDT", "+7,200 USDT"),
        ({"btc_move": 0, "surprise": 10}, "+10.0 %", "0 USDT", "−6,000 USDT"),
    ],
)
def test_the_shock_explorer_by_hand(values, eth, unhedged, one_to_one):
    shown = read("One day: 60,000 USDT of BTC, hedged with ETH", **values)
    assert (shown["ETH moves"], shown["No hedge"], shown["1:1"]) == (eth, unhedged, one_to_one)


def test_the_text_tells_what_the_shock_explorer_shows():
    title = "One day: 60,000 USDT of BTC, hedged with ETH"
    best, inverse = names()["best"].ratio, 1 / names()["beta"].ratio

    def total(hedge_ratio, btc_move, eth_move):
        return f"{60_000 * (btc_move - hedge_ratio * eth_move):+,.0f}"

    start = read(title)
    assert start["Minimum variance"].replace("−", "-") == total(best, -0.10, -0.11) + " USDT"
    assert not told(
        f"1/β: {total(inverse, -0.10, -0.11)} USDT",
        f"Minimum variance leaves {total(best, -0.10, -0.11)}, a third",
        f"minimum variance loses {total(best, 0.10, 0.31)[1:]}, 1/β {total(inverse, 0.10, 0.31)[1:]}",
        f"minimum variance leaves {total(best, -0.10, -0.15)}, 1/β and 1:1 turn it into "
        f"{total(inverse, -0.10, -0.15)} and {total(1, -0.10, -0.15)}",
    )


def test_the_years_agree_with_the_facts():
    removed = names()["removed"]
    facts = (
        market.facts("cross_hedge").query("key == 'variance_removed_one_to_one'").set_index("period")["value"]
    )
    assert removed["1:1"].to_numpy() == pytest.approx(facts[removed.index].to_numpy(), abs=5e-4)
    lost = 100 * (removed["best of that year"] - removed["best of the year before"])
    assert not told(
        f"at most {lost.iloc[:-1].max():.1f} points",
        f"five times as much ({100 * removed['best of the year before'].iloc[-1]:.1f} % instead of "
        f"{100 * removed['best of that year'].iloc[-1]:.1f} %)",
        f"{-100 * removed['1:1'].iloc[-1]:.0f} % more variance",
    )
    assert round(lost.iloc[-1] / lost.iloc[:-1].max()) == 5


def test_the_altcoin_and_its_basket():
    btc, eth = returns("market above")
    coin = names()["coin"]
    table = np.column_stack([np.ones_like(btc), btc, eth])
    solution, (squares,), *_ = np.linalg.lstsq(table, coin)
    both = names()["both"]
    assert both.ratio == pytest.approx(solution[1:])
    assert both.r_squared == pytest.approx(1 - squares / ((coin - coin.mean()) ** 2).sum())
    assert np.all(np.abs(both.ratio - [0.30, 0.76]) < 2 * both.stderr)
    assert not told(
        f"{both.ratio[0]:.2f} and {both.ratio[1]:.2f} within their errors",
        f"{100 * both.r_squared:.0f} % instead of {100 * names()['alone'].r_squared:.0f} %",
    )
    # -10,000 · 61.8 % + 12,600 · 25.2 %
    assert names()["coin_pnl"] + names()["hedge_pnl"] == pytest.approx(-3_004.8)


def test_the_claims_agree_with_the_facts():
    altcoins = market.facts("altcoin_beta").query("asset == 'SOL' and period == '2020-10-01 to 2026-01-01'")
    sol = altcoins.set_index("key")["value"]
    assert not told(
        f"R² of SOL on BTC was {sol['r_squared']:.2f}", f"volatility {100 * sol['volatility']:.0f} %"
    )
    years = market.facts("beta_by_year").query("key == 'beta'").set_index("period")["value"]
    assert not told(f"measured {years.iloc[0]:.2f}, and {years['2025']:.2f} in 2025")
