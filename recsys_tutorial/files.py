"""Files are written whole: to a temporary name in the same folder, then renamed over the target."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader sees the old file or the new one, never a part.

    The parent folder is made when it is missing. A crash leaves the old file as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole (see :func:`write_bytes`)."""
    write_bytes(path, text.encode("utf-8"))


def to_json(value: Any) -> str:
    """Return strict JSON: two-space indent, non-ASCII kept, NaN and infinity refused."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
