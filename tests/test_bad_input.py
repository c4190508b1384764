"""Bad input: every public function gives a sound answer or raises ``ValueError``, whatever it is given.

`CALLS` holds one working call of every public function. The tests replace its arguments, one or several at
a time. What the example shows is the kind an argument must be of: a number or numbers, a text, a truth value,
or else an object of the library. Of another kind (NaN and infinity are no numbers) it must be refused. Of the
same kind, but empty, mismatched, huge, tiny, zero or negative, it may be refused, or else the answer must be
sound: finite but for what is documented, for each element the same as alone, and no warning on the way.
"""

import contextlib
import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction

import numpy as np
import pandas as pd
import public
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from hedgelib import (
    contracts,
    environment,
    exercise,
    explorer,
    figures,
    funding,
    ledger,
    lived,
    market,
    perpetual,
    plan,
    planner,
    ratio,
    signals,
    story,
    survival,
)
from hedgelib.hedge import Hedge
from hedgelib.histories import cache
from hedgelib.planner import form


class Fresh:
    """An argument that is used up by a call: made anew for each."""

    def __init__(self, make):
        self.make = make


@functools.cache
def axes():
    """Axes to draw into; making new ones for each call takes longer than all else."""
    return Figure().subplots()


def emptied():
    """The same axes each time, with nothing drawn into them."""
    for artist in [*axes().lines, *axes().patches, *axes().collections, *axes().texts]:
        artist.remove()
    return axes()


@dataclass(frozen=True)
class Call:
    """A working call of a public function."""

    function: Callable
    example: dict
    elementwise: bool = False  # takes numbers or arrays that broadcast, and gives the same
    may_be: tuple = ()  # answers that are documented besides finite numbers: math.inf, math.nan
    loose: tuple = ()  # arguments that may be of any kind

    @property
    def name(self):
        return f"{self.function.__module__}.{self.function.__qualname__}".removeprefix("hedgelib.")

    def __call__(self, **replaced):
        arguments = {
            name: value.make() if isinstance(value, Fresh) else value
            for name, value in (self.example | replaced).items()
        }
        return self.function(**arguments)

    def _optional(self, name):
        """Whether an argument may be None: by the example, or by its default."""
        parameter = inspect.signature(self.function).parameters.get(name)
        return self.example[name] is None or (parameter is not None and parameter.default is None)

    def must_refuse(self, name, value):
        """Whether a value is of the wrong kind for an argument."""
        example = self.example[name]
        if name in self.loose or (value is None and self._optional(name)):
            return False
        for kind in (bool, str):
            if isinstance(example, kind):
                return not isinstance(value, kind)
        return not (numeric(example) and numeric(value))


def call(function, /, *, may_be=(), loose=(), **example):
    """A function whose answer has a shape of its own."""
    return Call(function, example, may_be=may_be, loose=loose)


def each(function, /, *, may_be=(), **example):
    """A function that answers for each number of its arguments."""
    return Call(function, example, elementwise=True, may_be=may_be)


def numeric(value):
    """Whether a value is one or several finite numbers; an empty list is, as far as its kind goes."""
    if np.ma.isMaskedArray(value):
        return False
    try:
        array = np.asarray(value)
        return array.dtype.kind in "iuf" and bool(np.isfinite(array.astype(float)).all())
    except (TypeError, ValueError, OverflowError):
        return False


