"""Plans: which share of a hedge is on at each bar, and which standing orders guard it.

A *trigger* says at which closes something has happened, a *target* turns triggers into the share of the hedge
that is wanted, and a `Plan` adds take profit, stop, top-ups, rebalancing and what follows a liquidation.
Triggers and targets see closes up to the bar they decide on, never later ones.
"""

from dataclasses import dataclass

from hedgelib import checks
from hedgelib.plan.orders import Stop, TakeProfit, TopUp
from hedgelib.plan.targets import Batches, BySignal, Fixed, Highest, Target, Until
from hedgelib.plan.triggers import Above, After, Below, On, Signal, percent

__all__ = [
    "Above",
    "After",
    "Batches",
    "Below",
    "BySignal",
    "Fixed",
    "Highest",
    "On",
    "Plan",
    "Signal",
    "Stop",
    "TakeProfit",
    "TopUp",
    "Until",
]


_ALL = Fixed()


@dataclass(frozen=True)
class Plan:
    """How a hedge moves in time.

    Parameters
    ----------
    target : Target
        Share of the hedge wanted at each close: 0 none, 1 all of ``hedge.ratio``. Trades are made when the
        share changes, at the mark price of that close, with the taker fee.
    take_profit, stop : TakeProfit, Stop, optional
        Standing orders on the short. What they close stays closed until the target has been back at 0.
    top_up : TopUp, optional
        When margin is added, and from which reserve.
    band : float, optional
        Turns the target into a share of *value*: the unhedged part is kept at 1 − ratio of what holding and
        short are worth together, traded back when it has drifted by more than this (fraction of the holding).
    rehedge : bool
        Whether a liquidated hedge is opened again at the close of that bar, with new margin; if not, the
        holding stays unhedged.

    Raises
    ------
    ValueError
        If a part is not of its kind.

    Examples
    --------
    The article's three batches with its take profit:

    >>> batches = Batches((0.3, 0.3, 0.4), (After(0), Below(price=58_000), Below(price=56_000)))
    >>> print(Plan(batches, take_profit=TakeProfit(price=50_000)))
    30 % at once, 30 % when spot is at or below 58,000, 40 % when spot is at or below 56,000;
    take profit at 50,000 (last)
    """

    target: Target = _ALL
    take_profit: TakeProfit | None = None
    stop: Stop | None = None
    top_up: TopUp | None = None
    band: float | None = None
    rehedge: bool = False

    def __post_init__(self):
        """Check that every part is of its kind."""
        checks.kind("target", self.target, Target, "a Target")
        for name, kind in [("take_profit", TakeProfit), ("stop", Stop), ("top_up", TopUp)]:
            checks.kind(name, getattr(self, name), kind | None, f"a {kind.__name__}, or None")
        if self.band is not None:
            band = checks.single("band (fraction of the holding)", self.band, above=0, at_most=1)
            checks.settle(self, band=band)
        checks.kind("rehedge", self.rehedge, bool, "True or False")

    def __str__(self):
        """One readable line."""
        parts = [
            str(part) for part in (self.target, self.take_profit, self.stop, self.top_up) if part is not None
        ]
        if self.band is not None:
            parts.append(f"rebalanced by value when {percent(self.band)} adrift")
        if self.rehedge:
            parts.append("hedged again after a liquidation")
        return "; ".join(parts)
