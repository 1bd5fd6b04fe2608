"""Read the wanted columns of a large tidy table in blocks: ids as codes, numbers as numbers, never all text at once.

pyarrow was chosen by measurement (20 million rows, 454 MB of CSV, ``tools/large_log.py``): it keeps ids exactly as they
are written while streaming, where pandas either guesses (007 becomes 7) or makes a Python string of every cell.
A table that is untidy in any way is left to :mod:`recsys_tutorial.data.tables`, which reads it slowly and names what is
odd.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from .file_form import DAMAGED, PLAIN, FileForm, ending_of, opened
from .ordering import factorize
from .tables import LONGEST_LINE, PARQUET, SEPARATORS, sniff

BLOCK = 2**26  # bytes of text read at once: several blocks of pyarrow's, which it reads on all cores
ROWS = 2**20  # whose ids are coded together
SHORT = 10**9  # ids below are coded as numbers at once: no way to write 0x... has as few digits as its value
TIMES = (pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))


class _Untidy(Exception):
    """Something that a slower and more patient reader has to look at."""


def read_stream(
    path: Path, wanted: Mapping[str, str | None], form: FileForm = PLAIN
) -> dict[str, pd.Series] | None:  # fmt: skip
    """Return the columns of a tidy table, by role, or None where it is not tidy.

    Args:
        path: CSV, TSV, text or Parquet.
        wanted: role -> column name; ``rating`` and ``timestamp`` are numbers (or ISO dates), all others are text.
        form: how it is written; times in a format of their own are left to the other reader.

    Returns:
        Role -> series with the column's name: ``float64`` numbers, seconds for dates; text and ids as categories,
        whole numbers of Parquet as they are. Roles whose column the file lacks are left out.
    """
    ending = ending_of(path)
    parquet = ending in PARQUET
    if form.time_format is not None or ending not in (*SEPARATORS, *PARQUET):
        return None
    for times in (None,) if parquet else TIMES:
        try:
            names, batches = _parquet(path, wanted) if parquet else _text(path, SEPARATORS[ending], wanted, times, form)
            return _columns(names, batches)
        except (_Untidy, pa.ArrowException, MemoryError, ValueError, *DAMAGED):
            continue
    return None


def _text(
    path: Path, separator: str, wanted: Mapping[str, str | None], times: pa.DataType, form: FileForm
) -> tuple[dict[str, str], Iterator]:
    """Return role -> column as the file writes it, and the batches of a text file."""
    names, separator = sniff(path, separator, form)
    as_written = names
    if form.header:
        with TextIOWrapper(opened(path, form), encoding="utf-8-sig", newline=None) as file:
            header = next((line for line in iter(lambda: file.readline(2**16), "") if line.strip()), "")
        as_written = next(csv.reader([header.rstrip("\n")], delimiter=separator), [])
        if [name.strip() for name in as_written] != names:
            raise _Untidy
    found = _found(dict(zip(names, as_written, strict=True)), names, wanted)
    kinds = {"rating": pa.float64(), "timestamp": times}
    convert = pa.csv.ConvertOptions(
        include_columns=list(found.values()),
        column_types={column: kinds.get(role, pa.string()) for role, column in found.items()},
        decimal_point=form.decimal,
    )
    read, parse = pa.csv.ReadOptions(column_names=as_written), pa.csv.ParseOptions(delimiter=separator)
    return found, (pa.csv.read_csv(block, read, parse, convert) for block in _blocks(path, form))


def _blocks(path: Path, form: FileForm) -> Iterator[pa.BufferReader]:
    """Yield blocks of whole lines, without the header."""
    with opened(path, form) as file:
        first = next((line for line in iter(lambda: file.readline(2**16), b"") if line.strip()), b"")
        if b"\r" in first.rstrip(b"\r\n"):
            raise _Untidy  # lines that end otherwise: the header would be several
        if not form.header:
            yield pa.BufferReader(first)
        while block := file.read(BLOCK):
            block += file.readline(LONGEST_LINE)
            if not block.endswith(b"\n") and file.read(1):
                raise _Untidy  # a line too long
            yield pa.BufferReader(block)


def _parquet(path: Path, wanted: Mapping[str, str | None]) -> tuple[dict[str, str], Iterator]:
    file = pa.parquet.ParquetFile(path)
    names = [str(name).strip() for name in file.schema_arrow.names]
    found = _found(dict(zip(names, file.schema_arrow.names, strict=True)), names, wanted)
    return found, file.iter_batches(batch_size=2**17, columns=list(found.values()))


def _found(written: dict[str, str], names: list[str], wanted: Mapping[str, str | None]) -> dict[str, str]:
    """Return role -> column as written; untidy where a needed one is missing or stands twice."""
    found = {role: written[name] for role, name in wanted.items() if name in written}
    twice = any(name is not None and names.count(name) > 1 for name in wanted.values())
    optional = all(role in found or name in (None, role) for role, name in wanted.items())
    if twice or not optional or not {"user", "item"} <= found.keys() or len(set(found.values())) < len(found):
        raise _Untidy
    return found


def _columns(found: dict[str, str], batches: Iterator[pa.RecordBatch]) -> dict[str, pd.Series]:
    parts: dict[str, list] = {role: [] for role in found}
    pending: dict[str, list] = {role: [] for role in found}
    rows = 0

    def flush() -> None:
        for role, waiting in pending.items():
            if waiting:
                parts[role].extend(_coded(role, pa.chunked_array(waiting)))
                waiting.clear()

    for batch in batches:
        for role, column in found.items():
            chunks = batch.column(column)
            pending[role].extend(chunks.chunks if isinstance(chunks, pa.ChunkedArray) else [chunks])
        rows += len(batch)
        if rows >= ROWS:
            flush()
            rows = 0
    flush()
    if not parts["user"]:
        raise _Untidy  # no rows
    whole = {}
    for role, column in found.items():
        whole[role] = pd.Series(_joined(role, parts.pop(role)), name=column.strip(), copy=False)
    return whole


def _coded(role: str, column: pa.ChunkedArray) -> list:
    """Return one kind of column in the least memory: text as codes and a dictionary, numbers as NumPy has them."""
    kind = column.type
    if column.null_count:
        raise _Untidy
    if role in ("rating", "timestamp"):
        if pa.types.is_timestamp(kind) and role == "timestamp":
            return [column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64()).to_numpy() / 1e6]
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            with np.errstate(over="ignore"):  # infinite then, and refused as such
                return [column.to_numpy().astype(np.float32 if role == "rating" else np.float64)]
        raise _Untidy
    if pa.types.is_signed_integer(kind):
        numbers = column.to_numpy()
        small = numbers.min() >= -(2**31) and numbers.max() < 2**31
        return [numbers.astype(np.int32 if small else np.int64, copy=not small)]
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise _Untidy
    if role in ("user", "item") and (numbers := _whole(column)) is not None:
        return [numbers]
    return column.cast(pa.string()).dictionary_encode().chunks


def _whole(text: pa.ChunkedArray) -> np.ndarray | None:
    """Return int32 where every text is the plain way to write a number below :data:`SHORT` (not 007, +7 or 0x7)."""
    if not len(text) or not text[0].as_py().isdecimal():
        return None
    try:
        numbers = text.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    if numbers.min() < 0 or numbers.max() >= SHORT:
        return None
    digits = len(numbers) + sum(int(np.count_nonzero(numbers >= 10**power)) for power in range(1, 9))
    plain = digits == pa.compute.sum(pa.compute.binary_length(text)).as_py()
    return numbers.astype(np.int32) if plain else None


def _as_text(part: np.ndarray | pa.DictionaryArray) -> pa.DictionaryArray:
    return pa.array(part).cast(pa.string()).dictionary_encode() if isinstance(part, np.ndarray) else part


def _joined(role: str, parts: list) -> np.ndarray | pd.Categorical[Any]:
    if all(isinstance(part, np.ndarray) for part in parts):
        numbers = np.concatenate(parts)
        if role not in ("user", "item"):
            return numbers
        codes, found = factorize(numbers)
        return pd.Categorical.from_codes(codes, pd.Index(found.astype(np.int64), dtype=np.int64), validate=False)
    whole = pa.chunked_array([_as_text(part) for part in parts]).unify_dictionaries()
    text = whole.chunk(0).dictionary
    if pa.compute.any(pa.compute.match_substring(text, '"')).as_py():
        raise _Untidy  # quotes may be data or not: see what pandas makes of them
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in whole.chunks])
    return pd.Categorical.from_codes(codes, pd.Index(text.to_pylist(), dtype=object), validate=False)
