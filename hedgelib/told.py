"""A slider, told: one sentence over its whole range, and one readout as a row of tones.

Everything is computed from what the states say, the texts of the control and of the readouts, and from
nothing else. So ``website/static/told.js`` says the same sentence of a page that has no Python; a test
compares the two for every slider of the course.
"""

import io
import itertools
import re
import wave

import numpy as np

__all__ = ["TONES", "columns", "legend", "moved", "sentence", "sound", "tones", "weightiest"]

NUMBER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[+−]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
PLURAL = re.compile("[A-Za-z]*[A-Za-hj-rt-z]s(?![A-Za-z,])")
UNIT_SAID_BEFORE = re.compile(r" [A-Za-z]{3,}$")
SHORT, LONG = (
    24,
    40,
)  # characters of a text that is told though unchanged; that is told whole where it changes
MOST_LEGS = 3  # ways up or down that are told one by one
MOST_PIECES = 4  # different words that are told one by one
TONES = (220, 880)  # Hz, the lowest and the highest value
WORDS = 110  # Hz, a low hum: here a text stands that is no number
RATE, STEP = 11_025, 0.25  # samples a second; seconds for each value


def sentence(label, texts, readouts):
    """Return one sentence on what a control does over all its values.

    Parameters
    ----------
    label : str
        What the control is called.
    texts : sequence of str
        How its values read, in the order of the slider.
    readouts : sequence of dict
        The readouts at each of them.

    Examples
    --------
    >>> prices = ["40,000 USDT", "60,000 USDT", "90,000 USDT"]
    >>> gains, fates = ["+20,000 USDT", "0 USDT", "−6,000 USDT"], ["alive", "alive", "gone"]
    >>> states = [{"Short P&L": gain, "The short is": fate} for gain, fate in zip(gains, fates)]
    >>> for part in sentence("Final price", prices, states).split("; "):
    ...     print(part)
    Final price from 40,000 to 90,000 USDT: short P&L falls from +20,000 to −6,000 USDT
    the short is alive up to 60,000, gone at 90,000.
    """
    ordered = _is_ordered(texts)
    clauses, unchanged = [], []
    for full, column in columns(readouts):
        name = _spoken(full)
        if len(set(column)) == 1:
            unchanged.append(f"{name} {column[0]}" if len(column[0]) <= SHORT else name)
        else:
            clauses.append((_along if ordered else _among)(name, column, texts))
    if unchanged:
        clauses.append(f"{'unchanged' if clauses else 'nothing changes'}: {', '.join(unchanged)}")
    return f"{_range(label, texts, ordered)}: {'; '.join(clauses) or 'nothing is read out'}."


def columns(readouts):
    """Return name and texts of each readout over all states, None where it is not shown.

    Names that differ by their numbers alone are one readout, "Dies within 30 to 90 days".
    """

    def key(name, names):
        masked = NUMBER.sub("#", name)
        return masked if [NUMBER.sub("#", each) for each in names].count(masked) == 1 else name

    keyed = [{key(name, state): (name, text) for name, text in state.items()} for state in readouts]
    found = []
    for each in dict.fromkeys(itertools.chain.from_iterable(keyed)):
        names = [state[each][0] for state in keyed if each in state]
        found.append((_merged(names) or names[0], [state.get(each, (None, None))[1] for state in keyed]))
    return found


def moved(before, after):
    """Return one sentence on what a move has changed in the readouts.

    Examples
    --------
    >>> moved({"Coin": "0 USDT", "The short is": "alive"}, {"Coin": "+500 USDT", "The short is": "alive"})
    'Coin: +500 USDT.'
    """
    changed = [f"{name}: {text}" for name, text in after.items() if before.get(name) != text]
    return f"{'; '.join(changed) or 'Nothing changes'}."


