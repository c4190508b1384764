"""Is everything installed that the notebooks need? What is wrong is printed, with the way to mend it."""

import sys
from importlib import metadata

from packaging.requirements import Requirement

SET_UP_AGAIN = "close JupyterLab, run `make lab` in the project's folder and open the notebook from there"

USES = {
    "lab": "the notebooks need it",
    "histories": "only market.read_csv, market.download and market.history need it",
}
"""What a package is for, by the extra of pyproject.toml that names it; the first also stands for no extra."""


def problems(python=sys.version_info, version=metadata.version, requires=metadata.requires):
    """Return what keeps the notebooks from working, each as one sentence with its remedy.

    Parameters
    ----------
    python : tuple of int
        Version of the interpreter.
    version, requires : callable
        Look-ups of an installed package's version and requirements; tests replace them.

    Examples
    --------
    >>> problems(python=(3, 9, 2))[0]
    'Python 3.9 runs this notebook, 3.11 or newer is needed: `make lab PYTHON=python3.11` uses it.'
    """
    found = []
    if python[:2] < (3, 11):
        found.append(
            f"Python {python[0]}.{python[1]} runs this notebook, 3.11 or newer is needed: "
            "`make lab PYTHON=python3.11` uses it."
        )
    for requirement in map(Requirement, requires("hedgelib")):
        name, marker = requirement.name, requirement.marker
        uses = [use for extra, use in USES.items() if not marker or marker.evaluate({"extra": extra})]
        if not uses:
            continue
        try:
            installed = version(name)
        except metadata.PackageNotFoundError:
            found.append(f"{name} is missing, {uses[0]}: {SET_UP_AGAIN}.")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            needed = f"{requirement.specifier} is needed: {SET_UP_AGAIN}."
            found.append(f"{name} {installed} is installed, {needed}")
    return tuple(found)


def report():
    """Print whether the notebooks can run here and, where not, what to do.

    Examples
    --------
    >>> report()
    Everything the notebooks need is here.
    """
    found = problems()
    print("\n".join(found) if found else "Everything the notebooks need is here.")
