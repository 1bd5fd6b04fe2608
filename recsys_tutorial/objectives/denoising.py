"""Denoising autoencoder: hide part of what a user did, and ask for it back."""

from __future__ import annotations

from torch import Tensor, nn

from ..batches import Batch
from ..errors import check_shares, unknown
from ..losses import multinomial_loss, squared_loss
from .base import Objective, Recipe

LOSSES = {"squared": squared_loss, "multinomial": multinomial_loss}


class Denoising(Objective):
    r"""Denoising autoencoder that has to find the hidden events from those shown, and is not asked for the latter.

    ``Σ_j (o_j - y_j)²`` over the items j that were not shown, with ``o = decoder(g(shown))`` and y the hidden ones: of
    what it sees itself an autoencoder learns only to copy. With the squared loss, a linear g and as many dimensions as
    items, the best solution is known in closed form and close to EASE (Steck 2020).

    Args:
        encoder: ``g``.
        dropout: share of a user's events that is hidden from ``g``, at least 0 and below 1.
        loss: ``squared``, or ``multinomial`` (Mult-DAE's).

    Source: Vincent et al. (2008); Steck (2020), Autoencoders that don't overfit towards the Identity; the multinomial
    loss: Liang et al. (2018), section 2.2.
    """

    name = "denoising"
    recipe = Recipe(dim=1024, learning_rate=1e-3)

    def __init__(self, encoder: nn.Module, dropout: float = 0.35, loss: str = "squared") -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        if loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)
        self.dropout, self.loss_of = dropout, LOSSES[loss]
        self.decoder = nn.Linear(encoder.dim, encoder.n_items)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of finding what is hidden of ``batch`` from what is left of it."""
        shown, hidden = batch.hide(self.dropout)
        return self.loss_of(self.decoder(self.encoder(shown)), hidden.binary(), without=shown)

    def head(self) -> nn.Linear:
        """Return the decoder: it scores every item."""
        return self.decoder
