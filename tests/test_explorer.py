"""Explorers: the same states whichever way they are asked for, and no state that fails in silence."""

import asyncio
import base64
import gc
import hashlib
import html
import io
import itertools
import re
import subprocess
import sys
import time
import wave
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import panel as panel_module
from hedgelib import told
from hedgelib.explorer import Choice, Explorer
from hedgelib.rendering import NOT_POSSIBLE, data_url, picture


def draw(figure, ratio, price):
    """Two axes, labels that grow with the price, and one corner that is refused."""
    left, right = figure.subplots(1, 2)
    left.plot([0, price], [0, ratio * price])
    right.bar(["Spot", "Short"], [price, -ratio * price])
    left.set(xlabel="Price (USDT)", ylabel="P&L (USDT)")
    right.set(xlabel="Leg", ylabel="P&L (USDT)")
    if ratio == 1 and price == 2_000_000:
        raise ValueError("liquidated at 1,900,000 USDT")
    return {"Short P&L": f"{-ratio * price:,.0f} USDT", "Price": f"{price:,} USDT"}


def made(draw=draw, **changes):
    controls = {
        "ratio": Choice("Hedge ratio", (0, 0.5, 1), 0.5, "{:.0%}"),
        "price": Choice("Price (USDT)", (10, 2_000, 2_000_000), 2_000, "{:,}"),
    }
    return Explorer(draw, "Half a hedge", size=(6, 3), **(controls | changes))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Ratio", ()), "must be 1 to 600 values, got none"),
        (("Ratio", 5), "must be a sequence"),
        (("Ratio", itertools.count()), "must be 1 to 600 values, got more"),
        (("Ratio", (1, 2), np.array([1, 2])), "start of 'Ratio' must be one of its values"),
        (("Ratio", (1, 2), 3), "start of 'Ratio' must be one of its values, got 3"),
        (("Ratio", (1.0, 1.2), None, "{:.0f}"), "must read differently, got 1, 1"),
        (("", (1,)), "label of a Choice must"),
        (("Ratio", (1,), None, 5), "format of 'Ratio' must be a text or a function"),
    ],
)
def test_choice_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Choice(*arguments)


def test_choice_takes_arrays_and_functions():
    choice = Choice("Ratio", np.array([0.0, 0.5]), format=lambda value: f"{value:.0%} hedged")
    assert choice.values == (0.0, 0.5)
    assert choice.texts == ("0% hedged", "50% hedged")
    assert choice.start_index == 0
    assert not isinstance(choice.values[0], np.generic)


@pytest.mark.parametrize(
    ("values", "start", "index"),
    [(np.arange(0, 1.01, 0.1), 0.3, 3), ((0.0, 1.0), 1, 1), ([np.int64(2), 5], 2.0, 0), ("ab", "b", 1)],
)
def test_choice_finds_its_start_whatever_the_type_or_the_rounding(values, start, index):
    choice = Choice("Ratio", values, start)
    assert choice.start_index == index
    assert choice.start is choice.values[index]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_positions_cover_every_combination_once_in_row_major_order(counts):
    controls = {f"c{place}": Choice(f"c{place}", range(count)) for place, count in enumerate(counts)}
    explorer = Explorer(
        lambda figure, **values: {}, "x", **(controls if np.prod(counts) <= 600 else {"c0": controls["c0"]})
    )
    positions = explorer.positions()
    assert positions == sorted(set(positions))
    assert len(positions) == np.prod([len(control.values) for control in explorer.controls.values()])


def test_too_many_states_are_refused_with_the_name_and_the_counts():
    with pytest.raises(ValueError, match=r'explorer "Half a hedge" has 602 states \(ratio 2 × price 301\)'):
        made(ratio=Choice("Ratio", (0, 1)), price=Choice("Price", range(301)))
    assert len(made(ratio=Choice("Ratio", (1,)), price=Choice("Price", range(600))).positions()) == 600


def test_controls_must_be_choices():
    with pytest.raises(ValueError, match="each must be a Choice"):
        made(ratio=(1, 2))
    with pytest.raises(ValueError, match="at least one control"):
        Explorer(draw, "Nothing")


