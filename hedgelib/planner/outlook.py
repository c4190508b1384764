"""What is known of a coin's market, by which a plan is judged: funding, volatility and how often prices rose.

`Published` asks the facts, `History` a market frame. What neither knows is missing (NaN), never guessed.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from hedgelib.figures import percent
from hedgelib.market import facts, validate

LONGEST = 365
_RISES = {"1x": 0.992, "2x": 0.494, "3x": 0.328, "5x": 0.1952, "10x": 0.0956}
_HORIZONS = (30, 60, 90)


class Funding(NamedTuple):
    """What a short receives over a horizon, as fractions of its notional; negative is paid."""

    expected: float
    bad: float
    bad_case: str


class Touched(NamedTuple):
    """Share of starts from which the price rose far enough, and which rise and horizon were measured.

    `bound` says how the share for the rise asked for stands to it: "at most" or "at least" it, "about", or
    nothing where it is the same.
    """

    share: float
    bound: str
    case: str


UNREACHED = Touched(0.0, "", "no rise reaches it")


class Published:
    """What the published facts say of a coin.

    Parameters
    ----------
    base : str
        The coin, ``"BTC"``.

    Examples
    --------
    >>> coin = Published("BTC")
    >>> coin.best_day, coin.volatility, coin.funding(days=60).bad_case
    (0.1954, 0.6188, 'the worst 30 days, and nothing received on the others')
    >>> coin.touched(rise=0.328, days=60)
    Touched(share=0.2716, bound='', case='a rise of 33 % within 60 days; 90 % interval 18 % to 37 %')
    """

    longest = LONGEST  # days

    def __init__(self, base):
        """Look up what does not hang on the horizon."""
        self._base = base
        self.volatility = fact("volatility_by_year", base, "volatility")  # per year
        self.best_day = fact("extremes", base, "best_1_day")  # fraction
        self.basis = fact("own_perpetual", base, "basis_std") * 1e-4  # standard deviation of a day, fraction
        measured = {
            "funding": self.funding(30).expected,
            "worst month of funding": self.funding(30).bad,
            "volatility": self.volatility,
            "best day": self.best_day,
            "rises": self.touched(rise=0.3, days=30).share,
            "basis": self.basis,
        }
        missing = [name for name, value in measured.items() if math.isnan(value)]
        known = _row("funding_by_year", base, "mean")
        period = f", {known['since'][:7]} to {known['as_of'][:7]}" if known else ""
        self.source = f"published facts{period}"
        if missing:
            self.source += f" (not measured for {base}: {', '.join(missing)})"

    def funding(self, days):
        """Mean settlement, three a day; the bad case is the worst week or month measured."""
        mean = fact("funding_by_year", self._base, "mean") * 1e-4
        stretch = 7 if days <= 7 else 30
        bad_case = f"the worst {stretch} days" + (", and nothing received on the others" if days > 30 else "")
        return Funding(
            3 * days * mean, fact("funding_extremes", self._base, f"worst_{stretch}_days"), bad_case
        )

    def touched(self, rise, days):
        """Share for the next smaller rise and next longer horizon measured, so that it is rather too high."""
        if math.isinf(rise):
            return UNREACHED
        key = next((key for key, level in _RISES.items() if level <= rise), "10x")
        horizon = next((known for known in _HORIZONS if known >= days), _HORIZONS[-1])
        share, low, high = (
            _touched().get((self._base, f"{horizon} days", f"{key}{end}"), math.nan)
            for end in ("", "_low", "_high")
        )
        if math.isnan(share):
            return Touched(share, "", "not measured")
        more, less = rise < _RISES[key] or days > horizon, rise > _RISES[key] + 0.02 or days < horizon
        bound, remark = {
            (True, False): ("at least", "yours is more likely"),
            (False, True): ("at most", "yours is less likely"),
            (True, True): ("about", "only a rough guide to yours"),
            (False, False): ("", f"90 % interval {percent(low, 0)} to {percent(high, 0)}"),
        }[more, less]
        return Touched(share, bound, f"a rise of {percent(_RISES[key], 0)} within {horizon} days; {remark}")


class History:
    """What the history of one market says: every bar is a start.

    Parameters
    ----------
    market : pandas.DataFrame
        A market frame.

    Raises
    ------
    ValueError
        If it is no market frame.

    Examples
    --------
    >>> from hedgelib.market import drawn
    >>> History(drawn({0: 100, 40: 140, 80: 100}, rate=1e-4)).touched(rise=0.2, days=30).case
    'a rise of 20.0 % within 30 days, 151 overlapping starts'
    """

    def __init__(self, market):
        """Measure what does not hang on the horizon."""
        validate(market)
        self._market, self.source = market, market.attrs["label"]
        self._a_day = 24 / market.attrs["hours"]  # bars
        self.longest = int(len(market) / self._a_day / 2)  # days; a history is at least twice a horizon
        daily = market["mark"].iloc[:: round(self._a_day)].to_numpy()
        growth = daily[1:] / daily[:-1]
        some = len(growth) > 1
        self.volatility = float(np.std(np.log(growth), ddof=1) * math.sqrt(365)) if some else math.nan
        self.best_day = max(float(growth.max() - 1), 0.0) if some else math.nan
        self.basis = float(np.std(market["mark"] / market["spot"] - 1))

    def funding(self, days):
        """Mean and lowest sum over the horizon."""
        bars = round(days * self._a_day)
        sums = np.convolve(self._market["funding"].to_numpy()[1:], np.ones(bars), mode="valid")
        return Funding(float(sums.mean()), float(sums.min()), f"the worst {days} days in it")

    def touched(self, rise, days):
        """Share of starts from which a high of the mark rose as far."""
        if math.isinf(rise):
            return UNREACHED
        bars = round(days * self._a_day)
        starts = self._market["mark"].to_numpy()[:-bars]
        ahead = np.lib.stride_tricks.sliding_window_view(self._market["mark_high"].to_numpy()[1:], bars)
        share = float(np.mean(ahead.max(axis=1) >= starts * (1 + rise)))
        case = f"a rise of {percent(rise)} within {days} days, {len(starts):,} overlapping starts"
        return Touched(share, "", case)


def fact(topic, base, key):
    """Return one number of the published facts, that of the era; NaN if there is none."""
    return _row(topic, base, key).get("value", math.nan)


@functools.cache
def _row(topic, base, key):
    """The fact of the era, as a dict of its columns; empty if there is none."""
    table = facts(topic)
    rows = table[(table["asset"] == base) & (table["key"] == key)]
    if len(rows) > 1:
        rows = rows[rows["period"] == "era"]
    return rows.iloc[0].to_dict() if len(rows) == 1 else {}


@functools.cache
def _touched():
    """Share of starts by coin, period and key."""
    return facts("touched").set_index(["asset", "period", "key"])["value"].to_dict()
