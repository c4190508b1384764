"""Definitions of the facts about hedges: beta, cross hedges, and a coin's own perpetual."""

from functools import partial

import numpy as np
import pandas as pd

from hedgelib import ratio
from tools.factlib.book import Table
from tools.factlib.measures import (
    FEWEST,
    LAST,
    YEAR,
    era,
    era_and_last,
    fact,
    last_days,
    log_returns,
    regimes,
    simple_returns,
    years,
)

LAGS = 5
WINDOWS = (60, 90, 180, 365)
HORIZONS = (1, 7, 30, 60)
STRETCHES = (1, 5, 10, 30)
FIRST_DAYS = 730  # of which the one ratio is fitted
FOLLOWED = 90  # days: window, and half-life
PERPETUAL_SINCE = "2020"
ALTCOINS_SINCE = "2020-10-01"
ALTCOIN_PERIODS = (("2020-10-01", "2022-12-31"), ("2023-01-01", "2024-12-31"))
FEWEST_EXTREMES = 10
WHOLE_YEAR = 300  # days: a year in which the coin was listed for the most part, and that is not running

_SPOT = "Binance spot USDT pairs, daily closes at 24:00 UTC"
_OWN = "Binance spot and USDT-M last price"


def pair(rows, held, other, returns):
    """Returns of two coins on their common days, or None if one of them is not there."""
    if held not in rows.close or other not in rows.close:
        return None
    closes = pd.DataFrame({"held": rows.close[held], "other": rows.close[other]}).dropna()
    return returns(closes)


def best_ratio(both):
    """Minimum-variance ratio of a short of the other coin against the one held."""
    return both["held"].cov(both["other"]) / both["other"].var()


def one_sided(both, sign):
    """Beta on the days when the other coin moves one way, nan if they are fewer than 30."""
    days = both[np.sign(both["other"]) == sign]
    return ratio.beta(days["held"], days["other"]).ratio if len(days) >= FEWEST else np.nan


def _beta(both):
    """The numbers of one beta."""
    fit = ratio.beta(both["held"], both["other"], lags=LAGS)
    few = (fit.observations / (fit.observations - 2)) ** 0.5
    return {"beta": fit.ratio, "stderr": few * fit.stderr, "r_squared": fit.r_squared}


def beta_by_year(rows):
    """Beta of ETH on BTC in each period, on all days, when BTC falls and when it rises."""
    both = pair(rows, "ETH", "BTC", log_returns)
    for period, part in _periods(both):
        values = _beta(part) | {"correlation": part["held"].corr(part["other"])}
        values |= {"beta_down": one_sided(part, -1), "beta_up": one_sided(part, 1)}
        yield fact("ETH", period, part, values)


def cross_hedge(rows):
    """BTC hedged with ETH in each period, at its own best ratio and at 1:1."""
    both = pair(rows, "BTC", "ETH", simple_returns)
    for period, part in _periods(both):
        best = best_ratio(part)
        removed = ratio.effectiveness(part["held"], part["other"], [best, 1.0])
        values = {"ratio": best, "variance_removed": removed[0], "variance_removed_one_to_one": removed[1]}
        yield fact("BTC", period, part, values)


def out_of_sample(rows):
    """Ratio of the days before, judged on the next day of the era."""
    for held, other in (("BTC", "ETH"), ("ETH", "BTC")):
        both = pair(rows, held, other, simple_returns)
        for window in WINDOWS if both is not None else ():
            known = pd.Series(ratio.rolling(both["held"], both["other"], window), both.index).shift()
            part = era(both.assign(ratio=known).dropna())
            left = part["held"] - part["ratio"] * part["other"]
            values = {"ratio": part["ratio"].mean(), "variance_removed": 1 - left.var() / part["held"].var()}
            yield fact(held, f"{window} days before", part, values)


def followed(rows):
    """BTC hedged with ETH, judged from the third year on: one ratio for good, and two that follow."""
    both = pair(rows, "BTC", "ETH", simple_returns)
    if both is None or len(part := era(both)) < FIRST_DAYS + FEWEST:
        return
    held, other = part["held"], part["other"]
    estimates = {
        "one_ratio": np.full(len(part), best_ratio(part.iloc[:FIRST_DAYS])),
        "last_90_days": ratio.rolling(held, other, FOLLOWED),
        "fading": ratio.ewma(held, other, halflife=FOLLOWED),
    }
    values = {}
    for name, estimate in estimates.items():
        estimate[: FIRST_DAYS - 1] = np.nan
        values[name] = ratio.out_of_sample(held, other, estimate)
    yield fact("BTC", "era", part, values)


