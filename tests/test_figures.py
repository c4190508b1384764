"""Shared pictures: right numbers in the readouts, nothing told by colour alone, bad input refused."""

import io
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from hedgelib import figures, ledger
from hedgelib.hedge import Hedge
from hedgelib.rendering import STYLE, style


@pytest.fixture
def axes():
    with style():
        yield Figure(figsize=(6, 4), layout="constrained").subplots()


def market(prices):
    time = pd.date_range("2024-01-01", periods=len(prices), freq="8h", tz="UTC")
    columns = {name: np.asarray(prices, float) for name in ("spot", "mark", "mark_high", "mark_low")}
    return pd.DataFrame(columns | {"funding": 0.0}, index=time)


@pytest.mark.parametrize(
    ("value", "settings", "text"),
    [
        (10_000, {}, "+10,000 USDT"),
        (-10_000.4, {}, "−10,000 USDT"),
        (-0.4, {}, "0 USDT"),
        (0.0, {}, "0 USDT"),
        (0.4, {"decimals": 1}, "+0.4 USDT"),
        (-0.04, {"decimals": 1}, "0.0 USDT"),
        (60_000, {"signed": False}, "60,000 USDT"),
        (-60_000, {"signed": False}, "−60,000 USDT"),
        (np.inf, {"signed": False}, "∞ USDT"),
        (-np.inf, {}, "−∞ USDT"),
        (np.nan, {}, "– USDT"),
    ],
)
def test_usdt(value, settings, text):
    assert figures.usdt(value, **settings) == text


def test_percent_and_number():
    assert figures.percent(0.494) == "49.4 %"
    assert figures.percent(-0.0004, signed=True) == "0.0 %"
    assert figures.number(0.123456, 4, "BTC", signed=False) == "0.1235 BTC"


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_a_written_number_reads_back(value, decimals):
    text = figures.number(value, decimals).replace(",", "").replace("−", "-")
    assert float(text) == pytest.approx(value, abs=0.5 * 10**-decimals + abs(value) * 1e-15)
    assert "-" not in figures.number(value, decimals)


def test_lines_read_off_every_curve_and_mark_it(axes):
    readouts = figures.payoff(
        axes,
        [50_000, 60_000, 70_000],
        {"Spot": [-10_000, 0, 10_000], "Short": [5_000, 0, -5_000], "Together": [-5_000, 0, 5_000]},
        at=66_000,
    )
    assert readouts == {"Spot": "+6,000 USDT", "Short": "−3,000 USDT", "Together": "+3,000 USDT"}
    curves = [line for line in axes.lines if not line.get_label().startswith("_")]
    assert len({line.get_linestyle() + str(line.get_linewidth()) for line in curves}) == 3
    assert len(axes.collections) == 3
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(readouts)


def test_lines_without_a_mark_read_nothing(axes):
    assert figures.lines(axes, [0, 1], {"Funding": [0, 1]}) == {}


def test_bars_tell_losses_by_hatch_and_number(axes):
    readouts = figures.signed_bars(axes, {"Funding": 500, "Fees": -60, "Basis": 0}, limit=600)
    assert readouts == {"Funding": "+500 USDT", "Fees": "−60 USDT", "Basis": "0 USDT"}
    assert [bar.get_hatch() for bar in axes.patches] == [None, "///", None]
    assert [text.get_text() for text in axes.texts] == ["+500", "−60", "0"]
    assert axes.get_xlim() == (-600, 600)


def test_grouped_bars_stand_beside_each_other_with_hatches_of_their_own(axes):
    figures.grouped_bars(axes, [2020, 2021], {"BTC": [1, 2], "ETH": [3, -4]})
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    assert all(left[1] <= right[0] + 1e-9 for left, right in itertools.pairwise(edges))
    assert sorted(bar.get_height() for bar in axes.patches) == [-4, 1, 2, 3]
    assert len({bar.get_hatch() for bar in axes.patches}) == 2


def test_distribution_counts_every_outcome_also_beyond_the_limits(axes):
    values = [*range(100), 10_000]
    readouts = figures.distribution(axes, values, limits=(0, 100), tail=0.06, write=figures.number)
    # 101 values: the 6 % quantile is the seventh, 6, and the seven up to it have the mean 3.
    assert readouts == {"Median": "+50", "Worst 6 % up to": "+6", "Mean of these": "+3"}
    # 40 bars over 100: each is 2.5 wide, and the one from 5 to 7.5 is hatched up to the quantile.
    assert sum(bar.get_height() * bar.get_width() for bar in axes.patches) == pytest.approx(2.5)
    assert max(bar.get_x() + bar.get_width() for bar in axes.patches if bar.get_hatch()) == pytest.approx(6)
    assert min(bar.get_x() for bar in axes.patches if not bar.get_hatch()) == pytest.approx(6)
    assert [text.get_text() for text in axes.texts] == ["1.0 % beyond"]
    assert {bar.get_hatch() for bar in axes.patches} == {None, "///"}


