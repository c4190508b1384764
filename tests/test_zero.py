"""Zero has no sign, wherever the library writes a number: an amount that rounds to nothing is not −0."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hedgelib import figures, ledger, market, plan, planner
from hedgelib.exercise import check
from hedgelib.explorer import Choice, Explorer
from hedgelib.hedge import Hedge
from hedgelib.planner import Worksheet
from hedgelib.rendering import typeset

MINUS_ZERO = re.compile(r"(?<![\w.,])[-−]0([.,]0*)?(?![\d.,]|e)")
NOTHING = [-0.0, -1e-12, -0.0004]
TIME = pd.date_range("2024-01-01", periods=4, freq="8h", tz="UTC", name="time")
STILL = dict.fromkeys(("spot", "mark", "mark_high", "mark_low"), 60000.0) | {"funding": -0.0}


@given(
    st.floats(-1e-3, 0),
    st.sampled_from(
        ["{:+.0f}", "{:,.2f} USDT", "{:+.1%}", "{:.0%} a year", "P&L {:+,.2f}.", "from {:.1f} to {:.1f}"]
    ),
)
def test_what_a_format_makes_is_set_without_it(value, form):
    assert not MINUS_ZERO.search(typeset(form.format(value, value)))


@pytest.mark.parametrize(
    "text", ["−0.05", "-0.001 %", "+0.5", "2024-01-05", "10-0", "-0.0e1", "−60 USDT", "1e-0"]
)
def test_other_signs_stay(text):
    assert typeset(text) == text.replace("%", " %").replace("  ", " ").replace("-0.0", "−0.0")


def draw(figure, amount):
    figure.subplots().plot([0, 1])
    return {"P&L": f"{amount:+.2f} USDT", "Change": f"{amount:.0%}"}


@pytest.mark.parametrize("amount", NOTHING)
def test_readouts_of_any_draw_function(amount):
    explorer = Explorer(draw, "Nothing", amount=Choice("Amount", [amount, 1], format="{:+.0f}"))
    for text in (str(figures.picture(draw, "Nothing", amount=amount)), explorer.text, explorer.still):
        assert not MINUS_ZERO.search(text)
    assert explorer.text.endswith("P&L: 0.00 USDT\n  Change: 0 %")


@pytest.mark.parametrize("at", [-1e-17, -1e-9])
def test_ticks(at):
    axes = Figure().subplots()
    figures.lines(axes, [-0.2, 0.2], {"Spot": [1, 2]}, xticks="{x:+.0%}", yticks="{x:,.0f}")
    for axis in (axes.xaxis, axes.yaxis):
        assert axis.get_major_formatter()(at, 0) in ("0 %", "0")


def test_labels_of_paths_and_plans():
    assert "-0%" not in market.paths("bear", n=1, days=1, drift=-1e-4).label
    assert not MINUS_ZERO.search(str(plan.Below(move=-0.0)))


@pytest.mark.parametrize("answer", [-0.0, -1e-300, 0.0])
def test_verdicts(answer):
    assert not MINUS_ZERO.search(str(check("02-1", answer)))


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_a_ledger_of_a_market_that_stands_still(ratio):
    rows = ledger.run(pd.DataFrame(STILL, index=TIME), Hedge(1, ratio, 2, "BTCUSDT"))
    for name in rows.columns.drop("event"):
        values = rows[name].to_numpy(dtype=float)
        assert not (np.signbit(values) & (values == 0)).any(), name


@pytest.mark.parametrize("ratio", [0.0, 1e-9, 1.0])
def test_worksheet(ratio):
    start = {"coins": 1, "cost": 60_000, "price": 60_000, "fall": 0.2, "leverage": 2, "days": 30}
    try:
        sheet = Worksheet(**start, ratio=ratio)
        written = planner.markdown(sheet), planner.page(sheet), planner.ladder_csv(sheet)
    except ValueError:
        assert ratio < 1
        return
    assert not any(MINUS_ZERO.search(text) for text in written)
