"""The picture of a hedge in time: price and liquidation price, wealth, margin ratio, events."""

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import FigureBase

from hedgelib import checks
from hedgelib.figures.dressing import dress, interval
from hedgelib.figures.formats import percent, usdt
from hedgelib.market import validate
from hedgelib.picture import BLACK, BLUE, GREEN, GREY, VERMILION

TOLD = 4  # events written out in the readouts


def timeline(figure, market, rows, *, title="", price_limits=None, wealth_limits=None):
    """Draw a ledger in three rows: price, wealth and margin ratio, with its events numbered.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into; give it a height of 6 inches or more.
    market : pandas.DataFrame
        The market frame that the ledger ran through.
    rows : pandas.DataFrame
        What ``ledger.run`` returned.
    title : str
        Above the picture.
    price_limits, wealth_limits : (float, float), optional
        Limits of the upper axes (USDT per coin, USDT). Where not given, wealth has room for a tenth of itself
        or more: what hardly moves looks flat.

    Returns
    -------
    dict of str to str
        Wealth at the end and its change, the highest margin ratio, and the first events.

    Raises
    ------
    ValueError
        If `rows` and `market` do not have the same times.

    Examples
    --------
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> from hedgelib import ledger
    >>> from hedgelib.hedge import Hedge
    >>> time = pd.date_range("2024-01-01", periods=2, freq="8h", tz="UTC")
    >>> prices = {name: [60_000.0, 70_000.0] for name in ("spot", "mark", "mark_high", "mark_low")}
    >>> market = pd.DataFrame(prices | {"funding": 1e-4}, index=time)
    >>> readouts = timeline(Figure(), market, ledger.run(market, Hedge(1, 1, 2, "BTCUSDT")))
    >>> readouts["Wealth at the end"], readouts["Change"], readouts["Highest margin ratio"]
    ('89,977 USDT', '−23 USDT', '1.4 %')
    """
    checks.kind("figure", figure, FigureBase, "a matplotlib figure")
    checks.text("title", title)
    limits = interval("price_limits", price_limits), interval("wealth_limits", wealth_limits)
    validate(market)
    if not isinstance(rows, pd.DataFrame) or "wealth_before" not in rows.attrs:
        raise ValueError(f"rows must be what ledger.run returned, got {type(rows).__name__}")
    if not rows.index.equals(market.index):
        raise ValueError("rows must have the times of market: pass the frame that ledger.run was given")
    time = rows.index.tz_convert(None).to_numpy()
    ratio = rows["maintenance"] / rows["margin"].clip(lower=0)
    ratio = ratio.where(ratio < 1, 1.0).where(rows["margin"].notna())
    price, wealth, margin = figure.subplots(3, 1, sharex=True, height_ratios=[3, 2, 1.4])
    # The highs matter: a short dies on the highest mark of a bar, which its close need not show.
    price.fill_between(time, market["mark_low"], market["mark_high"], color=BLUE, alpha=0.25, linewidth=0)
    price.plot(time, market["mark"], color=BLUE, linestyle="-", linewidth=1.6, label="Mark price")
    price.plot(time, rows["liquidation_price"], color=VERMILION, linestyle="--", label="Liquidation price")
    price.plot(time, rows["entry"], color=GREEN, linestyle=":", label="Entry of the short")
    wealth.plot(time, rows["wealth"], color=BLACK, linestyle="-", linewidth=1.6)
    margin.plot(time, ratio, color=VERMILION, linestyle="-", linewidth=1.6)
    margin.axhline(1, color=GREY, linewidth=1, linestyle="--")
    price.set(ylim=limits[0])
    wealth.set(ylim=limits[1] or _around(rows["wealth"]))
    room = (time[-1] - time[0]) // 60  # for the circle of an event on the first or last bar
    margin.set(ylim=(0, 1.1), xlim=(time[0] - room, time[-1] + room))
    happened = rows.loc[rows["event"] != "", "event"]
    for number, moment in enumerate(happened.index.tz_convert(None).to_numpy(), start=1):
        for axes in (price, wealth, margin):
            axes.axvline(moment, color=GREY, linewidth=0.8, linestyle=":")
        if number <= TOLD:
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": GREY}
            place = price.get_xaxis_transform()
            price.text(moment, 0.95, number, transform=place, ha="center", va="top", size=9, bbox=box)
    locator = AutoDateLocator()
    margin.xaxis.set_major_locator(locator)
    dress(price, title, "", "Price (USDT)", xticks=None, legend=3)
    dress(wealth, "", "", "Wealth (USDT)", xticks=None)
    dress(margin, "", "", "Margin ratio", xticks=None, yticks="{x:.0%}")
    years = ["", *["%Y"] * 5]
    margin.xaxis.set_major_formatter(ConciseDateFormatter(locator, offset_formats=years))
    figure.align_ylabels()
    end = rows["wealth"].iloc[-1]
    return {
        "Wealth at the end": usdt(end, signed=False),
        "Change": usdt(end - rows.attrs["wealth_before"]),
        "Highest margin ratio": percent(np.nan_to_num(ratio.max())),
        "Events": _told(happened),
    }


def _around(wealth):
    """Limits around a series, a tenth of its size apart or more."""
    middle = (wealth.max() + wealth.min()) / 2
    room = max(0.55 * (wealth.max() - wealth.min()), 0.05 * abs(middle), 1.0)
    return middle - room, middle + room


def _told(happened):
    """Write the first events in words."""
    listed = [
        f"({number}) {moment:%Y-%m-%d} {text}"
        for number, (moment, text) in enumerate(happened.head(TOLD).items(), start=1)
    ]
    further = len(happened) - len(listed)
    return "; ".join(listed + [f"{further} more"] * (further > 0)) or "none"
