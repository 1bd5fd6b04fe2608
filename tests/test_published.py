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
