"""Joins Python to a built site: its folder `python/`, and in each page the scripts that use it."""

import json
import shutil
import tempfile
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup

from . import pack
from .pack import PackError

CODE = ".jp-CodeCell .jp-Editor pre"
HEAD = """\
<link rel="stylesheet" href="python/live.css">
<script defer src="python/python.js"></script>
<script defer src="python/{script}"></script>
</head>"""


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
    notebooks = sorted((site / "notebooks").glob("*.ipynb"))
    if not notebooks:
        raise PackError(f"{site} holds no site: run `make site` first")
    data = pack.checked(carrier)
    with tempfile.TemporaryDirectory(dir=site.parent) as folder:
        fresh = Path(folder) / "python"
        pack.pack(data, fresh)
        pages = {}
        for path in notebooks:
            page = site / f"{path.stem}.html"
            notebook = nbformat.read(path, as_version=4)
            pages[page] = _live(page, notebook, "live.js")
            _write_notebook(notebook, fresh / f"{path.stem}.js")
        shutil.rmtree(site / "python", ignore_errors=True)
        fresh.rename(site / "python")
        for page, text in pages.items():
            page.write_text(text, encoding="utf-8", newline="\n")


def _live(page, notebook, script):
    """The text of a page with its scripts, if its cells are those of the notebook."""
    text = page.read_text(encoding="utf-8")
    shown = [cell.get_text().removesuffix("\n") for cell in BeautifulSoup(text, "html.parser").select(CODE)]
    if shown != [cell.source for cell in notebook.cells if cell.cell_type == "code"]:
        raise PackError(f"the code on {page.name} is not that of its notebook: build the site again")
    head = HEAD.format(script=script)
    return text if head in text else text.replace("</head>", head, 1)


def _write_notebook(notebook, path):
    """Write a notebook without its outputs as a script."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    path.write_text(f"PYTHON.notebook = {json.dumps(notebook, ensure_ascii=False)};\n", encoding="utf-8")
