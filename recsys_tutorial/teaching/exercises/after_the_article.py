"""Exercises of notebook 14."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .base import compared

Array = np.ndarray
Histories = Sequence[Sequence[int]]


def _code(v: Array, books: Array, taken: float = 1.0, best: int = 0) -> list[int]:
    codes, rest = [], np.asarray(v, float)
    for book in books:
        codes.append(int(np.argsort(((rest - book) ** 2).sum(axis=1), kind="stable")[best]))
        rest = rest - taken * book[codes[-1]]
    return codes


def _nearest_direction(v: Array, books: Array) -> list[int]:
    codes, rest = [], np.asarray(v, float)
    for book in books:
        codes.append(int(np.argmax(book @ rest)))
        rest = rest - book[codes[-1]]
    return codes


def _codebooks() -> dict[str, tuple]:
    books = np.array([[[8.0, 0.0], [0.0, 8.0], [3.0, 3.0]], [[2.0, 0.0], [-1.0, 1.0], [0.0, -1.0]]])
    return {
        "v of (9, 1) in two books of three": (np.array([9.0, 1.0]), books),
        "v of (2, 7)": (np.array([2.0, 7.0]), books),
        "v of (3, 2)": (np.array([3.0, 2.0]), books),
        "v of (-1, 0)": (np.array([-1.0, 0.0]), books),
    }


def _hit(scores: Array, target: int, k: int) -> float:
    above, tied = (scores > scores[target]).sum(), (scores == scores[target]).sum()
    return float(np.clip((k - above) / tied, 0, 1))


def _first_of_the_tied(scores: Array, target: int, k: int) -> float:
    return float((scores > scores[target]).sum() < k)


def _last_of_the_tied(scores: Array, target: int, k: int) -> float:
    return float((scores >= scores[target]).sum() <= k)


def _without_itself(scores: Array, target: int, k: int) -> float:
    above, tied = (scores > scores[target]).sum(), (scores == scores[target]).sum() - 1
    return float(np.clip((k - above) / max(1, tied), 0, 1))


def _not_cut(scores: Array, target: int, k: int) -> float:
    return float((k - (scores > scores[target]).sum()) / (scores == scores[target]).sum())


def _lists() -> dict[str, tuple]:
    return {
        "scores of 9 5 5 5 1, the target is a 5, k = 2": (np.array([9, 5, 5, 5, 1]), 2, 2),
        "the same with k = 5": (np.array([9, 5, 5, 5, 1]), 2, 5),
        "scores of 7 8 9 1, the target is the 1, k = 2": (np.array([7, 8, 9, 1]), 3, 2),
    }


def _kind(histories: Histories, last: int, target: int) -> str:
    steps = {pair for history in histories for pair in itertools.pairwise(history)}
    if (last, target) in steps:
        return "seen"
    return "two steps" if any((last, m) in steps and (m, target) in steps for _, m in steps) else "never"


def _any_later(histories: Histories, last: int, target: int) -> str:
    later = {pair for history in histories for pair in itertools.combinations(history, 2)}
    return "seen" if (last, target) in later else _kind(histories, last, target)


def _either_way(histories: Histories, last: int, target: int) -> str:
    return _kind([*histories, *(list(reversed(history)) for history in histories)], last, target)


def _in_one_history(histories: Histories, last: int, target: int) -> str:
    found = [_kind([history], last, target) for history in histories]
    return next((kind for kind in ("seen", "two steps") if kind in found), "never")


def _shops() -> dict[str, tuple]:
    histories = [[1, 2, 3], [3, 4], [5, 1]]
    return {
        "histories 1 2 3, 3 4 and 5 1: from 1 to 2": (histories, 1, 2),
        "from 1 to 3": (histories, 1, 3),
        "from 2 to 4": (histories, 2, 4),
        "from 2 to 1": (histories, 2, 1),
        "from 4 to 5": (histories, 4, 5),
    }


EXERCISES = (
    compared(
        "14-code",
        "Write code_of(v, books): books is (levels, size, dim); at each level take the row nearest to what is left of "
        "v, then take that row away. Return the list of row numbers.",
        "Begin with rest = v. The nearest row of a book has the smallest ((rest - book) ** 2).sum(axis=1).",
        _code,
        _codebooks,
        {
            "looks for v itself at every level, not for what is left": lambda v, books: _code(v, books, taken=0.0),
            "takes the row that points the same way, not the nearest": _nearest_direction,
            "takes the second nearest": lambda v, books: _code(v, books, best=1),
            "adds the row where it has to be taken away": lambda v, books: _code(v, books, taken=-1.0),
        },
    ),
    compared(
        "14-ties",
        "Write expected_hit(scores, target, k): the chance that the target is among the first k if items of equal "
        "score are put in random order.",
        "Count what scores above the target, and what scores the same, the target too. k - above places are left for "
        "the tied ones: no fewer than none, no more than all.",
        _hit,
        _lists,
        {
            "puts the target before all that tie with it": _first_of_the_tied,
            "puts the target behind all that tie with it": _last_of_the_tied,
            "forgets that the target ties with itself": _without_itself,
            "gives chances below 0 or above 1": _not_cut,
        },
    ),
    compared(
        "14-transition",
        "Write kind(histories, last, target): 'seen' where target follows at once on last in some history, 'two steps' "
        "where some item follows on last and target on that item, else 'never'.",
        "Collect all pairs that follow at once, from all histories, in a set. The two steps may be in two histories.",
        _kind,
        _shops,
        {
            "takes whatever comes later for what follows at once": _any_later,
            "reads histories backwards too": _either_way,
            "wants both steps in one history": _in_one_history,
            "knows only what it has seen": lambda histories, last, target: _kind(histories, last, target).replace(
                "two steps", "never"
            ),
        },
    ),
)
