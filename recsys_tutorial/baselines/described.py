"""A supervised rival that reads what is said of the items: their genres and titles."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.ridge import RidgePath
from ..engine.sparse import unit_rows
from ..errors import InputError
from ..tasks import RankingTask
from .descriptions import described, volumes
from .raw import item_coordinates


class DescribedRidge:
    """Ridge regression from a user's items to the items of the task, shrunk towards those that are described alike.

    The expectation for an item is the sum of the cosines of its description with those of the user's items: a
    recommender by content, which needs no other users. How loud it is, and the ridge's strength, are chosen as a
    probe's are. Where nothing is said of the items this is :class:`RawRidge`.

    Source: Pazzani and Billsus (2007), Content-Based Recommendation Systems.
    """

    def fit(self, task: RankingTask) -> Self:
        """Solve for the task's labelled users; InputError where the task scores no items."""
        if task.outputs is None:
            raise InputError(f"descriptions are of items: this task, {task.name}, scores none")
        encoder, z = item_coordinates(task.behaviour)
        directions, y = encoder.item_vectors.detach().numpy().astype(float), task.target_matrix()
        rows = described(task.behaviour.catalogue, task.outputs)
        alike = np.zeros((task.behaviour.n_items, task.n_outputs)) if rows is None else (rows[0] @ rows[1].T).toarray()
        inside = directions.T @ alike  # what of it the labelled users can tell
        loud = volumes(z @ inside, y)
        path = RidgePath(z, y)
        strength, place = path.choose(task.quality, task.strengths(z), [inside * volume for volume in loud])
        weights, self.bias = path.solve(strength, inside * loud[place])
        self.weights = directions @ (weights - inside * loud[place]) + alike * loud[place]
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``."""
        return unit_rows(as_batch(behaviour), len(self.weights)) @ self.weights + self.bias
