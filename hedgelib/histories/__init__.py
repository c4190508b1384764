"""Real prices and funding, from your CSV files or an exchange: an annex that the core loads when asked.

In a notebook a refusal shows its sentence alone, not the thirty lines of library beneath it.
"""

import functools
from importlib import import_module

from hedgelib.histories import csvfiles
from hedgelib.histories.exchange import DownloadError
from hedgelib.market import NEEDS

__all__ = ["DownloadError", "download", "history", "read_csv"]


def _told(function):
    """Let IPython show what a function refuses as one sentence; the error itself is whole."""

    @functools.wraps(function)
    def call(*args, **named):
        try:
            return function(*args, **named)
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError(NEEDS.format(function.__name__, missing.name)) from None
        except (ValueError, DownloadError) as error:
            sentence = f"{type(error).__name__}: {error}"
            error._render_traceback_ = lambda: [sentence]
            raise

    return call


read_csv = _told(csvfiles.read_csv)


def __getattr__(name):
    """Load what downloads when it is asked for: reading files needs none of its packages."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _told(getattr(import_module("hedgelib.histories.downloads"), name))
