"""The plan of one hedge: what the reader holds and fears in, order, margin, alarms, carry and chances out.

It places no order: it is arithmetic. ``writing`` puts it on a page, ``form`` asks for its inputs.
"""

import functools
from dataclasses import KW_ONLY, dataclass, field, replace

import numpy as np
import pandas as pd

from hedgelib import checks, contracts, perpetual
from hedgelib.figures import percent, usdt
from hedgelib.hedge import Hedge, ThinMarginError
from hedgelib.planner import outlook

_RANGES = {
    "coins": ("coins", {"above": 0}),
    "cost": ("cost (USDT per coin)", {"at_least": 0}),
    "price": ("price (USDT per coin)", {"above": 0}),
    "ratio": ("ratio (share of the coins)", {"above": 0, "at_most": 1}),
    "bearable": ("bearable loss (USDT)", {"at_least": 0}),
    "fall": ("fall (fraction)", {"above": 0, "below": 1}),
    "leverage": ("leverage", {"at_least": 1, "at_most": 125}),
    "reserve": ("reserve (USDT)", {"at_least": 0}),
    "take_profit": ("take_profit (fraction below the price)", {"at_least": 0, "below": 1}),
    "stop": ("stop (fraction above the price)", {"at_least": 0, "at_most": 10}),
}


class WorksheetError(ValueError):
    """Inputs refused: `problems` tells for each field concerned why, in a sentence."""

    def __init__(self, problems):
        """Keep the problems; the message holds all of them."""
        super().__init__("; ".join(f"{name}: {why}" for name, why in problems.items()))
        self.problems = problems


