"""The arithmetic of a perpetual future: profit and loss, margin, liquidation and bankruptcy price.

A short has side −1 (the default), a long +1. Numbers, or arrays that broadcast together, go in and come out.
Linear contracts are margined and paid in USDT, inverse ones in coin.
"""

import functools
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from hedgelib import checks

__all__ = [
    "Brackets",
    "bankruptcy_price",
    "collateral_liquidation_price",
    "initial_margin",
    "inverse_liquidation_price",
    "inverse_pnl",
    "liquidation_price",
    "maintenance_margin",
    "pnl",
]

_COINS = checks.numbers("coin", at_least=0)
_PRICE = checks.numbers("USDT", above=0)
_MARGIN = checks.numbers("USDT", at_least=0)
_INVERSE = {
    "contracts": checks.numbers(at_least=0),
    "size": checks.numbers("USD per contract", above=0),
    "entry": checks.numbers("USD", above=0),
    "side": checks.side,
}
OUT_OF_REACH = 1e9
"""Times the entry: a liquidation price beyond it exists on paper only, and counts as none."""


@checks.arguments(quantity=_COINS, entry=_PRICE, exit=_PRICE, side=checks.side)
def pnl(quantity, entry, exit, side=-1):
    """Profit and loss of a linear position (USDT), gross of fees and funding.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    entry, exit : float or array
        Entry price, and exit or mark price (USDT per coin).
    side : int or array
        −1 short, +1 long.

    Examples
    --------
    The hedge of 1 BTC at 60,000 USDT when the price rises to 70,000:

    >>> pnl(quantity=1, entry=60_000, exit=70_000)
    -10000.0
    """
    return side * quantity * (exit - entry)


@checks.arguments(quantity=_COINS, price=_PRICE, leverage=checks.numbers(at_least=1))
def initial_margin(quantity, price, leverage):
    """Margin (USDT) that opening a linear position takes.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    price : float or array
        Entry price, or the mark price for the margin of today (USDT per coin).
    leverage : float or array
        Notional per unit of margin, 1 or more. It decides the margin, never P&L, fees or funding.

    Examples
    --------
    >>> initial_margin(quantity=1, price=60_000, leverage=[2, 3])
    array([30000., 20000.])
    """
    return quantity * price / leverage


