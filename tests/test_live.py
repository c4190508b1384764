"""Live pages without Pyodide: the lock, the packer, how a site is joined, and cells run in plain Python."""

import hashlib
import io
import json
import re
import shutil
import tarfile
import zipfile

import lessons
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from packaging.requirements import Requirement

from website import proof
from website.live import __main__ as command
from website.live import pack, planning, session
from website.live.join import CODE, join
from website.live.pack import PackError

FILES = pack.locked()


@pytest.fixture
def notebook():
    """A session as it begins in a page; how pandas prints is put back afterwards."""
    with pd.option_context("display.width", 80, "display.max_columns", 20):
        session.fresh()
        yield lambda source, **how: json.loads(session.run(source, "cell 1", **how))


def wheel(name):
    """A small wheel with a licence."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{name}.dist-info/LICENSE", f"licence of {name}")
    return stream.getvalue()


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """Small files in the place of Pyodide's, under their names, and a lock that names them."""
    data = {name: wheel(name) if name.endswith(".whl") else name.encode() for name in FILES}
    text = pack.LOCK.read_text(encoding="utf-8")
    for name, content in data.items():
        text = text.replace(FILES[name]["sha256"], hashlib.sha256(content).hexdigest())
    lock, carrier = tmp_path / "files.toml", tmp_path / "carrier"
    lock.write_text(text, encoding="utf-8")
    monkeypatch.setattr(pack, "LOCK", lock)
    carrier.mkdir()
    for name, content in data.items():
        (carrier / name).write_bytes(content)
    return carrier


def zipped(folder):
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"pyodide/{path.name}")
    return folder.with_suffix(".zip")


def tarred(folder):
    with tarfile.open(folder.with_suffix(".tar.bz2"), "w:bz2") as archive:
        archive.add(folder, "pyodide")
    return folder.with_suffix(".tar.bz2")


