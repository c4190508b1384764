"""The numbers that lesson 05 tells, each found again in another way."""

import dataclasses
import itertools

import lessons
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hedgelib import contracts, hedge, ledger, market, perpetual

PATH = lessons.FOLDER / "05_liquidation.ipynb"
E = 60_000
BTC = contracts.get("BTCUSDT")
RATE = BTC.brackets.rates[0]


@pytest.fixture(scope="module")
def lesson():
    return lessons.run(PATH).namespace


def states(expression, value):
    """Whether the lesson says `value` wherever it follows `expression`."""
    return lessons.states(PATH, expression, value)


def fact(topic, asset, period, key):
    rows = market.facts()
    return rows.set_index(["topic", "asset", "period", "key"])["value"][topic, asset, period, key]


def account(frame, leverage, reserve=0):
    """A short of one coin, bar by bar: row at which it dies, liquidation prices, funding, what was posted.

    The reserve is posted up to 33 % of the notional when the balance is below 20 % of it.
    """
    mark, entry = frame["mark"].to_numpy(), frame["mark"].iloc[0]
    balance, received, posted = entry / leverage, 0.0, {}
    prices = [(balance + entry) / (1 + RATE)]
    for row in range(1, len(mark)):
        if frame["mark_high"].iloc[row] >= prices[-1]:
            return row, [*prices, prices[-1]], received, posted
        payment = mark[row] * frame["funding"].iloc[row]
        balance, received = balance + payment, received + payment
        left = balance + entry - mark[row]
        if left < 0.20 * mark[row] and sum(posted.values()) < reserve:
            posted[row] = min(0.33 * mark[row] - left, reserve - sum(posted.values()))
            balance += posted[row]
        prices.append((balance + entry) / (1 + RATE))
    return None, prices, received, posted


def touched_share(histories, rise, bars):
    """Share of the paths whose mark high reaches entry · (1 + rise) in the first bars."""
    highest = histories.mark_high[:, 1 : bars + 1].max(axis=1)
    return np.mean(highest >= histories.mark[:, 0] * (1 + rise))


def touched_anywhere(history, rise, bars):
    """Share of the bars of a history after which a high reaches mark · (1 + rise) within so many bars."""
    mark, high = history["mark"].to_numpy(), history["mark_high"].to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(high[1:], bars)
    return np.mean(windows.max(axis=1) >= mark[: len(windows)] * (1 + rise))


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
    price = 80_000 / (1 + RATE)
    assert lesson["liquidation"] == pytest.approx(price)
    assert 80_000 - price == pytest.approx(RATE * price)
    assert states("liquidation", price)
    assert states("100 * distance", 100 * (price / E - 1))
    assert states("rate * liquidation", 80_000 - price)
    assert states("btc.liquidation_fee * liquidation", BTC.liquidation_fee * price)
    assert states("rate", RATE) and states("100 * rate", 100 * RATE)
    for place, leverage in ((0, 1), (1, 2), (4, 10)):
        rise = (1 + 1 / leverage) / (1 + RATE) - 1
        assert states(f"100 * (deaths[{place}] / entry - 1)", 100 * rise)


def test_margin_ratio_sleeps_and_jumps(lesson):
    # 288/8,000, 312/2,000, 318.4/400
    assert lesson["rising"]["margin ratio"].round(3).tolist() == [0.012, 0.019, 0.036, 0.156, 0.796]
    for row, price in enumerate((60_000, 66_000, 72_000, 78_000, 79_600)):
        assert lesson["rising"]["balance"].iloc[row] == 80_000 - price
        if price in (72_000, 78_000, 79_600):
            ratio = 100 * RATE * price / (80_000 - price)
            assert states(f'100 * rising["margin ratio"].iloc[{row}]', ratio)
    for row, price in ((0, 60_000), (4, 79_600)):
        assert states(f'rising["balance"].iloc[{row}]', 80_000 - price)


