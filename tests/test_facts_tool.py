"""The tool that measures the facts: each definition beside a plain second computation, and its border."""

import doctest
import itertools
import json
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from hedgelib import signals
from hedgelib.histories import cache
from tools import facts
from tools.factlib import book, funding, hedges, lessons, measures, prices, rules
from tools.factlib.rows import RowsError, read

TABLES = {table.topic: table for table in facts.TABLES}
COINS = ("btc", "eth", "sol")
BARS = pd.date_range("2019-08-01", "2021-12-31 16:00", freq="8h")
ERA = pd.Timestamp("2019-09-10")
DAY = pd.Timedelta(days=1)
LEVELS = {"1x": 0.9920, "2x": 0.4940, "3x": 0.3280, "5x": 0.1952, "10x": 0.0956}
WICK = "2020-03-13 08:00"


def invented():
    """Candles of 8 hours by coin and kind, and settlements by coin: random walks that belong together."""
    draw = np.random.default_rng(5)
    shared, *own = draw.standard_t(4, (len(COINS) + 1, len(BARS))) * 0.012
    candles, funding = {}, {}
    for coin, alone in zip(COINS, own, strict=True):
        close = 1000 * np.exp(np.cumsum(shared + (coin != "btc") * alone + 2e-4))
        start = np.r_[close[0], close[:-1]]
        up, down = np.exp(np.abs(draw.normal(0, 0.01, (2, len(close)))))
        spot = {"open": start, "high": np.maximum(start, close) * up, "low": np.minimum(start, close) / down}
        spot = pd.DataFrame(spot | {"close": close}, BARS)
        perp = spot.mul(1 + draw.normal(0, 5e-4, len(close)), axis=0)
        candles[coin, "spot"], candles[coin, "perp"] = spot.round(2), perp.round(2)
        candles[coin, "mark"] = candles[coin, "perp"].copy()
        candles[coin, "perp"].loc[WICK, "high"] *= 2  # traded there and nowhere else
        rates = (draw.standard_t(4, len(BARS)) * 5e-5 + 5e-5).round(8)
        rates[draw.random(len(BARS)) < 0.3] = 1e-4
        funding[coin] = pd.Series(rates, BARS).loc[ERA:]
    return candles, funding


def daily(candles):
    """Candles of days from those of 8 hours."""
    joined = {"open": "first", "high": "max", "low": "min", "close": "last"}
    return candles.groupby(candles.index.normalize()).agg(joined)


def write_tables(folder, candles, funding):
    """Write everything as tables: candles of BTC and ETH, closes of all."""

    def write(name, table, time, form, volume=None):
        table = table.rename(columns=lambda column: f"{column.lower()}_usdt")
        if volume:
            table[f"volume_{volume}"] = 1.0
        table.index = table.index.strftime(form)
        table.to_csv(folder / name, index_label=time)

    stamp = "%Y-%m-%dT%H:%M:%SZ"
    for coin in ("btc", "eth"):
        write(f"ohlc_daily_{coin}usdt.csv", daily(candles[coin, "spot"]), "date_utc", "%Y-%m-%d", coin)
        write(f"perp_ohlc_daily_{coin}usdt.csv", daily(candles[coin, "perp"]), "date_utc", "%Y-%m-%d", coin)
        write(f"perp_ohlc_8h_{coin}usdt.csv", candles[coin, "perp"], "bar_open_utc", stamp, coin)
    closes = {
        kind: {coin: daily(candles[coin, kind])["close"] for coin in COINS} for kind in ("spot", "perp")
    }
    write("prices_daily.csv", pd.DataFrame(closes["spot"]), "date_utc", "%Y-%m-%d")
    write("perp_close_daily.csv", pd.DataFrame({"sol": closes["perp"]["sol"]}), "date_utc", "%Y-%m-%d")
    rows = [
        (f"{time:{stamp}}", f"{coin.upper()}USDT", rate)
        for coin in COINS
        for time, rate in funding[coin].items()
    ]
    table = pd.DataFrame(rows, columns=["time_utc", "symbol", "rate_per_8h"])
    table.to_csv(folder / "funding_8h.csv", index=False)


def write_cache(folder, candles, funding):
    """Write the same as a cache of ``market.download``, with the mark price and three exchanges."""

    def write(place, kind, names, table):
        for year, part in table.groupby(table.index.year):
            stamps = part.index.as_unit("ms").asi8
            rows = [
                [int(stamp), *map(float, row)] for stamp, row in zip(stamps, part.to_numpy(), strict=True)
            ]
            cache.write(folder / place / f"{kind}-{year}.csv", names, rows)

    for (coin, kind), table in candles.items():
        write(f"binance/{coin.upper()}USDT", f"{kind}-8h", "opened_ms,open,high,low,close", table)
    for exchange, factor in (("binance", 1), ("bybit", 1.1), ("okx", 0.9)):
        for coin, rates in funding.items():
            late = (factor * rates).to_frame().set_axis(rates.index + pd.Timedelta(milliseconds=7))
            write(f"{exchange}/{coin.upper()}USDT", "funding", "settled_ms,rate", late)
    hourly = pd.DataFrame({"rate": 1e-5}, pd.date_range("2021-01-01", periods=50, freq="h"))
    write("binance/XYZUSDT", "funding", "settled_ms,rate", hourly)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_tables(folder, *invented())
    return folder


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    write_cache(folder, *invented())
    return folder


@pytest.fixture(scope="module")
def made(tables, tmp_path_factory):
    """The file that the tool makes of the tables."""
    out = tmp_path_factory.mktemp("made") / "facts.toml"
    assert facts.main([str(tables), str(out)]) == 0
    return out.read_text()


@pytest.fixture(scope="module")
def rows(tables):
    return read(tables)


@pytest.fixture(scope="module")
def measured(rows):
    """Unrounded values of each topic by asset, period and key; each measured once."""
    known = {}

    def values(topic, given=rows):
        name = topic, id(given)
        if name not in known:
            known[name] = {
                (fact.asset, fact.period, key): value
                for fact in TABLES[topic].measure(given)
                for key, value in fact.numbers.items()
            }
        return known[name]

    return values


def parts(values, first="2018", fewest=30):
    """The era, the last 365 days, and the calendar years, cut by comparing dates."""
    days = values.index.normalize()
    yield "era", values[days >= ERA]
    yield "last 365 days", values[days > days[-1] - 365 * DAY]
    for year in range(int(first), 2022):
        part = values[days.year == year]
        if part.index.normalize().nunique() >= fewest:
            yield str(year), part


