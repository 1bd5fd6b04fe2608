"""Denoising autoencoder: hide part of what a user did, and ask for all of it back."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder, Encoder
from ..engine.sampling import ItemSampler
from ..errors import InputError, check_shares, unknown
from .base import Objective, Recipe
from .decoder import Decoder

LOSSES = ("squared", "multinomial")


class Denoising(Objective):
    r"""Denoising autoencoder: explain x from what is left of it after a random part was hidden.

    With ``o = decoder(g(shown))`` and x of zeros and ones:

    - ``squared``: ``Σ_j (o_j - x_j)²``. By name it comes with a linear g of many dimensions: such an autoencoder is
      ridge regression of every item on all others, each weight shrunk as its item is popular, and a close relative of
      EASE (Steck 2020).
    - ``multinomial`` (Mult-DAE's): ``-Σ_j x_j log softmax(o)_j``. By name it comes with tanh and rows of length 1.

    Args:
        encoder: ``g``.
        dropout: share of a user's events that is hidden from ``g``, at least 0 and below 1.
        loss: ``squared`` or ``multinomial``.
        hidden_only: let j run over the items that were not shown, so that copying is worth nothing; None does so with
            the multinomial loss, which was better for it, and not with the squared one, which was worse.

    Source: Vincent et al. (2008); Steck (2020), Autoencoders that don't overfit towards the Identity; the multinomial
    loss: Liang et al. (2018), section 2.2.
    """

    name = "denoising"
    recipe = Recipe(dim=1024, learning_rate=1e-3, weight_decay=2.0)

    def __init__(
        self, encoder: Encoder, dropout: float = 0.6, loss: str = "squared", hidden_only: bool | None = None
    ) -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        if loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)
        self.dropout, self.loss_name = dropout, loss
        self.hidden_only = loss == "multinomial" if hidden_only is None else hidden_only
        self.least_events = 2 if self.hidden_only else 1  # what is shown has to be said too: it may copy
        self.decoder = Decoder(encoder.dim, encoder.n_items)

    @classmethod
    def build(cls, interactions: Interactions, dim: int, loss: str = "squared", **options: Any) -> Self:
        """Return it with the encoder that suits the loss."""
        linear: dict[str, Any] = {"activation": "identity", "normalise": False} if loss == "squared" else {}
        return cls(BagEncoder(interactions.n_items, dim, **linear), loss=loss, **options)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of explaining ``batch`` from what is left of it, averaged over users."""
        shown, hidden = batch.hide(self.dropout)
        target, without = (hidden.binary(), shown) if self.hidden_only else (batch.binary(), None)
        loss_of = self.decoder.squared_loss if self.loss_name == "squared" else self.decoder.multinomial_loss
        return loss_of(self.encoder(shown), target, without)

    def sample_softmax(self, sampler: ItemSampler) -> None:
        """Let the softmax run over a sample of the items; the squared loss has none."""
        if self.loss_name == "squared":
            raise InputError("the squared loss has no softmax to sample: take loss='multinomial' with sampled_softmax")
        super().sample_softmax(sampler)

    def head(self) -> nn.Linear:
        """Return the decoder: it scores every item."""
        return self.decoder
