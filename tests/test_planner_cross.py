"""The cross hedge: hold one coin, short another; on paper, against plain numpy, and on its page."""

import math

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from hedgelib import contracts, market, planner
from hedgelib.planner import CrossWorksheet, Worksheet, WorksheetError

TAKER = 0.0005
ADA = {"held": "ADA", "coins": 20_000, "price": 0.75, "contract": "BTCUSDT", "short_price": 60_000}


def plan(**given):
    given = ADA | given
    return CrossWorksheet(given.pop("held"), given.pop("coins"), given.pop("price"), **given)


def pair(days, seed, beta=1.2, noise=0.03):
    """Closes of two coins by day: the one held moves beta times as much as the one shorted, and by itself."""
    rng = np.random.default_rng(seed)
    shorted = 0.03 * rng.standard_normal(days - 1)
    held = beta * shorted + noise * rng.standard_normal(days - 1)
    index = pd.date_range("2024-01-01", periods=days, tz="UTC")
    walk = [np.concatenate([[1], np.cumprod(1 + np.clip(moves, -0.5, 0.5))]) for moves in (held, shorted)]
    return {"held_closes": pd.Series(0.75 * walk[0], index), "short_closes": pd.Series(6e4 * walk[1], index)}


def test_a_plan_worked_by_hand():
    # 20,000 ADA are worth 15,000; 1.2 of it is 18,000, which is 0.3 BTC; 2x takes 9,000, the fee is 9.
    sheet = plan(ratio=1.2, reserve=3_000)
    assert (sheet.quantity, sheet.short.margin, sheet.short.opening_fee) == (0.3, 9_000, pytest.approx(9))
    assert sheet.short.liquidation == pytest.approx(27_000 / (0.3 * 1.004))
    assert sheet.short.liquidation_with_reserve == pytest.approx(30_000 / (0.3 * 1.004))
    told = planner.at_both(sheet, [0.60, 0.60, 0.75, 0.90], [51_000, 60_000, 70_000, 100_000])
    # BTC at 100,000 takes margin and reserve, though ADA has gained 3,000 only.
    assert told["held_pnl"].tolist() == pytest.approx([-3_000, -3_000, 0, 3_000])
    assert told["short_pnl"].tolist() == pytest.approx([2_700, 0, -3_000, -12_000])
    assert told["balance"].tolist()[:2] == pytest.approx([11_700, 9_000]) and math.isnan(told["balance"][3])
    assert told["event"][3].startswith("liquidated at 99,601.59")
    ready = planner.summary(sheet)["Have ready"]
    assert ready.startswith("12,009.00 USDT besides the coins: margin 9,000.00 USDT, fee 9.00 USDT")


def test_a_band_worked_by_hand():
    # ADA doubles while BTC stands still: 30,000 of ADA want 36,000 short, and 18,000 are there. On a way of
    # sixty equal steps the short follows whenever it lags by more than a tenth of what ADA is worth then.
    sheet = plan(ratio=1.2, band=0.1)
    held, value, trades = 0.3, 15_000, 0
    for step in range(60):
        worth = value * (1 + step / 59)
        if abs(1.2 * worth - held * 60_000) > 0.1 * worth:
            held, trades = math.floor(1.2 * worth / 60_000 * 1_000 + 1e-9) / 1_000, trades + 1
    told = planner.at_both(sheet, 1.5, 60_000).iloc[0]
    assert trades == 7
    assert told.fees == pytest.approx(-held * 60_000 * TAKER)
    assert told.balance == pytest.approx(held * 30_000)
    assert (told.held_pnl, told.short_pnl) == pytest.approx((15_000, 0))


