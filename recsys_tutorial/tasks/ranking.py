"""Which items will each user want? The task of recommending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from ..batches import Batch
from ..catalogue import Catalogue
from ..errors import InputError
from ..interactions import Interactions
from ..losses import multinomial_loss, squared_loss
from ..metrics import ndcg_at_k
from .base import Labelled, Task


@dataclass(frozen=True, eq=False)
class RankingTask(Task):
    """Predict which items each user will want; the items to rank may be others than those in ``behaviour``.

    Args:
        behaviour: X.
        targets: Y, the wanted items of the same users, on the catalogue to be ranked.
        k: the quality is NDCG at ``k``.

    Raises:
        InputError: X and Y do not have the same users.
    """

    targets: Interactions
    k: int = 20
    name: ClassVar[str] = "ranking"
    metric: ClassVar[str] = "ndcg"

    def __post_init__(self) -> None:
        if not np.array_equal(self.behaviour.user_ids, self.targets.user_ids):
            raise InputError(
                f"behaviour has {self.behaviour.n_users} users and targets {self.targets.n_users}, or in another "
                "order: give the same users to both"
            )

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
        """Return the multinomial loss (:func:`recsys_tutorial.losses.multinomial_loss`)."""
        return multinomial_loss(outputs, targets)

    def squared_loss(self, outputs: Tensor, targets: Batch) -> Tensor:
        """Return the squared error against 1 for wanted items and 0 for all others."""
        return squared_loss(outputs, targets)

    def target_matrix(self) -> csr_array:
        """Return ``(users, items)`` wanted items."""
        return self.targets.matrix

    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return NDCG@k; NaN for users who want nothing."""
        return ndcg_at_k(scores, self.targets.matrix, self.k)

    def take(self, rows: np.ndarray) -> RankingTask:
        """Return the task on these users alone."""
        return replace(self, behaviour=self.behaviour.take_users(rows), targets=self.targets.take_users(rows))


def new_shelf(
    interactions: Interactions, hidden: float = 0.2, at_least: float = 4.0, k: int = 20, seed: int = 0
) -> RankingTask:
    """Return the "new shelf" task: from behaviour on known items, rank items that were hidden from everyone.

    A random share ``hidden`` of the items is put on the new shelf. X is behaviour on the others, Y which items of the
    new shelf the user gave a weight of ``at_least``.

    Args:
        interactions: with ratings as weights.
        hidden: share of the items on the new shelf, between 0 and 1.
        at_least: the weight from which an item counts as wanted.
        k: the quality is NDCG at ``k``.
        seed: draws the shelf.
    """
    if not 0 < hidden < 1:
        raise InputError(f"hidden={hidden!r}: it needs to be between 0 and 1")
    shelf = np.zeros(interactions.n_items, bool)
    draw = np.random.default_rng(seed).permutation(interactions.n_items)
    shelf[draw[: max(1, round(hidden * interactions.n_items))]] = True
    wanted = interactions.subset_items(shelf).binarise(at_least=at_least)
    return RankingTask(interactions.subset_items(~shelf), wanted, k)
