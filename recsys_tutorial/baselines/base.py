"""The two verbs of everything that can be compared: ``fit`` and ``score``."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

import numpy as np

from ..data.batches import Batch
from ..data.interactions import Interactions


@runtime_checkable
class Model(Protocol):
    """What can be evaluated: a fitted baseline or a :class:`recsys_tutorial.PretrainedModel`."""

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)`` scores, higher is better."""


class Baseline(Model, Protocol):
    """A model that is fitted to interactions as a whole."""

    def fit(self, interactions: Interactions) -> Self:
        """Learn from all of ``interactions``."""
