"""The worksheet: refusals that name their field, the ladder, and pages that hold what they promise."""

import base64
import datetime
import io
import math
import re
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
from hedgelib.planner.outlook import Published
from hedgelib.planner.sections import sections
from hedgelib.planner.writing import NO_ORDER

FEE = contracts.get("BTCUSDT").taker_fee
START = {"coins": 2.5, "cost": 30_000, "price": 60_000, "fall": 0.2, "leverage": 3, "days": 60}
PLAN = START | {"bearable": 12_000, "reserve": 15_000}


def read(html):
    """A page to look into, its blanks that end no line as any other."""
    return BeautifulSoup(html.replace("\N{NO-BREAK SPACE}", " "), "html.parser")


def tables_of(sheet):
    """The tables of the printed page by their headings, rows of texts."""
    page = read(planner.page(sheet))
    return {
        table.find_previous("h2").text: [
            tuple(cell.text for cell in row.select("th, td")) for row in table.select("tr")
        ]
        for table in page.select("h2 ~ table")
    }


class TestLadder:
    def test_prices_descend_and_orders_are_named_as_the_exchange_does(self):
        ladder = planner.ladder(Worksheet(**PLAN, take_profit=0.3, stop=0.25))
        assert ladder["price"].is_monotonic_decreasing
        orders = ladder.set_index("level")["order"]
        assert orders["open"] == "SELL LIMIT 1.5 BTC"
        assert orders["stop"] == "BUY STOP_MARKET 1.5 BTC, reduce-only, trigger on mark price"
        assert orders["take profit"] == "BUY TAKE_PROFIT_MARKET 1.5 BTC, reduce-only, trigger on mark price"

    def test_levels_are_what_the_ledger_makes_of_them(self):
        ladder = planner.ladder(Worksheet(**PLAN)).set_index("level")
        assert ladder.loc["alarm, 8 hours", "event"].startswith("topped up by 15,000.00 USDT")
        assert ladder.loc["liquidation", "event"].startswith("liquidated at 89,641.43")
        assert ladder.loc["without the reserve", "price"] == 79_681.3
        assert ladder.loc["feared fall", "total_pnl"] == -12_000

    @pytest.mark.parametrize(("leverage", "ringing"), [(2, {}), (3, {24}), (10, {8, 24})])
    def test_an_alarm_within_reach_of_its_hours_rings_from_the_start(self, leverage, ringing):
        sheet = Worksheet(**PLAN | {"leverage": leverage})
        ladder, told = planner.ladder(sheet).set_index("level"), planner.summary(sheet)
        facts = market.facts("fast_rises", "BTC").set_index("key")["value"]
        for hours in (8, 24):
            rise = facts[f"best_{hours}_hours"]
            death = 60_000 * (1 + 1 / leverage) / 1.004
            row = ladder.loc[f"alarm, {hours} hours"]
            assert row["price"] == pytest.approx(max(death / (1 + rise), 60_000), abs=0.051)
            assert ("rings from the start" in row["action"]) == (hours in ringing)
            assert (told[f"Alarm, {hours} hours"] == "rings from the start") == (hours in ringing)
            if hours not in ringing:
                ratio = 0.004 / ((1 + rise) * 1.004 - 1)
                written = told[f"Alarm, {hours} hours"].rpartition("margin ratio ")[2]
                assert float(written.removesuffix(" %")) == pytest.approx(100 * ratio, abs=0.05)
                balance, notional, maintenance = sheet.margin_at(death / (1 + rise))
                assert maintenance == pytest.approx(0.004 * notional)
                assert maintenance / balance == pytest.approx(ratio)

    def test_a_stop_before_the_alarm_needs_no_alarm(self):
        sheet = Worksheet(**PLAN, stop=0.1)
        ladder = planner.ladder(sheet).set_index("level")
        assert not {"alarm, 8 hours", "alarm, 24 hours"} & set(ladder.index)
        told = planner.summary(sheet)
        assert {told["Alarm, 8 hours"], told["Alarm, 24 hours"]} == {"none: the stop comes before"}
        assert ladder.loc["liquidation", "action"].startswith("only if the stop failed")

    def test_below_the_take_profit_nothing_is_hedged(self):
        ladder = planner.ladder(Worksheet(**START, ratio=0.6, take_profit=0.1)).set_index("level")
        told = ladder.loc["feared fall", "action"]
        assert told == "nothing is hedged: the short was bought back at 54,000 USDT"

    def test_without_a_price_of_death_there_is_none_on_it(self):
        inverse = {"contract": "BTCUSD", "margin_from": "coin_margined", "leverage": 1, "ratio": 1}
        assert list(planner.ladder(Worksheet(**START | inverse))["level"]) == ["open", "feared fall"]

    def test_csv_can_be_read_back(self):
        sheet = Worksheet(**PLAN)
        table = pd.read_csv(io.StringIO(planner.ladder_csv(sheet)))
        assert table["price"].tolist() == planner.ladder(sheet)["price"].tolist()


