"""Two sets of interactions laid on each other: the same users or the same items, found by raw id or by title."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError
from .catalogue import Catalogue, as_ids
from .events import catalogue_of, from_events
from .interactions import Interactions
from .ordering import count_repeats

Ids = np.ndarray


def place_of(ids: Ids, among: Ids) -> np.ndarray:
    """Return where each of ``ids`` stands in ``among``, -1 where it is not there; 7 and the text 7 are the same."""
    if ids.dtype.kind != among.dtype.kind:  # one odd id makes all those of a file texts
        ids, among = ids.astype(str), among.astype(str)
    index = {raw: place for place, raw in enumerate(among.tolist())}
    return np.array([index.get(raw, -1) for raw in ids.tolist()], np.int64)


def with_items(interactions: Interactions, catalogue: Catalogue, places: np.ndarray | None = None) -> Interactions:
    """Return the events on the items of ``catalogue``, numbered as there; the others are dropped, users all stay.

    Args:
        interactions: events on other items.
        catalogue: the items to have.
        places: ``(n_items,)`` where each old item stands in ``catalogue``, -1 for nowhere; by raw id when None.
    """
    places = place_of(interactions.item_ids, catalogue.ids) if places is None else places
    if len(places) != interactions.n_items:
        raise InputError(f"{len(places)} places for {interactions.n_items} items: give one for each")
    items = places[interactions.items]
    kept = interactions.keep_events(items >= 0)
    return replace(kept, items=items[items >= 0].astype(np.int32), catalogue=catalogue)


def with_users(interactions: Interactions, user_ids: Ids) -> Interactions:
    """Return one row for each of ``user_ids``, in that order, found by raw id; who is not there has no events."""
    rows = place_of(user_ids, interactions.user_ids)
    known = rows >= 0
    found = interactions.take_users(rows[known])
    lengths = np.zeros(len(user_ids), np.int64)
    lengths[known] = found.events_per_user
    return replace(found, offsets=np.concatenate([[0], np.cumsum(lengths)]), user_ids=user_ids.copy())


def joined(before: Interactions, more: Interactions) -> Interactions:
    """Return what happened before and what happened since as one, users and items found by raw id.

    Each user's events come in time order where both sets know times, else those of ``more`` behind the others. An item
    that a user has again counts once, where and as it was last, unless one of the sets has such repeats by itself.

    Args:
        before: its titles and genres stand where both have an item.
        more: what happened since.
    """
    parts, same = (before, more), before.user_ids.dtype.kind == more.user_ids.dtype.kind
    alike = before.item_ids.dtype.kind == more.item_ids.dtype.kind  # one odd id makes all those of a file texts
    users = [(part.user_ids if same else part.user_ids.astype(str)).repeat(part.events_per_user) for part in parts]
    items = [(part.item_ids if alike else part.item_ids.astype(str))[part.items] for part in parts]
    timed = before.timestamps is not None and more.timestamps is not None
    repeats = any(count_repeats(None, part.offsets, part.items, part.n_items) for part in parts)
    described: dict[str, Any] = {}
    for what in ("titles", "genres"):
        known = [(part.item_ids, getattr(part, what)) for part in (more, before)]  # the later one stands
        pairs = [pair for ids, values in known if values for pair in zip(ids.tolist(), values, strict=True)]
        described[what] = {raw if alike else str(raw): value for raw, value in pairs} or None
    ids = as_ids(sorted({raw if alike else str(raw) for part in parts for raw in part.item_ids.tolist()}))
    events = from_events(
        np.concatenate(users), np.concatenate(items), np.concatenate([part.weights for part in parts]),
        np.concatenate([np.asarray(part.timestamps) for part in parts]) if timed else None,
        duplicates="keep" if repeats else "last", in_order=before.in_order and more.in_order,
        name=f"{before.name} + {more.name}",
    )  # fmt: skip
    return with_items(events, catalogue_of(ids, **described))  # an item that nobody has keeps its place


def with_more_users(some: Interactions, more: Interactions) -> Interactions:
    """Return the users of both, numbered anew; each event of weight 1, in no known order.

    Raises:
        InputError: they do not have the same items.
    """
    some.catalogue.require_same(more.catalogue, f"{more.name!r}")
    return replace(
        some,
        items=np.concatenate([some.items, more.items]),
        offsets=np.concatenate([some.offsets, more.offsets[1:] + some.offsets[-1]]),
        weights=np.ones(some.n_events + more.n_events, np.float32),
        timestamps=None,
        user_ids=np.arange(some.n_users + more.n_users),
    )


def shared_items(source: Interactions, target: Interactions) -> np.ndarray:
    """Return ``(source.n_items,)`` where each item of the source stands in the target's catalogue, -1 for nowhere.

    Items are the same that have the same title (with its year), where both sets have titles; else the same raw id.
    A title that one of the sets has twice joins nothing.

    Raises:
        InputError: nothing is shared.
    """
    if source.titles is not None and target.titles is not None:
        both = (source.titles, target.titles)
        names = [np.array([title.casefold() for title in titles], np.object_) for titles in both]
        places = place_of(*names)
        for one, rows in zip(names, (np.arange(len(places)), places), strict=True):
            values, counts = np.unique(one.astype(str), return_counts=True)
            twice = set(values[counts > 1].tolist())
            places[[row >= 0 and one[row] in twice for row in rows.tolist()]] = -1
    else:
        places = place_of(source.item_ids, target.item_ids)
    if not (places >= 0).any():
        raise InputError(
            f"{source.name!r} and {target.name!r} share no item: they need items of the same id, or of the same title"
        )
    return places
