"""Measure reading a large log: seconds and peak memory of ``read_interactions`` and of plain reads of the same file.

python tools/large_log.py [FOLDER] [ROWS]    default: a temporary folder, 20,000,000 rows; writes a CSV and a Parquet
file.

Each reader runs in a process of its own. ``cpu`` is what counts on a machine that others use too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

READERS = {
    "read_interactions": "import recsys_tutorial as rt; read = rt.read_interactions",
    "pyarrow": "import pyarrow.csv, pyarrow.parquet as pq; "
    "read = lambda path: pyarrow.csv.read_csv(path) if path.endswith('csv') else pq.read_table(path)",
    "pandas": "import pandas as pd; "
    "read = lambda path: pd.read_csv(path) if path.endswith('csv') else pd.read_parquet(path)",
}
MEASURE = """
import json, sys, time
{imports}
from recsys_tutorial.system.machine import peak_mb
import os
before, started = os.times(), time.perf_counter()
found = read(sys.argv[1], **json.loads(sys.argv[2]))
after = os.times()
cpu = after.user + after.system - before.user - before.system
print(json.dumps(dict(seconds=round(time.perf_counter() - started, 1), cpu=round(cpu, 1), peak_mb=round(peak_mb()))))
"""


def write(folder: Path, rows: int) -> list[Path]:
    """Write a log with as many users and items as MovieLens 20M, in random order, as CSV and as Parquet."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    table = pa.table({
        "user": rng.integers(1, 138_494, rows),
        "item": rng.zipf(1.3, rows) % 26_744 + 1,
        "rating": rng.integers(1, 11, rows) / 2,
        "timestamp": rng.integers(800_000_000, 1_500_000_000, rows),
    })  # fmt: skip
    paths = [folder / "log.csv", folder / "log.parquet"]
    pa.csv.write_csv(table, paths[0])
    pa.parquet.write_table(table, paths[1])
    return paths


def measure(name: str, path: Path) -> dict[str, float]:
    """Return seconds, CPU seconds and peak memory of one reader in a process of its own."""
    options = {"duplicates": "keep"} if name == "read_interactions" else {}
    code = MEASURE.format(imports=READERS[name])
    told = subprocess.run(
        [sys.executable, "-c", code, str(path), json.dumps(options)], capture_output=True, text=True, check=True
    )
    return json.loads(told.stdout)


def main(folder: Path, rows: int) -> None:
    """Print one line per file and reader."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "log.csv", folder / "log.parquet"]
    for path in paths if all(path.exists() for path in paths) else write(folder, rows):
        found = {name: measure(name, path) for name in READERS}
        for name, row in found.items():
            ratio = {key: round(row[key] / found["pyarrow"][key], 2) for key in ("seconds", "cpu")}
            print(f"{path.name:<12} {name:<18} {row}  over pyarrow's plain read: {ratio}", flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else temporary), int(sys.argv[2] if len(sys.argv) > 2 else 2e7))
