"""The same list for everyone."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..batches import Batch, as_batch
from ..interactions import Interactions


class Popularity:
    """Score every item by the number of events it has, the same for everyone."""

    def fit(self, interactions: Interactions) -> Self:
        """Count events per item."""
        self.counts = interactions.events_per_item.astype(np.float32)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``: the counts, once per user (a view, not copies)."""
        return np.broadcast_to(self.counts, (len(as_batch(behaviour)), len(self.counts)))
