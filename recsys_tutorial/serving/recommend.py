"""Recommendations for a person the model has never seen, from the items they name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ..data.batches import Batch
from ..data.catalogue import Catalogue, RawId
from ..errors import InputError, how_many
from ..evaluation.geometry import cosines
from ..learning import checkpoints
from ..metrics.ranking import top_k
from ..model import PretrainedModel


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

    def recommend(self, items: Sequence[RawId], k: int = 10, weights: Sequence[float] | None = None) -> pd.DataFrame:
        """Return the ``k`` best items that were not named: columns ``rank, item, title, score``, best first.

        Args:
            items: what the person likes, oldest first: raw ids or titles (any case; the year may be left out).
            k: how many to return.
            weights: one number per item, 1 each when None (they count where g's weighting is not ``binary``).

        Raises:
            InputError: no items, an item that is not known (near titles are suggested), k larger than what is left.
        """
        if len(items) == 0:
            raise InputError("no items: name at least one that the person likes")
        liked = self.catalogue.indices_of(items)
        if weights is not None and len(weights) != len(liked):
            raise InputError(f"{len(weights)} weights for {len(liked)} items: give one per item")
        behaviour = Batch(
            torch.from_numpy(liked),
            torch.tensor([0, len(liked)]),
            torch.ones(len(liked)) if weights is None else torch.tensor(weights, dtype=torch.float32),
        )
        scores = self.model.score(behaviour)[0]
        return best_of(scores, self.outputs, ~np.isin(self.outputs.ids, self.catalogue.ids[liked]), k)

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
        allowed = np.ones(len(self.catalogue), bool) if among is None else np.array(among, bool)
        if allowed.shape != (len(self.catalogue),):
            raise InputError(
                f"among has shape {allowed.shape}: it needs one value for each of {len(self.catalogue)} items"
            )
        allowed[index] = False
        return best_of(cosines(vectors, [index])[0], self.catalogue, allowed, k)

    def save(self, folder: str | Path) -> None:
        """Write the model with its items to ``folder`` (see :mod:`recsys_tutorial.learning.checkpoints`)."""
        checkpoints.save_model(folder, self.model)

    @classmethod
    def load(cls, folder: str | Path) -> Recommender:
        """Return the recommender in ``folder``, as :meth:`save` or the command ``pretrain`` wrote it."""
        return cls(checkpoints.load_model(folder))


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
