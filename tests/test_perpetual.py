import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hedgelib import perpetual
from hedgelib.perpetual import Brackets

TABLE = Brackets(
    floors=(0, 300_000, 800_000, 3_000_000, 12_000_000),
    rates=(0.004, 0.005, 0.0065, 0.01, 0.02),
    amounts=(0, 300, 1_500, 12_000, 132_000),
)
COIN_TABLE = Brackets(floors=(0, 5, 10, 20), rates=(0.004, 0.005, 0.01, 0.025))

sides = st.sampled_from([-1, 1])
quantities = st.floats(1e-3, 1e3)
prices = st.floats(1, 1e6)


@st.composite
def tables(draw):
    """Any table that an exchange could publish."""
    count = draw(st.integers(1, 6))
    widths = draw(st.lists(st.floats(1, 1e6), min_size=count, max_size=count))
    rises = draw(st.lists(st.floats(0.0, 0.15), min_size=count, max_size=count))
    return Brackets(np.cumsum([0, *widths[1:]]), np.cumsum(rises))


def equity(quantity, entry, margin, price, side):
    return margin + side * quantity * (price - entry)


# Brackets


def test_amounts_follow_from_floors_and_rates():
    assert Brackets(TABLE.floors, TABLE.rates) == TABLE
    assert hash(Brackets(TABLE.floors, TABLE.rates)) == hash(TABLE)


def test_published_table_of_2024():
    # 50,000 · 0.001 = 50; + 600,000 · 0.0015 = 950; + 3,000,000 · 0.0035 = 11,450
    table = Brackets([0, 50_000, 600_000, 3_000_000], [0.004, 0.005, 0.0065, 0.01])
    assert table.amounts == (0, 50, 950, 11_450)


@pytest.mark.parametrize(
    ("floors", "rates", "amounts", "message"),
    [
        ([0, 300_000], [0.004, 0.005], [0, 301], "amounts must follow"),
        ([0, 300_000], [0.004, 0.005], [0], "amounts must follow"),
        ([0, 300_000], [0.004], None, "two lists of one length"),
        ([], [], None, "two lists of one length"),
        (0, 0.004, None, "two lists of one length"),
        ([1, 300_000], [0.004, 0.005], None, "ascend from 0"),
        ([0, 3, 2], [0.004, 0.005, 0.006], None, "ascend from 0"),
        ([0, 0], [0.004, 0.005], None, "ascend from 0"),
        ([0, 300_000], [0.005, 0.004], None, "must not fall"),
        ([0, 300_000], [0.4, 1.0], None, "below 1"),
        ([0, np.nan], [0.4, 0.5], None, "floors"),
        ("table", [0.4], None, "floors"),
    ],
)
def test_corrupt_tables_are_refused(floors, rates, amounts, message):
    with pytest.raises(ValueError, match=message):
        Brackets(floors, rates, amounts)


@pytest.mark.parametrize(
    ("leverages", "message"),
    [((100,), "row of 2"), ((100, 125), "must not rise"), ((1, 0.5), "at least 1"), ("high", "leverages")],
)
def test_impossible_leverages_are_refused(leverages, message):
    with pytest.raises(ValueError, match=message):
        Brackets((0, 300_000), (0.004, 0.005), leverages=leverages)


# Maintenance margin


@pytest.mark.parametrize(
    ("notional", "expected"),
    [
        (0, 0),
        (60_000, 240),
        (300_000, 1_200),  # the cap belongs to the lower bracket: 300,000 · 0.004
        (300_001, 1_200.005),
        (800_000, 3_700),  # 800,000 · 0.005 − 300
        (12_000_000, 108_000),  # 12,000,000 · 0.01 − 12,000
        (20_000_000, 268_000),  # 20,000,000 · 0.02 − 132,000
    ],
)
def test_maintenance_margin(notional, expected):
    assert perpetual.maintenance_margin(notional, TABLE) == pytest.approx(expected, rel=1e-12)