def tones(column):
    """Return how one readout sounds at each value of a control.

    Parameters
    ----------
    column : sequence of str or None
        Its text at each value, None where it is not shown.

    Returns
    -------
    list of (int or None, bool)
        The pitch in Hz, in equal steps of the ear from the lowest to the highest value and None where the
        text is not a number; and whether a knock tells that words have changed.

    Examples
    --------
    >>> tones(["0 USDT", "500 USDT", "1,000 USDT", "gone"])
    [(220, False), (440, False), (880, False), (None, True)]
    """
    column = _changing(column)
    values = [number[0] if number else None for number in _varying(column)]
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0, 0)
    heard = []
    for place, (text, value) in enumerate(zip(column, values, strict=True)):
        part = (value - low) / (high - low) if value is not None and high > low else 0.5
        pitch = None if value is None else round(TONES[0] * (TONES[1] / TONES[0]) ** part)
        heard.append((pitch, place > 0 and _words(text) != _words(column[place - 1])))
    return heard


def legend(label, name, column):
    """Return one sentence on what is heard.

    Parameters
    ----------
    label, name : str
        The control and the readout.
    column : sequence of str or None
        As of `tones`.

    Examples
    --------
    >>> legend("Price", "Coin", ["0 USDT", "500 USDT", "1,000 USDT"])
    'Coin over 3 values of Price: low is 0 USDT, high is 1,000 USDT.'
    """
    numbers = [
        (number[0], text) for number, text in zip(_varying(_changing(column)), column, strict=True) if number
    ]
    heard = [f"low is {min(numbers)[1]}", f"high is {max(numbers)[1]}"] if numbers else []
    if len(numbers) < len(column):
        heard.append("a hum is no number")
    if any(knocks for _, knocks in tones(column)):
        heard.append("a knock is a change of words")
    return f"{name} over {len(column)} values of {label}: {', '.join(heard)}."


def sound(heard):
    """Return tones as the bytes of a WAV file: each value for a quarter of a second, none of them silent.

    Parameters
    ----------
    heard : list of (int or None, bool)
        What `tones` returned.

    Examples
    --------
    >>> sound(tones(["0 USDT", "500 USDT"]))[:4]
    b'RIFF'
    """
    time = np.arange(int(RATE * STEP)) / RATE
    swell = np.minimum(1, np.minimum(time, STEP - time) / 0.02)
    knock = np.exp(-time / 0.015) * np.sin(2 * np.pi * 70 * time)
    steps = [
        0.6 * swell * np.sin(2 * np.pi * (pitch or WORDS) * time) * (1 if pitch else 0.5)
        + 1.2 * knocks * knock
        for pitch, knocks in heard
    ]
    samples = np.clip(np.concatenate(steps), -1, 1)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(RATE)
        file.writeframes((128 + 120 * samples).astype(np.uint8).tobytes())
    return stream.getvalue()


def weightiest(sweeps):
    """Return which control moves the readouts most, each readout measured by its widest move.

    Parameters
    ----------
    sweeps : sequence of sequence of dict
        For each control, the readouts at each of its values.

    Examples
    --------
    >>> weightiest([[{"P&L": "1"}, {"P&L": "3"}], [{"P&L": "1"}, {"P&L": "9"}]])
    1
    """
    spreads = [dict(_spreads(readouts)) for readouts in sweeps]
    widest = {}
    for name, spread in itertools.chain.from_iterable(each.items() for each in spreads):
        widest[name] = max(widest.get(name, 0), spread)
    weights = [sum(spread / (widest[name] or 1) for name, spread in each.items()) for each in spreads]
    return weights.index(max(weights))


def _spreads(readouts):
    """Names of readouts with how far each moves: as numbers where all are, else by how many texts it has."""
    for name, column in columns(readouts):
        numbers = _varying(column)
        spread = len(set(column)) - 1 if None in numbers else max(numbers)[0] - min(numbers)[0]
        yield name, spread


def _number(found):
    """The number that was found; a date counts as one."""
    return float(found.replace("-", "") if "-" in found else found.replace(",", "").replace("−", "-"))


def _words(text):
    """What stands around the numbers of a text."""
    return NUMBER.split(text or "")


