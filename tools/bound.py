"""Bound numbers: a number in prose that follows the computation that made it.

A comment behind a number, invisible in every viewer, holds the expression that gives it::

    Selling costs **10,377.26 USDT**<!--= -sell --> and at 3x the short dies at +32.8 %<!--= 100 * rise -->.

The number directly before the comment (a unit, ``%``, ``**`` or a closing ``$`` may stand between) is
rewritten in the format it has: its explicit sign, its thousands separators, its decimals.

``<!--= expression -->``
    is evaluated in the names as they are after the code cells above.
``<!--=> expression -->``
    is evaluated after the last cell, for a number that is told before it is computed.
``<!--:-->a third<!--= words(share) -->``
    The mark opens the span that is bound: a text takes the place of all of it, a number that of the only
    number in it. A mark cannot begin a line, where Markdown would take the whole line for HTML.
``<!--= 02: expression -->``
    in TEACHING.md: evaluated at the end of lesson 02.
``<!--= 60_000 -->``
    An expression without a name says that the number is *given* here, though it looks like a computed one.

Beside the names of the notebook an expression may call `words`, `number_in` and ``at(draw, **controls)``: the
readouts of an explorer with these controls, the others at the start. A readout such as "+5,000 USDT" counts
as its number. Code, fenced or inline, is never touched.
"""

import ast
import contextlib
import functools
import math
import re
from dataclasses import dataclass
from unittest import mock

import numpy as np
from matplotlib.figure import Figure

MIME = "application/vnd.hedgelab.bound+json"
LONGEST_TAIL = 24  # characters between a number and its comment
MARK = "<!--:-->"
COMMENT = re.compile(r"<!--=(?P<last>>?) *(?:(?P<lesson>\d\d): )? *(?P<expression>\S.*?) *-->")
CODE = re.compile(
    r"^[ \t>]*(`{3,}|~{3,}).*?(?:^[ \t>]*\1|\Z)|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)", re.DOTALL | re.M
)
FORMULA = re.compile(r"\$\$[^$]+\$\$|(?<![\\$])\$[^$\n]+\$")
NO_NUMBER = re.compile(
    r"\[[^\]]*\]\([^)]*\)|https?://\S+|<[^>]*>|^[ >]*\d+\. ", re.M
)  # links, tags, items of a list
DIGITS = r"(?P<whole>\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)|\d+)(?P<decimals>\.\d+)?"
NUMBER = re.compile(rf"(?:(?<![\w)\]}}])(?P<sign>[+−-]))?(?<![A-Za-z_\d]){DIGITS}")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
BAD_PLACE = re.compile(rf"^[\s>]*(?:[-*+]|\d+[.)])?\s*{MARK}", re.M)
WHOLE = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
PARTS = {
    1 / 10: "a tenth",
    1 / 5: "a fifth",
    1 / 4: "a quarter",
    1 / 3: "a third",
    2 / 5: "two fifths",
    1 / 2: "half",
    3 / 5: "three fifths",
    2 / 3: "two thirds",
    3 / 4: "three quarters",
    4 / 5: "four fifths",
    9 / 10: "nine tenths",
}
NEAR = 0.025  # a share this near to one of these is called by its name


class BindError(Exception):
    """A number cannot be bound; the message says why, in one sentence."""


@dataclass(frozen=True)
class Bound:
    """A number or a span of text from `start` to `end` of a source, and the expression it follows."""

    start: int
    end: int
    text: str
    expression: str
    last: bool = False  # evaluated after the last cell
    lesson: str = ""
    spanned: bool = False  # opened by a mark

    @property
    def given(self):
        """Whether the expression is a constant: it says that the number is given."""
        with contextlib.suppress(SyntaxError):
            return not any(
                isinstance(node, ast.Name) for node in ast.walk(ast.parse(self.expression, mode="eval"))
            )
        return False