@dataclass(frozen=True)
class Brackets:
    """The maintenance margin table of one contract: the larger the position, the higher the rate.

    A cap belongs to the lower bracket, and the last bracket has no cap. The amounts are what makes the
    maintenance margin continuous where one bracket ends and the next begins.

    Parameters
    ----------
    floors : sequence of float, shape (k,)
        Notional at which each bracket begins, ascending from 0, in USDT (linear) or coin (inverse).
    rates : sequence of float, shape (k,)
        Maintenance margin rate of each bracket as a fraction of the notional, never falling.
    amounts : sequence of float, shape (k,), optional
        Maintenance amount ("cum") of each bracket, in the unit of `floors`; calculated where left out.
    leverages : sequence of float, shape (k,), optional
        Highest leverage that the exchange allows in each bracket, never rising; left out where it is not
        known.

    Raises
    ------
    ValueError
        If the table is out of order, or the given amounts break
        amount_k = amount_(k−1) + floor_k · (rate_k − rate_(k−1)).

    Examples
    --------
    >>> Brackets(floors=(0, 300_000, 800_000), rates=(0.004, 0.005, 0.0065)).amounts
    (0.0, 300.0, 1500.0)
    """

    floors: tuple[float, ...]
    rates: tuple[float, ...]
    amounts: tuple[float, ...] | None = None
    leverages: tuple[float, ...] | None = None

    def __post_init__(self):
        """Check the table and fill in the amounts."""
        floors = checks.number("floors (USDT or coin)", self.floors, at_least=0)
        rates = checks.number("rates (fraction)", self.rates, at_least=0, below=1)
        if np.ndim(floors) != 1 or np.shape(floors) != np.shape(rates) or not np.size(floors):
            raise ValueError(
                f"floors and rates must be two lists of one length, got shapes {np.shape(floors)} "
                f"and {np.shape(rates)}"
            )
        if floors[0] != 0 or np.any(np.diff(floors) <= 0):
            raise ValueError(f"floors must ascend from 0, got {floors.tolist()}")
        if np.any(np.diff(rates) < 0):
            raise ValueError(f"rates must not fall from one bracket to the next, got {rates.tolist()}")
        expected = _continuous_amounts(floors, rates)
        if self.amounts is not None:
            given = checks.number("amounts (USDT or coin)", self.amounts, at_least=0)
            if np.shape(given) != np.shape(floors) or not np.allclose(given, expected, rtol=1e-9, atol=1e-9):
                raise ValueError(
                    "amounts must follow amount = previous amount + floor · (rate − previous rate), "
                    f"which gives {list(expected)}, got {np.asarray(given).tolist()}"
                )
        checks.assign(self, floors=tuple(floors.tolist()), rates=tuple(rates.tolist()), amounts=expected)
        if self.leverages is not None:
            leverages = checks.row("leverages", self.leverages, len(floors), at_least=1)
            if np.any(np.diff(leverages) > 0):
                raise ValueError(f"leverages must not rise with the notional, got {leverages.tolist()}")
            checks.assign(self, leverages=tuple(leverages.tolist()))

    def at(self, notional):
        """Return the place of the bracket that a notional falls in, counted from 0."""
        return np.maximum(np.searchsorted(self.floors, notional, side="left") - 1, 0)

    def critical_notional(self, constant, side, slope=None):
        """Return the notional at which constant + slope · notional has fallen to its maintenance.

        The slope is the side where only the position itself gains and loses. Each bracket is a line, and
        because the rates never fall maintenance is the highest of these lines. The line that is met first is
        therefore the answer, and the notional found lies in its own bracket. Where none is met it is infinite
        for side −1, whose notional grows as it loses, and 0 for side +1.
        """
        constant, slope = (
            np.asarray(constant)[..., None],
            np.asarray(side if slope is None else slope)[..., None],
        )
        sign = np.asarray(side)[..., None]
        met = _divide(-(constant + self.amounts), sign * (slope - self.rates), otherwise=-np.inf)
        return np.maximum(side * np.max(met, axis=-1), 0.0)


def _continuous_amounts(floors, rates):
    """Return the amounts that make the table continuous; exact in decimals, so that 300 is 300."""
    amounts = [Decimal(0)]
    for k in range(1, len(floors)):
        step = Decimal(str(rates[k])) - Decimal(str(rates[k - 1]))
        amounts.append(amounts[-1] + Decimal(str(floors[k])) * step)
    return tuple(map(float, amounts))


_TABLE = functools.partial(checks.kind, accepted=Brackets, words="a perpetual.Brackets")


@checks.arguments(notional=checks.numbers("USDT or coin", at_least=0), brackets=_TABLE)
def maintenance_margin(notional, brackets):
    """Least margin balance that keeps a position alive: notional · rate − amount of the bracket it falls in.

    Parameters
    ----------
    notional : float or array
        Position value at the mark price, 0 or more, in the unit of the brackets (USDT; coin if inverse).
    brackets : Brackets
        Maintenance table of the contract.

    Examples
    --------
    >>> table = Brackets(floors=(0, 300_000), rates=(0.004, 0.005))
    >>> maintenance_margin([60_000, 300_000, 400_000], table)
    array([ 240., 1200., 1700.])
    """
    bracket = brackets.at(notional)
    return notional * np.take(brackets.rates, bracket) - np.take(brackets.amounts, bracket)


