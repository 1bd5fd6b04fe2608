"""Interactions in a folder, opened as memory maps: data that is larger than memory.

A folder holds ``interactions.json`` and the folder that it names, with one ``.npy`` for each array and Parquet for
tables. The JSON is written last; renaming it over the old one is the moment the new data counts, so that a crash at any
time leaves the old data or the new, whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError, MissingFileError, check_format
from .catalogue import Catalogue, RawId, as_ids
from .events import catalogue_of
from .files import in_pieces, make_folder, to_json, write_text
from .interactions import Interactions
from .reports import ReadReport

FORMAT = 1
NAME = "interactions.json"
_TABLES = ("user_attributes", "item_attributes")
_KEPT = ("name", "in_order", "report", "catalogue", "user_ids", "labels", *_TABLES)  # of a part, all but its events


def save_interactions(folder: str | Path, interactions: Interactions | Iterable[Interactions]) -> Interactions:
    """Write interactions to ``folder``, and return them as :func:`open_interactions` opens them.

    Several are laid one behind the other, and only one has to be in memory at a time: cut a log that is larger than
    memory by user into files, and read
    ``save_interactions(folder, (read_interactions(path) for path in paths))``.

    Args:
        folder: made where it is missing; interactions that it holds are replaced.
        interactions: one, or several of different users.

    Raises:
        InputError: ``folder`` is a file; nothing to write, a user in two parts, times known of some parts only, or
            parts with ``labels``.
    """
    parts = [interactions] if isinstance(interactions, Interactions) else interactions
    data = Path(folder) / f"data-{os.urandom(4).hex()}"
    make_folder(data)
    try:
        writer = _Writer(data)
        for part in parts:
            writer.add(part)
        described = writer.finish()
        write_text(Path(folder) / NAME, to_json({"format": FORMAT, "folder": data.name, **described}))
    except BaseException:
        shutil.rmtree(data)
        raise
    for old in Path(folder).glob("data-*"):
        if old != data:
            shutil.rmtree(old, ignore_errors=True)
    return open_interactions(folder)


def open_interactions(folder: str | Path) -> Interactions:
    """Return the interactions in ``folder``. Their arrays stay on disk; what is looked at is read from there.

    Pretraining reads the users of each batch. What selects users, items or events copies what it selects to memory.

    Raises:
        MissingFileError: no interactions there, or not all files.
        InputError: damaged, or of a newer format.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        raise MissingFileError(f"no interactions in {str(folder)!r} (no {NAME}): give one that save_interactions wrote")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        check_format(path, described["format"], FORMAT)
        found = _opened(path.parent / described["folder"], described)
        sizes = [found.n_users, len(found.offsets) - 1, found.n_events, len(found.weights), int(found.offsets[-1])]
        if sizes != 2 * [described["n_users"]] + 3 * [described["n_events"]]:
            raise ValueError(f"its files hold {sizes} users, offsets, items, weights and events")
    except FileNotFoundError as error:
        raise MissingFileError(f"{path}: {error.filename} is missing: copy the whole folder") from error
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, EOFError) as error:
        raise InputError(f"{path} is damaged ({error}): write it again, or copy the whole folder anew") from error
    vars(found).update(fingerprint=described["fingerprint"], summary=described["summary"])  # spares reading it all
    return found


def _opened(data: Path, described: dict[str, Any]) -> Interactions:
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in data.glob("*.npy")}
    tables = {path.stem: pd.read_parquet(path) for path in data.glob("*.parquet")}
    if "user_ids" in tables:
        arrays["user_ids"] = as_ids(tables.pop("user_ids")["id"].tolist())
    return Interactions(
        **{"timestamps": None} | arrays | tables,
        catalogue=Catalogue.from_json(described["catalogue"]),
        name=described["name"],
        in_order=described["in_order"],
        labels=open_interactions(data / "labels") if described["labels"] else None,
        report=None if described["report"] is None else ReadReport(**described["report"]),
    )


class _Array:
    """An ``.npy`` file that grows: its header is written again in the end, when the length is known."""

    def __init__(self, path: Path, dtype: type[np.generic]) -> None:
        self.path, self.dtype, self.length = path, np.dtype(dtype), 0
        self.file = path.open("wb")
        self._header()

    def _header(self) -> None:
        described = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.length,)}
        np.lib.format.write_array_header_1_0(self.file, described)  # NumPy leaves room for any length

    def append(self, array: np.ndarray) -> None:
        """Write ``(n,)`` behind what is there."""
        self.file.write(np.ascontiguousarray(array, self.dtype).data)
        self.length += len(array)

    def close(self) -> None:
        """Bring it to the disk, whole."""
        self.file.seek(0)
        self._header()
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


