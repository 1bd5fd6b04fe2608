"""Train denoising at five sizes on an eighth up to all of the users, and write the loss and the quality of each.

python tools/scaling.py docs/scaling.json [SEEDS]    the default data: a minute a seed on one thread

A fifth of the users is tested on, the same for every model of a seed; a share of the others is trained on, the smaller
inside the larger. Every model takes about the same number of steps, so less data is seen more often. The loss is that
of the hidden films, in nats each, among all that the user was not shown.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, held_out_users
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.studies.runner import versions

DIMS, SHARES, STEPS = (16, 32, 64, 128, 256), (0.125, 0.25, 0.5, 1.0), 400
SETTINGS = {"loss": "multinomial", "batch_size": 64, "learning_rate": 3e-3}


def nats(model: rt.PretrainedModel, split: Split) -> float:
    """Return the mean, over what has to be found, of minus the log of the probability that the model gave to it."""
    scores = torch.from_numpy(np.asarray(model.score(split.inputs))).double()
    scores[torch.from_numpy(split.inputs.matrix.toarray() > 0)] = -torch.inf  # it is not asked for again
    wanted = torch.from_numpy(split.targets.matrix.toarray() > 0)
    return float(-scores.log_softmax(dim=1)[wanted].mean())


def record_of(split: Split, dim: int, share: float, seed: int) -> dict[str, Any]:
    """Train one model and return what it reaches."""
    users = np.random.default_rng(seed).permutation(split.train.n_users)[: round(share * split.train.n_users)]
    some = split.train.take_users(np.sort(users))
    epochs = round(STEPS / -(-some.n_users // SETTINGS["batch_size"]))
    started = time.process_time()
    model = rt.pretrain("denoising", some, dim=dim, epochs=epochs, seed=seed, progress=False, **SETTINGS)
    seconds = time.process_time() - started
    found = rt.evaluate(model, split, ["ndcg"], 20, progress=False).iloc[0]
    return {
        "dim": dim, "share": share, "users": some.n_users, "events": some.n_events, "parameters": n_parameters(model),
        "epochs": epochs, "seconds": round(seconds, 1), "nats": round(nats(model, split), 4), "metric": "ndcg", "k": 20,
        "value": round(float(found["value"]), 5), "seed": seed,
    }  # fmt: skip


def main(out: str, seeds: int = 2) -> None:
    """Write the records after each seed, with what they rest on."""
    torch.set_num_threads(1)
    likes = rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    records = []
    for seed in range(seeds):
        split = held_out_users(likes, seed=seed)
        records += [record_of(split, dim, share, seed) for share in SHARES for dim in DIMS]
        print(records[-len(DIMS) :], file=sys.stderr)
        about = {
            "command": f"python tools/scaling.py {out} {seeds}", "data": likes.name, "protocol": split.protocol,
            "data_fingerprint": likes.fingerprint, "items": likes.n_items, "steps": STEPS, "settings": SETTINGS,
            "threads": 1, "seeds": seed + 1, "versions": versions(),
        }  # fmt: skip
        write_records(out, about, records)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
