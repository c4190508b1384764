"""Standing orders that guard a short: take profit, stop, and the margin top-up.

Take profit and stop buy the short back and are reduce-only: they never open anything.
"""

from dataclasses import dataclass

from hedgelib import checks
from hedgelib.plan.triggers import checked_level, level, level_text, percent


@dataclass(frozen=True)
class _Exit:
    """What take profit and stop have in common: a trigger, and perhaps a limit."""

    price: float | None = None
    move: float | None = None
    share: float = 1.0
    on: str = "last"
    limit: float | None = None

    def __post_init__(self):
        """Check every number."""
        share = checks.single("share (fraction of the short)", self.share, above=0, at_most=1)
        checks.settle(self, share=share, **checked_level(self.price, self.move))
        checks.one_of("on", self.on, ("last", "mark"))
        if self.limit is not None:
            name, lowest = ("limit (USDT)", 0) if self.move is None else ("limit (move, fraction)", -1)
            checks.settle(self, limit=checks.single(name, self.limit, above=lowest))

    @property
    def _limit(self):
        """The limit as price and move, of which one is given."""
        return (self.limit, None) if self.move is None else (None, self.limit)

    def trigger(self, entry):
        """Return the trigger price (USDT) of shorts with these entry prices (USDT)."""
        return level(self.price, self.move, entry)

    def limit_price(self, entry):
        """Return the limit price (USDT) of shorts with these entry prices (USDT)."""
        return level(*self._limit, entry)

    def __str__(self):
        """Return the order in words."""
        part = "" if self.share == 1 else f" of {percent(self.share)}"
        where = level_text(self.price, self.move, "entry")
        if self.limit is None:
            return f"{self.kind}{part} at {where} ({self.on})"
        return f"{self.kind}{part} at {where} ({self.on}, limit {level_text(*self._limit, 'entry')})"


@dataclass(frozen=True)
class TakeProfit(_Exit):
    """Buy the short back when the price has fallen to a trigger.

    Without a limit the order fills at the trigger with the taker fee. With a limit below the trigger it rests
    at the limit with the maker fee, and fills only if the price falls that far: it may never fill.

    Parameters
    ----------
    price : float, optional
        Trigger price (USDT per coin).
    move : float, optional
        Trigger as a move from the short's entry price (fraction, −0.08 is 8 % below). Give either of the two.
    share : float
        Part of the short that is bought back (fraction).
    on : str
        Price that triggers: ``"last"`` trade or ``"mark"``.
    limit : float, optional
        Limit price, given in the same way as the trigger: USDT with `price`, fraction with `move`.

    Raises
    ------
    ValueError
        If the trigger is not given in exactly one way or a number is out of range.

    Notes
    -----
    Source: exchange order type BUY TAKE_PROFIT, reduce-only: triggered at or below its price.

    Examples
    --------
    >>> print(TakeProfit(price=55_000, limit=54_900))
    take profit at 55,000 (last, limit 54,900)
    """

    kind = "take profit"


@dataclass(frozen=True)
class Stop(_Exit):
    """Buy the short back when the price has risen to a trigger.

    Without a limit the order fills at the trigger, or at the low of a bar that lies wholly above it, with the
    taker fee. With a limit it fills at no higher price than the limit; if the price has jumped over it the
    order rests there, with the maker fee, and liquidation may come first.

    Parameters
    ----------
    price, move, share, on, limit
        As in `TakeProfit`; a move above the entry is positive.

    Raises
    ------
    ValueError
        If the trigger is not given in exactly one way, a number is out of range, or the limit is below the
        trigger.

    Notes
    -----
    Source: exchange order type BUY STOP, reduce-only: triggered at or above its price.

    Examples
    --------
    >>> print(Stop(move=0.2, on="mark", share=0.5))
    stop of 50 % at +20 % from entry (mark)
    """

    kind = "stop"

    def __post_init__(self):
        """Check every number, and that the limit can fill."""
        super().__post_init__()
        if self.limit is not None and self.limit < (self.price if self.move is None else self.move):
            raise ValueError(f"limit of a stop must not be below its trigger, got {self}")


@dataclass(frozen=True)
class TopUp:
    """Add margin from a reserve at the close of a bar, until the reserve is used up.

    Parameters
    ----------
    reserve : float
        Money set aside for this (USDT; coin for a coin-margined hedge). USDT come on top of what the hedge
        needs, and are part of the wealth from the start; coins are set aside from the holding.
    below : float
        Margin is added when the margin balance is below this fraction of the notional.
    to : float
        Fraction of the notional that the balance is brought back to, reserve permitting.

    Raises
    ------
    ValueError
        If a number is out of range or `to` is not above `below`.

    Examples
    --------
    >>> print(TopUp(reserve=10_000, below=0.15, to=0.33))
    topped up to 33 % of notional when below 15 %, from 10,000 in reserve
    """

    reserve: float
    below: float
    to: float

    def __post_init__(self):
        """Check every number."""
        below = checks.single("below (fraction of the notional)", self.below, above=0)
        checks.settle(
            self,
            reserve=checks.single("reserve (USDT or coin)", self.reserve, above=0),
            below=below,
            to=checks.single("to (fraction of the notional)", self.to, above=below),
        )

    def __str__(self):
        """Return the rule in words."""
        return (
            f"topped up to {percent(self.to)} of notional when below {percent(self.below)}, "
            f"from {self.reserve:,.10g} in reserve"
        )
