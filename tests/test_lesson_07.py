"""The numbers of lesson 07, computed again without the library's ratios."""

import functools
import tomllib
from importlib import resources

import lessons
import numpy as np
import pytest
from scipy.stats import linregress
from test_planner_cross import by_hand

PATH = lessons.FOLDER / "07_cross_asset_beta.ipynb"


@functools.cache
def names():
    return lessons.run(PATH).namespace


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
    day = 60_000 * np.std(held - 0.6 * shorted)
    assert shown["Variance removed"] == f"{100 * (1 - np.var(held - 0.6 * shorted) / np.var(held)):.1f} %"
    assert shown["Stays, one day"] == f"{day:,.0f} USDT"


@functools.cache
def windows(source, days):
    """Lowest and highest ratio of the windows; what they and one ratio remove on the days after, in %."""
    held, shorted = names()["SOURCES"][source].to_numpy().T
    pasts = [np.lib.stride_tricks.sliding_window_view(series, days) for series in (held, shorted)]
    apart = [past - past.mean(axis=1, keepdims=True) for past in pasts]
    moving = (apart[0] * apart[1]).sum(axis=1) / (apart[1] ** 2).sum(axis=1)
    held_next, shorted_next = held[days:], shorted[days:]
    removed = [
        100 * (1 - np.var(held_next - used * shorted_next) / np.var(held_next))
        for used in (moving[:-1], linregress(shorted, held).slope)
    ]
    return moving.min(), moving.max(), *np.round(removed, 1)


@pytest.mark.parametrize(("source", "days"), [("market above", 20), ("four regimes in a row", 365)])
def test_the_window_explorer_hedges_each_day_with_the_days_before(source, days):
    low, high, moving, one = windows(source, days)
    assert read("The ratio from a moving window", source=source, days=days) == {
        "ETH short": f"from {20 * low:.1f} to {20 * high:.1f}".replace("-", "−"),
        "Removed out of sample": f"{moving:.1f} %",
        "Removed by one ratio, same days": f"{one:.1f} %",
    }


def test_the_moving_estimates_gain_nothing_where_the_ratio_is_constant():
    held, shorted = returns("market above")
    shown = names()["fixed"]
    assert shown == pytest.approx(linregress(shorted[:730], held[:730]).slope)
    left = np.var(held[730:] - shown * shorted[730:]) / np.var(held[730:])
    last = next(
        thing for thing in lessons.run(PATH).shown if getattr(thing, "name", "") == "variance removed"
    )
    assert last.iloc[0] == round(1 - left, 2)


def test_longer_stretches_give_the_same_ratio_with_a_larger_error():
    held, shorted = np.log1p(returns("market above"))
    longer = names()["longer"]
    for days in (5, 30):
        count = (len(held) - 1) // days
        sums = [series[1 : 1 + count * days].reshape(-1, days).sum(axis=1) for series in (held, shorted)]
        assert longer[days].ratio == pytest.approx(linregress(*sums[::-1]).slope)
        assert longer[days].observations == count


@functools.cache
def held_for(days):
    """What is left of 60,000 USDT, and the % of variance removed, over each stretch of so many days."""
    held, shorted = returns("market above")
    levels = [np.concatenate([[1], np.cumprod(1 + series)]) for series in (held, shorted)]
    moves = [level[days:] / level[:-days] - 1 for level in levels]
    stays = moves[0] - linregress(shorted, held).slope * moves[1]
    return 60_000 * np.std(stays), 100 * (1 - np.var(stays) / np.var(moves[0]))


@pytest.mark.parametrize("days", [1, 7, 30, 60])
def test_what_stretches_of_days_leave(days):
    row = names()["held_for"][days]
    assert (row["left"], row["removed"]) == pytest.approx(held_for(days))
    assert row["√days"] == pytest.approx(np.sqrt(days) * held_for(1)[0])
    name = "1 day" if days == 1 else f"{days} days"
    real = facts("cross_hedge_by_horizon", "BTC")
    assert row["real √days"] == pytest.approx(60_000 * np.sqrt(days) * real["1 day"]["left"])
    assert row["real left"] == pytest.approx(60_000 * real[name]["left"])
    assert row["real removed"] == pytest.approx(100 * real[name]["variance_removed_daily_ratio"])
    assert row["real 1:1"] == pytest.approx(100 * real[name]["variance_removed_one_to_one"])


