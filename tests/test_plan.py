"""Plans: what each trigger and target wants at each close, how plans read, and what they refuse."""

from types import SimpleNamespace

import numpy as np
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import plan, signals
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


def bars(*closes):
    """Return the bars of a market whose every price is the close."""
    return SimpleNamespace(spot=np.array([closes], dtype=float), hours=8.0)


PATH = bars(100, 110, 95, 90, 105, 120)
AT_LEAST_105 = Signal(lambda close: close >= 105, "105 or more")
TWO_TOPS = (100, 110, 100, 111, 105, 99, 98)


@pytest.mark.parametrize(
    ("trigger", "fired"),
    [
        (After(0), [1, 1, 1, 1, 1, 1]),
        (After(1), [0, 0, 0, 1, 1, 1]),
        (After(1.1), [0, 0, 0, 0, 1, 1]),
        (Below(price=95), [0, 0, 1, 1, 0, 0]),
        (Below(move=-0.1), [0, 0, 0, 1, 0, 0]),
        (Signal(lambda close: close > 100), [0, 1, 0, 0, 1, 1]),
    ],
)
def test_triggers(trigger, fired):
    np.testing.assert_array_equal(trigger.fired(PATH), [fired])


def test_a_pattern_fires_when_it_is_known():
    trigger = Signal(lambda close: signals.double_top(close, confirm=1))
    np.testing.assert_array_equal(trigger.fired(bars(*TWO_TOPS)), [[0, 0, 0, 0, 0, 1, 0]])


@pytest.mark.parametrize(
    ("target", "shares"),
    [
        (Fixed(0.4), [0.4] * 6),
        # A batch stays although its trigger does not.
        (Batches((0.3, 0.7), (After(0), Below(price=95))), [0.3, 0.3, 1, 1, 1, 1]),
        # The newest state counts, and the last of two at one close.
        (
            BySignal((0.4, 0.9, 0.0), (Below(price=95), Below(price=90), AT_LEAST_105), start=0.2),
            [0.2, 0, 0.4, 0.9, 0, 0],
        ),
        (Until(Fixed(0.5), Below(price=95)), [0.5, 0.5, 0, 0, 0, 0]),
    ],
)
def test_targets(target, shares):
    np.testing.assert_allclose(target.shares(PATH), [shares])


@settings(max_examples=60)
@given(strategies.TARGETS, strategies.paths(), st.data())
def test_targets_do_not_see_the_future(target, path, data):
    now = data.draw(st.integers(0, path.spot.shape[1] - 1))
    rng = np.random.default_rng(data.draw(strategies.SEEDS))
    spot = path.spot.copy()
    spot[:, now + 1 :] *= rng.uniform(0.5, 2, spot[:, now + 1 :].shape)
    before, after = target.shares(path), target.shares(SimpleNamespace(spot=spot, hours=path.hours))
    assert ((before >= 0) & (before <= 1)).all()
    np.testing.assert_array_equal(before[:, : now + 1], after[:, : now + 1])


SIGNALS = (
    signals.double_top,
    signals.double_bottom,
    signals.head_and_shoulders,
    signals.inverse_head_and_shoulders,
    signals.bearish_divergence,
    signals.bullish_divergence,
)


@settings(max_examples=60)
@given(st.sampled_from(SIGNALS), strategies.SEEDS, st.integers(30, 119))
def test_signals_do_not_see_the_future(signal, seed, now):
    rng = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(0.03 * rng.standard_normal(120)))
    altered = closes.copy()
    altered[now + 1 :] *= np.exp(np.cumsum(0.1 * rng.standard_normal(119 - now)))
    target = BySignal((1.0,), (Signal(lambda close: signal(close, confirm=2)),))
    shares = [target.shares(bars(*prices))[0, : now + 1] for prices in (closes, altered)]
    np.testing.assert_array_equal(*shares)


def test_a_plan_is_one_readable_line():
    whole = Plan(
        Until(
            Batches((0.3, 0.3, 0.4), (After(0), After(31), Signal(signals.double_top))),
            AT_LEAST_105,
        ),
        take_profit=TakeProfit(price=55_000, limit=54_900, share=0.5),
        stop=Stop(move=0.2, on="mark", limit=0.25),
        top_up=TopUp(10_000, below=0.15, to=0.33),
        band=0.05,
    )
    assert str(whole) == (
        "30 % at once, 30 % after 31 days, 40 % on double top, removed on 105 or more; take profit of 50 % "
        "at 55,000 (last, limit 54,900); stop at +20 % from entry (mark, limit +25 % from entry); topped "
        "up to 33 % of notional when below 15 %, from 10,000 in reserve; "
        "rebalanced by value when 5 % adrift"
    )


def test_plans_are_values():
    assert Plan(Fixed(0.5)) == Plan(Fixed(0.5)) != Plan()
    assert hash(Plan(Batches([1.0], [After(0)]))) == hash(Plan(Batches((1.0,), (After(0),))))
    assert set(plan.__all__) <= set(dir(plan))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Fixed(1.1), "share .* at most 1"),
        (lambda: Fixed([0.5]), "one number"),
        (lambda: Batches((0.6, 0.6), (After(0), After(1))), "sum to at most 1"),
        (lambda: Batches((0.5,), (After(0), After(1))), "one trigger for each of 1 shares, got 2"),
        (lambda: Batches((), ()), "list of one or more"),
        (lambda: Batches((0.5,), ("now",)), "must be a Trigger"),
        (lambda: BySignal((0.5,), (After(0),), start=-1), "share"),
        (lambda: Until(0.5, After(0)), "must be a Target"),
        (lambda: Until(Fixed(), 3), "must be a Trigger"),
        (lambda: After(np.nan), "days"),
        (lambda: Below(), "give either price"),
        (lambda: Below(price=1, move=1), "give either price"),
        (lambda: Signal("double_top"), "function must be a function"),
        (lambda: Signal(lambda close: close).fired(PATH), "one bool per bar"),
        (lambda: Signal(lambda close: [True]).fired(PATH), "one bool per bar"),
        (lambda: Signal(lambda close: (1, 2)).fired(PATH), "Pattern"),
        (lambda: TakeProfit(), "give either price"),
        (lambda: TakeProfit(price=1, share=0), "share"),
        (lambda: TakeProfit(price=1, on="index"), "'last', 'mark'"),
        (lambda: TakeProfit(price=1, limit=0), "limit"),
        (lambda: TakeProfit(move=-0.1, limit=-1), "limit"),
        (lambda: Stop(price=100, limit=99), "not be below its trigger"),
        (lambda: Stop(move=0.1, limit=0.05), "not be below its trigger"),
        (lambda: TopUp(0, 0.1, 0.2), "reserve"),
        (lambda: TopUp(1, 0.2, 0.1), "to .* above 0.2"),
        (lambda: Plan(0.5), "target must be a Target"),
        (lambda: Plan(stop=TakeProfit(price=1)), "stop must be a Stop"),
        (lambda: Plan(top_up=1_000), "top_up must be a TopUp"),
        (lambda: Plan(band=0), "band"),
    ],
)
def test_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
