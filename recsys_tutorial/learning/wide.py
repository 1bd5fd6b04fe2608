"""g's vector beside the user's items themselves, for a head that reads both."""

from __future__ import annotations

import numpy as np

from ..baselines.raw import item_coordinates
from ..data.interactions import Interactions
from ..encoders import Encoder, Together


def beside(g: Encoder, z: np.ndarray, behaviour: Interactions) -> Together:
    r"""Return the extractor ``x -> [g(x) / a, side(x) / b]``, the deep part beside the wide one.

    ``side`` gives x itself, each user's items divided by their Euclidean length, in the directions that the labelled
    users span. a and b are the typical distances of those users from their mean: both parts are about as loud.

    Args:
        g: the feature extractor.
        z: ``(users, dim)`` its vectors of the labelled users.
        behaviour: theirs.

    Source: Cheng et al. (2016), Wide & Deep Learning for Recommender Systems.
    """
    side, x = item_coordinates(behaviour)
    return Together([g, side], (1 / _spread(z), 1 / _spread(x)))


def of_deep(head: np.ndarray, both: Together) -> np.ndarray:
    """Return ``head`` ``(g.dim, outputs)``, which reads g's vector, as one that reads both parts, scoring alike."""
    return np.concatenate([head / both.scales[0], np.zeros((both.dim - len(head), head.shape[1]))])


def _spread(z: np.ndarray) -> float:
    """Return the root of the mean squared distance from the mean vector."""
    return max(float(np.sqrt(((z - z.mean(0)) ** 2).sum(1).mean())), 1e-12)
