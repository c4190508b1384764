"""The engine: plays the rules on many price paths at once, and skips the bars where nothing can happen.

Between the bars at which something happens a path changes by its funding alone. So the engine first looks
over a long stretch for the paths on which anything *may* happen, by their extreme prices; the others only
receive the funding of the stretch. The same again for each block of the stretch. The paths that remain are
looked over bar by bar: the funding is added up to the first bar at which anything may happen, and that bar is
played in full. A false alarm costs time and changes nothing; the bounds used here never miss one.
"""

import numpy as np

from hedgelib.ledger.rules import DONE, RESTING, WAITING, Rules
from hedgelib.plan import Fixed

STRETCH, BLOCK = 256, 64
_SLACK = 1e-9


def run(bars, hedge, plan, other=None, diary=None):
    """Play all bars of all paths, given as to `Rules`, and return these in their state after the last bar."""
    rules = Rules(bars, hedge, plan, other, diary)
    paths, length = bars.spot.shape
    everyone = np.arange(paths)
    rules.close(everyone, np.zeros(paths, dtype=int))
    changes = None if isinstance(plan.target, Fixed) else rules.shares[:, 1:] != rules.shares[:, :-1]
    for stretch in _blocks(1, length, STRETCH):
        busy = _coast(rules, everyone, stretch, changes)
        for block in _blocks(stretch.start, stretch.stop, BLOCK):
            _play(rules, _coast(rules, busy, block, changes), block, changes)
    return rules


def _blocks(start, stop, size):
    """Cut the bars from start to stop into slices of at most this size."""
    return [slice(first, min(first + size, stop)) for first in range(start, stop, size)]


def _coast(rules, i, block, changes):
    """Settle the funding of paths on which nothing else can happen in a block, and return the others."""
    book, bars = rules.book, rules.bars
    if rules.diary is not None or rules.others is not None:
        return i
    awake = (book.quantity[i] > 0) | rules.reopen[i]
    changing = np.zeros(len(i), dtype=bool)
    if changes is not None:
        changing = changes[_rows(rules, i), block.start - 1 : block.stop - 1].any(axis=1)
    i, changing = i[awake | changing], changing[awake | changing]
    if not len(i):
        return i
    busy = changing | _may_be_busy(rules, i, block)
    quiet = i[~busy]
    rows = _rows(rules, quiet)
    mark, rate = bars.mark[rows, block], bars.funding[rows, block]
    if book.inverse:
        paid = rate * (book.contract.contract_size / mark)
        book.settle(quiet, paid.sum(axis=1), np.vecdot(paid, bars.spot[rows, block]))
    else:
        paid = np.vecdot(mark, rate)
        book.settle(quiet, paid, paid)
    return i[busy]


def _rows(rules, i):
    """Return all rows as a slice, which copies nothing, and some as they are."""
    return slice(None) if len(i) == len(rules.bars.spot) else i


def _may_be_busy(rules, i, block):
    """Return on which of the paths something may happen in a block, by bounds that cost little."""
    book, bars, plan = rules.book, rules.bars, rules.plan
    rows = _rows(rules, i)
    short = book.quantity[i] > 0
    highest = book.level(bars.mark_high[rows, block].max(axis=1))
    largest = np.abs(book.level(bars.mark_low[rows, block].min(axis=1))) if book.inverse else highest
    received = np.minimum(bars.funding[rows, block].min(axis=1), 0.0) * largest * (block.stop - block.start)
    needed = highest + _least_margin(rules, i, largest) * np.abs(highest) - received
    busy = rules.reopen[i] | short & _may_reach(rules, i, needed)
    if plan.band is not None:
        busy |= short
    entry = book.price(book.entry[i])
    if plan.take_profit is not None:
        low = getattr(bars, f"{plan.take_profit.on}_low")[rows, block].min(axis=1)
        busy |= short & (low <= plan.take_profit.trigger(entry)) & (rules.orders["take_profit"][i] != DONE)
    if plan.stop is not None:
        high, state = getattr(bars, f"{plan.stop.on}_high")[rows, block].max(axis=1), rules.orders["stop"][i]
        busy |= short & ((high >= plan.stop.trigger(entry)) & (state == WAITING) | (state == RESTING))
    return busy


