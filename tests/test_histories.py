"""CSV files: read to the last digit or refused in one sentence; nothing given is dropped in silence."""

import gzip
import io
import zipfile

import csv_files as made
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import ledger, market, plan
from hedgelib.hedge import Hedge

HOUR = 3_600_000
NEW_YEAR = 1_704_067_200_000
LONG = made.candles("2024-07-30", rows=48)
PRICES = LONG.loc["2024-08-01":"2024-08-10"]
DAYS = LONG.resample("D").agg({"open": "first", "high": "max", "low": "min", "close": "last"})
RATES = made.rates()
ALL = made.bulk(PRICES)
ONE, TWO = made.bulk(PRICES[:15]), made.bulk(PRICES[15:], header=False)
ms = made.milliseconds
STANDS_IN = "the last price of the perpetual stands in for mark"


@pytest.fixture
def put(tmp_path):
    """Write a file of text or bytes and return its path."""

    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return put


@pytest.fixture
def read(put):
    """Read spot, perpetual and funding of ten days, or what is given instead: texts, paths, lists of them."""

    def read(symbol="BTCUSDT", **changed):
        files = {"spot": ALL, "perp": ALL, "funding": made.settled(RATES)} | changed
        for kind in files.keys() & {"spot", "perp", "mark", "funding"}:
            given = files[kind]
            if isinstance(given, list):
                files[kind] = [put(f"{kind}{place}.csv", text) for place, text in enumerate(given)]
            elif given is not None and "\n" in given:
                files[kind] = put(f"{kind}0.csv", given)
        return market.read_csv(symbol=symbol, **files)

    return read


def notes(frame, *more):
    """Whether these and no other notes are told (each by some of its words)."""
    told = frame.attrs["notes"]
    return len(told) == len(more) and all(any(words in note for note in told) for words in more)


