"""The shape of a cloud of vectors: how many directions it fills, and who is near whom."""

from __future__ import annotations

import numpy as np


def intrinsic_dimension(vectors: np.ndarray) -> float:
    r"""Return how many directions ``(n, dim)`` vectors fill: ``(Σ λ)² / Σ λ²``, λ the eigenvalues of their covariance.

    ``dim`` for a round cloud, 1 for a line: where g has collapsed it is near 1, or 0 where all vectors are one.

    Source: the participation ratio, as in Gao et al. (2017), A theory of multineuronal dimensionality.
    """
    spread = np.linalg.svd(vectors - vectors.mean(0), compute_uv=False) ** 2
    return float(spread.sum() ** 2 / (spread**2).sum()) if spread.any() else 0.0
