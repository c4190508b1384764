"""Plans kept in a file, followed, and set side by side: by hand, by the ledger, and by Black and Scholes."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.stats import norm
from test_planner_truth import plans

from hedgelib import contracts, ledger, market, planner
from hedgelib.planner import Worksheet

TAKER = 0.0005
PLAN = Worksheet(2.5, 30_000, 60_000, ratio=0.6, leverage=3, reserve=15_000, fall=0.2, days=60)
COLLATERAL = {"margin_from": "collateral", "mode": "cross", "reserve": 0.0}


class TestKept:
    @settings(max_examples=25)
    @given(plans(banded=True))
    def test_what_was_saved_is_loaded(self, tmp_path_factory, sheet):
        file = tmp_path_factory.mktemp("plan") / "plan.json"
        planner.save(sheet, file)
        assert planner.load(file) == sheet

    def test_a_contract_of_ones_own_is_in_the_file(self, tmp_path):
        own = replace(contracts.get("BTCUSDT"), symbol="BTC-PERP", taker_fee=0.0002)
        sheet = replace(PLAN, contract=own, volatility=0.4, bearable=None)
        planner.save(sheet, tmp_path / "plan.json")
        again = planner.load(tmp_path / "plan.json")
        assert again == sheet and again.rules == own

    def test_a_market_is_not_in_the_file(self, tmp_path):
        planner.save(replace(PLAN, market=market.drawn({0: 60_000, 200: 61_000})), tmp_path / "plan.json")
        assert planner.load(tmp_path / "plan.json").market is None

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"hedge lab plan": 2}', '{"hedge lab plan": 1, "coins": 1}']
    )
    def test_another_file_is_refused(self, tmp_path, text):
        (tmp_path / "plan.json").write_text(text)
        with pytest.raises(ValueError, match="holds no plan"):
            planner.load(tmp_path / "plan.json")
        with pytest.raises(ValueError, match="no plan can be read"):
            planner.load(tmp_path / "missing.json")

    @pytest.mark.parametrize("path", [None, 1, True, b"plan.json", ["plan.json"], "\0"])
    def test_what_is_no_path_is_refused(self, path):
        for use in (planner.load, lambda path: planner.save(PLAN, path)):
            with pytest.raises(ValueError, match=r"path|null"):
                use(path)
        with pytest.raises(ValueError, match="Worksheet"):
            planner.save("plan", "plan.json")

    def test_a_plan_that_was_changed_by_hand_is_checked(self, tmp_path):
        planner.save(PLAN, tmp_path / "plan.json")
        kept = json.loads((tmp_path / "plan.json").read_text())
        (tmp_path / "plan.json").write_text(json.dumps(kept | {"leverage": 500}))
        with pytest.raises(ValueError, match="leverage"):
            planner.load(tmp_path / "plan.json")


class TestFollowed:
    def test_the_plan_of_the_lesson_after_a_rise(self):
        # 30,000 of margin, 1.5 · 8,000 lost, 300 of funding; 0.4 % of 102,000 are demanded.
        told = planner.follow(PLAN, 68_000, day=20, funding=300)
        assert told["State"] == "open, day 20 of 60"
        assert told["Margin balance"] == "18,300 USDT of 102,000 USDT notional, margin ratio 2.2 %"
        dies = (30_000 + 300 + 90_000) / (1.5 * 1.004)
        assert told["Liquidation price"] == f"{dies:,.2f} USDT (+{100 * (dies / 68_000 - 1):.1f} %) from now"
        assert (
            told["So far"]
            == "+8,255 USDT: coins +20,000 USDT, short −12,000 USDT, funding +300 USDT, fees −45 USDT"
        )
        assert told["Rang"] == "the alarm of 8 hours at 66,219 USDT"
        assert told["Do"] == "post the reserve of 15,000 USDT, or buy back part of the short"
        dies = {hours: dies / (1 + rise) for hours, rise in ((8, 0.2033), (24, 0.3954))}
        assert told["Next alarm"] == f"{dies[8]:,.0f} USDT (8 hours), {dies[24]:,.0f} USDT (24 hours)"
        means = market.facts("funding_by_year", "BTC").query("key == 'mean'").set_index("period")["value"]
        era, recent = (20 * 3 * 1e-4 * means[name] * 90_000 for name in ("era", "last 365 days"))
        judged = f"+{era:,.0f} USDT (era), +{recent:,.0f} USDT (last 365 days)"
        assert told["Funding"] == f"+300 USDT so far; at the rates of each judge {judged}"

    def test_with_the_reserve_posted(self):
        told = planner.follow(PLAN, 68_000, day=20, posted=15_000)
        assert told["Reserve left"] == "0 USDT of 15,000 USDT"
        assert told["Liquidation price"].startswith("89,641.43 USDT")
        # 89,641 / 1.3954 lies below, 89,641 / 1.2033 above the price now.
        assert told["Do"] == "look every 8 hours: the fastest 24 lead to the liquidation price"
        assert planner.follow(PLAN, 64_000, day=20, posted=15_000)["Do"].startswith("nothing: look again")
        spread = PLAN.outlook.volatility * math.sqrt(40 / 365)
        chance = 2 * norm.sf(math.log(89_641.4343 / 68_000) / spread)
        assert (
            told["Chance from here"] == f"liquidated {100 * chance:.0f} % within the 40 days left, by formula"
        )

    @pytest.mark.parametrize(
        ("change", "asked", "state", "advice"),
        [
            ({"stop": 0.15}, {"price": 66_000, "highest": 69_500}, "stopped", "coins are unprotected"),
            (
                {"take_profit": 0.1},
                {"price": 58_000, "lowest": 53_000},
                "its take profit filled",
                "A new plan",
            ),
            ({}, {"price": 70_000, "highest": 95_000}, "liquidated", "coins are unprotected"),
            ({}, {"price": 60_000, "day": 60}, "open", "its day has come"),
            ({}, {"price": 60_000, "funding": -1_200}, "open", "funding has cost as much as the bad case"),
            ({}, {"price": 47_000}, "open", "the feared fall has come"),
            ({"reserve": 0}, {"price": 75_000}, "open", "add margin or buy back"),
            (COLLATERAL, {"price": 60_000, "funding": -6_000}, "open", "coins are sold for the USDT owed"),
        ],
    )
    def test_what_has_happened_and_what_to_do(self, change, asked, state, advice):
        told = planner.follow(replace(PLAN, **change), **{"day": 20} | asked)
        assert told["State"].startswith(state)
        assert advice in told["Do"]
        assert ("Margin balance" in told) == (state == "open")

    @settings(max_examples=40)
    @given(plans(), st.floats(0.6, 1.6), st.floats(-0.003, 0.003))
    def test_the_balance_is_the_ledgers(self, sheet, move, rate):
        sheet = replace(sheet, take_profit=0.0, stop=0.0)
        price = sheet.price * move
        assume(price < 0.99 * sheet.liquidation)
        frame = market.drawn({0: sheet.price, 1: price})
        frame.loc[frame.index[-1], "funding"] = rate
        rows = ledger.run(frame, sheet.hedge, replace(sheet.plan, top_up=None))
        end = rows.iloc[-1]
        assume(end.short_quantity and not rows["event"].str.contains("owed").any())
        funding = end.funding / (price if sheet.rules.inverse else 1)
        told = planner.follow(sheet, price, day=1, funding=funding)
        balance = float(told["Margin balance"].split()[0].replace(",", ""))
        assert balance == pytest.approx(end.margin, rel=1e-5, abs=0 if sheet.rules.inverse else 0.51)


def test_a_put_beside_a_hedge_by_quadrature():
    spread = PLAN.outlook.volatility * math.sqrt(60 / 365)
    # What a put pays at the end, over all prices whose mean is the price today.
    paid, _ = quad(
        lambda z: max(0.0, 1 - math.exp(spread * z - spread**2 / 2)) * norm.pdf(z), -12, 12, limit=200
    )
    table = planner.compare({"hedge": PLAN, "put": "put", "sell": "sell"})
    assert table.loc["put", "cash"] == pytest.approx(1.5 * 60_000 * paid, rel=1e-6)
    assert table.loc["put", "cost"] == -table.loc["put", "cash"]
    assert table.loc["put", "given up"] == pytest.approx(table.loc["put", "cash"])


def test_side_by_side_by_hand():
    collateral = replace(PLAN, **COLLATERAL)
    table = planner.compare(
        {"2x": replace(PLAN, leverage=2), "3x": PLAN, "coins": collateral, "sell": "sell"}
    )
    assert table["cash"].tolist() == [60_045, 45_045, 0, 0]
    # A fall by 20 %: 12,000 stay open; fees of both orders 90. Sold: 1.5 coins less 0.1 % at both prices.
    assert table["fall of 20 %"].tolist() == pytest.approx([-12_090, -12_090, -12_090, -12_000 - 1.5 * 108])
    # A rise by half: at 2x the reserve lifts the liquidation price to +59.4 %; at 3x it comes at +49.4 %.
    assert table.loc["2x", "rise by half"] == pytest.approx(30_000 - 90)
    assert table.loc["3x", "rise by half"] == pytest.approx(75_000 - 45_000 - 90)
    assert table.loc["3x", "given up"] == pytest.approx(45_090)
    assert table.loc["2x", "liquidated"] < table.loc["3x", "liquidated"]
    assert table.loc["coins", "liquidated"] == 0
    assert table.loc["3x", "cost"] == pytest.approx(planner.carry(PLAN).loc["Total", "era"])


def test_a_put_at_the_volatility_of_its_sellers():
    given = {"hedge": PLAN, "put": "put"}
    told, dear = (planner.compare(given, implied)["cost"]["put"] for implied in (0.45, 0.9))
    spread = 0.45 * math.sqrt(60 / 365)
    assert told == pytest.approx(-1.5 * 60_000 * (2 * norm.cdf(spread / 2) - 1))
    assert dear < 1.9 * told < 0
    assert planner.draw_comparison(Figure(), given, 0.45)["put"] == f"−{12_000 - told:,.0f} USDT"
    with pytest.raises(ValueError, match="implied volatility"):
        planner.compare(given, implied=45)


def test_batches_beside_the_plain_hedge_by_hand():
    table = planner.compare({"hedge": PLAN, "batches": "batches"})
    # Of 1.5 BTC 0.45 are short at 60,000, 0.45 at 57,000 and 0.6 at 54,000; 48,000 gains 13,050 of them.
    fee = TAKER * (0.45 * 60_000 + 0.45 * 57_000 + 0.6 * 54_000)
    assert table.loc["batches", "fall of 20 %"] == pytest.approx(-30_000 + 13_050 - 2 * fee, abs=0.01)
    # In a rise only the first is there. Its share of the reserve is larger, so +50 % does not kill it.
    assert table.loc["batches", "rise by half"] == pytest.approx(75_000 - 0.45 * 30_000 - 2 * TAKER * 27_000)
    assert table.loc["batches", "liquidated"] < table.loc["hedge", "liquidated"]
    assert table.loc["batches", "cash"] == table.loc["hedge", "cash"]
    # What is likely to be placed, by the reflection principle, day by day.
    days, volatility = np.arange(1, 61), PLAN.outlook.volatility
    shares = 0.3 + sum(
        part * 2 * norm.cdf(math.log(1 - fall) / (volatility * np.sqrt(days / 365)))
        for part, fall in ((0.3, 0.05), (0.4, 0.1))
    )
    carried = planner.carry(PLAN)["era"]
    cost = carried["Funding"] * shares.mean() + carried["Fees"] * shares[-1]
    assert table.loc["batches", "cost"] == pytest.approx(cost)
    with pytest.raises(ValueError, match="the first batch, 30 % of the hedge"):
        planner.compare({"small": replace(PLAN, coins=0.002, bearable=None, ratio=1), "batches": "batches"})


def test_plans_for_other_holdings_are_not_compared():
    for other, why in ((replace(PLAN, coins=3.0), "other coins"), ("burn", "sell")):
        with pytest.raises(ValueError, match=why):
            planner.compare({"one": PLAN, "other": other})
    with pytest.raises(ValueError, match="first plan"):
        planner.compare({"put": "put", "one": PLAN})
    assert np.isfinite(planner.compare({"one": PLAN}).to_numpy()).all()


def test_an_older_plan_stays_whole_when_the_new_one_cannot_be_written(tmp_path, monkeypatch):
    file = tmp_path / "plan.json"
    planner.save(PLAN, file)
    older = file.read_bytes()

    def half(path, text, **kwargs):
        path.write_bytes(text[: len(text) // 2].encode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", half)
    with pytest.raises(ValueError, match=r"no plan can be written to .*plan\.json: No space left on device"):
        planner.save(PLAN, file)
    assert file.read_bytes() == older
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no plan can be written to .*: No such file or directory"):
        planner.save(PLAN, tmp_path / "none" / "plan.json")
