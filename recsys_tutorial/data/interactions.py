"""All users' behaviour together: who did what, how much, and in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from ..errors import InputError, unknown
from .catalogue import Catalogue, RawId, find
from .files import in_pieces
from .ordering import count_repeats
from .reports import ReadReport


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Behaviour of ``n_users`` users on ``n_items`` items, as one row of events per user, in time order.

    User ``u``'s events are ``items[offsets[u]:offsets[u + 1]]``, oldest first; for events of equal time see
    :func:`recsys_tutorial.data.events.from_events`. All arrays are read-only: every verb returns a new object.

    Args:
        items: ``(n_events,)`` int32 item indices.
        offsets: ``(n_users + 1,)`` int64, where each user's events begin.
        weights: ``(n_events,)`` float32: a rating, a play count, or 1.
        timestamps: ``(n_events,)`` int64 seconds since 1970, or None where times are not known.
        user_ids: ``(n_users,)`` raw ids.
        catalogue: the items.
        name: where the data came from, for messages and checkpoints.
        in_order: each user's events are known to be oldest first though their times are not (a sequence file).
        user_attributes: one row per user, indexed by raw id (gender, age); it may know more users than are here.
        item_attributes: one row per item, indexed by raw id; it may know more items than are here.
        labels: another kind of event of the same users (ratings beside views), with its own ids; what selects users,
            items or events here leaves it as it is: whoever joins the two does so by raw id.
        kinds: every kind of event there is, by name (view, cart, purchase), where the data tells several; the most
            frequent is the events here. As labels are, they are left as they are by what selects here.
        report: how the data was read, rows dropped and repeats merged; it stays what it was when some are selected.
    """

    items: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray
    timestamps: np.ndarray | None
    user_ids: np.ndarray
    catalogue: Catalogue
    name: str = "interactions"
    in_order: bool = False
    user_attributes: pd.DataFrame | None = None
    item_attributes: pd.DataFrame | None = None
    labels: Interactions | None = None
    kinds: dict[str, Interactions] | None = None
    report: ReadReport | None = None

    def __post_init__(self) -> None:
        for array in (self.items, self.offsets, self.weights, self.timestamps, self.user_ids):
            if array is not None:
                array.flags.writeable = False

    @property
    def n_users(self) -> int:
        """Number of users, those without events included."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items in the catalogue, those without events included."""
        return len(self.catalogue)

    @property
    def n_events(self) -> int:
        """Number of events (interactions)."""
        return len(self.items)

    @property
    def item_ids(self) -> np.ndarray:
        """``(n_items,)`` raw item ids, sorted: ties in a ranking are broken in this order."""
        return self.catalogue.ids

    @property
    def titles(self) -> tuple[str, ...] | None:
        """One title per item, or None."""
        return self.catalogue.titles

    @property
    def genres(self) -> tuple[tuple[str, ...], ...] | None:
        """One tuple of genres per item, or None."""
        return self.catalogue.genres

    @property
    def events_per_user(self) -> np.ndarray:
        """``(n_users,)`` number of events of each user."""
        return np.diff(self.offsets)

    @property
    def events_per_item(self) -> np.ndarray:
        """``(n_items,)`` number of events of each item."""
        counts = np.zeros(self.n_items, np.int64)
        for piece in in_pieces(self.items):
            counts += np.bincount(piece, minlength=self.n_items)
        return counts

    @cached_property
    def density(self) -> float:
        """Share of the users × items table that is filled, between 0 and 1."""
        filled = self.n_events - count_repeats(None, self.offsets, self.items, self.n_items)
        return filled / max(1, self.n_users * self.n_items)

    @cached_property
    def matrix(self) -> csr_array:
        """``(n_users, n_items)`` SciPy CSR of weights, sorted by item; repeated events are added up. Read-only."""
        matrix = csr_array(
            (self.weights.copy(), self.items.copy(), self.offsets.copy()), shape=(self.n_users, self.n_items)
        )
        matrix.sum_duplicates()
        for array in (matrix.data, matrix.indices, matrix.indptr):
            array.flags.writeable = False
        return matrix

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hex digits over ids, events, weights and times."""
        digest = hashlib.sha256(self.catalogue.fingerprint.encode())
        for number, piece in enumerate(in_pieces(self.user_ids)):
            digest.update(("\n" * (number > 0) + "\n".join(map(str, piece.tolist()))).encode())
        for array in (self.items, self.offsets, self.weights, self.timestamps):
            for piece in () if array is None else in_pieces(array):
                digest.update(np.ascontiguousarray(piece).data)
            digest.update(b"-" if array is None else b"")
        return digest.hexdigest()[:12]

    def __repr__(self) -> str:
        return self.summary

    @cached_property
    def summary(self) -> str:
        """A few lines: name, sizes, the range of weights and of times."""
        events = self.events_per_user
        lines = [
            f"Interactions '{self.name}': {self.n_users:,} users × {self.n_items:,} items, "
            f"{self.n_events:,} events ({100 * self.density:.2f} % of the table)",
            f"  events per user: median {int(np.median(events)) if len(events) else 0:,}, "
            f"most {events.max(initial=0):,}",
        ]
        if self.n_events:
            lines.append(f"  weights: {self.weights.min():g} to {self.weights.max():g}")
        if self.timestamps is not None and self.n_events:
            ends = np.array([self.timestamps.min(), self.timestamps.max()], "datetime64[s]")
            first, last = ends.astype("datetime64[D]")
            lines.append(f"  times: {first} to {last}")
        known = [name for name in ("titles", "genres") if getattr(self, name) is not None]
        return "\n".join([*lines, f"  items have {' and '.join(known) or 'ids only'}"])

    # ---- ids both ways -------------------------------------------------------------------------------

    @cached_property
    def _user_index(self) -> dict[RawId, int]:
        return {raw: index for index, raw in enumerate(self.user_ids.tolist())}

    def user_index(self, user: RawId) -> int:
        """Return the row of the user with raw id ``user``; InputError names near ids if there is none."""
        if (row := find(self._user_index, user)) is None:
            raise unknown("user", user, map(str, self.user_ids))
        return row

    def item_index(self, item: RawId) -> int:
        """Return the column of an item given by raw id or title (see :meth:`Catalogue.index_of`)."""
        return int(self.catalogue.indices_of([item])[0])

    # ---- verbs: each returns new Interactions ------------------------------------------------------------

    def take_users(self, rows: np.ndarray) -> Interactions:
        """Return the users at row numbers ``rows``, in that order; the catalogue stays whole."""
        if (rows := np.asarray(rows)).dtype == bool:
            raise InputError("rows is a mask: give row numbers, or the mask to subset_users")
        rows = rows.astype(np.int64)
        starts, lengths = self.offsets[:-1][rows], self.events_per_user[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        pick = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return replace(
            self,
            items=self.items[pick],
            offsets=offsets,
            weights=self.weights[pick],
            timestamps=None if self.timestamps is None else self.timestamps[pick],
            user_ids=self.user_ids[rows],
        )

    def keep_events(self, keep: np.ndarray) -> Interactions:
        """Return only the events where the ``(n_events,)`` mask ``keep`` is true; users and items all stay."""
        keep = _mask(np.asarray(keep), self.n_events, "events")
        before = np.concatenate([[0], np.cumsum(keep)])
        return replace(
            self,
            items=self.items[keep],
            offsets=before[self.offsets],
            weights=self.weights[keep],
            timestamps=None if self.timestamps is None else self.timestamps[keep],
        )

    def subset_users(self, users: Sequence[RawId] | np.ndarray) -> Interactions:
        """Return these users (raw ids, or an ``(n_users,)`` boolean mask); the catalogue stays whole."""
        if isinstance(users, str):
            raise InputError(f"users is one text, {users!r}: give a list, [{users!r}]")
        if (mask := np.asarray(users)).dtype == bool:
            return self.take_users(np.flatnonzero(_mask(mask, self.n_users, "users")))
        return self.take_users(np.array([self.user_index(user) for user in users], np.int64))

    def subset_items(self, items: Sequence[RawId] | np.ndarray) -> Interactions:
        """Return these items (raw ids, titles, or a mask) with their events; users without events stay."""
        mask = np.asarray(items)
        if mask.dtype != bool:
            chosen, mask = self.catalogue.indices_of(items), np.zeros(self.n_items, bool)
            mask[chosen] = True
        _mask(mask, self.n_items, "items")
        kept = self.keep_events(mask[self.items])
        new_index = np.cumsum(mask, dtype=np.int32) - 1
        return replace(kept, items=new_index[kept.items], catalogue=self.catalogue.take(np.flatnonzero(mask)))

    def filter_counts(self, per_user: int = 1, per_item: int = 1) -> Interactions:
        """Drop users and items with fewer events than these, again and again until all left have enough."""
        current = self
        while True:
            users = current.events_per_user >= per_user
            items = current.events_per_item >= per_item
            if users.all() and items.all():
                return current
            none = current.take_users(np.arange(0))
            current = current.subset_items(items).subset_users(users) if users.any() else none
            if not current.n_events:
                raise InputError(
                    f"no user of {self.name!r} is left with {per_user} events on items that have {per_item}: "
                    "ask for fewer"
                )

    def binarise(self, at_least: float | None = None) -> Interactions:
        """Set every weight to 1, after dropping events of weight below ``at_least`` where it is given."""
        kept = self if at_least is None else self.keep_events(self.weights >= at_least)
        return replace(kept, weights=np.ones(kept.n_events, np.float32))


def _mask(mask: np.ndarray, n: int, what: str) -> np.ndarray:
    if mask.shape != (n,) or mask.dtype != bool:
        raise InputError(f"a mask over {what} has shape {mask.shape}, {mask.dtype}: it needs ({n},) of bool")
    return mask
