"""Joins Python to a built site: its folder `python/`, the planner's page, and the scripts of each lesson."""

import json
import re
import shutil
import tempfile
from pathlib import Path

import jinja2
import nbformat
from bs4 import BeautifulSoup

from hedgelib.planner import fields
from website.build import edition
from website.pages import NOTEBOOK_ONLY

from . import pack, planning
from .pack import HERE, PackError

CODE = ".jp-CodeCell .jp-Editor pre"
LIVE = re.compile(r"<!--live\s(.*?)\slive-->", re.DOTALL)  # what a page has for its live form only


def join(site, carrier):
    """Make a built site live, all of it or nothing.

    Parameters
    ----------
    site : Path
        What `website.build` has written; one that is live already is made so again.
    carrier : Path
        What brings the files of Pyodide: its release archive, the carrier's wheel, or a folder.

    Raises
    ------
    PackError
        If there is no site, a file is not the one that the lock names, or a page is not its notebook's.
    """
    notebooks = {path.stem: path for path in sorted((site / "notebooks").glob("*.ipynb"))}
    if not notebooks:
        raise PackError(f"{site} holds no site: run `make site` first")
    data = pack.checked(carrier)
    with tempfile.TemporaryDirectory(dir=site.parent) as folder:
        fresh = Path(folder) / "python"
        pack.pack(data, fresh)
        pages = {"index": _uncovered(site / "index.html"), "planner": planner(max(notebooks))}
        for name, path in notebooks.items():
            notebook = nbformat.read(path, as_version=4)
            pages[name] = _uncovered(site / f"{name}.html")
            shown = [place for place, cell in enumerate(notebook.cells) if is_shown(cell)]
            if _code(pages[name]) != [notebook.cells[place].source for place in shown]:
                raise PackError(f"the code on {name}.html is not that of its notebook: build the site again")
            _write_notebook(notebook, shown, fresh / f"{name}.js")
        shutil.rmtree(site / "python", ignore_errors=True)
        fresh.rename(site / "python")
        for name, text in pages.items():
            (site / f"{name}.html").write_text(text, encoding="utf-8", newline="\n")


def _uncovered(page):
    """The text of a page with what it has for its live form."""
    text = LIVE.sub(r"\1", page.read_text(encoding="utf-8"))
    if "planner.html" not in text:
        raise PackError(f"{page.name} cannot become live: build the site again")
    return text


def _code(text):
    """The code of each cell of a page."""
    return [code.get_text().removesuffix("\n") for code in BeautifulSoup(text, "html.parser").select(CODE)]


def is_shown(cell):
    """Whether a page shows this cell of code."""
    return cell.cell_type == "code" and NOTEBOOK_ONLY not in cell.metadata.get("tags", [])


def _write_notebook(notebook, shown, path):
    """Write a notebook without its outputs, and the places of the cells that its page shows, as a script."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    written = json.dumps(notebook, ensure_ascii=False)
    path.write_text(f"PYTHON.notebook = {written};\nPYTHON.shown = {shown};\n", encoding="utf-8")


def planner(lesson):
    """The planner's page as it stands before Python runs: the plan of a lesson, computed here."""
    folders = [HERE, HERE.parent / "templates"]
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(folders), trim_blocks=True, autoescape=True)
    texts = json.loads(planning.first())
    return env.get_template("planner.html.j2").render(
        worksheet=lesson,
        edition=edition(),
        groups=fields.GROUPS,
        labels=fields.LABELS,
        hints=fields.HINTS,
        options=fields.options,
        texts=texts,
        hidden="ratio" if texts["decide"] == "bearable" else "bearable",
        plan=json.loads(planning.plan(planning.first())),
        start=json.dumps(texts).replace("<", "\\u003c"),
    )
