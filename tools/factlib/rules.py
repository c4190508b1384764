"""Definitions of the facts about rules that move a hedge: alarms, hedges that follow a plan, trends."""

import numpy as np
import pandas as pd

from hedgelib import contracts, hedge, ledger, market, plan, signals
from tools.factlib.book import Table
from tools.factlib.measures import fact
from tools.factlib.rows import BAR, DAY

ALARMS = signals.double_top, signals.head_and_shoulders, signals.bearish_divergence
AFTER = 10  # days after an alarm

PERIODS = (("2020", "2024"), ("2025", None))
"""First and last year of rows that the rules of lesson 06 have seen, and have not."""

WINDOW, STEP = 60, 7  # days
START = 60_000.0  # USDT, the price of lesson 06
HEDGE = hedge.Hedge(1, 1, 1, "BTCUSDT", mode="cross", wallet=300_000)

LENGTHS = (10, 20, 50, 100, 200)  # days
DISTANCES = (0, 0.02, 0.05, 0.1)
FILLED = max(LENGTHS)  # days that only fill the averages
SEEN_TO = pd.Timestamp("2024-12-31")


def top(close):
    """A top as lesson 06 sees it: a double top or a bearish divergence."""
    return signals.double_top(close) + signals.bearish_divergence(close)


RULES = {
    "batches": plan.Batches((0.3, 0.3, 0.4), (plan.After(0), plan.Below(move=-0.05), plan.Below(move=-0.10))),
    "take_profit": plan.Until(plan.Fixed(), plan.Below(move=-1 / 12)),
    "signals": plan.BySignal((0.9, 0), (plan.Signal(top), plan.Signal(signals.double_bottom)), start=0.4),
    "off_after_a_bottom": plan.Until(plan.Fixed(), plan.Signal(signals.double_bottom)),
    "off_after_30_days": plan.Until(plan.Fixed(), plan.After(30)),
}


def alarms(rows):
    """How often a chart signal comes, and what the price did in the ten days after it was known."""
    for coin in rows.high:
        close = rows.close[coin]
        prices = close.to_numpy()
        following = prices[AFTER:] / prices[:-AFTER] - 1
        values = {"after_any_day": following.mean()}
        for find in ALARMS:
            name, known = find.__name__, [each.known for each in find(prices)]
            after = following[[bar for bar in known if bar < len(following)]]
            values |= {
                f"{name}_per_1000": 1000 * len(known) / len(prices),
                f"{name}_alarms": len(after),
                f"{name}_after": after.mean() if len(after) else np.nan,
                f"{name}_stderr": after.std() / len(after) ** 0.5 if len(after) > 1 else np.nan,
            }
        yield fact(coin, "all days", close, values)


def moving_hedges(rows):
    """What each rule of lesson 06 gained over a plain hedge of its average size, on windows of 60 days."""
    if "BTC" not in rows.bars or "BTC" not in rows.binance:
        return
    bars = rows.bars["BTC"]["close"]
    rates = rows.binance["BTC"].reindex(bars.index, fill_value=0.0)
    for first, last in PERIODS:
        # A bar belongs to the day before the midnight at which it closes.
        days = (bars.index - BAR).normalize().year
        part = bars[(days >= int(first)) & (days <= int(last or days.max()))]
        paths = windows(part, rates[part.index])
        if paths is None:
            continue
        name = f"{first} to {last}" if last else f"since {first}"
        values = {"windows": len(paths.spot)}
        for rule, moving in RULES.items():
            plain = plan.Fixed(float(moving.shares(paths).mean()))
            pnl, other = (ledger.run_many(paths, HEDGE, each).pnl for each in (moving, plain))
            apart = len(pnl) * STEP / WINDOW  # windows that do not overlap
            values |= {rule: np.mean(pnl - other), f"{rule}_error": np.std(pnl - other) / apart**0.5}
        yield fact("BTC", name, part, values, part.index[-1] - BAR)


