"""Funding: what holding a perpetual future pays or costs at each settlement.

A positive rate means that longs pay shorts. Money that the position receives is positive.
"""

import math

import numpy as np

from hedgelib import checks

_CLAMP = 0.0005
# The limit catches rates given in percent or basis points.
_RATE = checks.numbers("fraction per interval, 0.0001 is 0.01 %", at_least=-1, at_most=1)
_PREMIUM = checks.numbers("fraction per 8 hours", at_least=-1, at_most=1)


@checks.arguments(
    quantity=checks.numbers("coin", at_least=0),
    mark=checks.numbers("USDT", above=0),
    rate=_RATE,
    side=checks.side,
)
def received(quantity, mark, rate, side=-1):
    """Funding (USDT) that a linear position receives at one settlement; below 0 it pays.

    Parameters
    ----------
    quantity : float or array
        Size of the position open at the settlement (coin), 0 or more.
    mark : float or array
        Mark price at the settlement (USDT per coin).
    rate : float or array
        Funding rate (fraction per interval: 0.0001 is 0.01 %).
    side : int or array
        −1 short, +1 long.

    Examples
    --------
    A short of 1 BTC at 60,000 USDT and 0.01 %:

    >>> received(quantity=1, mark=60_000, rate=0.0001)
    6.0
    """
    return -side * quantity * mark * rate


@checks.arguments(
    contracts=checks.numbers(at_least=0),
    size=checks.numbers("USD per contract", above=0),
    mark=checks.numbers("USD", above=0),
    rate=_RATE,
    side=checks.side,
)
def inverse_received(contracts, size, mark, rate, side=-1):
    """Funding (coin) that a coin-margined position receives at one settlement; below 0 it pays.

    Parameters
    ----------
    contracts : float or array
        Number of contracts open at the settlement, 0 or more.
    size : float or array
        Value of one contract (USD).
    mark : float or array
        Mark price at the settlement (USD per coin).
    rate : float or array
        Funding rate (fraction per interval: 0.0001 is 0.01 %).
    side : int or array
        −1 short, +1 long.

    Examples
    --------
    >>> inverse_received(contracts=600, size=100, mark=60_000, rate=0.0001)
    0.0001
    """
    return -side * contracts * size / mark * rate


@checks.arguments(
    premium=_PREMIUM,
    interest=_PREMIUM,
    hours=checks.hours,
    cap=checks.numbers("fraction per interval", above=0, at_most=1),
)
def rate(premium, interest=1e-4, hours=8, cap=None):
    """Funding rate (fraction per interval) that follows from the premium of the perpetual over its index.

    Parameters
    ----------
    premium : float or array
        Time-weighted premium index P (fraction per 8 hours).
    interest : float or array
        Interest rate I (fraction per 8 hours). While the premium stays within 0.05 % of it, it is the rate.
    hours : int
        Funding interval: 1, 2, 4 or 8 hours.
    cap : float or array, optional
        Largest rate either way (fraction per interval), applied last.

    Notes
    -----
    Source: the exchange's formula, (P + clamp(I − P, −0.05 %, +0.05 %)) / (8 / hours); the division for
    shorter intervals holds since 2025-09-18.

    Examples
    --------
    >>> rate(premium=[0.0003, 0.0010, -0.0020])
    array([ 0.0001,  0.0005, -0.0015])
    """
    inside = np.abs(interest - premium) <= _CLAMP
    clamped = np.where(inside, interest, premium + np.clip(interest - premium, -_CLAMP, _CLAMP))
    largest = 1.0 if cap is None else cap
    return np.clip(clamped * hours / 8, -largest, largest)


def annualised(rates, hours=8, compounded=False):
    """Yearly rate (fraction) that the mean of these settlements amounts to.

    One print says next to nothing about a year: give a period of settlements.

    Parameters
    ----------
    rates : float or array of shape (n,)
        Funding rates (fraction per interval).
    hours : int
        Funding interval: 1, 2, 4 or 8 hours.
    compounded : bool
        Reinvest each payment in the hedge (True), or keep the notional constant (False).

    Returns
    -------
    float
        For 365 days. Simple: mean · settlements a year. Compounded: the growth of a year in which the
        settlements given repeat.

    Examples
    --------
    >>> round(annualised(0.0001), 4), round(annualised(0.0001, compounded=True), 4)
    (0.1095, 0.1157)
    """
    rates = checks.row("rates", _RATE("rate", rates))
    checks.kind("compounded", compounded, bool | np.bool_, "True or False")
    settlements = 24 / checks.hours("hours", hours) * 365
    if not compounded:
        return float(rates.mean() * settlements)
    if np.any(rates == -1):
        raise ValueError("rates must be above -1 to be compounded: -1 loses everything")
    exponent = float(np.log1p(rates).mean() * settlements)
    if exponent > 700:
        raise ValueError("rates are too large to be compounded over a year: the growth is beyond e^700")
    return math.expm1(exponent)
