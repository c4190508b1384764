"""The form: complaints beside their fields, downloads that carry what they say, nothing that varies."""

import base64
import html
import itertools
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime

import lessons
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hedgelib import contracts, market, planner, rendering
from hedgelib.histories import cache
from hedgelib.planner import Form, entry
from hedgelib.planner import panel as live
from hedgelib.planner.drawing import draw_results
from hedgelib.planner.keeping import saved
from hedgelib.planner.writing import NO_ORDER, fragment

START = {
    "coins": 2.5,
    "cost": 30_000,
    "price": 60_000,
    "bearable": 12_000,
    "fall": 0.2,
    "leverage": 3,
    "days": 60,
}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEDGELAB_CACHE", str(tmp_path))
    live.FormPanel._history.cache_clear()
    yield tmp_path
    live.FormPanel._history.cache_clear()


@pytest.fixture
def panel():
    return Form(**START).widget()


def files(panel):
    """What the links hold, by file name."""
    panel.whole.selected_index = live.TITLES.index("The whole plan, to read, print and save")
    links = re.findall(r'download="([^"]+)" href="data:[^,]+;base64,([^"]+)"', panel.links.value)
    return {name: base64.b64decode(data).decode() for name, data in links}


def complaints(panel):
    return {name: note.value for name, note in panel.notes.items() if "alert" in note.value}


def choose(panel, symbol):
    panel.fields["contract"].value = contracts.get(symbol)


class TestEntry:
    @pytest.mark.parametrize("text", ["50", "50 %", "50%", " 50 % ", "0.5", "0.50"])
    def test_a_half_in_all_its_spellings(self, text):
        assert entry.share(text) == 0.5

    @pytest.mark.parametrize(
        ("text", "value"),
        [("60,000", 60_000), ("1,234,567.8", 1_234_567.8), ("−3", -3), ("1e5", 1e5), ("7.", 7)],
    )
    def test_numbers(self, text, value):
        assert entry.number(text) == value

    @pytest.mark.parametrize("text", ["0,5", "1,5", "60,00", "60.000,5", "0,500", "", "a half", "5 0 %x"])
    def test_what_could_be_misread_is_refused_with_a_word(self, text):
        for read in (entry.number, entry.share):
            with pytest.raises(ValueError, match=r"point|number|commas"):
                read(text)

    @pytest.mark.parametrize(
        ("text", "side", "value"),
        [("55,000", -1, 1 / 12), ("8 %", -1, 0.08), ("69000", 1, 0.15), ("", 1, 0), ("none", -1, 0)],
    )
    def test_exits_are_prices_or_percentages(self, text, side, value):
        assert entry.distance(text, 60_000, side) == pytest.approx(value)

    @pytest.mark.parametrize(
        ("text", "side"), [("10", 1), ("55,000", 1), ("65,000", -1), ("0.1", -1), ("600,000", 1)]
    )
    def test_an_exit_that_could_be_either_is_refused(self, text, side):
        with pytest.raises(ValueError, match="with its sign"):
            entry.distance(text, 60_000, side)

    @given(st.floats(1e-6, 1e9))
    def test_what_is_written_can_be_read(self, value):
        assert entry.number(entry.written(value)) == pytest.approx(value, rel=1e-9)
        assert entry.share(entry.written_share(value)) == pytest.approx(value, rel=1e-9)


def test_start_is_the_worksheet(panel):
    sheet = planner.Worksheet(**START)
    assert replace(panel.sheet, contract="BTCUSDT") == sheet
    for text in planner.summary(sheet).values():
        assert text in panel.result.value.replace("\N{NO-BREAK SPACE}", " ")
    assert complaints(panel) == {}
    assert panel.plan.value == ""
    panel.whole.selected_index = 0
    assert panel.plan.value == fragment(sheet, 4)


