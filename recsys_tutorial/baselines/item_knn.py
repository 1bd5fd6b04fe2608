"""Neighbours: an item is recommended for the items that the same users have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_array

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import add_product, binary_rows, sparse_product
from ..errors import check_sizes
from ..metrics.ranking import top_k

BLOCK = 2**22  # counts held at once, 16 MB: many items a block, and it stays in a large cache
FULL = 0.3  # pairs for each place of a table, from which it is faster to lay it out whole


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
        """Find the neighbours; which items, not how much.

        Items are taken in blocks, so that what is held at once is bounded, whatever the catalogue: where many others
        share a user with a block's items, their counts are laid out whole, else only those that are not 0 are.
        """
        x = binary_rows(as_batch(interactions), interactions.n_items)
        by_item, lengths = x.T.tocsr(), torch.from_numpy(np.sqrt(x.sum(axis=0)))
        pairs = by_item @ np.diff(x.indptr).astype(np.float32)  # of events by one user: what an item's row takes
        found = []
        for items in _blocks(pairs, x.shape[1]):
            full = pairs[items].sum() > FULL * len(items) * x.shape[1]
            counts, others = (_whole if full else _packed)(by_item[items], x)
            similarity = counts / (lengths[items, None] * lengths[others] + self.shrinkage)
            similarity[(counts == 0) | (others == torch.from_numpy(items)[:, None])] = -torch.inf  # itself, strangers
            nearest = torch.from_numpy(top_k(similarity, min(self.neighbours, similarity.shape[1])))
            row, place = (nearest >= 0).nonzero(as_tuple=True)
            column = nearest[row, place]
            other = others.expand(len(items), -1)[row, column]
            found.append((similarity[row, column].numpy(), other.numpy(), items[row.numpy()]))
        values, neighbour, item = (np.concatenate(parts) for parts in zip(*found, strict=True))
        self.similarity = csr_array((values, (neighbour, item)), shape=(x.shape[1],) * 2)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``X S``, ``(users, items)``: column j of S holds the similarities of item j's neighbours to it."""
        x = binary_rows(as_batch(behaviour), self.similarity.shape[0])
        return add_product(torch.zeros(x.shape), x, self.similarity).numpy()


def _blocks(pairs: np.ndarray, n_items: int) -> Iterator[np.ndarray]:
    """Yield the items in blocks of at most :data:`BLOCK` counts, those of equally many pairs together."""
    order = np.argsort(pairs, kind="stable")
    block = np.minimum(pairs[order], n_items).cumsum(dtype=np.float64) // BLOCK
    yield from np.split(order, np.flatnonzero(np.diff(block)) + 1)


def _whole(rows: csr_array, x: csr_array) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the users in common ``(rows, items)``, and ``(1, items)`` which items these columns are."""
    return add_product(torch.zeros(rows.shape[0], x.shape[1]), rows, x), torch.arange(x.shape[1])[None]


def _packed(rows: csr_array, x: csr_array) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the users in common ``(rows, most)``, those that are not 0 side by side, and which items they are.

    Items rise along a row; what is left of it holds 0.
    """
    table = sparse_product(rows, x)
    filled = np.diff(table.indptr)
    held = torch.from_numpy(np.arange(filled.max(initial=1)) < filled[:, None])
    counts = torch.zeros(held.shape).masked_scatter_(held, torch.from_numpy(table.data))
    others = torch.zeros(held.shape, dtype=torch.int64).masked_scatter_(held, torch.from_numpy(table.indices).long())
    return counts, others