INF, NAN = (math.inf,), (math.nan,)
TABLE = perpetual.Brackets(floors=(0, 300_000), rates=(0.004, 0.005))
HEDGE = Hedge(1, 0.5, 2, "BTCUSDT")
COIN_HEDGE = Hedge(1, 0.5, 2, "BTCUSD", margin_from="coin_margined")
PLEDGED = Hedge(1, 0.5, 2, "BTCUSDT", margin_from="collateral")
CONTRACT, LINEAR = contracts.get("BTCUSD"), contracts.get("BTCUSDT")
MARKET = market.drawn({0: 60_000, 1: 66_000}, rate=1e-4)
PATHS = market.paths("pullback", n=3, days=2)
OUTCOME = ledger.run_many(PATHS, HEDGE)
ESTIMATE = ratio.Estimate(ratio=1.1, stderr=0.03, r_squared=0.7, observations=100)
SPOT, FUTURES = np.random.default_rng(0).normal(size=(2, 120))
CLOSE = [100.0, 104.0, 110.0, 107.0, 105.0, 108.0]
LEVEL = plan.Below(price=58_000)
AXES = Fresh(emptied)
CURVES = {"Short": [10_000.0, -10_000.0]}
TEXTS = {"title": "Title", "xlabel": "Price (USDT)", "ylabel": "Profit (USDT)"}
TITLED = {name: TEXTS[name] for name in ("title", "xlabel")}
POSITION = {"quantity": 1.0, "entry": 60_000.0}
INVERSE = {"contracts": 600.0, "size": 100.0, "entry": 60_000.0}
PAIR = {"spot": SPOT[:20], "futures": FUTURES[:20]}
PATTERN = {"close": CLOSE, "confirm": 1}
REVERSAL = PATTERN | {"tolerance": 0.03, "depth": 0.03}
SHEET = {
    "coins": 1.0,
    "cost": 40_000.0,
    "price": 60_000.0,
    "contract": "BTCUSDT",
    "ratio": 0.5,
    "bearable": None,
    "fall": 0.3,
    "leverage": 2.0,
    "mode": "isolated",
    "margin_from": "outside",
    "reserve": 1_000.0,
    "days": 30,
    "take_profit": 0.1,
    "stop": 0.1,
    "band": 0.05,
    "judge": "era",
    "market": None,
    "volatility": 0.5,
    "funding": 1e-5,
    "taker_fee": 4e-4,
}
PLANNED = planner.Worksheet(**SHEET)
CROSS = {name: SHEET[name] for name in SHEET if name not in ("cost", "bearable", "margin_from", "market")} | {
    "held": "ADA",
    "coins": 20_000.0,
    "price": 0.75,
    "ratio": 1.2,
    "short_price": 60_000.0,
    "held_closes": None,
    "short_closes": None,
}
CROSSED = planner.CrossWorksheet(**CROSS)
EXIT = {"price": None, "share": 1.0, "on": "last"}


def draw(figure, price=60_000):
    """Draw a picture that has everything a draw function needs."""
    figure.subplots().plot([0, 1], [0, price])
    return {"Price": f"{price} USDT"}


CHOICE = explorer.Choice("Price", [50_000, 60_000])
EXPLORER = explorer.Explorer(draw, "Title", size=(2, 1), price=CHOICE)


def contract_rules(quantity, price, symbol):
    """Rounding by the rules of any contract, to be tried on all of them."""
    return contracts.get(symbol).round_quantity(quantity), contracts.get(symbol).round_price(price)


def whole_hedge(holding, ratio, leverage, wallet, symbol, price):
    """Everything that a hedge of any size says at one price."""
    linear = not contracts.get(symbol).inverse
    source = {"margin_from": "outside", "mode": "cross"} if linear else {"margin_from": "coin_margined"}
    hedge = Hedge(holding, ratio, leverage, symbol, wallet=wallet, **source)
    ticket = hedge.ticket(price)
    return hedge.distance_to_liquidation(price), hedge.payoff(price, [price]), ticket.table()


def whole_ledger(holding, ratio, leverage, rate, first, last, symbol):
    """A ledger of a hedge of any size in a market of any price."""
    inverse = contracts.get(symbol).inverse
    hedge = Hedge(holding, ratio, leverage, symbol, "coin_margined" if inverse else "outside")
    drawn = market.drawn({0: first, 1: last}, rate=rate)
    prices = {name: [drawn[name].to_numpy()] for name in market.COLUMNS}
    return ledger.run(drawn, hedge), ledger.run_many(market.Paths(**prices), hedge).summary()


