"""A person's own file: what is read is what was written, and what cannot be read is said in one line."""

from __future__ import annotations

import csv
import datetime
import inspect
import re

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import SECONDS, columns, text_ids

import recsys_tutorial as rt
from recsys_tutorial.data.events import DUPLICATES, from_events
from recsys_tutorial.data.readers import read_interactions
from recsys_tutorial.errors import InputError, MissingFileError

HEADER = "user,item,rating,timestamp\n"
ROWS = "1,10,4,100\n1,11,3,200\n2,10,5,50\n"
PLAIN = ([10, 11], [1, 2], [4, 3, 5], [100, 200, 50])  # what HEADER + ROWS hold


def told(interactions) -> tuple:
    times = None if interactions.timestamps is None else interactions.timestamps.tolist()
    return interactions.item_ids.tolist(), interactions.user_ids.tolist(), interactions.weights.tolist(), times


def refusal(path, **options) -> str:
    """Return the message with which ``path`` is refused, the folder left out."""
    with pytest.raises(InputError) as caught:
        read_interactions(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{path.parent}/", "")


# ---- write, then read ----------------------------------------------------------------------------------------


def as_read(ids: list[str]) -> list:
    """Ids become numbers only where every one is written as a number is."""
    return [int(one) for one in ids] if all(re.fullmatch(r"0|[1-9]\d{0,17}", one) for one in ids) else ids


def write_text_file(path, table: dict, separator: str) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))


def write_parquet_file(path, table: dict, _) -> None:
    pa.parquet.write_table(pa.table(table), path)


@pytest.mark.parametrize(
    ("ending", "separator", "write"),
    [
        (".csv", ",", write_text_file),
        (".csv", ";", write_text_file),
        (".tsv", "\t", write_text_file),
        (".txt", "|", write_text_file),
        (".parquet", None, write_parquet_file),
    ],
)
@settings(max_examples=25)
@given(table=columns(ids=text_ids(), max_size=12), data=st.data())
def test_what_is_written_is_what_is_read(tmp_path_factory, ending, separator, write, table, data):
    titles = {item: data.draw(text_ids()) for item in table["item"]}
    path = tmp_path_factory.mktemp("file") / f"data{ending}"
    write(path, {**table, "title": [titles[item] for item in table["item"]], "rating": table["weight"]}, separator)
    expected = from_events(
        as_read(table["user"]),
        as_read(table["item"]),
        table["weight"],
        table["timestamp"],
        titles=dict(zip(as_read([*titles]), titles.values(), strict=True)),
    )
    read = read_interactions(path)
    assert read.fingerprint == expected.fingerprint
    assert read.titles == expected.titles
    assert read.user_ids.dtype == expected.user_ids.dtype


@settings(max_examples=25)
@given(columns(), st.sampled_from(["s", "ms", "us", "ns"]), st.sampled_from(["number", "date"]))
def test_a_time_is_the_same_in_every_unit_and_as_a_date(tmp_path_factory, table, unit, kind):
    expected = from_events(**table)
    factor = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    times = pa.array([time * factor for time in table["timestamp"]])
    folder = tmp_path_factory.mktemp("file")
    stored = times if kind == "number" else times.cast(pa.timestamp(unit))
    pa.parquet.write_table(pa.table({**table, "rating": table["weight"], "timestamp": stored}), folder / "a.parquet")
    written = times.to_pylist()
    if kind == "date":
        zone = datetime.timezone(datetime.timedelta(hours=3))
        written = [datetime.datetime.fromtimestamp(time, zone).isoformat() for time in table["timestamp"]]
    write_text_file(folder / "a.csv", {**table, "rating": table["weight"], "timestamp": written}, ",")
    assert read_interactions(folder / "a.parquet").fingerprint == expected.fingerprint
    assert read_interactions(folder / "a.csv").fingerprint == expected.fingerprint


