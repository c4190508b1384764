"""The contracts that the lessons trade: order rules, fees and brackets, each with its date and source.

The numbers stand in ``contracts.toml``.
"""

import datetime
import functools
import importlib.resources
import tomllib
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from hedgelib import checks, perpetual
from hedgelib.perpetual import check_table

_TOLERANCE = 1e-9


@dataclass(frozen=True, repr=False)
class Contract:
    """One perpetual future.

    Parameters
    ----------
    symbol : str
        Name at the exchange, ``"BTCUSDT"``.
    base : str
        The coin, ``"BTC"``.
    margin : str
        What margin, P&L and funding are paid in: ``"USDT"``, or ``"coin"`` for an inverse contract.
    kind : str
        ``"linear"`` or ``"inverse"``.
    tick : float
        Smallest change of a price (USDT; USD if inverse).
    step : float
        Smallest change of a quantity (coin; contracts if inverse).
    minimum_notional, maximum_notional : float
        Smallest order (USDT; USD if inverse), and largest position that `brackets` cover (USDT; coin if
        inverse).
    spot_fee, maker_fee, taker_fee : float
        Fees as fractions of the notional: of a spot trade, of a resting and of an immediate futures order.
    funding_hours : int
        Hours between two settlements.
    funding_cap : float
        Largest funding rate either way (fraction per interval).
    liquidation_fee : float
        Fee on the notional liquidated (fraction).
    brackets : perpetual.Brackets
        Maintenance table (USDT; coin if inverse).
    as_of : datetime.date
        Day from which the brackets are known to hold.
    source : str
        Where the numbers come from.
    contract_size : float, optional
        Value of one contract (USD), for inverse contracts only.

    Raises
    ------
    ValueError
        If a value is missing, out of range, or contradicts another.

    Notes
    -----
    Source: the exchange's trading rules.

    Examples
    --------
    >>> get("BTCUSDT").round_quantity(0.66667)
    0.666
    """

    symbol: str
    base: str
    margin: str
    kind: str
    tick: float
    step: float
    minimum_notional: float
    maximum_notional: float
    spot_fee: float
    maker_fee: float
    taker_fee: float
    funding_hours: int
    funding_cap: float
    liquidation_fee: float
    brackets: perpetual.Brackets
    as_of: datetime.date
    source: str
    contract_size: float | None = None

    def __post_init__(self):
        """Refuse what no contract can be."""
        for name in ("symbol", "base", "source"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise ValueError(f"{name} must be a text, got {getattr(self, name)!r}")
        checks.one_of("kind", self.kind, ("linear", "inverse"))
        checks.one_of("margin", self.margin, ("USDT",) if self.kind == "linear" else ("coin",))
        for name in ("tick", "step", "minimum_notional", "maximum_notional"):
            checks.assign(self, **{name: checks.single(name, getattr(self, name), above=0)})
        for name in ("spot_fee", "maker_fee", "taker_fee", "liquidation_fee", "funding_cap"):
            fraction = checks.single(f"{name} (fraction)", getattr(self, name), at_least=0, below=1)
            checks.assign(self, **{name: fraction})
        checks.assign(self, funding_hours=checks.hours("funding_hours", self.funding_hours))
        check_table(self.brackets)
        # pandas' missing time is a date by its type, but not equal to itself.
        if not isinstance(self.as_of, datetime.date) or self.as_of != self.as_of:
            raise ValueError(f"as_of must be a datetime.date, got {self.as_of!r}")
        if self.inverse:
            size = checks.single("contract_size (USD)", self.contract_size, above=0)
            checks.assign(self, contract_size=size)
        elif self.contract_size is not None:
            raise ValueError("contract_size is for inverse contracts: a linear one is counted in coins")

    def __repr__(self):
        """Name the contract, not its thirty numbers."""
        return f"<Contract {self.symbol} as of {self.as_of}>"

    @property
    def inverse(self):
        """Whether the contract is margined and paid in coin."""
        return self.kind == "inverse"

    @property
    def margin_unit(self):
        """Return what margin, P&L, fees and funding are counted in: ``"USDT"`` or the coin's name."""
        return self.base if self.inverse else "USDT"

    def margin_text(self, amount):
        """Return an amount counted in `margin_unit` as text: cents of USDT, eight decimals of a coin.

        Examples
        --------
        >>> get("BTCUSDT").margin_text(30_000), get("BTCUSD").margin_text(0.5)
        ('30,000.00', '0.50000000')
        """
        amount = checks.single(f"amount ({self.margin_unit})", amount)
        return f"{amount:,.8f}" if self.inverse else f"{amount:,.2f}"

    def round_quantity(self, quantity):
        """Return the quantity rounded DOWN to the step, so that a hedge never exceeds its target.

        Parameters
        ----------
        quantity : float or array
            Coins (linear) or contracts (inverse), 0 or more.

        Returns
        -------
        float or array
            Largest whole number of steps within `quantity`. What misses a whole step by less than a
            billionth of one, which is how 0.3 looks to floating point, counts as whole.

        Raises
        ------
        ValueError
            If the quantity is missing, negative or infinite.

        Notes
        -----
        Source: the exchange's lot size rule.

        Examples
        --------
        >>> get("ETHUSDT").round_quantity([0.3, 6.66667, 0.0009])
        array([0.3  , 6.666, 0.   ])
        """
        steps = checks.number("quantity (coin or contracts)", quantity, at_least=0) / self.step
        nearest = np.rint(steps)
        whole = np.where(np.abs(steps - nearest) <= _TOLERANCE + 1e-15 * steps, nearest, np.floor(steps))
        return checks.plain(_multiple(whole, self.step))

    def round_price(self, price):
        """Return the price rounded to the nearest tick.

        Parameters
        ----------
        price : float or array
            Price of at least one tick (USDT; USD if inverse).

        Returns
        -------
        float or array
            Nearest whole number of ticks.

        Raises
        ------
        ValueError
            If a price is missing, infinite or below one tick.

        Notes
        -----
        Source: the exchange's price filter.

        Examples
        --------
        >>> get("BTCUSDT").round_price(60_000.17)
        60000.2
        """
        price = checks.number("price (USDT or USD)", price, at_least=self.tick)
        return checks.plain(_multiple(np.rint(price / self.tick), self.tick))


def _multiple(count, unit):
    """Return count · unit with the decimals of the unit, so that 3 steps of 0.1 are 0.3."""
    decimals = -Decimal(str(unit)).normalize().as_tuple().exponent
    return np.round(count * unit, max(decimals, 0))


@functools.cache
def _tables():
    """Return the contents of ``contracts.toml``."""
    return tomllib.loads((importlib.resources.files(__package__) / "contracts.toml").read_text("utf-8"))


def symbols():
    """Return the symbols of all contracts known here.

    Returns
    -------
    tuple of str
        The linear ones end in USDT, the inverse (coin-margined) ones in USD.

    Examples
    --------
    >>> symbols()
    ('BTCUSDT', 'ETHUSDT', 'BTCUSD', 'ETHUSD')
    """
    return tuple(_tables())


def get(symbol, as_of=None):
    """Return a contract as it was at a day.

    Parameters
    ----------
    symbol : str
        One of `symbols()`.
    as_of : datetime.date or str, optional
        The day, as a date or as ``"2024-05-30"``; the newest brackets where left out.

    Returns
    -------
    Contract
        With the brackets in force at that day; the other parameters are the newest known.

    Raises
    ------
    ValueError
        If the symbol is unknown, or the day is no date or before the first brackets known.

    Notes
    -----
    Source: ``contracts.toml``, which names its own.

    Examples
    --------
    >>> get("BTCUSDT").brackets.floors[:3], get("BTCUSDT", "2024-06-30").brackets.floors[:3]
    ((0.0, 300000.0, 800000.0), (0.0, 50000.0, 600000.0))
    """
    parameters = dict(_tables()[checks.one_of("symbol", symbol, symbols())])
    tables = parameters.pop("brackets")
    known = [table for table in tables if as_of is None or table["as_of"] <= _day(as_of)]
    if not known:
        dates = ", ".join(str(table["as_of"]) for table in tables)
        raise ValueError(f"no brackets of {symbol} are known as of {as_of}: known from {dates}")
    table = known[-1]
    return Contract(
        symbol=symbol,
        margin="USDT" if parameters["kind"] == "linear" else "coin",
        brackets=perpetual.Brackets(table["floors"], table["rates"], table["amounts"]),
        maximum_notional=table["maximum_notional"],
        as_of=table["as_of"],
        source=f"{parameters.pop('source')}. Brackets: {table['source']}",
        **parameters,
    )


def _day(value):
    """Read a day given as a date, a time or a text."""
    try:
        return datetime.date.fromisoformat(str(value)[:10] if isinstance(value, datetime.date) else value)
    except (TypeError, ValueError):
        raise ValueError(f"as_of must be a date such as '2024-05-30', got {checks.shown(value)}") from None
