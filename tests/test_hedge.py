import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import contracts, perpetual
from hedgelib.hedge import Hedge

holdings = st.floats(0.01, 1e3)
ratios = st.floats(0, 3)
leverages = st.floats(1, 150)
prices = st.floats(10, 1e6)
inverse = {"contract": "BTCUSD", "margin_from": "coin_margined"}


# The article


@pytest.mark.parametrize(
    ("holding", "ratio", "entry", "price", "spot", "short"),
    [
        (1, 1, 60_000, 70_000, 10_000, -10_000),  # full hedge
        (1, 1, 60_000, 50_000, -10_000, 10_000),
        (1, 1, 60_000, 60_000, 0, 0),
        (1, 0.5, 60_000, 70_000, 10_000, -5_000),  # half hedge
        (1, 0.5, 60_000, 50_000, -10_000, 5_000),
        (5, 0.6, 65_000, 55_000, -50_000, 30_000),  # case 1
    ],
)
def test_payoff_of_the_article(holding, ratio, entry, price, spot, short):
    table = Hedge(holding, ratio, 3, "BTCUSDT").payoff(entry, price)
    assert list(table.columns) == ["spot_pnl", "short_pnl", "total_pnl"]
    assert table.index.name == "price"
    np.testing.assert_allclose(table.loc[price], [spot, short, spot + short], atol=1e-9)


def test_margin_of_the_article():
    assert [Hedge(1, 1, leverage, "BTCUSDT").margin(60_000) for leverage in (2, 3)] == [30_000, 20_000]


@pytest.mark.parametrize(("move", "coins"), [(-0.15, 11.2353), (0.15, 9.0870)])
def test_case_2_in_coins(move, coins):
    # 10 ETH plus the gain in USDT turned back into coins: 10 − 7 · move / (1 + move)
    price = 2_000 * (1 + move)
    hedge = Hedge(10, 0.7, 2, "ETHUSDT")
    gain = hedge.payoff(2_000, price)["short_pnl"].iloc[0]
    assert 10 + gain / price == pytest.approx(coins, abs=5e-5)
    # The article's 1.05 and 0.45 are multiples of the entry price.
    assert gain / 2_000 == pytest.approx(-7 * move)


# Where the margin comes from


@pytest.mark.parametrize(("leverage", "share"), [(1, 1 / 2), (2, 1 / 3), (3, 1 / 4), (10, 1 / 11)])
def test_coins_sold_for_a_full_hedge(leverage, share):
    hedge = Hedge(1, 1, leverage, "BTCUSDT", margin_from="coins")
    assert hedge.coins_sold(60_000) == pytest.approx(share)
    assert hedge.hedged_holding == pytest.approx(1 - share)


@given(holdings, ratios, leverages, prices)
def test_coins_sold_pay_for_the_margin(holding, ratio, leverage, price):
    hedge = Hedge(holding, ratio, leverage, "BTCUSDT", margin_from="coins")
    proceeds = hedge.coins_sold(price) * price
    assert proceeds == pytest.approx(ratio * hedge.hedged_holding * price / leverage, rel=1e-9)
    assert hedge.margin(price) <= proceeds * (1 + 1e-9) + 1e-9
    assert hedge.collateral(price) == hedge.margin(price)
    crossed = dataclasses.replace(hedge, mode="cross")
    assert crossed.collateral(price) == proceeds


def test_outside_margin_sells_nothing():
    np.testing.assert_array_equal(Hedge(1, 1, 2, "BTCUSDT").coins_sold([50_000, 60_000]), [0, 0])


def test_coin_margin_is_all_the_coins_unless_told():
    assert Hedge(2, 1, 2, **inverse).collateral(60_000) == 2
    assert Hedge(2, 1, 2, **inverse).margin(60_000) == 1
    assert Hedge(2, 1, 2, **inverse, wallet=1).collateral(60_000) == 1


# What a hedge does


@given(holdings, leverages, prices, prices)
def test_a_full_hedge_is_flat_at_any_price(holding, leverage, entry, price):
    hedge = Hedge(holding, 1, leverage, "BTCUSDT")
    total = hedge.payoff(entry, price)["total_pnl"].iloc[0]
    # Flat up to the coins that rounding leaves over.
    assert total == pytest.approx(hedge.residual * (price - entry), abs=1e-9 * holding * (entry + price))


@given(st.floats(1, 1e3), leverages, st.floats(1e3, 1e6), prices)
def test_a_coin_margined_1x_is_a_synthetic_dollar(holding, leverage, entry, price):
    hedge = Hedge(holding, 1, leverage, **inverse)
    total = hedge.payoff(entry, price)["total_pnl"].iloc[0]
    assert abs(total) <= 100 * abs(price / entry - 1) + 1e-9 * holding * (entry + price)
    assert hedge.liquidation_price(entry) == np.inf
    assert hedge.distance_to_liquidation(entry) == np.inf


