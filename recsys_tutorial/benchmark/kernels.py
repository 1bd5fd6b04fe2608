"""Ranking and EASE against the arithmetic that they cannot do without, and what takes memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..baselines import EASE
from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..data.splits import Split, random_holdout
from ..data.synthetic import synthetic
from ..engine.sparse import binary_rows
from ..evaluation.evaluation import evaluate
from ..learning.pretraining import pretrain
from ..metrics.ranking import FROM_HITS
from ..system import machine
from .measure import seconds

_DIM, _K = 256, 100


class LowRank:
    """A model that costs what any pretrained one costs to score: sums of item vectors, then one matrix product."""

    def __init__(self, n_items: int, dim: int = _DIM, seed: int = 0) -> None:
        rng = torch.Generator().manual_seed(seed)
        self.inwards = torch.randn(n_items, dim, generator=rng)
        self.outwards = torch.randn(dim, n_items, generator=rng)

    def encode(self, batch: Batch) -> torch.Tensor:
        """Return ``(users, dim)``."""
        return torch.nn.functional.embedding_bag(batch.items, self.inwards, batch.offsets[:-1], mode="sum")

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return (self.encode(as_batch(behaviour)) @ self.outwards).numpy()


def ranking(split: Split, seed: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the evaluation with all ranking metrics, and the product and the topk of all users alone."""
    model, k = LowRank(split.inputs.n_items, seed=seed), min(_K, split.inputs.n_items)
    vectors = model.encode(Batch.of(split.inputs))

    def floor() -> None:
        for rows in vectors.split(256):
            (rows @ model.outwards).topk(k, dim=1)

    return lambda: evaluate(model, split, tuple(FROM_HITS), k=k, progress=False), floor


def ease(train: Interactions) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the fit of EASE, and the factorisation and the inverse in it alone."""
    x = binary_rows(Batch.of(train), train.n_items)
    gram = torch.from_numpy((x.T @ x).toarray()) + EASE().regularisation * torch.eye(train.n_items)
    return lambda: EASE().fit(train), lambda: torch.cholesky_inverse(torch.linalg.cholesky(gram))


def evaluate_many(users: int, items: int, seed: int = 0) -> None:
    """Evaluate a model of low rank on many users, and print the peak memory in MiB and the seconds."""
    split = random_holdout(synthetic(users, items, 20 * users, seed), seed=seed)
    model = LowRank(items, dim=64, seed=seed)
    k = min(_K, items)
    took = seconds(lambda: evaluate(model, split, tuple(FROM_HITS), k=k, progress=False))
    print(machine.peak_mb(), took)


def pretrain_once(objective: str, users: int, items: int, events: int, seed: int = 0) -> None:
    """Pretrain for one epoch, and print the peak memory in MiB and the seconds."""
    data = synthetic(users, items, events, seed)
    took = seconds(lambda: pretrain(objective, data, epochs=1, seed=seed, progress=False))
    print(machine.peak_mb(), took)
