"""Targets: which share of a hedge is wanted at each close, decided from closes up to that one."""

from dataclasses import dataclass

import numpy as np

from hedgelib import checks
from hedgelib.plan.triggers import Trigger, percent


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

    Raises
    ------
    ValueError
        If the share is no number from 0 to 1.

    Examples
    --------
    >>> print(Fixed())
    100 % throughout
    """

    share: float = 1.0

    def __post_init__(self):
        """Check the share."""
        checks.settle(self, share=_share(self.share))

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        return np.broadcast_to(self.share, bars.spot.shape)

    def __str__(self):
        """Return the target in words."""
        return f"{percent(self.share)} throughout"


@dataclass(frozen=True)
class Batches(Target):
    """Scale in: each batch is added for good when its own trigger first fires.

    Parameters
    ----------
    shares_added : sequence of float
        Size of each batch (fraction of the hedge), together at most 1.
    when : sequence of Trigger
        One trigger for each batch.

    Raises
    ------
    ValueError
        If a share is out of range, they sum to more than 1, or the triggers are not one for each.

    Examples
    --------
    >>> from hedgelib.plan.triggers import Above, After, Below
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
        checks.settle(self, shares_added=shares, when=when)

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
        return ", ".join(f"{percent(share)} {trigger}" for share, trigger in pairs)


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

    Raises
    ------
    ValueError
        If a share is out of range, or the triggers are not one for each.

    Examples
    --------
    >>> from hedgelib.plan.triggers import Above, Below
    >>> print(BySignal((0.4, 0.9, 0.0), (Below(move=-0.05), Below(move=-0.1), Above(move=0.1))))
    0 % at first, 40 % when spot is at or below -5 % from the start,
    90 % when spot is at or below -10 % from the start, 0 % when spot is at or above +10 % from the start
    """

    shares_set: tuple[float, ...]
    when: tuple[Trigger, ...]
    start: float = 0.0

    def __post_init__(self):
        """Check the shares and their triggers."""
        shares, when = _pairs("shares_set", self.shares_set, "when", self.when)
        checks.settle(self, shares_set=shares, when=when, start=_share(self.start))

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
        states = [f"{percent(share)} {trigger}" for share, trigger in pairs]
        return ", ".join([f"{percent(self.start)} at first", *states])


@dataclass(frozen=True)
class Until(Target):
    """Another target until a trigger first fires, then nothing for good: the removal rule.

    Parameters
    ----------
    target : Target
        What holds before.
    trigger : Trigger
        What removes the hedge.

    Raises
    ------
    ValueError
        If a part is not of its kind.

    Examples
    --------
    >>> from hedgelib.plan.triggers import Below
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


@dataclass(frozen=True)
class Highest(Target):
    """The highest share that any of several targets wants.

    Parameters
    ----------
    targets : sequence of Target
        One or more targets.

    Raises
    ------
    ValueError
        If there is none, or one is no target.

    Examples
    --------
    >>> from hedgelib.plan.triggers import Below
    >>> print(Highest((Fixed(0.3), Batches((1.0,), (Below(move=-0.1),)))))
    the highest of (30 % throughout; 100 % when spot is at or below -10 % from the start)
    """

    targets: tuple[Target, ...]

    def __post_init__(self):
        """Check the targets."""
        checks.settle(self, targets=_tuple("targets", self.targets, _target))

    def shares(self, bars):
        """Return the wanted share at each close, shape (paths, bars)."""
        return np.maximum.reduce([target.shares(bars) for target in self.targets])

    def __str__(self):
        """Return the target in words."""
        return f"the highest of ({'; '.join(map(str, self.targets))})"


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
