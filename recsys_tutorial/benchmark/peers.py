"""Other libraries, fitted to the same data side by side."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix

from ..baselines import EASE, IALS, ItemKNN
from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import binary_rows
from ..errors import InputError, unknown
from .measure import ratio

VAECF_EPOCHS = (10, 20, 40, 80)  # each a fit of its own, as for our budgets
IALS_BUDGETS: tuple[dict[str, Any], ...] = (
    {"factors": 32, "iterations": 5}, {"factors": 64, "iterations": 15},
    {"factors": 128, "iterations": 6, "alpha": 3.0},  # where many have much
)  # fmt: skip
IRSPACK_BUDGETS = ({"n_components": 32, "train_epochs": 5}, {"n_components": 128, "train_epochs": 16})
Fit = tuple[str, dict[str, Any], Callable[[], Any]]  # what it is called, with which settings, and its training


def peer(name: str) -> Any:
    """Return the module of a library to hold ours against; InputError where it is not known or not installed."""
    if name not in PEERS:
        raise unknown("peer", name, PEERS)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed: pip install 'recsys-tutorial[bench]'") from error


def rows_of(train: Interactions) -> csr_matrix:
    """Return who has what, as these libraries take it."""
    return csr_matrix(binary_rows(Batch.of(train), train.n_items))


# ---- the same closed forms, as ratios of time ----------------------------------------------------------------


def closed_forms(name: str, train: Interactions, repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield how long our EASE and item-kNN take over those of a library that has them."""
    module = peer(name)
    rows, ours = rows_of(train), {"item_knn": lambda: ItemKNN(100).fit(train), "ease": lambda: EASE().fit(train)}
    theirs: dict[str, Callable[[], object]] = {}
    if name == "implicit":
        theirs["item_knn"] = lambda: module.nearest_neighbours.CosineRecommender(K=100).fit(rows, show_progress=False)
    if name == "irspack":
        theirs["ease"] = lambda: module.DenseSLIMRecommender(rows, reg=250.0).learn()
        theirs["item_knn"] = lambda: module.CosineKNNRecommender(rows, 0.0, normalize=True, top_k=101).learn()
    for model, fit in theirs.items():
        yield ratio(f"{model}_over_{name}", ours[model], fit, repetitions)


# ---- trainings, for quality against seconds -------------------------------------------------------------------


def _implicit(train: Interactions, seed: int) -> Iterator[Fit]:
    """Yield iALS of the library implicit, on all threads."""
    for budget in IALS_BUDGETS:
        how = budget | {"threads": torch.get_num_threads()}
        yield "ials", budget, partial(IALS(seed=seed, **how).fit, train)


def _irspack(train: Interactions, seed: int) -> Iterator[Fit]:
    """Yield irspack's EASE, and its iALS as revisited by Rendle et al. (2022)."""
    module, rows = peer("irspack"), rows_of(train)
    yield "irspack-ease", {}, lambda: Irspack(module.DenseSLIMRecommender(rows, reg=250.0).learn())
    for budget in IRSPACK_BUDGETS:
        how = budget | {"alpha0": 0.1, "reg": 0.003, "random_seed": seed, "n_threads": torch.get_num_threads()}
        yield "irspack-ials", budget, partial(lambda how: Irspack(module.IALSRecommender(rows, **how).learn()), how)


def _cornac(train: Interactions, seed: int) -> Iterator[Fit]:
    """Yield Cornac's VAECF of the published shape, 600-200 with tanh."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cornac.data import Dataset
        from cornac.models import VAECF

    users = np.repeat(np.arange(train.n_users), train.events_per_user)
    triples = (users, train.items.astype(np.int64), np.ones(len(users)))
    names = ({n: n for n in range(train.n_users)}, {n: n for n in range(train.n_items)})
    data = Dataset(train.n_users, train.n_items, *names, triples, seed=seed)

    def fit(epochs: int) -> _Cornac:
        theirs = VAECF(k=200, autoencoder_structure=[600], act_fn="tanh", n_epochs=epochs, seed=seed)
        theirs.fit(data)
        return _Cornac(theirs.vae, train.n_items)

    for epochs in VAECF_EPOCHS:
        yield "vaecf", {"epochs": epochs}, partial(fit, epochs)


class _Cornac:
    """Cornac's network as one of our models: users it has never seen are encoded from what is shown of them."""

    def __init__(self, vae: Any, n_items: int) -> None:
        self.vae, self.n_items = vae, n_items

    @torch.no_grad()
    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return self.vae.decode(self.vae.encode(as_batch(behaviour).binary().dense(self.n_items))[0]).numpy()


class Irspack:
    """One of irspack's recommenders as one of our models."""

    def __init__(self, theirs: Any) -> None:
        self.theirs = theirs

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return self.theirs.get_score_cold_user(csr_matrix(binary_rows(as_batch(behaviour), self.theirs.n_items)))


PEERS: dict[str, Callable[[Interactions, int], Iterator[Fit]]] = {
    "cornac": _cornac, "implicit": _implicit, "irspack": _irspack,
    "polars": lambda train, seed: iter(()), "ranx": lambda train, seed: iter(()),  # these train nothing
}  # fmt: skip
