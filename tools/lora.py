"""Fine-tune g by the probe, by changes of low rank and whole, and write what each brings, takes and trains.

python tools/lora.py OUT.json [SEEDS]    the default data, two tasks, 100 and 300 labels: three minutes on one thread

A third of the users is tested on; g is pretrained on the others, and fine-tuned on some of them, as in the studies.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.learning.low_rank import RANK, n_trained
from recsys_tutorial.studies.contenders import PRETRAINED, build_world
from recsys_tutorial.studies.runner import versions

TASKS, LABELS, STRATEGIES = ("new-shelf", "classification"), (100, 300), ("probe", "frozen", "lora", "full")


def trained(f: rt.PretrainedModel, strategy: str) -> int:
    """Return how many numbers of f the strategy trains; those of a head in closed form too."""
    of_g = {"lora": n_trained(f.feature_extractor), "full": n_parameters(f.feature_extractor)}
    return n_parameters(f.classifier) + of_g.get(strategy, 0)


def main(out: str, seeds: int = 3) -> None:
    """Write all records at the end, with what they rest on."""
    torch.set_num_threads(1)
    data, records = rt.load_dataset("movielens-small"), []
    for task in TASKS:
        for seed in range(seeds):
            world = build_world(data, task, seed, 0.33, ["denoising"])
            g = world.pretrained(PRETRAINED)
            for labels in LABELS:
                labelled = world.labelled(labels)
                for strategy in STRATEGIES:
                    started = time.process_time()
                    f = rt.finetune(g, labelled, strategy, seed=seed, progress=False)
                    seconds = time.process_time() - started
                    pairs = zip(f.feature_extractor.parameters(), g.feature_extractor.parameters(), strict=True)
                    record: dict[str, Any] = {
                        "task": task, "labels": labels, "strategy": strategy, "metric": world.test.metric,
                        "value": round(world.test.value(f.score(world.test.behaviour)), 5),
                        "seconds": round(seconds, 2), "numbers": trained(f, strategy),
                        "moved": any(not torch.equal(p, q) for p, q in pairs), "seed": seed,
                    }  # fmt: skip
                    records.append(record)
                    print(record, file=sys.stderr)
    about = {
        "command": f"python tools/lora.py {out} {seeds}", "data": data.name,
        "data_fingerprint": data.fingerprint, "rank": RANK, "threads": 1, "versions": versions(),
    }  # fmt: skip
    write_records(out, about, records)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