def _varying(column):
    """For each text the number that tells it from the others, and how it reads; None where that is not all.

    A text with words before the number, or with other words behind it than the others, is no number.
    """
    marks = [NUMBER.findall(text or "") for text in column]
    usual = next((_words(text) for text, found in zip(column, marks, strict=True) if found), [""])
    alike = [found if _words(text) == usual else [] for text, found in zip(column, marks, strict=True)]
    present = list(filter(None, alike))
    places = [place for place, found in enumerate(zip(*present, strict=True)) if len(set(found)) > 1] or [0]
    if len(places) > 1 or re.search(r"[^\W\d_]", "".join(usual[: places[0] + 1])):
        return [None] * len(column)
    return [(_number(found[places[0]]), found[places[0]]) if found else None for found in alike]


def _spoken(name):
    """A name within a sentence."""
    return re.sub("^[A-Z](?=[a-z]*(?![A-Za-z0-9&]))", lambda letter: letter[0].lower(), name)


def _changing(column):
    """A column of long texts without what they all begin and end with."""
    if any(text is None for text in column) or max(map(len, column)) <= LONG or len(set(column)) == 1:
        return column
    separator = "; " if any("; " in text for text in column) else " "
    rows = [text.split(separator) for text in column]
    shortest = min(map(len, rows))
    same = [len({row[place] for row in rows}) == 1 for place in range(shortest)]
    start = (*same, False).index(False)
    same = [len({row[-1 - place] for row in rows}) == 1 for place in range(shortest - start)]
    end = (*same, False).index(False)
    cores = [row[start : len(row) - end] for row in rows]
    if end and separator == " " and all(len(core) == 1 and NUMBER.fullmatch(core[0]) for core in cores):
        cores = [[*core, row[-end]] for core, row in zip(cores, rows, strict=True)]  # a number with its unit
    return [separator.join(core).rstrip(",;") or "nothing more" for core in cores]


def _is_ordered(texts):
    """Whether the values of a control are numbers that rise, or fall, with the same unit."""
    numbers = _varying(texts)
    if None in numbers:
        return False
    values = [value for value, _ in numbers]
    return values in (sorted(values), sorted(values, reverse=True)) and len(set(values)) == len(values)


def _range(label, texts, ordered):
    """How a sentence begins: the control and its values."""
    if len(texts) == 1:
        return f"{label} at {texts[0]}, its only value"
    if ordered:
        return f"{label} from {_merged([texts[0], texts[-1]])}"
    if len(texts) <= MOST_PIECES:
        return f"{label}, {_listed(texts, 'or')}"
    return f"{label}, {len(texts)} choices"


def _listed(items, last):
    """Items as a list in words."""
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), items[-1]]))


def _merged(texts):
    """Texts with the same words as one, or None: the number that differs as a range."""
    numbers = [NUMBER.findall(text) for text in texts]
    places = [place for place, found in enumerate(zip(*numbers, strict=True)) if len(set(found)) > 1]
    if not places:
        return texts[0]
    if len(places) > 1:
        return None
    (place,) = places
    found = [each[place] for each in numbers]
    values = [_number(each) for each in found]
    if values not in (sorted(values), sorted(values, reverse=True)):
        found = [found[values.index(min(values))], found[values.index(max(values))]]
    words = _words(texts[0])
    marks = [*numbers[0][:place], f"{found[0]} to {found[-1]}", *numbers[0][place + 1 :]]
    return words[0] + "".join(mark + word for mark, word in zip(marks, words[1:], strict=True))


def _is(name):
    """A name and what joins it to its value."""
    return name if name.endswith(" is") else f"{name}:"


def _ending(name):
    """The ending of a verb: "fees rise", "funding rises"."""
    return "" if PLURAL.match(name) else "s"


