"""Go on from an older model's weights, or train anew on all there is: quality on the latest events, and seconds.

python tools/update.py OUT.json [SEEDS] [DATA ...]    sets with times, MovieLens-100K where none is named: twenty
                                                      seconds a seed on one thread

The first seven tenths of the events, by the calendar, are what the model was pretrained on. Of what came since the
latest fifth is held out, and the older model, its update and a model trained anew on all but that have to find it.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.joining import joined
from recsys_tutorial.evaluation.evaluation import evaluate_users
from recsys_tutorial.studies.runner import versions
from recsys_tutorial.studies.updated import Before, later_split, latest

OLD, DATA, K = 0.7, ("movielens-100k",), 20


def parts(data: rt.Interactions) -> tuple[rt.Interactions, rt.Interactions, rt.Interactions]:
    """Return what was there before, what came since, and the latest of that, which is held out."""
    data = replace(data, labels=None, kinds=None)
    assert data.timestamps is not None, "sets with times"
    early = data.timestamps < np.quantile(data.timestamps, OLD)
    before = data.keep_events(early).filter_counts(per_user=5, per_item=1)
    more = data.keep_events(~early)
    more = more.subset_users(more.events_per_user > 0)
    late = latest(more)
    return before, more.keep_events(~late), more.keep_events(late)


def measure(data: rt.Interactions, seed: int) -> list[dict[str, Any]]:
    """Return one record for the older model, its update and the one trained anew."""
    before, since, late = parts(data)
    known = joined(before, since)
    split = later_split(known, late)
    assert split is not None, "enough people who did something else since"
    models: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for name in ("before", "updated", "anew"):
        started = time.process_time()
        if name == "before":
            models[name] = rt.pretrain("denoising", before, seed=seed, progress=False)
        elif name == "updated":
            models[name] = rt.update(models["before"], before, since, seed=seed, progress=False)
        else:
            models[name] = rt.pretrain("denoising", known, seed=seed, progress=False)
        seconds[name] = time.process_time() - started
    models["before"] = Before(models["before"], known.catalogue)
    table, _ = evaluate_users(models, split, "ndcg", K, seed=seed, progress=False)
    values = table.set_index("model")["value"]
    return [
        {"data": data.name, "seed": seed, "model": name, "metric": "ndcg", "k": K, "value": round(float(value), 5),
         "seconds": round(seconds[name], 2), "users": split.targets.n_users, "events": split.targets.n_events}
        for name, value in values.items()
    ]  # fmt: skip


def main(out: str, seeds: int = 3, *names: str) -> None:
    """Write all records at the end, with what they rest on."""
    torch.set_num_threads(1)
    records, prints = [], {}
    for name in names or DATA:
        data = rt.load_dataset(name)
        prints[name] = data.fingerprint
        for seed in range(seeds):
            records += measure(data, seed)
            print(records[-3:], file=sys.stderr)
    about = {
        "command": " ".join(["python tools/update.py", out, str(seeds), *names]), "fingerprints": prints,
        "threads": 1, "versions": versions(),
    }  # fmt: skip
    write_records(out, about, records)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:3]), *sys.argv[3:])