@given(tables(), st.floats(0, 1))
def test_maintenance_is_continuous_at_every_edge(table, share):
    edges = np.array(table.floors[1:])
    above = perpetual.maintenance_margin(np.nextafter(edges, np.inf), table)
    assert perpetual.maintenance_margin(edges, table) == pytest.approx(above, rel=1e-9, abs=1e-9)
    # An edge itself is charged with the lower rate and amount.
    lower = edges * table.rates[:-1] - table.amounts[:-1]
    np.testing.assert_array_equal(perpetual.maintenance_margin(edges, table), lower)
    notional = share * 2 * (table.floors[-1] + 1)
    lines = notional * np.array(table.rates) - np.array(table.amounts)
    assert perpetual.maintenance_margin(notional, table) == pytest.approx(max(lines), rel=1e-9, abs=1e-9)


# Profit and loss


@pytest.mark.parametrize(
    ("quantity", "entry", "exit", "expected"),
    [
        (1, 60_000, 70_000, -10_000),  # the article's tables
        (1, 60_000, 50_000, 10_000),
        (0.5, 60_000, 70_000, -5_000),
        (3, 65_000, 55_000, 30_000),
        (1, 60_000, 55_000, 5_000),
        (0, 60_000, 55_000, 0),
    ],
)
def test_short_pnl_of_the_article(quantity, entry, exit, expected):
    assert perpetual.pnl(quantity, entry, exit) == expected


def test_unrealised_profit_of_case_1():
    assert perpetual.pnl(5, 40_000, 65_000, side=1) == 125_000


@given(quantities, prices, prices)
def test_pnl_is_antisymmetric_in_side(quantity, entry, exit):
    assert perpetual.pnl(quantity, entry, exit, -1) == -perpetual.pnl(quantity, entry, exit, 1)
    assert perpetual.inverse_pnl(quantity, 100, entry, exit, -1) == -perpetual.inverse_pnl(
        quantity, 100, entry, exit, 1
    )


def test_no_negative_zero_in_a_table():
    assert str(perpetual.pnl(1, 60_000, 60_000)) == "0.0"


@given(st.floats(1e-3, 1e3), prices, prices)
def test_coins_and_an_inverse_short_are_a_synthetic_dollar(coins, entry, price):
    value = coins * entry
    wealth = coins + perpetual.inverse_pnl(value / 100, 100, entry, price)
    assert wealth * price == pytest.approx(value, rel=1e-9)


# Initial margin and bankruptcy


def test_initial_margin_of_the_article():
    np.testing.assert_array_equal(perpetual.initial_margin(1, 60_000, [2, 3]), [30_000, 20_000])


@given(quantities, prices, st.floats(1, 150), sides)
def test_bankruptcy_is_one_over_leverage_away(quantity, entry, leverage, side):
    margin = perpetual.initial_margin(quantity, entry, leverage)
    price = perpetual.bankruptcy_price(quantity, entry, margin, side)
    assert price == pytest.approx(entry * (1 - side / leverage), rel=1e-9, abs=1e-9 * entry)


def test_bankruptcy_where_there_is_none():
    assert perpetual.bankruptcy_price(0, 60_000, 0) == np.inf
    assert perpetual.bankruptcy_price(0, 60_000, 0, side=1) == 0
    assert perpetual.bankruptcy_price(1, 60_000, 70_000, side=1) == 0


# Liquidation, linear


@pytest.mark.parametrize(
    ("leverage", "distance"), [(1, 0.9920), (2, 0.4940), (3, 0.3280), (5, 0.1952), (10, 0.0956)]
)
def test_distances_in_the_first_bracket(leverage, distance):
    # (E/L + E) / 1.004 / E − 1
    price = perpetual.liquidation_price(1, 60_000, 60_000 / leverage, TABLE)
    assert price / 60_000 - 1 == pytest.approx(distance, abs=5e-5)


