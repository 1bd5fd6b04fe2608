"""Files of labels: what is read, what is left out and counted, what is refused in one line; and hostile ones."""

import csv
import gzip
import io
import lzma
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import text_ids

import recsys_tutorial as rt
from recsys_tutorial import FileForm


@pytest.fixture
def file(tmp_path):
    """Write a file of labels -> its path."""

    def write(text: str | bytes, name: str = "labels.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def rows(*pairs: object, header: str = "user,label") -> str:
    return "\n".join([header, *(",".join(map(str, pair)) for pair in pairs)]) + "\n"


# ---- what is read --------------------------------------------------------------------------------------------


def test_classes_keep_their_names_and_what_is_left_out_is_counted(file):
    task = rt.read_labels(file(rows((2, "man"), (1, "woman"), (3, ""), (2, "man"), (4, " woman "))))
    assert isinstance(task, rt.ClassificationTask)
    assert (task.classes, task.labels.tolist()) == (("man", "woman"), [1, 0, 1])
    assert task.behaviour.user_ids.tolist() == [1, 2, 4]
    assert (task.behaviour.n_events, task.behaviour.n_items) == (0, 0)
    assert task.report.left_out == {"rows with an empty label": 1, "rows that say the same again": 1}
    assert str(task.report) == (
        "5 rows read as classification (column 'label' holds texts): 3 users, 'man' 1, 'woman' 2; "
        "left out: 1 rows with an empty label; 1 rows that say the same again"
    )


@pytest.mark.parametrize(
    ("labels", "forced", "kind", "classes"),
    [
        ([0, 1, 1, 0], None, "classification", (0, 1)),
        ([5, 1, 5, 3], None, "classification", (1, 3, 5)),
        ([0.5, 1, 1, 0], None, "regression", None),
        ([0.5, 1, 1, 0], "classification", "classification", (0.0, 0.5, 1.0)),
        ([0, 1, 1, 0], "regression", "regression", None),
        (list(range(21)), None, "regression", None),
        (["007", "7", "x", "7"], None, "classification", ("007", "7", "x")),
    ],
)
def test_kind_follows_from_the_labels_and_can_be_forced(file, labels, forced, kind, classes):
    task = rt.read_labels(file(rows(*enumerate(labels))), task=forced)
    assert (task.name, getattr(task, "classes", None)) == (kind, classes)
    assert task.report.kind == kind


def test_values_and_wanted_items(file):
    values = rt.read_labels(file("user\tvalue\nb\t2.5\na\t-1e3\n", "v.tsv"))
    assert isinstance(values, rt.RegressionTask)
    assert (values.behaviour.user_ids.tolist(), values.labels.tolist()) == (["a", "b"], [-1000, 2.5])
    text = rows((1, 10, 5), (1, 20, 1), (2, 20, 4), (3, 10, 2), header="user,item,rating")
    wanted = rt.read_labels(file(text))
    assert isinstance(wanted, rt.RankingTask)
    assert (wanted.targets.user_ids.tolist(), wanted.targets.item_ids.tolist()) == ([1, 2], [10, 20])
    assert wanted.targets.matrix.toarray().tolist() == [[1, 0], [0, 1]]
    assert "where the rating is at least 4" in str(wanted.report)
    assert rt.read_labels(file(text), at_least=1).targets.n_events == 4
    assert rt.read_labels(file(rows((1, 10), (1, 10), (2, 20), header="user,item"))).report.left_out == {
        "rows that say the same again": 1
    }


def test_columns_go_by_their_names_and_the_only_other_column_holds_the_labels(file, tmp_path):
    table = pd.DataFrame({"uid": [1, 2, 3], "gender": ["F", "M", "F"], "age": [10, 20, 30]})
    table.to_parquet(tmp_path / "people.parquet")
    found = rt.read_labels(tmp_path / "people.parquet", columns={"user": "uid", "label": "gender"})
    assert (found.classes, found.labels.tolist()) == (("F", "M"), [0, 1, 0])
    ages = rt.read_labels(tmp_path / "people.parquet", columns={"user": "uid", "value": "age"})
    assert ages.labels.tolist() == [10, 20, 30]
    assert rt.read_labels(file(rows((1, "x"), (2, "y"), header="user,team"))).classes == ("x", "y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (rows((1, "a"), (1, "b"), (2, "a"), (2, "b")),
         "user 1 has two labels, 'a' in row 1 and 'b' in row 2 (such users: 2): keep one row of each"),
        (rows((1, 7), (2, 7)), "all 2 labels are 7: there is nothing to tell apart"),
        (rows((1, "a"), (2, "a")), "all 2 labels are 'a': there is nothing to tell apart"),
        (rows((1, ""), (2, "")), "all 2 cells of the column for label are empty: there is no label"),
        (rows((1, 2), (2, "x"), header="user,value"), "row 2, column 'value': 'x' is not a finite number"),
        (rows(("", "x"), (2, "y")), "row 1, column 'user': an empty cell (NaN) is not an id"),
        (rows((1, "", 2), (2, "x", 3), header="user,label,value"), "user and one of label, value: say which with"),
        (rows((1, "x", 2), header="user,team,age"), "has the columns user, team, age: labels need user and one"),
        (rows((1, "x"), header="uid,label"), "has no column 'user' for user: it has uid, label; name yours with user="),
        (rows((1, "x", "y"), header="user,label,label"), "has 2 columns called 'label': rename all but one"),
        (rows(*enumerate([*range(40), "NA"])), "row 41, column 'label': 'NA' is no number, as most labels are"),
        ("", "is empty: it needs a header and at least one row"),
        ("user,label\n", "is empty: it needs a header and at least one row"),
        (b"user,label\n1,caf\xe9\n", "is not UTF-8 text (byte 0xe9 in line 2): save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_in_one_line(file, text, message):
    with pytest.raises(rt.InputError) as told:
        rt.read_labels(file(text))
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_other_things_that_are_refused(file, tmp_path):
    path = file(rows((1, "a"), (2, "b")))
    for how, message in (
        ({"task": "clustering"}, "unknown task 'clustering'"),
        ({"columns": {"who": "user"}}, "unknown role of a column 'who'"),
        ({"columns": {"label": "gender"}}, "has no column 'gender' for label"),
        ({"task": "ranking"}, "labels need user and one of label, value, item"),
        ({"at_least": 4}, "at_least=4 is for a ranking with a column 'rating'"),
    ):
        with pytest.raises(rt.InputError, match=message):
            rt.read_labels(path, **how)
    with pytest.raises(rt.InputError, match="no rating is at least 6, the highest is 5: ask for less"):
        rt.read_labels(file(rows((1, 2, 5), header="user,item,rating")), at_least=6)
    with pytest.raises(FileNotFoundError, match=r"did you mean 'labels\.csv'"):
        rt.read_labels(tmp_path / "label.csv")


# ---- laid on behaviour ---------------------------------------------------------------------------------------


def test_labels_meet_behaviour_by_raw_id_whatever_type_it_has(file):
    log = rt.from_events(["7", "8", "9", "x"] * 5, [str(n) for n in range(5) for _ in range(4)])
    text = rows(*((user, "a" if user < 8 else "b") for user in (7, 8, 9, 99)))
    labels = rt.read_labels(file(text))
    with pytest.raises(rt.InputError, match=r"two classes need 5 labelled users .* each, there are 'a' 1, 'b' 2"):
        labels.on(log)
    assert labels.behaviour.user_ids.tolist() == [7, 8, 9, 99]
    value = rt.read_labels(file(rows((7, 1), (8, 2), (99, 3), header="user,value")), log)
    assert value.behaviour.user_ids.tolist() == ["7", "8"]
    assert value.labels.tolist() == [1, 2]
    assert value.behaviour.n_events == 10
    assert value.report.left_out == {"labelled users without behaviour": 1}
    with pytest.raises(rt.InputError, match=r"none of the 2 labelled users .* \(labelled: 1, 2; there: 7, 8, 9\)"):
        rt.read_labels(file(rows((1, 1), (2, 2), header="user,value")), log)
    with pytest.raises(rt.InputError, match="the 2 labelled users with behaviour all have the value 1"):
        rt.read_labels(file(rows((7, 1), (8, 1), (99, 2), header="user,value")), log)


def test_a_rare_class_is_left_out_with_its_users_and_counted(file, board):
    text = rows(*((user, "ab"[user % 2] if user > 1 else "rare") for user in range(20)), (999, "a"))
    task = rt.read_labels(file(text), board)
    assert task.classes == ("a", "b")
    assert len(task) == 18
    assert task.report.left_out == {
        "labelled users without behaviour": 1, "users of class 'rare', fewer than 5": 2,
    }  # fmt: skip
    assert task.labels.tolist() == [user % 2 for user in range(2, 20)]


def test_what_is_wanted_is_taken_out_of_the_behaviour(file, club):
    wanted = rt.read_labels(file(rows(("ann", 30), ("bob", 40), ("bob", 77), ("dee", 40), header="user,item")), club)
    assert wanted.without_seen
    assert wanted.targets.item_ids.tolist() == club.item_ids.tolist()
    assert wanted.behaviour.user_ids.tolist() == ["ann", "bob"]  # dee did nothing else
    assert club.item_ids[wanted.behaviour.items].tolist() == [10, 20, 10, 20]
    assert wanted.targets.n_events == 2
    assert wanted.report.left_out == {
        "wanted items that nobody has": 1, "labelled users with nothing wanted, or no behaviour beside it": 1,
    }  # fmt: skip
    assert wanted.report.notes == ("2 wanted events taken out of the behaviour",)
    elsewhere = rt.read_labels(file(rows(("ann", "book"), ("bob", "song"), ("bob", "book"), header="user,item")), club)
    assert not elsewhere.without_seen
    assert elsewhere.outputs.ids.tolist() == ["book", "song"]
    assert elsewhere.behaviour.n_events == 5
    with pytest.raises(rt.InputError, match="no labelled user is left with behaviour beside what is wanted"):
        rt.read_labels(file(rows(("dee", 40), header="user,item")), club)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc")), min_size=2, unique_by=lambda pair: pair[0]))
def test_order_of_the_rows_says_nothing(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("labels") / "l.csv"
    found = []
    for shuffled in (pairs, random.Random(0).sample(pairs, len(pairs))):
        path.write_text(rows(*shuffled))
        try:
            task = rt.read_labels(path)
            found.append((task.classes, task.labels.tolist(), task.behaviour.user_ids.tolist()))
        except rt.InputError as error:
            found.append(str(error))
    assert found[0] == found[1]
    if len({label for _, label in pairs}) > 1:
        expected = {user: label for user, label in pairs}
        classes, labels, users = found[0]
        assert {user: classes[label] for user, label in zip(users, labels, strict=True)} == expected


# ---- hostile files -------------------------------------------------------------------------------------------

LONG = "x" * 300_000
HOSTILE: list[str | bytes] = [
    b"\x00", b"\xff\xfe\x00u", b"PK\x03\x04", b"PAR1", b"\x1f\x8b\x08", "﻿user,label\n1,a\n2,b\n", "\n\n\n", ",",
    ",,\n,,\n", "user", "user,label", "user,label\r\n1,a\r\n2,b", "user,label\r1,a\r2,b\r", "user;label\n1;a\n2;b\n",
    "user|label\n1|a\n2|b\n", "user,label\n1\n2,b\n", "user,label\n1,a,c\n2,b\n", "user,label,\n1,a,\n2,b,\n",
    "user,user\n1,2\n", "label,user\na,1\nb,2\n", "USER,LABEL\n1,a\n2,b\n", " user , label \n 1 , a \n 2 , b \n",
    "user,label\n\"1\",\"a\nb\"\n2,c\n", "user,label\n\"1,a\n2,b\n", "user,label\n1,\"\"\n2,b\n3,c\n",
    "user,label\n,\n,\n", "user,label\nNA,NA\nnan,null\n", "user,label\n1,nan\n2,nan\n3,inf\n",
    "user,label\n1,-inf\n2,1\n", "user,label\n1,1e400\n2,1\n", f"user,label\n1,{'9' * 400}\n2,1\n",
    f"user,label\n1,{LONG}\n2,b\n", f"user,label\n{LONG},a\n2,b\n", "user,label\n1.5,a\n2.5,b\n",
    "user,label\n-1,a\n-2,b\n", "user,label\n1e5,a\n100000,b\n", "user,label\n007,a\n7,b\n",
    "user,label\n1,a\n1.0,b\n", "user,label\n+1,a\n1,b\n", "user,label\n1,0x1F\n2,1\n", "user,label\n1,1_000\n2,2\n",
    "user,label\n1,\"1,5\"\n2,\"2,5\"\n", "user,label\n1,True\n2,False\n", "user,label\n1,true\n2,1\n",
    "user,label\n1,😀\n2,👩‍👩‍👧\n", "user,label\n1,‮a\n2,b\n", "user,label\n1,[1]\n2,{}\n",
    "user,label\n1,=cmd()\n2,@x\n", "user,value\n1,\n2,\n", "user,value\n1,5\n2,5\n", "user,value\n1,NaN\n2,1\n",
    "user,value\n1,1e39\n2,1\n", "user,value\n1,1e-320\n2,1\n", "user,value\n1,10%\n2,20%\n",
    "user,value\n1,€5\n2,€6\n", "user,value\n1,2020-01-01\n2,2020-01-02\n", "user,item\n1,\n2,\n",
    "user,item\n1,10\n1,10\n", "user,item,rating\n1,10,x\n", "user,item,rating\n1,10,-5\n2,10,-1\n",
    "user,item,rating\n1,10,\n2,10,5\n", "user,item,label\n1,2,a\n", "user,label,value,item\n1,a,2,3\n",
    "user,label\n" + "".join(f"{n},{n}\n" for n in range(3000)), "user,label\n" + "1,a\n" * 3000,
    "user,label\n" + ",a\n" * 50, "user\tlabel\n1\ta\n2\tb\n", "user,label\n1,a\x00b\n2,c\n",
    "user,label\n#1,a\n2,b\n", "<html><body>user,label</body></html>", '{"user": 1, "label": "a"}\n',
    "user,label\n1,a\n\n\n2,b\n\n", "a\nb\nc\n", "user,label\n1,a\n2,b\n3,c,d,e,f\n",
]  # fmt: skip


def read_or_refuse(path, behaviour, **how) -> bool:
    """Return whether it was read; anything but an InputError of one line fails."""
    try:
        task = rt.read_labels(path, behaviour, **how)
    except rt.InputError as error:
        said = str(error)
    else:
        assert len(task) == task.behaviour.n_users > 0
        assert str(task.report)
        return True
    assert "\n" not in said.strip()
    assert 10 < len(said) <= 1_000
    return False


def test_hostile_files_are_read_or_refused(file, club):
    assert len(HOSTILE) >= 70
    read = 0
    for number, text in enumerate(HOSTILE):
        path = file(text, f"hostile{number}.csv")
        for task in (None, "classification", "regression", "ranking"):
            read += read_or_refuse(path, None, task=task)
            read_or_refuse(path, club, task=task)
    assert read > 30


@pytest.mark.parametrize(
    ("ending", "written", "columns"),
    [
        (".csv", FileForm("utf-16"), None),
        (".csv", FileForm("latin-1", ","), None),
        (".csv", FileForm("gb18030"), {"user": 1, "label": 2}),
        (".csv", FileForm(decimal=","), {"user": 1, "value": 2}),
        (".csv", FileForm(header=False), {"user": "1", "item": "2", "rating": "3"}),
        (".csv.gz", FileForm(), None),
        (".zip", FileForm("utf-32"), {"user": 1}),
        (".jsonl", FileForm(), None),
        (".ndjson.xz", FileForm("latin-1"), {"label": "a"}),
        (".xlsx", FileForm(), None),
    ],
)
def test_hostile_files_in_other_forms_are_read_or_refused(file, ending, written, columns):
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(ending[-3:], bytes)
    read = 0
    for number, text in enumerate(HOSTILE):
        data = text if isinstance(text, bytes) else text.encode()
        for name, content in (("meant", pack(data)), ("not meant", data)):
            path = file(content, f"{name}{number}{ending}")
            read += read_or_refuse(path, None, columns=columns, written=written)
        if isinstance(text, str) and written.encoding != "utf-8":
            path = file(pack(text.encode(written.encoding, "replace")), f"truly{number}{ending}")
            read += read_or_refuse(path, None, columns=columns, written=written)
    assert read > 0 or ending not in (".csv", ".csv.gz") or columns not in (None, {"user": 1, "label": 2})


@given(
    st.lists(st.tuples(text_ids(), st.sampled_from(["a", "ä", "1,5", "2.5", "3"])), min_size=1, max_size=8),
    st.sampled_from(["utf-8", "utf-16", "gb18030"]), st.booleans(), st.sampled_from([".", ","]), st.booleans(),
)  # fmt: skip
def test_labels_say_the_same_in_every_form(tmp_path_factory, pairs, encoding, header, decimal, packed):
    folder, told = tmp_path_factory.mktemp("forms"), []
    swap = str.maketrans(",.", ".,") if decimal == "," else {}
    form = FileForm(encoding, decimal, header=header)
    for name, names, cells, how in (
        ("plain.csv", True, pairs, {}),
        ("other.csv" + ".gz" * packed, header, [(user, label.translate(swap)) for user, label in pairs],
         {"written": form, "columns": None if header else {"user": 1, "label": 2}}),
    ):  # fmt: skip
        held = io.StringIO()
        csv.writer(held).writerows([("user", "label")] * names + cells)
        data = held.getvalue().encode(encoding if name.startswith("other") else "utf-8")
        (folder / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        try:
            task = rt.read_labels(folder / name, **how)
        except rt.InputError as error:
            told.append(type(error))
            continue
        classes = [str(one).translate(swap if name.startswith("other") else {}) for one in getattr(task, "classes", ())]
        labels = task.labels.tolist()
        told.append((task.name, sorted(zip(task.behaviour.user_ids.tolist(), [classes[one] for one in labels] if classes
                                           else labels, strict=True))))  # fmt: skip
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "table",
    [
        {"user": [1, 2], "label": [[1], [2]]},
        {"user": [[1], [2]], "label": ["a", "b"]},
        {"user": [1, 2], "label": [True, False]},
        {"user": [1.0, 2.0], "label": [None, "b"]},
        {"user": [1, None], "label": ["a", "b"]},
        {"user": ["a", "b"], "label": pd.Categorical(["x", "y"])},
        {"user": pd.Categorical(["a", "b"]), "value": [1, 2]},
        {"user": [1, 2], "label": pd.to_datetime(["2020-01-01", "2020-01-02"])},
        {"user": [1, 2], "value": [np.inf, 1.0]},
        {"user": [1, 2], "label": [b"a", b"b"]},
        {"user": [1, 2], "label": [{"a": 1}, {"a": 2}]},
        {"user": [2**63 - 1, 1], "label": [1, 2]},
        {"user": [1, 2]},
        {"label": [1, 2]},
    ],
)
def test_parquet_of_any_type_is_read_or_refused(tmp_path, table):
    pd.DataFrame(table).to_parquet(tmp_path / "l.parquet")
    for task in (None, "classification", "regression", "ranking"):
        read_or_refuse(tmp_path / "l.parquet", None, task=task)


@given(
    header=st.sampled_from(["user,label", "user,value", "user,item", "user,item,rating", "user,x", "user;label"]),
    cells=st.lists(st.lists(text_ids() | st.sampled_from(["", "0", "2.5", "a"]), min_size=1, max_size=4), max_size=12),
    task=st.sampled_from([None, "classification", "regression", "ranking"]),
    damage=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3),
)
def test_any_file_is_read_or_refused(tmp_path_factory, club, header, cells, task, damage):
    path = tmp_path_factory.mktemp("any") / "l.csv"
    text = bytearray("\n".join([header, *(",".join(row) for row in cells)]).encode())
    for place, byte in damage:
        if place < len(text):
            text[place] = byte
    path.write_bytes(text)
    read_or_refuse(path, None, task=task)
    read_or_refuse(path, club, task=task)
