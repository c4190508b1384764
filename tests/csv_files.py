"""Files like those that people have, made from prices and rates that we know."""

import numpy as np
import pandas as pd

BULK = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume"
BULK += ",taker_buy_quote_volume,ignore"


def times(first, rows, hours):
    """Times from a day on, evenly spaced, UTC."""
    return pd.date_range(first, periods=rows, freq=f"{hours}h", tz="UTC")


def candles(first="2024-08-01", rows=30, hours=8, seed=0, level=60_000.0):
    """Candles by their opening time, a random walk rounded to what exchanges write."""
    close = level * np.exp(np.random.default_rng(seed).normal(0, 0.01, rows).cumsum())
    opened = np.append(level, close[:-1])
    highs, lows = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    columns = {"open": opened, "high": highs, "low": lows, "close": close}
    return pd.DataFrame(columns, index=times(first, rows, hours)).round(6)


def milliseconds(time):
    return time.value // 10**6


def table(header, rows, write, above=""):
    """Text of a file: a header and one line for each row of a table, as `write(time, *values)` writes it."""
    lines = [write(time, *row) for time, row in zip(rows.index, rows.to_numpy(), strict=True)]
    return above + "".join(f"{line}\n" for line in ([header] if header else []) + lines)


def bulk(rows, header=True, unit=1):
    """The exchange's bulk file of candles, in milliseconds or (`unit` 1,000) microseconds."""

    def write(time, *row):
        return f"{milliseconds(time) * unit},{','.join(map(str, row))},1,0,1,1,1,1,0"

    return table(BULK if header else "", rows, write)


def rates(first="2024-08-01", rows=31, hours=8, rate=1e-4):
    """Settlements by their time, one rate or a list."""
    return pd.DataFrame({"rate": np.broadcast_to(rate, rows)}, index=times(first, rows, hours))


def settled(rows, hours=8):
    """The exchange's bulk file of settlements, stamped some milliseconds late."""
    header = "calc_time,funding_interval_hours,last_funding_rate"
    return table(header, rows, lambda time, rate: f"{milliseconds(time) + 7},{hours},{rate:.8f}")


def api(rows, unit=1):
    """Settlements as the exchange's interface gives them, without an interval."""
    header = "symbol,fundingTime,fundingRate,markPrice"
    return table(
        header, rows, lambda time, rate: f"BTCUSDT,{milliseconds(time)},{round(rate * unit, 8)},60000"
    )


def cells(prices):
    """The prices of a row, between commas."""
    return ",".join(map(str, prices))


def _typed(time, *prices):
    """A row as a spreadsheet in German writes it."""
    return f"{time:%d.%m.%Y %H:%M};" + ";".join(f"{price:.6f}".replace(".", ",") for price in prices)


def _quoted(*texts):
    return ",".join(f'"{text}"' for text in texts)


OHLC = "open,high,low,close"

FUNDING = {
    "binance api": (
        "symbol,fundingTime,fundingRate,markPrice",
        lambda t, r: f"BTCUSDT,{milliseconds(t)},{r},6e4",
    ),
    "binance web": (
        _quoted("Time", "Contracts", "Funding Interval", "Funding Rate"),
        lambda t, r: _quoted(f"{t:%Y-%m-%d %H:%M:%S}", "BTCUSDT Perpetual", "8h", f"{100 * r:.6f}%"),
    ),
    "okx": (
        "instrument_name,funding_rate,funding_time",
        lambda t, r: f"BTC-USDT-SWAP,{r},{milliseconds(t) + 1000}",
    ),
    "okx api": (
        "instId,fundingRate,realizedRate,fundingTime",
        lambda t, r: f"BTC-USDT-SWAP,0.9,{r},{milliseconds(t)}",
    ),
    "ccxt": (
        "symbol,timestamp,datetime,fundingRate,interval",
        lambda t, r: f"BTC/USDT:USDT,{milliseconds(t)},{t},{r},8h",
    ),
    "freqtrade": ("date,open,high,low,close,volume", lambda t, r: f"{t},{r},0.0,0.0,0.0,0.0"),
    "bybit": ("symbol,fundingRate,fundingRateTimestamp", lambda t, r: f"BTCUSDT,{r},{milliseconds(t)}"),
    "bitmex": (
        "timestamp,symbol,fundingInterval,fundingRate,fundingRateDaily",
        lambda t, r: f"{t},XBTUSDT,2000-01-01T08:00:00.000Z,{r},{3 * r}",
    ),
    "no header": ("", lambda t, r: f"{milliseconds(t)},8,{r}"),
    "no header, two columns": ("", lambda t, r: f"{milliseconds(t)},{r}"),
    "pandas": (",funding_rate", lambda t, r: f"{t},{r}"),
}
"""Layouts of settlements: the header and what writes a row."""