@given(holdings, ratios, leverages)
def test_residual_is_what_rounding_leaves(holding, ratio, leverage):
    for margin_from in ("outside", "coins"):
        hedge = Hedge(holding, ratio, leverage, "BTCUSDT", margin_from)
        target = ratio * hedge.hedged_holding
        assert 0 <= hedge.residual < 0.001
        assert hedge.short_quantity + hedge.residual == pytest.approx(target, abs=1e-9)


def test_no_short_no_liquidation():
    hedge = Hedge(1, 0, 10, "BTCUSDT")
    assert hedge.short_quantity == 0
    assert hedge.liquidation_price(60_000) == np.inf
    np.testing.assert_array_equal(hedge.payoff(60_000, [50_000])["total_pnl"], [-10_000])


# Liquidation


@pytest.mark.parametrize(
    ("leverage", "distance"), [(1, 0.9920), (2, 0.4940), (3, 0.3280), (5, 0.1952), (10, 0.0956)]
)
def test_distance_to_liquidation(leverage, distance):
    hedge = Hedge(1, 1, leverage, "BTCUSDT")
    np.testing.assert_allclose(hedge.distance_to_liquidation([30_000, 60_000]), distance, atol=5e-5)


def test_a_cross_wallet_backs_the_short():
    # A wallet of half the notional makes a 10x setting die like 2x.
    wallet = Hedge(1, 1, 10, "BTCUSDT", mode="cross", wallet=30_000)
    at_2x = Hedge(1, 1, 2, "BTCUSDT")
    assert wallet.liquidation_price(60_000) == at_2x.liquidation_price(60_000)
    assert wallet.margin(60_000) == 6_000
    alone = Hedge(1, 1, 10, "BTCUSDT", mode="cross")
    assert alone.liquidation_price(60_000) == Hedge(1, 1, 10, "BTCUSDT").liquidation_price(60_000)


def test_coin_margin_posting_less_can_be_liquidated():
    # 600 contracts and half a coin, see test_perpetual.
    hedge = Hedge(1, 1, 2, **inverse, wallet=0.5)
    assert hedge.liquidation_price(60_000) == pytest.approx(119_520)


# The coins as collateral

collateral = {"margin_from": "collateral"}


def test_coins_as_collateral():
    hedge = Hedge(1, 1, 2, "BTCUSDT", **collateral)
    assert (hedge.mode, hedge.coins_sold(60_000), hedge.hedged_holding, hedge.short_quantity) == (
        "cross",
        0,
        1,
        1,
    )
    assert hedge.margin(60_000) == 30_000
    assert hedge.collateral(60_000) == 57_000
    # 0.95 · P + 60,000 − P = 0.0065 · P − 1,500
    assert hedge.liquidation_price(60_000) == pytest.approx(61_500 / 0.0565)
    assert hedge.distance_to_liquidation(60_000) == pytest.approx(17.14, abs=0.005)
    np.testing.assert_array_equal(hedge.payoff(60_000, [70_000, 50_000])["total_pnl"], [0, 0])


@pytest.mark.parametrize(("counted", "rise"), [(0.95, 17.14), (0.9, 8.57), (0.8, 3.90)])
def test_a_deeper_haircut_brings_liquidation_nearer(counted, rise):
    contract = dataclasses.replace(contracts.get("BTCUSDT"), collateral_ratio=counted)
    hedge = Hedge(1, 1, 2, contract, **collateral)
    assert hedge.distance_to_liquidation(60_000) == pytest.approx(rise, abs=0.005)


def test_leverage_decides_only_what_is_tied_up():
    prices = {
        Hedge(1, 1, leverage, "BTCUSDT", **collateral).liquidation_price(60_000) for leverage in (2, 5, 50)
    }
    assert len(prices) == 1


def test_usdt_beside_the_coins():
    # 0.95 · P + 10,000 + 60,000 − P = 0.0065 · P − 1,500
    hedge = Hedge(1, 1, 2, "BTCUSDT", **collateral, wallet=10_000)
    assert hedge.collateral(60_000) == 67_000
    assert hedge.liquidation_price(60_000) == pytest.approx(71_500 / 0.0565)
    # At 1x the coin alone counts too little, the 5 % of its haircut must lie beside it.
    assert Hedge(1, 1, 1, "BTCUSDT", **collateral, wallet=3_000).ticket(60_000).initial_margin == 60_000
    with pytest.raises(ValueError, match=r"2,999.00 USDT does not cover 60,000.00 USDT"):
        Hedge(1, 1, 1, "BTCUSDT", **collateral, wallet=2_999).collateral(60_000)


