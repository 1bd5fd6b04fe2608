"""Exercises of notebook 02."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .base import compared


def _recall(ranked: Sequence[int], wanted: set[int], k: int) -> float:
    if not wanted:
        return float("nan")
    return len(set(ranked[:k]) & wanted) / min(k, len(wanted))


def _rankings() -> dict[str, tuple]:
    return {
        "k = 3 of the ranking 1 2 3 4 5, wanted 1, 3 and 5": ([1, 2, 3, 4, 5], {1, 3, 5}, 3),
        "k = 2 of the same ranking": ([1, 2, 3, 4, 5], {1, 3, 5}, 2),
        "k = 4, wanted 2 and 9": ([1, 2, 3, 4, 5], {2, 9}, 4),
        "a person who wants nothing": ([1, 2, 3, 4, 5], set(), 3),
    }


def _values() -> dict[str, tuple]:
    table = np.array([[1.0, 0.0, np.nan, 0.5], [0.2, 0.4, 0.6, np.nan]])
    return {"the means of 2 seeds with 4 users each, one of whom wants nothing": (table,)}


def _split(history: Sequence[tuple[int, str]]) -> tuple[list[str], str]:
    films = [film for _, film in sorted(history)]
    return films[:-1], films[-1]


def _not_sorted(history: Sequence[tuple[int, str]]) -> tuple[list[str], str]:
    films = [film for _, film in history]
    return films[:-1], films[-1]


def _leaking(history: Sequence[tuple[int, str]]) -> tuple[list[str], str]:
    films = [film for _, film in sorted(history)]
    return films, films[-1]


def _off_by_one(history: Sequence[tuple[int, str]]) -> tuple[list[str], str]:
    films = [film for _, film in sorted(history)]
    return films[:-2], films[-2]


def _first(history: Sequence[tuple[int, str]]) -> tuple[list[str], str]:
    films = [film for _, film in sorted(history)]
    return films[1:], films[0]


def _histories() -> dict[str, tuple]:
    return {
        "a history in order: Heat, Alien, Emma": ([(10, "Heat"), (20, "Alien"), (30, "Emma")],),
        "one that does not come in order": ([(50, "Babe"), (20, "Dune"), (90, "Antz"), (70, "Jaws")],),
    }


EXERCISES = (
    compared(
        "02-recall",
        "Write recall(ranked, wanted, k) for one person: ranked is a list of films, best first, wanted a set.",
        "Hits are the films in both ranked[:k] and wanted. At most min(k, len(wanted)) can be found, and for nobody "
        "wanted the answer is float('nan').",
        _recall,
        _rankings,
        {
            "divides by k, which is precision": lambda ranked, wanted, k: (
                len(set(ranked[:k]) & wanted) / k if wanted else float("nan")
            ),
            "divides by all that is wanted, though k places cannot hold them": lambda ranked, wanted, k: (
                len(set(ranked[:k]) & wanted) / len(wanted) if wanted else float("nan")
            ),
            "is off by one, and looks at a place too many": lambda ranked, wanted, k: (
                len(set(ranked[: k + 1]) & wanted) / min(k, len(wanted)) if wanted else float("nan")
            ),
            "gives 0 to a person who wants nothing": lambda ranked, wanted, k: (
                _recall(ranked, wanted, k) if wanted else 0.0
            ),
        },
    ),
    compared(
        "02-mean",
        "Write mean_per_seed(values): values is (seeds, users), nan where a person wants nothing; one mean per seed.",
        "np.nanmean leaves nan out. Which axis are the users?",
        lambda values: np.nanmean(values, axis=1),
        _values,
        {
            "averages over the wrong axis, one mean per user": lambda values: np.nanmean(values, axis=0),
            "averages over seeds and users at once": lambda values: np.nanmean(values),
            "counts a person who wants nothing as 0": lambda values: np.nan_to_num(values).mean(axis=1),
            "lets one nan spoil the mean": lambda values: values.mean(axis=1),
        },
    ),
    compared(
        "02-last",
        "Write split(history): history is a list of (time, film); return the films to train on, in order of time, and "
        "the last film, the target.",
        "sorted(history) orders by time. The target must not stay among what is trained on.",
        _split,
        _histories,
        {
            "leaks the target: it is trained on too": _leaking,
            "forgets that a history may not come in order of time": _not_sorted,
            "is off by one, and asks for the last film but one": _off_by_one,
            "asks for the first film": _first,
        },
    ),
)  # fmt: skip
