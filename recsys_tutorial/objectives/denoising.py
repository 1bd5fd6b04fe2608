"""Denoising autoencoder: hide part of what a user did, and ask for all of it back."""

from __future__ import annotations

from torch import Tensor, nn

from ..batches import Batch
from ..errors import InputError
from ..losses import multinomial_loss
from .base import Objective


class Denoising(Objective):
    """Multinomial denoising autoencoder (Mult-DAE).

    Args:
        encoder: ``g``.
        dropout: share of a user's events that is hidden from ``g``, at least 0 and below 1.

    Source: Vincent et al. (2008); Liang et al. (2018), section 2.2.
    """

    name = "denoising"

    def __init__(self, encoder: nn.Module, dropout: float = 0.5) -> None:
        super().__init__(encoder)
        if not 0 <= dropout < 1:
            raise InputError(f"dropout={dropout!r}: it needs to be at least 0 and below 1")
        self.dropout = dropout
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of explaining all of ``batch`` from what is left of it."""
        return multinomial_loss(self.decoder(self.encoder(batch.drop(self.dropout))), batch)

    def head(self) -> nn.Module:
        """Return the decoder: it scores every item."""
        return self.decoder
