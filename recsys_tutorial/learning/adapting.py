"""``adapt``: take a pretrained model to a new service, where few users are known yet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from ..baselines import EASE
from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..data.joining import with_more_users
from ..data.splits import held_out_users
from ..errors import InputError
from ..metrics.ranking import from_hits, hits_at_k, top_k
from ..model import PretrainedModel

WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
ROUNDS = 3


class Adapted:
    """A pretrained model beside a linear one that was fitted to the new service's own users.

    ``score = s(f(x)) + weight · s(x B)``, where s subtracts a user's mean over the items that they do not have and
    divides by its standard deviation: the deep part knows the source, the wide part (:class:`EASE`) the target.

    Args:
        model: ``f = h ∘ g``, pretrained on the source, with a head that scores the target's items.
        wide: fitted on the target's users.
        weight: of the wide part; it grows with the number of users it has seen.
        logits: f's scores are logits, and their softmax is taken first.

    Source: Cheng et al. (2016), Wide & Deep Learning for Recommender Systems.
    """

    def __init__(self, model: PretrainedModel, wide: EASE, weight: float, logits: bool) -> None:
        self.model, self.wide, self.weight, self.logits = model, wide, weight, logits

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        shown = as_batch(behaviour)
        deep = _deep(self.model.score(shown), shown, self.logits)
        return deep + self.weight * _standard(self.wide.score(shown), shown)


def adapt(
    model: PretrainedModel,
    interactions: Interactions,
    weights: Sequence[float] = WEIGHTS,
    seed: int = 0,
    source: Interactions | None = None,
) -> Adapted:
    """Return ``model`` adapted to the users of ``interactions``; ``model`` itself is left as it is.

    The weight of the wide part, and whether a softmax suits f's scores, are chosen by cross-validation inside these
    users: three times a third of them is held out, with a fifth of their items to be found (NDCG@20).

    Args:
        model: pretrained on another service's users, laid on this catalogue.
        interactions: the few users of the new service.
        weights: to choose among.
        seed: draws the users that are held out.
        source: the other service's users, laid on this catalogue; the wide part is then fitted to them too.

    Raises:
        InputError: another catalogue, no head that scores items, fewer than 5 users.
    """
    if model.outputs is None or model.classifier is None:
        raise InputError("this model has no head that scores items: pretrain with an objective that has one")
    if model.catalogue is not None:
        model.catalogue.require_same(interactions.catalogue, f"{interactions.name!r}")
    if interactions.n_users < 5:
        raise InputError(f"{interactions.n_users} users: adapting needs at least 5")
    def wide_of(known: Interactions) -> EASE:
        return EASE().fit(known if source is None else with_more_users(source, known))

    choices = list(itertools.product((False, True), weights))
    found = np.zeros(len(choices))
    for number in range(ROUNDS):
        split = held_out_users(interactions, 1 / 3, seed=seed * ROUNDS + number)
        shown = Batch.of(split.inputs)
        outputs = model.score(shown)
        deep = {logits: _deep(outputs, shown, logits) for logits in (False, True)}
        wide = _standard(wide_of(split.train).score(shown), shown)
        for place, (logits, weight) in enumerate(choices):
            scores = shown.without_seen(deep[logits] + weight * wide)
            lists = top_k(scores, min(20, scores.shape[1]))
            found[place] += from_hits("ndcg", *hits_at_k(lists, split.targets.matrix)).sum()
    logits, weight = choices[int(np.argmax(found))]
    return Adapted(model, wide_of(interactions), weight, logits)


def _deep(outputs: np.ndarray, shown: Batch, logits: bool) -> np.ndarray:
    return _standard(softmax(outputs, axis=1) if logits else outputs, shown)


def _standard(scores: np.ndarray, shown: Batch) -> np.ndarray:
    """Return scores less their mean, over their standard deviation, each user's own, over items that are not shown."""
    rest = np.array(scores, np.float32)
    rest[shown.rows, shown.items] = np.nan
    mean, spread = np.nanmean(rest, axis=1, keepdims=True), np.nanstd(rest, axis=1, keepdims=True)
    return (scores - mean) / np.maximum(spread, 1e-12)
