"""A linear model of what follows what, in closed form: EASE for histories in order."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_array

from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..engine.sparse import add_product, binary_rows, gram
from ..errors import InputError, check_sizes

_FAINT = 0.01  # an event whose weight is below this is not read


class SLIST:
    r"""What comes next is linear in what came before: ``x_t B`` with ``x_t = Σ_(s ≤ t) e^-((t - s) / δ) e_(i_s)``.

    ``min Σ_t ||e_(i_(t + 1)) - x_t B||² + α Σ_u ||y_u - x_u B||² + λ ||B||²``: the first sum runs over all events that
    something follows, the second, in which order plays no part, over users: x_u has a 1 for each of their items, and
    for each of these y_u all the others. It is solved at once: ``B = (Σ x xᵀ + λ I)⁻¹ Σ x yᵀ``, for ``items³`` flops
    and three times ``items²`` floats. Of each item the strongest successors are then kept: the rest is noise, and the
    table is small.

    Args:
        decay: δ, in events.
        together: α.
        regularisation: λ.
        successors: kept of each item.

    Raises:
        InputError: a decay or a regularisation that is not above 0, ``together`` below 0, ``successors`` below 1.

    Source: Choi et al. (2021), Session-aware Linear Item-Item Models for Session-based Recommendation; here both parts
    share one ridge, in place of a zero diagonal. The settings were chosen on validation events of Amazon Toys.
    """

    def __init__(
        self, decay: float = 3.0, together: float = 0.3, regularisation: float = 10.0, successors: int = 100
    ) -> None:
        for name, value in (("decay", decay), ("regularisation", regularisation)):
            if not 0 < value < math.inf:
                raise InputError(f"{name}={value!r}: it needs to be above 0")
        if not 0 <= together < math.inf:
            raise InputError(f"together={together!r}: it needs to be 0 or more")
        check_sizes(successors=successors)
        self.decay, self.together, self.regularisation = decay, together, regularisation
        self.successors = successors

    def fit(self, interactions: Interactions) -> Self:
        """Solve for B ``(items, items)``, sparse."""
        behaviour, n_items = as_batch(interactions), interactions.n_items
        followed, next_ones = self._examples(behaviour, n_items)
        table = gram(followed, self.regularisation)
        wanted = add_product(torch.zeros(n_items, n_items), followed.T.tocsr(), next_ones)
        if self.together:
            met = gram(binary_rows(behaviour, n_items), 0.0).mul_(self.together)
            table += met
            wanted += met.fill_diagonal_(0)
        b = torch.cholesky_solve(wanted, torch.linalg.cholesky(table))
        values, columns = b.topk(min(self.successors, n_items), dim=1)
        places = np.arange(0, values.numel() + 1, values.shape[1])
        self.b = csr_array((values.numpy().ravel(), columns.numpy().ravel(), places), shape=(n_items, n_items))
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``x B``, ``(users, items)``, x the weighted items of the newest event and those before it."""
        batch = as_batch(behaviour)
        items, rows = batch.items.numpy(), batch.rows.numpy()
        back = batch.offsets.numpy()[1:][rows] - 1 - np.arange(len(items))
        x = csr_array((self._weight(back), (rows, items)), shape=(len(batch), self.b.shape[0]))
        return add_product(torch.zeros(x.shape), x, self.b).numpy()

    def _examples(self, behaviour: Batch, n_items: int) -> tuple[csr_array, csr_array]:
        """Return x_t and e_(i_(t + 1)), ``(examples, items)`` each, one row for each event that another follows."""
        items, rows = behaviour.items.numpy(), behaviour.rows.numpy()
        now = np.flatnonzero(rows[1:] == rows[:-1]) if len(rows) else np.zeros(0, np.int64)
        place, example, weight = [], [], []
        for back in range(1 + math.floor(-self.decay * math.log(_FAINT))):
            known = np.flatnonzero((now >= back) & (rows[now - back] == rows[now]))
            example.append(known)
            place.append(items[now[known] - back])
            weight.append(np.full(len(known), self._weight(np.array(back)), np.float32))
        shape, here = (len(now), n_items), np.arange(len(now))
        x = csr_array((np.concatenate(weight), (np.concatenate(example), np.concatenate(place))), shape=shape)
        return x, csr_array((np.ones(len(now), np.float32), (here, items[now + 1])), shape=shape)

    def _weight(self, back: np.ndarray) -> np.ndarray:
        """Return how much an event counts that is ``back`` events before the newest."""
        weight = np.exp(-back / self.decay)
        return np.where(weight < _FAINT, 0, weight).astype(np.float32)
