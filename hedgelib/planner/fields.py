"""The fields in which a plan is typed: their names and groups, what stands in them, and how they are read.

The form in JupyterLab and the planner's page share them.
"""

import math
import re

from hedgelib import contracts
from hedgelib.figures import percent
from hedgelib.planner import entry
from hedgelib.planner.sheet import JUDGES, Worksheet, WorksheetError

GROUPS = {
    "What I hold": ("contract", "coins", "cost", "price"),
    "What I fear": ("fall", "decide", "ratio", "bearable", "days"),
    "Margin": ("margin_from", "mode", "leverage", "reserve"),
    "Exits": ("take_profit", "stop", "band"),
    "The market today": ("judge", "volatility", "funding", "taker_fee"),
}
LABELS = {
    "contract": "Contract",
    "coins": "Coins held",
    "cost": "Cost of one",
    "price": "Price today",
    "fall": "Fall I fear",
    "decide": "Decide by",
    "ratio": "Hedge ratio",
    "bearable": "Loss I can bear",
    "days": "Horizon (days)",
    "margin_from": "Margin from",
    "mode": "Margin mode",
    "leverage": "Leverage",
    "reserve": "Reserve",
    "take_profit": "Take profit at",
    "stop": "Stop at",
    "band": "Rebalance from",
    "judge": "Judge by",
    "volatility": "My volatility",
    "funding": "My funding (bp)",
    "taker_fee": "My taker fee (%)",
}
WORDS = {
    "decide": {"hedge ratio": "ratio", "bearable loss": "bearable"},
    "mode": {"isolated": "isolated", "cross": "cross"},
    "margin_from": {
        "money outside": "outside",
        "selling coins": "coins",
        "the coins (coin-margined)": "coin_margined",
        "the coins as collateral": "collateral",
    },
}
HINTS = {
    "take_profit": "a price, or 10 %",
    "stop": "a price, or 15 %",
    "band": "never, or 5 %",
    "taker_fee": "the contract's",
}
SHARES = {"ratio": 1, "fall": 1, "band": 1, "volatility": 10}  # and the most that each may be
_OPTIONAL = {"volatility", "funding", "taker_fee"}  # empty: what is known
_BASIS_POINT = 1e-4
_TICKS = 1_000, 5_000_000  # of a plausible price: exchanges choose the tick by the price


def options(name):
    """Return what a field offers to choose from, value by word; an empty dict where one types.

    Examples
    --------
    >>> options("judge")
    {'era': 'era', 'last 365 days': 'last 365 days'}
    """
    listed = {"contract": contracts.symbols(), "judge": JUDGES}.get(name, ())
    return WORDS.get(name) or {word: word for word in listed}


def value(name, text, price):
    """Read the text of a field.

    Parameters
    ----------
    name, text : str
    price : float or None
        Price today, None where it cannot be read.

    Examples
    --------
    >>> value("fall", "20", 60_000), value("take_profit", "48,000", 60_000), value("funding", "0.5", 60_000)
    (0.2, 0.2, 5e-05)
    """
    if name in _OPTIONAL and not text.strip():
        return None
    if name in ("take_profit", "stop"):
        return 0.0 if price is None else entry.distance(text, price, -1 if name == "take_profit" else 1)
    if name in ("band", "reserve") and not text.strip():
        return 0.0
    if name in SHARES:
        share, most = entry.share(text), SHARES[name]
        if not 0 <= share <= most:
            raise ValueError(f"{text.strip()}: from 0 % to {100 * most:g} %")
        return share
    if name == "funding":
        return entry.number(text) * _BASIS_POINT
    if name == "taker_fee":
        return entry.percent(text)
    return entry.number(text)


def written(name, value):
    """Write a value as it is typed.

    Examples
    --------
    >>> written("fall", 0.2), written("coins", 2.5), written("stop", 0.0)
    ('20 %', '2.5', '')
    """
    if value is None or (not value and name in ("take_profit", "stop", "band", "reserve")):
        return ""
    if name in SHARES or name in ("take_profit", "stop"):
        return entry.written_share(value)
    scale = {"funding": 1 / _BASIS_POINT, "taker_fee": 100}.get(name, 1)
    return entry.written(value * scale)


