"""Interactions: what they tell, and verbs that return new ones."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from conftest import TINY
from hypothesis import given
from hypothesis import strategies as st
from strategies import columns

import recsys_tutorial as rt
from recsys_tutorial.data.events import from_events
from recsys_tutorial.data.interactions import Interactions
from recsys_tutorial.errors import InputError

ARRAYS = ("items", "offsets", "weights", "timestamps", "user_ids", "item_ids")


def table_of(interactions: Interactions) -> dict:
    """(user, item) -> weight, from the events one by one."""
    found: dict = {}
    for row, user in enumerate(interactions.user_ids.tolist()):
        for event in range(interactions.offsets[row], interactions.offsets[row + 1]):
            pair = user, interactions.item_ids[interactions.items[event]]
            found[pair] = found.get(pair, 0) + float(interactions.weights[event])
    return found


# ---- what they tell ------------------------------------------------------------------------------------------


def test_counts_by_hand(tiny):
    assert (tiny.n_users, tiny.n_items, tiny.n_events) == (3, 3, 6)
    assert tiny.events_per_user.tolist() == [2, 1, 3]
    assert tiny.events_per_item.tolist() == [2, 2, 2]
    assert tiny.density == pytest.approx(6 / 9)


def test_matrix_by_hand(tiny):
    assert tiny.matrix.toarray().tolist() == [[2, 1, 0], [0, 0, 5], [5, 4, 3]]
    assert tiny.matrix.has_sorted_indices
    assert tiny.matrix.dtype == np.float32


def test_matrix_adds_repeated_events_and_density_counts_them_once():
    log = from_events([1, 1, 2], [8, 8, 9], [2, 3, 1], duplicates="keep")
    assert log.matrix.toarray().tolist() == [[5, 0], [0, 1]]
    assert log.n_events == 3
    assert log.density == 0.5


@given(columns(unique=False))
def test_matrix_equals_a_dense_table_built_by_hand(table):
    built = from_events(**table, duplicates="keep")
    dense = np.zeros((built.n_users, built.n_items))
    users, items = sorted(set(table["user"])), sorted(set(table["item"]))
    for user, item, weight in zip(table["user"], table["item"], table["weight"], strict=True):
        dense[users.index(user), items.index(item)] += weight
    assert (built.matrix.toarray() == dense).all()
    assert built.density == (dense > 0).mean()


def test_ids_both_ways(tiny):
    assert [tiny.user_index(user) for user in (3, 5, np.int64(7))] == [0, 1, 2]
    assert [tiny.item_index(item) for item in (10, "20", "Heat", "the lion king")] == [0, 1, 0, 1]
    text = from_events(["ann", "bob"], [1, 2])
    assert text.user_index(np.str_("bob")) == 1
    assert tiny.user_index("7") == 2  # as a command gives it


@pytest.mark.parametrize(
    ("users", "asked", "message"),
    [
        (["ann", "bob"], "anna", "unknown user 'anna': did you mean 'ann'?"),
        ([1, 2], 9, "unknown user 9: choose from '1', '2'"),
        (["1", "2"], 1, "unknown user 1: did you mean '1'?"),
    ],
)
def test_an_unknown_user_is_refused(users, asked, message):
    with pytest.raises(InputError) as caught:
        from_events(users, [1, 2]).user_index(asked)
    assert str(caught.value) == message


def test_repr_is_short_and_says_what_there_is(tiny):
    assert repr(tiny).splitlines() == [
        "Interactions 'tiny': 3 users × 3 items, 6 events (66.67 % of the table)",
        "  events per user: median 2, most 3",
        "  weights: 1 to 5",
        "  times: 1970-01-01 to 1970-01-01",
        "  items have titles and genres",
    ]
    assert repr(from_events([1], [2])).splitlines()[2:] == ["  weights: 1 to 1", "  items have ids only"]
    nobody = tiny.take_users([])
    assert repr(nobody).splitlines() == [
        "Interactions 'tiny': 0 users × 3 items, 0 events (0.00 % of the table)",
        "  events per user: median 0, most 0",
        "  items have titles and genres",
    ]
    assert "  times: 5138-11-16 to 5138-11-16" in repr(from_events([1], [1], timestamp=[99_999_999_999]))


def test_repr_of_real_data_is_at_most_six_lines(movielens):
    assert len(repr(movielens).splitlines()) <= 6
    assert "times: 1995-01-09 to 2016-10-16" in repr(movielens)


# ---- they cannot be changed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_read_only(tiny, name):
    for interactions in (tiny, tiny.take_users([2, 0]), tiny.subset_items([10]), tiny.binarise(3)):
        with pytest.raises(ValueError, match="read-only"):
            getattr(interactions, name)[0] = 0


def test_matrix_is_read_only(tiny):
    for array in (tiny.matrix.data, tiny.matrix.indices, tiny.matrix.indptr):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert tiny.matrix is tiny.matrix


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Interactions)])
def test_fields_cannot_be_set(tiny, name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(tiny, name, None)


@pytest.mark.parametrize(
    "verb",
    [
        lambda data: data.take_users([0]),
        lambda data: data.keep_events(data.weights > 2),
        lambda data: data.subset_users([3]),
        lambda data: data.subset_items([10]),
        lambda data: data.filter_counts(2, 2),
        lambda data: data.binarise(3),
        lambda data: data.matrix,
        repr,
    ],
)
def test_verbs_leave_the_original_as_it_was(verb):
    data = from_events(**TINY)
    fingerprint = data.fingerprint
    verb(data)
    assert from_events(**TINY).fingerprint == fingerprint == dataclasses.replace(data).fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"user": [7, 7, 7, 3, 3, 6]},
        {"item": [20, 10, 30, 10, 20, 31]},
        {"item": [10, 20, 30, 10, 20, 30]},
        {"weight": [4, 5, 3, 2, 1, 4]},
        {"timestamp": [100, 100, 50, 10, 10, 98]},
        {"timestamp": None},
    ],
)
def test_fingerprint_follows_every_column(tiny, changed):
    assert from_events(**TINY | changed).fingerprint != tiny.fingerprint


def test_interactions_are_told_apart_by_fingerprint_not_by_equality(tiny):
    assert tiny.take_users(range(3)) != tiny
    assert len({tiny, tiny.take_users(range(3))}) == 2


def test_fingerprint_is_the_same_for_the_same_data(tiny):
    assert from_events(**TINY, name="other").fingerprint == tiny.fingerprint
    assert len(tiny.fingerprint) == 12


# ---- verbs ---------------------------------------------------------------------------------------------------


@given(columns(unique=False), st.data())
def test_take_users_equals_plain_lists(table, data):
    built = from_events(**table, duplicates="keep")
    rows = data.draw(st.lists(st.integers(-built.n_users, built.n_users - 1), max_size=8))
    taken = built.take_users(np.array(rows, np.int64))
    pieces = [built.items[built.offsets[:-1][row] :][: built.events_per_user[row]].tolist() for row in rows]
    assert [taken.items[a:b].tolist() for a, b in pairwise(taken.offsets)] == pieces
    assert taken.user_ids.tolist() == [built.user_ids[row] for row in rows]
    assert taken.catalogue is built.catalogue


@given(columns(), st.randoms(use_true_random=False))
def test_taking_users_there_and_back_changes_nothing(table, random):
    built = from_events(**table)
    rows = random.sample(range(built.n_users), built.n_users)
    assert built.take_users(rows).take_users(np.argsort(rows)).fingerprint == built.fingerprint


def test_take_users_by_hand(tiny):
    taken = tiny.take_users([2, 0, 2])
    assert taken.user_ids.tolist() == [7, 3, 7]
    assert taken.items.tolist() == [2, 0, 1, 1, 0, 2, 0, 1]
    assert taken.timestamps.tolist() == [50, 100, 100, 10, 10, 50, 100, 100]
    assert taken.weights.tolist() == [3, 5, 4, 1, 2, 3, 5, 4]
    assert tiny.take_users([-1]).items.tolist() == [2, 0, 1]
    with pytest.raises(IndexError):
        tiny.take_users([3])


@given(columns(), st.data())
def test_keep_events_equals_plain_lists(table, data):
    built = from_events(**table)
    keep = data.draw(st.lists(st.booleans(), min_size=built.n_events, max_size=built.n_events))
    kept = built.keep_events(keep)
    users = np.repeat(np.arange(built.n_users), built.events_per_user)
    rows = list(zip(users, built.items, built.weights, built.timestamps, strict=True))
    wanted = [row for row, yes in zip(rows, keep, strict=True) if yes]
    users = np.repeat(np.arange(kept.n_users), kept.events_per_user)
    assert list(zip(users, kept.items, kept.weights, kept.timestamps, strict=True)) == wanted
    assert (kept.n_users, kept.n_items) == (built.n_users, built.n_items)


@given(columns(), st.data())
def test_subsets_hold_exactly_the_pairs_asked_for(table, data):
    built = from_events(**table)
    users = data.draw(st.lists(st.sampled_from(built.user_ids.tolist()), unique=True, min_size=1))
    items = data.draw(st.lists(st.sampled_from(built.item_ids.tolist()), unique=True, min_size=1))
    wanted = {pair: w for pair, w in table_of(built).items() if pair[0] in users and pair[1] in items}
    by_id = built.subset_users(users).subset_items(items)
    assert table_of(by_id) == wanted
    assert by_id.user_ids.tolist() == users  # in the order asked for
    assert by_id.item_ids.tolist() == sorted(items)  # always ascending
    by_mask = built.subset_items(np.isin(built.item_ids, items)).subset_users(np.isin(built.user_ids, users))
    assert table_of(by_mask) == wanted


def test_subsets_of_everything_change_nothing(tiny):
    for same in (
        tiny.subset_users(tiny.user_ids),
        tiny.subset_items(tiny.item_ids),
        tiny.subset_items(tiny.titles),
        tiny.keep_events(np.ones(6, bool)),
        tiny.take_users(np.arange(3)),
        tiny.filter_counts(),
    ):
        assert same.fingerprint == tiny.fingerprint
        assert (same.titles, same.genres, same.name) == (tiny.titles, tiny.genres, "tiny")


def test_subset_items_by_title_keeps_users_without_events(tiny):
    some = tiny.subset_items(["the lion king", 10])
    assert some.titles == ("Heat (1995)", "Lion King, The (1994)")
    assert some.events_per_user.tolist() == [2, 0, 2]
    assert some.items.tolist() == [1, 0, 0, 1]


def test_a_verb_over_nothing_gives_nothing(tiny):
    assert tiny.subset_users([]).n_users == 0
    assert tiny.subset_items([]).n_items == 0
    assert tiny.keep_events(np.zeros(6, bool)).events_per_user.tolist() == [0, 0, 0]
    assert tiny.take_users([]).matrix.shape == (0, 3)


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        (
            lambda data: data.take_users(np.array([True, False, True])),
            "^rows is a mask: give row numbers, or the mask to subset_users$",
        ),
        (
            lambda data: data.keep_events(np.array([True])),
            r"a mask over events has shape \(1,\), bool: it needs \(6,\) of bool$",
        ),
        (lambda data: data.keep_events(np.arange(6)), r"a mask over events has shape \(6,\), int64: .* of bool"),
        (lambda data: data.subset_users(np.array([True])), r"a mask over users has shape \(1,\)"),
        (lambda data: data.subset_items(np.array([True])), r"a mask over items has shape \(1,\)"),
        (lambda data: data.subset_users([3, 8]), "unknown user 8"),
        (lambda data: data.subset_items([10, 11]), "unknown item 11: choose from '10', '20', '30'"),
        (lambda data: data.subset_items(["Heet"]), r"unknown item 'Heet': did you mean 'Heat \(1995\)'\?"),
        (lambda data: data.subset_users("ann"), r"users is one text, 'ann': give a list, \['ann'\]"),
        (lambda data: data.subset_items("Heat"), r"items is one text, 'Heat': give a list, \['Heat'\]"),
    ],
)
def test_bad_input_to_a_verb_is_refused(tiny, verb, message):
    with pytest.raises(InputError, match=message):
        verb(tiny)


# ---- filters -------------------------------------------------------------------------------------------------


def plain_filter(pairs: set, per_user: int, per_item: int) -> set:
    """Drop one pair at a time until every user and item left has enough."""
    pairs = set(pairs)
    while True:
        for user, item in pairs:
            few = sum(pair[0] == user for pair in pairs) < per_user or sum(pair[1] == item for pair in pairs) < per_item
            if few:
                pairs.remove((user, item))
                break
        else:
            return pairs


@given(columns(ids=st.integers(0, 5), max_size=30), st.integers(0, 4), st.integers(0, 4))
def test_filter_counts_reaches_the_one_fixed_point(table, per_user, per_item):
    built = from_events(**table)
    wanted = plain_filter(set(table_of(built)), per_user, per_item)
    if not wanted:
        with pytest.raises(InputError, match="ask for fewer"):
            built.filter_counts(per_user, per_item)
        return
    filtered = built.filter_counts(per_user, per_item)
    assert set(table_of(filtered)) == wanted
    assert filtered.filter_counts(per_user, per_item).fingerprint == filtered.fingerprint
    if per_user and per_item:
        assert filtered.user_ids.tolist() == sorted({user for user, _ in wanted})
        assert filtered.item_ids.tolist() == sorted({item for _, item in wanted})


def test_filter_counts_goes_on_until_all_have_enough():
    # Item 2 has one event: without it user 2 has one event, without whom item 1 has two, and so on.
    data = from_events([1, 1, 2, 2, 3, 3, 4, 4], [0, 1, 1, 2, 0, 1, 0, 1])
    filtered = data.filter_counts(per_user=2, per_item=2)
    assert (filtered.user_ids.tolist(), filtered.item_ids.tolist()) == ([1, 3, 4], [0, 1])
    with pytest.raises(InputError) as caught:
        data.filter_counts(per_user=2, per_item=4)
    assert str(caught.value) == ("no user of 'interactions' is left with 2 events on items that have 4: ask for fewer")


def test_filter_counts_drops_users_and_items_left_empty(tiny):
    emptied = tiny.keep_events(tiny.weights > 3)
    assert emptied.events_per_user.tolist() == [0, 1, 2]
    filtered = emptied.filter_counts()
    assert filtered.user_ids.tolist() == [5, 7]
    assert filtered.item_ids.tolist() == [10, 20, 30]


def test_binarise(tiny):
    assert tiny.binarise().weights.tolist() == [1] * 6
    assert tiny.binarise().items.tolist() == tiny.items.tolist()
    liked = tiny.binarise(at_least=4)  # 4 itself is enough
    assert table_of(liked) == {(5, 30): 1, (7, 10): 1, (7, 20): 1}
    assert liked.n_users == 3
    assert liked.weights.dtype == np.float32


def test_public_names():
    assert rt.Interactions is Interactions
    assert rt.from_events is from_events
