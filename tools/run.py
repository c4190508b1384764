"""Run a notebook in this process or in a kernel, and evaluate expressions on the way."""

import ast
import contextlib
import io
import json
import os
from pathlib import Path

import nbclient
import nbformat
from nbformat.v4 import new_code_cell

from tools import bound

ROOT = Path(__file__).resolve().parent.parent
CELL_SECONDS = 60
KERNEL = "import tools.bound\ntools.bound.watch()\ndel tools"
ASK = "__import__('tools.bound').bound.publish({expressions!r}, globals())"
ASKED = "asked"  # metadata of a cell that is ours


class NotebookError(Exception):
    """A notebook cannot be run or stored; the message names it and, where there is one, the cell."""


def read(path):
    """Return the notebook at `path`, each cell with an id that depends on nothing but its place."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["nbformat_minor"] = max(raw["nbformat_minor"], 5)
    for place, cell in enumerate(raw["cells"], start=1):
        cell.setdefault("id", f"cell-{place}")
    return nbformat.reads(json.dumps(raw), as_version=4)


def in_kernel(notebook, path, questions):
    """Run `notebook` in a kernel of this environment, in the folder of `path`; its outputs are put into it.

    Parameters
    ----------
    questions : dict of int to list of str
        Expressions to evaluate, by the number of code cells that have run before.

    Returns
    -------
    dict of int to list of dict
        For each question a "value" or an "error".
    """
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",  # this and the next change what is printed
        "COLUMNS": "80",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
    cells = notebook.cells
    notebook.cells = list(_with_questions(cells, questions))
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
            for index, cell in enumerate(cells, start=1)
            if any(output.output_type == "error" for output in cell.get("outputs", []))
        )
        raise NotebookError(
            f"{path.name}, cell {place}: {error.ename}: {error.evalue}\n{error.traceback}"
        ) from None
    except nbclient.exceptions.CellTimeoutError:
        raise NotebookError(f"{path.name}: a cell took more than {CELL_SECONDS} seconds") from None
    except nbclient.exceptions.DeadKernelError:
        raise NotebookError(f"{path.name}: the kernel died") from None
    asked = [cell for cell in notebook.cells if ASKED in cell.metadata]
    notebook.cells = cells
    return {
        cell.metadata[ASKED]: [
            dict(answer) for output in cell.outputs for answer in output.data[bound.MIME].answers
        ]
        for cell in asked
    }


def _with_questions(cells, questions):
    """The cells of a notebook, and between them cells of ours that answer."""
    count = 0
    if questions:
        yield new_code_cell(KERNEL)
        if 0 in questions:
            yield new_code_cell(ASK.format(expressions=questions[0]), metadata={ASKED: 0})
    for cell in cells:
        yield cell
        if cell.cell_type == "code":
            count += 1
            if count in questions:
                yield new_code_cell(ASK.format(expressions=questions[count]), metadata={ASKED: count})


def cell_in_process(source, namespace, shown, name="cell"):
    """Execute `source`; what a notebook would show goes to the list `shown`."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
        if value is not None:
            shown.append(value)


def in_process(notebook, path, questions):
    """Run `notebook` in this process, several times as fast: no outputs; the answers as of `in_kernel`."""
    namespace, shown, answers, count = {"__name__": "__main__"}, [], {}, 0
    namespace["display"] = lambda *objects: shown.extend(objects)
    with bound.Watch() as watch, contextlib.chdir(path.parent):

        def ask():
            if count in questions:
                answers[count] = watch.answers(questions[count], namespace)

        ask()
        for place, cell in enumerate(notebook.cells, start=1):
            if cell.cell_type == "code":
                count += 1
                try:
                    with contextlib.redirect_stdout(io.StringIO()):
                        cell_in_process(cell.source, namespace, shown, f"{path.name}, cell {place}")
                except Exception as error:
                    message = f"{path.name}, cell {place}: {type(error).__name__}: {error}"
                    raise NotebookError(message) from error
                ask()
    return answers
