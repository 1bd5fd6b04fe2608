"""Supervised rivals that look no further than the labelled users: what they want on average, and who is like whom."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.heads import votes
from ..engine.sparse import unit_rows
from ..tasks import Task


class LabelMean:
    """The mean label of the labelled users for everyone; in a ranking task, popularity among them."""

    def fit(self, task: Task) -> Self:
        """Take the mean."""
        self.mean = np.asarray(task.target_matrix().mean(axis=0), np.float32).ravel()
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``, the same row for everyone."""
        return np.tile(self.mean, (len(as_batch(behaviour)), 1))


class Neighbours:
    """The mean label of the most similar labelled users, each with its cosine similarity as weight.

    Args:
        candidates: numbers of neighbours to choose among by leaving each labelled user out.

    Source: Herlocker et al. (1999), An algorithmic framework for performing collaborative filtering.
    """

    def __init__(self, candidates: tuple[int, ...] = (5, 10, 20, 40, 80, 160)) -> None:
        self.candidates = candidates

    def fit(self, task: Task) -> Self:
        """Keep the labelled users, and choose how many of them to ask."""
        self.x, self.y = unit_rows(as_batch(task.behaviour), task.behaviour.n_items), task.target_matrix()
        among = (self.x @ self.x.T).toarray()
        np.fill_diagonal(among, -1)
        usable = [k for k in self.candidates if k < len(task)] or [len(task) - 1]
        quality = task.chooses_by or (lambda scores: -((scores - self.y.toarray()) ** 2).sum(1))
        self.k = max(usable, key=lambda k: float(np.nanmean(quality(votes(among, self.y, k)))))
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``."""
        return votes((unit_rows(as_batch(behaviour), self.x.shape[1]) @ self.x.T).toarray(), self.y, self.k)
