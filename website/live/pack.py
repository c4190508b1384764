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
from packaging.requirements import Requirement

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCK = HERE / "files.toml"
SCRIPTS = ("pyodide.asm.js", "pyodide.js")  # run by the worker as they are, in this order
MODULES = ("session.py", "planning.py")  # what the pages ask Python for
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
        raise PackError(f"{carrier}: {', '.join(changed)} is not the file that {LOCK.name} names (sha256)")
    if missing := sorted(wanted.keys() - found.keys()):
        raise PackError(f"{carrier} lacks {', '.join(missing)}; take Pyodide's full release 0.27.7")
    return found


def library():
    """Return name and bytes of a wheel of hedgelib, the same bytes from the same sources.

    It requires what is shipped beside it and no more: a page has no widgets and asks no exchange.
    """
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="315532800"):
        wheel = make_wheel_in(ROOT / "pyproject.toml", Path(folder)).file
        shipped = {entry["package"] for entry in locked().values() if "package" in entry}
        fitted = io.BytesIO()
        with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(fitted, "w", zipfile.ZIP_DEFLATED) as archive:
            for member in whole.infolist():
                data = whole.read(member)
                if member.filename.endswith(".dist-info/METADATA"):
                    data = _fitted(data, shipped)
                if ".data/" not in member.filename:
                    archive.writestr(member, data)
        return wheel.name, fitted.getvalue()


def _fitted(metadata, shipped):
    """Metadata without the requirements that are not shipped."""
    lines = metadata.decode().splitlines(keepends=True)
    required = "Requires-Dist: "
    kept = [
        line
        for line in lines
        if not line.startswith(required) or Requirement(line.removeprefix(required).strip()).name in shipped
    ]
    return "".join(kept).encode()


def _official(entry):
    """Return an entry of the lock as Pyodide reads it."""
    names = ("version", "file_name", "install_dir", "package_type", "sha256", "depends")
    more = {"name": entry["package"], "imports": [], "unvendored_tests": False}
    return {name: entry[name] for name in names} | more


def pack(data, folder):
    """Write everything that live pages load into a folder, with the licences beside it.

    Parameters
    ----------
    data : dict of str to bytes
        The files of Pyodide, as `checked` returns them.
    folder : Path
        Made anew.
    """
    book = tomllib.loads(LOCK.read_text(encoding="utf-8"))
    files, wheel = book["file"], library()
    packages = {
        entry["package"]: entry | {"file_name": name} for name, entry in files.items() if "package" in entry
    }
    lock = {"info": book["pyodide"], "packages": {name: _official(entry) for name, entry in packages.items()}}
    modules = {path.name: path.read_bytes() for path in (HERE / name for name in MODULES)}
    folder.mkdir(parents=True)
    written = [*data.items(), wheel, (PYODIDE_LOCK, json.dumps(lock).encode()), *modules.items()]
    for name, content in written:
        _script(folder / f"{name}.js", f"PYTHON[{json.dumps(name)}]", base64.b64encode(content).decode())
    core = [name for name in data if "package" not in files[name] and name not in SCRIPTS]
    order = {
        "scripts": SCRIPTS,
        "core": [*core, PYODIDE_LOCK],
        "packages": {name: entry["file_name"] for name, entry in packages.items()},
        "library": wheel[0],
        "modules": MODULES,
    }
    _script(folder / "list.js", "PYTHON.files", order)
    for name in ("python.js", "live.js", "planner.js", "live.css", "codemirror.js"):
        shutil.copyfile(HERE / name, folder / name)
    _script(folder / "worker.js", "PYTHON.worker", (HERE / "worker.js").read_text(encoding="utf-8"))
    licences(folder / "licences", files, data)


def _script(path, target, value):
    """Write a script that puts a value where a page finds it."""
    path.write_text(f"{target} = {json.dumps(value, ensure_ascii=False)};\n", encoding="utf-8")


def licences(folder, files, data):
    """Write a list of what is shipped and all licences, those that the packages carry and the others."""
    shutil.copytree(HERE / "licences", folder)
    shutil.copyfile(ROOT / "LICENSE", folder / "hedgelib-LICENSE.txt")
    lines = [f"{name}: {entry['licence']}" for name, entry in files.items()]
    lines += ["codemirror.js (the editor): MIT", "hedgelib: BSD-3-Clause"]
    text = "\n".join(["What is shipped here, and its licence:", "", *lines, ""])
    (folder / "README.txt").write_text(text, encoding="utf-8")
    for name, content in data.items():
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                for member in wheel.namelist():
                    last = member.rpartition("/")[2]
                    if ".dist-info/" in member and last.upper().startswith(("LICEN", "COPYING", "NOTICE")):
                        (folder / f"{name.partition('-')[0]}-{last}").write_bytes(wheel.read(member))
