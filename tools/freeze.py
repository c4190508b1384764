"""Store the markets that the lessons show, so that no upgrade of numpy rewrites a lesson.

`python -m tools.freeze` draws each market of `hedgelib/frozen.toml` that has no digest yet and stores it in
`hedgelib/frozen.npz`; `--again` draws all of them anew. The lessons then follow by `make notebooks`.
"""

import argparse
import hashlib
import platform
import tomllib
from pathlib import Path

import numpy as np
import scipy

from hedgelib import market

FOLDER = Path(__file__).resolve().parents[1] / "hedgelib"
MADE_WITH = ", ".join(
    [
        f"Python {platform.python_version()}",
        f"numpy {np.__version__}",
        f"scipy {scipy.__version__}",
        platform.machine(),
    ]
)
HEAD = """\
# The markets of frozen.npz: drawn once by `market.scenario`, then kept. To add one, write its scenario, seed
# and days, and run `python -m tools.freeze`.
"""


def index(folder):
    """Return the rows of ``frozen.toml``, by the key of each market in ``frozen.npz``."""
    rows = tomllib.loads((folder / "frozen.toml").read_text("utf-8"))["market"]
    return {market.frozen_key(row["scenario"], row["days"], row["seed"]): row for row in rows}


def digest(columns):
    """Return the SHA-256 of an array, the same on every machine."""
    return hashlib.sha256(columns.astype("<f8").tobytes()).hexdigest()


def drawn(row):
    """Draw the market of a row: array of shape (coins, columns, 1, bars)."""
    coins = market.simulated(row["scenario"], row["days"], row["seed"])
    return np.array([[columns[name] for name in market.COLUMNS] for columns in coins.values()])


def freeze(folder=FOLDER, again=False):
    """Draw what `folder` lists and does not hold, or all of it, and return the keys of what was drawn."""
    rows, stored = index(folder), {}
    if (folder / "frozen.npz").exists():
        with np.load(folder / "frozen.npz") as kept:
            stored = dict(kept)
    new = [key for key, row in rows.items() if again or key not in stored or "sha256" not in row]
    for key in new:
        stored[key] = drawn(rows[key])
        rows[key] |= {"made_with": MADE_WITH, "sha256": digest(stored[key])}
    np.savez_compressed(folder / "frozen.npz", **{key: stored[key] for key in rows})
    tables = (
        "\n".join(f"{name} = {_written(value)}" for name, value in row.items()) for row in rows.values()
    )
    (folder / "frozen.toml").write_text(
        HEAD + "".join(f"\n[[market]]\n{table}\n" for table in tables), "utf-8"
    )
    return new


def _written(value):
    return value if isinstance(value, int) else f'"{value}"'


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--again", action="store_true", help="draw those that are stored, too")
    for key in freeze(again=parser.parse_args().again):
        print(f"drawn and stored: {key}")
