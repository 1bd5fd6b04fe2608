"""Autoencoder: ask g for all that it was shown."""

from __future__ import annotations

from torch import Tensor, nn

from ..data.batches import Batch
from ..encoders import Encoder
from .base import Objective
from .decoder import Decoder


class Autoencoder(Objective):
    """Plain autoencoder: what goes in has to come out again. Nothing is hidden, so copying is enough.

    Args:
        encoder: ``g``.

    Source: Hinton and Salakhutdinov (2006), Reducing the Dimensionality of Data with Neural Networks.
    """

    name = "autoencoder"
    least_events = 1  # it may copy

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.decoder = Decoder(encoder.dim, encoder.n_items)

    def loss(self, batch: Batch) -> Tensor:
        """Return the multinomial loss of ``batch`` given g's vector of it."""
        return self.decoder.multinomial_loss(self.encoder(batch), batch.binary())

    def head(self) -> nn.Linear:
        """Return the decoder: it scores every item."""
        return self.decoder
