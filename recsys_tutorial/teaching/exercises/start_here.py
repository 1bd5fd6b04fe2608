"""Exercises of notebook 00."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .base import Exercise, Untouched, Wrong, compared

BEN = {"Toy Story (1995)": 2, "Pulp Fiction (1994)": 4, "Alien (1979)": 5}
ALIENS = "Aliens (1986)"


def _seen(ratings: Mapping[str, int]) -> str:
    if not isinstance(ratings, Mapping):
        raise Wrong(f"I expected a dict, film -> stars, and found {ratings!r}.")
    if dict(ratings) == BEN:
        raise Untouched
    for film, stars in BEN.items():
        if ratings.get(film, 0) != stars:
            raise Wrong(f"Ben gave {film} {stars} stars, and here it has {ratings.get(film, 0)}: keep what he said.")
    if ALIENS not in ratings:
        raise Wrong(f"{ALIENS} is not among {', '.join(ratings)}: so it can still be recommended.")
    stars = ratings[ALIENS]
    if stars == 0:
        raise Wrong(f"{ALIENS} has 0 stars, which means that Ben has not seen it.")
    if stars not in (1, 2, 3):
        raise Wrong(f"{ALIENS} has {stars} stars. From 4 on it counts as liked; a film that bored him has 1 to 3.")
    return f"{ALIENS} has {stars} stars: seen, not liked. Ben's other stars are as he gave them."


def _top(scores: np.ndarray, seen: list[int], k: int) -> np.ndarray:
    left = np.array(scores, float)
    left[seen] = -np.inf
    return np.argsort(-left, kind="stable")[:k]


def _masked_with_zero(scores: np.ndarray, seen: list[int], k: int) -> np.ndarray:
    left = np.array(scores, float)
    left[seen] = 0
    return np.argsort(-left, kind="stable")[:k]


def _lists() -> dict[str, tuple]:
    return {
        "the best 2 of the scores .1 .9 .5 .7, film 1 seen": (np.array([0.1, 0.9, 0.5, 0.7]), [1], 2),
        "the best 2 of the scores -3 -1 -2 -.5, film 3 seen": (np.array([-3.0, -1.0, -2.0, -0.5]), [3], 2),
        "the best 3 of the scores .4 .8 .4 .6 .1, films 1 and 4 seen": (np.array([0.4, 0.8, 0.4, 0.6, 0.1]), [1, 4], 3),
    }


EXERCISES = (
    Exercise(
        "00-seen",
        "Add one line to Ben's stars: he has seen Aliens (1986), and it bored him.",
        "0 stars means not seen, 4 or 5 liked. What is left for a film that was seen and not liked?",
        _seen,
        {
            "says that he has not seen it": BEN | {ALIENS: 0},
            "says that he liked it": BEN | {ALIENS: 5},
            "is off by one, and 4 stars count as liked": BEN | {ALIENS: 4},
            "forgets what Ben said before": {ALIENS: 2},
        },
    ),
    compared(
        "00-top",
        "Write top(scores, seen, k): the numbers of the k best films that the person has not seen, best first.",
        "Give the seen films the lowest score there is, -np.inf, then use np.argsort(-scores, kind='stable').",
        _top,
        _lists,
        {
            "forgets to mask the films that were seen": lambda scores, seen, k: np.argsort(-scores, kind="stable")[:k],
            "puts the worst first": lambda scores, seen, k: _top(-scores, seen, k),
            "is off by one, and gives a film too few": lambda scores, seen, k: _top(scores, seen, k - 1),
            "masks with 0, which is better than a score below 0": _masked_with_zero,
            "counts the films from 1": lambda scores, seen, k: _top(scores, seen, k) + 1,
        },
    ),
)  # fmt: skip
