"""Texts of CSV files as they come: bare, zipped, several in one archive, with whatever a Mac adds."""

import gzip
import io
import re
import zipfile
import zlib
from pathlib import Path

from hedgelib import checks

_BROKEN = (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def texts(paths, notes):
    """Return name and text of every CSV file in one or several files; what is left out goes to `notes`."""
    paths = list(paths) if isinstance(paths, list | tuple) and paths else [paths]
    if not all(isinstance(path, str | Path) and str(path) for path in paths):
        raise ValueError(
            f"a file must be given by its path, several by a list of paths, got {checks.shown(paths)}"
        )
    return [found for path in map(Path, paths) for found in _opened(path, notes)]


def _opened(path, notes):
    try:
        return _unpacked(path.name, path.expanduser().read_bytes(), notes)
    except IsADirectoryError:
        raise ValueError(
            f"{path.name} is a folder: give its files, as sorted(Path({str(path)!r}).glob('*.csv'))"
        ) from None
    except _BROKEN as error:
        if str(error).startswith(path.name):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"cannot read {path.name}: {reason}") from None


def _unpacked(name, data, notes):
    """Name and text of a file, or of each file in it if it is an archive."""
    if data.startswith(b"\x1f\x8b"):
        return _unpacked(name.rpartition(".")[0] or name, gzip.decompress(data), notes)
    if not zipfile.is_zipfile(io.BytesIO(data)):
        if name.lower().endswith((".zip", ".gz")):
            raise ValueError("this is no archive, or a damaged one")
        return [(name, _text(data))]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [info.filename for info in archive.infolist() if not info.is_dir()]
        if "[Content_Types].xml" in files:
            raise ValueError(f"{name} is an Excel workbook: save its sheet as CSV (UTF-8) and give that")
        files = [file for file in files if not _of_the_system(file)]
        ours = [file for file in files if file.lower().endswith((".csv", ".csv.gz", ".zip", ".tsv"))]
        ours = ours or [file for file in files if file.lower().endswith((".txt", ".gz")) or "." not in file]
        if not ours:
            raise ValueError(f"{name} holds no CSV file, only: {', '.join(files) or 'nothing'}")
        notes += [f"{name}: {file} is no CSV file and is left out" for file in files if file not in ours]
        return [found for file in ours for found in _unpacked(f"{name}/{file}", archive.read(file), notes)]


def _of_the_system(file):
    """Whether an entry of an archive was added by an operating system, not by a person."""
    *folders, last = file.split("/")
    return "__MACOSX" in folders or last.startswith(".") or last in ("Thumbs.db", "desktop.ini")


def _text(data):
    try:
        text = data.decode(_ENCODINGS.get(data[:2], "utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text; save it as CSV (UTF-8)") from None
    if not text.strip():
        raise ValueError("the file is empty")
    if start := re.match(r"\s*(?:<[!?]|<html|[{\[])", text, re.IGNORECASE):
        kind = "a web page" if "<" in start[0] else "JSON"
        raise ValueError(f"this is {kind}, not CSV: get the file itself, or write it as CSV")
    return text
