"""How numbers read in pictures and readouts: thousands separated, a true minus sign, a unit."""

import re

import numpy as np

from hedgelib import checks

_HYPHEN = re.compile(r"(?<!\w)-(?=\d)")
_SIGN_OF_ZERO = re.compile(r"(?<!\w)[+-](?=0(\.0*)?(?![\d.]))")


def number(value, decimals=0, unit="", signed=True):
    """Write a number for a reader: thousands separated, a true minus sign, no sign at zero.

    Parameters
    ----------
    value : float
        Any number; infinity is written ∞ and a missing number –.
    decimals : int
        Digits after the point.
    unit : str
        Written behind the number.
    signed : bool
        Whether a positive number gets a plus sign, as gains and losses do and prices do not.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the value is no number, or `decimals` no whole number from 0 to 15.

    Examples
    --------
    >>> number(-12_345.6, unit="USDT"), number(0.25, 2, "BTC"), number(60_000, signed=False)
    ('−12,346 USDT', '+0.25 BTC', '60,000')
    """
    value, decimals = _real(value), checks.whole("decimals", decimals, at_least=0, at_most=15)
    checks.text("unit", unit)
    checks.kind("signed", signed, bool, "True or False")
    text = f"{value:{'+' if signed else ''},.{decimals}f}"
    if np.isnan(value):
        text = "–"
    elif not text.strip("+-0."):
        text = text.lstrip("+-")
    return f"{text.replace('inf', '∞').replace('-', '−')} {unit}".strip()


def usdt(value, decimals=0, signed=True):
    """Write an amount of USDT, parameters and errors as in `number`.

    Examples
    --------
    >>> usdt(10_000), usdt(-10_000), usdt(60_000, signed=False)
    ('+10,000 USDT', '−10,000 USDT', '60,000 USDT')
    """
    return number(value, decimals, "USDT", signed)


def percent(value, decimals=1, signed=False):
    """Write a fraction (0.25 is 25 %) as a percentage, parameters and errors as in `number`.

    Examples
    --------
    >>> percent(0.494), percent(-0.395, signed=True)
    ('49.4 %', '−39.5 %')
    """
    return number(100 * _real(value), decimals, "%", signed)


def typeset(text):
    """Write what a format made as `number` does: a true minus sign, none at zero, a space before %.

    Examples
    --------
    >>> typeset("{:+.0%}".format(-0.25)), typeset("{:+d} bp".format(0))
    ('−25 %', '0 bp')
    """
    return re.sub(r"(?<=\d)%", " %", _HYPHEN.sub("−", _SIGN_OF_ZERO.sub("", text)))


def _real(value):
    """Return one number as a float; infinite and missing ones are numbers here."""
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        return float(value)
    return checks.single("value", value)
