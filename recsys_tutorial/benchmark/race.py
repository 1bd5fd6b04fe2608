"""The race: what a user would pick instead, on the same data, in the same run, on as many threads."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, csr_matrix

from ..baselines import EASE, IALS, ItemKNN, Model
from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..data.splits import Split, held_out_users
from ..engine.sparse import binary_rows
from ..errors import InputError
from .apart import LIBRARIES, RACES_APART
from .around import AROUND, K
from .measure import record
from .peers import IALS_BUDGETS, PEERS, Irspack, peer, rows_of
from .quality import BUDGETS, Fits, budgeted, to_quality

# Rows that no run fills in, and why: a race that leaves out what it did not run would be won by it.
_ORDER = (
    "item-kNN", "ease", "ials", "denoising", "next item", "recommend for all", "serve", "evaluate", "read a log",
)  # fmt: skip
NOT_RUN = {("ials", "implicit"): "ours is implicit's own fit"}


def race(
    data: Interactions,
    against: tuple[str, ...],
    repetitions: int,
    seed: int,
    apart: Mapping[str, Sequence[str]] | None = None,
    only: Callable[[tuple[str, str]], bool] = lambda row: True,
) -> Iterator[dict[str, Any]]:
    """Yield a record ``race`` for every row and peer; one that was not run has no value, and says ``why``.

    ``value`` is our seconds over the peer's: for models the least in which ours reaches the best quality of the peer
    (NDCG@100 of users held out), over those that the peer took for it. Both sides run in turns.

    Args:
        data: binary behaviour.
        against: peers that are installed; pandas always is.
        repetitions: turns.
        seed: of the split and of the fits.
        apart: peers that answer from an environment of their own: the command that starts each, or, where it could not
            be made, one word that says why.
        only: which rows, by name and peer.
    """
    split = held_out_users(data, seed=seed)
    for row in filter(only, ROWS):
        about = {"row": row[0], "peer": row[1], "data": data.name, "users": data.n_users, "items": data.n_items}
        yield _run(row, split, data, against, apart or {}, repetitions, seed) | about


def _run(
    row: tuple[str, str],
    split: Split,
    data: Interactions,
    against: tuple[str, ...],
    apart: Mapping[str, Sequence[str]],
    repetitions: int,
    seed: int,
) -> dict[str, Any]:
    name = row[1]
    if row in NOT_RUN:
        return _not_run(NOT_RUN[row])
    if row in RACES_APART:
        command = apart.get(LIBRARIES.get(name, name), "no environment was made for it")
        if isinstance(command, str):
            return _not_run(command)
        try:
            return RACES_APART[row](command, data, repetitions, seed)
        except InputError as error:
            return _not_run(str(error))
    if name != "pandas" and name not in against:
        return _not_run(f"{name} was not named" if importlib.util.find_spec(name) else "not installed")
    return RACES[row](split, repetitions, seed) | {"metric": "race"}


def _not_run(why: str) -> dict[str, Any]:
    return record("race", np.nan, np.nan, np.nan, 0) | {"why": why}


# ---- models: time to the peer's best quality ------------------------------------------------------------------------


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

    return to_quality([partial(ItemKNN(K).fit, split.train)], [theirs], split, repetitions)


def _knn_irspack(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    module, rows = peer("irspack"), rows_of(split.train)
    how = {"normalize": True, "top_k": K + 1, "n_threads": torch.get_num_threads()}
    fit: Callable[[], Model] = lambda: Irspack(module.CosineKNNRecommender(rows, 0.0, **how).learn())  # noqa: E731
    return to_quality([partial(ItemKNN(K).fit, split.train)], [fit], split, repetitions)


def _irspack(model: str, split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold EASE, or iALS at its budgets, against irspack's at its own."""
    theirs = [fit for name, _, fit in PEERS["irspack"](split.train, seed) if name == f"irspack-{model}"]
    how = {"seed": seed, "threads": torch.get_num_threads()}
    ours: Fits = [partial(EASE().fit, split.train)] if model == "ease" else [
        partial(IALS(**budget, **how).fit, split.train) for budget in IALS_BUDGETS
    ]  # fmt: skip
    return to_quality(ours, theirs, split, repetitions)


def _vaecf(split: Split, repetitions: int, seed: int) -> dict[str, Any]:
    theirs = [fit for _, _, fit in PEERS["cornac"](split.train, seed)]
    ours: Fits = [budgeted(split, "denoising", budget, seed)[2] for budget in BUDGETS["denoising"]]
    return to_quality(ours, theirs, split, min(1, repetitions), warm=False, clock=time.process_time)


RACES: dict[tuple[str, str], Callable[[Split, int, int], dict[str, Any]]] = {
    ("item-kNN", "implicit"): _knn_implicit,
    ("item-kNN", "irspack"): _knn_irspack,
    ("ease", "irspack"): partial(_irspack, "ease"),
    ("ials", "irspack"): partial(_irspack, "ials"),
    ("denoising", "cornac"): _vaecf,
    **AROUND,
}
ROWS = sorted((*RACES, *RACES_APART, *NOT_RUN), key=lambda row: _ORDER.index(row[0]))