def by_hand(sheet, held, shorted, band):
    """P&L, later fees and trades of one path, isolated, without reserve: plain arithmetic, bar by bar."""
    rules, value = sheet.rules, sheet.value * held / held[0]
    prices = sheet.short_price * shorted / shorted[0]
    short, entry = sheet.quantity, prices[0]
    margin, gained, fees = short * entry / sheet.leverage, 0.0, 0.0
    trades = 0
    for worth, price in zip(value[1:], prices[1:], strict=True):
        notional = short * price
        place = max(np.searchsorted(rules.brackets.floors, notional) - 1, 0)
        needed = notional * rules.brackets.rates[place] - rules.brackets.amounts[place]
        if margin + short * (entry - price) <= needed:
            return value[-1] - value[0] + gained - margin - fees, fees, trades
        wanted = math.floor(sheet.used * worth / price / rules.step + 1e-9) * rules.step
        added = wanted - short
        out = band and abs(notional - sheet.used * worth) > band * worth
        if out and (added < 0 or added * price >= rules.minimum_notional):
            fees += abs(added) * price * rules.taker_fee
            trades += 1
            if added > 0:
                entry = (short * entry + added * price) / wanted
                margin += added * price / sheet.leverage
            else:
                gained += -added * (entry - price)
                margin *= wanted / short
            short = wanted
    return value[-1] - value[0] + gained + short * (entry - prices[-1]) - fees, fees, trades


@settings(max_examples=15)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.02, 0.1]),
    st.floats(1, 12),
    st.sampled_from([7, 30]),
    st.floats(0.2, 3),
    st.sampled_from(["ETHUSDT", "BTCUSDT"]),
)
def test_every_number_is_that_of_plain_numpy(seed, band, leverage, days, beta, symbol):
    lists = pair(160, seed, beta=beta)
    try:
        sheet = plan(**lists, band=band, leverage=leverage, days=days, contract=symbol)
    except WorksheetError as refused:
        assert list(refused.problems) == ["leverage"]
        return
    levels = [series.to_numpy() for series in lists.values()]
    held, shorted = (level[1:] / level[:-1] - 1 for level in levels)
    line = linregress(shorted, held)
    assert sheet.used == pytest.approx(line.slope)
    assert sheet.estimates["era"].r_squared == pytest.approx(line.rvalue**2)
    assert sheet.follows == pytest.approx(linregress(held, shorted).slope)
    assert sheet.quantity == pytest.approx(math.floor(line.slope * 15_000 / 60 + 1e-9) / 1_000)
    ratio = sheet.quantity * 60_000 / 15_000
    table = planner.stays(sheet)
    assert list(table.index) == [1, 7, 30]
    for length, row in table.iterrows():
        moved, other = (level[length:] / level[:-length] - 1 for level in levels)
        assert row.left == pytest.approx(15_000 * np.std(moved - ratio * other))
        assert row.removed == pytest.approx(1 - np.var(moved - ratio * other) / np.var(moved))
    rows = planner.rebalancing(sheet)
    ends = [
        by_hand(sheet, *(level[first : first + days + 1] for level in levels), band)
        for first in range(160 - days)
    ]
    results, fees, trades = (np.array(each) for each in zip(*ends, strict=True))
    row, opening = rows.loc[band], sheet.quantity * 60_000 * TAKER
    assert row.left == pytest.approx(np.std(results), rel=1e-6)
    assert row.fees == pytest.approx(-fees.mean(), abs=1e-6)
    assert row.trades == pytest.approx(trades.mean())
    worst = np.sort(results - opening)
    count = 0.05 * len(worst)
    weights = np.clip(count - np.arange(len(worst)), 0, 1)
    assert row.worst == pytest.approx(np.average(worst, weights=weights), rel=1e-6)


def test_its_short_is_the_worksheet_of_as_many_coins():
    sheet = plan(ratio=1.2, leverage=3, reserve=2_000, mode="cross", stop=0.1, volatility=0.5)
    alone = Worksheet(
        0.3, 0, 60_000, ratio=1, leverage=3, reserve=2_000, mode="cross", stop=0.1, volatility=0.5
    )
    assert sheet.short == alone
    # A stop of BTC ends the hedge wherever ADA stands.
    told = planner.at_both(sheet, 0.75, 72_000).iloc[0]
    assert told.short_pnl == pytest.approx(-0.3 * 6_000) and told.event.startswith("stop")
    assert "trigger 66,000.00" in planner.markdown(sheet)


