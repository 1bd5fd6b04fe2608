"""Train next-item at five sizes on an eighth up to all of the users, and write the loss and the quality of each.

python tools/scaling.py docs/scaling.json SEQUENCES [SEED]    amazon-office: five minutes on one thread

The protocol: of each user the last event is asked for, the one before it is never trained on, and the users that are
asked are the same for all. Every model takes the same number of steps, so that less data is seen more often; the
weights of the epoch with the best loss on a tenth of its own users are kept. The loss is that of the event that came,
in nats, among all items. Records that are there already are kept, so that a run that was stopped is gone on with.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, leave_one_out
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.studies.runner import versions

DIMS, SHARES, STEPS = (16, 32, 64, 128, 256), (0.125, 0.25, 0.5, 1.0), 300
SETTINGS = {"dropout": 0.4, "batch_size": 128, "validation": 0.1}


def nats(model: rt.PretrainedModel, split: Split) -> float:
    """Return the mean of minus the log of the probability that the model gave to what came."""
    total, step = 0.0, 512
    for start in range(0, split.inputs.n_users, step):
        rows = np.arange(start, min(start + step, split.inputs.n_users))
        scores = torch.from_numpy(np.asarray(model.score(split.inputs.take_users(rows))))
        wanted = torch.from_numpy(split.targets.take_users(rows).items.astype(np.int64))
        total += float(torch.nn.functional.cross_entropy(scores, wanted, reduction="sum"))
    return total / split.inputs.n_users


def record_of(split: Split, dim: int, share: float, seed: int) -> dict[str, Any]:
    """Train one model and return what it reaches."""
    users = np.random.default_rng(seed).permutation(split.train.n_users)[: round(share * split.train.n_users)]
    some = split.train.take_users(np.sort(users))
    epochs = max(1, round(STEPS * SETTINGS["batch_size"] / (0.9 * some.n_users)))
    started = time.process_time()
    model = rt.pretrain("next-item", some, dim=dim, epochs=epochs, seed=seed, progress=False, **SETTINGS)
    seconds = time.process_time() - started
    found = rt.evaluate(model, split, ["ndcg"], 10, progress=False).iloc[0]
    return {
        "dim": dim, "share": share, "users": some.n_users, "events": some.n_events,
        "parameters": n_parameters(model.feature_extractor), "epochs": epochs,
        "best_epoch": int(model.history["validation"].argmin()) + 1, "seconds": round(seconds, 1),
        "nats": round(nats(model, split), 4), "ndcg": round(float(found["value"]), 5),
        "ci_low": round(float(found["ci_low"]), 5), "ci_high": round(float(found["ci_high"]), 5), "seed": seed,
    }  # fmt: skip


def main(out: str, path: str, seed: int = 0) -> None:
    """Write the records after each model, with what they rest on."""
    torch.set_num_threads(1)
    data = rt.read_interactions(path)
    split = leave_one_out(data)
    about = {
        "command": f"python tools/scaling.py {Path(out).name} {Path(path).name} {seed}", "data": data.name,
        "data_fingerprint": data.fingerprint, "protocol": split.protocol, "k": 10, "tested": split.inputs.n_users,
        "items": data.n_items, "steps": STEPS, "settings": SETTINGS, "threads": 1, "versions": versions(),
    }  # fmt: skip
    held = json.loads(Path(out).read_text(encoding="utf-8")) if Path(out).exists() else {}
    records = held["records"] if held.get("settings") == SETTINGS and held.get("steps") == STEPS else []
    there = {(record["dim"], record["share"]) for record in records if record["seed"] == seed}
    for share in SHARES:
        for dim in DIMS:
            if (dim, share) not in there:
                records.append(record_of(split, dim, share, seed))
                print(records[-1], file=sys.stderr)
                write_records(out, about, records)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
