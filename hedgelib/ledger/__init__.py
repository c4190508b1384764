"""The ledger: runs a hedge and its plan through a market, one path or thousands, and attributes every cent.

The rules of a bar stand in `rules`. Fees of the opening trade are paid in the first row; funding is
received from the second row on. All money columns are in USDT; a coin-margined hedge keeps its books in
coin and is valued at spot.
"""

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.hedge import Hedge
from hedgelib.ledger import bars, engine
from hedgelib.ledger.bars import OtherPosition
from hedgelib.ledger.book import STATE, statement
from hedgelib.ledger.outcome import Outcome
from hedgelib.plan import Plan, Target

__all__ = ["COLUMNS", "OtherPosition", "Outcome", "run", "run_many"]

COLUMNS = (
    "wealth",
    "hedge_ratio",
    "short_quantity",
    "entry",
    "margin",
    "maintenance",
    "liquidation_price",
    "spot_pnl",
    "short_pnl",
    "basis_pnl",
    "funding",
    "fees",
    "liquidation_loss",
    "other_pnl",
    "top_ups",
    "event",
)
"""Columns of a ledger."""

CHUNK = 2048


def run(market, hedge, plan=None, other=None):
    """Run a hedge through a market, bar by bar.

    Parameters
    ----------
    market : pandas.DataFrame
        A market frame. The hedge is opened at the close of its first bar.
    hedge : Hedge
        What is held and shorted.
    plan : Plan or Target, optional
        How the hedge moves in time; all of it throughout where left out.
    other : OtherPosition, optional
        Another position in the same cross wallet.

    Returns
    -------
    pandas.DataFrame
        One row per bar, the state at its close.

        - ``wealth``: spot value, futures account and cash (USDT). Money from outside counts from the start;
          before the first row it was ``attrs["wealth_before"]``.
        - ``hedge_ratio``: coins shorted per coin held. ``short_quantity``: coins, or contracts. ``entry``:
          USDT per coin.
        - ``margin``, ``maintenance``: margin balance and what it must exceed, in margin currency (USDT or
          coin); ``liquidation_price`` in USDT per coin. Empty without a position. In the row of a
          liquidation these three are what triggered it.
        - ``spot_pnl``, ``short_pnl``, ``funding``, ``fees``, ``liquidation_loss``, ``other_pnl``: the
          change of wealth since before the first row, by cause (USDT). ``basis_pnl`` is the part of
          ``short_pnl`` that spot does not mirror.
        - ``top_ups``: margin added so far (USDT), a transfer and no P&L. ``event``: what happened, in words.

    Raises
    ------
    ValueError
        If the market is no market frame, or another argument is not of its kind.

    Notes
    -----
    Two identities hold in every row: the six causes sum to the change of wealth; the margin balance is at or
    below the maintenance margin exactly where the row is a liquidation.

    Funding settles in the margin. Fees and later margin come from the cash outside (with cross or coin margin
    from the wallet); cash may fall below zero, which is money brought in, without interest. A liquidation
    takes all that is left of the margin, or of the whole wallet, and no more: where a settlement took more
    than there was, the difference counts back in ``liquidation_loss``.

    Examples
    --------
    One bitcoin fully hedged from 60,000 to 70,000 USDT; only the taker fee of 30 USDT and one funding
    payment remain:

    >>> time = pd.date_range("2024-01-01", periods=2, freq="8h", tz="UTC")
    >>> prices = {name: [60_000.0, 70_000.0] for name in ("spot", "mark", "mark_high", "mark_low")}
    >>> rows = run(pd.DataFrame(prices | {"funding": 1e-4}, index=time), Hedge(1, 1, 2, "BTCUSDT"))
    >>> rows[["wealth", "spot_pnl", "short_pnl", "funding", "fees"]].iloc[-1].to_dict()
    {'wealth': 89977.0, 'spot_pnl': 10000.0, 'short_pnl': -10000.0, 'funding': 7.0, 'fees': -30.0}
    """
    path = bars.of_frame(market)
    hedge, plan = _checked(hedge, plan, other, path)
    diary = _Diary(len(market))
    rules = engine.run(path, hedge, plan, other, diary)
    # The same book, with its state at every bar instead of at the last.
    book, every = rules.book.with_state(diary.state), slice(None)
    spot, mark = path.spot[0], path.mark[0]
    pnl, required = (rules.others[0][0], rules.others[1][0]) if other else (np.zeros(1), np.zeros(1))
    columns = statement(book, spot, mark, pnl, pnl[0])
    exposed, short = (book.quantity > 0) | (book.alive > 0), book.quantity > 0
    pnl, required = book.alive * pnl, book.alive * required
    coins = book.wallet_coins(every)
    watched = {
        "margin": book.balance(every, book.level(mark)) + pnl,
        "maintenance": book.required(every, book.level(mark)) + required,
        "liquidation_price": book.price(book.liquidation_level(every, pnl - required)),
    }
    for name, values in watched.items():
        columns[name] = np.where(exposed, values, np.nan)
        for bar, trigger in diary.triggers.items():
            columns[name][bar] = trigger[name]
    columns |= {
        "hedge_ratio": np.divide(book.covered(every), coins, out=np.zeros_like(coins), where=coins > 0),
        "short_quantity": book.quantity,
        "entry": np.where(short, book.price(book.entry), np.nan),
        "event": diary.events(),
    }
    frame = pd.DataFrame({name: columns[name] for name in COLUMNS}, index=market.index)
    frame.attrs = market.attrs | {"plan": str(plan), "wealth_before": float(book.start[0])}
    return frame


