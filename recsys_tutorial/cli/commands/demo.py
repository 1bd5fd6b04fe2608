"""``demo``: two cases on the default data: one where pretraining brings much, one where it brings little."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import Any

import pandas as pd

from ...data.published.datasets import load_dataset
from ...learning.pretraining import pretrain
from ...metrics.intervals import seed_interval
from ...serving.recommend import Recommender
from ...studies import paired, study_map
from ...studies.map import ALL
from ...system import machine
from ..report import Report, table

DEMO_LABELS, DEMO_SEEDS, DEMO_EPOCHS = 30, 5, 20
# Case -> what is asked, and the models: the strongest rivals without pretraining, and pretrained ones, the best last.
DEMO_CASES = {
    "target-behaviour": (
        "1. 600 people watched films, 30 of them said which they like: which will somebody else like?",
        ("popularity", "raw ridge", "ease (labelled)", "ease + no labels"),
    ),
    "new-shelf": (
        "2. Nobody's history shows these films, 30 people said which they like: which will somebody else like?",
        ("popularity", "raw ridge (idf)", "neighbours", "pretrained + probe", "pretrained + stack"),
    ),
}
DEMO_LIKED = ("Toy Story (1995)", "Aladdin (1992)", "Lion King, The (1994)")


def run(args: Namespace) -> Report:
    """Pretrain, fine-tune, compare and recommend on the default data: a large gain, a small one, and why."""
    interactions = load_dataset("movielens-small").filter_counts(per_user=5, per_item=5)
    print(interactions, file=sys.stderr)
    started = time.perf_counter()
    records: list[dict[Any, Any]] = []
    texts = [f"NDCG@20, mean and 95 % interval over {DEMO_SEEDS} seeds; a difference is taken seed by seed"]
    for task, (story, models) in DEMO_CASES.items():
        results = study_map(
            [interactions], [task], [ALL], [DEMO_LABELS], DEMO_SEEDS, models=models, seed=args.seed,
            epochs=DEMO_EPOCHS, device=args.device,
        )  # fmt: skip
        summary = _summary(results, models)
        gains = pd.concat([paired(results, models[-1], rival) for rival in models[:-1]])
        share = float(results["unseen_share"].mean())
        constant = {"task": task, "protocol": task, "labels": DEMO_LABELS, "metric": "ndcg", "k": 20}
        records += results.assign(protocol=task).to_dict("records")
        records += [row | constant for row in (*summary.to_dict("records"), *gains.to_dict("records"))]
        records.append({"task": task, "labels": DEMO_LABELS, "metric": "unseen_share", "value": share})
        texts += [
            story, table(_told(summary, gains)),
            f"Unseen share: {share:.0%} of what somebody did is on films that none of the {DEMO_LABELS} has.",
        ]  # fmt: skip
    model = pretrain("linear", interactions, seed=args.seed)
    recommended = Recommender(model).recommend(DEMO_LIKED, k=5)
    run = {"model": "demo", "metric": "seconds", "value": time.perf_counter() - started, "peak_mb": machine.peak_mb()}
    texts += [
        "Liking follows watching: in the first case what everybody watched, pretrained in closed form, tells more\n"
        "than 30 labels do. In the second nobody's watching says a word of the films in question, and 30 people have\n"
        "seen most of the others. `study map` shows where pretraining brings more, and where nothing.",
        f"To someone who likes {', '.join(DEMO_LIKED)}:",
        table(recommended.round(2)),
        f"{run['value']:.0f} s, {run['peak_mb']:.0f} MB at most",
    ]
    return Report([*records, run], "\n\n".join(texts))


def _summary(results: pd.DataFrame, models: tuple[str, ...]) -> pd.DataFrame:
    """Return the mean over seeds of each model, with Student's interval."""
    rows = []
    for name in models:
        value, low, high = seed_interval(results[results["model"] == name]["value"])
        rows.append({"model": name, "value": value, "ci_low": low, "ci_high": high})
    return pd.DataFrame(rows)


def _told(summary: pd.DataFrame, gains: pd.DataFrame) -> pd.DataFrame:
    """Return both as cells of text, a line a model."""
    values = [f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]" for row in summary.itertuples()]
    added = [f"{row.value:+.3f} [{row.ci_low:+.3f}, {row.ci_high:+.3f}]" for row in gains.itertuples()]
    last = summary["model"].iloc[-1]
    return pd.DataFrame({"model": summary["model"], "NDCG@20": values, f"{last} minus it": [*added, ""]})
