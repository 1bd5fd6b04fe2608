"""Train g from scratch and from last month's weights, and write what each reaches in how many epochs.

python tools/head_start.py docs/head_start.json SEQUENCES [SEEDS]    films, and a shop: about six minutes on one thread

Two questions, asked both ways. Films: ``denoising`` on movielens-small, last month is all before the newest fifth of
the events, and a fifth of the users is tested on. A shop: ``next-item`` on SEQUENCES (amazon-office), last month is
each user's history without its newest quarter, and the last event of each is asked for. Items that last month did not
have get rows of their own. The rate falls to zero at the end of a training, so every number of epochs is a training of
its own, planned for so many, and no point of a longer one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, held_out_users, leave_one_out
from recsys_tutorial.studies.runner import versions

EPOCHS = {"denoising": (1, 2, 4, 8, 16, 32), "next-item": (1, 2, 4, 8, 16)}  # the last: what is trained for as a rule
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
    how = {"seed": seed, "progress": False}
    before = split.train.keep_events(old).filter_counts(per_user=1, per_item=1)  # nobody knew of the others
    more = split.train.keep_events(~old)
    started = time.process_time()
    last_month = rt.pretrain(objective, before, dim=DIM, epochs=EPOCHS[objective][-1], **how)
    about = {"data": split.train.name, "objective": objective, "protocol": split.protocol, "seed": seed}
    records, spent = [], time.process_time() - started
    for start in ("scratch", "warm"):
        for epochs in EPOCHS[objective]:
            started = time.process_time()
            if start == "scratch":
                model = rt.pretrain(objective, split.train, dim=DIM, epochs=epochs, **how)
            else:
                model = rt.update(last_month, before, more, epochs=epochs, **how)
            seconds = time.process_time() - started
            found = rt.evaluate(model, split, ["ndcg"], 10, progress=False).iloc[0]
            record = {"start": start, "epochs": epochs, "metric": "ndcg", "k": 10, "value": round(found["value"], 5)}
            records.append(about | record | {"seconds": round(seconds, 2), "last_month_seconds": round(spent, 2)})
            print(records[-1], file=sys.stderr)
    return records


def main(out: str, path: str, seeds: int = 3) -> None:
    """Write the records after each seed, with what they rest on."""
    torch.set_num_threads(1)
    records = []
    for seed in range(seeds):
        for objective, (split, old) in {"denoising": films(seed), "next-item": shop(path)}.items():
            records += records_of(objective, split, old, seed)
            about = {
                "command": f"python tools/head_start.py {Path(out).name} {Path(path).name} {seeds}", "dim": DIM,
                "newest": NEWEST, "threads": 1, "seeds": seed + 1, "versions": versions(),
            }  # fmt: skip
            write_records(out, about, records)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
