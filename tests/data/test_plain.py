"""A file as people have it reads as the plain table does, or is refused in one line that names it and the way out."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import importlib.util
import io
import json
import lzma
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recsys_tutorial as rt

ROWS = [("Zoë", "Käse", 3.5, 86_400), ("Zoë", "Brot", 1.0, 90_000), ("Ben", "Käse", 2.25, 172_800), ("7", "Öl", 4, 0)]
TABLE = pd.DataFrame(ROWS, columns=["user", "item", "rating", "timestamp"])
CSV = TABLE.to_csv(index=False)
GERMAN = "user;item;rating;timestamp\n" + "".join(
    f"{user};{item};{str(rating).replace('.', ',')};{pd.Timestamp(time, unit='s'):%d.%m.%Y %H:%M}\n"
    for user, item, rating, time in ROWS
)
DAYS = {"decimal": ",", "time_format": "%d.%m.%Y %H:%M"}


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # the time of packing would make ids that differ between two workers


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as file:
        file.write(data)
    return out.getvalue().to_pybytes()


def zipped(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, text in members.items():
            packed.writestr(name.replace("_", "."), text)
    return out.getvalue()


def lines(table: pd.DataFrame) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_dict("records")).encode()


DISGUISES = {
    "a.csv.gz": (packed(CSV.encode()), {}), "a.csv.bz2": (bz2.compress(CSV.encode()), {}),
    "a.csv.xz": (lzma.compress(CSV.encode()), {}), "a.csv.zst": (zstd(CSV.encode()), {}),
    "a.zip": (zipped(read_me="none", a_csv=CSV), {}), "a.jsonl": (lines(TABLE), {}),
    "a.jsonl.gz": (packed(lines(TABLE)), {}), "a.csv": (CSV.encode("latin-1"), {"encoding": "latin-1"}),
    "b.csv": (CSV.encode("utf-16"), {"encoding": "utf-16"}), "c.csv": (CSV.encode("cp1252"), {"encoding": "cp1252"}),
    "d.csv": (GERMAN.encode("latin-1"), {"encoding": "latin-1", **DAYS}),
    "e.csv.gz": (packed(GERMAN.encode("utf-16")), {"encoding": "utf-16", **DAYS}),
    "f.csv": (GERMAN.partition("\n")[2].encode(),
              {"header": False, "user": "1", "item": "2", "rating": "3", "timestamp": "4", **DAYS}),
}  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("plain") / "a.csv"
    path.write_text(CSV, encoding="utf-8")
    return rt.read_interactions(path).fingerprint


@pytest.mark.parametrize("name", DISGUISES)
def test_it_reads_as_the_plain_table_does(tmp_path, plain, name):
    written, how = DISGUISES[name]
    (tmp_path / name).write_bytes(written)
    found = rt.read_interactions(tmp_path / name, **how)
    assert found.fingerprint == plain
    assert name.startswith(found.name.partition(".")[0])
    assert [path.name for path in tmp_path.iterdir()] == [name]  # nothing is left lying beside it


def test_standard_input(plain, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
    assert rt.read_interactions("-").fingerprint == plain


def test_a_workbook(tmp_path, plain):
    if importlib.util.find_spec("openpyxl"):
        TABLE.to_excel(tmp_path / "a.xlsx", index=False)
        assert rt.read_interactions(tmp_path / "a.xlsx").fingerprint == plain
    else:
        (tmp_path / "a.xlsx").write_bytes(b"PK")
        with pytest.raises(rt.InputError, match=r"a\.xlsx is a workbook: pip install openpyxl reads it"):
            rt.read_interactions(tmp_path / "a.xlsx")


def test_ids_of_a_json_file_stay_what_they_are(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"user": "007", "item": 1}\n{"user": "7", "item": 2, "genres": ["x", "y"]}\n')
    found = rt.read_interactions(tmp_path / "a.jsonl")
    assert (found.user_ids.tolist(), found.item_ids.tolist()) == (["007", "7"], [1, 2])
    assert found.genres == ((), ("x", "y"))


@pytest.mark.parametrize(
    ("name", "written", "how", "message"),
    [
        ("a.csv", CSV.encode("latin-1"), {}, r"a\.csv is not UTF-8 text .*encoding='latin-1' perhaps"),
        ("a.csv", CSV.encode("utf-16"), {}, r"encoding='utf-16' perhaps \(in a command: --encoding utf-16\)"),
        ("a.csv", "user,item\n用户一,电影一\n用户二,电影二\n".encode("gb18030"), {}, "encoding='gb18030' perhaps"),
        ("a.csv", CSV.encode("latin-1"), {"encoding": "ascii"}, r"a\.csv is not ascii text \(.*: name another"),
        ("a.csv", b"", {"encoding": "klingon"}, "encoding='klingon' is not known: latin-1, utf-16 and gb18030 are"),
        ("a.csv", b"", {"decimal": ";"}, "decimal=';': it is either"),
        ("a.csv", GERMAN.encode(), {}, r"a\.csv, row 1, column 'rating': '3,5' is not a finite number: decimal=','"),
        ("a.csv", GERMAN.encode(), {"decimal": ","}, r"'02.01.1970 00:00' is not a time: .* as time_format="),
        ("a.csv", CSV.encode(), {"time_format": "%d.%m.%Y"}, r"'86400' is not a time as %d.%m.%Y"),
        ("a.csv.gz", CSV.encode(), {}, r"a\.csv\.gz cannot be unpacked: Not a gzipped file"),
        ("a.csv.gz", packed(CSV.encode())[:60], {}, r"a\.csv\.gz cannot be unpacked: Compressed file ended"),
        ("a.csv.zst", b"nothing", {}, r"a\.csv\.zst cannot be unpacked"),
        ("a.zip", b"nothing", {}, r"a\.zip cannot be unpacked: File is not a zip file"),
        ("a.zip", zipped(a_csv=CSV, b_csv=CSV), {}, r"a\.zip holds a\.csv, b\.csv: it needs exactly one table"),
        ("a.jsonl", b'{"user": 1}\n{"x\n', {}, r"a\.jsonl cannot be read as one JSON object a line"),
        ("a.csv.gz", packed(b"user,thing\n1,2\n"), {}, r"a\.csv\.gz has no column 'item' for item"),
        ("a.csv.gz", packed(b"user,item\n1,2\n,3\n"), {}, r"a\.csv\.gz, row 2, column 'user': an empty cell"),
        ("a.tar", b"x", {}, r"a\.tar ends in '\.tar': use one of"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path, name, written, how, message):
    (tmp_path / name).write_bytes(written)
    with pytest.raises(rt.InputError, match=message) as refusal:
        rt.read_interactions(tmp_path / name, **how)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).count(str(Path(tmp_path).parent)) <= 1  # the user's file, and no temporary one


def test_labels_read_alike(tmp_path):
    (tmp_path / "a.csv").write_bytes("Nutzer;label\nZoë;ja\nBen;nein\nIda;ja\n".encode("latin-1"))
    found = rt.read_labels(tmp_path / "a.csv", columns={"user": "Nutzer"}, encoding="latin-1")
    assert found.behaviour.user_ids.tolist() == ["Ben", "Ida", "Zoë"]
    (tmp_path / "b.csv").write_text("user;value\n1;1.234,5\n2;0,25\n3;7\n")
    np.testing.assert_allclose(rt.read_labels(tmp_path / "b.csv", decimal=",").labels, [1234.5, 0.25, 7])


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200) | st.text(max_size=80).map(str.encode) | st.text("u1;,\n\" ", max_size=40).map(str.encode),
    st.sampled_from(["a.csv", "a.tsv", "a.csv.gz", "a.zip", "a.jsonl", "a.parquet", "a.xz"]),
    st.sampled_from([{}, {"encoding": "utf-16"}, {"decimal": ","}, {"header": False}]),
)
def test_any_bytes_are_read_or_refused(tmp_path_factory, written, name, how):
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(written)
    for read in (rt.read_interactions, rt.read_labels):
        with contextlib.suppress(rt.InputError):
            read(path, **how)
