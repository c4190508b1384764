"""Tables of numbers kept on disk: checked when read, replaced in one step when written."""

import hashlib
import os
import tempfile
from pathlib import Path

import platformdirs

from hedgelib import checks

_MARK = "# hedgelab table, sha256 "


def folder(chosen=None):
    """Return the folder of the cache: `chosen`, else that of ``HEDGELAB_CACHE``, else the user's own.

    Raises
    ------
    ValueError
        If `chosen` is not a path, or an empty text.
    """
    if chosen is not None and not (isinstance(chosen, str | Path) and str(chosen)):
        raise ValueError(f"cache must be the path of a folder, got {checks.shown(chosen)}")
    return Path(chosen or os.environ.get("HEDGELAB_CACHE") or platformdirs.user_cache_dir("hedgelab"))


def read(path):
    """Return the rows of a table, each a whole number (milliseconds) and floats; none if there is no file.

    Raises
    ------
    ValueError
        If the file is damaged: half-written, changed or not ours.
    """
    try:
        mark, _, body = path.read_text(encoding="utf-8").partition("\n")
        if mark != _MARK + _digest(body):
            raise ValueError("its checksum is wrong")
        rows = [line.split(",") for line in body.splitlines()[1:]]
        return [[int(row[0]), *map(float, row[1:])] for row in rows]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise ValueError(f"the cached file {path} is damaged ({error})") from None


def write(path, names, rows):
    """Write a table so that a reader finds the old one or the new one, whole, whatever happens.

    Rows are as `read` returns them, to the last digit; `names` are those of the columns, between commas.

    Raises
    ------
    OSError
        If the disk is full or does not let us write; the old file is then still there.
    """
    body = "\n".join([names, *(",".join(map(repr, row)) for row in rows), ""])
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(f"{_MARK}{_digest(body)}\n{body}")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def set_aside(path):
    """Rename a damaged file, so that it is neither used nor lost, and return its new path."""
    return path.replace(path.with_suffix(".damaged"))


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()
