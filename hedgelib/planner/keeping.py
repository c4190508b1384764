"""A plan kept in a small file, and followed: what today's price and funding say of the hedge as it stands."""

import functools
import json
import math
from dataclasses import asdict, fields, replace
from datetime import date
from pathlib import Path

from hedgelib import checks, contracts, perpetual
from hedgelib.figures import percent, usdt
from hedgelib.planner.chances import first_touch
from hedgelib.planner.cross import CrossWorksheet, any_sheet
from hedgelib.planner.sheet import Worksheet
from hedgelib.planner.summary import death, known
from hedgelib.planner.tables import FAR, amount, at_price

_NOTHING_TO_DO = "nothing: look again at the next visit"
_NOTHING = 0.999  # a fall that nobody fears
_MARK, _FORMAT = "hedge lab plan", 1


def save(sheet, path):
    """Write a plan to a small text file (JSON); market frames and closes are not part of it.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet
        Of a cross hedge the ratio that follows from its closes is kept in their place.
    path : str or Path
        A file that is written anew; an older one stays whole if that fails.

    Raises
    ------
    ValueError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "my-hedge.json"
    >>> save(Worksheet(1, 40_000, 60_000, ratio=0.5), file)
    >>> load(file) == Worksheet(1, 40_000, 60_000, ratio=0.5)
    True
    """
    path, text = _file(path), saved(any_sheet(sheet))
    # A plan that is there stays whole until the new one is.
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ValueError(f"no plan can be written to {path}: {error.strerror}; give another file") from None
    finally:
        part.unlink(missing_ok=True)


