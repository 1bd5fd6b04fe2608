"""Exercises of notebook 10."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .base import compared

Shapes = Sequence[tuple[int, ...]]
Whole = Sequence[int]


def _least_seconds(flops: float, n_bytes: float, rate: float, bandwidth: float) -> float:
    return max(flops / rate, n_bytes / bandwidth)


def _operations() -> dict[str, tuple]:
    return {
        "4e10 flops on 1e9 bytes, at 1e11 flops and 2e10 bytes a second": (4e10, 1e9, 1e11, 2e10),
        "5e8 flops on 1e9 bytes, at the same rates": (5e8, 1e9, 1e11, 2e10),
    }


def _training_bytes(shapes: Shapes) -> int:
    return 4 * 4 * sum(int(np.prod(shape)) for shape in shapes)


def _tables() -> dict[str, tuple]:
    return {
        "one table of (1000, 64)": ([(1000, 64)],),
        "the item vectors, bias, head and its bias: (2078, 64), (64,), (2078, 64), (2078,)": (
            [(2078, 64), (64,), (2078, 64), (2078,)],
        ),
    }


def _waste(lengths: Whole, size: int) -> float:
    return _empty(_batches(sorted(lengths), size))


def _batches(lengths: Whole, size: int) -> list[Whole]:
    return [lengths[start : start + size] for start in range(0, len(lengths), size)]


def _empty(batches: Sequence[Whole]) -> float:
    return 1 - sum(map(sum, batches)) / sum(len(batch) * max(batch) for batch in batches)


def _lengths() -> dict[str, tuple]:
    return {
        "batches of 2 of people with 9, 1, 8 and 3 events": ([9, 1, 8, 3], 2),
        "batches of 2 of people with 2, 7, 3, 4 and 20": ([2, 7, 3, 4, 20], 2),
    }


def _z_hat(z: np.ndarray, target: int, drawn: Whole, pi: np.ndarray) -> float:
    others = [j for j in drawn if j != target]
    return float(np.exp(z[target]) + (np.exp(z[others]) / pi[others]).sum())


def _samples() -> dict[str, tuple]:
    z, pi = np.log([4.0, 2.0, 1.0, 1.0]), np.array([0.8, 0.5, 0.25, 0.4])
    return {
        "e^z of 4, 2, 1, 1, drawn with the probabilities .8 .5 .25 .4: target 0, and 1 and 2 were drawn": (
            z, 0, [1, 2], pi,
        ),
        "the same for target 1, where 0 and 1 were drawn": (z, 1, [0, 1], pi),
    }  # fmt: skip


EXERCISES = (
    compared(
        "10-roof",
        "Write least_seconds(flops, n_bytes, F, W): the least time that an operation takes on a processor of F flops a "
        "second, whose memory delivers W bytes a second.",
        "It needs flops / F seconds of arithmetic and n_bytes / W of memory. Both go on at the same time.",
        _least_seconds,
        _operations,
        {
            "adds up both times, though they go on side by side": lambda flops, n_bytes, F, W: flops / F + n_bytes / W,
            "takes the shorter of both times": lambda flops, n_bytes, F, W: min(flops / F, n_bytes / W),
            "forgets that memory has to deliver": lambda flops, n_bytes, F, W: flops / F,
            "counts bits where bytes are asked for": lambda flops, n_bytes, F, W: max(flops / F, 8 * n_bytes / W),
        },
    ),
    compared(
        "10-memory",
        "Write training_bytes(shapes): how many bytes hold the parameters of these shapes in float32 while Adam trains "
        "them.",
        "A float32 takes 4 bytes. Beside each weight lie its gradient and the two averages that Adam keeps of it.",
        _training_bytes,
        _tables,
        {
            "forgets Adam's two": lambda shapes: _training_bytes(shapes) // 2,
            "forgets the gradients": lambda shapes: _training_bytes(shapes) * 3 // 4,
            "counts numbers, not bytes": lambda shapes: _training_bytes(shapes) // 4,
            "adds up the sides of a table where it should multiply": lambda shapes: 16 * sum(map(sum, shapes)),
        },
    ),
    compared(
        "10-padding",
        "Write waste(lengths, size): people are sorted by how much they did and cut into batches of this size, each as "
        "wide as its longest history; return the share of places that hold no event.",
        "sorted(lengths)[start : start + size] is a batch; it has len(batch) * max(batch) places. The last batch may "
        "be smaller. Add up events and places of all batches, then divide.",
        _waste,
        _lengths,
        {
            "takes people as they come, not sorted": lambda lengths, size: _empty(_batches(lengths, size)),
            "pads everyone to the longest of all": lambda lengths, size: _empty([lengths]),
            "averages over batches, though they differ in size": lambda lengths, size: float(
                np.mean([_empty([batch]) for batch in _batches(sorted(lengths), size)])
            ),
            "drops the last batch where it is not full": lambda lengths, size: _waste(
                sorted(lengths)[: len(lengths) // size * size], size
            ),
        },
    ),
    compared(
        "10-sampled",
        "Write z_hat(z, target, drawn, pi): the estimate of Z = sum of e^z from the target and the items drawn, item j "
        "with probability pi[j].",
        "The target counts once, as it is, even where it was drawn. Each other item drawn stands for 1 / pi[j] items.",
        _z_hat,
        _samples,
        {
            "forgets the probabilities": lambda z, target, drawn, pi: _z_hat(z, target, drawn, np.ones_like(pi)),
            "multiplies by the probability where it should divide": lambda z, target, drawn, pi: _z_hat(
                z, target, drawn, 1 / pi
            ),
            "counts the target twice where it was drawn": lambda z, target, drawn, pi: float(
                np.exp(z[target]) + (np.exp(z[drawn]) / pi[drawn]).sum()
            ),
            "forgets the target": lambda z, target, drawn, pi: _z_hat(z, target, drawn, pi) - float(np.exp(z[target])),
        },
    ),
)  # fmt: skip
