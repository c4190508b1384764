"""Definitions of the facts about prices: volatility, extremes, and how far they go within a horizon."""

from functools import partial

import numpy as np
from scipy import stats

from hedgelib import contracts, perpetual
from tools.factlib.book import Table
from tools.factlib.measures import (
    LAST,
    YEAR,
    ahead,
    era,
    era_and_last,
    fact,
    interval,
    last_days,
    log_returns,
    years,
)
from tools.factlib.rows import BAR, DAY

LEVERAGES = (1, 2, 3, 5, 10)
HORIZONS = (30, 60, 90)
FINE_HORIZONS = (1, 7, 14, 30, 60, 90, 180, 365)
FINE_RISES = (0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 1.0, 1.5, 2.0)
FINE_FALLS = (0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75)
MONTH = 30
FAST_HOURS = (8, 24)
FAST_RISES = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4)
BY_YEAR = 60  # days
BLOCK = 180  # days
MARKED_SINCE = "2020"
WICK = 1.03  # a high so far above that of spot is a trade that no other market saw

_SPOT = "Binance spot USDT pairs, daily closes at 24:00 UTC"
_HIGHS = f"{_SPOT} and highs"
_LOWS = f"{_SPOT} and lows"


def levels():
    """Rise that liquidates a short of each leverage: no top-up, first bracket.

    >>> {name: f"{rise:.2%}" for name, rise in levels().items()}
    {'1x': '99.20%', '2x': '49.40%', '3x': '32.80%', '5x': '19.52%', '10x': '9.56%'}
    """
    brackets = contracts.get("BTCUSDT").brackets
    prices = {f"{times}x": perpetual.liquidation_price(1, 1, 1 / times, brackets) for times in LEVERAGES}
    return {name: price - 1 for name, price in prices.items()}


def degrees_of_freedom(returns):
    """Degrees of freedom of the Student-t of the greatest likelihood, location and scale free.

    Started near what markets have: from scipy's own start the search stops short in calm years.
    """
    return stats.t.fit(returns, 3, loc=returns.mean(), scale=returns.std() / 2)[0]


def volatility_by_year(rows):
    """Return, volatility, tail and clustering of each period."""
    for coin in rows.high:
        returns = log_returns(rows.close[coin])
        for period, part in (*era_and_last(returns), *years(returns)):
            values = {
                "return": np.expm1(part.sum()),
                "volatility": part.std() * YEAR**0.5,
                "tail": degrees_of_freedom(part),
                "clustering": part.abs().autocorr(),
            }
            yield fact(coin, period, part, values)


def shape_of_returns(rows):
    """How falls differ from rises, and how long wild days come together."""
    for coin in rows.high:
        returns = log_returns(rows.close[coin])
        for period, part in era_and_last(returns):
            size = part.abs()
            values = {
                "skew": stats.skew(part),
                "leverage_effect": part.corr(size.rolling(5).mean().shift(-5)),
                "clustering_7": size.autocorr(7),
                "clustering_30": size.autocorr(30),
            }
            yield fact(coin, period, part, values)


def extremes(rows, lately=False):
    """Moves that end, run-ups that start, and the drawdown that lies in a period: one fact each."""
    cut = last_days if lately else era
    for coin in rows.high:
        close = rows.close[coin]
        part = cut(close)
        for days in (1, 7, 30, 365):
            moves = cut((close / close.shift(days) - 1).dropna())
            for name, when in (("worst", moves.idxmin()), ("best", moves.idxmax())):
                key = f"{name}_{days}_day{'s' if days > 1 else ''}"
                yield fact(coin, f"{when:%Y-%m-%d}", part, {key: moves[when]})
        for days in (30, 90):
            rises = cut(_highest(rows, coin, days)) - 1
            when = rises.idxmax()
            yield fact(coin, f"from {when:%Y-%m-%d}", part, {f"run_up_{days}_days": rises[when]})
        fall = part / part.cummax() - 1
        trough = fall.idxmin()
        when = f"{part.loc[:trough].idxmax():%Y-%m-%d} to {trough:%Y-%m-%d}"
        yield fact(coin, when, part, {"drawdown": fall.min()})


