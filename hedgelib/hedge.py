"""A holding of coins and the short that protects it: payoff, margin, liquidation price, order ticket."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hedgelib import checks, contracts, perpetual

__all__ = ["Hedge"]


@dataclass(frozen=True)
class Hedge:
    """Coins held, and a short perpetual future against them.

    Parameters
    ----------
    holding : float
        Coins held before anything is done, above 0.
    ratio : float
        Share of the coins that is shorted: 0 none, 1 all, above 1 (to 3) an overhedge that bets on a fall.
    leverage : float
        Notional per unit of initial margin, 1 to 150.
    contract : Contract or str
        What is shorted: a contract, or its symbol.
    margin_from : str
        Where the margin comes from. ``"outside"``: USDT from elsewhere. ``"coins"``: USDT from selling some
        coins; the ratio then counts the coins that are left. ``"coin_margined"``: the coins themselves, by
        an inverse contract; all of them are collateral unless `wallet` says otherwise.
    mode : str
        ``"isolated"``: the short is backed by its own margin. ``"cross"``: by the whole futures wallet.
    wallet : float, optional
        What is in the futures wallet, initial margin included. Cross margin from outside: USDT; left out,
        just the initial margin. Coin margin: coins, at most those held; left out, all of them.

    Raises
    ------
    ValueError
        If a number is out of range, or the contract, the margin and the mode do not go together. Its methods
        raise it for a price that is missing, infinite or not above 0.

    Notes
    -----
    The methods take prices as numbers or arrays in USDT per coin (USD if the contract is inverse) and return
    the same. Amounts of margin are USDT (coins if inverse).

    Source: definition. Selling x coins pays for the short of the others when
    x = ratio · (holding − x) / leverage, so x = holding · ratio / (leverage + ratio), whatever the price.

    Examples
    --------
    One bitcoin, fully hedged at 2x and 60,000 USDT; paying the margin from the coin takes a third of it:

    >>> Hedge(1, ratio=1, leverage=2, contract="BTCUSDT").margin(60_000)
    30000.0
    >>> Hedge(1, ratio=1, leverage=2, contract="BTCUSDT", margin_from="coins").coins_sold(60_000)
    0.3333333333333333
    """

    holding: float
    ratio: float
    leverage: float
    contract: contracts.Contract
    margin_from: str = "outside"
    mode: str = "isolated"
    wallet: float | None = None

    def __post_init__(self):
        """Check the numbers and that they go together."""
        contract = self.contract
        if not isinstance(contract, contracts.Contract):
            contract = contracts.get(contract)
        checks.assign(
            self,
            holding=checks.single("holding (coin)", self.holding, above=0),
            ratio=checks.single("ratio (share of the holding)", self.ratio, at_least=0, at_most=3),
            leverage=checks.single("leverage", self.leverage, at_least=1, at_most=150),
            contract=contract,
        )
        checks.one_of("margin_from", self.margin_from, ("outside", "coins", "coin_margined"))
        checks.one_of("mode", self.mode, ("isolated", "cross"))
        if contract.inverse and self.margin_from != "coin_margined":
            remedy = "use margin_from='coin_margined', or a contract margined in USDT"
            raise ValueError(f"{contract.symbol} is margined in {contract.base}: {remedy}")
        if not contract.inverse and self.margin_from == "coin_margined":
            remedy = "use an inverse contract such as 'BTCUSD', or margin_from='coins' to sell some"
            raise ValueError(f"{contract.symbol} is margined in USDT, coins cannot be its margin: {remedy}")
        if self.wallet is not None:
            self._check_wallet()
        there = self.wallet or self.holding
        needed = self.ratio * self.holding / self.leverage
        # A wallet of exactly the margin must pass whatever its last digit.
        if contract.inverse and needed > there * (1 + 1e-12):
            raise ValueError(
                f"ratio {self.ratio:g} at leverage {self.leverage:g} needs {needed:g} {contract.base} of "
                f"margin, but only {there:g} are there: raise the leverage or lower the ratio"
            )

    def _check_wallet(self):
        """Refuse a wallet that the margin does not come from."""
        if self.margin_from == "coins":
            raise ValueError("wallet must be left out with margin_from='coins': the coins sold fill it")
        if self.margin_from == "outside" and self.mode == "isolated":
            raise ValueError("wallet is for mode='cross': an isolated short is backed by its own margin only")
        limit = {"at_most": self.holding} if self.contract.inverse else {}
        wallet = checks.single(f"wallet ({self.contract.margin_unit})", self.wallet, above=0, **limit)
        checks.assign(self, wallet=wallet)

    @property
    def hedged_holding(self):
        """Coins left after those sold for margin."""
        return self.holding - self._sold

    @property
    def _sold(self):
        """Coins sold for margin."""
        if self.margin_from != "coins":
            return 0.0
        return self.holding * self.ratio / (self.leverage + self.ratio)

    @property
    def short_quantity(self):
        """Coins shorted, rounded down to the step; linear contracts only, see `quantity`."""
        if self.contract.inverse:
            raise ValueError("a coin-margined quantity depends on the price: ask quantity(price)")
        return self.contract.round_quantity(self.ratio * self.hedged_holding)

    @property
    def residual(self):
        """Coins that rounding leaves unhedged; linear contracts only, see `ticket`."""
        return self._unhedged(self.short_quantity)

    def _unhedged(self, coins):
        """Coins short of the target, free of the negative crumbs of floating point."""
        return max(0.0, self.ratio * self.hedged_holding - coins)

    def quantity(self, price):
        """Size of the short when opened at a price, rounded down: coins (linear) or contracts (inverse).

        Examples
        --------
        >>> Hedge(1, 1, 1, "BTCUSD", margin_from="coin_margined").quantity(60_000)
        600.0
        """
        price = _check(price)
        if self.contract.inverse:
            value = self.ratio * self.holding * price
            return self.contract.round_quantity(value / self.contract.contract_size)
        return _alike(price, self.short_quantity)

    def margin(self, price):
        """Initial margin of the short when opened at a price: USDT, or coins (inverse)."""
        price = _check(price)
        return checks.plain(self._notional(price) / self.leverage)

    def coins_sold(self, price):
        """Coins sold to pay the margin, the same at any price; 0 unless `margin_from` is ``"coins"``."""
        return _alike(_check(price), self._sold)

    def collateral(self, price):
        """Everything that backs the short when opened at a price, which is what liquidation depends on.

        Isolated: the initial margin (USDT). Cross: the wallet, or what the coins sold brought (USDT). Coin
        margin: the coins in the wallet. A wallet that does not cover the initial margin is refused.
        """
        price = _check(price)
        if self.contract.inverse:
            return _alike(price, self.wallet or self.holding)
        if self.mode == "cross" and self.margin_from == "coins":
            return checks.plain(self.coins_sold(price) * price)
        margin = self.margin(price)
        if self.wallet is None:
            return margin
        if np.any(margin > self.wallet):
            needed = f"{np.max(margin):,.2f} USDT of initial margin"
            raise ValueError(f"a wallet of {self.wallet:,.2f} USDT does not cover {needed}: add to it")
        return _alike(price, self.wallet)

    def payoff(self, entry, prices):
        """Gain and loss at given prices, before fees and funding, if the short is not liquidated.

        Returns
        -------
        pandas.DataFrame
            Index ``price``; columns ``spot_pnl`` of the coins left, ``short_pnl`` and ``total_pnl``, in USDT
            (USD if inverse: the short's coins at the price looked at).

        Examples
        --------
        >>> Hedge(1, 0.5, 2, "BTCUSDT").payoff(60_000, [70_000, 50_000])
               spot_pnl  short_pnl  total_pnl
        price
        70000.0   10000.0    -5000.0     5000.0
        50000.0  -10000.0     5000.0    -5000.0
        """
        entry = checks.single("entry (USDT or USD)", entry, above=0)
        prices = checks.row("prices (USDT or USD)", prices, above=0)
        spot = self.hedged_holding * (prices - entry)
        if self.contract.inverse:
            contracts_short, size = self.quantity(entry), self.contract.contract_size
            short = perpetual.inverse_pnl(contracts_short, size, entry, prices) * prices
        else:
            short = perpetual.pnl(self.short_quantity, entry, prices)
        columns = {"spot_pnl": spot, "short_pnl": short, "total_pnl": spot + short}
        return pd.DataFrame(columns, index=pd.Index(prices, name="price"))

    def liquidation_price(self, entry):
        """Mark price at which the short is liquidated; inf if there is none.

        Examples
        --------
        >>> round(Hedge(1, 1, 2, "BTCUSDT").liquidation_price(60_000), 2)
        89641.43
        """
        entry = _check(entry)
        quantity, opened = self.quantity(entry), (entry, self.collateral(entry), self.contract.brackets)
        if self.contract.inverse:
            return perpetual.inverse_liquidation_price(quantity, self.contract.contract_size, *opened)
        return perpetual.liquidation_price(quantity, *opened)

    def distance_to_liquidation(self, entry):
        """Rise of the mark price that liquidates the short, as a fraction of the entry; inf if none does.

        Examples
        --------
        >>> round(Hedge(1, 1, 3, "BTCUSDT").distance_to_liquidation(60_000), 4)
        0.328
        """
        return checks.plain(self.liquidation_price(entry) / _check(entry) - 1)

    def ticket(self, entry):
        """Return the ``OrderTicket`` that opens the short at one price; ValueError if it would be refused."""
        price = self.contract.round_price(checks.single("entry (USDT or USD)", entry, above=0))
        notional = self._notional(price)
        return OrderTicket(
            contract=self.contract,
            quantity=self.quantity(price),
            price=price,
            leverage=self.leverage,
            mode=self.mode,
            notional=notional,
            initial_margin=self.margin(price),
            liquidation_price=self.liquidation_price(price),
            residual=self._unhedged(notional / (1 if self.contract.inverse else price)),
        )

    def _notional(self, price):
        """Value of the short when opened at a price: USDT, or coins if inverse."""
        if self.contract.inverse:
            return self.quantity(price) * self.contract.contract_size / price
        return self.short_quantity * price


def _check(price):
    """Check a price."""
    return checks.number("price (USDT or USD)", price, above=0)


def _alike(price, value):
    """Return the value once for each price."""
    return checks.plain(np.full(np.shape(price), value))


class ThinMarginError(ValueError):
    """The margin of an order is below the maintenance margin that its size asks for."""


@dataclass(frozen=True)
class OrderTicket:
    """A limit order that sells a perpetual future, checked against the rules of its contract.

    Parameters
    ----------
    contract : Contract
        What is sold.
    quantity : float
        Coins (linear) or contracts (inverse), a whole number of steps.
    price : float
        Limit price (USDT; USD if inverse), a whole number of ticks.
    leverage : float
        Leverage to set before ordering.
    mode : str
        Margin mode to set before ordering: ``"isolated"`` or ``"cross"``.
    notional : float
        Value of the order (USDT; coin if inverse).
    initial_margin : float
        Margin that the order takes (USDT; coin if inverse).
    liquidation_price : float
        Mark price at which the short is liquidated (USDT; USD if inverse); inf if none.
    residual : float
        Coins that rounding leaves unhedged.

    Raises
    ------
    ValueError
        If the exchange would refuse the order as too small, its brackets are not known so far up, or its
        margin is below the maintenance margin from the start.

    Notes
    -----
    Source: the exchange's order rules; see ``contracts.toml``.
    """

    contract: contracts.Contract
    quantity: float
    price: float
    leverage: float
    mode: str
    notional: float
    initial_margin: float
    liquidation_price: float
    residual: float

    def __post_init__(self):
        """Refuse what the exchange would refuse."""
        contract = self.contract
        currency = "USD" if contract.inverse else "USDT"
        worth = self.notional * self.price if contract.inverse else self.notional
        # A whole contract is worth its size only to floating-point accuracy.
        if worth < contract.minimum_notional * (1 - 1e-9):
            raise ValueError(
                f"the order is worth {worth:,.2f} {currency}, below the minimum of "
                f"{contract.minimum_notional:,.2f} for {contract.symbol}: hedge more coins, or a larger share"
            )
        if self.notional > contract.maximum_notional:
            raise ValueError(
                f"the order is worth {self.notional:,.2f} {contract.margin_unit}, but the brackets of "
                f"{contract.symbol} are known only up to {contract.maximum_notional:,.0f}: hedge fewer coins"
            )
        if self.liquidation_price <= self.price:
            raise ThinMarginError(
                f"the short would be liquidated as it opens: at {self.leverage:g}x its margin is below the "
                "maintenance margin of so large an order: choose a lower leverage, or hedge fewer coins"
            )

    @property
    def symbol(self):
        """Name of the contract at the exchange."""
        return self.contract.symbol

    @property
    def side(self):
        """``"SELL"``: a hedge of coins held is opened by selling."""
        return "SELL"

    @property
    def maker_fee(self):
        """Fee if the order rests in the book before it fills (USDT; coin if inverse)."""
        return self.notional * self.contract.maker_fee

    @property
    def taker_fee(self):
        """Fee if the order fills at once (USDT; coin if inverse)."""
        return self.notional * self.contract.taker_fee

    def table(self):
        """Return the ticket as a table for reading.

        Returns
        -------
        pandas.DataFrame
            One row per field of the order form, columns ``value`` and ``unit``.
        """
        contract, margin, write = self.contract, self.contract.margin_unit, self.contract.margin_text
        currency = "USD" if contract.inverse else "USDT"
        liquidation = (f"{self.liquidation_price:,.2f}", currency)
        if math.isinf(self.liquidation_price):
            liquidation = ("none: no rise alone liquidates it", "")
        rows = [
            ("Symbol", self.symbol, ""),
            ("Side", self.side, ""),
            ("Margin mode", self.mode, ""),
            ("Leverage", f"{self.leverage:g}x", ""),
            ("Quantity", f"{self.quantity:,.10g}", "contracts" if contract.inverse else contract.base),
            ("Limit price", f"{self.price:,.2f}", currency),
            ("Notional", write(self.notional), margin),
            ("Initial margin", write(self.initial_margin), margin),
            ("Liquidation price", *liquidation),
            ("Fee as maker", write(self.maker_fee), margin),
            ("Fee as taker", write(self.taker_fee), margin),
            ("Left unhedged by rounding", f"{self.residual:.6f}", contract.base),
        ]
        return pd.DataFrame(rows, columns=["field", "value", "unit"]).set_index("field")