def test_downloads_carry_the_four_files(panel):
    sheet = planner.Worksheet(**START)
    assert files(panel) == {
        "my-hedge.html": planner.page(sheet, date.today()),
        "my-hedge.md": planner.markdown(sheet),
        "my-hedge-ladder.csv": planner.ladder_csv(sheet),
        "my-hedge.json": saved(panel.sheet),
    }
    assert "http" not in panel.links.value


def test_a_change_changes_plan_and_pictures(panel):
    before = [picture.value for picture in panel.pictures]
    panel.fields["leverage"].value = "2"
    assert "89,641.43 USDT" in panel.result.value
    assert all(picture.value != old for picture, old in zip(panel.pictures, before, strict=True))
    assert "89,641.43 USDT" in panel.pictures[0].tooltip
    assert "89,641.43 USDT" in files(panel)["my-hedge.md"]


def test_a_half_typed_as_50_shorts_half_of_the_coins(panel):
    panel.fields["decide"].value = "ratio"
    for text in ("50", "50 %", "0.5"):
        panel.fields["ratio"].value = "60 %"
        panel.fields["ratio"].value = text
        assert panel.fields["ratio"].value == "50 %"
        assert "SELL 1.25 BTC" in panel.result.value
    panel.fields["ratio"].value = "0,5"
    assert set(complaints(panel)) == {"ratio"} and "write 0.5" in panel.notes["ratio"].value
    assert panel.sheet is None and all(picture.layout.display == "none" for picture in panel.pictures)


def test_an_exit_typed_as_a_price_stays_one(panel):
    panel.fields["take_profit"].value = "48,000"
    assert "48,000, −20.0 %" in panel.notes["take_profit"].value
    panel.fields["price"].value = "64,000"
    assert panel.sheet.take_profit == 0.25
    panel.fields["stop"].value = "15"
    assert "write a price above 64,000" in complaints(panel)["stop"]


def test_complaints_stand_beside_their_fields_and_go_away(panel):
    panel.fields["coins"].value = "-1"
    panel.fields["days"].value = "0.5"
    assert set(complaints(panel)) == {"coins", "days"}
    assert "above 0" in panel.notes["coins"].value and panel.notes["coins"].layout.display is None
    assert "Coins held: " in panel.result.value and "Horizon (days): " in panel.result.value
    assert files(panel) == {} and panel.plan.value == ""
    panel.fields["coins"].value = ""
    assert "type a number" in complaints(panel)["coins"]
    panel.fields["coins"].value = "2.5"
    panel.fields["days"].value = "30"
    assert complaints(panel) == {} and panel.notes["coins"].layout.display == "none"
    assert len(files(panel)) == 4


def test_complaints_use_the_words_of_the_form(panel):
    choose(panel, "BTCUSD")
    assert "choose “the coins (coin-margined)”" in complaints(panel)["margin_from"]
    choose(panel, "BTCUSDT")
    panel.fields["margin_from"].value = "coin_margined"
    assert "choose “money outside”, “selling coins” or" in complaints(panel)["margin_from"]


def test_another_coin_at_the_old_price_is_remarked(panel):
    choose(panel, "ETHUSDT")
    assert "this was the price of BTC: type that of ETH" in panel.notes["price"].value
    panel.fields["price"].value = "3,000"
    assert panel.notes["price"].value == ""
    panel.fields["price"].value = "90,000"
    assert "unlike a price of ETH" in panel.notes["price"].value


def test_undo_and_reset(panel):
    panel.fields["coins"].value = "3"
    panel.fields["coins"].value = "4"
    panel.undo.click()
    assert panel.sheet.coins == 3
    panel.undo.click()
    panel.undo.click()
    assert panel.sheet.coins == 2.5
    panel.fields["leverage"].value = "nonsense"
    panel.reset.click()
    assert replace(panel.sheet, contract="BTCUSDT") == planner.Worksheet(**START)


def test_plans_are_kept_side_by_side(panel):
    panel.keep.click()
    assert panel.whole.selected_index == 1
    for name in ("this plan", "1: 60 % at 3x", "sell", "put"):
        assert name in panel.beside.value
    panel.fields["leverage"].value = "2"
    assert "<td>45,045 USDT" in panel.beside.value and "<td>30,045 USDT" in panel.beside.value
    panel.fields["price"].value = "61,000"
    assert "1: 60 %" not in panel.beside.value  # kept for another price: not comparable
    panel.whole.selected_index = None
    assert panel.beside.value == ""


