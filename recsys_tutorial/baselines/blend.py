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

# Of a rival's scores against the first model's, spread for spread.
SHARES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5, 2.5)
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
        shares = [(1.0, *some) for some in product(SHARES, repeat=len(models) - 1)]
        grid, found = np.zeros((len(shares), len(models))), np.zeros(len(shares))
        for rows in in_order(len(inputs), 256):
            batch = inputs.take(rows)
            scores = [model.score(batch) for model in models]
            if not grid.any():  # the first users tell how loud each model is
                spreads = np.array([max(float(np.std(some)), 1e-12) for some in scores])
                grid = np.array(shares) * spreads[0] / spreads
            for number, weights in enumerate(grid.tolist()):
                total = batch.without_seen(_added(weights, scores))
                hits = hits_at_k(top_k(total, min(k, n_items)), targets[rows.numpy()])
                found[number] += np.nansum(from_hits("ndcg", *hits))
        return cls(models, grid[int(found.argmax())].tolist())

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        batch = as_batch(behaviour)
        heard = [(weight, model) for weight, model in zip(self.weights, self.models, strict=True) if weight]
        return _added([weight for weight, _ in heard], [model.score(batch) for _, model in heard])


def _added(weights: Sequence[float], scores: Sequence[np.ndarray]) -> np.ndarray:
    """Return ``Σ_m w_m scores_m``, a table of its own."""
    total = np.zeros_like(scores[0])
    for weight, some in zip(weights, scores, strict=True):
        if weight:
            total += np.float32(weight) * some
    return total
