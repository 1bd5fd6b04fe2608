"""item2vec: word2vec with users for sentences and items for words."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..engine.heads import linear_head
from ..engine.processes import shared_count
from ..errors import InputError, check_sizes
from .base import Objective, Recipe


class Item2Vec(Objective):
    r"""Skip-gram with negative sampling over the items of one user.

    For an item i and another item j of the same user, drawn from those ``window`` places before and behind it, with
    ``v_i`` the vector of i in g and ``c_j`` that of j in the context:
    ``loss = -log σ(v_i · c_j) - Σ_n log σ(-v_i · c_n)`` over ``negatives`` items n drawn in proportion to their count
    to the power ¾. They are drawn once for the whole batch, many more than that, and
    weighted down: one matrix product then serves all pairs.

    g adds up the vectors of a user's items. The head is ``z · c_j + log P(n = j)``: at the optimum
    ``v_i · c_j = log (P(j | i) / P(n = j)) - log negatives``, so that this sum ranks by ``P(j | i)``.

    Args:
        encoder: ``g``: a :class:`BagEncoder` without hidden layers.
        counts: ``(n_items,)`` how often each item occurs in the data.
        negatives: negative items for each pair, as the loss counts them.
        window: how far apart i and j may stand; None takes any two: where the order is not known it means nothing.
        contexts: pairs drawn for every event in an epoch.
        drawn: negative items drawn for each batch.

    Source: Mikolov et al. (2013); Barkan and Koenigstein (2016), item2vec; the optimum: Levy and Goldberg (2014).
    """

    name = "item2vec"
    recipe = Recipe(epochs=30, least_steps=1000, dim=64, batch_size=16, learning_rate=3e-2)

    encoder: BagEncoder
    frequency: Tensor

    def __init__(
        self,
        encoder: BagEncoder,
        counts: Tensor,
        negatives: int = 5,
        window: int | None = None,
        contexts: int = 1,
        drawn: int = 128,
    ) -> None:
        super().__init__(encoder)
        check_sizes(negatives=negatives, contexts=contexts, drawn=drawn, window=1 if window is None else window)
        if len(encoder.layers) > 1 or encoder.n_items != len(counts):
            raise InputError("item2vec needs a BagEncoder without hidden layers, and one count for each of its items")
        self.negatives, self.window, self.contexts, self.drawn = negatives, window, contexts, drawn
        nn.init.normal_(encoder.item_vectors, std=encoder.dim**-0.5)  # of length 1: from near 0 it takes long to part
        self.register_buffer("frequency", counts.double().pow(0.75))
        self.context_vectors = nn.Parameter(torch.zeros(encoder.n_items, encoder.dim))

    @classmethod
    def build(cls, interactions: Interactions, dim: int, **options: Any) -> Self:
        """Return it with a linear g and the counts of these items; with a window of 10 where the order is known."""
        g = BagEncoder(interactions.n_items, dim, activation="identity")
        ordered = interactions.in_order or interactions.timestamps is not None
        return cls(g, torch.from_numpy(interactions.events_per_item), **{"window": 10 if ordered else None} | options)

    def vectors(self) -> tuple[Tensor, Tensor]:
        """Return ``(n_items, dim)`` twice: v, an item's vector in g, and c, its vector as context."""
        return self.encoder.item_vectors, self.context_vectors

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over pairs; 0 where no user has two events."""
        v, c = self.vectors()
        centre, context = pairs(batch, self.contexts, self.window)
        drawn = torch.multinomial(self.frequency.cpu(), self.drawn, replacement=True).to(v.device)
        z = v[centre] + self.encoder.bias
        found = F.logsigmoid((z * c[context]).sum(1)).sum()
        refused = F.logsigmoid(-z @ c[drawn].T).sum() * (self.negatives / self.drawn)
        return -(found + refused) / (shared_count(len(centre)) or 1)

    def take_up(self, head: nn.Linear, places: Tensor) -> None:
        """Go on from the contexts' vectors; how often items occur is counted anew."""
        if type(self) is not Item2Vec:  # the ids' part of a sum is not told apart from its other parts
            return super().take_up(head, places)
        self.context_vectors[places] = head.weight

    def head(self) -> nn.Linear:
        """Return the contexts' vectors as weights; as bias log P(n = j), where nobody has item j as if one had."""
        return linear_head(self.vectors()[1], (self.frequency.clamp_min(1) / self.frequency.sum()).log())


def pairs(batch: Batch, n: int, window: int | None = None) -> tuple[Tensor, Tensor]:
    """Draw, for every event of a user who has two or more, ``n`` other events of the same user: items both times.

    A share of a batch draws for the whole, and keeps the pairs of its own users.

    Args:
        batch: behaviour.
        n: draws for each event.
        window: how many places before or behind the event the other stands at most (a history is closed to a ring, so
            that its ends have neighbours too); None draws from all.

    Returns:
        ``(pairs,)`` twice: the item of the event, and that of the other.
    """
    whole, here = batch.whole_batch(), batch.items.device
    lengths = whole.lengths[whole.rows]
    event = torch.arange(len(whole.items), device=lengths.device)[lengths > 1].repeat(n)
    start, length = whole.offsets[:-1][whole.rows][event], lengths[event]
    reach = length - 1 if window is None else (length - 1).clamp(max=2 * window)
    steps = 1 + (torch.rand(len(event)).to(lengths.device) * reach).long()  # 1 .. length - 1: never itself
    steps = torch.where(steps > reach / 2, steps - reach - 1, steps)  # half of them back
    other = start + (event - start + steps) % length
    if whole is not batch:
        begin = whole.offsets[batch.first]
        own = (event >= begin) & (event < begin + len(batch.items))
        event, other = event[own], other[own]
    return whole.items[event].to(here), whole.items[other].to(here)
