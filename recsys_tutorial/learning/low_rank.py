"""LoRA: fine-tune every linear layer and item table of g by a change of low rank, merged into it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..engine.settings import seeded
from ..errors import InputError, whole

RANK = 8


class LowRank(nn.Module):
    r"""``W -> W + B A``, with A ``(rank, columns)`` from N(0, 1 / rank) and B ``(rows, rank)`` of zeros.

    So the first W is the pretrained one, and a step of size ε on B moves an entry of W by about ε.
    """

    def __init__(self, rows: int, columns: int, rank: int) -> None:
        super().__init__()
        rank = min(rank, rows, columns)
        self.a, self.b = nn.Parameter(torch.randn(rank, columns) / rank**0.5), nn.Parameter(torch.zeros(rows, rank))

    def forward(self, original: Tensor) -> Tensor:
        """Return the changed weights, ``(rows, columns)`` both ways."""
        return torch.addmm(original, self.b, self.a)


def adapted_tables(g: nn.Module) -> list[tuple[nn.Module, str]]:
    """Return the tables of g that are adapted, as a module and a name in it: weights of linear layers, item vectors."""
    found = []
    for part in g.modules():
        names = ["weight"] if isinstance(part, nn.Linear) else ["item_vectors"]
        found += [(part, name) for name in names if isinstance(part._parameters.get(name), nn.Parameter)]
    return found


def n_trained(g: nn.Module, rank: int = RANK) -> int:
    """Return how many numbers of g are trained where it is adapted by this rank."""
    tables = (getattr(part, name) for part, name in adapted_tables(g))
    return sum(min(rank, *table.shape) * sum(table.shape) for table in tables)


@contextmanager
def low_rank(g: nn.Module, rank: int = RANK, seed: int = 0) -> Iterator[None]:
    """Let g learn by :class:`LowRank` alone inside the block; afterwards it is of the shape it was, changes merged.

    Args:
        g: any module with linear layers or item vectors; what else it learned (biases, norms, places) stays.
        rank: of each change; that of the table itself, where it is smaller.
        seed: draws A.

    Raises:
        InputError: nothing to adapt, or a rank below 1.

    Source: Hu et al. (2021), LoRA: Low-Rank Adaptation of Large Language Models.
    """
    rank, tables = whole("rank", rank), adapted_tables(g)
    if not tables:
        raise InputError(f"{type(g).__name__} has no linear layer and no item vectors: lora has nothing to adapt")
    moved = [p for p in g.parameters() if p.requires_grad]
    sparse = getattr(g, "sparse_gradients", False)
    orders = [list(part._parameters) for part, _ in tables]
    g.requires_grad_(False)
    with seeded(seed):
        for part, name in tables:
            rows, columns = getattr(part, name).shape
            change = LowRank(rows, columns, rank).to(getattr(part, name).device)
            parametrize.register_parametrization(part, name, change)
    if sparse:  # a table made of two others has no rows of its own
        g.sparse_gradients = False  # type: ignore[assignment]
    try:
        yield
    finally:
        for (part, name), order in zip(tables, orders, strict=True):
            parametrize.remove_parametrizations(part, name)
            merged = {one: part._parameters.pop(one) for one in order}  # in the order that they were in
            part._parameters.update(merged)
        if sparse:
            g.sparse_gradients = True  # type: ignore[assignment]
        for p in moved:
            p.requires_grad_(True)
