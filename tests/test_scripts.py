"""Lessons as plain Python files: they run, print what a notebook shows, and show no picture."""

import ast
import contextlib
import io

import lessons
import pytest

from tools import scripts


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_a_script_holds_the_code_and_the_prose_of_its_lesson(path):
    text = scripts.script(path)
    ast.parse(text)
    for cell in lessons.cells(path):
        lines = cell.source.splitlines()
        if cell.cell_type == "markdown":
            lines = [f"# {line}".rstrip() for line in lines]
        elif isinstance((ast.parse(cell.source).body or [None])[-1], ast.Expr):
            lines = lines[: ast.parse(cell.source).body[-1].lineno - 1]
        assert "\n".join(lines) in text


@pytest.mark.parametrize("path", [lessons.PATHS[0], lessons.PATHS[2]], ids=lambda path: path.stem)
def test_a_script_prints_readouts_and_sentences_instead_of_pictures(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(scripts.script(path), f"{path.stem}.py", "exec"), {"__name__": "__main__"})
    text = printed.getvalue()
    assert " object at 0x" not in text and "<Figure" not in text
    explorers = lessons.run(path).explorers
    assert explorers
    for explorer in explorers:
        sentences = "\n".join(map(explorer.tell, explorer.controls))
        assert f"{explorer.text}\n{sentences}\n" in text


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("1 + 1", "show(1 + 1)"),
        ("a = 1", "a = 1"),
        ("# nothing", "# nothing"),
        ("a = '€'; f(\n    a,\n)  # ü", "a = '€'; show(f(\n    a,\n))  # ü"),
    ],
)
def test_the_last_expression_is_shown(source, wanted):
    assert scripts.showing(source) == wanted


def test_scripts_are_written_to_a_folder(tmp_path, capsys):
    scripts.main([str(lessons.PATHS[0]), "--output", str(tmp_path / "new")])
    (written,) = (tmp_path / "new").iterdir()
    assert written.read_text(encoding="utf-8") == scripts.script(lessons.PATHS[0])
    assert capsys.readouterr().out == f"{written}\n"
