"""The lists of a model under a protocol, and how far equal scores leave open what they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from tqdm.auto import tqdm

from ..baselines import Model
from ..data.batches import Batch, in_order
from ..data.splits import Split
from ..errors import InputError
from ..metrics.ranking import from_hits, hits_at_k, top_k

LIST_METRICS = ("coverage", "novelty", "gini")
MANY_TIED = 0.01  # share of the targets, above which their ties are worth a word
_NONE_TIED = np.zeros(0, np.int64), np.zeros((0, 2), np.int64), np.zeros(0, np.int64)


class TiedScores(UserWarning):
    """Many targets have the score of other items, so that the items' order decides; the message says how much."""


@dataclass(frozen=True)
class Lists:
    """The best items of every test user, what they hit, and what they would have hit with equal scores otherwise.

    A target is tied where an item that is no target has its score, and where it might be listed: its tie begins within
    the list. Other ties change no number.

    Args:
        items: ``(users, k)`` best first, ties by lower index; -1 where the ranking is shorter.
        hits: ``(users, k)`` 0/1.
        n_relevant: ``(users,)`` targets.
        rows: ``(n,)`` the user of each target of users of whom one is tied, as far as these targets might be listed.
        places: ``(n, 2)`` its rank, from 1, where it stands first among its equals, and where it stands last.
        tied: ``(n,)`` the rank, from 1, at which the tie begins that it stands in; 0 where it stands in none.
    """

    items: np.ndarray
    hits: np.ndarray
    n_relevant: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    tied: np.ndarray

    def values(self, metric: str, k: int) -> np.ndarray:
        """Return the metric at k of every user, ``(users,)``, NaN for those without a target."""
        return from_hits(metric, self.hits[:, :k], self.n_relevant)

    def share_tied(self, k: int) -> float:
        """Return the share of the targets that stand in a tie which begins within the first k."""
        return float(((self.tied > 0) & (self.tied <= k)).sum() / max(1.0, self.n_relevant.sum()))

    def range_of(self, metric: str, k: int) -> tuple[float, float]:
        """Return the mean of the metric with every target last among its equals, and with every target first."""
        users, own = np.unique(self.rows, return_inverse=True)
        ends = []
        for places in (self.places[:, 1], self.places[:, 0]):
            hits, listed = np.zeros((len(users), k)), places <= k
            hits[own[listed], places[listed] - 1] = 1
            values = self.values(metric, k)
            values[users] = from_hits(metric, hits, self.n_relevant[users])
            ends.append(float(np.nanmean(values)))
        return ends[0], ends[1]


def lists_of(
    model: Model, name: str, split: Split, k: int, sampled: int | None, ties: bool, batch_size: int, seed: int,
    bar: tqdm,
) -> Lists:  # fmt: skip
    """Return the lists of length ``k``; the arguments are those of :func:`.evaluation.evaluate`.

    Ties are looked for where they are asked for; else no target is said to be tied.
    """
    inputs, n_items, wanted = Batch.of(split.inputs), split.inputs.n_items, split.targets.matrix
    rng = np.random.default_rng(seed)
    found = []
    for rows in in_order(split.inputs.n_users, batch_size):
        batch = inputs.take(rows)
        scores = np.array(model.score(batch))
        if scores.shape != (len(rows), n_items):
            raise InputError(f"{name} scores {scores.shape} for {len(rows)} users and {n_items} items: other items?")
        if not np.isfinite(scores).all():
            raise InputError(f"{name} gives scores that are NaN or infinite: mend the model")
        batch.without_seen(scores)
        targets = wanted[rows.numpy()]
        if sampled:
            scores = _among_sampled(scores, targets, sampled, rng)
        items = top_k(scores, k)
        hits, n_relevant = hits_at_k(items, targets)
        users, places, tied = _in_ties(scores, items, hits > 0, targets) if ties else _NONE_TIED
        found.append((items, hits, n_relevant, users + int(rows[0]), places, tied))
        bar.update(len(rows))
    return Lists(*map(np.concatenate, zip(*found, strict=True)))