@given(columns(times=SECONDS, max_size=8))
@settings(max_examples=10)
def test_columns_of_any_name_and_order(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("file") / "a.csv"
    named = {"ts": table["timestamp"], "extra": table["item"], "sku": table["item"], "stars": table["weight"]}
    write_text_file(path, {**named, "uid": table["user"]}, ",")
    read = read_interactions(path, user="uid", item="sku", rating="stars", timestamp="ts")
    assert read.fingerprint == from_events(**table).fingerprint
    bare = read_interactions(path, user="uid", item="sku")
    assert bare.weights.tolist() == [1] * len(table["user"])
    assert bare.timestamps is None


# ---- real files are untidy -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("byte order mark.csv", ("\ufeff" + HEADER + ROWS).encode()),
        ("windows line ends.csv", (HEADER + ROWS).replace("\n", "\r\n")),
        ("old mac line ends.csv", (HEADER + ROWS).replace("\n", "\r")),
        ("no last line end.csv", (HEADER + ROWS).rstrip()),
        ("semicolons.csv", (HEADER + ROWS).replace(",", ";")),
        ("bars.csv", (HEADER + ROWS).replace(",", "|")),
        ("tabs.csv", (HEADER + ROWS).replace(",", "\t")),
        ("tabs.txt", (HEADER + ROWS).replace(",", "\t")),
        ("commas.tsv", HEADER + ROWS),
        ("a comma in a name.tsv", HEADER.replace(",", "\t").replace("\n", "\ta,b\n") + ROWS.replace(",", "\t")),
        ("a comma in a name.txt", HEADER.replace(",", "\t").replace("\n", "\ta,b\n") + ROWS.replace(",", "\t")),
        ("a semicolon in a name.csv", HEADER.replace("\n", ",a;b\n") + ROWS),
        ("ENDING.CSV", HEADER + ROWS),
        ("spaces around.csv", (HEADER + ROWS).replace(",", " , ")),
        ("blank lines.csv", "\n\n" + HEADER + "\n" + ROWS + "\n\n"),
        ("all quoted.csv", re.sub(r"[^,\n]+", r'"\g<0>"', HEADER + ROWS)),
        ("more columns.csv", (HEADER + ROWS).replace("\n", ",x\n")),
        ("two unnamed columns.csv", (HEADER + ROWS).replace("\n", ",,\n")),
    ],
)
def test_an_untidy_file_is_read_as_it_was_meant(file, name, content):
    assert told(read_interactions(file(name, content))) == PLAIN


@pytest.mark.parametrize(
    ("cells", "ids"),
    [
        ("10 2 1", [1, 2, 10]),
        ("007 7 70", ["007", "7", "70"]),
        ("1e5 2 1", ["1", "1e5", "2"]),
        ("1.0 2 1", ["1", "1.0", "2"]),
        ("-1 2 1", ["-1", "1", "2"]),
        ("NA null nan", ["NA", "nan", "null"]),
        ("99999999999999999999999 2 1", ["1", "2", "99999999999999999999999"]),
        ("9223372036854775808 2 1", ["1", "2", "9223372036854775808"]),
        ("999999999999999999 2 1", [1, 2, 999999999999999999]),
        ("ß é 日本", ["ß", "é", "日本"]),
    ],
)
def test_ids_are_numbers_only_where_all_are_written_so(file, cells, ids):
    for column, other in (("user,item", "{0},{1}"), ("item,user", "{0},{1}")):
        rows = "".join(other.format(cell, row) + "\n" for row, cell in enumerate(cells.split()))
        read = read_interactions(file("a.csv", f"{column}\n{rows}"))
        kept = read.user_ids if column.startswith("user") else read.item_ids
        assert kept.tolist() == ids


def test_titles_and_genres(file):
    path = file(
        "a.csv",
        "user,item,title,genres\n"
        '1,10,"Lion King, The (1994)", Animation | Musical\n'
        '1,11,"The ""Real"" Thing",\n'
        "2,10,another title,Drama\n"
        "2,12,,|Crime|\n"
        '2,13,"two\nlines",War\n'
        "3,14,1984,War\n",
    )
    read = read_interactions(path)
    assert read.titles == ("Lion King, The (1994)", 'The "Real" Thing', "item 12", "two\nlines", "1984")
    assert read.genres == (("Animation", "Musical"), (), ("Crime",), ("War",), ("War",))
    assert read.name == "a.csv"
    without = read_interactions(path, title=None, genres=None)
    assert (without.titles, without.genres) == (None, None)


def test_fractions_of_a_second_keep_their_order(file):
    for times in (
        ("5.75", "5.25"),
        ("1577836800750", "1577836800250"),
        ("2020-01-01T00:00:00.75", "2020-01-01 00:00:00.25"),
    ):
        read = read_interactions(file("a.csv", f"user,item,timestamp\n1,10,{times[0]}\n1,11,{times[1]}\n"))
        assert read.items.tolist() == [1, 0]
        assert read.timestamps[0] == read.timestamps[1]


