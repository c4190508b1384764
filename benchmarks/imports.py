"""Time imports in fresh interpreters, against numpy, pandas and matplotlib's Figure alone.

All take turns, and the median counts; the interpreter's own start is left out. What is ours, and who brings
the rest, is told by ``python -X importtime`` in one more run: the modules that the reference does not import.
"""

import subprocess
import sys
from collections import Counter
from statistics import median

REFERENCE = "import numpy, pandas; from matplotlib.figure import Figure"
PACKAGE = "import hedgelib"
LIBRARY = "from hedgelib import figures, ledger, market, perpetual"
LESSON = f"{LIBRARY}; from hedgelib.exercise import check; from hedgelib.explorer import Choice, Explorer"
ROUNDS, GOAL, NAMED = 15, 1.3, 6
CLOCK = "from time import perf_counter; start = perf_counter(); {}; print(perf_counter() - start)"


def python(*arguments):
    """Run a fresh interpreter; return what it writes to its output and to its error stream."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def compared(*statements):
    """Return the median seconds of each statement; the first turn, which fills the caches, is left out."""
    turns = [
        [float(python("-c", CLOCK.format(statement))[0]) for statement in statements]
        for _ in range(ROUNDS + 1)
    ]
    return [median(seconds) for seconds in zip(*turns[1:], strict=True)]


def own_times(statement):
    """Return the seconds that each module imported by `statement` takes by itself."""
    lines = python("-X", "importtime", "-c", statement)[1].splitlines()[1:]
    parts = (line.removeprefix("import time:").split("|") for line in lines)
    return {name.strip(): int(microseconds) / 1e6 for microseconds, _, name in parts}


def main():
    """Measure, print, and return the exit status: 1 if the goal is missed."""
    reference, *others = compared(REFERENCE, PACKAGE, LIBRARY, LESSON)
    print(f"{1000 * reference:7.0f} ms {'':7} {REFERENCE}")
    for statement, seconds in zip((PACKAGE, LIBRARY, LESSON), others, strict=True):
        print(f"{1000 * seconds:7.0f} ms {seconds / reference:6.2f}x {statement}")
    known, owners = own_times(REFERENCE), Counter()
    for name, seconds in own_times(LESSON).items():
        if name not in known:
            owners[name.partition(".")[0]] += seconds
    print("\nwhat the last one adds to the first, by package, traced by -X importtime (which slows it down)")
    ours, brought = owners.pop("hedgelib"), owners.most_common(NAMED)
    rest = sum(owners.values()) - sum(seconds for _, seconds in brought)
    for name, seconds in [("hedgelib itself", ours), *brought, ("all others", rest)]:
        print(f"{1000 * seconds:7.0f} ms {name}")
    reached = all(seconds < GOAL * reference for seconds in others[:2])
    print(f"\ngoal: the package and the library below {GOAL} times: {'reached' if reached else 'MISSED'}")
    return not reached


if __name__ == "__main__":
    sys.exit(main())
