"""The contracts that the lessons trade: order rules, fees and brackets, each with its date and source.

The numbers stand in ``contracts.toml``.
"""

import datetime
import functools
import importlib.resources
import tomllib
from dataclasses import dataclass, fields
from decimal import Decimal

import numpy as np
import pandas as pd

from hedgelib import checks, perpetual

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
        Day from which the brackets are known to hold; `sources` tells that of every parameter.
    source : str
        Where the numbers come from.
    contract_size : float, optional
        Value of one contract (USD), for inverse contracts only.
    collateral_ratio : float, optional
        Share of the coin's value that counts as margin in the futures wallet (fraction), for linear contracts
        of a coin that the exchange takes as collateral.
    forced_sale_below : float, optional
        Realised balance (USDT, 0 or less) below which the exchange sells such coins.

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
    collateral_ratio: float | None = None
    forced_sale_below: float | None = None

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
        checks.kind("brackets", self.brackets, perpetual.Brackets, "a perpetual.Brackets")
        # pandas' missing time is a date by its type, but not equal to itself.
        if not isinstance(self.as_of, datetime.date) or self.as_of != self.as_of:
            raise ValueError(f"as_of must be a datetime.date, got {self.as_of!r}")
        if self.inverse:
            size = checks.single("contract_size (USD)", self.contract_size, above=0)
            checks.assign(self, contract_size=size)
        for name in ("collateral_ratio", "forced_sale_below") if self.inverse else ("contract_size",):
            if getattr(self, name) is not None:
                other = "linear" if self.inverse else "inverse"
                raise ValueError(
                    f"{name} is for {other} contracts, and this one is {self.kind}: leave it out"
                )
        if self.collateral_ratio is not None:
            ratio = checks.single("collateral_ratio (fraction)", self.collateral_ratio, above=0, at_most=1)
            checks.assign(self, collateral_ratio=ratio)
        if self.forced_sale_below is not None:
            balance = checks.single("forced_sale_below (USDT)", self.forced_sale_below, at_most=0)
            checks.assign(self, forced_sale_below=balance)

    def __repr__(self):
        """Name the contract, not its thirty numbers."""
        return f"<Contract {self.symbol} as of {self.as_of}>"

    @property
    def inverse(self):
        """Whether the contract is margined and paid in coin."""
        return self.kind == "inverse"

    @property
    def margin_unit(self):
        """What margin, P&L, fees and funding are counted in: ``"USDT"`` or the coin's name."""
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

    def price_text(self, price):
        """Return a price (USDT; USD if inverse) as text, with the decimals of the tick but at least two.

        Examples
        --------
        >>> get("BTCUSDT").price_text(60_000), get("DOGEUSDT").price_text(0.12345)
        ('60,000.00', '0.12345')
        """
        return f"{checks.single('price (USDT or USD)', price, above=0):,.{max(_decimals(self.tick), 2)}f}"

    @checks.arguments(quantity=checks.numbers("coin or contracts", at_least=0))
    def round_quantity(self, quantity):
        """Return a quantity (coin; contracts if inverse) rounded DOWN to the step.

        So a hedge never exceeds its target. What misses a whole step by less than a billionth of one, which
        is how 0.3 looks to floating point, counts as whole.

        Examples
        --------
        >>> get("ETHUSDT").round_quantity([0.3, 6.66667, 0.0009])
        array([0.3  , 6.666, 0.   ])
        """
        steps = quantity / self.step
        nearest = np.rint(steps)
        whole = np.where(np.abs(steps - nearest) <= _TOLERANCE + 1e-15 * steps, nearest, np.floor(steps))
        return _multiple(whole, self.step)

    def round_price(self, price):
        """Return a price (USDT; USD if inverse) of at least one tick, rounded to the nearest tick.

        Examples
        --------
        >>> get("BTCUSDT").round_price(60_000.17)
        60000.2
        """
        price = checks.number("price (USDT or USD)", price, at_least=self.tick)
        return checks.plain(_multiple(np.rint(price / self.tick), self.tick))

    @checks.arguments(notional=checks.numbers("USDT or coin", at_least=0))
    def highest_leverage(self, notional):
        """Return the highest leverage allowed for a position of this size (USDT; coin if inverse).

        It is infinite where the exchange's limits are not known here.

        Examples
        --------
        >>> get("BTCUSDT").highest_leverage([60_000, 2_700_000, 120_000_000])
        array([150.,  75.,  10.])
        """
        if self.brackets.leverages is None:
            return np.full(np.shape(notional), np.inf)
        return np.take(self.brackets.leverages, self.brackets.at(notional))


def _multiple(count, unit):
    """Return count · unit with the decimals of the unit, so that 3 steps of 0.1 are 0.3."""
    return np.round(count * unit, _decimals(unit))