def test_carry_counts_funding_as_long_as_the_short_lives():
    facts = market.facts("funding_by_year")
    mean = facts.query("asset == 'BTC' and key == 'mean'")["value"].iloc[0] * 1e-4
    table = planner.carry(Worksheet(**PLAN))
    assert table.loc["Funding", "to the end"] == pytest.approx(90_000 * 180 * mean)
    lives = planner.chances(Worksheet(**PLAN), play=False).loc["formula, era", "days"]
    assert table.loc["Funding", "era"] == pytest.approx(90_000 * 3 * lives * mean)
    extremes = market.facts("funding_extremes", "BTC").set_index("key")["value"]
    worst = extremes["worst_30_days"]
    assert table.loc["Funding", "bad"] == pytest.approx(90_000 * worst)
    assert table.loc["Fees"].to_numpy() == pytest.approx(-180_000 * FEE)
    known = table.dropna(axis=1)
    assert known.loc["Total"].to_numpy() == pytest.approx(known.loc[["Funding", "Fees"]].sum().to_numpy())


REFUSED = [
    ({"coins": -1}, "coins", "above 0"),
    ({"coins": float("nan")}, "coins", "finite"),
    ({"coins": 0.0001}, "coins", "below the minimum"),
    ({"coins": 1e9}, "coins", "brackets"),
    ({"cost": -1}, "cost", "at least 0"),
    ({"price": "60000"}, "price", "finite number above 0"),
    ({"price": 0.01}, "price", "one tick"),
    ({"ratio": 1.5}, "ratio", "at most 1"),
    ({"bearable": 100}, "ratio", "and not both"),
    ({"ratio": None}, "ratio", "either ratio or bearable"),
    ({"ratio": None, "bearable": 40_000}, "bearable", "you need no hedge"),
    ({"ratio": None, "bearable": 1_000, "take_profit": 0.1}, "take_profit", "a full hedge loses 15,000 USDT"),
    ({"fall": 1}, "fall", "below 1"),
    ({"contract": "DOGE"}, "contract", "BTCUSDT"),
    ({"contract": "BTCUSD"}, "margin_from", "choose coin_margined"),
    ({"margin_from": "coin_margined"}, "margin_from", "BTCUSD"),
    ({"margin_from": "coins", "reserve": 5}, "reserve", "from outside"),
    ({"margin_from": "collateral", "mode": "isolated"}, "mode", "choose cross"),
    ({"margin_from": "collateral", "coins": 400}, "reserve", "keep 2,200 USDT or more"),
    ({"contract": "BTCUSD", "margin_from": "coin_margined", "reserve": 2.0}, "reserve", "are not pledged"),
    (
        {"contract": "BTCUSD", "margin_from": "coin_margined", "mode": "cross", "reserve": 1.0},
        "reserve",
        "pledged already",
    ),
    ({"leverage": 0.5}, "leverage", "at least 1"),
    ({"leverage": 125, "coins": 400}, "leverage", "allows at most 25x"),
    ({"mode": "hedge"}, "mode", "'cross'"),
    ({"days": 1.5}, "days", "whole"),
    ({"days": 400}, "days", "at most 365"),
    ({"stop": 0.4}, "stop", "before this stop"),
    ({"take_profit": 1e-9}, "take_profit", "fill at once"),
    ({"judge": "my uncle"}, "judge", "'era'"),
    ({"volatility": 0}, "volatility", "above 0"),
    ({"taker_fee": 0.5}, "taker_fee", "at most 0.01"),
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
def unknown():
    """A plan in a contract of one's own, on a coin of which no fact was measured."""
    own = replace(contracts.get("ETHUSDT"), symbol="XYZUSDT", base="XYZ", collateral_ratio=None)
    return Worksheet(coins=100, cost=50, price=150, contract=own, ratio=0.5, days=60, reserve=500)


class TestCoinWithoutFacts:
    def test_order_and_liquidation_are_known(self, unknown):
        assert (unknown.quantity, unknown.margin) == (50, 3_750)
        assert unknown.liquidation == pytest.approx((3_750 + 7_500) / (50 * 1.004))
        assert planner.carry(unknown).loc["Fees"].iloc[0] == pytest.approx(-15_000 * FEE)
        assert planner.summary(unknown)["Order"].startswith("SELL 50 XYZ of XYZUSDT")

    def test_what_is_not_measured_is_said_and_never_guessed(self, unknown):
        assert planner.carry(unknown).drop("Fees").isna().all(axis=None)
        chances = planner.chances(unknown)
        assert chances[["liquidated", "horizon", "days"]].isna().all(axis=None)
        told = planner.summary(unknown)
        ends = told["How it ends within 60 days"]
        assert ends == "liquidated not known, day 60 reached not known, by formula"
        assert told["Alarm"].endswith("halfway: fastest hours not measured")
        assert (
            "not measured for XYZ: volatility, funding, fastest 8 hours, fastest 24 hours, rises"
            in planner.markdown(unknown)
        )
        assert "nan" not in planner.page(unknown)

    def test_the_alarm_stands_halfway(self, unknown):
        assert unknown.alarm == pytest.approx((150 + unknown.liquidation) / 2)
        assert planner.at(unknown, unknown.alarm * 1.001).iloc[0]["event"].startswith("topped up by 500.00")

    def test_its_picture_has_both_axes(self, unknown):
        figure = Figure()
        planner.draw(figure, unknown)
        assert len(figure.axes) == 2 and "XYZ" in figure.axes[1].texts[0].get_text()

    def test_own_numbers_or_a_history_tell_the_rest(self, unknown):
        mine = replace(unknown, volatility=0.9, funding=1e-4)
        assert planner.chances(mine).loc["formula, mine", "liquidated"] > 0
        assert planner.carry(mine).loc["Funding", "to the end"] == pytest.approx(180e-4 * 7_500)
        hills = market.drawn({0: 100, 40: 140, 200: 100}, rate=1e-4, symbol="XYZUSDT")
        judged = replace(unknown, market=hills)
        # A coin a day up from 100: a third of one in the first eight hours.
        assert judged.alarms == pytest.approx(
            {8: judged.liquidation / (1 + 1 / 300), 24: judged.liquidation / 1.01}
        )
        told = planner.chances(judged, play=False)["liquidated"]
        assert told[["formula, history", "measured, history"]].notna().all()


def test_every_contract_has_facts_or_says_that_it_has_none():
    for symbol in contracts.symbols():
        coin = Published(contracts.get(symbol).base)
        known = [
            coin.volatility,
            coin.funding,
            *coin.fastest.values(),
            coin.basis,
            coin.touched(0.3, 60).share,
        ]
        assert np.isfinite(known).all() or "not measured" in coin.source


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
        "mode": st.sampled_from(["isolated", "cross", None]),
        "margin_from": st.sampled_from(["outside", "coins", "coin_margined", "collateral"]),
        "contract": st.sampled_from(contracts.symbols()),
        "judge": st.sampled_from(["era", "last 365 days"]),
        "volatility": st.sampled_from([None, 0.5]),
    }
)


