"""A plan on paper: Markdown, HTML and CSV."""

import html

from hedgelib.planner.sections import sections
from hedgelib.planner.tables import ladder

NO_ORDER = (
    "This page is arithmetic. It places no order, sends nothing anywhere, and is not investment advice."
)
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
            parts.append(f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>")
        parts += ["<ul>", *(_tag("li", item) for item in section.items), "</ul>"] if section.items else []
    return "".join(parts) + _tag("p", NO_ORDER)


def page(sheet):
    """Write the plan as an HTML page of its own, made to be printed.

    Parameters
    ----------
    sheet : Worksheet

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
