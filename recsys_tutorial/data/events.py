"""From one row per event, as logs and rating files have it, to :class:`Interactions`."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError, unknown
from .catalogue import Catalogue, RawId, as_ids
from .interactions import Interactions
from .ordering import count_repeats, factorize, grouped, order_in_time, shuffle_ties, together
from .reports import ReadReport

DUPLICATES = ("error", "last", "sum", "keep")
IDS = (str, bytes, Real, np.bool_, datetime.date, uuid.UUID)  # what an id may be; the last ones are read as text


def from_events(
    user: Sequence[RawId] | np.ndarray | pd.Categorical,
    item: Sequence[RawId] | np.ndarray | pd.Categorical,
    weight: Sequence[float] | np.ndarray | None = None,
    timestamp: Sequence[float] | np.ndarray | None = None,
    *,
    titles: Mapping[RawId, str] | None = None,
    genres: Mapping[RawId, Sequence[str]] | None = None,
    duplicates: str = "error",
    in_order: bool = False,
    dropped: Mapping[str, int] | None = None,
    name: str = "interactions",
) -> Interactions:
    """Build :class:`Interactions` from one entry per event.

    Args:
        user: ``(n_events,)`` raw user ids; a ``pandas.Categorical`` of them takes least memory.
        item: ``(n_events,)`` raw item ids.
        weight: ``(n_events,)`` finite numbers; 1 for all when None.
        timestamp: ``(n_events,)`` seconds since 1970, not negative, or dates (UTC where they name no zone); fractions
            of a second decide the order and are then dropped. Events of one user at one time come in a random order
            that depends on the ids of user and item alone. When None, all keep their row order.
        titles: raw item id -> title; items that are not in it are called ``item <id>``.
        genres: raw item id -> genre names.
        duplicates: what to do where one user has one item twice: ``error``; ``last`` keeps the newest;
            ``sum`` adds the weights up and keeps the newest time; ``keep`` keeps every event (a log, a sequence).
        in_order: the rows of each user are oldest first, though times are not given, or where times are equal.
        dropped: why -> how many rows the reader left out, for the report.
        name: shown in messages.

    Raises:
        InputError: no events, columns of unequal length, a missing id, a weight that is not finite, a negative time,
            duplicates not asked for.
    """
    if duplicates not in DUPLICATES:
        raise unknown("duplicates", duplicates, DUPLICATES)
    user_codes, user_ids = _codes(user, "user", name)
    item_codes, item_ids = _codes(item, "item", name)
    del user, item  # a large log's are freed here, where the caller has let go of them
    n = len(user_codes)
    if n == 0:
        raise InputError(f"{name!r} has no rows: give at least one event")
    weight = np.ones(n, np.float32) if weight is None else _weights(weight, name)
    times = None if timestamp is None else _timestamps(timestamp, name)
    for what, column in (("items", item_codes), ("weights", weight), ("timestamps", times)):
        if column is not None and len(column) != n:
            raise InputError(f"{name!r} has {len(column):,} {what} for {n:,} users: give one of each per event")

    order, offsets = grouped(user_codes, len(user_ids))
    repeats, tied = count_repeats(order, offsets, item_codes, len(item_ids)), 0
    if times is not None:
        order_in_time(order, offsets, times)
        if not in_order:
            tied = shuffle_ties(order, offsets, times, user_ids, item_codes, item_ids)
    if repeats and duplicates != "keep":
        pair = user_codes.astype(np.int64) * len(item_ids) + item_codes
        if duplicates == "error":
            _refuse_duplicates(pair, user_ids[user_codes], item_ids[item_codes], name)
        if duplicates == "sum":
            same = pd.factorize(pair)[0]
            weight = np.bincount(same, weights=weight)[same].astype(np.float32)
        order = order[~pd.Series(pair[order]).duplicated(keep="last").to_numpy()]
        offsets = np.concatenate([[0], np.cumsum(np.bincount(user_codes[order], minlength=len(user_ids)))])
    del user_codes

    columns = [item_codes, weight] + ([] if times is None else [times])
    items, weights, *rest = together(lambda column: column[order], columns)
    times = rest[0] if rest else None
    if times is not None:
        times = (np.floor(times) if times.dtype.kind == "f" else times).astype(np.int64, copy=False)
    report = ReadReport(
        rows=n + sum((dropped or {}).values()),
        users=len(user_ids),
        items=len(item_ids),
        events=len(order),
        density=(n - repeats) / (len(user_ids) * len(item_ids)),
        repeats=repeats,
        merged=duplicates,
        first=None if times is None else int(times.min()),
        last=None if times is None else int(times.max()),
        ties=tied / max(1, n - len(user_ids)),
        dropped=dict(dropped or {}),
    )
    return Interactions(
        items=items,
        offsets=offsets,
        weights=weights,
        timestamps=times,
        user_ids=user_ids,
        catalogue=catalogue_of(item_ids, titles, genres),
        name=name,
        in_order=in_order,
        report=report,
    )


def _codes(
    values: Sequence[RawId] | np.ndarray | pd.Categorical, what: str, name: str
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return ``(n,)`` int32 places in the sorted raw ids, and these ids."""
    if isinstance(values, pd.Categorical) and values.codes.min(initial=0) >= 0:
        used = np.flatnonzero(np.bincount(values.codes, minlength=len(values.categories)))
        if len(used) == len(values.categories) and _sorted_numbers(values.categories):
            return values.codes.astype(np.int32, copy=False), as_ids(values.categories.to_numpy())
        places, ids = pd.factorize(as_ids(values.categories[used].tolist()), sort=True)
        new = np.empty(len(values.categories), np.int32)
        new[used] = places
        return new[values.codes], as_ids(ids)
    if not (isinstance(values, np.ndarray) and values.dtype == np.int64 and values.ndim == 1):
        values = _raw_ids(values, what, name)
    if values.dtype == np.int64:
        codes, ids = factorize(values)
        return codes, as_ids(ids)
    codes, ids = pd.factorize(values, sort=True)
    return codes.astype(np.int32), as_ids(ids)


