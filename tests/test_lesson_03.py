"""The numbers of lesson 03, computed again from closed forms and from the paths themselves."""

import functools

import lessons
import numpy as np
import pytest

PATH = lessons.FOLDER / "03_partial_hedge.ipynb"
TEXT = "\n".join(cell.source for cell in lessons.cells(PATH) if cell.cell_type == "markdown")
# market, ratio and leverage of the outcomes that the text quotes
TOLD = [("usual", 0, 1), ("usual", 1, 1), ("wild", 1, 1)]
TOLD_WORST = [("usual", 0.6, 1), ("usual", 0.7, 1), ("usual", 1, 3), ("usual", 1, 5)]
TOLD_WORST += [("wild", 0, 5), ("wild", 0.5, 5), ("wild", 0.6, 5), ("wild", 1, 5), *TOLD]


@functools.cache
def lesson():
    return lessons.run(PATH)


def names():
    return lesson().namespace


def readouts(**wanted):
    """Readouts of the second explorer at a state named by its values."""
    return lessons.readouts(lesson().explorers[1], **wanted)


def test_half_a_hedge_at_three_prices():
    assert names()["half"].payoff(60_000, [70_000, 50_000, 60_000])["total_pnl"].tolist() == [
        5_000,
        -5_000,
        0,
    ]


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.5, 1, 1.5])
@pytest.mark.parametrize("price", [40_000, 45_000, 60_000, 80_000])
def test_the_result_is_linear_in_the_ratio(share, price):
    held = names()["hedge"].Hedge(1, share, 2, "BTCUSDT")
    total = held.payoff(60_000, price)["total_pnl"].iloc[0]
    assert total == pytest.approx((1 - share) * (price - 60_000))


def test_from_fear_to_order():
    # 15,000 · (1 − h) = 5,000; two thirds of a coin is 666 steps and two thirds of one step.
    assert names()["wanted"] == pytest.approx(2 / 3)
    assert names()["sized"].short_quantity == 0.666
    assert names()["left_over"] == pytest.approx(0.002 / 3)
    # −25 %, −39.50 % and −53.05 % of 60,000, on the 0.334 coins not hedged
    assert names()["table"]["total_pnl"].tolist() == pytest.approx([-5_010, -0.334 * 23_700, -0.334 * 31_830])


def test_volatility_is_halved_and_three_quarters_of_the_variance_go():
    # Mean square of 4, −2, −4, 2 is (16 + 4 + 16 + 4) / 4 = 10.
    assert names()["variance"] == pytest.approx((10, 2.5))
    assert names()["volatility"] == pytest.approx((10**0.5, 10**0.5 / 2))


def test_the_simulated_market_follows_the_formula():
    measured, ratios = names()["measured"], names()["ratios"]
    assert measured == pytest.approx(1 - (1 - ratios) ** 2, abs=0.02)
    assert measured.max() < 1
    assert "simulated" in names()["market_frame"].attrs["label"]


def test_every_ratio_dies_at_the_same_price_and_spare_margin_moves_it():
    # (margin + quantity · entry) / (quantity · 1.004), by hand
    for held in names()["at_3x"]:
        assert held.liquidation_price(60_000) == pytest.approx(80_000 / 1.004)
    assert names()["spare"].liquidation_price(60_000) == pytest.approx((20_000 + 30_000) / (0.5 * 1.004))


def test_without_a_hedge_the_distribution_is_that_of_the_coin():
    for mood, paths in names()["markets"].items():
        assert "simulated" in paths.label
        gains = 60_000 * (paths.spot[:, -1] / paths.spot[:, 0] - 1)
        told = readouts(mood=mood, hedge_ratio=0.0, leverage=1)
        assert told["Worst 5 % up to"] == f"{np.quantile(gains, 0.05):+,.0f} USDT".replace("-", "−")
        assert told["Loses more than 5,000"] == f"{100 * np.mean(gains < -5_000):.1f} %"


@pytest.mark.parametrize(
    ("name", "state"),
    [("Median", state) for state in TOLD] + [("Worst 5 % up to", state) for state in TOLD_WORST],
)
def test_the_text_tells_what_the_explorer_shows(name, state):
    told = readouts(**dict(zip(["mood", "hedge_ratio", "leverage"], state, strict=True)))
    assert told[name].removesuffix(" USDT") in TEXT


def test_the_text_tells_the_effectiveness_in_the_simulated_year():
    measured = dict(zip(names()["ratios"], names()["measured"], strict=True))
    assert f"**{100 * measured[0.5]:.1f} %**" in TEXT
    assert f"**{100 * measured[1]:.2f} %**" in TEXT


def test_more_hedge_stops_helping_where_shorts_die():
    def worst(**state):
        told = readouts(**state)["Worst 5 % up to"]
        return lessons.amount(told)

    assert worst(mood="wild", hedge_ratio=1, leverage=5) < worst(mood="wild", hedge_ratio=0.5, leverage=5)
    assert worst(mood="wild", hedge_ratio=1, leverage=1) > worst(mood="wild", hedge_ratio=0.5, leverage=1)
    liquidated = readouts(mood="wild", hedge_ratio=1, leverage=5)["Short liquidated"]
    assert float(liquidated.removesuffix(" %")) > 50
