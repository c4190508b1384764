"""Run every notebook, let its prose follow, and store it normalised; do nothing where nothing changed.

    python -m tools.notebooks                  all notebooks that changed, or whose library changed
    python -m tools.notebooks notebooks/02*    these only
    python -m tools.notebooks --check          store nothing; fail if a file is not as this tool stores it
    python -m tools.notebooks --bind-only 02*  fast, for authors: rewrite the bound numbers, keep the outputs
    python -m tools.notebooks --unbound        list the numbers that are typed, with file and cell

Numbers in prose that follow are explained in `tools/bound.py`; those of TEACHING.md are rewritten with the
lesson that makes them. Normalised means: no widget state, no timestamps, no metadata but kernel, language,
slides, tags and which code is collapsed; cells counted from 1; ids kept, or derived from the place; the same
bytes from the same outputs.
"""

import argparse
import asyncio
import hashlib
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools import bound, run
from tools.run import NotebookError, read

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / ".cache" / "notebooks"  # of files as stored
CHECKED = ROOT / ".cache" / "bound"  # of files whose prose is as it would be stored
TEACHING = ROOT / "TEACHING.md"
MOST_BYTES = 500_000
WORKERS = 2
AROUND = 40  # characters shown on both sides of a typed number
WIDGET = "application/vnd.jupyter.widget-view+json"
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
CELL_METADATA = ("jupyter", "nbgrader", "slideshow", "tags")  # jupyter: whether the code is collapsed


def normalise(notebook):
    """Remove from `notebook`, in place, all that differs between two runs or two machines."""
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
        )
        if not cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata.pop("jupyter", None)
        elif cell.cell_type == "code":
            cell.metadata.jupyter = nbformat.from_dict({"source_hidden": True})
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


def written(notebook):
    """Return the text of a notebook file: the same for equal notebooks."""
    return nbformat.writes(notebook) + "\n"


