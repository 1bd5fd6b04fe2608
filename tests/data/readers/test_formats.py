"""Every format: the valid copy is read as it was meant, what is written is read, and damage ends in our own error."""

from __future__ import annotations

import pytest
from formats import FORMATS, attempt, check
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import columns

import recsys_tutorial as rt
from recsys_tutorial.data.events import from_events
from recsys_tutorial.data.readers import feedback, mind, movielens, weblog
from recsys_tutorial.data.reports import DroppedRows
from recsys_tutorial.errors import InputError

EXPECTED = {  # users, items, events
    "csv": (3, 3, 4), "csv, lenient": (3, 3, 4), "tsv": (3, 3, 4), "txt": (3, 3, 4), "parquet": (2, 2, 3),
    "sequences": (3, 3, 8), "sequences, said so": (2, 3, 5), "recbole": (2, 2, 3), "movielens csv": (2, 2, 2),
    "movielens dat": (2, 2, 3), "movielens 100k": (2, 2, 2), "lastfm": (2, 2, 3), "anime": (2, 2, 3),
    "retailrocket": (2, 2, 3), "msweb": (4, 2, 6), "mind": (1, 2, 2),
}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    """Write a format's valid copy and read it."""

    def call(name: str) -> rt.Interactions:
        files, reader = FORMATS[name]
        for file, data in files.items():
            (tmp_path / file).write_bytes(data)
        return reader(tmp_path)

    return call


@pytest.mark.parametrize("name", FORMATS)
def test_the_valid_copy(read, name):
    found = read(name)
    check(found)
    assert (found.n_users, found.n_items, found.n_events) == EXPECTED[name]
    assert found.report.dropped == {}


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100)
@given(seed=st.integers(0, 10**9))
def test_a_damaged_copy_ends_in_a_read_or_in_our_own_error(tmp_path_factory, name, seed):
    attempt(name, tmp_path_factory.mktemp("damaged"), seed)


@pytest.mark.parametrize(
    ("name", "seed"),
    [("parquet", 101012), ("parquet", 141012), ("parquet", 188820), ("csv, lenient", 150897), ("csv", 160304)],
)
def test_what_the_long_run_found(tmp_path, name, seed):
    """The five of 100,000 inputs (``tools/fuzz_readers.py 100000 100000``) that once ended in another's error."""
    told = attempt(name, tmp_path, seed)
    assert told == "read" or "a." in told


def test_attributes_come_along(read):
    older = read("movielens dat")
    assert older.user_attributes.loc[1].tolist() == ["F", 1, "K-12 student", "48067"]
    assert older.user_attributes.loc[2, ["gender", "age", "occupation"]].tolist() == ["M", 56, "self-employed"]
    assert older.titles == ("Toy Story (1995)", "Léon (1994)")
    assert older.genres == (("Animation", "Comedy"), ("Drama",))
    assert older.item_attributes.index.tolist() == [10, 20, 30]
    assert older.timestamps.tolist() == [978300760, 978302109, 978301968]
    oldest = read("movielens 100k")
    assert oldest.user_attributes.loc[196].tolist() == ["M", 24, "technician", "85711"]
    assert oldest.genres[0] == ("Animation", "Children's", "Comedy")
    assert oldest.titles == ("Té 242", "Té 302")
    bole = read("recbole")
    assert bole.user_attributes["age"].tolist()[0] == 20
    assert bole.user_attributes["age"].isna().tolist() == [False, True]
    assert bole.titles == ("Toy Story", "item i2")
    assert bole.genres == (("Animation", "Comedy"), ())
    assert read("lastfm").titles == ("Sigur Rós", "X")


def test_labels_are_another_kind_of_event(read):
    anime = read("anime")
    assert anime.labels.weights.tolist() == [8, 5]
    assert anime.titles == ("Gintama'", "Gintama°")
    assert anime.timestamps is None
    shop = read("retailrocket")
    assert (shop.labels.user_ids.tolist(), shop.labels.item_ids.tolist()) == ([1], [1])


