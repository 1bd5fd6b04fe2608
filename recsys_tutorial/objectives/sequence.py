"""What the objectives that read behaviour in order have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch, by_length
from ..data.interactions import Interactions
from ..encoders import SequenceEncoder
from ..engine.heads import linear_head
from ..engine.losses import linear_cross_entropy
from ..engine.sampling import ItemSampler, sampled_multinomial_loss, take_rows
from ..errors import InputError
from .base import Objective, Recipe

_EVENTS = 3200  # in a batch: with them a step takes about 200 MB


class SequenceObjective(Objective):
    r"""Say which item stands at a place, from the encoder's state there: ``softmax_j(scale · s · v_j / |v_j|)``.

    State s and item vectors have length 1, so that a popular item cannot win by a long vector alone. All items compete,
    at real places only: batches are of users who did about equally much, and none is padded far.

    Args:
        encoder: a :class:`SequenceEncoder`.
        scale: how sharp the softmax may become.

    Raises:
        InputError: another encoder, or one that looks the wrong way.
    """

    encoder: SequenceEncoder
    causal: ClassVar[bool]
    recipe = Recipe(epochs=20, least_steps=1000, dim=128, batch_size=128, weight_decay=0.1)

    def __init__(self, encoder: SequenceEncoder, scale: float = 14.0) -> None:
        super().__init__(encoder)
        if getattr(encoder, "causal", None) is not self.causal:
            raise InputError(f"{self.name} needs a SequenceEncoder with causal={self.causal}")
        self.scale = scale
        self.sampler: ItemSampler | None = None

    @classmethod
    def build(cls, interactions: Interactions, dim: int, scale: float = 14.0, **options: Any) -> Self:
        """Return it with a fresh encoder; ``options`` are those of :class:`SequenceEncoder`."""
        return cls(SequenceEncoder(interactions.n_items, dim, causal=cls.causal, **options), scale)

    def examples(self, behaviour: Batch) -> Batch:
        """Return histories that are too long for the encoder in pieces, so that all of them is trained on."""
        return behaviour.windows(self.encoder.max_length)

    def order(self, examples: Batch, batch_size: int) -> Iterator[Tensor]:
        """Yield rows of about equal length, few of them where they are long."""
        return by_length(examples.lengths, batch_size, _EVENTS)

    def weights(self) -> Tensor:
        """Return ``(n_items, dim)``, what a state is multiplied with to score every item."""
        return self.scale * F.normalize(self.encoder.item_vectors, dim=1)

    def says(self, states: Tensor, items: Tensor) -> Tensor:
        """Return the mean loss of ``(n, dim)`` states that should say ``(n,)`` items; 0 where there are none."""
        if self.sampler is None:
            return linear_cross_entropy(states, self.weights(), items)
        one_each = Batch(items, torch.arange(len(items) + 1, device=items.device), torch.ones_like(states[:, 0]))
        return sampled_multinomial_loss(states, self._rows, one_each, self.sampler)

    def sample_softmax(self, sampler: ItemSampler) -> None:
        """Let the softmax run over a sample of the items."""
        self.sampler, self.encoder.sparse_gradients = sampler, True

    def _rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        vectors = take_rows(self.encoder.item_vectors, items)
        return self.scale * F.normalize(vectors, dim=1), vectors.new_zeros(len(items))

    def take_up(self, head: nn.Linear, places: Tensor) -> None:
        """Go on from g: it holds all that scores items."""

    def head(self) -> nn.Linear:
        """Return the scores as a linear layer without bias (it is 0)."""
        weights = self.weights()
        return linear_head(weights, weights.new_zeros(len(weights)))