@dataclass(frozen=True)
class Worksheet:
    """Everything a holder decides about a hedge, and what follows from it.

    Parameters
    ----------
    coins : float
        Coins held, above 0.
    cost : float
        What one coin cost on average (USDT), 0 or more.
    price : float
        Price today (USDT per coin), rounded to the tick: the limit price of the order.
    contract : str
        Symbol of what is shorted, one of ``contracts.symbols()``.
    ratio : float, optional
        Share of the coins to short, above 0 to 1. Give this or `bearable`.
    bearable : float, optional
        Loss (USDT) that is still bearable if the price falls by `fall`: the ratio follows from it.
    fall : float
        The fall that is feared (fraction).
    leverage : float
        Notional per unit of initial margin, 1 to 125.
    mode : str
        ``"isolated"`` or ``"cross"``.
    margin_from : str
        ``"outside"``, ``"coins"`` or ``"coin_margined"``, as in ``Hedge``.
    reserve : float
        More USDT for the margin (only from outside). Isolated: kept aside and posted at the alarm. Cross: in
        the wallet from the start.
    days : int
        Horizon, 1 to 365 days.
    take_profit, stop : float
        Distance of the exit orders below and above the price (fraction); 0 for none.
    market : pandas.DataFrame, optional
        History of the coin by which carry and chance are judged; published facts where left out.

    Raises
    ------
    WorksheetError
        A ``ValueError`` whose `problems` names each field that was refused, and why.

    Notes
    -----
    Source: the article's six steps; ratio from the bearable loss as in lesson 03, alarm as in lesson 05.

    Examples
    --------
    >>> sheet = Worksheet(coins=1, cost=40_000, price=60_000, contract="BTCUSDT", ratio=0.5, leverage=2)
    >>> sheet.ticket.quantity, sheet.ticket.initial_margin, round(sheet.liquidation, 1)
    (0.5, 15000.0, 89641.4)
    """

    coins: float
    cost: float
    price: float
    _: KW_ONLY
    contract: str = "BTCUSDT"
    ratio: float | None = None
    bearable: float | None = None
    fall: float = 0.3
    leverage: float = 2.0
    mode: str = "isolated"
    margin_from: str = "outside"
    reserve: float = 0.0
    days: int = 30
    take_profit: float = 0.0
    stop: float = 0.0
    market: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    def __post_init__(self):
        """Check every field, then whether they go together."""
        problems = {}
        for name, (label, limits) in _RANGES.items():
            if name not in ("ratio", "bearable") or getattr(self, name) is not None:
                self._settle(problems, name, checks.single, label, **limits)
        self._settle(problems, "days", checks.whole, "days", at_least=1, at_most=outlook.LONGEST)
        for name, accepted in (
            ("contract", contracts.symbols()),
            ("mode", ("isolated", "cross")),
            ("margin_from", ("outside", "coins", "coin_margined")),
        ):
            self._settle(problems, name, checks.one_of, name, accepted=accepted)
        if (self.ratio is None) == (self.bearable is None):
            problems["ratio"] = "give either ratio or bearable, and not both"
        for check in (self._check_money, self._check_order, self._check_exits, self._check_outlook):
            if not problems:
                problems |= check()
        if problems:
            raise WorksheetError(problems)

    def _settle(self, problems, name, check, label, **limits):
        """Replace a field by its checked value, or note why it is refused."""
        try:
            checks.assign(self, **{name: check(label, getattr(self, name), **limits)})
        except ValueError as error:
            problems[name] = str(error)

    def _check_money(self):
        """Bearable loss, source of the margin and reserve."""
        inverse = self.rules.inverse
        if self.bearable is not None and self.bearable >= self.coins * self.price * self.fall:
            loss = usdt(self.coins * self.price * self.fall, signed=False)
            return {"bearable": f"the fall you fear costs {loss}; you can bear it, so you need no hedge"}
        if inverse and self.margin_from != "coin_margined":
            return {"margin_from": f"{self.contract} takes only coins as margin: choose coin_margined"}
        if not inverse and self.margin_from == "coin_margined":
            return {
                "margin_from": f"{self.contract} takes only USDT as margin: choose outside or coins, "
                f"or the contract {self.rules.base}USD"
            }
        if self.reserve and self.margin_from != "outside":
            return {"reserve": "a reserve is USDT from outside: choose 0, or margin from outside"}
        return {}

    def _check_order(self):
        """The order and the price at which it would die."""
        if self.price < self.rules.tick:
            return {"price": f"price must be at least one tick, {self.rules.tick:g} USDT, got {self.price!r}"}
        checks.assign(self, price=self.rules.round_price(self.price))
        try:
            self.hedge.ticket(self.price)
        except ThinMarginError as error:
            return {"leverage": str(error)}
        except ValueError as error:
            return {"coins": str(error)}
        return {}

    def _check_exits(self):
        """Exit orders must be able to fill."""
        for name, distance in (("take_profit", -self.take_profit), ("stop", self.stop)):
            if distance and self.price * (1 + distance) < self.rules.tick:
                return {name: "this exit lies below the smallest price there is: bring it nearer"}
        if self.price * (1 + self.stop) >= self.liquidation:
            dead = percent(self.distance, signed=True)
            return {"stop": f"the short is liquidated at {dead}, before this stop: bring it nearer"}
        return {}

    def _check_outlook(self):
        """A history must be one, and long enough."""
        try:
            _ = self.outlook
        except ValueError as error:
            return {"days" if str(error).startswith("days") else "market": str(error)}
        return {}

    @functools.cached_property
    def rules(self):
        """The ``Contract`` behind the symbol."""
        return contracts.get(self.contract)

    @functools.cached_property
    def share(self):
        """Share of the coins that is shorted: `ratio`, or what the bearable loss asks for.

        Of coins worth K at the feared fall's size, (1 − h) · K may be lost. Where a part h / (L + h) of the
        coins is sold for the margin, only L / (L + h) of them fall.
        """
        if self.ratio is not None:
            return self.ratio
        lost = self.coins * self.price * self.fall
        if self.margin_from != "coins":
            return 1 - self.bearable / lost
        return self.leverage * (lost - self.bearable) / (self.leverage * lost + self.bearable)

    @functools.cached_property
    def hedge(self):
        """The holding and its short, as a ``Hedge``; a reserve in cross mode is in its wallet."""
        plain = Hedge(self.coins, self.share, self.leverage, self.rules, self.margin_from, self.mode)
        if not self.reserve or self.mode == "isolated":
            return plain
        return replace(plain, wallet=plain.margin(self.price) + self.reserve)

    @functools.cached_property
    def ticket(self):
        """The order that opens the short."""
        return self.hedge.ticket(self.price)

    @functools.cached_property
    def liquidation(self):
        """Mark price at which the short is liquidated as it is opened (USDT); inf if there is none."""
        return self.hedge.liquidation_price(self.price)

    @property
    def distance(self):
        """Rise from the price today to the liquidation price, a fraction; inf if there is none."""
        return self.liquidation / self.price - 1

    @functools.cached_property
    def liquidation_with_reserve(self):
        """Liquidation price once all of the reserve is posted (USDT)."""
        if not self.reserve:
            return self.liquidation
        backed = replace(self.hedge, mode="cross", wallet=self.hedge.margin(self.price) + self.reserve)
        return backed.liquidation_price(self.price)

    @functools.cached_property
    def outlook(self):
        """Funding and dangerous rises over the horizon, as measured."""
        return self.outlook_of(self.distance)

    def outlook_of(self, rise):
        """Outlook of a short that dies at this rise."""
        if self.market is None:
            return outlook.published(self.rules.base, rise, self.days)
        return outlook.from_history(self.market, rise, self.days)

    @property
    def value(self):
        """Notional of the short at the price today (USDT)."""
        return self.ticket.notional * (self.price if self.rules.inverse else 1)

    @property
    def coins_kept(self):
        """Coins left after those sold for the margin."""
        return self.hedge.hedged_holding

    def at(self, prices):
        """Return what the plan looks like at given prices, before funding and fees.

        Parameters
        ----------
        prices : float or (n,) array
            Mark prices (USDT per coin), above 0.

        Returns
        -------
        pandas.DataFrame
            Index ``price``; ``change`` from the price today (fraction); ``coins_pnl``, ``short_pnl`` and
            ``total_pnl`` (USDT), ``balance`` behind the short (USDT; coin if inverse) and ``margin_ratio``,
            maintenance margin / balance. From the liquidation price on the margin is lost, balance and ratio
            are missing.

        Raises
        ------
        ValueError
            If a price is missing, infinite or not above 0.
        """
        table = self.hedge.payoff(self.price, prices)
        marks, backing = table.index.to_numpy(), self.hedge.collateral(self.price)
        unit = marks if self.rules.inverse else np.ones(len(marks))
        dead = marks >= self.liquidation
        short = np.where(dead, -backing * unit, table["short_pnl"])
        balance = np.where(dead, np.nan, backing + short / unit)
        notional = self.value / marks if self.rules.inverse else self.ticket.quantity * marks
        maintenance = perpetual.maintenance_margin(notional, self.rules.brackets)
        columns = {
            "change": marks / self.price - 1,
            "coins_pnl": table["spot_pnl"],
            "short_pnl": short,
            "total_pnl": table["spot_pnl"] + short,
            "balance": balance,
            "margin_ratio": maintenance / balance,
        }
        return pd.DataFrame(columns, index=table.index)


def check(sheet):
    """Return `sheet` if it is a worksheet."""
    return checks.kind("sheet", sheet, Worksheet, "a planner.Worksheet")
