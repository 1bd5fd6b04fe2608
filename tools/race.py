"""Run the race against every library that is at hand, on movielens-small and anime, and store what came out.

python tools/race.py docs/race.json [DATA[:ROW[:PEER]] ...]    one thread on both sides, which take turns

Rows that are not named keep their records; all take half an hour of one core for each data set. Libraries: pip install
implicit irspack cornac ranx polars, in an environment of its own beside this package; RecTools and RecBole get one by
themselves (tools/race_environments.py).
"""

from __future__ import annotations

import os
import sys

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS")
os.environ |= dict.fromkeys(THREADS, "1")  # before any of them is imported

import importlib.util  # noqa: E402
import json  # noqa: E402
import platform  # noqa: E402
from importlib.metadata import version  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402
from race_environments import NEEDED, command, pinned  # noqa: E402
from records import write_records  # noqa: E402

import recsys_tutorial as rt  # noqa: E402
from recsys_tutorial import benchmark  # noqa: E402
from recsys_tutorial.benchmark.race import ROWS, race  # noqa: E402
from recsys_tutorial.errors import InputError  # noqa: E402

TURNS = 3

DATA = {
    "movielens-small": lambda: rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(5, 5),
    "anime": lambda: rt.load_dataset("anime").filter_counts(per_user=5, per_item=20),
}


def main(out: str, asked: list[str]) -> None:
    """Write the file anew after each row."""
    torch.set_num_threads(1)
    against = [name for name in sorted(benchmark.PEERS) if importlib.util.find_spec(name)]
    apart = {name: command(name) for name in NEEDED}
    about = {
        "command": "python tools/race.py docs/race.json", "processor": f"{platform.machine()}, 1 thread",
        "versions": {name: version(name) for name in ("torch", "numpy", "pandas", *against)} | pinned(),
    }  # fmt: skip
    for one in asked or list(DATA):
        name, *wanted = one.split(":")
        try:
            data = DATA[name]()
        except InputError as error:
            print(f"without {name}: {error}", file=sys.stderr)
            continue
        for row in race(data, tuple(against), TURNS, 0, apart, lambda row: list(row)[: len(wanted)] == wanted):  # noqa: B023
            short = {key: _short(value) for key, value in row.items() if key not in ("bar", "ok")}
            print(short["row"], short["peer"], short["value"], short.get("why", ""), file=sys.stderr, flush=True)
            kept = json.loads(Path(out).read_text())["records"] if Path(out).exists() else []
            write_records(out, about, _in_order([*(old for old in kept if _place(old) != _place(short)), short]))


def _place(row: dict[str, Any]) -> tuple[int, int]:
    return list(DATA).index(row["data"]), ROWS.index((row["row"], row["peer"]))


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=_place)


def _short(value: object) -> object:
    return (None if value != value else float(f"{value:.4g}")) if isinstance(value, float) else value


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
