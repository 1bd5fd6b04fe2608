"""``adapt``: take a pretrained model to a new service, where few users are known yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from .baselines import EASE
from .batches import Batch, as_batch
from .errors import InputError
from .interactions import Interactions
from .model import PretrainedModel
from .splits import held_out_users

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
ROUNDS = 3


class Adapted:
    """A pretrained model beside a linear one that was fitted to the new service's own users.

    ``score = s(softmax(f(x))) + weight · s(x B)``, where s subtracts a user's mean over the items that they do not have
    and divides by its standard deviation: the deep part knows the source, the wide part (:class:`EASE`) the target.

    Args:
        model: ``f = h ∘ g``, pretrained on the source, with a head that scores the target's items.
        wide: fitted on the target's users.
        weight: of the wide part; it grows with the number of users it has seen.

    Source: Cheng et al. (2016), Wide & Deep Learning for Recommender Systems.
    """

    def __init__(self, model: PretrainedModel, wide: EASE, weight: float) -> None:
        self.model, self.wide, self.weight = model, wide, weight

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return _mixed(*_parts(self.model, self.wide, as_batch(behaviour)), self.weight)


def adapt(
    model: PretrainedModel, interactions: Interactions, weights: Sequence[float] = WEIGHTS, seed: int = 0
) -> Adapted:
    """Return ``model`` adapted to the users of ``interactions``; ``model`` itself is left as it is.

    The weight of the wide part is chosen by cross-validation inside these users: three times a third of them is held
    out, with a fifth of their items to be found (NDCG@20).

    Args:
        model: pretrained on another service's users, laid on this catalogue.
        interactions: the few users of the new service.
        weights: to choose among.
        seed: draws the users that are held out.

    Raises:
        InputError: another catalogue, no head that scores items, fewer than 5 users.
    """
    from .metrics import ndcg_at_k

    if model.outputs is None or model.classifier is None:
        raise InputError("this model has no head that scores items: pretrain with an objective that has one")
    model.catalogue.require_same(interactions.catalogue, f"{interactions.name!r}")
    if interactions.n_users < 5:
        raise InputError(f"{interactions.n_users} users: adapting needs at least 5")
    found = np.zeros(len(weights))
    for number in range(ROUNDS if len(weights) > 1 else 0):
        split = held_out_users(interactions, 1 / 3, seed=seed * ROUNDS + number)
        shown = Batch.of(split.inputs)
        parts = _parts(model, EASE().fit(split.train), shown)
        for place, weight in enumerate(weights):
            scores = _mixed(*parts, weight)
            scores[shown.rows, shown.items] = -np.inf
            found[place] += ndcg_at_k(scores, split.targets.matrix, min(20, scores.shape[1])).sum()
    return Adapted(model, EASE().fit(interactions), weights[int(np.argmax(found))])


def _parts(model: PretrainedModel, wide: EASE, shown: Batch) -> tuple[np.ndarray, np.ndarray]:
    deep = softmax(model.score(shown), axis=1)
    return _standard(deep, shown), _standard(wide.score(shown), shown)


def _standard(scores: np.ndarray, shown: Batch) -> np.ndarray:
    """Return scores less their mean, over their standard deviation, each user's own, over items that are not shown."""
    rest = np.array(scores, np.float32)
    rest[shown.rows, shown.items] = np.nan
    mean, spread = np.nanmean(rest, axis=1, keepdims=True), np.nanstd(rest, axis=1, keepdims=True)
    return (scores - mean) / np.maximum(spread, 1e-12)


def _mixed(deep: np.ndarray, wide: np.ndarray, weight: float) -> np.ndarray:
    return deep + weight * wide
