"""Read a file as a table of named columns, or say in one line why it cannot be read."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ..errors import InputError, MissingFileError, listed, nearest
from .file_form import DAMAGED, PACKED, PLAIN, STANDARD_INPUT, FileForm, ending_of, not_text, opened
from .files import written_whole

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
PARQUET = (".parquet", ".pq")
WRITTEN = (*SEPARATORS, *PARQUET)
JSON_LINES = (".jsonl", ".ndjson")
EXCEL = (".xlsx",)
ENDINGS = (*WRITTEN, *JSON_LINES, *EXCEL)
LONGEST_LINE = 2**24  # bytes


def read_table(path: Path, text: Collection[str] | None, form: FileForm = PLAIN) -> pd.DataFrame:
    """Return the whole file, at least one row of it, with spaces around the column names removed.

    Args:
        path: a table, as its ending says (:data:`ENDINGS`); of text, packed ones too, and ``-`` for standard input.
        text: names of columns to leave as text, so that ids such as 007 and 1e5 are not taken for numbers; None: all.
        form: how it is written.

    Raises:
        MissingFileError: no such file; a near name is suggested.
        InputError: a folder, another ending, no rows, another encoding, rows of unequal length.
    """
    ending = check_file(path)
    packed = path.suffix.lower() in PACKED
    if ending not in ENDINGS or (packed and ending in (*PARQUET, *EXCEL)):
        way = "unpack it first" if packed or ending in (".tar", ".tgz", ".7z") else f"use one of {' '.join(ENDINGS)}"
        raise InputError(f"{path} ends in {path.suffix.lower() or 'nothing'!r}: {way}")
    if not form.header and ending in (*PARQUET, *JSON_LINES):
        raise InputError(f"{path} has names for its columns: give these, not positions")
    try:
        if ending in SEPARATORS:
            table = _read_text(path, SEPARATORS[ending], text, form)
        else:
            table = _read_parquet(path) if ending in PARQUET else _READERS[ending](path, form)
    except pd.errors.EmptyDataError:
        table = pd.DataFrame()
    except InputError:
        raise
    except UnicodeError as error:
        raise not_text(path, form, error) from error
    except (ValueError, pa.ArrowException, pd.errors.ParserWarning, *DAMAGED) as error:
        raise InputError(f"{path} cannot be read as {ending[1:]}: {_first_line(error)}") from error
    if table.empty:
        raise InputError(f"{path} is empty: it needs {'a header and ' if form.header else ''}at least one row")
    return table


def check_file(path: Path) -> str:
    """Return :func:`ending_of` a file that is there.

    Raises:
        MissingFileError: no such file; a near name is suggested.
        InputError: a folder, a zip that is none or does not hold exactly one file.
    """
    if path == STANDARD_INPUT:
        return ending_of(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file")
    if not path.exists():
        near = nearest(path.name, (other.name for other in path.parent.glob("*")), 1)
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise MissingFileError(f"no file {str(path)!r}: {hint}")
    try:
        return ending_of(path)
    except DAMAGED as error:
        raise InputError(f"{path} cannot be read as {path.suffix.lower()[1:]}: {_first_line(error)}") from error


def _read_parquet(path: Path) -> pd.DataFrame:
    stored = pa.parquet.read_table(path)
    stored.validate(full=True)  # damaged text would be noticed later, and by others
    table = stored.to_pandas()
    return table if table.index.names == [None] else table.reset_index()


OPTIONS: dict[str, Any] = {"keep_default_na": False, "na_values": [""], "skipinitialspace": True, "index_col": False}


def sniff(path: Path, separator: str, form: FileForm = PLAIN) -> tuple[list[str], str]:
    """Return the column names, spaces around them removed, and the separator that the first row shows."""
    # The first that splits it is the one; a decimal comma may do so in the first row of a file without a header.
    for separator in sorted((separator, *",;\t|"), key=lambda one: one == form.decimal):  # noqa: B020
        with opened(path, form) as file:
            first = pd.read_csv(file, sep=separator, header=None, nrows=1, dtype=str, **OPTIONS).iloc[0]
        if len(first) > 1:
            break
    return first.fillna("").str.strip().tolist() if form.header else _numbered(len(first)), separator


def _numbered(columns: int) -> list[str]:
    """Return what the columns of a file without a header are called."""
    return [str(place) for place in range(1, columns + 1)]


def _refuse_long_lines(path: Path, form: FileForm) -> None:
    """Raise for a line of 32 MB or more (some above 16 MB too): a file without line ends would fill the memory."""
    lines = 1
    with opened(path, form) as file:
        while block := file.read(LONGEST_LINE):
            ends = block.count(b"\n") or block.count(b"\r")
            if not ends and len(block) == LONGEST_LINE:
                raise InputError(f"{path}, line {lines} is longer than 16 MB: it is another file, or damaged")
            lines += ends


def _read_text(path: Path, separator: str, text: Collection[str] | None, form: FileForm) -> pd.DataFrame:
    _refuse_long_lines(path, form)
    names, separator = sniff(path, separator, form)
    dtypes = {place: str for place, name in enumerate(names) if text is None or name in text}
    with warnings.catch_warnings(), opened(path, form) as file:
        # Of a first row that is longer than the header pandas would only warn, and drop its end.
        warnings.filterwarnings("error", category=pd.errors.ParserWarning)
        table = pd.read_csv(
            file, sep=separator, header=0 if form.header else None, names=range(len(names)), dtype=dtypes,
            low_memory=False, **OPTIONS,
        )  # fmt: skip
    return table.set_axis(names, axis=1)


def _read_json_lines(path: Path, form: FileForm) -> pd.DataFrame:
    """Return cells as they are written: pandas' own reader takes some texts for dates, and pyarrow's too."""
    _refuse_long_lines(path, form)
    rows = []
    with opened(path, form) as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line.decode("utf-8-sig")) if line.strip() else None
            except UnicodeDecodeError:
                raise
            except ValueError as error:
                raise InputError(f"{path}, line {number} is no JSON: {error}") from error
            if not isinstance(row, dict | None):
                raise InputError(f"{path}, line {number} is no JSON object: write it as {{'user': 1, 'item': 2}}")
            rows += [] if row is None else [row]
    table = pd.DataFrame(rows, dtype=object)
    whole = [name for name in table.columns if table[name].notna().all()]  # else 2**53 + 1 would turn to a fraction
    return table.astype(table[whole].infer_objects().dtypes.to_dict())


def _read_excel(path: Path, form: FileForm) -> pd.DataFrame:
    """Return the one sheet that holds something; cells are what Excel takes them for."""
    how: Any = {"sheet_name": None, "header": None, "dtype": object, "keep_default_na": False, "na_values": [""]}
    try:
        sheets = pd.read_excel(path, engine="openpyxl", **how)
    except ImportError as error:
        raise InputError(f"{path}: to read Excel, `pip install openpyxl`; or save the sheet as CSV") from error
    except Exception as error:  # of a damaged workbook the reader of a part speaks: of zip, of XML, of neither
        raise InputError(f"{path} cannot be read as xlsx: {_first_line(error)}") from error
    sheets = {name: sheet.dropna(how="all") for name, sheet in sheets.items()}
    filled = [name for name, sheet in sheets.items() if not sheet.empty]
    if len(filled) > 1:
        raise InputError(f"{path} has {len(filled)} sheets with something in them ({listed(filled)}): leave one")
    if not filled:
        return pd.DataFrame()
    table, names = sheets[filled[0]], _numbered(sheets[filled[0]].shape[1])
    if form.header:
        names, table = table.iloc[0].fillna("").astype(str).str.strip().tolist(), table.iloc[1:]
    return table.set_axis(names, axis=1).reset_index(drop=True).infer_objects()


_READERS = dict.fromkeys(JSON_LINES, _read_json_lines) | dict.fromkeys(EXCEL, _read_excel)


def _first_line(error: BaseException) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if line.startswith("Length of header"):
        return "the first row has more cells than the header"
    return line.removeprefix("Error tokenizing data. C error: ")


def check_writable(path: Path) -> None:
    """Raise InputError where no table can be written to ``path``, by its ending."""
    if path.suffix.lower() not in WRITTEN:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'!r}: write to one of {' '.join(WRITTEN)}")


def write_table(path: Path, pieces: Iterable[pd.DataFrame]) -> int:
    """Write pieces of one table one behind the other, whole or not at all, and return the number of rows.

    Raises:
        InputError: another ending than those of :data:`WRITTEN`; no piece.
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
        if writer is None:
            raise InputError(f"{path}: there is nothing to write, nothing is left for anybody")
    return rows


def _writer(path: Path, ending: str, schema: pa.Schema) -> Any:
    if ending in PARQUET:
        return pa.parquet.ParquetWriter(path, schema)
    options = pa.csv.WriteOptions(delimiter=SEPARATORS[ending], quoting_style="needed")
    return pa.csv.CSVWriter(path, schema, write_options=options)
