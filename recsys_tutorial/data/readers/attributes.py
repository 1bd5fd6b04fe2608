"""What is known of users and items beside their events: tables keyed by raw id, titles and genres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ...errors import InputError
from ..catalogue import Catalogue
from ..interactions import Interactions
from .columns import ids


def keyed(table: pd.DataFrame, by: str, path: Path) -> pd.DataFrame:
    """Return the other columns, indexed by raw id.

    Raises:
        InputError: a row without id, or an id that stands twice.
    """
    key = ids(table[by], path)
    keyed = table.drop(columns=by).set_axis(pd.Index(key, name=by))
    if keyed.index.has_duplicates:
        place = int(keyed.index.duplicated().argmax())
        line = table.index[place] if table.index.name == "line" else place + 1
        raise InputError(f"{path}, line {line}, column {by!r}: {key[place]} stands there a second time: drop one")
    return keyed


def with_items(
    interactions: Interactions, table: pd.DataFrame, genres: Sequence[Sequence[str]] | None = None
) -> Interactions:
    """Return the interactions with this table of items (a column ``title`` gives the titles) and these genres.

    Args:
        interactions: whose catalogue is to be told.
        table: one row per item, indexed by raw id; items without events may be in it, items with events may lack.
        genres: one tuple of names per row of ``table``.
    """
    catalogue = interactions.catalogue
    raw = catalogue.ids.tolist()
    titles = dict(zip(table.index.tolist(), table["title"].tolist(), strict=True))
    named = None if genres is None else dict(zip(table.index.tolist(), map(tuple, genres), strict=True))
    told = Catalogue(
        catalogue.ids,
        tuple(titles.get(one) or f"item {one}" for one in raw),
        None if named is None else tuple(named.get(one, ()) for one in raw),
    )
    return replace(interactions, catalogue=told, item_attributes=table)


def genre_names(column: pd.Series, separator: str = "|") -> list[tuple[str, ...]]:
    """Return one tuple of genres per row of ``Comedy|Drama``; ``(no genres listed)`` is none."""
    return [
        () if text == "(no genres listed)" else tuple(name.strip() for name in text.split(separator) if name.strip())
        for text in column.fillna("").astype(str)
    ]