def moves_of_a_month(rows):
    """How large moves of 30 days were, up or down, and how often they were falls of more than a quarter."""
    for coin in rows.high:
        close = rows.close[coin]
        for period, part in era_and_last((close / close.shift(MONTH) - 1).dropna()):
            values = {"typical": part.abs().median(), "fell_25": (part < -0.25).mean()}
            yield fact(coin, period, part, values)


def excursions(rows, lately=False):
    """Quantiles of the highest rise and the deepest fall within each horizon."""
    for coin in rows.high:
        for days in HORIZONS:
            rise = _starts(_highest(rows, coin, days), lately) - 1
            fall = 1 - _starts(_lowest(rows, coin, days), lately)
            shares = (50, 75, 90, 95, 99)
            values = {f"rise_{share}": np.percentile(rise, share) for share in shares}
            values |= {f"fall_{share}": -np.percentile(fall, share) for share in shares}
            yield fact(coin, f"{days} days", rise, values, rows.high[coin].index[-1])


def touched(rows, rises, horizons, lately=False, falls=False):
    """Share of starts after which a high reached each rise, or a low each fall; of the era with intervals."""
    for coin in rows.high:
        for days in horizons:
            top = _starts((_lowest if falls else _highest)(rows, coin, days), lately)
            sizes = np.array(list(rises.values()))
            reached = top.to_numpy()[:, np.newaxis]
            hits = reached <= 1 - sizes if falls else reached >= 1 + sizes
            parts = {"": hits.mean(axis=0)}
            if not lately:
                ends = interval(hits, f"{coin} {days}", max(BLOCK, 2 * days))
                parts |= {"_low": ends[0], "_high": ends[1]}
            values = {f"{key}{end}": parts[end][place] for place, key in enumerate(rises) for end in parts}
            yield fact(coin, f"{days} days", top, values, rows.high[coin].index[-1])


def touched_by_year(rows):
    """Share of the starts of each calendar year that were touched within 60 days."""
    for coin in rows.high:
        for year, part in years(_highest(rows, coin, BY_YEAR), first=2017):
            values = {key: np.mean(part >= 1 + rise) for key, rise in levels().items()}
            last = min(part.index[-1] + BY_YEAR * DAY, rows.high[coin].index[-1])
            yield fact(coin, year, part, values, last)


def touched_last_and_mark(rows):
    """Share of starts touched by highs of the last price, and by highs of the mark price."""
    for coin, marked in rows.marked.items():
        part = marked.loc[MARKED_SINCE:]
        for days in HORIZONS:
            values = {}
            for key, rise in levels().items():
                for price in ("last", "mark"):
                    top = (ahead(part[f"{price}_high"], days, np.max) / part["close"]).dropna()
                    values[f"{key}_{price}"] = np.mean(top >= 1 + rise)
            yield fact(coin, f"{days} days", top, values, part.index[-1])


def fast_rises(rows, lately=False):
    """The highest rise within hours of the close of an 8-hour bar of the perpetual; its period says when."""
    for coin, hours, top in _fast(rows):
        part = last_days(top) if lately else era(top)
        when = part.idxmax()
        yield fact(coin, f"from {when:%Y-%m-%dT%H:%M}", part, {f"best_{hours}_hours": part[when] - 1})


def rises_within_hours(rows, lately=False):
    """Share of the closes of 8-hour bars from which the perpetual rose so far within hours."""
    for coin, hours, top in _fast(rows):
        part = last_days(top) if lately else era(top)
        values = {f"{rise:g}": np.mean(part >= 1 + rise) for rise in FAST_RISES}
        yield fact(coin, f"{hours} hours", part, values)


