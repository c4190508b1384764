"""The plan of one hedge: what the reader holds and fears in; order, margin and liquidation price out."""

import functools
from dataclasses import KW_ONLY, dataclass, field, replace

import numpy as np
import pandas as pd

from hedgelib import checks, contracts, perpetual
from hedgelib.figures import percent, usdt
from hedgelib.hedge import Hedge, LeverageError
from hedgelib.planner import outlook


def _number(label, **limits):
    return lambda value: checks.single(label, value, **limits)


def _word(label, *accepted):
    return lambda value: checks.one_of(label, value, accepted)


_CHECKS = {
    "coins": _number("coins", above=0),
    "cost": _number("cost (USDT per coin)", at_least=0),
    "price": _number("price (USDT per coin)", above=0),
    "contract": lambda value: checks.one_of("contract", value, contracts.symbols()),
    "ratio": _number("ratio (share of the coins)", above=0, at_most=1),
    "bearable": _number("bearable loss (USDT)", at_least=0),
    "fall": _number("fall (fraction)", above=0, below=1),
    "leverage": _number("leverage", at_least=1, at_most=125),
    "mode": _word("mode", "isolated", "cross"),
    "margin_from": _word("margin_from", "outside", "coins", "coin_margined"),
    "reserve": _number("reserve (USDT)", at_least=0),
    "days": lambda value: checks.whole("days", value, at_least=1, at_most=outlook.LONGEST),
    "take_profit": _number("take_profit (fraction below the price)", at_least=0, below=1),
    "stop": _number("stop (fraction above the price)", at_least=0, at_most=10),
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
        History of the coin by which carry and chance are judged, at least twice as long as the horizon;
        published facts where left out.

    Raises
    ------
    WorksheetError
        A ``ValueError`` whose `problems` names each field that was refused, and why.

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
        for name, check in _CHECKS.items():
            if getattr(self, name) is not None or name not in ("ratio", "bearable"):
                try:
                    checks.assign(self, **{name: check(getattr(self, name))})
                except ValueError as error:
                    problems[name] = str(error)
        if not problems:
            problems = self._contradiction()
        if problems:
            raise WorksheetError(problems)

    def _contradiction(self):
        """The first field that does not go with the others, and why; nothing if all do."""
        contract, price = self.rules, self.price
        if (self.ratio is None) == (self.bearable is None):
            return {"ratio": "give either ratio or bearable, and not both"}
        if self.bearable is not None and self.bearable >= self.coins * price * self.fall:
            loss = usdt(self.coins * price * self.fall, signed=False)
            return {"bearable": f"the fall you fear costs {loss}; you can bear it, so you need no hedge"}
        if contract.inverse and self.margin_from != "coin_margined":
            return {"margin_from": f"{self.contract} takes only coins as margin: choose coin_margined"}
        if not contract.inverse and self.margin_from == "coin_margined":
            other = f"choose outside or coins, or the contract {contract.base}USD"
            return {"margin_from": f"{self.contract} takes only USDT as margin: {other}"}
        if self.reserve and self.margin_from != "outside":
            return {"reserve": "a reserve is USDT from outside: choose 0, or margin from outside"}
        if price < contract.tick:
            return {"price": f"price must be at least one tick, {contract.tick:g} USDT, got {price!r}"}
        checks.assign(self, price=contract.round_price(price))
        try:
            self.hedge.ticket(self.price)
        except LeverageError as error:
            return {"leverage": str(error)}
        except ValueError as error:
            return {"coins": str(error)}
        for name, distance in (("take_profit", -self.take_profit), ("stop", self.stop)):
            if distance and self.price * (1 + distance) < contract.tick:
                return {name: "this exit lies below the smallest price there is: bring it nearer"}
        if self.price * (1 + self.stop) >= self.liquidation:
            dead = percent(self.distance, signed=True)
            return {"stop": f"the short is liquidated at {dead}, before this stop: bring it nearer"}
        try:
            longest = self.outlook.longest
        except ValueError as error:
            return {"market": str(error)}
        if self.days > longest:
            known = f"of the history, {self.outlook.source}"
            return {"days": f"days must be at most half {known}, which is {longest}, got {self.days}"}
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
        return self._backed(plain) if self.reserve and self.mode == "cross" else plain

    def _backed(self, hedge):
        """A hedge with all of the reserve behind it."""
        return replace(hedge, mode="cross", wallet=hedge.margin(self.price) + self.reserve)

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
        return self._backed(self.hedge).liquidation_price(self.price)

    @property
    def alarm(self):
        """Price (USDT) from which one day like the best one measured leads to the liquidation price.

        It may lie below the price today: then it rings from the start. Inf if nothing can kill the short, NaN
        if no day of the coin was measured.
        """
        return self.liquidation / (1 + self.outlook.best_day)

    @functools.cached_property
    def outlook(self):
        """What is known of the market, from its history or the published facts."""
        return outlook.Published(self.rules.base) if self.market is None else outlook.History(self.market)

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
        """
        table = self.hedge.payoff(self.price, prices)
        marks, backing = table.index.to_numpy(), self.hedge.collateral(self.price)
        unit = marks if self.rules.inverse else np.ones(len(marks))
        dead = marks >= self.liquidation
        short = np.where(dead, -backing * unit, table["short_pnl"])
        balance = np.where(dead, np.nan, backing + short / unit)
        notional = self.value / marks if self.rules.inverse else self.ticket.quantity * marks
        columns = {
            "change": marks / self.price - 1,
            "coins_pnl": table["spot_pnl"],
            "short_pnl": short,
            "total_pnl": table["spot_pnl"] + short,
            "balance": balance,
            "margin_ratio": perpetual.maintenance_margin(notional, self.rules.brackets) / balance,
        }
        return pd.DataFrame(columns, index=table.index)


def worksheet(value):
    """Return `value` if it is a worksheet."""
    return checks.kind("sheet", value, Worksheet, "a planner.Worksheet")