def _decimals(unit):
    return max(-Decimal(str(unit)).normalize().as_tuple().exponent, 0)


def symbols():
    """Return the symbols of all contracts known here.

    Returns
    -------
    tuple of str
        The linear ones end in USDT, the inverse (coin-margined) ones in USD.

    Examples
    --------
    >>> symbols()[:2], "BTCUSD" in symbols()
    (('BTCUSDT', 'ETHUSDT'), True)
    """
    return tuple(name for name in _book() if name not in ("linear", "inverse"))


def get(symbol, as_of=None):
    """Return a contract as it was at a time.

    Parameters
    ----------
    symbol : str
        One of `symbols()`.
    as_of : datetime.date, datetime.datetime or str, optional
        A day, as a date or as ``"2024-05-30"``, means its end; a time is in UTC unless it says otherwise.
        Left out, the newest numbers.

    Returns
    -------
    Contract
        Each parameter as it was in force; one that is known only from later on, as it was first known. For
        brackets there must be a table of that time.

    Examples
    --------
    >>> get("BTCUSDT").minimum_notional, get("BTCUSDT", "2026-04-13").minimum_notional
    (50.0, 100.0)
    """
    return _contract(checks.one_of("symbol", symbol, symbols()), _moment(as_of))


def sources(symbol, as_of=None):
    """Return since when each parameter of a contract is known to hold, and from where.

    Parameters
    ----------
    symbol, as_of
        As in `get`.

    Returns
    -------
    pandas.DataFrame
        Index ``parameter``; columns ``value``, ``as_of``, ``source``.

    Examples
    --------
    >>> sources("BTCUSDT").loc["taker_fee", ["value", "as_of"]].tolist()
    [0.0005, datetime.date(2026, 10, 12)]
    """
    entries = _entries(checks.one_of("symbol", symbol, symbols()), _moment(as_of))
    rows = []
    for name in (field.name for field in fields(Contract) if field.name in entries):
        value, entry = entries[name][name], entries[name]
        shown = f"{len(value['floors'])} brackets" if name == "brackets" else value
        rows.append((name, shown, entry["as_of"], entry["source"]))
    return pd.DataFrame(rows, columns=["parameter", "value", "as_of", "source"]).set_index("parameter")


@functools.cache
def _book():
    """Return the contents of ``contracts.toml``: for each symbol or kind its entries, the newest last."""
    tables = tomllib.loads((importlib.resources.files(__package__) / "contracts.toml").read_text("utf-8"))
    return {name: sorted(entries, key=_since) for name, entries in tables.items()}


def _entries(symbol, moment):
    """Return for each parameter of a contract the entry that holds at a moment, or else its first one."""
    own = _book()[symbol]
    kind = next(entry["kind"] for entry in own if "kind" in entry)
    found = {}
    for entry in sorted([*_book()[kind], *own], key=_since):
        for name in entry.keys() - {"as_of", "source"}:
            if name not in found or _since(entry) <= moment:
                found[name] = entry
    return found


@functools.lru_cache
def _contract(symbol, moment):
    """Make a contract once for each time that is asked for: it is a value, and has many brackets to check."""
    entries = _entries(symbol, moment)
    if _since(entries["brackets"]) > moment:
        dates = ", ".join(str(entry["as_of"]) for entry in _book()[symbol] if "brackets" in entry)
        raise ValueError(f"no brackets of {symbol} are known as of {moment:%Y-%m-%d}: known from {dates}")
    texts = dict.fromkeys(f"{entry['source']} ({entry['as_of']})" for entry in entries.values())
    values = {name: entry[name] for name, entry in entries.items()}
    return Contract(
        **values
        | {
            "symbol": symbol,
            "margin": "USDT" if values["kind"] == "linear" else "coin",
            "brackets": perpetual.Brackets(**values["brackets"]),
            "as_of": entries["brackets"]["as_of"],
            "source": "; ".join(texts),
        }
    )


def _since(entry):
    """Return the moment from which an entry counts."""
    day = entry["as_of"]
    return day if isinstance(day, datetime.datetime) else _at(day, datetime.time.min)


def _moment(value):
    """Read a time, a day as its end; None is the end of all days."""
    try:
        if value is None:
            value = datetime.date.max
        if isinstance(value, str):
            read = datetime.datetime if len(value) > len("2024-05-30") else datetime.date
            value = read.fromisoformat(value)
        if value != value:  # pandas' missing time
            raise ValueError
        if not isinstance(value, datetime.datetime):
            return _at(value, datetime.time.max)
        return value.astimezone(datetime.UTC) if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"as_of must be a date such as '2024-05-30' or a time, got {checks.shown(value)}"
        ) from None


def _at(day, time):
    """Return a time of a day, in UTC."""
    return datetime.datetime.combine(day, time, tzinfo=datetime.UTC)
