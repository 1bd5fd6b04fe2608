"""Next item (GPT-like): at every event, foretell the one that follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import CodedSequenceEncoder, SequenceEncoder
from ..errors import unknown
from .base import Recipe
from .sequence import SequenceObjective

STARTS = ("random", "co-occurrence")


class NextItem(SequenceObjective):
    r"""``loss = -mean_t log softmax_j(scale · s_t · v_j)_(j = item t + 1)``, s_t the state after events 1 .. t.

    One pass over a user trains as many foretellings as the user has events but one; the encoder is causal, so that
    none of them sees what it has to foretell.

    Args:
        encoder: a causal :class:`~recsys_tutorial.encoders.SequenceEncoder`.
        scale: see :class:`~recsys_tutorial.objectives.sequence.SequenceObjective`.
        start: where the item vectors begin: ``random`` leaves them as the encoder has them; ``co-occurrence`` puts them
            where :class:`~recsys_tutorial.objectives.counting.Counting` does, divided by their lengths: g is pretrained
            by counting. An item that meets no other then begins at random, ten times shorter. By name
            (``pretrain("next-item", ...)``) ``co-occurrence`` is the default; an encoder of your own stays as it is. A
            sum of codes begins as near to these vectors as it can be, an item's own vector with what is left.

    Raises:
        InputError: another encoder, or one that looks the wrong way; an unknown start.

    Source: Radford et al. (2018), GPT; Kang and McAuley (2018), SASRec; the full softmax: Klenitskiy and Vasilev
    (2023), Turning Dross Into Gold Loss.
    """

    name = "next-item"
    causal = True
    # What was counted is forgotten by many epochs: docs/choices.md, "The next item, under the published protocol".
    recipe = Recipe(epochs=7, least_steps=150, dim=256, batch_size=128, weight_decay=0.1)

    def __init__(self, encoder: SequenceEncoder, scale: float = 14.0, start: str = "random") -> None:
        super().__init__(encoder, scale)
        if start not in STARTS:
            raise unknown("start", start, STARTS)
        self.start = start

    @classmethod
    def build(
        cls,
        interactions: Interactions,
        dim: int,
        scale: float = 14.0,
        start: str = "co-occurrence",
        dropout: float = 0.5,
        **options: Any,
    ) -> Self:
        """Return it with a fresh encoder; ``dropout`` and ``options`` are its, or those of :meth:`_fresh`."""
        return cls._fresh(interactions, dim, scale, start, dropout=dropout, **options)

    def _place_items(self, counted: Callable[[], Tensor]) -> None:
        """Put the item vectors where ``start`` says."""
        if self.start == "random":
            return
        encoder = self.encoder
        vectors = counted().to(encoder.position_vectors)
        if isinstance(encoder, CodedSequenceEncoder):
            return encoder.start_at(vectors)
        with torch.no_grad():
            encoder.item_vectors.copy_(torch.where(vectors.any(1, keepdim=True), vectors, 0.1 * encoder.item_vectors))

    def take_up(self, head: nn.Linear, places: Tensor) -> None:
        """Go on from g, and count nothing anew: it holds all that scores items."""
        super().take_up(head, places)
        self.start = "random"

    def examples(self, behaviour: Batch) -> Batch:
        """Return pieces one longer than the encoder reads: the last event is foretold only."""
        return behaviour.windows(self.encoder.max_length + 1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over all events but each user's first."""
        is_first, is_last = batch.ends()
        return self.says(self.encoder.states(batch.keep(~is_last)), batch.items[~is_first])

