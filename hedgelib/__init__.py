"""Hedging spot crypto with perpetual futures: the arithmetic, markets and explorers behind the notebooks.

Each module is loaded when it is first used, so importing the package costs next to nothing.
"""

import importlib

__version__ = "0.1.0"

__all__ = [
    "contracts",
    "environment",
    "exercise",
    "explorer",
    "figures",
    "form",
    "funding",
    "hedge",
    "ledger",
    "market",
    "perpetual",
    "plan",
    "ratio",
    "signals",
    "survival",
    "worksheet",
]


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
