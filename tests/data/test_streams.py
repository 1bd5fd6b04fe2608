"""The fast way to read a tidy table gives what the patient way gives, and leaves untidy ones alone."""

from __future__ import annotations

import csv

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import columns, text_ids

from recsys_tutorial.data import streams
from recsys_tutorial.data.readers import read_interactions
from recsys_tutorial.data.readers import sniffing as door

WANTED = {role: role for role in ("user", "item", "rating", "timestamp", "title", "genres")}


def patiently(path, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "read_stream", lambda *_: None)
        return read_interactions(path, **options)


@settings(max_examples=40)
@given(columns(ids=text_ids(), unique=False), st.sampled_from([".csv", ".parquet"]), st.integers(1, 5))
def test_both_ways_give_the_same(tmp_path_factory, table, ending, rows):
    path = tmp_path_factory.mktemp("file") / f"a{ending}"
    table = table | {"rating": table.pop("weight"), "genres": ["A|B" if len(one) > 1 else "" for one in table["item"]]}
    if ending == ".parquet":
        pa.parquet.write_table(pa.table(table), path)
    else:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "ROWS", rows)  # several dictionaries have to be joined
        fast = read_interactions(path, duplicates="keep")
    slow = patiently(path, duplicates="keep")
    assert fast.fingerprint == slow.fingerprint
    assert fast.genres == slow.genres
    assert fast.report == slow.report


@pytest.mark.parametrize(
    ("content", "tidy"),
    [
        ("user,item\n1,2\n", True),
        ('"user","item"\n"1","2"\n', True),
        ("user,item,timestamp\n1,2,2020-01-01\n", True),
        ("user,item,timestamp\n1,2,2020-01-01T10:00:00Z\n", True),
        ("user,item,rating\n1,2,good\n", False),
        ("user,item,rating\n1,2,\n", False),
        ("user,item\n1,2,3\n", False),
        ("user,item,item\n1,2,3\n", False),
        ("user,thing\n1,2\n", False),
        ('user,item\n1,"say ""hi"""\n', False),
        ("user,item\n", False),
        ("user,item\r1,2\r1,3\n1,4\n", False),
        ("\ufeffuser,item\r\n1,2\r\n", True),
    ],
)
def test_what_is_tidy(tmp_path, content, tidy):
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode())
    assert (streams.read_stream(path, WANTED) is not None) == tidy


def test_a_tidy_table_is_not_read_patiently(tmp_path, monkeypatch):
    monkeypatch.setattr(door, "_patiently", lambda *_: pytest.fail("the slow way was taken"))
    (tmp_path / "a.csv").write_text("user,item,rating,timestamp\n007,1,4,86400\n007,2,3,0\n")
    read = read_interactions(tmp_path / "a.csv")
    assert read.user_ids.tolist() == ["007"]
    assert read.timestamps.tolist() == [0, 86400]


@pytest.mark.parametrize("odd", ["007", "+7", "-7", "0x1F", "0x7FFFFFFF", "0xFFFFFFFF", "1234567890123", "a", " 7"])
@pytest.mark.parametrize("place", [0, 3])
def test_ids_stay_as_they_are_written_when_a_later_block_has_other_ones(tmp_path, monkeypatch, odd, place):
    monkeypatch.setattr(streams, "BLOCK", 4)  # one line a block
    monkeypatch.setattr(streams, "ROWS", 1)
    ids = ["7", "12", "31", "5"]
    ids.insert(place, odd)
    (tmp_path / "a.csv").write_text("user,item\n" + "".join(f"{one},1\n" for one in ids))
    assert streams.read_stream(tmp_path / "a.csv", WANTED) is not None
    fast, slow = (read(tmp_path / "a.csv", duplicates="keep") for read in (read_interactions, patiently))
    assert fast.user_ids.tolist() == slow.user_ids.tolist()
    assert fast.fingerprint == slow.fingerprint


def test_a_line_that_a_block_cannot_hold_is_left_to_the_patient_way(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BLOCK", 4)
    monkeypatch.setattr(streams, "LONGEST_LINE", 8)
    (tmp_path / "a.csv").write_text("user,item\n1,2\n123456,12345678\n")
    assert streams.read_stream(tmp_path / "a.csv", WANTED) is None
