"""Files are written whole: to a temporary name in the same folder, then renamed over the target."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError

_AT_ONCE = 2**22  # entries of an array looked at together, where a large one would not fit into memory


def make_folder(path: str | Path) -> None:
    """Make sure that the folder ``path`` is there.

    Raises:
        InputError: it, or what it should lie in, is a file.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{path} is a file, or lies in one: give a folder to write to") from error


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    The parent folder is made when it is missing. A crash leaves the old file as it was.
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:  # named after the file that was asked for
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, piece by piece; it takes the place of ``path`` where all went well."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole (see :func:`write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))


def to_json(value: Any, ascii_only: bool = False) -> str:
    """Return strict JSON: two-space indent, NaN and infinity refused; ``ascii_only`` suits any terminal or pipe.

    NumPy's numbers are written as Python's.
    """
    return json.dumps(value, indent=2, ensure_ascii=ascii_only, allow_nan=False, default=_plain) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def release(*arrays: np.ndarray) -> None:
    """Give memory back that parts of memory-mapped arrays take since they were read; their file still holds them.

    Arrays in memory are left alone. Without this the system takes it back by itself, but only once memory is short.
    """
    for array in arrays:
        if isinstance(array.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # Windows has no such call
            array.base.madvise(mmap.MADV_DONTNEED)


def in_pieces(array: np.ndarray, size: int = _AT_ONCE) -> Iterator[np.ndarray]:
    """Yield ``(n,)`` in pieces of ``size``; of a memory-mapped array no more than one piece is in memory at a time."""
    for begin in range(0, len(array), size):
        yield array[begin : begin + size]
        release(array)