CALLS = [
    # Arithmetic: numbers and arrays.
    each(perpetual.pnl, **POSITION, exit=70_000.0, side=-1),
    each(perpetual.initial_margin, quantity=1.0, price=60_000.0, leverage=2.0),
    each(perpetual.maintenance_margin, notional=60_000.0, brackets=TABLE),
    each(
        perpetual.liquidation_price,
        **POSITION,
        margin=30_000.0,
        brackets=TABLE,
        side=-1,
        other_pnl=0.0,
        other_maintenance=0.0,
        may_be=INF,
    ),
    each(
        perpetual.collateral_liquidation_price,
        **POSITION,
        coins=1.0,
        collateral_ratio=0.95,
        brackets=TABLE,
        balance=-1_000.0,
        may_be=INF,
    ),
    each(perpetual.bankruptcy_price, **POSITION, margin=20_000.0, side=-1, may_be=INF),
    each(perpetual.inverse_pnl, **INVERSE, exit=40_000.0, side=-1),
    each(perpetual.inverse_liquidation_price, **INVERSE, margin=0.5, brackets=TABLE, side=-1, may_be=INF),
    call(
        perpetual.Brackets,
        floors=[0.0, 300_000.0],
        rates=[0.004, 0.005],
        amounts=[0.0, 300.0],
        leverages=[125.0, 100.0],
    ),
    each(funding.received, quantity=1.0, mark=60_000.0, rate=1e-4, side=-1),
    each(funding.inverse_received, contracts=600.0, size=100.0, mark=60_000.0, rate=1e-4, side=-1),
    each(funding.rate, premium=3e-4, interest=1e-4, hours=8, cap=0.02),
    call(funding.annualised, rates=[1e-4, 2e-4], hours=8, compounded=True),
    each(survival.touch_probability, rise=0.3, volatility=0.6, days=30.0, log_drift=0.1),
    # Estimates: series of one length.
    call(ratio.minimum_variance, **PAIR, lags=2),
    call(ratio.beta, asset=SPOT[:20], benchmark=FUTURES[:20], lags=2),
    call(ratio.basket, asset=SPOT[:20], hedges=np.c_[FUTURES[:20], SPOT[20:40]], lags=2),
    call(ratio.effectiveness, **PAIR, ratio=[0.5, 1.0]),
    call(ratio.horizon, **PAIR, bars=2),
    call(ratio.rolling, **PAIR, window=5, may_be=NAN),
    call(ratio.ewma, **PAIR, halflife=5.0, may_be=NAN),
    call(ratio.out_of_sample, **PAIR, estimates=np.ones(20)),
    call(ESTIMATE.interval, coverage=0.95),
    call(signals.rsi, close=CLOSE, length=2, may_be=NAN),
    call(signals.double_top, **REVERSAL),
    call(signals.double_bottom, **REVERSAL),
    call(signals.head_and_shoulders, **REVERSAL),
    call(signals.inverse_head_and_shoulders, **REVERSAL),
    call(signals.bearish_divergence, **PATTERN, length=2),
    call(signals.bullish_divergence, **PATTERN, length=2),
    call(
        signals.known,
        patterns=signals.double_top([100, 110, 100, 111, 105, 99], 1),
        bars=6,
        loose=["patterns"],
    ),
    # Contracts and hedges.
    call(contracts.symbols),
    call(contracts.get, symbol="BTCUSDT", as_of="2024-06-30"),
    call(contracts.sources, symbol="BTCUSDT", as_of="2024-06-30"),
    call(contracts.Contract, **{f.name: getattr(CONTRACT, f.name) for f in fields(CONTRACT)}),
    call(contracts.Contract, **{f.name: getattr(LINEAR, f.name) for f in fields(LINEAR)}),
    call(CONTRACT.margin_text, amount=0.5),
    call(CONTRACT.price_text, price=60_000.0),
    each(CONTRACT.round_quantity, quantity=600.0),
    each(CONTRACT.round_price, price=60_000.0),
    *(each(contract.highest_leverage, notional=600.0, may_be=INF) for contract in (CONTRACT, LINEAR)),
    *(call(contract_rules, quantity=1.0, price=60_000.0, symbol=symbol) for symbol in contracts.symbols()),
    call(
        Hedge,
        holding=1.0,
        ratio=0.5,
        leverage=2.0,
        contract="BTCUSDT",
        margin_from="outside",
        mode="cross",
        wallet=50_000.0,
    ),
    *(
        each(method, price=60_000.0)
        for hedge in (HEDGE, COIN_HEDGE, PLEDGED)
        for method in (hedge.quantity, hedge.margin, hedge.coins_sold, hedge.collateral)
    ),
    *(each(hedge.liquidation_price, entry=60_000.0, may_be=INF) for hedge in (HEDGE, COIN_HEDGE, PLEDGED)),
    *(
        each(hedge.distance_to_liquidation, entry=60_000.0, may_be=INF)
        for hedge in (HEDGE, COIN_HEDGE, PLEDGED)
    ),
    *(
        call(hedge.payoff, entry=60_000.0, prices=[50_000.0, 70_000.0])
        for hedge in (HEDGE, COIN_HEDGE, PLEDGED)
    ),
    *(call(hedge.ticket, entry=60_000.0, may_be=INF) for hedge in (HEDGE, COIN_HEDGE, PLEDGED)),
    *(
        call(
            whole_hedge,
            holding=1.0,
            ratio=0.5,
            leverage=2.0,
            wallet=wallet,
            symbol=symbol,
            price=60_000.0,
            may_be=INF,
            loose=["wallet"],
        )
        for symbol, wallet in (("BTCUSDT", 50_000.0), ("BTCUSD", 1.0))
    ),
    # Markets.
    call(market.scenarios),
    call(market.scenario, name="pullback", seed=0, days=2, coins=("BTC",)),
    call(market.paths, name="pullback", n=2, days=2, seed=0, coin="BTC", drift=0.1),
    call(market.drawn, points={0: 60_000, 1: 66_000}, rate=1e-4, symbol="BTCUSDT"),
    call(market.facts, topic="touched", asset="BTC"),
    call(market.validate, market=MARKET),
    call(
        market.Paths,
        **{name: np.full((2, 3), 60_000.0) for name in market.COLUMNS[:4]},
        funding=np.zeros((2, 3)),
        hours=8,
        label="simulated",
        symbol="BTCUSDT",
    ),
    call(PATHS.frame, row=0),
    call(
        market.read_csv,
        spot="spot.csv",
        funding="funding.csv",
        symbol="BTCUSDT",
        perp="spot.csv",
        mark="spot.csv",
        start="2024-01-01",
        end="2024-01-02",
        columns={"bar_open_utc": "time"},
        rate_unit="percent",
        timezone="UTC",
        wicks="spot",
        loose=["perp", "start", "end", "columns", "timezone"],
    ),
    call(
        market.history,
        symbol="BTCUSDT",
        start="2024-01-01",
        end="2024-01-02",
        exchange="binance",
        hours=8,
        cache="cache",
        loose=["start", "end"],
    ),
    # Plans and the ledger.
    call(plan.After, days=7.0),
    call(plan.Below, price=58_000.0, move=None, loose=["move"]),
    call(plan.Below, price=None, move=-0.1, loose=["price"]),
    call(plan.Signal, function=signals.double_top, name="double top"),
    call(plan.Fixed, share=0.5),
    call(plan.Batches, shares_added=[0.3, 0.7], when=[plan.After(0), LEVEL]),
    call(plan.BySignal, shares_set=[0.4, 0.9], when=[plan.After(0), LEVEL], start=0.0),
    call(plan.Until, target=plan.Fixed(0.5), trigger=LEVEL),
    call(plan.TakeProfit, **EXIT, move=-0.1, limit=-0.2),
    call(plan.Stop, **EXIT, move=0.1, limit=0.2),
    call(plan.TopUp, reserve=1_000.0, below=0.1, to=0.2),
    call(
        plan.Plan,
        target=plan.Fixed(0.5),
        take_profit=plan.TakeProfit(move=-0.1),
        stop=plan.Stop(move=0.1),
        top_up=plan.TopUp(1_000, 0.1, 0.2),
        band=0.1,
    ),
    call(ledger.run, market=MARKET, hedge=HEDGE, plan=plan.Plan(), may_be=NAN),
    call(ledger.run_many, paths=PATHS, hedge=HEDGE, plan=plan.Plan()),
    call(OUTCOME.pnl_quantiles, probabilities=[0.05, 0.95]),
    call(OUTCOME.cvar, share=0.05),
    *(
        call(
            whole_ledger,
            holding=1.0,
            ratio=0.5,
            leverage=2.0,
            rate=1e-4,
            first=60_000.0,
            last=61_000.0,
            symbol=symbol,
            may_be=INF + NAN,
        )
        for symbol in ("BTCUSDT", "BTCUSD")
    ),
    # The plan of lesson 09.
    call(planner.Worksheet, **SHEET),
    call(form.Form, sheet=PLANNED, **SHEET, loose=["mode", "volatility", "funding", "taker_fee"]),
    call(planner.CrossWorksheet, **CROSS),
    call(planner.read_brackets, text="0 - 50,000  0.4 %", may_be=NAN),
    call(
        planner.own_contract,
        symbol="ARBUSDT",
        brackets="0 - 50,000  0.4 %",
        coin="ARB",
        tick=0.0001,
        step=0.1,
        minimum=5.0,
        maker_fee=2e-4,
        taker_fee=5e-4,
        spot_fee=1e-3,
        funding_hours=8,
        collateral_ratio=0.9,
        day=None,
        loose=["coin", "day", "collateral_ratio", "symbol"],
    ),
    call(planner.at_both, sheet=CROSSED, held_prices=[0.6, 0.9], short_prices=[5e4, 7e4], may_be=NAN),
    *(call(getattr(planner, name), sheet=CROSSED, may_be=NAN) for name in ("stays", "rebalancing")),
    call(planner.at, sheet=PLANNED, prices=[50_000.0, 70_000.0], may_be=NAN),
    call(planner.play, sheet=PLANNED, market=MARKET, may_be=NAN),
    *(call(getattr(planner, name), sheet=PLANNED, may_be=NAN) for name in ("carry", "ladder")),
    call(planner.chances, sheet=PLANNED, posted=True, play=False, may_be=NAN),
    *(call(getattr(planner, name), sheet=PLANNED) for name in ("summary", "markdown", "ladder_csv")),
    call(planner.page, sheet=PLANNED, day=None, loose=["day"]),
    call(planner.draw, figure=Fresh(Figure), sheet=PLANNED, limits=[-20_000.0, 60_000.0]),
    call(planner.compare, plans={"hedge": PLANNED, "put": "put"}, implied=0.5),
    call(
        planner.draw_comparison, figure=Fresh(Figure), plans={"hedge": PLANNED, "sell": "sell"}, implied=0.5
    ),
    call(
        planner.follow,
        sheet=PLANNED,
        price=61_000.0,
        day=3,
        funding=10.0,
        posted=500.0,
        highest=62_000.0,
        lowest=59_000.0,
        held_price=None,
    ),
    # Exercises and pictures.
    call(environment.report),
    call(exercise.exercises),
    call(exercise.my_progress),
    call(story.yours, lesson="02", entry=60_000.0, later=70_000.0, loose=["entry", "later"]),
    call(lived.explorer, behind=["3x", "2x"], path="like crash", days=[30.0], loose=["behind", "path"]),
    call(lived.started_at, market=MARKET, price=60_000.0),
    call(lived.walk, figure=Fresh(Figure), market=MARKET, hedge=HEDGE, rule=plan.Plan(), day=1.0),
    call(exercise.check, name="02-1", answer=1.0, function=None, loose=["name", "answer", "function"]),
    *(
        call(write, value=1.5, decimals=2, signed=True, loose=["value"])
        for write in (figures.usdt, figures.percent)
    ),
    call(figures.number, value=1.5, decimals=2, unit="USDT", signed=True, loose=["value"]),
    call(figures.signed_bars, axes=AXES, amounts={"Fees": -60.0}, **TITLED, limit=100.0, write=figures.usdt),
    call(
        figures.grouped_bars,
        axes=AXES,
        groups=[2020, 2021],
        series=CURVES,
        **TEXTS,
        yticks="{x:,.0f}",
        write=figures.usdt,
        loose=["groups"],
    ),
    call(
        figures.distribution,
        axes=AXES,
        values=[1.0, 2.0, 3.0],
        **TITLED,
        limits=[0.0, 4.0],
        tail=0.05,
        write=figures.usdt,
    ),
    call(
        figures.lines,
        axes=AXES,
        x=[50_000.0, 70_000.0],
        series=CURVES,
        at=60_000.0,
        **TEXTS,
        xticks="{x:,.0f}",
        yticks="{x:,.0f}",
        ylim=[-10_000.0, 10_000.0],
        write=figures.usdt,
    ),
    call(
        figures.payoff,
        axes=AXES,
        prices=[50_000.0, 70_000.0],
        series=CURVES,
        at=60_000.0,
        title="Title",
        ylim=[-10_000.0, 10_000.0],
    ),
    call(
        figures.regression,
        axes=AXES,
        x=[-0.02, 0.0, 0.02],
        y=[-0.03, 0.0, 0.03],
        slope=1.5,
        **TEXTS,
        limit=0.1,
        ticks="{x:.0%}",
    ),
    call(
        figures.timeline,
        figure=Fresh(Figure),
        market=MARKET,
        rows=ledger.run(MARKET, HEDGE),
        title="Title",
        price_limits=[50_000.0, 70_000.0],
        wealth_limits=[50_000.0, 70_000.0],
    ),
    call(figures.picture, draw=draw, title="Title", size=[2.0, 1.0]),
    call(
        explorer.Choice,
        label="Price",
        values=[50_000, 60_000],
        start=60_000,
        format="{:,} USDT",
        loose=["values", "start"],
    ),
    call(explorer.Explorer, draw=draw, title="Title", size=[2.0, 1.0], price=CHOICE),
    call(EXPLORER.values, position=[0]),
    call(EXPLORER.sweep, name="price", position=[0], loose=["position"]),
    call(EXPLORER.tell, name="price", position=[0], loose=["position"]),
    call(EXPLORER.figure, position=[0], sheet=Fresh(Figure)),
]

