"""Measure how well clicks are foretold, over seeds, and write what notebook 13 reads.

RECSYS_TUTORIAL_DATA=../shared/data python tools/clicks.py docs/clicks.json [SEEDS]

Five seeds take about five minutes on one core; extra: ctr. The file is written after every seed, and the same command
goes on where it stopped. A data set that is not at hand is left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from records import write_records

import recsys_tutorial as rt
from recsys_tutorial.evaluation.domains import at_hand
from recsys_tutorial.studies.clicks import clicks
from recsys_tutorial.studies.runner import versions
from recsys_tutorial.tasks.clicks import Impressions, bought_or_not, liked_or_not

Parts = tuple[Impressions, Impressions, rt.Interactions]
SHOWN: dict[str, Callable[[int], Parts]] = {
    "films": lambda _: liked_or_not(rt.load_dataset("movielens-small"), 4),
    "products": lambda seed: bought_or_not(rt.load_dataset("retailrocket"), seed),
}


def main(path: str, seeds: int = 5) -> None:
    """Write all records after every seed, with what they rest on."""
    torch.set_num_threads(1)
    about = {
        "command": f"python tools/clicks.py {path} {seeds}",
        "films": "movielens-small: liked (4 and more) or not, parted by time: g from the first 40 %, clicks on to 80 %",
        "products": "retailrocket: a viewed item bought or not, parted by people: a third each for g, clicks and test",
        "seeds": seeds, "versions": versions(),
    }  # fmt: skip
    before = json.loads(Path(path).read_text()) if Path(path).exists() else {"records": []}
    records, about = before.pop("records"), before | about
    done = {(record["data"], record["seed"]) for record in records}
    for seed in range(seeds):
        for data, parts in SHOWN.items():
            if (data, seed) not in done and at_hand(data):
                train, test, behaviour = parts(seed)
                sizes = {"g": behaviour.n_events, "train": len(train), "test": len(test)}
                about.setdefault(f"{data}_events", sizes)  # of the first seed
                about.setdefault(f"{data}_clicked", round(float(test.clicked.mean()), 4))
                found = clicks(train, test, behaviour, seed).assign(data=data)
                records += found.round(5).to_dict("records")
                write_records(path, about, records)
                print(found.to_string(), file=sys.stderr)



if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
