"""Why a plan is refused: for a field, or although each of its fields is fine by itself."""

from hedgelib import checks
from hedgelib.figures import percent, usdt
from hedgelib.hedge import LeverageError


def of_fields(sheet, accepted, optional):
    """Put into each field of a plan what its check in `accepted` makes of it; return why, by refused field.

    A field named in `optional` may be None, and then is not checked.
    """
    problems = {}
    for name, check in accepted.items():
        if getattr(sheet, name) is not None or name not in optional:
            try:
                checks.assign(sheet, **{name: check(getattr(sheet, name))})
            except ValueError as error:
                problems[name] = str(error)
    return problems


def contradiction(sheet):
    """Return the first field that does not go with the others, and why; an empty dict if all do."""
    for refused in (_source, _order, _exit, _judge):
        if problems := refused(sheet):
            return problems
    return {}


def _source(sheet):
    """Why the margin cannot come from where it shall."""
    contract, source = sheet.rules, sheet.margin_from
    if (sheet.ratio is None) == (sheet.bearable is None):
        return {"ratio": "give either ratio or bearable, and not both"}
    if contract.inverse and source != "coin_margined":
        return {"margin_from": f"{contract.symbol} takes only coins as margin: choose coin_margined"}
    if not contract.inverse and source == "coin_margined":
        other = f"choose outside, coins or collateral, or the contract {contract.base}USD"
        return {"margin_from": f"{contract.symbol} takes only USDT as margin: {other}"}
    if source == "collateral" and contract.collateral_ratio is None:
        why = f"at what share of its value {contract.base} counts as collateral is not known here"
        return {"margin_from": f"{why}: choose outside or coins"}
    if source == "collateral" and sheet.mode != "cross":
        return {"mode": "coins are collateral of a whole futures wallet: choose cross"}
    if sheet.reserve and source == "coins":
        return {"reserve": "a reserve is money besides the coins: choose 0, or margin from outside"}
    if sheet.reserve and contract.inverse and sheet.mode == "cross":
        return {"reserve": "in cross mode all of the coins are pledged already: choose 0, or isolated"}
    return {}


def _order(sheet):
    """Why there is no such order."""
    contract, lost = sheet.rules, sheet.coins * sheet.price * sheet.fall
    if sheet.price < contract.tick:
        return {"price": f"price must be at least one tick, {contract.tick:g} USDT, got {sheet.price!r}"}
    checks.assign(sheet, price=contract.round_price(sheet.price))
    if sheet.bearable is not None and sheet.bearable >= lost:
        loss = usdt(lost, signed=False)
        return {"bearable": f"the fall you fear costs {loss}; you can bear it, so you need no hedge"}
    if sheet.share > 1 + 1e-9:
        least = lost - sheet.coins * sheet.price * sheet.gain_of_a_coin
        bought, least = percent(-sheet.take_profit, signed=True), usdt(least, signed=False)
        why = f"it buys the short back at {bought} and leaves the rest of the fall: even a full hedge"
        return {"take_profit": f"{why} loses {least}. Put it as low as that fall, leave it out, or bear more"}
    owed, limit = sheet.opening_fee - sheet.reserve, sheet.rules.forced_sale_below
    if sheet.margin_from == "collateral" and limit is not None and owed > -limit:
        least = usdt(sheet.opening_fee + limit, signed=False)
        return {"reserve": f"the fee would be owed, and more than is allowed: keep {least} or more"}
    try:
        _ = sheet.ticket
    except LeverageError as error:
        return {"leverage": str(error)}
    except ValueError as error:
        return {"coins": str(error)}
    if contract.inverse and sheet.reserve > sheet.coins - sheet.hedge.collateral(sheet.price):
        left = f"{sheet.coins - sheet.hedge.collateral(sheet.price):,.6g} {contract.base}"
        return {"reserve": f"of the coins only {left} are not pledged: choose that or less"}
    return {}


def _exit(sheet):
    """Why an exit order cannot fill."""
    for name, distance in (("take_profit", -sheet.take_profit), ("stop", sheet.stop)):
        if distance and sheet.price * (1 + distance) < sheet.rules.tick:
            return {name: "this exit lies below the smallest price there is: bring it nearer"}
        if distance and sheet.rules.round_price(sheet.price * (1 + distance)) == sheet.price:
            return {name: "this exit would fill at once: choose 0 for none, or a greater distance"}
    if sheet.stop and sheet.price * (1 + sheet.stop) >= sheet.liquidation:
        dead = percent(sheet.distance, signed=True)
        return {"stop": f"the short is liquidated at {dead}, before this stop: bring it nearer"}
    return {}


def _judge(sheet):
    """Why the plan cannot be judged by its history."""
    try:
        longest = sheet.outlook.longest
    except ValueError as error:
        return {"market": str(error)}
    if sheet.days > longest:
        known = f"of the history, {sheet.outlook.source}"
        return {"days": f"days must be at most half {known}, which is {longest}, got {sheet.days}"}
    return {}
