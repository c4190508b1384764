"""Gathers what a release consists of: ``make release`` makes the parts, this names and sums them.

Into _release/ go the site, the editions of a class and the handouts, each as one file with the version in its
name, and SHA256SUMS. The version is that of pyproject.toml; what else names it must say the same.
"""

import argparse
import hashlib
import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = {  # where else the version stands
    "hedgelib/__init__.py": r'^__version__ = "(.+)"$',
    "CITATION.cff": r"^version: (.+)$",
    "hub/values.yaml": r'^    tag: "(.+)"$',
}
PARTS = {"site": "_site", "handouts": "_pdf"}  # folders that become one file each
FILES = {"student": "_class/student.zip", "teacher": "_class/teacher.zip"}


def version(root):
    """Return the version of the project.

    Raises
    ------
    ValueError
        If a file names another one.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for place, pattern in NAMED.items():
        named = re.search(pattern, (root / place).read_text(encoding="utf-8"), re.MULTILINE)
        if not named or named[1] != project:
            raise ValueError(f"{place} must name version {project}, as pyproject.toml does")
    return project


def gather(root, output):
    """Write the files of a release and their sums into a folder, which is replaced as a whole.

    Raises
    ------
    ValueError
        If a part has not been made, or if versions differ.
    """
    name = f"hedge-lab-{version(root)}"
    missing = [place for place in (*PARTS.values(), *FILES.values()) if not (root / place).exists()]
    if missing:
        raise ValueError(f"{', '.join(missing)} must be made before: `make site pdf class`")
    with tempfile.TemporaryDirectory(dir=root) as work:
        fresh = Path(work) / "release"
        fresh.mkdir()
        for part, place in PARTS.items():
            shutil.make_archive(str(fresh / f"{name}-{part}"), "zip", root / place)
        for part, place in FILES.items():
            shutil.copyfile(root / place, fresh / f"{name}-{part}.zip")
        sums = [
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
            for file in sorted(fresh.iterdir())
        ]
        (fresh / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
        shutil.rmtree(output, ignore_errors=True)
        fresh.rename(output)
    return sorted(output.iterdir())


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT, help="where the parts were made")
    options = parser.parse_args(arguments)
    try:
        files = gather(options.root, options.root / "_release")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(map(str, files)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
