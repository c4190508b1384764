"""The table of measured facts: whole, plausible, and the numbers that the lessons lean on."""

import pandas as pd
import pytest

from hedgelib import market

COLUMNS = ["topic", "asset", "period", "key", "value", "unit", "since", "as_of", "source"]


def value(topic, asset, period, key):
    table = market.facts(topic).set_index(["asset", "period", "key"])["value"]
    return table[asset, period, key]


def test_every_fact_is_whole():
    facts = market.facts()
    assert list(facts.columns) == COLUMNS
    assert not facts.isna().any().any()
    assert (facts.drop(columns="value") != "").all().all()
    assert not facts.duplicated(["topic", "asset", "period", "key"]).any()
    assert set(facts.attrs["what"]) == set(facts["topic"])
    since, as_of = (pd.to_datetime(facts[name], format="%Y-%m-%d") for name in ("since", "as_of"))
    assert (since <= as_of).all() and as_of.max() <= pd.Timestamp("2026-06-30")


@pytest.mark.parametrize(
    ("topic", "asset", "period", "key", "expected"),
    [
        ("funding_by_year", "BTC", "2020", "annualised", 0.172),
        ("funding_by_year", "BTC", "2021", "annualised", 0.306),
        ("funding_by_year", "BTC", "2022", "annualised", 0.042),
        ("funding_by_year", "BTC", "2023", "annualised", 0.079),
        ("funding_by_year", "BTC", "2024", "annualised", 0.119),
        ("funding_by_year", "BTC", "2025", "annualised", 0.051),
        ("funding_by_year", "BTC", "era", "share_positive", 0.854),
        ("funding_by_year", "ETH", "2022", "share_positive", 0.658),
        ("funding_extremes", "BTC", "30 days to 2020-04-11", "worst_30_days", -0.0131),
        ("funding_extremes", "ETH", "2022-09", "month", -0.0156),
        ("funding_extremes", "ETH", "2022-09-08T08:00 to 2022-09-16T08:00", "longest_negative_run", 25),
        ("beta_by_year", "ETH", "era", "beta", 1.11),
        ("beta_by_year", "ETH", "2023", "beta", 0.89),
        ("beta_by_year", "ETH", "2025", "beta", 1.47),
        ("cross_hedge", "BTC", "era", "ratio", 0.62),
        ("cross_hedge", "BTC", "era", "variance_removed", 0.67),
        ("cross_hedge", "BTC", "2025", "variance_removed_one_to_one", -0.30),
        ("touched", "BTC", "90 days", "2x", 0.225),
        ("touched", "ETH", "90 days", "2x", 0.379),
        ("touched", "BTC", "60 days", "3x", 0.272),
        ("touched_by_year", "BTC", "2020", "3x", 0.56),
        ("touched_by_year", "BTC", "2025", "3x", 0.044),
        ("extremes", "BTC", "2020-03-12", "worst_1_day", -0.395),
        ("extremes", "BTC", "from 2020-12-11", "run_up_30_days", 1.33),
        ("extremes", "BTC", "from 2020-10-10", "run_up_90_days", 2.71),
        ("own_perpetual", "BTC", "era", "basis_std", 5.5),
        ("own_perpetual", "SOL", "era", "basis_lowest", -1690),
        ("volatility_by_year", "BTC", "era", "volatility", 0.619),
        ("altcoin_beta", "SOL", "era", "beta", 1.16),
        ("altcoin_beta_by_year", "SOL", "2022", "beta", 1.50),
    ],
)
def test_numbers_of_the_lessons(topic, asset, period, key, expected):
    """The expected numbers were typed from reports on the rows, not from the table."""
    assert value(topic, asset, period, key) == pytest.approx(expected, abs=0.006, rel=0.005)


def test_touched_more_often_with_leverage_and_time():
    table = market.facts("touched").set_index(["asset", "period", "key"])["value"]
    for asset in ("BTC", "ETH"):
        for leverage in ("2x", "3x", "5x", "10x"):
            days = [table[asset, f"{n} days", leverage] for n in (30, 60, 90)]
            assert days == sorted(days)
        for n in (30, 60, 90):
            row = table[asset, f"{n} days"]
            assert row["2x"] < row["3x"] < row["5x"] < row["10x"]
            assert all(row[f"{x}_low"] < row[x] < row[f"{x}_high"] for x in ("2x", "3x", "5x", "10x"))


def test_shares_are_fractions():
    facts = market.facts()
    shares = facts[facts["unit"].str.startswith("fraction of s") | facts["key"].eq("r_squared")]
    assert shares["value"].between(0, 1).all()
    assert len(shares) > 200


def test_a_copy_is_handed_out():
    mine = market.facts()
    mine["value"] = 0.0
    assert market.facts()["value"].abs().max() > 1


def test_facts_of_one_coin():
    mine = market.facts("touched", "ETH")
    assert set(mine["asset"]) == {"ETH"} and len(mine) == (market.facts("touched")["asset"] == "ETH").sum()
    assert set(market.facts(asset="PAXG")["asset"]) == {"PAXG"}


@pytest.mark.parametrize(
    ("topic", "asset", "message"),
    [
        ("touched", "SOL", "asset of touched must be one of 'BTC', 'ETH', got 'SOL'"),
        (None, "SHIB", "asset must be one of 'BTC', .*'PAXG', got 'SHIB'"),
        ("touched", ["BTC"], "asset of touched must be one of"),
    ],
)
def test_coins_without_facts_are_told(topic, asset, message):
    with pytest.raises(ValueError, match=message):
        market.facts(topic, asset)


@pytest.mark.parametrize("topic", ["gossip", 3, ""])
def test_unknown_topics_are_refused(topic):
    with pytest.raises(ValueError, match="topic must be one of 'funding_by_year', 'funding_by_regime'"):
        market.facts(topic)
