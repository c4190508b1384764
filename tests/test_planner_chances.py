"""How a plan may end: the formula against random walks and quadrature, measured shares against the facts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import erfc

from hedgelib import market, planner, survival
from hedgelib.planner import Worksheet
from hedgelib.planner.chances import ENDS, by_formula, first_touch, measured, played
from hedgelib.planner.outlook import History, Own, Published, Touched

PLAN = {"coins": 2.5, "cost": 30_000, "price": 60_000, "ratio": 0.6, "leverage": 3, "days": 60}


class TestFormula:
    @given(st.floats(0.01, 3), st.floats(0.2, 1.5), st.floats(1, 365))
    def test_one_price_is_the_touch_probability(self, rise, volatility, days):
        above, below = first_touch(rise, math.inf, volatility, days)
        assert above == pytest.approx(survival.touch_probability(rise, volatility, days), abs=1e-12)
        assert below == 0

    @given(st.floats(0.02, 1), st.floats(0.02, 0.7), st.floats(0.2, 1.2), st.floats(1, 365))
    def test_two_prices_share_what_each_would_have(self, up, down, volatility, days):
        above, below = first_touch(up, down, volatility, days)
        alone = survival.touch_probability(up, volatility, days)
        assert -1e-12 <= above <= alone + 1e-12
        assert below >= -1e-12
        assert above + below <= 1 + 1e-9
        # Turned upside down the prices change places.
        turned = first_touch(1 / (1 - down) - 1, 1 - 1 / (1 + up), volatility, days)
        assert np.array(turned) == pytest.approx(np.array([below, above]), abs=1e-9)

    def test_in_the_end_the_nearer_price_is_reached_more_often(self):
        # The gambler's ruin: a log that wanders for ever leaves (−b, a) above with probability b / (a + b).
        above, below = first_touch(math.e - 1, 1 - math.exp(-3), 10.0, 365)
        assert np.array([above, below]) == pytest.approx([0.75, 0.25], abs=1e-9)

    def test_against_a_random_walk(self):
        # A walk of equal steps on 240 places, absorbed at both ends, after 8,000 steps.
        up, down, places, steps = 0.25, 0.12, 240, 8_000
        above, below = math.log1p(up), -math.log1p(-down)
        step = (above + below) / places
        start = round(below / step)
        here, ends = np.zeros(places + 1), np.zeros(2)
        here[start] = 1.0
        for _ in range(steps):
            moved = np.zeros(places + 1)
            moved[1:] += here[:-1] / 2
            moved[:-1] += here[1:] / 2
            ends += moved[0], moved[-1]
            moved[[0, -1]] = 0.0
            here = moved
        years = steps * step**2 / 0.6**2
        told = first_touch(math.expm1((places - start) * step), -math.expm1(-start * step), 0.6, 365 * years)
        assert told == pytest.approx((ends[1], ends[0]), abs=2e-3)

    def test_days_alive_are_the_area_under_survival(self):
        sheet = Worksheet(**PLAN)
        distance, spread = math.log1p(sheet.distance), 0.6273 * math.sqrt(2 / 365)
        area, _ = quad(lambda day: 1 - erfc(distance / (spread * math.sqrt(day))) if day else 1.0, 0, 60)
        assert by_formula(sheet, 0.6273)["days"] == pytest.approx(area, abs=0.01)

    def test_a_price_that_never_moves_closes_nothing(self):
        assert by_formula(Worksheet(**PLAN, stop=0.1, take_profit=0.1), 0.0)["horizon"] == 1


@given(
    st.sampled_from([0.0, 0.05, 0.2]), st.sampled_from([0.0, 0.1, 0.3]), st.integers(1, 365), st.floats(1, 9)
)
def test_the_four_ends_add_up(stop, take_profit, days, leverage):
    exits = {"stop": min(stop, 0.09), "take_profit": take_profit}
    sheet = Worksheet(**PLAN | {"days": days, "leverage": leverage} | exits)
    table = planner.chances(sheet, play=False)
    known = table[ENDS].dropna()
    assert known.sum(axis=1).to_numpy() == pytest.approx(1)
    assert known.to_numpy().min() >= -1e-9
    if stop:
        assert table["liquidated"].tolist() == [0] * len(table)


def test_the_reserve_lifts_the_price_of_death_and_its_absence_is_told():
    sheet = Worksheet(**PLAN, reserve=15_000)
    posted, never = (planner.chances(sheet, posted=each, play=False)["liquidated"] for each in (True, False))
    spread = Published("BTC").volatility * math.sqrt(60 / 365) * math.sqrt(2)
    assert posted["formula, era"] == pytest.approx(erfc(math.log(1.5 / 1.004) / spread))
    assert never["formula, era"] == pytest.approx(erfc(math.log(4 / 3 / 1.004) / spread))
    assert posted["measured, era"] < never["measured, era"]


def test_played_on_paths_drawn_by_hand():
    # Entry 100: one path dies at +32.8 %, one meets the take profit first and then would have died, one the
    # stop... and two reach the horizon.
    roads = ([100, 140, 100], [100, 85, 150], [100, 105, 99], [100, 99, 100])
    mark = np.array(roads, dtype=float)
    before = np.column_stack([mark[:, 0], mark[:, :-1]])
    paths = market.Paths(
        spot=mark,
        mark=mark,
        mark_high=np.maximum(before, mark),
        mark_low=np.minimum(before, mark),
        funding=np.zeros(mark.shape),
        hours=24,
        label="drawn",
    )
    told = played(Worksheet(**PLAN, take_profit=0.1), paths)
    assert [told[end] for end in ENDS] == [0.25, 0, 0.25, 0.5]
    assert told["days"] == (1 + 1 + 2 + 2) / 4
    told = played(Worksheet(**PLAN, stop=0.04), paths)
    assert [told[end] for end in ENDS] == [0, 0.75, 0, 0.25]
    # Both in reach of one bar: the adverse one counts.
    told = played(Worksheet(**PLAN, stop=0.04, take_profit=0.1), paths)
    assert [told[end] for end in ENDS] == [0, 0.5, 0.25, 0.25]


class TestOutlook:
    def test_published_shares_are_the_facts_on_the_grid_and_between(self):
        facts = market.facts("touched_by_rise").query("asset == 'BTC'").set_index(["period", "key"])["value"]
        coin = Published("BTC")
        assert coin.touched(0.3, 60).share == facts["60 days", "0.3"]
        assert coin.touched(0.3, 60).low == facts["60 days", "0.3_low"]
        middle = (facts["60 days", "0.3"] + facts["60 days", "0.35"]) / 2
        assert coin.touched(0.325, 60).share == pytest.approx(middle)
        near, far = facts["30 days", "0.3"], facts["60 days", "0.3"]
        assert near < coin.touched(0.3, 45).share < far
        assert coin.touched(9.0, 60).remark.startswith("at most")
        assert coin.touched(0.001, 60).remark.startswith("at least")
        assert coin.touched(math.inf, 60).share == 0

    def test_falls_have_a_grid_of_their_own(self):
        facts = market.facts("touched_by_fall").query("asset == 'BTC' and period == '60 days'")
        told = facts.set_index("key")["value"]
        coin = Published("BTC")
        assert coin.fell(0.2, 60).share == told["0.2"]
        assert told["0.25"] < coin.fell(0.22, 60).share < told["0.2"]
        assert "−20 %" in coin.fell(0.22, 60).remark

    def test_the_last_365_days_are_facts_of_their_own(self):
        facts = market.facts("touched_by_rise_last_365_days").query("asset == 'BTC' and period == '60 days'")
        told = facts.set_index("key")["value"]
        recent = Published("BTC", recent=True)
        assert recent.touched(0.1, 60).share == told["0.1"]
        era = Published("BTC")
        assert all(recent.fastest[hours] < era.fastest[hours] for hours in (8, 24))

    def test_history_counts_starts(self):
        # Up from 100 to 140 in 40 days, one a day, and down again: only starts of the first days gain 20 %.
        hills = market.drawn({0: 100, 40: 140, 80: 100}, rate=1e-4)
        found = History(hills)
        rising = [
            day / 3 for day in range(151) if min(140, 100 + day / 3 + 30) >= 1.2 * (100 + day / 3) - 1e-9
        ]
        first_half = [day for day in rising if day <= 40]
        assert found.touched(rise=0.2, days=30).share == pytest.approx(len(first_half) / 151)
        assert found.worst_funding(30)[0] == pytest.approx(90e-4)
        assert found.funding == pytest.approx(3e-4)
        assert found.longest == 40

    def test_history_tells_which_came_first(self):
        hills = market.drawn({0: 100, 40: 140, 80: 90, 120: 130}, rate=1e-4)
        prices = hills["mark"].to_numpy()
        rises, falls, _ = History(hills).first(0.1, 0.05, 20)
        first = []
        for start in range(len(prices) - 60):
            moves = prices[start + 1 : start + 61] / prices[start] - 1
            first.append(next((np.sign(move) for move in moves if move >= 0.1 or move <= -0.05), 0))
        assert (rises, falls) == pytest.approx((np.mean(np.equal(first, 1)), np.mean(np.equal(first, -1))))

    def test_history_measures_days(self):
        closes = np.array([100, 110, 99, 120, 120.0])
        found = History(market.drawn(dict(enumerate(closes.tolist()))))
        # In bars of eight hours a day's move is made in three equal steps.
        assert found.fastest == pytest.approx({8: 106 / 99 - 1, 24: 120 / 99 - 1})
        returns = np.log(closes[1:] / closes[:-1])
        assert found.volatility == pytest.approx(np.std(returns, ddof=1) * math.sqrt(365))
        assert found.basis == 0

    def test_a_fast_rise_goes_from_a_close_to_a_high(self):
        hills = market.drawn({0: 100, 2: 100})
        hills.loc[hills.index[3], "mark_high"] = 130.0  # touched, and back at the close
        assert History(hills).fastest == pytest.approx({8: 0.3, 24: 0.3})
        daily = hills.iloc[::3].copy()
        daily.attrs = hills.attrs | {"hours": 24}
        found = History(daily).fastest
        assert math.isnan(found[8]) and found[24] == pytest.approx(0.3)

    def test_history_is_played_from_many_of_its_bars(self):
        hills = market.drawn({0: 100, 40: 140, 80: 100}, rate=1e-4)
        paths = History(hills).paths(30)
        assert paths.mark.shape == (151, 91)
        assert paths.mark[7].tolist() == hills["mark"].iloc[7:98].tolist()

    def test_own_numbers_take_the_place_of_the_judges(self):
        judge = Published("BTC")
        mine = Own(judge, volatility=0.45, funding=2e-5)
        assert (mine.volatility, mine.funding) == (0.45, pytest.approx(6e-5))
        assert mine.fastest == judge.fastest and "my own volatility and funding" in mine.source


class AsTheFormula:
    """A judge whose facts are what the formula says of each price alone."""

    volatility = 0.6

    def touched(self, rise, days):
        return Touched(float(first_touch(rise, math.inf, 0.6, days)[0]), math.nan, math.nan, "rises")

    def fell(self, fall, days):
        return Touched(float(first_touch(math.inf, fall, 0.6, days)[1]), math.nan, math.nan, "falls")


class TestMeasured:
    @pytest.mark.parametrize(("stop", "take_profit"), [(0.1, 0.1), (0.05, 0.3), (0.0, 0.2), (0.3, 0.02)])
    def test_facts_like_the_formula_end_like_the_formula(self, stop, take_profit):
        sheet = Worksheet(**PLAN, stop=stop, take_profit=take_profit)
        told, formula = measured(sheet, AsTheFormula()), by_formula(sheet, 0.6)
        assert {end: told[end] for end in ENDS} == pytest.approx({end: formula[end] for end in ENDS})

    @settings(max_examples=60)
    @given(
        st.sampled_from([0.0, 0.04, 0.1, 0.3]),
        st.sampled_from([0.0, 0.03, 0.1, 0.5, 0.9]),
        st.integers(1, 365),
        st.sampled_from(["outside", "collateral"]),
        st.booleans(),
    )
    def test_the_four_ends_add_up(self, stop, take_profit, days, source, recent):
        given = PLAN | {"days": days, "reserve": 0.0, "leverage": 2}
        sheet = Worksheet(**given, stop=stop, take_profit=take_profit, margin_from=source)
        judge = Published("BTC", recent=recent)
        told = measured(sheet, judge)
        shares = [told[end] for end in ENDS]
        assert sum(shares) == pytest.approx(1) and min(shares) >= -1e-12
        # No end is more frequent than its price was met, nor both together rarer than either.
        rise = judge.touched(stop or sheet.liquidation / sheet.price - 1, days).share
        fall = judge.fell(take_profit, days).share if take_profit else 0.0
        assert told["stopped"] + told["liquidated"] <= rise + 1e-12 and told["take profit"] <= fall + 1e-12
        assert 1 - told["horizon"] >= max(rise, fall) - 1e-12


class TestJudges:
    def test_the_judge_decides_and_the_other_stands_beside(self):
        sheet = Worksheet(**PLAN, judge="last 365 days")
        assert list(sheet.outlooks) == ["last 365 days", "era"]
        assert sheet.alarm > Worksheet(**PLAN).alarm

    def test_own_numbers_decide(self):
        sheet = Worksheet(**PLAN, volatility=0.45, funding=3e-5)
        assert list(sheet.outlooks) == ["mine", "era", "last 365 days"]
        table = planner.chances(sheet, play=False)
        assert table.index[0] == "formula, mine" and "measured, mine" not in table.index
        days = by_formula(sheet, 0.45)["days"]
        assert planner.carry(sheet).loc["Funding", "mine"] == pytest.approx(9e-5 * days * 90_000)
        assert planner.carry(sheet).loc["Funding", "to the end"] == pytest.approx(9e-5 * 60 * 90_000)

    def test_a_history_decides_and_is_played(self):
        frame = market.drawn({0: 60_000, 30: 80_000, 60: 50_000, 200: 60_000}, rate=-1e-4)
        sheet = Worksheet(**PLAN, market=frame)
        table = planner.chances(sheet)
        assert list(sheet.outlooks) == ["history", "era", "last 365 days"]
        share = table.loc["played, history", "liquidated"]
        assert 0 < share <= table.loc["measured, history", "liquidated"] + 0.01
        assert planner.carry(sheet).loc["Funding", "to the end"] == pytest.approx(-180e-4 * 90_000)
        assert planner.carry(sheet).loc["Funding", "bad"] == pytest.approx(-180e-4 * 90_000)

    def test_an_own_fee_is_paid(self):
        assert Worksheet(**PLAN, taker_fee=0.0002).opening_fee == pytest.approx(18)
        assert planner.carry(Worksheet(**PLAN, taker_fee=0.0002)).loc["Fees"].iloc[0] == pytest.approx(-36)


def test_simulated_paths_agree_with_the_formula_where_both_know_the_same():
    """Driftless paths of the era come near the formula at the volatility of the era."""
    sheet = Worksheet(**PLAN | {"leverage": 5})
    table = planner.chances(sheet)
    gap = table.loc["played, simulated", "liquidated"] - table.loc["formula, era", "liquidated"]
    assert abs(gap) < 0.12
    assert table.loc["played, simulated", ENDS].sum() == pytest.approx(1)
    safer = planner.chances(replace(sheet, reserve=1_000.0))
    assert safer.loc["played, simulated", "liquidated"] <= table.loc["played, simulated", "liquidated"]
