"""Exercises of notebook 09."""

from __future__ import annotations

from .base import compared

Event = tuple[str, str, int]  # user, item, time


def _latest(events: list[Event]) -> list[Event]:
    last: dict[tuple[str, str], Event] = {}
    for event in sorted(events, key=lambda event: event[2]):
        last[event[:2]] = event
    return sorted(last.values())


def _earliest(events: list[Event]) -> list[Event]:
    first: dict[tuple[str, str], Event] = {}
    for event in sorted(events, key=lambda event: event[2]):
        first.setdefault(event[:2], event)
    return sorted(first.values())


def _last_row(events: list[Event]) -> list[Event]:
    return sorted({event[:2]: event for event in events}.values())


def _per_item(events: list[Event]) -> list[Event]:
    return sorted({event[1]: event for event in sorted(events, key=lambda event: event[2])}.values())


def _repeats() -> dict[str, tuple]:
    return {
        "ann tea 3, ann tea 8, bob tea 5": ([("ann", "tea", 3), ("ann", "tea", 8), ("bob", "tea", 5)],),
        "a log that is not in order: ann jam 9, ann jam 2, bob jam 4": (
            [("ann", "jam", 9), ("ann", "jam", 2), ("bob", "jam", 4)],
        ),
    }


def _cut(events: list[Event], date: int) -> tuple[list[Event], list[Event]]:
    train = [event for event in events if event[2] < date]
    known, had = {user for user, _, _ in train}, {event[:2] for event in train}
    return train, [event for event in events if event[2] >= date and event[0] in known and event[:2] not in had]


def _with_repeats(events: list[Event], date: int) -> tuple[list[Event], list[Event]]:
    train, _ = _cut(events, date)
    known = {user for user, _, _ in train}
    return train, [event for event in events if event[2] >= date and event[0] in known]


def _with_strangers(events: list[Event], date: int) -> tuple[list[Event], list[Event]]:
    train, _ = _cut(events, date)
    had = {event[:2] for event in train}
    return train, [event for event in events if event[2] >= date and event[:2] not in had]


def _shop() -> dict[str, tuple]:
    events = [
        ("ann", "tea", 1), ("ann", "jam", 3), ("bob", "tea", 2), ("ann", "tea", 6), ("ann", "cup", 5),
        ("bob", "jam", 9), ("cid", "tea", 7),
    ]  # fmt: skip
    return {"seven purchases of ann, bob and cid, cut at day 5": (events, 5)}


EXERCISES = (
    compared(
        "09-repeats",
        "Write latest(events): events are (user, item, time); of each user's events with one item keep the latest, and "
        "return them sorted.",
        "Go through the events in order of time, and let a dict with the key (user, item) keep what came last.",
        _latest,
        _repeats,
        {
            "keeps the first": _earliest,
            "keeps the last row, though the log is not in order": _last_row,
            "merges different users who have the same item": _per_item,
            "keeps repeats": lambda events: sorted(events),
        },
    ),
    compared(
        "09-cut",
        "Write cut(events, date): what to train on, the events before the date, and the targets: later events of users "
        "who are known by then, with items that they did not have.",
        "Collect the users and the (user, item) pairs of the training events first, in two sets.",
        _cut,
        _shop,
        {
            "leaks the target: all events are trained on": lambda events, date: (events, _cut(events, date)[1]),
            "forgets to leave out what the user had before": _with_repeats,
            "asks for users that nobody knows yet": _with_strangers,
            "is off by one day": lambda events, date: _cut(events, date + 1),
        },
    ),
)  # fmt: skip
