"""``demo``: the whole story on the default data."""

from __future__ import annotations

import sys
import time
from argparse import Namespace

import pandas as pd

from ...data.published.datasets import load_dataset
from ...learning.pretraining import pretrain
from ...serving.recommend import Recommender
from ...studies import label_efficiency, paired, summarise
from ...system import machine
from ..report import Report, table

DEMO_LABELS, DEMO_EPOCHS = (30, 100), 30
DEMO_MODELS = ("popularity", "scratch", "raw ridge", "pca + probe", "pretrained + probe", "pretrained + wide")
DEMO_LIKED = ("Toy Story (1995)", "Aladdin (1992)", "Lion King, The (1994)")


def run(args: Namespace) -> Report:
    """Pretrain, fine-tune, compare and recommend on the default data."""
    interactions = load_dataset("movielens-small").filter_counts(per_user=5, per_item=5)
    print(interactions, file=sys.stderr)
    started = time.perf_counter()
    results = label_efficiency(
        interactions, DEMO_LABELS, models=DEMO_MODELS, draws=1, seed=args.seed, epochs=DEMO_EPOCHS,
        device=args.device, progress=True,
    )  # fmt: skip
    summary = summarise(results)
    gains = pd.concat(
        [
            paired(results, "pretrained + wide", "scratch"),
            paired(results, "pretrained + wide", "raw ridge"),
            paired(results, "pretrained + wide", "pca + probe"),
        ]
    )
    model = pretrain("denoising", interactions, epochs=DEMO_EPOCHS, seed=args.seed, device=args.device, progress=True)
    recommended = Recommender(model).recommend(DEMO_LIKED, k=5)
    run = {"model": "demo", "metric": "seconds", "value": time.perf_counter() - started, "peak_mb": machine.peak_mb()}
    text = "\n\n".join(
        [
            "Films that no history shows, ranked after few labelled users: NDCG@20, mean and 95 % interval of 5 seeds",
            _wide(summary),
            "Difference seed by seed, with its 95 % interval:",
            table(gains.round(3)),
            f"To someone who likes {', '.join(DEMO_LIKED)}:",
            table(recommended.round(2)),
            f"{run['value']:.0f} s, {run['peak_mb']:.0f} MB at most",
        ]
    )
    constant = {"protocol": "new-shelf", "task": "ranking", "metric": "ndcg", "k": 20}
    records = results.to_dict("records") + summary.to_dict("records")
    return Report(records + [row | constant for row in gains.to_dict("records")] + [run], text)


def _wide(summary: pd.DataFrame) -> str:
    cells = summary.apply(lambda row: f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]", axis=1)
    wide = summary.assign(cell=cells).pivot(index="model", columns="labels", values="cell")
    wide = wide.loc[summary["model"].unique()].rename(columns=lambda n: f"{n} labelled users")
    return table(wide.reset_index().rename_axis(columns=None))
