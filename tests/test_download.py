"""Real history: every fault of network, exchange and disk, and rows equal to the last digit."""

import errno
import os
import sys
import threading

import pandas as pd
import pytest
from fake_exchange import BAR, FakeExchange, clients

from hedgelib import market
from hedgelib.histories import cache, exchange

FIRST = 1_702_684_800_000  # 2023-12-16 00:00 UTC, so that the rows cross a year
BARS = 120
NOW = FIRST + BARS * BAR + 3_600_000  # an hour after the last close, 2024-01-25 00:00
SPAN = {"symbol": "BTCUSDT", "start": "2023-12-16 08:00", "end": "2024-01-25"}
KINDS = ("spot", "perp", "mark", "funding")
client_of_ccxt = exchange.client


@pytest.fixture
def fake():
    return FakeExchange(FIRST, BARS, NOW)


@pytest.fixture
def waits(monkeypatch):
    """Seconds that were waited for, without waiting."""
    waited = []
    monkeypatch.setattr(exchange, "sleep", waited.append)
    return waited


@pytest.fixture
def lab(fake, waits, tmp_path, monkeypatch):
    """Download from the fake exchange into a cache of its own."""
    with clients(fake) as client:
        monkeypatch.setattr(exchange, "client", client)
        monkeypatch.setenv("HEDGELAB_CACHE", str(tmp_path))

        def download(**change):
            return market.download(**(SPAN | change), progress=False)

        yield download


def check(frame, fake, first=0, last=BARS):
    """Rows out are the rows in, to the last digit."""
    rows = slice(first, last)
    closes = pd.to_datetime([row[0] + BAR for row in fake.rows["mark"][rows]], unit="ms", utc=True)
    assert frame.index.equals(pd.DatetimeIndex(closes, name="time").as_unit("us"))
    assert frame["spot"].tolist() == [float(row[4]) for row in fake.rows["spot"][rows]]
    assert frame["mark"].tolist() == [float(row[4]) for row in fake.rows["mark"][rows]]
    assert frame["mark_high"].tolist() == [float(row[2]) for row in fake.rows["mark"][rows]]
    assert frame["mark_low"].tolist() == [float(row[3]) for row in fake.rows["mark"][rows]]
    assert frame["last_high"].tolist() == [float(row[2]) for row in fake.rows["perp"][rows]]
    assert frame["last_low"].tolist() == [float(row[3]) for row in fake.rows["perp"][rows]]
    assert frame["funding"].tolist() == [float(row["fundingRate"]) for row in fake.rows["funding"][rows]]


