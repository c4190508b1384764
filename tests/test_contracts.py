import dataclasses
import datetime
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import contracts, perpetual
from hedgelib.hedge import Hedge

BTCUSDT = contracts.get("BTCUSDT")


@pytest.mark.parametrize(
    ("symbol", "tick", "step", "minimum"),
    [
        ("BTCUSDT", 0.1, 0.001, 50),
        ("ETHUSDT", 0.01, 0.001, 20),
        ("SOLUSDT", 0.01, 0.01, 5),
        ("DOGEUSDT", 0.00001, 1, 5),
        ("BTCUSD", 0.1, 1, 100),
        ("ETHUSD", 0.01, 1, 10),
    ],
)
def test_order_rules(symbol, tick, step, minimum):
    contract = contracts.get(symbol)
    assert (contract.tick, contract.step, contract.minimum_notional) == (tick, step, minimum)


@pytest.mark.parametrize("symbol", contracts.symbols())
def test_every_contract_says_what_it_is(symbol):
    contract = contracts.get(symbol)
    assert contract.symbol == symbol
    assert symbol.startswith(contract.base)
    assert contract.inverse == (contract.margin == "coin") == (not symbol.endswith("USDT"))
    assert contract.margin_unit == (contract.base if contract.inverse else "USDT")
    assert (contract.spot_fee, contract.maker_fee, contract.taker_fee) == (0.001, 0.0002, 0.0005)
    assert contract.funding_hours == 8
    assert contract.maximum_notional > contract.brackets.floors[-1]
    assert str(contract.as_of) in contract.source
    assert hash(contract) == hash(contracts.get(symbol))


def test_table_in_force_at_a_day():
    old, new = contracts.get("BTCUSDT", "2024-05-30"), contracts.get("BTCUSDT", "2025-08-21")
    assert old.brackets.amounts == (0, 50, 950, 11_450)
    assert new.brackets.amounts[:4] == (0, 300, 1_500, 12_000)
    assert contracts.get("BTCUSDT", datetime.date(2030, 1, 1)) == BTCUSDT
    assert dataclasses.replace(new, minimum_notional=50, source=BTCUSDT.source) == BTCUSDT
    assert contracts.get("BTCUSDT", datetime.datetime(2025, 8, 20, 23)) == old
    assert contracts.get("BTCUSDT", pd.Timestamp("2025-08-21", tz="UTC")) == new
    assert repr(old) == "<Contract BTCUSDT as of 2024-05-30>"
    assert (old.as_of, new.as_of) == (datetime.date(2024, 5, 30), datetime.date(2025, 8, 21))


def test_each_parameter_has_its_own_date():
    utc = datetime.UTC
    for moment, minimum in [
        ("2024-05-30", 100),  # the oldest one known stands in before its date
        ("2026-04-13", 100),
        ("2026-04-14", 50),  # a day means its end
        (datetime.date(2026, 4, 14), 50),
        (datetime.datetime(2026, 4, 14, 6, 29, 59), 100),  # no zone: UTC
        (datetime.datetime(2026, 4, 14, 6, 30, tzinfo=utc), 50),
        (pd.Timestamp("2026-04-14 08:29", tz="Europe/Berlin"), 100),
        ("2026-04-14T06:30", 50),
    ]:
        assert contracts.get("BTCUSDT", moment).minimum_notional == minimum
        table = contracts.sources("BTCUSDT", moment)
        assert table.loc["minimum_notional", "value"] == minimum
    assert contracts.get("ETHUSDT", "2026-04-13").minimum_notional == 20


@pytest.mark.parametrize("symbol", contracts.symbols())
def test_sources_tell_what_the_contract_holds(symbol):
    contract, table = contracts.get(symbol), contracts.sources(symbol)
    assert table["source"].str.len().min() > 20
    for name, value in table["value"].drop("brackets").items():
        assert getattr(contract, name) == value
    given = {"symbol", "margin", "as_of", "source"}  # what the others say, or where they stand
    unknown = {name for name, value in vars(contract).items() if value is None}
    assert set(table.index) | given | unknown == set(vars(contract))


@pytest.mark.parametrize(
    ("symbol", "day", "notional", "highest"),
    [
        ("BTCUSDT", None, 0, 150),
        ("BTCUSDT", None, 300_000, 150),  # a cap belongs to the lower bracket
        ("BTCUSDT", None, 300_001, 100),
        ("BTCUSDT", None, 2_700_000, 75),
        ("BTCUSDT", None, 120_000_000, 10),
        ("BTCUSDT", None, 1_800_000_000, 1),
        ("BTCUSDT", "2024-06-30", 60_000, 100),
        ("BTCUSDT", "2024-06-30", 50_000, 125),
        ("ETHUSDT", None, 60_000_000, 20),
        ("BTCUSD", None, 1, np.inf),  # not known
    ],
)
def test_highest_leverage(symbol, day, notional, highest):
    assert contracts.get(symbol, day).highest_leverage(notional) == highest


