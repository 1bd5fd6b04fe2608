"""Files as people have them: packed, in another encoding, from Excel, without a header. All become plain tables first.

A library unpacks and decodes; what comes out is a UTF-8 table with a header, or Parquet, which the readers then take.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import importlib.util
import lzma
import shutil
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from ..errors import InputError, listed
from .tables import ENDINGS, SEPARATORS, check_file, sniff

SHEETS = (".xlsx", ".xlsm")
LINES = (".jsonl", ".ndjson")
UNPACK = {
    ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open,
    ".zst": lambda path: pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"),
}  # fmt: skip
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)


@dataclass(frozen=True)
class FileOptions:
    """How a file is written, where that is not UTF-8 with a header, a decimal point and ISO dates or seconds.

    Args:
        encoding: of a text file: ``latin-1``, ``utf-16``, ``gb18030``.
        decimal: what stands before the decimals of a number: ``.`` or ``,``.
        time_format: of the dates, as ``strptime`` reads them: ``%d.%m.%Y %H:%M``.
        header: whether the first line names the columns; without one they are called 1, 2, 3, from the left.

    Raises:
        InputError: an unknown encoding, another decimal sign.
    """

    encoding: str = "utf-8"
    decimal: str = "."
    time_format: str | None = None
    header: bool = True

    def __post_init__(self) -> None:
        try:
            codecs.lookup(self.encoding)
        except LookupError as error:
            raise InputError(f"encoding={self.encoding!r} is not known: latin-1, utf-16 and gb18030 are") from error
        if self.decimal not in (".", ","):
            raise InputError(f"decimal={self.decimal!r}: it is either '.' or ','")

    @property
    def plain_text(self) -> bool:
        """Whether the text can be read as it is."""
        return self.header and codecs.lookup(self.encoding).name == "utf-8"

    @property
    def plain_cells(self) -> bool:
        """Whether numbers and times can be read as they are."""
        return self.decimal == "." and self.time_format is None


def can_read(path: Path) -> bool:
    """Return whether the ending is one that can be read."""
    endings = path.suffix.lower(), Path(path.stem).suffix.lower()
    return endings[0] in (*ENDINGS, *SHEETS, *LINES, ".inter", ".zip") or (
        endings[0] in UNPACK and endings[1] in (*ENDINGS, *LINES, ".inter")
    )


@contextmanager
def plain_file(path: Path, how: FileOptions) -> Iterator[Path]:
    """Give the file itself where it is a plain table, else one like it for as long as it is needed; ``-`` is stdin.

    Raises:
        MissingFileError: no such file.
        InputError: a file that cannot be unpacked or decoded; what is raised while it is open names ``path``.
    """
    ending = "" if str(path) == "-" else check_file(path)
    if how.plain_text and ending not in (*UNPACK, *SHEETS, *LINES, ".zip") and str(path) != "-":
        yield path
        return
    with TemporaryDirectory() as folder:
        try:
            plain = _unpacked(path, ending, Path(folder))
            yield _as_table(plain, how, Path(folder))
        except BROKEN as error:
            if isinstance(error, InputError):
                raise type(error)(_named(str(error), folder, path)) from error
            raise InputError(f"{path} cannot be unpacked: {error or type(error).__name__}") from error
        except InputError as error:
            raise InputError(_named(str(error), folder, path)) from error


def _named(text: str, folder: str, path: Path) -> str:
    """Return an error's text with the name of the file that the user gave."""
    for inner in sorted(map(str, Path(folder).rglob("*")), key=len, reverse=True):
        text = text.replace(inner, str(path))
    return text


def _unpacked(path: Path, ending: str, folder: Path) -> Path:
    """Return the file, its copy unpacked, or standard input as one."""
    if str(path) == "-":
        found = folder / "stdin.csv"
        with found.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return found
    if ending == ".zip":
        with zipfile.ZipFile(path) as packed:
            inner = [name for name in packed.namelist() if can_read(Path(name)) and not name.startswith("__MACOSX")]
            if len(inner) != 1:
                raise InputError(f"{path} holds {listed(packed.namelist())}: it needs exactly one table")
            return _written(packed.open(inner[0]), folder / Path(inner[0]).name)  # type: ignore[arg-type]
    if ending in UNPACK:
        opener: Any = UNPACK[ending]
        with opener(path) as source:
            return _written(source, folder / path.stem)
    return path


def _written(source: BinaryIO, target: Path) -> Path:
    with target.open("wb") as file:
        while block := source.read(2**20):
            file.write(block)
    return target


def _as_table(path: Path, how: FileOptions, folder: Path) -> Path:
    """Return a UTF-8 table with a header, or Parquet."""
    ending = path.suffix.lower()
    if ending in SHEETS:
        if importlib.util.find_spec("openpyxl") is None:
            raise InputError(f"{path} is a workbook: pip install openpyxl reads it, or save the sheet as CSV")
        return _parquet(pd.read_excel(path, header=0 if how.header else None), _beside(folder, f"{path.name}.parquet"))
    if ending in LINES:
        try:
            rows = pd.read_json(path, lines=True, dtype=False, encoding=how.encoding)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{path} cannot be read as one JSON object a line: {error}") from error
        return _parquet(rows, _beside(folder, f"{path.name}.parquet"))
    if how.plain_text or ending not in SEPARATORS:
        return path
    plain = _beside(folder, path.name)
    try:
        with path.open(encoding=how.encoding, newline="") as text, plain.open("w", encoding="utf-8", newline="") as to:
            shutil.copyfileobj(text, to)
    except UnicodeError as error:
        raise InputError(f"{path} is not {how.encoding} text ({error}): name another encoding") from error
    if how.header:
        return plain
    try:
        names, separator = sniff(plain, ";" if how.decimal == "," else SEPARATORS[ending])
    except ValueError as error:
        raise InputError(f"{path} cannot be read as a table: {error}") from error
    whole = _beside(folder, path.name)
    with plain.open("rb") as source, whole.open("wb") as file:
        file.write((separator.join(str(place + 1) for place in range(len(names))) + "\n").encode())
        shutil.copyfileobj(source, file)
    return whole


def _beside(folder: Path, name: str) -> Path:
    """Return a path of this name in a new folder of its own: interactions are called as their file."""
    return Path(mkdtemp(dir=folder)) / name


def _parquet(table: pd.DataFrame, path: Path) -> Path:
    """Write a table whose columns may hold cells of several kinds: those become text."""
    table = table.set_axis([str(name + 1 if isinstance(name, int) else name) for name in table.columns], axis=1)
    for name in filter(lambda name: pd.api.types.is_object_dtype(table[name]), table.columns):
        if not table[name].map(lambda cell: isinstance(cell, list)).any():
            table[name] = table[name].map(str, na_action="ignore")
    table.to_parquet(path, index=False)
    return path
