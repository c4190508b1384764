"""Is everything installed that the notebooks need? What is wrong is printed, with the way to mend it."""

import sys
from importlib import metadata

from packaging.requirements import Requirement

SET_UP_AGAIN = "close JupyterLab, run `make lab` in the project's folder and open the notebook from there"


def problems(python=sys.version_info, version=metadata.version, requires=metadata.requires):
    """Return what keeps the notebooks from working, each as one sentence with its remedy.

    Parameters
    ----------
    python : tuple of int
        Version of the interpreter.
    version, requires : callable
        Look-ups of an installed package's version and requirements; tests replace them.

    Returns
    -------
    tuple of str
        Empty when everything is well.

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
        if requirement.marker and not requirement.marker.evaluate({"extra": "lab"}):
            continue
        try:
            installed = version(requirement.name)
        except metadata.PackageNotFoundError:
            found.append(f"{requirement.name} is missing: {SET_UP_AGAIN}.")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            needed = f"{requirement.specifier} is needed: {SET_UP_AGAIN}."
            found.append(f"{requirement.name} {installed} is installed, {needed}")
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
