"""Every model on the same users, the same items and the same metrics: one tidy table, with intervals."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ..baselines import Model
from ..data.splits import Split
from ..errors import InputError, how_many, unknown
from ..metrics.intervals import bootstrap_interval, bootstrap_intervals
from ..metrics.ranking import FROM_HITS
from .lists import LIST_METRICS, MANY_TIED, TiedScores, lists_of, of_lists
from .transitions import by_transition, groups_of

COLUMNS = ["model", "protocol", "metric", "k", "value", "ci_low", "ci_high", "users", "without", "seconds"]
TIES = ["tied", "worst", "best"]


def evaluate(
    models: Mapping[str, Model] | Model,
    split: Split,
    metrics: Sequence[str] | str = ("ndcg", "recall"),
    k: Sequence[int] | int = (10, 20, 100),
    *,
    sampled: int | None = None,
    ties: bool = False,
    by: str | None = None,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Rank the catalogue for every test user and return one row per model, metric and k.

    What a user was shown is left out of the ranking; of items with equal scores the lower number comes first. Scores
    are asked for in batches of users, so that memory follows ``batch_size · n_items``.

    Args:
        models: name -> model that was fitted on ``split.train`` alone, or one model.
        split: from :mod:`recsys_tutorial.data.splits`.
        metrics: names of :data:`recsys_tutorial.metrics.ranking.FROM_HITS`, or of :data:`LIST_METRICS`.
        k: length or lengths of the list.
        sampled: rank the targets among this many random items that the user has not seen, and not among all. Such
            numbers are much higher and can order models wrongly (Krichene and Rendle 2020): they are here to show that.
        ties: add the columns ``tied``, the share of the targets whose score another item has too and which might be
            among the k, and ``worst`` and ``best``, the value with all targets last, or first, among their equals; warn
            (:class:`.lists.TiedScores`) where the order of items decides about more than 1 % of the targets.
        by: ``transition``: a row for each of :data:`.transitions.GROUPS`, in a column ``group``: users whose step from
            the last item shown to the target was seen in training, could be put together from two, or neither.
        batch_size: users scored at a time.
        seed: of the bootstrap and of the sampled items.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Returns:
        Columns ``model, protocol, metric, k, value, ci_low, ci_high, users, without, seconds``: the mean over users
        and its 95 % bootstrap interval; ``without`` counts users for whom the metric is not defined. The metrics of
        :data:`LIST_METRICS` belong to all lists together and have no interval.

    Raises:
        InputError: unknown metric, k out of range, a model of other items, scores that are not finite; ``by`` where
            users have several targets, or with ``ties`` or a metric of lists, which are not of single users.
    """
    if by is not None:
        check_by(by, split, [metrics] if isinstance(metrics, str) else metrics, ties)
    table, per_user = evaluate_users(
        models, split, metrics, k, sampled=sampled, ties=ties, batch_size=batch_size, seed=seed, progress=progress
    )
    return table if by is None else by_transition(table, per_user, split, seed)


def check_by(by: str, split: Split, metrics: Sequence[str], ties: bool = False) -> None:
    """Raise InputError where :func:`evaluate` cannot tell the users of ``split`` apart ``by`` that."""
    if by != "transition":
        raise unknown("by", by, ["transition"])
    if beside := [*(metric for metric in metrics if metric in LIST_METRICS), *(["ties"] if ties else [])]:
        raise InputError(f"{beside[0]} belongs to all users together: leave it out with by={by!r}")
    groups_of(split)


