"""The picture of a plan: what each price does to the holder, and how the plan may have ended by each day."""

import itertools
import math

import numpy as np
from matplotlib.figure import FigureBase

from hedgelib import checks
from hedgelib.figures import BLACK, GREEN, GREY, LEGEND_ROW, PURPLE, VERMILION, lines, number, percent
from hedgelib.planner.chances import by_formula
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.cross_drawing import draw_both, draw_stays
from hedgelib.planner.sheet import worksheet
from hedgelib.planner.summary import summary
from hedgelib.planner.walking import results

_MOVES = np.round(np.arange(-0.5, 1.201, 0.025), 3)
_NAME, _GAP = 0.08, 0.02  # of the moves shown: height of a line of letters, and its distance from its mark
_LONGEST = 120  # days shown at least
_ENDS = {
    "liquidated": {"facecolor": VERMILION, "hatch": "///", "edgecolor": "white"},
    "stopped": {"facecolor": PURPLE, "hatch": "xxx", "edgecolor": "white"},
    "take profit": {"facecolor": GREEN, "hatch": "...", "edgecolor": "white"},
}


def draw(figure, sheet, limits=None):
    """Draw a plan: its result at each price, exits and deaths counted, and how it may have ended by each day.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn into, on two axes.
    sheet : Worksheet or CrossWorksheet
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
    >>> draw(Figure(), Worksheet(1, 40_000, 60_000, ratio=0.5))["Alarm, 8 hours"]
    '74,496 USDT (+24.2 %), margin ratio 1.9 %'
    """
    checks.kind("figure", figure, FigureBase, "a matplotlib figure")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    if isinstance(sheet, CrossWorksheet):
        draw_both(left, sheet, limits)
        draw_stays(right, sheet)
    else:
        draw_results(left, worksheet(sheet), limits)
        draw_ends(right, sheet)
    return summary(sheet)


def draw_results(axes, sheet, limits=None):
    """Draw coins alone and the plan over the price, with the prices that matter."""
    alarm = f"alarm, {sheet.alarm_hours[0]} hours" if sheet.alarm_hours else "alarm"
    marked = {
        "liquidation": (sheet.liquidation, VERMILION, "-"),
        "with the reserve": (sheet.liquidation_with_reserve, BLACK, "--"),
        "stop": (sheet.price * (1 + sheet.stop) if sheet.stop else math.inf, PURPLE, "-."),
        alarm: (max(sheet.alarm, sheet.price), GREY, ":"),
        "take profit": (
            sheet.price * (1 - sheet.take_profit) if sheet.take_profit else math.inf,
            GREEN,
            "-.",
        ),
    }
    if not sheet.plan.top_up:
        del marked["with the reserve"]
    if sheet.stop and marked["stop"][0] <= marked[alarm][0]:
        del marked[alarm]
    moves = np.unique(np.append(_MOVES, [move for move in _turns(sheet, marked) if -0.5 < move < 1.2]))
    curves = {
        "Coins alone": sheet.coins * sheet.price * moves,
        "The plan": results(sheet, sheet.price * (1 + moves)),
    }
    lost, alone = (-np.interp(-sheet.fall, moves, curves[name]) for name in ("The plan", "Coins alone"))
    lost, alone = number(lost, signed=False), number(alone, signed=False)
    title = f"A fall of {percent(sheet.fall, 0)} costs {lost}, not {alone}"
    words = {"xlabel": "Price moves by", "ylabel": "Profit or loss (USDT)", "title": title}
    lines(axes, moves, curves, xticks="{x:+.0%}", ylim=limits, **words)
    shown = {name: (price / sheet.price - 1, *look) for name, (price, *look) in marked.items()}
    shown = {name: mark for name, mark in shown.items() if moves[0] <= mark[0] <= moves[-1]}
    places = _places({name: move for name, (move, _, _) in shown.items()})
    for name, (move, colour, shape) in shown.items():
        axes.axvline(move, color=colour, linestyle=shape, linewidth=1.6)
        side, end = places[name]
        place = {"ha": "right" if side < 0 else "left", "va": "top" if end else "bottom"}
        box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        where = axes.get_xaxis_transform()
        axes.text(
            move + side * _GAP,
            0.98 if end else 0.02,
            name,
            transform=where,
            rotation=90,
            fontsize=9,
            color=colour,
            bbox=box,
            **place,
        )


def _places(moves):
    """Side of its line (−1 left) and end of it (1 top) for each name, so that none covers another."""
    taken, places = [], {}
    for name, move in sorted(moves.items(), key=lambda item: item[1]):
        free = {}
        for end, side in itertools.product((1, 0), (-1, 1)):
            near, far = sorted((move, move + side * _NAME))
            crossed = sum(near < other < far for each, other in moves.items() if each != name)
            covered = sum(end == at and near < high and low < far for at, low, high in taken)
            free[end, side] = (covered, crossed), (end, near, far)
        end, side = min(free, key=lambda place: free[place][0])
        taken.append(free[end, side][1])
        places[name] = side, end
    return places


def _turns(sheet, marked):
    """Moves at which the plan's result bends or jumps, from just before to just after."""
    for price, _, _ in marked.values():
        if math.isfinite(price):
            yield from (price / sheet.price - 1 + side * 1e-6 for side in (-1, 0, 1))
    yield -sheet.fall


def draw_ends(axes, sheet):
    """Draw how the plan may have ended by each day, one area on the other."""
    days = np.arange(1, max(sheet.days, _LONGEST) + 1)
    ends = by_formula(sheet, sheet.outlook.volatility, days=days)
    axes.set(ylim=(0, 1), xlim=(1, days[-1]), xlabel="Days", ylabel="Probability (formula)")
    axes.yaxis.set_major_formatter(lambda share, _: percent(share, 0))
    if np.isnan(ends["horizon"]).any():
        axes.set_title("How it may end is not known", pad=LEGEND_ROW)
        note = f"no volatility of {sheet.rules.base} is known:\ngive your own"
        axes.text(0.5, 0.5, note, transform=axes.transAxes, ha="center", va="center")
        return
    top, last = np.zeros(len(days)), days[-1]
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    for name, fill in _ENDS.items():
        if ends[name].any():
            axes.fill_between(days, top, top + ends[name], linewidth=0.5, **fill)
            if ends[name][-1] > 0.06:  # room for its name
                middle = top[-1] + ends[name][-1] / 2
                axes.text(0.97 * last, middle, name, ha="right", va="center", fontsize=9, bbox=box)
            top = top + ends[name]
    axes.plot(days, top, color=BLACK, linestyle="-", linewidth=1.6)
    axes.axvline(sheet.days, color=BLACK, linestyle="--", linewidth=1.6)
    axes.text(sheet.days, 0.93, f"day {sheet.days}", ha="center", fontsize=9, bbox=box)
    told = [f"{percent(ends[name][sheet.days - 1], 0)} {name}" for name in _ENDS if ends[name].any()]
    title = "\n".join(told) or "No price closes it"
    axes.set_title(title, pad=LEGEND_ROW if len(told) < 2 else None)