@checks.arguments(
    quantity=_COINS,
    entry=_PRICE,
    margin=_MARGIN,
    brackets=_TABLE,
    side=checks.side,
    other_pnl=checks.numbers("USDT"),
    other_maintenance=_MARGIN,
)
def liquidation_price(quantity, entry, margin, brackets, side=-1, other_pnl=0.0, other_maintenance=0.0):
    """Mark price (USDT) at which the balance of a linear position has fallen to its maintenance margin.

    The bracket is the one that the notional falls in *at the liquidation price*, not at the entry.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    entry : float or array
        Entry price (USDT per coin).
    margin : float or array
        Isolated: the USDT posted to the position. Cross: the balance of the whole futures wallet.
    brackets : Brackets
        Maintenance table of the contract, in USDT.
    side : int or array
        −1 short, +1 long.
    other_pnl, other_maintenance : float or array
        Cross only: unrealised P&L and maintenance margin of all other positions (USDT).

    Returns
    -------
    float or array
        A short is liquidated at this price and above, a long at this price and below: inf is a short and 0 a
        long that no price liquidates, 0 a short that every price does. A margin too small from the start
        gives a price on the profitable side of the entry.

    Notes
    -----
    Source: the exchange's formula for one-way mode,
    (margin + other_pnl − other_maintenance + amount − side · quantity · entry) / (quantity · (rate − side)).

    Examples
    --------
    A short of 1 BTC at 60,000 USDT with the margin of 2x and of 3x:

    >>> table = Brackets(floors=(0, 300_000), rates=(0.004, 0.005))
    >>> liquidation_price(1, 60_000, [30_000, 20_000], table).round(2)
    array([89641.43, 79681.27])
    """
    constant = margin + other_pnl - other_maintenance - side * quantity * entry
    return _divide(brackets.critical_notional(constant, side), quantity, otherwise=_never(side))


@checks.arguments(
    quantity=_COINS,
    entry=_PRICE,
    coins=_COINS,
    collateral_ratio=checks.numbers("fraction", at_least=0, at_most=1),
    brackets=_TABLE,
    balance=checks.numbers("USDT"),
)
def collateral_liquidation_price(quantity, entry, coins, collateral_ratio, brackets, balance=0.0):
    """Mark price (USDT) at which a short is liquidated that the coins themselves back, counted at a haircut.

    As the price rises the coins gain what the short loses, so that only the haircut, and whatever is shorted
    beyond the coins, brings liquidation nearer.

    Parameters
    ----------
    quantity : float or array
        Coins shorted, 0 or more.
    entry : float or array
        Entry price (USDT per coin).
    coins : float or array
        Coins in the futures wallet, 0 or more: the same coin as the one shorted.
    collateral_ratio : float or array
        Share of the coins' value that counts as margin (fraction): 0.95 is a haircut of 5 %.
    brackets : Brackets
        Maintenance table of the contract, in USDT.
    balance : float or array
        USDT in the same wallet; below 0 where realised losses, fees and funding are owed.

    Returns
    -------
    float or array
        The short is liquidated at this price and above; inf if no price does it.

    Notes
    -----
    Source: rules of the exchange's Multi-Assets mode, cross margin, one position. The price is where
    balance + collateral_ratio · coins · price + quantity · (entry − price) is the maintenance margin, in the
    bracket of the notional at that price. Assumed: the collateral is valued at the mark price of the
    contract, one ratio holds for any number of coins, and nothing is realised on the way (a balance owed
    beyond the exchange's limit is paid by selling coins).

    Examples
    --------
    1 BTC behind 1 BTC shorted at 60,000, counted at 95, 90 and 80 %; and behind half of it:

    >>> table = Brackets(floors=(0, 300_000, 800_000), rates=(0.004, 0.005, 0.0065))
    >>> collateral_liquidation_price(1, 60_000, 1, [0.95, 0.9, 0.8], table).round()
    array([1088496.,  574286.,  294118.])
    >>> collateral_liquidation_price(0.5, 60_000, 1, 0.95, table)
    inf
    """
    slope = _divide(collateral_ratio * coins, quantity, otherwise=np.inf) - 1
    notional = brackets.critical_notional(balance + quantity * entry, -1, slope)
    return _divide(notional, quantity, otherwise=np.inf)


