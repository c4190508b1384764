"""Funding: what holding a perpetual future pays or costs at each settlement.

A positive rate means that longs pay shorts. Money that the position receives is positive.
"""

import math

import numpy as np

from hedgelib import checks

_BAND = 0.0005


def received(quantity, mark, rate, side=-1):
    """Funding that a linear position receives at one settlement.

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

    Returns
    -------
    float or array
        −side · quantity · mark · rate, in USDT: positive is received, negative is paid.

    Raises
    ------
    ValueError
        If a number is missing or infinite, a rate is beyond ±1, or the shapes do not fit.

    Notes
    -----
    Source: the exchange's funding rules.

    Examples
    --------
    A short of 1 BTC at 60,000 USDT and 0.01 %:

    >>> received(quantity=1, mark=60_000, rate=0.0001)
    6.0
    """
    quantity = checks.number("quantity (coin)", quantity, at_least=0)
    mark = checks.number("mark (USDT)", mark, above=0)
    rate, side = _rate(rate), checks.side(side)
    checks.broadcast(quantity=quantity, mark=mark, rate=rate, side=side)
    return checks.plain(-side * quantity * mark * rate)


def inverse_received(contracts, size, mark, rate, side=-1):
    """Funding that a coin-margined position receives at one settlement, in coin.

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

    Returns
    -------
    float or array
        −side · contracts · size / mark · rate, in coin: positive is received, negative is paid.

    Raises
    ------
    ValueError
        If a number is missing or infinite, a rate is beyond ±1, or the shapes do not fit.

    Notes
    -----
    Source: the exchange's funding rules for coin-margined contracts.

    Examples
    --------
    >>> inverse_received(contracts=600, size=100, mark=60_000, rate=0.0001)
    0.0001
    """
    contracts = checks.number("contracts", contracts, at_least=0)
    size = checks.number("size (USD per contract)", size, above=0)
    mark = checks.number("mark (USD)", mark, above=0)
    rate, side = _rate(rate), checks.side(side)
    checks.broadcast(contracts=contracts, size=size, mark=mark, rate=rate, side=side)
    return checks.plain(-side * contracts * size / mark * rate)


def rate(premium, interest=1e-4, hours=8, cap=None):
    """Funding rate that follows from the premium of the perpetual over its index.

    Parameters
    ----------
    premium : float or array
        Time-weighted premium index P (fraction per 8 hours).
    interest : float or array
        Interest rate I (fraction per 8 hours).
    hours : int
        Funding interval: 1, 2, 4 or 8 hours.
    cap : float or array, optional
        Largest rate either way (fraction per interval), applied last.

    Returns
    -------
    float or array
        (P + clamp(I − P, −0.05 %, +0.05 %)) / (8 / hours) as a fraction per interval, within ±cap.

    Raises
    ------
    ValueError
        If a number is missing, infinite or beyond ±1, the interval is unknown, or the shapes do not fit.

    Notes
    -----
    Source: the exchange's funding rate formula; the division for shorter intervals holds since 2025-09-18.
    The rate is exactly the interest while the premium stays within 0.05 % of it.

    Examples
    --------
    >>> rate(premium=[0.0003, 0.0010, -0.0020])
    array([ 0.0001,  0.0005, -0.0015])
    """
    premium = checks.number("premium (fraction per 8 hours)", premium, at_least=-1, at_most=1)
    interest = checks.number("interest (fraction per 8 hours)", interest, at_least=-1, at_most=1)
    divisor = 8 / checks.hours("hours", hours)
    limit = 1.0 if cap is None else checks.number("cap (fraction per interval)", cap, above=0, at_most=1)
    checks.broadcast(premium=premium, interest=interest, cap=limit)
    inside = np.abs(interest - premium) <= _BAND
    uncapped = np.where(inside, interest, premium + np.clip(interest - premium, -_BAND, _BAND)) / divisor
    return checks.plain(np.clip(uncapped, -limit, limit))


def annualised(rates, hours=8, compounded=False):
    """Yearly rate that the mean of these settlements amounts to.

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
        Fraction per year of 365 days. Simple: mean · n per year. Compounded: the growth of a year in which
        the settlements given repeat, ∏(1 + rate) to the power of the number of repeats, less 1.

    Raises
    ------
    ValueError
        If there are no rates, one is missing, beyond ±1 or (compounded) a total loss, the interval is
        unknown, or the growth is too large to calculate with.

    Notes
    -----
    Source: definition.

    Examples
    --------
    >>> round(annualised(0.0001), 4), round(annualised(0.0001, compounded=True), 4)
    (0.1095, 0.1157)
    """
    rates = checks.row("rates", _rate(rates))
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


def _rate(value):
    """Check a funding rate; the limit catches numbers given in percent or basis points."""
    return checks.number("rate (fraction per interval, 0.0001 is 0.01 %)", value, at_least=-1, at_most=1)
