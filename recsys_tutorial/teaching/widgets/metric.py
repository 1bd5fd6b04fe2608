"""The metric playground: move the hits of a list, and see what each metric says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...errors import InputError
from ...metrics.ranking import FROM_HITS, from_hits
from .base import Panel, slider

LONGEST = 20


def metric_playground_values(ranks: Sequence[int], n: int = 10, relevant: int | None = None) -> dict[str, float]:
    """Return every ranking metric of one list, from where its hits stand.

    Args:
        ranks: where the relevant items that were ranked stand, from 1; those beyond ``n`` fell off the list.
        n: places in the list, the k of the metrics.
        relevant: relevant items in all, ranked or not; None: as many as ``ranks``.

    Raises:
        InputError: a rank or ``n`` below 1, two hits in one place, fewer relevant items than hits, none at all.
    """
    ranks = list(ranks)
    relevant = len(ranks) if relevant is None else relevant
    for name, value in [("n", n), *(("rank", rank) for rank in ranks)]:
        if value < 1:
            raise InputError(f"{name}={value}: places are counted from 1")
    twice = [rank for rank in ranks if ranks.count(rank) > 1]
    if twice:
        raise InputError(f"two hits at rank {twice[0]}: a place holds one item, move one of them")
    if relevant < max(1, len(ranks)):
        raise InputError(f"relevant={relevant}: it needs to be at least {max(1, len(ranks))}, the hits among them")
    hits = np.isin(np.arange(1, n + 1), ranks).astype(float)[None]
    return {name: float(from_hits(name, hits, np.array([float(relevant)]))[0]) for name in FROM_HITS}


class MetricPanel(Panel):
    """One slider for each hit's rank, one for the length of the list, one for what could be found; the metrics below.

    Args:
        ranks: where the hits stand to begin with.
        n: places in the list to begin with, at most ``LONGEST``.
        relevant: relevant items in all to begin with; None: as many as ``ranks``.

    Raises:
        InputError: one of them is not between 1 and ``LONGEST``.
    """

    def __init__(self, ranks: Sequence[int] = (1, 4), n: int = 10, relevant: int | None = None) -> None:
        start = {f"rank of hit {number}": rank for number, rank in enumerate(ranks, start=1)}
        start |= {"places in the list": n, "relevant items in all": len(ranks) if relevant is None else relevant}
        super().__init__(
            {name: slider(name, value, range(1, LONGEST + 1)) for name, value in start.items()},
            lambda **values: _table(*values.values()),
            "Sliders for where the hits stand in a list, and what each metric says",
        )


def _table(*values: int) -> pd.DataFrame:
    *ranks, n, relevant = values
    found = metric_playground_values(ranks, n, relevant)
    return pd.DataFrame([(f"{name}@{n}", f"{value:.3f}") for name, value in found.items()], columns=["metric", "value"])
