"""Markets: calibrated scenarios, real history, your own CSV files, and the facts that were measured."""

from hedgelib.market.csvfiles import read_csv
from hedgelib.market.downloads import download, history
from hedgelib.market.exchange import DownloadError
from hedgelib.market.factbook import facts
from hedgelib.market.frame import COLUMNS, Paths, validate
from hedgelib.market.handdrawn import drawn
from hedgelib.market.simulated import paths, scenario, scenarios

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