def test_brackets(lesson):
    # 45 BTC: (900,000 + 1,500 + 2,700,000) / 45.2925 and (900,000 + 12,000 + 2,700,000) / 45.45
    assert lesson["with_entry_line"] == pytest.approx(79_516.48, abs=0.005)
    assert lesson["with_own_line"] == pytest.approx(79_471.95, abs=0.005)
    # 100 BTC: (2,000,000 + 12,000 + 6,000,000) / 101
    assert lesson["found"][2] == pytest.approx(8_012_000 / 101)
    assert states("with_entry_line - with_own_line", 79_516.48 - 79_471.95)
    for place, price in enumerate((80_000 / 1.004, 3_612_000 / 45.45, 8_012_000 / 101)):
        assert states(f"100 * (found[{place}] / entry - 1)", 100 * (price / E - 1))
    # Where one line ends the next begins.
    assert states("brackets.rates[0] * brackets.floors[1]", 0.004 * 300_000)
    assert states("brackets.rates[1] * brackets.floors[1] - brackets.amounts[1]", 0.005 * 300_000 - 300)


def test_other_exchanges():
    # 80,000/1.004 less what others take off: a taker fee, 240 USDT, 1/80 in place of 0.004
    others = {
        "(entry + margin) / (1 + rate + btc.taker_fee) - liquidation": 80_000 / (1.004 + BTC.taker_fee),
        "entry + margin - rate * entry - liquidation": 79_760,
        "(entry + margin) / (1 + 1 / 80) - liquidation": 80_000 / 1.0125,
    }
    for expression, price in others.items():
        assert states(expression, price - 80_000 / 1.004)
        assert abs(price / (80_000 / 1.004) - 1) < 0.01


def test_modes(lesson):
    # Coin margin B against N/E = 1 coin: 60,000 · 0.996 / (1 − B)
    # Coin as collateral: (60,000 + 1,500) / (1.0065 − 0.95), in the third bracket
    expected = [65_737.05, 89_641.43, 59_760 / 0.5, np.inf, 61_500 / 0.0565]
    assert [way.liquidation_price(E) for way in lesson["modes"].values()] == pytest.approx(
        expected, abs=0.005
    )
    after_a_month = perpetual.inverse_liquidation_price(600, 100, E, 0.991, contracts.get("BTCUSD").brackets)
    assert after_a_month == pytest.approx(59_760 / 0.009) == 6_640_000
    assert states("cross.liquidation_price(entry)", 90_000 / 1.004)
    assert states("coin_2x.liquidation_price(entry)", 59_760 / 0.5)
    assert states("collateral.liquidation_price(entry)", 61_500 / 0.0565)
    assert states("-perpetual.inverse_pnl(600, 100, 60_000, 70_000)", 1 / 7)
    assert states("-perpetual.inverse_pnl(600, 100, 70_000, 80_000)", 3 / 28)
    losses = perpetual.inverse_pnl(600, 100, [60_000, 70_000], [70_000, 80_000])
    assert losses == pytest.approx([-1 / 7, -3 / 28])


def test_same_wealth_different_fate(lesson):
    assert lesson["both"].sum(axis=1).tolist() == pytest.approx([80_000, 80_000])
    assert lesson["both"].loc["Alice", "futures account"] < 0.004 * lesson["price"] == pytest.approx(318.8)


def test_the_explorer_of_what_backs_the_short():
    title = "What backs a short of 1 BTC opened at 60,000 USDT"

    def shown(label, **values):
        return lessons.amount(lessons.readouts(lessons.titled(PATH, title), **values)[label])

    assert shown("Margin ratio", price=75_000) == pytest.approx(100 * 300 / 5_000, abs=0.05)
    for leverage in (2, 3, 5, 10):
        price = shown("Liquidation price", mode="cross", leverage=leverage)
        assert price == pytest.approx(90_000 / 1.004, abs=0.5)
    for extra in (0, 10_000, 20_000):  # half a coin and this much of one, against 0.996 of a coin
        price = shown("Liquidation price", mode="coin-margined", leverage=2, extra=extra)
        assert price == pytest.approx(59_760 / (0.5 - extra / E), abs=0.5)


def test_the_run_up_kills_3x_and_spares_2x(lesson):
    run_up, walked = lesson["market_frame"], lesson["walked"]
    assert "simulated" in run_up.attrs["label"]
    rise = run_up["mark_high"].max() / run_up["mark"].iloc[0] - 1
    assert 0.34 < rise < 0.48
    opening = run_up["mark"].iloc[0]
    death, prices, received, _ = account(run_up, 3)
    assert (run_up.index[death] - run_up.index[0]).days == 21
    assert states('(walked["3x"].index[died][0] - market_frame.index[0]).days', 21)
    assert states('walked["3x"].loc[died, "liquidation_price"].iloc[0]', prices[death])
    assert states('walked["3x"].loc[died, "funding"].iloc[0]', received)
    assert states('walked["3x"]["liquidation_price"].iloc[0]', opening * 4 / 3 / (1 + RATE))
    assert states("market_frame['mark_high'].max()", run_up["mark_high"].max())
    before = (walked["3x"]["maintenance"] / walked["3x"]["margin"]).iloc[death - 1]
    balance = (1 + RATE) * prices[death - 1] - run_up["mark"].iloc[death - 1]
    assert before == pytest.approx(RATE * run_up["mark"].iloc[death - 1] / balance)
    assert account(run_up, 2)[0] is None


