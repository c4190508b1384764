"""Every public name says what it does and what it takes, and shows it working."""

import inspect
import re

import public
import pytest

HEADING = re.compile(r"^(\w[\w ]+)\n-+$", re.MULTILINE)
ELSEWHERE = re.compile(r"same parameters|as in `", re.IGNORECASE)


NAMES = public.names()
RESULTS = {
    "exercise.Exercise",
    "exercise.Verdict",
    "planner.form.FormPanel",
    "figures.Picture",
    "ledger.Outcome",
    "histories.DownloadError",
    "ratio.Estimate",
    "signals.Pattern",
    "planner.WorksheetError",
}
every_name = pytest.mark.parametrize("name", NAMES)


def sections(part):
    """The docstring by its headings; what stands before the first one under ``""``."""
    pieces = HEADING.split(inspect.getdoc(part))
    return {"": pieces[0]} | dict(zip(pieces[1::2], pieces[2::2], strict=True))


def described(section):
    """Each parameter in a section with what is said about it."""
    found = {}
    for entry in re.split(r"\n(?=\S)", section.strip()):
        heading, _, text = entry.partition("\n")
        for name in heading.partition(" : ")[0].split(", "):
            found[name.strip().lstrip("*")] = text.strip() or heading
    return found


@every_name
def test_begins_with_one_sentence(name):
    summary, *_ = inspect.getdoc(NAMES[name]).split("\n\n")
    assert "\n" not in summary
    assert summary.endswith(".")
    assert not re.search(r"\.\s", summary)


@every_name
def test_describes_each_parameter(name):
    part = NAMES[name]
    if name in RESULTS:
        pytest.skip("made by the library")
    text = sections(part)
    if ELSEWHERE.search(text[""]):
        return
    taken = {each for each in inspect.signature(part).parameters if not each.startswith("_")}
    told = described(text.get("Parameters", ""))
    assert taken <= set(told)
    assert all(told[each].endswith((".", " : Worksheet", "CrossWorksheet")) for each in taken)


@every_name
def test_shows_an_example(name):
    part = NAMES[name]
    if name in RESULTS:
        pytest.skip("made by the library, shown where it is returned")
    methods = inspect.getmembers_static(part, inspect.isfunction) if inspect.isclass(part) else []
    assert any(">>> " in (inspect.getdoc(each) or "") for each in [part, *(method for _, method in methods)])
