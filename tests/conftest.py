"""What several tests share: small data whose every number is known, the default data, and how hypothesis runs."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: spinning threads slow their neighbours down

import hypothesis
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
def movielens() -> rt.Interactions:
    """The default data."""
    return rt.load_dataset("movielens-small")
