"""The rules of the ledger as a plain Python loop over one path: slow, scalar, and written without the engine.

`play` is what the engine is compared with, in the tests for its numbers and in the benchmark for its speed.
"""

import math


def play(bars, path, hedge, plan, other=None):
    """Return one dictionary per bar of a path, with the numeric columns of the ledger."""
    contract = hedge.contract
    inverse, size = contract.inverse, contract.contract_size
    pooled = inverse or hedge.mode == "cross"
    brackets = list(
        zip(contract.brackets.floors, contract.brackets.rates, contract.brackets.amounts, strict=True)
    )
    names = ("spot", "mark", "mark_high", "mark_low", "last_high", "last_low", "funding")
    rows = list(zip(*(getattr(bars, name)[path].tolist() for name in names), strict=True))
    shares = plan.target.shares(bars)[path].tolist()
    others = [(0.0, 0.0, 0.0, 0.0)] * len(rows)
    if other is not None:
        others = list(zip(*(series[path].tolist() for series in other.series(bars.spot.shape)), strict=True))

    def worth(quantity, price):
        return quantity * size / price if inverse else quantity * price

    def gain(quantity, entry, price):
        return quantity * size * (1 / price - 1 / entry) if inverse else quantity * (entry - price)

    def average(first, weight_first, second, weight_second):
        if inverse:
            return (weight_first + weight_second) / (weight_first / first + weight_second / second)
        return (weight_first * first + weight_second * second) / (weight_first + weight_second)

    def maintenance(notional, table):
        for floor, rate, amount in reversed(table):
            if notional > floor:
                return notional * rate - amount
        return 0.0

    def death_price():
        """The lowest price at which some bracket's line is met."""
        prices = []
        for _, rate, amount in brackets:
            cover = margin + other_high - need_high + amount
            if inverse:
                denominator = quantity * size / entry - cover
                prices.append(quantity * size * (1 - rate) / denominator if denominator > 1e-12 else math.inf)
            else:
                prices.append((cover + quantity * entry) / (quantity * (1 + rate)))
        return min(prices)

    first_spot, first_mark = rows[0][:2]
    coins = free = margin = 0.0
    fees = funding = realised = basis = loss = top_ups = other_pnl = 0.0
    reserve = plan.top_up.reserve if plan.top_up else 0.0
    wallet = hedge.collateral(first_mark)
    if inverse:
        free = hedge.holding
        outside = 0.0
    elif hedge.margin_from == "coins":
        sold = hedge.coins_sold(first_spot)
        coins = hedge.holding - sold
        fees = -sold * first_spot * contract.spot_fee
        free = sold * first_spot + fees + reserve
        outside = reserve
    else:
        coins = hedge.holding
        free = outside = wallet + reserve
    if pooled:
        margin, free = wallet, free - wallet
    alive = other is not None
    before = hedge.holding * first_spot + outside + others[0][0]
    quantity, entry, spot_entry = 0.0, 1.0, 1.0
    kept, out, reopen = 1.0, False, False
    states = {"stop": "waiting", "take_profit": "waiting"}
    spot_pnl, previous_coins = 0.0, free + margin
    previous_spot, previous_mark, previous_share = first_spot, first_mark, 0.0
    ledger = []

    def moved_spot(price):
        """Where spot is inside the bar, when the basis has not changed since the last close."""
        if inverse:
            return 1 / (1 / previous_spot + 1 / price - 1 / previous_mark)
        return previous_spot + price - previous_mark

    def trade(new, price, spot_price, fee):
        nonlocal quantity, entry, spot_entry, margin, free, realised, basis, fees
        cost = worth(abs(new - quantity), price) * fee
        if new > quantity:
            posted = worth(new - quantity, price) / hedge.leverage
            entry = average(entry, quantity, price, new - quantity)
            spot_entry = average(spot_entry, quantity, spot_price, new - quantity)
            won = 0.0
        else:
            posted = -margin * (quantity - new) / quantity
            won = gain(quantity - new, entry, price)
            basis += (won - gain(quantity - new, spot_entry, spot_price)) * unit
        if pooled:
            margin += won - cost
        else:
            margin += posted
            free += won - cost - posted
        realised += won * unit
        fees -= cost * unit
        quantity = new

    def check(price, inside):
        nonlocal quantity, margin, realised, basis, loss, alive, other_pnl, out, reopen, trigger
        also, needs = (other_high, need_high) if inside else (other_close, need_close)
        if not alive:
            also = needs = 0.0
        balance = margin + also + (gain(quantity, entry, price) if quantity else 0.0)
        required = needs + maintenance(worth(quantity, price), brackets)
        if not (quantity > 0 or alive) or balance > required:
            return
        met, met_spot = price, spot
        if inside and quantity:
            met = min(max(death_price(), min(previous_mark, price)), price)
            met_spot = moved_spot(met)
        trigger = (balance, required)
        won = gain(quantity, entry, met) if quantity else 0.0
        realised += won * unit
        basis += (won - (gain(quantity, spot_entry, met_spot) if quantity else 0.0)) * unit
        loss -= (margin + won + also) * unit
        other_pnl = also - others[0][0] if alive else other_pnl
        quantity = margin = 0.0
        alive = False
        out, reopen = not plan.rehedge, plan.rehedge

    def guard(name):
        nonlocal kept
        order = getattr(plan, name)
        if order is None or quantity == 0:
            return
        low, high = (last_low, last_high) if order.on == "last" else (mark_low, mark_high)
        level = order.price if order.move is None else entry * (1 + order.move)
        limit = order.limit
        if limit is not None and order.move is not None:
            limit = entry * (1 + limit)
        state, price, fee = states[name], None, contract.taker_fee
        if name == "stop":
            lethal = death_price()
            dies = mark_high >= lethal
            if state == "waiting" and high >= level:
                state = "waiting" if limit is None else "resting"
                fill = max(level, low)
                if (limit is None or fill <= limit) and not (dies and fill >= lethal):
                    price = fill
            elif state == "resting" and low <= limit and not dies:
                price, fee = limit, contract.maker_fee
        else:
            if state == "waiting" and low <= level:
                fill = min(level, high)
                if limit is None or fill <= limit:
                    price = fill
                else:
                    state = "resting"
            if state == "resting" and low <= limit:
                price, fee = limit, contract.maker_fee
        states[name] = state if price is None else "done"
        if price is not None:
            cut = quantity if order.share == 1 else contract.round_quantity(quantity * order.share)
            trade(quantity - cut, price, moved_spot(price), fee)
            kept *= 1 - order.share

    def shortfall():
        """Coins by which the short misses the wanted cover."""
        held = free + margin if inverse else coins
        covered = (quantity * size / entry if quantity else 0.0) if inverse else quantity
        if plan.band is None:
            return wanted * hedge.ratio * held - covered, held, covered
        open_pnl = gain(quantity, entry, mark) if quantity else 0.0
        value = free + margin + open_pnl if inverse else coins + (free + margin + open_pnl - outside) / spot
        cover = max(held - (1 - wanted * hedge.ratio) * value, 0.0) if wanted > 0 else 0.0
        return cover - covered, held, covered

    for bar, prices in enumerate(rows):
        spot, mark, mark_high, mark_low, last_high, last_low, rate = prices
        unit = spot if inverse else 1.0
        share = shares[bar]
        other_close, need_close, other_high, need_high = others[bar] if alive else (0.0, 0.0, 0.0, 0.0)
        trigger = None

        if bar > 0:
            guard("stop")
            check(mark_high, inside=True)
            guard("take_profit")
            paid = worth(quantity, mark) * rate
            margin += paid
            funding += paid * unit
            check(mark, inside=False)

        if share == 0:
            kept = 1.0
        wanted = 0.0 if out else share * kept

        act = share != previous_share or reopen
        if plan.band is not None and quantity > 0 and wanted > 0:
            drift, held, _ = shortfall()
            act = act or abs(drift) > plan.band * held
        if act:
            if pooled and reopen and margin == 0:
                again = min(wallet, free) if inverse else wallet
                margin, free = margin + again, free - again
            reopen = False
            drift, _, covered = shortfall()
            if not inverse:
                target = covered + drift
            elif drift > 0:
                target = quantity + drift * mark / size
            else:
                target = quantity * (covered + drift) / covered if covered else 0.0
            target = contract.round_quantity(max(target, 0.0))
            value = (target - quantity) * (size if inverse else mark)
            if target < quantity or (target > quantity and value >= contract.minimum_notional):
                if quantity == 0:
                    states = dict.fromkeys(states, "waiting")
                trade(target, mark, spot, contract.taker_fee)
        if plan.top_up is not None and reserve > 0 and quantity > 0:
            notional = worth(quantity, mark)
            balance = margin + gain(quantity, entry, mark) + other_close * alive
            if balance < plan.top_up.below * notional * (1 - 1e-12):
                amount = min(reserve, plan.top_up.to * notional - balance)
                margin, free, reserve = margin + amount, free - amount, reserve - amount
                top_ups += amount * unit
        check(mark, inside=False)

        open_pnl = gain(quantity, entry, mark) if quantity else 0.0
        open_basis = open_pnl - (gain(quantity, spot_entry, spot) if quantity else 0.0)
        if inverse:
            # What was there moves with spot; what came and went in this bar did so at its close.
            spot_pnl += previous_coins * (spot - previous_spot)
            previous_coins = free + margin
        else:
            spot_pnl += coins * (spot - previous_spot)
        row = {
            "wealth": coins * spot + (free + margin + open_pnl + other_close * alive) * unit,
            "spot_pnl": spot_pnl,
            "short_pnl": realised + open_pnl * unit,
            "basis_pnl": basis + open_basis * unit,
            "funding": funding,
            "fees": fees,
            "liquidation_loss": loss,
            "other_pnl": other_close - others[0][0] if alive else other_pnl,
            "top_ups": top_ups,
            "short_quantity": quantity,
            "entry": entry if quantity else math.nan,
            "margin": math.nan,
            "maintenance": math.nan,
            "liquidated": trigger is not None,
            "before": before,
        }
        if trigger is not None:
            row["margin"], row["maintenance"] = trigger
        elif quantity > 0 or alive:
            row["margin"] = margin + open_pnl + other_close * alive
            row["maintenance"] = maintenance(worth(quantity, mark), brackets) + need_close * alive
        ledger.append(row)
        previous_spot, previous_mark, previous_share = spot, mark, share
    return ledger