def replace(path, text):
    """Write `path` in one step, so that an interrupted run never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@dataclass(frozen=True)
class Passage:
    """A Markdown text that follows: a cell of a notebook, or what TEACHING.md says of its lesson."""

    name: str  # for messages
    source: str
    moments: tuple  # number of code cells that run before each of `bound.find`; None where it is not asked


@dataclass(frozen=True)
class Followed:
    """A lesson as its prose follows a run: the notebook file, and what TEACHING.md binds to it."""

    path: Path
    text: str
    teaching: tuple
    changes: tuple  # a sentence for each number that is new


def _found(name, source):
    """What is bound in a text; an error tells where."""
    try:
        return bound.find(source)
    except bound.BindError as error:
        raise NotebookError(f"{name}: {error}") from None


def passages(notebook, path):
    """Return what follows in a lesson: its Markdown cells by their place, and TEACHING.md under 0."""
    made, count = {}, 0
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    for place, cell in enumerate(notebook.cells, start=1):
        count += cell.cell_type == "code"
        if cell.cell_type == "markdown":
            name = f"{path.name}, cell {place}"
            found = _found(name, cell.source)
            if any(each.lesson for each in found):
                raise NotebookError(f"{name}: only TEACHING.md names a lesson before an expression")
            made[place] = Passage(name, cell.source, tuple(total if each.last else count for each in found))
    source = TEACHING.read_text(encoding="utf-8")
    told = _found(TEACHING.name, source)
    if not all(each.lesson for each in told):
        raise NotebookError(f"{TEACHING.name}: each expression names its lesson, as in <!--= 02: fees -->")
    asked = [each.lesson == path.name[:2] for each in told]
    made[0] = Passage(TEACHING.name, source, tuple(total if mine else None for mine in asked))
    return made


def questions(parts):
    """Return what a run of the lesson with these `passages` is asked, as `run.in_kernel` wants it."""
    asked = {}
    for part in parts.values():
        for moment, found in zip(part.moments, bound.find(part.source), strict=True):
            if moment is not None:
                asked.setdefault(moment, []).append(found.expression)
    return asked


def followed(parts, answers):
    """Return the texts of `passages` as they follow the answers of a run, and a sentence for each change.

    Raises
    ------
    NotebookError
        With a line for each expression that fails.
    """
    waiting = {moment: iter(given) for moment, given in answers.items()}
    texts, changes, errors = {}, [], []
    for place, part in parts.items():
        given = [None if moment is None else next(waiting[moment]) for moment in part.moments]
        wrong = [answer["error"] for answer in given if answer and "error" in answer]
        try:
            if wrong:
                raise bound.BindError(f"\n{part.name}: ".join(wrong))
            values = [answer and answer["value"] for answer in given]
            news = bound.changed(part.source, values)
            texts[place] = bound.follow(part.source, values)
        except bound.BindError as error:
            errors.append(f"{part.name}: {error}")
            continue
        changes += [
            f"{part.name}: {each.text!r} becomes {new!r} ({each.expression})"
            for each, new in zip(bound.find(part.source), news, strict=True)
            if new != each.text
        ]
    if errors:
        raise NotebookError("\n".join(errors))
    return texts, tuple(changes)


def follow(notebook, path, answer):
    """Let the prose of a notebook follow, in place, what `answer` says to its questions.

    Returns the sentences on what changed, and the texts that TEACHING.md binds to the lesson.
    """
    parts = passages(notebook, path)
    texts, changes = followed(parts, answer(notebook, path, questions(parts)))
    teaching = bound.find(texts.pop(0))
    for place, text in texts.items():
        notebook.cells[place - 1].source = text
    asked = zip(parts[0].moments, teaching, strict=True)
    return changes, tuple(each.text for moment, each in asked if moment is not None)


def by_kernel(notebook, path, asked):
    """Answer by a run that stores the outputs."""
    return asyncio.run(run.in_kernel(notebook, path, asked))


def by_process(notebook, path, asked):
    """Answer by the fast run; by none at all where nothing is asked."""
    return run.in_process(notebook, path, asked)[1] if asked else {}


def stamp(path, text=None):
    """Digest of all that decides what is stored: the notebook, TEACHING's words on it, library and lock."""
    digest = hashlib.sha256(path.read_bytes() if text is None else text.encode())
    for each in _found(TEACHING.name, TEACHING.read_text(encoding="utf-8")):
        if each.lesson == path.name[:2]:
            digest.update(f"{each.text} {each.expression}".encode())
    library = (file for file in sorted((ROOT / "hedgelib").rglob("*")) if file.is_file())
    ours = [Path(module.__file__) for module in (bound, run)] + [Path(__file__)]
    for file in [*library, *ours, ROOT / "requirements.lock"]:
        if file.suffix != ".pyc":
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest() + sys.version.partition(" ")[0]


def is_fresh(path, *folders):
    """Tell whether `path` is as this tool left it, with the library it ran on."""
    return any(
        (folder / path.name).exists() and (folder / path.name).read_text() == stamp(path)
        for folder in folders or [STAMPS]
    )


def refresh(path):
    """Run `path` and store it normalised, unless someone has saved it meanwhile."""
    before = path.read_bytes()
    notebook = read(path)
    changes, teaching = follow(notebook, path, by_kernel)
    normalise(notebook)
    text = written(notebook)
    if len(text.encode()) > MOST_BYTES:
        raise NotebookError(f"{path.name}: {len(text.encode()):,} bytes, at most {MOST_BYTES:,} are accepted")
    if path.read_bytes() != before:
        raise NotebookError(f"{path.name}: saved by someone else while it ran, so left alone; run again")
    replace(path, text)
    return Followed(path, text, teaching, changes)


def bind(path):
    """Let the prose of `path` follow a run in this process and store it; the outputs stay."""
    notebook = read(path)
    changes, teaching = follow(notebook, path, by_process)
    if any(not change.startswith(TEACHING.name) for change in changes):
        replace(path, written(notebook))
    return Followed(path, path.read_text(encoding="utf-8"), teaching, changes)


def check(path):
    """Say what would change in `path` if its prose followed."""
    text = path.read_text(encoding="utf-8")
    changes, teaching = follow(read(path), path, by_process)
    return Followed(path, text, teaching, changes)


