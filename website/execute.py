"""Runs the notebooks, several at a time, with explorers shown as twins, and keeps what they show."""

import asyncio
import hashlib
import importlib.metadata
import json
import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm import tqdm

HERE = Path(__file__).parent
ROOT = HERE.parent
CELL_TIMEOUT = 900  # seconds; an explorer of 600 states takes about 60 on a slow machine
ANY_ERROR = "raises-exception"  # cell tag: the error is what the cell shows
RUN_BY = ("ipython", "matplotlib", "numpy", "pandas", "scipy", "statsmodels")


class BuildError(Exception):
    """The site cannot be built; the message tells a person where and why."""


def executed(paths, cache, workers, report):
    """Return each notebook with its outputs, in the order of `paths`.

    Outputs are kept in the folder `cache` until the notebook's code, the library, this package or what runs
    them changes; prose may change freely.

    Raises
    ------
    BuildError
        If a cell fails; the message names notebook and cell.
    """
    return asyncio.run(_run_all(paths, cache, workers, report))


async def _run_all(paths, cache, workers, report):
    """Executed notebooks in the order of `paths`; the first failure stops all."""
    turn = asyncio.Semaphore(workers)
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    cells = sum(cell.cell_type == "code" for notebook in notebooks for cell in notebook.cells)
    library = _library_key(paths[0].parent)
    with tqdm(total=cells, unit="cell", file=sys.stdout, disable=not sys.stdout.isatty(), leave=False) as bar:

        async def run(path, notebook):
            async with turn:
                return await _run(path, notebook, cache, library, bar, report)

        return await asyncio.gather(*map(run, paths, notebooks))


async def _run(path, notebook, cache, library, bar, report):
    """Put into a notebook the outputs of its code, kept ones if neither it nor the library has changed."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    key = _digest([library, *(cell.source for cell in code), *(str(cell.metadata) for cell in code)])
    kept = cache / f"{path.stem}-{key}.json"
    if kept.exists():
        for cell, outputs in zip(code, json.loads(kept.read_text(encoding="utf-8")), strict=True):
            cell.outputs = nbformat.from_dict(outputs)
        bar.update(len(code))
        report(f"{path.stem}: unchanged")
        return notebook
    await _execute(path, notebook, bar)
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.glob(f"{path.stem}-*.json"):
        old.unlink()
    kept.write_text(json.dumps([cell.outputs for cell in code], ensure_ascii=False), encoding="utf-8")
    report(f"{path.stem}: {len(code)} cells run")
    return notebook


async def _execute(path, notebook, bar):
    """Run a notebook where it lies, in a kernel that shows explorers as twins."""
    current = {"number": 0}

    def starts(cell, cell_index):
        current.update(number=cell_index + 1, cell=cell)
        bar.set_description(f"{path.stem}, cell {cell_index + 1} of {len(notebook.cells)}")

    def done(cell, cell_index, execute_reply):
        bar.update(1)

    startup = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from website import page; page.show_twins()"
    client = NotebookClient(
        notebook,
        kernel_name=NATIVE_KERNEL_NAME,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR", f"--IPKernelApp.exec_lines=[{startup!r}]"],
        timeout=CELL_TIMEOUT,
        store_widget_state=False,
        record_timing=False,
        on_cell_execute=starts,
        on_cell_executed=done,
    )
    try:
        await client.async_execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise _failure(path, current["number"], current.get("cell"), str(error)) from None
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and ANY_ERROR not in cell.metadata.get("tags", []):
                raise _failure(path, number, cell, f"{output.ename}: {output.evalue}")


def _failure(path, number, cell, reason):
    """What to tell of a cell that stops the build."""
    return BuildError(
        f"{path.name}, cell {number}, stops the build:\n\n{cell.source if cell else ''}\n\n{reason}"
    )


def _library_key(notebooks):
    """Digest of everything but the notebook that its outputs come from."""
    files = [*(ROOT / "hedgelib").rglob("*"), *HERE.glob("*.py"), *notebooks.rglob("*")]
    sources = sorted(f for f in files if f.is_file() and f.suffix in (".py", ".toml", ".csv"))
    versions = [f"{name} {importlib.metadata.version(name)}" for name in RUN_BY]
    return _digest([sys.version, *versions, *(f"{f.name} {f.read_text(encoding='utf-8')}" for f in sources)])


def _digest(texts):
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