def upload(button, name, content):
    """Give a file to a button as a browser does."""
    file = {"name": name, "type": "", "size": len(content), "last_modified": datetime.now(UTC), "error": ""}
    button.value = [file | {"content": memoryview(content)}]


def test_a_saved_plan_is_opened_and_followed(panel):
    own = replace(contracts.get("BTCUSDT"), symbol="BTC-PERP", taker_fee=0.0002)
    kept = planner.Worksheet(**START | {"reserve": 15_000}, contract=own)
    upload(panel.upload, "my-hedge.json", saved(kept).encode())
    assert panel.sheet == kept
    panel.whole.selected_index = 2
    assert "Type the price now" in panel.standing.value
    panel.visit["day"].value, panel.visit["funding"].value = "20", "300"
    panel.visit["price"].value = "68,000"
    for line in planner.follow(kept, 68_000, day=20, funding=300).values():
        assert html.escape(line) in panel.standing.value
    panel.visit["funding"].value = "0,5"
    assert "Funding so far: 0,5: write 0.5" in panel.standing.value
    panel.visit["funding"].value, panel.visit["day"].value = "", "-1"
    assert "alert" in panel.standing.value and "day" in panel.standing.value
    panel.undo.click()
    assert panel.sheet.reserve == 0
    upload(panel.upload, "holiday.json", b"{}")
    assert "holiday.json holds no plan" in panel.standing.value and panel.sheet.reserve == 0
    panel.fields["coins"].value = ""
    assert "No plan yet" in panel.standing.value


def test_a_pasted_contract_is_planned_with(panel):
    box = panel.own
    box.button.click()
    assert "Its name" in box.told.value or "symbol" in box.told.value
    box.fields["symbol"].value, box.fields["tick"].value = "ARBUSDT", "0,1"
    box.brackets.value = "0 - 5,000  50x  0.65 %  0\n5,000 - 500,000  25x  1 %  17.5"
    box.button.click()
    assert "Step of the price: 0,1: write 0.1" in box.told.value
    box.fields["tick"].value, box.fields["step"].value = "0.0001", "0.1"
    box.fields["taker_fee"].value = "0.04"
    box.button.click()
    assert "from 5,000 USDT" in box.told.value and "1.00 % of the notional" in box.told.value
    rules = panel.fields["contract"].value
    assert (rules.base, rules.tick, rules.taker_fee) == ("ARB", 0.0001, 0.0004)
    assert rules.brackets.floors == (0, 5_000) and rules.brackets.leverages == (50, 25)
    panel.fields["coins"].value, panel.fields["price"].value = "10,000", "0.5"
    panel.fields["bearable"].value = "400"
    assert panel.sheet.quantity == 6_000 and "SELL 6,000 ARB of ARBUSDT at 0.5000" in panel.result.value


def cross(box, **typed):
    for name, text in typed.items():
        box.fields[name].value = text


def test_a_coin_without_a_future_is_planned_by_shorting_another(panel):
    box = panel.cross
    assert "Type the coin" in box.result.value and box.links.value == ""
    cross(box, held="ADA", coins="20,000", price="0.75", short_price="60,000")
    assert "Short per USDT held: give a ratio, or “Closes of the coin held”" in box.result.value
    cross(box, ratio="1.2", fall="25")
    start = {"contract": "BTCUSDT", "short_price": 60_000, "ratio": 1.2, "fall": 0.25}
    sheet = planner.CrossWorksheet("ADA", 20_000, 0.75, **start)
    for line in planner.summary(sheet).values():
        assert html.escape(line) in box.result.value
    assert "my-hedge.html" in box.links.value and "89,641.43 USDT" in box.picture.tooltip
    cross(box, fall="0,3")
    assert "Fall I fear: 0,3: write 0.3" in box.result.value
    assert box.sheet is None and box.picture.layout.display == "none"


