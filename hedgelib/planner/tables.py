"""The tables of a plan: the prices that matter with what to do there, and what holding it brings."""

import math

import pandas as pd

from hedgelib.figures import percent, usdt
from hedgelib.planner.chances import by_formula
from hedgelib.planner.cross import CrossWorksheet
from hedgelib.planner.sheet import AT, worksheet
from hedgelib.planner.walking import at

_WHOLE = 1_000  # USDT
FAR = 20  # times the price today: beyond, a price matters no more


def ladder(sheet):
    """Every price that matters to a plan, from the top down: what it does to you, and what you do.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet
        Of a cross hedge the prices are those of the coin shorted, and the columns of the coins held are left
        out: their price is another.

    Returns
    -------
    pandas.DataFrame
        One level a row: ``level``, ``price`` (USDT), ``order`` to place, ``action`` in words, and the columns
        of ``Worksheet.at``.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> ladder(Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=2)).set_index("level")["price"].round(1)
    level
    liquidation        89641.4
    alarm, 8 hours     74496.3
    alarm, 24 hours    64240.7
    open               60000.0
    feared fall        42000.0
    Name: price, dtype: float64
    """
    if isinstance(sheet, CrossWorksheet):
        return _cross_ladder(sheet)
    alarms = _alarms(worksheet(sheet))
    taken = sheet.price * (1 - sheet.take_profit)
    prices = {
        "liquidation": sheet.liquidation_with_reserve,
        "without the reserve": sheet.liquidation if sheet.plan.top_up else math.inf,
        "stop": sheet.rules.round_price(sheet.price * (1 + sheet.stop)) if sheet.stop else math.inf,
        **{level: max(alarm, sheet.price) for level, (alarm, _) in alarms.items()},
        "open": sheet.price,
        "take profit": sheet.rules.round_price(taken) if sheet.take_profit else math.inf,
        "feared fall": max(sheet.price * (1 - sheet.fall), sheet.rules.tick),
    }
    if sheet.stop and prices["stop"] <= max(sheet.alarm, sheet.price):
        prices |= dict.fromkeys(alarms, math.inf)
    kept = {level: price for level, price in prices.items() if price <= FAR * sheet.price}
    beyond = {"open": 1.0, "take profit": 1 / AT, "feared fall": 1.0}  # else: just reached, to the last digit
    table = pd.DataFrame(
        {
            "level": list(kept),
            "price": [sheet.rules.round_price(price) for price in kept.values()],
            "order": [_order(sheet, level) for level in kept],
            "action": [alarms[level][1] if level in alarms else _action(sheet, level) for level in kept],
        }
    )
    marks = [price * beyond.get(level, AT) for level, price in kept.items()]
    table = pd.concat([table, at(sheet, marks).reset_index(drop=True)], axis=1)
    return table.sort_values("price", ascending=False, kind="stable", ignore_index=True)


def _cross_ladder(sheet):
    """The ladder of the short alone, in the words of a holder of another coin."""
    table = ladder(sheet.short).drop(columns=["coins_pnl", "total_pnl"])
    table = table[table["level"] != "feared fall"].reset_index(drop=True)
    words = {
        "liquidation": f"the exchange closes the short, whatever {sheet.held} has done; it is unprotected",
        "without the reserve": f"if the reserve is not posted, the short is closed here; {sheet.held} is "
        "unprotected",
        "stop": f"buys back at a loss, whatever {sheet.held} has done; it is unprotected",
        "take profit": f"buys back; {sheet.held} is free again, and unprotected",
    }
    if sheet.stop:
        words["liquidation"] = f"only if the stop failed: {words['liquidation']}"
    table["action"] = table["level"].map(words).fillna(table["action"])
    return table


def _order(sheet, level):
    """The order of a level as the exchange names it."""
    size = f"{sheet.quantity:,.10g} {'contracts' if sheet.rules.inverse else sheet.rules.base}"
    return {
        "open": f"SELL LIMIT {size}",
        "stop": f"BUY STOP_MARKET {size}, reduce-only, trigger on mark price",
        "take profit": f"BUY TAKE_PROFIT_MARKET {size}, reduce-only, trigger on mark price",
    }.get(level, "")


