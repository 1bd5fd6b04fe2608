"""Measure item vectors made of semantic codes, on items that were trained on and on new ones: `docs/semantic_ids.json`.

python tools/semantic_ids.py OUT.json FOLDER [DATA:MODEL ...]    about three minutes of one core a model on Amazon Toys

FOLDER holds `s3rec/Toys_and_Games.txt` with its attributes, and `amazon-office/` with its titles. A tenth of the items,
drawn at random, is new: all events with them are taken out of what is trained on and of what is shown. Each user's last
event is asked for, among all items but those shown; `warm` are the users whose last event is with an item that was
trained on, `new` the others. Settings were chosen on second-last events (part `validation`), with other draws of new
items. Where models are named only their records are made anew.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.readers.attributes import with_items
from recsys_tutorial.data.readers.sequences import read_amazon, read_sequences
from recsys_tutorial.data.splits import Split, leave_one_out
from recsys_tutorial.encoders.base import n_parameters
from recsys_tutorial.encoders.words import attribute_vectors
from recsys_tutorial.engine.settings import seeded
from recsys_tutorial.learning.generative import GenerativeRetrieval
from recsys_tutorial.objectives.counting import counted_vectors
from recsys_tutorial.studies.runner import versions

NEW, SEED = 0.1, 0
HOW = {"dim": 64, "dropout": 0.4}
EPOCHS = {"toys": 10, "toys-6000": 10, "office": 10}
AS_NEW = 0.1
MODELS: dict[str, dict[str, Any]] = {
    "id": {},
    "codes of attributes": {"codes": "attributes", "ids": False},
    "codes of attributes + id": {"codes": "attributes", "as_new": AS_NEW},
    "codes of co-occurrence + id": {"codes": "co-occurrence"},
    "codes of both + id": {"codes": "both", "as_new": AS_NEW},
}
GENERATIVE = "generative retrieval"  # says codes of attributes, one by one
STARTS = ("random", "co-occurrence")


def read(folder: Path, name: str) -> rt.Interactions:
    """Return Toys (all of it, or its first 6,000 users) with the items' attributes, or Office with their titles."""
    if name.startswith("toys"):
        toys = read_amazon("Toys_and_Games.txt", folder / "s3rec", name)
        return toys if name == "toys" else toys.take_users(np.arange(6000))
    table = pd.read_csv(folder / "amazon-office" / "items.csv").set_index("item")
    return replace(with_items(read_sequences(folder / "amazon-office" / "sequences.txt"), table), name="office")


def with_new_items(data: rt.Interactions, seed: int) -> dict[str, Split]:
    """Return the parts, by name, all with the same training events: none of them is with a new item."""
    new = np.random.default_rng(seed).random(data.n_items) < NEW
    whole = leave_one_out(data)
    assert whole.validation is not None
    train = whole.train.keep_events(~new[whole.train.items])
    parts, known = {}, train.events_per_item > 0
    for prefix, split in (("", whole), ("validation, ", whole.validation)):
        shown = split.inputs.keep_events(~new[split.inputs.items])
        for part, asked in (("warm", known[split.targets.items]), ("new", ~known[split.targets.items])):
            rows = np.flatnonzero(asked & (shown.events_per_user > 0))
            parts[prefix + part] = Split(split.protocol, train, shown.take_users(rows), split.targets.take_users(rows))
    return parts


def records_of(data: rt.Interactions, model: str, start: str, seed: int, **more: Any) -> list[dict[str, Any]]:
    """Return the records of one model, trained once."""
    parts, started = with_new_items(data, seed), time.process_time()
    train, how = parts["warm"].train, {"epochs": EPOCHS[data.name], "seed": seed, "progress": False}
    if model == GENERATIVE:
        ids = rt.SemanticIDs.fit(attribute_vectors(data, seed=seed), seed=seed)
        with seeded(seed):
            built = GenerativeRetrieval(rt.SequenceEncoder(data.n_items, **HOW), ids)
        f = rt.pretrain(built, train, **how)
    else:
        f = rt.pretrain("next-item", train, start=start, **how, **HOW, **MODELS[model], **more)
    about = {"data": data.name, "item_vectors": model, "start": start, "seed": seed, **more}
    n = n_parameters(f if model == GENERATIVE else f.feature_extractor)
    about |= {"parameters": n, "fit_seconds": round(time.process_time() - started, 1)}
    records = []
    for part, split in parts.items():
        found = rt.evaluate(f, split, ("hit_rate", "ndcg"), 10, seed=seed, progress=False)
        rows = found.drop(columns=["model", "protocol", "seconds", "without"]).round(5).to_dict("records")
        records += [about | {"part": part} | row for row in rows]
        print(records[-2], file=sys.stderr)
    return records


def codebooks(data: rt.Interactions) -> list[dict[str, Any]]:
    """Return how distinct the codes are, and how much of each codebook is used."""
    train, records = leave_one_out(data).train, []
    vectors = {"co-occurrence": counted_vectors(train, HOW["dim"], 50, SEED).numpy()}
    for source, known in (vectors | {"attributes": attribute_vectors(data, seed=SEED)}).items():
        found = rt.SemanticIDs.fit(known, seed=SEED)
        about = {"data": data.name, "codes": source, "levels": 3, "size": 128, "seed": SEED}
        without = float((found.codes[:, 0] < 0).mean())
        told = {"distinct": found.distinct, "without": without}
        told |= {f"use_{n}": use for n, use in enumerate(found.use, 1)}
        records += [about | {"metric": metric, "value": round(value, 5)} for metric, value in told.items()]
    return records


def jobs(named: list[str]) -> list[tuple[str, str]]:
    """Return data and model of each job, models with their start."""
    every = [(data, f"{model}, {start}") for data in EPOCHS for start in STARTS for model in MODELS]
    every += [(data, what) for data in EPOCHS for what in (f"{GENERATIVE}, random", "codebooks")]
    return [job for job in every if not named or ":".join(job) in named]


def main(out: str, folder: str, *named: str) -> None:
    """Write the records after each model."""
    torch.set_num_threads(1)
    path, order = Path(out), jobs([])
    about = {
        "command": f"python tools/semantic_ids.py {path} {folder}", "new_items": NEW, "settings": HOW,
        "epochs": EPOCHS, "threads": 1, "versions": versions(),
    }  # fmt: skip
    for data, what in jobs(list(named)):
        interactions = read(Path(folder), data)
        model, _, start = what.rpartition(", ")
        made = codebooks(interactions) if not model else records_of(interactions, model, start, SEED)
        there = json.loads(path.read_text())["records"] if path.exists() else []
        records = [record for record in there if job_of(record) != (data, what)] + made
        write_records(path, about, sorted(records, key=lambda record: order.index(job_of(record))))


def job_of(record: dict[str, Any]) -> tuple[str, str]:
    """Return the job that a record comes from."""
    if "codes" in record:
        return record["data"], "codebooks"
    return record["data"], f"{record['item_vectors']}, {record['start']}"


if __name__ == "__main__":
    if len(sys.argv) < 3 or len(jobs(sys.argv[3:])) < len(sys.argv[3:]):
        sys.exit(__doc__)
    main(*sys.argv[1:])
