"""From one row per event, as logs and rating files have it, to :class:`Interactions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .catalogue import Catalogue, RawId, as_ids
from .errors import InputError, unknown
from .interactions import Interactions

DUPLICATES = ("error", "last", "sum", "keep")


def from_events(
    user: Sequence[RawId] | np.ndarray,
    item: Sequence[RawId] | np.ndarray,
    weight: Sequence[float] | np.ndarray | None = None,
    timestamp: Sequence[int] | np.ndarray | None = None,
    *,
    titles: Mapping[RawId, str] | None = None,
    genres: Mapping[RawId, Sequence[str]] | None = None,
    duplicates: str = "error",
    name: str = "interactions",
) -> Interactions:
    """Build :class:`Interactions` from one entry per event.

    Args:
        user: ``(n_events,)`` raw user ids.
        item: ``(n_events,)`` raw item ids.
        weight: ``(n_events,)`` finite numbers; 1 for all when None.
        timestamp: ``(n_events,)`` whole seconds since 1970, not negative; row order is time order when None.
        titles: raw item id -> title; items that are not in it are called ``item <id>``.
        genres: raw item id -> genre names.
        duplicates: what to do where one user has one item twice: ``error``; ``last`` keeps the newest;
            ``sum`` adds the weights up and keeps the newest time; ``keep`` keeps every event (a log, a sequence).
        name: shown in messages.

    Raises:
        InputError: no events, a weight that is not finite, a negative time, duplicates not asked for.
    """
    if duplicates not in DUPLICATES:
        raise unknown("duplicates", duplicates, DUPLICATES)
    user, item = np.asarray(user), np.asarray(item)
    if len(user) == 0:
        raise InputError(f"{name!r} has no rows: give at least one event")
    weight = _weights(weight, len(user), name)
    timestamp = _timestamps(timestamp, name)

    user_codes, user_ids = pd.factorize(user, sort=True)
    item_codes, item_ids = pd.factorize(item, sort=True)
    pair = user_codes * len(item_ids) + item_codes
    if duplicates == "error":
        _refuse_duplicates(pair, user, item, name)
    # lexsort is stable: events of one user at one time keep their row order.
    order = np.lexsort((user_codes,) if timestamp is None else (timestamp, user_codes))
    if duplicates == "sum":
        same = pd.factorize(pair)[0]
        weight = np.bincount(same, weights=weight)[same].astype(np.float32)
    if duplicates in ("last", "sum"):
        order = order[~pd.Series(pair[order]).duplicated(keep="last").to_numpy()]

    counts = np.bincount(user_codes[order], minlength=len(user_ids))
    return Interactions(
        items=item_codes[order].astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        weights=weight[order],
        timestamps=None if timestamp is None else timestamp[order],
        user_ids=as_ids(user_ids),
        catalogue=_catalogue(as_ids(item_ids), titles, genres),
        name=name,
    )


def _weights(weight: Sequence[float] | np.ndarray | None, n: int, name: str) -> np.ndarray:
    if weight is None:
        return np.ones(n, np.float32)
    weight = np.asarray(weight, np.float32)
    bad = np.flatnonzero(~np.isfinite(weight))
    if len(bad):
        raise InputError(
            f"{name!r}, row {bad[0] + 1}: weight {weight[bad[0]]} is not a finite number: mend or drop the row"
        )
    return weight


def _timestamps(timestamp: Sequence[int] | np.ndarray | None, name: str) -> np.ndarray | None:
    if timestamp is None:
        return None
    timestamp = np.asarray(timestamp, np.int64)
    bad = np.flatnonzero(timestamp < 0)
    if len(bad):
        raise InputError(
            f"{name!r}, row {bad[0] + 1}: timestamp {timestamp[bad[0]]} is negative: give seconds since 1970"
        )
    return timestamp


def _refuse_duplicates(pair: np.ndarray, user: np.ndarray, item: np.ndarray, name: str) -> None:
    again = np.flatnonzero(pd.Series(pair).duplicated().to_numpy())
    if len(again):
        row = again[0]
        raise InputError(
            f"{name!r}, row {row + 1}: user {user[row]} has item {item[row]} a second time (duplicate rows: "
            f"{len(again):,}): say what they mean with duplicates='last', 'sum' or 'keep'"
        )


def _catalogue(
    ids: np.ndarray, titles: Mapping[RawId, str] | None, genres: Mapping[RawId, Sequence[str]] | None
) -> Catalogue:
    raw = ids.tolist()
    return Catalogue(
        ids,
        None if titles is None else tuple(titles.get(one) or f"item {one}" for one in raw),
        None if genres is None else tuple(tuple(genres.get(one, ())) for one in raw),
    )
