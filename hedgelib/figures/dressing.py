"""What all pictures share: fills that differ in more than colour; labels, ticks and legends."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

from hedgelib import checks
from hedgelib.figures.formats import typeset
from hedgelib.picture import BLUE, GREEN, PURPLE, VERMILION

LEGEND_ROW = 24  # points between the axes and their title, where the legend stands
FILLS = [
    {"color": BLUE},
    {"color": VERMILION, "hatch": "///", "edgecolor": "white"},
    {"color": GREEN, "hatch": "...", "edgecolor": "white"},
    {"color": PURPLE, "hatch": "xxx", "edgecolor": "white"},
]


class _Ticks(StrMethodFormatter):
    """Ticks as the readouts write numbers."""

    def __call__(self, x, pos=None):
        return typeset(super().__call__(x, pos))


def interval(name, limits):
    """Two ascending limits, or None for those that fit."""
    if limits is None:
        return None
    low, high = checks.row(name, limits, 2).tolist()
    if not low < high:
        raise ValueError(f"{name} must ascend, got {low:g} and {high:g}")
    return low, high


def named(name, values):
    """Values by name, or what is wrong with them."""
    return checks.kind(name, values, dict, "a dict of name to values")


def check(axes, write=str, ticks=(), **texts):
    """Refuse axes, a function that writes values, formats of ticks and texts that are none."""
    checks.kind("axes", axes, Axes, "matplotlib axes, as figure.subplots() gives")
    checks.kind("write", write, Callable, "a function that writes a value")
    for name, text in texts.items():
        checks.text(name, text)
    for form in ticks:
        try:
            checks.text("ticks", form).format(x=1.0, pos=0)
        except (LookupError, ValueError, AttributeError):
            raise ValueError(f'ticks must be written by a format such as "{{x:.0%}}", got {form!r}') from None


def dress(axes, title, xlabel, ylabel, xticks="{x:,.0f}", yticks="{x:,.0f}", legend=0):
    """Title, labels, tick formats and a legend above the axes, where it hides nothing."""
    for axis, label, ticks in [(axes.xaxis, xlabel, xticks), (axes.yaxis, ylabel, yticks)]:
        axis.set_label_text(label)
        if ticks:
            axis.set_major_formatter(_Ticks(ticks))
    axes.set_title(title, pad=LEGEND_ROW if legend > 1 else 6)
    if legend > 1:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "borderpad": 0.2}
        axes.legend(ncols=legend, frameon=False, columnspacing=1.4, handlelength=2.4, **place)
