"""A linear model of items on items, in closed form."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import binary_rows, without_copying
from ..errors import InputError


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
