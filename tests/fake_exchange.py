"""A local exchange that speaks Binance's REST shapes, with faults on demand."""

import json
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import parse_qs, urlsplit

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

    `faults[kind]` is a list; each request of that kind takes the first one: a status (500), a status with
    seconds for Retry-After ((429, 7)), "slow", "cut", "gone" (the connection breaks), or a function of the
    rows.
    """

    def __init__(self, first, bars, now, page=40, seed=1):
        random, price = Random(seed), 60_000.0
        self.rows, self.faults, self.asked = defaultdict(list), defaultdict(list), []
        self.now, self.page, self.timeout = now, page, 10_000
        for opened in range(first, first + bars * BAR, BAR):
            close = price * (1 + random.gauss(0, 0.02))
            for kind in ("spot", "perp", "mark"):
                open_, end = (p * (1 + random.gauss(0, 1e-4)) for p in (price, close))
                high, low = max(open_, end) * 1.0123, min(open_, end) * 0.9876
                texts = [f"{p:.8f}" for p in (open_, high, low, end)]
                self.rows[kind].append([opened, *texts, "12.5", opened + BAR - 1, "0", 7, "0", "0", "0"])
            late = random.randrange(47)
            self.rows["funding"].append(
                {
                    "symbol": "BTCUSDT",
                    "fundingTime": opened + BAR + late,
                    "fundingRate": f"{random.gauss(1, 2) / 1e4:.8f}",
                }
            )
            price = close

    def answer(self, kind, query):
        """Rows or symbols that a request asks for."""
        if kind == "time":
            return {"serverTime": self.now}
        if kind.endswith("symbols"):
            symbol = {
                "symbol": "BTCUSDT",
                "baseAsset": "BTC",
                "quoteAsset": "USDT",
                "status": "TRADING",
                "filters": [],
            }
            swap = {
                "contractType": "PERPETUAL",
                "marginAsset": "USDT",
                "pair": "BTCUSDT",
                "contractStatus": "TRADING",
            }
            return {"symbols": [symbol if kind == "spot symbols" else symbol | swap]}
        start, limit = int(query["startTime"][0]), min(int(query["limit"][0]), self.page)
        time_of = (lambda row: row["fundingTime"]) if kind == "funding" else (lambda row: row[0])
        return [row for row in self.rows[kind] if start <= time_of(row) <= self.now][:limit]

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
