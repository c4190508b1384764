"""Lesson 09's application: the plan of one hedge as pure data and arithmetic, and the form that asks for it.

It is an annex that no module of the core imports, and it places no order.
"""

from hedgelib.planner.drawing import picture
from hedgelib.planner.sections import NO_ORDER, summary
from hedgelib.planner.sheet import Worksheet, WorksheetError
from hedgelib.planner.tables import alarm, carry, chances, ladder, monitoring, removal, unhedged
from hedgelib.planner.writing import ladder_csv, markdown, page

__all__ = [
    "NO_ORDER",
    "Form",
    "Worksheet",
    "WorksheetError",
    "alarm",
    "carry",
    "chances",
    "ladder",
    "ladder_csv",
    "markdown",
    "monitoring",
    "page",
    "picture",
    "removal",
    "summary",
    "unhedged",
]


def __getattr__(name):
    """Load the form, and the widgets that it needs, when it is first asked for."""
    if name == "Form":
        from hedgelib.planner.form import Form

        return Form
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
