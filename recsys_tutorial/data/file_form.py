"""How a person's file is written (packed or not, in which encoding, with which marks), and the one way to open it."""

from __future__ import annotations

import codecs
import io
import lzma
import re
import sys
import zipfile
import zlib
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa

from ..errors import InputError, listed, unknown

PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".xz": "lzma", ".zip": "zip"}
STANDARD_INPUT = Path("-")
DAMAGED = (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, RuntimeError)  # a zip may be encrypted
_SAMPLE = 2**16  # bytes that a guess rests on


@dataclass(frozen=True)
class FileForm:
    """How a text file is written, where that is not UTF-8 with a header, decimal points and seconds or ISO dates.

    Args:
        encoding: as Python calls it: ``latin-1``, ``utf-16``, ``gb18030``. Parquet and Excel have their own.
        decimal: the mark between a number and its fraction, ``.`` or ``,``; there is none between thousands.
        time_format: of ``datetime.strptime``, as ``%d.%m.%Y %H:%M``, in UTC where it names no zone.
        header: the first row holds the names of the columns; where it does not, these are called 1, 2, 3 ...

    Raises:
        InputError: an encoding that Python does not know, another mark, a format that is none.
    """

    encoding: str = "utf-8"
    decimal: str = "."
    time_format: str | None = None
    header: bool = True

    def __post_init__(self) -> None:
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError) as error:
            raise unknown("encoding", self.encoding, ["utf-8", "utf-16", "latin-1", *aliases.values()]) from error
        if self.decimal not in (".", ","):
            raise InputError(f"decimal={self.decimal!r}: it is a point or a comma")
        if self.time_format is not None:
            try:
                pd.to_datetime(pd.Series([""]), format=self.time_format, errors="coerce")
                known = "%" in self.time_format
            except ValueError:
                known = False
            if not known:
                raise InputError(f"time_format={self.time_format!r}: write it as %d.%m.%Y %H:%M or %m/%d/%y %I:%M %p")

    @property
    def is_utf8(self) -> bool:
        """Whether the text is read as it stands."""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")


PLAIN = FileForm()


def ending_of(path: Path) -> str:
    """Return the ending of the table in a file, in small letters: ``.csv`` of ``shop.csv.gz``, of a zip's one table."""
    if path == STANDARD_INPUT:
        return ".jsonl" if _standard_input().lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"{") else ".csv"
    ending = path.suffix.lower()
    if ending == ".zip":
        return Path(_only_table(path)).suffix.lower()
    return Path(path.stem).suffix.lower() if ending in PACKED else ending


def opened(path: Path, form: FileForm = PLAIN) -> BinaryIO:
    """Open a text file, or standard input, to be read as UTF-8, whatever it is packed and written in.

    Raises:
        InputError: a zip without exactly one file in it.
        One of :data:`DAMAGED`, here or while it is read: it is not what its ending says, or cut off.
    """
    ending = path.suffix.lower()
    if path != STANDARD_INPUT and ending not in PACKED and form.is_utf8:
        return open(path, "rb")
    if path == STANDARD_INPUT:
        stream = pa.input_stream(io.BytesIO(_standard_input()))
    elif ending == ".zip":
        with zipfile.ZipFile(path) as pack:
            stream = pa.input_stream(pack.open(_only_table(path)))
    elif ending == ".xz":
        stream = pa.input_stream(lzma.open(path))  # noqa: SIM115 - closed with what is returned
    else:
        stream = pa.input_stream(str(path), compression=PACKED.get(ending))
    if not form.is_utf8:
        stream = pa.transcoding_input_stream(stream, form.encoding, "utf-8")
    return io.BufferedReader(stream, 2**20)


def not_text(path: Path, form: FileForm, error: UnicodeError) -> InputError:
    """Say where a file stops being text in the encoding that it is read in, and in which it may be written."""
    if not form.is_utf8:
        return InputError(f"{path} is not {form.encoding} text ({error}): is it in another encoding?")
    with opened(path) as file:
        near = _likely(file.read(_SAMPLE))
    return InputError(
        f"{path} is not UTF-8 text ({first_bad_byte(path)}): save it as UTF-8, or say how it is written, perhaps "
        f"encoding={near!r} (in a command: --encoding {near})"
    )


def first_bad_byte(path: Path) -> str:
    """Say where a file stops being UTF-8."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return f"byte 0x{line[error.start]:02x} in line {number}"
    return "it ends within a character"


def _likely(data: bytes) -> str:
    """Guess the encoding of a text that is not UTF-8: only ever to be suggested, as a guess can be wrong."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if 4 * data.count(b"\0") > len(data):  # letters that have one byte elsewhere
        return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    high = re.findall(rb"[\x80-\xff]+", data)
    if 2 * sum(len(run) % 2 == 0 for run in high) > len(high):  # Chinese letters take two bytes, accents stand alone
        try:
            codecs.getincrementaldecoder("gb18030")().decode(data)
            return "gb18030"
        except UnicodeDecodeError:
            pass
    return "cp1252" if any(0x80 <= byte < 0xA0 for run in high for byte in run) else "latin-1"


def _only_table(path: Path) -> str:
    with zipfile.ZipFile(path) as pack:
        names = [name for name in pack.namelist() if not (name.endswith("/") or name.startswith("__MACOSX"))]
    if len(names) != 1:
        raise InputError(f"{path} holds {len(names)} files ({listed(names)}): one table is needed, pack it alone")
    return names[0]


@cache
def _standard_input() -> bytes:
    """Return all of it, read once: what is told of a file needs several looks."""
    return sys.stdin.buffer.read()
