"""What the planner's page asks Python for; importable anywhere, for tests. Every function returns JSON."""

import base64
import json
import tempfile
from datetime import date
from pathlib import Path

from matplotlib.figure import Figure

from hedgelib import contracts, rendering
from hedgelib.figures import percent
from hedgelib.planner import Worksheet, WorksheetError, compare, draw_comparison, fields, load
from hedgelib.planner.comparing import MOST, WAYS, comparable
from hedgelib.planner.drawing import draw_ends, draw_results
from hedgelib.planner.keeping import saved
from hedgelib.planner.summary import known, summary
from hedgelib.planner.writing import fragment, ladder_csv, markdown, page

LESSON = {  # the plan of lesson 09, with the exit that its form begins with
    "coins": 2.5,
    "cost": 30_000,
    "price": 60_000,
    "fall": 0.2,
    "bearable": 12_000,
    "leverage": 3,
    "reserve": 15_000,
    "days": 60,
    "take_profit": 0.2,
}
_SIZE = 4.6, 3.1  # inches of a picture
_BESIDE = 7.5, 3.6


def first():
    """Return what stands in the fields at the start."""
    return json.dumps(fields.typed(Worksheet(**LESSON)))


def plan(texts, priced=None):
    """Return what follows from the fields.

    Parameters
    ----------
    texts : str
        JSON: what stands in each field.
    priced : str, optional
        Coin whose price was typed.

    Returns
    -------
    str
        JSON: ``problems``, why a field is refused, by its name; where there are none also ``texts`` as they
        were read, ``remarks``, ``measured``, ``base``, ``summary`` and ``pictures``.
    """
    try:
        sheet = fields.read(json.loads(texts))
    except WorksheetError as error:
        return json.dumps({"problems": _told(error)})
    told = summary(sheet)
    return json.dumps(
        {
            "problems": {},
            "texts": _as_read(json.loads(texts), sheet),
            "remarks": fields.remarks(sheet, priced),
            "measured": fields.measured(sheet),
            "base": sheet.rules.base,
            "summary": told,
            "pictures": [_picture(draw, sheet, told) for draw in (draw_results, draw_ends)],
        }
    )


def _told(error):
    """Complaints by field, in its words."""
    return {"judge" if name == "market" else name: fields.worded(why) for name, why in error.problems.items()}


def _as_read(texts, sheet):
    """The fields with each share as it was read: 0.5 becomes 50 %."""
    shares = {name: getattr(sheet, name) for name in fields.SHARES}
    return texts | {name: fields.written(name, share) for name, share in shares.items() if share is not None}


def _picture(draw, sheet, told):
    with rendering.style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        draw(axes, sheet)
        return _drawn(figure, rendering.alt_text(axes.get_title(loc="left").replace("\n", ", "), told))


def _drawn(figure, alt):
    return {"alt": alt, "picture": base64.b64encode(rendering.png(figure)).decode()}


def whole(texts):
    """Return the whole plan as HTML, and as files by name; it takes seconds, for it plays many paths."""
    sheet = fields.read(json.loads(texts))
    files = {
        "my-hedge.html": page(sheet, date.today()),
        "my-hedge.md": markdown(sheet),
        "my-hedge-ladder.csv": ladder_csv(sheet),
        "my-hedge.json": saved(sheet),
    }
    return json.dumps({"plan": fragment(sheet, 3), "files": files})


def keep(texts):
    """Return the text of a saved plan."""
    return json.dumps(saved(fields.read(json.loads(texts))))


def opened(text):
    """Return what the fields show of a plan that was saved, or the ``problem`` with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        path.write_text(text, encoding="utf-8")
        try:
            sheet = load(path)
        except ValueError as error:
            return json.dumps({"problem": str(error).replace(str(path), "this file")})
    if sheet.rules.symbol not in contracts.symbols():
        return json.dumps(
            {"problem": f"this plan has a contract of its own, {sheet.rules.symbol}: open it in the notebook"}
        )
    return json.dumps({"texts": fields.typed(sheet)})


def beside(texts, kept):
    """Return this plan beside others for the same coins, a sale and a put: a table as HTML and a picture.

    Parameters
    ----------
    texts : str
        JSON: what stands in each field.
    kept : str
        JSON: the same of each plan kept, the oldest first.
    """
    sheet = fields.read(json.loads(texts))
    others = {}
    for number, each in enumerate(json.loads(kept), 1):
        other = fields.read(each)
        if comparable(other, sheet):
            others[f"{number}: {percent(other.share, 0)} at {other.leverage:g}x"] = other
    newest = dict(list(others.items())[1 - MOST :])
    plans = dict([*({"this plan": sheet} | newest | dict(zip(WAYS, WAYS, strict=True))).items()][:MOST])
    table = compare(plans)
    shares = {"liquidated": lambda share: known(share, percent, 0)}
    written = dict.fromkeys(table.columns, known) | shares
    with rendering.style():
        figure = Figure(figsize=_BESIDE, layout="constrained")
        told = draw_comparison(figure, plans)
        drawn = _drawn(figure, rendering.alt_text("Side by side", told))
    return json.dumps({"table": table.to_html(formatters=written, border=0), **drawn})
