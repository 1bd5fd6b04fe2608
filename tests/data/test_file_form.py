"""Files as people have them: whatever they are packed and written in, what is read is what was written."""

from __future__ import annotations

import bz2
import csv
import datetime
import gzip
import io
import json
import lzma
import sys
import zipfile

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import columns, text_ids

import recsys_tutorial as rt
from recsys_tutorial.data import file_form
from recsys_tutorial.data.file_form import FileForm, opened
from recsys_tutorial.data.streams import read_stream
from recsys_tutorial.errors import InputError

PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    ".zip": lambda data: zipped({"log.csv": data}),
}
NAMES = ("user", "item", "rating", "timestamp")
PLACES = {"user": 1, "item": 2, "rating": 3, "timestamp": 4}
BY_HAND = ([("Zoë", "ä"), ("Zoë", "b"), ("Bob", "ä")], [4.5, 3.0, 0.5], [1577801100, 1577801160, 0])


def zipped(files: dict[str, bytes]) -> bytes:
    """Pack files into a zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in files.items():
            pack.writestr(name, data)
    return held.getvalue()


def text_of(rows: list[list[str]], form: FileForm, separator: str = ",") -> bytes:
    """Write a table as a file of this form would have it."""
    held = io.StringIO()
    writer = csv.writer(held, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([NAMES] * form.header + rows)
    return held.getvalue().encode(form.encoding)


def shown_time(seconds: float, form: FileForm) -> str:
    when = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return str(seconds) if form.time_format is None else when.strftime(form.time_format)


@pytest.fixture
def by_hand():
    pairs, weights, times = BY_HAND
    users, items = zip(*pairs, strict=True)
    return rt.from_events(users, items, weights, times)


def refusal(path, **how) -> str:
    with pytest.raises(InputError) as caught:
        rt.read_interactions(path, **how)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{path.parent}/", "")


# ---- what is written is what is read -------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    table=columns(ids=text_ids(), max_size=8),
    packed=st.sampled_from(sorted(PACK)),
    form=st.builds(
        FileForm,
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030"]),
        st.sampled_from([".", ","]),
        st.sampled_from([None, "%d.%m.%Y %H:%M:%S", "%Y%m%d %I:%M:%S %p"]),
        st.booleans(),
    ),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_any_form_of_a_file_says_the_same(tmp_path_factory, table, packed, form, separator):
    path = tmp_path_factory.mktemp("file") / f"log.csv{packed}"
    marked = [str(weight).replace(".", form.decimal) for weight in table["weight"]]
    times = [shown_time(time, form) for time in table["timestamp"]]
    rows = [list(row) for row in zip(table["user"], table["item"], marked, times, strict=True)]
    path.write_bytes(PACK[packed](text_of(rows, form, separator)))
    plain = path.with_name("plain.csv")
    usual = zip(table["user"], table["item"], table["weight"], table["timestamp"], strict=True)
    plain.write_bytes(text_of([list(map(str, row)) for row in usual], FileForm()))
    read = rt.read_interactions(path, **({} if form.header else PLACES), written=form)
    assert read.fingerprint == rt.read_interactions(plain).fingerprint
    assert read.name == path.name


@pytest.mark.parametrize("packed", sorted(PACK))
def test_a_packed_file_is_read_as_a_large_one_is(file, packed, monkeypatch):
    rows = [[f"ü{n % 7}", str(n), "1,5", "5"] for n in range(2000)]
    form = FileForm("latin-1", ",")
    path = file(f"log.csv{packed}", PACK[packed](text_of(rows, form, ";").replace(b'"', b"")))
    monkeypatch.setattr("recsys_tutorial.data.streams.BLOCK", 4096)
    found = read_stream(path, {name: name for name in NAMES}, form)
    assert found is not None
    assert found["user"].tolist() == [f"ü{n % 7}" for n in range(2000)]
    assert found["item"].tolist() == list(range(2000))
    assert set(found["rating"]) == {1.5}


@pytest.mark.parametrize(
    ("name", "content", "how"),
    [
        ("l.csv", "user,item,rating,timestamp\nZoë,ä,4.5,1577801100\nZoë,b,3,1577801160\nBob,ä,.5,0\n", {}),
        (
            "german.csv", "user;item;rating;timestamp\nZoë;ä;4,5;31.12.2019 14:05\nZoë;b;3;31.12.2019 14:06\n"
            "Bob;ä;0,5;01.01.1970 00:00\n", {"written": FileForm("utf-8", ",", "%d.%m.%Y %H:%M")},
        ),
        ("bare.csv", "Zoë,ä,4.5,1577801100\nZoë,b,3,1577801160\nBob,ä,.5,0\n", PLACES),
        ("bare comma.csv", "Zoë;ä;4,5;1577801100\nZoë;b;3;1577801160\nBob;ä;,5;0\n",
         {**PLACES, "written": FileForm(decimal=",")}),
        (
            "l.jsonl", '{"user": "Zoë", "item": "ä", "rating": 4.5, "timestamp": 1577801100}\n\n{"item": "b", '
            '"user": "Zoë", "rating": 3, "timestamp": 1577801160, "more": {}}\n{"user": "Bob", "item": "ä", '
            '"rating": "0.5", "timestamp": 0}', {},
        ),
        ("l.ndjson", '{"user":"Zoë","item":"ä","rating":"4,5","timestamp":"31.12.19"}\n{"user":"Zoë","item":"b",'
         '"rating":3,"timestamp":"31.12.19"}\n{"user":"Bob","item":"ä","rating":"0,5","timestamp":"01.01.70"}\n',
         {"written": FileForm(decimal=",", time_format="%d.%m.%y")}),
    ],
)  # fmt: skip
def test_files_by_hand(file, by_hand, name, content, how):
    read = rt.read_interactions(file(name, content), **how)
    assert read.matrix.toarray().tolist() == by_hand.matrix.toarray().tolist() == [[0, 0.5], [3, 4.5]]
    assert read.item_ids.tolist() == ["b", "ä"]
    day = 86400 if name == "l.ndjson" else 1
    assert sorted(read.timestamps // day) == sorted(time // day for time in BY_HAND[2])


def test_ids_of_json_stay_what_they_are(file):
    text = '{"user": "007", "item": 9007199254740993}\n{"user": "7", "item": 1}\n{"user": "2020-01-01", "item": 2}\n'
    read = rt.read_interactions(file("l.jsonl", text))
    assert read.user_ids.tolist() == ["007", "2020-01-01", "7"]
    assert read.item_ids.tolist() == [1, 2, 9007199254740993]


def test_sequences_may_be_packed_and_written_otherwise(file):
    text = "ann ä ö\nbob ä\n"
    path = file("s.txt.gz", gzip.compress(text.encode("latin-1")))
    read = rt.read_interactions(path, form="sequences", written=FileForm("latin-1"))
    assert read.item_ids.tolist() == ["ä", "ö"]
    assert rt.read_interactions(file("n.txt.zip", zipped({"n.txt": b"1 10 20\n2 10\n"}))).n_events == 3
    assert refusal(path, form="sequences").startswith("s.txt.gz is not UTF-8 text (byte 0xe4 in line 1): save it as")


def test_standard_input_is_read_once_and_looked_at_often(monkeypatch):
    for text, how in (("user;item\n1;2\n1;3\n", {}), ('{"user":1,"item":2}\n{"user":1,"item":3}', {}),
                      ("1,2\n1,3\n", {"user": 1, "item": 2})):  # fmt: skip
        file_form._standard_input.cache_clear()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        read = rt.read_interactions("-", **how)
        assert (read.item_ids.tolist(), read.user_ids.tolist()) == ([2, 3], [1])
    file_form._standard_input.cache_clear()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert refusal(file_form.STANDARD_INPUT) == "- is empty: it needs a header and at least one row"
    file_form._standard_input.cache_clear()


def test_excel(tmp_path):
    pytest.importorskip("openpyxl")
    day = datetime.datetime(2019, 12, 31)
    table = pd.DataFrame({"user": ["007", 8, "NA"], "item": [10, 11.0, 10], "rating": ["4,5", 3, None]})
    table["timestamp"] = [day, day, day]
    path = tmp_path / "l.xlsx"
    table.to_excel(path, index=False)
    assert "row 3, column 'rating': an empty cell (NaN) is not a finite" in refusal(path, written=FileForm(decimal=","))
    read = rt.read_interactions(path, rating=None)
    assert (read.user_ids.tolist(), read.item_ids.tolist()) == (["007", "8", "NA"], [10, 11])
    assert set(read.timestamps) == {1577750400}
    table.fillna(1).to_excel(path, index=False, header=False)
    read = rt.read_interactions(path, user=1, item=2, rating=3, written=FileForm(decimal=","))
    assert sorted(read.weights.tolist()) == [1, 3, 4.5]
    with pd.ExcelWriter(path) as book:
        table.to_excel(book, sheet_name="a", index=False)
        pd.DataFrame().to_excel(book, sheet_name="none")
        table.to_excel(book, sheet_name="b", index=False)
    assert refusal(path) == "l.xlsx has 2 sheets with something in them (a, b): leave one"
    path.write_bytes(path.read_bytes()[:2000])
    assert refusal(path).startswith("l.xlsx cannot be read as xlsx: ")


def test_without_its_library_excel_says_what_to_install(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    path = file("l.xlsx", zipped({}))
    assert refusal(path) == "l.xlsx: to read Excel, `pip install openpyxl`; or save the sheet as CSV"


# ---- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("user,item\nAmélie,1\n", "latin-1", "latin-1"),
        ("user,item\n“Amélie”,1\n", "cp1252", "cp1252"),
        ("user,item\n张三,书\n李四,电影票\n", "gb18030", "gb18030"),
        ("user,item\nä,1\n", "utf-16", "utf-16"),
        ("user,item\nä,1\n", "utf-16-le", "utf-16-le"),
        ("user,item\nä,1\n", "utf-16-be", "utf-16-be"),
    ],
)
def test_another_encoding_is_suggested_and_never_taken(file, text, encoding, said):
    path = file("l.csv", text.encode(encoding))
    assert refusal(path).endswith(f"perhaps encoding={said!r} (in a command: --encoding {said})")
    read = rt.read_interactions(path, written=FileForm(said))
    assert read.user_ids.tolist() == [line.split(",")[0] for line in text.splitlines()[1:]] or encoding == "gb18030"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"encoding": "latin-11"}, "unknown encoding 'latin-11': did you mean 'latin-1'"),
        ({"encoding": "base64"}, "unknown encoding 'base64'"),
        ({"encoding": ""}, "unknown encoding ''"),
        ({"encoding": "a\0"}, "unknown encoding 'a\\x00'"),
        ({"encoding": "undefined"}, "unknown encoding 'undefined'"),
        ({"decimal": ";"}, "decimal=';': it is a point or a comma"),
        ({"time_format": "%Q"}, "time_format='%Q': write it as %d.%m.%Y"),
        ({"time_format": "mixed"}, "time_format='mixed': write it as %d.%m.%Y"),
        ({"time_format": "50%"}, "time_format='50%': write it as %d.%m.%Y"),
        ({"time_format": ""}, "time_format='': write it as %d.%m.%Y"),
    ],
)
def test_a_form_that_there_is_not_is_refused_before_anything_is_read(how, message):
    with pytest.raises(InputError) as caught:
        FileForm(**how)
    assert str(caught.value).startswith(message)


COMMA = FileForm(decimal=",")


@pytest.mark.parametrize(
    ("name", "content", "how", "message"),
    [
        ("l.csv", "user;item;rating\n1;2;1.5\n", {"written": COMMA}, "row 1, column 'rating': '1.5' is not a finite"),
        ("l.csv", "user;item;rating\n1;2;1.234,5\n", {"written": COMMA}, "column 'rating': '1.234,5' is not a finite"),
        ("l.csv", "user;item;rating\n1;2;3\n1;3;4,5\n", {}, "row 2, column 'rating': '4,5' is not a finite number"),
        (
            "l.csv", "user,item,timestamp\n1,2,31.12.2019 14:05\n", {},
            "or say how it is written, as time_format='%d.%m.%Y %H:%M' (in a command: --time-format)",
        ),
        (
            "l.csv", "user,item,timestamp\n1,2,31.12.2019\n1,3,13/31/2019\n",
            {"written": FileForm(time_format="%d.%m.%Y")},
            "row 2, column 'timestamp': '13/31/2019' is not a time written as %d.%m.%Y (such rows: 1)",
        ),
        (
            "l.csv", "user,item,timestamp\n1,2,31.12.1969\n", {"written": FileForm(time_format="%d.%m.%Y")},
            "is before 1970",
        ),
        ("l.csv", "1,2\n1,3\n", {"user": 1, "item": 3}, "l.csv has no column '3' for item: it has 1, 2"),
        ("l.csv", "1,2\n1,3\n", {"user": 0, "item": 2}, "l.csv has no column '0' for user: it has 1, 2"),
        ("l.csv", "1,2\n1,3\n", {"user": 1, "item": "sku"}, "l.csv has no column 'sku' for item: it has 1, 2"),
        ("l.csv", "1,2\n1,3,4\n", {"user": 1, "item": 2}, "l.csv cannot be read as csv: Expected 2 fields in line 2"),
        ("l.csv", "", {"user": 1, "item": 2}, "l.csv is empty: it needs at least one row"),
        ("l.csv", "1,2\n1,3\n", {}, "; of a file without a header give positions: user=1, item=2"),
        ("l.jsonl", '{"user":1,"item":2}', {"user": 1, "item": 2}, "has names for its columns: give these, not"),
        ("l.csv", "user,item\nä,1\n", {"written": FileForm("utf-16")}, "l.csv is not utf-16 text ("),
        ("l.csv", "user,item\nä,1\n", {"written": FileForm("ascii")}, "l.csv is not ascii text ("),
        ("l.txt.gz", gzip.compress(b"1 2\n" * 999, mtime=0)[:-9], {"form": "sequences"}, "l.txt.gz cannot be read: "),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_is_refused(file, name, content, how, message):
    assert message in refusal(file(name, content), **how)


ROWS = b"user,item\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(3000))
DAMAGED = {
    **{f"cut{end}": PACK[end](ROWS)[:-20] for end in PACK if end},
    **{f"none{end}": ROWS for end in PACK if end},
    **{f"empty{end}": b"" for end in PACK if end},
    **{
        f"torn{end}": (data := PACK[end](ROWS))[:400] + b"????" + data[404:] for end in PACK if end not in ("", ".zst")
    },  # no sum
    "two.zip": zipped({"a.csv": ROWS, "b.csv": ROWS}),
    "nothing.zip": zipped({}),
    "folder.zip": zipped({"a/": b""}),
    "other.zip": zipped({"a.exe": ROWS}),
    "parquet.zip": zipped({"a.parquet": ROWS}),
    "twice.csv.gz.gz": gzip.compress(gzip.compress(ROWS)),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_packed_badly_is_refused_in_one_line(file, name):
    stem, _, ending = name.partition(".")
    path = file(name if stem in ("two", "nothing", "folder", "other", "parquet", "twice") else f"{stem}.csv.{ending}",
                DAMAGED[name])  # fmt: skip
    assert 10 < len(refusal(path)) < 400
    with pytest.raises(InputError):
        rt.read_labels(path)


def test_a_zip_may_hold_what_a_mac_adds(file):
    path = file("l.zip", zipped({"__MACOSX/._l.csv": b"\0", "in/": b"", "in/l.csv": b"user,item\n1,2\n"}))
    assert rt.read_interactions(path).n_events == 1
    path = file("two.zip", zipped({"a.csv": b"user,item\n1,2\n", "b.csv": b""}))
    assert refusal(path) == "two.zip holds 2 files (a.csv, b.csv): one table is needed, pack it alone"


@settings(max_examples=80)
@given(
    lines=st.lists(
        st.sampled_from(['{"user": 1, "item": 2}', '{"user": "a", "item": "b", "rating": 3}', "[1, 2]", "1", "{}"])
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | text_ids(),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
            max_leaves=5,
        ).map(json.dumps),
        max_size=5,
    ),
    damage=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 255)), max_size=2),
)  # fmt: skip
def test_any_json_lines_are_read_or_refused(tmp_path_factory, lines, damage):
    text = bytearray("\n".join(lines).encode())
    for place, byte in damage:
        if place < len(text):
            text[place] = byte
    path = tmp_path_factory.mktemp("json") / "l.jsonl"
    path.write_bytes(text)
    said = []
    for read in (rt.read_interactions, rt.read_labels):
        try:
            read(path)
        except InputError as error:
            said.append(str(error))
    assert not any("\n" in one for one in said)


def test_a_stream_is_closed_and_read_whole(file):
    for packed in PACK:
        path = file(f"l.csv{packed}", PACK[packed]("ä\nö\n".encode("utf-16")))
        with opened(path, FileForm("utf-16")) as stream:
            assert stream.readline() == "ä\n".encode()
            assert stream.read() == "ö\n".encode()
        assert stream.closed