def of_stretches(rows):
    """Ratio of BTC to ETH from stretches of days that do not overlap, log returns."""
    both = pair(rows, "BTC", "ETH", era)
    for days in STRETCHES if both is not None else ():
        fit = ratio.minimum_variance(*ratio.horizon(*np.log(both.to_numpy().T), bars=days))
        values = {"ratio": fit.ratio, "stderr": fit.stderr, "stretches": fit.observations}
        yield fact("BTC", f"{days} day{'s' if days > 1 else ''}", both, values)


def correlation(rows):
    """Lowest and highest correlation of BTC and ETH over 90 days of the era; one fact each."""
    both = pair(rows, "BTC", "ETH", log_returns)
    if both is None:
        return
    part = era(both)
    moving = part["held"].rolling(FOLLOWED).corr(part["other"]).dropna()
    for name, when in (("lowest", moving.idxmin()), ("highest", moving.idxmax())):
        yield fact("BTC", f"{FOLLOWED} days to {when:%Y-%m-%d}", part, {name: moving[when]})


def baskets(rows):
    """What BTC alone, and BTC and ETH together, remove of the variance of SOL."""
    names = ["SOL", "BTC", "ETH"]
    if not {*names} <= {*rows.close}:
        return
    returns = simple_returns(pd.DataFrame({name: rows.close[name] for name in names}).dropna())
    for period, part in _altcoin_periods(returns):
        both = ratio.basket(part["SOL"], part[["BTC", "ETH"]])
        values = {
            "ratio_btc": both.ratio[0],
            "ratio_eth": both.ratio[1],
            "removed_by_btc": ratio.beta(part["SOL"], part["BTC"]).r_squared,
            "removed_by_both": both.r_squared,
        }
        yield fact("SOL", period, part, values)


def by_horizon(rows, lately=False):
    """What a hedge removes over stretches of days, at the ratio of a day, the best one, and 1:1."""
    for held in rows.close:
        other = "ETH" if held == "BTC" else "BTC"
        cut = last_days if lately else era
        for days in HORIZONS if other in rows.close else ():
            moves = [pair(rows, held, other, partial(_moves, days=stretch)) for stretch in (1, days)]
            daily, part = (cut(both) for both in moves)
            best, usual = best_ratio(part), best_ratio(daily)
            removed = ratio.effectiveness(part["held"], part["other"], [best, usual, 1.0])
            values = {
                "ratio": best,
                "variance_removed": removed[0],
                "variance_removed_daily_ratio": removed[1],
                "variance_removed_one_to_one": removed[2],
                "unhedged": part["held"].std(),
                "left": (part["held"] - usual * part["other"]).std(),
            }
            yield fact(held, f"{days} day{'s' if days > 1 else ''}", part, values)


def in_tails(rows):
    """How far ETH goes on the days when BTC falls or rises most."""
    both = pair(rows, "ETH", "BTC", log_returns)
    for period, part in era_and_last(both) if both is not None else ():
        order = part.sort_values("other", kind="stable")
        values = {}
        for share in (1, 5):
            count = round(len(order) * share / 100)
            for name, days in (("worst", order.iloc[:count]), ("best", order.iloc[-count:])):
                enough = count >= FEWEST_EXTREMES
                values[f"{name}_{share}"] = days["held"].mean() / days["other"].mean() if enough else np.nan
        values["correlation_worst_5"] = order.iloc[:count].corr().iloc[0, 1]
        yield fact("ETH", period, part, values)


def own_perpetual(rows):
    """A coin hedged 1:1 with its own perpetual, and the basis between the two."""
    for coin, spot, perp in _with_perpetual(rows):
        moves = pd.DataFrame({"spot": spot, "perp": perp}).pct_change().iloc[1:]
        fit = ratio.minimum_variance(moves["spot"], moves["perp"])
        basis = (perp / spot - 1) * 1e4
        values = {
            "ratio": fit.ratio,
            "variance_removed_half": ratio.effectiveness(moves["spot"], moves["perp"], 0.5),
            "variance_removed_one_to_one": ratio.effectiveness(moves["spot"], moves["perp"], 1.0),
            "volatility": moves["spot"].std() * YEAR**0.5,
            "volatility_hedged": (moves["spot"] - moves["perp"]).std() * YEAR**0.5,
            "basis_mean": basis.mean(),
            "basis_std": basis.std(),
            "basis_lowest": basis.min(),
            "basis_highest": basis.max(),
        }
        yield fact(coin, "era", moves, values)