@settings(max_examples=40)
@given(plans)
def test_every_plan_is_refused_by_name_or_can_be_printed(inputs):
    try:
        sheet = Worksheet(**inputs)
    except WorksheetError as refused:
        assert refused.problems and set(refused.problems) <= set(inputs)
        return
    assert sheet.liquidation > sheet.price
    assert sheet.liquidation_with_reserve >= sheet.liquidation
    assert 0 < sheet.covered <= sheet.coins_kept * sheet.share * (1 + 1e-9)
    assert planner.ladder(sheet)["price"].is_monotonic_decreasing
    for text in (planner.markdown(sheet), planner.page(sheet), *planner.summary(sheet).values()):
        assert "nan" not in text and "inf " not in text


class TestPages:
    def test_markdown_and_html_say_the_same(self):
        sheet = Worksheet(**PLAN, take_profit=0.3)
        page = read(planner.page(sheet))
        written = planner.markdown(sheet)
        assert page.html["lang"] == "en" and page.title.text
        assert NO_ORDER in page.text
        for part in sections(sheet):  # its front says some in other words, and none is lost
            for text in (part.text, *part.items, *(cell for row in part.table[1:] for cell in row[1:])):
                assert text in page.text
        page.select_one(".front").extract()
        for cell in page.select("h2, p, td, th, li"):
            assert cell.text in written

    def test_numbers_stand_to_the_right_and_beside_their_units(self):
        page = planner.page(Worksheet(**PLAN))
        assert ">+32.8\N{NO-BREAK SPACE}%</td>" in page
        assert not re.search(r"\d (%|USDT)", BeautifulSoup(page, "html.parser").text)
        column = read(page).find("h2", string="Price ladder and alarms").parent.select("tr > :nth-child(2)")
        assert len(column) > 5 and all("text-align:right" in cell["style"] for cell in column)

    def test_the_page_asks_for_nothing_from_elsewhere(self):
        page = planner.page(Worksheet(**PLAN))
        assert not any(word in page for word in ("http:", "https:", "<script", "@import"))

    def test_the_front_is_one_sheet_to_act_by(self):
        sheet = Worksheet(**PLAN)
        page = read(planner.page(sheet, datetime.date(2026, 11, 27)))
        front = page.select_one(".front")
        assert "2026-11-27" in front.text and "Exchange and account" in front.text
        told = planner.summary(sheet)
        assert [row.text for row in front.select("tr")] == [f"{name}{text}" for name, text in told.items()]
        assert all(text in front.img["alt"] for text in told.values())
        assert base64.b64decode(front.img["src"].partition(",")[2]).lstrip().startswith(b"<?xml")
        ladder = planner.ladder(sheet)
        for item, row in zip(front.ul.select("li"), ladder.itertuples(), strict=True):
            assert row.action in item.text and f"{row.price:,.2f}" in item.text
        assert "____" in planner.page(sheet)

    def test_no_line_of_the_ladder_says_another_thing_than_its_alarm(self):
        actions = planner.ladder(Worksheet(**PLAN | {"leverage": 10})).set_index("level")["action"]
        assert all("from the start" in actions[f"alarm, {hours} hours"] for hours in (8, 24))
        assert "8 hours is too seldom" in actions["alarm, 24 hours"]

    def test_all_six_steps_and_the_end_are_there(self):
        titles = [line for line in planner.markdown(Worksheet(**PLAN)).splitlines() if line.startswith("## ")]
        steps = " ".join(titles)
        assert all(f"{step}" in steps for step in range(1, 7))
        assert titles[-1] == "## Remove the hedge when"

    def test_what_to_do_then_is_written_before(self):
        items = read(planner.page(Worksheet(**PLAN, take_profit=0.3))).select("li")
        told = " ".join(item.text for item in items)
        # At 89,641.30 margin and reserve are lost, 2.5 coins are worth 224,103, 1.5 short again take a third.
        assert "If it is liquidated at 89,641 USDT: 45,000 USDT are gone" in told
        assert "the coins are worth 224,104 USDT" in told
        assert "The same short again takes 44,821 USDT of margin" in told
        assert "If the take profit fills: the short has earned 27,000 USDT" in told
        assert "every −1 bp costs 9.00 USDT at each settlement, every 8 hours" in told

    def test_the_money_to_have_ready_adds_up(self):
        told = planner.summary(Worksheet(**PLAN))["Have ready"]
        assert told.startswith("45,045.00 USDT besides the coins: margin 30,000.00 USDT, fee 45.00 USDT")

    def test_what_stays_open_of_the_feared_fall_is_the_bearable_loss(self):
        open_ = dict(tables_of(Worksheet(**PLAN))["What stays open"][1:])
        assert open_["result of a fall to 48,000 USDT"] == "−12,000 USDT, without a hedge −30,000 USDT"
        assert open_["coins without a short"] == "1 of 2.5 BTC"

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


def test_the_pictures_curve_is_the_ledgers_result():
    figure, sheet = Figure(), Worksheet(**START, ratio=0.6, take_profit=0.1)
    planner.draw(figure, sheet)
    curve = next(line for line in figure.axes[0].lines if line.get_label() == "The plan")
    moves, results = curve.get_data()
    told = planner.at(sheet, 60_000 * (1 + np.array([-0.3, 0.5])))["total_pnl"].to_numpy()
    assert np.interp([-0.3, 0.5], moves, results) == pytest.approx(told)
    assert math.isclose(told[0], -2.5 * 18_000 + 1.5 * 6_000)
