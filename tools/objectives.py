"""Train every objective and its rivals over seeds, and write the results that notebook 05 draws its table from.

python tools/objectives.py docs/objectives.json [SEEDS]    five seeds take about a quarter of an hour on two idle cores

Everything is trained with its defaults, as ``evaluate`` on the command line does. ``cpu_seconds`` is what the
processor spent on the training, all threads added up, so that busy neighbours do not count.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import recsys_tutorial as rt
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.files import write_text
from recsys_tutorial.geometry import genre_overlap, intrinsic_dimension
from recsys_tutorial.named import model_by_name

BASELINES = ("popularity", "item-knn", "ease", "pca")
IN_ORDER = (*BASELINES, "denoising", "item2vec", "masked-item", "next-item")  # asked for the next item as well
TRUSTED = 20  # events that an item needs to be asked for its neighbours


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


def main(path: str, seeds: int = 5) -> None:
    """Write the file anew after every seed, so that a run that was stopped keeps what it has."""
    torch.set_num_threads(2)
    likes = rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    about = {
        "command": f"python tools/objectives.py {path} {seeds}",
        "data": "movielens-small, ratings of 4 and more, users and films with at least 5 of them",
        "data_fingerprint": likes.fingerprint,
        "users": likes.n_users, "items": likes.n_items, "events": likes.n_events,
        "trusted": TRUSTED,
        "versions": {"recsys_tutorial": rt.__version__, "python": platform.python_version(),
                     "torch": torch.__version__, "numpy": np.__version__},
    }  # fmt: skip
    records: list[dict[str, Any]] = []
    for seed in range(seeds):
        for split, names in (
            (rt.splits.held_out_users(likes, seed=seed), (*BASELINES, *sorted(rt.OBJECTIVES))),
            (rt.splits.leave_one_out(likes), IN_ORDER),
        ):
            for name in names:
                records += records_of(likes, split, name, seed)
                print(records[-1] | {"split": repr(split)}, file=sys.stderr)
        lines = ",\n".join(json.dumps(row) for row in records)
        head = json.dumps(about | {"seeds": seed + 1}, indent=1)[:-2]
        write_text(path, f'{head},\n "records": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
