"""Train a sampled softmax in one process and in two that cut its tables by rows: quality, speed and memory of each.

python tools/two_processes.py docs/two_processes.json    about two minutes on two cores, one thread a process

Both train as many steps on the same invented behaviour, in turns, three times; the fastest turn counts, since what else
a machine does only makes it slower. `busy` are the processor's seconds of the busier process: what the wall clock would
show if nothing waited; `exchange` are those of them in which the processes add up what each found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

import numpy as np
import psutil
import torch
import torch.distributed as dist
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import held_out_users
from recsys_tutorial.data.synthetic import synthetic
from recsys_tutorial.engine import processes as distributed
from recsys_tutorial.engine.settings import Settings, seeded
from recsys_tutorial.learning.sharded_decoder import sharded
from recsys_tutorial.objectives import build_objective
from recsys_tutorial.studies.runner import versions
from recsys_tutorial.training import fit

TURNS = 3
SIZE = {"users": 3000, "items": 400_000, "events": 120_000}
HOW = {"dim": 128, "sampled_softmax": 4096, "batch_size": 256, "epochs": 8, "learning_rate": 3e-3}


def train(out: Path, seed: int) -> None:
    """Train in this process, or this one of two, and write what it took beside the others."""
    torch.set_num_threads(1)
    process = psutil.Process()
    with distributed.joined("cpu"):
        split = held_out_users(synthetic(**SIZE, seed=seed), seed=seed)
        empty, held, clocks, exchanged = process.memory_info().rss, [], [], [0.0]

        def counted(*arguments: Any) -> None:
            started = time.process_time()
            all_reduce(*arguments)
            exchanged[0] += time.process_time() - started

        all_reduce, dist.all_reduce = dist.all_reduce, counted
        with seeded(seed):
            how = {"loss": "multinomial", "sampled_softmax": HOW["sampled_softmax"]}
            built = build_objective("denoising", split.train, HOW["dim"], **how)
        examples = built.examples(rt.Batch.of(split.train))

        def order() -> list[torch.Tensor]:
            held.append(process.memory_info().rss)
            clocks.append((time.perf_counter(), time.process_time(), exchanged[0]))
            return list(built.order(examples, HOW["batch_size"]))

        with sharded(built) if distributed.size() > 1 else nullcontext():
            tables = sum(table.numel() * 4 for table in chain(built.encoder.parameters(), built.decoder.parameters()))
            settings = Settings(HOW["epochs"], HOW["batch_size"], HOW["learning_rate"])
            fit(built, built, examples, settings, seed=seed, order=order, progress=False)
            clocks.append((time.perf_counter(), time.process_time(), exchanged[0]))
        spent = np.diff(np.array(clocks)[1:], axis=0).min(0)  # not the first epoch, which touches its memory anew
        found = dict(zip(("seconds", "busy", "exchange"), spent.tolist(), strict=True))
        found |= {"table_mb": tables / 2**20, "rss_mb": (max(held[1:]) - empty) / 2**20}
        if distributed.speaks():
            catalogue = split.train.catalogue
            model = rt.PretrainedModel.compose(
                built.feature_extractor(), built.head(), catalogue=catalogue, outputs=catalogue
            ).eval()
            found["ndcg"] = rt.evaluate(model, split, ["ndcg"], 100, progress=False)["value"].iloc[0]
        (out / f"{distributed.number()}.json").write_text(json.dumps(found))


def run(processes: int, seed: int) -> dict[str, Any]:
    """Return what so many processes took: an epoch's seconds, and each process's memory."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *(torchrun if processes > 1 else []), __file__, "--in", folder, str(seed)]
        subprocess.run(command, check=True)
        each = [json.loads(path.read_text()) for path in sorted(Path(folder).iterdir())]
    most = {key: float(max(one[key] for one in each)) for key in ("seconds", "busy", "exchange", "table_mb", "rss_mb")}
    return {"processes": processes, "seed": seed, "ndcg": each[0]["ndcg"]} | most


def main(out: str) -> None:
    """Run both in turns, and write all records at the end."""
    records = []
    for seed in range(TURNS):
        for processes in (1, 2):
            records.append({key: round(value, 4) for key, value in run(processes, seed).items()})
            print(records[-1], file=sys.stderr, flush=True)
    about = {"command": f"python tools/two_processes.py docs/{Path(out).name}", "data": SIZE, "settings": HOW,
             "versions": versions()}  # fmt: skip
    write_records(out, about, records)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in"]:
        train(Path(sys.argv[2]), int(sys.argv[3]))
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        sys.exit(__doc__)
