"""Read a person's own data: CSV, TSV or Parquet, one row per event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .errors import InputError, MissingFileError, nearest
from .events import from_events
from .interactions import Interactions

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
PARQUET = (".parquet", ".pq")


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
    """Read interactions from a file with a header row; the ending says how: ``.csv .tsv .txt .parquet``.

    Args:
        path: the file; ``.txt`` is read as tab-separated.
        user: name of the column of user ids.
        item: name of the column of item ids.
        rating: name of the column of weights (ratings, counts); 1 each where the file has no ``rating`` column.
        timestamp: name of the column of times: seconds since 1970, or dates that pandas can read.
        title: name of the column of item titles, used where it exists.
        genres: name of the column of genres, ``Comedy|Drama``, used where it exists.
        duplicates: see :func:`recsys_tutorial.events.from_events`.

    Raises:
        MissingFileError: no such file.
        InputError: empty file, unknown ending, missing column, a cell that cannot be read (its row and column
            are named; rows count from 1 below the header), duplicates that were not asked for.
    """
    path = Path(path)
    wanted = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
    optional = {"rating": "rating", "timestamp": "timestamp", "title": "title", "genres": "genres"}
    wanted |= {"title": title, "genres": genres}
    table = _read_table(path, text_columns=[user, item])
    if table.empty:
        raise InputError(f"{path} is empty: it needs a header and at least one row")
    columns: dict[str, pd.Series | None] = {}
    for role, column in wanted.items():
        # A column that was named must exist; one that is only a default may be missing.
        missing_ok = column is None or optional.get(role) == column
        columns[role] = _column(table, role, column, path, missing_ok)
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


def _read_table(path: Path, text_columns: list[str]) -> pd.DataFrame:
    """Return the whole file; ids stay text, so that 007 and 1e5 are not taken for numbers."""
    if not path.exists():
        near = nearest(path.name, (other.name for other in path.parent.glob("*")))
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise MissingFileError(f"no file {str(path)!r}: {hint}")
    ending = path.suffix.lower()
    if ending not in SEPARATORS and ending not in PARQUET:
        known = " ".join([*SEPARATORS, *PARQUET])
        raise InputError(f"{path} ends in {ending or 'nothing'!r}: use one of {known}")
    try:
        if ending in PARQUET:
            return pd.read_parquet(path)
        dtypes = dict.fromkeys(text_columns, str)
        return pd.read_csv(path, sep=SEPARATORS[ending], dtype=dtypes, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty: it needs a header and at least one row") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as {ending[1:]}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _column(table: pd.DataFrame, role: str, column: str | None, path: Path, missing_ok: bool) -> pd.Series | None:
    if column is not None and column in table.columns:
        return table[column]
    if missing_ok:
        return None
    found = ", ".join(map(str, table.columns))
    raise InputError(f"{path} has no column {column!r} for {role}: it has {found}; name yours with {role}=...")


def _refuse(bad: pd.Series, column: pd.Series, path: Path, why: str) -> None:
    """Raise for the first row where ``bad`` holds."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = column.iloc[row]
        shown = "an empty cell (NaN)" if pd.isna(value) else repr(value)
        raise InputError(
            f"{path}, row {row + 1}, column {column.name!r}: {shown} {why} "
            f"({int(bad.sum()):,} such rows): mend or drop them"
        )


def _ids(column: pd.Series, path: Path) -> np.ndarray:
    """Return int64 where every id is a plain whole number (no leading zero, no sign), else text."""
    _refuse(column.isna(), column, path, "is not an id")
    if column.dtype.kind in "iu":
        return column.to_numpy(np.int64)
    if column.dtype.kind == "f":  # Parquet only: an integer column that once held a gap
        _refuse(column != column.round(), column, path, "is not a whole number, so not an id")
        return column.to_numpy(np.int64)
    text = column.astype(str)
    if text.str.fullmatch(r"0|[1-9]\d{0,17}").all():
        return text.to_numpy(np.int64)
    return text.to_numpy(object)


def _numbers(column: pd.Series, path: Path) -> np.ndarray:
    """Return float32; refuse empty cells, text and infinities."""
    number = pd.to_numeric(column, errors="coerce")
    _refuse(~np.isfinite(number), column, path, "is not a number")
    return number.to_numpy(np.float32)


def _seconds(column: pd.Series, path: Path) -> np.ndarray:
    """Return int64 seconds since 1970 from numbers or from dates."""
    number = pd.to_numeric(column, errors="coerce") if column.dtype.kind not in "mM" else None
    if number is None or number.isna().all():
        dates = pd.to_datetime(column, errors="coerce", utc=True)
        _refuse(dates.isna(), column, path, "is not a time: give seconds since 1970 or dates")
        number = (dates - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
    _refuse(~np.isfinite(number), column, path, "is not a time: give seconds since 1970 or dates")
    _refuse(number < 0, column, path, "is a negative time: give seconds since 1970")
    return number.to_numpy(np.int64)


def _per_item(items: np.ndarray, column: pd.Series | None) -> dict | None:
    """Return raw item id -> its first non-empty value."""
    if column is None:
        return None
    known = pd.DataFrame({"item": items, "value": column.to_numpy()}).dropna().drop_duplicates("item")
    return dict(zip(known["item"].tolist(), known["value"].astype(str).tolist(), strict=True))


def _split(genres: dict | None) -> dict | None:
    return None if genres is None else {item: tuple(text.split("|")) for item, text in genres.items()}