def test_it_is_followed_by_both_prices():
    sheet = plan(ratio=1.2, reserve=3_000, band=0.1, fall=0.3)
    told = planner.follow(sheet, 66_000, day=10, funding=20, held_price=0.90)
    # 20,000 ADA have gained 3,000, 0.3 BTC have lost 1,800; 19,800 are short for 18,000 of ADA.
    assert told["So far"] == "+1,211 USDT: ADA +3,000 USDT, short −1,800 USDT, funding +20 USDT, fees −9 USDT"
    assert told["Two values"] == "1.10 USDT of BTC short per USDT of ADA, wanted 1.20"
    assert told["Margin balance"].startswith("7,220 USDT of 19,800 USDT notional")
    assert "out of its band" not in told["Do"]
    told = planner.follow(sheet, 60_000, day=10, held_price=1.20)
    assert told["Do"] == "out of its band: bring the short to 0.48 BTC"
    told = planner.follow(sheet, 40_000, day=10, held_price=0.50)
    assert "the feared fall of ADA has come" in told["Do"]
    assert planner.follow(sheet, 91_000, day=3, posted=0, held_price=0.7)["State"].startswith("liquidated")
    with pytest.raises(ValueError, match="held_price"):
        planner.follow(sheet, 60_000, day=1)
    with pytest.raises(ValueError, match="for a cross hedge"):
        planner.follow(sheet.short, 60_000, day=1, held_price=1)


class TestCloses:
    def test_files_frames_and_series_say_the_same(self, tmp_path):
        lists = pair(60, 1)
        file = tmp_path / "ada.csv"
        days = (lists["held_closes"].index - pd.Timedelta(days=1)).strftime("%Y-%m-%d")
        rows = zip(days, lists["held_closes"], strict=True)
        file.write_text("date,close\n" + "".join(f"{day},{close!r}\n" for day, close in rows))
        from_file = plan(**lists | {"held_closes": file})
        assert from_file.used == pytest.approx(plan(**lists).used)
        frame = pd.DataFrame({"mark": lists["short_closes"], "spot": 1.0})
        naive = lists["held_closes"].tz_localize(None)
        assert plan(held_closes=naive, short_closes=frame).used == plan(**lists).used

    def test_bars_shorter_than_a_day_count_at_midnight(self):
        both = market.scenario("perp_era", seed=8, days=90, coins=("BTC", "ETH"))
        sheet = plan(held_closes=both["BTC"], short_closes=both["ETH"], held="SOL", contract="ETHUSDT")
        midnight = both[both.index.hour == 0]
        moves = [midnight["BTC"]["spot"].pct_change().dropna(), midnight["ETH"]["mark"].pct_change().dropna()]
        assert sheet.used == pytest.approx(linregress(moves[1], moves[0]).slope)

    def test_the_last_days_decide_if_they_shall(self):
        lists = pair(800, 3)
        sheet = plan(**lists, judge="last 365 days")
        held, shorted = (series.pct_change().to_numpy()[-365:] for series in lists.values())
        assert sheet.used == pytest.approx(linregress(shorted, held).slope)
        assert list(sheet.estimates) == ["last 365 days", "era"]
        assert sheet.short.outlook.source.endswith("last 365 days")

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (lambda series: series.iloc[:10], "at least 20 days, got 10"),
            (lambda series: series.drop(series.index[7]), "2024-01-08 is missing"),
            (lambda series: series.shift(1, freq="D"), "one day apart"),
            (lambda series: series[::-1], "ascend in time"),
            (lambda series: series.to_numpy(), "must be a series of closes by date"),
            (lambda series: series.reset_index(drop=True), "dates as their index"),
            (lambda series: -series, "above 0"),
            (lambda series: "nowhere.csv", "cannot read nowhere.csv"),
        ],
    )
    def test_lists_that_cannot_be_used_are_refused(self, change, complaint):
        lists = pair(60, 1)
        with pytest.raises(WorksheetError, match=complaint) as refused:
            plan(**lists | {"held_closes": change(lists["held_closes"])})
        assert list(refused.value.problems) == ["held_closes"]


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("held", " ", "name of a coin"),
        ("coins", 0, "above 0"),
        ("price", -1, "above 0"),
        ("short_price", 0.001, "at least one tick"),
        ("ratio", 6, "at most 5"),
        ("ratio", None, "give a ratio, or held_closes and short_closes"),
        ("held_closes", pair(60, 1)["held_closes"], "other price list"),
        ("contract", "BTCUSD", "margined in USDT, such as BTCUSDT"),
        ("contract", "NONEUSDT", "one of"),
        ("contract", "ADAUSDT", "a future on ADA itself"),
        ("coins", 0.1, "more coins"),
        ("coins", 1e11, "known only up to"),
        ("leverage", 200, "at most 150"),
        ("leverage", math.nan, "finite"),
        ("mode", "both", "one of"),
        ("days", 1.5, "whole"),
        ("stop", 0.6, "before this stop"),
        ("band", 2, "at most 1"),
        ("judge", "me", "one of"),
        ("fall", 1, "below 1"),
        ("reserve", -1, "at least 0"),
    ],
)
def test_what_is_refused_is_named(field, value, complaint):
    with pytest.raises(WorksheetError) as refused:
        plan(**{"ratio": 1.2} | {field: value})
    name = "short_closes" if field == "held_closes" else field
    assert list(refused.value.problems) == [name]
    assert complaint in refused.value.problems[name]