def test_the_root_of_time_flatters():
    # "not the 68 % of its days", and less of a real month stays by the root than in the stretches themselves
    for topic in ("cross_hedge_by_horizon", "cross_hedge_by_horizon_last_365_days"):
        day, month = (facts(topic, "BTC")[period] for period in ("1 day", "30 days"))
        assert month["left"] > np.sqrt(30) * day["left"]
        assert month["variance_removed_daily_ratio"] < day["variance_removed_daily_ratio"]
        # What stays is what the ratio did not remove, to the digits stored.
        left = month["unhedged"] * np.sqrt(1 - month["variance_removed_daily_ratio"])
        assert month["left"] == pytest.approx(left, abs=2e-4)
    assert held_for(30)[0] > np.sqrt(30) * held_for(1)[0]


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


def test_the_altcoin_and_its_basket():
    btc, eth = returns("market above")
    coin = names()["coin"]
    table = np.column_stack([np.ones_like(btc), btc, eth])
    solution, (squares,), *_ = np.linalg.lstsq(table, coin)
    both = names()["both"]
    assert both.ratio == pytest.approx(solution[1:])
    assert both.r_squared == pytest.approx(1 - squares / ((coin - coin.mean()) ** 2).sum())
    sol = era("basket", "SOL")
    assert np.all(np.abs(both.ratio - [sol["ratio_btc"], sol["ratio_eth"]]) < 2 * both.stderr)
    # -10,000 · 61.8 % + 12,600 · 25.2 %
    assert names()["coin_pnl"] + names()["hedge_pnl"] == pytest.approx(-3_004.8)


@functools.cache
def facts(topic, asset):
    """Facts as they are stored: by period and column; the first period is the whole era."""
    book = tomllib.loads((resources.files("hedgelib") / "facts.toml").read_text("utf-8"))
    tables = [table for table in book["table"] if table["topic"] == topic]
    return {
        row[1]: {"since": row[2]} | dict(zip(table["columns"], row[4:], strict=True))
        for table in tables
        for row in table["rows"]
        if row[0] == asset
    }


def era(topic, asset):
    return next(iter(facts(topic, asset).values()))


def test_the_simulated_markets_are_like_the_measured_ones():
    best = names()["BEST"]
    assert best["market above"].ratio == pytest.approx(era("cross_hedge", "BTC")["ratio"], abs=0.03)
    assert names()["beta"].ratio == pytest.approx(era("beta_by_year", "ETH")["beta"], abs=0.05)
    measured = {row["since"]: row["ratio"] for row in list(facts("cross_hedge", "BTC").values())[1:]}
    since = {"crash": "2020-02-13", "bull_run": "2020-10-01", "bear": "2021-11-11", "chop": "2024-03-14"}
    for name, day in since.items():
        assert best[name].ratio == pytest.approx(measured[day], abs=0.05)


@functools.cache
def years():
    """Real variance removed, in %, by year: with the best ratio of that year, of the year before, 1:1."""
    rows = facts("cross_hedge", "BTC")
    table = {}
    for year in range(2020, 2026):
        now, before = rows[str(year)], rows[str(year - 1)]
        used = now["ratio"], before["ratio"], 1
        table[str(year)] = [100 * now["variance_removed"] * (1 - (h / now["ratio"] - 1) ** 2) for h in used]
    return table


def test_the_years_agree_with_the_facts():
    removed = names()["removed"]
    assert list(removed.index) == list(years())
    assert 100 * removed.to_numpy() == pytest.approx(np.array(list(years().values())))
    for year, (_, _, one_to_one) in years().items():
        fact = facts("cross_hedge", "BTC")[year]["variance_removed_one_to_one"]
        assert one_to_one == pytest.approx(100 * fact, abs=0.05)


