"""Train every objective and its rivals over seeds, and write the results that notebook 05 draws its table from.

python tools/objectives.py docs/objectives.json [SEEDS [MODEL ...]]    five seeds take 20 minutes

What the file holds already is kept, but for the MODELs named: they are trained again.

Everything is trained with its defaults, as ``evaluate`` on the command line does. ``cpu_seconds`` is what one core
spent on the training; time in which it served busy neighbours does not count.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.evaluation.by_name import model_by_name
from recsys_tutorial.evaluation.geometry import genre_overlap, intrinsic_dimension

BASELINES = ("popularity", "item-knn", "ease", "pca")
IN_ORDER = (*BASELINES, "denoising", "item2vec", "masked-item", "next-item")  # asked for the next item as well
TRUSTED = 20  # events that an item needs to be asked for its neighbours
Key = tuple[int, str, str]  # seed, protocol, model


def records_of(likes: rt.Interactions, split: rt.splits.Split, name: str, seed: int) -> Iterator[dict[str, Any]]:
    """Train one model on the split and yield what it reaches, what it cost and what its g looks like."""
    started = time.process_time()
    model = model_by_name(name, split.train, seed, progress=False)
    seconds = time.process_time() - started
    row = {"model": name, "protocol": split.protocol, "seed": seed}
    in_time = split.protocol == "leave-one-out"
    asked = (["hit_rate", "ndcg"], [10]) if in_time else (["ndcg"], [20, 100])
    for found in rt.evaluate({name: model}, split, *asked).itertuples():
        yield row | {"metric": found.metric, "k": found.k, "value": round(found.value, 5)}
    measured = {"cpu_seconds": round(seconds, 2)}
    if isinstance(model, rt.PretrainedModel):
        known = likes.events_per_item >= TRUSTED
        vectors = model.feature_extractor.item_vectors.detach().numpy()
        overlap = genre_overlap(vectors, likes.genres, 10, among=known).mean()
        measured |= {
            "parameters": n_parameters(model),
            "intrinsic_dimension": round(intrinsic_dimension(model.encode(split.train)), 2),
            "genre_overlap": round(overlap["nearest"], 4),
            "genre_overlap_random": round(overlap["random"], 4),
        }
    for metric, value in measured.items():
        yield row | {"metric": metric, "value": value}


def stored(path: str, fingerprint: str, again: Sequence[str]) -> dict[Key, list[dict[str, Any]]]:
    """Return the rows that the file holds of this data, without the models that are to be trained again."""
    found: dict[Key, list[dict[str, Any]]] = {}
    held = json.loads(Path(path).read_text(encoding="utf-8")) if Path(path).exists() else {}
    for row in held["records"] if held.get("data_fingerprint") == fingerprint else []:
        if row["model"] not in again:
            found.setdefault((row["seed"], row["protocol"], row["model"]), []).append(row)
    return found


def main(path: str, seeds: int = 5, *again: str) -> None:
    """Train what the file lacks, and write it anew after every training: one that was stopped is gone on with."""
    torch.set_num_threads(1)  # a second one would spin while it waits, and be counted
    likes = rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    about = {
        "command": f"python tools/objectives.py {path} {seeds}",
        "data": "movielens-small, ratings of 4 and more, users and films with at least 5 of them",
        "data_fingerprint": likes.fingerprint,
        "users": likes.n_users, "items": likes.n_items, "events": likes.n_events,
        "trusted": TRUSTED,
        "versions": {"recsys_tutorial": rt.__version__, "python": platform.python_version(),
                     "torch": torch.__version__, "numpy": np.__version__},
        "seeds": seeds,
    }  # fmt: skip
    wanted = {"held-out-users": (*BASELINES, *sorted(rt.OBJECTIVES)), "leave-one-out": IN_ORDER}
    keys = [(seed, protocol, name) for seed in range(seeds) for protocol, names in wanted.items() for name in names]
    found = stored(path, likes.fingerprint, again)
    for seed, protocol, name in keys:
        if (seed, protocol, name) not in found:
            found[seed, protocol, name] = list(records_of(likes, split_of(likes, protocol, seed), name, seed))
            print(found[seed, protocol, name], file=sys.stderr)
            write_records(path, about, [row for key in keys for row in found.get(key, [])])


def split_of(likes: rt.Interactions, protocol: str, seed: int) -> rt.splits.Split:
    """Return the split of one protocol; in time there is only one."""
    in_time = protocol == "leave-one-out"
    return rt.splits.leave_one_out(likes) if in_time else rt.splits.held_out_users(likes, seed=seed)



if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:3]), *sys.argv[3:])