def zipped(**members):
    """Bytes of an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def edit(path, line, text):
    """Replace one line, counted from 1; None removes it."""
    lines = path.read_text().splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_text("\n".join(lines) + "\n")


# Ten days by hand.


@pytest.fixture
def files(tmp_path):
    """Spot of four days, the perpetual from the close of the second on, settlements of two symbols."""
    (tmp_path / "spot.csv").write_text(
        "date_utc,open_usdt,high_usdt,low_usdt,close_usdt,volume_btc\n"
        "2023-12-30,90,100,90,100,5\n"
        "2023-12-31,100,101,99,100,5\n"
        "2024-01-01,100,110,98,108,5\n"
        "2024-01-02,108,112,104,105,5\n"
    )
    bars = [(100, 102), (102, 108), (108, 106), (106, 105), (105, 111), (111, 104)]
    (tmp_path / "perp.csv").write_text(
        "bar_open_utc,open_usdt,high_usdt,low_usdt,close_usdt,volume_btc\n2023-12-31T16:00:00Z,99,101,99,101,7\n"
        + "".join(
            f"2024-01-0{1 + i // 3}T{8 * (i % 3):02d}:00:00Z,{a},{max(a, b) + 1},{min(a, b) - 1},{b},7\n"
            for i, (a, b) in enumerate(bars)
        )
    )
    settled = pd.date_range("2024-01-01", periods=7, freq="8h")
    (tmp_path / "funding.csv").write_text(
        "time_utc,symbol,rate_per_8h,n_sources\n"
        + "".join(
            f"{time:%Y-%m-%dT%H:%M:%SZ},{symbol},0.000{i}{digit},2\n"
            for symbol, digit in (("BTCUSDT", 1), ("ETHUSDT", 2))
            for i, time in enumerate(settled)
        )
    )
    return {name: tmp_path / f"{name}.csv" for name in ("spot", "perp", "funding")} | {"symbol": "BTCUSDT"}


def test_read_csv(files):
    frame = market.read_csv(**files)
    assert list(frame.index.strftime("%d %H")) == [
        "01 00",
        "01 08",
        "01 16",
        "02 00",
        "02 08",
        "02 16",
        "03 00",
    ]
    assert frame["mark"].tolist() == [101, 102, 108, 106, 105, 111, 104]
    assert frame["mark_high"].tolist() == [101, 103, 109, 109, 107, 112, 112]
    assert frame["funding"].tolist() == [0.00001, 0.00011, 0.00021, 0.00031, 0.00041, 0.00051, 0.00061]
    # Spot closes: 100 (perpetual 101), 108 (106), 105 (104); in between the last ratio holds.
    expected = [100, 102 * 100 / 101, 108 * 100 / 101, 108, 105 * 108 / 106, 111 * 108 / 106, 105]
    assert frame["spot"].tolist() == pytest.approx(expected, rel=1e-15)
    assert frame.attrs["hours"] == 8
    assert frame.attrs["source"] == "csv"
    assert len(frame.attrs["notes"]) == 2


def test_read_csv_never_looks_ahead(files):
    whole = market.read_csv(**files)
    edit(files["spot"], 5, "2024-01-02,108,300,50,222,5")
    edit(files["perp"], 8, "2024-01-02T16:00:00Z,111,222,55,200,7")
    changed = market.read_csv(**files)
    pd.testing.assert_frame_equal(whole.iloc[:-1], changed.iloc[:-1], check_exact=True)
    assert changed["spot"].iloc[-1] == 222


def test_wicks_are_limited_to_spot(files):
    edit(files["perp"], 4, "2024-01-01T08:00:00Z,102,323,20,108,7")
    kept, limited = market.read_csv(**files), market.read_csv(**files, wicks="spot")
    assert kept["mark_high"].iloc[2] == 323
    assert limited.attrs["wicks_limited"] == 2
    # Spot went from 98 to 110 that day, the perpetual stood at 101/100 of it.
    assert limited["mark_high"].iloc[2] == pytest.approx(110 * 1.01)
    assert limited["mark_low"].iloc[2] == pytest.approx(98 * 1.01)
    assert limited["mark_high"].drop(limited.index[2]).equals(kept["mark_high"].drop(kept.index[2]))
    assert limited["last_high"].iloc[2] == 323  # the last price was there: a stop on it is filled


def test_mark_file_takes_the_place_of_last_price(files, tmp_path):
    (tmp_path / "mark.csv").write_text(files["perp"].read_text())
    edit(files["perp"], 4, "2024-01-01T08:00:00Z,102,323,20,108,7")
    frame = market.read_csv(**files, mark=tmp_path / "mark.csv")
    assert frame["mark_high"].max() == 112
    assert frame["last_high"].max() == 323 and frame["last_low"].min() == 20
    assert "stands in for mark" not in " ".join(frame.attrs["notes"])


@pytest.mark.parametrize("unit", [1, 1000], ids=["milliseconds", "microseconds"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("zipped", [True, False])
def test_bulk_files(tmp_path, unit, header, zipped):
    prices = ["42313.90000000", "42554.57000000", "42261.02000000"]
    names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore\n"
    names = names.replace("a,b", "taker_buy_volume,taker_buy_quote_volume")
    text = names * header + "".join(
        f"{(NEW_YEAR + i * 8 * HOUR) * unit},{p},42600.1,42200.2,{p},1,0,0,0,0,0,0\n"
        for i, p in enumerate(prices)
    )
    path = tmp_path / "bars.csv"
    path.write_text(text)
    if zipped:
        path = tmp_path / "bars.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / "bars.csv", "bars.csv")
    (tmp_path / "funding.csv").write_text(
        "calc_time,funding_interval_hours,last_funding_rate\n"
        + "".join(f"{NEW_YEAR + i * 8 * HOUR + 7},8,0.0000{i}374\n" for i in range(4))
    )
    frame = market.read_csv(spot=path, perp=path, funding=tmp_path / "funding.csv", symbol="BTCUSDT")
    assert frame["spot"].tolist() == [42313.9, 42554.57, 42261.02] == frame["mark"].tolist()
    assert frame["funding"].tolist() == [0.00001374, 0.00002374, 0.00003374]
    assert frame.index[0] == pd.Timestamp("2024-01-01 08:00", tz="UTC")


def test_several_files_follow_each_other(files, tmp_path):
    whole = market.read_csv(**files)
    lines = files["perp"].read_text().splitlines(keepends=True)
    (tmp_path / "one.csv").write_text("".join(lines[:4]))
    (tmp_path / "two.csv").write_text("".join(lines[:1] + lines[4:]))
    files["perp"] = [tmp_path / "one.csv", tmp_path / "two.csv"]
    pd.testing.assert_frame_equal(market.read_csv(**files), whole, check_exact=True)
    files["perp"].reverse()
    pd.testing.assert_frame_equal(market.read_csv(**files), whole, check_exact=True)


def test_wicks_are_limited_to_all_of_spot_within_the_bar(read):
    spot = made.candles(rows=60, hours=4)
    lows, highs = (
        spot["low"].to_numpy().reshape(-1, 2).min(axis=1),
        spot["high"].to_numpy().reshape(-1, 2).max(axis=1),
    )
    perp = spot.iloc[::2].assign(close=spot["close"].to_numpy()[1::2], low=lows, high=highs * 1.5)
    limited = read(spot=made.bulk(spot), perp=made.bulk(perp), wicks="spot")
    assert limited["mark_high"].tolist() == highs.tolist() and limited["mark_low"].tolist() == lows.tolist()
    assert limited.attrs["wicks_limited"] == 30


@pytest.mark.parametrize(
    ("file", "line", "text", "message"),
    [
        (
            "perp",
            4,
            None,
            r"perp\.csv, line 4: rows are missing: .* 2024-01-01 08:00 .*\(8 hours\); add a file",
        ),
        (
            "perp",
            4,
            "2024-01-01T00:00:00Z,1,1,1,1,7",
            r"perp\.csv, line 4: this time is there twice, .*csv, line 3",
        ),
        ("perp", 4, "2023-12-31T00:00:00Z,1,1,1,1,7", r"perp\.csv, line 5: rows are missing"),
        (
            "perp",
            4,
            "2024-01-01T05:00:00Z,1,1,1,1,7",
            r"perp\.csv, line \d: \d hours lie between two bars, but not",
        ),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,0,1,0,1,7",
            r"perp\.csv, line 4: prices must lie between 0 and 1e.12, got open '0', high '1'",
        ),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,1,nan,1,1,7",
            r"line 4: prices must lie between 0 and 1e.12, got open '1', high 'nan'",
        ),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,1,,1,1,7",
            r"line 4: prices must lie between 0 and 1e.12, got open '1', high ''",
        ),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,1,inf,1,1,7",
            r"line 4: prices must be in finite numbers, got open '1', high 'inf'",
        ),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,1,1e99,1,1,7",
            r"line 4: prices must lie between 0 and 1e.12, got open '1', high '1e99'",
        ),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,5,6,4,7,7",
            r"line 4: open and close must lie between low and high",
        ),
        ("perp", 4, "yesterday,5,6,4,5,7", r"line 4: time must be ISO 8601"),
        ("perp", 4, "2024-01-01T08:00:00Z,5", r"line 4: 6 cells expected, got 2"),
        ("perp", 4, '2024-01-01T08:00:00Z,"5', r"perp\.csv, line \d+: unexpected end of data"),
        ("spot", 1, "date_utc,open_usdt,high_usdt,low_usdt,close_usdt,volume_eth", "about ETH, not BTCUSDT"),
        ("spot", 3, "2023-12-31,1,1,1,1,5", "are these the same coin"),
        (
            "funding",
            4,
            None,
            r"funding\.csv, line 4: settlements are missing before this one, 16 hours after",
        ),
        (
            "funding",
            4,
            "2024-01-01T16:00:00Z,BTCUSDT,1.5,2",
            r"line 4: a rate must be a fraction, .* got 1\.5",
        ),
        (
            "funding",
            4,
            "2024-01-01T12:00:00Z,BTCUSDT,0,2\n2024-01-01T16:00:00Z,BTCUSDT,0,2",
            "settled at 2024-01-01 12:00, where no bar",
        ),
    ],
)
def test_broken_files_are_refused(files, file, line, text, message):
    edit(files[file], line, text)
    with pytest.raises(ValueError, match=message):
        market.read_csv(**files)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbol": "SOLUSDT"}, "about BTC, not SOLUSDT"),
        ({"symbol": "BTCUSD"}, "no funding of BTCUSD; the file has BTCUSDT, ETHUSDT"),
        ({"symbol": 5}, "symbol must be a name"),
        ({"symbol": "/"}, "symbol must be a name"),
        ({"wicks": "cut"}, "wicks must be one of 'keep', 'spot'"),
        ({"perp": None}, "give perp="),
        ({"spot": "nowhere.csv"}, r"cannot read nowhere\.csv: No such file"),
        ({"mark": "nowhere.csv"}, r"cannot read nowhere\.csv: No such file"),
        ({"spot": 3}, "must be given by its path"),
        ({"spot": []}, "must be given by its path"),
        ({"start": "soon"}, "a time must be a day or a time"),
        ({"start": "2024-01-02", "end": "2024-01-01"}, "start must be before end"),
        ({"end": "2020-01-01"}, "share no bar to 2020-01-01"),
        ({"rate_unit": "bps"}, "rate_unit must be one of 'fraction', 'percent', 'basis points'"),
        ({"timezone": "Mars"}, "timezone must be a name such as 'Europe/London', got 'Mars'"),
        ({"timezone": {"price": "UTC"}}, "a file that timezone speaks of must be one of 'spot'"),
        ({"columns": ["time"]}, "columns must be a dict"),
        ({"columns": {"Zeit": "Uhr"}}, "what columns says of 'Zeit' must be one of 'time', 'closed', 'open'"),
        ({"columns": {"time": 3}}, "what columns says of 'time' must be one of 'time'.* got 3"),
        ({"columns": {"Kurs": "close"}}, "columns speaks of 'Kurs', but no file has such a column"),
    ],
)
def test_bad_arguments_are_refused(files, change, message):
    with pytest.raises(ValueError, match=message):
        market.read_csv(**(files | change))


@pytest.mark.parametrize("name", ["spot", "funding"])
def test_files_without_a_common_bar_are_refused(files, name):
    text = files[name].read_text().replace("2024-01-", "2029-01-").replace("2023-12-", "2028-12-")
    files[name].write_text(text)
    with pytest.raises(ValueError, match="share no bar"):
        market.read_csv(**files)


@pytest.mark.parametrize("name", ["spot", "perp", "funding"])
@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("x.zip", b"not a zip", "cannot read x.zip: this is no archive"),
        ("x.zip", zipped(), "x.zip holds no CSV file, only: nothing"),
        ("x.zip", zipped(**{"a.json": "{}"}), "x.zip holds no CSV file, only: a.json"),
        ("x.xlsx", zipped(**{"[Content_Types].xml": "<"}), "x.xlsx is an Excel workbook: save"),
        ("x.csv", b"\xff\xfe\x00", "cannot read x.csv: it is not UTF-8"),
        ("x.csv", "Kurs für Tag".encode("latin-1"), "cannot read x.csv: it is not UTF-8"),
        ("x.csv", b"<!DOCTYPE html><title>404", "cannot read x.csv: this is a web page"),
        ("x.csv", b'[{"symbol": 1}]', "cannot read x.csv: this is JSON"),
        ("empty.csv", b"", "cannot read empty.csv: the file is empty"),
        ("blank.csv", b"\n\n", "cannot read blank.csv: the file is empty"),
        ("words.csv", b"hello\nworld\n", "words.csv, line 1: a table needs a time and a number"),
        ("bare.csv", b"time,close,rate\n", "bare.csv: no rows under the header"),
        ("gaps.csv", b"time,close,rate\n2024-08-01,,\n", "gaps.csv: no row has a"),
    ],
)
def test_unreadable_files_are_refused(read, put, name, path, content, message):
    with pytest.raises(ValueError, match=message):
        read(**{name: put(path, content)})


def test_spaces_around_cells_do_not_matter(files):
    plain = market.read_csv(**files)
    for name in ("spot", "perp", "funding"):
        files[name].write_text(files[name].read_text().replace(",", " , "))
    pd.testing.assert_frame_equal(market.read_csv(**files), plain, check_exact=True)


# The unit of funding.


def api(rate, unit=1, symbol="BTCUSDT"):
    """Ten days of settlements, one rate or a list, without an interval or a unit."""
    return made.api(made.rates(rate=rate), unit).replace("BTCUSDT", symbol)


def written(header, cells):
    """Settlements under a header, with these texts as rates; the last one for all others."""
    cells = [*cells, *cells[-1:] * (len(RATES) - len(cells))]
    lines = (f"{ms(time)},{cell}" for time, cell in zip(RATES.index, cells, strict=True))
    return "\n".join([header, *lines, ""])


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("time,Funding Rate", "0.010000%"),
        ("time,Funding Rate", "0.01 %"),
        ("time,Funding Rate", "0.1‰"),
        ("time,Funding Rate", "1 bp"),
        ("time,Funding Rate (%)", "0.01"),
        ("time,Funding Rate (%)", "0.01%"),
        ("time,funding_rate_pct", "0.01"),
        ("time,funding_rate_bps", "1.0"),
        ("time,funding_rate", "1E-04"),
        ("time,funding_rate", '"0,0001"'),
    ],
)
def test_a_stated_unit_is_read(read, header, cell):
    assert read(funding=written(header, [cell]))["funding"].tolist() == [1e-4] * 30


@pytest.mark.parametrize(("unit", "scale"), [("percent", 100), ("basis points", 1e4), ("fraction", 1)])
def test_a_unit_can_be_said(read, unit, scale):
    assert read(funding=api(1e-4, scale), rate_unit=unit)["funding"].tolist() == [1e-4] * 30


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT", "PEPEUSDT"])
@pytest.mark.parametrize(
    ("scale", "likely"),
    [
        (100, "percent: say rate_unit='percent'"),
        (1e4, "basis points: say rate_unit='basis points'"),
        (1095, "yearly rates: divide them by 1,095"),
        (109_500, "yearly rates in percent"),
        (6e7, "no rates but prices, or amounts of money"),
    ],
)
def test_another_unit_is_refused_by_its_likely_name(read, symbol, scale, likely):
    with pytest.raises(ValueError, match=rf"funding0\.csv, line 2: .*{likely}"):
        read(funding=api(1e-4, scale, symbol), symbol=symbol)


def test_half_a_file_in_another_unit_is_refused(read):
    message = r"15 of 31 exceed 0\.3 %, the cap of BTCUSDT\. Most likely these are percent"
    with pytest.raises(ValueError, match=message):
        read(funding=api([1e-4] * 16 + [0.01] * 15))
    with pytest.raises(ValueError, match=r"funding1\.csv, line 2: .*percent"):
        read(funding=[made.api(RATES[:27]), made.api(RATES[27:], 100)])


@pytest.mark.parametrize("rate", [-0.02, 0.03, -0.025])
def test_one_real_print_of_an_altcoin_is_read(read, rate):
    frame = read(funding=api([1e-4] * 7 + [rate] + [1e-4] * 23, symbol="PEPEUSDT"), symbol="PEPEUSDT")
    assert frame["funding"].iloc[6] == rate and notes(frame, STANDS_IN)


def test_a_print_beyond_the_cap_is_noted(read):
    frame = read(funding=api([1e-4] * 7 + [-0.005] + [1e-4] * 23))
    told = "1 of 31 rates exceed the cap of BTCUSDT, 0.3 %; the first is -0.5 % on 2024-08-03"
    assert frame["funding"].iloc[6] == -0.005 and notes(frame, STANDS_IN, told)


def test_a_print_beyond_any_exchange_is_refused_unless_said(read):
    content = api([1e-4] * 7 + [0.55] + [1e-4] * 23)
    message = r"line 9: a rate must be a fraction, and this is more than any exchange .* got 0\.55"
    with pytest.raises(ValueError, match=message):
        read(funding=content)
    assert read(funding=content, rate_unit="fraction")["funding"].max() == 0.55


@pytest.mark.parametrize(("rate", "told"), [(0.002, "219 % a year"), (1e-7, "0.01095 % a year")])
def test_unlikely_means_are_noted(read, rate, told):
    assert notes(read(funding=api(rate)), STANDS_IN, told)


@pytest.mark.parametrize(
    ("header", "cells", "unit", "message"),
    [
        ("time,Funding Rate", ["0.01%", "0.01"], None, "line 3: rates must be in one unit, got '0.01'"),
        ("time,Funding Rate", ["0.01%", "1 bp"], None, "line 3: rates must be in one unit, got '1 bp'"),
        ("time,Funding Rate", ["0.01%"], "fraction", "line 2: rates must be in one unit, got '0.01%'"),
        ("time,Rate (%)", ["1 bp", "0.01"], None, "line 2: rates must be in one unit, got '1 bp'"),
        ("time,funding_rate_bps", ["1"], "percent", "the header states another unit of the rates"),
        ("time,apr", ["0.1"], None, "no column is known to be the rate among time, apr"),
    ],
)
def test_units_that_contradict_each_other_are_refused(read, header, cells, unit, message):
    with pytest.raises(ValueError, match=message):
        read(funding=written(header, cells), rate_unit=unit)


@pytest.mark.parametrize("symbol", ["ETHUSDT", "BTCUSDC", "BTCUSD_PERP", "1000BTCUSDT", "BTC-USDC-SWAP"])
def test_funding_of_another_contract_is_refused(read, symbol):
    with pytest.raises(ValueError, match=f"no funding of BTCUSDT; the file has {symbol}"):
        read(funding=api(1e-4, symbol=symbol))


@pytest.mark.parametrize(
    "symbol",
    ["btcusdt", "BTC-USDT-SWAP", "BTC/USDT:USDT", "BTCUSDT Perpetual", "BINANCE:BTCUSDT.P", "BTC", "XBTUSDT"],
)
def test_one_contract_has_many_names(read, symbol):
    assert len(read(funding=api(1e-4, symbol=symbol))) == 30


@pytest.mark.parametrize(
    "name", ["ETHUSDT-funding-2024-08.csv", "binance_ethusdt.csv", "ETH-USDT-SWAP-1.csv"]
)
def test_the_name_of_a_file_tells_another_coin(read, put, name):
    content = made.settled(RATES)
    with pytest.raises(ValueError, match=r"the name of the file says ETH-?USDT, not BTCUSDT"):
        read(funding=put(name, content))
    assert len(read(funding=put("BTCUSDT-8.csv", content), perp=put("prices_usd.csv", ALL))) == 30


def test_there_is_no_minus_zero(read):
    frame = read(funding=written("time,funding_rate", ["-0.00000000"]))
    assert not np.signbit(frame["funding"]).any() and not frame["funding"].any()


# The clock.


def web(rows, zone="UTC"):
    """The table of the exchange's web page: percent, newest first, in the clock of the browser."""

    def write(time, rate):
        return f'"{time.tz_convert(zone):%Y-%m-%d %H:%M:%S}","BTCUSDT Perpetual","8h","{100 * rate:.6f}%"'

    return made.table('"Time","Contracts","Funding Interval","Funding Rate"', rows[::-1], write)


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Tokyo", "America/New_York", "Asia/Kolkata"])
def test_a_clock_that_is_not_utc_is_noticed_and_can_be_said(read, zone):
    content = web(RATES, zone)
    with pytest.raises(ValueError, match=r"settled at .*, where no bar .* say timezone="):
        read(funding=content)
    frame = read(funding=content, timezone=zone)
    assert frame["funding"].tolist() == [1e-4] * 30 and notes(frame, STANDS_IN)
    assert read(funding=content, timezone={"funding": zone}).equals(frame)
    if zone != "Asia/Kolkata":  # half past the hour, where no bar of an hour closes
        hourly = made.bulk(made.candles(rows=240, hours=1))
        told = read(funding=content, spot=hourly, perp=hourly).attrs["notes"]
        assert any("off the grid" in note for note in told)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Asia/Singapore", "UTC"])
