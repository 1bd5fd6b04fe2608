"""Exercises of notebook 12."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from .base import compared

Array = np.ndarray
Search = Callable[[int], list[int]]


def _apart(a: Array, b: Array) -> float:
    return float(np.abs(a - b).max())


def _scores() -> dict[str, tuple]:
    a, b = np.array([[0.5, 1.0, 2.0], [2.0, 3.0, -1.0]]), np.array([[0.5, 1.25, 2.0], [2.0, 2.25, -1.0]])
    return {
        "two people's scores, .5 1 2 and 2 3 -1 against .5 1.25 2 and 2 2.25 -1": (a, b),
        "the same, the other way round": (b, a),
    }


def _rounded(w: Array, axis: int | None = 1, most: int = 127, whole: Callable[[Array], Array] = np.round) -> Array:
    scale = np.abs(w).max(axis=axis, keepdims=True) / most
    return scale * whole(w / scale)


def _rows() -> dict[str, tuple]:
    return {
        "the rows .5 -.26 .1 and 40 9 -3.3": (np.array([[0.5, -0.26, 0.1], [40.0, 9.0, -3.3]]),),
        "the row -1 .336 .9": (np.array([[-1.0, 0.336, 0.9]]),),
    }


def _reply(search: Search, had: Collection[int], k: int) -> list[int]:
    return [item for item in search(k + len(had)) if item >= 0 and item not in had][:k]


def _asks_for_k(search: Search, had: Collection[int], k: int) -> list[int]:
    return [item for item in search(k) if item >= 0 and item not in had]


def _searches() -> dict[str, tuple]:
    def of(*ranked: int) -> Search:
        return lambda n: [*ranked, *[-1] * n][:n]

    return {
        "2 items from the ranking 5 2 9 4 1 7 for somebody who has 5 and 9": (of(5, 2, 9, 4, 1, 7), {5, 9}, 2),
        "3 items from 3 0 8 6 2 7 for one who has 8 and 4": (of(3, 0, 8, 6, 2, 7), {8, 4}, 3),
        "3 items where the lists that were looked into hold 4 and 1, and the person has 1": (of(4, 1), {1}, 3),
    }


EXERCISES = (
    compared(
        "12-apart",
        "Write apart(a, b): the largest difference between two models' scores, whichever is larger.",
        "One line: the largest of the absolute differences.",
        _apart,
        _scores,
        {
            "averages, so that one bad score hides among many": lambda a, b: float(np.abs(a - b).mean()),
            "forgets what is too small": lambda a, b: float((a - b).max()),
            "adds up before it compares, so that differences cancel": lambda a, b: float(np.abs(a.sum() - b.sum())),
            "looks at the first person only": lambda a, b: _apart(a[0], b[0]),
        },
    ),
    compared(
        "12-rounded",
        "Write rounded(w): what is left of a table of weights when each row becomes whole numbers from -127 to 127 "
        "times a scale of its own.",
        "scale = np.abs(w).max(axis=1, keepdims=True) / 127, and np.round(w / scale) are the whole numbers.",
        _rounded,
        _rows,
        {
            "takes one scale for the whole table, which suits its largest row": lambda w: _rounded(w, axis=None),
            "takes a scale for each column, the wrong axis": lambda w: _rounded(w, axis=0),
            "cuts off where it should round": lambda w: _rounded(w, whole=np.trunc),
            "counts up to 255, which needs a bit more for the sign": lambda w: _rounded(w, most=255),
        },
    ),
    compared(
        "12-reply",
        "Write reply(search, had, k): search(n) gives the n best items, best first, then -1 where it found fewer; "
        "return the k best that the person has not had.",
        "At most len(had) of what comes are items that the person has: ask for as many more, leave out, then cut at k.",
        _reply,
        _searches,
        {
            "asks for k, and has too few left": _asks_for_k,
            "forgets to leave out what the person has had": lambda search, had, k: _reply(search, (), k),
            "hands on the -1 of an empty place": lambda search, had, k: [
                item for item in search(k + len(had)) if item not in had
            ][:k],
            "gives more than k": lambda search, had, k: _reply(search, had, k + len(had)),
            "loses the order": lambda search, had, k: sorted(_reply(search, had, k)),
        },
    ),
)  # fmt: skip
