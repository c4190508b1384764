"""A local exchange that speaks Binance's REST shapes, with faults on demand."""

import itertools
import json
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import parse_qs, urlsplit

from hedgelib.histories import exchange as library

HOUR = 3_600_000
BAR = 8 * HOUR
PATHS = {
    "/api/v3/exchangeInfo": "spot symbols",
    "/fapi/v1/exchangeInfo": "perp symbols",
    "/api/v3/time": "time",
    "/api/v3/klines": "spot",
    "/fapi/v1/klines": "perp",
    "/fapi/v1/markPriceKlines": "mark",
    "/fapi/v1/fundingRate": "funding",
}


class FakeExchange:
    """Rows by kind, as the texts that are sent; what was asked; and the faults to come.

    `rows` are those of the first symbol, `markets` those of all; they move together, each with some moves of
    its own.

    `faults[kind]` is a list; each request of that kind takes the first one: a status (500), a status with
    seconds for Retry-After ((429, 7)), "slow", "cut", "gone" (the connection breaks), or a function of the
    rows.
    """

    def __init__(self, first, bars, now, page=40, symbols=("BTCUSDT",)):
        self.faults, self.asked = defaultdict(list), []
        self.now, self.page, self.timeout = now, page, 10_000
        shared = Random(0)
        moves = [shared.gauss(0, 0.02) for _ in range(bars)]
        self.markets = {
            symbol: self._market(symbol, first, moves, Random(seed))
            for seed, symbol in enumerate(symbols, start=1)
        }
        self.rows = self.markets[symbols[0]]

    @staticmethod
    def _market(symbol, first, moves, random):
        """Rows of one symbol, by kind."""
        rows, price = defaultdict(list), 60_000.0
        for opened, move in zip(itertools.count(first, BAR), moves, strict=False):
            close = price * (1 + move + random.gauss(0, 0.005))
            for kind in ("spot", "perp", "mark"):
                open_, end = (p * (1 + random.gauss(0, 1e-4)) for p in (price, close))
                high, low = max(open_, end) * 1.0123, min(open_, end) * 0.9876
                texts = [f"{p:.8f}" for p in (open_, high, low, end)]
                rows[kind].append([opened, *texts, "12.5", opened + BAR - 1, "0", 7, "0", "0", "0"])
            rate, late = random.gauss(1, 2) / 1e4, random.randrange(47)
            settled = {"symbol": symbol, "fundingTime": opened + BAR + late, "fundingRate": f"{rate:.8f}"}
            rows["funding"].append(settled)
            price = close
        return rows

    def answer(self, kind, query):
        """Rows or symbols that a request asks for."""
        if kind == "time":
            return {"serverTime": self.now}
        if kind.endswith("symbols"):
            coins = [
                {
                    "symbol": symbol,
                    "baseAsset": symbol.removesuffix("USDT"),
                    "quoteAsset": "USDT",
                    "filters": [],
                }
                for symbol in self.markets
            ]
            spot = {"status": "TRADING"}
            swap = spot | {"contractType": "PERPETUAL", "marginAsset": "USDT", "contractStatus": "TRADING"}
            more = spot if kind == "spot symbols" else swap
            return {"symbols": [coin | more | {"pair": coin["symbol"]} for coin in coins]}
        start, limit = int(query["startTime"][0]), min(int(query["limit"][0]), self.page)
        time_of = (lambda row: row["fundingTime"]) if kind == "funding" else (lambda row: row[0])
        rows = self.markets[query["symbol"][0]][kind]
        return [row for row in rows if start <= time_of(row) <= self.now][:limit]

    def count(self, kind):
        """How often a kind was asked for."""
        return self.asked.count(kind)


@contextmanager
def serve(exchange):
    """Serve it on 127.0.0.1; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlsplit(self.path)
            kind = PATHS[url.path]
            exchange.asked.append(kind)
            fault = exchange.faults[kind].pop(0) if exchange.faults[kind] else None
            body, status, headers = exchange.answer(kind, parse_qs(url.query)), 200, {}
            if callable(fault):
                body = fault(body)
            elif isinstance(fault, int):
                status, body = fault, {"code": 0, "msg": "no"}
            elif isinstance(fault, tuple):
                status, body, headers = (
                    fault[0],
                    {"code": -1003, "msg": "slow down"},
                    {"Retry-After": str(fault[1])},
                )
            data = json.dumps(body).encode()
            if fault == "slow":
                time.sleep(0.6)
            if fault == "gone":
                self.connection.close()
                return
            if fault == "cut":
                data = data[: len(data) // 2]
            try:
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": len(data),
                    **headers,
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(data)
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def clients(exchange):
    """Serve it; yields a function that makes the library's clients, but of this exchange."""
    real = library.client
    with serve(exchange) as address:

        def client(name):
            made = real(name)
            made.urls["api"] = {
                key: address + "/" + url.split("/", 3)[3] for key, url in made.urls["api"].items()
            }
            made.enableRateLimit, made.timeout = False, exchange.timeout
            return made

        yield client