def test_the_clock_of_the_web_page_is_asked_for_where_it_cannot_be_seen(read, zone):
    """Eight hours ahead of UTC, settlements fall on the same hours."""
    told = "funding0.csv: the exchange's page writes times in the clock of your browser"
    assert notes(read(funding=web(RATES, "UTC")), STANDS_IN, told)
    frame = read(funding=web(made.rates(rate=np.arange(31) / 1e6), zone), timezone=zone)
    assert frame["funding"].tolist() == pytest.approx(np.arange(1, 31) / 1e6, rel=1e-12)
    assert notes(frame, STANDS_IN)


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Berlin", "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize("first", ["2024-03-05", "2024-10-01"])
def test_summer_time_begins_and_ends(read, zone, first):
    prices, rows = made.bulk(made.candles(first, rows=132)), made.rates(first, rows=133)
    assert len(read(spot=prices, perp=prices, funding=web(rows, zone), timezone=zone)) == 132
    with pytest.raises(ValueError, match="say timezone="):
        read(spot=prices, perp=prices, funding=web(rows, zone))


def test_an_hour_that_a_clock_leaves_out_is_refused(read):
    content = "time,close\n2024-03-31 01:30,5\n2024-03-31 02:30,5\n"
    with pytest.raises(
        ValueError, match=r"line 2: the clock of Europe/London leaves this hour out, got '2024-03-31 01:30"
    ):
        read(spot=content, timezone="Europe/London")


