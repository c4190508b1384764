"""Lesson 09's application: the plan of one hedge as data, its tables and page, and the form that asks for it.

It is an annex that no module of the core imports, and it places no order.
"""

from hedgelib.planner.chances import chances
from hedgelib.planner.comparing import compare, draw_comparison
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.crossing import at_both, rebalancing, stays
from hedgelib.planner.drawing import draw
from hedgelib.planner.form import Form
from hedgelib.planner.keeping import follow, load, save
from hedgelib.planner.pasted import own_contract, read_brackets
from hedgelib.planner.sheet import Worksheet, WorksheetError
from hedgelib.planner.summary import summary
from hedgelib.planner.tables import carry, ladder
from hedgelib.planner.walking import at, play
from hedgelib.planner.writing import ladder_csv, markdown, page

__all__ = [
    "CrossWorksheet",
    "Form",
    "Worksheet",
    "WorksheetError",
    "at",
    "at_both",
    "carry",
    "chances",
    "compare",
    "draw",
    "draw_comparison",
    "follow",
    "ladder",
    "ladder_csv",
    "load",
    "markdown",
    "own_contract",
    "page",
    "play",
    "read_brackets",
    "rebalancing",
    "save",
    "stays",
    "summary",
]
