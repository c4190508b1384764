"""The example files beside the notebooks: what the simulator makes, and what readers get who open them."""

import lessons
import pandas as pd
import pytest

from hedgelib import ledger, market
from hedgelib.hedge import Hedge

FOLDER = lessons.FOLDER / "example"
MONTH = {"name": "bull_run", "days": 30, "seed": 1}
YEARS = {"name": "perp_era", "days": 730, "seed": 1, "coins": ("BTC", "ETH")}
TITLE = "# Simulated by Hedge Lab, no real prices"


def contents():
    """Text of each file, from the simulator."""
    month, days = market.scenario(**MONTH), market.scenario(**YEARS)
    opened = pd.concat([month["mark"].shift(), month[["mark_high", "mark_low", "mark"]]], axis=1)[1:]
    opened = opened.set_axis(["open", "high", "low", "close"], axis=1).set_axis(month.index[:-1])
    closes = pd.concat({f"{coin}-USD": days[coin]["spot"] for coin in ("BTC", "ETH")}, axis=1)[3::3]
    tables = {
        "spot.csv": month[["spot"]][1:].set_axis(["close"], axis=1).rename_axis("bar_close_utc"),
        "perp.csv": opened.rename_axis("bar_open_utc"),
        "funding.csv": month[["funding"]].set_axis(["funding_rate"], axis=1).rename_axis("time_utc"),
        "closes.csv": closes.set_axis(closes.index - pd.Timedelta("1D")).rename_axis("date"),
    }
    forms = {"closes.csv": "%Y-%m-%d"}
    return {
        name: f"{TITLE}\n"
        + table.to_csv(
            float_format="%.8f" if name == "funding.csv" else "%.2f",
            date_format=forms.get(name, "%Y-%m-%d %H:%M"),
            lineterminator="\n",
        )
        for name, table in tables.items()
    }


def test_the_files_are_what_the_simulator_makes():
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()} == contents()


def test_a_month_goes_in_and_comes_out():
    files = {kind: FOLDER / f"{kind}.csv" for kind in ("spot", "perp", "funding")}
    frame, made = market.read_csv(**files, symbol="BTCUSDT"), market.scenario(**MONTH)[1:]
    assert (frame.index == made.index).all()
    for name in market.COLUMNS:
        assert frame[name].to_numpy() == pytest.approx(made[name].to_numpy(), abs=0.0051), name
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
