"""The arithmetic of a perpetual future: profit and loss, margin, liquidation and bankruptcy price.

Linear contracts, margined and paid in USDT, are here; inverse ones, paid in coin, come from ``inverse``.
A short has side −1 (the default), a long +1. Numbers, or arrays that broadcast together, go in and come out.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from hedgelib import checks

__all__ = [
    "Brackets",
    "bankruptcy_price",
    "initial_margin",
    "inverse_liquidation_price",
    "inverse_pnl",
    "liquidation_price",
    "maintenance_margin",
    "pnl",
]


def pnl(quantity, entry, exit, side=-1):
    """Profit and loss of a linear position, gross of fees and funding.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    entry, exit : float or array
        Entry price, and exit or mark price (USDT per coin).
    side : int or array
        −1 short, +1 long.

    Returns
    -------
    float or array
        side · quantity · (exit − entry), in USDT.

    Raises
    ------
    ValueError
        If a number is missing, negative or infinite, or the shapes do not fit.

    Notes
    -----
    Source: contract specification of USDT-margined perpetuals.

    Examples
    --------
    The hedge of 1 BTC at 60,000 USDT when the price rises to 70,000:

    >>> pnl(quantity=1, entry=60_000, exit=70_000)
    -10000.0
    """
    quantity, entry, side = _position(quantity, entry, side)
    exit = checks.number("exit (USDT)", exit, above=0)
    checks.broadcast(quantity=quantity, entry=entry, exit=exit, side=side)
    return checks.plain(side * quantity * (exit - entry))


def initial_margin(quantity, price, leverage):
    """Margin that opening a linear position takes: quantity · price / leverage.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    price : float or array
        Entry price, or the mark price for the margin of today (USDT per coin).
    leverage : float or array
        Notional per unit of margin, 1 or more. It decides the margin, never P&L, fees or funding.

    Returns
    -------
    float or array
        Margin in USDT.

    Raises
    ------
    ValueError
        If a number is missing, negative or infinite, the leverage is below 1, or the shapes do not fit.

    Notes
    -----
    Source: contract specification of USDT-margined perpetuals.

    Examples
    --------
    >>> initial_margin(quantity=1, price=60_000, leverage=[2, 3])
    array([30000., 20000.])
    """
    quantity = checks.number("quantity (coin)", quantity, at_least=0)
    price = checks.number("price (USDT)", price, above=0)
    leverage = checks.number("leverage", leverage, at_least=1)
    checks.broadcast(quantity=quantity, price=price, leverage=leverage)
    return checks.plain(quantity * price / leverage)


def liquidation_price(quantity, entry, margin, brackets, side=-1, other_pnl=0.0, other_maintenance=0.0):
    """Mark price at which the margin balance of a linear position has fallen to its maintenance margin.

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
        Price in USDT. A short is liquidated at this mark price and above, a long at this price and below:
        inf is a short and 0 a long that no price liquidates, 0 a short that every price does. A margin too
        small from the start gives a price on the profitable side of the entry.

    Raises
    ------
    ValueError
        If a number is missing, negative or infinite, `brackets` is no ``Brackets``, or the shapes do not fit.

    Notes
    -----
    Source: the exchange's liquidation price formula for one-way mode,
    (margin + other_pnl − other_maintenance + amount − side · quantity · entry) / (quantity · (rate − side)).
    Rates never fall, so maintenance is the highest of the lines of all brackets, and the consistent bracket
    is the one that liquidates first.

    Examples
    --------
    A short of 1 BTC at 60,000 USDT with the margin of 2x and of 3x:

    >>> table = Brackets(floors=(0, 300_000), rates=(0.004, 0.005))
    >>> liquidation_price(1, 60_000, [30_000, 20_000], table).round(2)
    array([89641.43, 79681.27])
    """
    quantity, entry, side = _position(quantity, entry, side)
    margin = checks.number("margin (USDT)", margin, at_least=0)
    other_pnl = checks.number("other_pnl (USDT)", other_pnl)
    other_maintenance = checks.number("other_maintenance (USDT)", other_maintenance, at_least=0)
    check_table(brackets)
    checks.broadcast(
        quantity=quantity,
        entry=entry,
        margin=margin,
        side=side,
        other_pnl=other_pnl,
        other_maintenance=other_maintenance,
    )
    constant = margin + other_pnl - other_maintenance - side * quantity * entry
    notional = brackets.critical_notional(constant, side)
    return checks.plain(divide(notional, quantity, otherwise=unreachable(side)))


def bankruptcy_price(quantity, entry, margin, side=-1):
    """Price at which the loss of a linear position equals its margin, fees ignored.

    Parameters
    ----------
    quantity : float or array
        Size of the position (coin), 0 or more.
    entry : float or array
        Entry price (USDT per coin).
    margin : float or array
        Margin posted to the position (USDT).
    side : int or array
        −1 short, +1 long.

    Returns
    -------
    float or array
        entry − side · margin / quantity, in USDT; inf (short) or 0 (long) where no price is bad enough.

    Raises
    ------
    ValueError
        If a number is missing, negative or infinite, or the shapes do not fit.

    Notes
    -----
    Source: definition. With the margin of leverage L it is entry · (1 − side / L).

    Examples
    --------
    >>> bankruptcy_price(quantity=1, entry=60_000, margin=20_000)
    80000.0
    """
    quantity, entry, side = _position(quantity, entry, side)
    margin = checks.number("margin (USDT)", margin, at_least=0)
    checks.broadcast(quantity=quantity, entry=entry, margin=margin, side=side)
    distance = divide(margin, quantity, otherwise=np.inf)
    return checks.plain(np.maximum(entry - side * distance, 0.0))


def _position(quantity, entry, side):
    """Check what every linear position has."""
    return (
        checks.number("quantity (coin)", quantity, at_least=0),
        checks.number("entry (USDT)", entry, above=0),
        checks.side(side),
    )


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

    Raises
    ------
    ValueError
        If the table is out of order, or the given amounts break
        amount_k = amount_(k−1) + floor_k · (rate_k − rate_(k−1)).

    Notes
    -----
    Source: the exchange's leverage and margin tables; see ``contracts.toml`` for those in use.

    Examples
    --------
    >>> Brackets(floors=(0, 300_000, 800_000), rates=(0.004, 0.005, 0.0065)).amounts
    (0.0, 300.0, 1500.0)
    """

    floors: tuple[float, ...]
    rates: tuple[float, ...]
    amounts: tuple[float, ...] | None = None

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

    def critical_notional(self, constant, side):
        """Return the notional at which constant + side · notional equals its maintenance, or 0 if none.

        Each bracket is a line, and because the rates never fall maintenance is the highest of these lines.
        The line met first is therefore the answer, and the notional found lies in its own bracket.
        """
        crossings = [
            side * (constant + amount) / (rate - side)
            for rate, amount in zip(self.rates, self.amounts, strict=True)
        ]
        return np.maximum(side * np.max(crossings, axis=0), 0.0)


