"""The rules of one bar, for any number of paths that each play a bar of their own.

1. Inside the bar, adverse first: the stop, then liquidation at the mark high, then take profit.
2. At its close, funding settles on what is still open, and may itself exhaust the margin.
3. Then the plan trades at the mark price of the close, and last the margin is topped up.

The first bar knows step 3 only. No rule sees a later bar.
"""

import numpy as np

from hedgelib import checks
from hedgelib.ledger.book import Book
from hedgelib.plan import Fixed

WAITING, RESTING, DONE = 0, 1, 2
"""What a standing order does: wait for its trigger, rest at its limit, or nothing any more."""


class Rules:
    """A hedge and its plan on n paths: their books, and what is to be remembered besides.

    Parameters
    ----------
    bars : Bars
        The paths.
    hedge : Hedge
        What is held and shorted.
    plan : Plan
        How it moves.
    other : OtherPosition, optional
        What else is in a cross wallet.
    diary : Diary, optional
        Where the bars of a single path are written down.
    """

    def __init__(self, bars, hedge, plan, other=None, diary=None):
        """Lay everything out just before the first close."""
        self.bars, self.plan, self.diary = bars, plan, diary
        self.ratio = hedge.ratio
        self.others = other.series(bars.spot.shape) if other else None
        reserve = plan.top_up.reserve if plan.top_up else 0.0
        start = self.others[0][:, 0] if other else None
        self.book = Book(hedge, reserve, bars.spot[:, 0], bars.mark[:, 0], start)
        paths = len(bars.spot)
        self.shares = plan.target.shares(bars)
        if not isinstance(plan.target, Fixed):  # which has checked its only share
            checks.number("shares of the target", self.shares, at_least=0, at_most=1)
        self.reserve = np.full(paths, float(reserve))
        self.liquidated_at = np.full(paths, -1)
        self.kept = np.ones(paths)  # what take profit and stop have left of the target
        self.out = np.zeros(paths, dtype=bool)  # liquidated, and not to be hedged again
        self.reopen = np.zeros(paths, dtype=bool)  # liquidated, and to be hedged again at the close
        self.orders = {name: np.full(paths, WAITING) for name in ("stop", "take_profit")}

    def play(self, i, t):
        """Play bar t[k] of path i[k] in full."""
        before, high = self._level("mark", i, t - 1), self._level("mark_high", i, t)
        self._exit("stop", i, t, before, high)
        self._liquidate(i, t, before, high, inside=True)
        self._exit("take_profit", i, t, before, high)
        mark = self._level("mark", i, t)
        paid = np.abs(mark) * self.bars.funding[i, t]
        self.book.settle(i, paid, paid * self._unit(i, t))
        self._liquidate(i, t, mark, mark)
        self.close(i, t)

    def close(self, i, t):
        """Do what the plan wants at the close, and see whether that was fatal."""
        self._rebalance(i, t)
        self._top_up(i, t)
        mark = self._level("mark", i, t)
        self._liquidate(i, t, mark, mark)
        if self.diary is not None:
            self.diary.close(self.book, t[0])

    def drift(self, i, wanted, spot, mark, received=0.0):
        """Return the coins that the short misses for the wanted share of the hedge, and the coins held.

        `mark` is a level, `received` the funding per unit of quantity since the state of the book.
        """
        book = self.book
        received = book.quantity[i] * received
        coins = book.wallet_coins(i) + (received if book.inverse else 0.0)
        if self.plan.band is None:
            return wanted * self.ratio * coins - book.covered(i), coins
        account = book.free[i] + book.balance(i, mark) + received - book.outside[i]
        value = book.coins[i] + account * (1.0 if book.inverse else 1 / spot)
        cover = np.maximum(coins - (1 - wanted * self.ratio) * value, 0.0)
        return np.where(wanted > 0, cover, 0.0) - book.covered(i), coins

    def wanted(self, i, share):
        """Return the share of the hedge that should be on, given the share that the target wants."""
        return share * self.kept[i] * ~self.out[i]

    def other(self, i, t, inside=False):
        """Return P&L and maintenance of the other position, at the close or at its worst inside the bar."""
        if self.others is None:
            return 0.0, 0.0
        return tuple(self.book.alive[i] * array[i, t] for array in self.others[2 * inside : 2 * inside + 2])

    def _level(self, series, i, t):
        return self.book.level(getattr(self.bars, series)[i, t])

    def _unit(self, i, t):
        return self.book.unit(self.bars.spot[i, t])

    def _size(self, quantity):
        return f"{quantity:,.10g} {'contracts' if self.book.inverse else self.book.contract.base}"

    def _exit(self, name, i, t, before, high):
        """Fill take profit or stop inside the bar, unless liquidation comes first."""
        order, book = getattr(self.plan, name), self.book
        if order is None:
            return
        state, short, entry = self.orders[name][i], book.quantity[i] > 0, book.price(book.entry[i])
        low, top = (getattr(self.bars, f"{order.on}_{extreme}")[i, t] for extreme in ("low", "high"))
        trigger, waiting = order.trigger(entry), short & (state == WAITING)
        limit = order.limit_price(entry) if order.limit is not None else np.inf
        if name == "stop":
            fired, price = waiting & (top >= trigger), np.maximum(trigger, low)
        else:
            fired, price = waiting & (low <= trigger), np.minimum(trigger, top)
        at_once = fired & (price <= limit)
        resting = short & (state == RESTING)
        if name == "take_profit":
            # A price that falls through the trigger to the limit has met the order on its way.
            resting |= fired & ~at_once
        at_limit = resting & (low <= limit)
        price = np.where(at_limit, limit, price)
        if name == "stop":
            pnl, maintenance = self.other(i, t, inside=True)
            lethal = book.liquidation_level(i, pnl - maintenance)
            at_once &= (high < lethal) | (book.level(price) < lethal)
            at_limit &= high < lethal
        filled = at_once | at_limit
        rests = fired & (order.limit is not None)
        self.orders[name][i] = np.where(filled, DONE, np.where(rests, RESTING, state))
        if not filled.any():
            return
        fee = np.where(at_limit, book.contract.maker_fee, book.contract.taker_fee)[filled]
        i, t, price, before = i[filled], t[filled], price[filled], before[filled]
        held, level = book.quantity[i], book.level(price)
        cut = held if order.share == 1 else book.contract.round_quantity(held * order.share)
        # Inside a bar the spot is not known; it is taken to move with the mark, so the basis stays.
        spot_level = self._level("spot", i, t - 1) + level - before
        book.trade(i, held - cut, level, spot_level, self._unit(i, t), fee)
        self.kept[i] *= 1 - order.share
        if self.diary is not None:
            self.diary.note(t[0], f"{order.kind}, {self._size(cut[0])} bought back at {price[0]:,.2f}")

    def _liquidate(self, i, t, before, level, inside=False):
        """Liquidate where the margin balance at a level is down to the maintenance margin."""
        book = self.book
        pnl, maintenance = self.other(i, t, inside)
        balance, required = book.balance(i, level) + pnl, book.required(i, level) + maintenance
        dead = ((book.quantity[i] > 0) | (book.alive[i] > 0)) & (balance <= required)
        if not dead.any():
            return
        # The price rose continuously: the short was taken over where the two met.
        met = np.clip(book.liquidation_level(i, pnl - maintenance), np.minimum(before, level), level)
        if self.diary is not None:
            self._write_liquidation(i, t, balance, required, met, inside)
        i, t, met, before = i[dead], t[dead], met[dead], before[dead]
        spot_level = self._level("spot", i, t - 1 if inside else t) + met - before
        held = (0.0, 0.0) if self.others is None else (pnl[dead], self.others[0][i, 0])
        book.liquidate(i, met, spot_level, self._unit(i, t), *held)
        self.liquidated_at[i] = np.where(self.liquidated_at[i] < 0, t, self.liquidated_at[i])
        self.reopen[i], self.out[i] = self.plan.rehedge, not self.plan.rehedge

    def _write_liquidation(self, i, t, balance, required, met, inside):
        """Enter a liquidation in the diary, and whether take profit was reached in the same bar."""
        order, price = self.plan.take_profit, self.book.price(met)[0]
        text = f"liquidated at {price:,.2f}"
        if inside and order is not None and self.orders["take_profit"][i[0]] != DONE:
            trigger = order.trigger(self.book.price(self.book.entry[i]))
            if getattr(self.bars, f"{order.on}_low")[i, t] <= trigger:
                text += " (take profit reached in the same bar: the adverse event counts)"
        self.diary.liquidation(t[0], balance[0], required[0], price, text)

    def _rebalance(self, i, t):
        """Trade at the close where the target has changed, the hedge has drifted, or it is opened again."""
        share = self.shares[i, t]
        self.kept[i[share == 0]] = 1.0
        wanted = self.wanted(i, share)
        spot, mark = self.bars.spot[i, t], self._level("mark", i, t)
        act = (share != np.where(t > 0, self.shares[i, t - 1], 0.0)) | self.reopen[i]
        if self.plan.band is not None:
            drift, coins = self.drift(i, wanted, spot, mark)
            act |= (np.abs(drift) > self.plan.band * coins) & (self.book.quantity[i] > 0) & (wanted > 0)
        if act.any():
            self._trade(i[act], t[act], wanted[act], spot[act], mark[act])

    def _trade(self, i, t, wanted, spot, mark):
        """Bring the shorts to the wanted share, as far as the order rules allow."""
        book, contract = self.book, self.book.contract
        wiped = self.reopen[i] & (book.margin[i] == 0)
        self.reopen[i] = False
        if book.pooled and wiped.any():
            wallet = book.wallet[i[wiped]]
            book.deposit(i[wiped], np.minimum(wallet, book.free[i[wiped]]) if book.inverse else wallet)
        held, covered = book.quantity[i], book.covered(i)
        drift, _ = self.drift(i, wanted, spot, mark)
        if book.inverse:
            part = (covered + drift) / np.where(covered > 0, covered, 1.0)
            target = np.where(drift > 0, held + drift / np.abs(mark), held * part)
        else:
            target = covered + drift
        target = contract.round_quantity(np.maximum(target, 0.0))
        change = target - held
        value = change * (contract.contract_size if book.inverse else mark)
        allowed = (change < 0) | (change > 0) & (value >= contract.minimum_notional)
        if not allowed.any():
            return
        i, t, held, target = i[allowed], t[allowed], held[allowed], target[allowed]
        for state in self.orders.values():
            state[i[held == 0]] = WAITING
        spot_level = book.level(spot[allowed])
        book.trade(i, target, mark[allowed], spot_level, self._unit(i, t), contract.taker_fee)
        if self.diary is not None:
            verb = "sold short" if target[0] > held[0] else "bought back"
            price = book.price(mark)[0]
            self.diary.note(t[0], f"{self._size(abs(target[0] - held[0]))} {verb} at {price:,.2f}")

    def _top_up(self, i, t):
        """Add margin from the reserve where the balance has become thin."""
        rule, book = self.plan.top_up, self.book
        if rule is None:
            return
        mark = self._level("mark", i, t)
        notional, balance = book.quantity[i] * np.abs(mark), book.balance(i, mark) + self.other(i, t)[0]
        # What was just posted, 1/leverage of the notional, is not below that fraction by its last digit.
        thin = (notional > 0) & (self.reserve[i] > 0) & (balance < rule.below * notional * (1 - 1e-12))
        if not thin.any():
            return
        i, t = i[thin], t[thin]
        amount = np.minimum(self.reserve[i], (rule.to * notional - balance)[thin])
        book.deposit(i, amount)
        book.top_ups[i] += amount * self._unit(i, t)
        self.reserve[i] -= amount
        if self.diary is not None:
            contract = book.contract
            added = f"{contract.margin_text(amount[0])} {contract.margin_unit}"
            self.diary.note(t[0], f"topped up by {added}")
