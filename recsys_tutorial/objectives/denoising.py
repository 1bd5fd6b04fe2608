"""Denoising autoencoder: hide part of what a user did, and ask for all of it back."""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn

from ..batches import Batch
from ..encoders import BagEncoder
from ..errors import check_shares, unknown
from ..interactions import Interactions
from ..losses import multinomial_loss, squared_loss
from .base import Objective, Recipe

LOSSES = ("squared", "multinomial")


class Denoising(Objective):
    r"""Denoising autoencoder: explain all of x from what is left of it after a random part was hidden.

    - ``squared``: ``Σ_j (o_j - x_j)²`` with ``o = decoder(g(shown))`` and x of zeros and ones. By name it comes with a
      linear g of many dimensions: such an autoencoder is ridge regression of every item on all others, each weight
      shrunk as its item is popular, and a close relative of EASE (Steck 2020).
    - ``multinomial`` (Mult-DAE): ``-Σ_j x_j log softmax(o)_j``, over the hidden items alone and against all that were
      not shown. By name it comes with tanh and rows of length 1.

    Args:
        encoder: ``g``.
        dropout: share of a user's events that is hidden from ``g``, at least 0 and below 1.
        loss: ``squared`` or ``multinomial``.

    Source: Vincent et al. (2008); Steck (2020), Autoencoders that don't overfit towards the Identity; the multinomial
    loss: Liang et al. (2018), section 2.2.
    """

    name = "denoising"
    recipe = Recipe(dim=1024, learning_rate=1e-3, weight_decay=2.0)

    def __init__(self, encoder: nn.Module, dropout: float = 0.6, loss: str = "squared") -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        if loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)
        self.dropout, self.kind = dropout, loss
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    @classmethod
    def build(cls, interactions: Interactions, dim: int, loss: str = "squared", **options: float) -> Self:
        """Return it with the encoder that suits the loss."""
        linear = {"activation": "identity", "normalise": False} if loss == "squared" else {}
        return cls(BagEncoder(interactions.n_items, dim, **linear), loss=loss, **options)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of explaining ``batch`` from what is left of it, averaged over users."""
        shown, hidden = batch.hide(self.dropout)
        outputs = self.decoder(self.encoder(shown))
        if self.kind == "squared":
            return squared_loss(outputs, batch.binary())
        return multinomial_loss(outputs, hidden.binary(), without=shown)

    def head(self) -> nn.Linear:
        """Return the decoder: it scores every item."""
        return self.decoder