CANDLES = {
    "cryptodatadownload": (
        "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount",
        lambda t, *p: f"{milliseconds(t)},{t:%Y-%m-%d},BTCUSDT,{cells(p)},1,1,1",
        "https://www.CryptoDataDownload.com\n",
    ),
    "cryptodatadownload, seconds": (
        f"unix,date,symbol,{OHLC},Volume BTC,Volume USD",
        lambda t, *p: f"{milliseconds(t) // 1000},{t:%Y-%m-%d %H:%M:%S},BTC/USD,{cells(p)},1,1",
    ),
    "okx": (
        f"instrument_name,{OHLC},vol,vol_ccy,vol_quote,open_time,confirm",
        lambda t, *p: f"BTC-USDT,{cells(p)},1,1,1,{milliseconds(t)},1",
    ),
    "okx api": ("", lambda t, *p: f"{milliseconds(t)},{cells(p)},1,1,1,1"),
    "kraken": ("", lambda t, *p: f"{milliseconds(t) // 1000},{cells(p)},1,1"),
    "bybit": (
        "startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover",
        lambda t, *p: f"{milliseconds(t)},{cells(p)},1,1",
    ),
    "freqtrade": (f"date,{OHLC},volume", lambda t, *p: f"{t},{cells(p)},1"),
    "ccxt": ("", lambda t, *p: f"{milliseconds(t)},{cells(p)},1"),
    "tradingview": (
        f"time,{OHLC},Volume,Volume MA",
        lambda t, *p: f"{milliseconds(t) // 1000},{cells(p)},1,",
    ),
    "tradingview, zone": (
        f"time,{OHLC}",
        lambda t, *p: f"{t.tz_convert('Europe/Berlin').isoformat()},{cells(p)}",
    ),
    "tradingview, line": ("time,close", lambda t, *p: f"{milliseconds(t) // 1000},{p[3]}"),
    "pandas": (f",{OHLC}", lambda t, *p: f"{t},{cells(p)}"),
    "metatrader": (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>",
        lambda t, *p: "\t".join([f"{t:%Y.%m.%d}", f"{t:%H:%M:%S}", *map(str, p)]),
    ),
    "nanoseconds": (f"timestamp,{OHLC}", lambda t, *p: f"{t.value},{cells(p)}"),
    "seconds with decimals": (f"timestamp,{OHLC}", lambda t, *p: f"{milliseconds(t) / 1000},{cells(p)}"),
    "offset in the header": (
        f"Date(UTC+8),{OHLC}",
        lambda t, *p: f"{t.tz_convert('Asia/Shanghai'):%Y-%m-%d %H:%M:%S},{cells(p)}",
    ),
    "two coins": ("date_utc,btc_usdt,eth_usdt", lambda t, *p: f"{t:%Y-%m-%dT%H:%MZ},{p[3]},3000"),
    "two tickers": ("Date,BTC-USD,ETH-USD", lambda t, *p: f"{t:%Y-%m-%d %H:%M},{p[3]},3000"),
    "two symbols": (
        f"time,symbol,{OHLC}",
        lambda t, *p: f"{milliseconds(t)},BTCUSDT,{cells(p)}\n{milliseconds(t)},ETHUSDT,3,3,3,3",
    ),
    "decimal commas": ("time;open;high;low;close", _typed),
    "thousands": (f"time,{OHLC}", lambda t, *p: _quoted(milliseconds(t), *(f"{price:,.6f}" for price in p))),
    "dollars": (f"time,{OHLC}", lambda t, *p: _quoted(milliseconds(t), *(f"$ {price:,.6f}" for price in p))),
    "month first": (f"time,{OHLC}", lambda t, *p: f"{t:%m/%d/%Y %I:%M:%S %p},{cells(p)}"),
    "names of months": (f"time,{OHLC}", lambda t, *p: f'"{t:%b %d, %Y %H:%M}",{cells(p)}'),
}
"""Layouts of candles: the header, what writes a row, and what stands above."""

DAYS = {
    "yahoo": ("Date,Open,High,Low,Close,Adj Close,Volume", lambda t, *p: f"{t:%Y-%m-%d},{cells(p)},{p[3]},1"),
    "yfinance": (
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\nDate,,,,,",
        lambda t, *p: f"{t:%Y-%m-%d},{cells([p[3], p[1], p[2], p[0]])},1",
    ),
    "investing": (
        _quoted("Date", "Price", "Open", "High", "Low", "Vol.", "Change %"),
        lambda t, *p: _quoted(f"{t:%m/%d/%Y}", *(f"{p[place]:,.6f}" for place in (3, 0, 1, 2)), "1.2K", "1%"),
    ),
    "coinmarketcap": (
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
        lambda t, *p: (
            f'"{t:%Y-%m-%dT%H:%M:%S.000Z}";"{t:%Y-%m-%d}T23:59:59.999Z";;;"2781";'
            f'{";".join(map(str, p))};1;1;"{t:%Y-%m-%d}T23:59:59.999Z"'
        ),
    ),
    "last second": ("timestamp,close", lambda t, *p: f"{t:%Y-%m-%d}T23:59:59Z,{p[3]}"),
    "coingecko": (
        "snapped_at,price,market_cap,total_volume",
        lambda t, *p: f"{t + pd.Timedelta('1D'):%Y-%m-%d} 00:00:00 UTC,{p[3]},1,1",
    ),
    "packed": ("date,close", lambda t, *p: f"{t:%Y%m%d},{p[3]}"),
    "day first": ("Date,Close", lambda t, *p: f"{t:%d.%m.%Y},{p[3]}"),
    "spelled": ("Date,Close", lambda t, *p: f'"{t:%B %d, %Y}",{p[3]}'),
}
"""Layouts of days: the header and what writes a row."""
