"""Exercises of notebook 01."""

from __future__ import annotations

import numpy as np

from ...data.events import from_events
from ...data.interactions import Interactions
from .base import compared


def _head_share(counts: np.ndarray, n: int) -> float:
    return float(np.sort(counts)[::-1][:n].sum() / counts.sum())


def _counts() -> dict[str, tuple]:
    return {
        "the 2 films with most of 1 6 2 1 ratings": (np.array([1, 6, 2, 1]), 2),
        "the 1 film with most of 3 3 5 9 20 ratings": (np.array([3, 3, 5, 9, 20]), 1),
    }


def _lift(n_ab: int, n_a: int, n_b: int, n: int) -> float:
    return n_ab / n_a / (n_b / n)


def _pairs() -> dict[str, tuple]:
    return {
        "Alien and Aliens, with 90 users in common, 127 and 125 of their own, of 671": (90, 127, 125, 671),
        "Alien and Forrest Gump (90, 127, 341, 671)": (90, 127, 341, 671),
    }


def _popularity(train: Interactions, shown: Interactions) -> np.ndarray:
    scores = np.tile(train.events_per_item.astype(float), (shown.n_users, 1))
    scores[shown.matrix.toarray() > 0] = -np.inf
    return scores


def _unmasked(train: Interactions, shown: Interactions) -> np.ndarray:
    return np.tile(train.events_per_item.astype(float), (shown.n_users, 1))


def _with_test_users(train: Interactions, shown: Interactions) -> np.ndarray:
    scores = np.tile((train.events_per_item + shown.events_per_item).astype(float), (shown.n_users, 1))
    scores[shown.matrix.toarray() > 0] = -np.inf
    return scores


def _stars(train: Interactions, shown: Interactions) -> np.ndarray:
    scores = np.tile(train.matrix.toarray().sum(0), (shown.n_users, 1))
    scores[shown.matrix.toarray() > 0] = -np.inf
    return scores


def _per_user(train: Interactions, shown: Interactions) -> np.ndarray:
    """Count along the rows: one number for each user of ``train``, cut to the films there are."""
    scores = np.tile(np.resize(train.events_per_user, train.n_items).astype(float), (shown.n_users, 1))
    scores[shown.matrix.toarray() > 0] = -np.inf
    return scores


def _people() -> dict[str, tuple]:
    users = [0, 0, 0, 1, 1, 2, 3, 3, 4, 4]
    items = [0, 1, 2, 1, 3, 1, 3, 1, 0, 3]
    stars = [5.0, 1.0, 3.0, 4.0, 1.0, 5.0, 5.0, 1.0, 3.0, 4.0]
    people = from_events(users, items, stars, name="five people")
    train, shown = people.take_users(np.arange(3)), people.take_users(np.arange(3, 5))
    return {"the scores of 2 people who were shown with 2 films each, learned from 3 others": (train, shown)}


EXERCISES = (
    compared(
        "01-head",
        "Write head_share(counts, n): the share of all ratings that the n most rated films hold.",
        "Sort the counts from high to low, take the first n, and divide their sum by the sum of all.",
        _head_share,
        _counts,
        {
            "takes the first films instead of the most rated": lambda counts, n: counts[:n].sum() / counts.sum(),
            "takes the least rated films": lambda counts, n: np.sort(counts)[:n].sum() / counts.sum(),
            "is off by one, and takes a film too many": lambda counts, n: _head_share(counts, n + 1),
            "averages over films where it should add up": lambda counts, n: _head_share(counts, n) * len(counts) / n,
        },
    ),
    compared(
        "01-lift",
        "Write lift(n_ab, n_a, n_b, n) from four counts, as in the formula above.",
        "P(B | A) is n_ab / n_a. How likely is B for everyone?",
        _lift,
        _pairs,
        {
            "stops at P(B | A)": lambda n_ab, n_a, n_b, n: n_ab / n_a,
            "divides by P(A) where P(B) belongs": lambda n_ab, n_a, n_b, n: n_ab / n_a / (n_a / n),
            "forgets the number of users": lambda n_ab, n_a, n_b, n: n_ab / (n_a * n_b),
            "divides by those who have either, which is Jaccard's overlap": lambda n_ab, n_a, n_b, n: (
                n_ab / (n_a + n_b - n_ab)
            ),
        },
    ),
    compared(
        "01-popularity",
        "Write popularity_scores(train, shown): (users of shown, films) scores, the number of ratings in train, and "
        "-np.inf where a person was shown with the film.",
        "train.events_per_item holds one count per film, np.tile repeats it for shown.n_users rows, and "
        "shown.matrix.toarray() > 0 says who was shown with what.",
        _popularity,
        _people,
        {
            "forgets to mask what was shown": _unmasked,
            "learns from the test users too": _with_test_users,
            "adds up stars where it should count ratings": _stars,
            "counts over the wrong axis, per person instead of per film": _per_user,
        },
    ),
)  # fmt: skip