def test_the_year_of_2025_kills_3x_and_2x_and_spares_1x(lesson):
    def day(text):
        return (pd.Timestamp(text) - pd.Timestamp("2025-04-08")).days

    quoted = {0: 79_140, 35: 105_819, 59: 100_372, 97: 119_488, 182: 126_200, 449: 58_625}
    line = np.interp(np.arange(3 * 449 + 1) / 3, list(quoted), list(quoted.values()))
    year, bill = lesson["year"], lesson["bill"]
    assert year["mark"].to_numpy() == pytest.approx(line)
    fee = BTC.taker_fee * 79_140
    for leverage, died in ((3, "2025-05-12"), (2, "2025-07-13")):
        row, _, received, _ = account(year, leverage)
        assert row // 3 == day(died) and lesson["last_day"](lesson["lived"][f"{leverage}x"]) == died
        total = 58_625 - 79_140 - 79_140 / leverage - fee  # the funding was margin, and went with it
        assert states(f"bill.loc['{leverage}x'].sum()", total)
        assert received > 0
    row, _, received, _ = account(year, 1)
    assert row is None
    assert states("bill.loc['1x', 'funding']", received)
    assert states("bill.loc['1x'].sum()", received - fee)
    assert bill.loc["coin as collateral"].sum() == pytest.approx(bill.loc["1x"].sum())
    assert states("-bill.loc['1x', 'spot_pnl']", 79_140 - 58_625)


def test_what_the_coin_as_collateral_cures_and_costs(lesson):
    # 60,000 / (1 − ratio + rate), with the amount of the bracket at that price: 1,500, 300 and 0
    prices = [61_500 / 0.0565, 60_300 / 0.105, 60_000 / 0.204]
    said = [
        "collateral.distance_to_liquidation(entry)",
        "(perpetual.collateral_liquidation_price(1, entry, 1, 0.90, brackets) / entry - 1)",
        "(perpetual.collateral_liquidation_price(1, entry, 1, 0.80, brackets) / entry - 1)",
    ]
    for expression, price in zip(said, prices, strict=True):
        assert states(f"100 * {expression}", 100 * (price / E - 1))
    assert states("btc.forced_sale_below", -5_000) and states("100 * btc.collateral_ratio", 95)
    year, closed = lesson["year"]["mark"].to_numpy(), lesson["closed"]
    bar = np.argmax(year >= 1.4 * 79_140)
    loss, fees = 0.4 * 79_140, BTC.taker_fee * 2.4 * 79_140
    owed = loss + fees - 0.32e-4 * year[1:bar].sum()
    assert owed > 5_000
    left = 1 - owed / 0.999 / year[bar]
    assert states("-closed['short_pnl'].iloc[-1]", loss)
    assert states("(closed['wealth'] / year['spot']).iloc[-1]", left)
    assert states("1 - (closed['wealth'] / year['spot']).iloc[-1]", 1 - left)
    assert states("closed[causes].iloc[-1].sum()", left * 58_625 - 79_140)
    assert closed["event"].str.contains("sold at").sum() == 1
    hers = perpetual.collateral_liquidation_price(1, E, 1, 0.85, BTC.brackets)
    assert hers == pytest.approx(60_300 / 0.155) and 300_000 < hers < 800_000


