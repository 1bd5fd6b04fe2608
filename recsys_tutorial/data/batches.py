"""The one batch format: several users' behaviour laid end to end, as long as it really is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .files import release
from .interactions import Interactions


@dataclass(frozen=True)
class Batch:
    """Behaviour of ``len(self)`` users, jagged: user ``b`` owns ``items[offsets[b]:offsets[b + 1]]``, oldest first.

    Args:
        items: ``(n_events,)`` item indices.
        offsets: ``(users + 1,)``; the first is 0, the last is ``n_events``.
        weights: ``(n_events,)`` float32.
        whole: the batch that several processes share, where this one is a share of it (see :meth:`share`).
        first: position in it of the first user here.
    """

    items: Tensor
    offsets: Tensor
    weights: Tensor
    whole: Batch | None = None
    first: int = 0

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

    def without_seen(self, scores: np.ndarray) -> np.ndarray:
        """Set the scores ``(users, items)`` of what the users have to -inf, in place, and return them."""
        scores[self.rows.numpy(), self.items.numpy()] = -np.inf
        return scores

    def take(self, rows: Tensor) -> Batch:
        """Return the users at ``rows`` in that order: ``(users,) -> Batch``."""
        return self.stretches(self.offsets[:-1][rows], self.offsets[1:][rows])

    def stretches(self, begins: Tensor, ends: Tensor) -> Batch:
        """Return a batch whose row b holds the events ``begins[b]:ends[b]`` of this one, whoever they belong to."""
        lengths = ends - begins
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        shift = torch.repeat_interleave(begins - offsets[:-1], lengths)
        events = torch.arange(int(offsets[-1]), device=offsets.device) + shift
        return Batch(self.items[events].long(), offsets, self.weights[events])

    def keep(self, events: Tensor) -> Batch:
        """Return only the events where the ``(n_events,)`` mask is true; users left with none stay, empty."""
        before = torch.cat([self.offsets.new_zeros(1), events.cumsum(0)])
        return Batch(self.items[events], before[self.offsets], self.weights[events])

    def hide(self, rate: float) -> tuple[Batch, Batch]:
        """Return the batch without a random share ``rate`` of its events, and these events alone.

        The training loop seeds the generator that is drawn from once an epoch.
        """
        shown = (self.draw_per_event() >= rate).to(self.items.device)
        return self.keep(shown), self.keep(~shown)

    def share(self, number: int, of: int) -> Batch:
        """Return the part of the users, as good as equal, that process ``number`` of ``of`` takes."""
        parts = torch.arange(len(self)).tensor_split(of)
        return replace(self.take(parts[number]), whole=self, first=sum(map(len, parts[:number])))

    def whole_batch(self) -> Batch:
        """Return the batch that this is a share of, or itself."""
        return self if self.whole is None else self.whole

    def draw_per_event(self) -> Tensor:
        """Draw ``(n_events,)`` uniform numbers from torch's global CPU generator: a run on a GPU draws the same.

        A share draws for the whole batch and takes its own, so that the draw does not depend on the number of
        processes.
        """
        drawn = torch.rand(len(self.whole_batch().items))
        begin = 0 if self.whole is None else int(self.whole.offsets[self.first])
        return drawn[begin : begin + len(self.items)]

    def draw_per_user(self, *width: int, draw: Callable[..., Tensor] = torch.rand) -> Tensor:
        """Draw ``(users, *width)`` numbers in the same way; ``torch.randn`` draws normal ones."""
        return draw(len(self.whole_batch()), *width)[self.first : self.first + len(self)]

    def binary(self) -> Batch:
        """Return the batch with every weight 1."""
        return replace(self, weights=torch.ones_like(self.weights))

    def newest(self, n: int) -> Batch:
        """Return each user's last ``n`` events."""
        return self.keep(torch.arange(len(self.items), device=self.items.device) >= (self.offsets[1:] - n)[self.rows])

    def oldest(self, n: Tensor) -> Batch:
        """Return each user's first ``n`` events, ``(users,)``."""
        return self.keep(torch.arange(len(self.items), device=self.items.device) < (self.offsets[:-1] + n)[self.rows])

    def windows(self, n: int) -> Batch:
        """Return every user's events in pieces of ``n``, each a row of its own; the oldest piece takes what is left."""
        pieces = -(-self.lengths // n)
        last = pieces.cumsum(0)  # the piece after a user's newest one
        back = last.repeat_interleave(pieces) - torch.arange(int(pieces.sum())) - 1  # pieces between it and the newest
        ends = self.offsets[1:].repeat_interleave(pieces) - n * back
        return replace(self, offsets=torch.cat([self.offsets[:1], ends]))

    def append(self, item: int) -> Batch:
        """Return the batch with ``item`` laid behind every user's newest event, weight 1."""
        ends = self.offsets[1:] + torch.arange(len(self), device=self.offsets.device)
        old = torch.ones(len(self.items) + len(self), dtype=torch.bool, device=self.items.device)
        old[ends] = False
        items, weights = self.items.new_full(old.shape, item), self.weights.new_ones(old.shape)
        items[old], weights[old] = self.items, self.weights
        return Batch(items, torch.cat([self.offsets[:1], ends + 1]), weights)

    def ends(self) -> tuple[Tensor, Tensor]:
        """``(n_events,)`` bool twice: whether an event is its user's oldest, and whether it is the newest."""
        oldest, newest = torch.zeros(2, len(self.items), dtype=torch.bool, device=self.items.device)
        filled = self.lengths > 0
        oldest[self.offsets[:-1][filled]] = True
        newest[self.offsets[1:][filled] - 1] = True
        return oldest, newest

    def present(self) -> Tensor:
        """``(users, longest)`` bool: where a table with one row a user, filled from the left, holds an event."""
        lengths = self.lengths
        return torch.arange(int(lengths.max()) if len(self) else 0, device=lengths.device) < lengths[:, None]

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on ``device``."""
        if self.items.device == torch.device(device):
            return self
        here = {name: getattr(self, name).to(device) for name in ("items", "offsets", "weights")}
        return replace(self, **here)

    def dense(self, n_items: int) -> Tensor:
        """Return ``(users, n_items)`` with the weights in place: for teaching and tests, never for real data."""
        table = torch.zeros(len(self), n_items, device=self.items.device)
        return table.index_put_((self.rows, self.items), self.weights, accumulate=True)


@dataclass(frozen=True)
class Stored(Batch):
    """All behaviour of some interactions, left where it lies, in memory or in a file, until :meth:`take` gathers users.

    ``items`` are int32 here, as they are stored; a batch that was taken has int64.
    """

    arrays: tuple[np.ndarray, ...] = ()

    @classmethod
    def of(cls, interactions: Interactions) -> Stored:
        """Return all behaviour in ``interactions``, sharing its memory: read it, never write to it."""
        arrays = (interactions.items, interactions.offsets, interactions.weights)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The given NumPy array is not writable")
            items, offsets, weights = map(torch.from_numpy, arrays)
        return cls(items, offsets, weights, arrays=arrays)

    def take(self, rows: Tensor) -> Batch:
        """Return the users at ``rows`` as a batch of its own; what was read of a file is not kept in memory."""
        taken = super().take(rows)
        release(*self.arrays)
        return taken


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


def by_length(lengths: Tensor, batch_size: int, events: int) -> Iterator[Tensor]:
    """Yield rows in random order, in pieces of rows that are about equally long: little is lost on padding.

    Args:
        lengths: ``(rows,)``.
        batch_size: rows in a piece, at most.
        events: events in a piece, padding included, at most (a longer row makes a piece by itself): memory's limit.
    """
    shuffled_rows = torch.randperm(len(lengths))
    rows = shuffled_rows[lengths[shuffled_rows].argsort(stable=True)]
    cuts, begin = [], 0
    for place, length in enumerate(lengths[rows].tolist()):
        if place - begin == batch_size or (place > begin and (place - begin + 1) * length > events):
            cuts.append(place)
            begin = place
    pieces = rows.tensor_split(cuts)
    yield from (pieces[place] for place in torch.randperm(len(pieces)).tolist())
