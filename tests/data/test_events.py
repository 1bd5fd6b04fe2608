"""One row per event becomes Interactions: order, ties, duplicates, ids, and what is refused."""

from __future__ import annotations

import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from conftest import TINY
from hypothesis import given
from hypothesis import strategies as st
from strategies import columns

from recsys_tutorial.data.events import from_events
from recsys_tutorial.errors import InputError


def events_of(interactions) -> list[list]:
    """Every event as (user, item, weight, time), in the order that Interactions holds them."""
    users = np.repeat(interactions.user_ids, interactions.events_per_user)
    times = [None] * interactions.n_events if interactions.timestamps is None else interactions.timestamps.tolist()
    items = interactions.item_ids[interactions.items].tolist()
    return [list(event) for event in zip(users.tolist(), items, interactions.weights.tolist(), times, strict=True)]


def test_known_answer(tiny):
    assert tiny.user_ids.tolist() == [3, 5, 7]
    assert tiny.item_ids.tolist() == [10, 20, 30]
    assert tiny.offsets.tolist() == [0, 2, 3, 6]
    assert tiny.items.tolist() == [1, 0, 2, 2, 0, 1]  # user 7: time 50 first, then 10 before 20 by the draw
    assert tiny.weights.tolist() == [1, 2, 5, 3, 5, 4]
    assert tiny.timestamps.tolist() == [10, 10, 99, 50, 100, 100]
    assert tiny.titles[1] == "Lion King, The (1994)"
    assert tiny.genres == (("Crime", "Drama"), ("Animation",), ())
    dtypes = [array.dtype for array in (tiny.items, tiny.offsets, tiny.weights, tiny.timestamps)]
    assert dtypes == [np.int32, np.int64, np.float32, np.int64]


def test_without_weights_and_times():
    bare = from_events(["b", "a", "b"], ["y", "x", "x"])
    assert events_of(bare) == [["a", "x", 1.0, None], ["b", "y", 1.0, None], ["b", "x", 1.0, None]]
    assert (bare.timestamps, bare.titles, bare.genres, bare.name) == (None, None, None, "interactions")


def test_ties_in_time_break_by_row_order_where_that_is_the_order():
    assert from_events([1, 1, 1], [5, 9, 7], timestamp=[4, 4, 4], in_order=True).items.tolist() == [0, 2, 1]
    assert from_events([1, 1, 1], [7, 9, 5], timestamp=[4, 4, 4], in_order=True).items.tolist() == [1, 2, 0]


def test_a_file_sorted_by_item_does_not_make_an_order_of_events_at_one_time():
    user, item = np.divmod(np.arange(200 * 50), 50)
    tied = from_events(user, item, timestamp=np.zeros(len(user)))
    ascending = np.diff(tied.items.reshape(200, 50)) > 0
    assert abs(ascending.mean() - 0.5) < 0.02  # each item after its neighbour in half of the users, and so all over
    assert abs(np.corrcoef(ascending[:-1].ravel(), ascending[1:].ravel())[0, 1]) < 0.05  # not the same in all of them
    assert tied.report.ties == 1.0
    known = [tied.report.ties, from_events([1, 1, 1, 2], [5, 6, 7, 5], timestamp=[4, 4, 9, 4]).report.ties]
    assert known == [1.0, 0.5]  # of two pairs of neighbours, one
    assert "50% of a user's neighbouring events share" in str(
        from_events([1, 1, 1, 2], [5, 6, 7, 5], timestamp=[4, 4, 9, 4]).report
    )


