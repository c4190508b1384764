"""A small course for the tests of the site: two notebooks with everything a lesson can hold."""

from concurrent.futures import ThreadPoolExecutor

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from website.build import build

IMPORTS = """\
from hedgelib.exercise import check
from hedgelib.explorer import Choice, Explorer
from hedgelib.rendering import picture"""
DRAW = """\
def draw(figure, price, ratio):
    if price == 90_000 and ratio == 0:
        raise ValueError("nothing to protect")
    axes, bars = figure.subplots(1, 2, width_ratios=[2, 1])
    profit = price - 60_000
    axes.plot([40_000, 90_000], [-20_000 * (1 - ratio), 30_000 * (1 - ratio)], label="Total")
    axes.plot([price], [profit * (1 - ratio)], "o")
    axes.set(xlabel="Price (USDT)", ylabel="P&L (USDT)", ylim=(-25_000, 35_000))
    if ratio:
        axes.annotate(f"{profit * (1 - ratio):+,.0f}", (price, profit * (1 - ratio)))
    bars.bar(["Spot", "Short"], [profit, -profit * ratio])
    bars.set(ylim=(-35_000, 35_000))
    return {"Spot P&L": f"{profit:+,} USDT", "Total P&L": f"{profit * (1 - ratio):+,.0f} USDT"}"""
EXPLORER = """\
Explorer(
    draw,
    "Price < 90k & hedge",
    price=Choice("Price of BTC", range(40_000, 90_001, 10_000), 60_000, "{:,} USDT"),
    ratio=Choice("Hedge ratio", (0, 0.5, 1), 0.5, "{:.0%}"),
)"""
HINT = """\
<details><summary>Hint and solution</summary>

Compare **both** legs: $\\pi = s q (X - E)$.

</details>"""


def _cell(make, source, slide_type="-", tags=()):
    return make(source, metadata={"slideshow": {"slide_type": slide_type}, "tags": list(tags)})


def text(source, slide_type="-"):
    """A cell of prose."""
    return _cell(new_markdown_cell, source, slide_type)


def code(source, slide_type="-", tags=()):
    """A cell of code."""
    return _cell(new_code_cell, source, slide_type, tags)


def write(folder, name, cells):
    """Write a notebook whose cell ids are the same each time, with the metadata that the lessons have."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def first():
    """Cells of a lesson without an explorer."""
    return [
        text(
            "# Start here\n\nIs everything working?\n\n10 minutes · Needs nothing · Not investment advice",
            "slide",
        ),
        text(
            "## The terms\n\nA *hedge* is a second position. Next: [full hedge](01_hedge.ipynb#The-formula)."
        ),
        code("print('ready')", "skip"),
    ]


def second():
    """Cells of a lesson with everything."""
    return [
        text(
            "# A hedge by hand\n\nWhat is left when every coin is shorted?\n\n**20 minutes** · Needs 00",
            "slide",
        ),
        text("Ask who has held a future.", "notes"),
        code(IMPORTS, "skip"),
        text("## By hand\n\nOne coin, one short.\n\n| price | total |\n|---|---|\n| 60,000 | 0 |", "slide"),
        code("70_000 - 60_000  # what the coin gains", "-", ["show-code"]),
        text('<div class="alert alert-info">Predict before you run.</div>', "fragment"),
        text(
            "## The formula\n\nProfit is $\\pi = s\\,q\\,(X - E)$.\n\n"
            "$$h^* = \\rho\\,\\frac{\\sigma_S}{\\sigma_F}$$",
            "slide",
        ),
        code("import pandas\npandas.DataFrame({'price': [50_000, 70_000], 'total': [0, 0]})"),
        code("pandas.DataFrame({'price': [50_000]})['total']", "skip", ["raises-exception"]),
        text("## A picture", "slide"),
        code(
            "def still(figure):\n    figure.subplots().bar(['spot', 'short'], [1, -1])\n"
            "    return {'Total': '0'}\npicture(still, 'Two legs')"
        ),
        text(
            "## Explore\n\nMove the price from 40,000 to 90,000. What happens to the total, and why?", "slide"
        ),
        code(DRAW, "skip"),
        code(EXPLORER, "subslide"),
        text("## Exercise\n\nWhat does the short lose at 70,000?", "skip"),
        code('answer = ...\ncheck("02-1", answer)', "skip", ["exercise"]),
        text(HINT, "skip"),
    ]


def write_course(folder):
    """Write both notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "00_start", first())
    write(folder, "01_hedge", second())
    return folder


def built(*folders, **options):
    """Build in a thread of its own, as the browser keeps an event loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(build, *folders, **options).result()
