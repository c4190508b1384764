"""What a learner has tried: kept in one small file in the home folder, sent nowhere, never in a lesson's way.

`hedgelib.exercise.check` records each attempt here. The file, ``~/.hedge-lab/progress.json``, is the one that
the pages of the site write and read, too; ``docs/progress.md`` tells its format. The environment variable
``HEDGELAB_PROGRESS`` names another file, or says ``off``: then nothing is kept.

Of an exercise the first `MOST_TRIES` attempts are kept and the last one. The same answer again, as when all
cells run again, is no new attempt.
"""

import contextlib
import json
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FORMAT = "hedge-lab-progress-1"
VERDICTS = ("right", "wrong", "unread")
MOST_TRIES = 30
MOST_BYTES = 2_000_000  # a larger file is not one of ours
LONGEST = 200  # characters of an answer that are kept
PATIENCE = 0.2  # seconds to wait for another notebook that is writing


def place():
    """Return where attempts are kept, or None if they are not.

    Returns
    -------
    Path or None

    Examples
    --------
    >>> place() is None  # only if HEDGELAB_PROGRESS says "off"
    False
    """
    chosen = os.environ.get("HEDGELAB_PROGRESS", "")
    if chosen.strip().lower() == "off":
        return None
    return Path(chosen).expanduser() if chosen else Path.home() / ".hedge-lab" / "progress.json"


def record(exercise, answer, verdict, mistake=None):
    """Keep an attempt; where that is not possible, nothing is kept and nothing is said.

    Parameters
    ----------
    exercise : str
        Its name, ``"02-1"``.
    answer : str
        What the learner answered, in words; at most `LONGEST` characters of it are kept.
    verdict : {"right", "wrong", "unread"}
        What `check` found.
    mistake : str, optional
        The well-known mistake that it was recognised as.

    Examples
    --------
    >>> record("02-1", "65", "wrong")
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    attempt = {"exercise": exercise, "answer": str(answer), "verdict": verdict, "mistake": mistake}
    attempt |= {"try": 1, "time": now}
    if _is_attempt(attempt):
        # A home folder may be missing, full, read-only or damaged: an exercise is answered all the same.
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            _change(lambda kept: _with_attempt(kept, _attempt(attempt)))


def attempts():
    """Return the attempts that are kept, the oldest first.

    Returns
    -------
    list of dict
        With the keys ``exercise``, ``answer``, ``verdict``, ``mistake``, ``try`` and ``time``.

    Raises
    ------
    ValueError
        If the file is not one of ours.

    Examples
    --------
    >>> [each["verdict"] for each in attempts()]  # nothing was tried here
    []
    """
    file = place()
    return _kept(file)["attempts"] if file else []


def add(path):
    """Add what another progress file holds, such as one exported from the site, to what is kept here.

    Parameters
    ----------
    path : str or Path
        The file, such as ``"Downloads/hedge-lab-progress.json"``.

    Returns
    -------
    int
        How many attempts were new.

    Raises
    ------
    ValueError
        If the file is not a progress file, or if nothing is kept here.

    Examples
    --------
    >>> add("no_such_file.json")
    Traceback (most recent call last):
    ValueError: no_such_file.json cannot be read: [Errno 2] No such file or directory: 'no_such_file.json'
    """
    if place() is None:
        raise ValueError(
            "nothing is kept here: HEDGELAB_PROGRESS is off; unset it and start the kernel again"
        )
    try:
        with Path(path).open(encoding="utf-8") as file:
            other = read(file.read(MOST_BYTES + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    new = []

    def with_other(kept):
        known = {(each["exercise"], each["time"], each["answer"]) for each in kept["attempts"]}
        new[:] = [
            each
            for each in other["attempts"]
            if (each["exercise"], each["time"], each["answer"]) not in known
        ]
        together = sorted(kept["attempts"] + new, key=lambda each: each["time"])
        return other | kept | {"attempts": _numbered(together), "votes": other["votes"] | kept["votes"]}

    if not _change(with_other):
        raise ValueError(f"{place()} is being written by another notebook; try again")
    return len(new)


def read(text):
    """Read a progress file, whoever wrote it.

    Parameters
    ----------
    text : str
        What is in the file.

    Returns
    -------
    dict
        ``attempts``, a list of dict; ``votes``, a dict of the lessons' *Predict* votes; what else it holds.
        An attempt or vote that is not as ``docs/progress.md`` says is left out.

    Raises
    ------
    ValueError
        If it is not a progress file.

    Examples
    --------
    >>> read('{"format": "hedge-lab-progress-1", "attempts": []}')["attempts"]
    []
    """
    if not isinstance(text, str):
        raise ValueError(f"text must be what is in a progress file, not a {type(text).__name__}")
    if len(text) > MOST_BYTES:
        raise ValueError(
            f"this is too long for a progress file, at most {MOST_BYTES:,} characters are accepted"
        )
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError('a progress file is JSON, as the button "Export" of the site writes it') from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f'a progress file says "format": "{FORMAT}"; this does not')
    listed, votes = found.get("attempts", []), found.get("votes", {})
    if not isinstance(listed, list) or not isinstance(votes, dict):
        raise ValueError('"attempts" must be a list and "votes" a table')
    return found | {
        "attempts": [_attempt(each) for each in listed if _is_attempt(each)],
        "votes": {lesson: vote for lesson, vote in votes.items() if type(vote) is int and vote > 0},
    }


def table(names, tried=None):
    """Count the exercises of each lesson that are right, tried and left.

    Parameters
    ----------
    names : iterable of str
        All exercises of the course.
    tried : list of dict, optional
        Attempts as of `attempts`; those that are kept unless given.

    Returns
    -------
    pandas.DataFrame
        A row for each lesson: how many exercises there are, how many are right and tried, in how many
        tries, and the names of those that still wait for a right answer after a wrong one.

    Examples
    --------
    >>> one = {"exercise": "02-2", "answer": "0.4", "verdict": "wrong", "mistake": None, "try": 1, "time": ""}
    >>> table(["02-1", "02-2"], [one])
            exercises  right  tried  tries look again at
    lesson
    02              2      0      1      1          02-2
    """
    tried = attempts() if tried is None else tried
    best, tries = {}, {}
    for each in tried:
        name = each["exercise"]
        best[name] = "right" if "right" in (best.get(name), each["verdict"]) else each["verdict"]
        tries[name] = max(tries.get(name, 0), each["try"])
    rows = {}
    for name in names:
        row = rows.setdefault(name[:2], [0, 0, 0, 0, []])
        row[0] += 1
        row[1] += best.get(name) == "right"
        row[2] += name in best
        row[3] += tries.get(name, 0)
        if best.get(name, "right") != "right":
            row[4].append(name)
    columns = ["exercises", "right", "tried", "tries", "look again at"]
    made = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    made["look again at"] = made["look again at"].map(", ".join)
    return made.rename_axis("lesson")


def _is_attempt(found):
    """Whether something that a file lists is an attempt."""
    return (
        isinstance(found, dict)
        and all(isinstance(found.get(key), str) for key in ("exercise", "answer", "time"))
        and found.get("verdict") in VERDICTS
        and isinstance(found.get("mistake"), str | None)
        and type(found.get("try")) is int
        and found["try"] > 0
    )


def _attempt(found):
    """What an attempt must have, in one order, its texts cut to their length."""
    return {
        key: found[key][:LONGEST] if isinstance(found[key], str) else found[key]
        for key in ("exercise", "answer", "verdict", "mistake", "try", "time")
    }


def _kept(file):
    """What a file holds; nothing if there is none."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return read(text) if text else {"format": FORMAT, "attempts": [], "votes": {}}


