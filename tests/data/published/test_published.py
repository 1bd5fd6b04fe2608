"""Figures in print, recomputed from the data they were computed from; skipped where the data is not at hand.

The environment variable RECSYS_TUTORIAL_DATA names the folder that holds ``s3rec/Toys_and_Games.txt``, from the
repository of S3-Rec (Zhou et al. 2020, arXiv:2008.07873): per line a user, then the user's items in time order.
"""

import os
from pathlib import Path

import pytest

import recsys_tutorial as rt

TOYS = Path("s3rec", "Toys_and_Games.txt")


@pytest.fixture(scope="module")
def toys() -> rt.Interactions:
    folder = os.environ.get("RECSYS_TUTORIAL_DATA")
    if not folder:
        pytest.skip("RECSYS_TUTORIAL_DATA is not set: name the folder that holds s3rec/Toys_and_Games.txt")
    path = Path(folder) / TOYS
    if not path.exists():
        pytest.skip(f"{TOYS} is not in the folder that RECSYS_TUTORIAL_DATA names")
    return rt.read_interactions(path)


def test_the_data_is_the_published_one(toys):
    assert (toys.n_users, toys.n_items, toys.n_events) == (19_412, 11_924, 167_597)


def test_the_popularity_in_print_has_counted_the_test_items(toys):
    split = rt.splits.leave_one_out(toys)
    models = {"counts all": rt.Popularity().fit(toys), "trained": rt.Popularity().fit(split.train)}
    table = rt.evaluate(models, split, ["hit_rate"], 10).set_index("model")
    assert table["users"].tolist() == [19_412] * 2
    assert round(table["value"]["counts all"], 4) == 0.0113, "the figure in print"
    assert round(table["value"]["trained"], 4) == 0.0090, "the honest one"


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("movielens-latest-small", None),
        ("lastfm", None),
        ("retailrocket", (824, 3_077, 5_088)),
        ("anime", (4_714, 7_157, 419_943)),
        ("msweb", None),
        ("amazon-toys", None),
    ],
)
def test_every_set_at_hand_has_its_published_counts(name, labels):
    """``load_dataset`` verifies users, items and events; here also those of the labels."""
    if not rt.datasets().set_index("name").loc[name, "available"]:
        pytest.skip(f"{name} is not on this machine")
    data = rt.load_dataset(name)
    found = data.labels and (data.labels.n_users, data.labels.n_items, data.labels.n_events)
    assert found == labels


@pytest.mark.parametrize(
    ("name", "events", "labels"),
    [
        ("movielens-small", "dba205565f10", None),
        ("movielens-latest-small", "a30cec517d25", None),
        ("lastfm", "fe0b8f715839", None),
        ("retailrocket", "8fa8fe7f2e1f", "d6837c0959ae"),
        ("anime", "3abffb477057", "1e4bbc870425"),
        ("msweb", "f1439d38b8c9", None),
        ("amazon-toys", "d967b83eb44b", None),
    ],
)
def test_every_set_at_hand_is_the_same_with_every_version(name, events, labels):
    """Found with pandas 2.2.2, numpy 2.0.2, pyarrow 16.1 and with pandas 3.1.1, numpy 2.4.6, pyarrow 26.0.1."""
    if not rt.datasets().set_index("name").loc[name, "available"]:
        pytest.skip(f"{name} is not on this machine")
    data = rt.load_dataset(name)
    assert (data.fingerprint, data.labels and data.labels.fingerprint) == (events, labels)


def test_the_official_test_users_of_msweb():
    if not rt.datasets().set_index("name").loc["msweb", "available"]:
        pytest.skip("msweb is not on this machine")
    data = rt.load_dataset("msweb")
    train = data.subset_users((data.user_attributes["part"] == "train").to_numpy()).filter_counts()
    test = data.subset_users((data.user_attributes["part"] == "test").to_numpy())
    assert (train.n_users, train.n_items, train.n_events) == (32_711, 285, 98_654)
    assert (test.n_users, test.n_events) == (5_000, 15_191)
    assert "NetShow for PowerPoint" in data.titles
