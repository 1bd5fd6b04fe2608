"""Where data lies on this machine: the folder that RECSYS_TUTORIAL_DATA names, which is only read, and the cache."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DATA, CACHE = "RECSYS_TUTORIAL_DATA", "RECSYS_TUTORIAL_CACHE"


def data_folder() -> Path | None:
    """Return the folder in the environment variable RECSYS_TUTORIAL_DATA, or None; nothing is ever written there."""
    named = os.environ.get(DATA)
    return Path(named).expanduser() if named else None


def cache_folder() -> Path:
    """Return where downloads go: RECSYS_TUTORIAL_CACHE, or the folder for such things on this system."""
    if named := os.environ.get(CACHE):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "recsys_tutorial"


def find(folder: str, files: tuple[str, ...]) -> Path | None:
    """Return the first place with all ``files`` in ``folder``: in the data folder, then in the cache."""
    for root in (data_folder(), cache_folder()):
        if root is not None and all((root / folder / name).is_file() for name in files):
            return root / folder
    return None
