"""RecBole's atomic files: ``.inter``, and beside it ``.user`` and ``.item``; tab-separated, headers with types.

Source: Zhao et al. (2021), RecBole, arXiv:2011.01731; https://recbole.io/docs/user_guide/data/atomic_files.html.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import InputError, listed
from ..events import from_events
from ..interactions import Interactions
from ..tables import check_file
from ..unquoted import first_line, read_fields
from .attributes import keyed, with_items
from .columns import ids, numbers, seconds

TYPES = ("token", "token_seq", "float", "float_seq")
TITLES, GENRES = ("title", "movie_title", "name", "item_name"), ("genre", "genres", "class", "categories", "category")


def read_recbole(path: Path, duplicates: str = "error") -> Interactions:
    """Read ``NAME.inter`` and, where they are there, ``NAME.user`` and ``NAME.item``.

    Args:
        path: the ``.inter`` file; ``user_id`` and ``item_id`` are needed, ``rating`` and ``timestamp`` used.
        duplicates: see :func:`recsys_tutorial.data.events.from_events`.

    Raises:
        MissingFileError: no such file.
        InputError: a header without types or without these names, a cell that is not of its type, duplicates.
    """
    table, types = _read(path, ("user_id", "item_id"))
    for column in ("user_id", "item_id"):
        if types[column] != "token":
            raise InputError(f"{path}, line 1, column {column!r}: it is a {types[column]}, a token is needed")
    found = from_events(
        ids(table["user_id"], path),
        ids(table["item_id"], path),
        numbers(table["rating"], path) if "rating" in table else None,
        seconds(table["timestamp"], path) if "timestamp" in table else None,
        duplicates=duplicates,
        name=path.name,
    )
    if (users := path.with_suffix(".user")).exists():
        found = replace(found, user_attributes=_attributes(users, "user_id"))
    if (items := path.with_suffix(".item")).exists():
        found = _with_items(found, _attributes(items, "item_id"))
    return found


def _read(path: Path, needed: tuple[str, ...]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return all fields as text, by name, and the type of each."""
    check_file(path)
    header = first_line(path).split("\t")
    pairs = [field.strip().rpartition(":") for field in header]
    names = [name for name, _, _ in pairs]
    for field, (name, _, kind) in zip(header, pairs, strict=True):
        if not name or kind not in TYPES:
            raise InputError(f"{path}, line 1: {field[:60]!r} is not name:type, with a type of {', '.join(TYPES)}")
        if names.count(name) > 1:
            raise InputError(f"{path}, line 1: {names.count(name)} columns are called {name!r}: rename all but one")
    for name in needed:
        if name not in names:
            raise InputError(f"{path}, line 1: no column {name!r}; it has {listed(names)}")
    table = read_fields(path, "\t", [field.strip() for field in header], header=True)
    return table.set_axis(names, axis=1), {name: kind for name, _, kind in pairs}


def _attributes(path: Path, key: str) -> pd.DataFrame:
    """Return a table keyed by raw id; columns of type float are numbers, NaN where empty."""
    table, types = _read(path, (key,))
    for name, kind in types.items():
        if kind == "float":
            table[name] = np.where(table[name] == "", np.nan, numbers(table[name].replace("", "0"), path))
    return keyed(table, key, path)


def _with_items(found: Interactions, table: pd.DataFrame) -> Interactions:
    """Return the interactions with this table of items, and its titles and genres where it has such columns."""
    title = next((name for name in TITLES if name in table), None)
    genre = next((name for name in GENRES if name in table), None)
    genres = None if genre is None else [tuple(str(text).replace(",", " ").split()) for text in table[genre]]
    if title is None and genre is None:
        return replace(found, item_attributes=table)
    table = table.assign(title="") if title is None else table.rename(columns={title: "title"})
    return with_items(found, table, genres)
