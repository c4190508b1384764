"""Hedging spot crypto with perpetual futures: the arithmetic, markets and explorers behind the notebooks."""

__version__ = "0.1.0"

__all__ = [
    "contracts",
    "environment",
    "exercise",
    "explorer",
    "figures",
    "funding",
    "hedge",
    "histories",
    "ledger",
    "lived",
    "market",
    "perpetual",
    "plan",
    "planner",
    "ratio",
    "signals",
    "story",
    "survival",
]
