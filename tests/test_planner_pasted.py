"""Tables of brackets as exchanges print them, and the contract that is made of them."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import contracts, planner
from hedgelib.perpetual import Brackets
from hedgelib.planner import Worksheet, own_contract, read_brackets

DAY = datetime.date(2026, 11, 27)


def pages(brackets, largest):
    """One table as several exchanges and their files write it."""
    caps = (*brackets.floors[1:], largest)
    rows = list(zip(brackets.floors, caps, brackets.rates, brackets.amounts, brackets.leverages, strict=True))
    lines = {"ranges": [], "words": [], "pipes": [], "csv": [], "caps": []}
    for place, (floor, cap, rate, amount, leverage) in enumerate(rows, 1):
        percent = f"{100 * rate:.10g}"
        lines["ranges"].append(
            f"{place}\t{floor:,.10g} ~ {cap:,.10g}\t{leverage:g}x\t{percent}%\t{amount:,.10g}"
        )
        lines["words"].append(
            f"{place}  {floor:,.10g} < Position ≤ {cap:,.10g}  1-{leverage:g}x  {percent} %"
        )
        lines["pipes"].append(
            f"| {place} | {cap:,.10g} USDT | {percent} % | {200 * rate:.10g}% | {leverage:.2f} |"
        )
        lines["csv"].append(f"{place},{floor:.10g},{cap:.10g},{leverage:g},{rate:.10g},{amount:.10g}")
        lines["caps"].append(f"{cap:.10g} {percent}% {leverage:g}x")
    heads = {
        "ranges": "Bracket\tNotional Value (USDT)\tMax. Leverage\tMaint. Margin Rate\tMaintenance Amount",
        "pipes": "| Tier | Position | MMR | Initial Margin Rate | Max Leverage |\n|---|---|---|---|---|",
        "csv": "bracket,notionalFloor,notionalCap,initialLeverage,maintMarginRatio,cum",
    }
    for name, text in lines.items():
        yield "\n".join([*filter(None, [heads.get(name)]), *text])
        if name in ("ranges", "words", "caps"):
            yield "\n\n".join(text) + "\n"


@pytest.mark.parametrize("symbol", [name for name in contracts.symbols() if name.endswith("USDT")])
def test_every_contract_known_is_read_back_from_every_page(symbol):
    known = contracts.get(symbol)
    for text in pages(known.brackets, known.maximum_notional):
        found = read_brackets(text)
        assert (found.brackets, found.largest) == (known.brackets, known.maximum_notional), text


@st.composite
def tables(draw):
    count = draw(st.integers(2, 8))
    floors = [0, *sorted(draw(st.sets(st.integers(1, 10**6), min_size=count - 1, max_size=count - 1)))]
    floors = [1_000.0 * floor for floor in floors]
    steps = draw(st.lists(st.integers(1, 900), min_size=count, max_size=count, unique=True))
    leverages = draw(st.lists(st.integers(1, 125), min_size=count, max_size=count, unique=True))
    rates = [step / 10_000 for step in sorted(steps)]
    return Brackets(floors, rates, leverages=sorted(leverages, reverse=True)), floors[-1] + 5_000


@settings(max_examples=60)
@given(tables())
def test_a_table_is_read_or_refused_but_never_misread(table):
    for text in pages(*table):
        try:
            assert read_brackets(text) == table
        except ValueError as refused:
            assert "percent or a fraction" in str(refused) or "twice" in str(refused)


def test_an_open_end_covers_any_size():
    found = read_brackets("0 - 50,000 0.4 % 0\n> 50,000 0.5 % 50")
    assert found.brackets == Brackets((0, 50_000), (0.004, 0.005)) and found.largest > 1e12


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "paste the table"),
        ("Position\tRate", "line 1 holds headings only"),
        ("hello\nworld", "line 2: 'world' is no number"),
        ("0.004\n0.005", "the notional of the brackets is missing"),
        ("0 - 10\n10 - 20", "the maintenance rate of the brackets is missing"),
        ("0-10 0.4\n10-20 0.5", "line 1: 0.4 may be percent or a fraction"),
        ("1,100,0.01\n2,200,0.02", "line 1: 1,100 may be one number or two"),
        ("0 - 50.000 0.4 %", "line 1: 50.000 may be thousands or decimals"),
        ("0 - 50,000 0,4 %", "line 1: '0,4"),
        (
            "0 - 50,000 0.4 %\n60,000 - 90,000 0.5 %",
            "line 2 begins at 60,000, but the line before ends at 50,000",
        ),
        ("10 - 50,000 0.4 %", "line 1 begins at 10, but a table begins at 0"),
        ("0 - 50,000 0.4 %\n\n50,000 - 40,000 0.5 %", "line 3 ends at 40,000"),
        ("0 - 50,000 0.4 % 0\n50,000 - 90,000 0.5 % 90", "line 2: the amount 90 does not follow"),
        ("0 - 50,000 0.4 %\n50,000 - 90,000 0.3 %", "line 2: the rate falls"),
        ("0 - 50,000 0.4 % 20x\n50,000 - 90,000 0.5 % 30x", "line 2: the leverage rises"),
        ("0 - 50,000 0.4 % 20x\n50,000 - 90,000 0.5 %", "line 2 has 2 columns and line 1 has 3"),
        ("Colour\tRate\n0-1\t2%", "line 1: what 'Colour' means is not known"),
        ("Rate\tMMR\n1%\t2%", "both tell the rate"),
        ("0 - 50,000 0.4 % 0.8 %", "seems to tell the rate twice"),
        (7, "must be a text"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(text, complaint):
    with pytest.raises(ValueError) as refused:
        read_brackets(text)
    assert complaint in str(refused.value) and "\n" not in str(refused.value)


def test_a_contract_of_ones_own_is_planned_with():
    table = "0 - 5,000  1 %  50x\n5,000 - 100,000  2 %  20x"
    own = own_contract("ARBUSDT", table, tick=0.0001, step=0.1, taker_fee=0.0004, minimum=10, day=DAY)
    assert (own.base, own.maximum_notional, own.as_of) == ("ARB", 100_000, DAY)
    # 10,000 ARB at 0.5: 5,000 short at 2x, 2,500 of margin; dead where 2 % of the notional less 50 is left.
    sheet = Worksheet(10_000, 0.3, 0.5, contract=own, ratio=1, leverage=2)
    assert sheet.liquidation == pytest.approx((2_500 + 5_000 + 50) / (10_000 * 1.02))
    assert sheet.opening_fee == pytest.approx(2)
    assert "0.7402 USDT" in planner.summary(sheet)["Liquidation price"]
    with pytest.raises(planner.WorksheetError, match="at most 50x"):
        Worksheet(10_000, 0.3, 0.5, contract=own, ratio=1, leverage=60)
    assert own_contract("SOL-USDT-SWAP", table, day=DAY).base == "SOL"
    with pytest.raises(ValueError, match="name of a contract"):
        own_contract("USDT", table)
