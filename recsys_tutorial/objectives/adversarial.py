"""Adversarial autoencoder: a second network tries to tell g's vectors from noise, and g tries not to let it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..encoders import Encoder
from ..engine.processes import shared_count
from ..errors import InputError, check_shares
from .base import Objective, Recipe
from .decoder import Decoder


class _Reverse(torch.autograd.Function):
    """Identity on the way forward, ``-strength`` times the gradient on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grad, None


class Adversarial(Objective):
    r"""Adversarial autoencoder: a GAN in the space of g's vectors.

    ``loss = -Σ_j x_j log softmax(decoder(g(shown)))_j + BCE(D(noise), 1) + BCE(D(reverse(g(shown))), 0)``

    The discriminator D learns to tell g's vectors from uniform noise in (-1, 1), where tanh lives; ``reverse`` turns
    the sign of its gradient on the way to g, so that one step of one optimiser moves both players, each in its own
    direction (Ganin and Lempitsky 2015), and the training loop is everyone's. A GAN that draws behaviour itself would
    have to draw discrete items, through which no gradient passes; one that was published
    degenerates to an autoencoder (Pérez Maurera et al. 2022), which is where this one starts.

    Args:
        encoder: ``g``; its vectors are expected between -1 and 1 (tanh).
        dropout: share of a user's events that is hidden from ``g``.
        strength: of the discriminator's gradient to g.

    Source: Goodfellow et al. (2014); Makhzani et al. (2015), Adversarial Autoencoders.
    """

    name = "adversarial"
    recipe = Recipe(epochs=20, batch_size=64, learning_rate=1e-2)

    def __init__(self, encoder: Encoder, dropout: float = 0.35, strength: float = 1.0) -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        if strength < 0:
            raise InputError(f"strength={strength!r}: it needs to be at least 0")
        self.dropout, self.strength = dropout, strength
        self.decoder = Decoder(encoder.dim, encoder.n_items)
        width = 64
        self.discriminator = nn.Sequential(
            nn.Linear(encoder.dim, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )  # fmt: skip

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of finding what is hidden, and of both players."""
        shown, hidden = batch.hide(self.dropout)
        vectors = self.encoder(shown)
        found = self.decoder.multinomial_loss(vectors, hidden.binary(), without=shown)
        noise = (2 * batch.draw_per_user(vectors.shape[1]) - 1).to(vectors.device)
        real, fake = self.discriminator(noise), self.discriminator(_Reverse.apply(vectors, self.strength))
        part = len(batch) / shared_count(len(batch))  # 1, but for processes whose shares differ by a user
        told_apart = F.binary_cross_entropy_with_logits(real, torch.ones_like(real)) * part
        return found + told_apart + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)) * part

    def head(self) -> nn.Linear:
        """Return the decoder: it scores every item."""
        return self.decoder
