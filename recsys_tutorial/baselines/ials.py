"""Matrix factorisation for behaviour without ratings, by alternating least squares."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import binary_rows
from ..errors import InputError, check_sizes


class IALS:
    r"""Implicit ALS: ``min Σ_ui c_ui (x_ui - u_u · v_i)² + λ (||U||² + ||V||²)``, c = α where x = 1, else c = 1.

    The users' vectors serve the fit alone. Whoever is scored, known or not, gets the vector that is best for what is
    shown of them: ``u = (VᵀV + Σ_i∈shown (α - 1) v_i v_iᵀ + λ I)⁻¹ Σ_i∈shown α v_i``. The fit is by the library
    `implicit`, which is an extra: ``pip install 'recsys-tutorial[bench]'``.

    Args:
        factors: length of the vectors.
        regularisation: λ.
        alpha: α, the confidence in what a user has; what a user has not counts 1.
        iterations: times that users and items take turns.
        seed: draws the vectors to begin with.
        threads: of the fit; with one a seed gives one result.

    Source: Hu, Koren and Volinsky (2008); with tuned λ and α it is hard to beat (Rendle et al. 2022).
    """

    def __init__(
        self, factors: int = 64, regularisation: float = 1.0, alpha: float = 10.0, iterations: int = 15, seed: int = 0,
        threads: int = 1,
    ) -> None:  # fmt: skip
        check_sizes(factors=factors, iterations=iterations, threads=threads)
        for name, value in (("regularisation", regularisation), ("alpha", alpha)):
            if not 0 < value < float("inf"):
                raise InputError(f"{name}={value!r}: it needs to be above 0")
        self.factors, self.regularisation, self.alpha = factors, regularisation, alpha
        self.iterations, self.seed, self.threads = iterations, seed, threads

    def fit(self, interactions: Interactions) -> Self:
        """Find the items' vectors; which items, not how much. InputError where `implicit` is not installed."""
        try:
            from implicit.cpu.als import AlternatingLeastSquares
        except ImportError as error:
            raise InputError("iALS needs the library implicit: pip install 'recsys-tutorial[bench]'") from error
        from threadpoolctl import threadpool_limits

        x = csr_matrix(binary_rows(as_batch(interactions), interactions.n_items))
        with threadpool_limits(1, "blas"):  # implicit warns of BLAS threads beside its own
            model = AlternatingLeastSquares(
                factors=self.factors, regularization=self.regularisation, alpha=self.alpha,
                iterations=self.iterations, random_state=self.seed, num_threads=self.threads,
            )  # fmt: skip
            model.fit(x, show_progress=False)
        self.item_vectors = model.item_factors
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``: each user's vector, folded in, times those of the items."""
        v = self.item_vectors.astype(np.float64)
        everyone = v.T @ v + self.regularisation * np.eye(self.factors)
        rows = binary_rows(as_batch(behaviour), len(v))
        vectors = np.empty((rows.shape[0], self.factors))
        for user, (start, end) in enumerate(zip(rows.indptr[:-1], rows.indptr[1:], strict=True)):
            shown = v[rows.indices[start:end]]
            system = everyone + (self.alpha - 1) * shown.T @ shown
            vectors[user] = np.linalg.solve(system, self.alpha * shown.sum(0))
        return vectors.astype(np.float32) @ self.item_vectors.T
