"""Read a person's own data: CSV, TSV or Parquet, one row per event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .catalogue import as_ids
from .errors import InputError, nearest
from .events import from_events
from .interactions import Interactions
from .tables import read_table

TIME = "is not a time: give seconds since 1970, or dates as 2024-05-31 or 2024-05-31T10:00:00+02:00"


def read_interactions(
    path: str | Path,
    user: str = "user",
    item: str = "item",
    rating: str | None = "rating",
    timestamp: str | None = "timestamp",
    *,
    title: str | None = "title",
    genres: str | None = "genres",
    duplicates: str = "error",
) -> Interactions:
    """Read interactions from a file with a header row; the ending says how: ``.csv .tsv .txt .parquet .pq``.

    Text files are UTF-8, separated as the ending says (``.txt`` by tabs), or by the one of ``, ; | tab`` that the
    header shows. Spaces around names and ids do not count, nor do blank lines.

    Args:
        path: the file.
        user: name of the column of user ids.
        item: name of the column of item ids.
        rating: name of the column of weights (ratings, counts); 1 each where the file has no ``rating`` column.
        timestamp: name of the column of times: seconds since 1970 (or milli-, micro- or nanoseconds, told by their
            size), or ISO dates; a date without a zone is in UTC.
        title: name of the column of item titles, used where it exists.
        genres: name of the column of genres, ``Comedy|Drama``, used where it exists.
        duplicates: see :func:`recsys_tutorial.events.from_events`.

    Raises:
        MissingFileError: no such file.
        InputError: empty file, unknown ending, missing column, a cell that cannot be read (its row and column
            are named; rows count from 1 below the header), duplicates that were not asked for.
    """
    path = Path(path)
    wanted = {"user": user, "item": item, "rating": rating, "timestamp": timestamp, "title": title, "genres": genres}
    table = read_table(path, text=[name for name in (user, item, title, genres) if name is not None])
    columns = {role: _column(table, role, name, path) for role, name in wanted.items()}
    raw_item = _ids(columns["item"], path)
    return from_events(
        _ids(columns["user"], path),
        raw_item,
        None if columns["rating"] is None else _numbers(columns["rating"], path),
        None if columns["timestamp"] is None else _seconds(columns["timestamp"], path),
        titles=_per_item(raw_item, columns["title"]),
        genres=_split(_per_item(raw_item, columns["genres"])),
        duplicates=duplicates,
        name=path.name,
    )


def _column(table: pd.DataFrame, role: str, name: str | None, path: Path) -> pd.Series | None:
    """Return a column, or None where it may be missing: not wanted, or optional and not named by the caller."""
    found = [str(column) for column in table.columns]
    if found.count(name) > 1:
        raise InputError(f"{path} has {found.count(name)} columns called {name!r}: rename all but one")
    if name in found:
        return table[name]
    if name is None or (name == role and role not in ("user", "item")):
        return None
    near = (nearest(name, found, 1) or ["..."])[0]
    raise InputError(
        f"{path} has no column {name!r} for {role}: it has {', '.join(found)}; "
        f"name yours with {role}={near!r} (in a command: --columns {role}={near})"
    )


def _refuse(bad: pd.Series, column: pd.Series, path: Path, why: str) -> None:
    """Raise for the first row where ``bad`` holds."""
    bad = bad.to_numpy(bool)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = column.iloc[row : row + 1].tolist()[0]  # as Python has it, not np.int64(5)
        empty = column.isna().iloc[row] or (isinstance(value, str) and value == "")
        shown = "an empty cell (NaN)" if empty else repr(value)
        raise InputError(
            f"{path}, row {row + 1}, column {column.name!r}: {shown} {why} (such rows: {bad.sum():,}): "
            "mend or drop them"
        )


def _ids(column: pd.Series, path: Path) -> np.ndarray:
    """Return int64 where every id is a plain whole number (no leading zero, no sign), else text."""
    _refuse(column.isna(), column, path, "is not an id")
    if column.dtype.kind in "iuf":
        whole = (column.round() == column) & np.isfinite(column)
        _refuse(~whole, column, path, "is not a whole number, so not an id")
        return as_ids(column.to_numpy())
    nested = isinstance(column.iloc[0], list | dict | np.ndarray)  # in Parquet, then all are
    _refuse(column.notna() & nested, column, path, "is not an id: give one row per event")
    text = column.astype(str).str.strip()
    _refuse(text == "", text, path, "is not an id")
    return as_ids(text.to_numpy(np.int64) if text.str.fullmatch(r"0|[1-9]\d{0,17}").all() else text)


def _numbers(column: pd.Series, path: Path) -> np.ndarray:
    """Return float32; refuse empty cells, text, infinities, and what is too large to be told from one."""
    with np.errstate(over="ignore"):
        number = pd.to_numeric(column, errors="coerce").astype(np.float32)
    _refuse(~np.isfinite(number), column, path, "is not a finite number")
    return number.to_numpy()


def _seconds(column: pd.Series, path: Path) -> np.ndarray:
    """Return seconds since 1970, with their fractions, from numbers or from dates."""
    number = pd.to_numeric(column, errors="coerce") if column.dtype.kind not in "mM" else None
    dated = number is None or number.isna().all()
    seconds = _seconds_of_dates(column, path) if dated else _seconds_of_numbers(number, column, path)
    _refuse(seconds < 0, column, path, "is before 1970, a negative time: give seconds since 1970")
    return seconds.to_numpy()


def _seconds_of_dates(column: pd.Series, path: Path) -> pd.Series:
    dates = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
    iso = column.astype(str).str.match(r"\d{4}[-/]\d")  # pandas also reads "now"
    _refuse(dates.isna() | ~iso, column, path, TIME)
    return dates.dt.as_unit("us").astype(np.int64) / 1e6


def _seconds_of_numbers(number: pd.Series, column: pd.Series, path: Path) -> pd.Series:
    _refuse(~(number < 2.0**63), column, path, TIME)
    if number.between(19_000_101, 21_001_231).all():
        _refuse(number > 0, column, path, "looks like a date without dashes: write 2024-05-31")
    # Up to the year 5138 seconds are below 1e11; from 1973 to then milliseconds are not, and so on.
    unit = pd.Series(np.searchsorted([1e11, 1e14, 1e17], number, side="right"))
    _refuse(unit != unit[0], column, path, "is in another unit than row 1: give seconds since 1970")
    return number if unit[0] == 0 else number / 1000.0 ** unit[0]


def _per_item(items: np.ndarray, column: pd.Series | None) -> dict | None:
    """Return raw item id -> its first non-empty value."""
    if column is None:
        return None
    known = pd.DataFrame({"item": items, "value": column.to_numpy()}).dropna().drop_duplicates("item")
    return dict(zip(known["item"].tolist(), map(_text, known["value"]), strict=True))


def _text(value: object) -> str:
    return "|".join(map(str, value)) if isinstance(value, list | np.ndarray) else str(value).strip()


def _split(genres: dict | None) -> dict | None:
    if genres is None:
        return None
    return {item: tuple(name.strip() for name in text.split("|") if name.strip()) for item, text in genres.items()}
