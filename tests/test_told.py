"""A slider told in one sentence: by hand, by property, and the same by the script of the pages."""

import functools
import itertools
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import lessons
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import told

SCRIPT = Path(__file__).resolve().parents[1] / "website" / "static" / "told.js"
ANSWER = """([cases, source]) => {
    const told = new Function(`${source}; return told;`)();
    return cases.map(([label, texts, states]) => [
        told.sentence(label, texts, states),
        states.slice(1).map((after, place) => told.moved(states[place], after)),
        told.columns(states).map(([name, all]) => [name, told.tones(all), told.legend(label, name, all)]),
    ]);
}"""
PRICES = ["40,000 USDT", "50,000 USDT", "60,000 USDT", "70,000 USDT"]
COINS = ["BTC", "ETH", "SOL", "XRP", "ADA"]
LONG = "1 BTC of BTCUSDT sold short at 60,000.00, isolated"


@pytest.mark.parametrize(
    ("texts", "column", "clause"),
    [
        (PRICES, ["+1 %", "+2 %", "+2 %", "+4 %"], "p&l rises from +1 to +4 %"),
        (PRICES, ["5", "3", "2", "1"], "p&l falls from 5 to 1"),
        (
            PRICES,
            ["1", "3", "0", "2"],
            "p&l rises from 1 to the highest, 3, at 50,000, then falls to the lowest, 0, at 60,000, "
            "then rises to 2",
        ),
        (
            PRICES,
            ["0 USDT", "0 USDT", "5 USDT", "5 USDT"],
            "p&l stays at 0 up to 50,000, then rises to 5 USDT by 60,000 and stays there",
        ),
        (
            PRICES,
            ["−5.2 bp per 8 h", "0 bp per 8 h", "1 bp per 8 h", "2 bp per 8 h"],
            "p&l rises from −5.2 to 2 bp per 8 h",
        ),
        (PRICES, ["alive", "alive", "gone", "gone"], "p&l: alive up to 50,000, gone from 60,000 on"),
        (
            PRICES,
            ["alive", "gone at 5", "gone at 9", "paid"],
            "p&l: alive at 40,000, gone at 5 to 9 from 50,000 to 60,000, paid at 70,000",
        ),
        (PRICES, ["2.0 %", "4.0 %", "none", "none"], "p&l: 2.0 to 4.0 % up to 50,000, none from 60,000 on"),
        (
            PRICES,
            ["from 1 to 5", "from 2 to 6", "from 3 to 7", "from 4 to 9"],
            "p&l: first from 1 to 5, in the end from 4 to 9",
        ),
        (
            PRICES,
            [LONG, LONG, LONG.replace("1 BTC", "3 BTC"), LONG.replace("1 BTC", "5 BTC")],
            "p&l: 1 to 5 BTC",
        ),
        (
            PRICES,
            [LONG, LONG, LONG, f"{LONG}; closed at 9"],
            "p&l: nothing more up to 60,000, closed at 9 at 70,000",
        ),
        (COINS[:2], ["1 USDT", "5 USDT"], "p&l: 1 USDT at BTC, 5 USDT at ETH"),
        (COINS, ["3 %", "1 %", "2 %", "9 %", "4 %"], "p&l: lowest, 1 %, at ETH, highest, 9 %, at XRP"),
        (
            COINS,
            ["alive", "gone", "alive", "alive", "gone"],
            "p&l: alive at BTC, SOL and XRP, gone at ETH and ADA",
        ),
        (COINS, ["like a", "like b", "like c", "like d", "like e"], "p&l differs each time"),
    ],
)
def test_a_clause_by_hand(texts, column, clause):
    sentence = told.sentence("Slider", texts, [{"p&l": text} for text in column])
    assert sentence.partition(": ")[2] == f"{clause}."


def test_many_turns_are_told_by_the_ends_and_the_extremes():
    texts, column = [f"{day} days" for day in range(8)], [f"{value} %" for value in (3, 5, 1, 6, 2, 9, 0, 4)]
    assert told.sentence("Held", texts, [{"Left": text} for text in column]) == (
        "Held from 0 to 7 days: left swings from 3 to 4 %, lowest, 0 %, at 6, highest, 9 %, at 5."
    )


def test_readouts_whose_names_differ_by_a_number_are_one():
    states = [{"Dies within 30 days": "1 %"}, {"Dies within 60 days": "5 %"}]
    assert (
        told.sentence("Days", ["30", "60"], states)
        == "Days from 30 to 60: dies within 30 to 60 days rise from 1 to 5 %."
    )


def test_what_stays_is_named_last_and_what_comes_and_goes_is_told():
    states = [{"Fee": "1", "Reason": "none"}, {"Fee": "1"}]
    assert told.sentence("Mode", ["isolated", "cross"], states) == (
        "Mode, isolated or cross: reason: none at isolated, not shown at cross; unchanged: fee 1."
    )


numbers = st.integers(-99_999, 99_999).map(lambda value: f"{value:+,} USDT".replace("-", "−"))


