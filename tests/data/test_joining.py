import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.joining import joined, place_of, shared_items, with_items, with_users


@pytest.fixture
def one() -> rt.Interactions:
    titles = {1: "Heat (1995)", 2: "Alien (1979)", 3: "Sabrina (1954)"}
    return rt.from_events(["a", "a", "b"], [1, 2, 3], titles=titles, name="one")


@pytest.fixture
def other() -> rt.Interactions:
    titles = {70: "alien (1979)", 80: "Heat (1995)", 90: "Sabrina (1995)"}
    return rt.from_events(["x", "y", "y"], [70, 80, 90], titles=titles, name="other")


def test_items_are_joined_by_title_and_year(one, other):
    assert shared_items(one, other).tolist() == [1, 0, -1]
    laid = with_items(one, other.catalogue, shared_items(one, other))
    assert laid.matrix.toarray().tolist() == [[1, 1, 0], [0, 0, 0]]
    assert laid.catalogue is other.catalogue


def test_a_title_that_is_there_twice_joins_nothing(one):
    twice = rt.from_events(["x", "y"], [7, 8], titles={7: "Heat (1995)", 8: "Heat (1995)"}, name="twice")
    with pytest.raises(rt.InputError, match="'one' and 'twice' share no item"):
        shared_items(one, twice)


def test_without_titles_items_are_joined_by_id():
    first, second = rt.from_events(["a", "a"], [1, 2]), rt.from_events(["b", "b"], [2, 3])
    assert shared_items(first, second).tolist() == [-1, 0]
    assert with_items(first, second.catalogue).matrix.toarray().tolist() == [[1, 0]]
    with pytest.raises(rt.InputError, match="1 places for 2 items"):
        with_items(first, second.catalogue, np.array([0]))


def test_users_are_joined_by_id_and_who_is_not_there_has_nothing(one):
    laid = with_users(one, np.array(["b", "nobody", "a"], object))
    assert laid.events_per_user.tolist() == [1, 0, 2]
    assert laid.user_ids.tolist() == ["b", "nobody", "a"]
    assert laid.matrix.toarray().tolist() == [[0, 0, 1], [0, 0, 0], [1, 1, 0]]


def test_a_number_and_its_text_are_one_id():
    texts, numbers = np.array(["007", "7", "x"], object), np.array([7, 8])
    assert place_of(numbers, texts).tolist() == [1, -1]
    assert place_of(texts, numbers).tolist() == [-1, 0, -1]
    assert place_of(numbers, np.array([8, 7])).tolist() == [1, 0]


# ---- before and since ----------------------------------------------------------------------------------------


def histories(x: rt.Interactions) -> dict:
    parts = zip(x.user_ids.tolist(), x.offsets, x.offsets[1:], strict=False)
    return {user: x.item_ids[x.items[a:b]].tolist() for user, a, b in parts}


def test_what_happened_since_comes_behind_what_happened_before(one):
    since = rt.from_events(["c", "b", "b"], [3, 9, 1], titles={1: "another", 9: "Jaws (1975)"}, name="since")
    both = joined(one, since)
    assert histories(both) == {"a": [1, 2], "b": [3, 9, 1], "c": [3]}
    assert both.item_ids.tolist() == [1, 2, 3, 9]
    assert both.titles == ("Heat (1995)", "Alien (1979)", "Sabrina (1954)", "Jaws (1975)")
    assert (both.name, both.timestamps) == ("one + since", None)


def test_times_decide_the_order_where_both_know_them_and_the_last_of_repeats_counts():
    before = rt.from_events([1, 1, 2], [10, 20, 10], [5.0, 4.0, 3.0], [100, 300, 50])
    more = rt.from_events([1, 1, 3], [30, 10, 40], [1.0, 2.0, 3.0], [200, 400, 10])
    both = joined(before, more)
    assert histories(both) == {1: [30, 20, 10], 2: [10], 3: [40]}
    assert both.timestamps.tolist() == [200, 300, 400, 50, 10]
    assert both.weights.tolist() == [1, 4, 2, 3, 3]


def test_a_log_keeps_its_repeats_and_an_item_that_nobody_has_its_place():
    log = rt.from_events([1, 1, 1], [10, 10, 20], duplicates="keep")
    assert histories(joined(log, rt.from_events([1], [10]))) == {1: [10, 10, 20, 10]}
    unseen = rt.from_events([1, 2], [10, 20]).keep_events(np.array([True, False]))
    assert joined(unseen, rt.from_events([1], [30])).item_ids.tolist() == [10, 20, 30]


def test_numbers_become_texts_where_one_file_has_texts(one):
    both = joined(one, rt.from_events(["a", "d"], ["x", "1"]))
    assert histories(both) == {"a": ["1", "2", "x"], "b": ["3"], "d": ["1"]}
    assert both.titles[:2] == ("Heat (1995)", "Alien (1979)")