@pytest.mark.parametrize(
    ("first", "second", "seconds"),
    [
        ("2020-01-01", "2020-01-01 10:00:00", [1577836800, 1577872800]),
        ("2020-01-01T02:00:00+02:00", "2020-01-01T00:00:01Z", [1577836800, 1577836801]),
        ("1970-01-01", "1970-01-02", [0, 86400]),
        ("99999999", "5", [99999999, 5]),
        ("19000100", "19000101", [19000100, 19000101]),
        ("21001232", "20191231", [21001232, 20191231]),
        ("1e9", "1577836800.9", [1000000000, 1577836800]),
        ("99999999999", "0", [99999999999, 0]),
        ("100000000000", "99999999999999", [100000000, 99999999999]),
        ("100000000000000", "99999999999999980", [100000000, 99999999999]),
        ("100000000000000000", "9223372036854774784", [100000000, 9223372036]),
    ],
)
def test_times_by_hand(file, first, second, seconds):
    read = read_interactions(file("a.csv", f"user,item,timestamp\n1,10,{first}\n2,10,{second}\n"))
    assert read.timestamps.tolist() == seconds


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"user": pa.array([2.0, 1.0]), "item": [10, 11]}, ([10, 11], [1, 2], [1, 1], None)),
        ({"user": pa.array(["b ", "a"]), "item": [10, 11]}, ([10, 11], ["a", "b"], [1, 1], None)),
        (
            {"user": pa.array([2**64 - 1, 1], pa.uint64()), "item": [10, 11]},
            ([10, 11], ["1", f"{2**64 - 1}"], [1, 1], None),
        ),
        ({"user": [1, 2], "item": [10, 11], "rating": ["4.5", "3"]}, ([10, 11], [1, 2], [4.5, 3], None)),
        ({"user": [1, 2], "item": [10, 11], "rating": [True, False]}, ([10, 11], [1, 2], [1, 0], None)),
        (
            {"user": [1, 2], "item": [10, 11], "timestamp": [datetime.date(2020, 1, 1), datetime.date(1970, 1, 2)]},
            ([10, 11], [1, 2], [1, 1], [1577836800, 86400]),
        ),
    ],
)
def test_parquet_types(tmp_path, table, expected):
    pa.parquet.write_table(pa.table(table), tmp_path / "a.parquet")
    assert told(read_interactions(tmp_path / "a.parquet")) == expected


def test_parquet_from_pandas_with_ids_as_index(tmp_path):
    table = pd.DataFrame({"user": [1, 1, 2], "item": [10, 11, 10], "genres": [["A", "B"], ["C"], None]})
    table.set_index("user").to_parquet(tmp_path / "a.pq")
    read = read_interactions(tmp_path / "a.pq")
    assert told(read) == ([10, 11], [1, 2], [1, 1, 1], None)
    assert read.genres == (("A", "B"), ("C",))


# ---- what cannot be read -------------------------------------------------------------------------------------

ISO = (
    "is not a time: give seconds since 1970, or dates as 2024-05-31 or 2024-05-31T10:00:00+02:00, or say how it is "
    "written, as time_format='%d.%m.%Y %H:%M' (in a command: --time-format)"
)
SAVE = "save it as UTF-8, or say how it is written, perhaps encoding={0!r} (in a command: --encoding {0})"
NO_USER = "a.csv has no column 'user' for user: it has {}; name yours with user={!r} (in a command: --columns user={})"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv is empty: it needs a header and at least one row"),
        (" \n\n", "a.csv is empty: it needs a header and at least one row"),
        (HEADER, "a.csv is empty: it needs a header and at least one row"),
        (
            ROWS,
            NO_USER.format("1, 10, 4, 100", "...", "...")
            + "; of a file without a header give positions: user=1, item=2",
        ),
        (HEADER.title() + ROWS, NO_USER.format("User, Item, Rating, Timestamp", "User", "User")),
        ("one\n1\n2\n", NO_USER.format("one", "...", "...")),
        (
            "user,itm\n1,2\n",
            "a.csv has no column 'item' for item: it has user, itm; name yours with item='itm' "
            "(in a command: --columns item=itm)",
        ),
        ("user,item,user\n1,2,3\n", "a.csv has 2 columns called 'user': rename all but one"),
        ("user,item,rating,rating\n1,2,3,4\n", "a.csv has 2 columns called 'rating': rename all but one"),
        (HEADER + ROWS + "1,12,4,100,9\n", "a.csv cannot be read as csv: Expected 4 fields in line 5, saw 5"),
        (HEADER + "1,12,4,100,9\n", "a.csv cannot be read as csv: the first row has more cells than the header"),
        (HEADER + '1,"12,4,100\n', "a.csv cannot be read as csv: EOF inside string starting at row 1"),
        (
            "user,item\nAmélie,1\n".encode("latin-1"),
            f"a.csv is not UTF-8 text (byte 0xe9 in line 2): {SAVE.format('latin-1')}",
        ),
        ((HEADER + ROWS).encode("utf-16"), f"a.csv is not UTF-8 text (byte 0xff in line 1): {SAVE.format('utf-16')}"),
    ],
)
def test_a_file_that_is_no_table_is_refused(file, content, message):
    assert refusal(file("a.csv", content)) == message


