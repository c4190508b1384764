"""Runs the notebooks, several at a time, with explorers shown as twins, and keeps what they show."""

import asyncio
import copy
import hashlib
import importlib.metadata
import json
import sys
import time
from pathlib import Path

import nbformat
from nbconvert.filters import strip_ansi
from tqdm import tqdm

from tools import run
from tools.run import ROOT

HERE = Path(__file__).parent
CELL_TIMEOUT = 900  # seconds; an explorer of 600 states takes about 60 on a slow machine
STARTUP = "from website import twin\ntwin.show_twins({steps})"
RUN_BY = ("ipython", "matplotlib", "numpy", "pandas", "scipy")


class BuildError(Exception):
    """The site cannot be built; the message tells a person where and why."""


def executed(paths, cache, workers, report, steps=None):
    """Return each notebook with its outputs, in the order of `paths`; of a draft with so many steps a slider.

    Outputs are kept in the folder `cache` until the notebook's code, the library, the twins or what runs them
    changes; prose may change freely.

    Raises
    ------
    BuildError
        If a cell fails; the message names notebook and cell.
    """
    return asyncio.run(_run_all(paths, cache, workers, report, steps))


async def _run_all(paths, cache, workers, report, steps):
    """Executed notebooks in the order of `paths`; the first failure stops all."""
    turn, failures = asyncio.Semaphore(workers), []
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    cells = sum(cell.cell_type == "code" for notebook in notebooks for cell in notebook.cells)
    library = _library_key(paths[0].parent)
    with tqdm(total=cells, unit="cell", file=sys.stdout, disable=not sys.stdout.isatty(), leave=False) as bar:

        async def run(path, notebook):
            async with turn:
                try:
                    return await _run(path, notebook, cache, library, bar, report, steps)
                except BuildError as error:
                    failures.append(error)
                    for task in tasks:
                        task.cancel()

        tasks = [asyncio.create_task(run(*pair)) for pair in zip(paths, notebooks, strict=True)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in [*failures, *results]:
        if isinstance(failure, BaseException):
            raise failure
    return results


async def _run(path, notebook, cache, library, bar, report, steps):
    """Put into a notebook the outputs of its code, kept ones if neither it nor the library has changed."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    key = _digest([library, steps, *([cell.source, cell.metadata.get("tags")] for cell in code)])
    kept = cache / f"{path.stem}-{key}.json"
    if kept.exists():
        bar.update(len(code))
        report(f"{path.stem}: unchanged")
    else:
        started = time.monotonic()
        outputs = await _execute(path, copy.deepcopy(notebook), bar, steps)
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{path.stem}-*.json"):
            old.unlink()
        whole = kept.with_suffix(".part")  # a build that is stopped here leaves nothing that looks kept
        whole.write_text(json.dumps(outputs, ensure_ascii=False), encoding="utf-8")
        whole.replace(kept)
        report(f"{path.stem}: {len(code)} cells run in {time.monotonic() - started:.0f} s")
    for cell, outputs in zip(code, json.loads(kept.read_text(encoding="utf-8")), strict=True):
        cell.outputs = nbformat.from_dict(outputs)
    return notebook


async def _execute(path, notebook, bar, steps):
    """Run a notebook where it lies, with its explorers shown as twins; return the outputs of its code.

    Jupyter writes more into the notebook than the outputs, so the caller gives a copy.
    """

    def begun(place):
        bar.set_description(f"{path.stem}, cell {place} of {len(notebook.cells)}")

    def done(place):
        bar.update()

    startup = STARTUP.format(steps=steps)
    try:
        await run.in_kernel(notebook, path, startup=startup, seconds=CELL_TIMEOUT, begun=begun, done=done)
    except run.CellError as error:
        where = f"{path.name}, cell {error.place}, stops the build"
        raise BuildError(f"{where}:\n\n{error.source}\n\n{strip_ansi(error.reason)}") from None
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def _library_key(notebooks):
    """Digest of everything but the notebook that its outputs come from."""
    ours = [
        *(HERE / name for name in ("drawing.py", "execute.py", "merge.py", "twin.py")),
        Path(run.__file__),
    ]
    files = [*(ROOT / "hedgelib").rglob("*"), *ours, *notebooks.rglob("*")]
    sources = sorted(f for f in files if f.is_file() and f.suffix in (".py", ".toml", ".csv"))
    versions = [f"{name} {importlib.metadata.version(name)}" for name in RUN_BY]
    return _digest([sys.version, *versions, *(f"{f.name} {f.read_text(encoding='utf-8')}" for f in sources)])


def _digest(texts):
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
