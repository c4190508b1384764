"""The example files beside the notebooks: made once by the simulator, and what readers get who open them."""

import lessons
import pandas as pd

from hedgelib import ledger, market
from hedgelib.hedge import Hedge

FOLDER = lessons.FOLDER / "example"
TITLE = "# Simulated by Hedge Lab, no real prices"


def test_every_file_says_that_it_is_simulated():
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{kind}.csv" for kind in ("spot", "perp", "funding", "closes")
    }
    for path in FOLDER.iterdir():
        assert path.read_text(encoding="utf-8").splitlines()[0] == TITLE


def test_a_month_goes_in_and_comes_out():
    files = {kind: FOLDER / f"{kind}.csv" for kind in ("spot", "perp", "funding")}
    frame = market.read_csv(**files, symbol="BTCUSDT")
    spot, perp, funding = (
        pd.read_csv(path, skiprows=1, index_col=0, parse_dates=[0]).tz_localize("UTC")
        for path in files.values()
    )
    closed = perp.shift(freq="8h")  # perp.csv names the opening of a bar
    assert len(frame) == 90 and (frame.index == spot.index).all()
    assert (frame["spot"] == spot["close"].to_numpy()).all()
    for name, column in {"mark": "close", "mark_high": "high", "mark_low": "low"}.items():
        assert (frame[name] == closed[column].loc[frame.index].to_numpy()).all(), name
    assert (frame["funding"] == funding["funding_rate"].reindex(frame.index)).all()
    assert len(ledger.run(frame, Hedge(1, 1, 2, "BTCUSDT"))) == 90


def test_lists_of_closes_are_enough_for_lesson_07():
    path = lessons.FOLDER / "07_cross_asset_beta.ipynb"
    call = "market.read_csv(spot={!r}, symbol={!r})"
    calls = {coin: call.format(str(FOLDER / "closes.csv"), f"{coin}USDT") for coin in ("BTC", "ETH")}
    lesson = lessons.run(path, "{" + ", ".join(f"{coin!r}: {each}" for coin, each in calls.items()) + "}")
    frames = lesson.namespace["market_frames"]
    assert {tuple(frame.columns) for frame in frames.values()} == {("spot", "mark")}
    table = pd.read_csv(FOLDER / "closes.csv", skiprows=1)
    assert frames["ETH"]["spot"].tolist() == table["ETH-USD"].tolist()
    for explorer in lesson.explorers:
        assert all(text.strip() for text in explorer.figure(explorer.start)[1].values())