NO_NUMBERS = [
    *(None, True, "", "1", "nan", "{", "{x}", "\0", "2024-01-05", b"1", 1j, object(), {}, {"a": None}, {1}),
    *(["1"], [None], [True], [1, "x"], [[1], [1, 2]], [object()], (b"1",), slice(2), Fraction(1, 2)),
    *(math.nan, math.inf, -math.inf, [1, math.nan], [math.inf], 10**400, pd.NaT, np.datetime64("2024-01-05")),
    *(np.ma.array([1.0, 2.0], mask=[False, True]), pd.Series([1, None]), pd.DataFrame({"a": ["x"]})),
]
NUMBERS = [
    *(0, -0.0, 1, -1, 2, 3, 0.5, -0.5, 60_000, 5e-324, 1e-300, 1e-29, 1e-9, 1e9, 1e29, -1e29, 1e30, -1e30),
    *(1e31, 1e300, 1e308, -1e308, 2**63, 10**25, np.float32(0.1), np.int8(-1), np.uint8(1), np.array(2.0)),
    *([], [[]], [1], [0.0, 0.0], [1, 2], [2.0, 1.0], [1e-29, 1e29], [-1e30, 1e30], [1, 2, 3], range(1, 5)),
    *([[1.0], [2.0]], np.ones((2, 3)), np.full(20, 5e-324), np.linspace(-1, 1, 20) ** 99, -np.ones(6)),
    *(np.zeros(120), np.full((20, 2), 1e29), np.geomspace(1e-29, 1e29, 6), pd.Series([1, 2], index=[5, 6])),
]
NASTY = NO_NUMBERS + NUMBERS

