"""Read files whose fields are never quoted, one row a line, as text: the older formats of published data."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from ..errors import InputError, listed
from .file_form import first_bad_byte
from .tables import LONGEST_LINE, check_file

_ONE = b"\x1f"  # stands for a separator of several characters while a file is read


def read_fields(
    path: Path, separator: str, names: Sequence[str], *, header: bool = False, encoding: str = "utf-8"
) -> pd.DataFrame:
    """Return all fields as text, spaces around them removed; the index, called ``line``, holds the line of each row.

    Args:
        path: the file; blank lines do not count, quotes are data.
        separator: between the fields, one character or several (``::``).
        names: one name a field; where there is a header, it has to hold these.
        header: the first line holds the names.
        encoding: of the file, ``utf-8`` or ``latin-1``.

    Raises:
        MissingFileError: no such file.
        InputError: no rows, a line with more or fewer fields, a line above 16 MB, other names, another encoding.
    """
    check_file(path)
    if encoding == "utf-8":
        _refuse_other_text(path)  # first: pyarrow would pass over an uneven line that it cannot decode
    uneven: list[pa.csv.InvalidRow] = []
    blank: list[int] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        if row.text.strip():
            uneven.append(row)
            return "error"
        blank.append(row.number)
        return "skip"

    try:
        table = pa.csv.read_csv(
            _source(path, separator),
            pa.csv.ReadOptions(use_threads=False, column_names=list(names), encoding=encoding, block_size=LONGEST_LINE),
            pa.csv.ParseOptions(
                delimiter=separator if len(separator) == 1 else _ONE.decode(), quote_char=False,
                ignore_empty_lines=False, invalid_row_handler=skip,
            ),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )  # fmt: skip
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise _told(error, uneven, path) from error
    lines = np.setdiff1d(np.arange(1, len(table) + len(blank) + 1), blank)
    frame = table.to_pandas().set_axis(pd.Index(lines, name="line")).apply(lambda column: column.str.strip())
    if header:
        frame = _without_header(frame, names, path)
    if frame.empty:
        raise InputError(f"{path} is empty: it needs at least one row")
    return frame


def first_line(path: Path) -> str:
    """Return the first line of a text file in UTF-8, without its end; InputError where there is none."""
    with open(path, "rb") as file:
        line = file.readline(2**16)
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({first_bad_byte(path)}): save it as UTF-8") from error
    if not text.strip():
        raise InputError(f"{path} is empty: it needs at least one row")
    return text


def _refuse_other_text(path: Path) -> None:
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            while file.read(2**20):
                pass
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({first_bad_byte(path)}): save it as UTF-8") from error


def _source(path: Path, separator: str) -> Path | BytesIO:
    """Return the file, or where the separator is several characters, its text with one in their place."""
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty: it needs at least one row")
    if len(separator) == 1:
        return path
    data = path.read_bytes()
    if _ONE in data:
        line = data[: data.index(_ONE)].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: a control character 0x1f: the file is damaged")
    return BytesIO(data.replace(separator.encode(), _ONE))


def _without_header(frame: pd.DataFrame, names: Sequence[str], path: Path) -> pd.DataFrame:
    found = frame.iloc[0].tolist() if len(frame) else []
    if found != list(names):
        raise InputError(f"{path}, line 1: the header is {listed(found)}, not {listed(names)}: it is another file")
    return frame.iloc[1:]


def _told(error: Exception, uneven: list[pa.csv.InvalidRow], path: Path) -> InputError:
    """Say in one line what pyarrow or our own row handler stopped at."""
    if uneven:
        row = uneven[0]
        return InputError(
            f"{path}, line {row.number}: {row.actual_columns} fields, {row.expected_columns} are needed: mend the line"
        )
    if "straddling" in str(error):
        return InputError(f"{path} has a line longer than 16 MB: it is another file, or damaged")
    return InputError(f"{path} cannot be read: {str(error).splitlines()[0]}")
