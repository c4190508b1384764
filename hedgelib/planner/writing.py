"""A plan on paper: Markdown, HTML and CSV."""

import base64
import datetime
import html

from matplotlib.figure import Figure

from hedgelib import checks
from hedgelib.figures import number, percent, usdt
from hedgelib.planner.drawing import draw
from hedgelib.planner.sections import sections
from hedgelib.planner.sheet import worksheet
from hedgelib.planner.summary import summary
from hedgelib.planner.tables import ladder
from hedgelib.rendering import alt_text, style, svg

NO_ORDER = (
    "This page is arithmetic. It places no order, sends nothing anywhere, and is not investment advice."
)
TITLE = "My hedge"
_MANY = 7  # columns
_PICTURE = 7.4, 3.1  # inches: the width of A4 between its margins
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}
table{border-collapse:collapse;margin:.6em 0;width:100%}
th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}
thead th{background:#eee}
h2{margin-top:1.4em;border-bottom:2px solid #0072b2}
img{width:100%}
.wide td:not(:last-child){white-space:nowrap}
td,th{font-variant-numeric:tabular-nums}
@page{size:A4;margin:14mm}
@media print{body{margin:0;max-width:none;font-size:9.5pt;line-height:1.35}tr,li{break-inside:avoid}
h1{margin:0}h2{break-after:avoid}.front{break-after:page}}
"""


def markdown(sheet):
    """Write the plan as Markdown.

    Parameters
    ----------
    sheet : Worksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> print(markdown(Worksheet(1, 40_000, 60_000, ratio=0.5))[:66])
    # My hedge
    <BLANKLINE>
    ## Step 1: what I hold
    <BLANKLINE>
    1 BTC, worth 60,000 USDT today
    """
    parts = [f"# {TITLE}"]
    for section in sections(sheet):
        head, *rows = section.table or [()]
        lines = [head, ["---"] * len(head), *rows] if rows else []
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        items = "\n".join(f"- {item}" for item in section.items)
        parts += [f"## {section.title}", section.text, table, items]
    return "\n\n".join([*filter(None, parts), NO_ORDER]) + "\n"


def fragment(sheet, level=2):
    """Write the plan as HTML without a page around it, with headings of this level."""
    parts = []
    for section in sections(sheet):
        parts.append(_tag(f"h{level}", section.title))
        parts += [_tag("p", section.text)] if section.text else []
        if section.table:
            head, *rows = section.table
            names = "".join(_tag("th", name, ' scope="col"') for name in head)
            body = ""
            for first, *others in rows:
                cells = [_tag("th", first, ' scope="row"'), *(_tag("td", cell) for cell in others)]
                body += f"<tr>{''.join(cells)}</tr>"
            wide = ' class="wide"' if len(head) > _MANY else ""
            parts.append(f"<table{wide}><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>")
        parts += ["<ul>", *(_tag("li", item) for item in section.items), "</ul>"] if section.items else []
    return "".join(parts) + _tag("p", NO_ORDER)


def page(sheet, day=None):
    """Write the plan as an HTML page of its own: to print, one sheet of A4 to act by, and its details behind.

    Parameters
    ----------
    sheet : Worksheet
    day : datetime.date, optional
        Day of the plan; room to write it where left out.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> page(Worksheet(1, 40_000, 60_000, ratio=0.5))[:15]
    '<!doctype html>'
    """
    worksheet(sheet)
    checks.kind("day", day, datetime.date | None, "a datetime.date")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{TITLE}</h1>{_front(sheet, day)}"
        f"{fragment(sheet)}</main></body></html>\n"
    )


def _front(sheet, day):
    """The sheet to act by: day and venue, the plan in a few lines, its picture, the ladder to read aloud."""
    when = (
        f"Day: {day or '____________'}. Exchange and account: ____________. Rules as of {sheet.rules.as_of}."
    )
    row = ' scope="row"'
    lines = "".join(
        f"<tr>{_tag('th', name, row)}{_tag('td', text)}</tr>" for name, text in summary(sheet).items()
    )
    with style():
        figure = Figure(figsize=_PICTURE, layout="constrained")
        told = draw(figure, sheet)
        drawn = base64.b64encode(svg(figure).encode()).decode()
    alt = html.escape(alt_text("The plan", told))
    picture = f'<img alt="{alt}" src="data:image/svg+xml;base64,{drawn}">'
    rungs = "".join(
        f"<li><b>{number(row.price, 2, signed=False)}</b> ({percent(row.change, signed=True)}), {row.level}, "
        f"{usdt(row.total_pnl)}: {html.escape(row.action)}</li>"
        for row in ladder(sheet).itertuples()
    )
    aloud = _tag("p", "Read aloud, from the top: at this price, having gained or lost this, I do that.")
    return (
        f'<section class="front">{_tag("p", when)}<table><tbody>{lines}</tbody></table>{picture}'
        f"{aloud}<ul>{rungs}</ul></section>"
    )


def ladder_csv(sheet):
    """Write the price ladder as CSV: numbers with a point, amounts to the cent, changes as fractions.

    Parameters
    ----------
    sheet : Worksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> ladder_csv(Worksheet(1, 40_000, 60_000, ratio=0.5)).splitlines()[0]
    'level,price,order,action,change,coins_pnl,short_pnl,total_pnl,fees,balance,margin_ratio,event'
    """
    table = ladder(sheet)
    digits = {"change": 4, "margin_ratio": 4, "balance": 8 if sheet.rules.inverse else 2}
    money = dict.fromkeys(("price", "coins_pnl", "short_pnl", "total_pnl", "fees"), 2)
    return table.round(digits | money).to_csv(index=False, lineterminator="\n")


def _tag(name, text, attributes=""):
    return f"<{name}{attributes}>{html.escape(text)}</{name}>"
