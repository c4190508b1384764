"""The pictures of the lessons, and how numbers read in them: thousands separated, a true minus sign, a unit.

A function that draws puts its picture into axes, or into the whole figure, and returns the readouts: the
numbers of the picture by name, in words.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import FigureBase
from matplotlib.ticker import StrMethodFormatter

from hedgelib import checks
from hedgelib.market import validate
from hedgelib.rendering import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILION, Picture, picture, typeset

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "GREY",
    "PURPLE",
    "VERMILION",
    "Picture",
    "distribution",
    "grouped_bars",
    "lines",
    "number",
    "payoff",
    "percent",
    "picture",
    "regression",
    "signed_bars",
    "timeline",
    "usdt",
]

MARKERS = "osD^vP"
FILLS = [
    {"color": BLUE},
    {"color": VERMILION, "hatch": "///", "edgecolor": "white"},
    {"color": GREEN, "hatch": "...", "edgecolor": "white"},
    {"color": PURPLE, "hatch": "xxx", "edgecolor": "white"},
]
LEGEND_ROW = 24  # points between the axes and their title, where the legend stands
EVENTS_LISTED = 4  # events of a timeline that its readouts write out


def number(value, decimals=0, unit="", signed=True):
    """Write a number for a reader: thousands separated, a true minus sign, no sign at zero.

    Parameters
    ----------
    value : float
        Any number; infinity is written ∞ and a missing number –.
    decimals : int
        Digits after the point.
    unit : str
        Written behind the number.
    signed : bool
        Whether a positive number gets a plus sign, as gains and losses do and prices do not.

    Examples
    --------
    >>> number(-12_345.6, unit="USDT"), number(0.25, 2, "BTC"), number(60_000, signed=False)
    ('−12,346 USDT', '+0.25 BTC', '60,000')
    """
    value, decimals = _single(value), checks.whole("decimals", decimals, at_least=0, at_most=15)
    checks.text("unit", unit)
    checks.kind("signed", signed, bool, "True or False")
    text = f"{value:{'+' if signed else ''},.{decimals}f}".replace("inf", "∞")
    return f"{'–' if np.isnan(value) else typeset(text)} {unit}".strip()


def usdt(value, decimals=0, signed=True):
    """Write an amount of USDT, parameters as in `number`.

    Examples
    --------
    >>> usdt(10_000), usdt(-10_000), usdt(60_000, signed=False)
    ('+10,000 USDT', '−10,000 USDT', '60,000 USDT')
    """
    return number(value, decimals, "USDT", signed)


def percent(value, decimals=1, signed=False):
    """Write a fraction (0.25 is 25 %) as a percentage, parameters as in `number`.

    Examples
    --------
    >>> percent(0.494), percent(-0.395, signed=True)
    ('49.4 %', '−39.5 %')
    """
    return number(100 * _single(value), decimals, "%", signed)


def _single(value):
    """Return one number as a float; infinite and missing ones are numbers here."""
    if isinstance(value, float | np.floating) and not np.isfinite(value):
        return float(value)
    return checks.single("value", value)


class Ticks(StrMethodFormatter):
    """Writes ticks as the readouts write numbers."""

    def __call__(self, x, pos=None):
        return typeset(super().__call__(x, pos))


def _limits(name, limits):
    """Return two ascending limits, or None for those that fit."""
    if limits is None:
        return None
    low, high = checks.row(name, limits, 2).tolist()
    if not low < high:
        raise ValueError(f"{name} must ascend, got {low:g} and {high:g}")
    return low, high


def _by_name(name, values):
    """Return values by name, if they are."""
    return checks.kind(name, values, dict, "a dict of name to values")


def _require(axes, write=str, ticks=(), **texts):
    """Raise unless each of these is what its name says; `ticks` are formats."""
    checks.kind("axes", axes, Axes, "matplotlib axes, as figure.subplots() gives")
    checks.kind("write", write, Callable, "a function that writes a value")
    for name, text in texts.items():
        checks.text(name, text)
    for form in ticks:
        try:
            checks.text("ticks", form).format(x=1.0, pos=0)
        except (LookupError, ValueError, AttributeError):
            raise ValueError(f'ticks must be written by a format such as "{{x:.0%}}", got {form!r}') from None


def _dress(axes, title, xlabel, ylabel, xticks="{x:,.0f}", yticks="{x:,.0f}", legend=0):
    """Give axes title, labels, tick formats, and a legend above them, where it hides nothing."""
    for axis, label, ticks in [(axes.xaxis, xlabel, xticks), (axes.yaxis, ylabel, yticks)]:
        axis.set_label_text(label)
        if ticks:
            axis.set_major_formatter(Ticks(ticks))
    axes.set_title(title, pad=LEGEND_ROW if legend > 1 else 6)
    if legend > 1:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "borderpad": 0.2}
        axes.legend(ncols=legend, frameon=False, columnspacing=1.4, handlelength=2.4, **place)


def lines(
    axes,
    x,
    series,
    *,
    at=None,
    title="",
    xlabel="",
    ylabel="",
    xticks="{x:,.0f}",
    yticks="{x:,.0f}",
    ylim=None,
    write=usdt,
):
    """Draw curves over the same x, each with its own line style, and mark one x on all of them.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Drawn into.
    x : (n,) array
        Ascending, in the unit that `xlabel` names.
    series : dict of str to (n,) array
        The curves by name, in the unit that `ylabel` names.
    at : float, optional
        The x to mark.
    title, xlabel, ylabel : str
        Texts around the axes; the labels name the units.
    xticks, yticks : str
        How the ticks are written, ``"{x:.0%}"`` for fractions.
    ylim : (float, float), optional
        Limits of y, in its unit; give them in an explorer.
    write : callable
        Writes a value of y in the readouts.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> lines(Figure().subplots(), [50_000, 70_000], {"Short": [10_000, -10_000]}, at=65_000)
    {'Short': '−5,000 USDT'}
    """
    _require(axes, write, ticks=[xticks, yticks], title=title, xlabel=xlabel, ylabel=ylabel)
    x, ylim = checks.row("x", x), _limits("ylim", ylim)
    if np.any(np.diff(x) <= 0):
        raise ValueError("x must be ascending")
    if not 1 <= len(_by_name("series", series)) <= len(MARKERS):
        raise ValueError(
            f"series must hold at least one and at most {len(MARKERS)} curves, got {len(series)}"
        )
    if at is not None:
        at = checks.single("at, in the unit of x,", at, at_least=x[0], at_most=x[-1])
    axes.axhline(0, color=GREY, linewidth=1, linestyle="-")
    readouts = {}
    for marker, (name, values) in zip(MARKERS, series.items(), strict=False):
        y = checks.row(name, values, len(x))
        (line,) = axes.plot(x, y, label=name)
        if at is not None:
            readouts[name] = write(float(np.interp(at, x, y)))
            axes.scatter(
                at, np.interp(at, x, y), s=64, marker=marker, color=line.get_color(), zorder=3, clip_on=False
            )
    if at is not None:
        axes.axvline(at, color=GREY, linewidth=1, linestyle=":")
    room = 0.015 * (x[-1] - x[0])  # for half a marker at either end
    axes.set(xlim=(x[0] - room, x[-1] + room), ylim=ylim)
    axes.locator_params(axis="x", nbins=6)
    _dress(axes, title, xlabel, ylabel, xticks, yticks, legend=len(series))
    return readouts


def payoff(axes, prices, series, *, at=None, title="", ylim=None):
    """Draw profit and loss over the price at the end, and mark one price.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Drawn into.
    prices : (n,) array
        Prices at the end, ascending, USDT per coin.
    series : dict of str to (n,) array
        Profit and loss by name, USDT; the sum comes third and is drawn black and thick.
    at : float, optional
        The price to mark, USDT per coin.
    title : str
        Above the axes.
    ylim : (float, float), optional
        Limits of profit and loss, USDT.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> payoff(Figure().subplots(), [50_000, 70_000], {"Spot": [-10_000, 10_000]}, at=70_000)
    {'Spot': '+10,000 USDT'}
    """
    labels = {"xlabel": "Price at the end (USDT)", "ylabel": "Profit or loss (USDT)"}
    return lines(axes, prices, series, at=at, title=title, ylim=ylim, **labels)


def regression(axes, x, y, slope, *, title="", xlabel="", ylabel="", limit=None, ticks="{x:.0%}"):
    """Draw the cloud of paired observations and the line of a given slope through its centre.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Drawn into.
    x, y : (n,) array
        Paired observations, such as daily returns, fractions.
    slope : float
        Slope of the line: the hedge ratio or beta, without unit.
    title, xlabel, ylabel : str
        Texts around the axes; the labels name the units.
    limit : float, optional
        Both axes run from −limit to limit, in the unit of `x` and `y`.
    ticks : str
        How the ticks are written.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> regression(Figure().subplots(), [-0.02, 0.0, 0.02], [-0.03, 0.0, 0.03], 1.5)
    {'Slope': '1.50', 'Correlation': '1.00'}
    """
    _require(axes, ticks=[ticks], title=title, xlabel=xlabel, ylabel=ylabel)
    x = checks.row("x", x)
    y = checks.row("y", y, len(x))
    slope = checks.single("slope", slope)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("x and y must each hold different values, got a constant")
    if limit is None:
        limit = 1.05 * max(np.abs(x).max(), np.abs(y).max())
    limit = checks.single("limit", limit, above=0)
    ends = np.array([-limit, limit])
    axes.scatter(x, y, s=14, color=BLUE, alpha=0.5, linewidths=0, label="Observations")
    line = y.mean() + slope * (ends - x.mean())
    axes.plot(ends, line, color=VERMILION, linestyle="-", linewidth=2.5, label=f"Slope {slope:.2f}")
    for draw in (axes.axhline, axes.axvline):
        draw(0, color=GREY, linewidth=1, linestyle="-")
    axes.set(xlim=ends, ylim=ends)
    _dress(axes, title, xlabel, ylabel, ticks, ticks, legend=2)
    correlation = float(np.corrcoef(x, y)[0, 1])
    return {
        "Slope": number(slope, 2, signed=False),
        "Correlation": number(correlation, 2, signed=False),
    }


def signed_bars(axes, amounts, *, title="", xlabel="Profit or loss (USDT)", limit=None, write=usdt):
    """Draw one bar for each amount, losses hatched and to the left, each with its number.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Drawn into.
    amounts : dict of str to float
        What to draw, from top to bottom, in the unit that `xlabel` names.
    title, xlabel : str
        Texts around the axes.
    limit : float, optional
        The axis runs from −limit to limit, or further for a larger amount; it fits the amounts if not given.
    write : callable
        Writes an amount.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> signed_bars(Figure().subplots(), {"Funding": 1_200, "Fees": -60})
    {'Funding': '+1,200 USDT', 'Fees': '−60 USDT'}
    """
    _require(axes, write, title=title, xlabel=xlabel)
    values = checks.row("amounts", list(_by_name("amounts", amounts).values()))
    readouts = dict(zip(amounts, map(write, values.tolist()), strict=True))
    largest = np.abs(values).max()
    limit = 1.6 * max(largest, 1e-9) if limit is None else checks.single("limit", limit, above=0)
    limit = max(limit, 1.2 * largest)  # no bar is cut, and its number has room
    for place, (value, text) in enumerate(zip(values, readouts.values(), strict=True)):
        loss = bool(value < 0)
        axes.barh(place, value, height=0.6, **FILLS[loss])
        axes.annotate(
            text.removesuffix(" USDT"),
            (value, place),
            (-4 if loss else 4, 0),
            textcoords="offset points",
            ha="right" if loss else "left",
            va="center",
        )
    axes.axvline(0, color=GREY, linewidth=1, linestyle="-")
    axes.set(xlim=(-limit, limit), yticks=range(len(values)), yticklabels=list(amounts))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=3)
    _dress(axes, title, xlabel, "", yticks=None)
    return readouts


def grouped_bars(axes, groups, series, *, title="", xlabel="", ylabel="", yticks="{x:,.0f}", write=usdt):
    """Draw bars side by side for each group, such as a year; each series has its own hatch.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Drawn into.
    groups : sequence of n
        What the groups are called.
    series : dict of str to (n,) array
        At most four series, in the unit that `ylabel` names.
    title, xlabel, ylabel : str
        Texts around the axes; the labels name the units.
    yticks : str
        How the ticks are written, ``"{x:.0%}"`` for fractions.
    write : callable
        Writes a value in the readouts.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hedgelib.figures import percent
    >>> grouped_bars(Figure().subplots(), [2020, 2021], {"BTC": [0.172, 0.306]}, write=percent)
    {'BTC 2020': '17.2 %', 'BTC 2021': '30.6 %'}
    """
    _require(axes, write, ticks=[yticks], title=title, xlabel=xlabel, ylabel=ylabel)
    if not 1 <= len(_by_name("series", series)) <= len(FILLS):
        raise ValueError(f"series must be one to {len(FILLS)} in number, got {len(series)}")
    try:
        groups = list(groups)
    except TypeError:
        raise ValueError(f"groups must be a list of names, got {groups!r}") from None
    width = 0.8 / len(series)
    places = np.arange(len(groups))
    readouts = {}
    for index, (name, values) in enumerate(series.items()):
        heights = checks.row(name, values, len(groups))
        shift = (index - (len(series) - 1) / 2) * width
        axes.bar(places + shift, heights, width, label=name, **FILLS[index])
        readouts |= {
            f"{name} {group}": write(height) for group, height in zip(groups, heights.tolist(), strict=True)
        }
    axes.axhline(0, color=GREY, linewidth=1, linestyle="-")
    axes.set(xticks=places, xticklabels=[str(group) for group in groups])
    axes.grid(visible=False, axis="x")
    _dress(axes, title, xlabel, ylabel, None, yticks, legend=len(series))
    return readouts


def distribution(
    axes, values, *, title="", xlabel="Profit or loss (USDT)", limits=None, tail=0.05, write=usdt
):
    """Draw the histogram of many outcomes with their median, the worst of them, and the mean of the worst.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Drawn into.
    values : (n,) array
        Outcomes, in the unit that `xlabel` names.
    title, xlabel : str
        Texts around the axes.
    limits : (float, float), optional
        Limits of the axis; outcomes beyond are counted in the outermost bars, their share is written there.
    tail : float
        Share of the worst outcomes, a fraction.
    write : callable
        Writes an outcome.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> distribution(Figure().subplots(), range(101), write="{:.0f}".format)
    {'Median': '50', 'Worst 5 % up to': '5', 'Mean of these': '2'}
    """
    _require(axes, write, title=title, xlabel=xlabel)
    values, limits = checks.row("values", values), _limits("limits", limits)
    tail = checks.single("tail", tail, above=0, below=1)
    quantile = np.quantile(values, tail)
    marks = {
        "Median": np.median(values),
        f"Worst {percent(tail, 0)} up to": quantile,
        "Mean of these": values[values <= quantile].mean(),
    }
    low, high = (values.min(), values.max()) if limits is None else limits
    counts, edges = np.histogram(np.clip(values, low, high), bins=40, range=(low, high))
    # The hatch of the worst ends at the quantile, which may lie inside a bar.
    hatched = np.clip(quantile, edges[:-1], edges[1:])
    for start, end, fill in [(hatched, edges[1:], FILLS[0]), (edges[:-1], hatched, FILLS[1])]:
        some = start < end
        heights = counts[some] / len(values)
        axes.bar(start[some], heights, (end - start)[some], align="edge", **fill)
    for (name, value), shape in zip(marks.items(), ["-", "--", ":"], strict=True):
        axes.axvline(value, color=BLACK, linestyle=shape, linewidth=2, label=name)
    for beyond, place, side in [(values < low, 0.01, "left"), (values > high, 0.99, "right")]:
        if beyond.any():
            share = beyond.mean()
            note = f"{percent(share) if share >= 0.0005 else 'under 0.1 %'} beyond"
            axes.text(place, 0.94, note, transform=axes.transAxes, ha=side, va="top", backgroundcolor="white")
    axes.set(xlim=edges[[0, -1]])
    axes.locator_params(axis="x", nbins=5)
    _dress(axes, title, xlabel, "Share of outcomes", yticks="{x:.0%}", legend=3)
    return {name: write(float(value)) for name, value in marks.items()}


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
    limits = _limits("price_limits", price_limits), _limits("wealth_limits", wealth_limits)
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
    wealth.set(ylim=limits[1] or _room_around(rows["wealth"]))
    room = (time[-1] - time[0]) // 60  # for the circle of an event on the first or last bar
    margin.set(ylim=(0, 1.1), xlim=(time[0] - room, time[-1] + room))
    happened = rows.loc[rows["event"] != "", "event"]
    for count, moment in enumerate(happened.index.tz_convert(None).to_numpy(), start=1):
        for axes in (price, wealth, margin):
            axes.axvline(moment, color=GREY, linewidth=0.8, linestyle=":")
        if count <= EVENTS_LISTED:
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": GREY}
            place = price.get_xaxis_transform()
            price.text(moment, 0.95, count, transform=place, ha="center", va="top", size=9, bbox=box)
    locator = AutoDateLocator()
    margin.xaxis.set_major_locator(locator)
    _dress(price, title, "", "Price (USDT)", xticks=None, legend=3)
    _dress(wealth, "", "", "Wealth (USDT)", xticks=None)
    _dress(margin, "", "", "Margin ratio", xticks=None, yticks="{x:.0%}")
    years = ["", *["%Y"] * 5]
    margin.xaxis.set_major_formatter(ConciseDateFormatter(locator, offset_formats=years))
    figure.align_ylabels()
    end = rows["wealth"].iloc[-1]
    return {
        "Wealth at the end": usdt(end, signed=False),
        "Change": usdt(end - rows.attrs["wealth_before"]),
        "Highest margin ratio": percent(np.nan_to_num(ratio.max())),
        "Events": _listed(happened),
    }


def _room_around(wealth):
    """Return limits around a series, a tenth of its size apart or more."""
    middle = (wealth.max() + wealth.min()) / 2
    room = max(0.55 * (wealth.max() - wealth.min()), 0.05 * abs(middle), 1.0)
    return middle - room, middle + room


def _listed(happened):
    """Return the first events in words, and how many follow."""
    texts = [
        f"({count}) {moment:%Y-%m-%d} {text}"
        for count, (moment, text) in enumerate(happened.head(EVENTS_LISTED).items(), start=1)
    ]
    further = len(happened) - len(texts)
    return "; ".join(texts + [f"{further} more"] * (further > 0)) or "none"
