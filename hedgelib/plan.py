"""Plans: how a hedge moves in time. A target says how much of it, its triggers when, orders what else.

A trigger's ``fired`` and a target's ``shares`` take anything that has the closes `spot`, shape (paths, bars),
and the `hours` of a bar, and answer for each close with what is known at that very close.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hedgelib import checks, signals

__all__ = [
    "After",
    "Batches",
    "Below",
    "BySignal",
    "Fixed",
    "Plan",
    "Signal",
    "Stop",
    "TakeProfit",
    "TopUp",
    "Until",
]


class Trigger:
    """What all triggers have in common."""

    def fired(self, bars):
        """Return at which closes the trigger holds, shape (paths, bars)."""
        raise NotImplementedError


@dataclass(frozen=True)
class After(Trigger):
    """Fires once some days have passed since the first bar; 0 is at once.

    Parameters
    ----------
    days : float
        Days since the first close, 0 or more.

    Examples
    --------
    >>> print(After(0), "/", After(7))
    at once / after 7 days
    """

    days: float

    def __post_init__(self):
        """Check the number."""
        checks.assign(self, days=checks.single("days", self.days, at_least=0))

    def fired(self, bars):
        """Return at which closes the days have passed, shape (paths, bars)."""
        elapsed = np.arange(bars.spot.shape[1]) * bars.hours / 24
        return np.broadcast_to(elapsed >= self.days, bars.spot.shape)

    def __str__(self):
        """Return the condition in words."""
        return f"after {self.days:g} days" if self.days else "at once"


@dataclass(frozen=True)
class Below(Trigger):
    """Fires where spot closes at or below a price.

    Parameters
    ----------
    price : float, optional
        The price (USDT per coin).
    move : float, optional
        The price as a move from the first close (fraction, −0.05 is 5 % below). Give either of the two.

    Examples
    --------
    >>> print(Below(price=58_000), "/", Below(move=-0.05))
    when spot is at or below 58,000 / when spot is at or below -5 % from the start
    """

    price: float | None = None
    move: float | None = None

    def __post_init__(self):
        """Check the price."""
        checks.assign(self, **_given(self.price, self.move))

    def fired(self, bars):
        """Return at which closes spot is at or below the price, shape (paths, bars)."""
        return bars.spot <= _price(self.price, self.move, bars.spot[:, :1])

    def __str__(self):
        """Return the condition in words."""
        return f"when spot is at or below {_price_text(self.price, self.move, 'the start')}"


@dataclass(frozen=True)
class Signal(Trigger):
    """Fires where a function of the spot closes says so.

    Parameters
    ----------
    function : callable
        Takes the closes (USDT per coin), shape (bars,), and returns one bool per bar, or the patterns that
        the functions of `signals` return, which fire at the bar they are known. It must not look ahead.
    name : str, optional
        What it is called in print; the function's own name if left out.

    Examples
    --------
    >>> print(Signal(signals.double_top), "/", Signal(lambda close: signals.rsi(close) > 70, "RSI above 70"))
    on double top / on RSI above 70
    """

    function: Callable
    name: str | None = None

    def __post_init__(self):
        """Check that there is something to call."""
        checks.kind("function", self.function, Callable, "a function, such as signals.double_top")
        checks.kind("name", self.name, str | None, "a text, or None")

    def fired(self, bars):
        """Return at which closes the signal is known, shape (paths, bars)."""
        return np.array([self._row(close) for close in bars.spot])

    def _row(self, close):
        """Return the answer for one path."""
        answer = self.function(close)
        if isinstance(answer, tuple):
            return signals.known(answer, len(close))
        answer = np.asarray(answer)
        if answer.dtype != bool or answer.shape != close.shape:
            raise ValueError(
                f"{self} must return patterns or one bool per bar ({len(close)}), "
                f"got {answer.dtype} of shape {answer.shape}"
            )
        return answer

    def __str__(self):
        """Return the condition in words."""
        return f"on {self.name or getattr(self.function, '__name__', 'signal').replace('_', ' ')}"


def _given(price, move):
    """Return a price by the name of the way in which it is given, after checking that it is one of two."""
    if (price is None) == (move is None):
        got = f"price={checks.shown(price)}, move={checks.shown(move)}"
        raise ValueError(f"give either price (USDT) or move (fraction), got {got}")
    if move is None:
        return {"price": checks.single("price (USDT)", price, above=0)}
    return {"move": checks.single("move (fraction)", move, above=-1)}


def _price(price, move, reference):
    """Return the price in USDT, where a move is counted from the `reference` price."""
    return np.full_like(reference, price) if move is None else reference * (1 + move)


def _price_text(price, move, reference):
    return f"{price:,.10g}" if move is None else f"{100 * move:+z.4g} % from {reference}"


def _share_text(share):
    return f"{100 * share:.4g} %"


class Target:
    """What all targets have in common: a share of the hedge (0 none, 1 all of it) wanted at each close."""

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Fixed(Target):
    """The same share from the first close to the last.

    Parameters
    ----------
    share : float
        Part of the hedge (fraction).

    Examples
    --------
    >>> print(Fixed())
    100 % throughout
    """

    share: float = 1.0

    def __post_init__(self):
        """Check the share."""
        checks.assign(self, share=_share(self.share))

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        return np.broadcast_to(self.share, bars.spot.shape)

    def __str__(self):
        """Return the target in words."""
        return f"{_share_text(self.share)} throughout"


@dataclass(frozen=True)
class Batches(Target):
    """Scale in: each batch is added for good when its own trigger first fires.

    Parameters
    ----------
    shares_added : sequence of float
        Size of each batch (fraction of the hedge), together at most 1.
    when : sequence of Trigger
        One trigger for each batch.

    Examples
    --------
    >>> print(Batches((0.3, 0.3, 0.4), (After(0), After(7), Below(price=55_000))))
    30 % at once, 30 % after 7 days, 40 % when spot is at or below 55,000
    """

    shares_added: tuple[float, ...]
    when: tuple[Trigger, ...]

    def __post_init__(self):
        """Check the shares and their triggers."""
        shares, when = _pairs("shares_added", self.shares_added, "when", self.when)
        if sum(shares) > 1 + 1e-12:
            raise ValueError(f"shares_added must sum to at most 1, got {shares} with sum {sum(shares):g}")
        checks.assign(self, shares_added=shares, when=when)

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        added = (
            share * np.logical_or.accumulate(trigger.fired(bars), axis=1)
            for share, trigger in zip(self.shares_added, self.when, strict=True)
        )
        return np.minimum(sum(added), 1.0)

    def __str__(self):
        """Return the target in words."""
        pairs = zip(self.shares_added, self.when, strict=True)
        return ", ".join(f"{_share_text(share)} {trigger}" for share, trigger in pairs)


@dataclass(frozen=True)
class BySignal(Target):
    """The state of the market sets the share: the trigger that fired last is the state.

    Parameters
    ----------
    shares_set : sequence of float
        Share of the hedge in each state (fraction).
    when : sequence of Trigger
        What begins each state. Where several fire at one close the last of them counts.
    start : float
        Share before any has fired (fraction).

    Examples
    --------
    >>> print(BySignal((0.4, 0.9, 0.0), (Below(move=-0.05), Below(move=-0.1), Signal(signals.double_bottom))))
    0 % at first, 40 % when spot is at or below -5 % from the start,
    90 % when spot is at or below -10 % from the start, 0 % on double bottom
    """

    shares_set: tuple[float, ...]
    when: tuple[Trigger, ...]
    start: float = 0.0

    def __post_init__(self):
        """Check the shares and their triggers."""
        shares, when = _pairs("shares_set", self.shares_set, "when", self.when)
        checks.assign(self, shares_set=shares, when=when, start=_share(self.start))

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        state = np.zeros(bars.spot.shape, dtype=int)
        for number, trigger in enumerate(self.when, start=1):
            state[trigger.fired(bars)] = number
        # The bar of the newest event so far is the running maximum of the bars that have one.
        newest = np.maximum.accumulate(np.where(state > 0, np.arange(state.shape[1]), 0), axis=1)
        return np.array([self.start, *self.shares_set])[np.take_along_axis(state, newest, axis=1)]

    def __str__(self):
        """Return the target in words."""
        pairs = zip(self.shares_set, self.when, strict=True)
        states = [f"{_share_text(share)} {trigger}" for share, trigger in pairs]
        return ", ".join([f"{_share_text(self.start)} at first", *states])


@dataclass(frozen=True)
class Until(Target):
    """Another target until a trigger first fires, then nothing for good: the removal rule.

    Parameters
    ----------
    target : Target
        What holds before.
    trigger : Trigger
        What removes the hedge.

    Examples
    --------
    >>> print(Until(Fixed(0.5), Below(move=-0.2)))
    50 % throughout, removed when spot is at or below -20 % from the start
    """

    target: Target
    trigger: Trigger

    def __post_init__(self):
        """Check the parts."""
        _target(self.target)
        _trigger(self.trigger)

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        return self.target.shares(bars) * ~np.logical_or.accumulate(self.trigger.fired(bars), axis=1)

    def __str__(self):
        """Return the target in words."""
        return f"{self.target}, removed {self.trigger}"


def _share(share):
    """Return one share of the hedge as a float from 0 to 1."""
    return checks.single("share (fraction of the hedge)", share, at_least=0, at_most=1)


def _target(part):
    """Return a part if it is a target."""
    return checks.kind("target", part, Target, "a Target")


def _trigger(part):
    """Return a part if it is a trigger."""
    return checks.kind("trigger", part, Trigger, "a Trigger")


def _tuple(name, parts, check):
    """Return a non-empty sequence as a tuple of checked parts."""
    if not isinstance(parts, tuple | list) or not parts:
        raise ValueError(f"{name} must be a list of one or more, got {checks.shown(parts)}")
    return tuple(map(check, parts))


def _pairs(shares_name, shares, when_name, when):
    """Return shares and triggers as tuples of one length."""
    shares, when = _tuple(shares_name, shares, _share), _tuple(when_name, when, _trigger)
    if len(shares) != len(when):
        raise ValueError(
            f"{when_name} must hold one trigger for each of {len(shares)} shares, got {len(when)}"
        )
    return shares, when


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
        checks.assign(self, share=share, **_given(self.price, self.move))
        checks.one_of("on", self.on, ("last", "mark"))
        if self.limit is not None:
            name, lowest = ("limit (USDT)", 0) if self.move is None else ("limit (move, fraction)", -1)
            checks.assign(self, limit=checks.single(name, self.limit, above=lowest))

    @property
    def _limit(self):
        """The limit as price and move, of which one is given."""
        return (self.limit, None) if self.move is None else (None, self.limit)

    def trigger(self, entry):
        """Return the trigger price (USDT) of shorts with these entry prices (USDT)."""
        return _price(self.price, self.move, entry)

    def limit_price(self, entry):
        """Return the limit price (USDT) of shorts with these entry prices (USDT)."""
        return _price(*self._limit, entry)

    def __str__(self):
        """Return the order in words."""
        part = "" if self.share == 1 else f" of {_share_text(self.share)}"
        where = _price_text(self.price, self.move, "entry")
        if self.limit is None:
            return f"{self.kind}{part} at {where} ({self.on})"
        return f"{self.kind}{part} at {where} ({self.on}, limit {_price_text(*self._limit, 'entry')})"


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
        checks.assign(
            self,
            reserve=checks.single("reserve (USDT or coin)", self.reserve, above=0),
            below=below,
            to=checks.single("to (fraction of the notional)", self.to, above=below),
        )

    def __str__(self):
        """Return the rule in words."""
        return (
            f"topped up to {_share_text(self.to)} of notional when below {_share_text(self.below)}, "
            f"from {self.reserve:,.10g} in reserve"
        )


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

    def __post_init__(self):
        """Check that every part is of its kind."""
        checks.kind("target", self.target, Target, "a Target")
        for name, kind in [("take_profit", TakeProfit), ("stop", Stop), ("top_up", TopUp)]:
            checks.kind(name, getattr(self, name), kind | None, f"a {kind.__name__}, or None")
        if self.band is not None:
            band = checks.single("band (fraction of the holding)", self.band, above=0, at_most=1)
            checks.assign(self, band=band)

    def __str__(self):
        """One readable line."""
        parts = [
            str(part) for part in (self.target, self.take_profit, self.stop, self.top_up) if part is not None
        ]
        if self.band is not None:
            parts.append(f"rebalanced by value when {_share_text(self.band)} adrift")
        return "; ".join(parts)