def _in_ties(
    scores: np.ndarray, items: np.ndarray, hits: np.ndarray, targets: csr_array
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``rows``, ``places`` and ``tied`` of :class:`Lists` for the users of a batch.

    A target below the last score of the list is not in it, however ties are counted. What ties with one above that is
    in the list; only of those at the very last score are there more behind it, and only their users' rows are searched.
    """
    users, k = items.shape
    listed = np.where(items < 0, -np.inf, np.take_along_axis(scores, items.clip(0), axis=1))
    new = np.pad(listed[:, 1:] != listed[:, :-1], ((0, 0), (1, 1)), constant_values=True)  # whether equals begin there
    begins = np.maximum.accumulate(np.where(new[:, :-1], np.arange(k), 0), axis=1)
    ends = np.minimum.accumulate(np.where(new[:, 1:], np.arange(1, k + 1), k)[:, ::-1], axis=1)[:, ::-1]
    so_far = np.pad(hits.cumsum(1), ((0, 0), (1, 0)))  # targets before each place

    wanted = targets.data > 0
    row = np.repeat(np.arange(users), np.diff(targets.indptr))[wanted]
    at_last = np.bincount(row[scores[row, targets.indices[wanted]] == listed[row, -1]], minlength=users)
    behind = at_last - (so_far[:, -1] - np.take_along_axis(so_far, begins[:, -1:], axis=1)[:, 0])
    row, place = np.nonzero(hits)
    row, place = np.append(row, np.repeat(np.arange(users), behind)), np.append(place, np.full(behind.sum(), k - 1))
    order = row.argsort(kind="stable")  # each user's targets, best first
    row, place = row[order], place[order]

    begin, end = begins[row, place], ends[row, place]
    above, equal = begin - so_far[row, begin], end - begin - (so_far[row, end] - so_far[row, begin])  # no targets
    last = begin == begins[row, -1]
    open_ended = np.unique(row[last])
    equals = np.zeros(users, np.int64)
    equals[open_ended] = (scores[open_ended] == listed[open_ended, -1:]).sum(1)
    equal = np.where(last, (equals - at_last)[row], equal)
    nth = np.arange(1, len(row) + 1) - np.searchsorted(row, row)  # among the user's targets
    kept = np.isin(row, row[equal > 0])
    places = np.stack([above + nth, above + equal + nth], axis=1)
    return row[kept], places[kept], np.where(equal > 0, begin + 1, 0)[kept]


def _among_sampled(scores: np.ndarray, targets: csr_array, n: int, rng: np.random.Generator) -> np.ndarray:
    """Leave in the ranking each user's targets and ``n`` random items that are neither targets nor shown."""
    wanted = targets.toarray() > 0
    draw = rng.random(scores.shape)
    draw[wanted | (scores == -np.inf)] = np.inf
    chosen = np.argpartition(draw, n, axis=1)[:, :n]
    keep = wanted.copy()
    np.put_along_axis(keep, chosen, True, axis=1)
    return np.where(keep, scores, -np.inf)


def of_lists(metric: str, lists: np.ndarray, split: Split) -> float:
    """Return a property of all lists together.

    ``coverage``: share of the catalogue that is in some list. ``novelty``: mean of ``-log2`` of the share of training
    users who have the item (Vargas and Castells 2011). ``gini``: 0 when every item is shown equally often, near 1 when
    a few are shown to all.
    """
    shown = lists[lists >= 0]
    counts = np.bincount(shown, minlength=split.train.n_items)
    match metric:
        case "coverage":
            return float((counts > 0).mean())
        case "novelty":
            share = (np.diff(split.train.matrix.tocsc().indptr) + 1) / (split.train.n_users + 1)
            return float(-np.log2(share[shown]).mean())
    ranks = np.arange(1, len(counts) + 1)
    return float((2 * ranks - len(counts) - 1) @ np.sort(counts) / (len(counts) * max(1, counts.sum())))
