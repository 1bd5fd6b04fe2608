"""Run parts of the benchmark and store their records where notebook 10 reads them.

python tools/cost.py docs/cost.json [PART ...]    every part that is named is measured anew, the others are kept

All parts take about twenty minutes on two idle cores, other libraries included. Libraries to hold ours against are
taken where installed.
The part ``quality`` trains on the default data and, where it is at hand, on anime without what fewer than 20 have seen:
4,559 users and 3,120 items, nearly the catalogue of MovieLens-1M.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial import benchmark
from recsys_tutorial.errors import InputError


def measured(part: str) -> Iterator[list[dict[str, object]]]:
    """Yield the records of one part; of ``quality`` twice, those of anime behind those of the default data."""
    against = [name for name in benchmark.PEERS if importlib.util.find_spec(name)]
    trained = [name for name, kind in rt.OBJECTIVES.items() if not kind.closed_form]  # the others have no epochs
    yield benchmark.benchmark([part], against, objectives=trained if part == "hardware" else None, progress=True)
    if part == "quality":
        try:
            anime = rt.load_dataset("anime").filter_counts(per_user=5, per_item=20)
        except InputError as error:
            print(f"without anime: {error}", file=sys.stderr)
        else:
            yield benchmark.benchmark([part], against, data=anime, progress=True)


def _short(value: object) -> object:
    return (None if value != value else float(f"{value:.4g}")) if isinstance(value, float) else value


def main(path: str, parts: list[str]) -> None:
    """Write the file anew after every part."""
    kept = json.loads(Path(path).read_text())["records"] if Path(path).exists() else []
    for part in parts or [part for part in benchmark.PARTS if part != "race"]:  # which has a file of its own
        kept = [row for row in kept if row["part"] != part]
        for records in measured(part):
            kept += [{key: _short(value) for key, value in row.items()} for row in records]
            _write(path, kept)


def _write(path: str, records: list[dict[str, object]]) -> None:
    about = {
        "command": f"python tools/cost.py docs/{Path(path).name}",
        "processor": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "versions": {"recsys_tutorial": rt.__version__, "python": platform.python_version(),
                     "torch": torch.__version__},
    }  # fmt: skip
    write_records(path, about, records)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
