"""Unpack an archive so that nothing outside the folder is written, and all of it is there or nothing is."""

from __future__ import annotations

import errno
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from ...errors import InputError
from ..files import make_folder

LARGEST = 4 * 2**30  # bytes, unpacked: four times the largest set in the catalogue
MOST_MEMBERS = 10_000
LARGEST_RATIO = 200  # of unpacked to packed bytes, above 64 MB: MovieLens packs 4 to 1, a bomb 1,000 to 1
# What zipfile raises on damaged files, and what a system says to names and places that cannot be.
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, RuntimeError, ValueError, OverflowError)
BAD_NAMES = (errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file to ``folder``, which must not exist yet; it appears whole, by being renamed.

    Args:
        archive: the zip file.
        folder: what to make.

    Raises:
        InputError: no zip file, a damaged one, a member that would be written elsewhere (``../``, an absolute path,
            a link), one that would grow beyond all bounds.
    """
    make_folder(folder.parent)
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as packed:
            for member in _checked(packed, archive):
                _write(packed, member, temporary / PurePosixPath(member.filename), archive)
        temporary.rename(folder)
    except InputError:
        raise
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in BAD_NAMES:
            raise  # a full disk, say
        raise InputError(f"{archive} is no whole zip file ({error}): delete it and load the data again") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _checked(packed: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    """Return the files in the archive, after looking at the names and sizes of all."""
    members = packed.infolist()
    total, stored = (sum(getattr(one, size) for one in members) for size in ("file_size", "compress_size"))
    bomb = total > max(2**26, LARGEST_RATIO * max(1, min(stored, archive.stat().st_size)))
    if len(members) > MOST_MEMBERS or total > LARGEST or bomb:
        raise InputError(
            f"{archive} would grow from {stored:,} to {total:,} bytes in {len(members):,} files: it is not unpacked"
        )
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        kind = stat.S_IFMT(member.external_attr >> 16)
        outside = path.is_absolute() or ".." in path.parts or ":" in member.filename or "\0" in member.filename
        if outside or kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InputError(f"{archive} holds {member.filename!r}, which leads out of its folder: it is not unpacked")
    if not (files := [member for member in members if not member.is_dir()]):
        raise InputError(f"{archive} is no whole zip file (it holds no file): delete it and load the data again")
    return files


def _write(packed: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, archive: Path) -> None:
    """Write one member; its size in the directory of the archive is not believed, but held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(member) as source, open(path, "xb") as target:
        shutil.copyfileobj(_AtMost(source, member.file_size, archive), target, 2**20)


class _AtMost:
    """A file to read from that gives no more than was announced."""

    def __init__(self, source: IO[bytes], size: int, archive: Path) -> None:
        self.source, self.left, self.archive = source, size, archive

    def read(self, n: int = -1, /) -> bytes:
        data = self.source.read(n)
        self.left -= len(data)
        if self.left < 0:
            raise InputError(f"{self.archive} holds more than it announces: it is not unpacked")
        return data