def agree(found, expected, **tolerance):
    """The expected numbers are all there, and alike."""
    assert expected
    for name, value in expected.items():
        assert found[name] == pytest.approx(
            value, nan_ok=True, **({"rel": 1e-9, "abs": 1e-12} | tolerance)
        ), name


def returns(rows, *coins):
    """Daily log returns of the coins, one column each."""
    closes = np.column_stack([rows.close[coin] for coin in coins])
    return pd.DataFrame(np.log(closes[1:] / closes[:-1]), rows.close[coins[0]].index[1:], list(coins))


def moves(rows, days, *coins):
    """Simple returns over so many days, at the last of them."""
    closes = np.column_stack([rows.close[coin] for coin in coins])
    return pd.DataFrame(closes[days:] / closes[:-days] - 1, rows.close[coins[0]].index[days:], list(coins))


def starts(rows, coin, days, lately=False, values=None, best=max):
    """Highest high, or lowest low, of the next days over the close, for each start that has as many."""
    close, other = rows.close[coin], (rows.high if values is None else values)[coin].to_numpy()
    ratios = {
        day: best(other[place + 1 : place + 1 + days]) / close.iloc[place]
        for place, day in enumerate(close.index[: len(close) - days])
    }
    found = pd.Series(ratios)
    return found.iloc[-365:] if lately else found[found.index >= ERA]


class TestFunding:
    def test_by_year(self, rows, measured):
        expected = {}
        for period, part in parts(rows.binance["ETH"]):
            rates = part.to_list()
            count = len(rates)
            expected |= {
                ("ETH", period, "mean"): 1e4 * sum(rates) / count,
                ("ETH", period, "annualised"): 1095 * sum(rates) / count,
                ("ETH", period, "share_positive"): sum(rate > 0 for rate in rates) / count,
                ("ETH", period, "share_at_interest"): sum(round(r * 1e8) == 10_000 for r in rates) / count,
                ("ETH", period, "share_above_interest"): sum(round(r * 1e8) > 10_000 for r in rates) / count,
                ("ETH", period, "autocorrelation"): np.corrcoef(rates[1:], rates[:-1])[0, 1],
                ("ETH", period, "autocorrelation_week"): np.corrcoef(rates[21:], rates[:-21])[0, 1],
            }
        agree(measured("funding_by_year"), expected)
        assert {period for _, period, _ in expected} >= {"era", "last 365 days", "2019", "2021"}

    def test_by_regime(self, rows, measured):
        rates = rows.binance["BTC"]
        part = rates[(rates.index >= "2021-05-08") & (rates.index < "2021-06-23")].to_numpy()
        expected = {
            ("BTC", "2021-05-08 to 2021-06-22", "mean"): 1e4 * np.mean(part),
            ("BTC", "2021-05-08 to 2021-06-22", "annualised"): 1095 * np.mean(part),
            ("BTC", "2021-05-08 to 2021-06-22", "share_negative"): np.mean(part < 0),
        }
        agree(measured("funding_by_regime"), expected)
        assert ("BTC", "2023-10-16 to 2024-03-13", "mean") not in measured("funding_by_regime")

    @pytest.mark.parametrize("lately", [False, True])
    def test_extremes(self, rows, measured, lately):
        found = measured("funding_extremes_last_365_days" if lately else "funding_extremes")
        rates = rows.binance["BTC"]
        part = dict(parts(rates))["last 365 days" if lately else "era"]
        runs = [(sign, len(list(group))) for sign, group in itertools.groupby(np.sign(part))]
        values = {key: value for (coin, _, key), value in found.items() if coin == "BTC"}
        assert values["longest_negative_run"] == max(count for sign, count in runs if sign < 0)
        assert values["longest_positive_run"] == max(count for sign, count in runs if sign > 0)
        for days in (7, 30, 365):
            sums = dict(
                zip(rates.index[3 * days - 1 :], np.convolve(rates, np.ones(3 * days), "valid"), strict=True)
            )
            sums = {time: value for time, value in sums.items() if time in part.index}
            assert values[f"worst_{days}_days"] == pytest.approx(min(sums.values()))
            assert values[f"best_{days}_days"] == pytest.approx(max(sums.values()))
            when = max(sums, key=sums.get)
            assert ("BTC", f"{days} days to {when:%Y-%m-%d}", f"best_{days}_days") in found
        assert (values["lowest"], values["highest"]) == (part.min(), part.max())
        if not lately:
            months = [
                part[part.index.strftime("%Y-%m") == month].sum()
                for month in set(part.index.strftime("%Y-%m"))
            ]
            assert values["month"] == pytest.approx(min(months))
            above = [(time, rate) for time, rate in part.items() if round(rate * 1e8) > 10_000][-1]
            assert found["BTC", f"{above[0]:%Y-%m-%dT%H:%M}", "last_above_interest"] == above[1]

    @pytest.mark.parametrize("lately", [False, True])
    def test_by_horizon(self, rows, measured, lately):
        rates, expected = rows.binance["SOL"], {}
        for days in (7, 90, 365):
            whole = np.convolve(rates, np.ones(3 * days), "valid")
            sums = pd.Series(whole, rates.index[3 * days - 1 :])
            sums = sums[sums.index >= "2021-01-01"] if lately else sums
            expected |= {
                ("SOL", f"{days} days", "worst"): sums.min(),
                ("SOL", f"{days} days", "bad"): np.quantile(sums, 0.05),
                ("SOL", f"{days} days", "median"): np.median(sums),
                ("SOL", f"{days} days", "good"): np.quantile(sums, 0.95),
                ("SOL", f"{days} days", "best"): sums.max(),
                ("SOL", f"{days} days", "share_negative"): sum(each < 0 for each in sums) / len(sums),
            }
        agree(measured("funding_by_horizon_last_365_days" if lately else "funding_by_horizon"), expected)

    def test_and_price(self, rows, measured):
        rates, close = rows.binance["BTC"], rows.close["BTC"]
        day = {each: rates[rates.index.normalize() == each].sum() for each in close.index}
        paid, rise, pairs = [], [], []
        for place, end in enumerate(close.index):
            if place >= 30 and end >= ERA + 30 * DAY:
                paid.append(sum(day[each] for each in close.index[place - 29 : place + 1]))
                rise.append(close.iloc[place] / close.iloc[place - 30] - 1)
        for time, rate in rates.items():
            place = close.index.get_loc(time.normalize()) - 1
            pairs.append((rate, np.log(close.iloc[place] / close.iloc[place - 30])))
        paid, up = np.array(paid), np.array(rise) >= 0.25
        expected = {
            ("BTC", "era", "in_all"): paid.mean(),
            ("BTC", "era", "in_run_ups"): paid[up].mean(),
            ("BTC", "era", "share_of_run_ups"): up.mean(),
            ("BTC", "era", "follows_price"): np.corrcoef(np.transpose(pairs))[0, 1],
        }
        assert up.any()
        agree(measured("funding_and_price"), expected)

    def test_after_negative(self, rows, measured):
        rates, close = rows.binance["ETH"], rows.close["ETH"]
        groups = {True: [], False: []}
        for place in range(len(close) - 7):
            settled = rates[rates.index.normalize() == close.index[place]]
            if len(settled):
                groups[settled.sum() < 0].append(close.iloc[place + 7] / close.iloc[place] - 1)
        expected = {
            ("ETH", "era", "after_negative"): np.mean(groups[True]),
            ("ETH", "era", "after_other"): np.mean(groups[False]),
            ("ETH", "era", "days"): len(groups[True]),
        }
        agree(measured("after_negative_funding"), expected)

    def test_after_low(self, rows, measured):
        rates = rows.binance["BTC"].to_list()
        low = [place for place in range(len(rates) - 90) if round(rates[place] * 1e8) <= -30_000]
        following = [sum(rates[place + 1 : place + 91]) for place in low]
        expected = {
            ("BTC", "era", "settlements"): len(low),
            ("BTC", "era", "mean"): 1e4 * np.mean([rates[place] for place in low]),
            ("BTC", "era", "following"): np.mean(following),
            ("BTC", "era", "following_worst"): min(following),
        }
        agree(measured("after_low_funding"), expected)

    def test_events(self, rows, measured):
        rates, close = rows.binance["BTC"], rows.close["BTC"]
        paid = rates[(rates.index >= "2020-03-13") & (rates.index < "2020-04-12")]
        expected = {
            ("BTC", "2020-03-12 to 2020-04-11", "funding"): sum(paid),
            ("BTC", "2020-03-12 to 2020-04-11", "lowest"): min(paid),
            ("BTC", "2020-03-12 to 2020-04-11", "moved"): close["2020-04-11"] / close["2020-03-12"] - 1,
        }
        assert len(paid) == 90
        agree(measured("events"), expected)
        assert not any(coin == "ETH" for coin, _, _ in measured("events")), "the Merge was later"

    def test_by_exchange_needs_all_three(self, cached, measured):
        assert not measured("funding_by_exchange")
        given = read(cached)
        for exchange in ("binance", "bybit", "okx"):
            rates = getattr(given, exchange)
            rates["BTC"] = rates["BTC"].set_axis(rates["BTC"].index + 731 * DAY)
        del given.okx["ETH"]
        found = measured("funding_by_exchange", given)
        mean = given.binance["BTC"].loc["2023":].mean() * 1095
        factors = {"binance": 1, "bybit": 1.1, "okx": 0.9}
        agree(found, {("BTC", "since 2023", name): mean * factor for name, factor in factors.items()})
        assert not any(coin == "ETH" for coin, _, _ in found)


