"""Real prices and funding, from your CSV files or an exchange: an annex that the core loads when asked."""

from hedgelib.histories.csvfiles import read_csv
from hedgelib.histories.downloads import download, history
from hedgelib.histories.exchange import DownloadError

__all__ = ["DownloadError", "download", "history", "read_csv"]