def _sorted_numbers(categories: pd.Index) -> bool:
    return categories.dtype == np.int64 and categories.is_monotonic_increasing


def _raw_ids(values: Sequence[RawId] | np.ndarray | pd.Categorical, what: str, name: str) -> np.ndarray:
    # A list goes through object, lest NumPy turn [1, None] into something else before it is looked at.
    if isinstance(values, list | tuple):
        values = np.fromiter(values, object, len(values))
    values = np.asarray(values)
    if values.ndim != 1:
        raise InputError(f"{name!r}: the {what} ids have shape {values.shape}: give one id per event")
    _refuse(pd.isna(values), values, name, f"{what} id", "is missing: mend or drop the row")
    if values.dtype.kind not in "iufbUO":
        values = values.astype(object)
    if values.dtype != object:
        return as_ids(values)
    odd = np.fromiter((not isinstance(one, IDS) for one in values), bool, len(values))
    _refuse(odd, values, name, f"{what} id", "is neither a number nor a text: make it one")
    return as_ids([_decoded(one, what, name) if isinstance(one, bytes) else one for one in values])


def _decoded(raw: bytes, what: str, name: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{name!r}: {what} id {raw!r} is not UTF-8: decode it, as in id.decode('latin-1')") from error


def _weights(weight: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            weight = np.asarray(weight, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name!r}: the weights are not all numbers ({error})") from error
    _refuse(~np.isfinite(weight), weight, name, "weight", "is not a finite number: mend or drop the row")
    return weight


def _timestamps(timestamp: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    if getattr(getattr(timestamp, "dtype", None), "kind", "O") in "OM":
        timestamp = _seconds(timestamp, name)
    timestamp = np.asarray(timestamp)
    if timestamp.dtype.kind not in "iuf":
        raise InputError(
            f"{name!r}: the timestamps are neither numbers nor dates ({timestamp.dtype}): give seconds since 1970"
        )
    # Written so that NaN is refused too. 1e11 seconds is the year 5138: such numbers are milliseconds.
    for bad, why in ((~(timestamp >= 0), "is negative or missing"), (timestamp >= 1e11, "is too large")):
        _refuse(bad, timestamp, name, "timestamp", f"{why}: give seconds since 1970")
    return timestamp


def _seconds(timestamp: Any, name: str) -> Any:
    """Return dates as seconds since 1970, those without a time zone as UTC, NaN where one is missing; others as is."""
    column = pd.Series(timestamp, copy=False).reset_index(drop=True)
    if column.dtype == object and column.map(lambda one: isinstance(one, datetime.date)).any():
        column = pd.to_datetime(column, utc=True, errors="coerce")
    if column.dtype.kind != "M":
        return timestamp
    if column.dt.tz is not None:
        column = column.dt.tz_convert(None)
    whole = column.astype("datetime64[us]")
    return np.where(whole.isna(), np.nan, whole.astype(np.int64) / 1e6)


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


def catalogue_of(
    ids: np.ndarray, titles: Mapping[RawId, str] | None, genres: Mapping[RawId, Sequence[str]] | None
) -> Catalogue:
    """Return the catalogue of ``(n_items,)`` sorted raw ids, with titles and genres from raw id to each."""
    raw = ids.tolist()
    return Catalogue(
        ids,
        None if titles is None else tuple(titles.get(one) or f"item {one}" for one in raw),
        None if genres is None else tuple(tuple(genres.get(one, ())) for one in raw),
    )