class TestPrices:
    def test_volatility(self, rows, measured):
        found, expected = measured("volatility_by_year"), {}
        for period, part in parts(returns(rows, "BTC")["BTC"]):
            expected |= {
                ("BTC", period, "return"): np.prod(np.exp(part)) - 1,
                ("BTC", period, "volatility"): np.std(part, ddof=1) * np.sqrt(365),
                ("BTC", period, "clustering"): np.corrcoef(np.abs(part)[1:], np.abs(part)[:-1])[0, 1],
            }
            # No other tail is likelier, whatever place and scale it is given.
            tail = found["BTC", period, "tail"]
            likeliest = [stats.t.fit(part, f0=tail * factor) for factor in (0.97, 1, 1.03)]
            below, here, above = (stats.t.logpdf(part, *fit).sum() for fit in likeliest)
            assert here >= below - 1e-6 and here >= above - 1e-6
        agree(found, expected)

    def test_shape(self, rows, measured):
        expected = {}
        for period, part in itertools.islice(parts(returns(rows, "ETH")["ETH"]), 2):
            moved, size = part.to_numpy(), np.abs(part.to_numpy())
            after = [size[place + 1 : place + 6].mean() for place in range(len(size) - 5)]
            expected |= {
                ("ETH", period, "skew"): np.mean((moved - moved.mean()) ** 3) / np.std(moved) ** 3,
                ("ETH", period, "leverage_effect"): np.corrcoef(moved[:-5], after)[0, 1],
                ("ETH", period, "clustering_7"): np.corrcoef(size[7:], size[:-7])[0, 1],
                ("ETH", period, "clustering_30"): np.corrcoef(size[30:], size[:-30])[0, 1],
            }
        agree(measured("shape_of_returns"), expected)

    @pytest.mark.parametrize("lately", [False, True])
    def test_extremes(self, rows, measured, lately):
        found = measured("extremes_last_365_days" if lately else "extremes")
        first = pd.Timestamp("2021-01-01") if lately else ERA
        expected = {}
        for days in (1, 7, 30, 365):
            moved = moves(rows, days, "ETH")["ETH"]
            moved = moved[moved.index >= first]
            name = f"{days}_day" + "s" * (days > 1)
            expected["ETH", f"{moved.index[np.argmin(moved)]:%Y-%m-%d}", f"worst_{name}"] = moved.min()
            expected["ETH", f"{moved.index[np.argmax(moved)]:%Y-%m-%d}", f"best_{name}"] = moved.max()
        for days in (30, 90):
            rise = starts(rows, "ETH", days, lately) - 1
            expected["ETH", f"from {rise.index[np.argmax(rise)]:%Y-%m-%d}", f"run_up_{days}_days"] = (
                rise.max()
            )
        close = rows.close["ETH"]
        close = close[close.index >= first]
        falls = [
            (close.iloc[low] / close.iloc[top] - 1, close.index[top], close.index[low])
            for low in range(len(close))
            for top in [int(np.argmax(close.iloc[: low + 1]))]
        ]
        fall, top, low = min(falls)
        expected["ETH", f"{top:%Y-%m-%d} to {low:%Y-%m-%d}", "drawdown"] = fall
        agree(found, expected)
        assert len(expected) == len([1 for coin, _, _ in found if coin == "ETH"])

    @pytest.mark.parametrize("lately", [False, True])
    def test_excursions(self, rows, measured, lately):
        rise = starts(rows, "BTC", 60, lately) - 1
        fall = starts(rows, "BTC", 60, lately, rows.low, min) - 1
        expected = {
            ("BTC", "60 days", f"rise_{share}"): np.quantile(rise, share / 100) for share in (50, 75, 99)
        }
        expected |= {
            ("BTC", "60 days", f"fall_{share}"): np.quantile(fall, 1 - share / 100) for share in (90, 95)
        }
        agree(measured("excursions_last_365_days" if lately else "excursions"), expected)

    @pytest.mark.parametrize("lately", [False, True])
    def test_touched(self, rows, measured, lately):
        end = "_last_365_days" if lately else ""
        expected, fine = {}, {}
        for days in (30, 90):
            top = starts(rows, "BTC", days, lately)
            expected |= {
                ("BTC", f"{days} days", key): np.mean(top >= 1 + rise) for key, rise in LEVELS.items()
            }
        for days in (1, 7, 365):
            top = starts(rows, "BTC", days, lately)
            rises = "0.025", "0.1", "0.35", "1", "2"
            fine |= {("BTC", f"{days} days", rise): np.mean(top >= 1 + float(rise)) for rise in rises}
        # A level is exact and these are rounded: a start may lie between.
        agree(measured(f"touched{end}"), expected, abs=0.002)
        agree(measured(f"touched_by_rise{end}"), fine)

    @pytest.mark.parametrize("lately", [False, True])
    def test_touched_by_fall(self, rows, measured, lately):
        expected = {}
        for days in (1, 30):
            low = starts(rows, "ETH", days, lately, rows.low, min)
            expected |= {
                ("ETH", f"{days} days", fall): np.mean(low <= 1 - float(fall)) for fall in ("0.05", "0.2")
            }
        found = measured("touched_by_fall" + "_last_365_days" * lately)
        agree(found, expected)
        assert lately or found["ETH", "30 days", "0.2_low"] <= expected["ETH", "30 days", "0.2"]

    def test_moves_of_a_month(self, rows, measured):
        moved = moves(rows, 30, "ETH")["ETH"]
        expected = {}
        for period, part in itertools.islice(parts(moved), 2):
            expected["ETH", period, "typical"] = np.quantile(np.abs(part), 0.5)
            expected["ETH", period, "fell_25"] = np.mean([1 + move < 0.75 for move in part])
        agree(measured("moves_of_30_days"), expected)

    def test_touched_by_year(self, rows, measured):
        close = rows.close["ETH"]
        top = pd.Series(
            {
                close.index[place]: rows.high["ETH"].iloc[place + 1 : place + 61].max() / close.iloc[place]
                for place in range(len(close) - 60)
            }
        )
        expected = {
            ("ETH", year, key): np.mean(top[top.index.year == int(year)] >= 1 + rise)
            for year in ("2019", "2020", "2021")
            for key, rise in LEVELS.items()
        }
        agree(measured("touched_by_year"), expected, abs=0.004)

    def test_intervals_are_means_of_blocks(self):
        hits = np.random.default_rng(1).random((500, 2)) < [0.2, 0.7]
        ends = measures.interval(hits, "a name", block=60, draws=300)
        drawn = np.random.default_rng(zlib.crc32(b"a name")).integers(500, size=(300, 9))
        means = []
        for history in drawn:
            picked = [start + step for start in history for step in range(60)][:500]
            means.append(hits[np.array(picked) % 500].mean(axis=0))
        np.testing.assert_allclose(ends, np.quantile(means, [0.05, 0.95], axis=0))
        assert np.all(ends[0] < hits.mean(axis=0)) and np.all(hits.mean(axis=0) < ends[1])

    @pytest.mark.parametrize("lately", [False, True])
    def test_fast_rises_leave_out_what_only_the_perpetual_saw(self, rows, measured, lately):
        candles = invented()[0]["btc", "perp"]
        assert candles.loc[WICK, "high"] > 1.9 * candles.loc[WICK, "close"]
        closes, highs = candles["close"].to_list(), candles["high"].copy()
        highs[WICK] = candles.loc[WICK, "close"]
        highs = highs.to_list()
        found = measured("fast_rises_last_365_days" if lately else "fast_rises")
        shares = measured("rises_within_hours_last_365_days" if lately else "rises_within_hours")
        for hours in (8, 24):
            steps = hours // 8
            top = {
                BARS[place] + pd.Timedelta(hours=8): max(highs[place + 1 : place + 1 + steps]) / closes[place]
                for place in range(len(BARS) - steps)
            }
            # The last close of all that has a bar after it is that of 2021-12-31 16:00 or 00:00.
            first = max(top).normalize() - 364 * DAY if lately else ERA
            top = {time: ratio for time, ratio in top.items() if time >= first}
            when = max(top, key=top.get)
            expected = {("BTC", f"from {when:%Y-%m-%dT%H:%M}", f"best_{hours}_hours"): top[when] - 1}
            agree(found, expected)
            reached = [ratio >= 1.05 for ratio in top.values()]
            agree(shares, {("BTC", f"{hours} hours", "0.05"): np.mean(reached)})

    def test_last_and_mark(self, cached, measured):
        assert not measured("touched_last_and_mark")
        candles = invented()[0]
        perp, mark = daily(candles["btc", "perp"]).loc["2020":], daily(candles["btc", "mark"]).loc["2020":]
        hits = {"last": [], "mark": []}
        for place in range(len(perp) - 30):
            for price, table in (("last", perp), ("mark", mark)):
                top = table["high"].iloc[place + 1 : place + 31].max()
                hits[price].append(top >= perp["close"].iloc[place] * 1.494)
        expected = {("BTC", "30 days", f"2x_{price}"): np.mean(each) for price, each in hits.items()}
        assert np.mean(hits["last"]) > np.mean(hits["mark"])
        agree(measured("touched_last_and_mark", read(cached)), expected)


