"""linear: a linear autoencoder that may not copy, in closed form. EASE of everybody is a pretrained model."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..engine.losses import squared_loss
from ..engine.sparse import binary_rows, leading_directions, products, times_without_copying, without_copying
from ..errors import InputError, check_shares
from .base import Objective


class Linear(Objective):
    r"""Give back every item from the user's other items, linearly: ``min ||X - X B||² + Σ_j λ_j ||B_j||²``, B_jj = 0.

    Solved, not trained (:func:`recsys_tutorial.engine.sparse.without_copying`). At full rank ``g(x) = x B`` and h gives
    it on as it is: f scores as :class:`recsys_tutorial.EASE` does. With a ``dim`` below the number of items,
    ``g(x) = x B V`` and ``h(z) = V z``, V the leading directions of ``X B``: no other map of that rank is nearer to B
    on these users (reduced-rank regression, Izenman 1975).

    Args:
        encoder: ``g``: a linear :class:`BagEncoder` without hidden layers.
        regularisation: λ.
        dropout: p, the share of a user's items that is hidden in expectation: λ_j = λ + p / (1 - p) · (times that item
            j occurs), which keeps common items from explaining themselves (EDLAE).

    Source: Steck (2019), EASE; Steck (2020), Autoencoders that don't overfit towards the identity; Izenman (1975).
    """

    name = "linear"
    closed_form = True

    encoder: BagEncoder

    def __init__(self, encoder: BagEncoder, regularisation: float = 250.0, dropout: float = 0.0) -> None:
        super().__init__(encoder)
        if not regularisation > 0:
            raise InputError(f"regularisation={regularisation!r}: it needs to be above 0")
        check_shares(dropout=dropout)
        if len(encoder.layers) > 1 or encoder.config["output_activation"] != "identity":
            raise InputError("linear pretraining needs a BagEncoder without hidden layers, with activation='identity'")
        self.regularisation, self.dropout = regularisation, dropout
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    @classmethod
    def default_dim(cls, interactions: Interactions) -> int:
        """Return the number of items: full rank."""
        return interactions.n_items

    @classmethod
    def build(cls, interactions: Interactions, dim: int, normalise: bool = False, **options: Any) -> Self:
        """Return it for these items; ``normalise`` divides a user's items by their Euclidean length in g."""
        if dim > interactions.n_items:
            raise InputError(f"dim={dim}: {interactions.n_items} items have at most as many directions")
        g = BagEncoder(interactions.n_items, dim, activation="identity", normalise=normalise)
        return cls(g, **options)

    def solve(self, interactions: Interactions, seed: int) -> None:
        """Fill g and the decoder; which items, not how much."""
        x = binary_rows(as_batch(interactions), interactions.n_items)
        how = self.regularisation, self.dropout
        if self.encoder.dim == interactions.n_items:
            b, v = without_copying(x, *how), torch.eye(interactions.n_items)
        else:
            (times_b, times_b_t), forth, back = times_without_copying(x, *how), products(x), products(x.T.tocsr())
            v = leading_directions(
                lambda v: times_b_t(back(forth(times_b(v)))), interactions.n_items, self.encoder.dim, seed
            )  # fmt: skip
            b = times_b(v)
        with torch.no_grad():
            self.encoder.item_vectors.copy_(b)
            self.decoder.weight.copy_(v)
            for bias in (self.encoder.bias, self.decoder.bias):
                bias.zero_()

    @classmethod
    def bytes_to_solve(cls, interactions: Interactions) -> int:
        """Return what B takes, and the factor of the Gram matrix beside it."""
        return 2 * 4 * interactions.n_items**2

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over users of ``||x - f(x)||²``: what is solved for, without the ridge."""
        return squared_loss(self.decoder(self.encoder(batch)), batch.binary())

    def head(self) -> nn.Linear:
        """Return the decoder: it scores every item."""
        return self.decoder
