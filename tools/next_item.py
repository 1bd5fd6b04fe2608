"""Measure the next item under the published protocol: next-item, its rivals, and a blend; write what they reach.

python tools/next_item.py OUT.json SEQUENCES [SEEDS]    Amazon Toys: five minutes a seed on two cores

The protocol: of each user the last event is asked for, the one before it is shown and never trained on; all items are
ranked but those the user had; equal scores count by the item's number. Everything is trained with its defaults, which
were chosen on the second-last events of Amazon Toys (docs/choices.md), never on the last ones.
"""

from __future__ import annotations

import sys
import time

from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import leave_one_out
from recsys_tutorial.evaluation.by_name import model_by_name
from recsys_tutorial.studies.runner import versions


def main(out: str, path: str, seeds: int = 1) -> None:
    """Write all records at the end, with what they rest on."""
    data = rt.read_interactions(path)
    split = leave_one_out(data)
    records = []
    for seed in range(seeds):
        models, seconds = {}, {}
        for name in ("popularity", "item-knn", "slist", "next-item", "next-item+slist"):
            started = time.perf_counter()
            if "+" in name:
                models[name] = rt.Blend.chosen([models["next-item"], models["slist"]], split.validation, seed=seed)
            else:
                models[name] = model_by_name(name, split.train, seed)
            seconds[name] = time.perf_counter() - started
        origin = models["next-item"].origin
        settings = {key: value for key, value in origin.items() if key not in ("data", "data_fingerprint", "seed")}
        for what in (split.validation, split):
            found = rt.evaluate(models, what, ("hit_rate", "ndcg"), 10, seed=seed).drop(columns=["seconds", "without"])
            found = found.assign(fit_seconds=found["model"].map(seconds), seed=seed)
            records += found.round(5).to_dict("records")
            print(found.to_string(), file=sys.stderr)
    about = {
        "command": f"python tools/next_item.py {out} {path} {seeds}",
        "data": data.name, "data_fingerprint": data.fingerprint, "settings": settings, "versions": versions(),
    }  # fmt: skip
    write_records(out, about, records)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
