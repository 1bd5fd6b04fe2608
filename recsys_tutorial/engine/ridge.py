"""The head in closed form: ridge regression on g's vectors, its strength chosen by leaving one user out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array
from torch import nn

from .heads import linear_head

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
        self.u, self.s, self.vt = _svd(z - self.mean_z)
        # u is orthogonal to the constant vector, so uᵀ(Y - mean) = uᵀY: Y itself stays sparse.
        self.uty = (y.T @ self.u).T
        self.unit = max(float((self.s**2).sum() / min(z.shape)), 1e-12)

    def solve(self, strength: float, towards: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return W ``(dim, outputs)`` and b ``(outputs,)``; W is shrunk towards ``towards``, 0 where that is None."""
        left = self._left(towards)
        weights = self.vt.T @ ((self.s / (self.s**2 + strength * self.unit))[:, None] * left)
        weights = weights if towards is None else weights + towards
        return weights, self.mean_y - self.mean_z @ weights

    def leave_one_out(
        self, strength: float, towards: np.ndarray | None = None, at: np.ndarray | None = None
    ) -> np.ndarray:
        """Return ``(users, outputs)``: for each user the prediction of the head that was fitted on all the others.

        ``ŷ_i - (y_i - ŷ_i) H_ii / (1 - H_ii)``, with ŷ the predictions of the head that was fitted on everyone:
        exact for n heads of the same λ, at the price of one (Allen 1974, PRESS). Where the first users show something
        else than the head learned from, z'_i, theirs is ``ŷ(z'_i) - (y_i - ŷ_i) H(z'_i, z_i) / (1 - H_ii)``.

        Args:
            strength: λ, in multiples of :attr:`unit`.
            towards: see :meth:`solve`.
            at: ``(m, dim)`` z' of the first m users, who then are all that is returned.
        """
        shrink = self.s**2 / (self.s**2 + strength * self.unit)
        fitted = self.u @ (self.uty - (1 - shrink)[:, None] * self._left(towards)) + self.mean_y
        leverage = np.minimum((self.u**2 * shrink).sum(1) + 1 / len(self.u), 1 - 1e-9)[:, None]
        if at is None:
            return np.asarray((fitted - self.y.multiply(leverage)) / (1 - leverage))
        weights, bias = self.solve(strength, towards)
        m = len(at)
        there = (at - self.mean_z) @ self.vt.T / np.maximum(self.s, 1e-300) * shrink
        leverage_there = ((there * self.u[:m]).sum(1) + 1 / len(self.u))[:, None]
        missed = (self.y[:m].toarray() - fitted[:m]) / (1 - leverage[:m])
        return at @ weights + bias - leverage_there * missed

    def _left(self, towards: np.ndarray | None) -> np.ndarray:
        """Return what ``towards`` leaves of Y to be explained: ``uᵀ (Y - Z towards)``."""
        return self.uty if towards is None else self.uty - self.s[:, None] * (self.vt @ towards)

    def choose(
        self,
        quality: Callable[[np.ndarray], np.ndarray] | None,
        strengths: Sequence[float],
        towards: Sequence[np.ndarray | None] = (None,),
    ) -> tuple[float, int]:
        """Return the strength, and the place in ``towards``, whose leave-one-out predictions have the best quality."""
        if quality is None:
            quality = lambda scores: -((scores - self.y.toarray()) ** 2).mean(1)  # noqa: E731
        pairs = [(strength, place) for place in range(len(towards)) for strength in strengths]
        if len(pairs) == 1:
            return pairs[0]
        values = [np.nanmean(quality(self.leave_one_out(strength, towards[place]))) for strength, place in pairs]
        return pairs[int(np.argmax(values))]


def _svd(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return u, s, vt of z, found from the smaller one of its two Gram matrices: for a large z ten times sooner.

    Directions shorter than a millionth of the longest, where squaring leaves nothing but rounding, are dropped.
    """
    tall = len(z) >= z.shape[1]
    squares, found = np.linalg.eigh(z.T @ z if tall else z @ z.T)
    kept = squares > 1e-12 * max(squares.max(initial=0), 1e-300)
    s, found = np.sqrt(squares[kept]), found[:, kept]
    return (z @ found / s, s, found.T) if tall else (found, s, (z.T @ found / s).T)


def ridge_head(
    z: np.ndarray,
    y: csr_array | np.ndarray,
    quality: Callable[[np.ndarray], np.ndarray] | None = None,
    strengths: Sequence[float] = STRENGTHS,
    towards: Sequence[np.ndarray | None] = (None,),
) -> nn.Linear:
    r"""Return ``h(z) = z W + b`` that minimises ``||Z W + b - Y||² + λ ||W - W₀||²`` over the labelled users.

    ``W = W₀ + (Zᵀ Z + λ I)⁻¹ Zᵀ (Y - Z W₀)`` on centred Z and Y. Where there are several strengths and several W₀,
    those are taken whose leave-one-out predictions (:meth:`RidgePath.leave_one_out`) have the best mean ``quality``.

    Args:
        z: ``(users, dim)`` g's vectors.
        y: ``(users, outputs)`` targets, sparse or dense.
        quality: ``(users, outputs)`` scores -> one value per user, higher is better; minus the squared error when None.
        strengths: candidates for λ, as multiples of the mean of the squared singular values of centred ``z``.
        towards: candidates for W₀ ``(dim, outputs)``; None is 0.
    """
    path = RidgePath(z, y)
    strength, place = path.choose(quality, strengths, towards)
    weights, bias = path.solve(strength, towards[place])
    return linear_head(weights.T, bias)