class _Writer:
    """Writes parts one behind the other into the folder ``data``."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.arrays: dict[str, _Array] = {}
        self.parts: list[dict[str, Any]] = []
        self.items: dict[RawId, int] = {}  # raw id -> number, as they come

    def add(self, part: Interactions) -> None:
        """Write the events of a part; its users come behind those that are there."""
        kept = {name: getattr(part, name) for name in _KEPT}
        kept["kind"] = (part.timestamps is None, part.in_order, part.user_ids.dtype, part.item_ids.dtype)
        self.parts.append(kept)
        if kept["kind"] != self.parts[0]["kind"]:
            raise InputError(
                f"{part.name!r} and {self.parts[0]['name']!r} differ: in one of them times or order are known or ids "
                "are whole numbers, in the other not. Read them alike"
            )
        number = np.array([self.items.setdefault(raw, len(self.items)) for raw in part.item_ids.tolist()], np.int32)
        before = self.arrays["items"].length if self.arrays else 0
        self._append("offsets", np.int64, part.offsets[min(1, len(self.parts) - 1) :] + before)
        for piece in in_pieces(part.items):
            self._append("items", np.int32, number[piece])
        for piece in in_pieces(part.weights):
            self._append("weights", np.float32, piece)
        for piece in () if part.timestamps is None else in_pieces(part.timestamps):
            self._append("timestamps", np.int64, piece)

    def finish(self) -> dict[str, Any]:
        """Write what is not events, and return what the JSON says."""
        if not self.parts:
            raise InputError("no interactions to save: give at least one")
        first, several = self.parts[0], len(self.parts) > 1
        users = np.concatenate([part["user_ids"] for part in self.parts])
        if (again := pd.Series(users).duplicated()).any():
            raise InputError(f"user {users[again.argmax()]} is in two parts: bring a user's events together first")
        if users.dtype == np.int64:
            self._append("user_ids", np.int64, users)
        else:
            pd.DataFrame({"id": users}).to_parquet(self.data / "user_ids.parquet")
        for array in self.arrays.values():
            array.close()
        for name in _TABLES:
            if tables := [part[name] for part in self.parts if part[name] is not None]:
                table = pd.concat(tables)
                table[~table.index.duplicated()].to_parquet(self.data / f"{name}.parquet")
        if several and any(part["labels"] is not None for part in self.parts):
            raise InputError("several parts with labels: save the labels to a folder of their own")
        if first["labels"] is not None:
            save_interactions(self.data / "labels", first["labels"])
        described = {
            "n_users": len(users), "n_events": self.arrays["items"].length, "name": first["name"],
            "in_order": first["in_order"], "labels": first["labels"] is not None,
            "report": asdict(first["report"]) if first["report"] and not several else None,
            "catalogue": (self._sorted_catalogue() if several else first["catalogue"]).to_json(),
        }  # fmt: skip
        found = _opened(self.data, described)
        return described | {"fingerprint": found.fingerprint, "summary": found.summary}

    def _append(self, name: str, dtype: type[np.generic], array: np.ndarray) -> None:
        if name not in self.arrays:
            self.arrays[name] = _Array(self.data / f"{name}.npy", dtype)
        self.arrays[name].append(array)

    def _sorted_catalogue(self) -> Catalogue:
        """Return the catalogue of all parts, and number the items in the file as they stand in it."""
        ids = as_ids(list(self.items))
        order = np.argsort(ids)
        place = np.argsort(order).astype(np.int32)
        items = np.load(self.data / "items.npy", mmap_mode="r+")
        for piece in in_pieces(items):
            piece[:] = place[piece]
        items.flush()
        columns: dict[str, dict[RawId, Any]] = {"titles": {}, "genres": {}}
        for catalogue in (part["catalogue"] for part in self.parts):
            for name, found in columns.items():
                found |= dict(zip(catalogue.ids.tolist(), getattr(catalogue, name) or (), strict=False))
        return catalogue_of(ids[order], columns["titles"] or None, columns["genres"] or None)
