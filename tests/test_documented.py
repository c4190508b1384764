"""Every public name says what it does, what it takes and what it refuses, and shows it working."""

import inspect
import re

import pytest

import hedgelib

HEADING = re.compile(r"^(\w[\w ]+)\n-+$", re.MULTILINE)
ELSEWHERE = re.compile(r"same parameters|as in `", re.IGNORECASE)


def public_names():
    """Every function and class of the public modules, by its full name."""
    for name in hedgelib.__all__:
        module = getattr(hedgelib, name)
        for member in getattr(module, "__all__", None) or vars(module):
            part = getattr(module, member)
            ours = getattr(part, "__module__", "").startswith(f"hedgelib.{name}") or hasattr(
                module, "__all__"
            )
            if not member.startswith("_") and ours and (inspect.isclass(part) or inspect.isfunction(part)):
                yield f"{name}.{member}", part


NAMES = dict(public_names())
RESULTS = {
    "exercise.Exercise",
    "exercise.Verdict",
    "figures.Picture",
    "market.DownloadError",
    "signals.Pattern",
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
            found[name.strip().lstrip("*")] = text.strip()
    return found


def refuses(part):
    """Whether the code raises a ``ValueError``, itself or through `checks`."""
    code = inspect.getsource(part)
    return "raise ValueError" in code or re.search(r"\bchecks\.(?!plain|broadcast)\w+\(", code)


@every_name
def test_begins_with_one_sentence(name):
    summary, *_ = inspect.getdoc(NAMES[name]).split("\n\n")
    assert "\n" not in summary
    assert summary.endswith(".")
    assert not re.search(r"\.\s", summary)


@every_name
def test_describes_each_parameter(name):
    part = NAMES[name]
    if name in RESULTS - {"signals.Pattern"}:
        pytest.skip("made by the library")
    text = sections(part)
    if ELSEWHERE.search(text[""]):
        return
    taken = {each for each in inspect.signature(part).parameters if not each.startswith("_")}
    told = described(text.get("Parameters") or text.get("Attributes", ""))
    assert taken <= set(told)
    assert all(told[each].endswith(".") for each in taken)


@every_name
def test_says_what_it_returns_and_refuses(name):
    part = NAMES[name]
    text = sections(part)
    if ELSEWHERE.search(text[""]):
        return
    if inspect.isfunction(part) and "return " in inspect.getsource(part):
        assert "Returns" in text
    if refuses(part):
        assert "ValueError" in text["Raises"] or "WorksheetError" in text["Raises"]


@every_name
def test_shows_an_example(name):
    part = NAMES[name]
    if name in RESULTS:
        pytest.skip("made by the library, shown where it is returned")
    methods = inspect.getmembers(part, inspect.isfunction) if inspect.isclass(part) else []
    assert any(">>> " in (inspect.getdoc(each) or "") for each in [part, *(method for _, method in methods)])
