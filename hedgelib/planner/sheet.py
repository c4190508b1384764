"""The plan of one hedge: what the reader holds and fears in; order, margin and liquidation price out.

What a price or a path does to it is not reckoned here: `walking` asks the ledger.
"""

import functools
import math
from dataclasses import KW_ONLY, dataclass, field, replace

import pandas as pd

from hedgelib import checks, contracts, perpetual
from hedgelib.hedge import SOURCES, Hedge
from hedgelib.plan import Plan, Stop, TakeProfit, TopUp
from hedgelib.planner import outlook, refusals

JUDGES = ("era", "last 365 days")
AT = 1 + 1e-9  # the alarm has been reached, whatever the last digit


def _number(label, **limits):
    return lambda value: checks.single(label, value, **limits)


def _word(label, *accepted):
    return lambda value: checks.one_of(label, value, accepted)


def _contract(value):
    return (
        value
        if isinstance(value, contracts.Contract)
        else checks.one_of("contract", value, contracts.symbols())
    )


FIELDS = {
    "coins": _number("coins", above=0),
    "cost": _number("cost (USDT per coin)", at_least=0),
    "price": _number("price (USDT per coin)", above=0),
    "contract": _contract,
    "ratio": _number("ratio (share of the coins)", above=0, at_most=1),
    "bearable": _number("bearable loss (USDT)", at_least=0),
    "fall": _number("fall (fraction)", above=0, below=1),
    "leverage": _number("leverage", at_least=1, at_most=150),
    "mode": _word("mode", "isolated", "cross"),
    "margin_from": _word("margin_from", *SOURCES),
    "reserve": _number("reserve (USDT, or coins)", at_least=0),
    "days": lambda value: checks.whole("days", value, at_least=1, at_most=outlook.LONGEST),
    "take_profit": _number("take_profit (fraction below the price)", at_least=0, below=1),
    "stop": _number("stop (fraction above the price)", at_least=0, at_most=10),
    "band": _number("band (fraction of the holding)", at_least=0, at_most=1),
    "judge": _word("judge", *JUDGES),
    "volatility": _number("volatility (fraction per year)", above=0, at_most=10),
    "funding": _number("funding (fraction per eight hours)", at_least=-0.05, at_most=0.05),
    "taker_fee": _number("taker_fee (fraction)", at_least=0, at_most=0.01),
}
_OPTIONAL = ("ratio", "bearable", "mode", "volatility", "funding", "taker_fee")


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
    contract : Contract or str
        What is shorted: a contract of your own, or one of ``contracts.symbols()``.
    ratio : float, optional
        Share of the coins to short, above 0 to 1; of those left where coins are sold for the margin. Give
        this or `bearable`.
    bearable : float, optional
        Loss (USDT) that is still bearable if the price falls by `fall`, before funding and fees: the ratio
        follows from it, a take profit on the way counted.
    fall : float
        The fall that is feared (fraction).
    leverage : float
        Notional per unit of initial margin, 1 to 150.
    mode : str, optional
        ``"isolated"``, the default, or ``"cross"``; coins as collateral know only cross.
    margin_from : str
        ``"outside"``, ``"coins"``, ``"coin_margined"`` or ``"collateral"``, as in ``Hedge``. Coins sold pay
        the fees, too. Coin-margined: isolated pledges the initial margin, cross all of the coins.
    reserve : float
        More money for the margin (USDT; coins if coin-margined). Isolated: kept aside and posted at the
        alarm. Cross: in the wallet from the start.
    days : int
        Horizon, 1 to 365 days.
    take_profit, stop : float
        Distance of the exit orders below and above the price (fraction); 0 for none.
    band : float
        Keeps the unhedged part at its share of value: traded back when it has drifted by more than this
        (fraction of the holding); 0 for never.
    judge : str
        Published facts that the plan is judged by: ``"era"`` or ``"last 365 days"``.
    market : pandas.DataFrame, optional
        History of the coin that takes their place, at least twice as long as the horizon.
    volatility : float, optional
        Your own, in place of the measured one (fraction per year).
    funding : float, optional
        Your own mean, in place of the measured one (fraction per eight hours, positive is received).
    taker_fee : float, optional
        Your own, in place of the contract's (fraction).

    Raises
    ------
    WorksheetError
        A ``ValueError`` whose `problems` names each field that was refused, and why.

    Examples
    --------
    >>> sheet = Worksheet(coins=1, cost=40_000, price=60_000, contract="BTCUSDT", ratio=0.5, leverage=2)
    >>> sheet.quantity, sheet.margin, round(sheet.liquidation, 1)
    (0.5, 15000.0, 89641.4)
    """

    coins: float
    cost: float
    price: float
    _: KW_ONLY
    contract: contracts.Contract | str = "BTCUSDT"
    ratio: float | None = None
    bearable: float | None = None
    fall: float = 0.3
    leverage: float = 2.0
    mode: str | None = None
    margin_from: str = "outside"
    reserve: float = 0.0
    days: int = 30
    take_profit: float = 0.0
    stop: float = 0.0
    band: float = 0.0
    judge: str = "era"
    market: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    volatility: float | None = None
    funding: float | None = None
    taker_fee: float | None = None

    def __post_init__(self):
        """Check every field, then whether they go together."""
        problems = refusals.of_fields(self, FIELDS, _OPTIONAL)
        if not problems:
            if self.mode is None:
                checks.assign(self, mode="cross" if self.margin_from == "collateral" else "isolated")
            problems = refusals.contradiction(self)
        if problems:
            raise WorksheetError(problems)

    @functools.cached_property
    def rules(self):
        """The ``Contract``, with your own fee."""
        own = {} if self.taker_fee is None else {"taker_fee": self.taker_fee}
        contract = self.contract
        if not isinstance(contract, contracts.Contract):
            contract = contracts.get(contract)
        return replace(contract, **own) if own else contract

    @functools.cached_property
    def share(self):
        """Share of the coins that is wanted short: `ratio`, or what the bearable loss asks for.

        Of the coins H the share f of their value is lost in the fall, and of the loss only y may stay. Each
        coin shorted makes good g of its value, and k coins are sold for it: (H − k·Q)·f − Q·g = y.
        """
        if self.ratio is not None:
            return self.ratio
        needed = self.coins * self.fall - self.bearable / self.price
        covered = needed / (self.gain_of_a_coin + self._sold_for_a_coin * self.fall)
        return covered / (self.coins - self._sold_for_a_coin * covered)

    @property
    def gain_of_a_coin(self):
        """What one coin shorted makes good in the feared fall, as a share of its value today."""
        closed = min(self.fall, self.take_profit or self.fall)
        return closed / (1 - closed) * (1 - self.fall) if self.rules.inverse else closed

    @property
    def _sold_for_a_coin(self):
        """Coins sold for the margin and the fees of one coin shorted."""
        if self.margin_from != "coins":
            return 0.0
        return (1 / self.leverage + self.rules.taker_fee) / (1 - self.rules.spot_fee)

    @functools.cached_property
    def quantity(self):
        """Size of the short: coins, or contracts if inverse; rounded down, and its fee must be left."""
        if self.rules.inverse:
            affordable = 1 / (1 / self.leverage + self.rules.taker_fee)
            value = min(self.share, affordable) * self.coins * self.price
            return self.rules.round_quantity(value / self.rules.contract_size)
        return self.rules.round_quantity(self.share * self.coins / (1 + self._sold_for_a_coin * self.share))

    @property
    def covered(self):
        """Coins that the short covers as it opens."""
        return self.quantity * self.rules.contract_size / self.price if self.rules.inverse else self.quantity

    @property
    def value(self):
        """Notional of the short at the price today (USDT)."""
        return self.covered * self.price

    @property
    def _notional(self):
        """Notional in the currency of the margin."""
        return self.covered if self.rules.inverse else self.value

    @property
    def margin(self):
        """Initial margin (USDT; coins if inverse)."""
        return self._notional / self.leverage

    @property
    def opening_fee(self):
        """Fee of the opening order if it fills at once (USDT; coins if inverse)."""
        return self._notional * self.rules.taker_fee

    @property
    def coins_sold(self):
        """Coins sold for margin and fees."""
        return self._sold_for_a_coin * self.quantity

    @property
    def coins_kept(self):
        """Coins left after those sold."""
        return self.coins - self.coins_sold

    @functools.cached_property
    def hedge(self):
        """The holding and its short as the ledger plays them; coins sold for the margin are sold before."""
        source, wallet = self.margin_from, None
        if source == "coins":
            source = "outside"
        if source == "collateral":
            wallet = self.reserve or None
        elif source == "coin_margined":
            wallet = self.margin + self.opening_fee if self.mode == "isolated" else None
        elif self.mode == "cross":
            wallet = self.margin + self.opening_fee + self.reserve
        ratio = self.covered / self.coins_kept
        return Hedge(self.coins_kept, ratio, self.leverage, self.rules, source, self.mode, wallet)

    @functools.cached_property
    def ticket(self):
        """The order that opens the short."""
        return replace(self.hedge.ticket(self.price), liquidation_price=self.liquidation)

    @functools.cached_property
    def plan(self):
        """Exits, reserve and band as the ledger plays them, at distances from the entry."""
        exits = {"take_profit": (TakeProfit, -self.take_profit), "stop": (Stop, self.stop)}
        orders = {
            name: order(move=self.rules.round_price(self.price * (1 + distance)) / self.price - 1, on="mark")
            for name, (order, distance) in exits.items()
            if distance
        }
        if self.reserve and self.mode == "isolated" and math.isfinite(self.alarm):
            rung = max(self.alarm, self.price)
            size = self.covered * (1 if self.rules.inverse else rung / self.price)
            notional = size * (self.price / rung if self.rules.inverse else self.price)
            below = AT * self.balance(rung) / notional
            orders["top_up"] = TopUp(self.reserve, below=below, to=1e9)  # all of it at once
        return Plan(**orders, band=self.band or None)

    def balance(self, price):
        """Margin balance of the short as it opened, at a price (margin currency)."""
        rise = price / self.price - 1
        return self.behind - self._notional * (rise / (1 + rise) if self.rules.inverse else rise)

    @property
    def behind(self):
        """Money behind the short once it is open and its fee is paid, coins as collateral left out."""
        if self.margin_from == "collateral":
            return self.reserve - self.opening_fee
        if self.mode == "isolated":
            return self.margin
        return self.coins - self.opening_fee if self.rules.inverse else self.margin + self.reserve

    def dies_at(self, behind):
        """Liquidation price of the short with this money behind it."""
        opened, brackets = (self.quantity, self.price), self.rules.brackets
        if self.margin_from == "collateral":
            counted = self.rules.collateral_ratio
            price = perpetual.collateral_liquidation_price(*opened, self.coins, counted, brackets, behind)
        elif self.rules.inverse:
            size = self.rules.contract_size
            price = perpetual.inverse_liquidation_price(self.quantity, size, self.price, behind, brackets)
        else:
            price = perpetual.liquidation_price(*opened, behind, brackets)
        return price

    @functools.cached_property
    def liquidation(self):
        """Mark price at which the short is liquidated as it is opened (USDT); inf if there is none."""
        return self.dies_at(self.behind)

    @functools.cached_property
    def liquidation_with_reserve(self):
        """Liquidation price once all of a reserve kept aside is posted (USDT)."""
        posted = self.reserve if self.mode == "isolated" else 0.0
        return self.dies_at(self.behind + posted) if posted else self.liquidation

    @property
    def distance(self):
        """Rise from the price today to the liquidation price, a fraction; inf if there is none."""
        return self.liquidation / self.price - 1

    @property
    def alarm_hours(self):
        """Hours for which the holder may not look and whose fastest rise was measured, fewest first."""
        return [hours for hours, rise in self.outlook.fastest.items() if not math.isnan(rise)]

    @property
    def alarm(self):
        """Price (USDT) of the alarm of the fewest hours, at which a reserve is posted."""
        return self.alarm_before(self.liquidation)

    @property
    def alarms(self):
        """Alarm prices (USDT) by their hours."""
        return {hours: self.alarm_before(self.liquidation, hours) for hours in self.alarm_hours}

    def alarm_before(self, liquidation, hours=None):
        """Price (USDT) from which the fastest hours measured, or the fewest, lead to a liquidation price.

        It may lie below the price today: then it rings from the start. Inf if nothing can kill the short;
        halfway to the liquidation price if no hours of the coin were measured.
        """
        hours = hours or next(iter(self.alarm_hours), None)
        if hours is None:
            return (self.price + liquidation) / 2
        return liquidation / (1 + self.outlook.fastest[hours])

    def margin_at(self, price, added=0.0):
        """Margin balance, notional and maintenance margin of the short at a price (margin currency)."""
        notional = self.covered * (self.price / price if self.rules.inverse else price)
        balance = self.balance(price) + added
        if self.margin_from == "collateral":
            balance += self.rules.collateral_ratio * self.coins * price
        return balance, notional, perpetual.maintenance_margin(notional, self.rules.brackets)

    @functools.cached_property
    def outlooks(self):
        """What each judge says of the market, by name; the one that decides comes first."""
        base = self.rules.base
        known = {
            "era": lambda: outlook.Published(base),
            "last 365 days": lambda: outlook.Published(base, recent=True),
        }
        first = {} if self.market is None else {"history": outlook.History(self.market)}
        known = {name: known[name]() for name in sorted(known, key=lambda name: name != self.judge)}
        found = first | known
        if self.volatility is not None or self.funding is not None:
            found = {"mine": outlook.Own(next(iter(found.values())), self.volatility, self.funding)} | found
        return found

    @property
    def outlook(self):
        """What the judge that decides says of the market."""
        return next(iter(self.outlooks.values()))


def worksheet(value):
    """Return `value` if it is a worksheet."""
    return checks.kind("sheet", value, Worksheet, "a planner.Worksheet")