def _continuous_amounts(floors, rates):
    """Return the amounts that make the table continuous; exact in decimals, so that 300 is 300."""
    amounts = [Decimal(0)]
    for k in range(1, len(floors)):
        step = Decimal(str(rates[k])) - Decimal(str(rates[k - 1]))
        amounts.append(amounts[-1] + Decimal(str(floors[k])) * step)
    return tuple(map(float, amounts))


def maintenance_margin(notional, brackets):
    """Least margin balance that keeps a position of this notional alive.

    Parameters
    ----------
    notional : float or array
        Position value at the mark price, 0 or more, in the unit of the brackets (USDT; coin if inverse).
    brackets : Brackets
        Maintenance table of the contract.

    Returns
    -------
    float or array
        notional · rate − amount of the bracket it falls in, in the same unit.

    Raises
    ------
    ValueError
        If the notional is missing, negative or infinite, or `brackets` is no ``Brackets``.

    Notes
    -----
    Source: the exchange's leverage and margin tables.

    Examples
    --------
    >>> table = Brackets(floors=(0, 300_000), rates=(0.004, 0.005))
    >>> maintenance_margin([60_000, 300_000, 400_000], table)
    array([ 240., 1200., 1700.])
    """
    notional = checks.number("notional (USDT or coin)", notional, at_least=0)
    check_table(brackets)
    bracket = np.maximum(np.searchsorted(brackets.floors, notional, side="left") - 1, 0)
    return checks.plain(notional * np.take(brackets.rates, bracket) - np.take(brackets.amounts, bracket))


