"""What is known of a data set before it is loaded: what it holds, whose it is, where it comes from, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..interactions import Interactions
from .sources import Files


@dataclass(frozen=True)
class DatasetEntry:
    """What is known of a data set before it is loaded; the counts are verified on load.

    ``read`` takes nothing where the data comes with an installed package, else the folder of its ``files`` and its
    name. ``counted`` gives the users, items and events that the published counts are those of.
    """

    name: str
    domain: str
    users: int
    items: int
    events: int
    licence: str
    source: str
    citation: str
    read: Callable[..., Interactions]
    available: Callable[[], bool] | None = None
    redistribution: bool = False
    files: Files | None = None
    counted: Callable[[Any], tuple[int, int, int]] = lambda data: (data.n_users, data.n_items, data.n_events)

    def here(self) -> bool:
        """Whether it can be loaded without a download."""
        if self.files is None:
            return self.available is None or self.available()
        return self.files.find() is not None or self.files.archive() is not None

    def load(self) -> Interactions:
        """Read it, downloaded first where it is not on this machine."""
        return self.read() if self.files is None else self.read(self.files.ready(), self.name)

    def way(self) -> str:
        """Say how to get it."""
        return f"install {self.source}" if self.files is None else self.files.by_hand()

    def megabytes(self) -> float | None:
        """Return the size of its downloads, in units of 1,000,000 bytes; None where it is not known."""
        sizes = [one.size for one in self.files.downloads if one.size is not None] if self.files else []
        known = self.files is not None and len(sizes) == len(self.files.downloads)
        return round(sum(sizes) / 1e6, 1) if known else None

    def checksum(self) -> str | None:
        """Return kind and digits of the checksum of each download, None where there are no downloads."""
        return "; ".join(":".join(one.checksum) for one in self.files.downloads) if self.files else None
