"""The markets of the lessons are stored: they are whole, they are read, and seeds may still make them."""

import warnings

import numpy as np
import pytest

from hedgelib import market, simulate
from tools import freeze

ROWS = freeze.index(freeze.FOLDER)


@pytest.fixture(scope="module")
def stored():
    with np.load(freeze.FOLDER / "frozen.npz") as kept:
        return dict(kept)


def test_what_is_listed_is_stored_unchanged(stored):
    assert {key: freeze.digest(columns) for key, columns in stored.items()} == {
        key: row["sha256"] for key, row in ROWS.items()
    }


def test_every_scenario_is_stored_with_its_own_days():
    for name in market.scenarios():
        days = len(market.scenario(name)) // simulate.BARS_A_DAY
        assert market.frozen_key(name, days, seed=0) in ROWS


@pytest.mark.parametrize("key", ROWS)
def test_what_is_stored_is_read_and_the_rest_is_drawn(key, stored, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("drawn")

    row = ROWS[key]
    monkeypatch.setattr(simulate, "simulate", refuse)
    both = market.scenario(row["scenario"], row["seed"], row["days"], ("ETH", "BTC"))
    for coin, columns in zip(("BTC", "ETH"), stored[key], strict=True):
        assert np.array_equal(market.validate(both[coin]).to_numpy().T, columns[:, 0])
    for others in ({"seed": row["seed"] + 1}, {"days": row["days"] + 1}):
        with pytest.raises(AssertionError, match="drawn"):
            market.scenario(**{"name": row["scenario"], "seed": row["seed"], "days": row["days"]} | others)


def moved(key, columns):
    """Whether its seed makes other numbers than those that are stored, beyond the last digits."""
    return not np.allclose(freeze.drawn(ROWS[key]), columns, rtol=1e-9, atol=1e-12)


def test_a_market_of_another_seed_is_noticed(stored):
    key = market.frozen_key("crash", 48, 0)
    assert moved(key, stored[market.frozen_key("crash", 48, 6)])


@pytest.mark.filterwarnings("default")
def test_seeds_still_make_what_is_stored(stored):
    """Only a warning: the lessons keep their numbers, and that they do is the reason for storing markets."""
    others = [key for key, columns in stored.items() if moved(key, columns)]
    if others:
        warnings.warn(
            f"seeds now make other markets than those stored for the lessons: {'; '.join(others)}. They were "
            f"made with {ROWS[others[0]]['made_with']}, this is {freeze.MADE_WITH}. Nothing is wrong; to "
            "take over the new ones, run `python -m tools.freeze --again` and `make notebooks`.",
            stacklevel=1,
        )


def test_freezing_adds_what_is_new_and_keeps_the_rest(tmp_path):
    listed = '[[market]]\nscenario = "{}"\nseed = {}\ndays = {}\n'
    (tmp_path / "frozen.toml").write_text(listed.format("chop", 5, 3), "utf-8")
    assert freeze.freeze(tmp_path) == ["chop, 3 days, seed 5"]
    first = freeze.index(tmp_path)["chop, 3 days, seed 5"]
    with np.load(tmp_path / "frozen.npz") as kept:
        columns = kept["chop, 3 days, seed 5"]
    assert first["sha256"] == freeze.digest(columns) and first["made_with"] == freeze.MADE_WITH
    frame = market.scenario("chop", 5, 3, ("ETH",))
    assert np.array_equal(columns[1, :, 0].T, frame.to_numpy())

    with (tmp_path / "frozen.toml").open("a", encoding="utf-8") as file:
        file.write(listed.format("bear", 1, 2))
    assert freeze.freeze(tmp_path) == ["bear, 2 days, seed 1"]
    assert freeze.index(tmp_path)["chop, 3 days, seed 5"] == first
    assert freeze.freeze(tmp_path) == []
    assert len(freeze.freeze(tmp_path, again=True)) == 2
