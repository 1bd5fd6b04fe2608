"""Neighbours: an item is recommended for the items that the same users have."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.sparse import csr_array

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import binary_rows
from ..errors import check_sizes


class ItemKNN:
    """Sum of cosine similarities between a candidate and the user's items, over each item's nearest neighbours.

    Args:
        neighbours: how many of the most similar items are kept for each item.
        shrinkage: added to the denominator of the cosine, against neighbours that rest on a few users.

    Source: Sarwar et al. (2001), Item-based collaborative filtering; shrinkage: Bell and Koren (2007).
    """

    def __init__(self, neighbours: int = 100, shrinkage: float = 0.0) -> None:
        check_sizes(neighbours=neighbours)
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def fit(self, interactions: Interactions) -> Self:
        """Find the neighbours; which items, not how much."""
        x = binary_rows(as_batch(interactions), interactions.n_items)
        lengths = np.sqrt(x.sum(axis=0))
        together = (x.T @ x).tocsr()
        rows = _row_of_each(together)
        together.data /= lengths[rows] * lengths[together.indices] + self.shrinkage
        together.data[rows == together.indices] = 0  # an item is not its own neighbour
        together.eliminate_zeros()
        self.similarity = _strongest(together, self.neighbours)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``X S``, ``(users, items)``: column j of S holds the similarities of item j's neighbours to it."""
        return (binary_rows(as_batch(behaviour), self.similarity.shape[0]) @ self.similarity).toarray()


def _strongest(table: csr_array, k: int) -> csr_array:
    """Keep the ``k`` largest entries of each row, ties by the lower column, and return them as columns."""
    rows = _row_of_each(table)
    order = np.lexsort((table.indices, -table.data, rows))
    kept = order[np.arange(table.nnz) - table.indptr[rows] < k]
    return csr_array((table.data[kept], (table.indices[kept], rows[kept])), shape=table.shape)


def _row_of_each(table: csr_array) -> np.ndarray:
    """Return ``(nnz,)`` int32, the row of each stored entry: half the memory that NumPy would choose."""
    return np.repeat(np.arange(table.shape[0], dtype=np.int32), np.diff(table.indptr))