def one_axes_fewer(figure, ratio, price):
    figure.subplots(1, 1 if price == 10 else 2)
    return {"Price": "1"}


def test_differing_numbers_of_axes_are_refused_naming_the_explorer():
    explorer = made(one_axes_fewer)
    explorer.png((0, 1))
    with pytest.raises(
        ValueError, match=r'"Half a hedge" must draw the same number of axes .* 1 at .*, 2 at the start'
    ):
        explorer.figure((0, 0))


@pytest.mark.parametrize("returned", [None, {"P&L": 5}, {5: "P&L"}, ["P&L"], "P&L"])
def test_readouts_must_be_a_dict_of_texts(returned):
    def careless(figure, **_):
        figure.subplots()
        return returned

    with pytest.raises(ValueError, match='"Half a hedge" must return its readouts as a dict of texts'):
        made(careless).png((0, 0))
    with pytest.raises(ValueError, match="dict of texts"):
        picture(careless, "Half a hedge")


def test_a_picture_needs_axes():
    with pytest.raises(ValueError, match="must add axes"):
        made(lambda figure, **_: {}).figure((0, 0))


def test_axes_stay_where_they_are_and_their_labels_fit_in_every_state():
    explorer = made()
    boxes, labels = set(), set()
    for position in explorer.positions():
        figure, readouts = explorer.figure(position)
        if NOT_POSSIBLE in readouts:
            continue
        boxes.add(tuple(axes.get_position().extents.tobytes() for axes in figure.axes))
        figure.draw_without_rendering()
        named = [
            (axes, axes.xaxis.label.get_window_extent(), axes.yaxis.label.get_window_extent())
            for axes in figure.axes
        ]
        labels.add(tuple(box.extents.round(6).tobytes() for _, *both in named for box in both))
        for axes, below, beside in named:
            assert below.y1 <= min(tick.get_window_extent().y0 for tick in axes.get_xticklabels()) + 1
            assert beside.x1 <= min(tick.get_window_extent().x0 for tick in axes.get_yticklabels()) + 1
        width, height = figure.get_size_inches() * figure.dpi
        for axes in figure.axes:
            tight = axes.get_tightbbox()
            assert tight.x0 > -1
            assert tight.y0 > -1
            assert tight.x1 < width + 1
            assert tight.y1 < height + 1
    assert len(boxes) == len(labels) == 1


def test_a_refused_state_tells_why_on_as_many_axes():
    explorer = made()
    figure, readouts = explorer.figure((2, 2))
    assert readouts == {NOT_POSSIBLE: "liquidated at 1,900,000 USDT"}
    assert len(figure.axes) == len(explorer.figure((0, 0))[0].axes)
    assert "liquidated at 1,900,000 USDT" in figure.texts[0].get_text()
    ET.fromstring(explorer.svg((2, 2))[0])


def test_a_refused_start_and_any_other_error_are_raised():
    def broken(figure, ratio, price):
        figure.subplots()
        if ratio == 0:
            raise KeyError("ratio")
        raise ValueError("never possible")

    with pytest.raises(ValueError, match="never possible"):
        made(broken)._repr_mimebundle_()
    with pytest.raises(KeyError):
        made(broken, ratio=Choice("Ratio", (0, 1)))._repr_mimebundle_()


def test_pictures_drawn_in_several_threads_are_those_drawn_in_one():
    """JupyterLab answers sliders in threads of their own, beside the one that runs the cells."""
    explorer = made()
    positions = [position for position in explorer.positions() if position != (1, 2)] * 4
    alone = [explorer.png(position) for position in positions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(explorer.png, positions)) == alone


def test_pictures_are_the_same_bytes_whatever_was_drawn_before_and_whatever_the_user_prefers():
    first, second = made(), made()
    wanted = [first.svg((0, 1)), first.png((0, 1)), first.svg((1, 2))]
    second.png((1, 1))
    with mpl.rc_context({"font.size": 25, "axes.grid": False, "lines.linewidth": 9}):
        assert [second.svg((0, 1)), second.png((0, 1)), second.svg((1, 2))] == wanted
    assert b"date" not in wanted[0][0].lower().encode()
    assert hashlib.sha256(wanted[0][0].encode()).digest() != hashlib.sha256(wanted[2][0].encode()).digest()


