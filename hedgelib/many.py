"""The rules of `ledger.run` on arrays: thousands of paths at once, and the distribution of their results.

Prices become *levels*, in which a short of either kind gains quantity · (entry − level) in its margin
currency: the price itself for a linear contract, −contract_size / price for an inverse one. A level rises
with the price, its size is the notional of one unit, and the average entry of several fills is arithmetic.

Where nothing happens a path changes by its funding alone. So the paths on which something *may* happen within
a block of bars are found by their extreme prices; they play the block bar by bar, and the others only receive
their funding. A false alarm costs time and changes nothing; the bounds used here never miss one.
"""

import copy
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.hedge import Hedge
from hedgelib.market import COLUMNS, Paths
from hedgelib.plan import Fixed, Plan, Target

__all__ = ["Outcome", "run_many"]

SPANS = 128, 32, 8  # bars that are looked over at once
SLACK = 1e-9  # by which a bound may be off in its last digits
WAITING, RESTING, DONE = (
    0,
    1,
    2,
)  # what a standing order does: wait for its trigger, rest at its limit, nothing
STATE = (
    *("coins", "cash", "margin", "reserve", "outside", "quantity", "entry", "spot_entry"),
    *("realised", "basis", "funding", "fees", "liquidation_loss", "top_ups"),
    *("kept", "stop", "take_profit", "opened", "refused", "liquidated_at"),
)
"""What is known of each path, by the names of `ledger`; entries are levels."""


def run_many(paths, hedge, plan=None):
    """Run a hedge through many price paths at once, by the same rules as `ledger.run`.

    Parameters
    ----------
    paths : market.Paths
        Column 0 is the bar at whose close the hedge is opened. They have no last prices: all orders watch the
        mark.
    hedge : Hedge
        What is held and shorted.
    plan : Plan or Target, optional
        How the hedge moves in time; all of it throughout where left out.

    Returns
    -------
    Outcome
        Wealth and its attribution at the end of each path, when it was liquidated, and their distribution.

    Raises
    ------
    ValueError
        If an argument is not of its kind.

    Examples
    --------
    The price rises by 60 % on one path and stays on the other. The short at 2x dies on the first: 36,000
    USDT gained on the coin, 30,000 lost with the margin, 30 paid in fees.

    >>> rising, flat = [60_000.0, 96_000.0], [60_000.0, 60_000.0]
    >>> prices = {name: [rising, flat] for name in ("spot", "mark", "mark_high", "mark_low")}
    >>> paths = Paths(**prices, funding=np.zeros((2, 2)), hours=8)
    >>> outcome = run_many(paths, Hedge(1, 1, 2, "BTCUSDT"))
    >>> outcome.pnl, outcome.probability_liquidated
    (array([5970.,  -30.]), 0.5)
    """
    checks.kind("paths", paths, Paths, "a market.Paths, as market.paths makes them")
    hedge, plan = checked(hedge, plan)
    crowd = _Crowd(hedge, plan, paths)
    crowd.close(0)
    crowd.walk(1, paths.spot.shape[1], SPANS)
    return Outcome(
        **crowd.statement(),
        holding_before=hedge.holding * paths.spot[:, 0],
        unhedged_pnl=hedge.holding * (paths.spot[:, -1] - paths.spot[:, 0]),
        bars=paths.spot.shape[1],
        hours=paths.hours,
    )


def checked(hedge, plan):
    """Return hedge and plan, a bare target made a plan, after checking that they go together."""
    checks.kind("hedge", hedge, Hedge, "a hedge.Hedge")
    plan = Plan(plan) if isinstance(plan, Target) else Plan() if plan is None else plan
    checks.kind("plan", plan, Plan, "a plan.Plan, one of its targets, or None")
    if plan.top_up and hedge.contract.inverse:
        outside = hedge.holding - (hedge.wallet or hedge.holding)
        if plan.top_up.reserve > outside:
            raise ValueError(
                f"a reserve of {plan.top_up.reserve:g} {hedge.contract.base} must come from coins outside "
                f"the wallet, but {outside:g} are there: give the hedge a smaller wallet"
            )
    return hedge, plan