@given(columns(times=st.integers(0, 3)), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(table, random):
    rows = random.sample(range(len(table["user"])), len(table["user"]))
    shuffled = {name: [column[row] for row in rows] for name, column in table.items()}
    assert from_events(**shuffled).fingerprint == from_events(**table).fingerprint


@given(columns(unique=False, times=st.integers(0, 3)))
def test_keep_holds_every_event_in_time_order(table):
    kept = from_events(**table, duplicates="keep")
    rows = zip(*(table[name] for name in ("user", "item", "weight", "timestamp")), strict=True)
    found = events_of(kept)
    assert sorted(found) == sorted(map(list, rows))
    assert [(row[0], row[3]) for row in found] == sorted((row[0], row[3]) for row in found)


@given(columns(unique=False, times=st.integers(0, 3)))
def test_last_and_sum_agree_with_plain_python(table):
    rows = list(zip(*(table[name] for name in ("user", "item", "weight", "timestamp")), strict=True))
    newest, total = {}, {}
    for user, item, weight, time in sorted(rows, key=lambda row: row[3]):  # stable, as a log is
        newest[user, item] = [user, item, weight, time]
        total[user, item] = [user, item, total.get((user, item), [0] * 4)[2] + weight, time]

    def place(interactions):
        return {(event[0], event[1]): event for event in events_of(interactions)}

    assert place(from_events(**table, duplicates="last")) == newest
    assert place(from_events(**table, duplicates="sum")) == total
    last = from_events(**table, duplicates="last")
    assert last.n_events == len(newest)
    assert all((np.diff(last.timestamps[a:b]) >= 0).all() for a, b in pairwise(last.offsets))


def test_duplicates_by_hand():
    table = {"user": [1, 1, 1], "item": [8, 9, 8], "weight": [2, 3, 5], "timestamp": [30, 20, 10]}
    assert events_of(from_events(**table, duplicates="last")) == [[1, 9, 3, 20], [1, 8, 2, 30]]
    assert events_of(from_events(**table, duplicates="sum")) == [[1, 9, 3, 20], [1, 8, 7, 30]]
    assert events_of(from_events(**table, duplicates="keep")) == [[1, 8, 5, 10], [1, 9, 3, 20], [1, 8, 2, 30]]
    tied = from_events([1, 1], [8, 8], [2, 3], [5, 5], duplicates="last")
    assert events_of(tied) == [[1, 8, 3, 5]]  # the later row is the newer one


def test_fractions_of_a_second_decide_the_order():
    precise = from_events([1, 1, 1], [7, 8, 9], timestamp=[5.75, 5.5, 5.25])
    assert precise.items.tolist() == [2, 1, 0]
    assert precise.timestamps.tolist() == [5, 5, 5]
    assert precise.timestamps.dtype == np.int64


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        ([10, 9, 100], [9, 10, 100]),
        (["10", "9", "100"], ["10", "100", "9"]),
        ([2.0, 1.0, 3.0], [1, 2, 3]),
        ([2, "2x", 1], ["1", "2", "2x"]),
        (np.array([2, 1, 3], object), [1, 2, 3]),
        (np.array([2**64 - 1, 1, 3], np.uint64), ["1", str(2**64 - 1), "3"]),
        (pd.Series(["b", "a", "c"]), ["a", "b", "c"]),
        (pd.Series([5, 6, 4], dtype="Int64"), [4, 5, 6]),
    ],
)
def test_ids_are_sorted_and_of_one_kind(ids, kept):
    assert from_events(ids, [1, 2, 3]).user_ids.tolist() == kept
    assert from_events([1, 2, 3], ids).item_ids.tolist() == kept


def test_a_number_and_its_text_are_one_id_among_text():
    assert from_events([1, "1", "x"], [1, 2, 3]).user_ids.tolist() == ["1", "x"]


def test_an_item_without_title_or_genres_has_a_stand_in():
    some = from_events([1, 1], [7, 8], titles={7: "Heat"}, genres={8: ["Crime"]})
    assert some.titles == ("Heat", "item 8")
    assert some.genres == ((), ("Crime",))


