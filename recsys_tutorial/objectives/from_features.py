"""Denoising over features of items: what scores an item is learned from what is known of it, not from its number."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..data.batches import Batch
from ..data.catalogue import Catalogue
from ..encoders import FeatureEncoder
from ..encoders.feature import at_times_none, bounded
from ..engine.heads import linear_head
from ..engine.losses import multinomial_loss
from ..errors import InputError, check_shares
from ..model import PretrainedModel
from .base import Objective, Recipe


class FromFeatures(Objective):
    r"""Denoising with two towers: g reads features of items, and features of items are scored.

    With t_j the given vector of item j: ``o_j = g(shown) · U t_j``, and
    ``loss = -Σ_j x_j log softmax(o)_j`` over what was hidden, the softmax without what was shown. Neither g nor U
    belongs to an item: :meth:`on` scores items that nobody has had yet.

    It has no name, because it needs vectors: ``pretrain(FromFeatures(FeatureEncoder.of(vectors)), interactions)``.

    Where g lets items leave what is said of them by a bounded vector of their own, so does what is scored:
    ``o_j = g(shown) · (U t_j + own_j)``, within the same share. A new item has none.

    Args:
        encoder: ``g``.
        dropout: share of a user's events that is hidden from g.

    Source: the denoising loss: Liang et al. (2018), section 2.2; text in place of ids: Hou et al. (2022), UniSRec.
    """

    encoder: FeatureEncoder
    recipe = Recipe(epochs=30, learning_rate=3e-3)

    def __init__(self, encoder: FeatureEncoder, dropout: float = 0.5) -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        self.dropout = dropout
        self.tower = nn.Linear(encoder.features.shape[1], encoder.dim, bias=False)
        self.own_vectors = nn.Parameter(torch.zeros(encoder.n_items, encoder.dim)) if encoder.delta else None

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of finding what is hidden."""
        shown, hidden = batch.hide(self.dropout)
        own = None if self.own_vectors is None else at_times_none(self.own_vectors, self.training)
        outputs = self.encoder(shown) @ self._scored(self.encoder.features, own).T
        return multinomial_loss(outputs, hidden.binary(), without=shown)

    def head(self) -> nn.Linear:
        """Return U t_j of every item as weights, without biases."""
        return self._head(self.encoder.features, self.own_vectors)

    def on(
        self, items: Catalogue, features: Tensor, outputs: Catalogue | None = None, scored: Tensor | None = None,
        places: Tensor | None = None,
    ) -> PretrainedModel:  # fmt: skip
        """Return what was learned as ``f = h ∘ g`` for other items.

        Args:
            items: that g reads.
            features: ``(len(items), n_features)``.
            outputs: the items that h scores; None: the same.
            scored: ``(len(outputs), n_features)``.
            places: where the items of now stand among ``items``, to keep what they have of their own; what is scored
                has nothing of its own.
        """
        outputs, scored = (items, features) if outputs is None else (outputs, scored)
        if len(items) != len(features) or scored is None or len(outputs) != len(scored):
            raise InputError("give one row of features for each item, and for each item that is scored")
        g = self.encoder.on(features, places)
        return PretrainedModel.compose(g, self._head(scored), catalogue=items, outputs=outputs).eval()

    @torch.no_grad()
    def _head(self, features: Tensor, own: Tensor | None = None) -> nn.Linear:
        return linear_head(self._scored(features, own), torch.zeros(len(features)))

    def _scored(self, features: Tensor, own: Tensor | None) -> Tensor:
        said = self.tower(features)
        return said if own is None else bounded(said, own, self.encoder.delta)