def test_readouts_agree_whichever_way_they_are_asked_for():
    explorer = made()
    panel = explorer.widget()
    for position in explorer.positions():
        for slider, index in zip(panel.sliders, position, strict=True):
            slider.index = index
        readouts = explorer.figure(position)[1]
        assert explorer.svg(position)[1] == explorer.png(position)[1] == readouts
        assert bytes(panel.image.value).decode() == data_url(explorer.png(position)[0])
        assert panel.image.tooltip == explorer.alt(readouts)
        for part in (text for item in readouts.items() for text in item):
            assert part.replace("&", "&amp;") in panel.readouts.value


def test_each_move_is_said_in_one_sentence_a_refused_one_with_its_reason():
    panel = made().widget()
    panel.sliders[0].index = 2
    assert panel.said.value == "Short P&amp;L: −2,000 USDT."
    panel.sliders[1].index = 2
    assert panel.said.value.startswith("Not possible: ")
    assert "liquidated at 1,900,000 USDT" in panel.said.value
    assert panel.said.value[:-1] in panel.image.tooltip
    panel.sliders[1].index = 1
    assert "Not possible" not in panel.said.value


def test_the_buttons_answer_for_the_slider_moved_last():
    explorer = made()
    panel = explorer.widget()
    panel.sliders[0].index = 0
    panel.sliders[1].index = 0
    assert panel.chosen.label == panel.sliders[1].description
    panel.buttons["Tell"].click()
    sentence = html.escape(explorer.tell("price", (0, 0)))
    assert panel.told.value == f"<p>{sentence}</p>"
    assert panel.said.value == sentence
    panel.sliders[1].index = 1
    assert panel.told.value == "", "it told of another state"
    panel.chosen.value = "ratio"
    panel.buttons["Table"].click()
    rows = re.findall("<tr>(.*?)</tr>", panel.told.value)
    assert len(rows) == 1 + len(panel.sliders[0].options)
    for row, text in zip(rows[1:], panel.sliders[0].options, strict=True):
        assert text in row


def test_listening_plays_a_sound_as_long_as_the_slider_has_values():
    explorer = made()
    panel = explorer.widget()
    panel.buttons["Listen"].click()
    assert panel.heard.options == ("Short P&L",)
    with wave.open(io.BytesIO(base64.b64decode(re.search('base64,(.*?)"', panel.told.value)[1]))) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    assert seconds == pytest.approx(told.STEP * len(panel.sliders[0].options), rel=0.01)
    assert html.unescape(panel.told.value).startswith(
        f"<p>Short P&L over 3 values of {panel.sliders[0].description}"
    )


def test_play_moves_the_slider_to_its_end_and_begins_again(monkeypatch):
    monkeypatch.setattr(panel_module, "BEAT", 0)
    panel = made().widget()
    seen = []
    panel.sliders[1].observe(lambda change: seen.append(change["new"]), "index")
    panel.chosen.index = 1

    async def play():
        panel.buttons["Play"].click()
        assert panel.buttons["Play"].description == "Stop"
        async with asyncio.timeout(60):
            while panel.buttons["Play"].description == "Stop":
                await asyncio.sleep(0)

    asyncio.run(play())
    assert seen == [2]
    asyncio.run(play())
    assert seen == [2, 0, 1, 2]


def test_an_error_in_a_callback_reaches_whoever_moved_the_slider():
    def broken(figure, ratio, price):
        figure.subplots()
        if (ratio, price) == (1, 2_000):
            raise ZeroDivisionError
        return {"Price": "1"}

    panel = made(broken).widget()
    with pytest.raises(ZeroDivisionError):
        panel.sliders[0].index = 2


def counted():
    """An explorer that counts how often each state is drawn."""
    calls = []

    def counting(figure, **values):
        calls.append(tuple(values.values()))
        return draw(figure, **values)

    explorer = made(counting)
    explorer.cached_png(explorer.start)
    calls.clear()
    return explorer, calls


