"""Would your hedge have lived? Twenty ways that a price can go, and what each does to a coin and its hedge.

One of the twenty joins quoted prices of 2025, eight are simulated after periods that have a name, and eleven
are drawn from a mean market without looking. All begin at the same price, so that results in USDT compare.
"""

import functools
from collections import namedtuple

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase

from hedgelib import checks, figures, ledger, plan
from hedgelib import market as markets
from hedgelib.explorer import Choice, Explorer
from hedgelib.hedge import Hedge

__all__ = ["explorer", "started_at", "walk"]

PRICE = 60_000.0  # USDT per coin, at which each of the twenty begins
DAYS = 60
DRAWN = 11  # of the twenty, from the mean market
RESERVE = 20_000.0  # USDT
# Prices that lesson 05 quotes of 2025 (Binance, BTC), by days since the first: the perpetual on 8 April
# at 00:00 UTC, then of spot the high of 12 May, the low of 5 June and the high of 13 July.
QUOTED = {0: 79_140, 35: 105_819, 59: 100_372, 97: 119_488}
QUOTED_RATE = 0.32e-4  # mean of the settlements of that time, fraction per eight hours
LIMITS = (-42_000, 80_000)  # of a change, USDT: all of the twenty fit
RULE = plan.Plan(top_up=plan.TopUp(reserve=RESERVE, below=0.20, to=0.33))
LASTING = Hedge(1, 1, 3, "BTCUSDT", margin_from="collateral")

BACKINGS = {
    "10x": (Hedge(1, 1, 10, "BTCUSDT"), None),
    "3x": (Hedge(1, 1, 3, "BTCUSDT"), None),
    "2x": (Hedge(1, 1, 2, "BTCUSDT"), None),
    f"3x and {RESERVE:,.0f} USDT in reserve": (Hedge(1, 1, 3, "BTCUSDT"), RULE),
    "the coin itself as collateral": (LASTING, None),
}
"""What stands behind the short of one bitcoin: by its words, the hedge and its plan."""

Walked = namedtuple("Walked", "days alone hedged rows died")


def started_at(market, price):
    """Return a market that begins at a price, everything else in proportion.

    Parameters
    ----------
    market : pandas.DataFrame
        A market frame.
    price : float
        Spot of its first bar, USDT per coin.

    Examples
    --------
    >>> from hedgelib.market import drawn
    >>> started_at(drawn({0: 20_000, 1: 30_000}), 60_000)["mark_high"].max().item()
    90000.0
    """
    frame = markets.validate(market)
    factor = checks.single("price (USDT)", price, above=0) / frame["spot"].iloc[0]
    prices = [name for name in frame.columns if name != "funding"]
    scaled = frame.assign(**{name: frame[name] * factor for name in prices})
    scaled.attrs = dict(frame.attrs)
    return scaled


@functools.cache
def twenty():
    """Return the twenty markets by name, each of up to 60 days and from 60,000 USDT.

    Examples
    --------
    >>> len(twenty()), list(twenty())[:2]
    (20, ['2025, quoted', 'like bull_run'])
    """
    frames = {"2025, quoted": markets.drawn(QUOTED, rate=QUOTED_RATE)}
    frames["2025, quoted"].attrs["label"] = (
        "four prices of BTC quoted from Binance, 8 April to 13 July 2025, joined by straight lines"
    )
    named = [name for name in markets.scenarios() if name != "perp_era"]
    frames |= {f"like {name}": markets.scenario(name) for name in named}
    drawn = markets.paths("perp_era", n=DRAWN, days=DAYS)
    frames |= {f"drawn {row + 1}": drawn.frame(row) for row in range(DRAWN)}
    return {name: started_at(_first_days(frame), PRICE) for name, frame in frames.items()}


def _first_days(frame):
    cut = frame.loc[: frame.index[0] + pd.Timedelta(days=DAYS)]
    cut.attrs = dict(frame.attrs)
    return cut


def _walked(market, hedge, rule=None):
    """Walk a hedge through a market: days, the changes of coin and hedge, and the bar of its death."""
    rows = ledger.run(market, hedge, rule)
    died = np.flatnonzero(rows["event"].str.contains("liquidated"))
    days = ((market.index - market.index[0]) / pd.Timedelta(days=1)).to_numpy()
    alone = hedge.holding * (market["spot"] - market["spot"].iloc[0]).to_numpy()
    hedged = (rows["wealth"] - rows.attrs["wealth_before"]).to_numpy()
    return Walked(days, alone, hedged, rows, died[0] if len(died) else None)


