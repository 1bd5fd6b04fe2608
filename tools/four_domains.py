"""Compare the same models in every domain whose data is at hand, and keep the results for notebook 08.

RECSYS_TUTORIAL_DATA=../shared/data python tools/four_domains.py [SEEDS]    writes docs/four_domains.json
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

import recsys_tutorial as rt
from recsys_tutorial.data.files import to_json, write_text
from recsys_tutorial.evaluation.domains import DOMAINS, at_hand, compare_models, likes

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "four_domains.json"


def facts(domain: str, data: rt.Interactions) -> dict[str, object]:
    """Return what notebook 08 says of a data set: counts and weights as they are, and what is left of it as likes."""
    raw = rt.load_dataset(DOMAINS[domain][0])
    told = {
        "domain": domain, "data": raw.name, "users": raw.n_users, "items": raw.n_items, "events": raw.n_events,
        "density": raw.density, "median_events": float(np.median(raw.events_per_user)),
        "median_weight": float(np.median(raw.weights)), "largest_weight": float(raw.weights.max()),
        "likes": data.n_events, "users_left": data.n_users, "items_left": data.n_items,
        "fingerprint": data.fingerprint, "report": str(raw.report),
    }  # fmt: skip
    if raw.labels is not None:
        viewed = set(zip(*pairs(raw), strict=True))
        bought = list(zip(*pairs(raw.labels), strict=True))
        told["labels"] = len(bought)
        told["labels_also_events"] = sum(pair in viewed for pair in bought) / len(bought)
    return told


def pairs(data: rt.Interactions) -> tuple[list, list]:
    """Return raw user and raw item of every event."""
    users = np.repeat(data.user_ids, data.events_per_user)
    return users.tolist(), data.item_ids[data.items].tolist()


def main(seeds: int) -> None:
    """Run what is at hand; the file is written again after each domain."""
    told = {
        "command": f"python tools/four_domains.py {seeds}", "python": platform.python_version(),
        "versions": {name: version(name) for name in ("torch", "numpy", "pandas", "scipy")},
        "not_at_hand": [domain for domain in DOMAINS if not at_hand(domain)], "facts": [], "records": [],
    }  # fmt: skip
    for domain in filter(at_hand, DOMAINS):
        data = likes(domain)
        told["facts"].append(facts(domain, data))
        for seed in range(seeds):
            rows = compare_models(data, seed).assign(domain=domain).to_dict("records")
            told["records"] += rows
            print(domain, seed, {row["model"]: round(row["value"], 4) for row in rows}, flush=True)
        write_text(RESULTS, to_json(told))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