def load(path):
    """Read a plan from its file.

    Parameters
    ----------
    path : str or Path
        What `save` has written.

    Raises
    ------
    ValueError
        If the file holds no plan.

    Examples
    --------
    >>> load("no such file")
    Traceback (most recent call last):
    ...
    ValueError: no plan can be read from no such file: No such file or directory
    """
    try:
        kept = json.loads(_file(path).read_text(encoding="utf-8"))
        if kept.pop(_MARK) != _FORMAT:
            raise KeyError
        contract = kept["contract"]
        if isinstance(contract, dict):
            contract["as_of"] = date.fromisoformat(contract["as_of"])
            contract["brackets"] = perpetual.Brackets(**contract["brackets"])
            kept["contract"] = contracts.Contract(**contract)
        return CrossWorksheet(**kept) if "held" in kept else Worksheet(**kept)
    except OSError as error:
        raise ValueError(f"no plan can be read from {path}: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError(f"{path} holds no plan: give a file that planner.save has written") from None


def _file(path):
    return Path(checks.kind("path", path, str | Path, "the name of a file"))


def saved(sheet):
    """The text of a saved plan."""
    kept = {part.name: getattr(sheet, part.name) for part in fields(sheet) if part.compare}
    if isinstance(sheet, CrossWorksheet):
        kept["ratio"] = sheet.used
    if not isinstance(sheet.contract, str):
        kept["contract"] = asdict(sheet.contract)
    return json.dumps({_MARK: _FORMAT} | kept, indent=1, default=str)


def follow(sheet, price, *, day, funding=0.0, posted=0.0, highest=None, lowest=None, held_price=None):
    """Say how an open plan stands: what today's price and the funding so far have made of it, and what to do.

    Parameters
    ----------
    sheet : Worksheet or CrossWorksheet
        The plan as it was opened, at its own price.
    price : float
        Mark price now (USDT per coin); of a cross hedge that of the coin shorted, as are the extremes.
    day : int
        Days since the opening.
    funding : float
        Funding received so far (USDT; coins if inverse; negative was paid).
    posted : float
        Of the reserve kept aside, what has been posted (USDT; coins if inverse).
    highest, lowest : float, optional
        Extremes of the mark price since the opening; the price now and at the opening where left out.
    held_price : float, optional
        Price of the coin held now (USDT), for a cross hedge.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> sheet = Worksheet(2.5, 30_000, 60_000, ratio=0.6, leverage=3, reserve=15_000, days=60)
    >>> told = follow(sheet, 68_000, day=20, funding=300)
    >>> told["Margin balance"], told["Rang"]
    ('18,300 USDT of 102,000 USDT notional, margin ratio 2.2 %', 'the alarm of 8 hours at 66,219 USDT')
    """
    if isinstance(any_sheet(sheet), CrossWorksheet):
        held_price = checks.single("held_price (USDT per coin)", held_price, above=0)
        # What its short is feared to do is another coin's affair.
        told = follow(
            replace(sheet.short, fall=_NOTHING),
            price,
            day=day,
            funding=funding,
            posted=posted,
            highest=highest,
            lowest=lowest,
        )
        return told | _crossed(sheet, price, held_price, funding, told)
    if held_price is not None:
        raise ValueError("held_price is for a cross hedge: this plan holds the coin that it shorts")
    price = checks.single("price (USDT per coin)", price, above=0)
    day = checks.whole("day", day, at_least=0)
    funding = checks.single("funding (USDT, or coins)", funding)
    posted = checks.single("posted (USDT, or coins)", posted, at_least=0, at_most=sheet.reserve)
    highest = max(price, sheet.price, price if highest is None else _extreme("highest", highest))
    lowest = min(price, sheet.price, price if lowest is None else _extreme("lowest", lowest))
    behind, left = sheet.behind + funding + posted, sheet.reserve - posted
    apart = left if sheet.mode == "isolated" else 0.0  # the plan posts it at the alarm
    dies, days = sheet.dies_at(behind), max(sheet.days - day, 0)
    closed = _closed(sheet, highest, lowest, dies)
    told = {
        "State": f"{closed or 'open'}, day {day} of {sheet.days}",
        "So far": _result(sheet, price, funding),
    }
    if not closed:
        told |= {
            "Margin balance": _margin(sheet, price, funding + posted),
            "Liquidation price": f"{death(dies, sheet, price)} from now",
            "Next alarm": _alarms(sheet, price, dies),
            "Chance from here": _chance(sheet, price, sheet.dies_at(behind + apart), days),
        }
    which = f"the alarm of {sheet.alarm_hours[0]} hours" if sheet.alarm_hours else "the alarm"
    rang = f"{which} at {at_price(sheet.alarm, sheet)}" if highest >= sheet.alarm else "nothing"
    held = sheet.value * day / (price if sheet.rules.inverse else 1)
    write = functools.partial(_money, sheet)
    judged = [f"{known(each.funding * held, write)} ({name})" for name, each in sheet.outlooks.items()]
    if sheet.mode == "isolated" and sheet.reserve:
        told["Reserve left"] = f"{amount(left, sheet)} of {amount(sheet.reserve, sheet)}"
    return told | {
        "Rang": rang,
        "Funding": f"{_money(sheet, funding)} so far; at the rates of each judge {', '.join(judged)}",
        "Do": _advice(sheet, closed, price=price, dies=dies, left=left, days=days, funding=funding),
    }


def _crossed(sheet, price, held_price, funding, told):
    """What a cross hedge says otherwise than its short: the result, the two values, and what to do."""
    short, held = sheet.short, sheet.coins * held_price
    parts = {
        sheet.held: held - sheet.value,
        "short": sheet.quantity * (sheet.short_price - price),
        "funding": funding,
        "fees": -short.opening_fee,
    }
    listed = ", ".join(f"{name} {usdt(value)}" for name, value in parts.items())
    ratio = sheet.quantity * price / held
    values = f"{ratio:.2f} USDT of {sheet.rules.base} short per USDT of {sheet.held}, wanted {sheet.used:.2f}"
    todo = [told["Do"]] if told["Do"] != _NOTHING_TO_DO else []
    if sheet.band and told["State"].startswith("open") and abs(ratio - sheet.used) > sheet.band:
        wanted = sheet.rules.round_quantity(sheet.used * held / price)
        todo.append(f"out of its band: bring the short to {wanted:,.10g} {sheet.rules.base}")
    if held_price <= sheet.price * (1 - sheet.fall):
        todo.append(f"the feared fall of {sheet.held} has come: is the reason still there?")
    return {
        "So far": f"{usdt(sum(parts.values()))}: {listed}",
        "Two values": values,
        "Do": "; ".join(todo) or _NOTHING_TO_DO,
    }


def _extreme(name, value):
    return checks.single(f"{name} (USDT per coin)", value, above=0)


def _closed(sheet, highest, lowest, dies):
    """What must have closed the short, by the extremes since its opening; an empty text if nothing."""
    ends = {
        "stopped": bool(sheet.stop) and highest >= sheet.price * (1 + sheet.stop),
        "its take profit filled": bool(sheet.take_profit) and lowest <= sheet.price * (1 - sheet.take_profit),
        "liquidated": highest >= dies and not sheet.stop,
    }
    return " or ".join(end for end, reached in ends.items() if reached)


def _result(sheet, price, funding):
    """Coins, short, funding and fees so far, if the short is still open."""
    unit = price if sheet.rules.inverse else 1.0
    sold = sheet.coins_sold * sheet.price * sheet.rules.spot_fee
    parts = {
        "coins": sheet.coins_kept * (price - sheet.price),
        "short": sheet.covered * (sheet.price - price),
        "funding": funding * unit,
        "fees": -sheet.opening_fee * unit - sold,
    }
    listed = ", ".join(f"{name} {usdt(value)}" for name, value in parts.items())
    return f"{usdt(sum(parts.values()))}: {listed}"


def _alarms(sheet, price, dies):
    """The alarms before a liquidation price, by the hours for which the holder does not look."""
    told = {f" ({hours} hours)": sheet.alarm_before(dies, hours) for hours in sheet.alarm_hours}
    told = told or {" (halfway: fastest hours not measured)": sheet.alarm_before(dies)}
    near = [f"{at_price(alarm, sheet)}{name}" for name, alarm in told.items() if alarm < FAR * price]
    return ", ".join(near) or "none needed"


def _margin(sheet, price, added):
    """Margin balance and margin ratio."""
    balance, notional, needed = sheet.margin_at(price, added)
    ratio = percent(needed / balance) if balance > needed else "above 100 %"
    return f"{amount(balance, sheet)} of {amount(notional, sheet)} notional, margin ratio {ratio}"


def _money(sheet, value):
    return f"{value:+,.6g} {sheet.rules.base}" if sheet.rules.inverse else usdt(value)


def _chance(sheet, price, dies, days):
    """How the days left may end, by formula."""
    up = min(dies, sheet.price * (1 + sheet.stop) if sheet.stop else math.inf) / price - 1
    down = 1 - sheet.price * (1 - sheet.take_profit) / price if sheet.take_profit else math.inf
    if not days:
        return "none: its day has come"
    above, below = first_touch(up, down, sheet.outlook.volatility, days)
    word = "stopped" if sheet.stop else "liquidated"
    told = f"{word} {known(above, percent, 0)}"
    told += f", take profit {known(below, percent, 0)}" if sheet.take_profit else ""
    return f"{told} within the {days} days left, by formula"


def _advice(sheet, closed, *, price, dies, left, days, funding):
    """What to do now, by the rules that the plan began with."""
    todo = []
    if closed:
        other = " Cancel the other exit." if sheet.stop and sheet.take_profit else ""
        return f"look at the position: the coins are unprotected.{other} A new plan, or sell, or hold."
    hours = sheet.alarm_hours
    if price >= sheet.alarm_before(dies):
        why = f"the fastest {hours[0]} hours lead" if hours else "it stands more than halfway"
        todo.append(
            f"post the reserve of {amount(left, sheet)}, or buy back part of the short"
            if left and sheet.mode == "isolated"
            else f"add margin or buy back part of the short: {why} to the liquidation price"
        )
    elif hours and price >= sheet.alarm_before(dies, hours[-1]):
        todo.append(f"look every {hours[0]} hours: the fastest {hours[-1]} lead to the liquidation price")
    if not days:
        todo.append("its day has come: close the short, or fill in a new plan")
    limit = sheet.rules.forced_sale_below
    if sheet.margin_from == "collateral" and limit is not None and sheet.behind + funding < limit:
        todo.append("coins are sold for the USDT owed: bring USDT, and ask about tax")
    worst = sheet.outlook.worst_funding(sheet.days)[0] * sheet.value / (price if sheet.rules.inverse else 1)
    if funding <= worst:
        todo.append("funding has cost as much as the bad case: end the hedge, or say why not")
    if price <= sheet.price * (1 - sheet.fall):
        todo.append("the feared fall has come: is the reason for the hedge still there?")
    return "; ".join(todo) or _NOTHING_TO_DO
