"""Ranking metrics on score matrices: ``(users, items)`` scores and 0/1 relevance -> one value per user.

A score of ``-inf`` takes an item out of the ranking (it was seen before). Ties are broken by item index, the lower one
first. A user with no relevant item gets NaN: such users are reported by :mod:`recsys_tutorial.evaluation.evaluation`
and never averaged in silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array, sparray, spmatrix

from ..errors import InputError, how_many, listed, unknown

_SCORES = 1 << 19  # scores looked at together: what a core's cache holds
Scores = np.ndarray | torch.Tensor
Relevant = np.ndarray | torch.Tensor | sparray | spmatrix | Sequence[Sequence[float]]


def top_k(scores: Scores, k: int) -> np.ndarray:
    """Return the ``k`` best items of each user, ``(users, k)`` int64, best first, ties by lower index.

    Where fewer than ``k`` items have a score above -inf, the places that are left hold -1.

    Raises:
        InputError: k below 1 or above the number of items; a score that is NaN or +inf.
    """
    if isinstance(scores, torch.Tensor):
        scores = (scores.float() if scores.dtype == torch.bfloat16 else scores).detach().numpy()
    table = np.asarray(scores)
    if not np.issubdtype(table.dtype, np.floating):
        table = table.astype(float)
    if table.ndim != 2:
        raise InputError(f"scores have shape {table.shape}: they need to be (users, items)")
    k = how_many(k, table.shape[1], "items")
    at_once = max(1, _SCORES // table.shape[1])
    found = [_best(table[first : first + at_once], k) for first in range(0, len(table), at_once)]
    return np.concatenate(found) if found else np.zeros((0, k), np.int64)


def _best(table: np.ndarray, k: int) -> np.ndarray:
    users, n_items = table.shape
    highest = np.partition(table, n_items - k, axis=1)[:, n_items - k :]  # the k highest scores, the lowest one first
    if np.isnan(highest).any() or (highest == np.inf).any():
        raise InputError("scores hold NaN or +inf: mend the model; -inf alone is allowed, for items left out")
    last = highest[:, :1]
    wanted = table >= last
    if cut := np.flatnonzero(np.count_nonzero(wanted, axis=1) > k).tolist():  # the list ends among equal scores
        wanted[cut] = _lowest_of_equals(table[cut], last[cut], k)
    items = np.flatnonzero(wanted).reshape(users, k) % n_items
    # Now the right items are there, ascending, so that of equal scores the lower item comes first.
    scores = np.take_along_axis(table, items, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    items, scores = np.take_along_axis(items, order, axis=1), np.take_along_axis(scores, order, axis=1)
    return np.where(scores == -np.inf, -1, items)


def _lowest_of_equals(table: np.ndarray, last: np.ndarray, k: int) -> np.ndarray:
    """Return a mask: the items above ``last``, ``(rows, 1)``, the k-th best score, and the lowest of its equals."""
    above, equal = table > last, table == last
    return above | (equal & (equal.cumsum(1) <= k - above.sum(1, keepdims=True)))


def hits_at_k(items: np.ndarray, relevant: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(users, k)`` 0/1 hits down the lists ``items`` ``(users, k)``, and ``(users,)`` relevant items in all.

    An entry of ``items`` below 0 is a place that was left empty.
    """
    relevant = relevant.tocsr() if hasattr(relevant, "tocsr") else np.asarray(relevant)  # sparse or not
    rows = np.broadcast_to(np.arange(len(items))[:, None], items.shape).ravel()
    hits = np.asarray(relevant[rows, items.ravel()]).reshape(items.shape) > 0
    return (hits & (items >= 0)).astype(float), np.asarray((relevant > 0).sum(1)).ravel().astype(float)


