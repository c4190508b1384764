"""Time the ledger on arrays against the loop that defines it, and against vectorbt if it is installed.

A full hedge at 3x on 10,000 simulated paths of a year in 8-hour bars: margin, funding, fees and liquidation.
The loop is ``ledger.run``, timed on some of the same paths: it keeps every column of every bar and knows
every plan, so a loop written for this one hedge and its last row alone would be several times faster.
vectorbt simulates only the bare orders.
All sides take turns within one process, and the best of several rounds counts.
"""

import resource
import sys
import time
from importlib.util import find_spec

import numpy as np

from hedgelib import ledger, market
from hedgelib.hedge import Hedge
from hedgelib.plan import After, Batches, Below, Plan, TakeProfit, TopUp

PATHS, DAYS, LOOPED, ROUNDS = 10_000, 365, 40, 3
HEDGE = Hedge(1, 1, 3, "BTCUSDT")
BUSY = Plan(
    Batches((0.3, 0.3, 0.4), (After(0), Below(move=-0.05), Below(move=-0.1))),
    take_profit=TakeProfit(move=-0.3),
    top_up=TopUp(20_000, below=0.1, to=0.33),
)


def best(*tasks):
    """Return the shortest wall-clock time of each task in seconds, taking turns."""
    seconds = np.full((ROUNDS, len(tasks)), np.inf)
    for turn in range(ROUNDS):
        for number, task in enumerate(tasks):
            start = time.perf_counter()
            task()
            seconds[turn, number] = time.perf_counter() - start
    return seconds.min(axis=0)


def loop(frames, plan):
    """Run the ledger bar by bar over some paths."""
    for frame in frames:
        ledger.run(frame, HEDGE, plan)


def bare_orders(vectorbt, paths):
    """Sell one coin short at the first close of every path, in vectorbt."""
    size = np.full(paths.mark.T.shape, np.nan)
    size[0] = -1.0
    close = np.ascontiguousarray(paths.mark.T)
    return lambda: vectorbt.Portfolio.from_orders(close, size, fees=0.0005, freq="8h", max_orders=PATHS)


def report(name, seconds, steps, reference=None):
    """Print one line."""
    ratio = "" if reference is None else f"{reference / (seconds / steps):8.0f} x"
    print(f"{name:<44}{seconds:9.3f} s {1e9 * seconds / steps:10.1f} ns per path-step {ratio}")


def main():
    """Print time, ratio, growth and peak memory."""
    paths = market.paths("perp_era", PATHS, days=DAYS)
    steps = PATHS * (paths.spot.shape[1] - 1)
    looped = steps // PATHS * LOOPED
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    frames = [paths.frame(row) for row in range(LOOPED)]
    half, short = paths[: PATHS // 2], market.paths("perp_era", PATHS, days=DAYS // 2)
    engine, busy, slow, slow_busy, half_paths, half_steps = best(
        lambda: ledger.run_many(paths, HEDGE),
        lambda: ledger.run_many(paths, HEDGE, BUSY),
        lambda: loop(frames, Plan()),
        lambda: loop(frames, BUSY),
        lambda: ledger.run_many(half, HEDGE),
        lambda: ledger.run_many(short, HEDGE),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{len(paths):,} paths x {steps // PATHS:,} steps, {paths.label}")
    print(f"liquidated: {ledger.run_many(paths, HEDGE).probability_liquidated:.1%}\n")
    report("loop, full hedge", slow, looped)
    report("arrays, full hedge", engine, steps, slow / looped)
    report("loop, batches and orders", slow_busy, looped)
    report("arrays, batches and orders", busy, steps, slow_busy / looped)
    if find_spec("vectorbt"):
        import vectorbt

        simulate = bare_orders(vectorbt, paths)
        simulate()  # compile
        theirs, again = best(simulate, lambda: ledger.run_many(paths, HEDGE))
        report("vectorbt, bare orders", theirs, steps)
        report("arrays, full hedge, in the same rounds", again, steps, theirs / steps)
    else:
        print("vectorbt is not installed; the extra 'bench' brings it")
    print(
        f"\ntwice the paths cost {engine / half_paths:.2f} times, twice the steps {engine / half_steps:.2f}"
    )
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(f"peak memory {peak / unit:,.0f} MiB, of which before the arrays {before / unit:,.0f} MiB")


if __name__ == "__main__":
    main()
