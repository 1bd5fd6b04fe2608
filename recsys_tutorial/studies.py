"""Experiments over seeds that end in a table with intervals."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from .baselines import Model, Popularity, pca
from .errors import InputError
from .finetuning import finetune
from .interactions import Interactions
from .model import PretrainedModel
from .pretraining import pretrain
from .tasks import RankingTask, new_shelf
from .uncertainty import seed_interval

PROTOCOL = "new-shelf"
# model -> its fine-tuning strategy
MODELS = {
    "popularity": None, "scratch": "scratch", "pca + probe": "probe", "pretrained + probe": "probe",
    "pretrained + full": "full",
}  # fmt: skip


def label_efficiency(
    interactions: Interactions,
    labels: Sequence[int] = (30, 100, 300),
    seeds: int = 5,
    *,
    seed: int = 0,
    test_share: float = 0.33,
    dim: int = 256,
    epochs: int = 50,
    device: str = "cpu",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return how well the "new shelf" is ranked from few labelled users, with and without pretraining.

    Every seed draws its own shelf, test users, labelled users and initial weights; within a seed all models see the
    same. g is pretrained on the behaviour of everyone but the test users, without their labels.

    Args:
        interactions: with ratings as weights; 4 or more counts as wanted.
        labels: numbers of labelled users, at least 5 each and no more than there are outside the test.
        seeds: number of repetitions, at least 2.
        seed: the first of them.
        test_share: share of the users that is only tested on.
        dim: length of g's vector.
        epochs: of pretraining.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Returns:
        One row per model, number of labels and seed:
        ``model, strategy, protocol, task, labels, seed, metric, k, value, seconds``.
    """
    n_test = round(test_share * interactions.n_users)
    if max(labels) > interactions.n_users - n_test:
        raise InputError(f"labels={max(labels)}: only {interactions.n_users - n_test} users are not in the test")
    if seeds < 2:
        raise InputError(f"seeds={seeds}: intervals over seeds need at least 2")
    show = sys.stderr.isatty() if progress is None else progress
    rows = []
    with tqdm(total=seeds * len(labels) * len(MODELS), desc="few labels", unit="model", disable=not show) as bar:
        for one in range(seed, seed + seeds):
            for row in _one_seed(interactions, labels, one, n_test, dim, epochs, device):
                rows.append(row)
                bar.update()
    return pd.DataFrame(rows)


def _one_seed(
    interactions: Interactions, labels: Sequence[int], seed: int, n_test: int, dim: int, epochs: int, device: str
) -> Iterator[dict[str, Any]]:
    """Yield one record per number of labels and model; all see the same shelf and the same users."""
    task = new_shelf(interactions, seed=seed)
    order = np.random.default_rng(seed).permutation(len(task))
    test, rest = task.take(order[:n_test]), task.take(order[n_test:])
    started = time.perf_counter()
    pretrained = pretrain("denoising", rest.behaviour, dim=dim, epochs=epochs, seed=seed, device=device, progress=False)
    seconds_pretraining = time.perf_counter() - started
    linear = pca(rest.behaviour, min(64, len(rest) - 1, rest.behaviour.n_items - 1), seed=seed)
    for n in labels:
        makers = _makers(rest.take(np.arange(n)), pretrained, linear, seed=seed, device=device, progress=False)
        for name, make in makers.items():
            started = time.perf_counter()
            model = make()
            seconds = time.perf_counter() - started + seconds_pretraining * name.startswith("pretrained")
            value = float(np.nanmean(test.quality(model.score(test.behaviour))))
            yield {
                "model": name, "strategy": MODELS[name], "protocol": PROTOCOL, "task": task.name, "labels": n,
                "seed": seed, "metric": task.metric, "k": task.k, "value": value, "seconds": seconds,
            }  # fmt: skip


def _makers(
    labelled: RankingTask, pretrained: PretrainedModel, linear: PretrainedModel, **how: Any
) -> dict[str, Callable[[], Model]]:
    """Return, by name, how each model is made from the labelled users."""
    made = (
        lambda: Popularity().fit(labelled.targets),
        lambda: finetune(pretrained, labelled, "scratch", **how),
        lambda: finetune(linear, labelled, "probe", **how),
        lambda: finetune(pretrained, labelled, "probe", **how),
        lambda: finetune(pretrained, labelled, "full", **how),
    )
    return dict(zip(MODELS, made, strict=True))


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of each model and number of labels, with Student's interval."""
    keys = ["model", "strategy", "protocol", "task", "labels", "metric", "k"]
    rows = []
    for key, group in results.groupby(keys, sort=False, dropna=False):
        value, low, high = seed_interval(group["value"])
        rows.append(
            dict(zip(keys, key, strict=True))
            | {"value": value, "ci_low": low, "ci_high": high, "seconds": group["seconds"].mean()}
        )
    return pd.DataFrame(rows)


def paired(results: pd.DataFrame, model: str, rival: str) -> pd.DataFrame:
    """Return ``model - rival`` seed by seed: its mean and Student's interval for each number of labels."""
    table = results.pivot_table(index=["labels", "seed"], columns="model", values="value")
    missing = {model, rival} - set(table.columns)
    if missing:
        raise InputError(f"no results for {sorted(missing)}: the table has {sorted(table.columns)}")
    rows = []
    for labels, gain in (table[model] - table[rival]).groupby("labels"):
        value, low, high = seed_interval(gain)
        rows.append(
            {"model": f"{model} minus {rival}", "labels": labels, "value": value, "ci_low": low, "ci_high": high}
        )
    return pd.DataFrame(rows)