class TestHedges:
    def test_beta(self, rows, measured):
        both, expected = returns(rows, "ETH", "BTC"), {}
        cuts = [*parts(both), ("2020-02-13 to 2020-03-31", both.loc["2020-02-13":"2020-03-31"])]
        for period, part in cuts:
            fit = sm.OLS(part["ETH"], sm.add_constant(part["BTC"])).fit(
                cov_type="HAC", cov_kwds={"maxlags": 5, "use_correction": True}
            )
            expected |= {
                ("ETH", period, "beta"): fit.params["BTC"],
                ("ETH", period, "stderr"): fit.bse["BTC"],
                ("ETH", period, "r_squared"): fit.rsquared,
                ("ETH", period, "correlation"): np.corrcoef(part["ETH"], part["BTC"])[0, 1],
            }
            for key, side in (("beta_down", part[part["BTC"] < 0]), ("beta_up", part[part["BTC"] > 0])):
                slope = np.polyfit(side["BTC"], side["ETH"], 1)[0] if len(side) >= 30 else np.nan
                expected["ETH", period, key] = slope
        agree(measured("beta_by_year"), expected, rel=1e-7)
        assert any(np.isnan(value) for value in expected.values())

    def test_tails(self, rows, measured):
        part = returns(rows, "ETH", "BTC").loc[ERA:]
        eth, btc = part["ETH"].to_numpy(), part["BTC"].to_numpy()
        order, expected = np.argsort(btc), {}
        for share in (1, 5):
            count = round(len(btc) * share / 100)
            for name, days in (("worst", order[:count]), ("best", order[-count:])):
                move = eth[days].sum() / btc[days].sum()
                expected["ETH", "era", f"{name}_{share}"] = move if count >= 10 else np.nan
        expected["ETH", "era", "correlation_worst_5"] = np.corrcoef(eth[order[:count]], btc[order[:count]])[
            0, 1
        ]
        agree(measured("tails"), expected)
        assert np.isnan(measured("tails")["ETH", "last 365 days", "worst_1"])

    def test_cross_hedge(self, rows, measured):
        both, expected = moves(rows, 1, "BTC", "ETH"), {}
        for period, part in parts(both):
            (variance, shared), (_, other) = np.cov(part["BTC"], part["ETH"])
            expected |= {
                ("BTC", period, "ratio"): shared / other,
                ("BTC", period, "variance_removed"): shared**2 / other / variance,
                ("BTC", period, "variance_removed_one_to_one"): 1
                - np.var(part["BTC"] - part["ETH"], ddof=1) / variance,
            }
        agree(measured("cross_hedge"), expected)

    def test_out_of_sample(self, rows, measured):
        both = moves(rows, 1, "ETH", "BTC")
        left, held, ratios = [], [], []
        for place in range(60, len(both)):
            if both.index[place] >= ERA:
                past, today = both.iloc[place - 60 : place], both.iloc[place]
                ratios.append(np.polyfit(past["BTC"], past["ETH"], 1)[0])
                held.append(today["ETH"])
                left.append(today["ETH"] - ratios[-1] * today["BTC"])
        expected = {
            ("ETH", "60 days before", "ratio"): np.mean(ratios),
            ("ETH", "60 days before", "variance_removed"): 1 - np.var(left) / np.var(held),
        }
        agree(measured("cross_hedge_out_of_sample"), expected)

    @pytest.mark.parametrize("lately", [False, True])
    @pytest.mark.parametrize(("held", "other"), [("BTC", "ETH"), ("ETH", "BTC"), ("SOL", "BTC")])
    def test_by_horizon(self, rows, measured, held, other, lately):
        first, expected = "2021-01-01" if lately else ERA, {}
        days = moves(rows, 1, held, other).loc[first:]
        usual = np.polyfit(days[other], days[held], 1)[0]
        for stretch in (1, 30, 60):
            part = moves(rows, stretch, held, other).loc[first:]
            best = np.polyfit(part[other], part[held], 1)[0]
            whole = np.var(part[held], ddof=1)
            left = {ratio: np.var(part[held] - ratio * part[other], ddof=1) for ratio in (best, usual, 1.0)}
            period = f"{stretch} day" + "s" * (stretch > 1)
            expected |= {
                (held, period, "ratio"): best,
                (held, period, "variance_removed"): 1 - left[best] / whole,
                (held, period, "variance_removed_daily_ratio"): 1 - left[usual] / whole,
                (held, period, "variance_removed_one_to_one"): 1 - left[1.0] / whole,
                (held, period, "unhedged"): whole**0.5,
                (held, period, "left"): left[usual] ** 0.5,
            }
        agree(measured("cross_hedge_by_horizon" + "_last_365_days" * lately), expected)

    def test_own_perpetual_and_basis(self, rows, measured):
        spot, perp = (closes.loc["2020":].to_numpy() for closes in (rows.close["BTC"], rows.perp["BTC"]))
        basis = pd.Series(1e4 * (perp / spot - 1), rows.close["BTC"].loc["2020":].index)
        here, there = spot[1:] / spot[:-1] - 1, perp[1:] / perp[:-1] - 1
        expected = {
            ("BTC", "era", "ratio"): np.polyfit(there, here, 1)[0],
            ("BTC", "era", "variance_removed_half"): 1 - np.var(here - there / 2) / np.var(here),
            ("BTC", "era", "variance_removed_one_to_one"): 1 - np.var(here - there) / np.var(here),
            ("BTC", "era", "volatility"): np.std(here, ddof=1) * 365**0.5,
            ("BTC", "era", "volatility_hedged"): np.std(here - there, ddof=1) * 365**0.5,
            ("BTC", "era", "basis_mean"): np.mean(basis),
            ("BTC", "era", "basis_std"): np.std(basis, ddof=1),
            ("BTC", "era", "basis_lowest"): min(basis),
            ("BTC", "era", "basis_highest"): max(basis),
        }
        agree(measured("own_perpetual"), expected)
        assert ("SOL", "era", "basis_std") in measured("own_perpetual")
        by_year = {}
        for period, part in parts(basis):
            by_year |= {
                ("BTC", period, "mean"): np.mean(part),
                ("BTC", period, "std"): np.std(part, ddof=1),
                ("BTC", period, "lowest"): min(part),
                ("BTC", period, "highest"): max(part),
                ("BTC", period, "percentile_1"): np.quantile(part, 0.01),
                ("BTC", period, "percentile_99"): np.quantile(part, 0.99),
            }
        agree(measured("basis_by_year"), by_year)

    def test_altcoins(self, rows, measured):
        both, expected, by_year = returns(rows, "SOL", "BTC"), {}, {}
        cuts = {
            "era": both.loc["2020-10-01":],
            "2020-10-01 to 2022-12-31": both.loc["2020-10-01":],
            "last 365 days": both.iloc[-365:],
        }
        for period, part in cuts.items():
            down, up = part[part["BTC"] < 0], part[part["BTC"] > 0]
            expected |= {
                ("SOL", period, "beta"): np.polyfit(part["BTC"], part["SOL"], 1)[0],
                ("SOL", period, "r_squared"): np.corrcoef(part["BTC"], part["SOL"])[0, 1] ** 2,
                ("SOL", period, "volatility"): np.std(part["SOL"], ddof=1) * 365**0.5,
                ("SOL", period, "beta_down"): np.polyfit(down["BTC"], down["SOL"], 1)[0],
                ("SOL", period, "beta_up"): np.polyfit(up["BTC"], up["SOL"], 1)[0],
            }
        agree(measured("altcoin_beta"), expected)
        for year in ("2020", "2021"):
            part = both.loc[year]
            by_year["SOL", year, "beta"] = np.polyfit(part["BTC"], part["SOL"], 1)[0]
        agree(measured("altcoin_beta_by_year"), by_year)
        assert ("SOL", "2019", "beta") not in measured("altcoin_beta_by_year")
        assert ("SOL", "since 2025", "beta") not in measured("altcoin_beta")

    def test_followed(self, rows, measured):
        both = moves(rows, 1, "BTC", "ETH").loc[ERA:]
        held, other = both["BTC"].to_numpy(), both["ETH"].to_numpy()

        def slope(weights):
            """Slope of a line through the first days, each with its weight."""
            first = slice(0, len(weights))
            fit = sm.WLS(held[first], sm.add_constant(other[first]), weights).fit()
            return fit.params[1]

        ratios = {"one_ratio": [], "last_90_days": [], "fading": []}
        for day in range(730, len(both)):
            age = np.arange(day)[::-1]
            ratios["one_ratio"].append(slope(np.ones(730)))
            ratios["last_90_days"].append(slope((age < 90) * 1.0))
            weights = 0.5 ** (age / 90)  # about a mean of zero
            ratios["fading"].append(
                np.sum(weights * held[:day] * other[:day]) / np.sum(weights * other[:day] ** 2)
            )
        judged = held[730:]
        expected = {
            ("BTC", "era", name): 1 - np.var(judged - np.array(used) * other[730:]) / np.var(judged)
            for name, used in ratios.items()
        }
        agree(measured("cross_hedge_followed"), expected, rel=1e-6)

    def test_of_stretches(self, rows, measured):
        closes = np.column_stack([rows.close[coin].loc[ERA:] for coin in ("BTC", "ETH")])
        expected = {}
        for days, period in ((1, "1 day"), (10, "10 days")):
            kept = closes[::days]
            held, other = np.diff(np.log(kept), axis=0).T
            expected["BTC", period, "ratio"] = np.polyfit(other, held, 1)[0]
            expected["BTC", period, "stretches"] = len(held)
        agree(measured("cross_hedge_of_stretches"), expected)

    def test_correlation(self, rows, measured):
        both = returns(rows, "BTC", "ETH").loc[ERA:]
        known = {
            both.index[end - 1]: np.corrcoef(both.iloc[end - 90 : end].T)[0, 1]
            for end in range(90, len(both) + 1)
        }
        low, high = min(known, key=known.get), max(known, key=known.get)
        expected = {
            ("BTC", f"90 days to {low:%Y-%m-%d}", "lowest"): known[low],
            ("BTC", f"90 days to {high:%Y-%m-%d}", "highest"): known[high],
        }
        agree(measured("correlation_of_90_days"), expected)

    def test_basket(self, rows, measured):
        part = moves(rows, 1, "SOL", "BTC", "ETH").loc["2020-10-01":]
        both = sm.OLS(part["SOL"], sm.add_constant(part[["BTC", "ETH"]])).fit()
        expected = {
            ("SOL", "era", "ratio_btc"): both.params["BTC"],
            ("SOL", "era", "ratio_eth"): both.params["ETH"],
            ("SOL", "era", "removed_by_btc"): np.corrcoef(part["SOL"], part["BTC"])[0, 1] ** 2,
            ("SOL", "era", "removed_by_both"): both.rsquared,
        }
        agree(measured("basket"), expected)