def windows(close, rates):
    """Every seventh day's window of 60 days, all starting at 60,000; none if there is not one."""
    length, step = (round(days * DAY / BAR) for days in (WINDOW, STEP))
    starts = range(0, len(close) - length, step)
    if not len(starts):
        return None
    prices, paid = close.to_numpy(), rates.to_numpy()
    spot = np.array([START * prices[s : s + length + 1] / prices[s] for s in starts])
    paid = np.array([[0.0, *paid[s + 1 : s + length + 1]] for s in starts])
    return market.Paths(spot=spot, mark=spot, mark_high=spot, mark_low=spot, funding=paid)


def trend_rule(rows):
    """The best of twenty trend rules on a first stretch of days, and what it did on the later ones.

    The stretches: two halves of the days to the end of 2024 but for the first 200, and all days since.
    """
    for coin in rows.high:
        close = rows.close[coin]
        seen, count = len(close.loc[:SEEN_TO]), len(close)
        half = (FILLED + seen) // 2
        if seen < 4 * FILLED:
            continue
        cuts = {"first_half": slice(FILLED, half), "second_half": slice(half, seen - 1)}
        if count - seen > FILLED:
            cuts["unseen"] = slice(seen - 1, count - 1)
        grid = [(days, distance) for days in LENGTHS for distance in DISTANCES]
        scores = {rule: timing(close, *rule) for rule in grid}
        best = max(grid, key=lambda rule: scores[rule][cuts["first_half"]].sum())
        values = {"days": best[0], "distance": best[1]}
        for name, cut in cuts.items():
            part = scores[best][cut]
            better = sum(each[cut].sum() > part.sum() for each in scores.values())
            values |= {name: part.sum(), f"{name}_error": part.std() * len(part) ** 0.5}
            values |= {f"{name}_rank": 1 + better}
        yield fact(coin, "all days", close, values)


def timing(close, days, distance):
    """What timing added each following day to a plain hedge of the rule's average size, fees paid."""
    hedged = close < (1 - distance) * close.rolling(days).mean()
    following = close.pct_change().shift(-1)
    traded = hedged.astype(float).diff().abs()
    average = hedged.iloc[FILLED:].mean()
    return ((average - hedged) * following - contracts.get("BTCUSDT").taker_fee * traded).to_numpy()


_SPOT = "Binance spot USDT pairs, daily closes at 24:00 UTC"
_SHARE = "fraction of the holding, beyond a plain hedge of the same average size"
_STRETCHES = ("first_half", "second_half", "unseen")

TABLES = (
    Table(
        "alarms",
        f"Chart signals on daily closes, and the mean move of the {AFTER} days after each was known",
        _SPOT,
        {"after_any_day": ("fraction, mean", 4)}
        | {
            f"{find.__name__}_{key}": (unit, digits)
            for find in ALARMS
            for key, unit, digits in (
                ("per_1000", "alarms per 1,000 days", 1),
                ("alarms", f"alarms with {AFTER} days after them", 0),
                ("after", "fraction, mean", 4),
                ("stderr", "of that mean", 4),
            )
        },
        alarms,
    ),
    Table(
        "moving_hedges",
        "What the rules of lesson 06 gained over a plain hedge of their average size on windows of 60 days "
        "from 60,000, one a week; errors count the windows that do not overlap",
        "Binance USDT-M last price in bars of 8 hours, settled funding",
        {"windows": ("windows", 0)}
        | {
            f"{rule}{end}": (f"USDT, {what}", 0)
            for rule in RULES
            for end, what in (("", "mean"), ("_error", "standard error of the mean"))
        },
        moving_hedges,
    ),
    Table(
        "trend_rule",
        "The best of twenty rules (full hedge below the mean of so many days by such a distance) in the "
        "first half of the days to 2024-12-31, in the second, and since; its rank among the twenty",
        _SPOT,
        {"days": ("days in the mean", 0), "distance": ("fraction", 2)}
        | {
            f"{name}{end}": (unit, digits)
            for name in _STRETCHES
            for end, unit, digits in (
                ("", _SHARE, 3),
                ("_error", "standard error", 3),
                ("_rank", "rank among the twenty rules", 0),
            )
        },
        trend_rule,
    ),
)