def test_bracket_is_found_at_the_liquidation_price():
    # 4 BTC at 60,000 are 240,000 (first bracket); at 2x they die at a notional in the second:
    # (120,000 + 300 + 240,000) / (4 · 1.005)
    price = perpetual.liquidation_price(4, 60_000, 120_000, TABLE)
    assert price == pytest.approx(360_300 / 4.02, rel=1e-12)
    assert price * 4 > 300_000


def test_a_short_that_dies_on_an_edge():
    # At a notional of exactly 300,000 maintenance is 1,200, so 1 coin from 200,000 needs 101,200.
    assert perpetual.liquidation_price(1, 200_000, 101_200, TABLE) == pytest.approx(300_000, rel=1e-12)


@given(tables(), quantities, prices, st.floats(0, 5), sides)
def test_equity_equals_maintenance_at_the_liquidation_price(table, quantity, entry, funded, side):
    margin = funded * quantity * entry
    price = perpetual.liquidation_price(quantity, entry, margin, table, side)
    scale = quantity * max(entry, price) + margin
    if price == 0:
        assert side == 1
        smallest = quantity * entry * 1e-9
        assert equity(quantity, entry, margin, 1e-9 * entry, side) >= -smallest
        return
    needed = perpetual.maintenance_margin(quantity * price, table)
    assert equity(quantity, entry, margin, price, side) == pytest.approx(needed, abs=1e-9 * scale)


@given(tables(), quantities, prices, st.floats(0, 5), sides, st.floats(0.01, 0.5))
def test_alive_on_one_side_and_dead_on_the_other(table, quantity, entry, funded, side, step):
    margin = funded * quantity * entry
    price = perpetual.liquidation_price(quantity, entry, margin, table, side)
    assume(price > 0)
    worse, better = price * (1 - side * step), price * (1 + side * step)
    for mark, alive in [(better, True), (worse, False)]:
        needed = perpetual.maintenance_margin(quantity * mark, table)
        assert (equity(quantity, entry, margin, mark, side) > needed) == alive


@given(quantities, prices, st.floats(1, 150))
def test_cross_counts_only_what_is_left_after_the_others(quantity, entry, leverage):
    margin = quantity * entry / leverage
    alone = perpetual.liquidation_price(quantity, entry, margin, TABLE)
    same = perpetual.liquidation_price(
        quantity, entry, 2 * margin, TABLE, other_pnl=-0.75 * margin, other_maintenance=0.25 * margin
    )
    assert same == pytest.approx(alone, rel=1e-9)


def test_only_posted_margin_matters():
    # A 10x setting with half the notional in a cross wallet dies where 2x does.
    at_2x = perpetual.liquidation_price(1, 60_000, perpetual.initial_margin(1, 60_000, 2), TABLE)
    assert perpetual.liquidation_price(1, 60_000, 30_000, TABLE) == at_2x


def test_liquidation_where_there_is_none():
    assert perpetual.liquidation_price(0, 60_000, 0, TABLE) == np.inf
    assert perpetual.liquidation_price(0, 60_000, 0, TABLE, side=1) == 0
    assert perpetual.liquidation_price(1, 60_000, 60_000, TABLE, side=1) == 0
    assert perpetual.liquidation_price(1e-320, 60_000, 1, TABLE) == np.inf


def test_already_below_maintenance():
    # 1 BTC from 60,000 with 100 USDT: a short dies below its entry, at 60,100 / 1.004, and a long above it.
    assert perpetual.liquidation_price(1, 60_000, 100, TABLE) == pytest.approx(60_100 / 1.004)
    assert perpetual.liquidation_price(1, 60_000, 100, TABLE, side=1) == pytest.approx(59_900 / 0.996)
    # Another position has lost more than everything: every price liquidates the short.
    assert perpetual.liquidation_price(1, 60_000, 100, TABLE, other_pnl=-70_000) == 0


# Liquidation with the coins as collateral


