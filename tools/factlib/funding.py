"""Definitions of the facts about funding."""

from functools import partial

import numpy as np
import pandas as pd

from tools.factlib.book import Table
from tools.factlib.measures import (
    ERA,
    FEWEST,
    LAST,
    YEAR,
    era,
    era_and_last,
    fact,
    last_days,
    regimes,
    years,
)
from tools.factlib.rows import BAR, DAY, EXCHANGES

A_DAY = DAY // BAR
INTEREST = 1e-4
HORIZONS = (7, 14, 30, 60, 90, 180, 365)
MONTH = 30
RUN_UP = 0.25
LOW = -3e-4
EVENTS = (
    ("BTC", "2020-03-12", "2020-04-11"),
    ("BTC", "2020-03-11", "2020-04-10"),
    ("ETH", "2022-08-26", "2022-09-25"),
    ("ETH", "2022-08-31", "2022-09-30"),
)
"""Coin, and the days between whose closes much was paid: after the crash of 2020, and around the Merge."""

_SETTLED = "Binance USDT-M settled funding, 8-hourly"
_WITH_SPOT = f"Binance spot USDT pairs, daily closes at 24:00 UTC; {_SETTLED}"
_ABOVE = INTEREST + 1e-12  # rates have eight decimals


def by_year(rows):
    """Mean, shares and memory of the settlements of each period."""
    for coin, rates in _known(rows):
        for period, part in (*era_and_last(rates), *years(rates)):
            values = {
                "mean": part.mean() * 1e4,
                "annualised": part.mean() * A_DAY * YEAR,
                "share_positive": (part > 0).mean(),
                "share_at_interest": np.isclose(part, INTEREST, rtol=0, atol=1e-12).mean(),
                "share_above_interest": (part > _ABOVE).mean(),
                "autocorrelation": part.autocorr(),
                "autocorrelation_week": part.autocorr(7 * A_DAY),
            }
            yield fact(coin, period, part, values)


def by_regime(rows):
    """Mean and share below zero in the named periods that both coins cover."""
    for coin, rates in _known(rows, "BTC", "ETH"):
        for period, part in regimes(rates):
            values = {
                "mean": part.mean() * 1e4,
                "annualised": part.mean() * A_DAY * YEAR,
                "share_negative": (part < 0).mean(),
            }
            yield fact(coin, period, part, values)


def extremes(rows, lately=False):
    """Longest runs, worst and best sums, and single settlements: one fact each, its period says when."""
    cut = last_days if lately else era
    for coin, rates in _known(rows, "BTC", "ETH"):
        part = cut(rates)
        for name, found in (("negative", part < 0), ("positive", part > 0)):
            first, last, count = longest_run(found)
            when = f"{first:%Y-%m-%dT%H:%M} to {last:%Y-%m-%dT%H:%M}"
            yield fact(coin, when, part, {f"longest_{name}_run": count})
        for days in (7, 30, 365):
            whole = cut(sums(rates, days))
            for name, when in (("worst", whole.idxmin()), ("best", whole.idxmax())):
                values = {f"{name}_{days}_days": whole[when]}
                yield fact(coin, f"{days} days to {when:%Y-%m-%d}", part, values)
        for name, when in (("lowest", part.idxmin()), ("highest", part.idxmax())):
            yield fact(coin, f"{when:%Y-%m-%dT%H:%M}", part, {name: part[when]})
        if not lately:
            months = part.groupby(part.index.strftime("%Y-%m")).sum()
            yield fact(coin, months.idxmin(), part, {"month": months.min()})
            above = part.index[part > _ABOVE][-1]
            yield fact(coin, f"{above:%Y-%m-%dT%H:%M}", part, {"last_above_interest": part[above]})


def longest_run(found):
    """First and last time of the longest stretch in which `found` is true, and how many rows it has.

    >>> times = pd.date_range("2024-01-01", periods=5, freq="8h")
    >>> longest_run(pd.Series([True, False, True, True, False], times))[2]
    2
    """
    stretch = (~found).cumsum()[found]
    times = stretch.index[stretch == stretch.mode().iloc[0]]
    return times[0], times[-1], len(times)


def sums(rates, days):
    """Sum of the settlements of so many days, at the last of them.

    >>> times = pd.date_range("2024-01-01", periods=4, freq="8h")
    >>> sums(pd.Series([1.0, 2.0, 4.0, 8.0], times), days=1).tolist()
    [7.0, 14.0]
    """
    return rates.rolling(days * A_DAY).sum().iloc[days * A_DAY - 1 :]


