"""The lock file, pyproject.toml, environment.yml and the imports in the code tell one story."""

import ast
import re
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
import yaml
from flit_core import buildapi
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from hedgelib import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK, OLDEST = ((ROOT / f"requirements{each}.lock").read_text() for each in ("", "-oldest"))
HELPERS = {path.stem for path in (ROOT / "tests").glob("*.py")}
OWN = {"benchmarks", "hedgelib", "tests", "tools", "website"} | HELPERS


every_lock = pytest.mark.parametrize("lock", [LOCK, OLDEST], ids=["newest", "oldest"])


def locked(lock):
    """Map every package of a lock file to its requirements (one per platform or Python version)."""
    entries = re.split(r"\n(?=\S)", lock.strip())
    requirements = [Requirement(entry.split("\\\n")[0].strip()) for entry in entries]
    return {canonicalize_name(r.name): [s for s in requirements if s.name == r.name] for r in requirements}


def declared(*extras):
    texts = list(PROJECT["dependencies"])
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(text).name): Requirement(text) for text in texts}


def imports(*places):
    """Third-party modules imported by the Python files and notebooks that the patterns match."""
    found = set()
    for place in places:
        files = ROOT.glob(place)
        for path in files:
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".ipynb":
                cells = nbformat.reads(text, as_version=4).cells
                text = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    found.add(node.module.split(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and name not in OWN}


def distributions(modules):
    known = packages_distributions()
    return {canonicalize_name(known[module][0]) for module in modules}


def test_the_report_of_a_lesson_knows_what_every_extra_is_for():
    assert set(environment._USES) | {"bench", "site", "test"} == set(PROJECT["optional-dependencies"])


@every_lock
def test_lock_pins_every_package_exactly_and_with_hashes(lock):
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        assert re.match(r"[A-Za-z0-9._-]+==[\w.!+]+( ;.*?)? \\\n    --hash=sha256:[0-9a-f]{64}", entry), (
            entry[:80]
        )


@every_lock
def test_lock_names_no_host(lock):
    assert not re.search(r"https?:|index-url|find-links|trusted-host", lock)


def test_lock_satisfies_every_lower_bound():
    packages = locked(LOCK)
    for name, requirement in declared(*PROJECT["optional-dependencies"].keys() - {"bench"}).items():
        assert name in packages, f"{name} is in pyproject.toml but not in the lock"
        for pinned in packages[name]:
            version = next(iter(pinned.specifier)).version
            assert requirement.specifier.contains(version), f"{pinned} is below {requirement}"


def test_the_oldest_lock_holds_the_lower_bounds_of_the_library():
    packages = locked(OLDEST)
    for name, requirement in declared("histories").items():
        (bound,), (pinned,) = requirement.specifier, packages[name]
        assert Version(next(iter(pinned.specifier)).version) == Version(bound.version), name


def test_the_running_environment_is_the_locked_one():
    from importlib.metadata import version

    for name, entries in locked(LOCK).items():
        here = [r for r in entries if r.marker is None or r.marker.evaluate()]
        if here:
            assert version(name) == next(iter(here[0].specifier)).version, name


def test_library_imports_exactly_its_declared_dependencies():
    core, annex = imports("hedgelib/*.py", "hedgelib/[!h]*/*.py"), imports("hedgelib/histories/*.py")
    assert distributions(core) == set(declared())
    assert distributions(annex) - set(declared()) == set(declared("histories")) - set(declared())


@pytest.mark.parametrize(
    ("place", "extras"),
    [
        ("notebooks/*.ipynb", ()),
        ("tools/*.py", ("lab", "site")),
        ("website/**/*.py", ("lab", "site")),
        ("tests/**/*.py", ("histories", "lab", "site", "test")),
    ],
)
def test_other_code_imports_only_what_is_declared_for_it(place, extras):
    assert distributions(imports(place)) <= set(declared(*extras))


def test_the_package_holds_the_data_it_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / buildapi.build_wheel(str(tmp_path))) as wheel:
        held = {Path(name).name for name in wheel.namelist()}
    data = [path for path in (ROOT / "hedgelib").rglob("*.*") if path.suffix in (".toml", ".npz")]
    assert {path.name for path in data} <= held


def test_environment_yml_takes_everything_from_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge"]
    *conda, pip = environment["dependencies"]
    assert [re.split(r"[ <>=]", text)[0] for text in conda] == ["python", "pip"]
    # How repo2docker, which Binder and many hubs build images with, finds the Python (buildpacks/conda).
    python = re.match(r"python\s*=+\s*([\d\.]*)", conda[0])[1]
    assert python in SpecifierSet(PROJECT["requires-python"])
    assert pip == {"pip": ["-r requirements.lock"]}
    assert "pip install --no-deps --no-build-isolation -e ." in (ROOT / "postBuild").read_text()


def test_jupyterlab_finds_the_settings_that_come_with_the_package():
    settings = Path("share", "jupyter", "lab", "settings", "overrides.json")
    assert (sys.prefix / settings).read_text() == (ROOT / "tools" / "installed" / settings).read_text()


def test_continuous_integration_runs_the_command_of_the_readme():
    assert (ROOT / ".ci" / "run").read_text().strip().endswith("make test")
    assert "make test" in (ROOT / "README.md").read_text()
