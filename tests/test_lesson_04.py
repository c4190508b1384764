"""The key numbers of lesson 04, computed without the library."""

import lessons
import pytest
from lessons import amount, readouts

from hedgelib import contracts

PATH = lessons.FOLDER / "04_funding.ipynb"
FEE = contracts.get("BTCUSDT").taker_fee


@pytest.fixture(scope="module")
def names():
    """Everything the lesson's cells have defined."""
    return lessons.run(PATH).namespace


@pytest.fixture(scope="module")
def explorers():
    return lessons.run(PATH).explorers


def test_one_day(names):
    # 60,000 × 0.01 %, 60,600 × 0.03 %, −59,400 × 0.02 %; the last one alone from 08:01 on
    assert names["received"] == pytest.approx([6.00, 18.18, -11.88])
    assert (names["whole_day"], names["since_0801"]) == (12.30, -11.88)


def test_one_month_and_one_year(names):
    growth = 1.0
    for _ in range(3 * 365):
        growth *= 1.0001
    assert names["month"] == pytest.approx(540)
    assert names["simple"] == pytest.approx(0.1095)
    assert names["compounded"] == pytest.approx(growth - 1)
    assert names["breakeven"] == pytest.approx(0.009 + 2 * FEE)


def test_table_of_the_clamp_and_its_landing(names):
    rate = names["funding"].rate
    table = {-0.20: -0.15, -0.04: 0.01, 0.00: 0.01, 0.03: 0.01, 0.06: 0.01, 0.10: 0.05, 0.20: 0.15}
    for premium, expected in table.items():
        assert rate(premium / 100) * 100 == pytest.approx(expected)
    assert rate(-0.00041) < 0.0001 < rate(0.00061)
    assert rate(-0.00051) < 0 == pytest.approx(rate(-0.0005)) and rate(-0.00049) > 0


@pytest.mark.parametrize(
    ("change", "rate", "days", "funding"),
    [
        (0, 1, 30, 540),  # 90 × 6
        (-0.2, -1, 30, -485.4),  # 90 payments on the way from 60,000 to 48,000: their mean price is 53,933
        (0.2, -1, 30, -594.6),  # mean price 66,067
        (-0.2, 3, 90, 4_372.2),  # 270 payments of 3 bp, mean price 53,978
        (-0.2, -3, 90, -4_372.2),
    ],
)
def test_bill_of_a_straight_path(explorers, change, rate, days, funding):
    shown = readouts(explorers[0], change=change, rate=rate, days=days)
    assert amount(shown["Funding received"]) == pytest.approx(funding, abs=0.6)
    fees = FEE * (60_000 + 60_000 * (1 + change))
    assert amount(shown["Coin and hedge"]) == pytest.approx(funding - fees, abs=0.6)
    assert amount(shown["Coin alone"]) == 60_000 * change


def test_a_fall_of_one_percent_pays_for_a_month_at_minus_one(explorers):
    before, after = (
        amount(readouts(explorers[0], rate=-1, change=change)["Better with hedge by"])
        for change in (0, -0.01)
    )
    assert before == pytest.approx(-540 - 120_000 * FEE, abs=0.51)
    # 600 of the coin's loss, less 90 payments on the way to 59,400 and the fees of both trades
    paid = sum(0.0001 * (60_000 - 600 * n / 90) for n in range(1, 91))
    assert after == pytest.approx(600 - paid - 119_400 * FEE, abs=0.51)


def test_half_a_hedge_has_half_the_bill(explorers):
    whole = readouts(explorers[0], rate=-3, change=-0.2)
    half = readouts(explorers[0], rate=-3, change=-0.2, ratio=0.5)
    for name in ("Funding received", "Better with hedge by"):
        assert amount(half[name]) == pytest.approx(amount(whole[name]) / 2, abs=1)
    assert half["Coin alone"] == whole["Coin alone"]


def test_days_add_up_by_hand(names, explorers):
    frame = names["markets"]["BTC crash"]
    marks, rates = frame["mark"].tolist(), frame["funding"].tolist()
    quantity, total = 10_000 / marks[0], 0.0
    for bar in range(1, 3 * 12 + 1):
        total += quantity * marks[bar] * rates[bar]
    shown = readouts(explorers[1], name="BTC crash", day=12)
    assert amount(shown["Received (USDT)"]) == pytest.approx(total, abs=0.06)
    assert amount(shown["Annualised"]) == pytest.approx(100 * sum(rates[1:37]) / 36 * 1095, abs=0.06)


def test_what_the_months_show(explorers):
    months = explorers[1].controls["name"].values
    end = {name: readouts(explorers[1], name=name) for name in months}
    received = {name: amount(shown["Received (USDT)"]) for name, shown in end.items()}
    assert max(received, key=received.get) == "BTC squeeze_up"
    assert amount(end["BTC squeeze_up"]["Price change (%)"]) > 90
    assert received["BTC funding_negative"] < 0 and received["ETH funding_negative"] < 0
    assert amount(end["BTC funding_negative"]["Price change (%)"]) > 20
    assert amount(end["ETH funding_negative"]["Price change (%)"]) < -5


