"""From scores to probabilities: how sure a class really is, learned on scores of users that a model had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import logsumexp, softmax


@dataclass(frozen=True)
class Calibration:
    r"""``p = softmax(a s + b)``: one slope for all classes, and a shift for each.

    Args:
        slope: a, at least 0: a model that is worse than chance is not turned round.
        shifts: b.

    Source: Platt (1999).
    """

    slope: float
    shifts: tuple[float, ...]

    @classmethod
    def fit(cls, scores: np.ndarray, labels: np.ndarray) -> Self:
        """Fit on ``(users, classes)`` scores of users whose ``(users,)`` labels the model had not seen."""
        from scipy.optimize import minimize  # here, because it is slow to import

        spread = max(float(scores.std()), 1e-12)
        unit, true = (scores - scores.mean(0)) / spread, np.eye(scores.shape[1])[labels.astype(int)]

        def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
            """Return the mean log-loss, a little drawn to 0, and its gradient."""
            logits = found[0] * unit + found[1:]
            wrong = softmax(logits, axis=1) - true
            value = (logsumexp(logits, axis=1) - (logits * true).sum(1)).mean() + 1e-4 * found @ found
            return value, np.array([(wrong * unit).sum() / len(unit), *wrong.mean(0)]) + 2e-4 * found

        start = np.array([1.0, *np.log(true.mean(0) + 1e-3)])
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None), *[(None, None)] * len(true[0])]).x
        slope = float(found[0]) / spread
        return cls(slope, tuple((found[1:] - slope * scores.mean(0)).tolist()))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return ``(users, classes)``, rows that add up to 1."""
        return softmax(scores.astype(float) * self.slope + np.array(self.shifts), axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {"slope": self.slope, "shifts": list(self.shifts)}

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> Self:
        """Return what :meth:`to_json` described."""
        return cls(described["slope"], tuple(described["shifts"]))


def cross_fitted(scores: np.ndarray, labels: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return the probabilities of users by calibrations that were fitted on the other folds: to judge them by."""
    found = np.zeros(scores.shape)
    for number in np.unique(fold):
        others = fold != number
        found[~others] = Calibration.fit(scores[others], labels[others]).probabilities(scores[~others])
    return found
