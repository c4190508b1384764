"""Run every notebook and store it executed and normalised; do nothing where nothing changed.

    python tools/notebooks.py                  all notebooks that changed, or whose library changed
    python tools/notebooks.py notebooks/02*    these only
    python tools/notebooks.py --check          run nothing, fail if a file is not normalised

Normalised means: no widget state, no timestamps, no metadata but kernel, language, slides and tags; cells
counted from 1; ids kept, or derived from the place; the same bytes from the same outputs.
"""

import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbclient
import nbformat

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / ".cache" / "notebooks"
MOST_BYTES = 500_000
CELL_SECONDS = 60
WORKERS = 2
WIDGET = "application/vnd.jupyter.widget-view+json"
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
CELL_METADATA = ("slideshow", "tags")


class NotebookError(Exception):
    """A notebook cannot be stored; the message names it and, where there is one, the cell."""


def read(path):
    """Return the notebook at `path`, each cell with an id that depends on nothing but its place."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["nbformat_minor"] = max(raw["nbformat_minor"], 5)
    for place, cell in enumerate(raw["cells"], start=1):
        cell.setdefault("id", f"cell-{place}")
    return nbformat.reads(json.dumps(raw), as_version=4)


def normalise(notebook):
    """Remove from `notebook`, in place, all that differs between two runs or two machines."""
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        )
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "data" in output:
                output.metadata = nbformat.from_dict({})
                output.data.pop(WIDGET, None)


def joined(outputs):
    """Outputs with neighbouring pieces of the same stream made one: a run may flush anywhere."""
    kept = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def execute(notebook, path):
    """Run `notebook` in a kernel of this environment, in the folder of `path`."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "COLUMNS": "80"}  # both change what is printed
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
    )
    try:
        client.execute(env=environment)
    except nbclient.exceptions.CellExecutionError as error:
        place = next(
            index
            for index, cell in enumerate(notebook.cells, start=1)
            if any(output.output_type == "error" for output in cell.get("outputs", []))
        )
        raise NotebookError(
            f"{path.name}, cell {place}: {error.ename}: {error.evalue}\n{error.traceback}"
        ) from None
    except nbclient.exceptions.CellTimeoutError:
        raise NotebookError(f"{path.name}: a cell took more than {CELL_SECONDS} seconds") from None
    except nbclient.exceptions.DeadKernelError:
        raise NotebookError(f"{path.name}: the kernel died") from None


def written(notebook):
    """Return the text of a notebook file: the same for equal notebooks."""
    return nbformat.writes(notebook) + "\n"


def replace(path, text):
    """Write `path` in one step, so that an interrupted run never leaves half a file."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def stamp(path):
    """Digest of all that decides the stored outputs: the notebook, the library and the lock."""
    digest = hashlib.sha256(path.read_bytes())
    library = (file for file in sorted((ROOT / "hedgelib").rglob("*")) if file.suffix in {".py", ".toml"})
    for file in [*library, Path(__file__), ROOT / "requirements.lock"]:
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest() + sys.version.partition(" ")[0]


def is_fresh(path):
    """Tell whether `path` is as this tool left it, with the library it ran on."""
    note = STAMPS / path.name
    return note.exists() and note.read_text() == stamp(path)


def refresh(path):
    """Run `path` and store it normalised, unless someone has saved it meanwhile."""
    before = path.read_bytes()
    notebook = read(path)
    execute(notebook, path)
    normalise(notebook)
    text = written(notebook)
    if len(text.encode()) > MOST_BYTES:
        raise NotebookError(f"{path.name}: {len(text.encode()):,} bytes, at most {MOST_BYTES:,} are accepted")
    if path.read_bytes() != before:
        raise NotebookError(f"{path.name}: saved by someone else while it ran, so left alone; run again")
    replace(path, text)
    STAMPS.mkdir(parents=True, exist_ok=True)
    replace(STAMPS / path.name, stamp(path))


def is_normalised(path):
    """Tell whether normalising the file `path` would change nothing and it is small enough."""
    text = path.read_text(encoding="utf-8")
    notebook = read(path)
    normalise(notebook)
    return text == written(notebook) and len(text.encode()) <= MOST_BYTES


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="notebooks, all if none is given")
    parser.add_argument("--check", action="store_true", help="only check that the files are normalised")
    options = parser.parse_args(arguments)
    paths = [file.resolve() for file in options.files] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if options.check:
        failed = [path.name for path in paths if not is_normalised(path)]
        for name in failed:
            print(f"{name} is not as this tool stores it, or too large")
        return bool(failed)
    stale = [path for path in paths if not is_fresh(path)]
    failed = 0
    with ProcessPoolExecutor(WORKERS) as pool:
        for path, job in [(path, pool.submit(refresh, path)) for path in stale]:
            try:
                job.result()
                print(f"{path.name} stored")
            except NotebookError as error:
                failed += 1
                print(error, file=sys.stderr)
    print(f"{len(stale) - failed} stored, {failed} failed, {len(paths) - len(stale)} unchanged")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
