"""Sealed exercises judge as the open ones do, and do not tell their answers; variants are drawn and sound."""

import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgelib import exercise, sealed
from hedgelib.exercise import Exercise, _Sealed

COURSE = exercise.exercises()


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Keys that cost little: what costs here is only what a guesser pays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "WORK", sealed.WORK | {"n": 2})
        yield


def closed(one, salt="salt"):
    """An exercise after a journey as JSON."""
    return _Sealed(**json.loads(json.dumps(sealed.seal(one, salt))))


def edges(value, one):
    """Numbers on both sides of where an answer stops counting, and some far from it."""
    near = max(
        (one.relative_tolerance or (0.001 if one.tolerance is None else 0)) * abs(value), one.tolerance or 0
    )
    for share in (0, 0.5, 0.99, 1.01, 2, 10):
        yield from (value - share * near, value + share * near)
    yield from (-value, 100 * value, 0.01 * value, 0.0, 1.0)


@pytest.mark.parametrize("name", COURSE)
def test_a_sealed_exercise_says_what_the_open_one_says(name):
    one = COURSE[name]
    shut = closed(one)
    told = [one.answer, *(mistake["value"] for mistake in one.wrong), "no such word", 1j]
    near = [] if isinstance(one.answer, str | list) else list(edges(one.answer, one))
    for answer in told + near:
        open_, sealed_ = one.judge(answer), shut.judge(answer)
        assert sealed_.outcome == open_.outcome, answer
        if answer in told and open_.mistake not in ("close", "order"):
            assert sealed_.mistake == open_.mistake, answer
        if open_.passed or (answer in told and (open_.mistake or "").isdigit()):
            assert sealed_.text == open_.text, answer


@settings(max_examples=300)
@given(
    st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6),
    st.floats(1e-6, 0.2),
    st.booleans(),
    st.floats(-3, 3),
)
def test_what_counts_as_right_is_one_cell(value, tolerance, is_share, off):
    one = Exercise(value, "r.", "h.", **{"relative_tolerance" if is_share else "tolerance": tolerance})
    size = tolerance * abs(value) if is_share else tolerance
    answer = value + off * size
    if min(abs(abs(off) - 1), abs(abs(off) - 1 / (1 - tolerance if is_share else 1))) > 1e-3 or off == 0:
        locked = sealed._locked("salt", None, value, "r.", one, None)
        assert (sealed.unlock(locked, [answer]) == "r.") == one.fits(answer, value)


def test_no_answer_is_readable_in_what_is_sealed():
    for name, one in COURSE.items():
        text = json.dumps(sealed.seal(one, "salt"))
        assert one.right not in text
        assert not any(mistake["why"] in text for mistake in one.wrong)
        shut = closed(one)
        if isinstance(one.answer, float | int):
            shown = [number for entry in shut.known for grid in entry["grids"] for number in grid.values()]
            numbers = [number for number in shown if isinstance(number, float)]
            assert not any(math.isclose(number, abs(one.answer), rel_tol=1e-4) for number in numbers), name


def test_another_salt_makes_other_proofs():
    first, second = (sealed.seal(COURSE["02-1"], salt)["known"][0]["proof"] for salt in ("a", "b"))
    assert first != second


def test_exercises_of_ones_own_lie_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exercises.toml").write_text(
        '[02-9]\nanswer = 7\nright = "r."\nhint = "h."\n', encoding="utf-8"
    )
    assert exercise.check("02-9", 7).passed
    assert exercise.check("02-1", COURSE["02-1"].answer).passed
    (tmp_path / "exercises.toml").write_text(
        '[02-1]\nanswer = 8\nright = "r."\nhint = "h."\n', encoding="utf-8"
    )
    assert exercise.check("02-1", 8).passed and "02-9" not in exercise.exercises()
    text = json.dumps({"format": sealed.FORMAT, "exercises": {"02-8": sealed.seal(COURSE["02-1"], "salt")}})
    (tmp_path / "exercises.sealed.json").write_text(text, encoding="utf-8")
    assert exercise.check("02-8", COURSE["02-1"].answer).passed
    (tmp_path / "exercises.toml").write_text("[02-1", encoding="utf-8")
    with pytest.raises(ValueError, match=r"exercises\.toml holds no exercises: TOMLDecodeError"):
        exercise.exercises()


VARIED = [name for name, one in COURSE.items() if one.vary]


def variants(name):
    """Every variant of an exercise, the course's own among them, with what is given in it."""
    file = COURSE._file_of[name]
    own = COURSE._files[file]["given"]
    for values in itertools.product(*([own[each], *others] for each, others in COURSE[name].vary.items())):
        yield values, COURSE._computed(name, dict(zip(COURSE[name].vary, values, strict=True)))


def test_fifteen_exercises_or_more_differ_from_student_to_student():
    assert len(VARIED) >= 15


@pytest.mark.parametrize("name", VARIED)
def test_every_variant_tells_right_from_each_mistake(name):
    prompts, answers = set(), set()
    for values, one in variants(name):
        prompts.add(one.prompt)
        answers.add(str(one.answer))
        assert one.judge(one.answer).passed, values
        for place, mistake in enumerate(one.wrong, start=1):
            assert one.judge(mistake["value"]).mistake == str(place), (values, mistake)
    combinations = math.prod(1 + len(others) for others in COURSE[name].vary.values())
    assert len(prompts) == len(answers) == combinations


@pytest.mark.parametrize("name", VARIED)
def test_a_variant_is_drawn_from_the_name_and_changes_nothing_of_the_course(name):
    before = COURSE[name]
    drawn = [COURSE.variant(name, f"student {number}") for number in range(60)]
    assert COURSE.variant(name, "Student 7") == drawn[7]
    assert len({one.prompt for one in drawn}) >= 4
    assert COURSE[name] == before == COURSE._computed(name, {})