def explored(draw, readout, **controls):
    """The expression of a number that an explorer shows."""
    values = "".join(f", {name}={value!r}" for name, value in controls.items())
    return f"number_in(at({draw}{values})[{readout!r}])"


def expected_of_the_market():
    held, shorted = returns("market above")
    line, reverse = linregress(shorted, held), linregress(held, shorted)
    day = 60_000 * np.std(held)
    left = np.sqrt(1 - line.rvalue**2)
    removed = [100 * (1 - np.var(held - h * shorted) / np.var(held)) for h in (1 / reverse.slope, 1)]
    return {
        "best.ratio": line.slope,
        "20 * best.ratio": 20 * line.slope,
        "100 * removed['h*']": 100 * line.rvalue**2,
        "100 * removed['1 / β']": removed[0],
        "100 * removed['1:1']": removed[1],
        "100 * best.effectiveness": 100 * line.rvalue**2,
        "day": day,
        "day_hedged": day * left,
        "100 * (1 - day_hedged / day)": 100 * (1 - left),
        "100 * day_hedged / day": 100 * left,
    }


def expected_of_the_ratio_explorer():
    expected = {}
    for name, chosen in (("crash", 0.6), ("bull_run", 0.6), ("bull_run", 1.0)):
        held, shorted = returns(name)
        removed = 100 * (1 - np.var(held - chosen * shorted) / np.var(held))
        expected[explored("fit", "Variance removed", name=name, chosen=chosen)] = removed
    held, shorted = returns("market above")
    for chosen in (0.0, 0.65):
        stays = 60_000 * np.std(held - chosen * shorted)
        expected[explored("fit", "Stays, one day", chosen=chosen)] = stays
    return expected


def expected_of_the_window_explorer():
    expected = {}
    readouts = "Removed out of sample", "Removed by one ratio, same days"
    for days in (20, 365):
        low, high, *removed = windows("market above", days)
        expected[f"number_in(at(window, days={days})['ETH short'], 0)"] = 20 * low
        expected[f"number_in(at(window, days={days})['ETH short'], 1)"] = 20 * high
        expected |= {
            explored("window", readout, days=days): value
            for readout, value in zip(readouts, removed, strict=True)
        }
    for days in (365, 90):
        source = "four regimes in a row"
        *_, moving, one = windows(source, days)
        both = [explored("window", readout, days=days, source=source) for readout in readouts]
        expected[f"{both[1]} - {both[0]}"] = one - moving
    return expected


def expected_of_the_shock_explorer():
    held, shorted = returns("market above")
    ratios = {
        "No hedge": 0,
        "Minimum variance": linregress(shorted, held).slope,
        "1 / β": 1 / linregress(held, shorted).slope,
        "1:1": 1,
    }
    expected = {}
    for name, h in ratios.items():
        expected[explored("shock", name, beta_then=1.5)] = 60_000 * (-0.10 + h * 0.15)
        shown = explored("shock", name, btc_move=10, surprise=20)
        if name == "No hedge":
            expected[shown] = 6_000
        else:
            expected[f"- {shown}"] = -60_000 * (0.10 - h * 0.31)
        if name != "1:1":
            expected[explored("shock", name)] = 60_000 * (-0.10 + h * 0.11)
    return expected


def expected_of_the_real_market():
    until_2024 = [best - before for year, (best, before, _) in years().items() if year < "2025"]
    expected = {
        "100 * (removed['best of that year'] - removed['best of the year before'])[:'2024'].max()": max(
            until_2024
        ),
        "100 * removed['best of that year']['2025']": years()["2025"][0],
        "100 * removed['best of the year before']['2025']": years()["2025"][1],
        "-100 * removed['1:1']['2025']": -years()["2025"][2],
        "h['2025']": facts("cross_hedge", "BTC")["2025"]["ratio"],
    }
    for topic, asset, column in (
        ("cross_hedge", "BTC", "ratio"),
        ("beta_by_year", "ETH", "beta"),
        ("beta_by_year", "ETH", "correlation"),
    ):
        query = f"market.facts('{topic}', '{asset}').query(\"key == '{column}'\")['value'].iloc[0]"
        expected[query] = era(topic, asset)[column]
    for year in ("2023", "2025"):
        query = "market.facts('beta_by_year', 'ETH').query(\"key == 'beta'\").set_index('period')['value']"
        expected[f"{query}['{year}']"] = facts("beta_by_year", "ETH")[year]["beta"]
    return expected