def test_the_player_shows_what_the_tasks_say(lesson):
    title = "A full hedge of 1 BTC, day by day"
    for name, leverage in (
        ("market above", 3),
        ("market above", 2),
        ("rise, then crash", 3),
        ("rise, then crash", 2),
    ):
        frame = lesson["markets"][name]
        died, prices, received, _ = account(frame, leverage)
        opening = frame["mark"].iloc[0]
        short = opening - frame["mark"].iloc[-1] + received if died is None else -opening / leverage
        change = frame["spot"].iloc[-1] - frame["spot"].iloc[0] + short - BTC.taker_fee * opening
        shown = lessons.readouts(lessons.titled(PATH, title), name=name, leverage=leverage, day=60)
        told = lessons.amount(shown["Change of wealth"].removesuffix(" of the coin's value"))
        assert told == pytest.approx(100 * change / frame["spot"].iloc[0], abs=0.05)
        if died is not None:
            assert shown["Margin ratio"] == f"none, liquidated on day {died // 3}"
        if (name, leverage) == ("rise, then crash", 3):
            expression = next(each for each in lessons.said(PATH) if each.startswith("100 * max(ledger.run("))
            assert states(expression, 100 * (prices[died] / opening - 1))


def test_facts():
    for coin in ("BTC", "ETH"):
        for leverage, days in itertools.product((1, 2, 3), (30, 60, 90)):
            for table, topic in (("facts", "touched"), ("recent", "touched_last_365_days")):
                expression = f"100 * {table}.loc['{leverage}x', ('{coin}', '{days} days')]"
                if expression in lessons.said(PATH):
                    assert states(expression, 100 * fact(topic, coin, f"{days} days", f"{leverage}x"))
    for expression, texts in lessons.said(PATH).items():
        if expression.endswith('else "none"'):
            assert set(texts) == {"none"}
    assert fact("touched_last_365_days", "BTC", "90 days", "2x") == 0
    for key in ("3x_low", "3x_high"):
        expression = f"100 * facts.loc['{key}', ('BTC', '60 days')]"
        assert states(expression, 100 * fact("touched", "BTC", "60 days", key))
    for year in (2020, 2025):
        expression = f"100 * by_year.query(\"asset == 'BTC' and period == '{year}'\")['value'].iloc[0]"
        assert states(expression, 100 * fact("touched_by_year", "BTC", str(year), "3x"))
    last_and_mark = [
        texts
        for expression, texts in lessons.said(PATH).items()
        if "3x_last" in expression or "3x_mark" in expression
    ]
    wanted = [100 * fact("touched_last_and_mark", "BTC", "60 days", key) for key in ("3x_last", "3x_mark")]
    assert [float(text) for (text,) in last_and_mark] == pytest.approx(wanted, abs=0.051)


def test_the_era_and_its_volatility_and_drift(lesson):
    rows = market.facts("volatility_by_year", "BTC").query("since == '2019-09-10'").set_index("key")
    days = len(pd.date_range(rows["since"].iloc[0], rows["as_of"].iloc[0]))
    assert lesson["era_days"] == days and states("era_days - 60", days - 60)
    assert lesson["sigma"]["BTC"] == round(rows["value"]["volatility"], 2)
    assert states("100 * drift", 100 * np.log1p(rows["value"]["return"]) / (days / 365))


def test_closed_form(lesson):
    z = np.log(4 / 3 / (1 + RATE)) / (lesson["sigma"]["BTC"] * np.sqrt(60 / 365))
    assert states("z", z)
    assert states("50 * by_formula", 100 * stats.norm.sf(z))
    assert states("100 * by_formula", 200 * stats.norm.sf(z))
    recent = fact("volatility_by_year", "BTC", "last 365 days", "volatility")
    calm = np.log(4 / 3 / (1 + RATE)) / (recent * np.sqrt(60 / 365))
    for expression, texts in lessons.said(PATH).items():
        if "period == 'last 365 days' and key == 'volatility'" in expression:
            wanted = 200 * stats.norm.sf(calm) if "touch_probability" in expression else 100 * recent
            assert [float(text) for text in texts] == pytest.approx([wanted] * len(texts), abs=0.51)


def test_drift_explains_2x_and_fat_tails_the_far_end(lesson):
    def chance(rise):
        """Reflection principle with drift."""
        spread, ahead = lesson["sigma"]["BTC"] * np.sqrt(60 / 365), lesson["drift"] * 60 / 365
        barrier, twice = np.log1p(rise), 2 * lesson["drift"] * np.log1p(rise) / lesson["sigma"]["BTC"] ** 2
        return stats.norm.sf((barrier - ahead) / spread) + np.exp(twice) * stats.norm.sf(
            (barrier + ahead) / spread
        )

    for place, leverage in ((1, 2), (2, 3)):
        expression = (
            f"100 * survival.touch_probability(deadly[{place}] - 1, sigma['BTC'], 60, log_drift=drift)"
        )
        assert states(expression, 100 * chance((1 + 1 / leverage) / (1 + RATE) - 1))
    far = fact("excursions", "BTC", "60 days", "rise_99")
    expression = next(each for each in lessons.said(PATH) if each.startswith("round(1 / survival"))
    assert float(lessons.said(PATH)[expression][0].replace(",", "")) == pytest.approx(1 / chance(far), abs=5)


