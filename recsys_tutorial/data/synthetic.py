"""Invented behaviour of any size, with the long tail and the shared tastes of the real thing: for benchmarks."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .catalogue import Catalogue, as_ids
from .interactions import Interactions

_TASTES = 8
_OWN_TASTE = 0.7  # share of a user's draws that follow the user's taste; the others follow the crowd


def synthetic(users: int, items: int, events: int, seed: int = 0) -> Interactions:
    """Draw behaviour in which an item's popularity falls as 1 / rank and users fall into a few tastes.

    Every item belongs to one taste. Seven in ten of a user's draws are among the items of the user's own taste, the
    others among all. How much a user does is log-normal, as in most catalogues. A user who draws an item twice has it
    once, so that fewer events than asked for come out; every user has at least two draws.

    Args:
        users: how many; user ids are 0 .. users - 1.
        items: how many; those that nobody drew are in the catalogue too. An item's taste is its genre.
        events: how many draws, at least two a user.
        seed: fixes all draws.

    Raises:
        InputError: no users, fewer than two items, or fewer than two events a user.
    """
    if users < 1 or items < 2 or events < 2 * users:
        raise InputError(f"{users} users, {items} items, {events} events: needs 1, 2 and two a user, at least")
    rng = np.random.default_rng(seed)
    popularity = 1 / rng.permutation(np.arange(1, items + 1))
    taste_of_item = rng.integers(0, _TASTES, items)
    activity = rng.lognormal(sigma=1.0, size=users)
    lengths = 2 + rng.multinomial(events - 2 * users, activity / activity.sum())
    user = np.repeat(np.arange(users), lengths)
    item = _draw(popularity, len(user), rng)
    taste = np.where(rng.random(len(user)) < _OWN_TASTE, rng.integers(0, _TASTES, users)[user], -1)
    for one in range(_TASTES):
        own, among = taste == one, np.flatnonzero(taste_of_item == one)
        if len(among):
            item[own] = among[_draw(popularity[among], int(own.sum()), rng)]
    pairs = np.unique(user.astype(np.int64) * items + item)
    return Interactions(
        items=(pairs % items).astype(np.int32),
        offsets=np.searchsorted(pairs // items, np.arange(users + 1)),
        weights=np.ones(len(pairs), np.float32),
        timestamps=None,
        user_ids=as_ids(np.arange(users)),
        catalogue=Catalogue(as_ids(np.arange(items)), genres=tuple((f"taste {one}",) for one in taste_of_item)),
        name="synthetic",
    )


def _draw(weights: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` positions, each in proportion to its weight."""
    ends = np.cumsum(weights)
    return np.minimum(np.searchsorted(ends, rng.random(n) * ends[-1], side="right"), len(weights) - 1)