def test_coins_that_move_against_each_other_are_refused():
    with pytest.raises(WorksheetError, match="a short adds risk"):
        plan(**pair(200, 5, beta=-1))


@pytest.mark.parametrize("known", [True, False])
def test_the_page_names_each_coin(known):
    sheet = plan(**pair(400, 2) if known else {"ratio": 1.2}, reserve=1_000, band=0.05, take_profit=0.2)
    written, page = planner.markdown(sheet), BeautifulSoup(planner.page(sheet), "html.parser").text
    page = page.replace("\N{NO-BREAK SPACE}", " ")
    order = planner.summary(sheet)["Order"]
    assert order.startswith("SELL ") and " BTC of BTCUSDT at 60,000.00" in order
    assert "20,000 ADA at 0.75 USDT, worth 15,000 USDT today" in written
    assert "liquidation price of BTC" in written and "nan" not in written
    assert order in page and "nan" not in page
    for title in ("Rebalance by value", "What stays open", "Two prices", "Remove the hedge when"):
        assert f"## {title}\n" in written and title in page
    rows = planner.ladder_csv(sheet).splitlines()
    assert rows[0] == "level,price,order,action,change,short_pnl,fees,balance,margin_ratio,event"
    assert any(row.startswith('take profit,48000.0,"BUY TAKE_PROFIT_MARKET') for row in rows)
    assert ("How much stays is not known" in written) is not known


def test_prices_are_written_by_the_tick():
    tick = contracts.get("DOGEUSDT").tick
    sheet = plan(contract="DOGEUSDT", short_price=0.12345, ratio=1, stop=0.2, coins=2_000)
    assert "at 0.12345" in planner.summary(sheet)["Order"]
    stop = planner.ladder(sheet).set_index("level").loc["stop"]
    assert stop.price == pytest.approx(round(0.12345 * 1.2 / tick) * tick)
    assert f",{stop.price}," in planner.ladder_csv(sheet)
    assert f"{stop.price:,.5f}" in planner.markdown(sheet) and f"{stop.price:,.5f}" in planner.page(sheet)
