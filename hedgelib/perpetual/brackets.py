"""The maintenance margin table of a contract, and what linear and inverse liquidation share."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from hedgelib import checks


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
        checks.settle(self, floors=tuple(floors.tolist()), rates=tuple(rates.tolist()), amounts=expected)

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
