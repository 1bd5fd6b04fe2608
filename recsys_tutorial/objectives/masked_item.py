"""Masked item (BERT-like): hide items in the middle of a history, and ask which they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from torch import Tensor

from ..batches import Batch
from ..encoders import SequenceEncoder
from ..errors import check_shares
from ..interactions import Interactions
from .sequence import SequenceObjective


class MaskedItem(SequenceObjective):
    r"""``loss = -mean_(masked t) log softmax_j(scale · s_t · v_j)_(j = item t)``, s_t the state of a mask at place t.

    A recommendation asks for what comes behind the newest event, so half of the users have their newest event masked
    and no other; the others have it masked together with a random share of the rest, as in BERT.

    Args:
        encoder: a :class:`~recsys_tutorial.encoders.SequenceEncoder` that is not causal.
        scale: see :class:`~recsys_tutorial.objectives.sequence.SequenceObjective`.
        share: of the events that are masked, at least 0 and below 1.
        newest: share of the users of whom the newest event alone is masked.

    Source: Devlin et al. (2019), BERT; Sun et al. (2019), BERT4Rec.
    """

    name = "masked-item"
    causal = False
    recipe = replace(SequenceObjective.recipe, epochs=40)  # fewer places are asked for in one pass

    def __init__(
        self, encoder: SequenceEncoder, scale: float = 14.0, share: float = 0.3, newest: float = 0.5
    ) -> None:
        super().__init__(encoder, scale)
        check_shares(share=share, newest=newest)
        self.share, self.newest = share, newest

    @classmethod
    def build(
        cls, interactions: Interactions, dim: int, share: float = 0.3, newest: float = 0.5, **options: Any
    ) -> Self:
        """Return it with a fresh encoder; ``options`` are those of :class:`SequenceObjective`'s."""
        built = super().build(interactions, dim, **options)
        return cls(built.encoder, built.scale, share, newest)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over the masked events."""
        masked = self.mask(batch)
        return self.says(self.encoder.states(batch, masked)[masked], batch.items[masked])

    def mask(self, batch: Batch) -> Tensor:
        """Draw ``(n_events,)`` bool: which events are hidden."""
        device = batch.items.device
        newest_alone = (batch.draw_per_user() < self.newest).to(device)[batch.rows]
        drawn = (batch.draw_per_event() < self.share).to(device)
        return batch.ends()[1] | (drawn & ~newest_alone)
