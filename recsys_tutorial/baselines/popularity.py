"""The same list for everyone."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..errors import InputError


class Popularity:
    """Score every item by the number of events it has, the same for everyone.

    Args:
        days: count only the events in this many days before the last one; None counts all.
    """

    def __init__(self, days: float | None = None) -> None:
        self.days = days

    def fit(self, interactions: Interactions) -> Self:
        """Count events per item; InputError where a window is asked for and times are not known."""
        if self.days is not None:
            if interactions.timestamps is None:
                raise InputError(f"popularity over a window needs timestamps, {interactions.name!r} has none")
            since = interactions.timestamps.max() - 86_400 * self.days
            interactions = interactions.keep_events(interactions.timestamps >= since)
        self.counts = interactions.events_per_item.astype(np.float32)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``: the counts, once per user (a view, not copies)."""
        return np.broadcast_to(self.counts, (len(as_batch(behaviour)), len(self.counts)))
