"""Columns of a table as ids, numbers and times, or the first cell that is none, named by file, row and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import InputError
from ..catalogue import as_ids
from ..file_form import PLAIN, FileForm

TIME = (
    "is not a time: give seconds since 1970, or dates as 2024-05-31 or 2024-05-31T10:00:00+02:00, or say how it is "
    "written, as time_format='%d.%m.%Y %H:%M' (in a command: --time-format)"
)

UNITS = (1e11, 1e14, 1e17)  # where milli-, micro- and nanoseconds begin


class BadCells(InputError):
    """Cells of a column that cannot be used: ``rows`` is the ``(n,)`` mask of them, ``reason`` says why."""

    def __init__(self, message: str, rows: np.ndarray, reason: str) -> None:
        super().__init__(message)
        self.rows, self.reason = rows, reason


def refuse(where: pd.Series, column: pd.Series, path: Path, why: str) -> None:
    """Raise for the first row that ``where`` is true of; an index called ``line`` or ``row`` holds its number."""
    bad = where.to_numpy(bool)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = column.iloc[row : row + 1].tolist()[0]  # as Python has it, not np.int64(5)
        empty = column.isna().iloc[row] or (isinstance(value, str) and value == "")
        shown = "an empty cell (NaN)" if empty else _short(repr(value))
        numbered = column.index.name in ("line", "row")
        place = f"{column.index.name} {column.index[row]}" if numbered else f"row {row + 1}"
        raise BadCells(
            f"{path}, {place}, column {column.name!r}: {shown} {why} (such rows: {bad.sum():,}): mend or drop them",
            bad,
            f"{column.name!r} {why.partition(':')[0]}",
        )


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def ids(column: pd.Series, path: Path) -> np.ndarray | pd.Categorical:
    """Return int64 where every id is a plain whole number (no leading zero, no sign), else text; codes stay codes."""
    refuse(column.isna(), column, path, "is not an id")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categories(column, path)
    if column.dtype.kind in "iuf":
        whole = (column.round() == column) & np.isfinite(column)
        refuse(~whole, column, path, "is not a whole number, so not an id")
        return as_ids(column.to_numpy())
    if column.dtype == object:
        nested = column.map(lambda cell: isinstance(cell, list | dict | np.ndarray))
        refuse(nested, column, path, "is not an id: give one row per event")
    text = column.astype(str).str.strip()
    refuse(text == "", text, path, "is not an id")
    return as_ids(text.to_numpy(np.int64) if text.str.fullmatch(r"0|[1-9]\d{0,17}").all() else text)


def _categories(column: pd.Series, path: Path) -> pd.Categorical:
    """Return :func:`ids` of a column of codes and categories, having looked at each category once."""
    if column.cat.categories.dtype.kind == "i":
        return column.array
    text = pd.Series(column.cat.categories, name=column.name).str.strip()
    if (empty := (text == "").to_numpy()).any():
        refuse(pd.Series(empty[column.cat.codes]), column, path, "is not an id")
    places, found = pd.factorize(ids(text, path))
    if len(found) == len(places):
        return pd.Categorical.from_codes(column.cat.codes, pd.Index(found), validate=False)
    return pd.Categorical.from_codes(places.astype(np.int32)[column.cat.codes], pd.Index(found), validate=False)


def numbers(column: pd.Series, path: Path, form: FileForm = PLAIN) -> np.ndarray:
    """Return float32; refuse empty cells, text, infinities, and what is too large to be told from one."""
    with np.errstate(over="ignore"):
        number = column if column.dtype == np.float32 else to_numeric(column, form).astype(np.float32)
    refuse(pd.Series(~np.isfinite(number)), column, path, "is not a finite number")
    return number.to_numpy()


def to_numeric(column: pd.Series, form: FileForm = PLAIN) -> pd.Series:
    """Return numbers, NaN where a cell is none."""
    if form.decimal == "," and column.dtype.kind not in "iufb":
        marks = str.maketrans(",.", ".?")
        column = column.map(lambda cell: cell.translate(marks) if isinstance(cell, str) else cell)
    try:
        return pd.to_numeric(column, errors="coerce")
    except OverflowError:  # pandas gives up on a whole number of more than 300 digits: here it is no number
        short = column.astype(str).str.len() <= 300
        return pd.to_numeric(column.where(short), errors="coerce")


def seconds(column: pd.Series, path: Path, form: FileForm = PLAIN) -> np.ndarray:
    """Return seconds since 1970 from numbers or dates: int64 where all are whole, else with their fractions."""
    formatted = form.time_format is not None and column.dtype.kind not in "mM"
    number = None if formatted or column.dtype.kind in "mM" else to_numeric(column, form)
    if number is None or number.isna().all():
        times = _seconds_of_dates(column, path, form.time_format if formatted else None)
    else:
        times = _seconds_of_numbers(number, column, path)
    refuse(times < 0, column, path, "is before 1970, a negative time: give seconds since 1970")
    found = times.to_numpy()
    return found.astype(np.int64) if found.dtype.kind == "f" and (found == np.floor(found)).all() else found


def _seconds_of_dates(column: pd.Series, path: Path, time_format: str | None = None) -> pd.Series:
    if time_format is not None:
        dates = pd.to_datetime(column.astype(str).str.strip(), errors="coerce", utc=True, format=time_format)
        refuse(dates.isna(), column, path, f"is not a time written as {time_format}")
    else:
        dates = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
        iso = column.astype(str).str.match(r"\d{4}[-/]\d")  # pandas also reads "now"
        refuse(dates.isna() | ~iso, column, path, TIME)
    return dates.dt.as_unit("us").astype(np.int64) / 1e6


def _seconds_of_numbers(number: pd.Series, column: pd.Series, path: Path) -> pd.Series:
    refuse(~(number < 2.0**63), column, path, TIME)
    ends = [number.min(), number.max()]
    if ends[0] >= 19_000_101 and ends[1] <= 21_001_231:
        refuse(number > 0, column, path, "looks like a date without dashes: write 2024-05-31")
    # Up to the year 5138 seconds are below 1e11; from 1973 to then milliseconds are not, and so on.
    first, last = np.searchsorted(UNITS, ends, side="right")
    if first != last:
        unit = np.searchsorted(UNITS, number, side="right")
        refuse(pd.Series(unit != unit[0]), column, path, "is in another unit than row 1: give seconds since 1970")
    return number if first == 0 else number / 1000.0**first


def per_item(items: np.ndarray | pd.Categorical, column: pd.Series | None) -> dict | None:
    """Return raw item id -> its first non-empty value."""
    if column is None:
        return None
    known = pd.DataFrame({"item": items, "value": column.to_numpy()}).dropna()
    known = known[known["value"].astype(str) != ""] if isinstance(column.dtype, pd.CategoricalDtype) else known
    known = known.drop_duplicates("item")
    return dict(zip(known["item"].tolist(), map(_text, known["value"]), strict=True))


def _text(value: object) -> str:
    return "|".join(map(str, value)) if isinstance(value, list | np.ndarray) else str(value).strip()


def split(genres: dict | None, separator: str = "|") -> dict | None:
    """Return item -> tuple of names, from item -> ``Comedy|Drama``."""
    if genres is None:
        return None
    return {
        item: tuple(name.strip() for name in text.split(separator) if name.strip()) for item, text in genres.items()
    }