def wanted_shares(plan, bars):
    """Return the share of the hedge that the target of a plan wants at each close, shape (paths, bars)."""
    shares = plan.target.shares(bars)
    if not isinstance(plan.target, Fixed):  # which has checked its only share
        checks.number("shares of the target", shares, at_least=0, at_most=1)
    return shares


def opening(hedge, plan, spot, mark):
    """Return what lies where before the first trade, at prices of spot and mark, each a number or an array.

    Margin and cash are in margin currency; `outside` is what was brought in besides the holding (USDT).
    """
    inverse, holding = hedge.contract.inverse, hedge.holding
    wallet, sold = hedge.collateral(mark), hedge.coins_sold(spot)
    if hedge.margin_from == "collateral":
        wallet = hedge.wallet or 0.0
    reserve = plan.top_up.reserve if plan.top_up else 0.0
    brought = 0.0 if inverse else reserve + (0.0 if hedge.margin_from == "coins" else wallet)
    fees = 0.0 - sold * spot * hedge.contract.spot_fee  # 0, not −0, where nothing is sold
    margin = wallet if inverse or hedge.mode == "cross" else 0.0
    return {
        "coins": 0.0 if inverse else holding - sold,
        "cash": (holding if inverse else sold * spot + fees + brought) - margin,
        "margin": margin,
        "reserve": reserve,
        "outside": brought,
        "fees": fees,
    }


