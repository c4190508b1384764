"""Answers as readers type them, good, wrong and absurd: what page and notebook must judge alike."""

import random

from hedgelib.exercise import exercises

WORDS = ("USDT", "$", "btc", "ETH", "bp", "x", "days", "sqrt", "e", "of", "per eight hours", "Zäune", "√2")
SOUP = "0123456789.,;:_+-−–*×·/÷^%()[]eE $x\t\u00a0\u202f'\"<&>\\€😀"
EDGES = (
    *(
        "",
        " ",
        "0",
        "-0",
        "0.0",
        "1/0",
        "0/0",
        "1e400",
        "1e308*10",
        "9^9^9^9",
        "(-8)^(1/3)",
        "0^-1",
        "-2^2",
        "2^3^2",
    ),
    *(
        "2**-1",
        "--5",
        "+-5",
        "5%%",
        "50%^2",
        "(1",
        "1)",
        "()",
        "1+",
        "2(3)",
        "5 5",
        "10,000",
        "0,5",
        "0,500",
        "1,23",
    ),
    *(
        "1,234,56",
        "1234,567",
        "60 000",
        "60_000",
        "6__0",
        "_6",
        "1.",
        ".5",
        ".",
        "1e5",
        "1e",
        "1e+2x",
        "NaN",
        "inf",
    ),
    *(
        "constructor",
        "__proto__",
        "toString",
        "alert(1)",
        "<img src=x>",
        "None",
        "a",
        " B) ",
        "'c'",
        "abc",
        "d",
        "yes",
    ),
    *(
        "[1, 2, 3]",
        "[1; 2]",
        "[",
        "]",
        "[]",
        "(1, 2)",
        "1;2",
        "1,2,3",
        "1 ; 2 ; 3",
        "1" * 200,
        "1" * 201,
        "(" * 199,
    ),
    *(
        "-" * 199 + "1",
        "😀" * 200,
        "2^" * 99 + "2",
        "sqrt sqrt 16",
        "sqrt(-1)",
        "√√16",
        "1e21",
        "1e22",
        "123456789e15",
    ),
    *(
        "2.00625",
        "2.00635",
        "0.001953125",
        "0.0009765625",
        "1000.125",
        "1000.375",
        "99999.995",
        "0.99999995",
        "1e-7",
    ),
)


def near(chance, wanted):
    """A number near the one that is wanted, or where a slip would lead."""
    slip = chance.choice(
        [
            lambda: wanted,
            lambda: -wanted,
            lambda: wanted * 100,
            lambda: wanted / 100,
            lambda: wanted * (1 + chance.uniform(-0.03, 0.03)),
            lambda: wanted + chance.uniform(-2, 2),
            lambda: chance.uniform(-1e5, 1e5),
            lambda: chance.choice([1, -1]) * 10 ** chance.uniform(-9, 23),
            lambda: chance.randrange(-8_000, 8_000) / 2 ** chance.randrange(12),
        ]
    )()
    return round(slip, chance.choice([0, 1, 2, 4, 6, 17]))


def typed(chance, value, unit):
    """A number in one of the ways to type it."""
    thousand, part = chance.choice([",", "_", " ", "\u202f", ""]), chance.uniform(0.1, 9)
    whole = f"{value:,.{chance.choice([0, 2, 6])}f}".replace(",", thousand)
    return chance.choice(
        [
            lambda: repr(value),
            lambda: whole,
            lambda: whole.replace("-", "−"),
            lambda: f"{value * 100!r} %",
            lambda: f"{whole} {unit}",
            lambda: f"{chance.choice(WORDS)} {whole}",
            lambda: f"{whole}{chance.choice(WORDS)}",
            lambda: f"({value - part!r}) + {part!r}",
            lambda: f"-(-{value!r} * {part!r}) / {part!r}",
            lambda: f"{value!r}·2²".replace("²", "^2") + "÷4",
            lambda: f"√({abs(value)!r}**2)",
            lambda: f"{value / 1e-4!r} bp",
            lambda: whole.replace(".", ","),
            lambda: mutated(chance, whole),
        ]
    )()


def mutated(chance, text):
    """A text with a character too many, too few, or another one."""
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice([*SOUP, ""]) + text[place + chance.randrange(2) :]


def cases(count, seed=21):
    """Yield name, text and try, `count` of them for each exercise and more."""
    chance = random.Random(seed)
    for name, one in exercises().items():
        wanted = one.answer if isinstance(one.answer, list) else [one.answer]
        mistakes = [mistake["value"] for mistake in one.wrong]
        texts = [*EDGES, *(str(value) for value in [one.answer, wanted[::-1], *mistakes])]
        for _ in range(count):
            soup = "".join(chance.choices(SOUP, k=chance.randrange(1, 12)))
            if chance.random() < 0.1 or isinstance(one.answer, str):
                texts.append(chance.choice([soup, chance.choice("abcABC"), f" {chance.choice('abcd')}) "]))
                continue
            items = [typed(chance, near(chance, float(value)), one.unit) for value in wanted]
            if chance.random() < 0.05:
                items.append(soup)
            if chance.random() < 0.1:
                chance.shuffle(items)
            text = chance.choice([", ", ",", "; "]).join(items)
            texts.append(f"[{text}]" if chance.random() < 0.3 else text)
        for text in texts:
            yield name, text, chance.randrange(1, 6)
