"""Nearest items without looking at all of them: an inverted file over item vectors (faiss).

k-means puts the items in lists; a search looks into the few lists whose centres are nearest to the query. Chosen by
measurement against usearch's graph (``tools/index_benchmark.py``, ``docs/index.json``). The graph finds more (.99
against .97 of 20,000 items in the same time), the lists are built nine times as fast, and on a million items, where an
index pays, they find .97 in 0.3 % of the exact search's time, so that there is nothing left to save.
"""

from __future__ import annotations

import numpy as np
import torch

from ..errors import InputError, check_sizes
from ..model import PretrainedModel
from ..system.extras import require

_POINTS_PER_LIST = 39  # k-means sees this many items a list at most: faiss's own lower bound, more changes little


class ItemIndex:
    """Items by the inner product of their vector with a query, found approximately.

    Args:
        vectors: ``(n_items, dim)``; of length 1, the inner product is the cosine.
        lists: how many k-means makes; about ``4 √n_items`` when None.
        probes: lists a search looks into: more find more and take longer.
        seed: of k-means.

    Raises:
        InputError: the extra ``index`` is not installed; no vectors, a size below 1.

    Source: Johnson, Douze and Jégou (2017), Billion-scale similarity search with GPUs.
    """

    def __init__(self, vectors: np.ndarray, lists: int | None = None, probes: int = 16, seed: int = 0) -> None:
        require("index", "an approximate index")
        import faiss

        if vectors.ndim != 2 or not len(vectors):
            raise InputError(f"vectors have shape {vectors.shape}: an index needs (n_items, dim)")
        if lists is None:
            lists = max(1, min(round(4 * len(vectors) ** 0.5), len(vectors) // _POINTS_PER_LIST))
        check_sizes(lists=lists, probes=probes)
        vectors = np.ascontiguousarray(vectors, np.float32)
        self._centres = faiss.IndexFlatIP(vectors.shape[1])
        self._faiss = faiss.IndexIVFFlat(self._centres, vectors.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
        self._faiss.cp.seed, self._faiss.cp.niter = seed, 10
        self._faiss.cp.min_points_per_centroid = 1
        self._faiss.cp.max_points_per_centroid = _POINTS_PER_LIST
        self._faiss.train(vectors)
        self._faiss.add(vectors)
        self.probes = probes

    @classmethod
    def of_head(cls, model: PretrainedModel, **options: int) -> ItemIndex:
        """Return an index whose inner product with :func:`as_queries` of g's vectors is f's score, bias and all.

        Raises:
            InputError: the model has no head that scores items.
        """
        if model.outputs is None or model.classifier is None:
            raise InputError("this model has no head that scores items: pretrain with an objective that has one")
        head = model.classifier
        rows = torch.cat([head.weight, head.bias[:, None]], 1)
        return cls(rows.detach().cpu().numpy(), **options)

    def __len__(self) -> int:
        return self._faiss.ntotal

    def add(self, vectors: np.ndarray) -> np.ndarray:
        """Put new items ``(n, dim)`` behind the others, in the lists that are there; return their numbers ``(n,)``."""
        first = len(self)
        self._faiss.add(np.ascontiguousarray(vectors, np.float32))
        return np.arange(first, len(self))

    def search(self, queries: np.ndarray, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Return ``(scores, items)``, both ``(queries, k)``, best first; item -1 where the probed lists hold fewer.

        Args:
            queries: ``(queries, dim)``.
            k: how many; to leave out items that a person has, ask for as many more.
        """
        self._faiss.nprobe = self.probes
        return self._faiss.search(np.ascontiguousarray(queries, np.float32), k)


def as_queries(z: np.ndarray) -> np.ndarray:
    """Return g's vectors ``(users, dim)`` with a 1 behind each, for the bias: ``(users, dim + 1)``."""
    return np.hstack([z, np.ones((len(z), 1), np.float32)])
