"""The operations that a step and an answer are made of, each with its flops, its bytes and its seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn import functional as F

from .hardware import Meter
from .measure import record, seconds

Kernel = tuple[str, Callable[[], object], float, float]


def kernels(n_items: int, dim: int, users: int = 256, events: int = 160) -> list[Kernel]:
    """Return name, call, flops and bytes of each: bytes read and written at least, float32.

    Args:
        n_items: catalogue.
        dim: length of a vector.
        users: in a batch.
        events: of each user.
    """
    vectors, table, scores = torch.randn(users, dim), torch.randn(n_items, dim), torch.randn(users, n_items)
    items, offsets = torch.randint(n_items, (users * events,)), torch.arange(users) * events
    weight = torch.nn.Parameter(torch.randn(n_items, dim))
    weight.grad = torch.randn(n_items, dim)
    adam = torch.optim.AdamW([weight], fused=True)
    n, cells = users * events, users * n_items
    return [
        ("scores of a batch (matrix product)", lambda: vectors @ table.T,
         2 * cells * dim, 4 * (users * dim + n_items * dim + cells)),
        ("scores of one user (matrix times vector)", lambda: torch.mv(table, vectors[0]),
         2 * n_items * dim, 4 * (n_items * dim + dim + n_items)),
        ("sum of item vectors (EmbeddingBag)", lambda: F.embedding_bag(items, table, offsets, mode="sum"),
         n * dim, 4 * (n * dim + users * dim)),
        ("softmax", lambda: scores.softmax(1), 5 * cells, 4 * 2 * cells),
        ("Adam", adam.step, 12 * n_items * dim, 4 * 7 * n_items * dim),
    ]  # fmt: skip


def roofline(meter: Meter, n_items: int, dim: int, repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield ``kernel_gflops`` for each, with flops, bytes and seconds; all, and the roof, at their best of the run."""
    found, rates = [], []
    for name, run, flops, size in kernels(n_items, dim):
        run()
        found.append((name, flops, size, [seconds(run) for _ in range(max(3, repetitions))]))
        rates.append(meter.rates())
    roof = {"gemm_flops": max(rate.flops for rate in rates), "bandwidth": max(rate.bytes for rate in rates)}
    for name, flops, size, times in found:
        speeds = [flops / took / 1e9 for took in times]
        yield record("kernel_gflops", max(speeds), min(speeds), max(speeds), len(times)) | roof | {
            "name": name, "flops": flops, "bytes": size, "seconds": min(times), "items": n_items, "dim": dim,
        }  # fmt: skip