@functools.cache
def _known(name, backing):
    return _walked(twenty()[name], *BACKINGS[backing])


def _dead_by(walked, day):
    """Whether a short has died by a day."""
    return walked.died is not None and walked.days[walked.died] <= day


def tally(backing, day=DAYS):
    """Count on how many of the twenty paths a short has died by a day.

    Parameters
    ----------
    backing : str
        One of `BACKINGS`.
    day : float
        Days since the opening.

    Examples
    --------
    >>> tally("the coin itself as collateral")
    0
    """
    checks.one_of("backing", backing, list(BACKINGS))
    day = checks.single("day", day, at_least=0)
    return sum(bool(_dead_by(_known(name, backing), day)) for name in twenty())


def walk(figure, market, hedge, rule=None, *, day=None):
    """Draw what becomes of a coin alone, of its hedge, and of a hedge that lives, and return the readouts.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into; it gets two axes, the price above the changes of wealth.
    market : pandas.DataFrame
        A market frame.
    hedge : Hedge
        What is held and shorted.
    rule : Plan, optional
        How the hedge moves in time.
    day : float, optional
        How much of the market has been seen, days; all of it if not given.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hedgelib.market import drawn
    >>> there_and_back = drawn({0: 60_000, 20: 90_000, 40: 50_000})
    >>> walk(Figure(), there_and_back, Hedge(1, 1, 3, "BTCUSDT"))["Your short"]
    'died on day 13 at 79,681 USDT; the coin has been unprotected since'
    """
    checks.kind("figure", figure, FigureBase, "a matplotlib figure")
    day = np.inf if day is None else checks.single("day", day, at_least=0)
    yours = _walked(market, hedge, rule)
    lives = _walked(market, Hedge(hedge.holding, 1, 3, hedge.contract.symbol, margin_from="collateral"))
    price, change = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3])
    seen = yours.days <= day
    price.plot(yours.days[seen], market["mark"][seen], color=figures.BLUE, linestyle="-", label="Price")
    liquidation = yours.rows["liquidation_price"]
    known = liquidation[seen].replace(np.inf, np.nan).dropna().to_numpy()
    price.plot(
        yours.days[seen],
        liquidation[seen],
        color=figures.VERMILION,
        linestyle="--",
        label=f"Your short dies at {figures.usdt(known[-1], signed=False)}" if len(known) else "",
    )
    price.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    price.set(ylabel="Price (USDT)", ylim=_around(pd.concat([market["mark_low"], market["mark_high"]])))
    price.yaxis.set_major_formatter(figures.Ticks("{x:,.0f}"))
    _changes(change, yours, lives, day)
    return _said(yours, lives, day)


def draw(figure, path, backing, day=DAYS):
    """Draw one of the twenty paths up to a day, and which of the twenty have died by then.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into.
    path : str
        One of `twenty`.
    backing : str
        One of `BACKINGS`.
    day : float
        Days since the opening.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> draw(Figure(), "like squeeze_up", "3x")["Of these twenty"]
    '9 died'
    """
    checks.kind("figure", figure, FigureBase, "a matplotlib figure")
    checks.one_of("path", path, list(twenty()))
    checks.one_of("backing", backing, list(BACKINGS))
    day = checks.single("day", day, at_least=0)
    yours, lives = _known(path, backing), _known(path, "the coin itself as collateral")
    change, strip = figure.subplots(2, 1, height_ratios=[8, 1])
    _changes(change, yours, lives, day, LIMITS, DAYS)
    for place, name in enumerate(twenty()):
        dead = _dead_by(_known(name, backing), day)
        size = 150 if name == path else 60
        color, marker = (figures.VERMILION, "X") if dead else (figures.BLUE, "o")
        strip.scatter(place, 0, s=size, marker=marker, color=color, edgecolors="white", clip_on=False)
    strip.text(-1, 1.2, "The twenty paths: ✕ died, ● alive", size=9, color=figures.GREY, va="bottom")
    strip.set(xlim=(-1, len(twenty())), ylim=(-1, 1))
    strip.set_axis_off()
    said = _said(yours, lives, day)
    said["Of these twenty"] = f"{tally(backing, day)} died"
    said["This path"] = twenty()[path].attrs["label"]
    return said