def test_news(read):
    news = read("mind")
    assert news.in_order
    assert news.item_ids[news.items].tolist() == ["N1", "N2"]
    shown = news.labels
    assert dict(zip(shown.user_ids.tolist(), shown.events_per_user.tolist(), strict=True)) == {"U1": 3, "U2": 2}
    assert sorted(shown.weights[:3]) == [0, 1, 1]
    assert sorted(shown.weights[3:]) == [0, 1]
    assert shown.timestamps[0] == 1_573_568_086  # 2019-11-12 14:14:46 UTC
    assert news.user_attributes["impressions"].to_dict() == {"U1": 2, "U2": 1}
    assert news.titles[0] == 'The "news" 1'
    assert news.genres[0] == ("sports", "golf")


def test_the_web_log_keeps_its_two_groups_apart(read):
    log = read("msweb")
    assert log.user_ids.tolist() == [10001, 10002, 110001, 110002]
    assert log.user_attributes["part"].tolist() == ["train", "train", "test", "test"]
    assert log.titles == ("Start, page", "Support")


# ---- write, then read: from_events is the oracle ---------------------------------------------------------------


@settings(max_examples=25)
@given(columns(unique=False, max_size=15))
def test_sequences(tmp_path_factory, table):
    expected = from_events(**table | {"weight": None}, duplicates="keep")
    lines = [
        f"{user} " + " ".join(map(str, expected.item_ids[expected.items[a:b]]))
        for user, a, b in zip(expected.user_ids, expected.offsets, expected.offsets[1:], strict=False)
    ]
    path = tmp_path_factory.mktemp("file") / "a.txt"
    path.write_text("\n".join(lines))
    for form in (None, "sequences"):
        found = rt.read_interactions(path, form=form)
        assert found.in_order
        assert found.timestamps is None
        assert found.items.tolist() == expected.items.tolist()
        assert found.offsets.tolist() == expected.offsets.tolist()
        assert found.user_ids.tolist() == expected.user_ids.tolist()


def as_text(table: dict, separator: str, header: str = "") -> str:
    rows = zip(table["user"], table["item"], table["weight"], table["timestamp"], strict=True)
    return header + "".join(separator.join(map(str, row)) + "\n" for row in rows)


@settings(max_examples=25)
@given(columns(max_size=15), st.sampled_from(["csv", "dat", "100k", "inter"]))
def test_ratings_in_four_forms(tmp_path_factory, table, form):
    folder = tmp_path_factory.mktemp("set")
    for known in ("movielens csv", "movielens dat", "movielens 100k"):
        for name, content in FORMATS[known][0].items():
            (folder / name).write_bytes(content)
    if form == "csv":
        (folder / "ratings.csv").write_text(as_text(table, ",", "userId,movieId,rating,timestamp\n"))
        found = movielens.read_csv(folder, "set")
    elif form == "dat":
        (folder / "ratings.dat").write_text(as_text(table, "::"))
        found = movielens.read_dat(folder, "set")
    elif form == "100k":
        (folder / "u.data").write_text(as_text(table, "\t"))
        found = movielens.read_100k(folder, "set")
    else:
        header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        (folder / "a.inter").write_text(as_text(table, "\t", header))
        found = rt.read_interactions(folder / "a.inter")
    assert found.fingerprint == from_events(**table).fingerprint


