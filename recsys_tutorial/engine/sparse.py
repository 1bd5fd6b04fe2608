"""Behaviour as a sparse matrix, for models that are linear in it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy.sparse import csr_array

from ..data.batches import Batch
from ..errors import InputError

ROUNDS, SPARE = 5, 16  # of the orthogonal iteration: products with the table, and directions beyond those asked for
FEW = 0.5  # users for each item, below which a table of users by users is the smaller problem
FEWER = 0.25  # the same where B is laid out: with more users the tables by users take more than its own factor
FULL = 0.1  # share of a table that is filled, from which a dense product is the faster one

Product = Callable[[torch.Tensor], torch.Tensor]


def binary_rows(batch: Batch, n_items: int) -> csr_array:
    """Return ``(users, n_items)`` float32 with a 1 wherever a user has an item, once or often.

    Raises:
        InputError: an item beyond ``n_items``: the model was fitted on other items.
    """
    items, offsets = (part.numpy().copy() for part in (batch.items, batch.offsets))  # sum_duplicates works in place
    if items.max(initial=-1) >= n_items:
        raise InputError(f"item number {items.max()} for a model of {n_items} items: it was fitted on other items")
    ones = np.ones(len(items), np.float32)
    rows = csr_array((ones, items, offsets), shape=(len(batch), n_items))
    rows.sum_duplicates()
    rows.data[:] = 1
    return rows


def unit_rows(batch: Batch, n_items: int, item_weights: np.ndarray | None = None) -> csr_array:
    """Return :func:`binary_rows`, times ``(n_items,)`` weights, each row divided by its length as BagEncoder does."""
    rows = binary_rows(batch, n_items)
    if item_weights is not None:
        rows.data *= item_weights[rows.indices].astype(np.float32)
    lengths = np.sqrt(np.maximum(rows.power(2).sum(axis=1), 1e-12))
    rows.data /= np.repeat(lengths, np.diff(rows.indptr)).astype(np.float32)
    return rows


def gram(rows: csr_array, ridge: float) -> torch.Tensor:
    """Return ``rowsᵀ rows + ridge · I`` as a dense ``(n_items, n_items)`` tensor."""
    found = torch.zeros(rows.shape[1], rows.shape[1]).fill_diagonal_(ridge)
    return add_product(found, rows.T.tocsr(), rows)


def add_product(table: torch.Tensor, left: csr_array, right: csr_array) -> torch.Tensor:
    """Add ``left @ right`` to a dense ``table`` of that shape, in place, and return it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that torch's sparse tensors are in beta
            return table.addmm_(_to_torch(left), _to_torch(right))  # on two threads, five times scipy's speed
    except RuntimeError:  # torch was built without MKL
        return table.add_(torch.from_numpy((left @ right).toarray()))


