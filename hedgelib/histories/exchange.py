"""One exchange's public history, page by page, whatever the network and the exchange do in between."""

import difflib
import itertools
import math
import re
import socket
import threading
import time
from urllib.parse import urlsplit

TRIES = 5
"""How often a page is asked for before we give up."""

PATIENCE = 120
"""Longest wait that an exchange may ask for (seconds) before we come back later instead."""

SOON = 2
"""How long a first connection may take (seconds) before we say that there is no network."""

LONGEST = 8 * 3_600_000
"""Longest funding interval in use (milliseconds)."""

SLACK = 60_000
"""How late a settlement may be stamped (milliseconds)."""

sleep = time.sleep

# Perpetuals from, spot from, spot quoted in (None: as the perpetual), rows a page, usual hours of a bar.
_VENUES = {
    "binance": ("binance", "binance", None, 1000, 8),
    "bybit": ("bybit", "bybit", None, 200, 4),
    "okx": ("okx", "okx", None, 100, 4),
    "kraken": ("krakenfutures", "coinbase", "USD", 300, 1),
    "hyperliquid": ("hyperliquid", "coinbase", "USD", 300, 1),
}
NAMES = tuple(_VENUES)
"""Exchanges whose history can be downloaded."""


class DownloadError(RuntimeError):
    """History could not be downloaded; what came before is kept."""


class _GarbledError(Exception):
    """An answer that cannot be right."""


class _HoleError(_GarbledError):
    """An answer in which rows are missing."""


def default_hours(name):
    """Return the length of a bar (hours) that suits an exchange."""
    return _VENUES[name][4]


class Exchange:
    """Spot and perpetual of one symbol on one exchange, read with ccxt.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    symbol : str
        ``"BTCUSDT"``.
    hours : int
        Length of the bars.

    Raises
    ------
    ValueError
        If the exchange does not have the symbol or bars of that length.
    DownloadError
        If it cannot be reached.
    """

    def __init__(self, name, symbol, hours):
        """Look the symbol up."""
        perp, spot, quoted, self.limit, _ = _VENUES[name]
        self.name, self.symbol, self.hours = name, symbol, hours
        self.timeframe, self.step = f"{hours}h", hours * 3_600_000
        parts = re.fullmatch(r"([A-Z0-9]+?)(USDT|USDC|USD)", symbol)
        if not parts:
            raise ValueError(f"symbol must be a coin and what it is quoted in, as BTCUSDT, got {symbol!r}")
        coin, quote = parts.groups()
        self.client = client(perp)
        _reach(name, self.client)
        self.spot_client = self.client if spot == perp else client(spot)
        self.perp = self._find(self.client, f"{coin}/{quote}:{quote}", symbol)
        self.spot = self._find(self.spot_client, f"{coin}/{quoted or quote}", symbol)
        for one in (self.client, self.spot_client):
            if self.timeframe not in one.timeframes:
                raise ValueError(f"{name} has no bars of {hours} hours; it has {', '.join(one.timeframes)}")

    def kinds(self):
        """Return the kinds of history there are: spot, perp, funding, and mark where it is offered."""
        return [*(["mark"] if self.client.has["fetchMarkOHLCV"] else []), "perp", "spot", "funding"]

    def now(self):
        """Return the exchange's time (milliseconds): our own clock may be wrong."""
        if not self.client.has["fetchTime"]:
            return int(time.time() * 1000)
        return self._ask(self.client, self.client.fetch_time, lambda stamp: int(stamp))

    def page(self, kind, since, now, follows):
        """Return the next rows of a kind, in order, from a time on (milliseconds), that are over by `now`.

        Candles are [opening time, open, high, low, close], settlements [time, rate]. If the page follows
        other rows, its first row must be the next one.
        """
        one = self.spot_client if kind == "spot" else self.client
        step = 0 if kind == "funding" else self.step

        def ask():
            if kind == "funding":
                history = one.fetch_funding_rate_history(self.perp, since, self.limit)
                return [[row["timestamp"], row["fundingRate"]] for row in history]
            fetch = one.fetch_mark_ohlcv if kind == "mark" else one.fetch_ohlcv
            symbol = self.spot if kind == "spot" else self.perp
            return [row[:5] for row in fetch(symbol, self.timeframe, since, self.limit)]

        holes = set()

        def check(rows):
            try:
                return _sound(rows, since, now, step, follows)
            except _HoleError as hole:
                # While spot was closed for maintenance there are no candles: the exchange says so twice.
                if kind != "spot" or str(hole) not in holes:
                    holes.add(str(hole))
                    raise
            return _sound(rows, since, now, step, follows, holes=True)

        rows = self._ask(one, ask, check)
        if not rows or (not follows and rows[0][0] > since + (step or LONGEST)):
            # The history ends or begins here, or this is a fault: asking again tells.
            rows = min(rows, self._ask(one, ask, check), key=lambda page: page[0][0] if page else math.inf)
        return rows

    def _find(self, one, name, symbol):
        """Return the exchange's market of that name, or refuse the symbol."""
        perpetual = ":" in name

        def alike(markets):
            return {key: market for key, market in (markets or {}).items() if (":" in key) == perpetual}

        def check(markets):
            if not alike(markets):
                raise _GarbledError("the list of markets is empty")
            return alike(markets)

        markets = self._ask(one, lambda: one.load_markets(not alike(one.markets)), check)
        if name not in markets:
            known = {f"{market['base']}{market['quote']}" for market in markets.values()}
            near = ", ".join(difflib.get_close_matches(symbol, sorted(known), cutoff=0.5))
            what = "perpetual" if perpetual else "spot market"
            raise ValueError(f"{self.name} has no {what} {symbol}" + (f"; near it: {near}" if near else ""))
        return name

    def _ask(self, one, question, check):
        """Ask until the answer is sound; wait between tries as the exchange says, or longer each time."""
        import ccxt

        answers = []
        one.session.hooks["response"] = [lambda answer, **_: answers.append(answer)]
        for attempt in range(TRIES):
            answers.clear()
            try:
                result = question()
                for answer in answers:
                    answer.json()  # where the text is cut short, ccxt returns nothing instead of raising
                return check(result)
            except ccxt.NetworkError as error:
                problem = error
            except (ccxt.BadResponse, ccxt.NullResponse, _GarbledError) as error:
                problem = error
            except ccxt.BaseError as error:
                raise DownloadError(f"{self.name} refused: {_short(error)}") from None
            except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
                problem = _GarbledError(f"the answer is cut short or not what it should be ({_short(error)})")
            status = answers[-1].status_code if answers else None
            if status in (403, 451):
                others = ", ".join(name for name in NAMES if name != self.name)
                raise DownloadError(
                    f"{self.name} does not serve your region (HTTP {status}). Name another exchange "
                    f"({others}), read its public bulk files with market.read_csv, or use market.scenario"
                )
            wait = _retry_after(answers[-1]) if status in (418, 429) else None
            if wait is not None and wait > PATIENCE:
                raise DownloadError(
                    f"{self.name} asks us to come back in {wait:.0f} seconds (HTTP {status}); call again then"
                )
            if attempt < TRIES - 1:
                sleep(2.0**attempt if wait is None else wait)
        raise DownloadError(_explain(self.name, problem, status))


