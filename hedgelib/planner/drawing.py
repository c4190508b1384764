"""The picture of a plan: what each price does to the holder, and how likely the short dies by each day."""

import math

import numpy as np
from matplotlib.figure import FigureBase

from hedgelib import checks
from hedgelib.figures import LEGEND_ROW, lines, percent
from hedgelib.planner.sheet import worksheet
from hedgelib.planner.tables import touching
from hedgelib.planner.writing import summary
from hedgelib.rendering import BLACK, GREY, VERMILION

_MOVES = np.round(np.arange(-0.4, 1.201, 0.025), 3)
_DAYS = np.arange(1, 121)


def draw(figure, sheet, limits=None):
    """Draw a plan: results over the price move with alarm and liquidation, and the chance of death over days.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into, on two axes.
    sheet : Worksheet
        The plan. A horizon beyond 120 days is marked at the right edge.
    limits : (float, float), optional
        Limits of the results (USDT); give them in an explorer.

    Returns
    -------
    dict of str to str
        The lines of `summary`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hedgelib.planner import Worksheet
    >>> draw(Figure(), Worksheet(1, 40_000, 60_000, ratio=0.5))["Alarm"]
    '74,989 USDT (+25.0 %)'
    """
    checks.kind("figure", figure, FigureBase, "a matplotlib figure")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    results = {
        "Coins alone": worksheet(sheet).coins * sheet.price * _MOVES,
        "With the short": sheet.at(sheet.price * (1 + _MOVES))["total_pnl"].to_numpy(),
    }
    words = {"xlabel": "Price moves by", "ylabel": "Profit or loss (USDT)"}
    lines(left, _MOVES, results, xticks="{x:+.0%}", ylim=limits, **words)
    marks = (
        ("alarm", max(sheet.alarm, sheet.price), GREY, ":"),
        ("liquidation", sheet.liquidation, VERMILION, "-"),
        ("… with reserve", sheet.liquidation_with_reserve, BLACK, "--"),
    )
    for name, price, colour, shape in marks:
        if math.isnan(price):
            continue
        move = price / sheet.price - 1
        inside = _MOVES[0] <= move <= _MOVES[-1]
        label = name if inside else f"{name} (beyond)"
        left.axvline(move if inside else math.nan, color=colour, linestyle=shape, linewidth=2, label=label)
    _above(left, "What a price does")
    deaths = {"As opened": sheet.liquidation, "With the reserve": sheet.liquidation_with_reserve}
    curves = {name: touching(sheet, price, _DAYS) for name, price in deaths.items()}
    if np.isfinite([*curves.values()]).all():
        words = {"xlabel": "Days", "ylabel": "Probability (formula)", "ylim": (-0.02, 1.02)}
        lines(right, _DAYS, curves, yticks="{x:.0%}", write=percent, **words)
        right.axvline(min(sheet.days, _DAYS[-1]), color=GREY, linestyle=":", linewidth=2, label="horizon")
        _above(right, "How likely it dies")
    else:
        right.set_axis_off()
        right.text(0, 0.5, f"How likely it dies is not known:\nno volatility of {sheet.rules.base} is.")
    return summary(sheet)


def _above(axes, title):
    """Put the title over a legend of two rows, where it hides nothing."""
    handles, _ = axes.get_legend_handles_labels()
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "borderpad": 0.2}
    columns = (len(handles) + 1) // 2
    legend = axes.legend(ncols=columns, frameon=False, columnspacing=1.2, handlelength=1.8, **place)
    legend.set_in_layout(False)  # it would take its width from the axes; its height is in the title's pad
    axes.set_title(title, pad=2 * LEGEND_ROW - 6)