def _recall(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    return hits.sum(1) / np.minimum(hits.shape[1], n_relevant)


def _plain_recall(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    return hits.sum(1) / n_relevant


def _precision(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    return hits.mean(1)


def _hit_rate(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    return hits.max(1)


def _ndcg(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    k = hits.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    return hits @ discounts / np.cumsum(discounts)[np.minimum(k, n_relevant).astype(int) - 1]


def _mrr(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    return np.where(hits.any(1), 1 / (hits.argmax(1) + 1), 0.0)


def _map(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    k = hits.shape[1]
    precision = np.cumsum(hits, 1) / np.arange(1, k + 1)
    return (precision * hits).sum(1) / np.minimum(k, n_relevant)


# name -> function of the hits down the list and the number of relevant items: one list serves them all.
FROM_HITS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "ndcg": _ndcg,
    "recall": _recall,
    "plain_recall": _plain_recall,
    "precision": _precision,
    "hit_rate": _hit_rate,
    "mrr": _mrr,
    "map": _map,
}


def from_hits(name: str, hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Return the ranking metric ``name`` of each user, NaN for users without relevant items."""
    value = np.full(len(hits), np.nan)
    known = n_relevant > 0
    value[known] = FROM_HITS[name](hits[known], n_relevant[known])
    return value


def _at_k(name: str, scores: Scores, relevant: Any, k: int) -> np.ndarray:
    grades = _values(scores, relevant) - {0.0}
    if len(grades) > 1 or min(grades, default=1) < 0:
        raise InputError(
            f"relevant holds {listed(sorted(grades))}: it needs 0, and one number for all that is relevant; write "
            "relevant >= 4, say, or give ndcg_at_k gains='linear' or 'exponential' for relevance in grades"
        )
    return from_hits(name, *hits_at_k(top_k(scores, k), relevant))


def _values(scores: Scores, relevant: Any) -> set[float]:
    """Return the different values of ``relevant``; InputError where it is not of the shape of ``scores``."""
    if tuple(np.shape(scores)) != tuple(np.shape(relevant)):
        raise InputError(f"scores {tuple(np.shape(scores))} and relevant {tuple(np.shape(relevant))} differ in shape")
    return set(np.unique(relevant.data if hasattr(relevant, "tocsr") else np.asarray(relevant)).astype(float).tolist())


# name -> what an item of relevance r adds: Järvelin and Kekäläinen (2002); Burges et al. (2005), Learning to rank.
GAINS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"linear": lambda r: r, "exponential": lambda r: 2.0**r - 1}


def _graded_ndcg(scores: Scores, relevant: Any, k: int, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    if min(_values(scores, relevant), default=0) < 0:
        raise InputError("relevant holds negative grades: what is not relevant has grade 0")
    items, table = top_k(scores, k), csr_array(relevant)
    discounts, found = 1 / np.log2(np.arange(2, k + 2)), np.full(len(items), np.nan)
    rows: Iterable[tuple[np.ndarray, Any]] = zip(items, table, strict=True)
    for user, (ranked, row) in enumerate(rows):
        best = gain(np.sort(row.data.astype(float))[::-1][:k])
        if best.any():
            gained = gain(row.toarray().ravel()[ranked[ranked >= 0]])
            found[user] = gained @ discounts[: len(gained)] / (best @ discounts[: len(best)])
    return found


def recall_at_k(scores: Scores, relevant: Relevant, k: int) -> np.ndarray:
    """Return hits among the first k over ``min(k, number of relevant items)``, so that 1 can be reached.

    Source: Liang et al. (2018), section 4.2. See :func:`plain_recall_at_k` for the other normalisation.
    """
    return _at_k("recall", scores, relevant, k)


def plain_recall_at_k(scores: Scores, relevant: Relevant, k: int) -> np.ndarray:
    """Return hits among the first k over the number of relevant items: the textbook recall."""
    return _at_k("plain_recall", scores, relevant, k)


def precision_at_k(scores: Scores, relevant: Relevant, k: int) -> np.ndarray:
    """Return hits among the first k over k."""
    return _at_k("precision", scores, relevant, k)


def hit_rate_at_k(scores: Scores, relevant: Relevant, k: int) -> np.ndarray:
    """Return 1 for a user with at least one hit among the first k, else 0."""
    return _at_k("hit_rate", scores, relevant, k)


def ndcg_at_k(scores: Scores, relevant: Relevant, k: int, gains: str = "binary") -> np.ndarray:
    r"""Return ``Σ_r gain_r / log2(r + 1)`` over ranks r = 1..k, divided by its largest possible value.

    Args:
        scores: ``(users, items)``.
        relevant: ``(users, items)``, 0 and 1 (or another number for all); grades from 0 where ``gains`` is not
            ``binary``.
        k: length of the list.
        gains: ``binary``: 1 for what is relevant; ``linear``: the grade; ``exponential``: ``2^grade - 1``.

    Source: Järvelin and Kekäläinen (2002); exponential gains: Burges et al. (2005).
    """
    if gains == "binary":
        return _at_k("ndcg", scores, relevant, k)
    if gains not in GAINS:
        raise unknown("gains", gains, ["binary", *GAINS])
    return _graded_ndcg(scores, relevant, k, GAINS[gains])


def mrr_at_k(scores: Scores, relevant: Relevant, k: int) -> np.ndarray:
    """Return 1 over the rank of the first hit, 0 where there is none among the first k."""
    return _at_k("mrr", scores, relevant, k)


def map_at_k(scores: Scores, relevant: Relevant, k: int) -> np.ndarray:
    """Return the mean precision at the ranks of the hits, over ``min(k, number of relevant items)``."""
    return _at_k("map", scores, relevant, k)


RANKING_METRICS: dict[str, Callable[[Scores, Relevant, int], np.ndarray]] = {
    "ndcg": ndcg_at_k,
    "recall": recall_at_k,
    "plain_recall": plain_recall_at_k,
    "precision": precision_at_k,
    "hit_rate": hit_rate_at_k,
    "mrr": mrr_at_k,
    "map": map_at_k,
}