class TestRules:
    def test_alarms(self, rows, measured):
        close, expected = rows.close["BTC"].to_list(), {}
        moved = [close[day + 10] / close[day] - 1 for day in range(len(close) - 10)]
        expected["BTC", "all days", "after_any_day"] = np.mean(moved)
        for find in (signals.double_top, signals.head_and_shoulders, signals.bearish_divergence):
            known = [each.known for each in find(np.array(close))]
            after = [moved[day] for day in known if day < len(moved)]
            name = ("BTC", "all days", find.__name__)
            expected[*name[:2], f"{name[2]}_per_1000"] = len(known) / len(close) * 1000
            expected[*name[:2], f"{name[2]}_alarms"] = len(after)
            expected[*name[:2], f"{name[2]}_after"] = np.mean(after) if after else np.nan
        agree(measured("alarms"), expected)
        assert measured("alarms")["BTC", "all days", "double_top_alarms"] > 1

    def test_moving_hedges_by_the_ledger(self, rows, measured):
        """Two of the rules on each window of 60 days, bar by bar."""
        bars = rows.bars["BTC"]["close"].loc["2020-01-01 08:00":"2022-01-01 00:00"]
        gained = {"batches": [], "off_after_30_days": []}
        held = {name: [] for name in gained}
        windows = [bars.iloc[first : first + 181] for first in range(0, len(bars) - 180, 21)]
        for window in windows:
            path = (60_000 * window / window.iloc[0]).to_numpy()
            low = np.minimum.accumulate(path)
            ratio = 0.3 + 0.3 * (low <= 57_000 * (1 + 1e-12)) + 0.4 * (low <= 54_000 * (1 + 1e-12))
            held["batches"].append(ratio)
            held["off_after_30_days"].append((np.arange(181) < 90) * 1.0)
        for name, shares in held.items():
            mean = np.mean([each[:-1].mean() for each in shares])
            for window, ratio in zip(windows, shares, strict=True):
                path = (60_000 * window / window.iloc[0]).to_numpy()
                rates = np.array([0.0, *rows.binance["BTC"].reindex(window.index[1:]).to_numpy()])
                moved, plain = (
                    np.sum(-shorted[:-1] * np.diff(path))
                    + np.sum(shorted[:-1] * path[1:] * rates[1:])
                    - 0.0005 * (shorted[0] * path[0] + np.sum(np.abs(np.diff(shorted))[:-1] * path[1:-1]))
                    for shorted in (ratio, np.full(181, mean))
                )
                gained[name].append(moved - plain)
        found = measured("moving_hedges")
        assert found["BTC", "2020 to 2024", "windows"] == len(windows)
        for name, better in gained.items():
            # Orders are rounded down to 0.001 coin, and a trade at the last close changes a fee alone.
            assert found["BTC", "2020 to 2024", name] == pytest.approx(np.mean(better), abs=40)
            error = np.std(better) / np.sqrt(len(windows) * 7 / 60)
            assert found["BTC", "2020 to 2024", f"{name}_error"] == pytest.approx(error, rel=0.02)
        assert not any(period == "since 2025" for _, period, _ in found)

    @pytest.mark.parametrize("seen_to", ["2024-12-31", "2021-05-31"])
    def test_trend_rule(self, rows, measured, monkeypatch, seen_to):
        monkeypatch.setattr(rules, "SEEN_TO", pd.Timestamp(seen_to))
        monkeypatch.setattr(rules, "LENGTHS", (10, 20, 50, 100))
        monkeypatch.setattr(rules, "FILLED", 100)
        close = rows.close["BTC"].to_list()
        seen, fee = sum(rows.close["BTC"].index <= seen_to), 0.0005
        half = (100 + seen) // 2
        stretches = {"first_half": (100, half), "second_half": (half, seen - 1)}
        if seen < len(close):
            stretches["unseen"] = (seen - 1, len(close) - 1)
        scores = {}
        for days, distance in itertools.product((10, 20, 50, 100), (0, 0.02, 0.05, 0.1)):
            hedged = [0.0] * len(close)
            for day in range(days - 1, len(close)):
                mean = sum(close[day - days + 1 : day + 1]) / days
                hedged[day] = float(close[day] < (1 - distance) * mean)
            average = sum(hedged[100:]) / len(hedged[100:])
            scores[days, distance] = {
                name: [
                    (average - hedged[day]) * (close[day + 1] / close[day] - 1)
                    - fee * abs(hedged[day] - hedged[day - 1])
                    for day in range(*ends)
                ]
                for name, ends in stretches.items()
            }
        best = max(scores, key=lambda rule: sum(scores[rule]["first_half"]))
        expected = {("BTC", "all days", "days"): best[0], ("BTC", "all days", "distance"): best[1]}
        for name in stretches:
            days, sums = scores[best][name], [sum(each[name]) for each in scores.values()]
            expected["BTC", "all days", name] = sum(days)
            expected["BTC", "all days", f"{name}_error"] = np.std(days) * len(days) ** 0.5
            expected["BTC", "all days", f"{name}_rank"] = sorted(sums)[::-1].index(sum(days)) + 1
        found = {
            (each.asset, each.period, key): value
            for each in rules.trend_rule(rows)
            for key, value in each.numbers.items()
        }
        agree(found, expected, rel=1e-6)
        assert (("BTC", "all days", "unseen") in found) == (seen < len(close))