EMPTY = "an empty cell (NaN)"


@pytest.mark.parametrize(
    ("content", "row", "column", "shown", "why", "rows"),
    [
        ("user,item\n1,2\n,3\n", 2, "user", EMPTY, "is not an id", 1),
        ("user,item\n1,2\n1,  \n2,\n", 2, "item", EMPTY, "is not an id", 2),
        ('user,item\n"  ",2\n', 1, "user", EMPTY, "is not an id", 1),
        ("user,item\n1,2\n1\n", 2, "item", EMPTY, "is not an id", 1),
        ("user,item,rating\n1,2,4\n1,3,good\n", 2, "rating", "'good'", "is not a finite number", 1),
        ("user,item,rating\n1,2,NaN\n1,3,4\n", 1, "rating", "'NaN'", "is not a finite number", 1),
        ("user,item,rating\n1,2,4\n1,3,\n", 2, "rating", EMPTY, "is not a finite number", 1),
        ("user,item,rating\n1,2,\n1,3,\n", 1, "rating", EMPTY, "is not a finite number", 2),
        ("user,item,rating\n1,2,3\n1,3,inf\n", 2, "rating", "inf", "is not a finite number", 1),
        ("user,item,rating\n1,2,-inf\n1,3,1\n", 1, "rating", "-inf", "is not a finite number", 1),
        ("user,item,rating\n1,2,3\n1,3,1e39\n", 2, "rating", "1e+39", "is not a finite number", 1),
        ("user;item;rating\n1;2;4,5\n", 1, "rating", "'4,5'", "is not a finite number", 1),
        (
            "user,item,timestamp\n1,2,5\n1,3,-5\n", 2, "timestamp", "-5",
            "is before 1970, a negative time: give seconds since 1970", 1,
        ),
        (
            "user,item,timestamp\n1,2,1969-12-31\n", 1, "timestamp", "'1969-12-31'",
            "is before 1970, a negative time: give seconds since 1970", 1,
        ),
        ("user,item,timestamp\n1,2,5\n1,3,\n", 2, "timestamp", EMPTY, ISO, 1),
        ("user,item,timestamp\n1,2,5\n1,3,soon\n", 2, "timestamp", "'soon'", ISO, 1),
        ("user,item,timestamp\n1,2,soon\n1,3,now\n", 1, "timestamp", "'soon'", ISO, 2),
        ("user,item,timestamp\n1,2,01/02/2020\n1,3,2020-01-01\n", 1, "timestamp", "'01/02/2020'", ISO, 1),
        ("user,item,timestamp\n1,2,2020-02-30\n", 1, "timestamp", "'2020-02-30'", ISO, 1),
        ("user,item,timestamp\n1,2,1577836800\n1,3,2020-01-01\n", 2, "timestamp", "'2020-01-01'", ISO, 1),
        ("user,item,timestamp\n1,2,1e30\n", 1, "timestamp", "1e+30", ISO, 1),
        ("user,item,timestamp\n1,2,1e9\n1,3,9.3e18\n", 2, "timestamp", "9.3e+18", ISO, 1),
        (
            "user,item,timestamp\n1,2,19000101\n1,3,21001231\n", 1, "timestamp", "19000101",
            "looks like a date without dashes: write 2024-05-31", 2,
        ),
        (
            "user,item,timestamp\n1,2,1577836800\n1,3,1577836800000\n", 2, "timestamp", "1577836800000",
            "is in another unit than row 1: give seconds since 1970", 1,
        ),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_is_named(file, content, row, column, shown, why, rows):
    message = f"a.csv, row {row}, column {column!r}: {shown} {why} (such rows: {rows}): mend or drop them"
    assert refusal(file("a.csv", content)) == message


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"user": [1.5, 2.0], "item": [1, 2]}, "row 1, column 'user': 1.5 is not a whole number, so not an id"),
        (
            {"user": [1.0, float("inf")], "item": [1, 2]},
            "row 2, column 'user': inf is not a whole number, so not an id",
        ),
        ({"user": pa.array([1, None]), "item": [1, 2]}, f"row 2, column 'user': {EMPTY} is not an id"),
        (
            {"user": [1, 2], "item": [[1], [2, 3]]},
            "row 1, column 'item': array([1]) is not an id: give one row per event",
        ),
        (
            {"user": [1, 2], "item": [1, 2], "rating": pa.array([1.0, None])},
            f"row 2, column 'rating': {EMPTY} is not a finite number",
        ),
        (
            {"user": [1, 2], "item": [1, 2], "timestamp": pa.array([5, None], pa.timestamp("s"))},
            f"row 2, column 'timestamp': {EMPTY} {ISO}",
        ),
    ],
)
def test_a_parquet_cell_that_cannot_be_read_is_named(tmp_path, table, message):
    pa.parquet.write_table(pa.table(table), tmp_path / "a.parquet")
    rows = len(table["item"]) if "one row per event" in message else 1
    assert refusal(tmp_path / "a.parquet") == f"a.parquet, {message} (such rows: {rows}): mend or drop them"