def test_formula_facts_and_simulation_agree_within_the_interval_of_the_facts(lesson):
    low, high = lesson["facts"].loc[["3x_low", "3x_high"], ("BTC", "60 days")]
    for answer in lesson["answers"].values():
        assert low < np.asarray(answer)[2] < high
    # The same market once more, with other random numbers.
    again = touched_share(market.paths("perp_era", n=4_000, days=60, seed=1), lesson["distance"], 180)
    assert again == pytest.approx(lesson["simulated"].loc["3x", "60 days"], abs=0.03)


def test_touched_counts_the_windows_that_reach_the_level(lesson):
    history = market.paths("perp_era", n=1, days=40).frame(0)
    assert lesson["touched"](history, 0.1, 10) == pytest.approx(touched_anywhere(history, 0.1, 30))


def test_ten_histories_spread_as_wide_as_the_interval(lesson):
    histories, distance = lesson["histories"], lesson["distance"]
    shares = [100 * touched_anywhere(histories.frame(row), distance, 180) for row in range(10)]
    assert states("min(luck)", min(shares)) and states("max(luck)", max(shares))


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
    assert dead[2, 0] < without
    assert states("100 * simulated.loc['2x', '90 days']", 100 * without)
    said = 'dead["dead within 90 days"]'
    assert states(f"100 * {said}[:4].min()", 100 * min(same))
    assert states(f"100 * {said}[:4].max()", 100 * max(same))
    assert states(f"100 * {said}[4]", 100 * dead[3, 0])
    # A reserve that is all posted in time leaves the balance of the leverage 60,000 / (posted + reserve).
    touched = np.mean([touched_share(paths, 0.494, 270) for paths in thousands])
    assert dead[2, 0] == pytest.approx(touched, abs=0.04)


def test_reserve_and_alarm(lesson):
    for days in (30, 60, 90):
        more = E * (1 + fact("excursions", "BTC", f"{days} days", "rise_95")) * (1 + RATE) - 80_000
        assert states(f"reserve(survive[{days}], 3)", more)
    assert states("margin + reserve(survive[90], 3)", more + 20_000)
    assert states("reserve(0.60, 3)", 36_000 + RATE * 96_000 - 20_000)
    balance_after = 20_000 + lesson["reserve"](0.60, 3) - 36_000
    assert balance_after == pytest.approx(0.004 * 96_000)
    assert lesson["rise_left"].round(3).tolist() == [0.001, 0.004, 0.036, 0.076, 0.195, 0.394]
    calm = E * (1 + fact("excursions_last_365_days", "BTC", "90 days", "rise_95")) * (1 + RATE) - 80_000
    expression = next(each for each in lessons.said(PATH) if "reserve(calm[90], 3)" in each)
    assert lessons.said(PATH)[expression] == [f"{calm:,.0f}"]


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
@pytest.mark.parametrize("hours", [8, 24])
def test_alarms_in_hours(lesson, coin, hours):
    key = f"best_{hours}_hours"
    rows = market.facts("fast_rises", coin).set_index("key")
    rise = rows["value"][key]
    ratio = lesson["alarm"].loc[key, coin]
    assert states(f"100 * fastest.loc['{key}', '{coin}']", 100 * rise)
    assert states(f"100 * alarm.loc['{key}', '{coin}']", 100 * ratio)
    # A short of one coin from 60,000 whose alarm rings at P: its balance there is rate · P / ratio.
    balance = RATE * 60_000 / ratio
    assert balance - 60_000 * rise == pytest.approx(RATE * 60_000 * (1 + rise))
    # Whoever looks once a day: the alarm of 3x rings at the opening, that of 2x does not.
    assert (ratio < RATE * 3) == (hours == 24) and ratio > RATE * 2


