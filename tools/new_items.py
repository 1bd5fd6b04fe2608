"""Measure how well items that nobody has had yet are ranked, over seeds, and write what notebook 13 reads.

python tools/new_items.py docs/new_items.json [SEEDS [OFFICE]]    five seeds: three minutes of one core; extra: text

OFFICE is the folder `amazon-office`, whose titles are compared too where it is given; without it its records stay.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.data.readers.attributes import with_items
from recsys_tutorial.data.readers.sequences import read_sequences
from recsys_tutorial.encoders.text import PACKAGED, text_vectors
from recsys_tutorial.studies.new_items import first_layers, new_items, warm_and_new
from recsys_tutorial.studies.runner import versions


def office(folder: str) -> rt.Interactions:
    """Return what people bought, each item once, with titles."""
    table = pd.read_csv(Path(folder) / "items.csv").set_index("item")
    bought = with_items(read_sequences(Path(folder) / "sequences.txt"), table)
    return replace(bought.binarise(), name="office").filter_counts(per_user=5, per_item=5)


def measured(likes: rt.Interactions, path: str, seeds: int, folder: str | None) -> list[dict[str, Any]]:
    """Return all records: films, and office products where their folder is given, else as they were stored."""
    text, records = text_vectors(likes.catalogue), []
    for seed in range(seeds):
        for study in (new_items, first_layers, warm_and_new):
            records += study(likes, seed, text=text).assign(data=likes.name).round(5).to_dict("records")
            print(records[-1], file=sys.stderr)
    if folder is None:
        there = json.loads(Path(path).read_text(encoding="utf-8"))["records"] if Path(path).exists() else []
        return records + [record for record in there if record.get("data") == "office"]
    bought = office(folder)
    for seed in range(seeds):
        records += warm_and_new(bought, seed).assign(data=bought.name).round(5).to_dict("records")
    return records


def main(path: str, seeds: int = 5, folder: str | None = None) -> None:
    """Write all records at the end, with what they rest on."""
    torch.set_num_threads(1)
    likes = rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    records = measured(likes, path, seeds, folder)
    about = {
        "command": f"python tools/new_items.py {path} {seeds} {folder or ''}".rstrip(),
        "data": "movielens-small, ratings of 4 and more, users and films with at least 5 of them",
        "data_fingerprint": likes.fingerprint, "encoder": PACKAGED, "seeds": seeds, "versions": versions(),
        "seeds_of_warm_and_new": {
            name: len({r["seed"] for r in records if (r["protocol"], r["data"]) == ("warm and new", name)})
            for name in (likes.name, "office")
        },
    }  # fmt: skip
    write_records(path, about, records)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:3]), *sys.argv[3:])
