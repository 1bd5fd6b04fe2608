"""Which items will each user want? The task of recommending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from ..data.batches import Batch
from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..data.joining import place_of, with_items
from ..engine.losses import multinomial_loss, squared_loss
from ..errors import InputError
from ..metrics.ranking import from_hits, hits_at_k, top_k
from .base import Labelled, Task


@dataclass(frozen=True, eq=False)
class RankingTask(Task):
    """Predict which items each user will want; the items to rank may be others than those in ``behaviour``.

    Args:
        behaviour: X.
        targets: Y, the wanted items of the same users, on the catalogue to be ranked.
        k: the quality is NDCG at ``k``.
        without_seen: leave out of the ranking what is in the user's own behaviour; X and Y then have one catalogue.

    Raises:
        InputError: X and Y do not have the same users.
    """

    targets: Interactions
    k: int = 20
    without_seen: bool = False
    name: ClassVar[str] = "ranking"
    metric: ClassVar[str] = "ndcg"
    ridge: ClassVar[tuple[float, ...]] = (0.5, 0.7, 1.0, 1.5, 2.0, 3.0)

    def __post_init__(self) -> None:
        if not np.array_equal(self.behaviour.user_ids, self.targets.user_ids):
            raise InputError(
                f"behaviour has {self.behaviour.n_users} users and targets {self.targets.n_users}, or in another "
                "order: give the same users to both"
            )
        if self.without_seen:
            self.behaviour.catalogue.require_same(self.targets.catalogue, "the targets")

    @property
    def n_outputs(self) -> int:
        """Number of items to rank."""
        return self.targets.n_items

    @property
    def outputs(self) -> Catalogue:
        """The items to rank."""
        return self.targets.catalogue

    def examples(self) -> Labelled:
        """Return behaviour and wanted items, both jagged."""
        return Labelled(Batch.of(self.behaviour), Batch.of(self.targets))

    def loss(self, outputs: Tensor, targets: Batch) -> Tensor:
        """Return the multinomial loss (:func:`recsys_tutorial.engine.losses.multinomial_loss`)."""
        return multinomial_loss(outputs, targets)

    def squared_loss(self, outputs: Tensor, targets: Batch) -> Tensor:
        """Return the squared error against 1 for wanted items and 0 for all others."""
        return squared_loss(outputs, targets)

    def target_matrix(self) -> csr_array:
        """Return ``(users, items)`` wanted items."""
        return self.targets.matrix

    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return NDCG@k; NaN for users who want nothing."""
        if self.without_seen:
            scores = Batch.of(self.behaviour).without_seen(np.array(scores))
        return from_hits("ndcg", *hits_at_k(top_k(scores, min(self.k, self.n_outputs)), self.targets.matrix))

    def with_labels(self) -> np.ndarray:
        """Return the users who want something."""
        return np.flatnonzero(self.targets.events_per_user > 0)

    def on(self, behaviour: Interactions) -> RankingTask:
        """Return :meth:`Task.on`; what is wanted is taken out of X, else it would be known before it is asked for.

        Where most of what is wanted are items of ``behaviour``, all of those are ranked but what a user has; else the
        wanted items alone.
        """
        rows, known = self._places(behaviour)
        x = behaviour.take_users(rows[known])
        wanted = replace(self.targets.take_users(known), user_ids=x.user_ids)
        places = place_of(wanted.item_ids, behaviour.item_ids)
        same = (places[wanted.items] >= 0).mean() >= 0.5
        strange = 0
        if same:
            strange = int((places[wanted.items] < 0).sum())
            wanted = with_items(wanted, behaviour.catalogue, places)
            asked = np.isin(_pairs(x), _pairs(wanted))
            x = x.keep_events(~asked)
        both = (wanted.events_per_user > 0) & (x.events_per_user > 0)
        if not both.any():
            raise InputError(
                f"{self.behaviour.name!r}: no labelled user is left with behaviour beside what is wanted: "
                f"{behaviour.name!r} needs events before, or beside, those of the labels"
            )
        some = np.flatnonzero(both)
        found = replace(self, behaviour=x.take_users(some), targets=wanted.take_users(some), without_seen=bool(same))
        left_out = {
            "labelled users without behaviour": len(self) - len(known), "wanted items that nobody has": strange,
            "labelled users with nothing wanted, or no behaviour beside it": len(known) - len(some),
        }  # fmt: skip
        told = [f"{asked.sum():,} wanted events taken out of the behaviour"] if same and asked.any() else []
        return found._noted(left_out, *told)

    def said(self) -> str:
        """Say how many users want how much."""
        return f"{len(self):,} users, {self.targets.n_events:,} wanted events on {self.n_outputs:,} items"

    def take(self, rows: np.ndarray) -> RankingTask:
        """Return the task on these users alone."""
        return replace(self, behaviour=self.behaviour.take_users(rows), targets=self.targets.take_users(rows))


def _pairs(interactions: Interactions) -> np.ndarray:
    """Return ``(n_events,)`` one number for each row and item."""
    rows = np.repeat(np.arange(interactions.n_users), interactions.events_per_user)
    return rows * interactions.n_items + interactions.items