def sparse_product(left: csr_array, right: csr_array) -> csr_array:
    """Return ``left @ right`` with the columns of each row in order."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = _to_torch(left) @ _to_torch(right)
        parts = found.values().numpy(), found.col_indices().numpy(), found.crow_indices().numpy()
        product = csr_array(parts, shape=(left.shape[0], right.shape[1]))
    except RuntimeError:  # torch was built without MKL
        product = left @ right
    product.sort_indices()
    return product


def without_copying(rows: csr_array, regularisation: float, dropout: float = 0.0) -> torch.Tensor:
    r"""Return B ``(items, items)`` that explains every column of X by the others, with a zero diagonal.

    ``min ||X - X B||² + Σ_j λ_j ||B_j||²``, ``λ_j = λ + p / (1 - p) · (Xᵀ X)_jj``; with ``P = (Xᵀ X + diag λ_j)⁻¹``
    the solution is ``B_ij = -P_ij / P_jj`` off the diagonal. It takes ``items³`` flops, and twice ``items²`` floats;
    where users are few (:data:`FEWER`) ``users² · items`` flops, and no more floats.

    Args:
        rows: X ``(users, items)``.
        regularisation: λ.
        dropout: p.

    Source: Steck (2019), EASE; Steck (2020), EDLAE.
    """
    if rows.shape[0] <= FEWER * rows.shape[1]:
        ridge = _ridge(rows, regularisation, dropout)
        side, diagonal = (torch.from_numpy(part.astype(np.float32)) for part in inverse_by_rows(rows, ridge))
        return _scaled(rows, ridge)(side).div_(diagonal).fill_diagonal_(0)
    table = gram(rows, regularisation)
    if dropout:
        table.diagonal().add_(torch.from_numpy(np.asarray(rows.sum(axis=0))).float() * (dropout / (1 - dropout)))
    p = torch.cholesky_inverse(torch.linalg.cholesky(table))
    return p.div_(-p.diagonal().clone()).fill_diagonal_(0)


def times_without_copying(rows: csr_array, regularisation: float, dropout: float = 0.0) -> tuple[Product, Product]:
    r"""Return v -> B v and v -> Bᵀ v for the B of :func:`without_copying`; where users are few B is never laid out.

    With Λ the diagonal of all λ_j and P as :func:`inverse_by_rows` has it, ``B = I - P diag(P)⁻¹``. It takes ``users³``
    flops and ``users · items`` floats.
    """
    if rows.shape[0] > FEW * rows.shape[1]:
        b = without_copying(rows, regularisation, dropout)
        return (lambda v: b @ v), (lambda v: b.T @ v)
    ridge = _ridge(rows, regularisation, dropout)
    side, diagonal, own = (
        torch.from_numpy(part.astype(np.float32)) for part in (*inverse_by_rows(rows, ridge), (1 / ridge)[:, None])
    )
    shown = _scaled(rows, ridge)

    def p(v: torch.Tensor) -> torch.Tensor:
        return own * v - shown(side @ v)

    return (lambda v: v - p(v / diagonal[:, None])), (lambda v: v - p(v) / diagonal[:, None])


def _ridge(rows: csr_array, regularisation: float, dropout: float) -> np.ndarray:
    """Return all λ_j ``(items,)``."""
    return regularisation + dropout / (1 - dropout) * np.asarray(rows.sum(axis=0), np.float64)


def _scaled(rows: csr_array, ridge: np.ndarray) -> Product:
    """Return v ``(users, n)`` -> ``Λ⁻¹ Xᵀ v``."""
    return products(rows.multiply(1 / ridge).T.tocsr().astype(np.float32))


def inverse_by_rows(rows: csr_array, ridge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Return ``K X Λ⁻¹ (users, items)``, ``K = (I + X Λ⁻¹ Xᵀ)⁻¹``, and the diagonal ``(items,)`` of ``(Xᵀ X + Λ)⁻¹``.

    With them ``(Xᵀ X + Λ)⁻¹ = Λ⁻¹ - Λ⁻¹ Xᵀ · K X Λ⁻¹`` (Woodbury) is multiplied by without being laid out.

    Args:
        rows: X ``(users, items)``.
        ridge: the diagonal of Λ ``(items,)``.
    """
    scaled = rows.astype(np.float64).multiply(1 / ridge).tocsr()  # X Λ⁻¹
    side = np.linalg.solve(np.eye(rows.shape[0]) + (scaled @ rows.T.tocsr()).toarray(), scaled.toarray())
    return side, 1 / ridge - np.asarray(scaled.multiply(side).sum(axis=0)).ravel()


def leading_directions(apply: Product, size: int, dim: int, seed: int) -> torch.Tensor:
    """Return ``(size, dim)``: the leading eigenvectors of a positive symmetric table, the largest first.

    Orthogonal iteration on some more directions than are asked for; each column's largest entry is positive.

    Args:
        apply: v ``(size, columns)`` -> the table times v.
        size: rows of the table.
        dim: eigenvectors.
        seed: draws the directions to begin with.
    """
    v = torch.randn(size, min(dim + SPARE, size), generator=torch.Generator().manual_seed(seed))
    for _ in range(ROUNDS):
        product = apply(v)
        with one_thread():
            v = torch.linalg.qr(product)[0]
    within = v.T @ apply(v)
    with one_thread():
        turn = torch.linalg.eigh((within + within.T) / 2)[1]
    v = v @ turn.flip(1)[:, :dim]
    return v * torch.sign(v[v.abs().argmax(0), torch.arange(dim)])


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: many short steps by two, one of whose cores is busy, took a hundred times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def products(table: csr_array) -> Product:
    """Return v ``(columns, n)`` -> table v ``(rows, n)``; a table that is mostly full is laid out whole."""
    if table.nnz > FULL * table.shape[0] * table.shape[1]:
        whole = torch.from_numpy(table.toarray())
        return lambda v: whole @ v
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = _to_torch(table)
            found @ torch.zeros(table.shape[1], 1)
        return lambda v: found @ v
    except RuntimeError:  # torch was built without MKL
        return lambda v: torch.from_numpy(np.asarray(table @ v.numpy()))


def _to_torch(rows: csr_array) -> torch.Tensor:
    places, columns, values = (torch.from_numpy(part) for part in (rows.indptr, rows.indices, rows.data))
    return torch.sparse_csr_tensor(places, columns, values, size=rows.shape, check_invariants=False)