def test_the_ratio_of_two_lists_of_closes(panel):
    path = lessons.FOLDER / "example" / "closes.csv"
    box = panel.cross
    cross(box, held="eth", coins="10", price="3,000", short_price="60,000")
    for button in box.lists.values():
        upload(button, "closes.csv", path.read_bytes())
    closes = pd.read_csv(path, skiprows=1, index_col=0).pct_change().dropna()
    moves = closes["ETH-USD"], closes["BTC-USD"]
    assert box.sheet.used == pytest.approx(np.cov(*moves)[0, 1] / np.var(moves[1], ddof=1))
    cross(box, held="ADA")
    assert "Closes of the coin held: closes.csv" in box.result.value


def test_a_saved_plan_can_be_gone_on_with(tmp_path):
    planner.save(planner.Worksheet(**START), tmp_path / "plan.json")
    form = Form(planner.load(tmp_path / "plan.json"), leverage=2)
    assert form.start == planner.Worksheet(**START | {"leverage": 2})


def test_numbers_of_today_take_the_place_of_measured_ones(panel):
    assert [button.description for button in panel.takers["volatility"].children] == [
        f"{judge}: {entry.written_share(float(f'{outlook.volatility:.4g}'))}"
        for judge, outlook in panel.sheet.outlooks.items()
    ]
    panel.takers["volatility"].children[1].click()
    recent = planner.Worksheet(**START, judge="last 365 days").outlook
    assert panel.sheet.volatility == pytest.approx(recent.volatility, rel=1e-3)
    panel.fields["funding"].value = "0.3"
    panel.fields["taker_fee"].value = "0.04"
    assert (panel.sheet.funding, panel.sheet.taker_fee) == pytest.approx((3e-5, 4e-4))
    assert "(mine)" in panel.result.value
    panel.fields["funding"].value = ""
    assert panel.sheet.funding is None


@pytest.mark.parametrize(
    "change",
    [
        {"stop": 0.30},
        {"stop": 0.325, "take_profit": 0.01},
        {"leverage": 10, "stop": 0.08, "take_profit": 0.02},
        {"leverage": 2, "reserve": 2_000},
        {"leverage": 3, "reserve": 2_000, "take_profit": 0.03},
    ],
)
def test_no_name_of_a_price_covers_another(change):
    with rendering.style():
        axes = Figure(figsize=live._SIZE, layout="constrained").add_subplot()
        draw_results(axes, planner.Worksheet(2.5, 30_000, 60_000, **{"ratio": 0.6, "leverage": 3} | change))
        axes.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) > 2
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_only_one_way_to_decide_is_shown(panel):
    assert [panel.fields[name].layout.display for name in ("ratio", "bearable")] == ["none", None]
    panel.fields["decide"].value = "ratio"
    assert [panel.fields[name].layout.display for name in ("ratio", "bearable")] == [None, "none"]
    panel.fields["ratio"].value = "100"
    assert "SELL 2.5 BTC" in panel.result.value


def test_complaints_are_escaped():
    assert "<b>" not in live._alert("<b>")


def test_every_field_has_a_label_and_every_worksheet_field_a_place(panel):
    assert all(field.description for field in panel.fields.values())
    inputs = set(planner.Worksheet.__dataclass_fields__) - {"market", "_"}
    assert inputs == set(panel.fields) - {"decide"}
    assert sorted(name for names in live.GROUPS.values() for name in names) == sorted(panel.fields)


def test_every_worksheet_can_be_typed():
    """What the fields show of a worksheet is read as the same worksheet."""
    start = {
        "coins": 0.013,
        "cost": 0,
        "price": 3_100.55,
        "contract": "ETHUSDT",
        "ratio": 0.35,
        "fall": 0.125,
    }
    start |= {"leverage": 2.5, "mode": "cross", "reserve": 500, "days": 7, "take_profit": 0.2, "stop": 0.05}
    start |= {"band": 0.02, "judge": "last 365 days", "volatility": 0.7, "funding": -2e-5, "taker_fee": 4e-4}
    start["coins"] = 13
    sheet, read = planner.Worksheet(**start), Form(**start).widget().sheet
    for name in set(planner.Worksheet.__dataclass_fields__) - {"market", "_", "contract"}:
        assert getattr(read, name) == pytest.approx(getattr(sheet, name)), name
    assert read.rules == sheet.rules


