"""Train g from scratch and from last month's weights, and write what each reaches in how many epochs.

python tools/head_start.py docs/head_start.json [SEQUENCES [SEEDS]]    films one minute, a shop four, on one thread

Films: ``denoising`` on the default data; last month is all before the newest fifth of the events, and a fifth of the
users is tested on. With SEQUENCES (amazon-office) also a shop: ``next-item``; last month is each user's history without
its newest quarter, and the last event of each is asked for. Items that last month did not have get rows of their own.
The rate falls to zero at the end of a training, so every number of epochs is a training of its own, planned for so
many, and no point of a longer one.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, held_out_users, leave_one_out
from recsys_tutorial.studies.runner import versions

EPOCHS = {"denoising": (2, 8, 32, 128), "next-item": (1, 2, 4, 7)}  # last month's model: as many as the last
NEWEST = {"denoising": 0.2, "next-item": 0.25}  # share of the events that last month's model has not seen
DIM = 64


def films(seed: int) -> tuple[Split, np.ndarray]:
    """Return the split of the films, and which events of its training part were there last month."""
    likes = rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    split = held_out_users(likes, seed=seed)
    times = np.asarray(split.train.timestamps)
    return split, times < np.quantile(times, 1 - NEWEST["denoising"])


def shop(path: str) -> tuple[Split, np.ndarray]:
    """Return the split of the shop, and which events of its training part were there last month."""
    split = leave_one_out(rt.read_interactions(path))
    counts = split.train.events_per_user
    place = np.arange(split.train.n_events) - np.repeat(split.train.offsets[:-1], counts)
    return split, place < np.repeat(np.ceil((1 - NEWEST["next-item"]) * counts), counts)


def records_of(objective: str, split: Split, old: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Return a record for each number of epochs, from scratch and warm."""
    how: dict[str, Any] = {"seed": seed, "progress": False}
    before = split.train.keep_events(old).filter_counts(per_user=1, per_item=1)  # nobody knew of the others
    more = split.train.keep_events(~old)
    started = time.process_time()
    last_month = rt.pretrain(objective, before, dim=DIM, epochs=EPOCHS[objective][-1], **how)
    spent = round(time.process_time() - started, 2)
    about = {"data": split.train.name, "objective": objective, "protocol": split.protocol, "seed": seed}
    records = []
    for start in ("scratch", "warm"):
        for epochs in EPOCHS[objective]:
            started = time.process_time()
            if start == "scratch":
                model = rt.pretrain(objective, split.train, dim=DIM, epochs=epochs, **how)
            else:
                model = rt.update(last_month, before, more, epochs=epochs, **how)
            seconds = round(time.process_time() - started, 2)
            value = round(float(rt.evaluate(model, split, ["ndcg"], 10, progress=False)["value"].iloc[0]), 5)
            record = {"start": start, "epochs": epochs, "metric": "ndcg", "k": 10, "value": value, "seconds": seconds}
            records.append(about | record | {"last_month_seconds": spent})
    return records


def main(out: str, path: str | None = None, seeds: int = 3) -> None:
    """Write the records after each training of all lengths, with what they rest on."""
    torch.set_num_threads(1)
    records = []
    for objective in ["denoising"] + ["next-item"] * (path is not None):
        for seed in range(seeds):
            split, old = shop(str(path)) if objective == "next-item" else films(seed)
            records += records_of(objective, split, old, seed)
            print(*records[-8:], sep="\n", file=sys.stderr)
            called = [out, *([path, str(seeds)] if path else [])]
            about = {
                "command": " ".join(["python tools/head_start.py", *called]), "dim": DIM, "newest": NEWEST,
                "threads": 1, "versions": versions(),
            }  # fmt: skip
            write_records(out, about, records)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(sys.argv[1], *sys.argv[2:3], *map(int, sys.argv[3:]))