def _blank(pattern, text):
    """Text with blanks in place of what matches, so that places stay."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def find(source):
    """Return what is bound in a Markdown text, a list of `Bound` in the order of the text.

    Raises
    ------
    BindError
        If a comment has no number before it, or Markdown could not hold it.
    """
    text, found, since = _blank(CODE, source), [], 0
    if BAD_PLACE.search(text):
        raise BindError(f"{MARK} must not begin a line: put a word or ** before it")
    for comment in COMMENT.finditer(text):
        expression = source[comment.start("expression") : comment.end("expression")]
        _check_expression(expression, text[text.rfind("\n", 0, comment.start()) + 1 : comment.start()])
        before = text[since : comment.start()]
        before = before[max(before.rfind("\n\n") + 1, 0) :]
        opened = before.rfind(MARK)
        if opened >= 0:
            start, end = comment.start() - len(before) + opened + len(MARK), comment.start()
        else:
            start, end = _number_before(before, comment.start(), expression)
        parts = bool(comment["last"]), comment["lesson"] or "", opened >= 0
        found.append(Bound(start, end, source[start:end], expression, *parts))
        since = comment.end()
    if text.count("<!--=") != len(found) or text.count(MARK) != sum(bound.spanned for bound in found):
        raise BindError(f"a comment <!--= … --> is not closed on its line, or a mark {MARK} has no comment")
    return found


def _check_expression(expression, line):
    """Refuse what Markdown would not keep inside a comment."""
    if "--" in expression or "$" in expression:
        raise BindError(f"{expression!r} must not hold -- or $, which Markdown reads in its own way")
    if line.lstrip().startswith("|") and "|" in expression:
        raise BindError(f"{expression!r} must not hold | in a table, where it ends the cell")


def _number_before(before, place, expression):
    """Start and end of the number that `before`, the text up to `place`, ends with."""
    numbers = list(NUMBER.finditer(before))
    tail = before[numbers[-1].end() :] if numbers else ""
    if not numbers or len(tail) > LONGEST_TAIL or re.search(r"[\d\n|<]", tail):
        raise BindError(f"there is no number directly before <!--= {expression} -->: bind a span with {MARK}")
    return place - len(before) + numbers[-1].start(), place - len(before) + numbers[-1].end()


def plain(source):
    """Return a Markdown text without the comments that bind, as a reader sees it."""
    text = _blank(CODE, source)
    places = [match.span() for match in re.finditer(f"{COMMENT.pattern}|{MARK}", text)]
    for start, end in reversed(places):
        source = source[:start] + source[end:]
    return source


def unbound(source):
    """Return the numbers that are typed in the prose, each a match; a date counts as one.

    Numbers in code, comments, links and before the items of a list are not told.
    """
    text = _blank(NO_NUMBER, _blank(re.compile("<!--.*?-->", re.DOTALL), _blank(CODE, source)))
    for bound in find(source):
        text = text[: bound.start] + re.sub(r"\S", " ", bound.text) + text[bound.end :]
    return list(re.finditer(f"{DATE.pattern}|{NUMBER.pattern}", text))


def twins(source):
    """Return the typed numbers that look like bound ones, each a match: they would go stale beside them.

    Alike are two numbers of at least three digits with the same text; where three digits tell, the sign may
    differ.
    """
    computed = [bound for bound in find(source) if not bound.given]
    alike = re.compile(f"{DATE.pattern}|{NUMBER.pattern}")  # a year is no twin of a whole date
    numbers = {match[0] for bound in computed for match in alike.finditer(bound.text)}
    sizes = {number.lstrip("+−-") for number in numbers}
    return [
        match
        for match in unbound(source)
        if len(re.findall(r"\d", match[0])) >= 3
        and (match[0] in numbers or (_telling(match[0]) and match[0].lstrip("+−-") in sizes))
    ]


def _telling(number):
    """Whether a number has at least three digits that are not mere zeros at its end."""
    return len(re.sub(r"\D", "", number).strip("0")) >= 3


def written(value, like, formula=False):
    """Write a value in the format of the text of a number.

    Examples
    --------
    >>> written(1234.5, "+20.00"), written(-0.001, "−3.50"), written(10377.264, "4{,}821.10", formula=True)
    ('+1,234.50', '0.00', '10{,}377.26')
    """
    match = NUMBER.fullmatch(like)
    text = f"{abs(value):.{max(len(match['decimals'] or '') - 1, 0)}f}"
    sign = (
        "" if float(text) == 0 else ("-" if formula else "−") if value < 0 else "+" if match["sign"] else ""
    )
    whole, point, decimals = text.partition(".")
    if "," in match["whole"] or len(match["whole"]) < 4:
        whole = f"{int(whole):,}".replace(",", "{,}" if formula else ",")
    return sign + whole + point + decimals


def changed(source, values):
    """Return what each of `find` says when its value is the one in the same place, a list of texts.

    Where there is no value, ``None``, the text stays.
    """
    formulas = [match.span() for match in FORMULA.finditer(_blank(CODE, source))]
    return [
        bound.text
        if value is None
        else _followed(bound, value, any(start < bound.start < end for start, end in formulas))
        for bound, value in zip(find(source), values, strict=True)
    ]


def follow(source, values):
    """Return a Markdown text in which each of `find` says the value in the same place of `values`."""
    for bound, new in reversed(list(zip(find(source), changed(source, values), strict=True))):
        source = source[: bound.start] + new + source[bound.end :]
    return source


def _followed(bound, value, formula):
    """What stands in place of the text of `bound` when its expression gives `value`."""
    if isinstance(value, str):
        if bound.spanned:
            return value
        if len(NUMBER.findall(value)) > 1:
            raise BindError(f"{bound.expression} gives {value!r}: say which number with number_in(…, 0)")
        value = number_in(value)
    numbers = list(NUMBER.finditer(bound.text))
    if len(numbers) != 1:
        raise BindError(f"{bound.text!r} holds {len(numbers)} numbers and {bound.expression} gives one")
    old = numbers[0]
    return bound.text[: old.start()] + written(value, old[0], formula) + bound.text[old.end() :]


def number_in(text, k=0):
    """Return the `k`-th number in a text such as a readout.

    Examples
    --------
    >>> number_in("−1,250 USDT after 30 days"), number_in("−1,250 USDT after 30 days", 1)
    (-1250.0, 30.0)
    """
    numbers = list(NUMBER.finditer(text))
    if k >= len(numbers):
        raise BindError(f"{text!r} has no number {k}: it holds {len(numbers)}")
    return float(re.sub("[,{}+]", "", numbers[k][0]).replace("−", "-"))


def words(value):
    """Return a small whole number, or a share near a simple fraction, in English words.

    Examples
    --------
    >>> words(10), words(0.33), words(0.75)
    ('ten', 'a third', 'three quarters')
    """
    whole = round(value)
    if math.isclose(value, whole, abs_tol=1e-9) and 0 <= whole < len(WHOLE):
        return WHOLE[whole]
    nearest = min(PARTS, key=lambda part: abs(part - value))
    if abs(nearest - value) > NEAR:
        raise BindError(f"{value:g} has no simple word: rewrite the sentence")
    return PARTS[nearest]


class Readouts(dict):
    """Readouts of a state by their labels; a wrong label is told the right ones."""

    def __missing__(self, label):
        """Say which labels there are."""
        raise BindError(f"there is no readout {label!r}, there is {', '.join(map(repr, self))}")


class Watch:
    """Sees the explorers that are made while it is entered, and evaluates expressions beside them."""

    def __init__(self):
        """Nothing is seen yet."""
        self.explorers, self._drawn = [], {}

    def __enter__(self):
        """Begin to watch."""
        from hedgelib.explorer import Explorer

        prepare = Explorer.__init__

        def __init__(explorer, *arguments, **controls):  # noqa: N807
            prepare(explorer, *arguments, **controls)
            self.explorers.append(explorer)

        self._patch = mock.patch.object(Explorer, "__init__", __init__)
        self._patch.start()
        return self

    def __exit__(self, *error):
        """Leave the class as it was."""
        self._patch.stop()

    def at(self, draw, **controls):
        """Return the readouts of `draw` with these controls, those not named at the start of its explorer."""
        made = [
            each for each in self.explorers if each.draw is draw and controls.keys() <= each.controls.keys()
        ]
        size, values = (9, 4), controls
        if made:
            size = made[-1].size
            values = {name: control.start for name, control in made[-1].controls.items()}
            for name, value in controls.items():
                values[name] = _choice(name, value, made[-1].controls[name])
        elif any(each.draw is draw for each in self.explorers):
            raise BindError(f"the explorer of {draw.__name__} has no control {' and '.join(controls)}")
        key = draw, repr(values)
        if key not in self._drawn:
            self._drawn[key] = Readouts(_readouts(draw, size, values))
        return self._drawn[key]

    def value(self, expression, namespace):
        """Return what an expression gives, a float or a text.

        Raises
        ------
        BindError
            If it fails, or gives neither.
        """
        scope = {**namespace, "at": self.at, "number_in": number_in, "words": words}
        try:
            value = eval(expression, scope)
            if isinstance(value, str):
                return str(value)
            if np.ndim(value) == 0 and not isinstance(value, bool | np.bool_) and math.isfinite(value):
                return float(value)
        except BindError as error:
            raise BindError(f"{expression} fails: {error}") from None
        except Exception as error:
            hint = " (if a cell below makes it, write <!--=> … -->)" if isinstance(error, NameError) else ""
            raise BindError(f"{expression} fails: {type(error).__name__}: {error}{hint}") from None
        raise BindError(f"{expression} gives {value!r}, neither a finite number nor a text")

    def answers(self, expressions, namespace):
        """Return the values of expressions, an error in place of a value that cannot be had."""
        return [self._answer(expression, namespace) for expression in expressions]

    def _answer(self, expression, namespace):
        try:
            return {"value": self.value(expression, namespace)}
        except BindError as error:
            return {"error": str(error)}


def _choice(name, value, control):
    """The value of a control that is meant, also by another float of the same number."""
    for known in control.values:
        if known == value or (
            isinstance(known, float) and np.isreal(value) and math.isclose(known, value, abs_tol=1e-12)
        ):
            return known
    raise BindError(f"{name}={value!r} is not on the slider, which has {', '.join(control.texts)}")


def _readouts(draw, size, values):
    """Readouts of a state, of one that is refused the reason: as an explorer does."""
    from hedgelib import rendering

    try:
        with rendering.style():
            return draw(Figure(figsize=size), **values)
    except ValueError as error:
        return {rendering.NOT_POSSIBLE: str(error)}


@functools.cache
def watch():
    """Watch the explorers of this process from now on; return the `Watch`."""
    return Watch().__enter__()


def publish(expressions, namespace):
    """Display the values of expressions in a form that a program reads: called in a kernel."""
    from IPython.display import display

    display({MIME: {"answers": watch().answers(expressions, namespace)}}, raw=True)
