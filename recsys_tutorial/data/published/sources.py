"""The files of a data set: found on this machine, or unpacked from their archive, or downloaded, by one process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from ...errors import InputError
from ..files import make_folder
from . import folders
from .archives import unpack
from .downloads import Download, fetch


@dataclass(frozen=True)
class Files:
    """The files of one data set, in one folder.

    Args:
        folder: its name, as the owner's archive has it.
        needs: the files in it that the reader reads.
        downloads: the archive that holds the folder, or the files themselves.
        page: where a person finds them.
    """

    folder: str
    needs: tuple[str, ...]
    downloads: tuple[Download, ...]
    page: str

    @property
    def packed(self) -> bool:
        """Whether the owner packs the files into an archive."""
        return self.downloads[0].name.endswith(".zip")

    def find(self) -> Path | None:
        """Return the folder where all files lie, in the data folder or the cache, or None."""
        return folders.find(self.folder, self.needs)

    def archive(self) -> Path | None:
        """Return the owner's archive, where it lies in the data folder or the cache, or None."""
        if not self.packed:
            return None
        name = self.downloads[0].name
        found = (folders.find("", (name,)), folders.find(self.folder, (name,)))
        return next((place / name for place in found if place is not None), None)

    def ready(self) -> Path:
        """Return the folder with all files: as found, else unpacked, else downloaded and unpacked.

        One process at a time does so; another waits and then finds the files. Whatever an earlier process left
        unfinished when it was killed is cleared away first. What appears in the cache appears whole, by being renamed.

        Raises:
            InputError: the files cannot be downloaded, or are not the published ones; it says what to do by hand.
        """
        if (folder := self.find()) is not None:
            return folder
        cache = folders.cache_folder()
        make_folder(cache / ".incoming")
        incoming = cache / ".incoming" / self.folder
        with FileLock(cache / ".incoming" / f"{self.folder}.lock"):
            if (folder := self.find()) is not None:
                return folder
            shutil.rmtree(incoming, ignore_errors=True)
            try:
                if self.packed:
                    whole = self._unpacked(incoming)
                    shutil.rmtree(cache / self.folder, ignore_errors=True)  # it lacks files, or would have been found
                    whole.rename(cache / self.folder)
                else:
                    self._fetched(incoming, cache / self.folder)
            finally:
                shutil.rmtree(incoming, ignore_errors=True)
        return cache / self.folder

    def _fetched(self, incoming: Path, folder: Path) -> None:
        make_folder(folder)  # other data sets may have files in it
        for one in self.downloads:
            if folders.find(self.folder, (one.name,)) is None:
                self._fetch(one, incoming).replace(folder / one.name)

    def _fetch(self, one: Download, incoming: Path) -> Path:
        try:
            return fetch(one, incoming)
        except InputError as error:
            raise InputError(f"{error}; {self.by_hand()}") from error

    def _unpacked(self, incoming: Path) -> Path:
        archive = self.archive() or self._fetch(self.downloads[0], incoming)
        if problem := self.downloads[0].problem(archive):
            raise InputError(f"{archive} {problem}: it is damaged or another version; {self.by_hand()}")
        unpack(archive, incoming / "unpacked")
        for place in sorted((incoming / "unpacked").rglob(self.needs[0])):
            if all((place.parent / name).is_file() for name in self.needs):
                return place.parent
        raise InputError(f"{archive} does not hold {', '.join(self.needs)}: another version; {self.by_hand()}")

    def by_hand(self) -> str:
        """Say how a person gets the files to where they are found."""
        names = " and ".join(one.name for one in self.downloads)
        place = folders.cache_folder() if self.packed else folders.cache_folder() / self.folder
        return (
            f"by hand: get {names} from {self.page} (a browser will do; so will curl -k, as the checksum is what is "
            f"trusted) and put it into {place}, or into the folder that {folders.DATA} names"
        )