NOON = pd.Timestamp("2024-08-13 12:00", tz="UTC")


@pytest.mark.parametrize(
    ("write", "zone"),
    [
        ("Tue Aug 13 2024 14:00:00 GMT+0200 (Central European Summer Time)", "Asia/Tokyo"),
        ("Tue, 13 Aug 2024 12:00:00 GMT", "Asia/Tokyo"),
        ("2024-08-13T12:00:00.000Z", "Asia/Tokyo"),
        ("2024-08-13 17:30:00 +05:30", "Asia/Tokyo"),
        ("2024-08-13 12:00 UTC", "Asia/Tokyo"),
        ("13-Aug-2024 21:00", "Asia/Tokyo"),
        ("August 13, 2024, 9:00 PM", "Asia/Tokyo"),
        ("08/13/2024, 21:00:00", "Asia/Tokyo"),
        ("13.8.2024 21:00", "Asia/Tokyo"),
        ("2024/8/13 21:00", "Asia/Tokyo"),
        ("202408132100", "Asia/Tokyo"),
        ("20240813210000", "Asia/Tokyo"),
        ("1723550400", "Asia/Tokyo"),
        ("1723550400000.0", "Asia/Tokyo"),
        ("1723550400000000", "Asia/Tokyo"),
        ("1723550400000000000", "Asia/Tokyo"),
    ],
)
def test_a_time_has_one_meaning(read, write, zone):
    content = f'time;close\n"{write}";5\n"2024-08-14T12:00Z";6\n'
    frame = read(spot=content, perp=None, funding=None, timezone=zone)
    assert frame.index[0] - pd.Timedelta("1D") == NOON


@pytest.mark.parametrize(
    "write",
    [
        "2024-08-13 12:00 EST",
        "2024-08-13 14:00 CEST",
        "2024-08-13 12:00 (UTC)",
        "2024-08-13 24:00",
        "2024-08-13T12",
        "13.08.24 12:00",
        "45517.5",  # what a spreadsheet counts in days since 1900
        "1.72355E+12",
        "17235504000",
        "12:00",
        "now",
        "2024-W33-2",
        "2024-02-30",
    ],
)
def test_a_time_that_can_be_read_in_two_ways_is_refused(read, write):
    with pytest.raises(ValueError, match=r"line 2: time must be ISO 8601, a day, or .*, got '"):
        read(spot=f'time;close\n"{write}";5\n2024-08-14;6\n', perp=None, funding=None)


@pytest.mark.parametrize("hours", [8, -8, 16])
def test_prices_in_two_clocks_are_refused(read, hours):
    rows = made.candles(rows=90)
    moved = rows.set_axis(rows.index + pd.Timedelta(hours=hours), axis=0)
    side = "earlier" if hours > 0 else "later"
    with pytest.raises(
        ValueError, match=f"agree only when spot is read {abs(hours)} hours {side}: is the clock"
    ):
        read(spot=made.bulk(moved), perp=made.bulk(rows), funding=made.settled(made.rates(rows=91)))


# The interval of funding.


