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
    pointer = "Where to look?"   # optional: said at the second try
    hint = "What to do there."   # said from the third try on, or from the second where nothing points
    prompt = "What does the trade at {price:,} cost?"  # optional: the question, where numbers vary
    vary = {price = [50_000, 70_000]}                  # optional: what else may be given, by student

    [[02-1.wrong]]           # optional, as many as there are well-known mistakes; a new one goes to the end
    value = "=price"
    why = "This is the price, not the fee."

    [[02-1.calls]]           # optional: the question asks for a function, too, and it is called like this
    arguments = [50_000]
    value = "=-fee * 50_000"

What follows from a fee, a bracket or a fact is an expression, so that it follows when they change. It may use
``np``, ``math`` and the modules of the library that `MODULES` names, and it is computed when its exercise is
first asked for. Between braces in a sentence stands an expression with its format, as in an f-string.

Beside a notebook may lie a file ``exercises.toml`` in the same format: exercises of one's own, or others in
place of those of the course that have the same name. In the edition for students the answers are sealed
(`hedgelib.sealed`), in files ``*.sealed.json`` in the same places.

A flipped sign, a percentage given for a fraction, an answer rounded too early and a list in another order are
recognised unlisted. Text is read as arithmetic, ``"-600 USDT"`` or ``"12 %"``.

On the pages of the site ``website/static/verdict.js`` judges by the same rules. What `Exercise.judge` says of
a text and what a page says of it are the same, to the letter; a test compares the two.
"""

import ast
import functools
import hashlib
import importlib
import json
import math
import numbers
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

import numpy as np

from hedgelib import arithmetic, progress, sealed
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
CLOSE = 0.01  # an answer this near, as a fraction, was probably rounded too early
COMMA = "In Python a comma makes two numbers of one: write 10_000 for ten thousand, and 0.5 for half."
FACTORS = (
    (0.01, "percent", "a percentage where a fraction"),
    (100, "fraction", "a fraction where a percentage"),
)
OWN = ("exercises.toml", "exercises.sealed.json")  # beside the notebook


@dataclass(frozen=True)
class Verdict:
    """What `check` says: `passed`, the `text` that a notebook shows, and what a record of it holds."""

    passed: bool
    text: str
    exercise: str = ""
    answer: str = ""  # what was given, as text
    outcome: str = ""  # "right", "wrong", "unread", or nothing while there is no answer
    mistake: str | None = None  # what was recognised, as docs/progress.md names it
    attempt: int = 1  # 1 more than the wrong answers before it

    def __repr__(self):
        """Show the text."""
        return self.text


@dataclass(frozen=True)
class Exercise:
    """One exercise as its lesson's file describes it."""

    answer: float | list | str
    right: str
    hint: str
    pointer: str = ""
    unit: str = ""
    tolerance: float | None = None
    relative_tolerance: float | None = None
    wrong: tuple = ()
    calls: tuple = ()
    prompt: str = ""
    vary: dict = field(default_factory=dict)

    @property
    def letters(self):
        """The letters to choose from, or nothing if the exercise does not offer a choice."""
        offered = [self.answer, *(mistake["value"] for mistake in self.wrong)]
        single = all(isinstance(each, str) and len(each) == 1 for each in offered)
        return tuple(sorted(offered)) if single else ()

    def fits(self, given, wanted, tolerance=None):
        """Tell whether a number or word `given` counts as `wanted`."""
        if isinstance(wanted, str):
            return given == _word(wanted)
        relative = 0.001 if self.tolerance is None else 0.0
        absolute = self.tolerance or 1e-12
        return math.isclose(
            given,
            wanted,
            rel_tol=self.relative_tolerance or relative,
            abs_tol=absolute if tolerance is None else min(absolute, tolerance),
        )

    def fits_all(self, given, wanted):
        """Tell whether every number or word `given` counts as the one `wanted` in its place."""
        wanted = _listed(wanted)
        return len(given) == len(wanted) and all(map(self.fits, given, wanted))

    def is_mistake(self, given, mistake):
        """Tell whether an answer is a well-known mistake; one of size 0 is never met by being nearly 0."""
        made = _listed(mistake["value"])
        return len(given) == len(made) and all(
            self.fits(each, one, tolerance=0.0 if isinstance(one, str) else 0.01 * abs(one))
            for each, one in zip(given, made, strict=True)
        )

    def judge(self, answer, attempt=1, function=None):
        """Judge an answer as the try that it is, whatever was answered before.

        Examples
        --------
        >>> given = exercises()["00-1"]
        >>> given.judge("3,000 USDT").outcome, given.judge(6_000).mistake, given.judge(-3_000).mistake
        ('right', '1', 'sign')
        """
        try:
            given = _read(answer, self)
        except _UnreadableError as problem:
            return Verdict(False, f"✗ {problem}", outcome="unread", attempt=attempt)
        if not self.fits_all(given, self.answer):
            mistake, why = _diagnosis(self, given)
        elif function is not None and (why := _failing(function, self.calls)):
            mistake = "function"
        else:
            return Verdict(True, f"✓ Right. {self.right}", outcome="right", attempt=attempt)
        told = f"✗ Not yet. {why}{_help(self, attempt)}"
        return Verdict(False, told, outcome="wrong", mistake=mistake, attempt=attempt)


