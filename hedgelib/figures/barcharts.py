"""Pictures made of bars: signed amounts, groups such as years, distributions of many outcomes."""

import numpy as np

from hedgelib import checks
from hedgelib.figures.dressing import FILLS, check, dress, interval, named
from hedgelib.figures.formats import percent, usdt
from hedgelib.picture import BLACK, GREY


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

    Returns
    -------
    dict of str to str
        Each amount.

    Raises
    ------
    ValueError
        If an amount is not a finite number, or `limit` is not positive.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> signed_bars(Figure().subplots(), {"Funding": 1_200, "Fees": -60})
    {'Funding': '+1,200 USDT', 'Fees': '−60 USDT'}
    """
    check(axes, write, title=title, xlabel=xlabel)
    values = checks.row("amounts", list(named("amounts", amounts).values()))
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
    dress(axes, title, xlabel, "", yticks=None)
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

    Returns
    -------
    dict of str to str
        Each value, named by series and group.

    Raises
    ------
    ValueError
        If a series does not match the groups or is not finite, or if there are more than four.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hedgelib.figures.formats import percent
    >>> grouped_bars(Figure().subplots(), [2020, 2021], {"BTC": [0.172, 0.306]}, write=percent)
    {'BTC 2020': '17.2 %', 'BTC 2021': '30.6 %'}
    """
    check(axes, write, ticks=[yticks], title=title, xlabel=xlabel, ylabel=ylabel)
    if not 1 <= len(named("series", series)) <= len(FILLS):
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
    dress(axes, title, xlabel, ylabel, None, yticks, legend=len(series))
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

    Returns
    -------
    dict of str to str
        Median; quantile (value at risk); mean of the outcomes up to it (conditional value at risk).

    Raises
    ------
    ValueError
        If an outcome is not finite, or `tail` is not between 0 and 1.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> distribution(Figure().subplots(), range(101), write="{:.0f}".format)
    {'Median': '50', 'Worst 5 % up to': '5', 'Mean of these': '2'}
    """
    check(axes, write, title=title, xlabel=xlabel)
    values, limits = checks.row("values", values), interval("limits", limits)
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
    dress(axes, title, xlabel, "Share of outcomes", yticks="{x:.0%}", legend=3)
    return {name: write(float(value)) for name, value in marks.items()}
