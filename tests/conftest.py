"""What several tests share: small data whose every number is known, the default data, and how hypothesis runs."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads slow their neighbours down
if "PYTEST_XDIST_WORKER" in os.environ:  # two workers with two threads each would wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")


import hypothesis
import numpy as np
import pytest

import recsys_tutorial as rt

hypothesis.settings.register_profile("suite", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis.settings.load_profile("suite")

# Users and items do not come sorted; users 7 and 3 each have two events at one time.
TINY = {
    "user": [7, 7, 7, 3, 3, 5],
    "item": [20, 10, 30, 10, 20, 30],
    "weight": [4.0, 5.0, 3.0, 2.0, 1.0, 5.0],
    "timestamp": [100, 100, 50, 10, 10, 99],
    "titles": {10: "Heat (1995)", 20: "Lion King, The (1994)", 30: 'Amélie, or "Le Destin" (2001)'},
    "genres": {10: ("Crime", "Drama"), 20: ("Animation",), 30: ()},
}


@pytest.fixture(scope="session")
def tiny() -> rt.Interactions:
    """Three users (3, 5, 7), three items (10, 20, 30), six events, with titles, genres and ties in time."""
    return rt.from_events(**TINY, name="tiny")


@pytest.fixture(scope="session")
def club() -> rt.Interactions:
    """Six people, five films, ties in time, and a film only one person knows: enough to fine-tune on."""
    rows = [
        ("ann", 10, 5.0, 100), ("ann", 20, 4.0, 100), ("ann", 30, 1.0, 50),
        ("bob", 10, 4.5, 7), ("bob", 20, 4.0, 8),
        ("cid", 30, 5.0, 9), ("cid", 40, 4.0, 9), ("cid", 10, 2.0, 9),
        ("dee", 40, 5.0, 1), ("eve", 20, 3.0, 2), ("eve", 30, 4.0, 1), ("fay", 50, 0.5, 3), ("fay", 10, 5.0, 4),
    ]  # fmt: skip
    titles = {10: "Ada (1990)", 20: "Bits, The (1991)", 30: "Code (1992)", 40: "Data (1993)", 50: "Edge (1994)"}
    genres = {10: ("Drama",), 20: ("Comedy", "Drama"), 30: ("Action",), 40: ("Action", "War"), 50: ()}
    return rt.from_events(*map(list, zip(*rows, strict=True)), titles=titles, genres=genres, name="club")


@pytest.fixture(scope="session")
def board() -> rt.Interactions:
    """Two groups of users on two groups of items, in random order: the structure is known, so what is learned can be
    checked."""
    rng = np.random.default_rng(0)
    users = [user for user in range(40) for _ in range(6)]
    items = [int(10 * (user % 2) + item) for user in range(40) for item in rng.permutation(10)[:6]]
    titles = {item: f"{'Blue' if item < 10 else 'Red'} ({1990 + item})" for item in range(20)}
    return rt.from_events(users, items, titles=titles, in_order=True, name="board")


@pytest.fixture(scope="session")
def movielens() -> rt.Interactions:
    """The default data."""
    return rt.load_dataset("movielens-small")


@pytest.fixture
def file(tmp_path):
    """Return a writer: name and content -> path."""

    def write(name: str, content: str | bytes):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
