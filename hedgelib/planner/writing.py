"""A plan on paper: Markdown, HTML and CSV."""

import base64
import datetime
import html
import re

from matplotlib.figure import Figure

from hedgelib import checks
from hedgelib.figures import percent, usdt
from hedgelib.planner.cross import CrossWorksheet, any_sheet
from hedgelib.planner.drawing import draw
from hedgelib.planner.sections import details, front, sections
from hedgelib.planner.summary import summary
from hedgelib.planner.tables import ladder
from hedgelib.rendering import alt_text, style, svg

NO_ORDER = (
    "This page is arithmetic. It places no order, sends nothing anywhere, and is not investment advice."
)
TITLE = "My hedge"
_MANY = 6  # columns
_PICTURE = 7.4, 2.8  # inches: the width of A4 between its margins
_NUMBER = re.compile(r"[+−±]?[\d,.]+( %| \w+)?|–|closed|not known")
_UNIT = re.compile(r"(?<=\d) (?=%|bp\b|[A-Z]{3,}\b)")
_RIGHT = ' style="text-align:right;white-space:nowrap"'
_ROW = ' scope="row"'
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}
table{border-collapse:collapse;margin:.6em 0;width:100%}
th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top;\
font-variant-numeric:tabular-nums}
thead th{background:#eee}
h2{margin-top:1.4em;border-bottom:2px solid #0072b2}
img{width:100%}
@page{size:A4;margin:10mm 12mm}
@media print{
body{margin:0;padding:0;max-width:none;font-size:8.8pt;line-height:1.28}
h1{margin:0;font-size:15pt}
h2{margin:.6em 0 0;font-size:10pt;break-after:avoid}
p,ul,table{margin:.3em 0}
ul{padding-left:1.4em}
th,td{padding:.15em .5em}
tr,li,section section{break-inside:avoid}
.front{break-after:page}
.details{columns:2;column-gap:6mm;font-size:7pt;line-height:1.2}
.details h2{margin-top:.5em;font-size:8pt}
.details table{font-size:6.6pt}
.details th,.details td{padding:.08em .35em}
.wide{column-span:all}
.wide tbody th{white-space:nowrap}
.write td{height:4.2mm}
.write th:nth-child(n+3){width:11.5%}
}
"""


def markdown(sheet):
    """Write the plan as Markdown.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet

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
    return "".join(_section(each, level) for each in sections(sheet)) + _tag("p", NO_ORDER)


def _section(section, level=2):
    """One part of the page; a column of numbers is set to the right."""
    parts = [_tag(f"h{level}", section.title)]
    parts += [_tag("p", section.text)] if section.text else []
    head, *rows = section.table or [()]
    if rows:
        right = [_RIGHT if _numbers(column) else "" for column in zip(*rows, strict=True)]
        names = "".join(
            _tag("th", name, f' scope="col"{side}') for name, side in zip(head, right, strict=True)
        )
        lines = []
        for first, *others in rows:
            cells = [_tag("td", cell, side) for cell, side in zip(others, right[1:], strict=True)]
            lines.append(f"<tr>{_tag('th', first, _ROW)}{''.join(cells)}</tr>")
        parts.append(f"<table><thead><tr>{names}</tr></thead><tbody>{''.join(lines)}</tbody></table>")
    parts += ["<ul>", *(_tag("li", item) for item in section.items), "</ul>"] if section.items else []
    classes = ["wide"] * (len(head) > _MANY) + ["write"] * any("" in row for row in rows)
    return f'<section class="{" ".join(classes)}">{"".join(parts)}</section>'


def _numbers(column):
    """Whether a column holds numbers, and nothing else but words for a missing one."""
    return all(map(_NUMBER.fullmatch, column)) and any(re.search(r"\d", cell) for cell in column)


def page(sheet, day=None):
    """Write the plan as an HTML page of its own: to print, one sheet of A4 to act by, and its details behind.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet
    day : datetime.date, optional
        Day of the plan; room to write it where left out.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> page(Worksheet(1, 40_000, 60_000, ratio=0.5))[:15]
    '<!doctype html>'
    """
    any_sheet(sheet)
    checks.kind("day", day, datetime.date | None, "a datetime.date")
    behind = "".join(map(_section, details(sheet)))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{TITLE}</h1>{_front(sheet, day)}"
        f'<section class="details">{behind}</section></main></body></html>\n'
    )


def _front(sheet, day):
    """The sheet to act by: day and venue, the plan in a few lines, its picture, the ladder to read aloud."""
    when = (
        f"Day: {day or '____________'}. Exchange and account: ____________. Rules as of {sheet.rules.as_of}."
    )
    lines = "".join(
        f"<tr>{_tag('th', name, _ROW)}{_tag('td', text)}</tr>" for name, text in summary(sheet).items()
    )
    with style():
        figure = Figure(figsize=_PICTURE, layout="constrained")
        told = draw(figure, sheet)
        drawn = base64.b64encode(svg(figure).encode()).decode()
    alt = html.escape(alt_text("The plan", told))
    picture = f'<img alt="{alt}" src="data:image/svg+xml;base64,{drawn}">'
    gained = "short_pnl" if isinstance(sheet, CrossWorksheet) else "total_pnl"
    rungs = "".join(
        _tag(
            "li",
            f"{sheet.rules.price_text(row.price)} ({percent(row.change, signed=True)}), {row.level}, "
            f"{usdt(getattr(row, gained))}: {row.action}",
        )
        for row in ladder(sheet).itertuples()
    )
    aloud = _tag("p", "Read aloud, from the top: at this price, having gained or lost this, I do that.")
    return (
        f'<section class="front">{_tag("p", when)}<table><tbody>{lines}</tbody></table>{picture}'
        f"{aloud}<ul>{rungs}</ul>{''.join(map(_section, front(sheet)))}{_tag('p', NO_ORDER)}</section>"
    )


def ladder_csv(sheet):
    """Write the price ladder as CSV: numbers with a point, amounts to the cent, changes as fractions.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> ladder_csv(Worksheet(1, 40_000, 60_000, ratio=0.5)).splitlines()[0]
    'level,price,order,action,change,coins_pnl,short_pnl,total_pnl,fees,balance,margin_ratio,event'
    """
    table = ladder(sheet)  # its prices are whole ticks already
    digits = {"change": 4, "margin_ratio": 4, "balance": 8 if sheet.rules.inverse else 2}
    money = dict.fromkeys(("coins_pnl", "short_pnl", "total_pnl", "fees"), 2)
    return table.round(digits | money).to_csv(index=False, lineterminator="\n")


def _tag(name, text, attributes=""):
    """An element; no line ends between a number and its unit."""
    return f"<{name}{attributes}>{_UNIT.sub(chr(0xA0), html.escape(text))}</{name}>"
