"""The market frame: what is refused, and CSV files read to the last digit."""

import zipfile
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import market

HOUR = 3_600_000
NEW_YEAR = 1_704_067_200_000


def flat(rows=4):
    time = pd.date_range("2024-01-01", periods=rows, freq="8h", tz="UTC", name="time")
    return pd.DataFrame(60_000.0, index=time, columns=market.COLUMNS).assign(funding=1e-4)


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


def edit(path, line, text):
    """Replace one line, counted from 1; None removes it."""
    lines = path.read_text().splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_text("\n".join(lines) + "\n")


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


def test_mark_file_takes_the_place_of_last_price(files, tmp_path):
    text = files["perp"].read_text().replace("323", "109")
    (tmp_path / "mark.csv").write_text(text)
    edit(files["perp"], 4, "2024-01-01T08:00:00Z,102,323,101,108,7")
    frame = market.read_csv(**files, mark=tmp_path / "mark.csv")
    assert frame["mark_high"].max() == 112
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
    with pytest.raises(ValueError, match=r"one\.csv, line 2: times must ascend"):
        market.read_csv(**files)


@pytest.mark.parametrize(
    ("file", "line", "text", "message"),
    [
        ("perp", 4, None, r"perp\.csv, line 4: rows are missing"),
        ("perp", 4, "2024-01-01T00:00:00Z,1,1,1,1,7", r"perp\.csv, line 4: this time is there twice"),
        ("perp", 4, "2023-12-31T00:00:00Z,1,1,1,1,7", r"perp\.csv, line 4: times must ascend"),
        ("perp", 4, "2024-01-01T08:00:00Z,0,1,0,1,7", r"perp\.csv, line 4: open must be above 0"),
        ("perp", 4, "2024-01-01T08:00:00Z,1,nan,1,1,7", r"line 4: high must be a finite number, got 'nan'"),
        ("perp", 4, "2024-01-01T08:00:00Z,1,,1,1,7", r"line 4: high must be a finite number, got ''"),
        (
            "perp",
            4,
            "2024-01-01T08:00:00Z,5,6,4,7,7",
            r"line 4: open and close must lie between low and high",
        ),
        ("perp", 4, "yesterday,5,6,4,5,7", r"line 4: time must be ISO 8601"),
        ("perp", 4, "2024-01-01T08:00:00Z,5", r"line 4: 6 cells expected, got 2"),
        ("perp", 1, "a,b,c,d,e,f", r"perp\.csv, line 1: the header needs one column bar_open_utc or"),
        ("spot", 4, None, r"spot\.csv, line 4: rows are missing"),
        ("spot", 1, "date_utc,open_usdt,high_usdt,low_usdt,close_usdt,volume_eth", "about ETH, not BTCUSDT"),
        ("spot", 3, "2023-12-31,1,1,1,1,5", "are these the same coin"),
        ("funding", 4, None, r"funding\.csv, line 4: settlements are missing"),
        ("funding", 4, "2024-01-01T16:00:00Z,BTCUSDT,1.5,2", r"the rate must be a fraction"),
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
        ({"wicks": "cut"}, "wicks must be one of 'keep', 'spot'"),
        ({"perp": None}, "give perp="),
        ({"spot": "nowhere.csv"}, r"cannot read nowhere\.csv: No such file"),
        ({"spot": 3}, "must be given by its path"),
        ({"spot": []}, "must be given by its path"),
    ],
)
def test_bad_arguments_are_refused(files, change, message):
    with pytest.raises(ValueError, match=message):
        market.read_csv(**(files | change))


@pytest.mark.parametrize("name", ["spot", "funding"])
def test_files_without_a_common_bar_are_refused(files, name):
    files[name].write_text(
        files[name].read_text().replace("2024-01-", "2029-01-").replace("2023-12-", "2028-12-")
    )
    with pytest.raises(ValueError, match="share no bar"):
        market.read_csv(**files)


def test_unreadable_files_are_refused(files, tmp_path):
    for path, content in (
        ("x.zip", b"not a zip"),
        ("x.csv", b"\xff\xfe\x00"),
        ("empty.csv", b""),
        ("blank.csv", b"\n\n"),
    ):
        (tmp_path / path).write_bytes(content)
        for name in ("spot", "perp", "funding"):
            with pytest.raises(ValueError, match=f"cannot read {path}"):
                market.read_csv(**(files | {name: tmp_path / path}))


def test_spaces_around_cells_do_not_matter(files):
    plain = market.read_csv(**files)
    for name in ("spot", "perp", "funding"):
        files[name].write_text(files[name].read_text().replace(",", " , "))
    pd.testing.assert_frame_equal(market.read_csv(**files), plain, check_exact=True)


def test_validate_accepts_and_returns():
    good = flat()
    assert market.validate(good) is good
    assert market.validate(good.iloc[:1]) is not None
    assert market.validate(good.astype({"spot": "int64"})) is not None


@pytest.mark.parametrize("name", market.COLUMNS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@given(row=st.integers(0, 3))
def test_validate_names_the_row(name, value, row):
    bad = flat()
    bad.iloc[row, bad.columns.get_loc(name)] = value
    with pytest.raises(
        ValueError, match=rf"row {row} \(2024-01-0[12] \d\d:00\) of the market: {name} must be"
    ):
        market.validate(bad)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda m: None, "must be a DataFrame"),
        (lambda m: m.drop(columns="mark"), "each once; see mark"),
        (lambda m: pd.concat([m, m[["mark"]]], axis=1), "each once; see mark"),
        (lambda m: pd.concat({"BTC": m, "ETH": m}, axis=1), r"several coins \(BTC, ETH\)"),
        (lambda m: m.iloc[:0], "no rows"),
        (lambda m: m.iloc[::-1], "row 1 .*: times must ascend"),
        (lambda m: m.iloc[[0, 1, 1, 2]], "row 2 .*: this time is there twice"),
        (lambda m: m.iloc[[0, 1, 3]], "row 2 .*: bars must be evenly spaced"),
        (lambda m: m.reset_index(drop=True), "times in UTC"),
        (lambda m: m.tz_convert("Asia/Tokyo"), "times in UTC"),
        (lambda m: m.tz_localize(None), "times in UTC"),
        (lambda m: m.set_axis([*m.index[:3], pd.NaT]), "missing times"),
        (lambda m: m.astype({"spot": str}), "column spot of the market must hold numbers"),
        (lambda m: m.assign(spot=0.0), "row 0 .*: spot must be above 0"),
        (lambda m: m.assign(mark_low=60_001.0), "mark must lie between"),
        (lambda m: m.assign(mark_high=59_999.0), "mark must lie between"),
        (lambda m: m.assign(funding=-2.0), "funding must be a fraction"),
    ],
)
def test_validate_refuses(broken, message):
    with pytest.raises(ValueError, match=message):
        market.validate(broken(flat()))


def test_validate_compares_hours_with_the_rows():
    wrong = flat()
    wrong.attrs["hours"] = 24
    with pytest.raises(ValueError, match="attrs say that a bar has 24 hours"):
        market.validate(wrong)


def test_rows_of_a_frame_are_evenly_spaced(files):
    times = market.read_csv(**files).index
    assert all(after - before == pd.Timedelta("8h") for before, after in pairwise(times))


def test_an_empty_text_is_no_cache():
    with pytest.raises(ValueError, match="cache must be the path of a folder, got ''"):
        market.history("BTCUSDT", "2024-01-01", "2024-01-02", cache="")
