"""The tool that stores notebooks, and the comparison of stored numbers that rests on it."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks

CONFIGURATION = Path(__file__).parent / "nbval.cfg"
PICTURE = """from hedgelib import figures
def draw(figure):
    figure.subplots().plot([0, 1], [0, {number}])
    return {{"Total P&L": figures.usdt({number})}}
figures.picture(draw, "A line")"""


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Write a notebook of these code cells and return its path; stamps stay in the folder of the test."""
    monkeypatch.setattr(notebooks, "STAMPS", tmp_path / "stamps")

    def write(*sources, name="made.ipynb"):
        path = tmp_path / name
        nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
        return path

    return write


def test_a_second_run_does_nothing_and_a_forced_one_gives_the_same_bytes(store, capsys):
    path = store(
        PICTURE.format(number=5_000), "import sys; print('a'); print('b'); print('c', file=sys.stderr)"
    )
    assert notebooks.main([str(path)]) == 0
    stored = path.read_bytes()
    assert notebooks.main([str(path)]) == 0
    assert "0 stored, 0 failed, 1 unchanged" in capsys.readouterr().out
    (notebooks.STAMPS / path.name).unlink()
    assert notebooks.main([str(path)]) == 0
    assert path.read_bytes() == stored
    assert notebooks.main(["--check", str(path)]) == 0
    path.write_bytes(stored.replace(b'"execution_count": 1', b'"execution_count": 7'))
    assert notebooks.main(["--check", str(path)]) == 1


def test_a_picture_is_stored_as_png_beside_its_html(store):
    path = store(PICTURE.format(number=5_000))
    assert notebooks.main([str(path)]) == 0
    (output,) = nbformat.read(path, as_version=4).cells[0].outputs
    assert output.data["image/png"].strip() in output.data["text/html"]


def test_a_changed_library_makes_a_notebook_stale(store, monkeypatch, tmp_path):
    path = store("1")
    notebooks.STAMPS.mkdir()
    (notebooks.STAMPS / path.name).write_text(notebooks.stamp(path))
    assert notebooks.is_fresh(path)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    (tmp_path / "hedgelib").mkdir()
    (tmp_path / "requirements.lock").touch()
    assert not notebooks.is_fresh(path)
    (notebooks.STAMPS / path.name).write_text(notebooks.stamp(path))
    (tmp_path / "hedgelib" / "new.py").touch()
    assert not notebooks.is_fresh(path)


def test_an_error_names_notebook_and_cell_and_leaves_the_file_alone(store, capsys):
    path = store("1", "1 / 0")
    before = path.read_bytes()
    assert notebooks.main([str(path)]) == 1
    assert "made.ipynb, cell 2: ZeroDivisionError: division by zero" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_notebook_saved_while_it_runs_is_left_alone(store, capsys):
    path = store("from pathlib import Path", "Path('made.ipynb').write_text('edited'); print('done')")
    assert notebooks.main([str(path)]) == 1
    assert "saved by someone else" in capsys.readouterr().err
    assert path.read_text() == "edited"


def test_a_large_notebook_is_refused(store, capsys, monkeypatch):
    path = store(f"print('x' * {notebooks.MOST_BYTES})")
    assert notebooks.main([str(path)]) == 1
    assert "at most 500,000 are accepted" in capsys.readouterr().err


def test_normalising_removes_what_differs_between_runs_and_keeps_what_a_lesson_needs():
    slide = {"slideshow": {"slide_type": "slide"}, "tags": ["exercise"]}
    cell = new_code_cell(
        "1", metadata=slide | {"execution": {"iopub.status.idle": "2024"}}, execution_count=9
    )
    view = {notebooks.WIDGET: {"model_id": "f"}, "text/plain": "Explorer"}
    cell.outputs = [
        new_output("stream", name="stdout", text="a\n"),
        new_output("stream", name="stdout", text="b\n"),
        new_output("display_data", data=view, metadata={"isolated": True}),
        new_output("execute_result", data={"text/plain": "1"}, execution_count=9),
    ]
    notebook = new_notebook(
        cells=[new_markdown_cell("# One"), cell], metadata={"widgets": {"state": {}}, "toc": 1}
    )
    notebooks.normalise(notebook)
    assert notebook.metadata == notebooks.NOTEBOOK_METADATA
    assert cell.metadata == slide
    assert cell.execution_count == 1
    stream, shown, result = cell.outputs
    assert stream.text == "a\nb\n"
    assert shown.data == {"text/plain": "Explorer"}
    assert shown.metadata == {}
    assert result.execution_count == 1


def test_missing_ids_are_made_from_the_place(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(
        '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": ['
        '{"cell_type": "markdown", "metadata": {}, "source": "a"},'
        '{"cell_type": "markdown", "metadata": {}, "source": ["b"]}]}'
    )
    assert [cell.id for cell in notebooks.read(path).cells] == ["cell-1", "cell-2"]


def nbval(path):
    """Compare strictly, as `make test` does, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval",
        "--nbval-current-env",
    ]
    command += ["--nbval-cell-timeout=60", "--nbval-sanitize-with", CONFIGURATION, path]
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent, check=False)


def test_nbval_accepts_what_was_stored_and_fails_when_one_number_is_altered(store):
    path = store("1_234 + 1", PICTURE.format(number=5_000))
    notebooks.refresh(path)
    assert nbval(path).returncode == 0
    altered = path.read_text(encoding="utf-8")
    for right, wrong in [('"1235"', '"1236"'), ("+5,000 USDT", "+5,001 USDT")]:
        assert right in altered
        altered = altered.replace(right, wrong)
    path.write_text(altered, encoding="utf-8")
    outcome = nbval(path)
    assert outcome.returncode == 1
    assert "2 failed" in outcome.stdout


def test_every_notebook_of_the_course_is_normalised():
    assert all(map(notebooks.is_normalised, sorted((notebooks.ROOT / "notebooks").glob("*.ipynb"))))