@pytest.mark.parametrize("package", ["ccxt", "tqdm.auto"])
def test_a_missing_package_is_named_with_the_way_to_get_it(lab, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    if package == "ccxt":
        monkeypatch.setattr(exchange, "client", client_of_ccxt)
    with pytest.raises(ModuleNotFoundError, match=r"market\.download needs .* pip install 'hedgelib\[histor"):
        lab()


@pytest.mark.parametrize("lost", [[40], [40, 41, 42], [30, 60]])
def test_a_maintenance_hole_in_spot_is_bridged(lab, fake, lost):
    spot, mark = (pd.Series([row[4] for row in fake.rows[kind]], dtype=float) for kind in ("spot", "mark"))
    fake.rows["spot"] = [row for place, row in enumerate(fake.rows["spot"]) if place not in lost]
    frame = lab()
    ratio = (spot / mark).drop(lost).reindex(range(BARS)).ffill()
    assert frame["spot"].tolist() == pytest.approx((mark * ratio).tolist(), rel=1e-12)
    assert [note[:33] for note in frame.attrs["notes"]] == [
        f"spot has no close at {len(lost)} of 120 bar"[:33]
    ]


def test_download(lab, fake):
    frame = lab()
    check(frame, fake)
    assert frame.attrs == {
        "symbol": "BTCUSDT",
        "source": "history",
        "hours": 8,
        "label": "BTCUSDT, 2023-12-16 to 2024-01-25, history from binance",
        "notes": [],
    }
    market.validate(frame)


def test_history_needs_no_network(lab, fake, monkeypatch):
    lab()
    monkeypatch.setattr(exchange, "client", lambda name: pytest.fail("no network here"))
    check(market.history(**SPAN), fake)
    check(market.history(**(SPAN | {"start": "2024-01-10", "end": "2024-01-12"})), fake, 74, 81)


def test_a_slice_relabels_itself(lab):
    part = lab().loc["2024-01-10":"2024-01-12"]
    assert part.attrs["label"] == "BTCUSDT, 2024-01-10 to 2024-01-12, history from binance"


def test_cached_rows_are_not_asked_for_again(lab, fake):
    lab(end="2024-01-12")
    fake.asked.clear()
    check(lab(), fake)
    assert all(fake.count(kind) == 1 for kind in KINDS)  # 39 new bars are one page
    fake.asked.clear()
    check(lab(), fake)
    assert not any(fake.count(kind) for kind in KINDS)


@pytest.mark.parametrize(
    "fault",
    [
        500,
        503,
        (429, 7),
        (418, 3),
        "cut",
        "gone",
        "slow",
        lambda rows: [],
        lambda rows: rows[:10] + rows[11:],
        lambda rows: rows[2:],
        lambda rows: {"odd": rows},
        lambda rows: None,
    ],
    ids=["500", "503", "429", "418", "cut", "gone", "slow", "empty", "gap", "late", "odd", "null"],
)
def test_passing_faults_are_survived(lab, fake, fault):
    if fault == "slow":
        fake.timeout = 300
    for kind in KINDS:
        fake.faults[kind] = [fault, None, fault, None, fault]
    check(lab(), fake)


@pytest.mark.parametrize(
    "fault",
    [lambda rows: rows[::-1], lambda rows: rows + rows[3:9], lambda rows: rows[5:8] + rows],
    ids=["reversed", "doubled", "shuffled"],
)
def test_unordered_and_doubled_rows_are_put_right(lab, fake, fault):
    for kind in KINDS:
        fake.faults[kind] = [fault] * 20
    check(lab(), fake)


def test_two_different_rows_for_one_time_are_refused(lab, fake):
    def twice(rows):
        return [*rows, [rows[4][0], *rows[5][1:]]]

    fake.faults["perp"] = [twice] * 20
    with pytest.raises(market.DownloadError, match="two different rows for 2023-12-17 08:00"):
        lab()


def test_we_wait_as_long_as_the_exchange_says(lab, fake, waits):
    fake.faults["spot"] = [(429, 7), (429, 11)]
    lab()
    assert waits == [7, 11]


def test_too_long_a_wait_is_refused(lab, fake, waits):
    fake.faults["spot"] = [(429, 3600)]
    with pytest.raises(market.DownloadError, match="asks us to come back in 3600 seconds"):
        lab()
    assert waits == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (451, r"does not serve your region \(HTTP 451\). Name another exchange \(bybit, okx, kraken, hyper"),
        (403, r"does not serve your region \(HTTP 403\)"),
        (500, r"out of order \(HTTP 500\), still after 5 tries"),
        ((429, 1), r"we ask too often \(HTTP 429\), still after 5 tries"),
        ("cut", "gave a broken answer 5 times: the answer is cut short"),
        ("slow", "did not answer in time, 5 times"),
        ("gone", "cannot be reached: is there a network"),
        (lambda rows: rows[:10] + rows[11:], "no rows between 2024-01-0"),
        (lambda rows: [], "has no perp rows of BTCUSDT after 2023-12-31"),
        (lambda rows: [[row[0], *["-1"] * 5] for row in rows], "a row with impossible numbers"),
        (lambda rows: [[row[0], *["nan"] * 5] for row in rows], "a broken answer 5 times"),
        (400, r"refuses to answer \(HTTP 400\)"),
    ],
)
def test_lasting_faults_are_told_and_nothing_is_lost(lab, fake, tmp_path, fault, message):
    if fault == "slow":
        fake.timeout = 300
    fake.faults["perp"] = [None, None, None, *[fault] * 20]  # 2023: the first of two pages is asked for twice
    with pytest.raises(market.DownloadError, match=message):
        lab()
    kept = cache.read(tmp_path / "binance" / "BTCUSDT" / "perp-8h-2023.csv")
    assert kept == [[row[0], *map(float, row[1:5])] for row in fake.rows["perp"][:48]]
    fake.faults.clear()
    fake.asked.clear()
    fake.timeout = 10_000
    check(lab(), fake)
    assert fake.count("mark") == 0 and fake.count("perp") == 2  # 72 rows of 2024 by 40


@pytest.mark.parametrize("what", ["time", "spot symbols", "perp symbols"])
@pytest.mark.parametrize("fault", [500, (429, 1), "cut", "gone", lambda answer: {}])
def test_faults_before_the_first_row_are_survived(lab, fake, what, fault):
    fake.faults[what] = [fault]
    check(lab(), fake)