PLAIN = ("hedgelib.plan", "hedgelib.hedge", "hedgelib.contracts", "hedgelib.perpetual")
"""Modules whose frozen dataclasses hold plain values, whatever they were made from."""


def sound(answer, may_be=()):
    """Whether an answer holds finite numbers only, but for those that are documented."""
    if answer is None or isinstance(answer, str | bool | bytes):
        return True
    if isinstance(answer, pd.DataFrame):
        return all(sound(answer[name].to_numpy(), may_be) for name in answer)
    if isinstance(answer, dict):
        return all(sound(value, may_be) for value in answer.values())
    if isinstance(answer, tuple | list):
        return all(sound(value, may_be) for value in answer)
    if isinstance(answer, market.Paths | ratio.Estimate):
        return all(sound(getattr(answer, part.name), may_be) for part in fields(answer))
    array = np.asarray(answer)
    if array.dtype.kind in "OUbM":
        return True
    good = np.isfinite(array)
    for special in may_be:
        good |= np.isnan(array) if math.isnan(special) else array == special
    return bool(good.all())


def judge(tried, replaced):
    """Make a call with some arguments replaced and see that it is refused or soundly answered."""
    try:
        answer = tried(**replaced)
    except ValueError as error:
        assert str(error), "a refusal must say why"
        return
    wrong = [name for name, value in replaced.items() if tried.must_refuse(name, value)]
    assert not wrong, f"{wrong} must be refused, answered {answer!r:.200}"
    assert sound(answer, tried.may_be), f"unsound: {answer!r:.200}"
    if is_dataclass(answer) and type(answer).__module__.startswith(PLAIN):
        assert hash(answer) == hash(replace(answer)), "a plain value equals itself made again"
    if tried.elementwise:
        judge_elements(tried, tried.example | replaced, answer)