@given(st.lists(numbers, min_size=2, max_size=30))
def test_ends_and_extremes_are_those_of_the_readouts(column):
    texts = [f"{place} days" for place in range(len(column))]
    sentence = told.sentence("Held", texts, [{"Left": text} for text in column])
    value = lambda text: float(re.sub("[^0-9-]", "", text.replace("−", "-")))  # noqa: E731
    wanted = {column[0], column[-1], min(column, key=value), max(column, key=value)}
    named = {float(found.replace(",", "").replace("−", "-")) for found in told.NUMBER.findall(sentence)}
    assert {value(text) for text in wanted} <= named


@given(st.lists(numbers, min_size=1, max_size=30))
def test_tones_rise_with_the_value_from_the_lowest_to_the_highest(column):
    value = lambda text: float(re.sub("[^0-9-]", "", text.replace("−", "-")))  # noqa: E731
    pitches = [pitch for pitch, _ in told.tones(column)]
    for (one, low), (other, high) in itertools.combinations(zip(map(value, column), pitches, strict=True), 2):
        assert (one < other) <= (low <= high) and (one > other) <= (low >= high)
    if len(set(column)) > 1:
        assert (min(pitches), max(pitches)) == told.TONES


def test_no_value_is_silent_and_words_knock():
    heard = told.tones(["1 %", "2 %", "gone", None])
    assert [knock for _, knock in heard] == [False, False, True, True]
    samples = told.sound(heard)[44:]
    length = len(samples) // len(heard)
    for place in range(len(heard)):
        assert len(set(samples[place * length : (place + 1) * length])) > 20


def cases(path):
    """Each control of each explorer, at the start and somewhere else: label, texts and readouts."""
    random_ = random.Random(0)
    for explorer in lessons.run(path).explorers:
        shape = [len(control.values) for control in explorer.controls.values()]
        for position in (explorer.start, tuple(map(random_.randrange, shape))):
            for name, control in explorer.controls.items():
                yield control.label, control.texts, explorer.sweep(name, position)


def invented():
    """Readouts of every shape, also of shapes that no lesson has."""
    random_ = random.Random(0)
    pieces = [
        "alive",
        "gone",
        "none",
        "from",
        "to",
        "(2)",
        "by formula,",
        "2030-01-05",
        "; ",
        "a word more, and another one",
    ]
    number = lambda: f"{random_.uniform(-3, 3):+,.1f}".replace("-", "−")  # noqa: E731
    for _ in range(600):
        count = random_.randrange(1, 9)
        shapes = {
            name: [
                [random_.choice([*pieces, None, None]) for _ in range(random_.randrange(1, 9))]
                for _ in range(random_.randrange(1, 4))
            ]
            for name in random_.sample(
                ["P&L", "Fees", "The short is", "A fall of 20 %", "Within 5 days", "Within 9 days"], 3
            )
        }
        states = []
        for _ in range(count):
            text = {
                name: " ".join(part or number() for part in random_.choice(some))
                for name, some in shapes.items()
            }
            states.append({name: each for name, each in text.items() if random_.random() < 0.9})
        texts = random_.choice(
            [
                [f"{place + 1} days" for place in range(count)],
                [f"choice {chr(97 + place)}" for place in range(count)],
            ]
        )
        yield "Slider", texts, states


@functools.cache
def node():
    """Run the script in Node.js, where there is one."""
    path = shutil.which("node")
    if not path:
        return None

    def run(cases):
        program = f"const f = {ANSWER}; const fs = require('fs');"
        program += "console.log(JSON.stringify(f(JSON.parse(fs.readFileSync(0, 'utf8')))))"
        given = json.dumps([cases, SCRIPT.read_text(encoding="utf-8")])
        return json.loads(
            subprocess.run(
                [path, "-e", program], input=given, capture_output=True, text=True, check=True
            ).stdout
        )

    return run


@pytest.fixture
def script(request):
    """The script of the pages: in Node.js, or else in Chromium."""
    if node():
        return node()
    page = request.getfixturevalue("browser").new_page()
    return lambda cases: page.evaluate(ANSWER, [cases, SCRIPT.read_text(encoding="utf-8")])


def agree(script, cases):
    """Check that Python and script say the same of all cases."""
    answers = script(
        [[label, list(texts), [list(state.items()) for state in states]] for label, texts, states in cases]
    )
    for (label, texts, states), answer in zip(cases, answers, strict=True):
        moves = [told.moved(before, after) for before, after in itertools.pairwise(states)]
        heard = [
            [name, [list(tone) for tone in told.tones(column)], told.legend(label, name, column)]
            for name, column in told.columns(states)
        ]
        assert answer == [told.sentence(label, texts, states), moves, heard]


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_the_script_says_of_every_slider_what_python_says(path, script):
    agree(script, list(cases(path)))


def test_the_script_says_the_same_of_readouts_of_any_shape(script):
    agree(script, list(invented()))