def test_regression_line_runs_through_the_centre(axes):
    readouts = figures.regression(axes, [0.0, 0.02], [0.01, 0.05], 2.0, limit=0.1)
    assert readouts == {"Slope": "2.00", "Correlation": "1.00"}
    x, y = axes.lines[0].get_data()
    assert np.interp(0.01, x, y) == pytest.approx(0.03)


def test_timeline_numbers_the_events_and_stays_at_three_axes():
    for prices in ([60_000, 61_000, 62_000], [60_000, 100_000, 62_000]):
        frame, figure = market(prices), Figure()
        rows = ledger.run(frame, Hedge(1, 1, 2, "BTCUSDT"))
        readouts = figures.timeline(figure, frame, rows)
        events = rows["event"][rows["event"] != ""]
        assert len(figure.axes) == 3
        assert [text.get_text() for text in figure.axes[0].texts] == [str(n + 1) for n in range(len(events))]
        assert all(text in readouts["Events"] for text in events)
        assert readouts["Wealth at the end"] == figures.usdt(rows["wealth"].iloc[-1], signed=False)
    assert readouts["Highest margin ratio"] == "100.0 %"
    assert "liquidated" in readouts["Events"]


def test_timeline_refuses_the_ledger_of_another_market():
    rows = ledger.run(market([60_000, 61_000]), Hedge(1, 1, 2, "BTCUSDT"))
    with pytest.raises(ValueError, match="rows must have the times of market"):
        figures.timeline(Figure(), market([60_000, 61_000, 62_000]), rows)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (figures.lines, ([1, 0], {"A": [0, 1]}), "x must be ascending"),
        (figures.lines, ([0, 1], {"A": [0, 1, 2]}), r"A must be one row of 2 numbers, got shape \(3,\)"),
        (figures.lines, ([0, 1], {"A": [0, np.nan]}), "A must be a finite number"),
        (figures.lines, ([], {"A": []}), "at least one number"),
        (figures.lines, ([0, 1], {str(n): [0, 1] for n in range(7)}), "at most 6 curves, got 7"),
        (
            figures.lines,
            ([0, 1], {"A": [0, 1]}, 5),
            "at, in the unit of x, must be a finite number at least 0 and at most 1, got 5",
        ),
        (figures.signed_bars, ({"A": np.inf},), "amounts must be a finite number"),
        (figures.signed_bars, ({},), "at least one number"),
        (figures.grouped_bars, ([1], {}), "series must be one to 4 in number, got 0"),
        (figures.grouped_bars, ([1], {"A": [1, 2]}), "A must be one row of 1 numbers"),
        (figures.distribution, ([1, "a"],), "values must be a finite number"),
        (figures.distribution, ([[1, 2]],), "one row of at least one number"),
        (figures.regression, ([1, 2], [1], 1), "y must be one row of 2 numbers"),
        (figures.regression, ([1, 1], [1, 2], 1), "must each hold different values"),
        (figures.regression, ([1, 2], [1, 2], np.nan), "slope must be a finite number"),
    ],
)
def test_bad_input_is_refused(axes, function, arguments, message):
    named = {"at": arguments[2]} if function is figures.lines and len(arguments) == 3 else {}
    with pytest.raises(ValueError, match=message):
        function(axes, *arguments[: 2 if named else None], **named)


def luminance(colour):
    channels = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)
    ]
    return np.dot(channels, [0.2126, 0.7152, 0.0722])


def test_colours_stand_out_from_white_and_come_with_shapes_of_their_own():
    shapes = []
    for entry in STYLE["axes.prop_cycle"]:
        assert 1.05 / (luminance(entry["color"]) + 0.05) >= 3, entry
        shapes.append((entry["linestyle"], entry["linewidth"]))
    assert len(set(shapes)) == len(shapes)


def test_the_stored_picture_is_small_and_keeps_its_colours():
    def draw(figure):
        figures.payoff(figure.subplots(), [50_000, 70_000], {"Spot": [0, 1], "Short": [1, 0]}, at=60_000)
        return {}

    shown = figures.picture(draw, "Two lines")
    image = Image.open(io.BytesIO(shown.png)).convert("RGB")
    colours = {colour for _, colour in image.getcolors(image.width * image.height)}
    for wanted in [
        (255, 255, 255),
        *(tuple(round(255 * c) for c in to_rgb(name)) for name in (figures.BLUE, figures.VERMILION)),
    ]:
        assert min(np.abs(np.subtract(wanted, colour)).max() for colour in colours) <= 4
    assert len(shown.png) < 60_000
