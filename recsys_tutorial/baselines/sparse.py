"""Behaviour as a sparse matrix, for models that are linear in it."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from scipy.sparse import csr_array

from ..data.batches import Batch
from ..errors import InputError


def binary_rows(batch: Batch, n_items: int) -> csr_array:
    """Return ``(users, n_items)`` float32 with a 1 wherever a user has an item, once or often.

    Raises:
        InputError: an item beyond ``n_items``: the model was fitted on other items.
    """
    items = batch.items.numpy().copy()  # sum_duplicates sorts in place, and the batch must keep its order in time
    if items.max(initial=-1) >= n_items:
        raise InputError(f"item number {items.max()} for a model of {n_items} items: it was fitted on other items")
    ones = np.ones(len(items), np.float32)
    rows = csr_array((ones, items, batch.offsets.numpy()), shape=(len(batch), n_items))
    rows.sum_duplicates()
    rows.data[:] = 1
    return rows


def unit_rows(batch: Batch, n_items: int) -> csr_array:
    """Return :func:`binary_rows` with each row divided by its Euclidean length, as :class:`BagEncoder` does."""
    rows = binary_rows(batch, n_items)
    lengths = np.sqrt(np.maximum(np.diff(rows.indptr), 1))
    rows.data /= np.repeat(lengths, np.diff(rows.indptr)).astype(np.float32)
    return rows


def gram(rows: csr_array, ridge: float) -> torch.Tensor:
    """Return ``rowsᵀ rows + ridge · I`` as a dense ``(n_items, n_items)`` tensor."""
    found = torch.zeros(rows.shape[1], rows.shape[1]).fill_diagonal_(ridge)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that torch's sparse tensors are in beta
            return found.addmm_(_to_torch(rows.T.tocsr()), _to_torch(rows))  # on two threads, five times scipy's speed
    except RuntimeError:  # torch was built without MKL
        return found.add_(torch.from_numpy((rows.T @ rows).toarray()))


def _to_torch(rows: csr_array) -> torch.Tensor:
    places, columns, values = (torch.from_numpy(part) for part in (rows.indptr, rows.indices, rows.data))
    return torch.sparse_csr_tensor(places, columns, values, size=rows.shape, check_invariants=False)