def test_both_layouts_give_the_same_numbers(cached, made, tmp_path):
    """A cache tells more: it has the highs of all coins, the mark price, and three exchanges."""
    given = read(cached)
    assert given.unused == ("binance/XYZUSDT, settled more often than every 8 hours",)
    (tmp_path / "facts.toml").write_text(made)
    tables, more = book.load(tmp_path / "facts.toml"), facts.measure(given)
    assert {topic for topic, table in more.items() if table.facts} - tables.keys() == {
        "touched_last_and_mark"
    }
    for topic, table in tables.items():
        lines = {repr(fact) for fact in more[topic].facts}
        assert all(repr(fact) in lines for fact in table.facts), topic


@pytest.mark.parametrize("module", [book, funding, hedges, lessons, measures, prices, rules])
def test_examples(module):
    assert not doctest.testmod(module).failed


def test_every_definition_is_compared_here():
    """A topic without a second computation would pass unseen."""
    source = Path(__file__).read_text()
    missing = [topic for topic in TABLES if topic.removesuffix("_last_365_days") not in source]
    assert not missing


class TestBook:
    """The file: what is kept, what is replaced, and what is told."""

    @pytest.fixture
    def out(self, made, tmp_path):
        path = tmp_path / "facts.toml"
        path.write_text(made)
        return path

    def told(self, capsys, *arguments):
        assert facts.main([str(argument) for argument in arguments]) == 0
        return capsys.readouterr().out

    def test_same_rows_same_bytes(self, tables, made, out, capsys):
        told = self.told(capsys, tables, out)
        assert out.read_text() == made
        assert {line for line in told.splitlines() if not line.startswith(" ")} == {"Read, to the day:"}

    def test_an_earlier_day_is_as_if_the_rows_ended_there(self, tables, out, tmp_path, capsys):
        candles, funding = invented()
        short, other, until = tmp_path / "short", tmp_path / "other", pd.Timestamp("2021-11-11")
        short.mkdir()
        candles = {name: table[table.index.normalize() <= until] for name, table in candles.items()}
        funding = {coin: rates[rates.index.normalize() <= until] for coin, rates in funding.items()}
        write_tables(short, candles, funding)
        self.told(capsys, short, other)
        told = self.told(capsys, tables, out, "--to", "2021-11-11")
        assert out.read_text() == other.read_text()
        changed = told.split("Changed:")[1]
        assert "volatility_by_year: BTC era volatility" in changed and "BTC 2020 volatility" not in changed

    def test_what_rows_do_not_reach_is_kept_and_named(self, tables, made, out, tmp_path, capsys):
        few = tmp_path / "few"
        few.mkdir()
        for name in ("ohlc_daily_btcusdt.csv", "ohlc_daily_ethusdt.csv"):
            lines = (tables / name).read_text().splitlines(keepends=True)
            (few / name).write_text("".join(lines[:1] + lines[200:] if "eth" in name else lines))
        told = self.told(capsys, few, out)
        assert "funding_by_year of BTC, 2019-09-10 to 2021-12-31: no rows" in told
        assert "volatility_by_year of ETH, 2019-08-02 to 2021-12-31: rows from 2020-02-17 to" in told
        assert "volatility_by_year of BTC" not in told
        assert out.read_text() == made

    def test_a_corrected_row_is_told_apart_from_a_longer_history(self, out, tmp_path, capsys):
        other = tmp_path / "other"
        other.mkdir()
        candles, funding = invented()
        candles["btc", "spot"].loc["2021-06-01 16:00", "high"] *= 3
        write_tables(other, candles, funding)
        told = self.told(capsys, other, out)
        same = told.split("Another number from the same days (rows or definition corrected?):")[1]
        assert "touched_by_year: BTC 2021 2x" in same and "Changed:" not in told

    def test_numbers_are_written_with_their_decimals(self, out):
        for topic, table in book.load(out).items():
            for fact in table.facts:
                for key, value in fact.numbers.items():
                    digits = TABLES[topic].columns[key][1]
                    assert np.isnan(value) or value == round(value, digits)
                    assert isinstance(value, float if digits else int)