def often(read, funding, hours=1):
    """Read settlements at bars as short as these hours."""
    prices = made.bulk(made.candles(rows=240 // hours, hours=hours))
    return read(spot=prices, perp=prices, funding=funding)


def per(hours, rows):
    """Settlements under a name that states hours."""
    header = f"time_utc,symbol,rate_per_{hours}h"
    return made.table(header, rows, lambda time, rate: f"{time:%Y-%m-%d %H:%M},BTCUSDT,{rate:.8f}")


@pytest.mark.parametrize("hours", [1, 2, 4])
def test_a_name_that_contradicts_the_spacing_is_refused(read, hours):
    rows = made.rates(rows=240 // hours + 1, hours=hours)
    message = f"says that a rate is for 8 hours, but its rows are {hours} hours? apart"
    for content in (per(8, rows), made.settled(rows, hours=8)):
        with pytest.raises(ValueError, match=message):
            often(read, content)
    for content in (per(hours, rows), made.settled(rows, hours=hours), made.api(rows)):
        assert (often(read, content)["funding"] == 1e-4).sum() == 240 // hours


@pytest.mark.parametrize("write", [per, lambda hours, rows: made.settled(rows, hours=hours)])
@pytest.mark.parametrize("hours", [1, 2, 4])
def test_a_name_may_state_too_few_hours_as_well(read, write, hours):
    message = f"says that a rate is for {hours} hours?, but its rows are 8 hours apart"
    with pytest.raises(ValueError, match=message):
        read(funding=write(hours, RATES))


@pytest.mark.parametrize("write", ["8", "8h", "8 hours", "480", "28800", "2000-01-01T08:00:00.000Z"])
def test_hours_are_written_in_many_ways(read, write):
    assert len(read(funding=made.settled(RATES, hours=write))) == 30


def test_hours_that_are_none_are_refused(read):
    with pytest.raises(ValueError, match=r"line 2: hours must be as 8 or 8h, got 'daily'"):
        read(funding=made.settled(RATES, hours="daily"))
    content = made.settled(RATES, hours=4).replace("last_funding_rate", "rate_per_8h")
    with pytest.raises(ValueError, match="line 2: its hours are not those in the name of its rate"):
        read(funding=content)


@pytest.mark.parametrize("hours", [1, 2, 4, 8])
@pytest.mark.parametrize("lost", [[1], [20], [20, 21], [20, 22, 24], [-2]])
def test_missing_settlements_are_noticed_at_any_spacing(read, hours, lost):
    rows = made.rates(rows=240 // hours + 1, hours=hours)
    rows = rows.drop(rows.index[lost])
    for content in (made.api(rows), per(8, rows)):
        with pytest.raises(ValueError, match=r"funding0\.csv, line \d+: settlements are missing before"):
            often(read, content)
    with pytest.raises(ValueError, match=r"settlements are missing before|says that a rate is for"):
        often(read, made.settled(rows, hours=hours))


def test_the_interval_may_change(read):
    early, late = made.rates(rows=16), made.rates("2024-08-06 01:00", rows=120, hours=1, rate=1.25e-5)
    rows = pd.concat([early, late])
    for content in (made.api(rows), made.api(rows[::-1]), [made.settled(early), made.settled(late, hours=1)]):
        assert often(read, content)["funding"].sum() == pytest.approx(30 * 1e-4)


def test_an_extra_settlement_is_read(read):
    rows = pd.concat([RATES, made.rates("2024-08-03 20:00", rows=1, rate=-0.005)]).sort_index()
    for content in (made.settled(rows), made.api(rows), per(8, rows)):
        assert often(read, content, hours=4)["funding"].sum() == pytest.approx(30 * 1e-4 - 0.005)


# Archives.


@pytest.mark.parametrize(
    "archive",
    [
        zipped(**{"p.csv": ALL}),
        zipped(**{"data/": "", "data/P.CSV": ALL}),
        zipped(**{"__MACOSX/._p.csv": "\0\5", "p.csv": ALL, ".DS_Store": "\0"}),
        zipped(**{"a.csv": ONE, "b.csv": TWO}),
        zipped(**{"b.csv": TWO, "a.csv": ONE, "__MACOSX/._b.csv": "\0"}),
        zipped(**{"a.zip": zipped(**{"a.csv": ONE}), "b.zip": zipped(**{"b.csv": TWO})}),
        zipped(**{"a.csv.gz": gzip.compress(ONE.encode()), "b.csv": TWO}),
        zipped(**{"prices.txt": ALL}),
        gzip.compress(ALL.encode()),
    ],
)
@pytest.mark.parametrize("name", ["p.zip", "P.CSV"])
def test_all_of_an_archive_is_read(read, put, archive, name):
    frame = read(perp=put(name, archive))
    assert frame["mark"].tolist() == PRICES["close"].tolist() and notes(frame, STANDS_IN)


def test_what_is_left_out_of_an_archive_is_noted(read, put):
    frame = read(perp=put("p.zip", zipped(**{"README.md": "hello", "p.csv": ALL, "sums.txt": "0af1"})))
    assert len(frame) == 30
    assert notes(frame, STANDS_IN, "README.md is no CSV file and is left out", "sums.txt is no CSV")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (made.bulk(made.candles(seed=1)), r"p\.zip/b\.csv, line 2: this time is there twice"),
        (made.settled(RATES), r"p\.zip/b\.csv, line 1: .* to be the time and close among calc"),
        (made.bulk(made.candles("2024-08-06", rows=60, hours=4)), r"p\.zip/b\.csv has bars of 4 hours"),
        ("hello\n", r"p\.zip/b\.csv, line 1: a table needs a time"),
    ],
)
def test_members_that_do_not_fit_are_refused_by_name(read, put, content, message):
    with pytest.raises(ValueError, match=message):
        read(perp=put("p.zip", zipped(**{"a.csv": ONE, "b.csv": content})))


def test_a_member_that_is_named_after_another_coin_is_refused(read, put):
    archive = zipped(**{"BTCUSDT-8h-1.csv": ONE, "ETHUSDT-8h-2.csv": TWO})
    with pytest.raises(ValueError, match=r"p\.zip/ETHUSDT-8h-2\.csv: the name of the file says ETHUSDT"):
        read(perp=put("p.zip", archive))


def test_a_damaged_archive_is_refused(read, put):
    harmed = bytearray(zipped(**{"p.csv": ALL}))
    harmed[60] ^= 1
    with pytest.raises(ValueError, match=r"cannot read p\.zip: Bad CRC-32"):
        read(perp=put("p.zip", bytes(harmed)))
    with pytest.raises(ValueError, match=r"cannot read p\.gz: Compressed file ended"):
        read(perp=put("p.gz", gzip.compress(ALL.encode())[:-20]))


def test_a_folder_is_told_how_to_give_its_files(read, tmp_path):
    with pytest.raises(ValueError, match=r"is a folder: give its files, as sorted\(Path\("):
        read(perp=str(tmp_path))


# Holes and overlaps.


@pytest.mark.parametrize("order", [1, -1])
def test_files_are_merged_by_time(read, order):
    hole = slice(9, 12)
    whole, month, day = read(), PRICES.drop(PRICES.index[hole]), PRICES[hole]
    assert read(perp=[made.bulk(month), made.bulk(day)][::order]).equals(whole)
    assert read(perp=[made.bulk(PRICES[:16]), made.bulk(PRICES[15:])][::order]).equals(whole)
    assert read(perp=[ALL, ALL]).equals(whole)
    assert read(funding=[made.settled(RATES[:18]), made.api(RATES[12:])][::order]).equals(whole)


def test_rows_that_contradict_each_other_are_refused_with_both_places(read):
    other = PRICES[15:].copy()
    other.iloc[0, 1] *= 1.001
    message = r"perp1\.csv, line 2: this time is there twice, 2024-08-06 08:00: high .*perp0\.csv, line 17"
    with pytest.raises(ValueError, match=message):
        read(perp=[made.bulk(PRICES[:16]), made.bulk(other)])
    message = r"funding1\.csv, line 2: .* rate is 0\.0002 here and 0\.0001 in funding0\.csv, line 32"
    with pytest.raises(ValueError, match=message):
        read(funding=[made.settled(RATES), made.settled(2 * RATES[-1:])])


@pytest.mark.parametrize("lost", [[10], [10, 11, 12], [5, 20]])
def test_a_hole_in_spot_is_bridged_from_mark(read, lost):
    perp = (PRICES * np.linspace(1, 1.01, 30)[:, None]).round(6)
    frame = read(spot=made.bulk(PRICES.drop(PRICES.index[lost])), perp=made.bulk(perp))
    spot, mark = PRICES["close"].to_numpy().copy(), perp["close"].to_numpy()
    for bar in lost:  # the basis of the last close that is known holds
        last = max(place for place in range(bar) if place not in lost)
        spot[bar] = mark[bar] * spot[last] / mark[last]
    assert frame["spot"].tolist() == pytest.approx(spot, rel=1e-12)
    assert notes(frame, STANDS_IN, f"spot has no close at {len(lost)} of 30 bars")


def test_a_hole_in_a_daily_spot_file_is_bridged(read):
    perp = made.bulk((PRICES * np.linspace(1, 1.01, 30)[:, None]).round(6))
    whole, bridged = (read(spot=made.bulk(spot), perp=perp) for spot in (DAYS, DAYS.drop(DAYS.index[6])))
    unlike = whole["spot"] != bridged["spot"]
    assert list(whole.index[unlike].strftime("%d %H")) == ["06 00", "06 08", "06 16"]
    assert any("no close at 1 of 10 bars (2024-08-06 00:00)" in note for note in bridged.attrs["notes"])


@pytest.mark.parametrize(
    ("lost", "length"), [([9], "8 hours"), ([9, 10], "16 hours"), (range(9, 16), "2 days 8 hours")]
)
def test_a_hole_in_perp_is_named_with_its_length_and_the_ways_out(read, lost, length):
    perp = made.bulk(PRICES.drop(PRICES.index[list(lost)]))
    message = rf"line 11: rows are missing: the perpetual has no bars .*\({length}\); add a file"
    with pytest.raises(ValueError, match=message) as told:
        read(perp=perp)
    end, start = (str(told.value).split(f"{word}='")[1].split("'")[0] for word in ("end", "start"))
    assert read(perp=perp, end=end)["mark"].tolist() == PRICES["close"][:9].tolist()
    assert read(perp=perp, start=start)["mark"].tolist() == PRICES["close"][max(lost) + 1 :].tolist()


def test_a_hole_in_funding_is_not_entered_from_within(read):
    content = made.settled(RATES.drop(RATES.index[9:14]))
    message = r"line 11: settlements are missing before this one, 2 days after that of 2024-08-03 16"
    for more in ({}, {"start": "2024-08-05"}, {"end": "2024-08-05"}):
        with pytest.raises(ValueError, match=message):
            read(funding=content, **more)
    assert len(read(funding=content, start="2024-08-05 16:00")) == 17
    assert len(read(funding=content, end="2024-08-03 16:00")) == 8


@pytest.mark.parametrize(
    ("change", "rows", "left", "why"),
    [
        (
            {"funding": made.settled(RATES[:20])},
            19,
            "11 bars of spot, 11 bars of perpetual",
            "funding 2024-08-01 00:00 to 2024-08-07 08:00",
        ),
        (
            {"perp": ONE},
            15,
            "15 bars of spot, 16 settlements",
            "perpetual 2024-08-01 08:00 to 2024-08-06 00:00",
        ),
        (
            {"spot": TWO},
            15,
            "15 bars of perpetual, 16 settlements",
            "spot 2024-08-06 08:00 to 2024-08-11 00:00",
        ),
        (
            {"spot": made.bulk(DAYS[4:9])},
            13,
            "17 bars of perpetual",
            "spot 2024-08-04 00:00 to 2024-08-08 00:00",
        ),
    ],
)
def test_a_cut_is_told(read, change, rows, left, why):
    frame = read(**change)
    (told,) = [note for note in frame.attrs["notes"] if note.startswith("what all files have is shown; ")]
    assert len(frame) == rows and left in told and why in told


def test_start_and_end(read):
    whole, part = read(), read(start="2024-08-03", end="2024-08-05")
    pd.testing.assert_frame_equal(part, whole.loc["2024-08-03":"2024-08-05 00:00"], check_exact=True)
    assert notes(part, STANDS_IN)
    known = "known from 2024-08-01 08:00 to 2024-08-11 00:00 only"
    assert notes(read(start="2024-07-01"), STANDS_IN, known)


# Price files.


def test_both_price_files_are_used(read):
    last = PRICES.copy()
    last.iloc[10, 1] *= 1.25
    frame = read(perp=made.bulk(last), mark=ALL)
    assert frame["last_high"].tolist() == last["high"].tolist()
    assert frame["last_low"].tolist() == last["low"].tolist()
    assert frame["mark_high"].tolist() == PRICES["high"].tolist() and notes(frame)
    filled = {
        on: ledger.run(frame, Hedge(1, 1, 2, "BTCUSDT"), plan.Plan(stop=plan.Stop(move=0.15, on=on)))["event"]
        for on in ("last", "mark")
    }
    assert filled["last"].str.startswith("stop").any() and not filled["mark"].str.startswith("stop").any()


@pytest.mark.parametrize("lost", [[9], [0, 1], range(10, 30)])
def test_where_mark_is_missing_the_last_price_stands_in(read, lost):
    mark, last = PRICES.drop(PRICES.index[list(lost)]), (PRICES * 1.001).round(6)
    frame = read(perp=made.bulk(last), mark=made.bulk(mark))
    expected = PRICES["close"].where(PRICES.index.isin(mark.index), last["close"])
    assert frame["mark"].tolist() == expected.tolist()
    assert notes(frame, "where mark is missing, the last price of the perpetual stands in")


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (made.bulk(made.candles(level=3_000)), "mark closes at .* are these the same coin"),
        (made.bulk(made.candles(rows=60, hours=4)), "mark has bars of 4 hours, perp of 8 hours"),
        (made.bulk(PRICES[:1]), "one row only; candles need at least two"),
    ],
)
def test_a_mark_file_that_does_not_fit_is_refused(read, mark, message):
    with pytest.raises(ValueError, match=message):
        read(mark=mark)


