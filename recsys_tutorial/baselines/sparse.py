"""Behaviour as a sparse 0/1 matrix, for models that are linear in it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from ..batches import Batch


def binary_rows(batch: Batch, n_items: int) -> csr_array:
    """Return ``(users, n_items)`` float32 with a 1 wherever a user has an item, once or often."""
    ones = np.ones(len(batch.items), np.float32)
    rows = csr_array((ones, batch.items.numpy(), batch.offsets.numpy()), shape=(len(batch), n_items))
    rows.sum_duplicates()
    rows.data[:] = 1
    return rows
