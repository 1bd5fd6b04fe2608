"""``BehaviorDataset``: rows of behaviour, with or without labels, from whatever holds them."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.utils.data import Dataset

from .data.interactions import Interactions
from .errors import InputError, listed


class BehaviorDataset(Dataset):
    """Rows ``x`` of behaviour, or pairs ``(x, y)`` where labels are given.

    Args:
        behaviors: ``(users, items)``, a row of weights (ratings) per user: a tensor, an array, lists, a DataFrame, a
            sparse matrix (it stays sparse) or Interactions. Rows come out as float32; a float32 tensor stays as it is.
        labels: one per user, or None. Whole numbers come out as int64, others as float32, and text as the numbers of
            ``classes``, the names in alphabetical order (None where labels are no text).

    Raises:
        InputError: rows not equally long, labels not one per row, a value that is no finite real number.
    """

    def __init__(self, behaviors: Any, labels: Any = None) -> None:
        self.behaviors, self.labels, self.classes = _rows(behaviors), None, None
        if labels is not None:
            self.labels, self.classes = _labels(labels, len(self))

    def __len__(self) -> int:
        return self.behaviors.shape[0]

    def __getitem__(self, index: int) -> Any:
        x = self.behaviors[index]
        x = x if isinstance(x, Tensor) else torch.from_numpy(x.toarray().ravel())  # one row: the whole may not fit
        return x if self.labels is None else (x, self.labels[index])


def _rows(given: Any) -> Tensor | csr_array:
    """Return ``(users, items)`` of float32, sparse where ``given`` is."""
    if isinstance(given, Interactions):
        given = csr_array((given.weights, given.items, given.offsets), shape=(given.n_users, given.n_items))
    if hasattr(given, "tocsr") and given.ndim == 2:  # sparse, as SciPy has it
        table = csr_array(given)
        numbers = _numbers(table.data, "behaviour", table.tocoo().row).float().numpy()
        return csr_array((numbers, table.indices, table.indptr), shape=table.shape)
    if not (isinstance(given, Tensor) and given.dtype == torch.float32):
        given = _numbers(given, "behaviour").float()
    if given.dim() != 2:
        raise InputError(f"behaviour of shape {tuple(given.shape)}: it needs (users, items), one row per user")
    return given


def _labels(given: Any, n: int) -> tuple[Tensor, tuple[str, ...] | None]:
    """Return ``n`` labels, int64 or float32, and the names of the classes where they were given as text."""
    names = None
    if not isinstance(given, Tensor):
        texts = np.asarray(given, dtype=object).ravel().tolist()
        if texts and all(isinstance(text, str) for text in texts):
            names, given = np.unique(texts, return_inverse=True)
    labels = _numbers(given, "labels")
    if labels.dim() == 0 or len(labels) != n:
        raise InputError(f"{labels.numel()} labels for {n} rows of behaviour: give one per row")
    return labels if labels.is_floating_point() else labels.long(), names if names is None else tuple(names.tolist())


def _numbers(given: Any, what: str, rows: np.ndarray | None = None) -> Tensor:
    """Return whole numbers, or finite ones as float32; InputError names the first other value and its row."""
    needed = "finite real numbers, 0 for nothing" if what == "behaviour" else "one per user, all numbers or all names"
    if not isinstance(given, Tensor) or given.is_complex():
        try:
            array = np.asarray(given)
        except ValueError as error:
            lengths = sorted({len(row) if hasattr(row, "__len__") else 1 for row in given})
            raise InputError(f"rows of {what} hold {listed(lengths)} values: fill up the shorter ones") from error
        if array.dtype.kind not in "biuf":
            array = np.asarray(given, dtype=object)
            for place, value in sorted(np.ndenumerate(array), key=lambda entry: isinstance(entry[1], str)):
                if not isinstance(value, Real | np.bool_) or value != value:  # among names, what is missing comes first
                    raise InputError(f"row {(*place, 0)[0]} of {what} holds {listed([repr(value)])}: it needs {needed}")
            array = np.array(array.tolist())
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as that
            given = torch.from_numpy(array.astype(np.float32 if array.dtype.kind == "f" else np.int64, order="C"))
    if odd := (~given.float().isfinite()).nonzero().tolist():
        row = odd[0][0] if rows is None else rows[odd[0][0]]
        raise InputError(f"row {row} of {what} holds {given[tuple(odd[0])].item()}: it needs {needed}")
    return given.float() if given.is_floating_point() else given