def test_the_alarm_of_the_exercise():
    for key in ("best_8_hours", "best_24_hours"):
        rise = market.facts("fast_rises", "ETH").set_index("key")["value"][key]
        alarm = 4_500 / 1.004 / (1 + rise)
        expression = f'3_000 * 1.5 / (1 + rate) / (1 + fastest.loc["{key}", "ETH"])'
        assert states(expression, alarm)
        assert 4_500 - alarm * (1 + rise) == pytest.approx(0.004 * alarm * (1 + rise))


def test_how_often_it_rises_so_fast():
    for coin in ("BTC", "ETH"):
        query = "\"period == '24 hours' and key == '0.2'\""
        expression = f"100 * market.facts('rises_within_hours', '{coin}').query({query})['value'].item()"
        assert states(expression, 100 * fact("rises_within_hours", coin, "24 hours", "0.2"))
        lately = "fast_rises_last_365_days"
        rows = market.facts(lately, coin).set_index("key")["value"]
        query = "\"key == 'best_24_hours'\""
        expression = f"100 * market.facts('{lately}', '{coin}').query({query})['value'].item()"
        assert states(expression, 100 * rows["best_24_hours"])
    day = market.facts("extremes", "BTC").set_index("key")["value"]["best_1_day"]
    whole = market.facts("fast_rises", "BTC").set_index("key")["value"]["best_24_hours"]
    assert day / whole == pytest.approx(0.5, abs=0.02)


def test_the_first_alarm_of_the_player_rings_on_day_15(lesson):
    rows = lesson["walked"]["3x"]
    ringing = rows.index[rows["maintenance"] / rows["margin"] > RATE / (1.004 * 1.2033 - 1)]
    assert (ringing[0] - rows.index[0]).days == 15


def test_the_survival_explorer_shows_the_closed_form(lesson):
    explorer = lessons.titled(PATH, "How many shorts are alive after so many days")
    for leverage, days in (
        (3, 10),
        (3, 20),
        (3, 30),
        (3, 60),
        (3, 90),
        (10, 60),
        (5, 60),
        (1.5, 60),
        (1, 60),
    ):
        z = np.log((1 + 1 / leverage) / (1 + RATE)) / (lesson["sigma"]["BTC"] * np.sqrt(days / 365))
        shown = lessons.readouts(explorer, leverage=leverage, days=days)["Dead by then"]
        assert lessons.amount(shown) == pytest.approx(200 * stats.norm.sf(z), abs=0.05)


def test_what_the_dots_of_ether_say_and_where_most_is_gained(lesson):
    def chance(leverage, volatility, days):
        z = np.log((1 + 1 / leverage) / (1 + RATE)) / (volatility * np.sqrt(days / 365))
        return 2 * stats.norm.sf(z)

    volatility = lesson["sigma"]["ETH"]
    for days in (30, 60, 90):
        assert fact("touched", "ETH", f"{days} days", "10x") < chance(10, volatility, days)
        assert fact("touched", "ETH", f"{days} days", "2x") > chance(2, volatility, days)
    dead = [chance(leverage, lesson["sigma"]["BTC"], 60) for leverage in (10, 5, 3, 2, 1.5, 1)]
    assert np.argmin(np.diff(dead)) == 0


def test_the_reserve_saves_the_3x_hedge(lesson):
    frame, saved = lesson["market_frame"], lesson["saved"]
    died, prices, _, posted = account(frame, 3, reserve=20_000)
    assert died is None and not saved["event"].str.contains("liquidated").any()
    said = "saved['top_ups'].diff()[lambda posted: posted > 0]"
    for place, row in enumerate(posted):
        assert states(f"{said}.iloc[{place}]", posted[row])
        assert saved["top_ups"].diff().iloc[row] == pytest.approx(posted[row])
    assert states("saved.loc[saved['event'] != '', 'liquidation_price'].iloc[-1]", prices[max(posted)])
    total = saved["wealth"].iloc[-1] - saved.attrs["wealth_before"]
    twice = lesson["walked"]["2x"]
    assert total == pytest.approx(twice["wealth"].iloc[-1] - twice.attrs["wealth_before"])  # both live


def test_wick_of_eth():
    assert states("100 * (139.68 / 107.82 - 1)", 100 * (139.68 - 107.82) / 107.82)
    one, three = ((1 + 1 / leverage) / (1 + RATE) for leverage in (1, 3))
    assert one < 323 / 107.82 and three > 139.68 / 107.82
