"""The book of a hedge on many paths: what is held, and every transaction that changes it.

Prices come in as *levels*, in which a short of either kind gains quantity · (entry − level) in its margin
currency: the price itself for a linear contract, −contract_size / price for an inverse one. A level rises
with the price, the notional is quantity · |level|, and the average entry of several fills is arithmetic in
levels (so harmonic in the prices of an inverse contract).
"""

import copy

import numpy as np

from hedgelib import perpetual

STATE = (
    "coins",  # spot coins outside the futures account (linear)
    "free",  # margin currency outside the futures account: USDT, or coins (inverse); below 0 is owed
    "margin",  # margin currency in the futures account, before unrealised P&L
    "quantity",  # size of the short: coins, or contracts
    "entry",  # its entry level
    "spot_entry",  # spot level at the same fills
    "realised",  # from here: running attribution in USDT, realised part
    "basis",
    "funding",
    "fees",
    "loss",
    "other",
    "top_ups",
    "alive",  # 1 while an other position shares the wallet
)


class Book:
    """State of n paths; transactions take the rows `i` that they apply to.

    Parameters
    ----------
    hedge : Hedge
        What is held and shorted.
    reserve : float
        Money set aside for top-ups (margin currency).
    spot, mark : array, shape (n,)
        Prices at which everything begins (USDT per coin).
    other_pnl : array, shape (n,), optional
        P&L of another position in the wallet at that time (USDT).
    """

    def __init__(self, hedge, reserve, spot, mark, other_pnl=None):
        """Lay out the holding and the margin, before the first trade."""
        self.contract = hedge.contract
        self.inverse = hedge.contract.inverse
        self.leverage = hedge.leverage
        # The whole wallet backs the short, rather than margin posted with each trade.
        self.pooled = hedge.mode == "cross" or self.inverse
        for name in STATE:
            setattr(self, name, np.zeros(len(spot)))
        collateral = hedge.collateral(mark)
        self.wallet = np.broadcast_to(collateral, spot.shape)
        self.start_spot = spot
        sold = hedge.coins_sold(spot)
        if self.inverse:
            self.free += hedge.holding
            self.start = hedge.holding * spot
            outside = hedge.holding - self.wallet.max()
            if reserve > outside:
                raise ValueError(
                    f"a reserve of {reserve:g} {hedge.contract.base} must come from coins outside "
                    f"the wallet, but {outside:g} are there: give the hedge a smaller wallet"
                )
        elif hedge.margin_from == "coins":
            self.coins += hedge.holding - sold
            self.fees -= sold * spot * hedge.contract.spot_fee
            self.free += sold * spot + self.fees + reserve
            self.start = hedge.holding * spot + reserve
        else:
            self.coins += hedge.holding
            self.free += collateral + reserve
            self.start = hedge.holding * spot + self.free
        if self.pooled:
            self.margin += self.wallet
            self.free -= self.wallet
        self.outside = self.start - hedge.holding * spot
        if other_pnl is not None:
            self.alive += 1
            self.start = self.start + other_pnl

    def with_state(self, state):
        """Return the same book with another state, such as one number for each bar of a single path."""
        other = copy.copy(self)
        vars(other).update(state)
        return other

    def level(self, price):
        """Return the level of a price."""
        return -self.contract.contract_size / price if self.inverse else price

    def price(self, level):
        """Return the price of a level; infinity where an inverse level is never reached."""
        if not self.inverse:
            return level
        reached = np.asarray(level) < -1e-9 * self.contract.contract_size / np.max(self.start_spot)
        return np.where(reached, -self.contract.contract_size / np.where(reached, level, -1.0), np.inf)

    def unit(self, spot):
        """Return what one unit of margin currency is worth in USDT."""
        return spot if self.inverse else np.ones_like(spot)

    def wallet_coins(self, i):
        """Return the coins that the short protects."""
        return self.free[i] + self.margin[i] if self.inverse else self.coins[i]

    def covered(self, i):
        """Return the coins that the short covers: an inverse one covers those of its entry, at any price."""
        return self.quantity[i] * (np.abs(self.entry[i]) if self.inverse else 1.0)

    def balance(self, i, level):
        """Return the margin balance (margin currency), unrealised P&L included."""
        return self.margin[i] + self.quantity[i] * (self.entry[i] - level)

    def required(self, i, level):
        """Return the maintenance margin (margin currency)."""
        return perpetual.maintenance_margin(self.quantity[i] * np.abs(level), self.contract.brackets)

    def liquidation_level(self, i, other=0.0):
        """Return the level at which balance and maintenance meet; infinite where there is no short."""
        quantity = self.quantity[i]
        constant = self.margin[i] + quantity * self.entry[i] + other
        notional = self.contract.brackets.critical_notional(constant, 1 if self.inverse else -1)
        short = quantity > 0
        level = notional / np.where(short, quantity, 1.0)
        return np.where(short, -level if self.inverse else level, np.inf)

    def settle(self, i, per_unit, per_unit_usdt):
        """Receive funding: so much margin currency, and its value in USDT, for each unit of quantity."""
        self.margin[i] += self.quantity[i] * per_unit
        self.funding[i] += self.quantity[i] * per_unit_usdt

    def trade(self, i, quantity, level, spot_level, unit, fee):
        """Change the shorts to new quantities, at a level and for a fee (fraction of what is traded)."""
        held, entry = self.quantity[i], self.entry[i]
        added, cut = np.maximum(quantity - held, 0.0), np.maximum(held - quantity, 0.0)
        weight = added / np.where(added > 0, quantity, 1.0)
        gain = cut * (entry - level)
        cost = (added + cut) * np.abs(level) * fee
        if self.pooled:
            self.margin[i] += gain - cost
        else:
            posted = added * level / self.leverage - self.margin[i] * (cut / np.where(cut > 0, held, 1.0))
            self.margin[i] += posted
            self.free[i] += gain - cost - posted
        self.realised[i] += gain * unit
        self.basis[i] += (gain - cut * (self.spot_entry[i] - spot_level)) * unit
        self.fees[i] -= cost * unit
        self.entry[i] = (1 - weight) * entry + weight * level
        self.spot_entry[i] = (1 - weight) * self.spot_entry[i] + weight * spot_level
        self.quantity[i] = quantity

    def liquidate(self, i, level, spot_level, unit, other_pnl, other_start):
        """Close everything at a level and lose what is left of the margin, or of the whole wallet."""
        gain = self.quantity[i] * (self.entry[i] - level)
        self.realised[i] += gain * unit
        self.basis[i] += (gain - self.quantity[i] * (self.spot_entry[i] - spot_level)) * unit
        self.other[i] += self.alive[i] * (other_pnl - other_start)
        self.loss[i] -= (self.margin[i] + gain + self.alive[i] * other_pnl) * unit
        self.margin[i] = self.quantity[i] = self.alive[i] = 0.0

    def deposit(self, i, amount):
        """Move margin currency from outside into the futures account."""
        self.margin[i] += amount
        self.free[i] -= amount


def statement(book, spot, mark, other_pnl=0.0, other_start=0.0):
    """Return wealth and its attribution (USDT) at given prices, as a dictionary of arrays."""
    level, spot_level, unit = book.level(mark), book.level(spot), book.unit(spot)
    open_pnl = book.quantity * (book.entry - level)
    open_basis = open_pnl - book.quantity * (book.spot_entry - spot_level)
    account = book.free + book.margin + open_pnl + book.alive * other_pnl
    short_pnl = book.realised + open_pnl * unit
    if book.inverse:
        # Coins received or paid on the way stand in the other columns and move with spot since.
        flows = book.realised + book.funding + book.fees + book.loss
        spot_pnl = (book.free + book.margin) * spot - book.start - flows
    else:
        spot_pnl = book.coins * (spot - book.start_spot)
    return {
        "wealth": book.coins * spot + account * unit,
        "spot_pnl": spot_pnl,
        "short_pnl": short_pnl,
        "basis_pnl": book.basis + open_basis * unit,
        "funding": book.funding,
        "fees": book.fees,
        "liquidation_loss": book.loss,
        "other_pnl": book.other + book.alive * (other_pnl - other_start),
        "top_ups": book.top_ups,
    }
