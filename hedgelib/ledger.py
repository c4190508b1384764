"""The ledger: walks a hedge and its plan through a market, bar by bar, and accounts for every cent.

`run` is the definition of what happens, written to be read aloud; `run_many` plays the same rules on
thousands of paths at once. The first bar opens the hedge at its close. Every later bar brings, in this order:

1. inside the bar, the adverse first: the stop, liquidation at the mark high, the take profit;
2. at its close, funding for what is still open, which may itself exhaust the margin;
3. then what the plan wants, at the mark price of the close, and last a top-up of the margin.

No rule sees a later bar.
"""

import math
from bisect import bisect_left
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hedgelib import checks
from hedgelib.many import Outcome, checked, opening, run_many, wanted_shares
from hedgelib.market import validate
from hedgelib.perpetual import OUT_OF_REACH

__all__ = ["Outcome", "run", "run_many"]

Bar = namedtuple("Bar", "spot mark mark_high mark_low last_high last_low funding")
Row = namedtuple(
    "Row",
    "wealth hedge_ratio short_quantity entry margin maintenance liquidation_price "
    "spot_pnl short_pnl basis_pnl funding fees liquidation_loss top_ups event",
)
_ENOUGH, _APART = 8, 0.05  # bars in the middle of which last prices this far from mark are of another scale
WAITING, RESTING, DONE = "waits for its trigger", "rests at its limit", "done"


def run(market, hedge, plan=None):
    """Run a hedge through a market, bar by bar.

    Parameters
    ----------
    market : pandas.DataFrame
        A market frame. The hedge is opened at the close of its first bar. ``last_high`` and ``last_low``
        (USDT per coin) trigger the orders that watch the last price; without them the mark stands in.
    hedge : Hedge
        What is held and shorted.
    plan : Plan or Target, optional
        How the hedge moves in time; all of it throughout where left out.

    Returns
    -------
    pandas.DataFrame
        One row per bar, the state at its close.

        - ``wealth``: spot value, futures account and cash (USDT). Money from outside counts from the start;
          before the first row it was ``attrs["wealth_before"]``.
        - ``hedge_ratio``: coins shorted per coin held. ``short_quantity``: coins, or contracts. ``entry``:
          USDT per coin.
        - ``margin``, ``maintenance``: margin balance and what it must exceed, in margin currency (USDT or
          coin); ``liquidation_price`` in USDT per coin. Empty without a position. In the row of a
          liquidation these three are what triggered it.
        - ``spot_pnl``, ``short_pnl``, ``funding``, ``fees``, ``liquidation_loss``: the change of wealth since
          before the first row, by cause (USDT). ``basis_pnl`` is the part of ``short_pnl`` that spot does not
          mirror.
        - ``top_ups``: margin added so far (USDT), a transfer and no P&L. ``event``: what happened, or was
          wanted and could not be, in words.

    Raises
    ------
    ValueError
        If the market is no market frame, or another argument is not of its kind.

    Notes
    -----
    Two identities hold in every row: the five causes sum to the change of wealth; the margin balance is at or
    below the maintenance margin exactly where the row is a liquidation.

    The opening pays its fee in the first row, and receives funding from the second on. Funding settles in the
    margin. Fees and later margin come from the cash outside (with cross or coin margin from the wallet); cash
    may fall below zero, which is money brought in, without interest. A liquidation takes all that is left of
    the margin, or of the whole wallet, and no more: where a settlement took more than there was, the
    difference counts back in ``liquidation_loss``. The holding then stays unhedged.

    Coins as collateral count at the mark price times the contract's ``collateral_ratio``. Where more USDT are
    owed than the exchange allows, coins are sold for them, for the spot fee. A liquidation takes all that
    counts, so of the coins the haircut is left, less that fee.

    Examples
    --------
    One bitcoin fully hedged from 60,000 to 70,000 USDT; only the taker fee of 30 USDT and one funding
    payment remain:

    >>> from hedgelib.hedge import Hedge
    >>> time = pd.date_range("2024-01-01", periods=2, freq="8h", tz="UTC")
    >>> prices = {name: [60_000.0, 70_000.0] for name in ("spot", "mark", "mark_high", "mark_low")}
    >>> rows = run(pd.DataFrame(prices | {"funding": 1e-4}, index=time), Hedge(1, 1, 2, "BTCUSDT"))
    >>> rows[["wealth", "spot_pnl", "short_pnl", "funding", "fees"]].iloc[-1].to_dict()
    {'wealth': 89977.0, 'spot_pnl': 10000.0, 'short_pnl': -10000.0, 'funding': 7.0, 'fees': -30.0}
    """
    path = _path(market)
    hedge, plan = checked(hedge, plan)
    shares = wanted_shares(plan, path)[0].tolist()
    series = [getattr(path, name)[0].tolist() for name in Bar._fields]
    bars = [Bar(*prices) for prices in zip(*series, strict=True)]
    account = _Account(hedge, plan, bars[0])
    rows = []
    for bar, share in zip(bars, shares, strict=True):
        account.turn_to(bar)
        if rows:  # the first bar only opens the hedge
            account.watch(plan.stop)
            account.liquidate(bar.mark_high)
            account.watch(plan.take_profit)
            account.settle_funding()
            account.liquidate()
        account.rebalance(share)
        account.top_up()
        account.pay_debt()
        account.liquidate()
        rows.append(account.row())
    frame = pd.DataFrame(rows, index=market.index)
    frame.attrs = market.attrs | {"plan": str(plan), "wealth_before": account.wealth_before}
    return frame


