"""Exercises of notebook 09."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import InputError
from ...tasks import read_labels
from .base import UNTOUCHED, Exercise, Untouched, Wrong, compared

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


Row = tuple[str, str]  # customer, label
LABELS: list[Row] = [(f"c{number}", ["cook", "gardener"][number % 2]) for number in range(12)]


def _refused(broken: Callable[[list[Row]], list[Row]]) -> str:
    rows = broken(list(LABELS))
    if any(rows is nothing for nothing in UNTOUCHED):
        raise Untouched
    with TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("user", "label"), *rows])
        try:
            report = read_labels(path).report
        except InputError as error:
            said = str(error).replace(str(path), "labels.csv")
            if "two labels" in said:
                return f"Refused as it should be: {said}"
            raise Wrong(f"The file is refused, but for another reason: {said}") from error
    raise Wrong(f"The file is taken: {report}")


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
    Exercise(
        "09-break",
        "Write broken(rows): rows are (user, label), one a customer; return them with one row more, so that the file "
        "is refused because a customer has two labels.",
        "The customer has to be there already, and the other label must not be the same.",
        _refused,
        {
            "says the same again": lambda rows: [*rows, rows[0]],
            "has an empty label": lambda rows: [*rows, ("c0", "")],
            "has a customer nobody knows": lambda rows: [*rows, ("c99", "cook")],
            "leaves the rows as they are": lambda rows: rows,
            "leaves one label to all": lambda rows: [(user, "cook") for user, _ in rows],
        },
    ),
)  # fmt: skip