def test_a_price_is_written_as_fine_as_its_tick():
    ticket = Hedge(1_000, 1, 2, "DOGEUSDT").ticket(0.123456).table()["value"]
    assert ticket["Limit price"] == "0.12346"
    assert ticket["Liquidation price"] == f"{0.12346 * 1.5 / 1.0065:.5f}"
    assert contracts.get("BTCUSDT").price_text(1e6) == "1,000,000.00"


def test_coins_as_collateral():
    for symbol in ("BTCUSDT", "ETHUSDT"):
        contract = contracts.get(symbol)
        assert (contract.collateral_ratio, contract.forced_sale_below) == (0.95, -5_000)
    assert contracts.get("BTCUSD").collateral_ratio is None
    with pytest.raises(ValueError, match="at what share of its value DOGE counts as collateral is not known"):
        Hedge(1_000, 1, 2, "DOGEUSDT", margin_from="collateral")


@given(st.sampled_from(contracts.symbols()), st.integers(0, 10**7))
def test_a_whole_number_of_steps_is_kept(symbol, count):
    contract = contracts.get(symbol)
    whole = float(count * Fraction(str(contract.step)))
    assert contract.round_quantity(whole) == whole
    assert contract.round_quantity(count * contract.step) == whole


@given(st.sampled_from(contracts.symbols()), st.floats(0, 1e7))
def test_rounding_goes_down_by_less_than_a_step(symbol, quantity):
    contract = contracts.get(symbol)
    rounded = contract.round_quantity(quantity)
    assert rounded <= quantity + 1e-8 * contract.step + 1e-14 * quantity
    assert quantity - rounded < contract.step
    assert contract.round_quantity(rounded) == rounded
    assert str(rounded) == str(float(f"{rounded:.3f}"))


def test_rounding_by_hand():
    tenth = dataclasses.replace(BTCUSDT, step=0.1)
    quantities = [0.3, 0.1 * 3, 0.1 + 0.7, 0.29999, 0.0999, 0]
    np.testing.assert_array_equal(tenth.round_quantity(quantities), [0.3, 0.3, 0.8, 0.2, 0, 0])
    fives = dataclasses.replace(BTCUSDT, step=5)
    assert fives.round_quantity(14.9) == 10
    assert BTCUSDT.round_price(60_000.06) == 60_000.1
    assert BTCUSDT.round_price(60_000.04) == 60_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbol": ""}, "symbol must be a text"),
        ({"kind": "quanto"}, "kind must be one of"),
        ({"margin": "coin"}, "margin must be one of 'USDT'"),
        ({"tick": 0}, "tick"),
        ({"step": -1}, "step"),
        ({"taker_fee": 1}, "taker_fee"),
        ({"funding_hours": 5}, "funding_hours must be"),
        ({"brackets": None}, "brackets must be a perpetual.Brackets"),
        ({"as_of": "2024-05-30"}, "as_of must be"),
        ({"contract_size": 100}, "for inverse contracts"),
        ({"kind": "inverse", "margin": "coin", "contract_size": 100}, "collateral_ratio is for linear"),
        ({"collateral_ratio": 95}, "collateral_ratio .fraction. must be .* at most 1"),
        ({"forced_sale_below": 5_000}, "forced_sale_below .USDT. must be .* at most 0"),
        ({"kind": "inverse", "margin": "coin"}, "contract_size"),
    ],
)
def test_impossible_contracts_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(BTCUSDT, **change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: contracts.get("SHIBUSDT"), "symbol must be one of 'BTCUSDT'"),
        (lambda: contracts.get(None), "symbol must be one of"),
        (lambda: contracts.get(["BTCUSDT"]), "symbol must be one of"),
        (lambda: contracts.get("BTCUSDT", "2024-05-29"), "known from 2024-05-30, 2025-08-21"),
        (lambda: contracts.get("BTCUSDT", "yesterday"), "as_of must be a date"),
        (lambda: contracts.get("BTCUSDT", 20240530), "as_of must be a date"),
        (lambda: contracts.get("BTCUSDT", pd.NaT), "as_of must be a date"),
        (lambda: BTCUSDT.round_quantity(-1), "quantity"),
        (lambda: BTCUSDT.round_quantity(np.nan), "quantity"),
        (lambda: BTCUSDT.round_price(0.05), "price .USDT or USD. must be a finite number at least 0.1"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_contract_of_ones_own():
    own = dataclasses.replace(
        BTCUSDT, symbol="SOLUSDT", base="SOL", brackets=perpetual.Brackets((0,), (0.005,)), source="by hand"
    )
    assert own.round_quantity(1.2345) == 1.234
