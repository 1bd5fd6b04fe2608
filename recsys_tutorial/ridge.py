"""The head in closed form: ridge regression on g's vectors, its strength chosen by leaving one user out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import nn

STRENGTHS = tuple(float(s) for s in np.logspace(-3, 3, 13))


def ridge_head(
    z: np.ndarray,
    y: csr_array,
    quality: Callable[[np.ndarray], np.ndarray] | None = None,
    strengths: Sequence[float] = STRENGTHS,
) -> nn.Linear:
    r"""Return ``h(z) = z W + b`` that minimises ``||Z W + b - Y||² + λ ||W||²`` over the labelled users.

    ``W = (Zᵀ Z + λ I)⁻¹ Zᵀ Y`` on centred Z and Y. Where several strengths are given, λ is the one whose
    leave-one-out predictions ``ŷ_i - (y_i - ŷ_i) H_ii / (1 - H_ii)`` have the best mean ``quality``: the exact
    predictions of n heads that were each fitted without one user, at the price of one (Allen 1974, PRESS).

    Args:
        z: ``(users, dim)`` g's vectors.
        y: ``(users, outputs)`` targets.
        quality: ``(users, outputs)`` scores -> one value per user, higher is better; minus the squared error when None.
        strengths: candidates for λ, as multiples of the mean squared length of the centred rows of ``z``.
    """
    z = np.asarray(z, np.float64)
    mean_z, mean_y = z.mean(0), np.asarray(y.mean(axis=0)).ravel()
    u, s, vt = np.linalg.svd(z - mean_z, full_matrices=False)
    # u is orthogonal to the constant vector, so uᵀ(Y - mean) = uᵀY: Y itself stays sparse.
    uty = (y.T @ u).T
    unit = max(float((s**2).mean()), 1e-12)

    def leave_one_out(strength: float) -> np.ndarray:
        shrink = s**2 / (s**2 + strength * unit)
        fitted = (u * shrink) @ uty + mean_y
        leverage = np.minimum((u**2 * shrink).sum(1) + 1 / len(z), 1 - 1e-9)[:, None]
        return (fitted - y.multiply(leverage)) / (1 - leverage)

    if quality is None:
        quality = lambda scores: -((scores - y.toarray()) ** 2).mean(1)  # noqa: E731
    best = strengths[0]
    if len(strengths) > 1:
        values = [np.nanmean(quality(np.asarray(leave_one_out(strength)))) for strength in strengths]
        best = strengths[int(np.argmax(values))]
    weights = vt.T @ ((s / (s**2 + best * unit))[:, None] * uty)
    head = nn.Linear(z.shape[1], y.shape[1])
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weights.T))
        head.bias.copy_(torch.from_numpy(mean_y - mean_z @ weights))
    return head
