"""The one interface of a task: labelled data ``(X, Y)``, its loss, and how well a prediction does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_array
from torch import Tensor

from ..data.batches import Batch
from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..data.joining import place_of
from ..data.reports import LabelReport
from ..data.splits import some_events
from ..errors import InputError, listed


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
        report: how the labels were read, where they come from a file.

    Attributes:
        name: of the kind of task.
        metric: what :meth:`value` returns.
        lower_is_better: whether a lower :meth:`value` is the better one.
        ridge: see :meth:`strengths`.
    """

    behaviour: Interactions
    report: LabelReport | None = field(default=None, kw_only=True)
    name: ClassVar[str]
    metric: ClassVar[str]
    lower_is_better: ClassVar[bool] = False
    ridge: ClassVar[tuple[float, ...]]

    def __len__(self) -> int:
        return self.behaviour.n_users

    def strengths(self, z: np.ndarray) -> list[float]:
        """Return the candidates for the ridge of a head on z ``(users, dim)``, as `ridge_head` takes them.

        :attr:`ridge` holds them as multiples of the mean squared distance of the rows from their mean: measured so, the
        best ones hardly depend on the number of users, and few candidates leave little to chance.
        """
        return [strength * min(z.shape) / len(z) for strength in self.ridge]

    @property
    def chooses_by(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """What the strength of a ridge head is chosen by: the quality, or where that is None the squared error."""
        return self.quality

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

    def value(self, scores: np.ndarray) -> float:
        """Return :attr:`metric` over all users: here the mean quality."""
        return float(np.nanmean(self.quality(scores)))

    def with_labels(self) -> np.ndarray:
        """Return the rows of the users who have a label: all of them, where nothing else is said."""
        return np.arange(len(self))

    def showing(self, n: int, seed: int = 0) -> Self:
        """Return the task with ``n`` events of each user's behaviour, drawn at random; who has fewer shows all."""
        return replace(self, behaviour=some_events(self.behaviour, n, seed))

    @abstractmethod
    def take(self, rows: np.ndarray) -> Self:
        """Return the task on these users alone."""

    def on(self, behaviour: Interactions) -> Self:
        """Return the task with what its users did in ``behaviour``, found by raw id; who did nothing is left out.

        Args:
            behaviour: of these and other users. The labels of a file have none until they are laid on some.

        Raises:
            InputError: none of the labelled users did anything, or those who did have all the same label.
        """
        rows, known = self._places(behaviour)
        found = replace(self.take(known), behaviour=behaviour.take_users(rows[known]))
        return found._noted({"labelled users without behaviour": len(self) - len(known)})

    def _places(self, behaviour: Interactions) -> tuple[np.ndarray, np.ndarray]:
        """Return where each labelled user stands in ``behaviour``, and which of them did something there."""
        rows = place_of(self.behaviour.user_ids, behaviour.user_ids)
        known = np.flatnonzero((rows >= 0) & (behaviour.events_per_user[rows] > 0))
        if not len(known):
            raise InputError(
                f"none of the {len(self):,} labelled users of {self.behaviour.name!r} did anything in "
                f"{behaviour.name!r} (labelled: {listed(self.behaviour.user_ids[:3])}; there: "
                f"{listed(behaviour.user_ids[:3])}): the two need the same user ids"
            )
        return rows, known

    def _noted(self, left_out: dict[str, int], *notes: str) -> Self:
        """Return the task with more in its report, where it has one."""
        if self.report is None:
            return self
        more = {why: count for why, count in left_out.items() if count}
        report = replace(
            self.report, said=self.said(), left_out=self.report.left_out | more, notes=(*self.report.notes, *notes)
        )
        return replace(self, report=report)

    def said(self) -> str:
        """Say how many users have which label."""
        return f"{len(self):,} users"
