"""Supervised rivals that need no pretraining: linear models on the raw vector of items."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_array

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..encoders.bag import rarity
from ..engine.ridge import ridge_head
from ..engine.sparse import unit_rows
from ..errors import InputError
from ..model import PretrainedModel
from ..tasks import ClassificationTask, Task

MOST_DIRECTIONS = 2000  # the table of item_coordinates holds n_items times as many numbers


def item_coordinates(behaviour: Interactions, weighting: str = "binary") -> tuple[BagEncoder, np.ndarray]:
    r"""Return a linear encoder that gives x itself in few numbers, and its vectors ``(users, r)`` of these users.

    With ``X Xᵀ = U S² Uᵀ`` the rows of ``Z = U S`` are the users in coordinates that keep all distances, so a ridge
    head on Z is the ridge on X, at the price of the labelled users and not of the items; a new user's coordinates are
    ``x Xᵀ U / S``. Rows of X are divided by their length, as in :class:`recsys_tutorial.BagEncoder`. Beyond
    ``MOST_DIRECTIONS`` users only the leading directions are kept. With ``weighting="idf"`` an item counts the more,
    the fewer of these users have it (:func:`recsys_tutorial.encoders.bag.rarity`).
    """
    loud = rarity(behaviour) if weighting == "idf" else None
    x = unit_rows(as_batch(behaviour), behaviour.n_items, loud)
    squares, u = np.linalg.eigh((x @ x.T).toarray().astype(np.float64))
    kept = squares > 1e-9 * squares.max(initial=1e-9)
    kept[: max(0, len(squares) - MOST_DIRECTIONS)] = False  # they ascend
    u, lengths = u[:, kept], np.sqrt(squares[kept])
    encoder = BagEncoder(behaviour.n_items, max(1, len(lengths)), activation="identity")
    with torch.no_grad():
        encoder.item_vectors.zero_()
        encoder.item_vectors[:, : len(lengths)] = torch.from_numpy(x.T @ (u / lengths))
    if loud is not None:
        encoder.weigh_items(loud)
    return encoder, u * lengths


class RawRidge:
    """Ridge regression from a user's items straight to the task's outputs (:func:`item_coordinates`).

    Args:
        weighting: ``binary``, or ``idf``: rare items are louder.
    """

    def __init__(self, weighting: str = "binary") -> None:
        self.weighting = weighting

    def fit(self, task: Task) -> Self:
        """Solve for the task's labelled users; the strength is chosen as a probe's is."""
        encoder, z = item_coordinates(task.behaviour, self.weighting)
        head = ridge_head(z, task.target_matrix(), task.chooses_by, task.strengths(z))
        self.model = PretrainedModel.compose(encoder, head, catalogue=task.behaviour.catalogue, outputs=task.outputs)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``."""
        return self.model.score(behaviour)


class RawLogistic:
    """Logistic regression from a user's items to a class, its strength chosen by cross-validation.

    Args:
        folds: of the cross-validation.
        seed: draws the folds' order.
        model: reads g's vectors of it in place of the items themselves.
    """

    def __init__(self, folds: int = 5, seed: int = 0, model: PretrainedModel | None = None) -> None:
        self.folds, self.seed, self.encoder = folds, seed, model

    def _inputs(self, behaviour: Batch | Interactions) -> np.ndarray | csr_array:
        if self.encoder is not None:
            return self.encoder.encode(behaviour)
        return unit_rows(as_batch(behaviour), self.n_items)

    def fit(self, task: ClassificationTask) -> Self:
        """Fit on the task's labelled users; InputError where it is no classification or a class is too rare."""
        from sklearn.linear_model import LogisticRegression  # here, because they are slow to import
        from sklearn.model_selection import GridSearchCV, StratifiedKFold

        if not isinstance(task, ClassificationTask):
            raise InputError(f"logistic regression needs a classification task, this is {task.name}")
        counts = np.bincount(task.labels, minlength=task.n_outputs)
        if counts.min() < self.folds:
            raise InputError(f"class {counts.argmin()} has {counts.min()} users, {self.folds} folds need as many each")
        self.n_items = task.behaviour.n_items
        x = self._inputs(task.behaviour)
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        strengths = {"C": np.logspace(-2, 4, 13)}
        self.model = GridSearchCV(LogisticRegression(max_iter=2000), strengths, cv=folds, scoring="neg_log_loss")
        self.model.fit(x, task.labels)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, classes)`` log-probabilities."""
        return self.model.best_estimator_.predict_log_proba(self._inputs(behaviour))
