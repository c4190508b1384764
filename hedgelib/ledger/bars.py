"""The bars that the engine plays: one market frame, or many paths, as arrays of shape (paths, bars)."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hedgelib import checks, market, perpetual
from hedgelib.perpetual import Brackets

SERIES = ("spot", "mark", "mark_high", "mark_low", "last_high", "last_low", "funding")


@dataclass(frozen=True, eq=False)
class Bars:
    """Price paths, each a row; column 0 is the bar at whose close everything begins.

    Parameters
    ----------
    spot, mark, mark_high, mark_low, last_high, last_low : array, shape (paths, bars)
        Prices (USDT per coin). The extremes of the last trades trigger orders; where a market does not have
        them those of the mark stand in.
    funding : array, shape (paths, bars)
        Rate settled at the close (fraction).
    hours : float
        Length of a bar.
    times : pandas.DatetimeIndex, optional
        Close of each bar, if known.
    """

    spot: np.ndarray
    mark: np.ndarray
    mark_high: np.ndarray
    mark_low: np.ndarray
    last_high: np.ndarray
    last_low: np.ndarray
    funding: np.ndarray
    hours: float
    times: Any = None

    def rows(self, some):
        """Return only some of the paths, without copying where `some` is a slice."""
        return replace(self, **{name: getattr(self, name)[some] for name in SERIES})


def of_frame(frame):
    """Return the path of a market frame, which may have ``last_high`` and ``last_low`` (USDT per coin)."""
    frame = market.validate(frame)
    columns = {}
    for name in SERIES:
        column = frame.get(name, frame.get(name.replace("last", "mark")))
        limits = {} if name == "funding" else {"above": 0}
        columns[name] = checks.number(f"{name} of the market", column.to_numpy(), **limits)[np.newaxis]
    if np.any(columns["last_low"] > columns["last_high"]):
        raise ValueError("last_low must not be above last_high in any bar of the market")
    step = frame.index[1] - frame.index[0] if len(frame) > 1 else pd.Timedelta(hours=8)
    return Bars(**columns, hours=step / pd.Timedelta(hours=1), times=frame.index)


def of_paths(paths):
    """Return the bars of a ``market.Paths``, which has checked its numbers itself; nothing is copied."""
    if isinstance(paths, Bars):
        return paths
    checks.kind("paths", paths, market.Paths, "a market.Paths, as market.paths makes them")
    columns = {name: getattr(paths, name) for name in market.COLUMNS}
    return Bars(**columns, last_high=paths.mark_high, last_low=paths.mark_low, hours=paths.hours)


@dataclass(frozen=True, eq=False)
class OtherPosition:
    """Another linear position in the same cross wallet, held unchanged throughout.

    Its price P&L and its maintenance margin count in the wallet; its own funding and fees are left out.

    Parameters
    ----------
    quantity : float
        Size (coin of that position).
    entry : float
        Entry price (USDT per coin).
    side : int
        −1 short, +1 long.
    brackets : Brackets
        Maintenance table of its contract (USDT).
    market : pandas.DataFrame or market.Paths
        Its own prices, bar by bar those of the hedge.

    Raises
    ------
    ValueError
        If a number is out of range or a part is not of its kind.

    Examples
    --------
    Ten ether long from 3,000 USDT have gained 1,000 USDT at 3,100, and need 124 USDT of margin:

    >>> from hedgelib import contracts
    >>> ether = market.drawn({0: 3_000, 1: 3_100})
    >>> other = OtherPosition(10, 3_000, side=1, brackets=contracts.get("ETHUSDT").brackets, market=ether)
    >>> pnl, maintenance, *_ = other.series(shape=(1, 4))
    >>> pnl[0, -1].item(), maintenance[0, -1].item()
    (1000.0, 124.0)
    """

    quantity: float
    entry: float
    side: int
    brackets: Brackets
    market: Any

    def __post_init__(self):
        """Check the position."""
        bars = of_frame if isinstance(self.market, pd.DataFrame) else of_paths
        checks.assign(
            self,
            quantity=checks.single("quantity (coin)", self.quantity, above=0),
            entry=checks.single("entry (USDT)", self.entry, above=0),
            side=checks.side("side", checks.single("side", self.side)),
            market=bars(self.market),
        )
        checks.kind("brackets", self.brackets, Brackets, "a perpetual.Brackets")

    def check_shape(self, shape):
        """Refuse prices that are not bar by bar those of the hedge."""
        paths, bars = self.market.spot.shape
        if bars != shape[1] or paths not in (1, shape[0]):
            raise ValueError(
                f"the market of the other position has shape {(paths, bars)}, the hedge's {shape}"
            )

    def rows(self, some):
        """Return the position on only some of the paths."""
        return replace(self, market=self.market.rows(some)) if len(self.market.spot) > 1 else self

    def series(self, shape):
        """Return P&L and maintenance (USDT) at each close, and both at the adverse extreme of each bar."""
        adverse = self.market.mark_low if self.side == 1 else self.market.mark_high
        return tuple(
            np.broadcast_to(answer, shape)
            for price in (self.market.mark, adverse)
            for answer in (
                self.side * self.quantity * (price - self.entry),
                perpetual.maintenance_margin(self.quantity * price, self.brackets),
            )
        )