def typed(sheet):
    """Return what the fields show of a plan, text by name.

    Examples
    --------
    >>> shown = typed(Worksheet(1, 40_000, 60_000, bearable=9_000))
    >>> shown["decide"], shown["ratio"], shown["bearable"]
    ('bearable', '50 %', '9,000')
    """
    lost = (1 - sheet.share) * sheet.coins * sheet.price * sheet.fall
    values = {name: getattr(sheet, name, None) for name in LABELS}
    values |= {"decide": "ratio" if sheet.bearable is None else "bearable", "ratio": sheet.share}
    values |= {"bearable": lost if sheet.bearable is None else sheet.bearable, "contract": sheet.rules.symbol}
    return {name: each if options(name) else written(name, each) for name, each in values.items()}


def values(texts):
    """Read all fields.

    Parameters
    ----------
    texts : dict of str to str
        What stands in each field of `LABELS`. A field with `options` may hold any value, taken as it is.

    Returns
    -------
    (dict, dict of str to str)
        The arguments of ``Worksheet`` that could be read; and of the others, by name, why not.
    """
    found, problems = {}, {}
    for name in LABELS:  # the price comes before the exits
        try:
            found[name] = texts[name] if options(name) else value(name, texts[name], found.get("price"))
        except ValueError as error:
            problems[name] = str(error)
    other = {"ratio": "bearable", "bearable": "ratio"}[found.pop("decide")]
    found[other] = None
    problems.pop(other, None)
    return found, problems


def read(texts):
    """Return the plan that the fields describe.

    Raises
    ------
    WorksheetError
        Its `problems` tells for each field concerned why, in a sentence.

    Examples
    --------
    >>> sheet = Worksheet(1, 40_000, 60_000, ratio=0.5)
    >>> read(typed(sheet)) == sheet
    True
    >>> read(typed(sheet) | {"coins": "one"})
    Traceback (most recent call last):
    ...
    hedgelib.planner.sheet.WorksheetError: coins: one: type a number, such as 60,000 or 0.5
    """
    found, problems = values(texts)
    if problems:
        raise WorksheetError(problems)
    return Worksheet(**found)


def remarks(sheet, priced=None):
    """Return what may be doubted in fields that are accepted, a sentence by name.

    Parameters
    ----------
    sheet : Worksheet
    priced : str, optional
        Coin whose price was typed, where that is not the plan's.

    Examples
    --------
    >>> remarks(Worksheet(1, 40_000, 60_000, ratio=0.5, take_profit=0.1), priced="ETH")
    {'price': 'this was the price of ETH: type that of BTC', 'take_profit': '54,000, −10.0 %'}
    """
    base, told = sheet.rules.base, {}
    low, high = (ticks * sheet.rules.tick for ticks in _TICKS)
    if priced not in (None, base):
        told["price"] = f"this was the price of {priced}: type that of {base}"
    elif not low <= sheet.price <= high:
        told["price"] = f"unlike a price of {base}: is it the right coin?"
    for name, distance in (("take_profit", -sheet.take_profit), ("stop", sheet.stop)):
        if distance:
            price = sheet.rules.round_price(sheet.price * (1 + distance))
            told[name] = f"{price:,.10g}, {percent(price / sheet.price - 1, signed=True)}"
    return told


def measured(sheet):
    """Return what each judge has measured, as it is typed, by field and judge.

    Examples
    --------
    >>> sorted(measured(Worksheet(1, 40_000, 60_000, ratio=0.5)))
    ['funding', 'volatility']
    """
    told = {"volatility": {}, "funding": {}}
    for judge, outlook in sheet.outlooks.items():
        for name, judged in (("volatility", outlook.volatility), ("funding", outlook.funding / 3)):
            if judge != "mine" and not math.isnan(judged):
                told[name][judge] = written(name, float(f"{judged:.4g}"))
    return told


def worded(text):
    """Write a complaint in the words of the fields.

    Examples
    --------
    >>> worded("BTCUSD takes only coins as margin: choose coin_margined")
    'BTCUSD takes only coins as margin: choose “the coins (coin-margined)”'
    """
    names = {word: name for name, word in WORDS["margin_from"].items()}
    head, choose, tail = text.partition("choose ")
    return head + choose + re.sub(rf"\b({'|'.join(names)})\b", lambda found: f"“{names[found[0]]}”", tail)
