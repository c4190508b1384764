"""Stored notebooks show what they compute: their outputs are those of the run behind the draft site."""

import copy
import re
from concurrent.futures import ThreadPoolExecutor

import lessons
import pytest

from tools import notebooks, run
from website.build import DRAFT, ROOT
from website.execute import executed

DIGIT = re.compile(r"(?<!0x)[0-9](?=[0-9,.]* (USDT|%))")
DIFFERS = {
    "PNG": r"data:image/png;base64,[A-Za-z0-9+/=]+",
    "ADDRESS": r"0x[0-9a-f]{6,}",
    "STYLE": r"T_[0-9a-f]{5}",
}


def plain(text):
    """A text without what differs between two runs: pixels, addresses, names of styles."""
    for name, pattern in DIFFERS.items():
        text = re.sub(pattern, name, text)
    return text


def told(output):
    """What an output shows, by type. An explorer stands on the site as its twin: its text, with the start."""
    if output.output_type != "display_data" and output.output_type != "execute_result":
        return {name: plain(output[name]) for name in ("text", "ename", "evalue") if name in output}
    data = {kind: text for kind, text in output.data.items() if kind != "image/png"}
    if data["text/plain"].startswith("Explorer: "):
        data = {"text/plain": data["text/plain"]}
    return {kind: plain(text) for kind, text in data.items()}


def shown(notebook):
    """What each code cell shows."""
    notebook = copy.deepcopy(notebook)
    notebooks.normalise(notebook)
    return [list(map(told, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_stored_outputs_are_those_of_a_run(site, path):
    cache = ROOT / ".cache" / "website" / "draft"
    with ThreadPoolExecutor(1) as pool:  # a browser may keep an event loop in this thread
        (ran,) = pool.submit(executed, [path], cache, 1, lambda line: None, DRAFT).result()
    stored, again = shown(run.read(path)), shown(ran)
    for number, (one, other) in enumerate(zip(stored, again, strict=True), start=1):
        assert one == other, f"{path.name}, code cell {number}: store it again with `make notebooks`"


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_one_altered_digit_in_an_output_is_seen(path):
    stored = run.read(path)
    altered = 0
    for cell in stored.cells:
        for output in cell.get("outputs", []):
            holder, key = (output, "text") if "text" in output else (output.get("data", {}), "text/plain")
            before, found = shown(stored), DIGIT.search(holder.get(key, ""))
            if found:
                text, place = holder[key], found.start()
                holder[key] = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
                assert shown(stored) != before
                holder[key] = text
                altered += 1
    assert altered