def test_without_history_the_choice_of_it_is_refused_beside_its_field(panel):
    assert panel.fields["judge"].value == "era"
    panel.fields["judge"].value = "my downloaded history"
    assert "market.download" in panel.notes["judge"].value


def test_history_in_the_local_cache_is_used(empty_cache):
    folder, hour = empty_cache / "binance" / "BTCUSDT", 3_600_000
    opened = [1_704_067_200_000 + 8 * hour * bar for bar in range(600)]
    for kind in ("spot", "perp", "mark"):
        rows = [[time, *[50_000.0] * 4] for time in opened]
        cache.write(folder / f"{kind}-8h-2024.csv", "opened_ms,open,high,low,close", rows)
    rows = [[time + 8 * hour, -2e-4] for time in opened]
    cache.write(folder / "funding-2024.csv", "settled_ms,rate", rows)
    panel = Form(**START).widget()
    assert panel.fields["judge"].value == "era"
    panel.fields["judge"].value = "my downloaded history"
    assert "history from binance" in files(panel)["my-hedge.md"]
    assert "−3,330 USDT (history)" in panel.result.value  # 180 at −2 bp of 90,000, 90 of fees


def test_a_market_that_is_given_judges_text_and_form_alike():
    frame = market.drawn({0: 60_000, 30: 80_000, 200: 60_000}, rate=-1e-4)
    form = Form(**START, market=frame)
    panel = form.widget()
    assert panel.fields["judge"].value == "the market given"
    for told in (form.text, panel.result.value):
        assert "(history)" in told
    panel.fields["judge"].value = "era"
    assert "(history)" not in panel.result.value


def test_a_contract_of_ones_own_is_the_first_choice():
    own = replace(contracts.get("BTCUSDT"), symbol="BTC-PERP", taker_fee=0.0002)
    panel = Form(**START, contract=own).widget()
    assert panel.sheet.rules == own and "BTC-PERP" in panel.result.value
    panel.fields["leverage"].value = "2"
    assert panel.sheet.rules == own


def test_stored_outputs_are_stable_and_say_that_nothing_is_ordered():
    first, second = (Form(**START)._repr_mimebundle_() for _ in range(2))
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} == set(first)
    for kind in ("text/plain", "text/html"):
        assert first[kind] == second[kind]
    assert "places no order" in first["text/plain"]
    assert NO_ORDER in first["text/html"]


@pytest.mark.parametrize("start", [{}, {"coins": 1, "colour": "red"}, START | {"coins": 0}])
def test_a_start_that_is_no_plan(start):
    with pytest.raises(ValueError):
        Form(**start)


def test_a_coin_without_facts_is_offered_and_says_what_is_not_known(panel):
    choose(panel, "XRPUSDT")
    panel.fields["price"].value = "2.5"
    panel.fields["coins"].value = "10,000"
    panel.fields["bearable"].value = "2,000"
    assert complaints(panel) == {}
    assert "SELL 6,000 XRP" in panel.result.value and "not known" in panel.result.value
    assert "not measured for XRP" in files(panel)["my-hedge.md"]
    panel.fields["judge"].value = "my downloaded history"
    assert set(complaints(panel)) == {"judge"}
    assert "Judge by: " in panel.result.value and "market.download" in panel.result.value


def test_widgets_are_loaded_when_the_form_is_shown():
    code = f"""
import sys
from hedgelib.planner import Form
shown = Form(**{START!r})
assert "places no order" in shown.text and "ipywidgets" not in sys.modules
shown._repr_mimebundle_()
assert "ipywidgets" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