def expected_of_a_month():
    """What the text says of stretches of days, from the facts and from the simulated prices."""
    expected = {'held_for[30]["left"]': held_for(30)[0]}
    expected |= {f'held_for[{days}]["removed"]': held_for(days)[1] for days in (30, 60)}
    told = "market.facts('{}', '{}').query(\"key == '{}' and period == '{}'\")['value'].item()".format
    years, last = "cross_hedge_by_horizon", "cross_hedge_by_horizon_last_365_days"
    for topic, asset, holding in ((years, "BTC", 60_000), (last, "BTC", 60_000), (years, "SOL", 10_000)):
        left = facts(topic, asset)["30 days"]["left"]
        expected[f"{holding:_} * {told(topic, asset, 'left', '30 days')}"] = holding * left
    for topic, period in ((years, "1 day"), (years, "30 days"), (last, "1 day"), (last, "30 days")):
        row = facts(topic, "BTC")[period]
        name = "variance_removed_daily_ratio"
        expected[f"100 * {told(topic, 'BTC', name, period)}"] = 100 * row[name]
    month = facts(years, "BTC")["30 days"]
    left, unhedged = (told(years, "BTC", name, "30 days") for name in ("left", "unhedged"))
    share = 100 * month["left"] / month["unhedged"]
    expected |= {f"100 * {left} / {unhedged}": share, f"100 * (1 - {left} / {unhedged})": 100 - share}
    wilder = facts(last, "BTC")["30 days"]["variance_removed_one_to_one"]
    expected[f"-100 * {told(last, 'BTC', 'variance_removed_one_to_one', '30 days')}"] = -100 * wilder
    return expected


def expected_of_falls_and_rises():
    held, shorted = returns("market above")
    expected = {}
    hedge = era("cross_hedge", "BTC")["ratio"]
    used = "market.facts('cross_hedge', 'BTC').query(\"key == 'ratio' and period == 'era'\")['value'].item()"
    for sign, side, days in (("<", "down", held < 0), (">", "up", held > 0)):
        here = linregress(held[days], shorted[days]).slope
        expected[f"ratio.beta(eth[btc {sign} 0], btc[btc {sign} 0]).ratio"] = here
        key = f"key == 'beta_{side}' and period == 'era'"
        told = f"market.facts('beta_by_year', 'ETH').query(\"{key}\")['value'].item()"
        measured = era("beta_by_year", "ETH")[f"beta_{side}"]
        expected[told] = measured
        # Of 6,000 USDT that BTC moved, ETH moved beta times as much per USDT, and the ratio of it is short.
        expected[f"6_000 * (1 - {used} * {told})"] = 6_000 - 6_000 * measured * hedge
    return expected


