"""Other libraries, fitted to the same data side by side."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix

from ..baselines import EASE, ItemKNN
from ..baselines.sparse import binary_rows
from ..batches import Batch, as_batch
from ..errors import InputError, unknown
from ..evaluation import evaluate
from ..interactions import Interactions
from ..pretraining import pretrain
from ..splits import Split, held_out_users
from .measure import ratio, record, seconds

# Fewer epochs than by default: what a tenth of the peer's time allows.
BRISK = {
    "denoising": {"epochs": 6, "dim": 512, "learning_rate": 3e-3},
    "variational": {"epochs": 10},
}
VAECF_EPOCHS = (20, 40, 80)  # each a fit of its own; the best counts


def peer(name: str) -> Any:
    """Return the module of a library to hold ours against; InputError where it is not known or not installed."""
    if name not in AGAINST:
        raise unknown("peer", name, AGAINST)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed: pip install 'recsys-tutorial[bench]'") from error


def _rows(train: Interactions) -> csr_matrix:
    return csr_matrix(binary_rows(Batch.of(train), train.n_items))


def _implicit(module: Any, train: Interactions, repetitions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Fit item-kNN both ways, on as many threads as implicit likes."""
    rows = _rows(train)

    def theirs() -> None:
        module.nearest_neighbours.CosineRecommender(K=100).fit(rows, show_progress=False)

    yield ratio("item_knn_over_implicit", lambda: ItemKNN(100).fit(train), theirs, repetitions)


def _irspack(module: Any, train: Interactions, repetitions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Fit EASE and item-kNN both ways."""
    rows, how = _rows(train), dict(normalize=True, top_k=101)

    def their_ease() -> None:
        module.DenseSLIMRecommender(rows, reg=250.0).learn()

    def their_knn() -> None:
        module.CosineKNNRecommender(rows, 0.0, **how).learn()

    yield ratio("ease_over_irspack", lambda: EASE().fit(train), their_ease, repetitions)
    yield ratio("item_knn_over_irspack", lambda: ItemKNN(100).fit(train), their_knn, repetitions)


def _cornac(module: Any, train: Interactions, repetitions: int, seed: int) -> Iterator[dict[str, Any]]:
    """Hold NDCG@100 for held-out users, and the seconds of the fit, against Cornac's VAECF at its best epoch."""
    split = held_out_users(train, seed=seed)
    best, spent = max(_vaecf(split, epochs, seed) for epochs in VAECF_EPOCHS)
    about = {"vaecf_ndcg": best, "vaecf_seconds": spent}
    for name, how in BRISK.items():
        found = {}
        took = seconds(lambda: found.update(f=pretrain(name, split.train, seed=seed, progress=False, **how)))  # noqa: B023
        ours = _ndcg(found["f"], split)
        yield record(f"vaecf_ndcg_over_{name}", *[best / ours] * 3, 1) | about | {"ndcg": ours, **how}
        yield record(f"seconds_over_vaecf_{name}", *[took / spent] * 3, 1) | about | {"seconds": took, **how}


def _ndcg(model: Any, split: Split) -> float:
    return float(evaluate(model, split, ["ndcg"], min(100, split.inputs.n_items), progress=False)["value"].iloc[0])


def _vaecf(split: Split, epochs: int, seed: int) -> tuple[float, float]:
    """Return NDCG@100 and the seconds of a fit of the published shape, 600-200 with tanh."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from cornac.data import Dataset
        from cornac.models import VAECF

    train = split.train
    users = np.repeat(np.arange(train.n_users), train.events_per_user)
    triples = (users, train.items.astype(np.int64), np.ones(len(users)))
    names = ({n: n for n in range(train.n_users)}, {n: n for n in range(train.n_items)})
    data = Dataset(train.n_users, train.n_items, *names, triples, seed=seed)
    theirs = VAECF(k=200, autoencoder_structure=[600], act_fn="tanh", n_epochs=epochs, seed=seed)
    took = seconds(lambda: theirs.fit(data))
    return _ndcg(_Cornac(theirs.vae, train.n_items), split), took


class _Cornac:
    """Cornac's network as one of our models: users it has never seen are encoded from what is shown of them."""

    def __init__(self, vae: Any, n_items: int) -> None:
        self.vae, self.n_items = vae, n_items

    @torch.no_grad()
    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return self.vae.decode(self.vae.encode(as_batch(behaviour).binary().dense(self.n_items))[0]).numpy()


AGAINST: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {
    "cornac": _cornac, "implicit": _implicit, "irspack": _irspack,
}  # fmt: skip