def test_a_state_seen_before_is_not_drawn_again():
    explorer, calls = counted()
    panel = explorer.widget()
    for index in (0, 1, 0, 1):
        panel.sliders[0].index = index
    assert calls == [(0, 2_000)]


def test_while_idle_the_states_within_reach_are_drawn_ahead_and_a_move_interrupts(monkeypatch):
    monkeypatch.setattr(panel_module.time, "process_time", time.perf_counter)  # as if no draw had waited
    explorer, calls = counted()
    panel = explorer.widget()

    async def use():
        panel.sliders[0].index = 0
        panel.sliders[1].index = 2
        assert calls == [(0, 2_000), (0, 2_000_000)]
        async with asyncio.timeout(20):
            while len(calls) < 3:
                await asyncio.sleep(0.01)

    asyncio.run(use())
    # The last move went up in price as far as it goes and the step back is known: the other control is next.
    assert calls[2] == (0.5, 2_000_000)


def test_nothing_is_drawn_ahead_where_a_draw_had_to_wait(monkeypatch):
    monkeypatch.setattr(
        panel_module.time, "process_time", lambda: 0
    )  # as if others had the processor all the time
    explorer, calls = counted()
    panel = explorer.widget()

    async def use():
        panel.sliders[0].index = 0
        await asyncio.sleep(3 * panel_module.PAUSE)

    asyncio.run(use())
    assert calls == [(0, 2_000)]


def test_no_figure_outlives_its_picture():
    explorer = made()
    explorer.png((0, 0))
    gc.collect()
    before = sum(type(thing).__name__ == "Figure" for thing in gc.get_objects())
    for position in explorer.positions():
        explorer.png(position)
    gc.collect()
    assert sum(type(thing).__name__ == "Figure" for thing in gc.get_objects()) == before


def test_text_and_mimebundle_are_stable_and_complete():
    explorer = made()
    assert explorer.text == (
        "Explorer: Half a hedge\n"
        "  Hedge ratio: 50 % (3 steps from 0 % to 100 %)\n"
        "  Price (USDT): 2,000 (3 steps from 10 to 2,000,000)\n"
        "  Short P&L: −1,000 USDT\n"
        "  Price: 2,000 USDT"
    )
    first, second = explorer._repr_mimebundle_(), made()._repr_mimebundle_()
    assert first["text/plain"] == explorer.text
    assert first["text/html"] == second["text/html"]
    assert 'alt="Half a hedge. Short P&amp;L: −1,000 USDT; Price: 2,000 USDT."' in first["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in first
    assert base64.b64decode(first["image/png"]) == explorer.png(explorer.start)[0]


WITHOUT_WIDGETS = """
import sys
from hedgelib import figures
from hedgelib.explorer import Choice, Explorer

def draw(figure, price):
    return figures.payoff(figure.subplots(), [50_000, 70_000], {"Short": [1, -1]}, at=price)

def loaded():
    return sorted({"ipywidgets", "traitlets", "IPython", "comm", "matplotlib.pyplot"} & set(sys.modules))

explorer = Explorer(draw, "Short", price=Choice("Price", range(50_000, 70_001, 10_000)))
figures.picture(draw, "Short", price=60_000)._repr_mimebundle_()
for form in (explorer.text, explorer.still, *explorer.png((1,)), *explorer.svg((2,))):
    assert form
print(loaded())
explorer.widget()
print("ipywidgets" in loaded())
"""


def test_widgets_are_loaded_when_one_is_shown_and_not_before():
    done = subprocess.run([sys.executable, "-c", WITHOUT_WIDGETS], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]


def test_a_picture_carries_its_text_alternative():
    shown = picture(draw, 'A "hedge" < 1', ratio=0.5, price=2_000)
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown) == 'A "hedge" < 1. Short P&L: −1,000 USDT; Price: 2,000 USDT.'
    assert 'alt="A &quot;hedge&quot; &lt; 1. Short P&amp;L' in bundle["text/html"]
    assert base64.b64decode(bundle["image/png"]) == shown.png and shown.png.startswith(b"\x89PNG")
