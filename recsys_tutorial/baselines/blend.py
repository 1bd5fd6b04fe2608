"""Several models at once: a weighted sum of their scores, the weights chosen on validation events."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from ..data.batches import Batch, as_batch, in_order
from ..data.interactions import Interactions
from ..data.splits import Split
from ..errors import InputError
from ..metrics.ranking import from_hits, hits_at_k, top_k
from .base import Model

SHARES = (
    0.0,
    0.1,
    0.2,
    0.35,
    0.5,
    0.7,
    1.0,
    1.5,
    2.5,
)  # of a rival's scores against the first model's, spread for spread
ASKED = 5000  # validation users at most: more than enough to tell weights apart


class Blend:
    """``Σ_m w_m f_m(x)``: what the models say, each as loud as its weight.

    Args:
        models: of one catalogue, fitted on the same data.
        weights: one each.
    """

    def __init__(self, models: Sequence[Model], weights: Sequence[float]) -> None:
        if not models or len(models) != len(weights):
            raise InputError(
                f"{len(models)} models and {len(weights)} weights: give at least one model, and a weight each"
            )
        self.models, self.weights = list(models), [float(weight) for weight in weights]

    @classmethod
    def chosen(cls, models: Sequence[Model], validation: Split, k: int = 10, seed: int = 0) -> Blend:
        """Return the blend whose NDCG at ``k`` is the highest on ``validation``; of equals the one that blends less.

        The first model has weight 1. The others' weights are tried out: shares (:data:`SHARES`) of the ratio of the
        standard deviations of all scores.

        Args:
            models: fitted on no more than ``validation.train``.
            validation: what to choose by.
            k: length of the list.
            seed: draws the validation users where there are more than :data:`ASKED`.
        """
        n_users, n_items = validation.inputs.n_users, validation.inputs.n_items
        asked = np.sort(np.random.default_rng(seed).permutation(n_users)[:ASKED])
        inputs, targets = Batch.of(validation.inputs.take_users(asked)), validation.targets.take_users(asked).matrix
        spreads = _spreads(models, inputs)
        grid = [(1.0, *some) for some in product(SHARES, repeat=len(models) - 1)]
        found = np.zeros(len(grid))
        for rows in in_order(len(inputs), 256):
            batch = inputs.take(rows)
            scores = [model.score(batch) * (spreads[0] / spread) for model, spread in zip(models, spreads, strict=True)]
            for number, weights in enumerate(grid):
                total = np.sum([weight * some for weight, some in zip(weights, scores, strict=True) if weight], axis=0)
                total[batch.rows.numpy(), batch.items.numpy()] = -np.inf
                hits = hits_at_k(top_k(total, min(k, n_items)), targets[rows.numpy()])
                found[number] += np.nansum(from_hits("ndcg", *hits))
        best = grid[int(found.argmax())]
        return cls(models, [weight * spreads[0] / spread for weight, spread in zip(best, spreads, strict=True)])

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        batch = as_batch(behaviour)
        parts = zip(self.weights, self.models, strict=True)
        return np.sum([np.float32(weight) * model.score(batch) for weight, model in parts if weight], axis=0)


def _spreads(models: Sequence[Model], behaviour: Batch) -> list[float]:
    """Return the standard deviation of each model's scores for some users."""
    some = behaviour.take(next(in_order(len(behaviour), 256)))
    return [max(float(np.std(model.score(some))), 1e-12) for model in models]