def test_mark_alone_is_enough(read):
    frame = read(perp=None, mark=ALL)
    assert notes(frame) and "last_high" not in frame


@pytest.mark.parametrize("scale", [1000, 0.001, 100, 10])
def test_spot_and_perpetual_of_two_scales_are_refused(read, scale):
    with pytest.raises(ValueError, match="are these the same coin"):
        read(spot=made.bulk((PRICES * scale).round(9)))


@pytest.mark.parametrize("scale", [0.92, 1.08, 0.79])
def test_spot_in_another_currency_is_refused(read, scale):
    with pytest.raises(ValueError, match="are they quoted in the same currency"):
        read(spot=made.bulk((PRICES * scale).round(6)))


# Layouts.


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("layout", made.FUNDING)
def test_layouts_of_funding(read, layout, order):
    header, write = made.FUNDING[layout]
    frame = read(funding=made.table(header, RATES[::order], write), timezone="UTC")
    assert frame["funding"].tolist() == [1e-4] * 30 and notes(frame, STANDS_IN)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("layout", made.CANDLES)
def test_layouts_of_candles(read, layout, order):
    rows = made.candles(rows=60)  # twenty days: one beyond the twelfth tells day from month
    header, write, *above = made.CANDLES[layout]
    spot = made.table(header, rows[::order], write, *above)
    frame = read(spot=spot, perp=made.bulk(rows), funding=made.settled(made.rates(rows=61)))
    assert frame["spot"].tolist() == rows["close"].tolist() and notes(frame, STANDS_IN)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("layout", made.DAYS)