def _changes(axes, yours, lives, day, limits=None, until=None):
    """Draw the three changes of wealth; what follows a death is red, and shaded as unprotected."""
    seen = yours.days <= day
    days = yours.days[seen]
    end = {"marker": "o", "markevery": [-1]}
    axes.axhline(0, color=figures.GREY, linewidth=1, linestyle="-")
    axes.plot(days, yours.alone[seen], color=figures.BLUE, linestyle="--", label="Coin alone", **end)
    axes.plot(
        days, lives.hedged[seen], color=figures.GREEN, linestyle="-.", label="A hedge that lives", **end
    )
    axes.plot(
        days, yours.hedged[seen], color=figures.BLACK, linestyle="-", linewidth=3, label="Your hedge", **end
    )
    if _dead_by(yours, day):
        since, dead = yours.days[yours.died], seen & (yours.days >= yours.days[yours.died])
        axes.plot(
            yours.days[dead], yours.hedged[dead], color=figures.VERMILION, linestyle="-", linewidth=3, **end
        )
        axes.scatter(since, yours.hedged[yours.died], s=150, marker="X", color=figures.VERMILION, zorder=4)
        axes.axvspan(since, max(days[-1], since), color=figures.VERMILION, alpha=0.13, linewidth=0)
        axes.text(
            since,
            0.03,
            " unprotected",
            color=figures.VERMILION,
            transform=axes.get_xaxis_transform(),
            va="bottom",
        )
    whole = np.concatenate([yours.alone, yours.hedged, lives.hedged])
    until = until or yours.days[-1]
    room = until / 60
    axes.set(
        xlabel="Day",
        ylabel="Change since day 0 (USDT)",
        xlim=(-room, until + room),
        ylim=limits or _around(whole),
    )
    axes.yaxis.set_major_formatter(figures.Ticks("{x:+,.0f}"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)


def _around(values):
    """Limits that leave a margin around values."""
    low, high = np.min(values), np.max(values)
    room = 0.06 * max(high - low, 1.0)
    return low - room, high + room


def _said(yours, lives, day):
    """The readouts of a walk up to a day."""
    last = int(np.flatnonzero(yours.days <= day)[-1])
    if _dead_by(yours, day):
        at = yours.rows["liquidation_price"].iloc[yours.died]
        since = yours.days[yours.died]
        price = figures.usdt(at, signed=False)
        fate = f"died on day {int(since)} at {price}; the coin has been unprotected since"
    else:
        at = yours.rows["liquidation_price"].iloc[last]
        fate = f"alive on day {yours.days[last]:.0f}"
        if np.isfinite(at):
            fate += f"; it would die at {figures.usdt(at, signed=False)}"
    return {
        "Your short": fate,
        "Coin alone": figures.usdt(yours.alone[last]),
        "Your hedge": figures.usdt(yours.hedged[last]),
        "A hedge that lives": figures.usdt(lives.hedged[last]),
    }


def explorer(behind=tuple(BACKINGS), path="like squeeze_up", days=(DAYS,)):
    """Return the explorer "Would your hedge have lived?".

    Parameters
    ----------
    behind : sequence of str
        What can stand behind the short, some of `BACKINGS`; the first at the start.
    path : str
        The path at the start, one of `twenty`.
    days : sequence of float
        The days that can be chosen, the last at the start; a single one gets no slider.

    Examples
    --------
    >>> list(explorer(behind=["3x", "2x"]).controls)
    ['backing', 'path']
    """
    for backing in checks.kind("behind", behind, tuple | list, "a list of what stands behind the short"):
        checks.one_of("behind", backing, list(BACKINGS))
    controls = {
        "backing": Choice("Behind the short", tuple(behind)),
        "path": Choice("Path", tuple(twenty()), path),
    }
    days = checks.row("days", days, at_least=0, at_most=DAYS).tolist()
    if len(days) > 1:
        controls["day"] = Choice("Day", tuple(days), days[-1], "{:.0f}")
    return Explorer(draw, "Would your hedge have lived?", size=(9, 4.4), **controls)
