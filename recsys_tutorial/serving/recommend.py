"""Recommendations for a person the model has never seen, from the items they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ..data.batches import Batch
from ..data.catalogue import Catalogue, RawId
from ..data.interactions import Interactions
from ..data.joining import place_of
from ..errors import InputError, how_many
from ..evaluation.geometry import cosines
from ..learning import checkpoints
from ..metrics.ranking import top_k
from ..model import PretrainedModel

AT_ONCE = 512  # users


class Recommender:
    """Recommend from a model that scores items. No retraining: a new person is a new row of behaviour.

    Args:
        model: ``f = h ∘ g`` with a head that scores items: from ``pretrain``, or from ``finetune`` on a ranking task.

    Attributes:
        catalogue: the items a person can name.
        outputs: the items that are scored.

    Raises:
        InputError: the model knows no catalogue, or has no head that scores items.
    """

    def __init__(self, model: PretrainedModel) -> None:
        if model.catalogue is None or model.outputs is None or model.classifier is None:
            raise InputError("this model cannot recommend: it needs a catalogue and a head that scores items")
        self.model, self.catalogue, self.outputs = model, model.catalogue, model.outputs

    def recommend(
        self, items: Sequence[RawId], k: int = 10, weights: Sequence[float] | None = None,
        among: np.ndarray | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Return the ``k`` best items that were not named: columns ``rank, item, title, score``, best first.

        Args:
            items: what the person likes, oldest first: raw ids or titles (any case; the year may be left out).
            k: how many to return.
            weights: one number per item, 1 each when None (they count where g's weighting is not ``binary``).
            among: ``(n_items,)`` mask of the items to choose from.

        Raises:
            InputError: no items, an item that is not known (near titles are suggested), k larger than what is left.
        """
        if len(items) == 0:
            raise InputError("no items: name at least one that the person likes")
        liked, behaviour = self._named(items, weights)
        allowed = ~np.isin(self.outputs.ids, self.catalogue.ids[liked])
        if among is not None:
            allowed &= _mask(among, self.outputs)
        return best_of(self.model.score(behaviour)[0], self.outputs, allowed, k)

    def recommend_many(
        self, behaviour: Interactions, k: int = 10, *, include_known: bool = False, among: np.ndarray | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield the lists of all users, some users at a time: columns ``user, rank, item, title, score``, best first.

        A user's list is that of :meth:`recommend` for their items; it is shorter than ``k`` where fewer are left.

        Args:
            behaviour: of these users, on the model's items, by raw user id.
            k: how many to return.
            include_known: also items that the user has.
            among: ``(n_items,)`` mask of the items to choose from.

        Raises:
            InputError: another catalogue than the model's; k larger than the number of items to choose from.
        """
        allowed = np.ones(len(self.outputs), bool) if among is None else _mask(among, self.outputs)
        k = how_many(k, int(allowed.sum()))
        self.catalogue.require_same(behaviour.catalogue, f"{behaviour.name!r}")
        titles = np.array(self.outputs.labels(range(len(self.outputs))), object)
        for begin in range(0, behaviour.n_users, AT_ONCE):
            some = behaviour.take_users(np.arange(begin, min(begin + AT_ONCE, behaviour.n_users)))
            scores = self.model.score(some)
            best = ranked(scores, some, self.outputs, k, include_known, allowed)
            row, rank = np.nonzero(best >= 0)
            items = best[row, rank]
            yield pd.DataFrame({
                "user": some.user_ids[row], "rank": rank + 1, "item": self.outputs.ids[items],
                "title": titles[items], "score": scores[row, items],
            })  # fmt: skip

    def explain(
        self, items: Sequence[RawId], recommended: Sequence[RawId], weights: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """Return what each named item adds to the score of each recommended one: the score less that without it.

        Of an encoder that ignores order it is exact: what f would say of the person without that item. An encoder that
        reads the order then reads a history in which the item never was. What items add need not add up to the score.

        Args:
            items: what the person likes, as in :meth:`recommend`; at least two.
            recommended: items that are scored.
            weights: as in :meth:`recommend`.

        Returns:
            Columns ``item, title, because, because_title, adds``, for each recommended item the largest first.
        """
        if len(items) < 2:
            raise InputError(f"{len(items)} items: to leave one out there have to be at least 2")
        liked, behaviour = self._named(items, weights)
        scored = self.outputs.indices_of(recommended)
        rows = [[*range(n), *range(n + 1, len(liked))] for n in range(len(liked))]
        less = [Batch(behaviour.items[row], torch.tensor([0, len(row)]), behaviour.weights[row]) for row in rows]
        whole = self.model.score(behaviour)[0, scored]
        adds = whole - np.stack([self.model.score(one)[0, scored] for one in less])
        order = np.argsort(-adds, axis=0, kind="stable").T.ravel()
        column = np.repeat(np.arange(len(scored)), len(liked))
        return pd.DataFrame({
            "item": self.outputs.ids[scored[column]], "title": self.outputs.labels(scored[column]),
            "because": self.catalogue.ids[liked[order]], "because_title": self.catalogue.labels(liked[order]),
            "adds": adds[order, column],
        })  # fmt: skip

    def _named(self, items: Sequence[RawId], weights: Sequence[float] | None) -> tuple[np.ndarray, Batch]:
        """Return the places of the items that a person named, and their behaviour."""
        if len(items) == 0:
            raise InputError("no items: name at least one that the person likes")
        liked = self.catalogue.indices_of(items)
        if weights is not None and len(weights) != len(liked):
            raise InputError(f"{len(weights)} weights for {len(liked)} items: give one per item")
        told = torch.ones(len(liked)) if weights is None else torch.tensor(weights, dtype=torch.float32)
        return liked, Batch(torch.from_numpy(liked), torch.tensor([0, len(liked)]), told)

    def similar(self, item: RawId, k: int = 10, among: np.ndarray | None = None) -> pd.DataFrame:
        """Return the ``k`` items whose vectors in g's first layer point most nearly where ``item``'s does (cosine).

        Args:
            item: raw id or title.
            k: how many to return.
            among: ``(n_items,)`` mask of the items to choose from, say those with enough events to be trusted.

        Returns:
            Columns ``rank, item, title, score``; the item itself is left out.
        """
        index = self.catalogue.index_of(item)
        vectors = self.model.feature_extractor.item_vectors.detach().cpu().numpy()
        allowed = np.ones(len(self.catalogue), bool) if among is None else _mask(among, self.catalogue)
        allowed[index] = False
        return best_of(cosines(vectors, [index])[0], self.catalogue, allowed, k)

    def save(self, folder: str | Path) -> None:
        """Write the model with its items to ``folder`` (see :mod:`recsys_tutorial.learning.checkpoints`)."""
        checkpoints.save_model(folder, self.model)

    @classmethod
    def load(cls, folder: str | Path) -> Recommender:
        """Return the recommender in ``folder``, as :meth:`save` or the command ``pretrain`` wrote it."""
        return cls(checkpoints.load_model(folder))


def ranked(
    scores: np.ndarray, some: Interactions, outputs: Catalogue, k: int, include_known: bool, allowed: np.ndarray
) -> np.ndarray:
    """Return ``(users, k)`` places of the best items of each user, -1 where none is left; ``scores`` is written to."""
    scores[:, ~allowed] = -np.inf
    if not include_known:
        places = place_of(some.item_ids, outputs.ids)[some.items]
        rows = np.repeat(np.arange(some.n_users), some.events_per_user)
        scores[rows[places >= 0], places[places >= 0]] = -np.inf
    return top_k(scores, k)


def _mask(among: np.ndarray, catalogue: Catalogue) -> np.ndarray:
    found = np.array(among, bool)
    if found.shape != (len(catalogue),):
        raise InputError(f"among has shape {found.shape}: it needs one value for each of {len(catalogue)} items")
    return found


def best_of(scores: np.ndarray, catalogue: Catalogue, allowed: np.ndarray, k: int) -> pd.DataFrame:
    """Return the ``k`` best of the allowed items as a table; ``(items,)`` scores."""
    k = how_many(k, int(allowed.sum()))
    best = top_k(np.where(allowed, scores, -np.inf)[None], k)[0]
    return pd.DataFrame(
        {
            "rank": np.arange(1, k + 1),
            "item": catalogue.ids[best],
            "title": catalogue.labels(best),
            "score": scores[best],
        }
    )
