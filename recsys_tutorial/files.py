"""Files are written whole: to a temporary name in the same folder, then renamed over the target."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .errors import InputError


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


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole (see :func:`write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))


def to_json(value: Any, ascii_only: bool = False) -> str:
    """Return strict JSON: two-space indent, NaN and infinity refused; ``ascii_only`` suits any terminal or pipe."""
    return json.dumps(value, indent=2, ensure_ascii=ascii_only, allow_nan=False) + "\n"
