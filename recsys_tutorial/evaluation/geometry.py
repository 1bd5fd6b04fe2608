"""The shape of a cloud of vectors: how many directions it fills, who is near whom, and a map of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from ..data.catalogue import genre_table
from ..errors import InputError, how_many, unknown
from ..metrics.ranking import top_k

MAPS = ("pca", "tsne")
_ROWS_AT_ONCE = 512


def intrinsic_dimension(vectors: np.ndarray) -> float:
    r"""Return how many directions ``(n, dim)`` vectors fill: ``(Σ λ)² / Σ λ²``, λ the eigenvalues of their covariance.

    ``dim`` for a round cloud, 1 for a line: where g has collapsed it is near 1, or 0 where all vectors are one.

    Source: the participation ratio, as in Gao et al. (2017), A theory of multineuronal dimensionality.
    """
    spread = np.linalg.svd(vectors - vectors.mean(0), compute_uv=False) ** 2
    return float(spread.sum() ** 2 / (spread**2).sum()) if spread.any() else 0.0


def cosines(vectors: np.ndarray, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return ``(len(rows), n)``: the cosine between each vector at ``rows`` and all ``(n, dim)`` vectors.

    A vector of zeros points nowhere: its cosines are 0.
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
    return unit[rows] @ unit.T


def nearest(
    vectors: np.ndarray,
    k: int = 10,
    rows: Sequence[int] | np.ndarray | None = None,
    among: np.ndarray | None = None,
) -> np.ndarray:
    """Return ``(len(rows), k)``: for each item of ``rows`` the ``k`` others with the highest cosine, nearest first.

    Args:
        vectors: ``(n_items, dim)``.
        k: how many.
        rows: item indices; None takes all of ``among``.
        among: ``(n_items,)`` mask of the items to choose from; None allows all.

    Raises:
        InputError: a mask of another length; k out of range.
    """
    among = _allowed(among, len(vectors))
    rows = np.flatnonzero(among) if rows is None else np.asarray(rows, np.int64)
    left = int(among.sum() - among[rows].any())
    k = how_many(k, left)
    found = [np.empty((0, k), np.int64)]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        scores = np.where(among, cosines(vectors, some), -np.inf)
        scores[np.arange(len(some)), some] = -np.inf
        found.append(top_k(scores, k))
    return np.concatenate(found)


def genre_overlap(
    vectors: np.ndarray,
    genres: Sequence[Sequence[str]] | None,
    k: int = 10,
    rows: Sequence[int] | np.ndarray | None = None,
    among: np.ndarray | None = None,
) -> pd.DataFrame:
    r"""Return, for each item, how much its genres are those of its ``k`` nearest, and of any item.

    The overlap of two items is Jaccard's: ``|A ∩ B| / |A ∪ B|``, A and B their genres. ``nearest`` is its mean over
    the k nearest (:func:`nearest`), ``random`` over all others: what k items drawn at random get on average.

    Args:
        vectors: ``(n_items, dim)``.
        genres: of each item; those that have none are neither asked nor chosen.
        k: how many neighbours.
        rows: item indices; None takes all of ``among``.
        among: ``(n_items,)`` mask of the items that may be neighbours; None allows all.

    Returns:
        Columns ``nearest`` and ``random``, one row per item, indexed by item index.

    Raises:
        InputError: no genres; a mask of another length; k out of range.

    Source: Jaccard (1901).
    """
    if genres is None or not any(genres):
        raise InputError("genre_overlap needs the genres of the items: load data that has them")
    table = genre_table(genres)
    known = np.asarray(table.any(1))
    among = _allowed(among, len(vectors)) & known
    rows = np.flatnonzero(among) if rows is None else np.asarray(rows, np.int64)[known[rows]]
    neighbours = nearest(vectors, k, rows, among)
    near, anyone = np.empty(len(rows)), np.empty(len(rows))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        shared = _jaccard(table[rows[part]], table)
        near[part] = np.take_along_axis(shared, neighbours[part], 1).mean(1)
        itself = among[rows[part]]  # overlaps with itself wholly, and is not one of the others
        anyone[part] = (shared[:, among].sum(1) - itself) / (among.sum() - itself)
    return pd.DataFrame({"nearest": near, "random": anyone}, pd.Index(rows, name="item"))


def flat_map(vectors: np.ndarray, by: str = "pca", seed: int = 0) -> np.ndarray:
    """Return ``(n, 2)``: a map of ``(n, dim)`` vectors by where they point, their lengths left aside.

    Args:
        vectors: at least three.
        by: ``pca``, the plane that keeps most of the spread; ``tsne``, a map that keeps neighbours together and lets
            go of the distances between far ones. The sign of each axis is chosen so that a re-run draws the same map.
        seed: of t-SNE, which begins at the map of ``pca``.

    Raises:
        InputError: another ``by``.

    Source: van der Maaten and Hinton (2008), Visualizing Data using t-SNE.
    """
    if by not in MAPS:
        raise unknown("map", by, MAPS)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)
    _, _, directions = np.linalg.svd(unit - unit.mean(0), full_matrices=False)
    signs = np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(1)])
    points = (unit - unit.mean(0)) @ (directions[:2] * signs[:, None]).T
    if by == "pca":
        return points
    from sklearn.manifold import TSNE  # here, because it takes as long to import as all of ours

    first = (1e-4 / points[:, 0].std() * points).astype(np.float32)
    around = min(15.0, (len(unit) - 1) / 3)
    return TSNE(2, perplexity=around, metric="cosine", init=first, random_state=seed, n_jobs=1).fit_transform(unit)


def _allowed(among: np.ndarray | None, n: int) -> np.ndarray:
    among = np.ones(n, bool) if among is None else np.asarray(among, bool)
    if among.shape != (n,):
        raise InputError(f"among has shape {among.shape}: it needs one value for each of {n} items")
    return among


def _jaccard(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``(len(a), len(b))`` overlaps of rows of zeros and ones; 0 where both are empty."""
    both = (csr_array(a) @ csr_array(b).T).toarray()
    return both / np.maximum(a.sum(1)[:, None] + b.sum(1) - both, 1)