def test_bound_numbers_that_follow(tmp_path):
    cells = [
        (
            "markdown",
            "7<!--= fee -->, 8<!--=> mean -->, 9<!--= market.facts('tails')['value'].max() -->",
        ),
        ("code", "from hedgelib import market\nfee = 3\nrows = []\npaid = market.facts('funding_by_year')"),
        ("code", "mean = paid['value'].mean()\nrows.append(mean)\n\ndef draw(fig):\n    return {'a': mean}"),
        ("markdown", "1<!--= fee -->, 2<!--= 100 * mean -->, 3<!--= at(draw)['a'] -->, 4<!--= len(rows) -->"),
        ("code", "market.facts('touched')\nfee = market.facts('touched')['value'].max()"),
        ("markdown", "5<!--= fee --> and 6<!--= market -->"),
    ]
    (tmp_path / "notebooks").mkdir()
    notebook = {"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}
    (tmp_path / "notebooks" / "04_funding.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "TEACHING.md").write_text("Say 1<!--= 04: mean -->, not 2<!--= 04: market -->.")
    found = {
        topic: [line.split(": ")[1].split(" = ")[0] for line in lessons.followers({topic}, tmp_path)]
        for topic in ("funding_by_year", "touched", "tails", "extremes")
    }
    assert found == {
        "funding_by_year": ["8", "2", "3", "4", "1"],
        "touched": ["5"],
        "tails": ["9"],
        "extremes": [],
    }


def test_the_planner_follows_every_topic(tmp_path):
    cells = [
        ("code", "from hedgelib.planner import Worksheet as Sheet"),
        ("markdown", "1<!--= Sheet().x -->"),
    ]
    (tmp_path / "notebooks").mkdir()
    notebook = {"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}
    (tmp_path / "notebooks" / "09_plan.ipynb").write_text(json.dumps(notebook))
    assert list(lessons.followers({"tails"}, tmp_path)) == ["09_plan, cell 2: 1 = Sheet().x"]
    assert not list(lessons.followers(set(), tmp_path))


def drop(path, line):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:line] + lines[line + 1 :]))


