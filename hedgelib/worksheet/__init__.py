"""The plan of one hedge as pure data and arithmetic: what the holder decides in, everything that follows out.

It places no order. ``form`` asks for its inputs with widgets.
"""

from hedgelib.worksheet.drawing import picture
from hedgelib.worksheet.sections import NO_ORDER, summary
from hedgelib.worksheet.sheet import Worksheet, WorksheetError
from hedgelib.worksheet.tables import alarm, carry, chances, ladder, monitoring, removal, unhedged
from hedgelib.worksheet.writing import ladder_csv, markdown, page

__all__ = [
    "NO_ORDER",
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
