"""Next item (GPT-like): at every event, foretell the one that follows."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import SequenceEncoder
from ..errors import unknown
from .counting import Counting
from .sequence import SequenceObjective

STARTS = ("random", "co-occurrence")
_MEETINGS = 10**8  # pairs of events that are counted at most, to start from co-occurrence


class NextItem(SequenceObjective):
    r"""``loss = -mean_t log softmax_j(scale · s_t · v_j)_(j = item t + 1)``, s_t the state after events 1 .. t.

    One pass over a user trains as many foretellings as the user has events but one; the encoder is causal, so that
    none of them sees what it has to foretell.

    Args:
        encoder: a causal :class:`~recsys_tutorial.encoders.SequenceEncoder`.
        scale: see :class:`~recsys_tutorial.objectives.sequence.SequenceObjective`.
        start: where the item vectors begin: ``random``, or ``co-occurrence``: where
            :class:`~recsys_tutorial.objectives.counting.Counting` puts them, divided by their lengths: g is pretrained
            by counting. An item that meets no other then begins at random, ten times shorter.

    Raises:
        InputError: another encoder, or one that looks the wrong way; an unknown start.

    Source: Radford et al. (2018), GPT; Kang and McAuley (2018), SASRec; the full softmax: Klenitskiy and Vasilev
    (2023), Turning Dross Into Gold Loss.
    """

    name = "next-item"
    causal = True

    def __init__(self, encoder: SequenceEncoder, scale: float = 14.0, start: str = "random") -> None:
        super().__init__(encoder, scale)
        if start not in STARTS:
            raise unknown("start", start, STARTS)
        self.start = start

    @classmethod
    def build(
        cls, interactions: Interactions, dim: int, scale: float = 14.0, start: str = "random", **options: Any
    ) -> Self:
        """Return it with a fresh encoder; ``options`` are its, and those of :meth:`lose_by`."""
        return cls._fresh(interactions, dim, scale, start, **options)

    def begin(self, interactions: Interactions, seed: int) -> None:
        """Put the item vectors where ``start`` says."""
        if self.start == "random":
            return
        table, some = self.encoder.item_vectors, _countable(interactions, self.encoder.max_length)
        counted = Counting.build(some, min(self.encoder.dim, some.n_items))
        counted.solve(some, seed)
        vectors = F.pad(counted.encoder.item_vectors, (0, self.encoder.dim - counted.encoder.dim)).to(table)
        known = vectors.norm(dim=1, keepdim=True) > 1e-6
        with torch.no_grad():
            table.copy_(torch.where(known, F.normalize(vectors, dim=1), 0.1 * table))

    def examples(self, behaviour: Batch) -> Batch:
        """Return pieces one longer than the encoder reads: the last event is foretold only."""
        return behaviour.windows(self.encoder.max_length + 1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over all events but each user's first."""
        is_first, is_last = batch.ends()
        return self.says(self.encoder.states(batch.keep(~is_last)), batch.items[~is_first])


def _countable(interactions: Interactions, newest: int) -> Interactions:
    """Return each user's newest events, of the first users, as many as have few enough pairs of events to count."""
    pairs = np.minimum(interactions.events_per_user, newest).astype(np.int64) ** 2
    users = int(np.searchsorted(pairs.cumsum(), _MEETINGS, side="right"))
    some = interactions if users == len(pairs) else interactions.take_users(np.arange(max(1, users)))
    back = np.repeat(some.offsets[1:], some.events_per_user) - np.arange(some.n_events)
    return some.keep_events(back <= newest)