def _fast(rows):
    """Yield coin, hours, and the highest high within them over the close, at each close of a bar."""
    for coin in [coin for coin in rows.bars if coin in rows.high]:
        bars = rows.bars[coin]
        spot = rows.high[coin].reindex((bars.index - BAR).normalize()).set_axis(bars.index)
        bars, spot = bars[spot.notna()], spot.dropna()
        high = bars["high"].where(bars["high"] <= WICK * spot, bars["close"])
        for hours in FAST_HOURS:
            yield coin, hours, (ahead(high, hours // 8, np.max) / bars["close"]).dropna()


def _highest(rows, coin, days):
    """Highest high of the next days over the close of each start."""
    return (ahead(rows.high[coin], days, np.max) / rows.close[coin]).dropna()


def _lowest(rows, coin, days):
    """Lowest low of the next days over the close of each start."""
    return (ahead(rows.low[coin], days, np.min) / rows.close[coin]).dropna()


def _starts(values, lately):
    """The starts of the era, or the last 365 of which the whole horizon is known."""
    return values.iloc[-YEAR:] if lately else era(values)


def _reached(rises, bounds=True):
    """Columns of the shares of starts for each rise, with the ends of the interval if `bounds`."""
    ends = ("", "_low", "_high") if bounds else ("",)
    return {f"{key}{end}": ("fraction of starts", 3 if end else 4) for key in rises for end in ends}


_LEVELS = levels()
_TOLD = ", ".join(f"+{rise:.2%} ({name})".replace("%", " %") for name, rise in _LEVELS.items())
_FINE = {f"{rise:g}": rise for rise in FINE_RISES}
_FINE_FALLS = {f"{fall:g}": fall for fall in FINE_FALLS}
_MOVES = {
    f"{name}_{days}_day{'s' if days > 1 else ''}": ("fraction", 4)
    for days in (1, 7, 30, 365)
    for name in ("worst", "best")
}
_MOVES |= {f"run_up_{days}_days": ("fraction, from a close to the highest high", 4) for days in (30, 90)}
_MOVES |= {"drawdown": ("fraction", 4)}
_QUANTILES = {
    f"{name}_{share}": ("fraction, not exceeded by this percentage of starts", 4)
    for name in ("rise", "fall")
    for share in (50, 75, 90, 95, 99)
}
_LATELY = f"the last {YEAR} starts whose horizon is known"
_BARS = "Binance USDT-M last price in bars of 8 hours, and spot highs"
_HOURS = (
    "Rises of the perpetual from the close of an 8-hour bar to the highest high within 8 and 24 hours; a "
    "high more than 3 % above that of spot on its day counts by its close"
)

TABLES = (
    Table(
        "volatility_by_year",
        "Return, volatility and tail by calendar year",
        _SPOT,
        {
            "return": ("fraction", 4),
            "volatility": ("fraction per year", 4),
            "tail": ("degrees of freedom of Student-t", 2),
            "clustering": ("autocorrelation of |return|, 1 day", 3),
        },
        volatility_by_year,
    ),
    Table(
        "shape_of_returns",
        "Daily log returns: skew, how wild the days after falls are, and how long wild days come together",
        _SPOT,
        {
            "skew": ("third standardised moment", 2),
            "leverage_effect": ("correlation of a return with the mean |return| of the next 5 days", 3),
            "clustering_7": ("autocorrelation of |return|, 7 days", 3),
            "clustering_30": ("autocorrelation of |return|, 30 days", 3),
        },
        shape_of_returns,
    ),
    Table(
        "touched",
        f"How often a short opened on a random day was touched: a later spot high at or above {_TOLD}, "
        "where it is liquidated in the first bracket without top-up; 90 % interval by block bootstrap of "
        f"{BLOCK} days",
        _HIGHS,
        _reached(_LEVELS),
        partial(touched, rises=_LEVELS, horizons=HORIZONS),
    ),
    Table(
        "touched_last_365_days",
        f"How often a short was touched by {_TOLD}: {_LATELY}",
        _HIGHS,
        _reached(_LEVELS, bounds=False),
        partial(touched, rises=_LEVELS, horizons=HORIZONS, lately=True),
    ),
    Table(
        "touched_by_year",
        f"How often a short was touched within {BY_YEAR} days by {_TOLD}, by year of entry",
        _HIGHS,
        dict.fromkeys(_LEVELS, ("fraction of starts", 3)),
        touched_by_year,
    ),
    Table(
        "touched_by_rise",
        "How often a later high reached each rise (fraction) within a horizon: each day of the era a start, "
        f"90 % interval by block bootstrap of {BLOCK} days or of twice the horizon if that is more",
        _HIGHS,
        _reached(_FINE),
        partial(touched, rises=_FINE, horizons=FINE_HORIZONS),
    ),
    Table(
        "touched_by_rise_last_365_days",
        f"How often a later high reached each rise (fraction) within a horizon: {_LATELY}",
        _HIGHS,
        _reached(_FINE, bounds=False),
        partial(touched, rises=_FINE, horizons=FINE_HORIZONS, lately=True),
    ),
    Table(
        "touched_by_fall",
        "How often a later low reached each fall (fraction) within a horizon: each day of the era a start, "
        f"90 % interval by block bootstrap of {BLOCK} days or of twice the horizon if that is more",
        _LOWS,
        _reached(_FINE_FALLS),
        partial(touched, rises=_FINE_FALLS, horizons=FINE_HORIZONS, falls=True),
    ),
    Table(
        "touched_by_fall_last_365_days",
        f"How often a later low reached each fall (fraction) within a horizon: {_LATELY}",
        _LOWS,
        _reached(_FINE_FALLS, bounds=False),
        partial(touched, rises=_FINE_FALLS, horizons=FINE_HORIZONS, lately=True, falls=True),
    ),
    Table(
        "touched_last_and_mark",
        f"Highs of last price against highs of mark price of the perpetual itself: {_TOLD}",
        "Binance USDT-M last and mark price",
        {f"{key}_{price}": ("fraction of starts", 4) for key in _LEVELS for price in ("last", "mark")},
        touched_last_and_mark,
    ),
    Table(
        "extremes",
        "Worst and best moves of spot, close to close; the day given is the last one",
        _SPOT,
        _MOVES,
        extremes,
    ),
    Table(
        "extremes_last_365_days",
        f"Worst and best moves of spot that end, and run-ups that start, in the {LAST}",
        _SPOT,
        _MOVES,
        partial(extremes, lately=True),
    ),
    Table(
        "moves_of_30_days",
        "Moves of spot over 30 days, close to close, ending on any day",
        _SPOT,
        {
            "typical": ("fraction, median of their sizes, up or down", 4),
            "fell_25": ("fraction of windows that ended more than 25 % down", 4),
        },
        moves_of_a_month,
    ),
    Table(
        "excursions",
        "How far spot rose above, and fell below, a close within a horizon: highest high and lowest low",
        _HIGHS,
        _QUANTILES,
        excursions,
    ),
    Table(
        "excursions_last_365_days",
        f"How far spot rose above, and fell below, a close within a horizon: {_LATELY}",
        _HIGHS,
        _QUANTILES,
        partial(excursions, lately=True),
    ),
    Table(
        "fast_rises",
        _HOURS,
        _BARS,
        {f"best_{hours}_hours": ("fraction", 4) for hours in FAST_HOURS},
        fast_rises,
    ),
    Table(
        "fast_rises_last_365_days",
        f"{_HOURS}; {LAST}",
        _BARS,
        {f"best_{hours}_hours": ("fraction", 4) for hours in FAST_HOURS},
        partial(fast_rises, lately=True),
    ),
    Table(
        "rises_within_hours",
        "How often the perpetual rose by each fraction within 8 and 24 hours of the close of an 8-hour bar",
        _BARS,
        {f"{rise:g}": ("fraction of closes", 4) for rise in FAST_RISES},
        rises_within_hours,
    ),
    Table(
        "rises_within_hours_last_365_days",
        f"How often the perpetual rose by each fraction within 8 and 24 hours; {LAST}",
        _BARS,
        {f"{rise:g}": ("fraction of closes", 4) for rise in FAST_RISES},
        partial(rises_within_hours, lately=True),
    ),
)
