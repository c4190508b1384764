"""Markets: calibrated scenarios, real history, your own CSV files, and the facts that were measured."""

from hedgelib.csvfiles import read_csv
from hedgelib.download import download, history
from hedgelib.drawn import drawn
from hedgelib.exchange import DownloadError
from hedgelib.facts import facts
from hedgelib.frame import COLUMNS, Paths, validate
from hedgelib.scenarios import paths, scenario, scenarios

__all__ = [
    "COLUMNS",
    "DownloadError",
    "Paths",
    "download",
    "drawn",
    "facts",
    "history",
    "paths",
    "read_csv",
    "scenario",
    "scenarios",
    "validate",
]