def _along(name, column, texts):
    """A readout along an ordered control."""
    at = [UNIT_SAID_BEFORE.sub("", text) for text in texts]
    core = _changing(column)
    numbers = _varying(core)
    if core != column or None in numbers:
        return f"{_is(name)} {_in_pieces(core, at)}"
    values, bare = zip(*numbers, strict=True)
    low, high, s = min(values), max(values), _ending(name)
    legs = _legs(values)
    if len(legs) > MOST_LEGS:
        lowest, highest = values.index(low), values.index(high)
        return (
            f"{name} swing{s} from {_merged([column[0], column[-1]])}, "
            f"lowest, {column[lowest]}, at {at[lowest]}, highest, {column[highest]}, at {at[highest]}"
        )
    told = []
    for number, (start, end, verb) in enumerate(legs):
        if number:
            begin = f"then {verb}{s}"
        elif start:
            begin = f"{name} stay{s} at {bare[0]} up to {at[start]}, then {verb}{s}"
        else:
            begin = f"{name} {verb}{s} from {bare[0]}"
        if number == len(legs) - 1:
            goal = f"to {column[end]}" + (f" by {at[end]} and stay{s} there" if end < len(at) - 1 else "")
        elif values[end] in (low, high):
            goal = f"to the {'lowest' if values[end] == low else 'highest'}, {bare[end]}, at {at[end]}"
        else:
            goal = f"to {bare[end]} at {at[end]}"
        told.append(f"{begin} {goal}")
    return ", ".join(told)


def _legs(values):
    """Ways up and down: start, end and verb; what is level between two of them is in none."""
    legs = []
    for place, (before, after) in enumerate(itertools.pairwise(values)):
        verb = "rise" if after > before else "fall"
        if before == after:
            continue
        if legs and legs[-1][2] == verb:
            legs[-1] = (legs[-1][0], place + 1, verb)
        else:
            legs.append((place, place + 1, verb))
    return legs


def _in_pieces(column, at):
    """Words along an ordered control: each as far as it lasts."""
    pieces = []
    kinds = [None if text is None else _words(text) for text in column]
    for _, run in itertools.groupby(range(len(column)), kinds.__getitem__):
        places = list(run)
        start, end = places[0], places[-1]
        if column[start] is None:
            phrase = "not shown"
        else:
            phrase = _merged(column[start : end + 1]) or f"first {column[start]}, in the end {column[end]},"
        pieces.append((start, end, phrase))
    if len(pieces) == 1:
        return pieces[0][2].rstrip(",")
    told = []
    for start, end, phrase in pieces:
        if start == end:
            where = f"at {at[start]}"
        elif start == 0:
            where = f"up to {at[end]}"
        else:
            where = f"from {at[start]} " + ("on" if end == len(column) - 1 else f"to {at[end]}")
        told.append(f"{phrase} {where}")
    if len(told) > MOST_PIECES:
        told[2:-1] = [f"{len(told) - 3} more changes"]
    return ", ".join(told)


def _among(name, column, texts):
    """A readout among choices that have no order."""
    shown = ["not shown" if text is None else text for text in _changing(column)]
    numbers = _varying(shown)
    if len(shown) <= MOST_PIECES and max(map(len, shown)) <= LONG:
        return f"{_is(name)} " + ", ".join(f"{text} at {at}" for text, at in zip(shown, texts, strict=True))
    if None not in numbers:
        values = [value for value, _ in numbers]
        low, high = values.index(min(values)), values.index(max(values))
        return f"{_is(name)} lowest, {shown[low]}, at {texts[low]}, highest, {shown[high]}, at {texts[high]}"
    groups = {}
    for place, text in enumerate(shown):
        groups.setdefault(tuple(_words(text)), []).append(place)
    phrases = [_merged([shown[place] for place in places]) for places in groups.values()]
    if len(groups) >= MOST_PIECES or any(phrase is None or len(phrase) > LONG for phrase in phrases):
        count = len(set(shown))
        return f"{name} differ{_ending(name)}" + (
            " each time" if count == len(shown) else f", {count} texts in all"
        )
    told = []
    for phrase, places in zip(phrases, groups.values(), strict=True):
        few = len(places) <= MOST_PIECES
        where = _listed([texts[place] for place in places], "and") if few else f"{len(places)} of them"
        told.append(f"{phrase} at {where}")
    return f"{_is(name)} {', '.join(told)}"
