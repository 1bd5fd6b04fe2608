"""How far an epoch is from what the hardware could do at best: its matrix products, and the rows that it looks up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..engine.progress import Progress
from ..engine.settings import Settings, seeded
from ..objectives import Objective, build_objective
from ..objectives.masked_item import MaskedItem
from ..objectives.sequence import SequenceObjective
from ..training import fit
from .counting import Counted
from .measure import record, seconds


@dataclass(frozen=True)
class Rates:
    """What this machine gives: additions and multiplications, and bytes read and written, a second."""

    flops: float
    bytes: float


class Meter:
    """Measures the two rates when asked to, side by side with the work that is held against them.

    Args:
        square: side of the matrices; by default one at which the rate has levelled off.
        added: floats that are added in place; by default more than a cache holds.
        device: whose rates they are.
        dtype: of the product; with another than float32 the work runs under autocast.
    """

    def __init__(
        self, square: int = 2048, added: int = 2**24, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        self.device, self.dtype = torch.device(device), dtype
        self.left, self.right = torch.randn(2, square, square).to(self.device, dtype)
        # Not zeros: pages never written are all one page.
        self.source, self.sink = torch.ones(2, added, device=self.device)

    def rates(self) -> Rates:
        """Return the better of two tries of a product of squares, and of adding to a table that fits in no cache.

        (Adding in place reads two numbers and writes one; a copy would read what it overwrites, and hide it.)
        """
        self._finished(None)
        product = min(seconds(lambda: self._finished(torch.mm(self.left, self.right))) for _ in range(2))
        added = min(seconds(lambda: self._finished(self.sink.add_(self.source))) for _ in range(2))
        return Rates(2 * len(self.left) ** 3 / product, 3 * 4 * len(self.source) / added)

    def work(self) -> torch.autocast:
        """Return what the work that is held against these rates runs under."""
        mixed = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype if mixed else torch.bfloat16, enabled=mixed)

    def _finished(self, _: object) -> None:
        """Wait for a GPU, which goes on by itself."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@dataclass(frozen=True)
class Work:
    """What an epoch cannot do without.

    Args:
        flops: of its matrix products, forward and backward.
        gathered: bytes of the rows looked up, read once forward, read and written once backward.
        optimizer: bytes that Adam reads and writes (four tables in, three out, at every step).
    """

    flops: float
    gathered: float
    optimizer: float

    def seconds(self, rates: Rates) -> float:
        """Return the floor: products and look-ups alone, each at its best rate."""
        return self.flops / rates.flops + self.gathered / rates.bytes


def epochs_over_floor(
    names: list[str], data: Interactions, meter: Meter, repetitions: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Time epochs of these objectives, each epoch followed by a measurement of the rates, and yield the ratios."""
    for name in names:
        with seeded(seed):
            objective = build_objective(name, data)
        yield epoch_over_floor(objective, data, meter, repetitions, seed)


def epoch_over_floor(
    objective: Objective, data: Interactions, meter: Meter, repetitions: int, seed: int
) -> dict[str, Any]:
    """Return the record ``epoch_over_floor_NAME``, on ``meter``'s device; the first epoch is counted, not timed."""
    objective, recipe = objective.to(meter.device), objective.recipe
    examples = objective.examples(Batch.of(data))
    batch_size = min(recipe.batch_size, max(32, data.n_users // 10))
    settings = Settings(1 + repetitions, batch_size, recipe.learning_rate, recipe.weight_decay)
    counting, rates, steps = Counted(), [], []

    def order() -> list[torch.Tensor]:
        steps.append(len(plan := list(objective.order(examples, batch_size))))
        return plan

    def loss(batch: Batch) -> torch.Tensor:
        with meter.work():
            return objective.train()(batch.to(meter.device))

    def measure(state: Progress) -> None:
        if state.epoch == 1:
            counting.__exit__(None, None, None)
        else:
            rates.append(meter.rates())

    counting.__enter__()
    history = fit(objective, loss, examples, settings, seed=seed, order=order, on_epoch=measure, progress=False)
    work = work_of(objective, examples, counting, steps[0])
    floors = [work.seconds(rate) for rate in rates]
    times = history["seconds"].to_numpy()[1:]
    ratios = times / np.array(floors)
    return record(f"epoch_over_floor_{objective.name}", median(ratios), ratios.min(), ratios.max(), repetitions) | {
        "seconds": float(median(times)), "floor_seconds": float(median(floors)), "steps": steps[0],
        "flops": work.flops, "gathered_bytes": work.gathered, "optimizer_bytes": work.optimizer,
        "gemm_flops": median(rate.flops for rate in rates), "bandwidth": median(rate.bytes for rate in rates),
        "dim": objective.encoder.dim, "batch_size": batch_size,
    }  # fmt: skip


def work_of(objective: Objective, examples: Batch, counting: Counted, steps: int) -> Work:
    """Return the work of an epoch; of histories the places that hold an event alone are counted, no padding."""
    numbers = sum(parameter.numel() for parameter in objective.parameters())
    flops: float = counting.flops
    if isinstance(objective, SequenceObjective):
        flops = sequence_flops(objective, examples)
    return Work(flops, 3 * counting.gathered, 4 * 7 * numbers * steps)


def sequence_flops(objective: SequenceObjective, examples: Batch) -> float:
    """Return the flops of all real places, three times forward; masks are scored at their expected number."""
    encoder, lengths = objective.encoder, examples.lengths.numpy()
    read = lengths - 1 if encoder.causal else lengths
    by_length = zip(*np.unique(read, return_counts=True), strict=True)
    forward = sum(encoder.cost(int(length)).flops * int(users) for length, users in by_length)
    if not isinstance(objective, MaskedItem):
        scored = read.clip(0).sum()
    else:
        share = objective.share * (1 - objective.cut)  # a history that is cut is asked for one event
        scored = (1 + share * (read - 1).clip(0)).sum()
    return 3.0 * (forward + 2 * scored * encoder.dim * encoder.n_items)


def padding(name: str, data: Interactions, seed: int) -> dict[str, Any]:
    """Return the record ``padding_waste``: the share of an epoch's places that hold no event."""
    objective = build_objective(name, data)
    examples = objective.examples(Batch.of(data))
    lengths = examples.lengths
    with seeded(seed, 1):
        plan = list(objective.order(examples, objective.recipe.batch_size))
    places = sum(len(rows) * int(lengths[rows].max()) for rows in plan)
    waste = 1 - int(lengths.sum()) / places
    return record("padding_waste", waste, waste, waste, 1) | {"steps": len(plan)}
