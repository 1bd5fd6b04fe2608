"""Drawings of the protocols: who is trained on, what is shown, what is asked, as the package itself splits a toy table.

The cells are read off the :class:`~recsys_tutorial.data.splits.Split`, so that a drawing cannot tell another story.
"""

from __future__ import annotations

import numpy as np

from ...data import splits
from ...data.events import from_events
from ...data.interactions import Interactions
from ...data.splits import Split
from ..plots.base import Plot
from .base import ASKED, MOVES, SHOWN, STAYS, Fill, Sheet

# Six people at twelve points in time: x is an event. Made up, with histories of several lengths.
DIARIES = ("x.xx.x..x.x.", ".x.x.xx..x..", "xx..x.x.xx..", "..x.xx.x.x.x", "x..x.x.....x", ".xx...x.xx.x")
# trained on, shown, asked -> what it is called and how it is filled
MEANINGS: dict[tuple[bool, bool, bool], tuple[str, Fill]] = {
    (True, False, False): ("trained on", STAYS),
    (True, True, False): ("trained on and shown", MOVES),
    (False, True, False): ("shown only", SHOWN),
    (False, False, True): ("asked", ASKED),
    (False, False, False): ("not used", Fill("white", "...")),
}
CELL = 0.27  # inches


def held_out_users() -> Plot:
    """Draw held-out users: whole people are kept from training."""
    return _drawn("held-out users: people the model never met", [splits.held_out_users(_toy(), 0.34, 0.34, seed=0)])


def random_holdout() -> Plot:
    """Draw random: a part of everyone's events is asked, wherever in time it lies."""
    return _drawn("random: a part of everyone, whenever it was", [splits.random_holdout(_toy(), 0.25, seed=0)])


def leave_one_out() -> Plot:
    """Draw leave-one-out beside its refit twin: is the second-last event trained on?"""
    toy = _toy()
    found = [splits.leave_one_out(toy), splits.leave_one_out(toy, refit=True)]
    return _drawn("leave-one-out: the last event of each, and its refit twin", found)


def temporal() -> Plot:
    """Draw temporal: one day for everyone, before it is trained on, after it is asked."""
    return _drawn("temporal: one cut in time for everyone", [splits.temporal(_toy(), 0.25)])


def _toy() -> Interactions:
    """Return the diaries as behaviour: every event on an item of its own, numbered by person and time."""
    events = [(u, t) for u, diary in enumerate(DIARIES) for t, mark in enumerate(diary) if mark == "x"]
    users, times = zip(*events, strict=True)
    return from_events(users, [100 * u + t for u, t in events], timestamp=times, name="diaries")


def roles(split: Split) -> dict[tuple[int, int], tuple[bool, bool, bool]]:
    """Return for each event of the toy table, (person, time), whether it is trained on, shown, asked."""
    kept = [_items(part) for part in (split.train, split.inputs, split.targets)]
    everything = _items(_toy())
    return {divmod(item, 100): tuple(item in part for part in kept) for item in everything}  # type: ignore[misc]


def _items(part: Interactions) -> set[int]:
    return set(np.asarray(part.item_ids)[part.items].tolist())


def _drawn(title: str, found: list[Split]) -> Plot:
    """Draw one grid for each split, side by side, a row for a person and a column for a point in time."""
    people, points = len(DIARIES), len(DIARIES[0])
    wide = points * CELL
    twins = len(found) > 1
    sheet = Sheet(title, 7.2 if twins else 5.4, 1.25 + people * CELL)
    used: dict[str, Fill] = {}
    told = []
    for number, split in enumerate(found):
        left = 0.55 + number * (wide + 0.12) if twins else 0.75
        table = roles(split)
        for (person, time), role in table.items():
            name, fill = MEANINGS[role]
            used[name] = fill
            y = 0.62 + (people - 1 - person) * CELL
            sheet.box(left + time * CELL, y, CELL * 0.9, CELL * 0.9, "", fill, round_=False)
        counts = {name: sum(MEANINGS[role][0] == name for role in table.values()) for name, _ in MEANINGS.values()}
        told.append(f"{split.protocol}: " + ", ".join(f"{n} {name}" for name, n in counts.items() if n))
        sheet.arrow((left, 0.5), (left + wide, 0.5))
        if twins:
            sheet.write(left + wide / 2, sheet.height - 0.48, split.protocol, size=8)
        else:
            sheet.write(left + wide + 0.28, 0.5, "time", size=8)
    for person in range(people):
        name = f"{person + 1}" if twins else f"user {person + 1}"
        sheet.write(0.12, 0.62 + (people - 0.55 - person) * CELL, name, size=8, left=True)
    if twins:
        sheet.write(6.6, 0.16, "time: to the right", size=8)
    sheet.key(0.12, 0.16, used)
    return sheet.plot(
        f"grid of {people} users by {points} points in time, a cell for each event, as the package splits them. "
        f"{'; '.join(told)}."
    )
