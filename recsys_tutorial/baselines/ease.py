"""A linear model of items on items, in closed form."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.sparse import hstack

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import binary_rows, inverse_by_rows, without_copying
from ..errors import InputError
from ..tasks import RankingTask


class EASE:
    r"""Embarrassingly shallow autoencoder: ``min ||X - X B||² + λ ||B||²`` with a zero diagonal of B.

    With ``P = (Xᵀ X + λ I)⁻¹`` the solution is ``B_ij = -P_ij / P_jj`` off the diagonal. It costs ``n_items³`` flops
    once, and ``n_items²`` floats: a catalogue of 20,000 takes 1.6 GB.

    Args:
        regularisation: λ; larger for more users.

    Source: Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data.
    """

    def __init__(self, regularisation: float = 250.0) -> None:
        if not regularisation > 0:
            raise InputError(f"regularisation={regularisation!r}: it needs to be above 0")
        self.regularisation = regularisation

    def fit(self, interactions: Interactions) -> Self:
        """Solve for B ``(items, items)``; which items, not how much."""
        x = binary_rows(as_batch(interactions), interactions.n_items)
        self.b = without_copying(x, self.regularisation).numpy()
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``X B``, ``(users, items)``."""
        return binary_rows(as_batch(behaviour), len(self.b)) @ self.b


class LabelledEASE:
    r"""EASE of the labelled users alone: a user's items and the wanted ones are one row, B explains each by the others.

    Where the task ranks other items than it shows, both stand side by side. With few users B is never laid out:
    ``(x B)_j = x_j - (x P)_j / P_jj`` with P as :func:`recsys_tutorial.engine.sparse.inverse_by_rows` has it.

    Args:
        candidates: λ's to choose among, by three-fold cross-validation inside the labelled users.
        seed: draws the folds.

    Source: Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data.
    """

    def __init__(self, candidates: tuple[float, ...] = (1.0, 10.0, 100.0), seed: int = 0) -> None:
        self.candidates, self.seed = candidates, seed

    def fit(self, task: RankingTask) -> Self:
        """Solve for the task's labelled users; InputError where the task ranks no items."""
        if task.outputs is None:
            raise InputError(f"EASE scores items: this task, {task.name}, ranks none")
        folds = np.random.default_rng(self.seed).permutation(len(task)) % min(3, len(task))
        found = dict.fromkeys(self.candidates, 0.0)
        for fold in np.unique(folds):
            inside, outside = task.take(np.flatnonzero(folds != fold)), task.take(np.flatnonzero(folds == fold))
            for strength in self.candidates:
                quality = outside.quality(self._solve(inside, strength).score(outside.behaviour))
                found[strength] += float(np.nansum(quality))
        return self._solve(task, max(found, key=lambda strength: found[strength]))

    def _solve(self, task: RankingTask, strength: float) -> Self:
        shown, wanted = binary_rows(as_batch(task.behaviour), task.behaviour.n_items), task.target_matrix()
        together = task.behaviour.catalogue.fingerprint == task.targets.catalogue.fingerprint
        x = ((shown + wanted) > 0).astype(np.float64) if together else hstack([shown, wanted], "csr").astype(np.float64)
        self.n_items, self.n_outputs, self.x = task.behaviour.n_items, task.n_outputs, x
        self.kx, self.diagonal = inverse_by_rows(x, np.full(x.shape[1], strength))
        self.strength = strength
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``."""
        rows = binary_rows(as_batch(behaviour), self.n_items).astype(np.float64)
        outputs = slice(self.x.shape[1] - self.n_outputs, None)
        own = rows.toarray() if self.x.shape[1] == self.n_items else 0.0
        along = (rows @ self.x[:, : self.n_items].T) @ self.kx[:, outputs]
        return own - (own - along) / self.strength / self.diagonal[outputs]
