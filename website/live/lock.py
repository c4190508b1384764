"""Make `files.toml` anew from Pyodide's own lock: ``python -m website.live.lock CORE CARRIER`` (maintainers).

CORE is the unpacked npm package of Pyodide, with its own lock; CARRIER holds the wheels.
"""

import email
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

from .pack import LOCK, PYODIDE_LOCK, read

CORE = {  # and their licences
    "pyodide.js": "MPL-2.0",
    "pyodide.asm.js": "MPL-2.0",
    "pyodide.asm.wasm": "MPL-2.0",
    "python_stdlib.zip": "PSF-2.0",
}
WANTED = ("numpy", "pandas", "matplotlib", "pillow", "scipy", "packaging")
UNUSED = ("matplotlib-pyodide",)  # a way to draw into the page, which hedgelib does not take
LICENCES = {  # where a package's metadata hold the whole text, or none
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "numpy": "BSD-3-Clause",
    "openblas": "BSD-3-Clause",
    "packaging": "Apache-2.0 or BSD-2-Clause",
    "pandas": "BSD-3-Clause",
    "pyodide-unix-timezones": "MIT",
    "pyparsing": "MIT",
    "python-dateutil": "Apache-2.0 or BSD-3-Clause",
    "scipy": "BSD-3-Clause",
}


def needed(packages):
    """Return the names of the wanted packages and of all that they need."""
    found, waiting = set(), list(WANTED)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in UNUSED:
            found.add(name)
            waiting += packages[name]["depends"]
    return sorted(found)


def licence(name, data):
    """Return the licence of a package, from its metadata where they say it in a word."""
    if name in LICENCES:
        return LICENCES[name]
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        place = next(member for member in wheel.namelist() if member.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(wheel.read(place))["License"]


def main(core, carrier):
    """Write `files.toml`."""
    official = json.loads((Path(core) / PYODIDE_LOCK).read_text(encoding="utf-8"))
    packages = official["packages"]
    names = needed(packages)
    data = dict(read(core, CORE)) | dict(read(carrier, {packages[name]["file_name"] for name in names}))
    lines = ["# Pyodide's files that live pages ship; made by python -m website.live.lock", "", "[pyodide]"]
    lines += [f'{key} = "{value}"' for key, value in official["info"].items()]
    for name in [*CORE, *names]:
        file = name if name in CORE else packages[name]["file_name"]
        digest = hashlib.sha256(data[file]).hexdigest()
        if name not in CORE and digest != packages[name]["sha256"]:
            sys.exit(f"{file} is not the one that Pyodide's lock names")
        told = CORE.get(name) or licence(name, data[file])
        lines += ["", f'[file."{file}"]', f"size = {len(data[file])}"]
        lines += [f'sha256 = "{digest}"', f'licence = "{told}"']
        if name not in CORE:
            entry = packages[name]
            needs = json.dumps([need for need in entry["depends"] if need not in UNUSED])
            lines += [f'package = "{name}"', f'version = "{entry["version"]}"', f"depends = {needs}"]
            lines += [f'install_dir = "{entry["install_dir"]}"', f'package_type = "{entry["package_type"]}"']
    LOCK.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