def client(name):
    """Return a ccxt client that reads public history only."""
    import ccxt

    made = getattr(ccxt, name)({"timeout": 20_000})
    if name == "binance":
        made.options["fetchMarkets"] = {"types": ["spot", "linear"]}
    return made


def _reach(name, one):
    """Raise if no connection comes about soon; looking up a name may hang, so a thread does it."""
    address = next(url for url in one.urls["api"].values() if isinstance(url, str))
    parts = urlsplit(address.replace("{hostname}", str(one.hostname)))
    problems = ["it does not answer"]

    def connect():
        try:
            socket.create_connection((parts.hostname, parts.port or 443), SOON).close()
            problems.clear()
        except OSError as error:
            problems[:] = [_short(error)]

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(SOON)
    for problem in problems:
        raise DownloadError(
            f"{name} cannot be reached: is there a network? ({problem}). Without one, market.history reads "
            "what you have downloaded before, and market.scenario needs none"
        )


def _sound(rows, since, now, step, follows, holes=False):
    """Return rows in order, once each, without what is not over yet; raise if they cannot be right."""
    rows = [(int(row[0]), *(float(value) for value in row[1:])) for row in rows]
    for row in rows:
        if step:
            possible = 0 < row[3] <= min(row[1], row[4]) <= max(row[1], row[4]) <= row[2]
        else:
            possible = abs(row[1]) <= 1
        if not possible or not all(map(math.isfinite, row)):
            raise _GarbledError(f"a row with impossible numbers: {row}")
    rows = sorted({row for row in rows if row[0] >= since and row[0] + step <= now})
    times = [row[0] for row in rows]
    if follows and rows:
        times.insert(0, since - (step or 1))
    for before, after in itertools.pairwise(times):
        if before == after:
            raise _GarbledError(f"two different rows for {moment(after)}")
        if not holes and (after - before != step if step else after - before > LONGEST + SLACK):
            raise _HoleError(f"no rows between {moment(before)} and {moment(after)}")
    return [list(row) for row in rows]


def moment(stamp):
    """Return a time in milliseconds as text."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(stamp / 1000))


def _retry_after(answer):
    """Seconds that the exchange asks us to wait, if it says so."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _explain(name, problem, status):
    """Say what happened in words, and what to do."""
    if status in (418, 429):
        return (
            f"{name} says that we ask too often (HTTP {status}), still after {TRIES} tries; wait some minutes"
        )
    if status is not None and status >= 500:
        return f"{name} is out of order (HTTP {status}), still after {TRIES} tries; try again later"
    if status is not None and status >= 400:
        return f"{name} refuses to answer (HTTP {status}), still after {TRIES} tries"
    if status is not None:
        return f"{name} gave a broken answer {TRIES} times: {_short(problem)}"
    if type(problem).__name__ == "RequestTimeout":
        return f"{name} did not answer in time, {TRIES} times; try again later"
    return f"{name} cannot be reached: is there a network? Without one, market.history reads what you have"


def _short(error):
    return re.sub(r"\s+", " ", str(error))[:200]
