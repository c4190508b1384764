"""Every lesson that uses a market, run on another one: downloaded history, and the reader's CSV files."""

import ast
import itertools
import re

import lessons
import pandas as pd
import pytest
from fake_exchange import BAR, FakeExchange, clients
from matplotlib.figure import Figure

from hedgelib import market
from hedgelib.histories import exchange

COINS = "BTC", "ETH"
ABOVE = "market above"  # what explorers call the market of the lesson
FIRST = 1_702_684_800_000  # 2023-12-16 00:00 UTC
BARS = 120  # 40 days, shorter than what any lesson shows
SPAN = "2023-12-16 08:00", "2024-01-25"
DAYS = 100
OWN_DAYS = re.compile(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d")  # a part of a market tells its own days
HOURS = 4  # bars of the CSV files, half as long as those of the simulated markets


def market_cell(path):
    """Code of the cell tagged "market", or an empty text."""
    found = [cell.source for cell in lessons.cells(path) if "market" in cell.metadata.get("tags", [])]
    assert len(found) < 2, f"{path.stem} has two market cells"
    return "".join(found)


WITH_MARKET = [path for path in lessons.PATHS if market_cell(path)]
every_lesson = pytest.mark.parametrize("path", WITH_MARKET, ids=lambda path: path.stem)


def bulk_candles(closes, path, header):
    """Write candles that end at these closes in the layout of the exchange's bulk files."""
    columns = {"open": closes.shift(), "close": closes}
    table = pd.DataFrame(columns | {"high": 1.002 * closes, "low": 0.998 * closes}).dropna()
    table["high"], table["low"] = table.max(axis=1), table.min(axis=1)
    opened = (table.index - pd.Timedelta(hours=HOURS)).as_unit("ms").asi8
    names = "open_time open high low close volume close_time quote_volume count taker_buy_volume"
    names = [*names.split(), "taker_buy_quote_volume", "ignore"]
    table = table.assign(open_time=opened, close_time=opened + HOURS * 3_600_000 - 1)
    table.reindex(columns=names, fill_value=0).to_csv(path, header=header, index=False)
    return str(path)


@pytest.fixture(scope="module")
def csv_files(tmp_path_factory):
    """For each coin the call that reads its files."""
    folder, calls = tmp_path_factory.mktemp("bulk"), {}
    both = market.scenario("perp_era", seed=5, days=DAYS, coins=COINS)
    for coin in COINS:
        prices = both[coin][["spot", "mark"]].resample(f"{HOURS}h").interpolate()
        files = {
            "spot": bulk_candles(prices["spot"], folder / f"{coin}-spot.csv", header=False),
            "perp": bulk_candles(prices["mark"], folder / f"{coin}-perp.csv", header=True),
            "funding": str(folder / f"{coin}-funding.csv"),
        }
        settled = both[coin]["funding"]
        columns = {"calc_time": settled.index.as_unit("ms").asi8, "funding_interval_hours": 8}
        table = pd.DataFrame(columns | {"last_funding_rate": settled.to_numpy()})
        table.to_csv(files["funding"], index=False)
        named = ", ".join(f"{name}={file!r}" for name, file in files.items())
        calls[coin] = f"market.read_csv({named}, symbol='{coin}USDT')"
    return calls


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """For each coin the call that reads its history, downloaded before from an exchange of our own."""
    symbols = [f"{coin}USDT" for coin in COINS]
    fake = FakeExchange(FIRST, BARS, FIRST + BARS * BAR + 3_600_000, page=1_000, symbols=symbols)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEDGELAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        with clients(fake) as client:
            patch.setattr(exchange, "client", client)
            for symbol in symbols:
                market.download(symbol, *SPAN, progress=False)
        patch.setattr(exchange, "client", lambda name: pytest.fail("a lesson asks for the network"))
        yield {coin: f"market.history('{coin}USDT', {SPAN[0]!r}, {SPAN[1]!r})" for coin in COINS}


@pytest.fixture(scope="module", params=["history", "csv_files"])
def calls(request):
    return request.getfixturevalue(request.param)


def ran(path, calls):
    """Run a lesson on these markets; returns it with the label of its market."""
    several = switch(path).id == "market_frames"
    both = ", ".join(f"{coin!r}: {call}" for coin, call in calls.items())
    lesson = lessons.run(path, f"{{{both}}}" if several else calls["BTC"])
    shown = lesson.namespace[switch(path).id]
    return lesson, (shown["BTC"] if several else shown).attrs["label"]


def switch(path):
    """Name that the first statement of the market cell sets."""
    (name,) = ast.parse(market_cell(path)).body[0].targets
    return name


def test_the_lessons_with_a_market():
    assert {path.stem[:2] for path in WITH_MARKET} >= {f"{number:02d}" for number in range(2, 10)}


@every_lesson
def test_the_switch_is_one_line_and_told(path):
    assert switch(path).id in ("market_frame", "market_frames")
    assert ast.unparse(ast.parse(market_cell(path)).body[0].value).startswith("market.scenario(")
    assert market_cell(path).splitlines()[-1].endswith('.attrs["label"]')
    code = [cell.source for cell in lessons.cells(path) if cell.cell_type == "code"]
    assert not any("market.history(" in source or "market.read_csv(" in source for source in code)
    told = lessons.prose(path)
    assert "market.history(" in told and "market.read_csv(" in told


@every_lesson
def test_the_lesson_runs_and_says_what_it_shows(path, calls):
    lesson, label = ran(path, calls)
    assert ("history from binance" in label) == ("history" in calls["BTC"])
    assert ("from CSV files" in label) == ("read_csv" in calls["BTC"])
    texts = [shown for shown in lesson.shown if isinstance(shown, str)]
    assert label in texts
    assert not [text for text in texts if text.startswith("simulated")]


def drawn(explorer, position):
    """Readouts of a state; an explorer may refuse one, but not its start."""
    figure = Figure(explorer.size)
    try:
        readouts = explorer.draw(figure, **explorer.values(position))
    except ValueError:
        assert position != explorer.start
        return {}
    if ABOVE in explorer.values(position).values():
        figure.draw_without_rendering()
    return readouts


@every_lesson
def test_every_explorer_draws_it(path, calls):
    lesson, label = ran(path, calls)
    for explorer in lesson.explorers:
        texts = [control.texts for control in explorer.controls.values()]
        # The first and the last value of each control, and the market above where it can be chosen.
        ends = [{each.index(ABOVE)} if ABOVE in each else {0, len(each) - 1} for each in texts]
        for position in {explorer.start, *itertools.product(*ends)}:
            readouts = drawn(explorer, position)
            assert all(text.strip() for text in readouts.values()), (explorer.title, readouts)
            if ABOVE in explorer.values(position).values():
                assert OWN_DAYS.sub("", readouts.get("Shown", label)) == OWN_DAYS.sub("", label)
