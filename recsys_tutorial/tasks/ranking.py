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
            scores = np.array(scores)
            rows = np.repeat(np.arange(len(self)), self.behaviour.events_per_user)
            scores[rows, self.behaviour.items] = -np.inf
        return from_hits("ndcg", *hits_at_k(top_k(scores, min(self.k, self.n_outputs)), self.targets.matrix))

    def with_labels(self) -> np.ndarray:
        """Return the users who want something."""
        return np.flatnonzero(self.targets.events_per_user > 0)

    def take(self, rows: np.ndarray) -> RankingTask:
        """Return the task on these users alone."""
        return replace(self, behaviour=self.behaviour.take_users(rows), targets=self.targets.take_users(rows))
