"""Train simple and complex g on a sixteenth, a quarter and all of the users, for notebook 07.

python tools/choosing.py films|toys [SEED ...]    adds to docs/choosing_films.jsonl or docs/choosing_toys.jsonl

``films`` is the default data: a random fifth of a new user's films has to be found. ``toys`` is amazon-toys (name its
folder in RECSYS_TUTORIAL_DATA), toys that were bought ten times: a new user's last purchase has to be found. Each model
has its own recipe, and goes over few users more often than over many. A line is added after every training, and what is
there is not trained again, so that a run that was stopped goes on. Seeds 0 to 2 take minutes of one core for films, and
a quarter of an hour for toys.
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, held_out_users, leave_one_out
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.evaluation.by_name import BASELINES, model_by_name
from recsys_tutorial.studies.journal import Journal

DOCS = Path(__file__).resolve().parent.parent / "docs"
SHARES = (1 / 16, 1 / 4, 1.0)
SIMPLE = ("popularity", "item-knn", "ease", "pca", "item2vec", "denoising")
SEQUENCE_DIM = 64  # numbers in a Transformer's vector: half of its default, so that the grid takes minutes
K = 20


def films(seed: int) -> Split:
    """Return the default data, split as in notebook 05."""
    return held_out_users(load("films"), seed=seed)


def toys(seed: int) -> Split:
    """Return held-out users whose last purchase has to be found."""
    users = held_out_users(load("toys"), seed=seed)
    last = leave_one_out(load("toys").subset_users(users.inputs.user_ids))
    return Split("held-out-users, last item", users.train, last.inputs, last.targets)


def load(name: str) -> rt.Interactions:
    """Return the data of a grid."""
    if name == "films":
        return rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    return rt.load_dataset("amazon-toys").filter_counts(per_user=5, per_item=10)


# The split of a seed, and the models with the shares of the users that each is trained on.
GRIDS = {
    "films": (films, {name: SHARES for name in (*SIMPLE, "content2vec")}),
    "toys": (toys, {name: SHARES for name in (*SIMPLE, "next-item")} | {"masked-item": (1.0,)}),
}


def smaller(train: rt.Interactions, share: float, seed: int) -> rt.Interactions:
    """Return a share of the users; the smaller share is a part of the larger."""
    order = np.random.default_rng(seed).permutation(train.n_users)
    return train.take_users(np.sort(order[: round(share * train.n_users)]))


def cell(split: Split, name: str, share: float, seed: int) -> dict[str, Any]:
    """Train one model, and return what it reaches and what it costs."""
    train = smaller(split.train, share, seed)
    started = time.process_time()
    if name in BASELINES:
        model = model_by_name(name, train, seed)
    else:
        in_order = name.endswith("-item")  # whose recipes have least steps; the others take as many
        epochs = None if in_order else round(rt.OBJECTIVES[name].recipe.epochs / share)
        dim = SEQUENCE_DIM if in_order else None
        model = rt.pretrain(name, train, epochs=epochs, dim=dim, seed=seed, progress=False)
    seconds = time.process_time() - started
    found = rt.evaluate({name: model}, split, ["ndcg"], K, progress=False).iloc[0]
    row = {"model": name, "share": share, "seed": seed, "users": train.n_users, "events": train.n_events,
           "protocol": split.protocol, "metric": "ndcg", "k": K, "value": round(float(found["value"]), 5),
           "cpu_seconds": round(seconds, 2)}  # fmt: skip
    if isinstance(model, rt.PretrainedModel):
        events = int(np.median(split.inputs.events_per_user))
        flops = model.feature_extractor.cost(events).flops
        row |= {"dim": model.feature_extractor.dim, "parameters": n_parameters(model), "flops": flops}
    return row


def main(name: str, seeds: list[int]) -> None:
    """Add what is missing of a grid."""
    torch.set_num_threads(1)
    split_of, models = GRIDS[name]
    data = load(name)
    journal = Journal(DOCS / f"choosing_{name}.jsonl", {
        "command": f"python tools/choosing.py {name}",
        "versions": {package: version(package) for package in ("torch", "numpy")},
        "data": data.name, "users": data.n_users, "items": data.n_items, "events": data.n_events,
        "fingerprint": data.fingerprint, "sequence_dim": SEQUENCE_DIM,
    })  # fmt: skip
    for seed in seeds:
        split = split_of(seed)
        for model, shares in models.items():
            for share in shares:
                if journal.find(model=model, share=share, seed=seed) is None:
                    journal.add(cell(split, model, share, seed))
                    print(journal.cells[-1], file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in GRIDS:
        sys.exit(__doc__)
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]] or [0, 1, 2])