def test_no_network(lab, fake, waits, monkeypatch):
    real = exchange.client

    def nowhere(name):
        made = real(name)
        made.urls["api"] = dict.fromkeys(made.urls["api"], "http://127.0.0.1:9/")
        return made

    monkeypatch.setattr(exchange, "client", nowhere)
    with pytest.raises(market.DownloadError, match=r"cannot be reached: is there a network\? \(.*refused"):
        lab()
    assert not waits


def test_a_network_that_says_nothing(lab, waits, monkeypatch):
    """A name server that never answers, as behind a firewall."""
    over = threading.Event()

    def silent(*_):
        over.wait()
        raise OSError("too late")

    monkeypatch.setattr(exchange, "SOON", 0.01)
    monkeypatch.setattr(exchange.socket, "create_connection", silent)
    with pytest.raises(market.DownloadError, match=r"is there a network\? \(it does not answer\)"):
        lab()
    over.set()
    assert not waits


def test_bars_that_are_not_over_are_left_out(lab, fake):
    fake.now -= 2 * BAR - 1_800_000  # in the middle of a bar
    check(lab(), fake, last=BARS - 2)
    fake.now = NOW
    check(lab(), fake)


def test_the_exchange_has_the_right_time(lab, fake):
    """The clock of this machine is years ahead of the exchange's."""
    with pytest.raises(
        ValueError, match="start 2024-02-01 00:00 lies in the future; at binance it is 2024-01-25 01:00"
    ):
        lab(start="2024-02-01", end="2024-02-02")
    check(lab(end="2025-01-01"), fake)


def test_rows_from_the_future_are_not_kept(lab, fake, tmp_path):
    def ahead(rows):
        return rows + [[row[0] + 400 * BAR, *row[1:]] for row in rows[-2:]]

    fake.faults["spot"] = [ahead] * 20
    check(lab(), fake)


