"""Variational autoencoder: a user is a cloud of vectors, and every point of the cloud has to explain the user."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import Encoder
from ..engine.heads import linear_head
from ..engine.processes import shared_count
from ..errors import InputError, check_shares
from .base import Objective, Recipe
from .decoder import Decoder


class Variational(Objective):
    r"""Multinomial variational autoencoder (Mult-VAE), annealed.

    ``loss = -Σ_j x_j log softmax(decoder(z))_j + β KL(N(μ, σ²) || N(0, I))`` with ``z = μ + σ ε``, ``ε ~ N(0, I)``,
    ``μ = mean(g(x))`` and ``log σ² = log_variance(g(x))``; β rises from 0 to its full value over the first epochs. As
    in :class:`~recsys_tutorial.objectives.Denoising` part of x is hidden, and only what is hidden has to be explained.

    Args:
        encoder: ``g``.
        dropout: share of a user's events that is hidden from ``g``.
        beta: β in the end; below 1, for 1 smooths too much.
        anneal: users that are seen until then.

    Source: Kingma and Welling (2014); Liang et al. (2018), sections 2.2 and 2.3.
    """

    name = "variational"
    users_seen: Tensor
    recipe = Recipe(epochs=20, batch_size=64, learning_rate=1e-2)

    def __init__(self, encoder: Encoder, dropout: float = 0.35, beta: float = 0.2, anneal: int = 10_000) -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        if beta < 0:
            raise InputError(f"beta={beta!r}: it needs to be at least 0")
        self.dropout, self.beta, self.anneal = dropout, beta, anneal
        self.mean, self.log_variance = nn.Linear(encoder.dim, encoder.dim), nn.Linear(encoder.dim, encoder.dim)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.constant_(self.log_variance.bias, -2.0)  # a small cloud, or nothing gets through it at first
        self.decoder = Decoder(encoder.dim, encoder.n_items)
        self.register_buffer("users_seen", torch.zeros((), dtype=torch.int64))  # a resumed training anneals on

    @classmethod
    def build(cls, interactions: Interactions, dim: int, **options: Any) -> Self:
        """Anneal over the first 10 epochs."""
        return super().build(interactions, dim, **{"anneal": 10 * max(1, interactions.n_users)} | options)

    def loss(self, batch: Batch) -> Tensor:
        """Return the negative evidence lower bound, averaged over users."""
        shown, hidden = batch.hide(self.dropout)
        vectors = self.encoder(shown)
        mean, log_variance = self.mean(vectors), self.log_variance(vectors)
        z = mean
        if self.training:
            noise = batch.draw_per_user(mean.shape[1], draw=torch.randn).to(mean.device)
            z = mean + (0.5 * log_variance).exp() * noise
        found = self.decoder.multinomial_loss(z, hidden.binary(), without=shown)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return found + self._beta(len(batch.whole_batch())) * (kl.sum() / shared_count(len(batch)))

    def _beta(self, users: int) -> float:
        if self.training:
            self.users_seen += users
        return self.beta * min(1.0, int(self.users_seen) / self.anneal)

    def head(self) -> nn.Linear:
        """Return ``decoder ∘ mean`` as one linear layer."""
        return linear_head(self.decoder.weight @ self.mean.weight, self.decoder(self.mean.bias))
