"""Predictions that a reader draws before a lesson tells: a picture to draw in, and the truth over it."""

import functools
import html
import json
from dataclasses import dataclass

from hedgelib import funding, hedge, market
from hedgelib.rendering import typeset

WIDTH, HEIGHT = 560, 320  # of the picture, in its own pixels
LEFT, RIGHT, TOP, BOTTOM = 96, 40, 18, 38  # its margins
FIGURE = """\
<figure class="sketch" data-sketch="{lesson}">
<figcaption><strong>Draw it.</strong> {question}</figcaption>
<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{axes}
<path class="mine"></path><path class="truth" visibility="hidden"></path></svg>
<p class="points" role="group" aria-label="{down}, at each {across}">{points}</p>
<p><button type="button">Show what happens</button> <output></output></p>
<script type="application/json">{data}</script>
</figure>"""
POINT = '<label>{at} <input type="number" min="{low}" max="{high}" step="{step}"></label>'


@dataclass(frozen=True)
class Sketch:
    """A line to draw: what is asked, the points across, the heights that can be drawn, and the truth."""

    question: str
    why: str  # said with the truth
    across: str
    down: str
    points: tuple
    truth: tuple
    low: float
    high: float
    step: float  # to which a drawn height is rounded
    grid: float  # between two lines of the picture
    unit: str

    def place(self, number, value):
        """Where a point lies in the picture."""
        x = LEFT + number * (WIDTH - LEFT - RIGHT) / (len(self.points) - 1)
        y = TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
        return round(x, 1), round(y, 1)


@functools.cache
def sketches():
    """Return the lines to draw, by the number of their lesson."""
    return {"02": _dead_hedge(), "03": _variance_left(), "04": _funding_rate(), "05": _touched()}


def _dead_hedge():
    """Total of a full hedge that a rise on the way has killed: its margin is gone, the coin is alone."""
    entry, peak, leverage = 60_000, 80_000, 3
    death = hedge.Hedge(1, 1, leverage, "BTCUSDT").liquidation_price(entry)
    margin = entry // leverage if death < peak else 0
    ends = range(40_000, 100_001, 10_000)
    return Sketch(
        f"1 BTC, fully hedged at {leverage}x from {entry:,} USDT. The price first rises to {peak:,}, and "
        "then ends somewhere else. What is the total of coin and short, in USDT, for each end?",
        why=f"At {death:,.0f} the exchange closed the short: its margin of {margin:,} USDT is gone, and the "
        "coin stands alone.",
        across="price at the end",
        down="Total in USDT",
        points=tuple(f"{end:,}" for end in ends),
        truth=tuple(end - entry - margin if margin else 0 for end in ends),
        **{"low": -50_000, "high": 50_000, "step": 1_000, "grid": 25_000, "unit": "USDT"},
    )


def _variance_left():
    """Variance that a hedge leaves when short and coin move alike."""
    shares = range(0, 151, 25)
    return Sketch(
        "How much of the variance is left when you hedge nothing, a part, all, or more than you have?",
        why="It goes with the square of what is left: half a hedge leaves a quarter, too much adds risk.",
        across="share that is hedged",
        down="Variance left in %",
        points=tuple(f"{share} %" for share in shares),
        truth=tuple(100 * (1 - share / 100) ** 2 for share in shares),
        **{"low": 0, "high": 150, "step": 1, "grid": 25, "unit": "%"},
    )


def _funding_rate():
    """Funding rate that follows from a premium."""
    premiums = range(-15, 16, 5)
    return Sketch(
        "The future trades below or above the index, by so many basis points on average. Which funding rate "
        "follows, in basis points per eight hours?",
        why="From −4 to +6 bp the rate stays at 1 bp; outside, it is the premium, 5 bp nearer to zero.",
        across="premium",
        down="Funding rate in bp",
        points=tuple(typeset(f"{premium:+d} bp") for premium in premiums),
        truth=tuple(round(1e4 * float(funding.rate(premium / 1e4)), 6) for premium in premiums),
        **{"low": -20, "high": 20, "step": 0.5, "grid": 10, "unit": "bp"},
    )


def _touched():
    """How often the liquidation price of a short of bitcoin was touched within 90 days, since 2019."""
    facts = market.facts("touched", "BTC").query("period == '90 days' and not key.str.contains('_')")
    return Sketch(
        "A short of bitcoin, opened on any day since September 2019. In how many of 100 cases was its "
        "liquidation price touched within 90 days, at each leverage?",
        why="Stretches that begin on neighbouring days are much alike: each number may be ten points off.",
        across="leverage",
        down="Cases of 100",
        points=tuple(facts["key"]),
        truth=tuple(round(100 * value, 1) for value in facts["value"]),
        **{"low": 0, "high": 100, "step": 1, "grid": 25, "unit": "of 100"},
    )


def figure(lesson, sketch):
    """Return the picture to draw in, as HTML."""
    last = len(sketch.points) - 1
    heights = [
        sketch.low + sketch.grid * line for line in range(round((sketch.high - sketch.low) / sketch.grid) + 1)
    ]
    axes = [_line(sketch.place(0, height), sketch.place(last, height), height == 0) for height in heights]
    for height in heights:
        x, y = sketch.place(0, height)
        axes.append(f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{typeset(f"{height:,}")}</text>')
    for number, point in enumerate(sketch.points):
        x, y = sketch.place(number, sketch.low)
        kind = ' class="between"' if number % 2 and last > 4 else ""  # where there is no room for all
        axes.append(f'<text x="{x}" y="{y + 24}" text-anchor="middle"{kind}>{html.escape(point)}</text>')
    given = {"low": sketch.low, "high": sketch.high, "step": sketch.step}
    data = given | {
        "points": sketch.points,
        "truth": sketch.truth,
        "unit": sketch.unit,
        "why": sketch.why,
        "columns": [sketch.place(number, 0)[0] for number in range(last + 1)],
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
    }
    return FIGURE.format(
        lesson=lesson,
        question=html.escape(sketch.question),
        label=html.escape(f"{sketch.down} against {sketch.across}"),
        width=WIDTH,
        height=HEIGHT,
        axes="".join(axes),
        across=html.escape(sketch.across),
        down=html.escape(sketch.down),
        points=" ".join(POINT.format(at=html.escape(point), **given) for point in sketch.points),
        data=json.dumps(data, ensure_ascii=False),
    )


def _line(start, end, is_zero):
    kind = ' class="zero"' if is_zero else ""
    return f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"{kind}></line>'


def put_in(body, lesson):
    """Put the picture of a lesson, if it has one, behind its prediction."""
    sketch = sketches().get(lesson)
    predict = next(
        (strong for strong in body.select("strong") if strong.get_text().startswith("Predict")), None
    )
    if sketch and predict:
        predict.find_parent(class_="jp-Cell").insert_after(type(body)(figure(lesson, sketch), "html.parser"))
