"""Semantic IDs: a few codes for each item, coarse first, so that items alike share their first ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, check_sizes, whole

NONE = -1  # the codes of an item without a vector


@dataclass(frozen=True, eq=False)
class SemanticIDs:
    r"""Codes by residual k-means: ``v_i ≈ C_1[c_i1] + C_2[c_i2] + ...``.

    Level 1 are the centres of k-means over the vectors; each further level those over what is left of them. Two items
    with the same codes could not be told apart, so the items of one prefix that collide at the last level are given
    different last codes, at the least total distance; and where more items begin alike than there are last codes, the
    farthest ones begin with the next nearest code.

    Attributes:
        codes: ``(n_items, levels)`` int64, from 0 up; -1 throughout for an item without a vector.
        codebooks: ``(levels, size, dim)`` float64, the centres; rows that were not needed are 0.

    Source: Rajput et al. (2023), TIGER, for the codes; residual k-means in place of their RQ-VAE: residual
    quantisation, Juang and Gray (1982).
    """

    codes: np.ndarray
    codebooks: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, levels: int = 3, size: int = 128, seed: int = 0) -> SemanticIDs:
        """Return the codes of ``(n_items, dim)`` vectors; a vector of zeros is none.

        Args:
            vectors: of the items: counted, of words, of attributes.
            levels: codes an item.
            size: of each codebook; fewer are used where fewer vectors differ.
            seed: draws where k-means begins.

        Raises:
            InputError: a size below 1, vectors that are not numbers, no vector that is not zero.
        """
        vectors = np.asarray(vectors, np.float64)
        check_sizes(levels=levels, size=size)
        if vectors.ndim != 2 or not np.isfinite(vectors).all():
            raise InputError(f"vectors of shape {vectors.shape}: give finite numbers, (n_items, dim)")
        there = np.flatnonzero(vectors.any(axis=1))
        if not len(there):
            raise InputError("every vector is zero: there is nothing to make codes of")
        rest = vectors[there]
        codes, codebooks = np.zeros((len(there), levels), np.int64), np.zeros((levels, size, vectors.shape[1]))
        for level in range(levels):
            centres, codes[:, level] = _clusters(rest, size, seed + level)
            codebooks[level, : len(centres)] = centres
            if level == levels - 1:
                _part_collisions(codes, rest, codebooks[level])
            else:
                _leave_room(codes[:, : level + 1], rest, codebooks[level], size ** (levels - 1 - level))
            rest = rest - codebooks[level, codes[:, level]]
        found = np.full((len(vectors), levels), NONE, np.int64)
        found[there] = codes
        return cls(found, codebooks)

    @property
    def distinct(self) -> float:
        """Share of the items with codes that no other item has."""
        counts = Counter(map(tuple, self.codes[self._there].tolist()))
        return sum(n == 1 for n in counts.values()) / max(1, len(self._there))

    @property
    def use(self) -> list[float]:
        """Share of each level's codes that some item has."""
        return [len(np.unique(column)) / self.codebooks.shape[1] for column in self.codes[self._there].T]

    @property
    def _there(self) -> np.ndarray:
        return np.flatnonzero(self.codes[:, 0] != NONE)

    def named(self, item: int) -> str:
        """Return an item's codes as text, ``12 · 4 · 9``."""
        codes = self.codes[self._known(item)]
        return "none" if codes[0] == NONE else " · ".join(map(str, codes.tolist()))

    def neighbours(self, item: int, k: int = 10) -> np.ndarray:
        """Return up to k other items that share the longest beginning of ``item``'s codes, the longest first.

        Among those that share equally much the nearest by what the codes stand for comes first.
        """
        own = self.codes[self._known(item)]
        same = np.cumprod(self.codes == own, axis=1).sum(axis=1)
        same[[item, *np.flatnonzero(self.codes[:, 0] == NONE)]] = 0
        found = np.flatnonzero(same)
        apart = ((self.vectors[found] - self.vectors[item]) ** 2).sum(axis=1)
        return found[np.lexsort((apart, -same[found]))][: whole("k", k)]

    def tree(self, depth: int = 1) -> dict[tuple[int, ...], np.ndarray]:
        """Return the items under every beginning of ``depth`` codes, the largest branch first."""
        if not 1 <= depth <= self.codes.shape[1]:
            raise InputError(f"depth={depth}: the codes have {self.codes.shape[1]} levels")
        there = self._there
        starts, branch = np.unique(self.codes[there, :depth], axis=0, return_inverse=True)
        found = {tuple(start.tolist()): there[branch.ravel() == n] for n, start in enumerate(starts)}
        return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))

    @property
    def vectors(self) -> np.ndarray:
        """``(n_items, dim)``: the sums of the codes' centres, what the codes keep of the vectors; zeros for none."""
        levels = np.arange(self.codes.shape[1])
        return self.codebooks[levels, self.codes].sum(axis=1) * (self.codes[:, :1] != NONE)

    def _known(self, item: int) -> int:
        if not 0 <= item < len(self.codes):
            raise InputError(f"item number {item}: there are {len(self.codes)}, from 0 up")
        return item


def _clusters(rows: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return centres ``(at most size, dim)`` and the centre of each row; on one thread, to be the same everywhere."""
    from sklearn.cluster import KMeans  # here, because it is slow to import
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        k = min(size, len(np.unique(rows.round(9), axis=0)))
        found = KMeans(k, n_init=1, max_iter=50, random_state=seed).fit(rows)
    return found.cluster_centers_, found.labels_


def _groups(codes: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each beginning, all codes but the last."""
    if codes.shape[1] == 1:
        return [np.arange(len(codes))]
    prefix = np.unique(codes[:, :-1], axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(prefix, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(prefix[order])) + 1)


def _leave_room(codes: np.ndarray, rest: np.ndarray, centres: np.ndarray, least: int) -> None:
    """Let no code (the last column) stand for more items of a beginning than ``least``, or than it must; in place."""
    for group in _groups(codes):
        room = max(least, -(-len(group) // len(centres)))
        counts = np.bincount(codes[group, -1], minlength=len(centres))
        if counts.max() <= room:
            continue
        far = _squares(rest[group], centres)
        own = far[np.arange(len(group)), codes[group, -1]]
        for place in np.argsort(-own, kind="stable"):
            code = codes[group[place], -1]
            if counts[code] > room and (counts < room).any():
                new = np.where(counts < room, far[place], np.inf).argmin()
                counts[[code, new]] += -1, 1
                codes[group[place], -1] = new


def _squares(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return squared distances ``(rows, centres)``."""
    return ((rows[:, None, :] - centres[None]) ** 2).sum(axis=2)


def _part_collisions(codes: np.ndarray, rest: np.ndarray, centres: np.ndarray) -> None:
    """Give the items of a prefix that share their last code different ones, in place.

    Where a prefix has more items than there are codes, each code is taken equally often.
    """
    from scipy.optimize import linear_sum_assignment

    for group in _groups(codes):
        if len(np.unique(codes[group, -1])) < len(group):
            times = -(-len(group) // len(centres))
            far = np.tile(_squares(rest[group], centres), times)
            codes[group, -1] = linear_sum_assignment(far)[1] % len(centres)
