"""The one batch format: several users' behaviour laid end to end, as long as it really is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .interactions import Interactions


@dataclass(frozen=True)
class Batch:
    """Behaviour of ``len(self)`` users, jagged: user ``b`` owns ``items[offsets[b]:offsets[b + 1]]``, oldest first.

    Args:
        items: ``(n_events,)`` item indices.
        offsets: ``(users + 1,)``; the first is 0, the last is ``n_events``.
        weights: ``(n_events,)`` float32.
    """

    items: Tensor
    offsets: Tensor
    weights: Tensor

    @classmethod
    def of(cls, interactions: Interactions) -> Batch:
        """Return all behaviour in ``interactions`` as one batch, sharing nothing with it."""
        return cls(
            torch.tensor(interactions.items, dtype=torch.int64),
            torch.tensor(interactions.offsets, dtype=torch.int64),
            torch.tensor(interactions.weights, dtype=torch.float32),
        )

    @classmethod
    def from_lists(cls, items: list[list[int]]) -> Batch:
        """Build a batch from one list of item indices per user, every weight 1."""
        lengths = torch.tensor([0, *map(len, items)])
        flat = torch.tensor([item for row in items for item in row], dtype=torch.int64)
        return cls(flat, lengths.cumsum(0), torch.ones(len(flat)))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Tensor:
        """``(users,)`` number of events of each user."""
        return self.offsets.diff()

    @property
    def rows(self) -> Tensor:
        """``(n_events,)`` the position in the batch of the user each event belongs to."""
        return torch.repeat_interleave(self.lengths)

    def take(self, rows: Tensor) -> Batch:
        """Return the users at ``rows`` in that order: ``(users,) -> Batch``."""
        lengths = self.lengths[rows]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        shift = torch.repeat_interleave(self.offsets[:-1][rows] - offsets[:-1], lengths)
        events = torch.arange(int(offsets[-1]), device=offsets.device) + shift
        return Batch(self.items[events], offsets, self.weights[events])

    def keep(self, events: Tensor) -> Batch:
        """Return only the events where the ``(n_events,)`` mask is true; users left with none stay, empty."""
        before = torch.cat([self.offsets.new_zeros(1), events.cumsum(0)])
        return Batch(self.items[events], before[self.offsets], self.weights[events])

    def drop(self, rate: float) -> Batch:
        """Return the batch without a random share ``rate`` of its events (the corruption of a denoiser).

        The draw is from torch's global CPU generator, so that a run on a GPU hides the same events; the
        training loop seeds it once an epoch.
        """
        return self.keep((torch.rand(len(self.items)) >= rate).to(self.items.device))

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on ``device``."""
        return Batch(self.items.to(device), self.offsets.to(device), self.weights.to(device))

    def dense(self, n_items: int) -> Tensor:
        """Return ``(users, n_items)`` with the weights in place: for teaching and tests, never for real data."""
        table = torch.zeros(len(self), n_items, device=self.items.device)
        return table.index_put_((self.rows, self.items), self.weights, accumulate=True)


def as_batch(behaviour: Batch | Interactions) -> Batch:
    """Return ``behaviour`` as a batch."""
    return behaviour if isinstance(behaviour, Batch) else Batch.of(behaviour)


def in_order(n: int, batch_size: int) -> Iterator[Tensor]:
    """Yield the row numbers 0 .. n - 1 in pieces of ``batch_size``."""
    yield from torch.arange(n).split(batch_size)


def shuffled(n: int, batch_size: int) -> Iterator[Tensor]:
    """Yield the row numbers 0 .. n - 1 in random order, in pieces of at most ``batch_size``.

    The pieces are as equal as they can be, so that no step rests on a handful of users.
    """
    pieces = max(1, -(-n // batch_size))
    yield from (torch.as_tensor(rows) for rows in np.array_split(torch.randperm(n).numpy(), pieces))
