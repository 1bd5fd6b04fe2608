"""Archives that lie: nothing is written outside the folder, nothing grows without bounds, nothing stays half done."""

from __future__ import annotations

import stat
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_tutorial.data.published import archives
from recsys_tutorial.data.published.archives import unpack
from recsys_tutorial.errors import InputError


def zipped(path, members: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def everything(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_plain_archive(tmp_path):
    archive = zipped(tmp_path / "a.zip", {"top/": b"", "top/b.txt": b"text", "top/deep/c.txt": b""})
    unpack(archive, tmp_path / "out" / "data")
    assert everything(tmp_path / "out/data") == ["top", "top/b.txt", "top/deep", "top/deep/c.txt"]
    assert (tmp_path / "out/data/top/b.txt").read_bytes() == b"text"


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/x", "..\\x", "a\\..\\..\\x", "C:\\x", "C:/x", "\\\\host\\share\\x"]
)
def test_a_member_that_leads_out_is_refused(tmp_path, name):
    archive = zipped(tmp_path / "a.zip", {"fine.txt": b"1", name: b"2"})
    with pytest.raises(InputError, match="leads out of its folder: it is not unpacked"):
        unpack(archive, tmp_path / "in" / "data")
    assert everything(tmp_path) == ["a.zip", "in"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (kind | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("link/x", "through the link")
    with pytest.raises(InputError, match="'link', which leads out"):
        unpack(tmp_path / "a.zip", tmp_path / "data")
    assert everything(tmp_path) == ["a.zip"]


def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    archive = zipped(tmp_path / "a.zip", {"zeros": bytes(2**27)})
    with pytest.raises(InputError, match=r"would grow from 130,\d{3} to 134,217,728 bytes"):
        unpack(archive, tmp_path / "data")
    assert everything(tmp_path) == ["a.zip"]


def test_a_bomb_that_hides_its_size(tmp_path):
    data = zipped(tmp_path / "a.zip", {"zeros": bytes(2**20)}).read_bytes()
    lie = data.replace(struct.pack("<I", 2**20), struct.pack("<I", 1000))
    (tmp_path / "a.zip").write_bytes(lie)
    with pytest.raises(InputError, match=r"no whole zip file|more than it announces"):
        unpack(tmp_path / "a.zip", tmp_path / "data")
    assert everything(tmp_path) == ["a.zip"]


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    archive = zipped(tmp_path / "a.zip", {str(n): b"" for n in range(4)})
    with pytest.raises(InputError, match="in 4 files"):
        unpack(archive, tmp_path / "data")


def test_an_archive_without_a_file_is_none(tmp_path):
    archive = zipped(tmp_path / "a.zip", {})
    with pytest.raises(InputError, match=r"a\.zip is no whole zip file \(it holds no file\): delete it"):
        unpack(archive, tmp_path / "data")
    assert not (tmp_path / "data").exists()


GOOD = {"top/ratings.csv": b"user,item\n1,2\n" * 50, "top/movies.csv": b"id,title\n"}


@settings(max_examples=300)
@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from(["change", "cut", "insert"]))
def test_a_damaged_archive_is_refused_or_gives_the_same(tmp_path_factory, place, byte, how):
    folder = tmp_path_factory.mktemp("zip")
    data = bytearray(zipped(folder / "a.zip", GOOD).read_bytes())
    place %= len(data)
    data[place : place + (how == "change")] = b"" if how == "cut" else bytes([byte])
    (folder / "a.zip").write_bytes(data[:place] if how == "cut" else data)
    try:
        unpack(folder / "a.zip", folder / "in" / "data")
    except InputError:
        assert not (folder / "in" / "data").exists()
    assert {name.split("/")[0] for name in everything(folder)} <= {"a.zip", "in"}
