"""Labelled data ``(X, Y)``: what is to be predicted, its loss, and how well a prediction does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

from .batches import Batch
from .catalogue import Catalogue
from .errors import InputError
from .interactions import Interactions
from .losses import multinomial_loss, squared_loss
from .metrics import ndcg_at_k


@dataclass(frozen=True)
class Labelled:
    """Examples ``(x, y)`` for the training loop: behaviour and targets, row by row."""

    behaviour: Batch
    targets: Batch | Tensor

    def __len__(self) -> int:
        return len(self.behaviour)

    def take(self, rows: Tensor) -> tuple[Batch, Batch | Tensor]:
        """Return the pair ``(x, y)`` of these rows."""
        y = self.targets.take(rows) if isinstance(self.targets, Batch) else self.targets[rows]
        return self.behaviour.take(rows), y


@dataclass(frozen=True, eq=False)
class Task(ABC):
    """Labelled data with its loss and its quality; one row of ``behaviour`` per labelled user.

    Args:
        behaviour: X, what each user did.
    """

    behaviour: Interactions
    name: ClassVar[str]
    metric: ClassVar[str]

    def __len__(self) -> int:
        return self.behaviour.n_users

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """How many numbers ``h`` gives per user."""

    @property
    def outputs(self) -> Catalogue | None:
        """The items that ``h`` scores, for a ranking task."""
        return None

    @abstractmethod
    def examples(self) -> Labelled:
        """Return ``(X, Y)`` for the training loop."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Any) -> Tensor:
        """Return the scalar loss of ``outputs`` ``(users, n_outputs)``."""

    @abstractmethod
    def squared_loss(self, outputs: Tensor, targets: Any) -> Tensor:
        """Return the squared error of ``outputs`` against Y as numbers: the loss that a ridge head minimises."""

    @abstractmethod
    def target_matrix(self) -> csr_array:
        """Return Y as ``(users, n_outputs)`` sparse numbers, for closed-form heads."""

    @abstractmethod
    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return one value per user of ``scores`` ``(users, n_outputs)``, higher is better; NaN where undefined."""

    @abstractmethod
    def take(self, rows: np.ndarray) -> Self:
        """Return the task on these users alone."""


@dataclass(frozen=True, eq=False)
class RankingTask(Task):
    """Predict which items each user will want; the items to rank may be others than those in ``behaviour``.

    Args:
        behaviour: X.
        targets: Y, the wanted items of the same users, on the catalogue to be ranked.
        k: the quality is NDCG at ``k``.

    Raises:
        InputError: X and Y do not have the same users.
    """

    targets: Interactions
    k: int = 20
    name: ClassVar[str] = "ranking"
    metric: ClassVar[str] = "ndcg"

    def __post_init__(self) -> None:
        if not np.array_equal(self.behaviour.user_ids, self.targets.user_ids):
            raise InputError(
                f"behaviour has {self.behaviour.n_users} users and targets {self.targets.n_users}, or in another "
                "order: give the same users to both"
            )

    @property
    def n_outputs(self) -> int:
        """Number of items to rank."""
        return self.targets.n_items

    @property
    def outputs(self) -> Catalogue:
        """The items to rank."""
        return self.targets.catalogue

    def examples(self) -> Labelled:
        """Return behaviour and wanted items, both jagged."""
        return Labelled(Batch.of(self.behaviour), Batch.of(self.targets))

    def loss(self, outputs: Tensor, targets: Batch) -> Tensor:
        """Return the multinomial loss (:func:`recsys_tutorial.losses.multinomial_loss`)."""
        return multinomial_loss(outputs, targets)

    def squared_loss(self, outputs: Tensor, targets: Batch) -> Tensor:
        """Return the squared error against 1 for wanted items and 0 for all others."""
        return squared_loss(outputs, targets)

    def target_matrix(self) -> csr_array:
        """Return ``(users, items)`` wanted items."""
        return self.targets.matrix

    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return NDCG@k; NaN for users who want nothing."""
        return ndcg_at_k(scores, self.targets.matrix, self.k)

    def take(self, rows: np.ndarray) -> RankingTask:
        """Return the task on these users alone."""
        return replace(self, behaviour=self.behaviour.take_users(rows), targets=self.targets.take_users(rows))


