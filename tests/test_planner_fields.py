"""The parts of the form for a contract of your own, a coin without a future, and a put's own volatility."""

import datetime
import math

import pytest
from scipy.stats import norm
from test_planner_cross import pair

from hedgelib import planner
from hedgelib.planner import CrossWorksheet, Form


@pytest.fixture
def panel():
    return Form(coins=1, cost=40_000, price=60_000, ratio=0.5, leverage=2, fall=0.2).widget()


def fill(fields, **texts):
    for name, text in texts.items():
        fields[name].value = text


class TestSavedCrossHedge:
    def plan(self, **given):
        return CrossWorksheet("ADA", 20_000, 0.75, short_price=60_000, **pair(120, 4), **given)

    def opened(self, panel, sheet, tmp_path):
        planner.save(sheet, tmp_path / "plan.json")
        content = (tmp_path / "plan.json").read_bytes()
        file = {"name": "plan.json", "type": "", "size": len(content), "content": content}
        panel.upload.value = (file | {"last_modified": datetime.datetime.now(datetime.UTC)},)
        return planner.load(tmp_path / "plan.json")

    def test_its_ratio_is_kept_and_stands_in_the_fields_again(self, panel, tmp_path):
        sheet = self.plan(band=0.05, days=20, reserve=1_000)
        again = self.opened(panel, sheet, tmp_path)
        assert again.ratio == sheet.used and again.quantity == sheet.quantity and again.pair is None
        assert panel.cross.sheet.quantity == sheet.quantity
        assert (panel.cross.sheet.band, panel.cross.sheet.days) == (0.05, 20)
        assert panel.whole.titles[panel.whole.selected_index].startswith("A coin without a future")
        assert "my-hedge.json" in panel.cross.links.value

    def test_what_has_no_field_is_not_dropped(self, panel, tmp_path):
        self.opened(panel, self.plan(stop=0.2, mode="cross"), tmp_path)
        assert panel.cross.sheet is None
        assert "this plan has mode, stop, which the form does not show" in panel.standing.value


def test_a_put_is_priced_at_the_volatility_typed_and_batches_stand_beside(panel):
    panel.whole.selected_index = 1
    assert "batches" in panel.beside.value
    panel.implied.value = "45"
    premium = 0.5 * 60_000 * (2 * norm.cdf(0.45 * math.sqrt(30 / 365) / 2) - 1)
    assert f"−{premium:,.0f} USDT" in panel.beside.value
    panel.implied.value = "0,5"
    assert "write 0.5, with a point" in panel.beside.value
    panel.implied.value = ""
    fill(panel.fields, coins="0.002")
    assert "the first batch, 30 % of the hedge, is refused" in panel.beside.value
    assert "sell" in panel.beside.value