def evaluate_users(
    models: Mapping[str, Model] | Model,
    split: Split,
    metrics: Sequence[str] | str = ("ndcg", "recall"),
    k: Sequence[int] | int = (10, 20, 100),
    *,
    sampled: int | None = None,
    ties: bool = False,
    batch_size: int = 256,
    seed: int = 0,
    progress: bool | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of :func:`evaluate`, and what it rests on: one row per user, columns (model, metric, k)."""
    models = models if isinstance(models, Mapping) else {type(models).__name__: models}
    metrics, lengths = check_asked(split, metrics, k, sampled)
    for model in models.values():
        if (known := getattr(model, "catalogue", None)) is not None:
            known.require_same(split.inputs.catalogue, f"the split of {split.inputs.name!r}")
    protocol = split.protocol + (f", {sampled} sampled negatives" if sampled else "")
    show = sys.stderr.isatty() if progress is None else progress
    rows: list[dict[str, Any]] = []
    users: dict[tuple[str, str, int], np.ndarray] = {}
    with tqdm(total=len(models) * split.inputs.n_users, desc="evaluating", unit="user", disable=not show) as bar:
        for name, model in models.items():
            started = time.perf_counter()
            lists = lists_of(model, name, split, lengths[-1], sampled, ties, batch_size, seed, bar)
            seconds = time.perf_counter() - started
            for length in lengths:
                for metric in metrics:
                    row = {"model": name, "protocol": protocol, "metric": metric, "k": length, "seconds": seconds}
                    if metric in LIST_METRICS:
                        row["value"] = of_lists(metric, lists.items[:, :length], split)
                    else:
                        users[name, metric, length] = lists.values(metric, length)
                        if ties:
                            worst, best = lists.range_of(metric, length)
                            row |= {"tied": lists.share_tied(length), "worst": worst, "best": best}
                    rows.append(row)
    per_user = pd.DataFrame(users, index=pd.Index(split.targets.user_ids, name="user"))
    if users:
        per_user.columns = per_user.columns.set_names(["model", "metric", "k"])
        means = dict(zip(users, _means(per_user.to_numpy(), seed), strict=True))
        rows = [row | means.get((row["model"], row["metric"], row["k"]), {}) for row in rows]
    table = pd.DataFrame(rows).reindex(columns=[*COLUMNS, *TIES] if ties else COLUMNS)
    if ties:
        _warn_of_tied_scores(table)
    return table, per_user


def check_asked(
    split: Split, metrics: Sequence[str] | str, k: Sequence[int] | int, sampled: int | None = None
) -> tuple[list[str], list[int]]:
    """Return the metrics and the lengths of the list, each once; to be called before anything is trained.

    Raises:
        InputError: an unknown metric, k or ``sampled`` out of range, or no event to be found that counts as relevant:
            its weight has to be above 0.
    """
    metrics = list(dict.fromkeys([metrics] if isinstance(metrics, str) else metrics))
    there = split.inputs.n_items
    lengths = sorted({how_many(n, there, "items") for n in (k if isinstance(k, Iterable) else [k])})
    for metric in metrics:
        if metric not in (*FROM_HITS, *LIST_METRICS):
            raise unknown("metric", metric, (*FROM_HITS, *LIST_METRICS))
    if sampled is not None and sampled >= there:
        raise InputError(f"sampled={sampled}: there are only {there} items")
    weights = split.targets.weights
    if not (weights > 0).any():
        seen = f"their weights are {weights.min():g} to {weights.max():g}" if len(weights) else "there are none"
        raise InputError(
            f"{split.targets.name!r}: an event counts as relevant where its weight is above 0, and of the "
            f"{len(weights):,} events to be found none is ({seen}): shift the weights, binarise(at_least=...) them, "
            "or leave their column out"
        )
    return metrics, lengths


def _means(values: np.ndarray, seed: int) -> list[dict[str, float]]:
    """Return the row of the table for each column of ``(users, columns)``."""
    without = np.isnan(values).sum(0).tolist()
    return [
        {"value": value, "ci_low": low, "ci_high": high, "users": len(values) - missing, "without": missing}
        for (value, low, high), missing in zip(bootstrap_intervals(values, seed=seed), without, strict=True)
    ]


def _warn_of_tied_scores(table: pd.DataFrame) -> None:
    """Warn of every model of which more than :data:`.lists.MANY_TIED` of the targets stand in ties that matter."""
    open_to_ties = (table["tied"] > MANY_TIED) & (table["best"] > table["worst"])
    for name, rows in table[open_to_ties].groupby("model", sort=False):
        row = max(rows.to_dict("records"), key=lambda row: row["best"] - row["worst"])
        warnings.warn(
            f"{name}: {row['tied']:.1%} of the targets have the score of other items, and the items' order decides: "
            f"{row['metric']}@{row['k']} is {row['value']:.4f}, {row['worst']:.4f} with targets last among their "
            f"equals, {row['best']:.4f} with targets first",
            TiedScores,
            stacklevel=4,
        )


def compare(
    per_user: pd.DataFrame, model: str, rivals: Sequence[str], metric: str = "ndcg", k: int = 20
) -> pd.DataFrame:
    """Compare one model with several rivals on the same users.

    Args:
        per_user: second table of :func:`evaluate_users`.
        model: name of the model.
        rivals: names of the others.
        metric: which metric.
        k: which length.

    Returns:
        Columns ``model, rival, metric, k, value, ci_low, ci_high, p, p_holm``: mean difference user by user, its
        bootstrap interval, the p-value of Wilcoxon's signed-rank test, and that with Holm's correction over the rivals.
    """
    from scipy.stats import wilcoxon  # here, because it is slow to import

    rows = []
    for rival in rivals:
        for name in (model, rival):
            if (name, metric, k) not in per_user.columns:
                raise InputError(f"no values for {(name, metric, k)}: evaluate that first")
        gain = (per_user[model, metric, k] - per_user[rival, metric, k]).dropna()
        value, low, high = bootstrap_interval(gain)
        p = float(wilcoxon(gain).pvalue) if gain.any() else 1.0
        rows.append(
            {
                "model": model,
                "rival": rival,
                "metric": metric,
                "k": k,
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "p": p,
            }
        )
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(table["p"]))


def holm(p: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    """Return p-values corrected for a family of tests: sorted, times n, n - 1, ..., never falling, at most 1.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    corrected = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    result = np.empty(len(p))
    result[order] = corrected
    return result
