"""The arithmetic of an inverse perpetual future: a fixed value in USD, margined and paid in coin."""

import numpy as np

from hedgelib import checks
from hedgelib.perpetual.brackets import check_table, divide, unreachable

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

    >>> from hedgelib.perpetual.brackets import Brackets
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
