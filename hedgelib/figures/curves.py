"""Pictures made of curves: payoffs and other lines, and a regression."""

import numpy as np

from hedgelib import checks
from hedgelib.figures.dressing import check, dress, interval, named
from hedgelib.figures.formats import number, usdt
from hedgelib.picture import BLUE, GREY, VERMILION

MARKERS = "osD^vP"


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

    Returns
    -------
    dict of str to str
        The value of each curve at the marked x; empty if none is marked.

    Raises
    ------
    ValueError
        If the arrays do not match or are not finite, x is not ascending, `at` is outside of x, or there are
        more than six curves.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> lines(Figure().subplots(), [50_000, 70_000], {"Short": [10_000, -10_000]}, at=65_000)
    {'Short': '−5,000 USDT'}
    """
    check(axes, write, ticks=[xticks, yticks], title=title, xlabel=xlabel, ylabel=ylabel)
    x, ylim = checks.row("x", x), interval("ylim", ylim)
    if np.any(np.diff(x) <= 0):
        raise ValueError("x must be ascending")
    if not 1 <= len(named("series", series)) <= len(MARKERS):
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
    dress(axes, title, xlabel, ylabel, xticks, yticks, legend=len(series))
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

    Returns
    -------
    dict of str to str
        Each profit and loss at the marked price.

    Raises
    ------
    ValueError
        As `lines`.

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

    Returns
    -------
    dict of str to str
        Slope and correlation.

    Raises
    ------
    ValueError
        If the observations do not match, are not finite, or do not vary.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> regression(Figure().subplots(), [-0.02, 0.0, 0.02], [-0.03, 0.0, 0.03], 1.5)
    {'Slope': '1.50', 'Correlation': '1.00'}
    """
    check(axes, ticks=[ticks], title=title, xlabel=xlabel, ylabel=ylabel)
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
    dress(axes, title, xlabel, ylabel, ticks, ticks, legend=2)
    correlation = float(np.corrcoef(x, y)[0, 1])
    return {
        "Slope": number(slope, 2, signed=False),
        "Correlation": number(correlation, 2, signed=False),
    }
