"""The form: complaints beside their fields, downloads that carry what they say, nothing that varies."""

import base64
import re
import subprocess
import sys

import pytest

from hedgelib import contracts, planner
from hedgelib.histories import cache
from hedgelib.planner import Form
from hedgelib.planner import panel as live
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
NOT_ASKED = {"band", "volatility", "funding", "taker_fee"}


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
    links = re.findall(r'download="([^"]+)" href="data:[^,]+;base64,([^"]+)"', panel.links.value)
    return {name: base64.b64decode(data).decode() for name, data in links}


def complaints(panel):
    return {name: text.value for name, text in panel.complaints.items() if text.value}


def test_start_is_the_worksheet(panel):
    sheet = planner.Worksheet(**START)
    for text in planner.summary(sheet).values():
        assert text in panel.result.value
    assert complaints(panel) == {}
    assert panel.plan.value == fragment(sheet, 4)


def test_downloads_carry_the_three_files(panel):
    sheet = planner.Worksheet(**START)
    assert files(panel) == {
        "my-hedge.html": planner.page(sheet),
        "my-hedge.md": planner.markdown(sheet),
        "my-hedge-ladder.csv": planner.ladder_csv(sheet),
    }
    assert "http" not in panel.links.value


def test_a_change_changes_the_plan(panel):
    panel.fields["leverage"].value = 2
    assert "89,641.43 USDT" in panel.result.value
    assert "89,641.43 USDT" in files(panel)["my-hedge.md"]


def test_complaints_stand_beside_their_fields_and_go_away(panel):
    panel.fields["coins"].value = -1
    panel.fields["days"].value = 0.5
    assert set(complaints(panel)) == {"coins", "days"}
    assert 'role="alert"' in panel.complaints["coins"].value and "above 0" in panel.complaints["coins"].value
    assert "Coins held, Horizon (days)" in panel.result.value
    assert panel.links.value == panel.plan.value == ""
    panel.fields["coins"].value = 2.5
    panel.fields["days"].value = 30
    assert complaints(panel) == {}
    assert len(files(panel)) == 3


def test_only_one_way_to_decide_is_shown(panel):
    assert [row.layout.display for row in panel._either.values()] == ["none", "flex"]
    panel.fields["decide"].value = "ratio"
    assert [row.layout.display for row in panel._either.values()] == ["flex", "none"]
    panel.fields["ratio"].value = 1.0
    assert "SELL 2.5 BTC" in panel.result.value


def test_complaints_are_escaped(panel):
    assert "<b>" not in live._alert("<b>")


def test_every_field_has_a_label_and_every_worksheet_field_a_place(panel):
    assert all(field.description for field in panel.fields.values())
    inputs = set(planner.Worksheet.__dataclass_fields__) - {"market", "_", "judge", *NOT_ASKED}
    assert inputs == set(panel.fields) - {"decide", "evidence"}


def test_without_history_the_choice_of_it_is_refused_beside_its_field(panel):
    assert panel.fields["evidence"].value == "facts"
    panel.fields["evidence"].value = "history"
    assert "market.download" in panel.complaints["evidence"].value


def test_history_in_the_local_cache_is_used(empty_cache):
    folder, hour = empty_cache / "binance" / "BTCUSDT", 3_600_000
    opened = [1_704_067_200_000 + 8 * hour * bar for bar in range(600)]
    for kind in ("spot", "perp", "mark"):
        rows = [[time, *[50_000.0] * 4] for time in opened]
        cache.write(folder / f"{kind}-8h-2024.csv", "opened_ms,open,high,low,close", rows)
    rows = [[time + 8 * hour, -2e-4] for time in opened]
    cache.write(folder / "funding-2024.csv", "settled_ms,rate", rows)
    panel = Form(**START).widget()
    assert panel.fields["evidence"].value == "history"
    assert "history from binance" in panel.plan.value
    assert "expected −3,330 USDT (history)" in panel.result.value  # 180 at −2 bp of 90,000, 90 of fees


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


@pytest.mark.parametrize("symbol", contracts.symbols())
def test_every_contract_that_is_offered_gives_a_plan(panel, symbol):
    panel.fields["contract"].value = symbol
    panel.fields["margin_from"].value = "coin_margined" if contracts.get(symbol).inverse else "outside"
    assert complaints(panel) == {}
    assert f"of {symbol} at" in panel.result.value


def test_a_new_contract_without_facts_is_offered_and_says_what_is_not_known(monkeypatch):
    book = contracts._book()
    added = [entry | ({"base": "XYZ"} if "base" in entry else {}) for entry in book["SOLUSDT"]]
    monkeypatch.setattr(contracts, "_book", lambda: book | {"XYZUSDT": added})
    panel = Form(**START).widget()
    assert "XYZUSDT" in panel.fields["contract"].options
    panel.fields["contract"].value = "XYZUSDT"
    assert complaints(panel) == {}
    assert "SELL 1.5 XYZ" in panel.result.value and "not known" in panel.result.value
    assert "not measured for XYZ" in panel.plan.value
    panel.fields["evidence"].value = "history"
    assert set(complaints(panel)) == {"evidence"}
    assert "See: Judge by" in panel.result.value


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
