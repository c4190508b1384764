"""Is everything installed that the notebooks need? What is wrong is printed, with the way to mend it."""

import sys
from importlib import metadata

from packaging.requirements import Requirement

SET_UP_AGAIN = "close JupyterLab, run `make lab` in the project's folder and open the notebook from there"

# What a package is for, by the extra of pyproject.toml that names it; the first also stands for no extra.
_USES = {
    "lab": "the notebooks need it",
    "histories": "only market.read_csv, market.download and market.history need it",
}


def report():
    """Print whether the notebooks can run here and, where not, what to do.

    Examples
    --------
    >>> report()
    Everything the notebooks need is here.
    """
    print("\n".join(_problems()) or "Everything the notebooks need is here.")


def _problems():
    """Return what keeps the notebooks from working, each as one sentence with its remedy."""
    python = sys.version_info[:2]
    if python < (3, 11):
        yield (
            f"Python {python[0]}.{python[1]} runs this notebook, 3.11 or newer is needed: "
            "`make lab PYTHON=python3.11` uses it."
        )
    for requirement in map(Requirement, metadata.requires("hedgelib")):
        name, marker = requirement.name, requirement.marker
        uses = [use for extra, use in _USES.items() if not marker or marker.evaluate({"extra": extra})]
        if not uses:
            continue
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name} is missing, {uses[0]}: {SET_UP_AGAIN}."
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{name} {installed} is installed, {requirement.specifier} is needed: {SET_UP_AGAIN}."
