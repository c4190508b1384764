"""The worksheet: hand-computed plans, refusals that name their field, pages that hold what they promise."""

import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hedgelib import contracts, market, planner
from hedgelib.planner import Worksheet, WorksheetError
from hedgelib.planner.outlook import History, Published
from hedgelib.planner.writing import NO_ORDER

START = {"coins": 2.5, "cost": 30_000, "price": 60_000, "fall": 0.2, "leverage": 3, "days": 60}
PLAN = START | {"bearable": 12_000, "reserve": 15_000}


def tables_of(sheet):
    """The tables of the printed page by their headings, rows of texts."""
    page = BeautifulSoup(planner.page(sheet), "html.parser")
    return {
        table.find_previous("h2").text: [
            tuple(cell.text for cell in row.select("th, td")) for row in table.select("tr")
        ]
        for table in page.select("table")
    }


class TestHandComputed:
    def test_ratio_from_the_bearable_loss(self):
        assert Worksheet(**PLAN).share == pytest.approx(1 - 12_000 / (2.5 * 60_000 * 0.2))

    def test_order_margin_and_liquidation(self):
        sheet = Worksheet(**PLAN)
        assert (sheet.ticket.quantity, sheet.ticket.initial_margin) == (1.5, 30_000)
        assert sheet.liquidation == pytest.approx((30_000 + 90_000) / (1.5 * 1.004))
        assert sheet.liquidation_with_reserve == pytest.approx((45_000 + 90_000) / (1.5 * 1.004))

    def test_a_reserve_in_cross_mode_backs_the_short_from_the_start(self):
        sheet = Worksheet(**PLAN, mode="cross")
        assert sheet.liquidation == sheet.liquidation_with_reserve == pytest.approx(135_000 / (1.5 * 1.004))
        assert list(planner.chances(sheet).index) == ["as opened"]

    def test_margin_from_coins_counts_the_coins_that_are_left(self):
        # 0.625 of 2.5 BTC are sold at 3x; 1.875 are kept and all of them shorted.
        sheet = Worksheet(**START, ratio=1, margin_from="coins")
        assert (sheet.coins_kept, sheet.ticket.quantity) == (1.875, 1.875)

    def test_margin_from_coins_still_loses_no_more_than_is_bearable(self):
        sheet = Worksheet(**START, bearable=12_000, margin_from="coins")
        assert sheet.at(48_000)["total_pnl"].item() == pytest.approx(-12_000, abs=12)

    def test_coin_margin_at_1x_has_no_liquidation_price(self):
        inverse = {"contract": "BTCUSD", "margin_from": "coin_margined", "leverage": 1, "ratio": 1}
        sheet = Worksheet(**START | inverse)
        assert sheet.liquidation == math.inf
        assert sheet.at([40_000, 90_000])["total_pnl"].to_numpy() == pytest.approx([0, 0])
        assert list(planner.ladder(sheet)["level"]) == ["open", "feared fall"]
        assert planner.chances(sheet)["measured"].tolist() == [0]

    def test_beyond_the_liquidation_price_the_margin_is_gone_and_the_coins_go_on(self):
        row = Worksheet(**PLAN).at(90_000).iloc[0]
        assert (row["coins_pnl"], row["short_pnl"]) == (75_000, -30_000)
        assert np.isnan(row["balance"])

    def test_margin_ratio_at_the_alarm_is_two_percent(self):
        sheet = Worksheet(**PLAN)
        at = sheet.at(sheet.alarm).iloc[0]
        assert at["balance"] == pytest.approx(30_000 - 1.5 * (79_681.2749 / 1.1954 - 60_000))
        assert at["margin_ratio"] == pytest.approx(0.02, abs=0.0005)

    def test_carry(self):
        table = planner.carry(Worksheet(**PLAN))
        assert table.loc["Funding", "expected"] == pytest.approx(90_000 * 180 * 1.0705e-4)
        assert table.loc["Funding", "bad"] == pytest.approx(-0.01312 * 90_000)
        assert table.loc["Fees"].tolist() == [-90, -90]
        assert table.loc["Total"].to_numpy() == pytest.approx(table.loc[["Funding", "Fees"]].sum().to_numpy())

    def test_what_stays_open_of_the_feared_fall_is_the_bearable_loss(self):
        open_ = dict(tables_of(Worksheet(**PLAN))["What stays open"][1:])
        assert open_["result of a fall to 48,000 USDT"] == "−12,000 USDT, without a hedge −30,000 USDT"
        assert open_["coins without a short"] == "1 of 2.5 BTC"