def _action(sheet, level):
    """What to do at a level."""
    closes = "the exchange closes the short; the coins are unprotected"
    fall = "is the reason for the hedge still there?"
    if sheet.take_profit and sheet.take_profit < sheet.fall:
        taken = at_price(sheet.rules.round_price(sheet.price * (1 - sheet.take_profit)), sheet)
        fall = f"nothing is hedged: the short was bought back at {taken}"
    return {
        "liquidation": f"only if the stop failed: {closes}" if sheet.stop else closes,
        "without the reserve": f"if the reserve is not posted, {closes}",
        "stop": "buys back at a loss that the coins have gained; they are unprotected",
        "open": "opens the short",
        "take profit": "buys back, the coins are free again, and unprotected",
        "feared fall": fall,
    }[level]


def _alarms(sheet):
    """Price and action of each alarm, by its name."""
    post = f"post the reserve of {amount(sheet.reserve, sheet)}" if sheet.plan.top_up else "add margin"
    act = f"{post}, or buy back part of the short"
    if not sheet.alarms:
        return {"alarm": (sheet.alarm, f"{act}; halfway: fastest hours not measured")}
    told, first = {}, sheet.alarm_hours[0]
    seldom = sheet.alarms[first] <= sheet.price
    look = f"a look every {first} hours is too seldom" if seldom else f"look every {first} hours from here"
    for hours, price in sheet.alarms.items():
        action = act if hours == first else look
        if price <= sheet.price:
            rise = percent(sheet.outlook.fastest[hours], signed=True)
            action += f"; rings from the start: {hours} hours of {rise} are enough"
        told[f"alarm, {hours} hours"] = price, action
    return told


def carry(sheet):
    """What holding the hedge brings or costs, at a price that stays where it is.

    Parameters
    ----------
    sheet : Worksheet

    Returns
    -------
    pandas.DataFrame
        Rows ``Funding``, ``Fees`` (opening and closing by taker; of coins sold, too) and ``Total`` (USDT;
        positive is received, missing is not known). Columns: ``to the end``, if the short lives to the
        horizon, by the judge that decides; the name of each judge, for as long as a short lives on average by
        his volatility; ``bad``, his bad case.

    Examples
    --------
    >>> from hedgelib.planner import Worksheet
    >>> carry(Worksheet(1, 40_000, 60_000, ratio=0.5, leverage=3))[["to the end", "era", "bad"]].round(1)
             to the end    era    bad
    Funding       289.0  278.8 -393.6
    Fees          -30.0  -30.0  -30.0
    Total         259.0  248.8 -423.6
    """
    known = worksheet(sheet).outlook
    rates = {"to the end": known.funding * sheet.days}
    for name, judge in sheet.outlooks.items():
        rates[name] = judge.funding * by_formula(sheet, judge.volatility)["days"]
    rates["bad"] = known.worst_funding(sheet.days)[0]
    table = pd.DataFrame({name: [rate * sheet.value] for name, rate in rates.items()}, index=["Funding"])
    sold = sheet.coins_sold * sheet.price * sheet.rules.spot_fee
    table.loc["Fees"] = -2 * sheet.value * sheet.rules.taker_fee - sold
    table.loc["Total"] = table.sum(skipna=False)
    return table


def amount(value, sheet, decimals=0):
    """Write an amount of margin in its own unit: USDT, or coins."""
    if sheet.rules.inverse:
        return f"{value:,.6g} {sheet.rules.base}"
    return usdt(value, decimals, signed=False)


def at_price(price, sheet):
    """Write a price as one says it: whole USDT from 1,000 on, below it as finely as the contract's tick."""
    return f"{price:,.0f} USDT" if price >= _WHOLE else f"{sheet.rules.price_text(price)} USDT"
