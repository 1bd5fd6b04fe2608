"""One label for each user: a class, or a number."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..errors import InputError, listed
from ..metrics.labels import auc, rmse
from .base import Labelled, Task

LEAST = 5  # labelled users that a class needs, to learn from some and be tested on others


@dataclass(frozen=True, eq=False)
class ClassificationTask(Task):
    """Predict one of several classes for each user.

    Args:
        behaviour: X.
        labels: ``(users,)`` whole numbers from 0.
        n_classes: number of classes; the highest label + 1 when None.
        classes: what they are called, texts or numbers, where they have names.

    Raises:
        InputError: as many labels as users are needed, whole numbers within the classes.
    """

    labels: np.ndarray
    n_classes: int | None = None
    classes: tuple[str | int | float, ...] | None = None
    name: ClassVar[str] = "classification"
    metric: ClassVar[str] = "auc"
    ridge: ClassVar[tuple[float, ...]] = (2.0, 3.0, 5.0, 7.0, 10.0)

    def __post_init__(self) -> None:
        labels = _one_label_each(self.behaviour, self.labels)
        if labels.dtype.kind not in "iub" or labels.min(initial=0) < 0:
            raise InputError(f"labels of type {labels.dtype}: classes are whole numbers from 0")
        n_classes = self.n_classes or len(self.classes or ()) or int(labels.max(initial=0)) + 1
        if self.classes is not None and len(self.classes) != n_classes:
            raise InputError(f"{len(self.classes)} names for {n_classes} classes: give one each")
        if labels.max(initial=0) >= n_classes:
            raise InputError(f"label {labels.max()} with n_classes={n_classes}: classes are 0 to {n_classes - 1}")
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "n_classes", n_classes)

    @property
    def n_outputs(self) -> int:
        """Number of classes."""
        return self.n_classes or 0  # given or found, once it is made

    def examples(self) -> Labelled:
        """Return behaviour and class numbers."""
        return Labelled(Batch.of(self.behaviour), torch.tensor(self.labels))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy."""
        return F.cross_entropy(outputs, targets)

    def squared_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the squared error against 1 for the class and 0 for the others."""
        return (outputs - F.one_hot(targets, self.n_outputs)).square().sum(1).mean()

    def target_matrix(self) -> csr_array:
        """Return ``(users, classes)`` with a 1 at each user's class."""
        n = len(self.labels)
        return csr_array((np.ones(n), (np.arange(n), self.labels)), shape=(n, self.n_outputs))

    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return 1 where the highest score is that of the user's class, else 0."""
        return (np.asarray(scores).argmax(axis=1) == self.labels).astype(float)

    @property
    def chooses_by(self) -> None:
        """The squared error: whether a few users are on the right side says too little."""
        return None

    def value(self, scores: np.ndarray) -> float:
        """Return the area under the ROC curve; of several classes the mean over their pairs (Hand and Till 2001).

        Of classes a and b, users are ranked by ``score_a - score_b``: 1/2 is chance, 1 a perfect order.
        """
        scores, pairs = np.asarray(scores), itertools.combinations(np.unique(self.labels), 2)
        found = []
        for a, b in pairs:
            among = np.isin(self.labels, (a, b))
            found.append(auc((scores[:, a] - scores[:, b])[among], self.labels[among] == a))
        if not found:
            raise InputError("AUC needs users of at least two classes: give more test users")
        return float(np.mean(found))

    def take(self, rows: np.ndarray) -> ClassificationTask:
        """Return the task on these users alone; the classes stay."""
        return replace(self, behaviour=self.behaviour.take_users(rows), labels=self.labels[rows])

    def on(self, behaviour: Interactions) -> ClassificationTask:
        """Return :meth:`Task.on`; classes that then have fewer than :data:`LEAST` users are left out with them."""
        found = super().on(behaviour)
        counts = np.bincount(found.labels, minlength=found.n_outputs)
        names, kept = found.classes or tuple(range(found.n_outputs)), np.flatnonzero(counts >= LEAST)
        if len(kept) < 2:
            told = listed(f"{name!r} {count}" for name, count in zip(names, counts, strict=True))
            raise InputError(
                f"{self.behaviour.name!r}: two classes need {LEAST} labelled users with behaviour each, there are "
                f"{told}: label more users, or join rare classes into one"
            )
        rare = {f"users of class {names[one]!r}, fewer than {LEAST}": int(counts[one])
                for one in np.flatnonzero((counts > 0) & (counts < LEAST))}  # fmt: skip
        some = found.take(np.flatnonzero(np.isin(found.labels, kept)))
        labels, classes = np.searchsorted(kept, some.labels), tuple(names[one] for one in kept)
        return replace(some, labels=labels, n_classes=len(kept), classes=classes)._noted(rare)

    def said(self) -> str:
        """Say how many users have which class."""
        counts = np.bincount(self.labels, minlength=self.n_outputs)
        names = self.classes or range(self.n_outputs)
        return f"{len(self):,} users, " + listed(f"{n!r} {c:,}" for n, c in zip(names, counts, strict=True))


@dataclass(frozen=True, eq=False)
class RegressionTask(Task):
    """Predict one number for each user.

    Args:
        behaviour: X.
        labels: ``(users,)`` finite numbers.

    Raises:
        InputError: as many labels as users are needed, all finite.
    """

    labels: np.ndarray
    name: ClassVar[str] = "regression"
    metric: ClassVar[str] = "rmse"
    lower_is_better: ClassVar[bool] = True
    ridge: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 50.0)

    def __post_init__(self) -> None:
        labels = _one_label_each(self.behaviour, self.labels).astype(np.float32)
        if not np.isfinite(labels).all():
            row = int(np.flatnonzero(~np.isfinite(labels))[0])
            raise InputError(f"label {labels[row]} in row {row}: labels need to be finite numbers")
        object.__setattr__(self, "labels", labels)

    @property
    def n_outputs(self) -> int:
        """One."""
        return 1

    def examples(self) -> Labelled:
        """Return behaviour and numbers."""
        return Labelled(Batch.of(self.behaviour), torch.tensor(self.labels))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error."""
        return F.mse_loss(outputs.squeeze(1), targets)

    squared_loss = loss

    def target_matrix(self) -> csr_array:
        """Return the numbers as one column."""
        return csr_array(self.labels[:, None])

    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return minus the squared error."""
        return -((np.asarray(scores)[:, 0] - self.labels) ** 2)

    def value(self, scores: np.ndarray) -> float:
        """Return the root of the mean squared error, in the unit of the labels."""
        return rmse(np.asarray(scores)[:, 0], self.labels)

    def take(self, rows: np.ndarray) -> RegressionTask:
        """Return the task on these users alone."""
        return replace(self, behaviour=self.behaviour.take_users(rows), labels=self.labels[rows])

    def on(self, behaviour: Interactions) -> RegressionTask:
        """Return :meth:`Task.on`."""
        found = super().on(behaviour)
        if np.ptp(found.labels) == 0:
            raise InputError(
                f"{self.behaviour.name!r}: the {len(found):,} labelled users with behaviour all have the value "
                f"{found.labels[0]:g}: there is nothing to tell apart"
            )
        return found

    def said(self) -> str:
        """Say how many users have a value, and between which ends."""
        return f"{len(self):,} users, values from {self.labels.min():g} to {self.labels.max():g}"


def _one_label_each(behaviour: Interactions, labels: Sequence[Any] | np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (behaviour.n_users,):
        raise InputError(f"{len(labels)} labels for {behaviour.n_users} users: give one label per user")
    return labels
