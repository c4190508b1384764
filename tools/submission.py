"""Runs one notebook that somebody handed in, and says what it answered: the guarded half of `tools.marks`.

It reads JSON from its standard input, the notebook's cells and what is asked of it, and writes a line of JSON
for each answer that was checked. It never judges: the process that started it does, out of reach.
"""

import contextlib
import json
import os
import signal
import sys

import numpy as np

try:
    import resource
except ImportError:  # Windows
    resource = None

from hedgelib import exercise

LONGEST = 500  # characters of a message or a text that are passed on


class CellTimeoutError(BaseException):
    """A cell takes too long; no exception that a cell may catch by `except Exception`."""


def plain(answer):
    """An answer as JSON can hold it: numbers, a text, or the kind of thing that it is."""
    if isinstance(answer, str):
        return {"text": answer[:LONGEST]}
    try:
        given = np.asarray(answer)
        if given.dtype.kind in "iuf" and given.size <= 100:
            numbers = given.astype(float).ravel().tolist()
            return {"numbers": numbers if given.ndim else numbers[0], "shape": list(given.shape)}
    except Exception:  # an answer may be any object at all, and its conversion may raise anything
        pass
    return {"kind": type(answer).__name__[:LONGEST]}


def called(function, arguments):
    """What a learner's function gives for these arguments."""
    try:
        return plain(function(*(np.array(each) if isinstance(each, list) else each for each in arguments)))
    except Exception as error:  # it is the learner's code
        return {"error": f"{type(error).__name__}: {error}"[:LONGEST]}


def limit(seconds, megabytes):
    """Bound what this process may take; it cannot lift these bounds again."""
    if resource:
        for what, most in (
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_AS, megabytes * 2**20),
            (resource.RLIMIT_FSIZE, 50 * 2**20),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NPROC, 64),
        ):
            with contextlib.suppress(ValueError, OSError):  # a bound that is already lower, or unknown here
                resource.setrlimit(what, (most, most))


def stop(*_):
    """End the cell that is running."""
    raise CellTimeoutError


def main():
    """Run the cells that came in, one after the other, whatever each of them does."""
    asked = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    limit(asked["seconds"], asked["megabytes"])

    def tell(**line):
        out.write(json.dumps(line) + "\n")
        out.flush()

    def check(name="", answer=..., function=None):
        if isinstance(name, str) and name and answer is not None and answer is not ...:
            calls = asked["calls"].get(name, []) if callable(function) else []
            tell(exercise=name, answer=plain(answer), calls=[called(function, each) for each in calls])
        return exercise.Verdict(False, "Handed in.")

    exercise.check, exercise.exercises = check, dict  # the answers are not in here
    names = {"__name__": "__main__", "display": lambda *_, **__: None}
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, stop)
    for place, source in asked["cells"]:
        tell(cell=place)
        if hasattr(signal, "SIGALRM"):
            signal.alarm(asked["cell_seconds"])
        try:
            exec(compile(source, f"cell {place}", "exec"), names)
        except CellTimeoutError:
            tell(stopped=place)
        except BaseException as error:  # the next cell runs all the same, also after sys.exit()
            tell(failed=place, why=f"{type(error).__name__}: {error}"[:LONGEST])
        finally:
            if hasattr(signal, "SIGALRM"):
                signal.alarm(0)
    tell(done=True)


if __name__ == "__main__":
    main()
