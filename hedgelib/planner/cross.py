"""The plan of a cross hedge: a coin held that has no future, and the short of another coin against it.

The short is a plan of its own, a ``Worksheet`` of as many coins as are shorted: margin, liquidation price,
alarms, funding and chances are all its. What both coins do together is told by their daily closes.
"""

import functools
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hedgelib import checks, contracts
from hedgelib.planner import refusals
from hedgelib.planner.closes import closes, estimate, paired
from hedgelib.planner.sheet import FIELDS, JUDGES, Worksheet, WorksheetError

_RECENT = 365  # days
_SHORT = ("leverage", "mode", "reserve", "days", "take_profit", "stop", "judge")
_OWN = ("volatility", "funding", "taker_fee")


def _coin(value):
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"held must be the name of a coin, such as 'ADA', got {checks.shown(value)}")
    return value.strip().upper()


_ACCEPTED = {
    "held": _coin,
    "ratio": lambda value: checks.single("ratio (USDT short per USDT held)", value, above=0, at_most=5),
    "short_price": lambda value: checks.single("short_price (USDT per coin)", value, above=0),
    "mode": lambda value: checks.one_of("mode", value, ("isolated", "cross")),
} | {name: FIELDS[name] for name in ("coins", "price", "contract", "fall", "band", *_SHORT, *_OWN)}