class TestLadder:
    def test_prices_descend_and_orders_reduce_only(self):
        ladder = planner.ladder(Worksheet(**PLAN, take_profit=0.1, stop=0.25))
        assert ladder["price"].is_monotonic_decreasing
        orders = ladder.set_index("level")["order"]
        assert orders["open"] == "SELL LIMIT 1.5 BTC"
        assert orders["stop"] == "BUY STOP 1.5 BTC, reduce-only, on mark"
        assert orders["take profit"] == "BUY TAKE_PROFIT 1.5 BTC, reduce-only"

    def test_an_alarm_within_one_best_day_rings_from_the_start(self):
        ladder = planner.ladder(Worksheet(**PLAN | {"leverage": 10})).set_index("level")
        assert ladder.loc["alarm", "price"] == 60_000
        assert "rings from the start" in ladder.loc["alarm", "action"]
        assert "watch" not in ladder.index

    def test_csv_can_be_read_back(self):
        sheet = Worksheet(**PLAN)
        table = pd.read_csv(io.StringIO(planner.ladder_csv(sheet)))
        assert table["price"].tolist() == planner.ladder(sheet)["price"].tolist()


BOUNDS = {
    "yours is less likely": "at most",
    "yours is more likely": "at least",
    "only a rough guide to yours": "about",
}


class TestOutlook:
    @pytest.mark.parametrize(
        ("rise", "days", "words"),
        [
            (0.328, 60, "a rise of 33 % within 60 days; 90 % interval 18 % to 37 %"),
            (0.328, 45, "a rise of 33 % within 60 days; yours is less likely"),
            (0.45, 60, "a rise of 33 % within 60 days; yours is less likely"),
            (0.05, 60, "a rise of 10 % within 60 days; yours is more likely"),
            (0.328, 120, "a rise of 33 % within 90 days; yours is more likely"),
            (0.45, 120, "a rise of 33 % within 90 days; only a rough guide to yours"),
            (math.inf, 60, "no rise reaches it"),
        ],
    )
    def test_the_case_says_how_it_compares(self, rise, days, words):
        measured = Published("BTC").touched(rise, days)
        said = measured.case.partition("; ")[2] or measured.case
        assert measured.case == words
        assert measured.bound == BOUNDS.get(said, "")

    def test_history_counts_starts(self):
        # Up from 100 to 140 in 40 days, one a day, and down again: only starts of the first days gain 20 %.
        hills = market.drawn({0: 100, 40: 140, 80: 100}, rate=1e-4)
        found = History(hills)
        rising = [
            day / 3 for day in range(151) if min(140, 100 + day / 3 + 30) >= 1.2 * (100 + day / 3) - 1e-9
        ]
        first_half = [day for day in rising if day <= 40]
        assert found.touched(rise=0.2, days=30).share == pytest.approx(len(first_half) / 151)
        assert found.funding(30)[:2] == pytest.approx((90e-4, 90e-4))

    def test_history_measures_days(self):
        closes = np.array([100, 110, 99, 120, 120.0])
        found = History(market.drawn(dict(enumerate(closes.tolist()))))
        assert found.best_day == pytest.approx(120 / 99 - 1)
        returns = np.log(closes[1:] / closes[:-1])
        assert found.volatility == pytest.approx(np.std(returns, ddof=1) * math.sqrt(365))
        assert found.basis == 0

    def test_worksheet_judges_by_the_history_it_is_given(self):
        frame = market.drawn({0: 60_000, 200: 60_000}, rate=-1e-4)
        sheet = Worksheet(**PLAN, market=frame)
        assert planner.carry(sheet).loc["Funding"].to_numpy() == pytest.approx([-180e-4 * 90_000] * 2)
        assert planner.chances(sheet)["measured"].tolist() == [0, 0]
        assert frame.attrs["label"] in planner.markdown(sheet)


