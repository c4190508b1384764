"""The command line of the site: ``python -m website``, with ``--help`` for what it can do."""

import argparse
import os
import sys
import time
from pathlib import Path

from . import browser, handout, proof
from .build import DRAFT, ROOT, BuildError, build


def main(arguments=None):
    """Build the site and prove it, or print it to PDF; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m website", description="Build the site and the slides.")
    parser.add_argument("--pdf", action="store_true", help="print the built site, one PDF per lesson")
    parser.add_argument(
        "--no-browser", action="store_true", help="do not compare the explorers by pixels in Chromium"
    )
    parser.add_argument(
        "--draft",
        action="store_true",
        help=f"a fast build for a look: {DRAFT} values for each slider at most",
    )
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", help="folder of the notebooks")
    parser.add_argument("--output", type=Path, default=ROOT / "_site", help="folder of the site")
    parser.add_argument("--handouts", type=Path, default=ROOT / "_pdf", help="folder of the PDF handouts")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "website", help="kept results")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 2, help="notebooks that run at the same time"
    )
    parser.add_argument(
        "--address", default="", help="where the site will be found, such as https://example.org/hedge-lab"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        if options.pdf:
            handout.print_all(options.output, options.handouts)
            return 0
        cache, steps = (options.cache / "draft", DRAFT) if options.draft else (options.cache, None)
        lessons = build(
            options.notebooks,
            options.output,
            cache,
            workers=options.workers,
            steps=steps,
            address=options.address.rstrip("/"),
        )
        _prove(options, cache, lessons)
    except (BuildError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    states = sum(explorer["states"] for lesson in lessons for explorer in lesson.explorers)
    print(
        f"{options.output / 'index.html'}: {len(lessons)} lessons, {states:,} states of explorers, "
        f"{time.monotonic() - started:.0f} s"
    )
    return 0


def _prove(options, cache, lessons):
    """Compare explorers with matplotlib's pictures, if there is a browser to do it in."""
    if options.no_browser or not browser.executable():
        print(
            "explorers not compared by pixels: " + ("--no-browser" if options.no_browser else "no Chromium")
        )
        return
    receipts = {lesson.name: cache / f"{lesson.name}-{proof.digest(lesson)}.proved" for lesson in lessons}
    unproved = [lesson for lesson in lessons if not receipts[lesson.name].exists()]
    if unproved:
        with browser.chromium() as chromium:
            problems = proof.different_pictures(chromium, options.output, unproved)
        if problems:
            raise BuildError("\n".join(problems))
    for lesson in unproved:
        for old in cache.glob(f"{lesson.name}-*.proved"):
            old.unlink()
        receipts[lesson.name].touch()
    samples = sum(len(explorer["samples"]) for lesson in lessons for explorer in lesson.explorers)
    print(f"{samples} pictures equal matplotlib's in Chromium")


if __name__ == "__main__":
    sys.exit(main())
