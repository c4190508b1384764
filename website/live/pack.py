"""Write Python, its packages and hedgelib as scripts that a page can load from disk: ``_site/python/``.

A page that was opened from disk may not fetch, but it may load scripts. So each file becomes a script that
puts its bytes, as base64, under its name in ``window.PYTHON``.
"""

import base64
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from unittest import mock

from flit_core.wheel import make_wheel_in

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCK = HERE / "files.toml"
SCRIPTS = ("pyodide.js", "pyodide.asm.js")  # run as they are; all others are data
PYODIDE_LOCK = "pyodide-lock.json"


class PackError(Exception):
    """A file is missing or is not the one that the lock names; the message says which and what to do."""


def locked():
    """Return what is shipped, by file name: size, sha256, licence and, of a package, its name and needs."""
    return tomllib.loads(LOCK.read_text(encoding="utf-8"))["file"]


def read(carrier, wanted):
    """Yield name and bytes of the wanted files in a folder, a wheel, a zip or a tar archive."""
    carrier = Path(carrier)
    if carrier.is_dir():
        for path in sorted(carrier.rglob("*")):
            if path.name in wanted and path.is_file():
                yield path.name, path.read_bytes()
    elif zipfile.is_zipfile(carrier):
        with zipfile.ZipFile(carrier) as archive:
            for member in archive.namelist():
                if (name := member.rpartition("/")[2]) in wanted:
                    yield name, archive.read(member)
    elif carrier.is_file() and tarfile.is_tarfile(carrier):
        with tarfile.open(carrier) as archive:
            for member in archive:
                if member.isfile() and (name := member.name.rpartition("/")[2]) in wanted:
                    yield name, archive.extractfile(member).read()
    else:
        raise PackError(f"{carrier} is neither a folder nor a wheel, zip or tar archive with Pyodide's files")


def checked(carrier):
    """Return the bytes of every locked file, by name, each the one that the lock names.

    Raises
    ------
    PackError
        If one is missing, or none of that name has the digest of the lock.
    """
    wanted, found, other = locked(), {}, set()
    for name, data in read(carrier, wanted):
        if hashlib.sha256(data).hexdigest() == wanted[name]["sha256"]:
            found[name] = data
        else:
            other.add(name)
    if changed := sorted(other - found.keys()):
        raise PackError(f"{carrier}: {', '.join(changed)} is not the file that {LOCK.name} names (sha256 differs)")
    if missing := sorted(wanted.keys() - found.keys()):
        raise PackError(f"{carrier} lacks {', '.join(missing)}; take Pyodide's full release, or the carrier's wheel")
    return found


def library():
    """Return name and bytes of a wheel of hedgelib, the same bytes from the same sources."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="315532800"):
        wheel = make_wheel_in(ROOT / "pyproject.toml", Path(folder)).file
        return wheel.name, wheel.read_bytes()


def _official(entry):
    """Return an entry of the lock as Pyodide reads it."""
    names = ("version", "file_name", "install_dir", "package_type", "sha256", "depends")
    return {name: entry[name] for name in names} | {"name": entry["package"], "imports": [], "unvendored_tests": False}


def pack(carrier, folder):
    """Write everything that live pages load into a folder, with the licences beside it.

    Returns
    -------
    dict of str to int
        Size of each script in bytes.
    """
    book = tomllib.loads(LOCK.read_text(encoding="utf-8"))
    about, files, data = book["pyodide"], book["file"], checked(carrier)
    folder.mkdir(parents=True)
    for name in SCRIPTS:
        (folder / name).write_bytes(data.pop(name))
    wheel = library()
    packages = {entry["package"]: entry | {"file_name": name} for name, entry in files.items() if "package" in entry}
    lock = {"info": about, "packages": {name: _official(entry) for name, entry in packages.items()}}
    for name, content in [*data.items(), wheel, (PYODIDE_LOCK, json.dumps(lock).encode())]:
        (folder / f"{name}.js").write_text(f'PYTHON["{name}"]="{base64.b64encode(content).decode()}";\n')
    order = {
        "core": [name for name in data if "package" not in files[name]] + [PYODIDE_LOCK],
        "packages": {name: entry["file_name"] for name, entry in packages.items() if "later" not in entry},
        "later": {name: entry["file_name"] for name, entry in packages.items() if "later" in entry},
        "library": wheel[0],
    }
    (folder / "list.js").write_text(f"window.PYTHON = {{}};\nwindow.PYTHON_FILES = {json.dumps(order)};\n")
    licences(folder / "licences", files, data)
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*.js"))}


def licences(folder, files, data):
    """Write the licence texts that the packages carry, and a list of what is shipped under which licence."""
    folder.mkdir()
    lines = [f"{name}: {entry['licence']}" for name, entry in files.items()]
    (folder / "README.txt").write_text("\n".join(["What is shipped here, and its licence:", "", *lines, ""]))
    for name, content in data.items():
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                for member in wheel.namelist():
                    last = member.rpartition("/")[2]
                    if ".dist-info/" in member and last.upper().startswith(("LICEN", "COPYING", "NOTICE")):
                        target = folder / f"{name.partition('-')[0]}-{last}"
                        target.write_bytes(wheel.read(member))
    shutil.copyfile(ROOT / "LICENSE", folder / "hedgelib-LICENSE")
