"""Arithmetic typed as text, computed without `eval`: ``-(0.0005 * 60_000 + 25)``, ``1/3``, ``12 %``.

``website/static/verdict.js`` reads the same text in the same way; the tests compare the two.
"""

import math
import re

LONGEST = 200  # characters
EXAMPLE = "type a number or arithmetic, such as -(0.0005 * 60_000 + 25)"
NOT_FINITE = "The answer is a finite number, and this is not: was something divided by 0?"
COMMA = (
    "Write decimals with a point, 0.5 and not 0,5; a comma parts thousands, as in 10,000, "
    "or the numbers of a list."
)
UNITS = {"usdt": "USDT", "usd": "USDT", "$": "USDT", "btc": "BTC", "eth": "ETH", "x": "x"} | dict.fromkeys(
    ("day", "days"), "days"
)
BASIS_POINT = 1e-4
SPACE = re.compile("[ \t\n\r\u00a0\u2009\u202f]+")
SIGNS = {"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "√": "sqrt", "**": "^"}
SIGN = re.compile("|".join(map(re.escape, SIGNS)))
TOKEN = re.compile(
    r"(?P<number>(?:(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])|[1-9][0-9]{0,2}(?: [0-9]{3})+(?![0-9])"
    r"|[0-9][0-9_]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<word>[A-Za-z]+|\$)|(?P<sign>[^ ])"
)
BINARY = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}  # how closely each binds; a sign before a number binds as 3
SIGNED = 3


class UnreadableError(ValueError):
    """A text is not arithmetic; the message says why, to the one who typed it."""


def numbers(text, unit="", several=False):
    """Return the numbers that a text stands for.

    Parameters
    ----------
    text : str
        One number, or several with commas or semicolons between them: digits, signs, brackets, ``%`` and
        ``sqrt``; ``,``, ``_`` or a space may part thousands. Each may have its unit behind or before it.
    unit : str
        The unit that is asked for; another one is refused. A basis point, ``bp``, is 0.0001.
    several : bool
        Whether more than one number is asked for; if not, a comma that parts no thousands is refused.

    Returns
    -------
    list of float

    Examples
    --------
    >>> numbers("-(0.0005 * 60_000 + 25) USDT", "USDT"), numbers("12 %"), numbers("1, 1/4", several=True)
    ([-55.0], [0.12], [1.0, 0.25])
    """
    if len(text) > LONGEST:
        raise UnreadableError(f"That is too long for an answer: at most {LONGEST} characters.")
    text = SPACE.sub(" ", SIGN.sub(lambda found: SIGNS[found[0]], text)).strip(" ")
    if not text:
        raise UnreadableError(f"Nothing is there yet: {EXAMPLE}.")
    if unit and text.lower().endswith(f" {unit.lower()}"):
        text = text[: -len(unit)]
    if several and text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    return _Reader(text, unit, several).numbers()


class _Reader:
    """Reads a text from left to right; what binds more closely is computed first."""

    def __init__(self, text, unit, several):
        self.text, self.unit, self.several = text, unit, several
        self.tokens = [(found.lastgroup, found[0], found.start()) for found in TOKEN.finditer(text)]
        self.tokens.append(("end", "", len(text)))
        self.place = 0

    def numbers(self):
        """Every number of the text."""
        found = [self._item()]
        while self._takes("sign", ",") or self._takes("sign", ";"):
            if not self.several and self.tokens[self.place - 1][1] == ",":
                raise UnreadableError(COMMA)
            found.append(self._item())
        if self.tokens[self.place][0] != "end":
            self._refuse()
        return found

    def _takes(self, kind, text):
        """Step over a token if it is this one."""
        if self.tokens[self.place][:2] != (kind, text):
            return False
        self.place += 1
        return True

    def _refuse(self):
        rest = self.text[self.tokens[self.place][2] :]
        if rest:
            raise UnreadableError(f"“{rest}” cannot be read: {EXAMPLE}.")
        raise UnreadableError(f"Something is missing at the end: {EXAMPLE}.")

    def _item(self):
        """One number with its unit."""
        before = self._unit()
        value = self._sum(0)
        return value * before * self._unit()

    def _unit(self):
        """Step over a unit; return what a number in it is multiplied by."""
        kind, word, _ = self.tokens[self.place]
        name = word.lower()
        if kind != "word" or (name != "bp" and name not in UNITS):
            return 1.0
        self.place += 1
        asked_in = UNITS.values()
        if name == "bp" and self.unit not in asked_in:
            return BASIS_POINT
        if UNITS.get(name) != self.unit:
            wanted = self.unit if self.unit in asked_in else "a number without a unit"
            raise UnreadableError(f"This asks for {wanted}, and your answer is in {UNITS.get(name, name)}.")
        return 1.0

    def _sum(self, least):
        """Compute on while signs bind more closely than `least`."""
        value = self._operand()
        while self.tokens[self.place][0] == "sign" and BINARY.get(self.tokens[self.place][1], 0) > least:
            sign = self.tokens[self.place][1]
            self.place += 1
            right = self._sum(BINARY[sign] - (sign == "^"))
            value = _finite(_computed(sign, value, right))
        return value

    def _operand(self):
        """A number, a bracket, or a root, with the signs before and the percent behind it."""
        kind, token, _ = self.tokens[self.place]
        if self._takes("sign", "-"):
            return -self._sum(SIGNED)
        if self._takes("sign", "+"):
            return self._sum(SIGNED)
        root = kind == "word" and token.lower() == "sqrt"
        if root:
            self.place += 1
            value = self._operand()
            value = math.sqrt(value) if value >= 0 else math.nan
        elif kind == "number":
            self.place += 1
            value = float(re.sub("[_, ]", "", token))
        elif self._takes("sign", "("):
            value = self._sum(0)
            if not self._takes("sign", ")"):
                if self.tokens[self.place][0] == "end":
                    raise UnreadableError("A bracket is not closed.")
                self._refuse()
        else:
            self._refuse()
        if self._takes("sign", "%"):
            value /= 100
        return _finite(value)


def _computed(sign, left, right):
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    try:
        value = left / right if sign == "/" else left**right
    except (ZeroDivisionError, OverflowError):
        return math.nan
    return math.nan if isinstance(value, complex) else value


def _finite(value):
    if not math.isfinite(value):
        raise UnreadableError(NOT_FINITE)
    return value