def run_many(paths, hedge, plan=None, other=None):
    """Run a hedge through many price paths at once, by the same rules as `run`.

    Parameters
    ----------
    paths : market.Paths
        Column 0 is the bar at whose close the hedge is opened.
    hedge, plan, other
        As in `run`.

    Returns
    -------
    Outcome
        Wealth and its attribution at the end of each path, when it was liquidated, and their distribution.

    Raises
    ------
    ValueError
        If an argument is not of its kind.

    Examples
    --------
    The price rises by 60 % on one path and stays on the other. The short at 2x dies on the first: 36,000
    USDT gained on the coin, 30,000 lost with the margin, 30 paid in fees.

    >>> from hedgelib.market import Paths
    >>> rising, flat = [60_000.0, 96_000.0], [60_000.0, 60_000.0]
    >>> prices = {name: [rising, flat] for name in ("spot", "mark", "mark_high", "mark_low")}
    >>> paths = Paths(**prices, funding=np.zeros((2, 2)), hours=8)
    >>> outcome = run_many(paths, Hedge(1, 1, 2, "BTCUSDT"))
    >>> outcome.pnl, outcome.probability_liquidated
    (array([5970.,  -30.]), 0.5)
    """
    everything = bars.of_paths(paths)
    hedge, plan = _checked(hedge, plan, other, everything)
    parts = []
    for first in range(0, len(everything.spot), CHUNK):
        some = slice(first, first + CHUNK)
        part = everything.rows(some)
        rules = engine.run(part, hedge, plan, other.rows(some) if other else None)
        ends = (rules.others[0][:, -1], rules.others[0][:, 0]) if other else (0.0, 0.0)
        last = statement(rules.book, part.spot[:, -1], part.mark[:, -1], *ends)
        parts.append(last | {"wealth_before": rules.book.start, "liquidated_at": rules.liquidated_at})
    return Outcome(
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
        holding_before=hedge.holding * everything.spot[:, 0],
        unhedged_pnl=hedge.holding * (everything.spot[:, -1] - everything.spot[:, 0]),
        bars=everything.spot.shape[1],
        hours=everything.hours,
    )


def _checked(hedge, plan, other, path):
    """Return hedge and plan, a bare target made a plan, after checking that they go together."""
    checks.kind("hedge", hedge, Hedge, "a hedge.Hedge")
    plan = Plan(plan) if isinstance(plan, Target) else Plan() if plan is None else plan
    checks.kind("plan", plan, Plan, "a plan.Plan, one of its targets, or None")
    checks.kind("other", other, OtherPosition | None, "a ledger.OtherPosition, or None")
    if other is not None:
        if hedge.mode != "cross" or hedge.contract.inverse:
            raise ValueError("another position needs a shared USDT wallet: a linear hedge with mode='cross'")
        other.check_shape(path.spot.shape)
    return hedge, plan


class _Diary:
    """Writes down the state of one path at every bar, and what happened."""

    def __init__(self, length):
        self.state = {name: np.zeros(length) for name in STATE}
        self.triggers = {}
        self._notes = {}
        self._length = length

    def close(self, book, bar):
        """Write down the state at the close of a bar that was played."""
        for name, values in self.state.items():
            values[bar] = getattr(book, name)[0]

    def coast(self, book, first, paid, paid_usdt):
        """Write down a stretch in which only funding moved, given per unit of quantity from its start on."""
        stretch = slice(first, first + len(paid) - 1)
        for name, values in self.state.items():
            values[stretch] = getattr(book, name)[0]
        self.state["margin"][stretch] += book.quantity[0] * (paid[1:] - paid[0])
        self.state["funding"][stretch] += book.quantity[0] * (paid_usdt[1:] - paid_usdt[0])

    def note(self, bar, text):
        """Write down an event."""
        self._notes.setdefault(bar, []).append(text)

    def liquidation(self, bar, balance, required, price, text):
        """Write down a liquidation and what triggered it."""
        self.triggers[bar] = {"margin": balance, "maintenance": required, "liquidation_price": price}
        self.note(bar, text)

    def events(self):
        """Return one text for each bar, empty where nothing happened."""
        return ["; ".join(self._notes.get(bar, [])) for bar in range(self._length)]
