"""The arithmetic of a perpetual future: profit and loss, margin, liquidation and bankruptcy price.

Linear contracts, margined and paid in USDT, are here; inverse ones, paid in coin, come from ``inverse``.
A short has side −1 (the default), a long +1. Numbers, or arrays that broadcast together, go in and come out.
"""

import numpy as np

from hedgelib import checks
from hedgelib.perpetual.brackets import Brackets, check_table, divide, maintenance_margin, unreachable
from hedgelib.perpetual.inverse import inverse_liquidation_price, inverse_pnl

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
