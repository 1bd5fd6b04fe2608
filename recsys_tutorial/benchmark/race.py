"""The race: what a user would pick instead, on the same data, in the same run, on as many threads."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array, csr_matrix

from ..baselines import EASE, IALS, ItemKNN, Model, Popularity
from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..data.readers import read_interactions
from ..data.splits import Split, held_out_users
from ..engine.sparse import binary_rows
from ..evaluation.evaluation import evaluate
from .measure import ratio, record, seconds
from .peers import IALS_BUDGETS, PEERS, Irspack, peer, rows_of
from .quality import BUDGETS, budgeted, ndcg
from .serving import lists_over_implicit

K, SAME = 100, 1e-3  # the same sums in another order rank a few items otherwise
Fits = list[Callable[[], Model]]
_RECTOOLS = "RecTools 0.13 asks for NumPy below 2 and pandas below 3: it needs an environment of its own, not made yet"
_RECBOLE = "not tried: it needs an environment of its own, not made yet"
# Rows that no run has filled in yet, and why: a race that leaves out what it did not run would be won by it.
NOT_RUN = {
    ("ease", "rectools"): _RECTOOLS,
    ("denoising", "recbole"): _RECBOLE,
    ("next item", "rectools"): _RECTOOLS,
    ("next item", "recbole"): _RECBOLE,
    ("next item", "gsasrec"): "no package: code beside its article",
    ("recommend for all", "rectools"): _RECTOOLS,
    ("evaluate", "rectools"): _RECTOOLS,
    ("evaluate", "irspack"): "not written",
    ("ials", "implicit"): "ours is implicit's own fit",
    ("serve", "implicit"): "not written: the part serving holds it against its arithmetic",
}


def race(data: Interactions, against: tuple[str, ...], repetitions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a record ``race`` for every row and peer; one that was not run has no value, and says ``why``.

    ``value`` is our seconds over the peer's: for models the least in which ours reaches the best quality of the peer
    (NDCG@100 of users held out), over those that the peer took for it. Both sides run in turns.

    Args:
        data: binary behaviour.
        against: peers that are installed; pandas always is.
        repetitions: turns.
        seed: of the split and of the fits.
    """
    split = held_out_users(data, seed=seed)
    for (row, name), found in RACES.items():
        about = {"row": row, "peer": name, "data": data.name, "users": data.n_users, "items": data.n_items}
        if name != "pandas" and name not in against:
            yield _not_run(about, f"{name} was not named" if importlib.util.find_spec(name) else "not installed")
            continue
        yield found(split, repetitions, seed) | {"metric": "race"} | about
    for (row, name), why in NOT_RUN.items():
        yield _not_run({"row": row, "peer": name, "data": data.name}, why)


def _not_run(about: dict[str, Any], why: str) -> dict[str, Any]:
    return record("race", np.nan, np.nan, np.nan, 0) | {"why": why} | about


# ---- models: time to the peer's best quality ------------------------------------------------------------------------


def _to_quality(ours: Fits, theirs: Fits, split: Split, repetitions: int) -> dict[str, Any]:
    """Fit all in turns, once for nothing; the quality is that of the first turn."""
    fits, reached = [*ours, *theirs], []
    times: list[list[float]] = []
    for turn in range(repetitions + 1):
        times.append([])
        for fit in fits:
            found: list[Model] = []
            times[-1].append(seconds(lambda: found.append(fit())))  # noqa: B023
            if not turn:
                reached.append(ndcg(found[0], split))
    taken = np.array(times[1:])
    spent = np.median(taken, axis=0)
    best = max(range(len(ours), len(fits)), key=lambda n: (reached[n], -spent[n]))
    about = {"quality": max(reached[: len(ours)]), "peer_quality": reached[best], "floor_seconds": float(spent[best])}
    enough = [n for n in range(len(ours)) if reached[n] >= reached[best] - SAME]
    if not enough:
        return record("race", np.nan, np.nan, np.nan, repetitions) | about | {"why": "ours never reaches its quality"}
    first = min(enough, key=lambda n: spent[n])
    ratios = taken[:, first] / taken[:, best]
    told = record("race", median(ratios), ratios.min(), ratios.max(), repetitions)
    return told | about | {"seconds": float(spent[first])}


class _Similar:
    """A library's item-item similarities as one of our models."""

    def __init__(self, similarity: csr_matrix) -> None:
        self.similarity = csr_array(similarity)

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return (binary_rows(as_batch(behaviour), self.similarity.shape[0]) @ self.similarity).toarray()


def _knn_implicit(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    module, rows = peer("implicit"), rows_of(split.train)

    def theirs() -> _Similar:
        found = module.nearest_neighbours.CosineRecommender(K=K, num_threads=torch.get_num_threads())
        found.fit(rows, show_progress=False)
        return _Similar(found.similarity)

    return _to_quality([partial(ItemKNN(K).fit, split.train)], [theirs], split, repetitions)


def _knn_irspack(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    module, rows = peer("irspack"), rows_of(split.train)
    how = {"normalize": True, "top_k": K + 1, "n_threads": torch.get_num_threads()}
    fit: Callable[[], Model] = lambda: Irspack(module.CosineKNNRecommender(rows, 0.0, **how).learn())  # noqa: E731
    return _to_quality([partial(ItemKNN(K).fit, split.train)], [fit], split, repetitions)


def _irspack(model: str, split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold EASE, or iALS at its budgets, against irspack's at its own."""
    theirs = [fit for name, _, fit in PEERS["irspack"](split.train, seed) if name == f"irspack-{model}"]
    how = {"seed": seed, "threads": torch.get_num_threads()}
    ours: Fits = [partial(EASE().fit, split.train)] if model == "ease" else [
        partial(IALS(**budget, **how).fit, split.train) for budget in IALS_BUDGETS
    ]  # fmt: skip
    return _to_quality(ours, theirs, split, repetitions)


def _vaecf(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    theirs = [fit for _, _, fit in PEERS["cornac"](split.train, seed)]
    ours: Fits = [budgeted(split, "denoising", budget, seed)[2] for budget in BUDGETS["denoising"]]
    return _to_quality(ours, theirs, split, min(1, repetitions))


# ---- what is around models ------------------------------------------------------------------------------------------


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
        scores = model.score(split.inputs).copy()
        shown = Batch.of(split.inputs)
        scores[shown.rows.numpy(), shown.items.numpy()] = -np.inf
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


RACES: dict[tuple[str, str], Callable[[Split, int, int], dict[str, Any]]] = {
    ("item-kNN", "implicit"): _knn_implicit,
    ("item-kNN", "irspack"): _knn_irspack,
    ("ease", "irspack"): partial(_irspack, "ease"),
    ("ials", "irspack"): partial(_irspack, "ials"),
    ("recommend for all", "implicit"): _lists,
    ("evaluate", "ranx"): _ranx,
    ("read a log", "pandas"): partial(_reading, "pandas"),
    ("read a log", "polars"): partial(_reading, "polars"),
    ("denoising", "cornac"): _vaecf,  # the longest
}
