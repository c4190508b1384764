"""Checks at the border: every public function passes its input through here.

Bad input raises ``ValueError`` and the message says what was wrong and what is accepted.
"""

import math
import reprlib
from itertools import pairwise, zip_longest

import numpy as np

HOURS = (1, 2, 4, 8)
"""Funding intervals in use, in hours; bars are as long."""

_LARGEST = 1e30


def number(name, value, *, above=None, at_least=None, below=None, at_most=None):
    """Return `value` as a float, or as a float array if it is a sequence.

    Parameters
    ----------
    name : str
        What the value is called in the message, with its unit: ``"price (USDT)"``.
    value : float or array of any shape
        The number or numbers to check.
    above, at_least, below, at_most : float, optional
        Open and closed limits, in the unit of `value`.

    Raises
    ------
    ValueError
        If anything in `value` is not a finite number inside the limits, or is of a size (beyond 1e30; between
        0 and 1e-30 where it must be above 0) that products and quotients of such numbers could overflow.

    Examples
    --------
    >>> number("price (USDT)", 60_000, above=0)
    60000.0
    >>> number("price (USDT)", -1, above=0)
    Traceback (most recent call last):
    ...
    ValueError: price (USDT) must be a finite number above 0, got -1
    """
    limits = [
        f"{word} {limit:{',' if isinstance(limit, int) else 'g'}}"
        for word, limit in [("above", above), ("at least", at_least), ("below", below), ("at most", at_most)]
        if limit is not None
    ]
    accepted = " ".join(["a finite number", " and ".join(limits)]).strip()
    try:
        given = np.asarray(value)
        # numpy would count True in a list as 1, and bring to light the numbers that a mask hides.
        untrue = isinstance(value, list | tuple) and any(
            isinstance(item, bool | np.bool_) for item in np.array(value, dtype=object).flat
        )
        if given.dtype.kind not in "iuf" or untrue or np.ma.isMaskedArray(value):
            raise TypeError
        with np.errstate(over="ignore"):
            array = np.asarray(given, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be {accepted}, got {shown(value, reprlib.repr)}") from None
    good = np.isfinite(array)
    for compare, limit in [
        (np.greater, above),
        (np.greater_equal, at_least),
        (np.less, below),
        (np.less_equal, at_most),
    ]:
        if limit is not None:
            good &= compare(array, limit)
    if not np.all(good):
        offender = np.atleast_1d(array)[~np.atleast_1d(good)][0]
        got = shown(value) if array.ndim == 0 else f"{offender:g} in it"
        raise ValueError(f"{name} must be {accepted}, got {got}")
    smallest = 1 / _LARGEST if above == 0 else 0
    if np.any((np.abs(array) > _LARGEST) | (np.abs(array) < smallest)):
        raise ValueError(
            f"{name} is too large or too small to calculate with, got {shown(value, reprlib.repr)}"
        )
    return array if array.ndim else float(array)


def single(name, value, **limits):
    """Return `value` as a float like `number`, but refuse a sequence.

    Raises
    ------
    ValueError
        If it is not one finite number inside the limits.

    Examples
    --------
    >>> single("holding (coin)", [1, 2], above=0)
    Traceback (most recent call last):
    ...
    ValueError: holding (coin) must be one number, got [1, 2]
    """
    if np.ndim(checked := number(name, value, **limits)):
        raise ValueError(f"{name} must be one number, got {shown(value, reprlib.repr)}")
    return checked


def row(name, values, length=None, **limits):
    """Return `values` as a float array of one dimension, a single number as a row of one.

    Raises
    ------
    ValueError
        If a value is refused by `number`, there is none, or there are not exactly `length` of them.

    Examples
    --------
    >>> row("prices (USDT)", [50_000, 70_000], above=0)
    array([50000., 70000.])
    """
    checked = np.atleast_1d(number(name, values, **limits))
    if checked.ndim != 1 or not checked.size or length not in (None, len(checked)):
        wanted = f"one row of {length} numbers" if length else "one row of at least one number"
        raise ValueError(f"{name} must be {wanted}, got shape {np.shape(values)}")
    return checked


def side(value):
    """Return `value` as a float that is −1 (short) or +1 (long), one or an array of them.

    Raises
    ------
    ValueError
        If anything in `value` is neither −1 nor +1.

    Examples
    --------
    >>> side(-1)
    -1.0
    """
    checked = number("side", value)
    if not np.all(np.abs(checked) == 1):
        raise ValueError(f"side must be -1 (short) or +1 (long), got {shown(value)}")
    return checked


def broadcast(**arrays):
    """Refuse arrays whose shapes do not fit together, naming them.

    Raises
    ------
    ValueError
        If the shapes cannot be broadcast.

    Examples
    --------
    >>> broadcast(quantity=[1.0, 2.0], entry=[1.0, 2.0, 3.0])
    Traceback (most recent call last):
    ...
    ValueError: quantity (2,), entry (3,) must be single numbers or arrays of matching shape
    """
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    try:
        np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"{listed} must be single numbers or arrays of matching shape") from None


