"""The layers of the library: a module imports only what stands beside or above it in README's table."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "hedgelib"
TOLD = (ROOT / "README.md").read_text(encoding="utf-8").partition("from the bottom up")[2]
LAYERS = [re.findall(r"`(\w+)`", row) for row in re.findall(r"^\| (`.*?) \|", TOLD, re.MULTILINE)]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ARITHMETIC = {"perpetual", "funding", "survival", "ratio"}
ANNEXES = {"histories", "planner"}
ALLOWED = {"numpy", "scipy"} | sys.stdlib_module_names


def part(path):
    """The top-level name that a file belongs to: market for market/frame.py."""
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(path):
    """Every module a file imports, with dots, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from imports_of(node)


def imports_of(node):
    """Every module that one statement imports, with dots."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, f"imports are absolute: {ast.unparse(node)}"
        if node.module == "hedgelib":
            yield from (f"hedgelib.{alias.name}" for alias in node.names)
        else:
            yield node.module


FILES = sorted(path for path in LIBRARY.rglob("*.py") if path.parent != LIBRARY or path.stem != "__init__")
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))


def test_readme_knows_every_module():
    assert sorted(name for names in LAYERS for name in names) == sorted({part(path) for path in FILES})


@every_file
def test_imports_point_one_way(path):
    mine = part(path)
    for module in imports(path):
        if module.startswith("hedgelib."):
            other = module.split(".")[1]
            assert other == mine or RANK[other] <= RANK[mine], f"{mine} imports {other}"


def test_the_core_is_whole_without_the_annexes():
    for path in FILES:
        if part(path) not in ANNEXES:
            top = ast.parse(path.read_text(encoding="utf-8")).body
            taken = {name.split(".")[1] for node in top for name in imports_of(node) if "hedgelib." in name}
            assert not taken & ANNEXES, path.name


@every_file
def test_only_the_explorer_knows_widgets_and_nothing_knows_pyplot(path):
    names = set(imports(path))
    assert "matplotlib.pyplot" not in names
    if path.stem not in {"panel", "form", "boxes"}:
        assert not any(name.split(".")[0] == "ipywidgets" for name in names)


@every_file
def test_arithmetic_imports_arithmetic(path):
    if part(path) in ARITHMETIC:
        foreign = {name.split(".")[0] for name in imports(path)} - {"hedgelib"}
        assert foreign <= ALLOWED