class _Crowd:
    """A hedge and its plan on many paths: what ``ledger`` knows of one, as arrays of shape (paths,)."""

    def __init__(self, hedge, plan, bars):
        """Lay out holding, margin and cash as they are before the first trade."""
        self.hedge, self.plan, self.contract, self.bars = hedge, plan, hedge.contract, bars
        self.inverse = hedge.contract.inverse
        self.pooled = self.inverse or hedge.mode == "cross"
        brackets = hedge.contract.brackets
        limit = hedge.contract.forced_sale_below
        self.limit = -np.inf if limit is None else limit
        self.floors, self.rates, self.amounts = map(
            np.array, (brackets.floors, brackets.rates, brackets.amounts)
        )
        self.shares = wanted_shares(plan, bars)
        self.rows = slice(None)  # all of them, without a copy
        self.hold(np.zeros((len(STATE), len(bars.spot))))
        self.bar = self.prices(0)
        self.counted = self.contract.collateral_ratio if hedge.margin_from == "collateral" else 0.0
        for name, value in opening(hedge, plan, self.bar.spot, self.bar.mark).items():
            getattr(self, name)[:] = value
        self.entry += self.level(self.bar.mark)
        self.kept += 1
        self.liquidated_at -= 1

    def hold(self, state):
        """Give the rows of an array the names of `STATE`."""
        self.state = state
        vars(self).update(zip(STATE, state, strict=True))

    def prices(self, t):
        """Prices of bar t, and what one unit of margin currency is worth."""
        bar = SimpleNamespace(**{name: getattr(self.bars, name)[self.rows, t] for name in COLUMNS})
        bar.unit = bar.spot if self.inverse else 1.0
        return bar

    def walk(self, start, stop, lengths):
        """Play the bars from start to stop; where something may happen, in spans of ever shorter lengths."""
        for first in range(start, stop, lengths[0]):
            span = slice(first, min(first + lengths[0], stop))
            busy = self.coast(span)
            if not len(busy):
                continue
            part = copy.copy(self)
            part.rows = np.arange(len(self.bars.spot))[self.rows][busy]
            part.hold(self.state[:, busy])
            if len(lengths) > 1:
                part.walk(span.start, span.stop, lengths[1:])
            else:
                part.bar = part.prices(first - 1)
                for t in range(span.start, span.stop):
                    part.play(t)
            self.state[:, busy] = part.state

    def coast(self, span):
        """Give the paths on which nothing else can happen in a span their funding, and return the others."""
        bars, plan = self.bars, self.plan
        high = low = bars.mark_high[self.rows, span].max(axis=1)
        if self.inverse or self.counted or plan.take_profit:
            low = bars.mark_low[self.rows, span].min(axis=1)
        rate = bars.funding[self.rows, span]
        largest = self.notional(low if self.inverse else high)
        worst = np.minimum(rate.min(axis=1), 0.0) * largest * rate.shape[1]
        # The rate of the highest bracket touched, without its amount, is never below the maintenance margin.
        needed = self.rates[self.bracket(self.quantity * largest)]
        if plan.top_up:
            needed = np.where(self.reserve > 0, np.maximum(needed, plan.top_up.below), needed)
        busy = (self.margin + self.quantity * worst < self.limit) & (self.counted > 0)
        slack = SLACK * (self.quantity * largest + np.abs(self.margin))
        for level in (self.level(high), self.level(low)):
            busy |= self.balance(level) - self.quantity * (needed * np.abs(level) - worst) <= slack
        if plan.take_profit:
            fires = low <= plan.take_profit.trigger(self.level(self.entry))
            busy |= np.where(self.take_profit == WAITING, fires, self.take_profit == RESTING)
        if plan.stop:
            fires = high >= plan.stop.trigger(self.level(self.entry))
            busy |= np.where(self.stop == WAITING, fires, self.stop == RESTING)
        busy = (busy | bool(plan.band)) & (self.quantity > 0)
        if not isinstance(plan.target, Fixed):
            shares = self.shares[self.rows, span.start - 1 : span.stop]
            busy |= np.any(shares[:, 1:] != shares[:, :-1], axis=1)
        per_unit = self.notional(bars.mark[self.rows, span])
        received = in_usdt = self.quantity * np.vecdot(per_unit, rate)
        if self.inverse:
            in_usdt = self.quantity * np.vecdot(per_unit * bars.spot[self.rows, span], rate)
        self.margin += np.where(busy, 0.0, received)
        self.funding += np.where(busy, 0.0, in_usdt)
        return np.flatnonzero(busy)

    def play(self, t):
        """Play bar t in full."""
        self.before, self.bar = self.bar, self.prices(t)
        self.exit("stop")
        self.liquidate(t, inside=True)
        self.exit("take_profit")
        received = self.quantity * self.notional(self.bar.mark) * self.bar.funding
        self.margin += received
        self.funding += received * self.bar.unit
        self.liquidate(t)
        self.close(t)

    def close(self, t):
        """Do what the plan wants at the close, and see whether that was fatal."""
        share = self.shares[self.rows, t]
        traded = self.rebalance(share, share != (self.shares[self.rows, t - 1] if t else 0.0))
        self.top_up_margin()
        owing = (self.margin < self.limit) & (self.counted > 0)
        if owing.any():
            self.sell_coins(owing, self.bar.spot)
        if traded:
            self.liquidate(t)

    def notional(self, price):
        """Notional of one unit of quantity (margin currency)."""
        return self.contract.contract_size / price if self.inverse else price

    def level(self, price):
        """Level of a price, or the price of a level."""
        return -self.contract.contract_size / price if self.inverse else price

    def bracket(self, notional):
        """Number of the bracket that a notional falls in."""
        return np.maximum(np.searchsorted(self.floors, notional) - 1, 0)

    def balance(self, level):
        """Margin balance at a level."""
        return self.margin + self.counted * self.coins * level + self.quantity * (self.entry - level)

    def lethal(self):
        """Level at which balance and maintenance meet: the lowest of those of all brackets."""
        constant = (self.margin + self.quantity * self.entry)[:, np.newaxis] + self.amounts
        rates = 1 - self.rates if self.inverse else 1 + self.rates
        divisor = self.quantity[:, np.newaxis] * rates - self.counted * self.coins[:, np.newaxis]
        met = np.divide(constant, divisor, out=np.full(constant.shape, np.inf), where=divisor > 0)
        return np.min(met, axis=1)

    def spot_inside(self, level):
        """Level of spot when mark is at a level inside the bar: the basis stays as it was."""
        return self.level(self.before.spot) + level - self.level(self.before.mark)

    def exit(self, name):
        """Fill the stop or the take profit inside the bar; the stop not where liquidation comes first."""
        order, state, bar = getattr(self.plan, name), getattr(self, name), self.bar
        if not order:
            return
        entry, short = self.level(self.entry), self.quantity > 0
        trigger, limit = order.trigger(entry), np.inf if order.limit is None else order.limit_price(entry)
        if name == "stop":
            fired, price, lethal = bar.mark_high >= trigger, np.maximum(trigger, bar.mark_low), self.lethal()
        else:
            fired, price, lethal = bar.mark_low <= trigger, np.minimum(trigger, bar.mark_high), np.inf
        survives = self.level(bar.mark_high) < lethal
        fired &= short & (state == WAITING)
        at_once = fired & (price <= limit) & (survives | (self.level(price) < lethal))
        resting = short & (state == RESTING) | fired & ~at_once
        at_limit = resting & (bar.mark_low <= limit) & survives
        filled = at_once | at_limit
        state[fired & (order.limit is not None)] = RESTING
        state[filled] = DONE
        cut = self.quantity * order.share
        if order.share < 1:
            cut = self.contract.round_quantity(cut)
        level = self.level(np.where(at_limit, limit, price))
        fee = np.where(at_limit, self.contract.maker_fee, self.contract.taker_fee)
        self.trade(self.quantity - filled * cut, level, self.spot_inside(level), fee)
        self.kept[filled] *= 1 - order.share

    def trade(self, quantity, level, spot_level, fee):
        """Bring the shorts to a quantity, at levels of mark and spot, for a fee (fraction)."""
        added, closed = np.maximum(quantity - self.quantity, 0.0), np.maximum(self.quantity - quantity, 0.0)
        cost = (added + closed) * np.abs(level) * fee
        gain = self.realise(closed, level, spot_level)
        if self.pooled:
            self.margin += gain - cost
        else:
            freed = self.margin * closed / np.where(closed > 0, self.quantity, 1.0)
            posted = added * level / self.hedge.leverage - freed
            self.margin += posted
            self.cash += gain - cost - posted
        self.fees -= cost * self.bar.unit
        weight = added / np.where(added > 0, quantity, 1.0)
        self.entry[:] = (1 - weight) * self.entry + weight * level
        self.spot_entry[:] = (1 - weight) * self.spot_entry + weight * spot_level
        self.quantity[:] = quantity

    def realise(self, closed, level, spot_level):
        """Book what closed parts of the shorts have gained, and return it."""
        gain = closed * (self.entry - level)
        self.realised += gain * self.bar.unit
        self.basis += (gain - closed * (self.spot_entry - spot_level)) * self.bar.unit
        return gain

    def liquidate(self, t, inside=False):
        """Lose the margin where its balance is down to the maintenance, at the high or else at the close."""
        level, spot_level = self.level(self.bar.mark), self.level(self.bar.spot)
        if inside:
            level = self.level(self.bar.mark_high)
        notional = self.quantity * np.abs(level)
        bracket = self.bracket(notional)
        required = notional * self.rates[bracket] - self.amounts[bracket]
        dead = (self.quantity > 0) & (self.balance(level) <= required)
        if not dead.any():
            return
        if inside:
            level = np.clip(self.lethal(), np.minimum(self.level(self.before.mark), level), level)
            spot_level = self.spot_inside(level)
        self.liquidation_loss -= dead * self.balance(level) * self.bar.unit
        self.realise(dead * self.quantity, level, spot_level)
        self.margin[dead] = -self.counted * (self.coins * level)[dead]
        self.quantity[dead] = 0.0
        self.liquidated_at[dead] = t
        if self.counted:
            self.sell_coins(dead, spot_level)

    def sell_coins(self, owing, spot):
        """Sell as many of the coins that are collateral as pay for the USDT owed."""
        fee = self.contract.spot_fee
        sold = owing * np.minimum(-self.margin / (1 - fee) / spot, self.coins)
        self.coins -= sold
        self.margin += sold * spot * (1 - fee)
        self.fees -= sold * spot * fee

    def rebalance(self, share, due):
        """Trade where the target has changed or the short has drifted out of its band."""
        contract, bar, band = self.contract, self.bar, self.plan.band
        self.kept[share == 0] = 1.0
        wanted = share * self.kept * (self.liquidated_at < 0)
        coins = self.cash + self.margin if self.inverse else self.coins
        covered = self.quantity * (np.abs(self.entry) if self.inverse else 1.0)
        target = wanted * self.hedge.ratio * coins
        if band:
            account = self.cash + self.margin - self.outside
            account += self.quantity * (self.entry - self.level(bar.mark))
            value = account if self.inverse else self.coins + account / bar.spot
            target = np.maximum(coins - (1 - wanted * self.hedge.ratio) * value, 0.0) * (wanted > 0)
            due |= (np.abs(target - covered) > band * coins) & (self.quantity > 0) & (wanted > 0)
        if not due.any():
            return False
        if self.inverse:
            more = self.quantity + (target - covered) / self.notional(bar.mark)
            less = self.quantity * target / np.where(covered > 0, covered, 1.0)
            target = np.where(target > covered, more, less)
        quantity = contract.round_quantity(np.where(due, np.maximum(target, 0.0), 0.0))
        added = np.where(due, quantity - self.quantity, 0.0)
        worth = added * (contract.contract_size if self.inverse else bar.mark)
        placed = (added < 0) | (worth >= contract.minimum_notional)
        self.refused[due & ~placed & (target > 0)] = 1
        self.opened[worth >= contract.minimum_notional] = 1
        for state in (self.stop, self.take_profit):
            state[placed & (self.quantity == 0)] = WAITING
        quantity = np.where(placed, quantity, self.quantity)
        self.trade(quantity, self.level(bar.mark), self.level(bar.spot), contract.taker_fee)
        return True

    def top_up_margin(self):
        """Add margin from the reserve where the balance has become thin."""
        rule = self.plan.top_up
        if not rule:
            return
        notional, balance = (
            self.quantity * self.notional(self.bar.mark),
            self.balance(self.level(self.bar.mark)),
        )
        # What was just posted, 1/leverage of the notional, is not below that fraction by its last digit.
        thin = (self.quantity > 0) & (balance < rule.below * notional * (1 - 1e-12))
        amount = thin * np.minimum(self.reserve, rule.to * notional - balance)
        self.margin += amount
        self.cash -= amount
        self.reserve -= amount
        self.top_ups += amount * self.bar.unit

    def statement(self):
        """Wealth and its attribution at the last close (USDT), and what happened on the way."""
        bar, names = self.prices(-1), ("funding", "fees", "liquidation_loss", "top_ups")
        open_pnl = self.quantity * (self.entry - self.level(bar.mark))
        open_basis = open_pnl - self.quantity * (self.spot_entry - self.level(bar.spot))
        wealth_before = self.hedge.holding * self.bars.spot[:, 0] + self.outside
        wealth = self.coins * bar.spot + (self.cash + self.margin + open_pnl) * bar.unit
        short_pnl = self.realised + open_pnl * bar.unit
        flows = short_pnl + self.funding + self.fees + self.liquidation_loss
        return {name: getattr(self, name) for name in names} | {
            "wealth_before": wealth_before,
            "wealth": wealth,
            "spot_pnl": wealth - wealth_before - flows,
            "short_pnl": short_pnl,
            "basis_pnl": self.basis + open_basis * bar.unit,
            "liquidated_at": self.liquidated_at.astype(int),
            "never_hedged": (self.refused > 0) & (self.opened == 0),
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """The end of every path, as ``ledger.run_many`` returns it.

    All arrays have shape (paths,).

    Parameters
    ----------
    wealth_before, wealth : array
        Wealth before the first trade and at the last close (USDT).
    spot_pnl, short_pnl, funding, fees, liquidation_loss : array
        The change of wealth by cause (USDT).
    basis_pnl, top_ups : array
        Part of `short_pnl` that spot does not mirror; margin added, a transfer (USDT).
    liquidated_at : array of int
        Bar of the liquidation, −1 where there was none.
    never_hedged : array of bool
        Where a short was wanted and never opened, because every order was below the minimum.
    holding_before : array
        Value of the holding before the first trade (USDT).
    unhedged_pnl : array
        What the holding alone would have gained (USDT).
    bars : int
        Bars of each path.
    hours : float
        Length of a bar.
    """

    wealth_before: np.ndarray
    wealth: np.ndarray
    spot_pnl: np.ndarray
    short_pnl: np.ndarray
    basis_pnl: np.ndarray
    funding: np.ndarray
    fees: np.ndarray
    liquidation_loss: np.ndarray
    top_ups: np.ndarray
    liquidated_at: np.ndarray
    never_hedged: np.ndarray
    holding_before: np.ndarray
    unhedged_pnl: np.ndarray
    bars: int
    hours: float

    @property
    def pnl(self):
        """Change of wealth on each path (USDT)."""
        return self.wealth - self.wealth_before

    @property
    def years(self):
        """Length of the paths in years of 365 days."""
        return (self.bars - 1) * self.hours / 24 / 365

    @property
    def probability_liquidated(self):
        """Share of the paths on which the hedge was liquidated, if not `never_hedged`; NaN if all are."""
        left = self.liquidated_at[~self.never_hedged]
        return float(np.mean(left >= 0)) if len(left) else float("nan")

    @property
    def time_to_liquidation(self):
        """Days until the liquidation, of the paths that had one; an array, perhaps empty."""
        return self.liquidated_at[self.liquidated_at >= 0] * self.hours / 24

    def pnl_quantiles(self, probabilities=(0.05, 0.5, 0.95)):
        """Return the P&L (USDT) that so many of the paths do not exceed.

        Parameters
        ----------
        probabilities : float or array
            Between 0 and 1.
        """
        probabilities = checks.number("probabilities", probabilities, at_least=0, at_most=1)
        return checks.plain(np.quantile(self.pnl, probabilities))

    def cvar(self, share=0.05):
        """Return the mean P&L (USDT) of the worst paths: conditional value at risk, or expected shortfall.

        Parameters
        ----------
        share : float
            Share of the paths that count as worst, above 0 and at most 1; the path on the border counts in
            part.

        Notes
        -----
        Source: Rockafellar and Uryasev, Optimization of Conditional Value-at-Risk, Journal of Risk 2, 2000.
        """
        worst = checks.single("share", share, above=0, at_most=1) * len(self.pnl)
        weights = np.clip(worst - np.arange(len(self.pnl)), 0.0, 1.0)
        return float(np.average(np.sort(self.pnl), weights=weights))

    @property
    def variance_removed(self):
        """Share of the variance of the unhedged P&L that the hedge removes; NaN if there is none."""
        unhedged = np.var(self.unhedged_pnl)
        return float(1 - np.var(self.pnl) / unhedged) if unhedged > 0 else float("nan")

    @property
    def cost_of_carry(self):
        """Mean fees less funding, per year, as a fraction of the first holding; negative if it earns."""
        paid = -np.mean((self.funding + self.fees) / self.holding_before)
        return float(paid / self.years) if self.bars > 1 else float("nan")

    def summary(self):
        """Return the distribution in one column: fractions, days and USDT, as the labels say."""
        low, middle, high = self.pnl_quantiles()
        days = self.time_to_liquidation
        return pd.Series(
            {
                "paths": len(self.wealth),
                "paths never hedged": np.count_nonzero(self.never_hedged),
                "probability liquidated": self.probability_liquidated,
                "median days to liquidation": float(np.median(days)) if len(days) else float("nan"),
                "mean P&L (USDT)": float(np.mean(self.pnl)),
                "5 % quantile (USDT)": float(low),
                "median (USDT)": float(middle),
                "95 % quantile (USDT)": float(high),
                "CVaR 5 % (USDT)": self.cvar(0.05),
                "variance removed": self.variance_removed,
                "cost of carry per year": self.cost_of_carry,
            },
            name="outcome",
        )
