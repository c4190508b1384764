"""The names that columns have in the files that people have, and what each of them means here."""

import re

_TIME = (
    "baropen opentime timeopen unix unixtimestamp timestamp ts starttime start time datetime date unnamed0"
)
_TIME = (*_TIME.split(), "index", "")
_SYMBOL = ("symbol", "instrumentname", "instid", "instrument", "contracts", "ticker", "pair", "coin")

CANDLES = {
    "time": _TIME,
    "closed": ("snappedat", "closetime", "barclose"),
    "open": ("open", "openprice", "o"),
    "high": ("high", "highprice", "h"),
    "low": ("low", "lowprice", "l"),
    "close": ("close", "closeprice", "c", "price", "adjclose", "last"),
    "symbol": _SYMBOL,
}
"""What a column of candles may be called, by what it means, the best first; as `plain` writes it."""

FUNDING = {
    "time": ("calctime", "fundingtime", "fundingratetimestamp", *_TIME),
    "rate": ("realizedrate", "lastfundingrate", "fundingrate", "rate"),
    "hours": ("fundingintervalhours", "fundinginterval", "intervalhours", "interval", "hours"),
    "symbol": _SYMBOL,
}
"""The same for settlements of funding."""

MEANINGS = tuple(CANDLES | FUNDING)
"""What a column can mean."""

_UNITS = {"percent": 100, "pct": 100, "bps": 10_000, "bp": 10_000, "basispoints": 10_000}
_DOLLARS = ("USDT", "USDC", "USD", "FDUSD", "BUSD", "TUSD", "DAI")
_QUOTED = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "KRW", "TRY")
_WORDS = {"SPOT", "PERP", "MARK", "PRICE", "PRICES", "CLOSE", "CLOSES", "FUNDING", "RATE", "RATES", "LAST"}


def headerless(where, kind, wide):
    """Return the names of the columns of a file that has none; most such files have candles in this order."""
    candles = ["time", "close"], ["time", "open", "high", "low", "close"]
    known = (["time", "rate"], ["time", "hours", "rate"]) if kind == "funding" else candles
    for names in known:
        if len(names) == min(wide, 5):
            return names + [f"column {more}" for more in range(6, wide + 1)]
    raise ValueError(
        f"{where}: the file has no header and {wide} columns, which can be anything: write their names into "
        "a first line, as time,close or calc_time,last_funding_rate"
    )


def plain(name):
    """Return the name of a column without capitals, blanks, signs and the units that need no telling.

    Examples
    --------
    >>> plain("Open Time (UTC)"), plain("fundingRate"), plain("close_usdt"), plain("Funding Rate (%)")
    ('opentime', 'fundingrate', 'close', 'fundingratepercent')
    """
    letters = re.sub(r"utc\s*[+-]\s*\d\d?(?::?\d\d)?", "", name.strip().lower()).replace("%", "percent")
    letters = re.sub(r"[^a-z0-9]", "", letters)
    letters = re.sub(r"^(.*(?:time|date|open|close|unix|stamp))(?:utc|ms)+$", r"\1", letters)
    return re.sub(r"^(open|high|low|close|price)usd[tc]?$", r"\1", letters)


def clock(name):
    """Return the time zone that the name of a column states, or None.

    Examples
    --------
    >>> clock("Date(UTC+8)"), clock("Date(UTC)")
    ('UTC+08:00', None)
    """
    stated = re.search(r"utc\s*([+-])\s*(\d\d?)(?::?(\d\d))?", name.lower())
    return f"UTC{stated[1]}{stated[2]:0>2}:{stated[3] or '00'}" if stated else None


def rate_of(name):
    """Return what the name of a column of rates states: how many make 1, and hours.

    Either is None where the name does not state it; the third result is the name without them.

    Examples
    --------
    >>> rate_of("Funding Rate (%)"), rate_of("rate_per_8h"), rate_of("fundingRate")
    ((100, None, 'fundingrate'), (None, 8, 'rate'), (None, None, 'fundingrate'))
    """
    name = plain(name)
    hours = re.search(r"(?:per)?(\d+)(?:h|hours?)(?=$|percent|pct|bps?)", name)
    name = name.replace(hours[0], "") if hours else name
    unit = re.search(rf"(?:in)?({'|'.join(_UNITS)})$", name)
    name = name.removesuffix(unit[0]) if unit else name
    return unit and _UNITS[unit[1]], hours and int(hours[1]), name


def bare(text):
    """Return a symbol in capitals without separators and the words for a perpetual.

    Examples
    --------
    >>> [bare(text) for text in ("BTC-USDT-SWAP", "BTC/USDT:USDT", "BTCUSDT Perpetual", "BINANCE:ETHUSDT.P")]
    ['BTCUSDT', 'BTCUSDT', 'BTCUSDT', 'ETHUSDT']
    """
    text = text.strip().upper()
    text = text.split(":")[0] if "/" in text else text.split(":")[-1]
    text = re.sub(r"[\s_.-]+(PERPETUAL|PERP|SWAP|CM|UM|P)(?=$|[\s_.-])", "", text)
    return re.sub(r"^XBT", "BTC", re.sub(r"[^A-Z0-9]", "", text))


def is_of(text, symbol, spot=False):
    """Whether a text names a symbol, or for spot its coin in any dollar.

    Examples
    --------
    >>> is_of("BTC-USDC", "BTCUSDT", spot=True), is_of("BTC-USDC", "BTCUSDT"), is_of("BTC", "BTCUSDT")
    (True, False, True)
    """
    coin, quote = split(symbol)
    coins = {coin, re.sub("^10+(?=[A-Z])", "", coin)} if spot else {coin}
    quotes = ("", *_DOLLARS) if spot else ("", quote)
    return bare(text) in {one + other for one in coins for other in quotes}


def split(symbol):
    """Return coin and quote currency of a symbol.

    Examples
    --------
    >>> split("1000PEPEUSDT"), split("BTC")
    (('1000PEPE', 'USDT'), ('BTC', ''))
    """
    coin, quote = re.fullmatch(r"(.+?)(USDT|USDC|USD)?", bare(symbol)).groups()
    return coin, quote or ""


def named(path):
    """Return the symbols that the name of a file holds.

    Examples
    --------
    >>> named("ETHUSDT-fundingRate-2024-08.zip"), named("BTC-USDT-SWAP-fundingrates-2025-09.csv")
    (['ETHUSDT'], ['BTC-USDT'])
    >>> named("perp.csv")
    []
    """
    quotes = "|".join(_QUOTED)
    glued, apart = rf"(?:{quotes})(?![A-Z0-9])", rf"[-_](?:{quotes})(?=[-_](?:SWAP|{quotes}))"
    pair = rf"(?<![A-Z0-9])[A-Z0-9]{{2,10}}(?:{glued}|{apart})"
    return [found for found in re.findall(pair, path.upper()) if split(found)[0] not in _WORDS]
