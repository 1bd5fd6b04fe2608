"""Rows of the race around the models: lists, one person's answer, measures, reading a log."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_matrix

from ..baselines import Popularity
from ..data.batches import Batch
from ..data.readers import read_interactions
from ..data.splits import Split
from ..evaluation.evaluation import evaluate
from ..metrics.ranking import from_hits, hits_at_k, top_k
from ..serving.recommend import Recommender
from .measure import ratio
from .peers import peer, rows_of
from .serving import lists_over_implicit, untrained

K, _PEOPLE, _TIMES = 100, 100, 5


def _lists(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    return lists_over_implicit(split.train, 64, repetitions, seed)


def _ranx(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold NDCG and recall of everyone's scores, from the scores on, against ranx behind NumPy's argpartition."""
    module, model, k = peer("ranx"), Popularity().fit(split.train), min(K, split.inputs.n_items)
    wanted = {
        str(user): {str(item): 1 for item in items}
        for user, items in enumerate(np.split(split.targets.items, split.targets.offsets[1:-1])) if len(items)
    }  # fmt: skip

    def theirs() -> dict[str, float]:
        scores = _unseen(model, split)
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        kept = np.take_along_axis(scores, best, 1)
        run = {
            user: dict(zip(map(str, best[int(user)].tolist()), kept[int(user)].tolist(), strict=True))
            for user in wanted
        }
        return module.evaluate(module.Qrels(wanted), module.Run(run), [f"ndcg@{k}", f"recall@{k}"])

    def ours() -> None:
        evaluate(model, split, ("ndcg", "recall"), k, progress=False)

    return ratio("race", ours, theirs, repetitions)


def _reading(name: str, split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold a log to codes, by user and time, each pair once, against the same in the library."""
    data = split.train
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        users = np.repeat(data.user_ids, data.events_per_user)
        times = np.random.default_rng(seed).permutation(data.n_events)
        order = np.random.default_rng(seed + 1).permutation(data.n_events)
        columns = {"user": users[order], "item": data.item_ids[data.items][order], "timestamp": times[order]}
        pd.DataFrame(columns).to_csv(path, index=False)
        read = {"pandas": _by_pandas, "polars": _by_polars}[name]
        np.testing.assert_array_equal(read_interactions(path).events_per_user, read(path))
        return ratio("race", lambda: read_interactions(path), lambda: read(path), repetitions)


def _by_pandas(path: Path) -> np.ndarray:
    log = pd.read_csv(path)
    for column in ("user", "item"):
        log[f"{column}_code"] = np.unique(log[column], return_inverse=True)[1]
    log = log.sort_values(["user_code", "timestamp"], kind="stable").drop_duplicates(["user_code", "item_code"])
    return log.groupby("user_code").size().to_numpy()


def _by_polars(path: Path) -> np.ndarray:
    pl = peer("polars")
    log = pl.read_csv(path)
    for column in ("user", "item"):
        log = log.with_columns(pl.col(column).rank("dense").alias(f"{column}_code"))
    log = log.sort(["user_code", "timestamp"], maintain_order=True).unique(["user_code", "item_code"], keep="first")
    return log.group_by("user_code").len().sort("user_code")["len"].to_numpy()


def _serve(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold a list for one person after another against implicit's of as many factors: from raw ids to a table."""
    data, dim, asked = split.train, 64, split.inputs
    model = untrained(data, dim, seed)
    theirs = peer("implicit").cpu.als.AlternatingLeastSquares(factors=dim, num_threads=1)
    theirs.user_factors, theirs.item_factors = model.encode(data), model.classifier.weight.detach().numpy()
    people = range(min(_PEOPLE, asked.n_users))
    likes = [data.item_ids[asked.items[slice(*asked.offsets[n : n + 2])]].tolist() for n in people] * _TIMES
    recommender, codes = Recommender(model), {raw: code for code, raw in enumerate(data.item_ids.tolist())}
    titles, ranks = np.array(data.titles or data.item_ids, object), np.arange(1, 11)

    def ours() -> None:
        for liked in likes:
            recommender.recommend(liked, k=10)

    def them() -> None:
        for liked in likes:
            row = csr_matrix((np.ones(len(liked)), [codes[raw] for raw in liked], [0, len(liked)]), (1, data.n_items))
            items, scores = theirs.recommend(0, row, N=10, recalculate_user=True)
            pd.DataFrame({"rank": ranks, "item": data.item_ids[items], "title": titles[items], "score": scores})

    return ratio("race", ours, them, repetitions) | {"people": len(people), "dim": dim}


def measures(
    split: Split, repetitions: int, theirs: Callable[[np.ndarray, int], Callable[[], object]]
) -> dict[str, Any]:
    """Hold the means of NDCG and recall, from the scores on, against what ``theirs`` makes of the scores and k.

    ``with_intervals`` is the ratio of :func:`evaluate` as it is called: it asks the model for the scores, refuses what
    is not finite, and draws 2,000 samples of the users for its intervals, which no other library here does.
    """
    model, k = Popularity().fit(split.train), min(K, split.inputs.n_items)
    scores = _unseen(model, split)
    run = theirs(scores, k)
    whole = ratio("race", lambda: evaluate(model, split, ("ndcg", "recall"), k, progress=False), run, repetitions)
    same = ratio("race", lambda: means(scores, split, k), run, repetitions)
    return same | {"with_intervals": whole["value"]}


def means(scores: np.ndarray, split: Split, k: int) -> list[float]:
    """Return the mean NDCG and recall at k of ``(users, items)`` scores that are the lowest for what was shown."""
    hits, n_relevant = hits_at_k(top_k(scores, k), split.targets.matrix)
    return [float(np.nanmean(from_hits(metric, hits, n_relevant))) for metric in ("ndcg", "recall")]


def _unseen(model: Popularity, split: Split) -> np.ndarray:
    """Return the scores of the split's users, lowest for what they had."""
    return Batch.of(split.inputs).without_seen(model.score(split.inputs).copy())


def _irspack(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold NDCG and recall of everyone's scores against irspack's, from the scores on."""
    from importlib import import_module

    evaluator = import_module("irspack.evaluation").Evaluator
    how = {"masked_interactions": rows_of(split.inputs), "n_threads": torch.get_num_threads()}

    def theirs(scores: np.ndarray, k: int) -> Callable[[], object]:
        judge = evaluator(csr_matrix(rows_of(split.targets), dtype=float), cutoff=k, **how)
        return lambda: judge.get_score_from_score_matrix(scores)

    return measures(split, repetitions, theirs)


AROUND: dict[tuple[str, str], Callable[[Split, int, int], dict[str, Any]]] = {
    ("recommend for all", "implicit"): _lists,
    ("serve", "implicit"): _serve,
    ("evaluate", "ranx"): _ranx,
    ("evaluate", "irspack"): _irspack,
    ("read a log", "pandas"): partial(_reading, "pandas"),
    ("read a log", "polars"): partial(_reading, "polars"),
}
