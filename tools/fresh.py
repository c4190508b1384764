"""Bring a lesson back as it came with the course; the reader's copy is kept in notebooks/kept.

python -m tools.fresh 02       lesson 02
"""

import argparse
import datetime
import subprocess
import sys

from tools.notebooks import ROOT, replace

NO_HISTORY = (
    "This folder has no history of git to take {name} from: unpack the archive of the course once more, "
    "into another folder, and copy {name} from there."
)


def fresh(path, root=ROOT):
    """Store `path` as git has it; return where the reader's own is kept, None if nothing was changed."""
    name = path.relative_to(root).as_posix()
    told = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=root, capture_output=True, check=False)
    if told.returncode:
        raise FileNotFoundError(NO_HISTORY.format(name=name))
    if path.read_bytes() == told.stdout:
        return None
    kept = path.parent / "kept" / f"{path.stem}_{datetime.datetime.now():%Y-%m-%d_%H%M%S}.ipynb"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(path.read_bytes())
    replace(path, told.stdout.decode())
    return kept


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesson", help='number of the lesson, such as "02"')
    lesson = parser.parse_args(arguments).lesson
    found = sorted((ROOT / "notebooks").glob(f"{lesson}_*.ipynb")) if lesson else []
    if len(found) != 1:
        print(f'There is no lesson "{lesson}": name one by its number, as in "make fresh LESSON=02".')
        return 2
    try:
        kept = fresh(found[0])
    except FileNotFoundError as problem:
        print(problem)
        return 1
    if kept is None:
        print(f"{found[0].name} is as it came.")
    else:
        print(f"{found[0].name} is as it came; yours is {kept.relative_to(ROOT)}.")
        print(
            "If the lesson is open in JupyterLab: File › Reload Notebook from Disk, and do not save before."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