@settings(max_examples=25)
@given(columns(max_size=15))
def test_feedback_and_web_log(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("set")
    expected = from_events(table["user"], table["item"], table["weight"])
    rows = zip(table["user"], table["item"], table["weight"], strict=True)
    (folder / "a.dat").write_text("u\ti\tw\n" + "".join(f"{u}\t{i}\t{w}\n" for u, i, w in rows))
    assert feedback.read_feedback(folder / "a.dat", ("u", "i", "w"), "a").fingerprint == expected.fingerprint
    plain = from_events(table["user"], table["item"])
    lines = [
        f'C,"{user}",{user}\n' + "".join(f"V,{plain.item_ids[item]},1\n" for item in plain.items[a:b])
        for user, a, b in zip(plain.user_ids, plain.offsets, plain.offsets[1:], strict=False)
    ]
    (folder / "a.data").write_text("".join(lines))
    assert weblog.read_web_log(folder / "a.data").fingerprint == plain.fingerprint


@settings(max_examples=20)
@given(columns(unique=False, max_size=12))
def test_impressions(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("set")
    (folder / "news.tsv").write_bytes(FORMATS["mind"][0]["news.tsv"])
    rows = zip(table["user"], table["item"], table["weight"], strict=True)
    lines = [f"{n}\tU{u}\t11/12/2019 2:14:{n:02d} PM\tN1\tN{i}-{int(w > 2)}\n" for n, (u, i, w) in enumerate(rows)]
    (folder / "behaviors.tsv").write_text("".join(lines))
    shown = mind.read_mind(folder, "set").labels
    assert shown.n_events == len(lines)
    assert shown.weights.sum() == sum(w > 2 for w in table["weight"])


# ---- what is refused, and what a report says -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("1 10 11\n1 12\n", "a.txt, line 2, column 'user': '1' has a second line (such lines: 1): sequences have one"),
        ("1 10 11\n\n2\n", "a.txt, line 3, column 'item': user '2' has no items: drop the line"),
        # a table that lost its header
        ("1\t10\t4\t100\n1\t11\t4\t9\n", "a.txt has no column 'user' for user: it has 1, 10, 4, 100"),
        ("u1 a b\nu2 a\n", "a.txt has no column 'user' for user: it has u1 a b"),
    ],
)
def test_what_is_no_sequence(tmp_path, content, told):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(InputError) as caught:
        rt.read_interactions(tmp_path / "a.txt")
    assert told in str(caught.value)


def test_a_report_counts_every_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("user,item,rating,timestamp\n1,2,4,86400\n1,3,good,5\n,2,4,6\n2,2,3,soon\n1,2,5,172800\n3,3,1,7\n")
    with pytest.raises(InputError):
        rt.read_interactions(path)
    with pytest.warns(DroppedRows, match=r"a\.csv: 6 rows read, 3 dropped"):
        found = rt.read_interactions(path, strict=False)
    assert str(found.report) == (
        "6 rows read, 3 dropped (1 where 'rating' is not a finite number; 1 where 'timestamp' is not a time; "
        "1 where 'user' is not an id), 1 repeats of a user's item (the newest kept): 2 events of 2 users on 2 items "
        "(50.00 % of the table), 1970-01-01 to 1970-01-03"
    )
    assert found.weights.tolist() == [5, 1]
    assert found.take_users([0]).report is found.report


def test_nothing_left_is_refused_also_where_rows_may_be_dropped(tmp_path):
    (tmp_path / "a.csv").write_text("user,item,rating\n1,2,good\n1,3,bad\n")
    with pytest.raises(InputError, match="'good' is not a finite number"):
        rt.read_interactions(tmp_path / "a.csv", strict=False)


def test_a_line_without_end(tmp_path):
    """A file of one long line ends in one clear error, not in a full memory."""
    with open(tmp_path / "a.txt", "wb") as file:
        file.write(b"1 2")
        file.write(b" 34567890" * 2_000_000)
    with pytest.raises(InputError, match="line 1 is longer than 16 MB"):
        rt.read_interactions(tmp_path / "a.txt")
    (tmp_path / "a.csv").write_bytes(b"user,item\n1,2\n1," + b"x" * 2**25)
    with pytest.raises(InputError, match=r"a\.csv, line 3 is longer than 16 MB"):
        rt.read_interactions(tmp_path / "a.csv")
    (tmp_path / "ratings.dat").write_bytes(b"1::2" + b"3" * 2**25)
    for name, content in FORMATS["movielens dat"][0].items():
        if name != "ratings.dat":
            (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"ratings\.dat has a line longer than 16 MB|cannot be read"):
        movielens.read_dat(tmp_path, "set")


def test_one_absurd_id_does_not_make_all_ids_long(tmp_path):
    """20,000 ids, one of them a million letters long: NumPy's texts of equal length would take 80 GB."""
    rows = "".join(f"u{user},1\n" for user in range(20_000))
    (tmp_path / "a.csv").write_text(f"user,item\n{rows}{'x' * 10**6},2\n")
    assert rt.read_interactions(tmp_path / "a.csv").n_users == 20_001
    assert rt.from_events([*map(str, range(20_000)), "x" * 10**6], range(20_001)).n_users == 20_001
