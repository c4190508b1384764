"""Exercises that answer back: right, or why not, with a hint; nothing a learner passes in makes them raise.

The answers of a lesson live in ``exercises/NN_topic.toml``, one table for each exercise:

    [02-1]
    answer = -10_000         # a number, a list of numbers, or a word
    tolerance = 1            # in the unit of the answer; or `relative_tolerance`, a fraction (0.001)
    unit = "USDT"            # optional
    right = "What a right answer teaches, in one sentence."
    hint = "Where to look."

    [[02-1.wrong]]           # optional, as many as there are well-known mistakes
    value = 70_000
    why = "This is the price, not the profit."

A flipped sign, a percentage given for a fraction and an answer rounded too early are recognised unlisted.
"""

import functools
import math
import numbers
import tomllib
from dataclasses import dataclass
from importlib import resources

import numpy as np

CLOSE = 0.02  # an answer this near, as a fraction, was probably rounded too early


@dataclass(frozen=True)
class Verdict:
    """What `check` says: `passed`, and the `text` that a notebook shows."""

    passed: bool
    text: str

    def __repr__(self):
        """Show the text."""
        return self.text


@dataclass(frozen=True)
class Exercise:
    """One exercise as its lesson's file describes it."""

    answer: float | list | str
    right: str
    hint: str
    unit: str = ""
    tolerance: float | None = None
    relative_tolerance: float | None = None
    wrong: tuple = ()

    def fits(self, given, wanted):
        """Tell whether a number or word `given` counts as `wanted`."""
        if isinstance(wanted, str):
            return given == _word(wanted)
        relative = 0.001 if self.tolerance is None else 0.0
        return math.isclose(
            given, wanted, rel_tol=self.relative_tolerance or relative, abs_tol=self.tolerance or 1e-12
        )

    def fits_all(self, given, wanted):
        """Tell whether every number or word `given` counts as the one `wanted` in its place."""
        wanted = _listed(wanted)
        return len(given) == len(wanted) and all(map(self.fits, given, wanted))


@functools.cache
def exercises():
    """Return every exercise of the course by name.

    Returns
    -------
    dict of str to Exercise

    Raises
    ------
    ValueError
        If a file is not what the docstring of this module describes.
    """
    found = {}
    folder = resources.files(__package__) / "exercises"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            for name, table in tomllib.loads(file.read_text(encoding="utf-8")).items():
                try:
                    found[name] = Exercise(**table)
                except TypeError as error:
                    raise ValueError(f"{file.name}, exercise {name}: {error}") from None
    return found


def check(name, answer):
    """Judge the answer to an exercise.

    Parameters
    ----------
    name : str
        Name of the exercise, ``"02-1"`` for the first one of lesson 02.
    answer : object
        What the learner found: a number in the unit the exercise asks for, a list of them, or a word.

    Returns
    -------
    Verdict
        It reads as a sentence and never raises, whatever `answer` is.

    Examples
    --------
    >>> check("02-1", ...)
    Not answered yet: replace ... by your answer and run the cell again.
    """
    known = exercises()
    if not isinstance(name, str):
        return Verdict(False, 'The name of the exercise comes first, in quotes, such as "02-1".')
    if name not in known:
        lesson = [other for other in known if other[:2] == name[:2]]
        return Verdict(False, f'There is no exercise "{name}"; there is {", ".join(lesson or known)}.')
    if answer is None or answer is ...:
        return Verdict(False, "Not answered yet: replace ... by your answer and run the cell again.")
    exercise = known[name]
    try:
        given = _read(answer, exercise.answer)
    except _UnreadableError as problem:
        return Verdict(False, f"✗ {problem}")
    if exercise.fits_all(given, exercise.answer):
        return Verdict(True, f"✓ Right. {exercise.right}")
    return Verdict(False, f"✗ Not yet. {_diagnosis(exercise, given)} Hint: {exercise.hint}")


class _UnreadableError(Exception):
    """What was passed in cannot be an answer; the message says why."""


def _listed(answer):
    return answer if isinstance(answer, list) else [answer]


def _word(text):
    return " ".join(text.casefold().split())


def _read(answer, wanted):
    """Return the learner's answer as a list of floats or words."""
    if isinstance(wanted, str):
        if not isinstance(answer, str):
            raise _UnreadableError(f'This asks for a word in quotes, such as "yes", not {_kind(answer)}.')
        return [_word(answer)]
    if isinstance(answer, str):
        raise _UnreadableError("This asks for a number, and what is in quotes is text: leave the quotes out.")
    try:
        given = np.asarray(answer)
        if given.dtype.kind not in "iuf":
            given = np.array([_real(item) for item in given.ravel()])
        given = given.astype(float).ravel().tolist()
    except Exception:  # an answer may be any object at all, and its conversion may raise anything
        raise _UnreadableError(f"This asks for a number, not {_kind(answer)}.") from None
    if len(given) != len(_listed(wanted)):
        asked = "one number" if not isinstance(wanted, list) else f"{len(wanted)} numbers in a list"
        raise _UnreadableError(f"This asks for {asked}, and there are {len(given)}.")
    if not all(map(math.isfinite, given)):
        raise _UnreadableError("The answer is a finite number, and this is not: was something divided by 0?")
    return given


def _real(item):
    """Return a real number of any type as a float, truth values apart."""
    if isinstance(item, numbers.Number) and not isinstance(item, bool | np.bool_ | complex):
        return float(item)
    raise TypeError


def _kind(answer):
    return f"a value of type {type(answer).__name__}"


def _diagnosis(exercise, given):
    """Say what is wrong, the most telling reason first."""
    for mistake in exercise.wrong:
        if exercise.fits_all(given, mistake["value"]):
            return mistake["why"]
    if isinstance(exercise.answer, str):
        return "That is not the word."
    wanted = _listed(exercise.answer)
    place, value, right = next(
        (place, value, right)
        for place, (value, right) in enumerate(zip(given, wanted, strict=True), start=1)
        if not exercise.fits(value, right)
    )
    shown = f"{_written(value)} {exercise.unit}".strip()
    if len(wanted) > 1:
        shown = f"Number {place}, {shown},"
    if exercise.fits(-value, right):
        return f"{shown} has the right size and the wrong sign."
    for factor, why in [(0.01, "a percentage where a fraction"), (100, "a fraction where a percentage")]:
        if exercise.fits(value * factor, right):
            return f"{shown} is {1 / factor:g} times what is asked: did you give {why} is asked for?"
    if math.isclose(value, right, rel_tol=CLOSE):
        return f"{shown} is close: was something rounded on the way, or a small part left out?"
    return f"{shown} is too {'high' if value > right else 'low'}."


def _written(value):
    """Write a number with its sign, thousands separated, without needless decimals."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.6g}"
    return text.replace("-", "−")
