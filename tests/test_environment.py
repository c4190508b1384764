"""The check at the head of 00_start_here names what is wrong and never raises."""

import shutil
import sys
from importlib import metadata

import pytest

from hedgelib import environment


@pytest.fixture
def told(monkeypatch, capsys):
    """Return what the report says of packages that need this, and are installed or missing."""

    def report(requires, installed=None):
        def version(_):
            if installed is None:
                raise metadata.PackageNotFoundError
            return installed

        monkeypatch.setattr(metadata, "requires", lambda _: requires)
        monkeypatch.setattr(metadata, "version", version)
        environment.report()
        return capsys.readouterr().out.splitlines()

    return report


def test_complete_environment_has_no_problem(capsys):
    environment.report()
    assert capsys.readouterr().out == "Everything the notebooks need is here.\n"


def test_missing_package_is_named_with_its_remedy(told):
    assert told(["pandas>=2.2"]) == [f"pandas is missing, the notebooks need it: {environment.SET_UP_AGAIN}."]


def test_old_package_is_named_with_both_versions(told):
    (line,) = told(["pandas>=2.2"], "1.5.3")
    assert "pandas 1.5.3 is installed, >=2.2 is needed" in line


def test_lab_is_needed_but_the_site_and_test_tools_are_not(told):
    lines = told(['jupyterlab>=4; extra == "lab"', 'sphinx>=8; extra == "site"'])
    assert [line.split()[0] for line in lines] == ["jupyterlab"]


def test_what_only_real_prices_need_is_told_as_such(told):
    requires = [
        'ccxt>=4.4; extra == "histories"',
        'tqdm>=4; extra == "site"',
        'tqdm>=4; extra == "histories"',
    ]
    assert [line.split(": ")[0] for line in told(requires)] == [
        f"{name} is missing, only market.read_csv, market.download and market.history need it"
        for name in ("ccxt", "tqdm")
    ]


def test_old_python_and_each_package_have_a_line(told, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    lines = told(["pandas>=2.2", "numpy>=2"])
    assert [line.split()[0] for line in lines] == ["Python", "pandas", "numpy"]
    assert "Python 3.9 runs this notebook, 3.11 or newer is needed" in lines[0]


@pytest.fixture
def on_hub(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:8081/hub/api")


def test_on_a_class_server_the_teacher_mends_it(told, on_hub, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    *problems, last = told(["pandas>=2.2"])
    assert [problem.rpartition(": ")[2] for problem in problems] == [f"{environment.ASK}."] * 2
    assert last == environment.SHARED


def test_a_whole_class_server_says_how_to_share_it(on_hub, capsys):
    environment.report()
    assert capsys.readouterr().out.splitlines() == [
        "Everything the notebooks need is here.",
        environment.SHARED,
    ]


@pytest.fixture
def pulled(tmp_path, monkeypatch):
    """A folder of lessons with a copy of the library beside it, as a hub pulls it for a student."""
    lessons, library = tmp_path / "notebooks", tmp_path / "hedgelib"
    lessons.mkdir()
    shutil.copytree(environment.HERE, library, ignore=shutil.ignore_patterns("*.npz"))
    monkeypatch.chdir(lessons)
    return library


def test_lessons_with_the_same_library_are_at_home(pulled, capsys):
    environment.report()
    assert capsys.readouterr().out == "Everything the notebooks need is here.\n"


@pytest.mark.parametrize("name", ["hedge.py", "exercises/02_full_hedge.toml", "planner/new.py"])
def test_lessons_with_another_library_say_so(pulled, capsys, name):
    with (pulled / name).open("a") as file:
        file.write("# newer\n")
    environment.report()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("These lessons came with another state of hedgelib")
    assert line.endswith(f"{environment.SET_UP_AGAIN}.")