@dataclass(frozen=True)
class CrossWorksheet:
    """Everything decided about a cross hedge: hold one coin, short the future of another.

    Parameters
    ----------
    held : str
        Name of the coin held, ``"ADA"``.
    coins : float
        Coins held, above 0.
    price : float
        Price of the coin held today (USDT).
    contract : Contract or str
        What is shorted, as in ``Worksheet``: margined in USDT, of another coin.
    short_price : float
        Price today of the coin shorted (USDT), rounded to the tick: the limit price of the order.
    held_closes, short_closes : pandas.Series, pandas.DataFrame, str or Path, optional
        Daily closes of both coins (USDT): a series by date, a market frame, or a CSV file of dates and closes
        as ``market.read_csv`` takes it.
    ratio : float, optional
        USDT short per USDT held, above 0 to 5; the one that leaves the least variance where left out, which
        takes both lists of closes.
    fall : float
        The fall of the coin held that is feared (fraction).
    leverage, mode, reserve, days, take_profit, stop : optional
        Of the short, as in ``Worksheet``; both exits watch the price of the coin shorted, and the margin
        comes from outside.
    band : float
        Brings the short back to its ratio when the two values have drifted apart by more than this (fraction
        of the holding); 0 for never.
    judge : str
        ``"era"``: the ratio comes from all days of the lists, and the short is judged by all years that were
        published. ``"last 365 days"``: from the last ones.
    volatility, funding, taker_fee : float, optional
        Your own, of the coin shorted, as in ``Worksheet``.

    Raises
    ------
    WorksheetError
        A ``ValueError`` whose `problems` names each field that was refused, and why.

    Examples
    --------
    >>> plan = CrossWorksheet("ADA", 20_000, 0.75, contract="BTCUSDT", short_price=60_000, ratio=1.2)
    >>> plan.quantity, plan.short.margin, round(plan.short.liquidation, 1)
    (0.3, 9000.0, 89641.4)
    """

    held: str
    coins: float
    price: float
    _: KW_ONLY
    contract: contracts.Contract | str = "BTCUSDT"
    short_price: float
    held_closes: pd.Series | pd.DataFrame | str | Path | None = field(default=None, repr=False, compare=False)
    short_closes: pd.Series | pd.DataFrame | str | Path | None = field(
        default=None, repr=False, compare=False
    )
    ratio: float | None = None
    fall: float = 0.3
    leverage: float = 2.0
    mode: str = "isolated"
    reserve: float = 0.0
    days: int = 30
    take_profit: float = 0.0
    stop: float = 0.0
    band: float = 0.0
    judge: str = JUDGES[0]
    volatility: float | None = None
    funding: float | None = None
    taker_fee: float | None = None

    def __post_init__(self):
        """Check every field, then whether they go together."""
        problems = refusals.of_fields(self, _ACCEPTED, ("ratio", *_OWN)) or self._contradiction()
        if problems:
            raise WorksheetError(problems)

    def _contradiction(self):
        """The first field that does not go with the others, and why."""
        rules = self.rules
        if rules.inverse:
            why = f"{rules.symbol} takes {rules.base} as margin, which you do not hold"
            return {"contract": f"{why}: choose a contract margined in USDT, such as {rules.base}USDT"}
        if rules.base == self.held:
            why = f"{rules.symbol} is a future on {self.held} itself"
            return {"contract": f"{why}: hedge with it directly, by a Worksheet, or choose another coin"}
        given = {
            name: getattr(self, name)
            for name in ("held_closes", "short_closes")
            if getattr(self, name) is not None
        }
        for name in {"held_closes": 0, "short_closes": 0}.keys() - given.keys() if given else ():
            return {name: "the other price list is given: give both, or none and a ratio"}
        if self.ratio is None and not given:
            return {"ratio": "give a ratio, or held_closes and short_closes, from which it follows"}
        try:
            _ = self.pair
        except ValueError as error:
            return {next((name for name in given if name in str(error)), "held_closes"): str(error)}
        if self.used <= 0:
            why = f"the ratio of the least variance is {self.used:.2f}, so a short adds risk"
            return {"ratio": f"{why}: choose another coin to short, or give a ratio of your own"}
        least = max(rules.step, rules.minimum_notional / self.short_price)
        if not self.quantity:
            return {
                "coins": f"the short would be below {least:g} {rules.base}, the smallest there is: more coins"
            }
        try:
            short = self.short
        except WorksheetError as error:
            names = {"price": "short_price"}
            return {names.get(name, name): why for name, why in error.problems.items()}
        checks.assign(self, short_price=short.price)
        return {}

    @functools.cached_property
    def rules(self):
        """The ``Contract`` that is shorted."""
        return (
            self.contract if isinstance(self.contract, contracts.Contract) else contracts.get(self.contract)
        )

    @functools.cached_property
    def pair(self):
        """Daily closes of both coins on the days that both have, or None."""
        if self.held_closes is None:
            return None
        return paired(
            closes("held_closes", self.held_closes, self.held, "spot"),
            closes("short_closes", self.short_closes, self.rules.base, "mark"),
        )

    @functools.cached_property
    def estimates(self):
        """The ``ratio.Estimate`` of each judge that knows enough days, by name, the deciding one first."""
        if self.pair is None:
            return {}
        known = {JUDGES[0]: self.pair}
        if len(self.pair) > _RECENT + 1:
            known[JUDGES[1]] = self.pair.iloc[-_RECENT - 1 :]
        return {name: estimate(known[name]) for name in sorted(known, key=lambda name: name != self.judge)}

    @functools.cached_property
    def judged(self):
        """The closes that the deciding judge knows, or None."""
        return self.pair if self.pair is None or self.judge == JUDGES[0] else self.pair.iloc[-_RECENT - 1 :]

    @functools.cached_property
    def used(self):
        """USDT short per USDT held: `ratio`, or that of the least variance."""
        return self.ratio if self.ratio is not None else float(next(iter(self.estimates.values())).ratio)

    @property
    def value(self):
        """Worth of the coins held today (USDT)."""
        return self.coins * self.price

    @functools.cached_property
    def quantity(self):
        """Coins to short, rounded down to the step."""
        return self.rules.round_quantity(self.used * self.value / self.short_price)

    @functools.cached_property
    def short(self):
        """The plan of the short alone: a ``Worksheet`` of as many coins as are shorted."""
        given = {name: getattr(self, name) for name in (*_SHORT, *_OWN)}
        return Worksheet(self.quantity, 0, self.short_price, contract=self.contract, ratio=1, **given)

    @property
    def placed(self):
        """USDT short per USDT held once the quantity is rounded."""
        return self.short.value / self.value

    @property
    def follows(self):
        """By how many percent the coin shorted moves on average when the one held moves by one; or NaN."""
        if self.judged is None:
            return float("nan")
        held, shorted = self.judged.pct_change().to_numpy()[1:].T
        return float(np.cov(held, shorted)[0, 1] / np.var(held, ddof=1))


def any_sheet(value):
    """Return `value` if it is a worksheet of either kind."""
    return checks.kind(
        "sheet", value, Worksheet | CrossWorksheet, "a planner.Worksheet or a planner.CrossWorksheet"
    )