def one_of(name, value, accepted):
    """Return `value` if it is one of the `accepted` words.

    Raises
    ------
    ValueError
        If it is not; the message lists what is accepted.

    Examples
    --------
    >>> one_of("mode", "isolated", ("isolated", "cross"))
    'isolated'
    """
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, accepted))}, got {shown(value)}")
    return value


def whole(name, value, **limits):
    """Return `value` as an int if it is one whole number inside the limits.

    Raises
    ------
    ValueError
        If it is not one number, not whole, or outside the limits of `number`.

    Examples
    --------
    >>> whole("days", 30.0, at_least=1)
    30
    """
    checked = single(name, value, **limits)
    if checked % 1:
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    return int(checked)


def hours(name, value):
    """Return `value` as an int if it is one of the intervals in `HOURS`.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> hours("hours", 3)
    Traceback (most recent call last):
    ...
    ValueError: hours must be 1, 2, 4 or 8, got 3
    """
    if (checked := single(name, value)) not in HOURS:
        raise ValueError(f"{name} must be 1, 2, 4 or 8, got {value!r}")
    return int(checked)


def kind(name, value, accepted, words):
    """Return `value` if it is an object of the accepted class or classes, which `words` name.

    Raises
    ------
    ValueError
        If it is not; the message shows a short value, and of a long one its type.

    Examples
    --------
    >>> kind("compounded", "yes", bool, "True or False")
    Traceback (most recent call last):
    ...
    ValueError: compounded must be True or False, got 'yes'
    """
    if not isinstance(value, accepted):
        raise ValueError(f"{name} must be {words}, got {shown(value, longest=80)}")
    return value


def text(name, value):
    """Return `value` if it is a text.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> text("title", 60_000)
    Traceback (most recent call last):
    ...
    ValueError: title must be a text, got 60000
    """
    return kind(name, value, str, "a text")


def shown(value, write=repr, longest=math.inf):
    """Return a value as it reads in a message, which is one line: of what takes more, its type.

    Examples
    --------
    >>> shown("BTC"), shown(np.eye(2))
    ("'BTC'", 'a ndarray')
    """
    text = write(value)
    return text if len(text) <= longest and "\n" not in text else f"a {type(value).__name__}"


def assign(part, **values):
    """Replace fields of a frozen dataclass, in its ``__post_init__``, by what was made of them.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Rise:
    ...     share: float
    ...     def __post_init__(self):
    ...         assign(self, share=single("share (fraction)", self.share))
    >>> Rise(np.array(1))
    Rise(share=1.0)
    """
    for name, value in values.items():
        object.__setattr__(part, name, value)


def same_index(**values):
    """Refuse series and frames of pandas that are not dated alike, row by row; arrays have no dates.

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Series([1.0, 2.0, 3.0], index=["Mon", "Tue", "Wed"])
    >>> same_index(spot=day, futures=day.to_numpy())
    >>> same_index(spot=day, futures=day[::-1])
    Traceback (most recent call last):
    ...
    ValueError: spot and futures must have the same index, row by row, but row 0 is Mon in spot and Wed in
    futures: join them first, as in pd.concat([spot, futures], axis=1, join='inner')
    """
    labels = [(name, part.index) for name, part in values.items() if hasattr(part, "iloc")]
    for (first, index), (second, other) in pairwise(labels):
        if len(index) != len(other) or not (index == other).all():
            rows = enumerate(zip_longest(index, other, fillvalue="missing"))
            row, (here, there) = next((row, pair) for row, pair in rows if pair[0] != pair[1])
            found = f"row {row} is {here} in {first} and {there} in {second}"
            remedy = f"pd.concat([{first}, {second}], axis=1, join='inner')"
            raise ValueError(
                f"{first} and {second} must have the same index, row by row, but {found}: "
                f"join them first, as in {remedy}"
            )


def plain(result):
    """Return a Python float for a single number and an array otherwise, without negative zeros.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.float64(1.5))
    1.5
    """
    result = np.add(result, 0.0)
    return result if np.ndim(result) else float(result)
