"""What a learner tried is kept in a small file that is whole or not there, and never stops a lesson."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgelib import exercise, progress


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "home" / "progress.json"
    monkeypatch.setenv("HEDGELAB_PROGRESS", str(path))
    return path


def attempt(exercise="02-1", answer="5", verdict="wrong", number=1, time="2026-01-01T00:00:00Z"):
    return {
        "exercise": exercise,
        "answer": answer,
        "verdict": verdict,
        "mistake": None,
        "try": number,
        "time": time,
    }


def test_attempts_are_kept_with_their_number_and_time(file):
    before = datetime.now(UTC).replace(microsecond=0)
    progress.record("02-1", "65", "wrong", "02-1/1")
    progress.record("02-2", "0.4", "wrong")
    progress.record("02-1", "-55", "right")
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["format"] == "hedge-lab-progress-1"
    assert [
        (each["exercise"], each["answer"], each["verdict"], each["try"]) for each in kept["attempts"]
    ] == [
        ("02-1", "65", "wrong", 1),
        ("02-2", "0.4", "wrong", 1),
        ("02-1", "-55", "right", 2),
    ]
    assert [each["mistake"] for each in kept["attempts"]] == ["02-1/1", None, None]
    times = [datetime.fromisoformat(each["time"]) for each in kept["attempts"]]
    assert before <= min(times) and max(times) <= datetime.now(UTC)
    assert progress.attempts() == kept["attempts"]


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(exercise, "session", [])


def test_check_keeps_what_it_judged(file, session):
    given = exercise.exercises()["03-1"]
    assert not isinstance(given.answer, list | str)
    for answer in (..., -given.answer, -given.answer, "no number", np.float64(given.answer)):
        exercise.check("03-1", answer)
    kept = [(each["verdict"], each["mistake"], each["try"]) for each in progress.attempts()]
    assert kept == [("wrong", "sign", 1), ("unread", None, 2), ("right", None, 2)]


def test_my_progress_shows_what_was_kept_on_other_days(file, session):
    progress.record("02-1", "-55", "right")
    progress.record("03-1", "0.3", "wrong", "1")
    shown = exercise.my_progress()
    assert shown["right"].sum() == shown.loc["02", "right"] == 1
    assert shown.loc["03", ["tried", "look again at"]].tolist() == [1, "03-1"]
    assert shown["exercises"].sum() == len(exercise.exercises())


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_what_is_kept_of_a_list_can_be_judged_again(file, session, kind):
    name, given = next(
        (name, given) for name, given in exercise.exercises().items() if isinstance(given.answer, list)
    )
    assert exercise.check(name, kind(given.answer)).passed
    (kept,) = progress.attempts()
    assert given.judge(kept["answer"]).passed


def test_the_same_answer_again_is_no_attempt(file):
    for answer in ("1", "1", "2", "1"):
        progress.record("02-1", answer, "wrong")
    assert [each["answer"] for each in progress.attempts()] == ["1", "2", "1"]


def test_a_loop_of_guesses_stays_small_and_is_counted(file):
    for guess in range(100):
        progress.record("02-1", f"{guess}" + "0" * 1000, "wrong")
    kept = progress.attempts()
    assert len(kept) == progress.MOST_TRIES + 1
    assert [each["try"] for each in kept] == [*range(1, len(kept)), 100]
    assert kept[-1]["answer"].startswith("99")
    assert file.stat().st_size < 20_000


@pytest.mark.parametrize("switch", ["off", " OFF "])
def test_switched_off_nothing_is_written_or_read(monkeypatch, tmp_path, switch):
    monkeypatch.setenv("HEDGELAB_PROGRESS", switch)
    monkeypatch.setenv("HOME", str(tmp_path))
    progress.record("02-1", "1", "wrong")
    assert progress.attempts() == [] and not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="HEDGELAB_PROGRESS is off"):
        progress.add("anything.json")


def test_without_the_variable_it_is_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("HEDGELAB_PROGRESS")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    progress.record("02-1", "1", "wrong")
    assert (tmp_path / ".hedge-lab" / "progress.json").is_file()


@pytest.mark.parametrize(
    "place",
    [os.devnull, "/proc/self/nothing/progress.json", "/dev/full", f"{__file__}/below/progress.json", "\0"],
)
def test_where_nothing_can_be_written_nothing_is_and_no_error_comes(monkeypatch, place):
    if "\0" in place:
        monkeypatch.setattr(progress, "place", lambda: Path(place))
    else:
        monkeypatch.setenv("HEDGELAB_PROGRESS", place)
    progress.record("02-1", "1", "wrong")


def test_what_cannot_be_an_attempt_is_not_kept(file):
    progress.record(None, "1", "wrong")
    progress.record("02-1", "1", "maybe")
    assert not file.exists()


def test_a_full_disk_leaves_the_old_file(file, monkeypatch):
    progress.record("02-1", "1", "wrong")
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    progress.record("02-1", "2", "wrong")
    assert file.read_bytes() == before
    assert sorted(each.name for each in file.parent.iterdir()) == ["progress.json", "progress.json.lock"]


def test_a_damaged_file_is_left_as_it_is(file):
    file.parent.mkdir()
    file.write_text('{"format": "hedge-lab-pro')
    progress.record("02-1", "1", "wrong")
    assert file.read_text() == '{"format": "hedge-lab-pro'
    with pytest.raises(ValueError, match="a progress file is JSON"):
        progress.attempts()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="locks are tried where flock is")
def test_a_lock_that_is_never_given_back_holds_nobody_up(file):
    progress.record("02-1", "1", "wrong")
    with progress._turn(file.with_name("progress.json.lock")) as ours:
        assert ours
        progress.record("02-1", "2", "wrong")
    assert [each["answer"] for each in progress.attempts()] == ["1"]


WRITER = """
import sys
from hedgelib import exercise, progress
progress.PATIENCE = 60
for number in range(20):
    progress.record(sys.argv[1], str(number), "wrong")
