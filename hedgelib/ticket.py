"""The order that opens a hedge, as it would be typed at the exchange."""

import math
from dataclasses import dataclass

import pandas as pd

from hedgelib import contracts


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