def teach(results):
    """Let TEACHING.md follow what runs have said."""
    said = {result.path.name[:2]: list(result.teaching) for result in results}
    source = TEACHING.read_text(encoding="utf-8")
    text = source
    for each in reversed(bound.find(source)):
        if each.lesson in said:
            text = text[: each.start] + said[each.lesson].pop() + text[each.end :]
    if text != source:
        replace(TEACHING, text)


def is_normalised(path):
    """Tell whether normalising the file `path` would change nothing and it is small enough."""
    text = path.read_text(encoding="utf-8")
    notebook = read(path)
    normalise(notebook)
    return text == written(notebook) and len(text.encode()) <= MOST_BYTES


def texts(path):
    """Pairs of place and Markdown text of a notebook or document."""
    if path.suffix != ".ipynb":
        return [(path.name, path.read_text(encoding="utf-8"))]
    cells = enumerate(read(path).cells, start=1)
    return [
        (f"{path.name}, cell {place}", cell.source) for place, cell in cells if cell.cell_type == "markdown"
    ]


def counts(path):
    """Say how many numbers of `path` are bound and typed."""
    sources = [source for _, source in texts(path)]
    found = [each for source in sources for each in bound.find(source)]
    typed = [match for source in sources for match in bound.unbound(source)]
    large = sum(sum(map(str.isdigit, match[0])) >= 3 for match in typed)
    given = sum(each.given for each in found)
    return (
        f"{path.name}: bound {len(found) - given}, given {given}, "
        f"typed {len(typed)} ({large} of three or more digits)"
    )


def list_unbound(path):
    """Print every typed number with what stands around it."""
    for name, source in texts(path):
        for match in bound.unbound(source):
            before = source[max(match.start() - AROUND, 0) : match.start()]
            after = source[match.end() : match.end() + AROUND]
            print(f"{name}: {' '.join(f'{before}[{match[0]}]{after}'.split())}")


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="notebooks, all if none is given")
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--check", action="store_true", help="only check that the files are as this tool stores them"
    )
    way.add_argument(
        "--bind-only", action="store_true", help="only rewrite the bound numbers, without a kernel"
    )
    way.add_argument("--unbound", action="store_true", help="only list the numbers that are typed")
    options = parser.parse_args(arguments)
    paths = [file.resolve() for file in options.files] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if options.unbound:
        for path in paths if options.files else [*paths, TEACHING]:
            list_unbound(path)
            print(counts(path), file=sys.stderr)
        return 0
    if options.check:
        return _checked(paths)
    job = bind if options.bind_only else refresh
    stale = [path for path in paths if job is bind or not is_fresh(path)]
    results, failed = _done(job, stale)
    teach(results)
    if job is refresh:
        for result in results:
            replace(STAMPS / result.path.name, stamp(result.path, result.text))
        print(f"{len(results)} stored, {failed} failed, {len(paths) - len(stale)} unchanged")
    return bool(failed)


def _done(job, paths):
    """Results of `job` for each path, several at a time, and how many failed; tells of each."""
    results, failed = [], 0
    with ProcessPoolExecutor(WORKERS) as pool:
        for path, task in [(path, pool.submit(job, path)) for path in paths]:
            try:
                results.append(task.result())
            except NotebookError as error:
                failed += 1
                print(error, file=sys.stderr)
                continue
            for change in results[-1].changes:
                print(change)
            if job is not check:
                print(f"{path.name} stored" if job is refresh else counts(path))
    return results, failed


def _checked(paths):
    """Whether a file is not as it would be stored; what is right is noted, so that it is not run again."""
    unlike = [path for path in paths if not is_normalised(path)]
    for path in unlike:
        print(f"{path.name} is not as this tool stores it, or too large")
    results, failed = _done(check, [path for path in paths if not is_fresh(path, STAMPS, CHECKED)])
    for result in results:
        if not result.changes:
            replace(CHECKED / result.path.name, stamp(result.path, result.text))
    stale = any(result.changes for result in results)
    if stale:
        print("Numbers above do not say what is computed: run `make notebooks`", file=sys.stderr)
    return bool(unlike or failed or stale)


if __name__ == "__main__":
    sys.exit(main())
