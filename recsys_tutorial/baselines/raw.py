"""Supervised rivals that need no pretraining: linear models on the raw vector of items."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_array

from ..batches import Batch, as_batch
from ..errors import InputError
from ..interactions import Interactions
from ..ridge import ridge_head
from ..tasks import ClassificationTask, Task
from .sparse import binary_rows


class RawRidge:
    r"""Ridge regression from a user's items straight to the task's outputs, its strength chosen by leave-one-out.

    Solved in the dual: with ``X Xᵀ = U S² Uᵀ`` the rows of ``Z = U S`` are the users in coordinates that keep all
    distances, so a ridge head on Z is the ridge on X, at the price of the labelled users and not of the items. Rows of
    X are divided by their length, as in :class:`recsys_tutorial.BagEncoder`.
    """

    def fit(self, task: Task) -> Self:
        """Solve for the task's labelled users."""
        self.x = _unit_rows(as_batch(task.behaviour), task.behaviour.n_items)
        squares, u = np.linalg.eigh((self.x @ self.x.T).toarray().astype(np.float64))
        kept = squares > 1e-9 * squares.max(initial=1e-9)
        self.to_z = u[:, kept] / np.sqrt(squares[kept])
        self.head = ridge_head(u[:, kept] * np.sqrt(squares[kept]), task.target_matrix(), task.quality)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``."""
        z = (_unit_rows(as_batch(behaviour), self.x.shape[1]) @ self.x.T).toarray() @ self.to_z
        with torch.no_grad():
            return self.head(torch.from_numpy(z).float()).numpy()


class RawLogistic:
    """Logistic regression from a user's items to a class, its strength chosen by cross-validation.

    Args:
        folds: of the cross-validation.
        seed: draws the folds' order.
    """

    def __init__(self, folds: int = 5, seed: int = 0) -> None:
        self.folds, self.seed = folds, seed

    def fit(self, task: ClassificationTask) -> Self:
        """Fit on the task's labelled users; InputError where it is no classification or a class is too rare."""
        from sklearn.linear_model import LogisticRegression  # here, because they are slow to import
        from sklearn.model_selection import GridSearchCV, StratifiedKFold

        if not isinstance(task, ClassificationTask):
            raise InputError(f"logistic regression needs a classification task, this is {task.name}")
        counts = np.bincount(task.labels, minlength=task.n_classes)
        if counts.min() < self.folds:
            raise InputError(f"class {counts.argmin()} has {counts.min()} users, {self.folds} folds need as many each")
        self.n_items = task.behaviour.n_items
        x = _unit_rows(as_batch(task.behaviour), self.n_items)
        folds = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        strengths = {"C": np.logspace(-2, 4, 13)}
        self.model = GridSearchCV(LogisticRegression(max_iter=2000), strengths, cv=folds, scoring="neg_log_loss")
        self.model.fit(x, task.labels)
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, classes)`` log-probabilities."""
        return self.model.best_estimator_.predict_log_proba(_unit_rows(as_batch(behaviour), self.n_items))


def _unit_rows(batch: Batch, n_items: int) -> csr_array:
    rows = binary_rows(batch, n_items)
    lengths = np.sqrt(np.maximum(np.diff(rows.indptr), 1))
    rows.data /= np.repeat(lengths, np.diff(rows.indptr)).astype(np.float32)
    return rows
