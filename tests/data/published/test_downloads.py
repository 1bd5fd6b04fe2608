"""Downloads from a real server on this machine that does all that servers do wrong: the cache holds no bad file."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys_tutorial.data.published import downloads
from recsys_tutorial.data.published.downloads import Download
from recsys_tutorial.data.published.sources import Files
from recsys_tutorial.errors import InputError


def packed() -> bytes:
    """A zip file with a folder and two files in it."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        file.writestr("set/ratings.csv", os.urandom(2**17))
        file.writestr("set/movies.csv", "movieId,title,genres\n")
    return memory.getvalue()


GOOD = packed()


class Handler(BaseHTTPRequestHandler):
    """Answers as the first part of the path says."""

    def do_GET(self) -> None:
        how = self.path.strip("/").split("/")[0]
        self.server.asked.append(how)
        time.sleep(self.server.delay)
        getattr(self, f"do_{how}", self.do_good)()

    def _begin(self, status: int = 200, length: int | None = len(GOOD), **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def do_good(self) -> None:
        self._begin()
        self.wfile.write(GOOD)

    def do_truncate(self) -> None:  # as long as it said, but cut
        self._begin(length=len(GOOD) // 2)
        self.wfile.write(GOOD[: len(GOOD) // 2])

    def do_drop(self) -> None:  # shorter than it said
        self._begin()
        self.wfile.write(GOOD[: len(GOOD) // 2])
        self.connection.close()

    def do_stall(self) -> None:
        self._begin()
        self.wfile.write(GOOD[:1000])
        self.wfile.flush()
        self.server.stop.wait(5)

    def do_drip(self) -> None:  # a byte now and then, so that no single wait is long
        self._begin(length=None)
        for byte in range(200):
            if self.server.stop.wait(0.05):
                return
            self.wfile.write(GOOD[byte * 90 : byte * 90 + 90])

    def do_corrupt(self) -> None:
        self._begin()
        self.wfile.write(GOOD[:-9] + bytes([GOOD[-9] ^ 1]) + GOOD[-8:])

    def do_endless(self) -> None:
        self._begin(length=None)
        while not self.server.stop.is_set():
            self.wfile.write(GOOD)

    def do_redirect(self) -> None:
        self._begin(302, 0, Location="/good/set.zip")

    def do_loop(self) -> None:
        self._begin(302, 0, Location=self.path)

    def do_missing(self) -> None:
        self._begin(404, 0)

    def do_busy(self) -> None:
        self._begin(503, 0)

    def do_wakes(self) -> None:
        if self.server.asked.count("wakes") < 3:
            self.do_busy()
        else:
            self.do_good()

    def do_page(self) -> None:  # a page that says "sign in", with a 200
        self._begin(length=11)
        self.wfile.write(b"<html>hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        one.daemon_threads, one.asked, one.delay, one.stop = True, [], 0, threading.Event()
        one.handle_error = lambda *_: None  # the client hangs up: that is what is tested
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.stop.set()
        one.shutdown()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_TUTORIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RECSYS_TUTORIAL_DATA", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(downloads, "TIMEOUT", 0.5)
    return tmp_path / "cache"


def files(server, how: str, **changed) -> Files:
    url = f"http://127.0.0.1:{server.server_port}/{how}/set.zip"
    known = {"size": len(GOOD), "sha256": hashlib.sha256(GOOD).hexdigest()} | changed
    return Files("set", ("ratings.csv", "movies.csv"), (Download(url, **known),), "http://the.owner/page")


def left(cache: Path) -> list[str]:
    """Every file in the cache but the lock."""
    found = (path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(str(path.relative_to(cache)) for path in found)


WHOLE = ["set/movies.csv", "set/ratings.csv"]


@pytest.mark.parametrize("how", ["good", "redirect", "wakes"])
def test_the_files_come(server, cache, how):
    assert files(server, how).ready() == cache / "set"
    assert left(cache) == WHOLE
    asked = len(server.asked)
    assert files(server, how).ready() == cache / "set"
    assert len(server.asked) == asked, "the second time nothing is asked for"


def test_an_md5_is_trusted_where_there_is_no_better(server, cache):
    md5 = hashlib.md5(GOOD, usedforsecurity=False).hexdigest()
    assert files(server, "good", size=None, sha256=None, md5=md5).ready() == cache / "set"
    with pytest.raises(InputError, match="checksum differs"):
        files(server, "corrupt", size=None, sha256=None, md5=md5)._fetch(
            Download(f"http://127.0.0.1:{server.server_port}/corrupt/x.zip", md5=md5), cache / "other"
        )


@pytest.mark.parametrize(
    ("how", "why", "asked"),
    [
        ("truncate", "checksum differs", 3),
        ("drop", "the connection broke", 3),
        ("stall", "the connection broke", 3),
        ("drip", "it comes too slowly", 1),
        ("corrupt", "checksum differs", 3),
        ("endless", f"larger than the {len(GOOD):,} bytes", 1),
        ("loop", "TooManyRedirects", None),
        ("missing", "the host answers 404", 1),
        ("busy", "the host answers 503", 3),
        ("page", "checksum differs", 3),
    ],
)
def test_what_goes_wrong_is_said_and_leaves_nothing(server, cache, how, why, asked, monkeypatch):
    if how == "drip":
        monkeypatch.setattr(downloads, "SLOWEST", 10**6)
    with pytest.raises(InputError) as caught:
        files(server, how).ready()
    told = str(caught.value)
    assert why in told
    assert f"/{how}/set.zip could not be downloaded" in told
    assert "by hand: get set.zip from http://the.owner/page" in told
    assert str(cache) in told
    assert left(cache) == []
    assert asked is None or len(server.asked) == asked
    assert files(server, "good").ready() == cache / "set", "the next try starts clean"
    assert left(cache) == WHOLE


def test_a_host_that_is_down(cache, server):
    one = files(server, "good")
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="ConnectionError, the host is down"):
        one.ready()
    assert left(cache) == []


def test_a_certificate_that_nobody_signed_is_an_error_not_a_shrug(cache, server, monkeypatch):
    import requests

    def lapsed(*_, **options):
        assert options.get("verify", True) is True
        raise requests.exceptions.SSLError("certificate has expired")

    monkeypatch.setattr(requests, "get", lapsed)
    with pytest.raises(InputError, match=r"certificate of the host cannot be verified .* curl -k, as the checksum is"):
        files(server, "good").ready()


def test_a_file_put_there_by_hand_is_verified_and_unpacked(cache, server):
    cache.mkdir()
    (cache / "set.zip").write_bytes(GOOD)
    assert files(server, "missing").ready() == cache / "set"
    assert server.asked == []


def test_the_data_folder_is_read_and_never_written(cache, server, tmp_path, monkeypatch):
    given = tmp_path / "given"
    given.mkdir()
    (given / "set.zip").write_bytes(GOOD)
    monkeypatch.setenv("RECSYS_TUTORIAL_DATA", str(given))
    assert files(server, "missing").ready() == cache / "set"
    assert [path.name for path in given.iterdir()] == ["set.zip"]
    (given / "set").mkdir()
    for name in ("ratings.csv", "movies.csv"):
        (given / "set" / name).write_text("x")
    assert files(server, "missing").ready() == given / "set"


def test_a_damaged_archive_is_named(cache, server, tmp_path, monkeypatch):
    (tmp_path / "set.zip").write_bytes(GOOD[:-1])
    monkeypatch.setenv("RECSYS_TUTORIAL_DATA", str(tmp_path))
    told = rf"set.zip has {len(GOOD) - 1:,} bytes, published are {len(GOOD):,}: it is damaged or another version"
    with pytest.raises(InputError, match=told):
        files(server, "good").ready()
    (tmp_path / "set.zip").write_bytes(GOOD[:-1] + b"x")
    with pytest.raises(InputError, match=r"has the sha256 .*, published is"):
        files(server, "good").ready()


def test_leftovers_of_a_killed_process_are_cleared(cache, server):
    for leftover in (".incoming/set/tmp123", ".incoming/set/.unpacked.part/set/ratings.csv", "set/ratings.csv"):
        (cache / leftover).parent.mkdir(parents=True, exist_ok=True)
        (cache / leftover).write_text("half")
    assert files(server, "good").ready() == cache / "set"
    assert left(cache) == WHOLE
    assert (cache / "set" / "ratings.csv").stat().st_size == 2**17


LOAD = """
import sys
from recsys_tutorial.data.published.downloads import Download
from recsys_tutorial.data.published.sources import Files
url, size, digest = sys.argv[1:]
print(Files("set", ("ratings.csv", "movies.csv"), (Download(url, int(size), digest),), "page").ready())
"""


def process(server, how: str) -> subprocess.Popen:
    one = files(server, how).downloads[0]
    return subprocess.Popen(
        [sys.executable, "-c", LOAD, one.url, str(one.size), one.sha256], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_two_processes_at_once_download_once(server, cache):
    server.delay = 1
    both = [process(server, "good") for _ in range(2)]
    told = [one.communicate(timeout=120)[0].decode().strip() for one in both]
    assert told == [str(cache / "set")] * 2
    assert server.asked == ["good"]
    assert left(cache) == WHOLE


def test_a_process_killed_midway_blocks_nobody(server, cache):
    one = process(server, "stall")
    while not (list(cache.rglob("tmp*")) if cache.exists() else []):
        time.sleep(0.05)
        assert one.poll() is None
    one.kill()
    one.communicate()
    assert left(cache), "it left something behind"
    assert files(server, "good").ready() == cache / "set"
    assert left(cache) == WHOLE