def by_horizon(rows, lately=False):
    """Sums over stretches that end at any settlement: of the era, or of the last 365 days."""
    for coin, rates in _known(rows):
        for days in HORIZONS:
            whole = (last_days if lately else era)(sums(rates, days))
            low, middle, high = np.percentile(whole, [5, 50, 95])
            values = {"worst": whole.min(), "bad": low, "median": middle, "good": high, "best": whole.max()}
            values["share_negative"] = (whole < 0).mean()
            yield fact(coin, f"{days} days", whole, values)


def and_price(rows):
    """How funding follows the price, and what windows of 30 days with a run-up of 25 % paid."""
    for coin, rates in _known(rows, "BTC", "ETH"):
        if coin not in rows.close:
            continue
        close = rows.close[coin]
        daily = rates.groupby(rates.index.normalize()).sum()
        windows = pd.DataFrame({"paid": daily.rolling(MONTH).sum(), "rise": close / close.shift(MONTH) - 1})
        windows = windows.dropna().loc[ERA + MONTH * DAY :]
        past = np.log(close / close.shift(MONTH)).shift(1)
        follow = pd.DataFrame({"rate": rates, "past": past.reindex(rates.index.normalize()).to_numpy()})
        follow = follow.dropna().loc[ERA:]
        cuts = {"era": slice(None), "to 2024": slice("2024"), "since 2025": slice("2025", None)}
        for period, cut in cuts.items():
            part = windows.loc[cut]
            if len(part) < FEWEST:
                continue
            up = part["paid"][part["rise"] >= RUN_UP]
            values = {
                "in_all": part["paid"].mean(),
                "in_run_ups": up.mean(),
                "share_of_run_ups": len(up) / len(part),
                "follows_price": follow["rate"].loc[cut].corr(follow["past"].loc[cut]),
            }
            yield fact(coin, period, part, values)


def after_low(rows):
    """Settlements at which a short paid 3 bp or more, and what the 30 days after each of them brought it."""
    for coin, rates in _known(rows, "BTC", "ETH"):
        following = rates.rolling(MONTH * A_DAY).sum().shift(-MONTH * A_DAY)
        table = era(pd.DataFrame({"rate": rates, "following": following}))
        low = table[table["rate"] <= LOW + 1e-12].dropna()
        if len(low):
            values = {
                "settlements": len(low),
                "mean": low["rate"].mean() * 1e4,
                "following": low["following"].mean(),
                "following_worst": low["following"].min(),
            }
            yield fact(coin, "era", table, values)


def events(rows):
    """What a short received and what spot did from the close of one day to that of another."""
    for coin, first, last in EVENTS:
        close, rates = rows.close.get(coin), rows.binance.get(coin)
        if close is None or rates is None or not {first, last} <= {*close.index.strftime("%Y-%m-%d")}:
            continue
        paid = rates.loc[first:last].loc[pd.Timestamp(first) + DAY :]
        values = {"funding": paid.sum(), "lowest": paid.min(), "moved": close[last] / close[first] - 1}
        yield fact(coin, f"{first} to {last}", paid, values)


def by_exchange(rows):
    """Annualised mean on three exchanges, over the time since 2023 that all of them cover."""
    known = {name: getattr(rows, name) for name in EXCHANGES}
    for coin in ("BTC", "ETH"):
        if all(coin in rates for rates in known.values()):
            all_three = pd.concat({name: rates[coin] for name, rates in known.items()}, axis=1, join="inner")
            part = all_three.loc["2023":]
            if len(part):
                yield fact(coin, "since 2023", part, dict(part.mean() * A_DAY * YEAR))


def after_negative(rows):
    """Mean spot return of the 7 days after a day of negative funding, and after the other days."""
    for coin, rates in _known(rows, "BTC", "ETH"):
        if coin not in rows.close:
            continue
        close = rows.close[coin]
        table = pd.DataFrame(
            {"paid": rates.groupby(rates.index.normalize()).sum(), "next": close.shift(-7) / close - 1}
        )
        part = table.dropna().loc[ERA:]
        negative = part["paid"] < 0
        values = {
            "after_negative": part["next"][negative].mean(),
            "after_other": part["next"][~negative].mean(),
            "days": negative.sum(),
        }
        yield fact(coin, "era", part, values, table["paid"].last_valid_index())


