"""Items by id and by title."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_tutorial.data.catalogue import Catalogue, as_ids, genre_table, spellings
from recsys_tutorial.errors import InputError

FILMS = Catalogue(
    as_ids([1, 5, 8, 9, 12, 20]),
    ("Toy Story (1995)", "Sabrina (1995)", "Sabrina (1954)", "Lion King, The (1994)", "Heat (1995)", "heat (1995)"),
    (("Comedy",), (), (), ("Animation", "Musical"), ("Crime",), ("Crime",)),
)
PLAIN = Catalogue(as_ids(["shoe-1", "shoe-2", "x"]))


@pytest.mark.parametrize(
    ("given_ids", "kept"),
    [
        ([3, 1], [3, 1]),
        (np.array([3, 1], np.uint8), [3, 1]),
        ([3.0, 1.0], [3, 1]),
        ([3.5, 1.0], ["3.5", "1.0"]),
        (["3", "1"], ["3", "1"]),
        (["007", "7"], ["007", "7"]),
        ([3, "x"], ["3", "x"]),
        ([2**63, 1], [str(2**63), "1"]),
        ([2**63 - 1, 1], [2**63 - 1, 1]),
        (np.array([2**64 - 1], np.uint64), [str(2**64 - 1)]),
        ([10**30], [str(10**30)]),
        (["a\0", "a"], ["a\0", "a"]),
        ([], []),
        (iter([3, 1]), [3, 1]),
    ],
)
def test_ids_are_whole_numbers_or_text_and_read_only(given_ids, kept):
    ids = as_ids(given_ids)
    assert ids.tolist() == kept
    assert ids.dtype == (object if kept and isinstance(kept[0], str) else np.int64)
    assert not ids.flags.writeable


@pytest.mark.parametrize(
    ("item", "index"),
    [
        (1, 0),
        (20, 5),
        (np.int64(20), 5),
        ("20", 5),
        ("Toy Story (1995)", 0),
        ("toy STORY (1995)", 0),
        ("Toy Story", 0),
        ("Lion King, The (1994)", 3),
        ("lion king, the", 3),
        ("The Lion King", 3),
        ("Sabrina (1954)", 2),
        ("Heat (1995)", 4),  # exactly so, though heat (1995) folds to the same
        ("heat (1995)", 5),
        (np.str_("Toy Story"), 0),
    ],
)
def test_an_item_is_found_by_id_or_title(item, index):
    assert FILMS.indices_of([item]).tolist() == [index]


@pytest.mark.parametrize(
    ("catalogue", "item", "message"),
    [
        (FILMS, 2, "unknown item 2: did you mean '20' or '12'?"),
        (FILMS, "Toy Stroy", "unknown item 'Toy Stroy': did you mean 'Toy Story (1995)'?"),
        (FILMS, "Toy St", "unknown item 'Toy St': did you mean 'Toy Story (1995)'?"),
        (FILMS, "king", "unknown item 'king': did you mean 'Lion King, The (1994)'?"),
        (FILMS, "kin", "unknown item 'kin': no title is near it; give a title or an id of the catalogue"),
        (FILMS, "qqqq", "unknown item 'qqqq': no title is near it; give a title or an id of the catalogue"),
        (FILMS, "", "unknown item '': no title is near it; give a title or an id of the catalogue"),
        (FILMS, "Sabrina", "2 items are called 'Sabrina': give the id of one (Sabrina (1995) = 5, Sabrina (1954) = 8)"),
        (FILMS, "HEAT", "2 items are called 'HEAT': give the id of one (Heat (1995) = 12, heat (1995) = 20)"),
        (PLAIN, "shoe-3", "unknown item 'shoe-3': did you mean 'shoe-2' or 'shoe-1'?"),
        (PLAIN, 7, "unknown item 7: choose from 'shoe-1', 'shoe-2', 'x'"),
    ],
)
def test_an_item_that_is_not_there_is_refused_with_the_nearest(catalogue, item, message):
    with pytest.raises(InputError) as caught:
        catalogue.index_of(item)
    assert str(caught.value) == message


def test_an_id_too_long_for_python_to_read_as_a_number_is_refused_in_a_short_message():
    with pytest.raises(InputError) as caught:
        FILMS.index_of("9" * 5000)
    begin, end = str(caught.value).split(" ... ")
    assert begin == "unknown item '" + "9" * 586
    assert end.lstrip("9") == "': no title is near it; give a title or an id of the catalogue"


def test_text_ids_are_found_as_they_are():
    catalogue = Catalogue(as_ids(["007", "7", "x"]))
    assert catalogue.indices_of(["7", "007", "x"]).tolist() == [1, 0, 2]


def test_one_text_is_not_a_list_of_items():
    with pytest.raises(InputError, match=r"items is one text, 'Heat': give a list, \['Heat'\]"):
        FILMS.indices_of("Heat")


def test_spellings():
    assert spellings("Lion King, The (1994)") == {"lion king, the (1994)", "lion king, the", "the lion king"}
    assert spellings("1984") == {"1984"}
    assert spellings("Beautiful Mind, A") == {"beautiful mind, a", "a beautiful mind"}


def test_labels_are_titles_where_known():
    assert FILMS.labels(np.array([3, 0])) == ["Lion King, The (1994)", "Toy Story (1995)"]
    assert PLAIN.labels([2]) == ["x"]


def test_take_keeps_ids_titles_and_genres_together():
    taken = FILMS.take(np.array([0, 3]))
    assert (taken.ids.tolist(), taken.titles) == ([1, 9], ("Toy Story (1995)", "Lion King, The (1994)"))
    assert taken.genres == (("Comedy",), ("Animation", "Musical"))
    assert PLAIN.take(np.array([1])).titles is None
    assert not taken.ids.flags.writeable


@given(st.lists(st.integers(0, 5), unique=True).map(sorted))
def test_taken_items_are_found_at_their_new_place(pick):
    taken = FILMS.take(np.array(pick, np.int64))
    assert taken.indices_of(taken.ids).tolist() == list(range(len(pick)))
    assert [taken.label(i) for i in range(len(taken))] == [FILMS.label(i) for i in pick]


def test_catalogues_are_told_apart_by_fingerprint_not_by_equality():
    same = FILMS.take(np.arange(6))
    assert same != FILMS
    assert len({same, FILMS}) == 2


def test_fingerprint_follows_ids_and_order_alone():
    base = Catalogue(as_ids([1, 2, 3]))
    assert base.fingerprint == Catalogue(as_ids([1, 2, 3]), ("a", "b", "c")).fingerprint
    others = ([1, 3, 2], [1, 2], [1, 2, 4], ["12", "3"])
    prints = {Catalogue(as_ids(ids)).fingerprint for ids in others} | {base.fingerprint}
    assert len(prints) == 5
    assert len(base.fingerprint) == 12


def test_another_catalogue_is_refused():
    other = Catalogue(as_ids([1, 2]))
    FILMS.require_same(FILMS.take(np.arange(6)), "the data")
    message = f"the data has another catalogue (2 items, fingerprint {other.fingerprint}) than the model (6 items, "
    with pytest.raises(InputError) as caught:
        FILMS.require_same(other, "the data")
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(f"{FILMS.fingerprint}): use the data the model was trained on")


@pytest.mark.parametrize("name", ["titles", "genres"])
def test_a_column_of_another_length_is_refused(name):
    with pytest.raises(InputError, match=f"1 {name} for 2 items: give one per item"):
        Catalogue(as_ids([1, 2]), **{name: ("a",)})


def test_a_catalogue_cannot_be_changed():
    catalogue = Catalogue(np.array([1, 2]))
    with pytest.raises(ValueError, match="read-only"):
        catalogue.ids[0] = 5
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalogue.titles = ("a", "b")


def test_repr():
    assert repr(FILMS) == "Catalogue of 6 items with titles and genres"
    assert repr(PLAIN) == "Catalogue of 3 items"


def test_the_table_of_genres_by_hand():
    table = genre_table([("Drama", "Comedy"), (), ("Drama",)])
    assert table.dtype == np.float32
    assert table.tolist() == [[1, 1], [0, 0], [0, 1]]
    assert genre_table([(), ()]).shape == (2, 0)
