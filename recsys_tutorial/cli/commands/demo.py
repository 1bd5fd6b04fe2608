"""``demo``: two cases on the default data, one where pretraining helps a lot and one where it does not."""

from __future__ import annotations

import sys
import time
from argparse import Namespace

import pandas as pd

from ...data.published.datasets import load_dataset
from ...learning.pretraining import pretrain
from ...metrics.intervals import seed_interval
from ...serving.recommend import Recommender
from ...studies import paired, study_map
from ...studies.map import ALL, MAP_HEADLINE
from ...system import machine
from ..report import Report, table

DEMO_LABELS, DEMO_SEEDS = 30, 5
DEMO_TASKS = {
    "target-behaviour": "600 people watched films, 30 of them said which they like: what will somebody else like?",
    "new-shelf": "Films that no history shows, 30 people told which they like: which of them will somebody else like?",
}
# The strongest without pretraining, the strongest in closed form, and a network's g with both; the order of the table.
DEMO_MODELS = {
    "target-behaviour": ("popularity", "raw ridge", "ease (labelled)", "ease + no labels", "pretrained + stack"),
    "new-shelf": ("popularity", "raw ridge (idf)", "neighbours", "counting + probe", "pretrained + stack"),
}
DEMO_LIKED = ("Toy Story (1995)", "Aladdin (1992)", "Lion King, The (1994)")


def run(args: Namespace) -> Report:
    """Pretrain, fine-tune, compare and recommend on the default data: a large gain, none, and what foretells both."""
    interactions = load_dataset("movielens-small").filter_counts(per_user=5, per_item=5)
    print(interactions, file=sys.stderr)
    started = time.perf_counter()
    records, texts, shares = [], [], {}
    for task, story in DEMO_TASKS.items():
        models = DEMO_MODELS[task]
        results = study_map(
            [interactions], [task], [ALL], [DEMO_LABELS], DEMO_SEEDS, models=models, seed=args.seed,
            device=args.device, progress=True,
        )  # fmt: skip
        summary = _summary(results, models)
        shares[task] = results["unseen_share"].mean()
        gains = pd.concat([paired(results, MAP_HEADLINE[task], rival) for rival in models[:-1]])
        constant = {"task": task, "protocol": task, "labels": DEMO_LABELS, "metric": "ndcg", "k": 20}
        records += results.assign(protocol=task).to_dict("records")
        records += [row | constant for row in (*summary.to_dict("records"), *gains.to_dict("records"))]
        records.append(constant | {"metric": "unseen_share", "k": None, "value": shares[task]})
        texts += [story, table(_told(summary, gains))]
    model = pretrain("linear", interactions, seed=args.seed)
    recommended = Recommender(model).recommend(DEMO_LIKED, k=5)
    run = {"model": "demo", "metric": "seconds", "value": time.perf_counter() - started, "peak_mb": machine.peak_mb()}
    texts.insert(0, f"NDCG@20 over {DEMO_SEEDS} seeds, mean and 95 % interval, and what {MAP_HEADLINE['new-shelf']} adds")
    texts += [
        f"Unseen share: of what a test user did, {shares['target-behaviour']:.0%} and {shares['new-shelf']:.0%} is on "
        "films that none of the 30 has, where a model of their labels alone is blind. That decides little here; what\n"
        "does is that liking is behaviour too: in the first case everybody's watching already tells most of it. "
        "`study map` draws where each holds.",
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
    cells = [[f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]" for row in summary.itertuples()]]
    cells += [[f"{row.value:+.3f} [{row.ci_low:+.3f}, {row.ci_high:+.3f}]" for row in gains.itertuples()] + [""]]
    last = summary["model"].iloc[-1]
    return pd.DataFrame({"model": summary["model"], "NDCG@20": cells[0], f"{last} minus it": cells[1]})
