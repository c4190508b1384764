"""A plan as a page to print: the article's six steps as Markdown or HTML, and the price ladder as CSV.

Each function takes a ``Worksheet`` and refuses anything else with a ``ValueError``.
"""

import html

from hedgelib.planner import tables
from hedgelib.planner.sections import NO_ORDER, sections

TITLE = "My hedge"

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}
table{border-collapse:collapse;margin:.6em 0;width:100%}
th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}
thead th{background:#eee}
h2{margin-top:1.4em;border-bottom:2px solid #0072b2}
@media print{body{margin:0;max-width:none;font-size:10pt}h2,tr{break-inside:avoid}h2{break-after:avoid}}
"""


def markdown(sheet):
    """Write the plan as Markdown.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    str

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
        parts += [f"## {section.title}", section.text]
        if section.table:
            head, *rows = section.table
            lines = [head, ["---"] * len(head), *rows]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        parts.append("\n".join(f"- {item}" for item in section.items))
    return "\n\n".join([part for part in parts if part] + [NO_ORDER]) + "\n"


def fragment(sheet, level=2):
    """Write the plan as HTML without a page around it.

    Parameters
    ----------
    sheet : planner.Worksheet
    level : int
        Level of the headings.

    Returns
    -------
    str
    """
    parts = []
    for section in sections(sheet):
        parts.append(f"<h{level}>{html.escape(section.title)}</h{level}>")
        if section.text:
            parts.append(f"<p>{html.escape(section.text)}</p>")
        if section.table:
            head, *rows = section.table
            names = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
            body = "".join(
                f'<tr><th scope="row">{html.escape(row[0])}</th>'
                + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
                + "</tr>"
                for row in rows
            )
            parts.append(f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>")
        if section.items:
            parts.append(
                "<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in section.items) + "</ul>"
            )
    return "".join(parts) + f"<p>{NO_ORDER}</p>"


def page(sheet):
    """Write the plan as an HTML page of its own, made to be printed.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    str

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> page(Worksheet(1, 40_000, 60_000, ratio=0.5))[:15]
    '<!doctype html>'
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{TITLE}</h1>{fragment(sheet)}</main></body></html>\n"
    )


def ladder_csv(sheet):
    """Write the price ladder as CSV: numbers with a point, amounts to the cent, changes as fractions.

    Parameters
    ----------
    sheet : planner.Worksheet

    Returns
    -------
    str

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> ladder_csv(Worksheet(1, 40_000, 60_000, ratio=0.5)).splitlines()[0]
    'level,price,order,action,change,coins_pnl,short_pnl,total_pnl,balance,margin_ratio'
    """
    table = tables.ladder(sheet)
    digits = {"change": 4, "margin_ratio": 4, "balance": 8 if sheet.rules.inverse else 2}
    money = dict.fromkeys(("price", "coins_pnl", "short_pnl", "total_pnl"), 2)
    return table.round(digits | money).to_csv(index=False, lineterminator="\n")