@pytest.mark.parametrize(
    ("collateral_ratio", "expected", "rise"),
    [
        # Where ratio · P + 60,000 − P is rate · P − amount, by hand in the bracket that the answer falls in:
        (0.95, 61_500 / 0.0565, 17.14),  # third bracket, 800,000 to 3 million
        (0.90, 60_300 / 0.105, 8.57),  # second, to 800,000
        (0.80, 60_000 / 0.204, 3.90),  # first, to 300,000
        (0.00, 60_000 / 1.004, -0.004),  # coins that do not count: nothing backs the short
    ],
)
def test_coins_as_collateral_by_hand(collateral_ratio, expected, rise):
    price = perpetual.collateral_liquidation_price(1, 60_000, 1, collateral_ratio, TABLE)
    assert price == pytest.approx(expected, rel=1e-12)
    assert price / 60_000 - 1 == pytest.approx(rise, abs=0.005)


def test_what_is_owed_brings_liquidation_nearer():
    # −5,000 USDT realised: 0.8 · P + 55,000 − P = 0.004 · P
    owed = perpetual.collateral_liquidation_price(1, 60_000, 1, 0.8, TABLE, balance=-5_000)
    assert owed == pytest.approx(55_000 / 0.204)


@given(tables(), quantities, prices, st.floats(0, 3), st.floats(0.5, 1), st.floats(-0.5, 2))
def test_equity_equals_maintenance_with_collateral(table, quantity, entry, share, counted, funded):
    coins, balance = share * quantity, funded * quantity * entry
    price = perpetual.collateral_liquidation_price(quantity, entry, coins, counted, table, balance)

    def left(mark):
        equity = balance + counted * coins * mark + quantity * (entry - mark)
        return equity - perpetual.maintenance_margin(quantity * mark, table)

    if price == np.inf:
        assert (left(entry * np.geomspace(1, 1e6, 20)) > 0).all()
    else:
        scale = quantity * max(price, entry) * (1 + share) + abs(balance)
        assert left(price) == pytest.approx(0, abs=1e-9 * scale)
        assert (left(price * np.geomspace(1.01, 1e3, 20)) < 0).all()


@given(tables(), quantities, prices, st.floats(0, 5))
def test_without_coins_it_is_the_cross_wallet(table, quantity, entry, funded):
    margin = funded * quantity * entry
    alone = perpetual.liquidation_price(quantity, entry, margin, table)
    same = perpetual.collateral_liquidation_price(quantity, entry, 0, 0.95, table, balance=margin)
    assert same == pytest.approx(alone, rel=1e-12)


def test_collateral_where_there_is_no_liquidation():
    assert perpetual.collateral_liquidation_price(0, 60_000, 1, 0.95, TABLE) == np.inf
    # Half the coins shorted: what the others gain is never less than the maintenance of 2 %.
    assert perpetual.collateral_liquidation_price(0.5, 60_000, 1, 0.95, TABLE) == np.inf


# Liquidation, inverse


def test_inverse_liquidation_by_hand():
    # 600 contracts of 100 USD from 60,000, half a coin: 600 · (0.004 − 1) / (0.5/100 − 600/60,000)
    assert perpetual.inverse_liquidation_price(600, 100, 60_000, 0.5, COIN_TABLE) == pytest.approx(119_520)
    # Long with the same margin: 600 · 1.004 / (0.005 + 0.01)
    assert perpetual.inverse_liquidation_price(600, 100, 60_000, 0.5, COIN_TABLE, 1) == pytest.approx(40_160)


@given(st.integers(1, 10**6), prices)
def test_inverse_1x_has_no_upward_liquidation(contracts, entry):
    coins = contracts * 100 / entry
    assert perpetual.inverse_liquidation_price(contracts, 100, entry, coins, COIN_TABLE) == np.inf
    assert perpetual.inverse_liquidation_price(contracts, 100, entry, 2 * coins, COIN_TABLE) == np.inf


@given(tables(), st.integers(1, 10**6), prices, st.floats(0, 0.99), sides)
def test_equity_equals_maintenance_inverse(table, contracts, entry, funded, side):
    at_entry = contracts * 100 / entry
    margin = funded * at_entry
    price = perpetual.inverse_liquidation_price(contracts, 100, entry, margin, table, side)
    notional = contracts * 100 / price
    left = margin + perpetual.inverse_pnl(contracts, 100, entry, price, side)
    needed = perpetual.maintenance_margin(notional, table)
    assert left == pytest.approx(needed, abs=1e-9 * (at_entry + notional))


