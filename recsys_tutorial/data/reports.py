"""What happened while data was read: rows, those dropped and why, repeats and how they were merged. Never silence."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # which has a report of its reading
    from .interactions import Interactions

MANY_TIES = 0.1  # share of a user's neighbouring events, above which their order is worth a word

MERGED = {
    "error": "none",
    "last": "the newest kept",
    "sum": "weights added up",
    "keep": "all kept",
}


class DroppedRows(UserWarning):
    """Some rows of a file were left out, as ``strict=False`` allows; the message says how many and why."""


class TiedTimes(UserWarning):
    """Many events of one user share a time, where the order of events matters; the message says how many."""


def warn_of_ties(interactions: Interactions, asks: str) -> None:
    """Warn where more than :data:`MANY_TIES` of a user's neighbouring events have one time: chance orders them.

    Where the order is known (``in_order``) or times are not there is nothing to warn of; ``asks`` asks for the order.
    """
    times, offsets = interactions.timestamps, interactions.offsets
    if times is None or interactions.in_order or len(times) < 2:
        return
    neighbours = np.ones(len(times) - 1, bool)
    inner = offsets[1:-1]
    neighbours[inner[(inner > 0) & (inner < len(times))] - 1] = False
    share = float((times[1:] == times[:-1])[neighbours].mean()) if neighbours.any() else 0.0
    if share > MANY_TIES:
        warnings.warn(
            f"{asks} asks for the order of events, and in {interactions.name!r} {share:.0%} of a user's neighbouring "
            "events share their time: chance orders these (in_order=True takes the order of the file)",
            TiedTimes,
            stacklevel=3,
        )


@dataclass(frozen=True)
class ReadReport:
    """How data came to be :class:`recsys_tutorial.Interactions`: of the reading, not of what was selected after.

    Args:
        rows: read, those that were dropped included.
        dropped: why -> how many rows.
        repeats: rows with a (user, item) pair that an earlier row had.
        merged: what was done with repeats (see :func:`recsys_tutorial.data.events.from_events`).
        users: with at least one event.
        items: with at least one event.
        events: after merging.
        density: share of the users × items table that is filled, between 0 and 1.
        first: earliest time, in seconds since 1970, or None where times are not known.
        last: latest time.
        ties: share of a user's neighbouring events that have the same time, so that their order is not known (see
            :func:`recsys_tutorial.data.events.from_events`), between 0 and 1.
    """

    rows: int
    users: int
    items: int
    events: int
    density: float
    repeats: int = 0
    merged: str = "error"
    first: int | None = None
    last: int | None = None
    ties: float = 0.0
    dropped: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lost = sum(self.dropped.values())
        why = "; ".join(f"{count:,} where {reason}" for reason, count in self.dropped.items())
        span = "times unknown"
        if self.first is not None:
            first, last = np.array([self.first, self.last], "datetime64[s]").astype("datetime64[D]")
            span = f"{first} to {last}"
        if self.ties:
            span += f"; {self.ties:.0%} of a user's neighbouring events share their time: chance orders these"
        return (
            f"{self.rows:,} rows read, {lost:,} dropped{why and f' ({why})'}, "
            f"{self.repeats:,} repeats of a user's item ({MERGED[self.merged] if self.repeats else 'none'}): "
            f"{self.events:,} events of {self.users:,} users on {self.items:,} items "
            f"({100 * self.density:.2f} % of the table), {span}"
        )


@dataclass(frozen=True)
class LabelReport:
    """How a file of labels came to be a task: what it was taken for, how many users have a label, who was left out.

    Args:
        rows: read, those left out included.
        kind: of task.
        why: what said so.
        said: how many users have which label.
        left_out: why -> how many, rows or users as it says.
        notes: what else was done with them.
    """

    rows: int
    kind: str
    why: str
    said: str
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lost = "; ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        parts = [f"{self.rows:,} rows read as {self.kind} ({self.why}): {self.said}", *self.notes]
        return "; ".join(parts) + f"; left out: {lost or 'nobody'}"
