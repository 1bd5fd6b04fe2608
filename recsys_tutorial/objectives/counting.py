"""counting: item vectors from how often items meet in a history, by counting and one decomposition."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from scipy.sparse import csr_array, diags_array
from torch import Tensor
from torch.nn import functional as F

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..engine.sparse import binary_rows, leading_directions, products
from ..errors import InputError
from .base import Objective, Recipe

_MEETINGS = 10**8  # pairs of events that :func:`counted_vectors` counts at most
SMOOTHING = 0.75  # power of an item's count as a context: rare items else meet all by surprise


class Counting(Objective):
    r"""Place an item by the company it keeps: pointwise mutual information, and its singular vectors.

    ``M_ij = max(0, log (n_ij n / (n_i m_j)))`` with n_ij how often i and j meet in one history, each meeting counting
    1 / (length of the history - 1), so that every event counts as much; n_i its sums, n their sum, and m_j
    proportional to ``n_j^0.75``. With ``M ≈ U S Uᵀ`` an item's vector is its row of ``U √S``: what item2vec comes near
    to by many small steps (Levy and Goldberg 2014). g adds up the vectors of a user's items, divided by the root of
    their number.

    Args:
        encoder: ``g``: a linear :class:`BagEncoder` without hidden layers.

    Source: Levy and Goldberg (2014); smoothing and the root of S: Levy, Goldberg and Dagan (2015).
    """

    name = "counting"
    recipe = Recipe(dim=128)
    closed_form = True

    encoder: BagEncoder

    def __init__(self, encoder: BagEncoder) -> None:
        super().__init__(encoder)
        if len(encoder.layers) > 1 or encoder.config["output_activation"] != "identity":
            raise InputError("counting needs a BagEncoder without hidden layers, with activation='identity'")

    @classmethod
    def default_dim(cls, interactions: Interactions) -> int:
        """Return what the recipe says, and no more than there are items."""
        return min(super().default_dim(interactions), interactions.n_items)

    @classmethod
    def build(cls, interactions: Interactions, dim: int, **options: Any) -> Self:
        """Return it for these items."""
        if dim > interactions.n_items:
            raise InputError(f"dim={dim}: {interactions.n_items} items have at most as many directions")
        return cls(BagEncoder(interactions.n_items, dim, activation="identity"), **options)

    def solve(self, interactions: Interactions, seed: int) -> None:
        """Fill the item vectors."""
        met = mutual_information(binary_rows(as_batch(interactions), interactions.n_items))
        vectors = _half(met, self.encoder.dim, seed)
        with torch.no_grad():
            self.encoder.item_vectors.copy_(vectors)
            self.encoder.bias.zero_()

    def loss(self, batch: Batch) -> Tensor:
        """Return 1 minus the mean cosine of g's vector with those of the user's items: reported, never minimised."""
        z, vectors = F.normalize(self.encoder(batch), dim=1), F.normalize(self.encoder.item_vectors[batch.items], dim=1)
        return 1 - (z[batch.rows] * vectors).sum() / max(1, len(batch.items))


def counted_vectors(interactions: Interactions, dim: int, newest: int, seed: int) -> Tensor:
    """Return ``(n_items, dim)``: where :class:`Counting` puts the items, each of length 1; zeros where one meets none.

    Args:
        interactions: what is counted.
        dim: length of a vector; numbers beyond the number of items are 0.
        newest: events of a user that are counted at most.
        seed: of the decomposition.
    """
    some = _countable(interactions, newest)
    counted = Counting.build(some, min(dim, some.n_items))
    counted.solve(some, seed)
    vectors = F.pad(counted.encoder.item_vectors.detach(), (0, dim - counted.encoder.dim))
    return torch.where(vectors.norm(dim=1, keepdim=True) > 1e-6, F.normalize(vectors, dim=1), 0.0)


def _countable(interactions: Interactions, newest: int) -> Interactions:
    """Return each user's newest events, of the first users, as many as have few enough pairs of events to count."""
    pairs = np.minimum(interactions.events_per_user, newest).astype(np.int64) ** 2
    users = int(np.searchsorted(pairs.cumsum(), _MEETINGS, side="right"))
    some = interactions if users == len(pairs) else interactions.take_users(np.arange(max(1, users)))
    back = np.repeat(some.offsets[1:], some.events_per_user) - np.arange(some.n_events)
    return some.keep_events(back <= newest)


def mutual_information(x: csr_array) -> csr_array:
    """Return M ``(items, items)``, sparse and positive, of the rows of ones x ``(users, items)``."""
    lengths = np.diff(x.indptr)
    met = (x.T @ (diags_array(1 / np.maximum(lengths - 1, 1)) @ x)).tocoo()
    apart = met.row != met.col
    row, column, n = met.row[apart], met.col[apart], met.data[apart].astype(np.float64)
    counts = np.bincount(row, n, minlength=x.shape[1])
    contexts = counts**SMOOTHING
    surprise = np.log(n / (counts[row] * contexts[column] / max(contexts.sum(), 1e-12)))
    kept = surprise > 0
    return csr_array((surprise[kept].astype(np.float32), (row[kept], column[kept])), shape=met.shape)


def _half(met: csr_array, dim: int, seed: int) -> Tensor:
    """Return ``U √S`` ``(items, dim)``."""
    forth, back = products(met), products(met.T.tocsr())
    u = leading_directions(lambda v: forth(back(v)), met.shape[0], dim, seed)
    return u * torch.linalg.vector_norm(back(u), dim=0).sqrt()