def test_an_overhedge_beyond_the_coins_dies_as_shorts_do():
    # 2 BTC shorted: 0.95 · P + 120,000 − 2 P = 0.004 · 2 P, in the first bracket
    hedge = Hedge(1, 2, 3, "BTCUSDT", **collateral)
    price = hedge.liquidation_price(60_000)
    assert price == pytest.approx(120_000 / 1.058)
    assert 2 * price < 300_000
    # Half a hedge: the coins gain faster than the short loses, at any price that has a maintenance known.
    assert Hedge(1, 0.5, 2, "BTCUSDT", **collateral).liquidation_price(60_000) == np.inf


# The order


def test_ticket_linear():
    ticket = Hedge(1, 0.66667, 2, "BTCUSDT").ticket(60_000.04)
    assert (ticket.symbol, ticket.side, ticket.mode, ticket.leverage) == ("BTCUSDT", "SELL", "isolated", 2)
    assert (ticket.quantity, ticket.price) == (0.666, 60_000)
    assert ticket.notional == pytest.approx(39_960)
    assert ticket.initial_margin == pytest.approx(19_980)
    assert ticket.liquidation_price == pytest.approx(60_000 * 1.5 / 1.004)
    assert ticket.maker_fee == pytest.approx(7.992)
    assert ticket.taker_fee == pytest.approx(19.98)
    assert ticket.residual == pytest.approx(0.00067)


def test_ticket_inverse():
    # 0.7 BTC at 61,234.5 are 42,864.15 USD: 428 contracts; 64.15 USD stay unhedged.
    ticket = Hedge(1, 0.7, 1, **inverse).ticket(61_234.5)
    assert ticket.quantity == 428
    assert ticket.notional == pytest.approx(42_800 / 61_234.5)
    assert ticket.residual == pytest.approx(64.15 / 61_234.5)
    assert ticket.taker_fee == pytest.approx(0.0005 * 42_800 / 61_234.5)
    assert ticket.liquidation_price == np.inf


def test_ticket_as_a_table():
    table = Hedge(1, 1, 2, "BTCUSDT").ticket(60_000).table()
    assert table.loc["Liquidation price"].tolist() == ["89,641.43", "USDT"]
    assert table.loc["Quantity"].tolist() == ["1", "BTC"]
    coins = Hedge(1, 1, 1, **inverse).ticket(60_000).table()
    assert coins.loc["Quantity"].tolist() == ["600", "contracts"]
    assert coins.loc["Initial margin"].tolist() == ["1.00000000", "BTC"]
    assert coins.loc["Liquidation price"].tolist() == ["none: no rise alone liquidates it", ""]


STEEP = dataclasses.replace(contracts.get("BTCUSDT"), brackets=perpetual.Brackets((0,), (0.02,)))


@pytest.mark.parametrize(
    ("hedge", "message"),
    [
        (Hedge(0.0005, 1, 2, "BTCUSDT"), "worth 0.00 USDT, below the minimum of 50.00"),
        (Hedge(0.001, 1, 2, contracts.get("BTCUSDT", "2026-04-13")), "worth 60.00 .* minimum of 100.00"),
        (Hedge(1, 0, 2, "BTCUSDT"), "below the minimum"),
        (Hedge(0.001, 1, 2, **inverse), "below the minimum of 100.00"),
        (Hedge(100, 1, 1, **inverse), "known only up to 5"),
        (Hedge(45, 1, 100, "BTCUSDT"), "worth 2,700,000.00 USDT, .* at most 75x, not 100x"),
        (Hedge(2_000, 1, 20, "BTCUSDT"), "at most 10x"),
        (Hedge(1, 1, 150, contracts.get("BTCUSDT", "2024-06-30")), "at most 100x"),
        (Hedge(1, 1, 100, STEEP), "liquidated as it opens: at 100x its margin is below"),
    ],
)
def test_orders_that_would_be_refused(hedge, message):
    with pytest.raises(ValueError, match=message):
        hedge.ticket(60_000)


def test_the_highest_leverage_itself_is_allowed():
    assert Hedge(45, 1, 75, "BTCUSDT").ticket(60_000).initial_margin == 36_000
    assert Hedge(5, 1, 150, "BTCUSDT").ticket(60_000).initial_margin == 2_000
    # A contract of one's own whose limits are not known is limited by nothing but 150x.
    assert Hedge(4, 1, 150, dataclasses.replace(STEEP, brackets=perpetual.Brackets((0,), (0.004,)))).ticket(
        60_000
    )