def judge_elements(tried, arguments, answer):
    """See that the answer has the shape of the arguments, and that its last element is that of their last."""
    numbers = {name: value for name, value in arguments.items() if numeric(value)}
    arrays = dict(zip(numbers, np.broadcast_arrays(*numbers.values()), strict=True))
    shape = next(iter(arrays.values())).shape
    assert np.shape(answer) == shape
    assert isinstance(answer, float if shape == () else np.ndarray)
    if np.size(answer):
        alone = tried(**arguments | {name: array.flat[-1].item() for name, array in arrays.items()})
        assert alone == pytest.approx(np.asarray(answer).flat[-1].item(), rel=1e-12, abs=0)


def told(check, tried, replaced):
    """Run a check; should it fail, say with which arguments."""
    try:
        check(tried, replaced)
    except BaseException as error:
        error.add_note(f"{tried.name} with {replaced!r:.300}")
        raise


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """A folder with the files that the examples read, and no other cache of downloads."""
    folder = tmp_path_factory.mktemp("files")
    days = pd.date_range("2024-01-01", periods=4, freq="8h")
    candles = ["bar_open_utc,open_usdt,high_usdt,low_usdt,close_usdt", *(f"{day},1,2,1,2" for day in days)]
    settlements = ["time_utc,symbol,rate_per_8h", *(f"{day},BTCUSDT,0.0001" for day in days)]
    for name, rows in (("spot.csv", candles), ("funding.csv", settlements)):
        (folder / name).write_text("\n".join(rows), encoding="utf-8")
    stamps = [int(day.timestamp() * 1000) for day in days]
    store = folder / "cache" / "binance" / "BTCUSDT"
    for kind in ("spot", "perp"):
        rows = [[stamp, 1.0, 2.0, 1.0, 2.0] for stamp in stamps]
        cache.write(store / f"{kind}-8h-2024.csv", "opened_ms,open,high,low,close", rows)
    cache.write(store / "funding-2024.csv", "settled_ms,rate", [[stamp, 1e-4] for stamp in stamps])
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEDGELAB_CACHE", str(folder / "empty"))
        yield


