"""Exercises that answer back: right, or why not, with a hint; nothing a learner passes in makes them raise.

The answers of a lesson live in ``exercises/NN_topic.toml``, one table for each exercise:

    [given]                  # optional: names for the expressions below; each may use those above it
    price = 60_000
    fee = "=contracts.get('BTCUSDT').taker_fee"

    [02-1]
    answer = "=-fee * price" # a number, a list of numbers, or a word; an expression after "="
    tolerance = 1            # in the unit of the answer; or `relative_tolerance`, a fraction (0.001)
    unit = "USDT"            # optional
    right = "What a right answer teaches, in one sentence; here a fee of {fee * price:,.0f} USDT."
    hint = "Where to look."

    [[02-1.wrong]]           # optional, as many as there are well-known mistakes
    value = "=price"
    why = "This is the price, not the fee."

What follows from a fee, a bracket or a fact is an expression, so that it follows when they change. It may use
``np``, ``math`` and the modules of the library that `MODULES` names, and it is computed when its exercise is
first asked for. Between braces in a sentence stands an expression with its format, as in an f-string.

A flipped sign, a percentage given for a fraction and an answer rounded too early are recognised unlisted.
"""

import ast
import functools
import importlib
import math
import numbers
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np

from hedgelib.rendering import typeset

MODULES = {"np": "numpy", "math": "math"} | {
    name: f"{__package__}.{name}"
    for name in (
        "contracts",
        "funding",
        "hedge",
        "ledger",
        "market",
        "perpetual",
        "plan",
        "ratio",
        "signals",
        "survival",
    )
}
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
    """Return every exercise of the course by name, each computed when it is first asked for.

    Returns
    -------
    mapping of str to Exercise
        It raises ``ValueError`` for an exercise that is not as the docstring of this module describes.
    """
    folder = resources.files(__package__) / "exercises"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )
    return _Course({file.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in files})


class _Course(Mapping):
    """Exercises by name, made from the tables of their files."""

    def __init__(self, files):
        self._files, self._given, self._made = files, {}, {}
        self._file_of = {name: file for file, tables in files.items() for name in tables if name != "given"}

    def __iter__(self):
        return iter(self._file_of)

    def __len__(self):
        return len(self._file_of)

    def __getitem__(self, name):
        if name not in self._made:
            file = self._file_of[name]
            where = f"{file}, exercise {name}"
            table = _computed(self._files[file][name], self._known(file), where)
            try:
                self._made[name] = Exercise(**table)
            except TypeError as error:
                raise ValueError(f"{where}: {error}") from None
        return self._made[name]

    def _known(self, file):
        """What is given in a file."""
        if file not in self._given:
            known = {}
            for name, value in self._files[file].get("given", {}).items():
                known[name] = _computed(value, known, f"{file}, given {name}")
            self._given[file] = known
        return self._given[file]


def _computed(value, given, where):
    """A value of a file with every expression in it computed, also within tables, lists and sentences."""
    if isinstance(value, dict):
        return {key: _computed(each, given, where) for key, each in value.items()}
    if isinstance(value, list):
        return [_computed(each, given, where) for each in value]
    if not isinstance(value, str):
        return value
    if value.startswith("="):
        number = _value(value[1:].strip(), given, where)
        return number.tolist() if isinstance(number, np.ndarray | np.generic) else number
    try:
        parts = list(string.Formatter().parse(value))
    except ValueError as error:
        raise ValueError(f"{where}: {value!r} fails: ValueError: {error}") from None
    return "".join(
        text + ("" if field is None else _field(field, form, given, where)) for text, field, form, _ in parts
    )


def _field(expression, form, given, where):
    """What stands in a sentence in place of an expression and its format between braces."""
    value = _value(expression, given, where)
    try:
        text = format(value, form)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {{{expression}:{form}}} fails: {type(error).__name__}: {error}") from None
    return text if isinstance(value, str) else typeset(text)


def _value(expression, given, where):
    """Value of an expression in the names `given` and the modules that it uses."""
    try:
        tree = ast.parse(expression, mode="eval")
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        modules = {name: importlib.import_module(MODULES[name]) for name in used & MODULES.keys()}
        return eval(compile(tree, where, "eval"), modules | given)
    except Exception as error:
        raise ValueError(f"{where}: {expression!r} fails: {type(error).__name__}: {error}") from error


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
    return typeset(text)