def swap(path, line):
    lines = path.read_text().splitlines(keepends=True)
    lines[line], lines[line + 1] = lines[line + 1], lines[line]
    path.write_text("".join(lines))


def put(path, line, column, value):
    table = pd.read_csv(path, dtype=str)
    table.iloc[line, column] = value
    table.to_csv(path, index=False)


def rename(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def copy(path, other):
    other.write_text(path.read_text())


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda f: drop(f / "ohlc_daily_btcusdt.csv", 300),
            "ohlc_daily_btcusdt.csv misses rows before 2020-05-",
        ),
        (
            lambda f: swap(f / "ohlc_daily_ethusdt.csv", 300),
            "ohlc_daily_ethusdt.csv is out of order: 2020-05-",
        ),
        (lambda f: drop(f / "funding_8h.csv", 300), "funding_8h.csv, BTCUSDT, misses rows before 2019-12-"),
        (lambda f: drop(f / "perp_ohlc_8h_btcusdt.csv", 9), "must follow another by 8 hours"),
        (lambda f: swap(f / "funding_8h.csv", 300), "funding_8h.csv, BTCUSDT, is out of order"),
        (lambda f: put(f / "funding_8h.csv", 9, 2, "0.05"), "a rate is a fraction of the notional"),
        (lambda f: put(f / "funding_8h.csv", 9, 2, "0.01 %"), "has '0.01 %' in rate_per_8h: no number"),
        (
            lambda f: put(f / "prices_daily.csv", 9, 0, "yesterday"),
            "has 'yesterday' where a time should stand",
        ),
        (
            lambda f: put(f / "prices_daily.csv", 9, 3, "-3"),
            "prices_daily.csv, sol_usdt, has a price that is not above 0",
        ),
        (lambda f: put(f / "prices_daily.csv", 9, 3, ""), "has no price at 2019-08-10 00:00"),
        (lambda f: put(f / "ohlc_daily_btcusdt.csv", 9, 2, "1"), "has a price outside low and high"),
        (
            lambda f: copy(f / "ohlc_daily_btcusdt.csv", f / "ohlc_daily_ethusdt.csv"),
            "ohlc_daily_ethusdt.csv has no column volume_eth: is it of another coin",
        ),
        (
            lambda f: (
                copy(f / "ohlc_daily_btcusdt.csv", f / "ohlc_daily_ethusdt.csv"),
                rename(f / "ohlc_daily_ethusdt.csv", "volume_btc", "volume_eth"),
            ),
            "prices_daily.csv, ETH, has ",
        ),
        (
            lambda f: rename(f / "prices_daily.csv", "btc_usdt,eth_usdt", "eth_usdt,btc_usdt"),
            "prices_daily.csv, ETH, has ",
        ),
        (
            lambda f: rename(f / "perp_close_daily.csv", "sol_usdt", "eth_usdt"),
            "perp_ohlc_daily_ethusdt.csv, ETH, has",
        ),
        (
            lambda f: rename(f / "prices_daily.csv", "sol_usdt", "sol"),
            "columns of prices are named as btc_usdt",
        ),
        (lambda f: (f / "funding_8h.csv").write_text("settled"), "funding_8h.csv has no column time_utc"),
        (lambda f: [path.unlink() for path in f.iterdir()], "holds no rows"),
    ],
)
def test_bad_rows_stop_the_tool_and_leave_the_file(tables, tmp_path, capsys, spoil, sentence):
    folder, out = tmp_path / "rows", tmp_path / "facts.toml"
    folder.mkdir()
    for path in tables.iterdir():
        copy(path, folder / path.name)
    out.write_text("as it was")
    spoil(folder)
    said = facts.main([str(folder), str(out)])
    assert sentence in said and said.startswith(f"{out} is left as it was: ") and "\n" not in said
    assert out.read_text() == "as it was" and [path.name for path in tmp_path.iterdir()] == [
        "rows",
        "facts.toml",
    ]
    assert capsys.readouterr().out == ""


def test_fewer_days_than_a_window_are_refused(tables, tmp_path):
    said = facts.main([str(tables), str(tmp_path / "facts.toml"), "--to", "2020-07-30"])
    assert "has 365 days; for a window of a year there must be 366" in said
    assert not list(tmp_path.iterdir())


def test_a_perpetual_of_another_coin_is_refused(tables, tmp_path):
    for path in tables.iterdir():
        copy(path, tmp_path / path.name)
    table = pd.read_csv(tmp_path / "perp_close_daily.csv")
    table["sol_usdt"] *= 2
    table.to_csv(tmp_path / "perp_close_daily.csv", index=False)
    with pytest.raises(RowsError, match=r"perpetual and spot of SOL are \+1\d\d% apart at 2019-08-01"):
        read(tmp_path)


def test_a_damaged_cache_is_refused(cached, tmp_path):
    place = tmp_path / "binance" / "BTCUSDT"
    place.mkdir(parents=True)
    for path in (cached / "binance" / "BTCUSDT").iterdir():
        copy(path, place / path.name)
    rename(place / "spot-8h-2020.csv", ",1", ",2")
    with pytest.raises(RowsError, match=r"spot-8h-2020.csv is damaged"):
        read(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(RowsError, match="is no folder"):
        read(tmp_path / "nowhere")