def test_one_contract_is_a_valid_order():
    assert Hedge(100 / 61_234.5 * 1.001, 1, 1, **inverse).ticket(61_234.5).quantity == 1


# Arrays and bad input


@given(st.lists(prices, min_size=1, max_size=4), ratios)
def test_arrays_give_what_single_prices_give(entries, ratio):
    for hedge in (
        Hedge(1, ratio, 3, "BTCUSDT"),
        Hedge(1, ratio, 3, "BTCUSDT", "coins", "cross"),
        Hedge(1, ratio, 3, "BTCUSDT", mode="cross", wallet=1e7),
        Hedge(1, ratio, 3, **inverse),
        Hedge(1, ratio, 4, "BTCUSDT", **collateral),
    ):
        for method in ("quantity", "margin", "coins_sold", "collateral", "liquidation_price"):
            ask = getattr(hedge, method)
            np.testing.assert_allclose(ask(entries), [ask(entry) for entry in entries], rtol=1e-12)
            assert type(ask(entries[0])) is float


def test_a_contract_or_its_symbol():
    assert Hedge(1, 1, 2, contracts.get("BTCUSDT")) == Hedge(1, 1, 2, "BTCUSDT")
    old = contracts.get("BTCUSDT", "2024-05-30")
    assert Hedge(10, 1, 2, old).liquidation_price(60_000) == pytest.approx(
        perpetual.liquidation_price(10, 60_000, 300_000, old.brackets)
    )


HEDGE = Hedge(1, 1, 2, "BTCUSDT")
STEEP_OF_NO_COLLATERAL = dataclasses.replace(STEEP, collateral_ratio=None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Hedge(0, 1, 2, "BTCUSDT"), "holding .coin. must be a finite number above 0"),
        (lambda: Hedge([1, 2], 1, 2, "BTCUSDT"), "holding .coin. must be one number"),
        (lambda: Hedge(1, -0.1, 2, "BTCUSDT"), "ratio"),
        (lambda: Hedge(1, 60, 2, "BTCUSDT"), "at most 3, got 60"),
        (lambda: Hedge(1, 1, 0, "BTCUSDT"), "leverage must be a finite number at least 1"),
        (lambda: Hedge(1, 1, 151, "BTCUSDT"), "at most 150"),
        (lambda: Hedge(1, 1, 2, "XYZ"), "symbol must be one of"),
        (lambda: Hedge(1, 1, 2, None), "symbol must be one of"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", margin_from="bank"), "margin_from must be one of"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", mode="both"), "mode must be one of"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", "coin_margined"), "use an inverse contract such as 'BTCUSD'"),
        (lambda: Hedge(1, 1, 2, "BTCUSD"), "use margin_from='coin_margined'"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", "collateral", "isolated"), "use mode='cross', or leave it out"),
        (lambda: Hedge(1, 1, 2, "BTCUSD", "collateral"), "use margin_from='coin_margined'"),
        (lambda: Hedge(1, 1, 2, STEEP_OF_NO_COLLATERAL, "collateral"), "what share of its value BTC counts"),
        (lambda: Hedge(1, 1, 1, "BTCUSDT", "collateral"), "needs 1 BTC of margin, but only 0.95 count"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", "collateral", wallet=-1), "wallet .USDT. must be"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", wallet=1_000), "wallet is for mode='cross'"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", "coins", "cross", 1_000), "the coins sold fill it"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", mode="cross", wallet=0), "wallet .USDT. must be"),
        (lambda: Hedge(1, 1, 2, **inverse, wallet=1.5), "wallet .BTC. must be"),
        (lambda: Hedge(1, 1.5, 1, **inverse), "needs 1.5 BTC of margin, but only 1 are there"),
        (lambda: Hedge(1, 1, 2, "BTCUSDT", mode="cross", wallet=1).collateral(60_000), "does not cover"),
        (lambda: HEDGE.margin(0), "price .USDT or USD. must be a finite number above 0"),
        (lambda: HEDGE.margin("60000"), "price"),
        (lambda: HEDGE.liquidation_price(np.nan), "price"),
        (lambda: HEDGE.payoff(60_000, []), "at least one"),
        (lambda: HEDGE.payoff([60_000], 1), "entry .USDT or USD. must be one number"),
        (lambda: HEDGE.ticket([60_000]), "must be one number"),
        (lambda: HEDGE.ticket(0.01), "at least 0.1"),
        (lambda: Hedge(1, 1, 1, **inverse).short_quantity, "ask quantity"),
        (lambda: Hedge(1, 1, 1, **inverse).residual, "depends on the price"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wallet_of_exactly_the_margin_passes():
    for leverage in (3, 7, 49):
        assert Hedge(0.7, 1, leverage, **inverse, wallet=0.7 / leverage).ratio == 1