def _with_attempt(kept, attempt):
    """What is kept, with one more attempt; the same if it only repeats the last one of its exercise."""
    mine = [each for each in kept["attempts"] if each["exercise"] == attempt["exercise"]]
    if mine and (mine[-1]["answer"], mine[-1]["verdict"]) == (attempt["answer"], attempt["verdict"]):
        return kept
    others = kept["attempts"]
    if len(mine) > MOST_TRIES:
        others = [each for each in others if each is not mine[-1]]
    number = mine[-1]["try"] + (mine[-1]["verdict"] == "wrong") if mine else 1
    return kept | {"attempts": [*others, attempt | {"try": number}]}


def _numbered(listed):
    """Attempts in the order of time, each with a number that is 1 more than the wrong ones before it."""
    least, numbered = {}, []
    for each in listed:
        number = max(least.get(each["exercise"], 1), each["try"])
        least[each["exercise"]] = number + (each["verdict"] == "wrong")
        numbered.append(each | {"try": number})
    return numbered


def _change(change):
    """Put `change` of what is kept into its file, as a whole or not at all; tell whether it was our turn."""
    file = place()
    if file is None or (file.exists() and not file.is_file()):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    with _turn(file.with_name(f"{file.name}.lock")) as ours:
        if ours:
            before = _kept(file)
            after = change(before)
            if after is not before:
                _replace(file, json.dumps(after, ensure_ascii=False, indent=1) + "\n")
    return ours


@contextlib.contextmanager
def _turn(lock):
    """Wait for the turn of this notebook, for `PATIENCE` seconds at most, and tell whether it came."""
    with lock.open("a") as file:
        until, ours = time.monotonic() + PATIENCE, fcntl is None
        while not ours and time.monotonic() < until:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                ours = True
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:  # a network folder without locks
                ours = True
        yield ours


def _replace(file, text):
    """Write a file in one step: a full disk or a killed kernel leaves the old one."""
    descriptor, partial = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as stream:  # noqa: PTH123
            stream.write(text)
        Path(partial).replace(file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