def test_layouts_of_days(read, layout, order):
    days = made.candles(rows=20, hours=24)
    header, write = made.DAYS[layout]
    frame = read(spot=made.table(header, days[::order], write), perp=None, funding=None)
    assert frame["spot"].tolist() == days["close"].tolist()
    assert frame.index[0] == pd.Timestamp("2024-08-02", tz="UTC") and frame.attrs["hours"] == 24


def lines(header, write):
    return made.table(header, PRICES, lambda time, *prices: write(time, prices[3]))


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (
            "spot",
            lines("Datum,Kurs", lambda t, p: f"{t},{p}"),
            r"line 1: in a file for spot= no column is known to be the time and close among Datum, Kurs; say "
            r"which it is, columns=\{'...': 'time', '...': 'close'\}, or give one of the layouts",
        ),
        ("spot", lines("time,Kurs", lambda t, p: f"{t},{p}"), "to be the close among time, Kurs"),
        (
            "perp",
            made.settled(RATES),
            "for perp= no column is known to be the time and close among calc_time",
        ),
        ("funding", ALL, "no rates but prices"),
        (
            "funding",
            made.table("", RATES, lambda t, r: f"BTCUSDT,{ms(t)},{r}"),
            "if that is a row, the file has",
        ),
        (
            "spot",
            lines("", lambda t, p: f"{ms(t)},{p},{p + 1},{p - 1},{p - 2},1"),
            "must lie between low and high, got open .* close",
        ),
        (
            "spot",
            lines("", lambda t, p: f"{ms(t)},{p},{p}"),
            "has no header and 3 columns, which can be anything",
        ),
        ("spot", lines("time,close,close", lambda t, p: f"{ms(t)},1,1"), "names a column twice: close"),
        (
            "spot",
            lines("time,close", lambda t, p: f"{ms(t):.4E},{p}"),
            r"must be ISO 8601.* got '1\.7225E\+12'",
        ),
        ("spot", lines("time,close", lambda t, p: f"today,{p}"), "must be ISO 8601.* got 'today'"),
        (
            "spot",
            lines("time,close", lambda t, p: f"{t:%d/%m/%Y %H:%M},{p}"),
            "write days as 2024-08-31: day or month may be first, got",
        ),
        (
            "spot",
            "time,close\n13/08/2024,5\n08/14/2024,5\n",
            "in some rows the day is first, not in others, got '13/08/2024'",
        ),
        (
            "spot",
            lines("time;close", lambda t, p: f"{ms(t)};{p / 1000:.3f}"),
            r"can be 6\d\.\d+ or 6\d+, and no",
        ),
        (
            "spot",
            lines("time;close", lambda t, p: f"{ms(t)};60,{t:%d0}"),
            r"can be 60010 or 60\.01, and no row",
        ),
        (
            "spot",
            lines("time,symbol,close", lambda t, p: f"{ms(t)},ETHUSDT,{p}"),
            "no spot of BTCUSDT; the file",
        ),
        (
            "spot",
            lines("time,symbol,close", lambda t, p: f"{ms(t)},BTC-EUR,{p}"),
            "BTCUSDT; the file has BTC-EUR",
        ),
        (
            "spot",
            lines("time,close,Volume ETH", lambda t, p: f"{ms(t)},{p},1"),
            "header is about ETH, not BTCUSDT",
        ),
        (
            "spot",
            "Price,Close\nTicker,ETH-USD\nDate,\n2024-08-01,5\n",
            "line 2: the file is about ETH-USD, not",
        ),
        ("spot", "date,close\n2024-08-01,5\n2024-08-08,5\n", r"longer than a day \(7 days\)"),
    ],
)
def test_a_layout_that_is_not_known_is_told_in_one_sentence(read, kind, content, message):
    with pytest.raises(ValueError, match=message) as told:
        read(**{kind: content})
    assert "\n" not in str(told.value) and f"{kind}0.csv" in str(told.value)


def test_columns_can_be_named(read):
    spot = lines("Datum,Kurs", lambda t, p: f"{t:%Y-%m-%d %H:%M},{p}")
    rates = made.table("Zeit,Satz", RATES, lambda t, r: f"{t:%Y-%m-%d %H:%M},{r}")
    columns = {"Datum": "time", "Zeit": "time", "Kurs": "close", "Satz": "rate"}
    assert read(spot=spot, funding=rates, columns=columns).equals(read())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n\n",
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", ",,\n"),
        lambda text: "# from my own notes\n" + text,
        lambda text: text.replace("\n1722902400000", f"\n{made.BULK}\n1722902400000"),
    ],
    ids=["blank end", "blank lines", "crlf", "bom", "utf-16", "trailing commas", "comment", "header again"],
)
def test_form_does_not_matter(read, put, change):
    assert read(perp=put("p.csv", change(ALL))).equals(read())


def test_a_file_that_may_be_cut_short_is_noted(read, put):
    assert notes(read(perp=put("p.csv", ALL[:-1])), STANDS_IN, "p.csv does not end with a line break")
    with pytest.raises(ValueError, match=r"p\.csv, line 31: 12 cells expected, got 3"):
        read(perp=put("p.csv", ALL[:-40]))


# Closes only.


def test_dates_and_closes_suffice_where_only_closes_are_used(read):
    closes = made.table("Date,Close", DAYS, lambda time, *prices: f"{time:%Y-%m-%d},{prices[3]}")
    frame = read(spot=closes, perp=None, funding=None)
    assert list(frame) == ["spot", "mark"] and frame["mark"].tolist() == DAYS["close"].tolist()
    assert frame.attrs["label"] == "BTCUSDT, 2024-07-31 to 2024-08-15, closes only, from CSV files"
    assert notes(frame, "spot stands in for mark", "closes only: without highs and lows nothing can be said")
    with pytest.raises(ValueError, match="mark_high, mark_low, funding"):
        ledger.run(frame, Hedge(1, 1, 2, "BTCUSDT"))


