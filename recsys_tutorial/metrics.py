"""Ranking metrics on score matrices: ``(users, items)`` scores and 0/1 relevance -> one value per user.

A score of ``-inf`` takes an item out of the ranking (it was seen before). Ties are broken by item index, the lower one
first. A user with no relevant item gets NaN: such users are reported by :mod:`recsys_tutorial.evaluation` and never
averaged in silently.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse import issparse

from .errors import InputError

Scores = np.ndarray | torch.Tensor


def top_k(scores: Scores, k: int) -> np.ndarray:
    """Return the ``k`` best items of each user, ``(users, k)`` int64, best first, ties by lower index.

    Raises:
        InputError: k below 1 or above the number of items; a score that is NaN or +inf.
    """
    if isinstance(scores, np.ndarray) and not scores.flags.writeable:
        scores = scores.copy()  # torch warns of a tensor that shares read-only memory
    table = torch.as_tensor(scores)
    if table.ndim != 2:
        raise InputError(f"scores have shape {tuple(table.shape)}: they need to be (users, items)")
    n_items = table.shape[1]
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or not 1 <= k <= n_items:
        raise InputError(f"k={k!r}: it needs to be a whole number between 1 and {n_items}, the number of items")
    values, items = table.topk(int(k), dim=1)
    if torch.isnan(values).any() or (values == torch.inf).any():
        raise InputError("scores hold NaN or +inf: mend the model; -inf alone is allowed, for items left out")
    # topk leaves open which of several equal scores it takes. Rows where an equal score was cut off are sorted in
    # full; in the others only the order within the list is mended.
    last = values[:, -1:]
    cut = ((table >= last).sum(1) > k).nonzero().squeeze(1)
    if len(cut):
        items[cut] = table[cut].argsort(dim=1, descending=True, stable=True)[:, :k]
    items = items.sort(dim=1).values
    order = table.gather(1, items).argsort(dim=1, descending=True, stable=True)
    return items.gather(1, order).numpy()


def _hits(scores: Scores, relevant: object, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(users, k)`` 0/1 hits down the list and ``(users,)`` number of relevant items."""
    relevant = relevant.tocsr() if issparse(relevant) else np.asarray(relevant)
    if tuple(np.shape(scores)) != relevant.shape:
        raise InputError(f"scores {tuple(np.shape(scores))} and relevant {relevant.shape} differ in shape")
    items = top_k(scores, k)
    rows = np.arange(len(items))[:, None]
    hits = np.asarray(relevant[np.broadcast_to(rows, items.shape).ravel(), items.ravel()]).reshape(items.shape) > 0
    hits &= np.asarray(scores)[rows, items] > -np.inf  # an item left out of the ranking is no hit
    return hits.astype(float), np.asarray((relevant > 0).sum(1)).ravel().astype(float)


def _per_user(values: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    return np.where(n_relevant > 0, values, np.nan)


def recall_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    """Return hits among the first k over ``min(k, number of relevant items)``, so that 1 can be reached.

    Source: Liang et al. (2018), section 4.2. See :func:`plain_recall_at_k` for the other normalisation.
    """
    hits, n_relevant = _hits(scores, relevant, k)
    return _per_user(hits.sum(1) / np.minimum(k, n_relevant).clip(1), n_relevant)


def plain_recall_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    """Return hits among the first k over the number of relevant items: the textbook recall."""
    hits, n_relevant = _hits(scores, relevant, k)
    return _per_user(hits.sum(1) / n_relevant.clip(1), n_relevant)


def precision_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    """Return hits among the first k over k."""
    hits, n_relevant = _hits(scores, relevant, k)
    return _per_user(hits.mean(1), n_relevant)


def hit_rate_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    """Return 1 for a user with at least one hit among the first k, else 0."""
    hits, n_relevant = _hits(scores, relevant, k)
    return _per_user(hits.max(1), n_relevant)


def ndcg_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    r"""Return ``Σ_r hit_r / log2(r + 1)`` over ranks r = 1..k, divided by its largest possible value.

    Source: Järvelin and Kekäläinen (2002), with 0/1 gains.
    """
    hits, n_relevant = _hits(scores, relevant, k)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(k, n_relevant).astype(int)]
    return _per_user(hits @ discounts / np.where(best > 0, best, 1), n_relevant)


def mrr_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    """Return 1 over the rank of the first hit, 0 where there is none among the first k."""
    hits, n_relevant = _hits(scores, relevant, k)
    first = hits.argmax(1)
    return _per_user(np.where(hits.any(1), 1 / (first + 1), 0.0), n_relevant)


def map_at_k(scores: Scores, relevant: object, k: int) -> np.ndarray:
    """Return the mean precision at the ranks of the hits, over ``min(k, number of relevant items)``."""
    hits, n_relevant = _hits(scores, relevant, k)
    precision = np.cumsum(hits, 1) / np.arange(1, k + 1)
    return _per_user((precision * hits).sum(1) / np.minimum(k, n_relevant).clip(1), n_relevant)


RANKING_METRICS: dict[str, Callable[[Scores, object, int], np.ndarray]] = {
    "ndcg": ndcg_at_k,
    "recall": recall_at_k,
    "plain_recall": plain_recall_at_k,
    "precision": precision_at_k,
    "hit_rate": hit_rate_at_k,
    "mrr": mrr_at_k,
    "map": map_at_k,
}
