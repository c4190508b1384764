"""Time and weigh every notebook in a fresh kernel, against a kernel that imports numpy, pandas and Figure.

The time is from the start of the kernel to its end; the memory is the kernel's own peak, once after the first
code cell, which holds the imports, and once after the last. The goal leaves room for scipy, which does what
would otherwise be written here again by hand.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook

from tools.run import in_kernel, read

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
REFERENCE = "import numpy, pandas\nfrom matplotlib.figure import Figure"
# A kernel counts the peak of the process that starts it as its own; this one is smaller than any kernel.
WEIGH = "__import__('resource').getrusage(__import__('resource').RUSAGE_SELF).ru_maxrss"
BYTES = 1 if sys.platform == "darwin" else 1024  # of one unit of ru_maxrss
SECONDS, MEGABYTES = 20, 300


def measure(notebook, path):
    """Return the seconds, the megabytes after the imports and the megabytes at the end."""
    first = next(place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    after_imports, at_end = new_code_cell(WEIGH), new_code_cell(WEIGH)
    notebook.cells.insert(first + 1, after_imports)
    notebook.cells.append(at_end)
    start = time.perf_counter()
    asyncio.run(in_kernel(notebook, path))
    seconds = time.perf_counter() - start
    peaks = (int(cell.outputs[0].data["text/plain"]) for cell in (after_imports, at_end))
    return seconds, *(peak * BYTES / 1e6 for peak in peaks)


def main():
    """Measure, print, and return the exit status: 1 if a goal is missed."""
    reached = True
    print(f"{'':<24}{'seconds':>8}{'MB, imports':>14}{'MB, peak':>12}")
    alone = new_notebook(cells=[new_code_cell(REFERENCE)])
    notebooks = {FOLDER / "numpy, pandas, Figure": alone} | {
        path: read(path) for path in sorted(FOLDER.glob("*.ipynb"))
    }
    for path, notebook in notebooks.items():
        seconds, imports, peak = measure(notebook, path)
        good = seconds < SECONDS and peak < MEGABYTES
        reached = reached and good
        print(f"{path.stem:<24}{seconds:8.1f}{imports:14.0f}{peak:12.0f}{'' if good else '  MISSED'}")
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES / 1e6
    print(f"\nthis process: {here:.0f} MB; goals: below {SECONDS} s and {MEGABYTES} MB", end=": ")
    print("reached" if reached else "MISSED")
    return not reached


if __name__ == "__main__":
    sys.exit(main())