@dataclass(frozen=True, eq=False)
class ClassificationTask(Task):
    """Predict one of several classes for each user.

    Args:
        behaviour: X.
        labels: ``(users,)`` whole numbers from 0.
        n_classes: number of classes; the highest label + 1 when None.

    Raises:
        InputError: as many labels as users are needed, whole numbers within the classes.
    """

    labels: np.ndarray
    n_classes: int | None = None
    name: ClassVar[str] = "classification"
    metric: ClassVar[str] = "accuracy"

    def __post_init__(self) -> None:
        labels = _one_label_each(self.behaviour, self.labels)
        if labels.dtype.kind not in "iub" or labels.min(initial=0) < 0:
            raise InputError(f"labels of type {labels.dtype}: classes are whole numbers from 0")
        n_classes = self.n_classes or int(labels.max(initial=0)) + 1
        if labels.max(initial=0) >= n_classes:
            raise InputError(f"label {labels.max()} with n_classes={n_classes}: classes are 0 to {n_classes - 1}")
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "n_classes", n_classes)

    @property
    def n_outputs(self) -> int:
        """Number of classes."""
        return self.n_classes

    def examples(self) -> Labelled:
        """Return behaviour and class numbers."""
        return Labelled(Batch.of(self.behaviour), torch.tensor(self.labels))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy."""
        return F.cross_entropy(outputs, targets)

    def squared_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the squared error against 1 for the class and 0 for the others."""
        return (outputs - F.one_hot(targets, self.n_classes)).square().sum(1).mean()

    def target_matrix(self) -> csr_array:
        """Return ``(users, classes)`` with a 1 at each user's class."""
        n = len(self.labels)
        return csr_array((np.ones(n), (np.arange(n), self.labels)), shape=(n, self.n_classes))

    def quality(self, scores: np.ndarray) -> np.ndarray:
        """Return 1 where the highest score is that of the user's class, else 0."""
        return (np.asarray(scores).argmax(axis=1) == self.labels).astype(float)

    def take(self, rows: np.ndarray) -> ClassificationTask:
        """Return the task on these users alone; the classes stay."""
        return replace(self, behaviour=self.behaviour.take_users(rows), labels=self.labels[rows])


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
    metric: ClassVar[str] = "negative_squared_error"

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

    def take(self, rows: np.ndarray) -> RegressionTask:
        """Return the task on these users alone."""
        return replace(self, behaviour=self.behaviour.take_users(rows), labels=self.labels[rows])


def _one_label_each(behaviour: Interactions, labels: Sequence[Any] | np.ndarray) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (behaviour.n_users,):
        raise InputError(f"{len(labels)} labels for {behaviour.n_users} users: give one label per user")
    return labels


def new_shelf(
    interactions: Interactions, hidden: float = 0.2, at_least: float = 4.0, k: int = 20, seed: int = 0
) -> RankingTask:
    """Return the "new shelf" task: from behaviour on known items, rank items that were hidden from everyone.

    A random share ``hidden`` of the items is put on the new shelf. X is behaviour on the others, Y which items of the
    new shelf the user gave a weight of ``at_least``.

    Args:
        interactions: with ratings as weights.
        hidden: share of the items on the new shelf, between 0 and 1.
        at_least: the weight from which an item counts as wanted.
        k: the quality is NDCG at ``k``.
        seed: draws the shelf.
    """
    if not 0 < hidden < 1:
        raise InputError(f"hidden={hidden!r}: it needs to be between 0 and 1")
    shelf = np.zeros(interactions.n_items, bool)
    draw = np.random.default_rng(seed).permutation(interactions.n_items)
    shelf[draw[: max(1, round(hidden * interactions.n_items))]] = True
    wanted = interactions.subset_items(shelf).binarise(at_least=at_least)
    return RankingTask(interactions.subset_items(~shelf), wanted, k)