REFUSED = [
    ({"coins": -1}, "coins", "above 0"),
    ({"coins": float("nan")}, "coins", "finite"),
    ({"coins": 0.001, "price": 40_000}, "coins", "below the minimum of 50.00"),
    ({"coins": 1e9}, "coins", "brackets"),
    ({"cost": -1}, "cost", "at least 0"),
    ({"price": "60000"}, "price", "finite number above 0"),
    ({"price": 0.01}, "price", "one tick"),
    ({"ratio": 1.5}, "ratio", "at most 1"),
    ({"bearable": 100}, "ratio", "and not both"),
    ({"ratio": None}, "ratio", "either ratio or bearable"),
    ({"ratio": None, "bearable": 40_000}, "bearable", "you need no hedge"),
    ({"fall": 1}, "fall", "below 1"),
    ({"contract": "DOGE"}, "contract", "BTCUSDT"),
    ({"contract": "BTCUSD"}, "margin_from", "choose coin_margined"),
    ({"margin_from": "coin_margined"}, "margin_from", "BTCUSD"),
    ({"margin_from": "coins", "reserve": 5}, "reserve", "from outside"),
    ({"leverage": 0.5}, "leverage", "at least 1"),
    ({"leverage": 125, "coins": 400}, "leverage", "allows at most 25x"),
    ({"mode": "hedge"}, "mode", "'cross'"),
    ({"days": 1.5}, "days", "whole"),
    ({"days": 400}, "days", "at most 365"),
    ({"stop": 0.4}, "stop", "before this stop"),
    ({"market": "prices.csv"}, "market", "."),
]


class TestRefusals:
    def test_every_refusal_names_a_field_of_the_worksheet(self):
        assert {field for _, field, _ in REFUSED} <= set(Worksheet.__dataclass_fields__)

    @pytest.mark.parametrize(("change", "field", "why"), REFUSED)
    def test_the_field_is_named(self, change, field, why):
        with pytest.raises(WorksheetError) as refused:
            Worksheet(**START | {"ratio": 0.6} | change)
        assert list(refused.value.problems) == [field]
        assert why in refused.value.problems[field]
        assert isinstance(refused.value, ValueError)

    def test_several_fields_complain_at_once(self):
        with pytest.raises(WorksheetError) as refused:
            Worksheet(coins=0, cost=-1, price=60_000, ratio=0.5, leverage=0)
        assert set(refused.value.problems) == {"coins", "cost", "leverage"}

    def test_a_history_shorter_than_twice_the_horizon(self):
        with pytest.raises(WorksheetError, match="at most half of the history") as refused:
            Worksheet(**PLAN, market=market.drawn({0: 60_000, 90: 60_000}))
        assert list(refused.value.problems) == ["days"]


@pytest.fixture
def solana():
    """A plan for a coin of which little was measured."""
    return Worksheet(coins=100, cost=50, price=150, contract="SOLUSDT", ratio=0.5, days=60, reserve=500)


class TestCoinWithoutFacts:
    def test_order_and_liquidation_are_known(self, solana):
        assert (solana.ticket.quantity, solana.ticket.initial_margin) == (50, 3_750)
        assert solana.liquidation == pytest.approx(150 * 1.5 / 1.005)
        assert list(planner.ladder(solana)["level"]) == ["liquidation", "open", "feared fall"]
        assert planner.carry(solana).loc["Fees"].tolist() == [-7.5, -7.5]

    def test_what_is_not_measured_is_said_and_never_guessed(self, solana):
        assert planner.carry(solana).drop("Fees")["bad"].isna().all()
        assert planner.chances(solana)[["formula", "measured"]].isna().all(axis=None)
        told = planner.summary(solana)
        assert told["Dies within 60 days"] == "not known by formula, not known measured"
        assert told["Alarm"] == "not known: no day of SOL was measured"
        missing = "worst month of funding, volatility, best day, rises"
        period = "published facts, 2024-02 to 2026-02"
        assert f"{period} (not measured for SOL: {missing})" in planner.markdown(solana)
        assert "nan" not in planner.page(solana)

    def test_its_picture_has_both_axes(self, solana):
        figure = Figure()
        planner.draw(figure, solana)
        assert len(figure.axes) == 2 and "SOL" in figure.axes[1].texts[0].get_text()

    def test_its_history_tells_the_rest(self, solana):
        hills = market.drawn({0: 100, 40: 140, 200: 100}, rate=1e-4, symbol="SOLUSDT")
        judged = replace(solana, market=hills)
        growth = [(101 + day) / (100 + day) for day in range(40)]
        assert judged.alarm == pytest.approx(judged.liquidation / max(growth))
        assert planner.carry(judged).loc["Funding"].to_numpy() == pytest.approx([180e-4 * 50 * 150] * 2)
        assert not planner.chances(judged).isna().any(axis=None)