@dataclass(frozen=True)
class _Sealed:
    """One exercise of which nobody can read the answer."""

    prompt: str
    shape: int | str  # "word", 0 for a number, or how many numbers the list has
    letters: tuple
    unit: str
    pointer: str
    hint: str
    known: tuple  # what can be unlocked: the answer first, then its well-known mistakes

    @property
    def answer(self):
        """A stand-in of the same kind as the answer."""
        return "" if self.shape == "word" else [math.nan] * self.shape if self.shape else math.nan

    def judge(self, answer, attempt=1, function=None):
        """Judge as `Exercise.judge` does, as far as that can be done without knowing the answer."""
        try:
            given = _read(answer, self)
        except _UnreadableError as problem:
            return Verdict(False, f"✗ {problem}", outcome="unread", attempt=attempt)
        for entry in self.known:
            if (sentence := sealed.unlock(entry, given)) is not None:
                if entry["mistake"] is None:
                    return Verdict(True, f"✓ Right. {sentence}", outcome="right", attempt=attempt)
                return self._wrong(entry["mistake"], sentence, attempt)
        if self.shape != "word":
            for factor, mistake, why in ((-1, "sign", ""), *FACTORS):
                if sealed.unlock(self.known[0], [factor * each for each in given]) is not None:
                    asked = (
                        f"Did you give {why} is asked for?"
                        if why
                        else "The size is right and the sign is not."
                    )
                    return self._wrong(mistake, asked, attempt)
        return self._wrong(None, "", attempt)

    def _wrong(self, mistake, why, attempt):
        told = f"✗ Not yet. {why}{_help(self, attempt, folded=False)}"
        return Verdict(False, told.strip(), outcome="wrong", mistake=mistake, attempt=attempt)


def exercises():
    """Return every exercise of the course by name, each computed when it is first asked for.

    Returns
    -------
    mapping of str to Exercise
        It raises ``ValueError`` for an exercise that is not as the docstring of this module describes.

    Examples
    --------
    >>> exercises()["02-1"].unit
    'USDT'
    """
    beside = tuple(path for name in OWN if (path := Path(name)).is_file())
    return _course(tuple((path.resolve(), path.stat().st_mtime_ns) for path in beside))


