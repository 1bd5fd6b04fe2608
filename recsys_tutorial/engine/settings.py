"""What a training is told: its settings, its seed, and how its learning rate goes up and down."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..errors import InputError, whole


@dataclass(frozen=True)
class Settings:
    """How to train.

    Args:
        epochs: passes over the examples.
        batch_size: users per step.
        learning_rate: the highest rate of the one-cycle schedule.
        weight_decay: pull of every weight towards zero (AdamW).
        max_norm: gradients longer than this are scaled back to it.
        patience: stop after this many epochs without a better validation loss; None runs them all.
    """

    epochs: int = 20
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    max_norm: float = 10.0
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if name != "patience" or self.patience is not None:
                object.__setattr__(self, name, whole(name, getattr(self, name)))
        for name in ("learning_rate", "weight_decay", "max_norm"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate={self.learning_rate!r}: it needs to be a number above 0")


def one_cycle(progress: float, warm_up: float = 0.3) -> float:
    """Return the learning rate's factor at ``progress`` in [0, 1]: a cosine up to 1, then a cosine down to 0.

    Source: Smith and Topin (2018), Super-convergence.
    """
    if progress < warm_up:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / warm_up)) / 2
    return (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2


@contextlib.contextmanager
def seeded(seed: int, epoch: int = 0) -> Iterator[None]:
    """Seed torch's global CPU generator inside the block; outside, it goes on as if nothing had been drawn.

    Seeding by (seed, epoch) makes every epoch's randomness depend on these two alone, so that a resumed training
    draws the same numbers as one that was never interrupted.
    """
    seed = whole("seed", seed, lowest=0)
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed prints the call stack into a queue for every GPU that may come: 1 ms where none does.
        seeds = torch.manual_seed if torch.accelerator.is_available() else torch.default_generator.manual_seed
        seeds(seed * 1_000_003 + epoch)
        yield
