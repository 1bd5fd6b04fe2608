"""Read a file as a table of named columns, or say in one line why it cannot be read."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ..errors import InputError, MissingFileError, nearest
from .files import written_whole

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
PARQUET = (".parquet", ".pq")
ENDINGS = (*SEPARATORS, *PARQUET)
PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".tar", ".tgz", ".7z")
LONGEST_LINE = 2**24  # bytes


def read_table(path: Path, text: Collection[str]) -> pd.DataFrame:
    """Return the whole file, at least one row of it, with spaces around the column names removed.

    Args:
        path: a text file with a header row, or Parquet, as its ending says (:data:`ENDINGS`).
        text: names of columns to leave as text, so that ids such as 007 and 1e5 are not taken for numbers.

    Raises:
        MissingFileError: no such file; a near name is suggested.
        InputError: a folder, another ending, no rows, not UTF-8, rows of unequal length.
    """
    ending = check_file(path)
    if ending not in ENDINGS:
        way = "unpack it first" if ending in PACKED else f"use one of {' '.join(ENDINGS)}"
        raise InputError(f"{path} ends in {ending or 'nothing'!r}: {way}")
    try:
        table = _read_parquet(path) if ending in PARQUET else _read_text(path, SEPARATORS[ending], text)
    except pd.errors.EmptyDataError:
        table = pd.DataFrame()
    except InputError:
        raise
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({first_bad_byte(path)}): save it as UTF-8") from error
    except (ValueError, OSError, pa.ArrowException, pd.errors.ParserWarning) as error:
        raise InputError(f"{path} cannot be read as {ending[1:]}: {_first_line(error)}") from error
    if table.empty:
        raise InputError(f"{path} is empty: it needs a header and at least one row")
    return table


def check_file(path: Path) -> str:
    """Return the ending, in small letters, of a file that is there.

    Raises:
        MissingFileError: no such file; a near name is suggested.
        InputError: a folder.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file")
    if not path.exists():
        near = nearest(path.name, (other.name for other in path.parent.glob("*")), 1)
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise MissingFileError(f"no file {str(path)!r}: {hint}")
    return path.suffix.lower()


def _read_parquet(path: Path) -> pd.DataFrame:
    stored = pa.parquet.read_table(path)
    stored.validate(full=True)  # damaged text would be noticed later, and by others
    table = stored.to_pandas()
    return table if table.index.names == [None] else table.reset_index()


OPTIONS: dict[str, Any] = {"keep_default_na": False, "na_values": [""], "skipinitialspace": True, "index_col": False}


def sniff(path: Path, separator: str) -> tuple[list[str], str]:
    """Return the column names, spaces around them removed, and the separator that the header shows."""
    for separator in (separator, *",;\t|"):  # noqa: B020 - the first that splits the header is the one
        header = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str, **OPTIONS).iloc[0]
        if len(header) > 1:
            break
    return header.fillna("").str.strip().tolist(), separator


def _refuse_long_lines(path: Path) -> None:
    """Raise for a line of 32 MB or more (some above 16 MB too): a file without line ends would fill the memory."""
    lines = 1
    with open(path, "rb") as file:
        while block := file.read(LONGEST_LINE):
            ends = block.count(b"\n") or block.count(b"\r")
            if not ends and len(block) == LONGEST_LINE:
                raise InputError(f"{path}, line {lines} is longer than 16 MB: it is another file, or damaged")
            lines += ends


def _read_text(path: Path, separator: str, text: Collection[str]) -> pd.DataFrame:
    _refuse_long_lines(path)
    names, separator = sniff(path, separator)
    dtypes = {place: str for place, name in enumerate(names) if name in text}
    with warnings.catch_warnings():
        # Of a first row that is longer than the header pandas would only warn, and drop its end.
        warnings.filterwarnings("error", category=pd.errors.ParserWarning)
        table = pd.read_csv(
            path, sep=separator, header=0, names=range(len(names)), dtype=dtypes, low_memory=False, **OPTIONS
        )
    return table.set_axis(names, axis=1)


def first_bad_byte(path: Path) -> str:
    """Say where a file stops being UTF-8."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f"byte 0x{line[error.start]:02x} in line {number}"
    return "it ends within a character"


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if line.startswith("Length of header"):
        return "the first row has more cells than the header"
    return line.removeprefix("Error tokenizing data. C error: ")


def check_writable(path: Path) -> None:
    """Raise InputError where no table can be written to ``path``, by its ending."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'!r}: write to one of {' '.join(ENDINGS)}")


def write_table(path: Path, pieces: Iterable[pd.DataFrame]) -> int:
    """Write pieces of one table one behind the other, whole or not at all, and return the number of rows.

    Raises:
        InputError: another ending than those of :data:`ENDINGS`.
    """
    check_writable(path)
    rows, writer, schema = 0, None, None
    with written_whole(path) as temporary:
        try:
            for piece in pieces:
                table = pa.Table.from_pandas(piece, preserve_index=False)
                if writer is None:
                    schema = table.schema.remove_metadata()
                    writer = _writer(temporary, path.suffix.lower(), schema)
                writer.write_table(table.cast(schema))
                rows += len(piece)
        finally:
            if writer is not None:
                writer.close()
    return rows


def _writer(path: Path, ending: str, schema: pa.Schema) -> Any:
    if ending in PARQUET:
        return pa.parquet.ParquetWriter(path, schema)
    options = pa.csv.WriteOptions(delimiter=SEPARATORS[ending], quoting_style="needed")
    return pa.csv.CSVWriter(path, schema, write_options=options)