def check_table(brackets):
    """Return `brackets` if it is a bracket table."""
    return checks.kind("brackets", brackets, Brackets, "a perpetual.Brackets")


def unreachable(side):
    """Return the price that is never reached: infinity for a short, zero for a long."""
    return np.where(np.equal(side, -1), np.inf, 0.0)


def divide(numerator, denominator, otherwise):
    """Divide where the denominator is positive; infinite where it is too small to divide by."""
    numerator, denominator, otherwise = np.broadcast_arrays(numerator, denominator, otherwise)
    with np.errstate(over="ignore"):
        return np.divide(numerator, denominator, out=otherwise.copy(), where=denominator > 0)


_NEVER = 1e9


def inverse_pnl(contracts, size, entry, exit, side=-1):
    """Profit and loss of a coin-margined position, in coin, gross of fees and funding.

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

    Returns
    -------
    float or array
        side · contracts · size · (1/entry − 1/exit), in coin.

    Raises
    ------
    ValueError
        If a number is missing, negative or infinite, or the shapes do not fit.

    Notes
    -----
    Source: contract specification of coin-margined perpetuals.

    Examples
    --------
    600 contracts of 100 USD hedge 1 BTC at 60,000. At 40,000 half a coin is gained: 1.5 · 40,000 = 60,000.

    >>> inverse_pnl(contracts=600, size=100, entry=60_000, exit=40_000)
    0.5
    """
    contracts, size, entry, side = _inverse_position(contracts, size, entry, side)
    exit = checks.number("exit (USD)", exit, above=0)
    checks.broadcast(contracts=contracts, size=size, entry=entry, exit=exit, side=side)
    return checks.plain(side * (contracts * size / entry - contracts * size / exit))


def inverse_liquidation_price(contracts, size, entry, margin, brackets, side=-1):
    """Mark price at which the margin balance of a coin-margined position has fallen to its maintenance.

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
        Price in USD, read as in `liquidation_price`. A short backed by coins worth its notional (1x) has
        none: inf. Beyond a billion times the entry counts as none.

    Raises
    ------
    ValueError
        If a number is missing, negative or infinite, `brackets` is no ``Brackets``, or the shapes do not fit.

    Notes
    -----
    Source: the exchange's formula for coin-margined contracts,
    contracts · (rate + side) / ((margin + amount) / size + side · contracts / entry).

    Examples
    --------
    600 contracts of 100 USD, short from 60,000, backed by half a coin and by a whole one:

    >>> from hedgelib.perpetual import Brackets
    >>> table = Brackets(floors=(0, 5), rates=(0.004, 0.005))
    >>> inverse_liquidation_price(600, 100, 60_000, [0.5, 1.0], table)
    array([119520.,     inf])
    """
    contracts, size, entry, side = _inverse_position(contracts, size, entry, side)
    margin = checks.number("margin (coin)", margin, at_least=0)
    check_table(brackets)
    checks.broadcast(contracts=contracts, size=size, entry=entry, margin=margin, side=side)
    # The notional in coin shrinks as the price rises: a short in price is a long in coin notional.
    at_entry = contracts * size / entry
    at_liquidation = brackets.critical_notional(margin + side * at_entry, -side)
    within_reach = np.where(at_liquidation * _NEVER > at_entry, at_liquidation, 0.0)
    return checks.plain(divide(contracts * size, within_reach, otherwise=unreachable(side)))


def _inverse_position(contracts, size, entry, side):
    """Check what every coin-margined position has."""
    return (
        checks.number("contracts", contracts, at_least=0),
        checks.number("size (USD per contract)", size, above=0),
        checks.number("entry (USD)", entry, above=0),
        checks.side(side),
    )