each_call = pytest.mark.parametrize(
    "tried", CALLS, ids=[f"{n}-{tried.name}" for n, tried in enumerate(CALLS)]
)


@each_call
def test_the_example_is_answered(tried):
    assert sound(tried(), tried.may_be)


@each_call
def test_one_bad_argument(tried):
    for name in tried.example:
        for value in NASTY:
            told(judge, tried, {name: value})


@each_call
@settings(max_examples=15, derandomize=True, database=None)
@given(st.data())
def test_several_bad_arguments(tried, data):
    if len(tried.example) > 1:
        names = data.draw(st.sets(st.sampled_from(sorted(tried.example)), min_size=2))
        told(
            judge,
            tried,
            {name: data.draw(st.sampled_from(NUMBERS * 3 + NO_NUMBERS)) for name in sorted(names)},
        )


class Hostile:
    """An answer whose every conversion fails."""

    def __array__(self, *_, **__):
        raise RuntimeError

    __float__ = __int__ = __len__ = __iter__ = __bool__ = __array__


ANSWERS = st.recursive(
    st.sampled_from(NASTY) | st.just(Hostile()) | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(derandomize=True, database=None)
@given(st.sampled_from(sorted(exercise.exercises())) | ANSWERS, ANSWERS)
def test_an_exercise_never_raises(name, answer):
    verdict = exercise.check(name, answer)
    assert verdict.passed in (True, False)
    assert verdict.text


EXEMPT = {
    "made by the library, never by a reader": {
        "exercise.Exercise",
        "exercise.Verdict",
        "histories.exchange.DownloadError",
        "signals.Pattern",
        "rendering.Picture",
        "many.Outcome",
        "ratio.Estimate",
        "planner.sheet.WorksheetError",
    },
    "given by the library what it has checked": {
        "exercise.Exercise.fits",
        "exercise.Exercise.fits_all",
        "exercise.Exercise.is_mistake",
        "exercise.Exercise.judge",
        "explorer.Explorer.alt",
        *(f"perpetual.Brackets.{name}" for name in ("at", "critical_notional")),
        *(f"plan._Exit.{name}" for name in ("trigger", "limit_price")),
        *(f"plan.{name}.shares" for name in ("Fixed", "Batches", "BySignal", "Until")),
        *(f"plan.{name}.fired" for name in ("After", "Below", "Signal")),
        *(f"planner.sheet.Worksheet.{name}" for name in ("alarm_before", "balance", "dies_at", "margin_at")),
    },
    "checks its arguments as another does: figure, history": {
        "explorer.Explorer.png",
        "explorer.Explorer.svg",
        "histories.downloads.download",
    },
    "writes or reads a file: tried with the plans that are kept": {
        "planner.keeping.load",
        "planner.keeping.save",
    },
}


def test_every_public_name_is_tried():
    tried = {inspect.unwrap(getattr(call.function, "__func__", call.function)) for call in CALLS}
    offered = set(public.names().values())
    offered |= {method for part in offered if inspect.isclass(part) for method in public.methods(part)}
    offered = {inspect.unwrap(part) for part in offered}
    untried = {f"{part.__module__}.{part.__qualname__}".removeprefix("hedgelib.") for part in offered - tried}
    assert untried == set().union(*EXEMPT.values())


@each_call
def test_every_argument_is_tried(tried):
    parameters = inspect.signature(tried.function).parameters.values()
    assert {each.name for each in parameters if each.kind != each.VAR_KEYWORD} <= set(tried.example)
