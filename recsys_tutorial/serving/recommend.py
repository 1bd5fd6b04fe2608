"""Recommendations for a person the model has never seen, from the items they name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ..data.batches import Batch, Stored, in_order
from ..data.catalogue import Catalogue, RawId
from ..data.interactions import Interactions
from ..errors import InputError, how_many
from ..evaluation.geometry import cosines
from ..learning import checkpoints
from ..metrics.ranking import top_k
from ..model import PretrainedModel
from .ranking import Ranking

AT_ONCE = 512  # users


class Recommender:
    """Recommend from a model that scores items. No retraining: a new person is a new row of behaviour.

    The model is not to be changed after the first question. Lists are the same in any batch, on any number of threads.

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
            other = model.outputs is None and model.classifier is not None
            way_out = "; what this one says of users, predict gives" if other else ""
            raise InputError(f"this model cannot recommend: it needs a catalogue and a head that scores items{way_out}")
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
        liked, behaviour = self._named(items, weights)
        ranking = self._ranking if among is None else Ranking(self.model, _mask(among, self.outputs))
        k = how_many(k, ranking.left(liked))
        found, scores = ranking.best(behaviour, k)
        return listed(self.outputs, found[0], scores[0])

    def recommend_many(
        self, behaviour: Interactions, k: int = 10, *, include_known: bool = False, among: np.ndarray | None = None
    ) -> Iterator[pd.DataFrame]:
        """Yield the lists of all users, some users at a time: columns ``user, rank, item, title, score``, best first.

        A user's list is that of :meth:`recommend` for their items; it is shorter than ``k`` where fewer are left. One
        batch of users is in memory at a time.

        Args:
            behaviour: of these users, on the model's items, by raw user id.
            k: how many to return.
            include_known: also items that the user has.
            among: ``(n_items,)`` mask of the items to choose from.

        Raises:
            InputError: another catalogue than the model's; k larger than the number of items to choose from.
        """
        ranking = self._ranking if among is None else Ranking(self.model, _mask(among, self.outputs))
        k = how_many(k, len(ranking.columns))
        self.catalogue.require_same(behaviour.catalogue, f"{behaviour.name!r}")
        titles = np.array(self.outputs.labels(range(len(self.outputs))), object)
        everyone = Stored.of(behaviour)
        for rows in in_order(behaviour.n_users, AT_ONCE):
            best, scores = ranking.best(everyone.take(rows), k, include_known)
            user, rank = np.nonzero(best >= 0)
            items = best[user, rank]
            if not len(items):
                continue
            yield pd.DataFrame({
                "user": behaviour.user_ids[rows.numpy()[user]], "rank": rank + 1, "item": self.outputs.ids[items],
                "title": titles[items], "score": scores[user, rank],
            })  # fmt: skip

    def explain(
        self, items: Sequence[RawId], recommended: Sequence[RawId], weights: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """Return what each named item adds to the score of each recommended one: the score less that without it.

        Where g is a linear bag of items that is not normalised (``linear``, ``denoising``), what they add up to is the
        score less that of a person of whom nothing is known. Of another bag it is as exact, what f would say of the
        person without that item, but the others are then read otherwise, louder say: the parts need not add up. An
        encoder that reads the order reads a history in which the item never was: those before it move one place on.

        Args:
            items: what the person likes, as in :meth:`recommend`; one that is named twice is left out twice.
            recommended: items that are scored.
            weights: as in :meth:`recommend`.

        Returns:
            Columns ``item, title, because, because_title, adds``, for each recommended item the largest first.
        """
        places, behaviour = self._named(items, weights)
        scored, liked = self.outputs.indices_of(recommended), np.unique(places)
        keep = [np.arange(len(places)), *(np.flatnonzero(places != item) for item in liked)]
        ends, kept = np.cumsum([0, *map(len, keep)]), np.concatenate(keep)
        people = Batch(behaviour.items[kept], torch.from_numpy(ends), behaviour.weights[kept])
        whole, *without = self._ranking.scores(people, scored)
        adds = whole - np.stack(without)
        order = np.argsort(-adds, axis=0, kind="stable").T.ravel()
        column = np.repeat(np.arange(len(scored)), len(liked))
        return pd.DataFrame({
            "item": self.outputs.ids[scored[column]], "title": self.outputs.labels(scored[column]),
            "because": self.catalogue.ids[liked[order]], "because_title": self.catalogue.labels(liked[order]),
            "adds": adds[order, column],
        })  # fmt: skip

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking(self.model)

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


def _mask(among: np.ndarray, catalogue: Catalogue) -> np.ndarray:
    found = np.array(among, bool)
    if found.shape != (len(catalogue),):
        raise InputError(f"among has shape {found.shape}: it needs one value for each of {len(catalogue)} items")
    return found


def reasons(why: pd.DataFrame) -> list[pd.DataFrame]:
    """Return what :meth:`Recommender.explain` says, item by item in their order: ``because, because_title, adds``."""
    return [some[["because", "because_title", "adds"]] for _, some in why.groupby("item", sort=False)]


def best_of(scores: np.ndarray, catalogue: Catalogue, allowed: np.ndarray, k: int) -> pd.DataFrame:
    """Return the ``k`` best of the allowed items as a table; ``(items,)`` scores."""
    k = how_many(k, int(allowed.sum()))
    best = top_k(np.where(allowed, scores, -np.inf)[None], k)[0]
    return listed(catalogue, best, scores[best])


def listed(catalogue: Catalogue, items: np.ndarray, scores: np.ndarray) -> pd.DataFrame:
    """Return a list of items, best first, as a table ``rank, item, title, score``."""
    ids, titles = catalogue.ids[items], catalogue.labels(items)
    return pd.DataFrame({"rank": np.arange(1, len(items) + 1), "item": ids, "title": titles, "score": scores})
