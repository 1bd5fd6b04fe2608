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
    in_order: bool = False,
    name: str = "interactions",
) -> Interactions:
    """Build :class:`Interactions` from one entry per event.

    Args:
        user: ``(n_events,)`` raw user ids.
        item: ``(n_events,)`` raw item ids.
        weight: ``(n_events,)`` finite numbers; 1 for all when None.
        timestamp: ``(n_events,)`` seconds since 1970, not negative; fractions of a second decide the order and are
            then dropped. Events of one user at one time keep their row order, as do all when None.
        titles: raw item id -> title; items that are not in it are called ``item <id>``.
        genres: raw item id -> genre names.
        duplicates: what to do where one user has one item twice: ``error``; ``last`` keeps the newest;
            ``sum`` adds the weights up and keeps the newest time; ``keep`` keeps every event (a log, a sequence).
        in_order: the rows of each user are oldest first, though times are not given.
        name: shown in messages.

    Raises:
        InputError: no events, columns of unequal length, a missing id, a weight that is not finite, a negative time,
            duplicates not asked for.
    """
    if duplicates not in DUPLICATES:
        raise unknown("duplicates", duplicates, DUPLICATES)
    user, item = _raw_ids(user, "user", name), _raw_ids(item, "item", name)
    if len(user) == 0:
        raise InputError(f"{name!r} has no rows: give at least one event")
    weight = np.ones(len(user), np.float32) if weight is None else _weights(weight, name)
    timestamp = None if timestamp is None else _timestamps(timestamp, name)
    for what, column in (("items", item), ("weights", weight), ("timestamps", timestamp)):
        if column is not None and len(column) != len(user):
            raise InputError(f"{name!r} has {len(column):,} {what} for {len(user):,} users: give one of each per event")

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
        timestamps=None if timestamp is None else np.floor(timestamp[order]).astype(np.int64),
        user_ids=as_ids(user_ids),
        catalogue=_catalogue(as_ids(item_ids), titles, genres),
        name=name,
        in_order=in_order,
    )


def _raw_ids(values: Sequence[RawId] | np.ndarray, what: str, name: str) -> np.ndarray:
    # A list goes through object, lest NumPy turn [1, None] into something else before it is looked at.
    values = np.asarray(values, object) if isinstance(values, list | tuple) else np.asarray(values)
    _refuse(pd.isna(values), values, name, f"{what} id", "is missing: mend or drop the row")
    return as_ids(values.tolist() if values.dtype == object else values)


def _weights(weight: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            weight = np.asarray(weight, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name!r}: the weights are not all numbers ({error})") from error
    _refuse(~np.isfinite(weight), weight, name, "weight", "is not a finite number: mend or drop the row")
    return weight


def _timestamps(timestamp: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    timestamp = np.asarray(timestamp)
    if timestamp.dtype.kind not in "iuf":
        raise InputError(f"{name!r}: the timestamps are not numbers ({timestamp.dtype}): give seconds since 1970")
    # Written so that NaN is refused too. 1e11 seconds is the year 5138: such numbers are milliseconds.
    for bad, why in ((~(timestamp >= 0), "is negative or missing"), (timestamp >= 1e11, "is too large")):
        _refuse(bad, timestamp, name, "timestamp", f"{why}: give seconds since 1970")
    return timestamp


def _refuse(bad: np.ndarray, column: np.ndarray, name: str, what: str, why: str) -> None:
    """Raise for the first row where ``bad`` holds."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(f"{name!r}, row {row + 1}: {what} {column[row]} {why}")


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
