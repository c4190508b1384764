"""Every notebook, run in this process: explorers off their start values, exercises with their solutions."""

import itertools
import random
import re

import lessons
import pytest
from matplotlib.artist import Artist
from PIL import Image

from hedgelib import exercise

every_lesson = pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)


def slider_positions(explorer):
    """Every value of every control, the others at the start; all corners; and some states between."""
    for control, chosen in enumerate(explorer.controls.values()):
        for index in range(len(chosen.values)):
            yield (*explorer.start[:control], index, *explorer.start[control + 1 :])
    yield from itertools.product(*({0, len(control.values) - 1} for control in explorer.controls.values()))
    positions = explorer.positions()
    yield from random.Random(0).sample(positions, min(25, len(positions)))


@every_lesson
def test_every_explorer_draws_at_every_slider_value(path):
    for explorer in lessons.run(path).explorers:
        for position in set(slider_positions(explorer)):
            _, readouts = explorer.figure(position)
            assert readouts, (explorer.title, explorer.values(position))
            assert all(value.strip() for value in readouts.values()), (explorer.title, readouts)


@every_lesson
def test_every_slider_changes_picture_and_readouts_without_a_kernel(path):
    for explorer in lessons.run(path).explorers:
        panel = explorer.widget()
        for slider, control in zip(panel.sliders, explorer.controls.values(), strict=True):
            pictures, readouts = set(), set()
            for index in {0, control.start_index, len(control.values) - 1}:
                slider.index = index
                pictures.add(bytes(panel.image.value))
                readouts.add(panel.readouts.value)
            slider.index = control.start_index
            assert len(readouts) > 1, f'"{control.label}" of "{explorer.title}" changes no readout'
            assert len(pictures) > 1, f'"{control.label}" of "{explorer.title}" does not change its picture'


@every_lesson
def test_starters_do_not_pass_and_solutions_do(path):
    lesson = lessons.run(path)
    wanted = {name for name in exercise.exercises() if name[:2] == path.name[:2]}
    assert set(lesson.starters) == wanted
    assert set(lesson.solutions) == wanted
    assert not [name for name, verdict in lesson.starters.items() if verdict.passed]
    assert not [f"{name}: {verdict}" for name, verdict in lesson.solutions.items() if not verdict.passed]


@every_lesson
def test_everything_shown_as_an_image_has_a_text_alternative(path):
    for thing in lessons.run(path).shown:
        assert not isinstance(thing, Image.Image | Artist), thing
        html = thing._repr_mimebundle_().get("text/html", "") if hasattr(thing, "_repr_mimebundle_") else ""
        assert html.count("<img") == len(re.findall(r'<img alt="[^"]', html))