def test_closes_suffice_for_spot_but_not_for_the_perpetual(read):
    closes = lines("time,close", lambda t, p: f"{ms(t)},{p}")
    assert read(spot=closes).equals(read())
    assert list(read(perp=closes)) == ["spot", "mark", "funding"]
    with pytest.raises(ValueError, match="wicks='spot' needs highs and lows"):
        read(spot=closes, wicks="spot")


def test_no_funding_is_told(read):
    frame = read(funding=None)
    assert "funding" not in frame and notes(frame, STANDS_IN, "no funding is given")


def test_a_hole_in_a_list_of_closes_is_named(read):
    closes = made.table(
        "Date,Close", DAYS.drop(DAYS.index[7]), lambda time, *prices: f"{time:%F},{prices[3]}"
    )
    with pytest.raises(
        ValueError, match=r"spot0\.csv, line 9: rows are missing: spot has no bars .*\(1 day\)"
    ):
        read(spot=closes, perp=None, funding=None)


# Labels.


def test_a_slice_relabels_itself(read):
    frame = read()
    whole = "BTCUSDT, 2024-08-01 to 2024-08-11, from CSV files"
    for part, days in (
        (frame, "2024-08-01 to 2024-08-11"),
        (frame.iloc[5:8], "2024-08-03 to 2024-08-03"),
        (frame.loc["2024-08-05":], "2024-08-05 to 2024-08-11"),
        (frame[frame["mark"] > 0].head(4), "2024-08-01 to 2024-08-02"),
        (frame.loc["2024-08-05":].assign(funding=0.0).copy(), "2024-08-05 to 2024-08-11"),
        (frame[["spot", "mark"]].tail(1), "2024-08-11 to 2024-08-11"),
    ):
        assert part.attrs["label"] == f"BTCUSDT, {days}, from CSV files"
        assert part.attrs["hours"] == 8 and part.attrs["symbol"] == "BTCUSDT"
    assert frame.attrs["label"] == whole and pd.DataFrame(frame).equals(frame)


# Any harm.


SETTLED = np.round(1e-4 * np.random.default_rng(3).normal(1, 0.8, 61), 8)
TRUE = {"spot": made.candles(rows=60, seed=3), "perp": made.candles(rows=60, seed=3)}
TRUE["funding"] = made.rates(rows=61, rate=SETTLED)
HARMS = (
    "shuffle",
    "newest first",
    "cut",
    "hole",
    "twice",
    "rescale",
    "rename",
    "clock",
    "split",
    "wrong",
    "thin",
    "blank",
    "symbol",
    "bytes",
)
LAYOUTS = {"spot": made.CANDLES, "funding": made.FUNDING, "perp": {}}


@st.composite
def harmed(draw):
    """Which of the three files was harmed, and what it or its parts look like then."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(sorted(TRUE)))
    harms = draw(st.lists(st.sampled_from(HARMS), max_size=3, unique=True))
    rows = TRUE[kind]
    if "cut" in harms:
        start = int(rng.integers(0, 30))
        rows = rows.iloc[start : start + int(rng.integers(12, 31))]
    if "hole" in harms and len(rows) > 4:
        rows = rows.drop(rows.index[rng.integers(1, len(rows) - 1, size=2)])
    if "twice" in harms:
        rows = pd.concat([rows, rows.iloc[rng.integers(0, len(rows), size=3)]])
    if "rescale" in harms:
        rows = rows * draw(st.sampled_from([0.001, 0.01, 100, 1_000, 1e4, 1_095]))
    if "clock" in harms:
        off = draw(
            st.sampled_from([1, -4, 5.5, 9] + [8] * (kind != "funding"))
        )  # settlements 8 hours off look right
        rows = rows.set_axis(rows.index + pd.Timedelta(hours=off), axis=0)
    if "wrong" in harms:
        rows = pd.concat([rows, 1.003 * rows.iloc[[int(rng.integers(0, len(rows)))]]])
    if "thin" in harms and kind == "funding":  # thinned candles are candles of longer bars
        rows = rows.iloc[int(rng.integers(0, 2)) :: 2]
    if "shuffle" in harms:
        rows = rows.sample(frac=1, random_state=int(rng.integers(0, 99)))
    if "newest first" in harms:
        rows = rows[::-1]
    at = int(rng.integers(0, len(rows))) if "split" in harms else len(rows)
    texts = []
    for part in (rows[: at + 2], rows[at:]):
        if len(part):
            layout = draw(st.sampled_from(["bulk", *LAYOUTS[kind]]))
            bulk = made.settled if kind == "funding" else made.bulk
            rounded = part.round(12 if kind == "funding" else 9)
            header, write, *above = LAYOUTS[kind].get(layout, ("", None))
            texts.append(made.table(header, rounded, write, *above) if write else bulk(rounded))
    if "rename" in harms:
        texts[0] = texts[0].replace("open", "opn").replace("close", "cls").replace("rate", "r")
    if "symbol" in harms:
        texts[0] = texts[0].replace("BTC", "ETH")
    if "blank" in harms:
        lines = texts[0].splitlines(keepends=True)
        line = int(rng.integers(0, len(lines)))
        cells = lines[line].rstrip("\n").split(",")
        cells[int(rng.integers(0, len(cells)))] = ""
        lines[line] = ",".join(cells) + "\n"
        texts[0] = "".join(lines)
    if "bytes" in harms:
        texts[0] = texts[0][: max(len(texts[0]) - int(rng.integers(1, 200)), 40)]
    return kind, texts


@settings(max_examples=150, deadline=None)
@given(case=harmed())
def test_harmed_files_end_in_the_right_frame_or_in_a_sentence(tmp_path_factory, case):
    kind, texts = case
    paths, whole = {}, {"spot": made.bulk(TRUE["spot"]), "perp": made.bulk(TRUE["perp"])}
    whole["funding"] = made.settled(TRUE["funding"])
    for each in whole:
        paths[each] = []
        for place, text in enumerate(texts if each == kind else [whole[each]]):
            paths[each].append(tmp_path_factory.getbasetemp() / f"{each}{place}.csv")
            paths[each][-1].write_text(text)
    try:
        frame = market.read_csv(**paths, symbol="BTCUSDT")
    except ValueError as told:
        assert str(told) and "\n" not in str(told)
        return
    told = " ".join(frame.attrs["notes"])
    if "does not end with a line break" in told:
        frame = frame.iloc[:-1]
    true = TRUE["perp"].set_axis(TRUE["perp"].index + pd.Timedelta("8h"), axis=0).loc[frame.index]
    for name, column in {"mark": "close", "mark_high": "high"}.items():
        assert (frame[name] == true[column].to_numpy()).all(), name
    assert np.allclose(frame["spot"], true["close"], rtol=1e-12, atol=0)
    if not any(word in told for word in ("a year", "say timezone=", "the cap of")):
        assert np.allclose(frame["funding"], TRUE["funding"]["rate"].loc[frame.index], rtol=0, atol=1e-8)
