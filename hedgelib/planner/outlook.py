"""What is known of a coin's market, by which a plan is judged: funding, volatility and how often prices rose.

`Published` asks the facts, `History` a market frame, `Own` puts numbers of your own there. What nobody
measured is missing (NaN), never guessed. All of them tell

- ``volatility`` (fraction per year), ``funding`` (mean fraction per day, positive is received), ``basis``
  (fraction, standard deviation of a day), ``longest`` horizon (days), `source`;
- ``fastest``: the greatest rise (fraction) within so many hours of the close of a bar, by `HOURS`;
- ``worst_funding(days)``: the lowest sum over a horizon, and which one it is in words;
- ``touched(rise, days)``: a `Touched`; ``fell(fall, days)`` another, of falls.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from hedgelib.figures import percent
from hedgelib.market import Paths, facts, validate

LONGEST = 365  # days
HOURS = 8, 24  # for which a holder may not look
_ERA, _RECENT = "era", "last 365 days"
_STARTS = 500  # of a history that are played
_PRICES = ("spot", "mark", "mark_high", "mark_low")


class Touched(NamedTuple):
    """Share of starts from which the price rose so far in time, its 90 % interval, and a remark.

    The interval is missing where none is known; the remark says where the share was measured.
    """

    share: float
    low: float
    high: float
    remark: str


UNREACHED = Touched(0.0, 0.0, 0.0, "no rise reaches it")


class Published:
    """What the published facts say of a coin, in the whole era or in the last 365 days.

    Parameters
    ----------
    base : str
        The coin, ``"BTC"``.
    recent : bool
        Whether only the last 365 days count.

    Examples
    --------
    >>> coin = Published("BTC")
    >>> coin.fastest[8], coin.volatility, coin.worst_funding(days=60)
    (0.2033, 0.6188, (-0.01312, 'the worst 30 days, and nothing received on the others'))
    >>> coin.touched(rise=0.328, days=60).remark
    'between +30 % (30.0 %) and +35 % (24.9 %)'
    """

    longest = LONGEST

    def __init__(self, base, recent=False):
        """Look up what does not hang on the horizon."""
        self._base, self._recent = base, recent
        self._ending = "_last_365_days" if recent else ""
        self.volatility = self._mean("volatility_by_year", "volatility")
        self.funding = 3e-4 * self._mean("funding_by_year", "mean")
        topic = f"fast_rises{self._ending}"
        self.fastest = {hours: _fact(topic, base, f"best_{hours}_hours") for hours in HOURS}
        self.basis = 1e-4 * _fact("own_perpetual", base, "basis_std", _ERA)
        measured = {
            "volatility": self.volatility,
            "funding": self.funding,
            **{f"fastest {hours} hours": rise for hours, rise in self.fastest.items()},
            "rises": self.touched(rise=0.3, days=30).share,
            "basis": self.basis,
        }
        missing = [name for name, value in measured.items() if math.isnan(value)]
        self.source = "published facts, " + (_RECENT if recent else "since 2019")
        if missing:
            self.source += f" (not measured for {base}: {', '.join(missing)})"

    def _mean(self, topic, key):
        return _fact(topic, self._base, key, _RECENT if self._recent else _ERA)

    def worst_funding(self, days):
        """The worst week or month measured."""
        stretch = 7 if days <= 7 else 30
        words = f"the worst {stretch} days" + (", and nothing received on the others" if days > 30 else "")
        return _fact(f"funding_extremes{self._ending}", self._base, f"worst_{stretch}_days"), words

    def touched(self, rise, days):
        """Share on the grid of rises and horizons measured, between whose points it is taken as straight."""
        return UNREACHED if math.isinf(rise) else self._on_grid("rise", rise, days)

    def fell(self, fall, days):
        """Share of starts from which the price fell so far, on its own grid."""
        return self._on_grid("fall", fall, days)

    def _on_grid(self, kind, rise, days):
        rises, horizons, shares = _grid(self._base, kind, self._ending)
        sign = "+" if kind == "rise" else "−"
        if not len(rises):
            return Touched(math.nan, math.nan, math.nan, "not measured")
        # For each horizon the share at this rise, then between the horizons, which lie ever further apart.
        along = [[np.interp(rise, rises, row) for row in layer] for layer in shares]
        share, low, high = (float(np.interp(math.log(days), np.log(horizons), row)) for row in along)
        if rise < rises[0]:
            remark = f"at least: the share of {sign}{100 * rises[0]:g} %, the smallest {kind} measured"
        elif rise > rises[-1]:
            remark = f"at most: the share of {sign}{100 * rises[-1]:g} %, the greatest {kind} measured"
        else:
            after = min(max(np.searchsorted(rises, rise), 1), len(rises) - 1)
            ends = []
            for each in (after - 1, after):
                there = np.interp(math.log(days), np.log(horizons), shares[0, :, each])
                ends.append(f"{sign}{100 * rises[each]:g} % ({percent(there)})")
            remark = " and ".join(ends)
            remark = f"between {remark}"
        return Touched(share, low, high, remark)


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
    >>> History(drawn({0: 100, 40: 140, 80: 100}, rate=1e-4)).touched(rise=0.2, days=30).remark
    '151 overlapping starts'
    """

    def __init__(self, market):
        """Measure what does not hang on the horizon."""
        validate(market)
        self._market, self.source = market, market.attrs.get("label", "a market of your own")
        self._hours = market.attrs.get("hours", 8)
        self._a_day = 24 / self._hours  # bars
        self.longest = int(len(market) / self._a_day / 2)  # days; a history is at least twice a horizon
        daily = market["mark"].iloc[:: round(self._a_day)].to_numpy()
        growth = daily[1:] / daily[:-1]
        some = len(growth) > 1
        self.volatility = float(np.std(np.log(growth), ddof=1) * math.sqrt(365)) if some else math.nan
        self.fastest = {hours: self._fastest(hours) for hours in HOURS}
        self.basis = float(np.std(market["mark"] / market["spot"] - 1))
        self.funding = float(market["funding"].iloc[1:].mean() * self._a_day) if some else math.nan

    def _fastest(self, hours):
        """The greatest rise from a close to a high within these hours; NaN if no bar is as short."""
        bars, closes = int(hours / self._hours), self._market["mark"].to_numpy()
        if not 0 < bars < len(closes):
            return math.nan
        ahead = np.lib.stride_tricks.sliding_window_view(self._market["mark_high"].to_numpy()[1:], bars)
        return max(float((ahead.max(axis=1) / closes[:-bars]).max() - 1), 0.0)

    def worst_funding(self, days):
        """The lowest sum over the horizon."""
        bars = round(days * self._a_day)
        sums = np.convolve(self._market["funding"].to_numpy()[1:], np.ones(bars), mode="valid")
        return float(sums.min()), f"the worst {days} days in it"

    def touched(self, rise, days):
        """Share of starts from which a high of the mark rose as far."""
        if math.isinf(rise):
            return UNREACHED
        bars = round(days * self._a_day)
        starts = self._market["mark"].to_numpy()[:-bars]
        ahead = np.lib.stride_tricks.sliding_window_view(self._market["mark_high"].to_numpy()[1:], bars)
        share = float(np.mean(ahead.max(axis=1) >= starts * (1 + rise)))
        return Touched(share, math.nan, math.nan, f"{len(starts):,} overlapping starts")

    def first(self, rise, fall, days):
        """Shares of starts from which the rise was met first, and the fall first; in one bar the rise is."""
        bars = round(days * self._a_day)
        starts = self._market["mark"].to_numpy()[:-bars, None]
        met = []
        for name, sign, distance in (("mark_high", 1, rise), ("mark_low", -1, -fall)):
            ahead = np.lib.stride_tricks.sliding_window_view(self._market[name].to_numpy()[1:], bars)
            hit = sign * ahead >= sign * starts * (1 + distance)
            met.append(np.where(hit.any(axis=1), hit.argmax(axis=1), bars))
        up, down = met
        shares = float(np.mean((up < bars) & (up <= down))), float(np.mean(down < up))
        return *shares, f"{len(starts):,} overlapping starts"

    def paths(self, days):
        """The history after many of its bars, as paths of the horizon."""
        bars = round(days * self._a_day)
        first = np.arange(0, len(self._market) - bars, max(1, (len(self._market) - bars) // _STARTS))
        rows = first[:, None] + np.arange(bars + 1)
        columns = {name: self._market[name].to_numpy()[rows] for name in (*_PRICES, "funding")}
        label = f"{len(first):,} starts in {self.source}"
        return Paths(**columns, hours=self._hours, label=label)


class Own:
    """What a judge says, with a volatility (per year) or a mean funding (per eight hours) of your own."""

    def __init__(self, judge, volatility=None, funding=None):
        """Put the numbers in their places."""
        self._judge = judge
        own = {"volatility": volatility, "funding": None if funding is None else 3 * funding}
        vars(self).update({name: value for name, value in own.items() if value is not None})
        mine = [name for name, value in own.items() if value is not None]
        self.source = f"my own {' and '.join(mine)}; else {judge.source}"

    def __getattr__(self, name):
        """Ask the judge for everything else."""
        return getattr(self._judge, name)


@functools.cache
def _fact(topic, base, key, period=None):
    """One number of the published facts, of this period or of the only one; NaN if there is none."""
    table = facts()
    rows = table[(table["topic"] == topic) & (table["asset"] == base) & (table["key"] == key)]
    rows = rows if period is None else rows[rows["period"] == period]
    return float(rows["value"].iloc[0]) if len(rows) else math.nan


@functools.cache
def _grid(base, kind, ending):
    """Rises, horizons (days), and the shares and both ends of their intervals, shape (3, horizons, rises)."""
    table = facts(f"touched_by_{kind}{ending}")
    table = table[table["asset"] == base]
    if not len(table):
        return np.array([]), np.array([]), np.array([])
    shares = table.pivot_table(index="period", columns="key", values="value")
    shares.index = [int(period.split()[0]) for period in shares.index]
    rises = sorted((key for key in shares.columns if "_" not in key), key=float)
    shares = shares.sort_index()
    layers = [shares.reindex(columns=[f"{key}{end}" for key in rises]) for end in ("", "_low", "_high")]
    return (
        np.array(rises, dtype=float),
        shares.index.to_numpy(),
        np.array([layer.to_numpy() for layer in layers]),
    )