def expected_of_the_order():
    """The order at 2x, what it leaves and what its band does, from the returns of the market above."""
    held, shorted = returns("market above")
    slope, follows = linregress(shorted, held).slope, linregress(held, shorted).slope
    quantity = np.floor(1_000 * slope * 20 + 1e-9) / 1_000
    left, unhedged = {}, {}
    for days in (1, 30):
        moves = [np.cumprod(np.r_[1, 1 + each]) for each in (held, shorted)]
        moves = [level[days:] / level[:-days] - 1 for level in moves]
        unhedged[days] = np.std(60_000 * moves[0])
        left[days] = np.std(60_000 * moves[0] - 3_000 * quantity * moves[1])
    expected = {
        "quantity": quantity,
        "margin": 1_500 * quantity,
        "liquidation": 4_500 / 1.004,
        "100 * (liquidation / 3_000 - 1)": 150 / 1.004 - 100,
        'planner.stays(plan)["left"][1]': left[1],
        'planner.stays(plan)["left"][30]': left[30],
        'planner.stays(plan)["unhedged"][1]': unhedged[1],
        'planner.stays(plan)["unhedged"][30]': unhedged[30],
        '-planner.at_both(plan, 48_000, 3_000 * (1 - 0.2 * plan.follows))["total_pnl"][0]': 12_000
        - quantity * 600 * follows,
    }
    levels = [np.cumprod(np.r_[1, 1 + each]) for each in (held, shorted)]
    starts = range(0, len(levels[0]) - 30, (len(levels[0]) - 30) // 500)
    for band in (0.0, 0.05):
        ends = [
            by_hand(names()["plan"], *(level[first : first + 31] for level in levels), band)
            for first in starts
        ]
        results, fees, trades = np.array(ends).T
        expected[f'bands["left"][{band}]'] = np.std(results)
    return expected | {'bands["trades"][0.05]': trades.mean(), '-bands["fees"][0.05]': fees.mean()}


def expected_of_the_third_exercise():
    # 113 % a year, 30 of 365 days; 34 % of the variance goes.
    unhedged = 11_300 * np.sqrt(30 / 365)
    return {
        "10_000 * 1.13 * (30 / 365) ** 0.5": unhedged,
        "10_000 * 1.13 * (30 / 365) ** 0.5 * (1 - 0.34) ** 0.5": unhedged * np.sqrt(0.66),
    }


def expected_of_the_second_exercise():
    # 0.67 · (1 − (h / 0.45 − 1)²) is a half where h is 0.45 · (1 ± √(1 − 0.5 / 0.67)).
    ratios = np.arange(0.01, 1, 0.01)
    half = ratios[0.67 * (1 - (ratios / 0.45 - 1) ** 2) >= 0.5]
    bounds = {"ceil": ("-", half.min()), "floor": ("+", half.max())}
    return {
        f"np.{name}(100 * 0.45 * (1 {sign} (1 - 0.5 / 0.67) ** 0.5)) / 100": value
        for name, (sign, value) in bounds.items()
    }


@pytest.mark.parametrize(
    "expected",
    [
        expected_of_the_market,
        expected_of_the_ratio_explorer,
        expected_of_the_window_explorer,
        expected_of_the_shock_explorer,
        expected_of_the_real_market,
        expected_of_a_month,
        expected_of_falls_and_rises,
        expected_of_the_order,
        expected_of_the_second_exercise,
        expected_of_the_third_exercise,
    ],
)
def test_what_the_lesson_says_is_computed_here_again(expected):
    told = {expression: lessons.states(PATH, expression, value) for expression, value in expected().items()}
    assert [expression for expression, right in told.items() if not right] == []


def test_the_words_fit_the_numbers():
    held, shorted = returns("market above")
    line, reverse = linregress(shorted, held), linregress(held, shorted)
    assert line.rvalue**2 == pytest.approx(2 / 3, abs=0.01)  # "two thirds"
    assert 1 - line.slope * 1.1 == pytest.approx(1 / 3, abs=0.025)  # "a third"
    assert 1 / reverse.slope / line.slope - 1 == pytest.approx(0.5, abs=0.025)  # "half as much again"
    for days in (20, 180, 270, 365):
        *_, moving, one = windows("market above", days)
        assert (one - moving < 1) == (days > 20)  # "the long ones"
    lost = [best - before for best, before, _ in years().values()]
    assert round(lost[-1] / max(lost[:-1])) == 5  # "five times as much"
    helped = [min(removed) > 0 for removed in years().values()]
    assert helped == [True] * 5 + [False]  # "five years in which every hedge helped, and then one bar"
    assert min(list(years())[:-1], key=lambda year: years()[year][2]) == "2021"  # "the low bar of 2021"