def _path(market):
    """Return the prices of a market frame as arrays of shape (1, bars), and the length of a bar in hours."""
    market = validate(market)
    columns = {}
    for name in Bar._fields:
        column = market.get(name, market.get(name.replace("last", "mark")))
        limits = {} if name == "funding" else {"above": 0}
        columns[name] = checks.number(f"{name} of the market", column.to_numpy(), **limits)[np.newaxis]
    if np.any(columns["last_low"] > columns["last_high"]):
        raise ValueError("last_low must not be above last_high in any bar of the market")
    for name, mark in zip(Bar._fields[4:6], Bar._fields[2:4], strict=True) if len(market) >= _ENOUGH else ():
        off = np.median(columns[name] / columns[mark]) - 1
        if abs(off) > _APART:
            raise ValueError(
                f"{name} is {off:+.0%} from {mark} in the middle of {len(market)} bars: "
                "scale all prices of the market alike, or drop the columns last_high and last_low"
            )
    step = market.index[1] - market.index[0] if len(market) > 1 else pd.Timedelta(hours=8)
    return SimpleNamespace(**columns, hours=step / pd.Timedelta(hours=1))


class _Account:
    """What a hedger holds and has shorted at a bar, and why the wealth has changed so far.

    Margin and cash are counted in margin currency (USDT, or the coin of an inverse contract), causes in USDT.
    """

    def __init__(self, hedge, plan, bar):
        """Lay out holding, margin and cash as they are before the first trade."""
        self.plan, self.contract, self.bar = plan, hedge.contract, bar
        self.ratio, self.leverage, self.inverse = hedge.ratio, hedge.leverage, hedge.contract.inverse
        self.pooled = self.inverse or hedge.mode == "cross"  # the whole wallet is the margin
        self.floors = hedge.contract.brackets.floors
        self.lines = list(zip(hedge.contract.brackets.rates, hedge.contract.brackets.amounts, strict=True))
        self.counted = hedge.contract.collateral_ratio if hedge.margin_from == "collateral" else 0.0
        start = opening(hedge, plan, bar.spot, bar.mark)
        self.coins, self.cash, self.margin = start["coins"], start["cash"], start["margin"]
        self.reserve, self.outside, self.fees = start["reserve"], start["outside"], start["fees"]
        self.wealth_before = hedge.holding * bar.spot + self.outside
        self.quantity = self.entry = self.spot_entry = 0.0
        self.spot_pnl = self.realised = self.basis = self.funding = self.loss = self.top_ups = 0.0
        self.share, self.kept = 0.0, 1.0  # what the target wants, and what orders have left of it
        self.orders = {"stop": WAITING, "take profit": WAITING}
        self.liquidated = False

    def turn_to(self, bar):
        """Begin a bar: coins there since the last close move with spot; others come and go at this close."""
        self.before, self.bar = self.bar, bar
        self.unit = bar.spot if self.inverse else 1.0  # USDT for one unit of margin currency
        self.spot_pnl += self.protected() * (bar.spot - self.before.spot)
        self.events, self.trigger = [], None

    def protected(self):
        """Coins that the short protects."""
        return self.cash + self.margin if self.inverse else self.coins

    def covered(self):
        """Coins that the short covers; an inverse one covers those of its entry, at any price."""
        return self.worth(self.quantity, self.entry) if self.inverse else self.quantity

    def worth(self, quantity, price):
        """Notional at a price (margin currency)."""
        if not self.inverse:
            return quantity * price
        return quantity * self.contract.contract_size / price if quantity else 0.0

    def gain(self, quantity, entry, price):
        """Profit of a short that goes from an entry to a price (margin currency)."""
        profit = self.worth(quantity, entry) - self.worth(quantity, price)
        return -profit if self.inverse else profit

    def balance(self, price):
        """Margin balance at a mark price: the wallet, coins that count, and unrealised P&L."""
        counted = self.counted * self.coins * price
        return self.margin + counted + self.gain(self.quantity, self.entry, price)

    def required(self, price):
        """Maintenance margin at a mark price."""
        notional = self.worth(self.quantity, price)
        rate, amount = self.lines[max(bisect_left(self.floors, notional) - 1, 0)]
        return notional * rate - amount

    def liquidation_price(self):
        """Mark price at which balance and maintenance meet: the lowest of those of all brackets."""
        at_entry, lowest = self.worth(self.quantity, self.entry), math.inf
        for rate, amount in self.lines:
            if self.inverse:
                value, coins = at_entry * self.entry * (1 - rate), at_entry - self.margin - amount
            else:
                value = at_entry + self.margin + amount
                coins = self.quantity * (1 + rate) - self.counted * self.coins
            if value < min(lowest, OUT_OF_REACH * self.entry) * coins:
                lowest = value / coins
            elif lowest < math.inf:
                break  # from here on the brackets lie higher and higher
        return lowest

    def spot_inside(self, price):
        """Spot when mark is at a price inside the bar: the basis is taken to stay as it was."""
        spot, mark = self.before.spot, self.before.mark
        return 1 / (1 / spot + 1 / price - 1 / mark) if self.inverse else spot + price - mark

    def watch(self, order):
        """Fill a standing order inside the bar; a stop not where the short is liquidated before."""
        if not order or not self.quantity:
            return
        low, high, trigger, limit = self.order_prices(order)
        if order.kind == "stop":
            # A bar that lies above the trigger has jumped over it.
            reached, price, lethal = high >= trigger, max(trigger, low), self.liquidation_price()
        else:
            reached, price, lethal = low <= trigger, min(trigger, high), math.inf
        survives = self.bar.mark_high < lethal
        if self.orders[order.kind] == WAITING and reached:
            if price <= limit and (survives or price < lethal):
                self.fill(order, price, self.contract.taker_fee)
            elif order.limit is not None:
                self.orders[order.kind] = RESTING
        if self.orders[order.kind] == RESTING and low <= limit and survives:
            self.fill(order, limit, self.contract.maker_fee)

    def order_prices(self, order):
        """Low and high of the price that an order watches, its trigger, and its limit, infinite if none."""
        low, high = (getattr(self.bar, f"{order.on}_{extreme}") for extreme in ("low", "high"))
        limit = math.inf if order.limit is None else float(order.limit_price(self.entry))
        return low, high, float(order.trigger(self.entry)), limit

    def fill(self, order, price, fee):
        """Buy back the share of the short that an order is for."""
        cut = self.quantity * order.share
        if order.share < 1:
            cut = self.contract.round_quantity(cut)
        self.orders[order.kind] = DONE
        self.kept *= 1 - order.share
        self.trade(self.quantity - cut, price, self.spot_inside(price), fee)
        self.events.append(f"{order.kind}, {self.size(cut)} bought back at {self.contract.price_text(price)}")

    def trade(self, quantity, price, spot, fee):
        """Bring the short to a quantity at a price, while spot is at another, for a fee (fraction)."""
        added = quantity - self.quantity
        cost = fee * self.worth(abs(added), price)
        if added > 0:
            gain, posted = 0.0, self.worth(added, price) / self.leverage
            self.entry = self.average(self.entry, added, price)
            self.spot_entry = self.average(self.spot_entry, added, spot)
        else:
            gain, posted = self.realise(-added, price, spot), self.margin * added / self.quantity
        if self.pooled:
            self.margin += gain - cost
        else:
            self.margin += posted
            self.cash += gain - cost - posted
        self.fees -= cost * self.unit
        self.quantity = quantity

    def average(self, entry, added, price):
        """Average entry after another fill: arithmetic, for an inverse contract harmonic."""
        if not self.quantity:
            return price
        if self.inverse:
            return (self.quantity + added) / (self.quantity / entry + added / price)
        return (self.quantity * entry + added * price) / (self.quantity + added)

    def realise(self, closed, price, spot):
        """Book what the closed part of the short has gained, and return it."""
        gain = self.gain(closed, self.entry, price)
        self.realised += gain * self.unit
        self.basis += (gain - self.gain(closed, self.spot_entry, spot)) * self.unit
        return gain

    def settle_funding(self):
        """Receive the funding of the close into the margin."""
        received = self.worth(self.quantity, self.bar.mark) * self.bar.funding
        self.margin += received
        self.funding += received * self.unit

    def liquidate(self, high=None):
        """Lose the margin where its balance is down to the maintenance, at a high or else at the close."""
        price, spot = self.bar.mark if high is None else high, self.bar.spot
        if not self.quantity or self.balance(price) > self.required(price):
            return
        balance, required = self.balance(price), self.required(price)
        event = ""
        if high is not None:  # the price rose continuously: the short was taken over where the two met
            price = min(max(self.liquidation_price(), min(self.before.mark, high)), high)
            spot = self.spot_inside(price)
            order = self.plan.take_profit
            if order and self.orders[order.kind] != DONE:
                low, _, trigger, _ = self.order_prices(order)
                if low <= trigger:
                    event = " (take profit reached in the same bar: the adverse event counts)"
        self.loss -= self.balance(price) * self.unit
        self.realise(self.quantity, price, spot)
        self.quantity, self.margin = 0.0, -self.counted * self.coins * price
        self.liquidated, self.trigger = True, (balance, required, price)
        self.events.append(f"liquidated at {self.contract.price_text(price)}{event}")
        if self.counted:
            self.sell_coins(spot)

    def pay_debt(self):
        """Let the exchange sell coins for the USDT that are owed, where they are more than it allows."""
        limit = self.contract.forced_sale_below
        if self.counted and limit is not None and self.margin < limit:
            self.sell_coins(self.bar.spot)

    def sell_coins(self, spot):
        """Sell as many of the coins that are collateral as pay for the USDT owed."""
        fee, owed = self.contract.spot_fee, -self.margin
        sold = min(owed / (1 - fee) / spot, self.coins)
        self.coins -= sold
        self.margin += sold * spot * (1 - fee)
        self.fees -= sold * spot * fee
        self.spot_pnl -= sold * (self.bar.spot - spot)  # from here on they are not held
        self.events.append(
            f"{self.size(round(sold, 8))} sold at {self.contract.price_text(spot)} for {owed:,.2f} USDT owed"
        )

    def rebalance(self, share):
        """Trade where the target has changed or the short has drifted out of its band."""
        due, self.share = share != self.share, share
        if not share:
            self.kept = 1.0
        wanted = 0.0 if self.liquidated else share * self.kept
        cover, covered = self.wanted_cover(wanted), self.covered()
        if self.plan.band and self.quantity and wanted:
            due |= abs(cover - covered) > self.plan.band * self.protected()
        if not due:
            return
        contract, mark = self.contract, self.bar.mark
        price = contract.contract_size if self.inverse else mark
        if not self.inverse:
            target = cover
        elif cover > covered:
            target = self.quantity + (cover - covered) * mark / price
        else:
            target = self.quantity * cover / covered if covered else 0.0
        quantity = contract.round_quantity(target)
        added = quantity - self.quantity
        if added < 0 or added * price >= contract.minimum_notional:
            if not self.quantity:
                self.orders = dict.fromkeys(self.orders, WAITING)
            self.trade(quantity, mark, self.bar.spot, contract.taker_fee)
            done = "sold short" if added > 0 else "bought back"
            self.events.append(f"{self.size(abs(added))} {done} at {self.contract.price_text(mark)}")
        elif added > 0 or (target > 0 and not self.quantity):
            wanted = self.size(float(f"{target - self.quantity:.4g}"))
            steps = math.ceil(contract.minimum_notional / price / contract.step - 1e-9)
            least = f"{contract.minimum_notional:,.2f} {'USD' if self.inverse else 'USDT'} or more"
            self.events.append(
                f"order not placed: {wanted} wanted, the smallest is {self.size(steps * contract.step)}, "
                f"worth {least}"
            )

    def wanted_cover(self, wanted):
        """Coins that the wanted share of the hedge covers; with a band a share of value, not of coins."""
        coins = self.protected()
        if not self.plan.band:
            return wanted * self.ratio * coins
        account = self.cash + self.margin + self.gain(self.quantity, self.entry, self.bar.mark) - self.outside
        value = account if self.inverse else self.coins + account / self.bar.spot
        return max(coins - (1 - wanted * self.ratio) * value, 0.0) if wanted else 0.0

    def top_up(self):
        """Add margin from the reserve where the balance has become thin."""
        rule = self.plan.top_up
        if not rule or not self.reserve or not self.quantity:
            return
        notional, balance = self.worth(self.quantity, self.bar.mark), self.balance(self.bar.mark)
        # What was just posted, 1/leverage of the notional, is not below that fraction by its last digit.
        if balance < rule.below * notional * (1 - 1e-12):
            amount = min(self.reserve, rule.to * notional - balance)
            self.reserve -= amount
            self.cash -= amount
            self.margin += amount
            self.top_ups += amount * self.unit
            added = f"{self.contract.margin_text(amount)} {self.contract.margin_unit}"
            self.events.append(f"topped up by {added}")

    def size(self, quantity):
        """Quantity in words."""
        return f"{quantity:,.10g} {'contracts' if self.inverse else self.contract.base}"

    def row(self):
        """State at the close."""
        mark, coins = self.bar.mark, self.protected()
        open_pnl = self.gain(self.quantity, self.entry, mark)
        open_basis = open_pnl - self.gain(self.quantity, self.spot_entry, self.bar.spot)
        margin, maintenance, price = self.trigger or (math.nan, math.nan, math.nan)
        if self.quantity:
            margin, maintenance, price = self.balance(mark), self.required(mark), self.liquidation_price()
        return Row(
            wealth=self.coins * self.bar.spot + (self.cash + self.margin + open_pnl) * self.unit,
            hedge_ratio=self.covered() / coins if coins > 0 else 0.0,
            short_quantity=self.quantity,
            entry=self.entry if self.quantity else math.nan,
            margin=margin,
            maintenance=maintenance,
            liquidation_price=price,
            spot_pnl=self.spot_pnl,
            short_pnl=self.realised + open_pnl * self.unit,
            basis_pnl=self.basis + open_basis * self.unit,
            funding=self.funding,
            fees=self.fees,
            liquidation_loss=self.loss,
            top_ups=self.top_ups,
            event="; ".join(self.events),
        )
