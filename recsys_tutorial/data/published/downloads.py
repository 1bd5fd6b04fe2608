"""Fetch a published file: verified before it has a name, retried, and never trusted for where it came from."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError

ATTEMPTS, TIMEOUT = 3, 30.0  # seconds without a byte
SLOWEST = 1_000  # bytes a second, over the first minute and more


@dataclass(frozen=True)
class Download:
    """One file of an owner. Its checksum is what is trusted, wherever the file comes from.

    Args:
        url: where its owner keeps it.
        size: in bytes, or None where it was not published.
        sha256: hex digits, or None.
        md5: hex digits, or None; it is looked at only where there is no sha256.
    """

    url: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    @property
    def checksum(self) -> tuple[str, str]:
        """The kind of checksum that is looked at, and its hex digits."""
        return ("sha256", self.sha256) if self.sha256 else ("md5", self.md5 or "")

    def problem(self, path: Path) -> str | None:
        """Return what is wrong with the copy at ``path``, or None: it is the published file, bit by bit."""
        if self.size is not None and path.stat().st_size != self.size:
            return f"has {path.stat().st_size:,} bytes, published are {self.size:,}"
        kind, expected = self.checksum
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest()
        return None if found == expected else f"has the {kind} {found}, published is {expected}"


def fetch(one: Download, folder: Path) -> Path:
    """Download a file into ``folder`` and return its path; only a file with the published checksum gets that name.

    Proxies are taken from the environment (HTTPS_PROXY). A certificate that cannot be verified is an error: whoever
    wants the file all the same fetches it by hand, and the checksum decides.

    Raises:
        InputError: the host is down, answers with an error, stalls or sends something else.
    """
    import pooch  # here, because it is slow to import and most people never download
    import requests

    pooch.get_logger().setLevel("WARNING")  # the progress bar says enough
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return Path(pooch.retrieve(one.url, ":".join(one.checksum), one.name, folder, downloader=_Http(one)))
        except requests.HTTPError as error:
            status = error.response.status_code
            reason, final = f"the host answers {status} {error.response.reason}", status < 500
        except requests.exceptions.SSLError:
            reason, final = "the certificate of the host cannot be verified (it may have lapsed)", True
        except requests.RequestException as error:
            reason, final = f"{type(error).__name__}, the host is down or the connection broke", False
        except _Stopped as error:
            reason, final = str(error), True
        except ValueError as error:
            if "hash" not in str(error):
                raise
            reason, final = "what came is not the published file (its checksum differs)", False
        if final:
            break
        time.sleep(0.2 * attempt)
    raise InputError(f"{one.url} could not be downloaded: {reason}")


class _Stopped(Exception):
    """A transfer that was given up."""


class _Http:
    """What pooch calls to write a URL to a file: no more bytes than were published, and none too slowly."""

    def __init__(self, one: Download) -> None:
        self.one = one

    def __call__(self, url: str, output_file: str, _: object) -> None:
        import requests
        from tqdm.auto import tqdm

        started, done = time.monotonic(), 0
        with (
            requests.get(url, stream=True, timeout=TIMEOUT) as response,
            tqdm(total=self.one.size, unit="B", unit_scale=True, desc=self.one.name) as bar,
            open(output_file, "wb") as file,
        ):
            response.raise_for_status()
            for piece in response.iter_content(2**14):
                done += file.write(piece)
                bar.update(len(piece))
                if self.one.size is not None and done > self.one.size:
                    raise _Stopped(f"it is larger than the {self.one.size:,} bytes that were published")
                if (seconds := time.monotonic() - started) > 2 * TIMEOUT and done < SLOWEST * seconds:
                    raise _Stopped(f"it comes too slowly, {done:,} bytes in {seconds:.0f} s")