@functools.cache
def _course(beside):
    """The exercises of the package and of files beside the notebook, each with its last change."""
    folder = resources.files(__package__) / "exercises"
    files = [*sorted(folder.iterdir(), key=lambda file: file.name), *(path for path, _ in beside)]
    tables = {}
    for file in files:
        text = file.read_text(encoding="utf-8")
        try:
            if file.name.endswith(".toml"):
                tables[file.name] = tomllib.loads(text)
            elif file.name.endswith(".json"):
                tables[file.name] = json.loads(text)["exercises"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{file.name} holds no exercises: {type(error).__name__}: {error}") from None
    return _Course(tables)


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
            is_sealed = file.endswith(".json")
            self._made[name] = _Sealed(**self._files[file][name]) if is_sealed else self._computed(name, {})
        return self._made[name]

    def variant(self, name, student):
        """Return an exercise with the numbers that a student has, drawn from the student's name."""
        file = self._file_of[name]
        changed = {}
        for given, others in self._files[file][name].get("vary", {}).items():
            values = [self._files[file]["given"][given], *others]
            drawn = hashlib.sha256(f"{student.casefold()}/{name}/{given}".encode()).digest()
            changed[given] = values[int.from_bytes(drawn) % len(values)]
        return self._computed(name, changed)

    def _computed(self, name, changed):
        """An exercise, with something else given than in its file."""
        file = self._file_of[name]
        where = f"{file}, exercise {name}"
        table = _computed(self._files[file][name], self._known(file, changed), where)
        try:
            return Exercise(**table)
        except TypeError as error:
            raise ValueError(f"{where}: {error}") from None

    def _known(self, file, changed):
        """What is given in a file, with some of it changed."""
        if changed or file not in self._given:
            known = {}
            for name, value in (self._files[file].get("given", {}) | changed).items():
                known[name] = _computed(value, known, f"{file}, given {name}")
            if changed:
                return known
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


session = []  # every verdict on an answer since Python started, oldest first


def check(name="", answer=..., function=None):
    """Judge the answer to an exercise, or say what is done so far.

    Parameters
    ----------
    name : str
        Name of the exercise, ``"02-1"`` for the first one of lesson 02. Without it the reply is a tally.
    answer : object
        What the learner found: a number in the unit the exercise asks for, a list of them, or a word. A
        number may come as text, with its unit.
    function : callable, optional
        The function that the exercise asks for; it is called with values of its own.

    Returns
    -------
    Verdict
        It reads as a sentence and never raises, whatever `answer` is. With each wrong answer it says more:
        first what is wrong, then where to look, then what to do.

    Examples
    --------
    >>> check("02-1", ...)
    Not answered yet: replace ... by your answer and run the cell again.
    """
    if isinstance(name, str) and not name and answer is ...:
        return Verdict(False, _done_so_far())
    known = exercises()
    if not isinstance(name, str):
        return Verdict(False, 'The name of the exercise comes first, in quotes, such as "02-1".')
    if name not in known:
        lesson = [other for other in known if other[:2] == name[:2]]
        return Verdict(False, f'There is no exercise "{name}"; there is {", ".join(lesson or known)}.')
    if answer is None or answer is ...:
        return Verdict(False, "Not answered yet: replace ... by your answer and run the cell again.", name)
    text = _as_text(answer)
    mine = [each for each in session if each.exercise == name]
    again = bool(mine) and mine[-1].answer == text
    attempt = mine[-1].attempt if again else 1 + sum(each.outcome == "wrong" for each in mine)
    verdict = known[name].judge(answer, attempt, function)
    if verdict.passed:
        verdict = replace(verdict, text=f"{verdict.text} {_tally(name[:2], {name, *_done(name[:2])})}")
    verdict = replace(verdict, exercise=name, answer=text)
    if not again or verdict.outcome != mine[-1].outcome:
        session.append(verdict)
        progress.record(name, text, verdict.outcome, verdict.mistake)
    return verdict


def my_progress():
    """Show how much of each lesson is tried and right, also what was answered on other days.

    Returns
    -------
    pandas.DataFrame
        A row for each lesson, as of `progress.table`.

    Examples
    --------
    >>> my_progress().loc["02", ["right", "tried"]].tolist()  # nothing was tried here
    [0, 0]
    """
    return progress.table(exercises())


class _UnreadableError(Exception):
    """What was passed in cannot be an answer; the message says why."""


def _help(exercise, attempt, folded=True):
    """What a try is told beside its mistake: the first one nothing, the later ones more and more."""
    steps = [step for step in (exercise.pointer, exercise.hint) if step]
    if attempt == 1:
        return ""
    told = f" Hint: {steps[min(attempt - 2, len(steps) - 1)]}"
    return f"{told} The whole way is folded below." if folded and attempt >= 2 + len(steps) else told


def _done(lesson):
    """Exercises of a lesson that were answered right in this session."""
    return {each.exercise for each in session if each.passed and each.exercise[:2] == lesson}


def _tally(lesson, done):
    total = sum(other[:2] == lesson for other in exercises())
    return f"Done in lesson {lesson}: {len(done)} of {total}."


def _done_so_far():
    """What is done so far, a line for each lesson in which something was answered."""
    first = {each.exercise: each.attempt for each in reversed(session) if each.passed}
    lines = []
    for lesson in sorted({each.exercise[:2] for each in session}):
        done = [f"{name} at try {first[name]}" for name in sorted(_done(lesson))]
        lines.append(" ".join([_tally(lesson, done), *([f"{', '.join(done)}."] if done else [])]))
    return "\n".join(lines) or "Nothing is answered yet."


def _as_text(answer):
    """An answer as a record keeps it."""
    try:
        text = str(answer if isinstance(answer, str) else np.asarray(answer).tolist())
    except Exception:  # a stranger's object may raise anything
        text = _kind(answer)
    return text[: arithmetic.LONGEST]


def _listed(answer):
    return answer if isinstance(answer, list) else [answer]


def _word(text):
    return " ".join(arithmetic.SPACE.sub(" ", text.lower()).split(" ")).strip(" .()'\"")


def _read(answer, exercise):
    """Return the learner's answer as a list of floats or words."""
    wanted = exercise.answer
    if isinstance(wanted, str):
        asked = "a word" if not exercise.letters else f"one of the letters {', '.join(exercise.letters)}"
        if not isinstance(answer, str):
            raise _UnreadableError(f"This asks for {asked}, in quotes, not {_kind(answer)}.")
        if exercise.letters and _word(answer) not in exercise.letters:
            raise _UnreadableError(f"This asks for {asked}.")
        return [_word(answer)]
    if isinstance(answer, str):
        try:
            given = arithmetic.numbers(answer, exercise.unit, isinstance(wanted, list))
        except arithmetic.UnreadableError as problem:
            raise _UnreadableError(problem) from None
    else:
        given = _floats(answer)
    if len(given) != len(_listed(wanted)):
        asked = "one number" if not isinstance(wanted, list) else f"{len(wanted)} numbers in a list"
        comma = f" {COMMA}" if isinstance(answer, tuple) and not isinstance(wanted, list) else ""
        raise _UnreadableError(f"This asks for {asked}, and there are {len(given)}.{comma}")
    if not all(map(math.isfinite, given)):
        raise _UnreadableError(arithmetic.NOT_FINITE)
    return given


def _floats(answer):
    """The numbers in an object of any kind."""
    try:
        given = np.asarray(answer)
        if given.dtype.kind not in "iuf":
            given = np.array([_real(item) for item in given.ravel()])
        return given.astype(float).ravel().tolist()
    except Exception:  # an answer may be any object at all, and its conversion may raise anything
        raise _UnreadableError(f"This asks for a number, not {_kind(answer)}.") from None


def _real(item):
    """Return a real number of any type as a float, truth values apart."""
    if isinstance(item, numbers.Number) and not isinstance(item, bool | np.bool_ | complex):
        return float(item)
    raise TypeError


def _kind(answer):
    return f"a value of type {type(answer).__name__}"


def _failing(function, calls):
    """What the first call shows that a learner's function does not give as asked, or nothing."""
    name = getattr(function, "__name__", "the function")
    for call in calls:
        wanted = np.asarray(call["value"], dtype=float)
        arguments = [np.array(each) if isinstance(each, list) else each for each in call["arguments"]]
        shown = f"{name}({', '.join(map(str, call['arguments']))})"
        try:
            given = function(*arguments)
        except Exception as error:  # it is the learner's code
            return f"The answer is right, but {shown} fails: {type(error).__name__}: {error}."
        try:
            given = np.asarray(given, dtype=float)
        except Exception:  # it may return any object at all
            return f"The answer is right, but {shown} gives {_kind(given)}."
        if given.shape != wanted.shape or not np.allclose(given, wanted, rtol=0.001, atol=1e-9):
            values = [_written(each.item()) if each.ndim == 0 else "other values" for each in (given, wanted)]
            asked = f", and it should give {values[1]}" if wanted.ndim == 0 else ""
            return f"The answer is right, but {shown} gives {values[0]}{asked}."
    return ""


def _diagnosis(exercise, given):
    """Name the mistake and say what is wrong, the most telling reason first."""
    for place, mistake in enumerate(exercise.wrong, start=1):
        if exercise.is_mistake(given, mistake):
            return str(place), mistake["why"]
    if isinstance(exercise.answer, str):
        return None, "That is not the word."
    wanted = _listed(exercise.answer)
    if all(map(exercise.fits, sorted(given), sorted(wanted))):
        return "order", "These are the right numbers, in another order than the question's."
    place, value, right = next(
        (place, value, right)
        for place, (value, right) in enumerate(zip(given, wanted, strict=True), start=1)
        if not exercise.fits(value, right)
    )
    number = _written(value)
    shown = f"{number} {exercise.unit}" if exercise.unit in arithmetic.UNITS.values() else number
    if len(wanted) > 1:
        number, shown = f"Number {place}, {number},", f"Number {place}, {shown},"
    if exercise.fits(-value, right):
        return "sign", f"{shown} has the right size and the wrong sign."
    for factor, mistake, why in FACTORS:
        if exercise.fits(value * factor, right):
            return (
                mistake,
                f"{number} is {1 / factor:g} times what is asked: did you give {why} is asked for?",
            )
    if math.isclose(value, right, rel_tol=CLOSE):
        return "close", f"{shown} is close: was something rounded on the way, or a small part left out?"
    return None, f"{shown} is too {'high' if value > right else 'low'}."


def _written(value):
    """Write a number with its sign, thousands separated, without needless decimals."""
    size = abs(value)
    text = f"{value:,.{2 if size >= 1_000 else 4}f}".rstrip("0").rstrip(".") if size >= 1 else f"{value:.6g}"
    return typeset(text)
