"""The items a model knows: their raw ids, and titles and genres where the data has them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from ..errors import InputError, Spellings, unknown

RawId = int | str
_YEAR = re.compile(r"\s*\(\d{4}\)$")


def as_ids(values: Iterable[RawId]) -> np.ndarray:
    """Return raw ids as a read-only array: int64 when all are whole numbers that fit, else ``str`` objects."""
    values = values if isinstance(values, np.ndarray) else list(values)
    # Texts stay objects: NumPy would give each id the room of the longest.
    text = isinstance(values, list) and any(isinstance(value, str) for value in values)
    array = np.asarray(values, object) if text else np.asarray(values)
    whole = array.dtype.kind in "iuf" and np.array_equal(array, np.round(array))
    if whole and np.abs(array).max(initial=0) < 2**63:
        array = array.astype(np.int64)
    else:
        array = np.array([str(value) for value in values], object)
    array.flags.writeable = False
    return array


def genre_table(genres: Sequence[Sequence[str]]) -> np.ndarray:
    """Return ``(n_items, n_genres)`` float32: 1 where an item has a genre; the genres in the order of their names."""
    place = {name: number for number, name in enumerate(sorted({name for some in genres for name in some}))}
    table = np.zeros((len(genres), len(place)), np.float32)
    for item, some in enumerate(genres):
        table[item, [place[name] for name in some]] = 1.0
    return table


@dataclass(frozen=True, eq=False, repr=False)
class Catalogue:
    """Item ids in index order (sorted), with optional titles and genres. Item ``j`` of a model is ``ids[j]``.

    Args:
        ids: ``(n_items,)`` raw ids, all different.
        titles: one title per item, or None.
        genres: one tuple of genre names per item (it may be empty), or None.
    """

    ids: np.ndarray
    titles: tuple[str, ...] | None = None
    genres: tuple[tuple[str, ...], ...] | None = None

    def __post_init__(self) -> None:
        self.ids.flags.writeable = False
        for name in ("titles", "genres"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.ids):
                raise InputError(f"{len(column)} {name} for {len(self.ids)} items: give one per item")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        known = [name for name in ("titles", "genres") if getattr(self, name) is not None]
        return f"Catalogue of {len(self):,} items" + (f" with {' and '.join(known)}" if known else "")

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hex digits that change whenever an item id, or the order of the ids, changes."""
        text = "\n".join(map(str, self.ids.tolist()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def _index(self) -> dict[RawId, int]:
        return {raw: index for index, raw in enumerate(self.ids.tolist())}

    @cached_property
    def _by_title(self) -> dict[str, list[int]]:
        """Every way to write a title -> the items it may mean (see :func:`spellings`)."""
        found: dict[str, list[int]] = {}
        for index, title in enumerate(self.titles or ()):
            for key in spellings(title):
                found.setdefault(key, []).append(index)
        return found

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._by_title)

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {
            "fingerprint": self.fingerprint, "ids": self.ids.tolist(), "titles": self.titles, "genres": self.genres,
        }  # fmt: skip

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> Self:
        """Return what :meth:`to_json` described; InputError where the ids were changed since."""
        titles, genres = described["titles"], described["genres"]
        found = cls(
            as_ids(described["ids"]),
            None if titles is None else tuple(titles),
            None if genres is None else tuple(map(tuple, genres)),
        )
        if found.fingerprint != described.get("fingerprint", found.fingerprint):
            raise InputError("its item ids were changed since it was written: copy the folder anew, or write it again")
        return found

    def label(self, index: int) -> str:
        """Return the title of item ``index``, or its raw id where titles are not known."""
        return self.titles[index] if self.titles is not None else str(self.ids[index])

    def labels(self, indices: Iterable[int]) -> list[str]:
        """Return :meth:`label` for each of ``indices``."""
        return [self.label(int(index)) for index in indices]

    def index_of(self, item: RawId) -> int:
        """Return the index of one item, given by raw id or by title (any case; the year may be left out).

        Raises:
            InputError: no such item (the nearest titles or ids are suggested), or several with that title.
        """
        titled = self._by_title.get(item.casefold(), []) if isinstance(item, str) else []
        found = [index for index in titled if self.label(index) == item] or titled
        if len(found) > 1:
            ways = ", ".join(f"{self.label(index)} = {_plain(self.ids[index])!r}" for index in found[:6])
            raise InputError(f"{len(found)} items are called {item!r}: give the id of one ({ways})")
        index = found[0] if found else find(self._index, item)
        if index is None:
            raise self._unknown(item)
        return index

    def _unknown(self, item: RawId) -> InputError:
        """Suggest titles that contain ``item``, then those that are spelt like it, best first."""
        if self.titles is None or not isinstance(item, str):
            return unknown("item", item, map(str, self.ids))
        folded = item.casefold()
        keys = sorted((key for key in self._by_title if folded in key), key=len)[:3] if len(folded) > 3 else []
        keys = keys or self._spellings.nearest(item)
        close = dict.fromkeys(self.label(index) for key in keys for index in self._by_title[key])
        if not close:
            return InputError(f"unknown item {item!r}: no title is near it; give a title or an id of the catalogue")
        return InputError(f"unknown item {item!r}: did you mean " + " or ".join(map(repr, list(close)[:3])) + "?")

    def indices_of(self, items: Sequence[RawId] | np.ndarray) -> np.ndarray:
        """Return :meth:`index_of` for each of ``items``, ``(len(items),)`` int64."""
        if isinstance(items, str):
            raise InputError(f"items is one text, {items!r}: give a list, [{items!r}]")
        plain = items.tolist() if isinstance(items, np.ndarray) else [_plain(item) for item in items]
        index = self._index  # of numbers at once; a text may be a title too
        return np.array([index[n] if type(n) is int and n in index else self.index_of(n) for n in plain], np.int64)

    def take(self, indices: np.ndarray) -> Catalogue:
        """Return the catalogue of the items at ``indices`` (ascending), in that order."""
        pick = indices.tolist()
        titles = None if self.titles is None else tuple(self.titles[i] for i in pick)
        genres = None if self.genres is None else tuple(self.genres[i] for i in pick)
        return Catalogue(self.ids[indices], titles, genres)

    def require_same(self, other: Catalogue, what: str) -> None:
        """Raise InputError unless ``other`` has the same items in the same order; ``what`` names it."""
        if self.fingerprint != other.fingerprint:
            raise InputError(
                f"{what} has another catalogue ({len(other):,} items, fingerprint {other.fingerprint}) than the "
                f"model ({len(self):,} items, {self.fingerprint}): use the data the model was trained on"
            )


def find(index: dict[RawId, int], raw: RawId) -> int | None:
    """Return ``index[raw]``, or None; a raw id that is a whole number may be given as text too."""
    raw = _plain(raw)
    if raw not in index and isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw):
        raw = int(raw)
    return index.get(raw)


def spellings(title: str) -> set[str]:
    """Return the ways a title is looked up, folded: as it is, without its year, with a trailing article in front.

    ``Lion King, The (1994)`` is found as ``lion king, the (1994)``, ``lion king, the`` and ``the lion king``.
    """
    bare = (_YEAR.sub("", title) if title.endswith(")") else title).casefold()
    rest, comma, article = bare.rpartition(", ")
    return {title.casefold(), bare, f"{article} {rest}" if comma and article in ("the", "a", "an") else bare}


def _plain(item: RawId) -> RawId:
    """Turn a NumPy scalar into the Python value that the index is keyed by."""
    return item.item() if isinstance(item, np.generic) else item