@checks.arguments(quantity=_COINS, entry=_PRICE, margin=_MARGIN, side=checks.side)
def bankruptcy_price(quantity, entry, margin, side=-1):
    """Price (USDT) at which the loss of a linear position equals its margin, fees ignored.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    entry : float or array
        Entry price (USDT per coin).
    margin : float or array
        Margin posted to the position (USDT). With that of leverage L the price is entry · (1 − side / L).
    side : int or array
        −1 short, +1 long.

    Returns
    -------
    float or array
        inf (short) or 0 (long) where no price is bad enough.

    Examples
    --------
    >>> bankruptcy_price(quantity=1, entry=60_000, margin=20_000)
    80000.0
    """
    return np.maximum(entry - side * _divide(margin, quantity, otherwise=np.inf), 0.0)


@checks.arguments(**_INVERSE, exit=checks.numbers("USD", above=0))
def inverse_pnl(contracts, size, entry, exit, side=-1):
    """Profit and loss of a coin-margined position (coin), gross of fees and funding.

    Parameters
    ----------
    contracts : float or array
        Number of contracts, 0 or more.
    size : float or array
        Value of one contract (USD).
    entry, exit : float or array
        Entry price, and exit or mark price (USD per coin). The average entry of several fills is harmonic.
    side : int or array
        −1 short, +1 long.

    Examples
    --------
    600 contracts of 100 USD hedge 1 BTC at 60,000. At 40,000 half a coin is gained: 1.5 · 40,000 = 60,000.

    >>> inverse_pnl(contracts=600, size=100, entry=60_000, exit=40_000)
    0.5
    """
    return side * (contracts * size / entry - contracts * size / exit)


@checks.arguments(**_INVERSE, margin=checks.numbers("coin", at_least=0), brackets=_TABLE)
def inverse_liquidation_price(contracts, size, entry, margin, brackets, side=-1):
    """Mark price (USD) at which the balance of a coin-margined position has fallen to its maintenance margin.

    Parameters
    ----------
    contracts : float or array
        Number of contracts, 0 or more.
    size : float or array
        Value of one contract (USD).
    entry : float or array
        Entry price (USD per coin).
    margin : float or array
        Margin of the position (coin).
    brackets : Brackets
        Maintenance table of the contract **in coin**: the notional contracts · size / price is looked up in
        it at the liquidation price itself.
    side : int or array
        −1 short, +1 long.

    Returns
    -------
    float or array
        Read as in `liquidation_price`. A short backed by coins worth its notional (1x) has none: inf. Beyond
        a billion times the entry counts as none.

    Notes
    -----
    Source: the exchange's formula for coin-margined contracts,
    contracts · (rate + side) / ((margin + amount) / size + side · contracts / entry).

    Examples
    --------
    600 contracts of 100 USD, short from 60,000, backed by half a coin and by a whole one:

    >>> table = Brackets(floors=(0, 5), rates=(0.004, 0.005))
    >>> inverse_liquidation_price(600, 100, 60_000, [0.5, 1.0], table)
    array([119520.,     inf])
    """
    # The notional in coin shrinks as the price rises: a short in price is a long in coin notional.
    at_entry = contracts * size / entry
    at_liquidation = brackets.critical_notional(margin + side * at_entry, -side)
    within_reach = np.where(at_liquidation * OUT_OF_REACH > at_entry, at_liquidation, 0.0)
    return _divide(contracts * size, within_reach, otherwise=_never(side))


def _never(side):
    """Return the price that is never reached: infinity for a short, zero for a long."""
    return np.where(np.equal(side, -1), np.inf, 0.0)


def _divide(numerator, denominator, otherwise):
    """Divide where the denominator is positive; infinite where it is too small to divide by."""
    numerator, denominator, otherwise = np.broadcast_arrays(numerator, denominator, otherwise)
    with np.errstate(over="ignore"):
        return np.divide(numerator, denominator, out=otherwise.copy(), where=denominator > 0)