def test_every_contract_has_facts_or_says_that_it_has_none():
    for symbol in contracts.symbols():
        base = contracts.get(symbol).base
        coin = Published(base)
        known = [
            coin.volatility,
            coin.best_day,
            coin.basis,
            *coin.funding(30)[:2],
            coin.touched(0.3, 60).share,
        ]
        assert np.isfinite(known).all() or f"not measured for {base}" in coin.source


plans = st.fixed_dictionaries(
    {
        "coins": st.floats(0.01, 100),
        "cost": st.floats(0, 1e5),
        "price": st.floats(100, 2e5),
        "ratio": st.floats(0.05, 1),
        "leverage": st.floats(1, 20),
        "fall": st.floats(0.01, 0.95),
        "days": st.integers(1, 365),
        "take_profit": st.floats(0, 0.9),
        "stop": st.floats(0, 0.5),
        "reserve": st.sampled_from([0.0, 1_000.0, 1e6]),
        "mode": st.sampled_from(["isolated", "cross"]),
        "margin_from": st.sampled_from(["outside", "coins", "coin_margined"]),
        "contract": st.sampled_from(contracts.symbols()),
    }
)


@settings(max_examples=60)
@given(plans)
def test_every_plan_is_refused_by_name_or_can_be_printed(inputs):
    try:
        sheet = Worksheet(**inputs)
    except WorksheetError as refused:
        assert refused.problems and set(refused.problems) <= set(inputs)
        return
    assert sheet.liquidation > sheet.price
    assert sheet.liquidation_with_reserve >= sheet.liquidation
    assert 0 < sheet.value <= sheet.coins_kept * sheet.share * sheet.price * (1 + 1e-9)
    ladder = planner.ladder(sheet)
    assert ladder["price"].is_monotonic_decreasing
    by_formula = planner.chances(sheet)["formula"]
    assert by_formula.between(0, 1).all() or np.isnan(sheet.outlook.volatility)
    for text in (planner.markdown(sheet), planner.page(sheet), *planner.summary(sheet).values()):
        assert "nan" not in text and "inf " not in text


class TestPages:
    def test_markdown_and_html_say_the_same(self):
        sheet = Worksheet(**PLAN, take_profit=0.1)
        page = BeautifulSoup(planner.page(sheet), "html.parser")
        written = planner.markdown(sheet)
        assert page.html["lang"] == "en" and page.title.text
        for cell in page.select("h2, p, td, th, li"):
            assert cell.text in written
        assert NO_ORDER in page.text

    def test_the_page_asks_for_nothing_from_elsewhere(self):
        page = planner.page(Worksheet(**PLAN))
        assert not any(word in page for word in ("http", "src=", "<script", "@import"))

    def test_all_six_steps_and_the_end_are_there(self):
        titles = [line for line in planner.markdown(Worksheet(**PLAN)).splitlines() if line.startswith("## ")]
        steps = " ".join(titles)
        assert all(f"{step}" in steps for step in range(1, 7))
        assert titles[-1] == "## Remove the hedge when"

    def test_the_table_to_fill_in_runs_to_the_horizon(self):
        head, *rows = tables_of(Worksheet(**PLAN))["Step 6: watch, and write it down"]
        days = [int(row[0]) for row in rows]
        assert (days[0], days[-1]) == (0, 60) and days == sorted(days) and len(days) <= 10
        assert {row[head.index("date")] for row in rows} == {""}


def test_picture_has_two_axes_with_and_without_a_liquidation_price():
    for change in ({}, {"contract": "BTCUSD", "margin_from": "coin_margined", "leverage": 1, "reserve": 0}):
        figure = Figure()
        assert planner.draw(figure, Worksheet(**PLAN | change))["Order"].startswith("SELL")
        assert len(figure.axes) == 2
