"""From scores to probabilities: how sure a class really is, learned on scores of users that a model had not seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Calibration:
    r"""``p_c = σ(a_c s_c + b_c)`` of each class c, divided by their sum.

    Args:
        slopes: a, one a class.
        shifts: b.

    Source: Platt (1999); each class against the others: Zadrozny and Elkan (2002).
    """

    slopes: tuple[float, ...]
    shifts: tuple[float, ...]

    @classmethod
    def fit(cls, scores: np.ndarray, labels: np.ndarray) -> Self:
        """Fit on ``(users, classes)`` scores of users whose ``(users,)`` labels the model had not seen."""
        from sklearn.linear_model import LogisticRegression  # here, because it is slow to import

        found = []
        for number, column in enumerate(scores.T):
            spread = max(float(column.std()), 1e-12)  # so that the little shrinkage there is does not hang on the unit
            line = LogisticRegression(C=100.0).fit(column[:, None] / spread, labels == number)
            found.append((max(float(line.coef_[0, 0]), 0.0) / spread, float(line.intercept_[0])))
        return cls(*map(tuple, zip(*found, strict=True)))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return ``(users, classes)``, rows that add up to 1."""
        logits = scores * np.array(self.slopes) + np.array(self.shifts)
        p = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        return p / p.sum(axis=1, keepdims=True)

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {name: list(values) for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> Self:
        """Return what :meth:`to_json` described."""
        return cls(tuple(described["slopes"]), tuple(described["shifts"]))


def cross_fitted(scores: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the probabilities of users by calibrations that were fitted on the other folds: to judge them by."""
    found = np.zeros(scores.shape)
    for number in np.unique(fold):
        others = fold != number
        found[~others] = Calibration.fit(scores[others], labels[others]).probabilities(scores[~others])
    return found