def basis_by_year(rows):
    """Basis of BTC at the daily close in each period."""
    for coin, spot, perp in _with_perpetual(rows):
        if coin == "BTC":
            basis = (perp / spot - 1) * 1e4
            for period, part in (*era_and_last(basis), *years(basis)):
                values = {"mean": part.mean(), "std": part.std(), "lowest": part.min(), "highest": part.max()}
                values["percentile_1"], values["percentile_99"] = np.percentile(part, [1, 99])
                yield fact(coin, period, part, values)


def altcoin_beta(rows):
    """Beta of each coin on BTC, all days and those when BTC falls or rises, and its volatility."""
    for coin in rows.close:
        both = pair(rows, coin, "BTC", log_returns) if coin != "BTC" else None
        if both is None:
            continue
        for period, part in _altcoin_periods(both):
            values = _beta(part) | {
                "volatility": part["held"].std() * YEAR**0.5,
                "beta_down": one_sided(part, -1),
                "beta_up": one_sided(part, 1),
            }
            yield fact(coin, period, part, values)


def altcoin_beta_by_year(rows):
    """Beta of each coin on BTC in each whole calendar year."""
    for coin in rows.close:
        both = pair(rows, coin, "BTC", log_returns) if coin != "BTC" else None
        for year, part in years(both, fewest=WHOLE_YEAR) if both is not None else ():
            values = _beta(part)
            yield fact(coin, year, part, {key: values[key] for key in ("beta", "r_squared")})


def _periods(both):
    """Era, last 365 days, years and named periods; none if a coin is missing."""
    return () if both is None else (*era_and_last(both), *years(both), *regimes(both))


def _altcoin_periods(returns):
    """Yield name and rows of each period in which coins are compared, if it has days enough."""
    parts = {"era": returns.loc[ALTCOINS_SINCE:]}
    parts |= {f"{first} to {last}": returns.loc[first:last] for first, last in ALTCOIN_PERIODS}
    parts |= {"since 2025": returns.loc["2025":], LAST: last_days(returns)}
    yield from ((period, part) for period, part in parts.items() if len(part) >= FEWEST)


def _moves(closes, days):
    """Simple returns of stretches of days, each at its last day."""
    return (closes / closes.shift(days) - 1).dropna()


def _with_perpetual(rows):
    """Yield coin, spot and perpetual on their common days since 2020."""
    for coin, perp in rows.perp.items():
        if coin in rows.close:
            both = pd.DataFrame({"spot": rows.close[coin], "perp": perp}).dropna().loc[PERPETUAL_SINCE:]
            yield coin, both["spot"], both["perp"]


_FIT = {
    "beta": ("USDT per USDT of BTC", 4),
    "stderr": ("of beta", 4),
    "r_squared": ("fraction", 4),
}
_SIDES = {"beta_down": ("beta on days when BTC falls", 4), "beta_up": ("beta on days when BTC rises", 4)}
_REMOVED = {
    "ratio": ("USDT per USDT, best for the horizon", 4),
    "variance_removed": ("fraction, at that ratio", 4),
    "variance_removed_daily_ratio": ("fraction, at the best ratio for a day", 4),
    "variance_removed_one_to_one": ("fraction", 4),
    "unhedged": ("standard deviation, fraction of the holding", 4),
    "left": ("standard deviation at the best ratio for a day, fraction of the holding", 4),
}
_ON_BTC = f"daily log returns, standard error Newey-West with {LAGS} lags"

