"""Measure how well items that nobody has had yet are ranked, over seeds, and write what notebook 13 reads.

python tools/new_items.py docs/new_items.json [SEEDS]    five seeds take about two minutes on one core; extra: text
"""

from __future__ import annotations

import sys

import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.encoders.text import PACKAGED, text_vectors
from recsys_tutorial.studies.new_items import first_layers, new_items
from recsys_tutorial.studies.runner import versions


def main(path: str, seeds: int = 5) -> None:
    """Write all records at the end, with what they rest on."""
    torch.set_num_threads(1)
    likes = rt.load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)
    text = text_vectors(likes.catalogue)
    records = []
    for seed in range(seeds):
        for study in (new_items, first_layers):
            records += study(likes, seed, text=text).round(5).to_dict("records")
            print(records[-1], file=sys.stderr)
    about = {
        "command": f"python tools/new_items.py {path} {seeds}",
        "data": "movielens-small, ratings of 4 and more, users and films with at least 5 of them",
        "data_fingerprint": likes.fingerprint, "encoder": PACKAGED, "seeds": seeds, "versions": versions(),
    }  # fmt: skip
    write_records(path, about, records)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
