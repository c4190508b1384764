"""Runs a notebook, in a kernel or in this process, and evaluates expressions on the way.

The one runner of `tools.notebooks`, of the website and of the tests. A kernel gives the outputs that are
stored or shown; this process is several times as fast and gives the objects themselves.
"""

import ast
import contextlib
import io
import json
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell

from tools import bound

ROOT = Path(__file__).resolve().parent.parent
CELL_SECONDS = 60
ANY_ERROR = "raises-exception"  # cell tag: the error is what the cell shows
WATCH = "__import__('tools.bound').bound.watch()"
ASK = "__import__('tools.bound').bound.publish({expressions!r}, globals())"
ASKED = "asked"  # metadata of a cell that is ours: the number of code cells before it
# What changes what is printed: settings of Python and pandas, the attempts of whoever is at work here.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "COLUMNS": "80", "HEDGELAB_PROGRESS": os.devnull}


class NotebookError(Exception):
    """A notebook cannot be run or stored; the message names it and, where there is one, the cell."""


class CellError(NotebookError):
    """A cell stops its notebook: `place`, counted from 1, `source`, and the `reason` as Python tells it."""

    def __init__(self, path, place, source, summary, reason=""):
        """Tell the cell by its place, and why in one line, then at length."""
        super().__init__(path, place, source, summary, reason)  # all of it, so that a process can send it
        self.place, self.source, self.reason = place, source, reason or summary
        self.message = f"{path.name}, cell {place}: {summary}\n{reason}".strip()

    def __str__(self):
        """Return the message."""
        return self.message


def read(path):
    """Return the notebook at `path`, each cell with an id that depends on nothing but its place."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["nbformat_minor"] = max(raw["nbformat_minor"], 5)
    for place, cell in enumerate(raw["cells"], start=1):
        cell.setdefault("id", f"cell-{place}")
    return nbformat.reads(json.dumps(raw), as_version=4)


async def in_kernel(
    notebook, path, questions=None, *, startup="", seconds=CELL_SECONDS, begun=None, done=None
):
    """Run a notebook in a kernel of this environment, in its folder, and put the outputs into it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    path : Path
        Where it lies.
    questions : dict of int to list of str, optional
        Expressions to evaluate, by the number of code cells that have run before.
    startup : str
        Code that the kernel runs first.
    seconds : float
        The longest that a cell may take.
    begun, done : callable, optional
        Called with the place of each code cell, counted from 1, before and after it runs.

    Returns
    -------
    dict of int to list of dict
        For each question a "value" or an "error".

    Raises
    ------
    CellError
        If a cell fails or takes too long, or if the kernel dies.
    """
    cells, running = notebook.cells, [0]
    places = {id(cell): place for place, cell in enumerate(cells, start=1) if cell.cell_type == "code"}

    def starts(cell, cell_index):
        if id(cell) in places:
            running[0] = places[id(cell)]
            if begun:
                begun(running[0])

    def ends(cell, cell_index, execute_reply):
        if done and id(cell) in places:
            done(places[id(cell)])

    notebook.cells = list(_with_ours(cells, startup, questions or {}))
    client = NotebookClient(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
        on_cell_execute=starts,
        on_cell_executed=ends,
    )
    search = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    try:
        with contextlib.suppress(CellExecutionError):  # its traceback is among the outputs
            await client.async_execute(env=os.environ | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(search)})
    except CellTimeoutError:
        why = f"it took more than {seconds} seconds"
        raise CellError(path, running[0], cells[running[0] - 1].source, why) from None
    except DeadKernelError:
        raise CellError(path, running[0], cells[running[0] - 1].source, "the kernel died") from None
    asked = [cell for cell in notebook.cells if ASKED in cell.metadata]
    _refuse_errors([*cells, *(cell for cell in notebook.cells if id(cell) not in places)], path)
    notebook.cells = cells
    return {cell.metadata[ASKED]: _published(cell) for cell in asked}


def _with_ours(cells, startup, questions):
    """The cells of a notebook, and between them cells of ours."""
    first = "\n".join(filter(None, [startup, WATCH if questions else ""]))
    if first:
        yield new_code_cell(first)
    count = 0
    for cell in [None, *cells]:
        if cell is not None:
            yield cell
        if cell is None or cell.cell_type == "code":
            if count in questions:
                yield new_code_cell(ASK.format(expressions=questions[count]), metadata={ASKED: count})
            count += 1


def _refuse_errors(cells, path):
    """Raise the first error among the outputs of cells that is not meant to be shown."""
    for place, cell in enumerate(cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and ANY_ERROR not in cell.metadata.get("tags", []):
                why = f"{output.ename}: {output.evalue}"
                raise CellError(path, place, cell.source, why, "\n".join(output.traceback))


def _published(cell):
    """What `bound.publish` displayed in a cell of ours."""
    return [dict(answer) for output in cell.outputs for answer in output.data[bound.MIME].answers]


class Session:
    """A notebook that runs in this process: its names, what it showed, the explorers that it made."""

    def __init__(self):
        """Begin with the names that a kernel has."""
        self.shown, self.watch = [], bound.Watch()
        self.namespace = {"__name__": "__main__", "display": lambda *objects: self.shown.extend(objects)}

    @property
    def explorers(self):
        """The explorers in the order of the notebook."""
        return self.watch.explorers

    def execute(self, source, name="cell", namespace=None):
        """Execute the code of a cell, in a `namespace` apart if one is given: then nothing is shown."""
        names = self.namespace if namespace is None else namespace
        tree = ast.parse(source, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(tree, name, "exec"), names)
            value = last and eval(compile(ast.Expression(last.value), name, "eval"), names)
        if value is not None and namespace is None:
            self.shown.append(value)


def in_process(notebook, path, questions=None, *, visit=None):
    """Run a notebook in this process, in its folder; nothing is put into it.

    Parameters
    ----------
    notebook, path, questions
        As of `in_kernel`.
    visit : callable, optional
        Called after each cell, also those of prose, with its place, the cell and the `Session`.

    Returns
    -------
    Session, dict
        The session after the last cell, and the answers as of `in_kernel`.

    Raises
    ------
    CellError
        If a cell fails.
    """
    session, answers, count = Session(), {}, 0

    def answer():
        if questions and count in questions:
            answers[count] = session.watch.answers(questions[count], session.namespace)

    with session.watch, contextlib.chdir(path.parent):
        answer()
        for place, cell in enumerate(notebook.cells, start=1):
            if cell.cell_type == "code":
                try:
                    session.execute(cell.source, f"{path.name}, cell {place}")
                except Exception as error:
                    why = f"{type(error).__name__}: {error}"
                    raise CellError(path, place, cell.source, why) from error
                count += 1
                answer()
            if visit:
                visit(place, cell, session)
    return session, answers
