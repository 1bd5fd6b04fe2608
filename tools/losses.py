"""Train one transformer by four losses for the same time, and write what notebook 05 draws its table from.

python tools/losses.py OUT.json SEQUENCES [LOSS ...]    Amazon Toys: six minutes a loss on one thread

The protocol: of each user the last event is asked for, the one before it is shown and never trained on; all items are
ranked but those the user had. Of the settings tried for a loss the one with the best NDCG@10 on the second-last events
is taken, after a third of the time; never the last ones. Where only some losses are named, the others' records stay.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.splits import Split, leave_one_out
from recsys_tutorial.studies.runner import versions

SECONDS, SEED = 180.0, 0
SETTINGS = {"dim": 64, "start": "random", "dropout": 0.4}  # the same for all
TRIED: dict[str, list[dict[str, Any]]] = {
    "softmax": [{"scale": 14.0}, {"scale": 20.0}],
    "sampled-softmax": [{"negatives": 500}, {"negatives": 2000}],
    "bce": [{"scale": 7.0}, {"scale": 14.0}],  # one negative, as SASRec has it
    "gbce": [{"negatives": 64}, {"negatives": 256}],
}


def trained(split: Split, how: dict[str, Any], seconds: float) -> tuple[rt.PretrainedModel, dict[str, Any]]:
    """Return the model after as many epochs as take about ``seconds`` of processor time, and what it took."""
    how = {"seed": SEED, "progress": False} | SETTINGS | how
    started = time.process_time()
    rt.pretrain("next-item", split.train, epochs=1, **how)
    epochs = max(1, round(seconds / (time.process_time() - started)))
    started = time.process_time()
    model = rt.pretrain("next-item", split.train, epochs=epochs, **how)
    return model, {"epochs": epochs, "fit_seconds": round(time.process_time() - started, 1)}


def judged(model: rt.PretrainedModel, split: Split) -> list[dict[str, Any]]:
    """Return a record for each metric."""
    found = rt.evaluate(model, split, ("hit_rate", "ndcg"), 10, seed=SEED, progress=False)
    return found.drop(columns=["model", "seconds", "without"]).round(5).to_dict("records")


def records_of(loss: str, split: Split) -> list[dict[str, Any]]:
    """Return the records of one loss: what was tried, on the validation events, and what was chosen, on both."""
    records, best = [], (-1.0, TRIED[loss][0])
    assert split.validation is not None
    for setting in TRIED[loss]:
        model, took = trained(split, {"loss": loss} | setting, SECONDS / 3)
        found = judged(model, split.validation)
        records += [{"loss": loss, "setting": setting, "chosen": False} | took | row for row in found]
        best = max(best, (found[1]["value"], setting), key=lambda pair: pair[0])
        print(records[-1], file=sys.stderr)
    model, took = trained(split, {"loss": loss} | best[1], SECONDS)
    for part in (split.validation, split):
        rows = judged(model, part)
        records += [{"loss": loss, "setting": best[1], "chosen": True} | took | row for row in rows]
        print(records[-2:], file=sys.stderr)
    return [record | {"seed": SEED} for record in records]


def main(out: str, path: str, *losses: str) -> None:
    """Write the records after each loss."""
    torch.set_num_threads(1)
    data = rt.read_interactions(path)
    split = leave_one_out(data)
    about = {
        "command": f"python tools/losses.py {out} {path}",
        "data": data.name, "data_fingerprint": data.fingerprint, "settings": SETTINGS, "threads": 1,
        "processor_seconds": SECONDS, "versions": versions(),
    }  # fmt: skip
    for loss in losses or TRIED:
        there = json.loads(Path(out).read_text())["records"] if Path(out).exists() else []
        records = [record for record in there if record["loss"] != loss] + records_of(loss, split)
        write_records(out, about, sorted(records, key=lambda record: list(TRIED).index(record["loss"])))


if __name__ == "__main__":
    if len(sys.argv) < 3 or not set(sys.argv[3:]) <= set(TRIED):
        sys.exit(__doc__)
    main(*sys.argv[1:])
