"""Masked item (BERT-like): hide items in the middle of a history, and ask which they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import SequenceEncoder
from ..errors import check_shares
from .sequence import SequenceObjective


class MaskedItem(SequenceObjective):
    r"""``loss = -mean_(masked t) log softmax_j(scale · s_t · v_j)_(j = item t)``, s_t the state of a mask at place t.

    A recommendation asks for what comes behind the newest event. So some users are cut: their history ends at an event
    drawn at random, which is masked, and no other is. The others have their newest event masked together with a random
    share of the rest, as in BERT.

    Args:
        encoder: a :class:`~recsys_tutorial.encoders.SequenceEncoder` that is not causal.
        scale: see :class:`~recsys_tutorial.objectives.sequence.SequenceObjective`.
        share: of the events that are masked where a history is whole, at least 0 and below 1.
        cut: share of the users that are cut, at least 0 and below 1.

    Source: Devlin et al. (2019), BERT; Sun et al. (2019), BERT4Rec.
    """

    name = "masked-item"
    causal = False
    recipe = replace(SequenceObjective.recipe, epochs=60, batch_size=256, learning_rate=4e-3)  # a pass asks for less

    def __init__(
        self, encoder: SequenceEncoder, scale: float = 14.0, share: float = 0.3, cut: float = 0.5
    ) -> None:
        super().__init__(encoder, scale)
        check_shares(share=share, cut=cut)
        self.share, self.cut = share, cut

    @classmethod
    def build(
        cls, interactions: Interactions, dim: int, scale: float = 14.0, share: float = 0.3, cut: float = 0.5,
        **options: Any,
    ) -> Self:  # fmt: skip
        """Return it with a fresh encoder; ``options`` are its, and those of :meth:`lose_by`."""
        return cls._fresh(interactions, dim, scale, share, cut, **options)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over the masked events."""
        batch, masked = self.mask(batch)
        return self.says(self.encoder.states(batch, masked)[masked], batch.items[masked])

    def mask(self, batch: Batch) -> tuple[Batch, Tensor]:
        """Draw how far each history goes, and which of its events are hidden, ``(n_events,)`` bool."""
        device = batch.items.device
        is_cut = (batch.draw_per_user() < self.cut).to(device)
        ends = 2 + (batch.draw_per_user().to(device) * (batch.lengths - 1)).long()
        # One draw for each event rides along as its weight, which the encoder does not read.
        batch = replace(batch, weights=batch.draw_per_event().to(device))
        batch = batch.oldest(torch.where(is_cut, ends, batch.lengths))
        hidden = batch.weights < self.share
        return batch, batch.ends()[1] | (hidden & ~is_cut[batch.rows])
