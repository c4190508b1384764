"""A holding of coins and the short that protects it: payoff, margin, liquidation price, order ticket."""

import functools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hedgelib import checks, contracts, perpetual

__all__ = ["Hedge"]

SOURCES = ("outside", "coins", "coin_margined", "collateral")
"""Where the margin can come from."""


@dataclass(frozen=True)
class Hedge:
    """Coins held, and a short perpetual future against them.

    The methods take prices as numbers or arrays in USDT per coin (USD if the contract is inverse) and return
    the same. Amounts of margin are USDT (coins if inverse).

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
        coins; the ratio then counts the coins that are left, and x = holding · ratio / (leverage + ratio) are
        sold, whatever the price. ``"coin_margined"``: the coins themselves, by an inverse contract; all of
        them are collateral unless `wallet` says otherwise. ``"collateral"``: the coins themselves, counted at
        the contract's ``collateral_ratio``, behind a contract margined in USDT.
    mode : str, optional
        ``"isolated"``, the default: the short is backed by its own margin. ``"cross"``: by the whole futures
        wallet; coins as collateral know no other mode.
    wallet : float, optional
        What is in the futures wallet, initial margin included. Cross margin from outside: USDT; left out,
        just the initial margin. Coin margin: coins, at most those held; left out, all of them. Collateral:
        USDT beside the coins; left out, none.

    Raises
    ------
    ValueError
        If a number is out of range, or the contract, the margin and the mode do not go together.

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
    mode: str | None = None
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
        checks.one_of("margin_from", self.margin_from, SOURCES)
        if self.mode is None:
            checks.assign(self, mode="cross" if self.margin_from == "collateral" else "isolated")
        checks.one_of("mode", self.mode, ("isolated", "cross"))
        self._check_source()
        if self.wallet is not None:
            self._check_wallet()
        self._check_coins()

    def _check_source(self):
        """Refuse a margin that the contract does not take."""
        contract, source = self.contract, self.margin_from
        if contract.inverse and source != "coin_margined":
            remedy = "use margin_from='coin_margined', or a contract margined in USDT"
            raise ValueError(f"{contract.symbol} is margined in {contract.base}: {remedy}")
        if not contract.inverse and source == "coin_margined":
            remedy = "use an inverse contract such as 'BTCUSD', or margin_from='coins' to sell some"
            raise ValueError(f"{contract.symbol} is margined in USDT, coins cannot be its margin: {remedy}")
        if source != "collateral":
            return
        if self.mode != "cross":
            raise ValueError(
                "coins are collateral of a whole futures wallet: use mode='cross', or leave it out"
            )
        if contract.collateral_ratio is None:
            raise ValueError(
                f"at what share of its value {contract.base} counts as collateral is not known here: use "
                f"margin_from='outside', or a contract with a collateral_ratio"
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

    def _check_coins(self):
        """Refuse coins that are too few to be the margin, at whatever price."""
        if self.contract.inverse:
            there = self.wallet or self.holding
        elif self.margin_from == "collateral" and self.wallet is None:
            there = self.holding * self.contract.collateral_ratio
        else:
            return
        needed = self.ratio * self.holding / self.leverage
        # Coins of exactly the margin must pass whatever its last digit.
        if needed > there * (1 + 1e-12):
            counted = "are there" if self.contract.inverse else "count as collateral"
            raise ValueError(
                f"ratio {self.ratio:g} at leverage {self.leverage:g} needs {needed:g} {self.contract.base} "
                f"of margin, but only {there:g} {counted}: raise the leverage or lower the ratio"
            )

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

    @functools.cached_property
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
        """Coins short of the target; rounding of floating point never makes them less than none."""
        return max(0.0, self.ratio * self.hedged_holding - coins)

    def quantity(self, price):
        """Size of the short when opened at a price, rounded down: coins (linear) or contracts (inverse).

        Examples
        --------
        >>> Hedge(1, 1, 1, "BTCUSD", margin_from="coin_margined").quantity(60_000)
        600.0
        """
        return checks.plain(self._quantity(_price(price)))

    def margin(self, price):
        """Initial margin of the short when opened at a price: USDT, or coins (inverse)."""
        return checks.plain(self._margin(_price(price)))

    def coins_sold(self, price):
        """Coins sold to pay the margin, the same at any price; 0 unless `margin_from` is ``"coins"``."""
        return checks.plain(_for_each(_price(price), self._sold))

    def collateral(self, price):
        """Everything that backs the short when opened at a price, which is what liquidation depends on.

        Isolated: the initial margin (USDT). Cross: the wallet, or what the coins sold brought (USDT). Coin
        margin: the coins in the wallet. Coins as collateral: what they count, and the wallet (USDT). What
        does not cover the initial margin is refused.

        Examples
        --------
        >>> Hedge(1, 1, 2, "BTCUSDT", margin_from="collateral").collateral(60_000)
        57000.0
        """
        return checks.plain(self._collateral(_price(price)))

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
            size = self.contract.contract_size
            short = perpetual.inverse_pnl.unchecked(self._quantity(entry), size, entry, prices) * prices
        else:
            short = perpetual.pnl.unchecked(self.short_quantity, entry, prices)
        # Adding zero turns −0.0 into 0.0.
        columns = {"spot_pnl": spot + 0.0, "short_pnl": short + 0.0, "total_pnl": spot + short}
        return pd.DataFrame(columns, index=pd.Index(prices, name="price"))

    def liquidation_price(self, entry):
        """Mark price at which the short is liquidated; inf if there is none.

        Examples
        --------
        Margin from outside, and the coin itself as collateral:

        >>> round(Hedge(1, 1, 2, "BTCUSDT").liquidation_price(60_000), 2)
        89641.43
        >>> round(Hedge(1, 1, 2, "BTCUSDT", margin_from="collateral").liquidation_price(60_000))
        1088496
        """
        return checks.plain(self._liquidation_price(_price(entry)))

    def distance_to_liquidation(self, entry):
        """Rise of the mark price that liquidates the short, as a fraction of the entry; inf if none does.

        Examples
        --------
        >>> round(Hedge(1, 1, 3, "BTCUSDT").distance_to_liquidation(60_000), 4)
        0.328
        """
        entry = _price(entry)
        return checks.plain(self._liquidation_price(entry) / entry - 1)

    def ticket(self, entry):
        """Return the ``OrderTicket`` that opens the short at one price; ValueError if it would be refused."""
        price = self.contract.round_price(checks.single("entry (USDT or USD)", entry, above=0))
        notional = float(self._notional(price))
        return OrderTicket(
            contract=self.contract,
            quantity=float(self._quantity(price)),
            price=price,
            leverage=self.leverage,
            mode=self.mode,
            notional=notional,
            initial_margin=float(self._margin(price)),
            liquidation_price=float(self._liquidation_price(price)),
            residual=self._unhedged(notional / (1 if self.contract.inverse else price)),
        )

    def _quantity(self, price):
        if self.contract.inverse:
            value = self.ratio * self.holding * price
            return self.contract.round_quantity(value / self.contract.contract_size)
        return _for_each(price, self.short_quantity)

    def _notional(self, price):
        """Value of the short when opened at a price: USDT, or coins if inverse."""
        if self.contract.inverse:
            return self._quantity(price) * self.contract.contract_size / price
        return self.short_quantity * price

    def _margin(self, price):
        return self._notional(price) / self.leverage

    def _collateral(self, price):
        if self.contract.inverse:
            return _for_each(price, self.wallet or self.holding)
        if self.margin_from == "coins" and self.mode == "cross":
            return self._sold * price
        margin = self._margin(price)
        if self.margin_from == "collateral":
            backing = self.holding * self.contract.collateral_ratio * price + (self.wallet or 0.0)
        elif self.wallet is None:
            return margin
        else:
            backing = _for_each(price, self.wallet)
        if np.any(margin > backing * (1 + 1e-12)):
            there = f"{np.min(backing):,.2f} USDT" if self.wallet is None else f"{self.wallet:,.2f} USDT"
            needed = f"{np.max(margin):,.2f} USDT of initial margin"
            raise ValueError(f"a wallet of {there} does not cover {needed}: add to it")
        return backing

    def _liquidation_price(self, entry):
        backing, quantity, brackets = self._collateral(entry), self._quantity(entry), self.contract.brackets
        if self.contract.inverse:
            size = self.contract.contract_size
            return perpetual.inverse_liquidation_price.unchecked(quantity, size, entry, backing, brackets)
        if self.margin_from == "collateral":
            counted, balance = self.contract.collateral_ratio, self.wallet or 0.0
            return perpetual.collateral_liquidation_price.unchecked(
                quantity, entry, self.holding, counted, brackets, balance
            )
        return perpetual.liquidation_price.unchecked(quantity, entry, backing, brackets)


def _price(value):
    return checks.number("price (USDT or USD)", value, above=0)


def _for_each(price, value):
    """Return a value once for each price."""
    return np.full(np.shape(price), value)


class LeverageError(ValueError):
    """The leverage of an order is too high for its size."""


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
        If the exchange would refuse the order, or its brackets are not known so far up.
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
        order = f"the order is worth {self.notional:,.2f} {contract.margin_unit}"
        if self.notional > contract.maximum_notional:
            raise ValueError(
                f"{order}, but the brackets of {contract.symbol} are known only up to "
                f"{contract.maximum_notional:,.0f}: hedge fewer coins"
            )
        if self.leverage > (highest := contract.highest_leverage(self.notional)):
            raise LeverageError(
                f"{order}, and for so much {contract.symbol} allows at most {highest:g}x, not "
                f"{self.leverage:g}x: choose a lower leverage, or hedge fewer coins"
            )
        if self.liquidation_price <= self.price:
            raise LeverageError(
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
        liquidation = ("none: no rise alone liquidates it", "")
        if math.isfinite(self.liquidation_price):
            liquidation = (contract.price_text(self.liquidation_price), currency)
        rows = [
            ("Symbol", self.symbol, ""),
            ("Side", self.side, ""),
            ("Margin mode", self.mode, ""),
            ("Leverage", f"{self.leverage:g}x", ""),
            ("Quantity", f"{self.quantity:,.10g}", "contracts" if contract.inverse else contract.base),
            ("Limit price", contract.price_text(self.price), currency),
            ("Notional", write(self.notional), margin),
            ("Initial margin", write(self.initial_margin), margin),
            ("Liquidation price", *liquidation),
            ("Fee as maker", write(self.maker_fee), margin),
            ("Fee as taker", write(self.taker_fee), margin),
            ("Left unhedged by rounding", f"{self.residual:.6f}", contract.base),
        ]
        return pd.DataFrame(rows, columns=["field", "value", "unit"]).set_index("field")
