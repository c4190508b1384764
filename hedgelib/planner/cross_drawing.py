"""The picture of a cross hedge: its result over the price of the coin held, and what stays."""

import numpy as np

from hedgelib.figures import GREY, grouped_bars, lines, number, percent
from hedgelib.planner.closes import stretches
from hedgelib.planner.crossing import at_both, stays

_MOVES = np.round(np.arange(-0.5, 0.501, 0.05), 2)
_LOWEST = -0.95  # move of the coin shorted


def draw_both(axes, sheet, limits=None):
    """Draw coins alone and hedged over their price, where the coin shorted does what it does on average.

    Around it one standard deviation of what it did besides, over stretches as long as the horizon.
    """
    held, base = sheet.held, sheet.rules.base
    known = sheet.follows == sheet.follows
    moves = np.maximum((sheet.follows if known else 1.0) * _MOVES, _LOWEST)
    told = at_both(sheet, sheet.price * (1 + _MOVES), sheet.short_price * (1 + moves))["total_pnl"].to_numpy()
    curves = {f"{held} alone": sheet.value * _MOVES, f"{base} follows" if known else f"{base} the same": told}
    lost = number(-float(np.interp(-sheet.fall, _MOVES, told)), signed=False)
    alone = number(sheet.value * sheet.fall, signed=False)
    title = f"−{percent(sheet.fall, 0)} of {held} cost {lost}, not {alone}"
    words = {"xlabel": f"{held} moves by", "ylabel": "Profit or loss (USDT)", "title": title}
    lines(axes, _MOVES, curves, xticks="{x:+.0%}", ylim=limits, **words)
    if sheet.days in stays(sheet).index:
        own, other = stretches(sheet.judged, sheet.days)
        apart = sheet.short.value * np.std(other - sheet.follows * own)
        axes.fill_between(_MOVES, told - apart, told + apart, color=GREY, alpha=0.25, linewidth=0)


def draw_stays(axes, sheet):
    """Draw what is left, by horizon, beside what an unhedged holder has."""
    table = stays(sheet)
    if len(table):
        bars = {"alone": table["unhedged"].tolist(), "hedged": table["left"].tolist()}
        title = f"{percent(table['removed'].iloc[0], 0)} less daily variance"
        words = {"title": title, "xlabel": "Days", "ylabel": "One standard deviation (USDT)"}
        grouped_bars(axes, [str(days) for days in table.index], bars, **words)
        return
    note = f"what stays is not known:\ngive closes of {sheet.held}\nand {sheet.rules.base}"
    axes.set_axis_off()
    axes.text(0.5, 0.5, note, transform=axes.transAxes, ha="center", va="center")
