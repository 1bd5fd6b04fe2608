import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.joining import place_of, shared_items, with_items, with_users


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