@pytest.mark.parametrize(
    "harm", [lambda t: t[: len(t) // 2], lambda t: t.replace("1", "2", 1), lambda t: "", lambda t: t + "x"]
)
def test_damaged_files_are_found_and_mended(lab, fake, tmp_path, harm):
    lab()
    path = tmp_path / "binance" / "BTCUSDT" / "mark-8h-2024.csv"
    path.write_text(harm(path.read_text()))
    with pytest.raises(ValueError, match=r"mark-8h-2024\.csv is damaged"):
        market.history(**SPAN)
    mended = lab()
    check(mended, fake)
    assert mended.attrs["notes"] == ["a damaged file was set aside as mark-8h-2024.damaged"]
    assert path.with_suffix(".damaged").exists()


def test_a_full_disk_loses_nothing(lab, fake, monkeypatch, tmp_path):
    lab(end="2024-01-12")
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*.csv")}

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(market.DownloadError, match="the disk is full; make room"):
            lab()
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*.csv")} == before
    assert not list(tmp_path.rglob("*.part"))
    check(lab(), fake)


def test_a_folder_that_cannot_be_written(lab, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(market.DownloadError, match="cannot write"):
        lab(cache=tmp_path / "file")


def test_two_notebooks_at_once(lab, fake):
    made, problems = [], []

    def work():
        try:
            made.append(lab())
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    for frame in made:
        check(frame, fake)
    assert fake.count("perp") == 5  # as if there were one: three for 2023, two for 2024


def test_a_lock_that_is_never_given_back(lab, tmp_path, monkeypatch):
    from filelock import FileLock

    from hedgelib.histories import downloads as download

    (tmp_path / "binance" / "BTCUSDT").mkdir(parents=True)
    monkeypatch.setattr(download, "_WAIT", 0.01)
    with (
        FileLock(tmp_path / "binance" / "BTCUSDT" / "lock"),
        pytest.raises(market.DownloadError, match="another program"),
    ):
        lab()


def test_an_impossible_rate_is_not_kept(lab, fake):
    fake.faults["funding"] = [lambda rows: [row | {"fundingRate": "7"} for row in rows]]
    check(lab(), fake)


def test_history_beside_a_gap_in_the_cache(lab, fake, tmp_path):
    lab()
    for path in (tmp_path / "binance" / "BTCUSDT").glob("*-2023.csv"):
        cache.write(path, "rows", cache.read(path)[:20])
    check(market.history(**(SPAN | {"start": "2024-01-03"})), fake, 53)
    check(market.history(**(SPAN | {"start": "2024-01-01 08:00"})), fake, 48)
    check(market.history(**(SPAN | {"end": "2023-12-22"})), fake, 0, 18)
    with pytest.raises(
        ValueError, match=r"the cache has no perp rows of BTCUSDT from binance between 2023-12-22"
    ):
        market.history(**SPAN)
    with pytest.raises(
        ValueError, match=r"no spot history .* between 2023-12-28 and 2023-12-30 in the cache"
    ):
        market.history(**(SPAN | {"start": "2023-12-28", "end": "2023-12-30"}))
    check(lab(), fake)


def test_a_coin_that_was_listed_later(lab, fake):
    for kind in KINDS:
        fake.rows[kind] = fake.rows[kind][70:]
    frame = lab(start="2022-06-01")
    check(frame, fake, last=50)
    assert frame.attrs["notes"] == ["known from 2024-01-08 16:00 to 2024-01-25 00:00 only"]


def test_a_coin_with_its_first_bar_only(lab, fake):
    for kind in KINDS:
        fake.rows[kind] = fake.rows[kind][-1:]
    with pytest.raises(ValueError, match="BTCUSDT from binance has one bar only"):
        lab()


def test_mark_that_is_offered_later_gives_way_to_last_price(lab, fake):
    whole, fake.rows["mark"] = fake.rows["mark"], fake.rows["mark"][70:]
    frame = lab()
    assert frame["mark"].tolist() == [float(row[4]) for row in fake.rows["perp"][:70] + whole[70:]]
    assert frame.attrs["notes"] == ["where mark is missing, the last price of the perpetual stands in for it"]


def test_a_symbol_that_is_not_there(lab):
    with pytest.raises(ValueError, match="binance has no perpetual BTCUSDC; near it: BTCUSDT"):
        lab(symbol="BTCUSDC")
    with pytest.raises(ValueError, match="symbol must be a coin and what it is quoted in"):
        lab(symbol="BTC")


def test_a_progress_bar(lab, fake, capsys):
    market.download(**SPAN)
    assert f"BTCUSDT from binance: {4 * BARS} rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exchange": "mtgox"}, "exchange must be one of 'binance', 'bybit', 'okx', 'kraken', 'hyperliquid'"),
        ({"symbol": "../etc"}, "symbol must be capital letters and digits"),
        ({"symbol": "btcusdt"}, "symbol must be capital letters and digits"),
        ({"symbol": None}, "symbol must be capital letters and digits"),
        ({"hours": 3}, "hours must be 1, 2, 4 or 8"),
        ({"start": "2024-02-01"}, "start must be before end"),
        ({"start": "soon"}, "a time must be a day or a time"),
        ({"end": float("nan")}, "a time must be a day or a time"),
        ({"end": 10**30}, "a time must be a day or a time"),
        ({"cache": 3}, "cache must be the path of a folder"),
    ],
)
@pytest.mark.parametrize("call", [market.download, market.history])
def test_bad_arguments_are_refused(call, change, message):
    with pytest.raises(ValueError, match=message):
        call(**(SPAN | change))


def test_an_empty_cache_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="no spot history of BTCUSDT from binance in the cache"):
        market.history(**SPAN, cache=tmp_path)


def test_an_empty_text_is_no_cache():
    with pytest.raises(ValueError, match="cache must be the path of a folder, got ''"):
        market.history("BTCUSDT", "2024-01-01", "2024-01-02", cache="")


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("HEDGELAB_CACHE", str(tmp_path))
    assert cache.folder() == tmp_path
    assert cache.folder(tmp_path / "mine") == tmp_path / "mine"
    monkeypatch.delenv("HEDGELAB_CACHE")
    assert cache.folder().name == "hedgelab"


def test_tables_keep_every_digit(tmp_path):
    rows = [[1, 0.1 + 0.2, 1e-300, -5e-324], [2, 1 / 3, 1.7976931348623157e308, 0.0]]
    cache.write(tmp_path / "deep" / "table.csv", "time,a,b,c", rows)
    assert cache.read(tmp_path / "deep" / "table.csv") == rows
    assert cache.read(tmp_path / "none.csv") == []


@pytest.mark.parametrize("name", exchange.NAMES)
def test_every_exchange_offers_the_calls(name, monkeypatch):
    import ccxt

    perp, spot, *_ = exchange._VENUES[name]
    hours = f"{exchange.default_hours(name)}h"
    assert all(getattr(ccxt, perp)().has[call] for call in ("fetchOHLCV", "fetchFundingRateHistory"))
    assert getattr(ccxt, spot)().has["fetchOHLCV"]
    assert hours in getattr(ccxt, perp).describe(getattr(ccxt, perp)())["timeframes"]
    assert hours in getattr(ccxt, spot)().timeframes