TABLES = (
    Table(
        "beta_by_year",
        f"Beta of ETH on BTC, {_ON_BTC}",
        _SPOT,
        _FIT | {"beta": ("USDT of ETH per USDT of BTC", 4), "correlation": ("daily", 4)} | _SIDES,
        beta_by_year,
    ),
    Table(
        "tails",
        "Mean move of ETH per move of BTC on the days when BTC falls, or rises, most; log returns",
        _SPOT,
        {
            f"{name}_{share}": (f"USDT of ETH per USDT of BTC, the {name} {share} % of days", 2)
            for share in (1, 5)
            for name in ("worst", "best")
        }
        | {"correlation_worst_5": ("correlation, the worst 5 % of days", 2)},
        in_tails,
    ),
    Table(
        "cross_hedge",
        "BTC hedged with a short of ETH, daily simple returns, ratio fitted in the period itself",
        _SPOT,
        {
            "ratio": ("USDT of ETH per USDT of BTC", 4),
            "variance_removed": ("fraction", 4),
            "variance_removed_one_to_one": ("fraction", 4),
        },
        cross_hedge,
    ),
    Table(
        "cross_hedge_out_of_sample",
        "BTC hedged with ETH and ETH with BTC, ratio fitted on the days before, judged on the next day",
        _SPOT,
        {"ratio": ("mean, USDT per USDT", 4), "variance_removed": ("fraction", 4)},
        out_of_sample,
    ),
    Table(
        "cross_hedge_followed",
        f"BTC hedged with ETH, judged on each next day after the first {FIRST_DAYS}: one ratio fitted on "
        f"these, that of the last {FOLLOWED} days, and one whose days fade with a half-life of {FOLLOWED}",
        _SPOT,
        dict.fromkeys(("one_ratio", "last_90_days", "fading"), ("fraction of variance removed", 4)),
        followed,
    ),
    Table(
        "cross_hedge_of_stretches",
        "BTC hedged with ETH: best ratio from log returns over stretches of days that do not overlap",
        _SPOT,
        {
            "ratio": ("USDT of ETH per USDT of BTC", 3),
            "stderr": ("of the ratio", 3),
            "stretches": ("stretches", 0),
        },
        of_stretches,
    ),
    Table(
        "correlation_of_90_days",
        "Lowest and highest correlation of BTC and ETH over 90 days, daily log returns",
        _SPOT,
        dict.fromkeys(("lowest", "highest"), ("correlation", 4)),
        correlation,
    ),
    Table(
        "basket",
        "A coin hedged with BTC alone, and with BTC and ETH together, daily simple returns",
        _SPOT,
        {
            "ratio_btc": ("USDT of BTC per USDT, beside ETH", 4),
            "ratio_eth": ("USDT of ETH per USDT, beside BTC", 4),
            "removed_by_btc": ("fraction of variance, BTC alone", 4),
            "removed_by_both": ("fraction of variance, BTC and ETH", 4),
        },
        baskets,
    ),
    Table(
        "cross_hedge_by_horizon",
        "A coin hedged with BTC, BTC with ETH, over stretches of days that end on any day; simple returns",
        _SPOT,
        _REMOVED,
        by_horizon,
    ),
    Table(
        "cross_hedge_by_horizon_last_365_days",
        f"A coin hedged with BTC, BTC with ETH, over stretches of days that end in the {LAST}",
        _SPOT,
        _REMOVED,
        partial(by_horizon, lately=True),
    ),
    Table(
        "own_perpetual",
        "Spot hedged with its own perpetual, daily, since 2020 or its listing; basis = last price of the "
        "perpetual / spot - 1 at the close",
        _OWN,
        {
            "ratio": ("minimum variance", 4),
            "variance_removed_half": ("fraction, at a ratio of a half", 5),
            "variance_removed_one_to_one": ("fraction", 5),
            "volatility": ("fraction per year", 4),
            "volatility_hedged": ("fraction per year", 4),
            "basis_mean": ("basis points", 2),
            "basis_std": ("basis points", 2),
            "basis_lowest": ("basis points", 1),
            "basis_highest": ("basis points", 1),
        },
        own_perpetual,
    ),
    Table(
        "basis_by_year",
        "Basis of the BTC perpetual at the daily close",
        _OWN,
        {
            "mean": ("basis points", 2),
            "std": ("basis points", 2),
            "lowest": ("basis points", 1),
            "highest": ("basis points", 1),
            "percentile_1": ("basis points", 1),
            "percentile_99": ("basis points", 1),
        },
        basis_by_year,
    ),
    Table(
        "altcoin_beta",
        f"Beta of coins on BTC, {_ON_BTC}; PAXG is tokenised gold",
        _SPOT,
        _FIT | {"volatility": ("fraction per year", 4)} | _SIDES,
        altcoin_beta,
    ),
    Table(
        "altcoin_beta_by_year",
        "Beta of coins on BTC by calendar year, daily log returns",
        _SPOT,
        {"beta": ("USDT per USDT of BTC", 4), "r_squared": ("fraction", 4)},
        altcoin_beta_by_year,
    ),
)