def test_the_lock_is_whole():
    packages = {entry["package"]: entry for entry in FILES.values() if "package" in entry}
    for name, entry in FILES.items():
        assert re.fullmatch("[0-9a-f]{64}", entry["sha256"]) and entry["size"] > 0 and entry["licence"], name
        assert set(entry.get("depends", [])) <= packages.keys(), name
    for line in (pack.ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        needed = re.match(r' +"((numpy|pandas|matplotlib|scipy|pillow|cycler|packaging)>=.*?)"', line)
        if needed:
            requirement = Requirement(needed[1])
            assert requirement.specifier.contains(packages[requirement.name]["version"]), requirement
    pinned = command.CARRIER.read_text(encoding="utf-8")
    assert re.search(r"^\S+==\S+ \\\n +--hash=sha256:[0-9a-f]{64}$", pinned, re.MULTILINE)


@pytest.mark.parametrize("carried", [lambda folder: folder, zipped, tarred], ids=["folder", "zip", "tar"])
def test_every_file_is_compared_with_the_lock(fake, carried):
    assert pack.checked(carried(fake)) == {path.name: path.read_bytes() for path in fake.iterdir()}
    changed = fake / "pyodide.asm.wasm"
    changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    with pytest.raises(PackError, match=r"pyodide\.asm\.wasm is not the file that files\.toml names"):
        pack.checked(carried(fake))
    changed.unlink()
    with pytest.raises(PackError, match=r"lacks pyodide\.asm\.wasm"):
        pack.checked(carried(fake))


def test_what_carries_nothing_is_refused(tmp_path):
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(PackError, match="neither a folder nor a wheel"):
        pack.checked(tmp_path / "text")


def test_the_library_asks_for_no_more_than_is_shipped():
    name, content = pack.library()
    assert content == pack.library()[1]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (metadata,) = (each for each in archive.namelist() if each.endswith("METADATA"))
        lines = archive.read(metadata).decode().splitlines()
        assert "hedgelib/frozen.npz" in archive.namelist()
    asked = {Requirement(line[15:]).name for line in lines if line.startswith("Requires-Dist: ")}
    assert {"numpy", "pandas", "scipy"} <= asked <= {entry.get("package") for entry in FILES.values()}
    assert name.startswith("hedgelib-")


@pytest.fixture
def site(course, tmp_path):
    """A copy of the small course's site."""
    shutil.copytree(course, tmp_path / "site")
    return tmp_path / "site"


def test_a_site_becomes_live_and_stays_so(fake, site, capsys):
    before = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    for _ in range(2):
        assert command.main(["--site", str(site), "--pyodide", str(fake)]) == 0
    assert "every cell runs" in capsys.readouterr().out
    for name in ("00_start", "01_hedge"):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        assert re.findall(r'src="(python/.*?)"', text) == ["python/python.js", "python/live.js"]
        assert "<!--live" not in text
        written = (site / "python" / f"{name}.js").read_text(encoding="utf-8")
        first, shown = re.fullmatch(r"PYTHON\.notebook = (.*);\nPYTHON\.shown = (.*);\n", written).groups()
        kept = nbformat.from_dict(json.loads(first))
        source = nbformat.read(site / "notebooks" / f"{name}.ipynb", as_version=4)
        assert [cell.source for cell in kept.cells] == [cell.source for cell in source.cells]
        assert [kept.cells[place].source for place in json.loads(shown)] == code(site / f"{name}.html")
        assert 'href="planner.html"' in text
        nbformat.validate(kept)
    assert 'href="planner.html"' in (site / "index.html").read_text(encoding="utf-8")
    assert not proof.wrong_references(site)
    pages = {path for path in before if path.suffix == ".html" and path.parent.name != "slides"}
    for path, content in before.items():
        assert path in pages or (site / path).read_bytes() == content
    shipped = (site / "python" / "licences" / "README.txt").read_text(encoding="utf-8")
    assert all(f"{name}: {entry['licence']}" in shipped for name, entry in FILES.items())
    assert len(list((site / "python" / "licences").iterdir())) > len(FILES) - 4


def code(page):
    """The code of the cells of a page."""
    cells = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select(CODE)
    return [cell.get_text().removesuffix("\n") for cell in cells]


def test_a_file_that_does_not_match_leaves_the_site_alone(fake, site, capsys):
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    (fake / "python_stdlib.zip").write_bytes(b"other")
    assert command.main(["--site", str(site), "--pyodide", str(fake)]) == 1
    assert "python_stdlib.zip" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_a_page_with_other_code_than_its_notebook_is_refused(fake, site):
    page = site / "00_start.html"
    page.write_text(page.read_text(encoding="utf-8").replace("ready", "steady"), encoding="utf-8")
    with pytest.raises(PackError, match=r"00_start\.html is not that of its notebook"):
        join(site, fake)
    with pytest.raises(PackError, match="holds no site"):
        join(site / "slides", fake)


def test_the_editor_is_here():
    bundle = (pack.HERE / "codemirror.js").read_text(encoding="utf-8")
    assert "openEditor" in bundle and len(bundle) > 100_000


def test_a_cell_shows_what_a_notebook_shows(notebook):
    assert notebook("a, b = 1, 2\nprint(a)\na + b") == [{"text": "1\n"}, {"text": "3"}]
    assert notebook("a + b;") == []
    assert notebook("a") == [{"text": "1"}]
    assert notebook("print(a)\nc = 5", quiet=True) == [] and notebook("c") == [{"text": "5"}]
    (table,) = notebook("import pandas as pd\npd.DataFrame({'x': [1]})")
    assert "<table" in table["html"] and table["text"] == "   x\n0  1"


def test_an_error_is_a_sentence_and_a_traceback_from_the_cell_on(notebook):
    shown, error = notebook("print('so far')\ndef f():\n    return 1 / 0\nf()")
    assert shown == {"text": "so far\n"}
    assert (error["error"], error["kind"]) == ("ZeroDivisionError: division by zero", "ZeroDivisionError")
    assert "return 1 / 0" in error["trace"] and "session.py" not in error["trace"]
    (error,) = notebook("for x in:")
    assert error["kind"] == "SyntaxError" and "for x in:" in error["trace"]
    (error,) = notebook("1 / 0", quiet=True)
    assert error["kind"] == "ZeroDivisionError"


def test_an_explorer_is_drawn_state_by_state(notebook):
    notebook("from hedgelib.explorer import Choice, Explorer")
    (shown,) = notebook(
        "def draw(figure, x):\n    figure.subplots().plot([0, x])\n    return {'x': str(x)}\n"
        "Explorer(draw, 'Line', x=Choice('x', [1, 2, 3], 2))"
    )
    assert (shown["title"], shown["readouts"]) == ("Line", {"x": "2"})
    assert shown["controls"] == [{"label": "x", "texts": ["1", "2", "3"], "start": 1}]
    states = [json.loads(session.state(shown["explorer"], place)) for place in range(3)]
    assert [state["alt"] for state in states] == ["Line. x: 1.", "Line. x: 2.", "Line. x: 3."]
    assert states[1]["picture"] == shown["picture"] != states[2]["picture"]


def test_a_form_shows_its_start_without_widgets(notebook):
    (shown,) = notebook("from hedgelib.planner import Form\nForm(coins=1, cost=1, price=60_000, ratio=0.5)")
    assert "SELL 0.5 BTC" in shown["html"] and shown["text"].startswith("Form: plan your hedge")


def test_a_file_of_the_reader_lies_where_cells_find_it(notebook, tmp_path, monkeypatch):
    class Handed:
        """Bytes as a page hands them over."""

        def to_bytes(self):
            return b"time,close\n"

    monkeypatch.chdir(tmp_path)
    session.keep("../up/prices.csv", Handed())
    assert notebook("from pathlib import Path\nPath('prices.csv').read_text()") == [
        {"text": "'time,close\\n'"}
    ]


def test_the_first_lesson_runs_as_it_is_stored(notebook, monkeypatch):
    monkeypatch.chdir(lessons.PATHS[0].parent)
    for cell in nbformat.read(lessons.PATHS[0], as_version=4).cells:
        if cell.cell_type == "code":
            assert [output["text"] for output in notebook(cell.source)] == stored(cell)


def stored(cell):
    """The text of each output of a cell."""
    return [
        output.text if output.output_type == "stream" else output.data["text/plain"]
        for output in cell.outputs
    ]


@pytest.fixture
def typed():
    """What the planner's fields hold at the start."""
    return json.loads(planning.first())


def planned(texts, **how):
    return json.loads(planning.plan(json.dumps(texts), **how))


def test_the_planner_begins_with_the_plan_of_lesson_09(typed):
    told = planned(typed)
    (form,) = (
        output.data["text/plain"]
        for cell in nbformat.read(lessons.PATHS[9], as_version=4).cells
        if cell.cell_type == "code" and cell.source.startswith("Form(")
        for output in cell.outputs
    )
    decided = ("Order", "Have ready", "Liquidation price", "Exits", "A fall of 20 % costs")
    assert all(f"  {name}: {told['summary'][name]}\n" in f"{form}\n" for name in decided)
    assert told["problems"] == {} and told["base"] == "BTC" and told["texts"] == typed
    assert [drawn["alt"][:6] for drawn in told["pictures"]] == ["A fall", "11 % l"]
    assert told["measured"]["volatility"].keys() == {"era", "last 365 days"}


def test_what_is_refused_stands_beside_its_field(typed):
    told = planned(typed | {"coins": "many", "price": "0,5", "leverage": "400"})["problems"]
    assert told.keys() == {"coins", "price"} and "type a number" in told["coins"]
    assert planned(typed | {"leverage": "400"})["problems"].keys() == {"leverage"}
    assert "“the coins (coin-margined)”" in planned(typed | {"contract": "BTCUSD"})["problems"]["margin_from"]
    assert planned(typed | {"fall": "0.2"})["texts"]["fall"] == "20 %"
    assert planned(typed, priced="ETH")["remarks"]["price"].startswith("this was the price of ETH")


def test_a_plan_is_saved_and_opened_and_set_beside_others(typed):
    files = json.loads(planning.whole(json.dumps(typed)))["files"]
    assert json.loads(planning.opened(files["my-hedge.json"])) == {"texts": typed}
    assert files["my-hedge-ladder.csv"].startswith("level,price") and "# My hedge" in files["my-hedge.md"]
    assert "holds no plan" in json.loads(planning.opened("{}"))["problem"]
    kept = [typed | {"leverage": "2"}, typed | {"coins": "3"}]
    told = json.loads(planning.beside(json.dumps(typed), json.dumps(kept)))
    assert "1: 60 % at 2x" in told["table"] and "2: " not in told["table"] and "put" in told["alt"]
