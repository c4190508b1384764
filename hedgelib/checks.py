"""Checks at the border: what a notebook hands to the library is looked at once, where it comes in.

Bad input raises ``ValueError`` in one sentence, which says what was wrong and what is accepted.
"""

import functools
import inspect
import math
import reprlib
from itertools import pairwise, zip_longest

import numpy as np

HOURS = (1, 2, 4, 8)
"""Funding intervals in use, in hours; bars are as long."""

_LARGEST = 1e30


def arguments(**rules):
    """Make a function check its arguments; its bare formula stays callable as ``function.unchecked``.

    Parameters
    ----------
    **rules : callable
        For each parameter that is checked what takes its name and value and returns the value, or refuses it.
        A parameter left at its default is not looked at.

    Examples
    --------
    >>> @arguments(rise=numbers("fraction", above=-1))
    ... def doubled(rise):
    ...     return 2 * rise
    >>> doubled(0.1), doubled([0.1, 0.2])
    (0.2, array([0.2, 0.4]))
    >>> doubled(-1)
    Traceback (most recent call last):
    ...
    ValueError: rise (fraction) must be a finite number above -1, got -1
    """

    def decorate(function):
        signature = inspect.signature(function)
        defaults = {name: parameter.default for name, parameter in signature.parameters.items()}

        @functools.wraps(function)
        def checked(*args, **kwargs):
            given = signature.bind(*args, **kwargs).arguments
            aligned(**given)
            for name, value in given.items():
                if name in rules and value is not defaults[name]:
                    given[name] = rules[name](name, value)
            broadcast(**{name: value for name, value in given.items() if name in rules})
            return plain(function(**given))

        checked.unchecked = function
        return checked

    return decorate


def numbers(unit="", **limits):
    """Return a rule for `arguments`: numbers in a unit, inside limits of `number`."""
    suffix = f" ({unit})" if unit else ""
    return lambda name, value: number(name + suffix, value, **limits)


def number(name, value, *, above=None, at_least=None, below=None, at_most=None):
    """Return `value` as a float, or as a float array if it is a sequence.

    Finite numbers pass that lie inside the open and closed limits, in the unit of `value`, and whose products
    and quotients cannot overflow: none is beyond 1e30, nor below 1e-30 where it must be above 0.

    Examples
    --------
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
    """Return `value` as a float like `number`, but refuse a sequence."""
    if np.ndim(checked := number(name, value, **limits)):
        raise ValueError(f"{name} must be one number, got {shown(value, reprlib.repr)}")
    return checked


def row(name, values, length=None, **limits):
    """Return `values` as a float array of one dimension, a single number as a row of one."""
    checked = np.atleast_1d(number(name, values, **limits))
    if checked.ndim != 1 or not checked.size or length not in (None, len(checked)):
        wanted = f"one row of {length} numbers" if length else "one row of at least one number"
        raise ValueError(f"{name} must be {wanted}, got shape {np.shape(values)}")
    return checked


def whole(name, value, **limits):
    """Return `value` as an int if it is one whole number inside the limits of `number`."""
    checked = single(name, value, **limits)
    if checked % 1:
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    return int(checked)


def hours(name, value):
    """Return `value` as an int if it is one of the intervals in `HOURS`."""
    if (checked := single(name, value)) not in HOURS:
        raise ValueError(f"{name} must be 1, 2, 4 or 8, got {value!r}")
    return int(checked)


def side(name, value):
    """Return `value` as a float that is −1 (short) or +1 (long), one or an array of them."""
    checked = number(name, value)
    if not np.all(np.abs(checked) == 1):
        raise ValueError(f"{name} must be -1 (short) or +1 (long), got {shown(value)}")
    return checked


def one_of(name, value, accepted):
    """Return `value` if it is one of the `accepted` words."""
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, accepted))}, got {shown(value)}")
    return value


def kind(name, value, accepted, words):
    """Return `value` if it is an object of the accepted class or classes, which `words` name."""
    if not isinstance(value, accepted):
        raise ValueError(f"{name} must be {words}, got {shown(value, longest=80)}")
    return value


def text(name, value):
    """Return `value` if it is a text."""
    return kind(name, value, str, "a text")


def broadcast(**arrays):
    """Refuse arrays whose shapes do not fit together, naming them.

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
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise ValueError(f"{listed} must be single numbers or arrays of matching shape") from None


def aligned(**values):
    """Refuse pandas objects whose rows do not belong together; numbers and plain arrays pass.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=3)
    >>> aligned(mark=pd.Series(1.0, days), rate=pd.Series(1e-4, days[::-1]))
    Traceback (most recent call last):
    ...
    ValueError: mark and rate have rows of different times or order: bring them together by date first, as
    pandas.concat([mark, rate], axis=1, join="inner") does
    """
    # Told by what it can do, so that plain arithmetic need not import pandas.
    indices = {name: getattr(value, "index", None) for name, value in values.items()}
    indices = {name: index for name, index in indices.items() if hasattr(index, "equals")}
    first, *others = indices or [None]
    for other in others:
        one, two = indices[first], indices[other]
        # Until version 3 pandas calls equal times different if one counts them in µs and the other in ns.
        if not (one.equals(two) or (len(one) == len(two) and (one == two).all())):
            raise ValueError(
                f"{first} and {other} have rows of different times or order: bring them together by date "
                f'first, as pandas.concat([{first}, {other}], axis=1, join="inner") does'
            )


def shown(value, write=repr, longest=math.inf):
    """Return a value as it reads in a message, which is one line: of what takes more, its type.

    Examples
    --------
    >>> shown("BTC"), shown(np.eye(2))
    ("'BTC'", 'an object of type ndarray')
    """
    text = write(value)
    fits = len(text) <= longest and "\n" not in text
    return text if fits else f"an object of type {type(value).__name__}"


def assign(part, **values):
    """Assign fields of a frozen dataclass, in its ``__post_init__``, what the checks made of them."""
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
    """Return a Python float for a single number and an array otherwise, without negative zeros."""
    result = np.add(result, 0.0)
    return result if np.ndim(result) else float(result)
