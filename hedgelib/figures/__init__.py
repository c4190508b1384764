"""Pictures shared by the lessons: each function draws into the axes it is given and returns the readouts.

Every picture has labelled axes with units, tells nothing by colour alone, and keeps its number of axes.
Limits of the axes are set by the caller of an explorer, so that states can be compared by eye.
"""

from hedgelib.figures.barcharts import distribution, grouped_bars, signed_bars
from hedgelib.figures.chronicle import timeline
from hedgelib.figures.curves import lines, payoff, regression
from hedgelib.figures.formats import number, percent, usdt
from hedgelib.picture import Picture, picture

__all__ = [
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
