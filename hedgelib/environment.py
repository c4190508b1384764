"""Is everything installed that the notebooks need? What is wrong is printed, with the way to mend it."""

import os
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SET_UP_AGAIN = "close JupyterLab, run `make lab` in the project's folder and open the notebook from there"
ASK = "you cannot mend that on a class's server, so show your teacher this sentence"
SHARED = (
    "This is a class's server (JupyterHub): when a lesson is done, File › Close and Shut Down Notebook "
    "gives its memory back to the others."
)
HERE = Path(__file__).parent

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
    if _on_hub():
        print(SHARED)


def _on_hub():
    """Whether JupyterHub started this kernel's server."""
    return "JUPYTERHUB_API_URL" in os.environ


def _problems():
    """Return what keeps the notebooks from working, each as one sentence with its remedy."""
    remedy = ASK if _on_hub() else SET_UP_AGAIN
    python = sys.version_info[:2]
    if python < (3, 11):
        newer = ASK if _on_hub() else "`make lab PYTHON=python3.11` uses it"
        yield f"Python {python[0]}.{python[1]} runs this notebook, 3.11 or newer is needed: {newer}."
    if _other_library(Path.cwd().parent / HERE.name):
        yield (
            f"These lessons came with another state of {HERE.name} than the one that is installed, "
            f"and may ask for what it does not have: {remedy}."
        )
    for requirement in map(Requirement, metadata.requires("hedgelib")):
        name, marker = requirement.name, requirement.marker
        uses = [use for extra, use in _USES.items() if not marker or marker.evaluate({"extra": extra})]
        if not uses:
            continue
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name} is missing, {uses[0]}: {remedy}."
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{name} {installed} is installed, {requirement.specifier} is needed: {remedy}."


def _other_library(beside):
    """Whether the library that lies beside the lessons is there and not the one that is imported."""
    return beside.is_dir() and not beside.samefile(HERE) and _sources(beside) != _sources(HERE)


def _sources(folder):
    """What decides how a library works: its code and its tables, by their place."""
    return {
        path.relative_to(folder): path.read_bytes()
        for suffix in ("py", "toml")
        for path in folder.rglob(f"*.{suffix}")
    }