def test_a_file_that_is_no_parquet_is_refused(file, tmp_path):
    assert refusal(file("a.parquet", HEADER + ROWS)).startswith("a.parquet cannot be read as parquet: ")
    pa.parquet.write_table(
        pa.table({"user": pa.array([], pa.int64()), "item": pa.array([], pa.int64())}), tmp_path / "b.pq"
    )
    assert refusal(tmp_path / "b.pq") == "b.pq is empty: it needs a header and at least one row"


def test_a_missing_file_is_refused_with_a_near_name(file):
    path = file("ratings.csv", HEADER + ROWS)
    with pytest.raises(MissingFileError):
        read_interactions(path.with_name("rating.csv"))
    assert refusal(path.with_name("rating.csv")) == "no file 'rating.csv': did you mean 'ratings.csv'?"
    assert refusal(path.with_name("other.tsv")) == "no file 'other.tsv': check the path"
    assert refusal(path.parent / "nowhere" / "ratings.csv") == "no file 'ratings.csv': check the path"


def test_a_folder_and_another_ending_are_refused(file, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    assert refusal(tmp_path / "folder.csv") == "folder.csv is a folder: give a file"
    endings = ".csv .tsv .txt .parquet .pq .jsonl .ndjson .xlsx"
    assert refusal(file("a.json", "{}")) == f"a.json ends in '.json': use one of {endings}"
    for name in ("a.7z", "a.tar.gz", "a.parquet.gz", "a.xlsx.bz2", "a.gz"):
        assert refusal(file(name, "{}")) == f"{name} ends in {name[name.rindex('.') :]!r}: unpack it first"
    assert refusal(file("a", "{}")) == f"a ends in 'nothing': use one of {endings}"


def test_a_column_that_was_named_must_be_there(file):
    path = file("a.csv", "user,item\n1,2\n")
    assert read_interactions(path).timestamps is None
    for role in ("rating", "timestamp", "title", "genres"):
        assert refusal(path, **{role: "itm"}) == (
            f"a.csv has no column 'itm' for {role}: it has user, item; name yours with {role}='item' "
            f"(in a command: --columns {role}=item)"
        )
        assert read_interactions(path, **{role: None}).n_events == 1


def test_duplicates_are_refused_until_their_meaning_is_said(file):
    path = file("a.csv", "user,item,rating,timestamp\n1,2,4,9\n1,3,1,1\n1,2,5,7\n")
    assert refusal(path) == (
        "'a.csv', row 3: user 1 has item 2 a second time (duplicate rows: 1): "
        "say what they mean with duplicates='last', 'sum' or 'keep'"
    )
    kept = {how: read_interactions(path, duplicates=how).weights.tolist() for how in DUPLICATES[1:]}
    assert kept == {"last": [1, 4], "sum": [1, 9], "keep": [1, 5, 4]}


def test_public_signature():
    assert rt.read_interactions is read_interactions
    assert [*inspect.signature(read_interactions).parameters][:5] == ["path", "user", "item", "rating", "timestamp"]


def test_a_large_file_with_one_bad_cell_is_refused_without_warnings(file, recwarn):
    rows = [f"{user},{user % 97},4\n" for user in range(300_000)]
    rows[250_000] = "250000,7,bad\n"
    message = refusal(file("a.csv", "user,item,rating\n" + "".join(rows)))
    assert message.startswith("a.csv, row 250001, column 'rating': 'bad' is not a finite number")
    assert not recwarn.list
