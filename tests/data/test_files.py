"""Files are written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from recsys_tutorial.data.files import make_folder, to_json, write_bytes, write_text
from recsys_tutorial.errors import InputError


def test_write_makes_the_folder_and_replaces_the_file(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    write_text(path, "first")
    write_text(path, "zweite Fassung: Amélie\n")
    assert path.read_bytes() == "zweite Fassung: Amélie\n".encode()
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]  # no temporary file is left


@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "/other"), KeyboardInterrupt()])
def test_a_crash_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, where, error):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, where, fail)
    with pytest.raises(type(error)) as caught:
        write_bytes(path, b"new and longer")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]
    if isinstance(error, OSError):  # named after the file that was asked for, not the temporary one
        assert (caught.value.strerror, caught.value.filename) == ("No space left on device", str(path))


def test_the_target_is_never_seen_half_written(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    seen = []
    sync, replace = os.fsync, os.replace

    def look_then_sync(number):
        seen.append(os.fstat(number).st_size)  # all of it is handed over before the disk is told to keep it
        sync(number)

    def look_then_replace(source, target):
        seen.append((path.read_bytes(), Path(source).read_bytes(), Path(source).parent))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", look_then_sync)
    monkeypatch.setattr(os, "replace", look_then_replace)
    write_bytes(path, b"new")
    assert seen == [3, (b"old", b"new", tmp_path)]
    assert path.read_bytes() == b"new"


def test_make_folder_says_when_a_file_is_in_the_way(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "under"):
        with pytest.raises(InputError) as caught:
            make_folder(path)
        assert str(caught.value) == f"{path} is a file, or lies in one: give a folder to write to"


def test_json_is_strict_and_readable():
    assert to_json([{"title": "Amélie", "k": 1}]) == '[\n  {\n    "title": "Amélie",\n    "k": 1\n  }\n]\n'
    plain = to_json(["Amélie"], ascii_only=True)
    assert plain.isascii()
    assert json.loads(plain) == ["Amélie"]
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            to_json([value])