def test_the_columns_given_are_not_changed_nor_shared():
    given_columns = {name: np.array(TINY[name]) for name in ("user", "item", "weight", "timestamp")}
    before = {name: column.copy() for name, column in given_columns.items()}
    built = from_events(**given_columns)
    fingerprint = built.fingerprint
    for name, column in given_columns.items():
        assert (column == before[name]).all()
        column += 1  # still writable, and Interactions does not see it
    assert from_events(**before).fingerprint == fingerprint == built.fingerprint
    assert built.weights.tolist() == [1, 2, 5, 3, 5, 4]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user": [], "item": []}, "'log' has no rows: give at least one event"),
        ({"item": [1]}, "'log' has 1 items for 2 users: give one of each per event"),
        ({"weight": [1.0]}, "'log' has 1 weights for 2 users: give one of each per event"),
        ({"timestamp": [1, 2, 3]}, "'log' has 3 timestamps for 2 users: give one of each per event"),
        ({"user": [1, None]}, "'log', row 2: user id None is missing: mend or drop the row"),
        ({"item": [float("nan"), 2]}, "'log', row 1: item id nan is missing: mend or drop the row"),
        ({"user": ["a", float("nan")]}, "'log', row 2: user id nan is missing: mend or drop the row"),
        ({"weight": [1, float("nan")]}, "'log', row 2: weight nan is not a finite number: mend or drop the row"),
        ({"weight": [float("-inf"), 1]}, "'log', row 1: weight -inf is not a finite number: mend or drop the row"),
        ({"weight": [1, 1e39]}, "'log', row 2: weight inf is not a finite number: mend or drop the row"),
        (
            {"weight": [1, "good"]},
            "'log': the weights are not all numbers (could not convert string to float: 'good')",
        ),
        ({"timestamp": [5, -1]}, "'log', row 2: timestamp -1 is negative or missing: give seconds since 1970"),
        (
            {"timestamp": [5, float("nan")]},
            "'log', row 2: timestamp nan is negative or missing: give seconds since 1970",
        ),
        (
            {"timestamp": [5, 1_577_836_800_000]},
            "'log', row 2: timestamp 1577836800000 is too large: give seconds since 1970",
        ),
        (
            {"timestamp": np.array([1, 2], "timedelta64[s]")},
            "'log': the timestamps are neither numbers nor dates (timedelta64[s]): give seconds since 1970",
        ),
        (
            {"timestamp": np.array(["2020-01-01", "NaT"], "datetime64[s]")},
            "'log', row 2: timestamp nan is negative or missing: give seconds since 1970",
        ),
        (
            {"timestamp": np.array(["2020-01-01", "1969-12-31"], "datetime64[D]")},
            "'log', row 2: timestamp -86400.0 is negative or missing: give seconds since 1970",
        ),
        ({"user": [(1, 2), (3, 4)]}, "'log', row 1: user id (1, 2) is neither a number nor a text: make it one"),
        ({"item": [7, [3]]}, "'log', row 2: item id [3] is neither a number nor a text: make it one"),
        ({"item": np.ones((2, 2), int)}, "'log': the item ids have shape (2, 2): give one id per event"),
        (
            {"user": [b"a", b"\xff"]},
            "'log': user id b'\\xff' is not UTF-8: decode it, as in id.decode('latin-1')",
        ),
        (
            {"user": [4, 4], "item": [9, 9]},
            "'log', row 2: user 4 has item 9 a second time (duplicate rows: 1): "
            "say what they mean with duplicates='last', 'sum' or 'keep'",
        ),
        ({"duplicates": "lst"}, "unknown duplicates 'lst': did you mean 'last'?"),
    ],
)
def test_bad_input_is_refused_in_one_clear_line(changed, message):
    with pytest.raises(InputError) as caught:
        from_events(**{"user": [1, 2], "item": [1, 2], "name": "log"} | changed)
    assert str(caught.value) == message


def test_the_largest_time_that_is_taken():
    assert from_events([1], [1], timestamp=[99_999_999_999]).timestamps.tolist() == [99_999_999_999]
    assert from_events([1], [1], timestamp=[0]).timestamps.tolist() == [0]
    with pytest.raises(InputError, match="too large"):
        from_events([1], [1], timestamp=[100_000_000_000])


def test_every_duplicate_row_is_counted():
    with pytest.raises(InputError, match=r"row 3: user 1 has item 5 .*duplicate rows: 1,000"):
        from_events([1] * 1002, [5, 6] + [5] * 1000)


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (np.array([3, 5], np.uint64), [3, 5]),
        (np.array([3, 2**63 + 5], np.uint64), ["3", str(2**63 + 5)]),  # too large for int64: text, every digit kept
        ([b"a", "ü".encode()], ["a", "ü"]),
        (np.array([b"a", b"b"]), ["a", "b"]),
        ([np.int8(3), np.uint64(5)], [3, 5]),
        (pd.Series([3, 5], dtype="Int64"), [3, 5]),
    ],
)
def test_ids_as_they_lie_in_memory(ids, found):
    assert from_events(ids, [1, 2]).user_ids.tolist() == found
    assert from_events([1, 2], ids).item_ids.tolist() == found


@pytest.mark.parametrize(
    "dates",
    [
        np.array(["2020-01-01T00:00:00", "2020-01-01T00:00:01"], "datetime64[s]"),
        np.array(["2020-01-01T00:00:00", "2020-01-01T00:00:01"], "datetime64[ns]"),
        pd.to_datetime(["2020-01-01T00:00:00", "2020-01-01T00:00:01"]),
        pd.Series(pd.to_datetime(["2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z"]).tz_convert("Europe/Berlin")),
        [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, 0, 0, 1)],
        [pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-01-01T00:00:01", tz="UTC")],
    ],
)
def test_dates_in_memory_are_seconds_as_in_files(dates):
    assert from_events([1, 1], [7, 8], timestamp=dates).timestamps.tolist() == [1577836800, 1577836801]
