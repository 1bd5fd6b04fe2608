"""Published files: their sizes and checksums, where they are found or fetched, and when they may be trusted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from . import folders
from .archives import unpack
from .errors import InputError


@dataclass(frozen=True)
class Download:
    """One file of an owner. Its checksum is what is trusted, wherever the file comes from.

    Args:
        url: where its owner keeps it.
        size: in bytes, or None where it was not published.
        sha256: hex digits, or None.
        md5: hex digits, or None; the weaker one is looked at only where there is no sha256.
        file: its name on this machine.
        top: for an archive, a folder in it whose contents are what is wanted.
    """

    url: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    file: str = ""
    top: str | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file or self.url.rpartition("/")[2]

    def problem(self, path: Path) -> str | None:
        """Return what is wrong with the copy at ``path``, or None: it is the published file, bit by bit."""
        if self.size is not None and path.stat().st_size != self.size:
            return f"has {path.stat().st_size:,} bytes, published are {self.size:,}"
        kind = "sha256" if self.sha256 else "md5"
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest()
        expected = getattr(self, kind)
        return None if found == expected else f"has the {kind} {found}, published is {expected}"


@dataclass(frozen=True)
class Files:
    """The files of one data set, in one folder.

    Args:
        folder: its name, as the owner's archive has it.
        needs: the files in it that the reader reads.
        downloads: archives that unpack to the folder, or the files themselves.
        page: where a person finds them.
    """

    folder: str
    needs: tuple[str, ...]
    downloads: tuple[Download, ...]
    page: str

    def find(self) -> Path | None:
        """Return the folder where all files lie, in the data folder or the cache, or None."""
        return folders.find(self.folder, self.needs)

    def archive(self) -> Path | None:
        """Return the owner's archive, where it lies in the data folder or the cache, or None."""
        (one, *others) = self.downloads or (None,)
        if one is None or others or not one.name.endswith(".zip"):
            return None
        found = (folders.find("", (one.name,)), folders.find(self.folder, (one.name,)))
        return next((place / one.name for place in found if place is not None), None)

    def ready(self, name: str) -> Path:
        """Return the folder with all files, unpacked from the owner's archive where only that is there.

        Raises:
            InputError: it is not there, or the archive is not the published one.
        """
        if (folder := self.find()) is not None:
            return folder
        if (archive := self.archive()) is None:
            raise InputError(f"dataset {name!r} is not on this machine: {self.by_hand()}")
        if problem := self.downloads[0].problem(archive):
            raise InputError(f"{archive} {problem}: it is damaged or another version; {self.by_hand()}")
        folder = folders.cache_folder() / self.folder
        unpack(archive, folder, self.downloads[0].top)
        return folder

    def by_hand(self) -> str:
        """Say how a person gets the files to where they are found."""
        wanted = " and ".join(one.name for one in self.downloads) or self.folder
        return f"get {wanted} from {self.page} and put it into the folder that {folders.DATA} names"
