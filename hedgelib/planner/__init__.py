"""Lesson 09's application: the plan of one hedge as data, its tables and page, and the form that asks for it.

It is an annex that no module of the core imports, and it places no order.
"""

from hedgelib.planner.drawing import draw
from hedgelib.planner.form import Form
from hedgelib.planner.sheet import Worksheet, WorksheetError
from hedgelib.planner.tables import carry, chances, ladder
from hedgelib.planner.writing import ladder_csv, markdown, page, summary

__all__ = [
    "Form",
    "Worksheet",
    "WorksheetError",
    "carry",
    "chances",
    "draw",
    "ladder",
    "ladder_csv",
    "markdown",
    "page",
    "summary",
]
