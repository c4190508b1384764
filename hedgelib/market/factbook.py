"""Facts measured on real markets, with source and date: what no simulation should stand in for."""

import functools
import math
import tomllib
from importlib import resources

import pandas as pd

from hedgelib import checks


def facts(topic=None):
    """Statistics of real markets: funding, beta, how often shorts were touched, worst days and more.

    Parameters
    ----------
    topic : str, optional
        One of the words in the column ``topic``; everything if not given.

    Returns
    -------
    pandas.DataFrame
        One fact a row: topic, asset, period, key, value, unit, source, as_of. ``attrs["what"]`` says in words
        what each topic holds.

    Raises
    ------
    ValueError
        If there is no such topic; the message lists them.

    Examples
    --------
    How often a 3x short of BTC was touched within 60 days:

    >>> touched = facts("touched").query("asset == 'BTC' and period == '60 days'").set_index("key")["value"]
    >>> touched[["3x_low", "3x", "3x_high"]].round(2).tolist()
    [0.2, 0.29, 0.4]
    """
    table = _all()
    if topic is not None:
        table = table[table["topic"] == checks.one_of("topic", topic, tuple(table.attrs["what"]))]
    return table.reset_index(drop=True)


@functools.cache
def _all():
    """Every fact, in one table."""
    book = tomllib.loads((resources.files("hedgelib.market") / "facts.toml").read_text("utf-8"))
    rows = []
    for table in book["table"]:
        for asset, period, *values in table["rows"]:
            for (key, unit), value in zip(table["columns"].items(), values, strict=True):
                if not math.isnan(value):
                    rows.append((table["topic"], asset, period, key, float(value), unit, table["source"]))
    facts = pd.DataFrame(rows, columns=["topic", "asset", "period", "key", "value", "unit", "source"])
    facts["as_of"] = book["as_of"]
    facts.attrs["what"] = {table["topic"]: table["what"] for table in book["table"]}
    return facts