def test_inverse_liquidation_where_there_is_none():
    assert perpetual.inverse_liquidation_price(0, 100, 60_000, 1, COIN_TABLE) == np.inf
    assert perpetual.inverse_liquidation_price(0, 100, 60_000, 1, COIN_TABLE, side=1) == 0


# Arrays and bad input


@given(st.lists(st.tuples(quantities, prices, prices, sides), min_size=1, max_size=5))
def test_arrays_give_what_single_numbers_give(rows):
    quantity, entry, exit, side = map(np.array, zip(*rows, strict=True))
    margin = quantity * entry / 3
    np.testing.assert_array_equal(
        perpetual.pnl(quantity, entry, exit, side), [perpetual.pnl(*row) for row in rows]
    )
    np.testing.assert_allclose(
        perpetual.liquidation_price(quantity, entry, margin, TABLE, side),
        [
            perpetual.liquidation_price(q, e, m, TABLE, s)
            for q, e, m, s in zip(quantity, entry, margin, side, strict=True)
        ],
        rtol=1e-12,
    )


def test_a_grid_of_leverages_and_entries():
    entries = np.array([[30_000.0], [60_000.0]])
    margins = entries / np.array([1.0, 2.0, 3.0])
    price = perpetual.liquidation_price(1, entries, margins, TABLE)
    assert price.shape == (2, 3)
    np.testing.assert_allclose(price[1], 2 * price[0])


def test_single_numbers_give_python_floats():
    assert type(perpetual.pnl(1, 2, 3)) is float
    assert type(perpetual.liquidation_price(1, 60_000, 20_000, TABLE)) is float
    assert type(perpetual.inverse_liquidation_price(600, 100, 60_000, 0.5, COIN_TABLE)) is float
    assert type(perpetual.bankruptcy_price(1, 60_000, 20_000)) is float


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: perpetual.pnl(-1, 1, 1), "quantity .coin. must be a finite number at least 0, got -1"),
        (lambda: perpetual.pnl(1, 0, 1), "entry .USDT. must be a finite number above 0, got 0"),
        (lambda: perpetual.pnl(1, 1, np.nan), "exit .USDT."),
        (lambda: perpetual.pnl(1, 1, np.inf), "exit .USDT."),
        (lambda: perpetual.pnl(1, 1, "1"), "exit .USDT."),
        (lambda: perpetual.pnl(1, 1, None), "exit .USDT."),
        (lambda: perpetual.pnl(True, 1, 1), "quantity"),
        (lambda: perpetual.pnl(1e200, 1e200, 1), "too large"),
        (lambda: perpetual.pnl(1, 1, 1, side=0), "side must be -1 .short. or"),
        (lambda: perpetual.pnl([1, 2], [1, 2, 3], 1), "matching shape"),
        (lambda: perpetual.initial_margin(1, 1, 0), "leverage must be a finite number at least 1"),
        (lambda: perpetual.maintenance_margin(-1, TABLE), "notional"),
        (lambda: perpetual.maintenance_margin(1, [0.004]), "must be a perpetual.Brackets, got .0.004."),
        (lambda: perpetual.liquidation_price(1, 1, -1, TABLE), "margin"),
        (lambda: perpetual.liquidation_price(1, 1, 1, None), "got None"),
        (lambda: perpetual.liquidation_price(1, 1, 1, TABLE, other_maintenance=-1), "other_maintenance"),
        (lambda: perpetual.bankruptcy_price(1, 1, -1), "margin"),
        (lambda: perpetual.inverse_pnl(-1, 100, 1, 1), "contracts"),
        (lambda: perpetual.inverse_pnl(1, 0, 1, 1), "size"),
        (lambda: perpetual.inverse_liquidation_price(1, 100, 1, -1, TABLE), "margin .coin."),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