def test_simulated_rates_turn_back_sooner_than_real_ones(names):
    for asset, real in (("BTC", 24), ("ETH", 25)):
        rates, longest, run = names["markets"][f"{asset} funding_negative"]["funding"], 0, 0
        for rate in rates:
            run = run + 1 if rate < 0 else 0
            longest = max(longest, run)
        said = [each for each in lessons.said(PATH) if f"['{asset} funding_negative']['funding']" in each]
        assert longest < real and lessons.states(PATH, *said, longest)


def test_a_coin_margined_short_is_paid_in_coin(names):
    # N / M takes the place of q · M: 60,000 USD at 60,000 are one coin, and 1 bp of it is 0.0001 coin
    assert names["funding"].inverse_received(600, 100, 60_000, 0.0001) == pytest.approx(0.0001)


def test_ledger_receives_what_the_settlements_pay(names):
    frame, row = names["market_frame"], names["walked"].iloc[-1]
    total = sum(mark * rate for mark, rate in zip(frame["mark"][1:], frame["funding"][1:], strict=True))
    assert row["funding"] == pytest.approx(total)
    assert abs(row["short_pnl"]) > 10 * abs(row["funding"])


def test_measured_facts_are_what_the_prose_says(names):
    measured, extremes = names["measured"], names["extremes"]
    for asset, values in {
        "BTC": [0.172, 0.306, 0.042, 0.079, 0.119, 0.051, 0.011],
        "ETH": [0.274, 0.375, 0.008, 0.083, 0.130, 0.049, 0.004],
    }.items():
        assert measured[asset]["annualised"].tolist() == pytest.approx(values, abs=5e-4)
    assert measured["ETH"]["share_positive"]["2022"] == pytest.approx(0.658, abs=5e-4)
    assert extremes.loc["worst_30_days"].tolist() == pytest.approx([-0.0131, -0.0178], abs=5e-5)
    assert extremes.loc["worst_365_days"].min() > 0
    facts = names["market"].facts
    basis = facts("basis_by_year").query("period == '2025' and key == 'mean'")["value"].item()
    assert -5 < basis < -4  # left edge of the landing


def test_the_regime_that_ended(names):
    rows = names["market"].facts("funding_by_year").set_index(["asset", "period", "key"])["value"]["BTC"]
    assert (rows["2025", "share_above_interest"], rows["last 365 days", "share_above_interest"]) == (0, 0)
    for period, variable in (("era", "era"), ("last 365 days", "past")):
        a_month = 3 * 30 * 60_000 * rows[period, "mean"] / 10_000
        assert lessons.states(PATH, f'90 * 60_000 * {variable}["mean"] * 1e-4', a_month)
    paid = names["market"].facts("funding_and_price").set_index(["asset", "period", "key"])["value"]["BTC"]
    assert paid["to 2024", "in_run_ups"] > 1.5 * paid["to 2024", "in_all"]
    assert paid["since 2025", "in_run_ups"] < paid["since 2025", "in_all"]
    for period in ("to 2024", "since 2025"):
        assert lessons.states(
            PATH, f'100 * paid.loc["{period}", "in_run_ups"]', 100 * paid[period, "in_run_ups"]
        )


def test_where_it_breaks(names):
    assert (names["merge_run"], names["september"]) == pytest.approx((-202.5, -234))
    assert names["one_print"] == pytest.approx(-0.3285)
    # short sold at 60,000 and bought back at 55,275: +4,725; the coin lost 5,000
    assert names["left_over"] == pytest.approx(-275)


SAID = {
    "month": 90 * 6,
    "100 * compounded": 100 * (1.0001**1095 - 1),
    "60_000 * (1 - breakeven)": 60_000 * (1 - 0.009 - 2 * FEE),
    "2 * taker_fee * 60_000": 120_000 * FEE,
    "-sum(month_of_rates) + 2 * taker_fee": 0.0006 + 2 * FEE,
    "float(funding.received(0.5, 60_600, 0.0003))": 9.09,
    "float(funding.rate(-0.0008))": -0.0008 + 0.0005,
    "-100 * next_month_if_constant": 2.7,
    'number_in(at(bill, rate=3, days=90, change=-0.2)["Funding received"])': sum(
        0.0003 * (60_000 - 12_000 * n / 270) for n in range(1, 271)
    ),
}


@pytest.mark.parametrize(("expression", "value"), SAID.items())
def test_what_the_lesson_says_is_computed_here_again(expression, value):
    assert lessons.states(PATH, expression, value)
