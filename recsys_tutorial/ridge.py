"""The head in closed form: ridge regression on g's vectors, its strength chosen by leaving one user out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import nn

STRENGTHS = tuple(float(s) for s in np.logspace(-3, 3, 13))


class RidgePath:
    r"""Every ridge head of one ``(Z, Y)``: the singular value decomposition of centred Z serves all strengths.

    Args:
        z: ``(users, dim)`` g's vectors.
        y: ``(users, outputs)`` targets, sparse or dense.

    Attributes:
        unit: ``λ = strength · unit``; the mean of the squared singular values of centred Z.
    """

    def __init__(self, z: np.ndarray, y: csr_array | np.ndarray) -> None:
        z, y = np.asarray(z, np.float64), csr_array(y)
        self.y, self.mean_z, self.mean_y = y, z.mean(0), np.asarray(y.mean(axis=0)).ravel()
        self.u, self.s, self.vt = np.linalg.svd(z - self.mean_z, full_matrices=False)
        # u is orthogonal to the constant vector, so uᵀ(Y - mean) = uᵀY: Y itself stays sparse.
        self.uty = (y.T @ self.u).T
        self.unit = max(float((self.s**2).mean()), 1e-12)

    def solve(self, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Return W ``(dim, outputs)`` and b ``(outputs,)``."""
        weights = self.vt.T @ ((self.s / (self.s**2 + strength * self.unit))[:, None] * self.uty)
        return weights, self.mean_y - self.mean_z @ weights

    def leave_one_out(self, strength: float) -> np.ndarray:
        """Return ``(users, outputs)``: for each user the prediction of the head that was fitted on all the others.

        ``ŷ_i - (y_i - ŷ_i) H_ii / (1 - H_ii)``, with ŷ = H Y the predictions of the head that was fitted on everyone:
        exact for n heads of the same λ, at the price of one (Allen 1974, PRESS).
        """
        shrink = self.s**2 / (self.s**2 + strength * self.unit)
        fitted = (self.u * shrink) @ self.uty + self.mean_y
        leverage = np.minimum((self.u**2 * shrink).sum(1) + 1 / len(self.u), 1 - 1e-9)[:, None]
        return np.asarray((fitted - self.y.multiply(leverage)) / (1 - leverage))


def ridge_head(
    z: np.ndarray,
    y: csr_array | np.ndarray,
    quality: Callable[[np.ndarray], np.ndarray] | None = None,
    strengths: Sequence[float] = STRENGTHS,
) -> nn.Linear:
    r"""Return ``h(z) = z W + b`` that minimises ``||Z W + b - Y||² + λ ||W||²`` over the labelled users.

    ``W = (Zᵀ Z + λ I)⁻¹ Zᵀ Y`` on centred Z and Y. Where several strengths are given, λ is the one whose
    leave-one-out predictions (:meth:`RidgePath.leave_one_out`) have the best mean ``quality``.

    Args:
        z: ``(users, dim)`` g's vectors.
        y: ``(users, outputs)`` targets, sparse or dense.
        quality: ``(users, outputs)`` scores -> one value per user, higher is better; minus the squared error when None.
        strengths: candidates for λ, as multiples of the mean of the squared singular values of centred ``z``.
    """
    path = RidgePath(z, y)
    if quality is None:
        quality = lambda scores: -((scores - path.y.toarray()) ** 2).mean(1)  # noqa: E731
    best = strengths[0]
    if len(strengths) > 1:
        values = [np.nanmean(quality(path.leave_one_out(strength))) for strength in strengths]
        best = strengths[int(np.argmax(values))]
    weights, bias = path.solve(best)
    head = nn.Linear(*weights.shape)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weights.T))
        head.bias.copy_(torch.from_numpy(bias))
    return head
