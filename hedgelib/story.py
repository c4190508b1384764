"""The numbers of a lesson's story: the reader's to change, and told apart from those of the text.

The numbers of the text, with the limits inside which a lesson makes sense, stand in `stories.toml`.
"""

import functools
import tomllib
from importlib import resources

from hedgelib import checks

__all__ = ["yours"]

CHANGED = "Your numbers: {}. Cells, pictures and sliders follow; sentences and exercises do not."
REFUSED = "{}: this lesson goes on with {}."


def yours(lesson, **numbers):
    """Take the numbers of a lesson's story, and say where they are not those of its text.

    Nothing that is passed in stops a lesson. A number outside the limits of its story is answered in a
    sentence, and the number of the text stands in for it.

    Parameters
    ----------
    lesson : str
        Its number, such as ``"02"``.
    **numbers : float
        The numbers by the names that the story of the lesson has for them.

    Returns
    -------
    float or tuple of float
        The numbers in the order given, one by itself.

    Examples
    --------
    >>> entry, later = yours("02", entry=60_000, later=70_000)
    >>> entry = yours("02", entry=90_000)
    Your numbers: entry 90,000 USDT (the text: 60,000 USDT). Cells, pictures and sliders follow; sentences and exercises do not.
    >>> entry = yours("02", entry=-5)
    entry (USDT) must be a finite number at least 1,000 and at most 1,000,000, got -5: this lesson goes on with 60,000 USDT.
    >>> entry
    60000
    """  # noqa: E501
    told = stories()[checks.one_of("lesson", lesson, list(stories()))]
    if not numbers or not numbers.keys() <= told.keys():
        got = ", ".join(numbers) or "none"
        raise ValueError(f"numbers of lesson {lesson} must be among {', '.join(told)}, got {got}")
    taken, changed = [], []
    for name, value in numbers.items():
        entry = dict(told[name])
        of_text, unit, whole = entry.pop("told"), entry.pop("unit", ""), entry.pop("whole", False)
        try:
            label = f"{name} ({unit})" if unit else name
            value = checks.whole(label, value, **entry) if whole else _as_given(label, value, entry)
        except ValueError as problem:
            print(REFUSED.format(problem, _written(of_text, unit)))
            value = of_text
        if value != of_text:
            changed.append(f"{name} {_written(value, unit)} (the text: {_written(of_text, unit)})")
        taken.append(value)
    if changed:
        print(CHANGED.format(", ".join(changed)))
    return tuple(taken) if len(taken) > 1 else taken[0]


@functools.cache
def stories():
    """Return the numbers of every story by lesson and name."""
    text = (resources.files(__package__) / "stories.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _as_given(label, value, limits):
    """One number inside limits, an integer where an integer was given: 60_000 stays 60_000."""
    checked = checks.single(label, value, **limits)
    return int(checked) if isinstance(value, int) else checked


def _written(value, unit):
    return f"{value:,.10g} {unit}".strip()
