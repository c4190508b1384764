"""Random markets, hedges and plans for property tests."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from hedgelib.hedge import Hedge
from hedgelib.market import Paths
from hedgelib.plan import (
    After,
    Batches,
    Below,
    BySignal,
    Fixed,
    Plan,
    Signal,
    Stop,
    TakeProfit,
    TopUp,
    Until,
)

START = 60_000.0
HEDGES = st.tuples(
    *(
        st.sampled_from(values)
        for values in [
            ("BTCUSDT", "ETHUSDT", "BTCUSD"),
            (0.05, 1.0, 7.3, 40.0),
            (0.3, 0.5, 1.0, 1.0, 1.3),
            (1.0, 2.0, 3.0, 10.0, 50.0),
            ("outside", "coins", "collateral"),
            ("isolated", "cross"),
            (None, 1.0, 0.5, 0.2),
        ]
    )
)
FEW, SHORT, SEEDS = st.integers(1, 4), st.integers(1, 90), st.integers(0, 2**32 - 1)
MOODS = st.tuples(
    *(
        st.sampled_from(sizes)
        for sizes in [
            (0.0, 0.002, 0.02, 0.1),  # swing of a bar
            (-0.01, 0.0, 0.01),  # drift
            (0.0, 0.002, 0.02),  # basis
            (0.0, 0.01, 0.1),  # wicks
            (0.0, 0.0005, 0.01),  # funding
        ]
    )
)


def fractions(low, high):
    """Return numbers of few digits between two bounds, so that falling examples stay readable."""
    return st.integers(round(low * 1000), round(high * 1000)).map(lambda number: number / 1000)


@st.composite
def paths(draw, number=FEW, length=SHORT):
    """Draw paths wild enough to liquidate, with wicks, jumps, a basis and funding of both signs."""
    shape = draw(number), draw(length)
    swing, drift, basis, wick, rate = draw(MOODS)
    rng = np.random.default_rng(draw(SEEDS))
    spot = START * np.exp(np.cumsum(drift + swing * rng.standard_normal(shape), axis=1))
    mark = spot * np.exp(basis * rng.standard_normal(shape))
    up, down = np.exp(wick * rng.random((2, *shape)))
    return Paths(spot, mark, mark * up, mark / down, rate * rng.standard_normal(shape), hours=8)


@st.composite
def frames(draw, length=SHORT):
    """Draw a market frame of the same kind whose last price goes further than its mark, or one without."""
    frame = draw(paths(st.just(1), length)).frame(0)
    if draw(st.booleans()):
        further = np.exp(0.02 * np.random.default_rng(draw(SEEDS)).random((2, len(frame))))
        frame["last_high"] = frame["mark_high"] * further[0]
        frame["last_low"] = frame["mark_low"] / further[1]
    return frame


@st.composite
def hedges(draw):
    """Draw hedges of every kind."""
    symbol, holding, ratio, leverage, source, mode, part = draw(HEDGES)
    if symbol == "BTCUSD":
        leverage = max(leverage, 1.01 * ratio / (part or 1.0))
        return Hedge(holding, ratio, leverage, symbol, "coin_margined", wallet=part and part * holding)
    if source == "collateral":
        wallet = part and 0.1 * part * holding * START
        return Hedge(holding, ratio, max(leverage, 1.5 * ratio), symbol, source, wallet=wallet)
    rich = source == "outside" and mode == "cross" and part is not None
    wallet = 3 * holding * ratio * START / leverage if rich else None
    return Hedge(holding, ratio, leverage, symbol, source, mode, wallet)


def _turns_down(close):
    """Return the bars that close lower than the one before."""
    return np.append(False, np.diff(close) < 0)


@dataclass(frozen=True)
class _RisesBy:
    """Tells at which closes the price has risen by so much since the first."""

    move: float

    def __call__(self, close):
        return close >= close[0] * (1 + self.move)


SHARES = fractions(0, 1)
TRIGGERS = st.one_of(
    fractions(0, 20).map(After),
    fractions(-0.3, 0.1).map(lambda move: Below(move=move)),
    fractions(-0.1, 0.3).map(lambda move: Signal(_RisesBy(move))),
    st.just(Below(price=0.95 * START)),
    st.just(Signal(_turns_down)),
)
STATES = st.lists(st.tuples(SHARES, TRIGGERS), min_size=1, max_size=3)
SIMPLE = st.one_of(
    SHARES.map(Fixed),
    st.just(Fixed()),
    st.lists(TRIGGERS, min_size=1, max_size=3).map(lambda when: Batches([1 / len(when)] * len(when), when)),
    st.builds(lambda states, start: BySignal(*map(list, zip(*states, strict=True)), start), STATES, SHARES),
)
TARGETS = SIMPLE | st.builds(Until, SIMPLE, TRIGGERS)


def _exit(kind, sign):
    """Return a strategy for take profits (sign −1) or stops (sign +1), or none."""

    def build(move, further, share, on, absolute):
        limit = None if further is None else sign * (move + further)
        if absolute:
            return kind(
                round(START * (1 + sign * move)), None, share, on, limit and round(START * (1 + limit))
            )
        return kind(None, sign * move, share, on, limit)

    moves, further = fractions(0.005, 0.3), st.none() | fractions(0, 0.05)
    words = st.sampled_from(["last", "mark"])
    return st.none() | st.builds(build, moves, further, st.sampled_from([0.4, 1, 1]), words, st.booleans())


TAKE_PROFITS, STOPS = _exit(TakeProfit, -1), _exit(Stop, +1)
MARGINS = st.none() | st.tuples(st.sampled_from([0.02, 0.1, 0.3, 0.6, 1.2]), fractions(0.01, 0.5))
BANDS = st.sampled_from([None, None, 0.02, 0.2])


@st.composite
def plans(draw, hedge):
    """Draw plans that fit a hedge."""
    reserve = 0.3 * hedge.holding * START
    if hedge.contract.inverse:
        reserve = 0.5 * (hedge.holding - (hedge.wallet or hedge.holding))
    margins = draw(MARGINS)
    top_up = TopUp(reserve, margins[0], sum(margins)) if margins and reserve > 0 else None
    parts = (draw(strategy) for strategy in (TARGETS, TAKE_PROFITS, STOPS))
    return Plan(*parts, top_up, draw(BANDS))
