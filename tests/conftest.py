"""What the tests share. OMP_WAIT_POLICY comes before torch: spinning threads slow a busy machine tenfold."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
from hypothesis import settings

import recsys_tutorial as rt

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def tiny() -> rt.Interactions:
    """Six users, five films with titles and genres, ties in time, and a film only one person knows."""
    rows = [
        ("ann", 10, 5.0, 100), ("ann", 20, 4.0, 100), ("ann", 30, 1.0, 50),
        ("bob", 10, 4.5, 7), ("bob", 20, 4.0, 8),
        ("cid", 30, 5.0, 9), ("cid", 40, 4.0, 9), ("cid", 10, 2.0, 9),
        ("dee", 40, 5.0, 1), ("eve", 20, 3.0, 2), ("eve", 30, 4.0, 1), ("fay", 50, 0.5, 3), ("fay", 10, 5.0, 4),
    ]  # fmt: skip
    titles = {10: "Ada (1990)", 20: "Bits, The (1991)", 30: "Code (1992)", 40: "Data (1993)", 50: "Edge (1994)"}
    genres = {10: ("Drama",), 20: ("Comedy", "Drama"), 30: ("Action",), 40: ("Action", "War"), 50: ()}
    return rt.from_events(*map(list, zip(*rows, strict=True)), titles=titles, genres=genres, name="tiny")


@pytest.fixture(scope="session")
def movielens() -> rt.Interactions:
    """The default data."""
    return rt.load_dataset("movielens-small")