def _least_margin(rules, i, largest):
    """Return the balance, as a fraction of notional, at which a path must be watched bar by bar."""
    book, top_up = rules.book, rules.plan.top_up
    brackets = book.contract.brackets
    place = np.searchsorted(brackets.floors, book.quantity[i] * largest) - 1
    # The rate of the highest bracket touched, without its amount: never below the maintenance margin.
    rate = np.take(brackets.rates, np.maximum(place, 0))
    return rate if top_up is None else np.where(rules.reserve[i] > 0, np.maximum(rate, top_up.below), rate)


def _may_reach(rules, i, needed, since=0.0, other=0.0):
    """Return where entry and margin may not cover what is needed per unit of quantity."""
    quantity, entry, margin = (getattr(rules.book, name)[i] for name in ("quantity", "entry", "margin"))
    slack = _SLACK * (quantity * np.abs(entry) + np.abs(margin))
    return quantity * (needed + since - entry) >= margin + other - slack


def _play(rules, i, block, changes):
    """Play paths through a block, stopping at each bar at which something may happen."""
    if not len(i):
        return
    book, bars = rules.book, rules.bars
    size = block.stop - block.start
    mark, high = book.level(bars.mark[i, block]), book.level(bars.mark_high[i, block])
    settled = np.abs(mark) * bars.funding[i, block]
    paid = np.pad(np.cumsum(settled, axis=1), ((0, 0), (1, 0)))
    paid_usdt = paid
    if book.inverse:
        paid_usdt = np.pad(np.cumsum(settled * bars.spot[i, block], axis=1), ((0, 0), (1, 0)))
    done, live = np.zeros(len(i), dtype=int), np.arange(len(i))
    while live.size:
        since = done[live]
        alarm = _alarms(rules, i[live], block, mark[live], high[live], paid[live], since)
        if changes is not None:
            alarm |= changes[i[live], block.start - 1 : block.stop - 1]
        alarm &= np.arange(size) >= since[:, None]
        stops = alarm.any(axis=1)
        until = np.where(stops, alarm.argmax(axis=1), size)
        if rules.diary is not None:
            stretch = slice(since[0], until[0] + 1)
            rules.diary.coast(book, block.start + since[0], paid[0, stretch], paid_usdt[0, stretch])
        received, in_usdt = (total[live, until] - total[live, since] for total in (paid, paid_usdt))
        book.settle(i[live], received, in_usdt)
        live, bar = live[stops], until[stops]
        if live.size:
            rules.play(i[live], block.start + bar)
        done[live] = bar + 1
        live = live[bar + 1 < size]


def _alarms(rules, i, block, mark, high, paid, since):
    """Return the bars of a block at which something may happen if nothing has before."""
    book, bars, plan = rules.book, rules.bars, rules.plan
    paid_before = np.take_along_axis(paid, since[:, None], axis=1)
    column = i[:, None]
    exposed = short = book.quantity[column] > 0
    other = 0.0
    if rules.others is not None:
        other = book.alive[column] * (rules.others[2][i, block] - rules.others[3][i, block])
        exposed = short | (book.alive[column] > 0)
    largest = np.maximum(np.abs(mark), np.abs(high)).max(axis=1)
    # The balance is checked against the high before the settlement and against the close after it.
    received = np.minimum(paid[:, :-1], paid[:, 1:])
    needed = high + _least_margin(rules, i, largest)[:, None] * np.abs(high) - received
    alarm = rules.reopen[column] | exposed & _may_reach(rules, column, needed, paid_before, other)
    if plan.band is not None:
        wanted = rules.wanted(column, rules.shares[column, block.start + since[:, None] - 1])
        drift, coins = rules.drift(column, wanted, bars.spot[i, block], mark, paid[:, 1:] - paid_before)
        alarm |= short & (np.abs(drift) >= (plan.band - _SLACK) * coins)
    entry = book.price(book.entry[column])
    for name, extreme in [("take_profit", "low"), ("stop", "high")]:
        order, state = getattr(plan, name), rules.orders[name][column]
        if order is not None:
            reach = getattr(bars, f"{order.on}_{extreme}")[i, block]
            trigger = order.trigger(entry)
            fires = reach <= trigger if name == "take_profit" else reach >= trigger
            alarm |= short & (fires & (state == WAITING) | (state == RESTING))
    return alarm
