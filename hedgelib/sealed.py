"""Exercises that can be checked and not be read: for the edition that students get.

Of an answer only a digest is kept. A number is first put into one of the cells of a grid as wide as the
tolerance, laid so that all that counts as right is one cell; the cell is stretched into a key by
``hashlib.scrypt``, and with that key alone the sentence that belongs to the answer can be read. So it is with
each well-known mistake.

This keeps answers from being read, not from being guessed: a program that tries a thousand numbers takes a
minute, a letter of three takes a blink. Who gives credit judges what was handed in (``make marks``) and lets
the numbers differ (`hedgelib.exercise`, ``vary``).
"""

import base64
import hashlib
import math

FORMAT = "hedge-lab-sealed-1"
WORK = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # 16 MB and some 40 ms for each try
EDGE = 1e-9  # of a cell: what counts as right to its last digit lies inside


def seal(exercise, salt):
    """Return an exercise as JSON can hold it, without its answer.

    Parameters
    ----------
    exercise : hedgelib.exercise.Exercise
    salt : str
        Another one for each exercise and edition.

    Returns
    -------
    dict
    """
    wanted = exercise.answer
    shape = "word" if isinstance(wanted, str) else len(wanted) if isinstance(wanted, list) else 0
    known = [(None, wanted, exercise.right, None)]
    for place, mistake in enumerate(exercise.wrong, start=1):
        known.append((str(place), mistake["value"], mistake["why"], 0.01))
    return {
        "prompt": exercise.prompt,
        "shape": shape,
        "letters": list(exercise.letters),
        "unit": exercise.unit,
        "pointer": exercise.pointer,
        "hint": exercise.hint,
        "known": [
            _locked(f"{salt} {place}", mistake, value, text, exercise, most)
            for place, (mistake, value, text, most) in enumerate(known)
        ],
    }


def unlock(entry, given):
    """Return the sentence of an entry of ``known`` if these numbers or words are what it is locked with.

    Parameters
    ----------
    entry : dict
    given : list of float or str

    Returns
    -------
    str or None
    """
    if len(given) != len(entry["grids"]):
        return None
    key = _key(entry["salt"], [_cell(each, grid) for each, grid in zip(given, entry["grids"], strict=True)])
    if hashlib.sha256(key + b"proof").hexdigest() != entry["proof"]:
        return None
    return _mixed(key, base64.b64decode(entry["text"])).decode()


def _locked(salt, mistake, value, text, exercise, most):
    """An entry: how to find the cell of an answer, and the sentence that is locked with it."""
    values = value if isinstance(value, list) else [value]
    grids = [None if isinstance(each, str) else _grid(each, exercise, most) for each in values]
    cells = [_cell(each, grid) for each, grid in zip(values, grids, strict=True)]
    key = _key(salt, cells)
    return {
        "mistake": mistake,
        "salt": salt,
        "grids": grids,
        "proof": hashlib.sha256(key + b"proof").hexdigest(),
        "text": base64.b64encode(_mixed(key, text.encode())).decode(),
    }


def _grid(value, exercise, most):
    """How wide the cells are, on which scale, and where one begins: all that counts as `value` is one cell.

    On a plain scale the width is twice the tolerance. A tolerance that is a share of the value would tell the
    value by its width, so its cells are those of the logarithm.
    """
    absolute = 1e-12 if exercise.tolerance is None else exercise.tolerance
    relative = exercise.relative_tolerance or (0.001 if exercise.tolerance is None else 0.0)
    share = 0.0 if most is None else most
    if most is not None:
        absolute = min(absolute, most * abs(value))
    if value and (relative or absolute == share * abs(value)):
        half = -math.log(1 - max(relative, absolute / abs(value)))
        centre, scale = math.log(abs(value)), "logarithm"
    else:
        half, centre, scale = absolute or 1e-12, value, "plain"
    half *= 1 + EDGE
    return {"scale": scale, "width": 2 * half, "begin": (centre - half) % (2 * half)}


def _cell(given, grid):
    """The name of the cell that a number lies in; a word is its own."""
    if grid is None or isinstance(given, str):
        return str(given)
    sign = ""
    if grid["scale"] == "logarithm":
        if given == 0:
            return "zero"
        sign, given = "-" if given < 0 else "+", math.log(abs(given))
    return f"{sign}{math.floor((given - grid['begin']) / grid['width'])}"


def _key(salt, cells):
    return hashlib.scrypt(",".join(cells).encode(), salt=salt.encode(), **WORK)


def _mixed(key, data):
    """Data with the stream of a key mixed in, or taken out again."""
    stream = hashlib.shake_256(key + b"text").digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))
