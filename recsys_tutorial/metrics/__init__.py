"""Metrics of ranked lists and of predicted labels, and intervals that say how far to trust them."""

from .ranking import (
    FROM_HITS,
    RANKING_METRICS,
    from_hits,
    hit_rate_at_k,
    hits_at_k,
    map_at_k,
    mrr_at_k,
    ndcg_at_k,
    plain_recall_at_k,
    precision_at_k,
    recall_at_k,
    top_k,
)

__all__ = [
    "FROM_HITS",
    "RANKING_METRICS",
    "from_hits",
    "hit_rate_at_k",
    "hits_at_k",
    "map_at_k",
    "mrr_at_k",
    "ndcg_at_k",
    "plain_recall_at_k",
    "precision_at_k",
    "recall_at_k",
    "top_k",
]