"""


def test_notebooks_side_by_side_lose_nothing(file):
    names = ["02-1", "02-2", "02-3"]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], env=os.environ) for name in names]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    kept = progress.attempts()
    assert {name: [each["answer"] for each in kept if each["exercise"] == name] for name in names} == {
        name: [str(number) for number in range(20)] for name in names
    }


def test_what_the_site_exported_is_added_once(file, tmp_path):
    progress.record("02-1", "1", "wrong")
    exported = tmp_path / "exported.json"
    found = [attempt("02-1", "-55", "right", 1), attempt("03-1", "2", "unread", 4)]
    exported.write_text(
        json.dumps({"format": progress.FORMAT, "attempts": found, "votes": {"02": 2}, "place": "a.html"})
    )
    assert (progress.add(exported), progress.add(exported)) == (2, 0)
    assert [(each["exercise"], each["answer"], each["try"]) for each in progress.attempts()] == [
        ("02-1", "-55", 1),
        ("03-1", "2", 4),
        ("02-1", "1", 1),
    ]
    kept = json.loads(file.read_text())
    assert (kept["votes"], kept["place"]) == ({"02": 2}, "a.html")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no JSON", "is JSON"),
        ("[" * 100_000, "is JSON"),
        ("[]", "format"),
        ('{"format": "other"}', "format"),
        ('{"format": "hedge-lab-progress-1", "attempts": 3}', "must be a list"),
    ],
)
def test_another_file_is_refused_in_a_sentence(file, tmp_path, text, problem):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        progress.add(path)
    assert progress.attempts() == []


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries(dict.fromkeys(attempt(), json_values))
        | st.builds(attempt, verdict=st.sampled_from(progress.VERDICTS)),
        max_size=4,
    )
)
def test_what_is_no_attempt_is_left_out_and_the_others_are_kept(listed):
    text = json.dumps({"format": progress.FORMAT, "attempts": listed, "votes": {"02": 0, "03": 1}})
    found = progress.read(text)
    assert found["votes"] == {"03": 1}
    assert found["attempts"] == [each for each in listed if each in found["attempts"]]
    sound = [attempt(verdict=verdict) for verdict in progress.VERDICTS]
    assert [each for each in found["attempts"] if each in sound] == [each for each in listed if each in sound]


def test_the_table_counts_by_lesson():
    tried = [
        attempt("02-1", "1", "wrong", 1),
        attempt("02-1", "-55", "right", 2),
        attempt("02-1", "7", "wrong", 2),
        attempt("02-2", "x", "unread", 1),
        attempt("03-1", "2", "right", 1),
        attempt("99-1", "2", "right", 1),
    ]
    made = progress.table(["02-1", "02-2", "02-3", "03-1", "04-1"], tried)
    assert made.to_dict("index") == {
        "02": {"exercises": 3, "right": 1, "tried": 2, "tries": 3, "look again at": "02-2"},
        "03": {"exercises": 1, "right": 1, "tried": 1, "tries": 1, "look again at": ""},
        "04": {"exercises": 1, "right": 0, "tried": 0, "tries": 0, "look again at": ""},
    }