def _known(rows, *coins):
    """Coin and settlements of the exchange that all lessons speak of."""
    rates = rows.binance
    return [(coin, rates[coin]) for coin in coins or rates if coin in rates]


_MEANS = {
    "mean": ("basis points per 8 hours", 4),
    "annualised": ("fraction per year, simple", 4),
    "share_positive": ("fraction of settlements", 4),
    "share_at_interest": ("fraction of settlements at exactly 0.01 %", 4),
    "share_above_interest": ("fraction of settlements above 0.01 %", 4),
    "autocorrelation": ("8 hours", 3),
    "autocorrelation_week": ("7 days", 3),
}
_EXTREMES = (
    {f"longest_{name}_run": ("settlements", 0) for name in ("negative", "positive")}
    | {
        f"{name}_{days}_days": ("fraction of notional, sum", 4 if days == 365 else 5)
        for days in (7, 30, 365)
        for name in ("worst", "best")
    }
    | dict.fromkeys(("lowest", "highest", "last_above_interest"), ("fraction per 8 hours", 7))
    | {"month": ("fraction of notional, sum", 5)}
)
_SUMS = {
    key: (f"fraction of notional, {what} sum", 5)
    for key, what in {
        "worst": "lowest",
        "bad": "5th percentile of the",
        "median": "median",
        "good": "95th percentile of the",
        "best": "highest",
    }.items()
} | {"share_negative": ("fraction of the sums below 0", 4)}

TABLES = (
    Table(
        "funding_by_year",
        "Funding by calendar year; positive is received by a short",
        _SETTLED,
        _MEANS,
        by_year,
    ),
    Table(
        "funding_by_regime",
        "Funding in named periods",
        _SETTLED,
        {
            "mean": ("basis points per 8 hours", 3),
            "annualised": ("fraction per year, simple", 4),
            "share_negative": ("fraction of settlements", 3),
        },
        by_regime,
    ),
    Table("funding_extremes", "Extremes of funding for a short", _SETTLED, _EXTREMES, extremes),
    Table(
        "funding_extremes_last_365_days",
        f"Extremes of funding for a short, {LAST}",
        _SETTLED,
        _EXTREMES,
        partial(extremes, lately=True),
    ),
    Table(
        "funding_by_horizon",
        "What a short received over a horizon that ended at any settlement; overlapping",
        _SETTLED,
        _SUMS,
        by_horizon,
    ),
    Table(
        "funding_by_horizon_last_365_days",
        f"What a short received over a horizon that ended in the {LAST}; overlapping",
        _SETTLED,
        _SUMS,
        partial(by_horizon, lately=True),
    ),
    Table(
        "funding_and_price",
        "Funding of 30 days, all of them and those in which spot rose by 25 % or more (ending on any day, "
        "overlapping), and how a settlement goes with the log return of the 30 days before its day",
        _WITH_SPOT,
        {
            "in_all": ("fraction of notional, mean of 30-day sums", 5),
            "in_run_ups": ("fraction of notional, mean of 30-day sums", 5),
            "share_of_run_ups": ("fraction of windows", 4),
            "follows_price": ("correlation", 3),
        },
        and_price,
    ),
    Table(
        "after_low_funding",
        "Settlements at -3 bp or less, and the sum of the 90 settlements after each of them",
        _SETTLED,
        {
            "settlements": ("settlements at -3 bp or less", 0),
            "mean": ("basis points per 8 hours", 2),
            "following": ("fraction of notional, mean of the sums", 5),
            "following_worst": ("fraction of notional, lowest sum", 5),
        },
        after_low,
    ),
    Table(
        "events",
        "What a short received, and what spot did, from the close of the first to that of the last day",
        _WITH_SPOT,
        {
            "funding": ("fraction of notional, sum", 5),
            "lowest": ("fraction per 8 hours", 7),
            "moved": ("fraction", 4),
        },
        events,
    ),
    Table(
        "funding_by_exchange",
        "Funding on three exchanges",
        "Settled funding of Binance, Bybit and OKX, 8-hourly",
        dict.fromkeys(("binance", "bybit", "okx"), ("fraction per year, simple", 4)),
        by_exchange,
    ),
    Table(
        "after_negative_funding",
        "Mean spot return in the 7 days after a day (UTC) whose settlements at 00:00, 08:00 and 16:00 sum to "
        "less than 0, and after the other days; overlapping",
        _WITH_SPOT,
        {"after_negative": ("fraction", 4), "after_other": ("fraction", 4), "days": ("days below 0", 0)},
        after_negative,
    ),
)
