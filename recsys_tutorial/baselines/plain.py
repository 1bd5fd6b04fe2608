"""The network from scratch as it is mostly trained: the article's loop and nothing beside it."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import nn

from ..data.batches import Batch, shuffled
from ..data.interactions import Interactions
from ..encoders import Encoder
from ..engine.settings import seeded
from ..model import PretrainedModel
from ..tasks import Task
from ..training import run_epoch


class PlainScratch:
    """A network with random weights, trained by Adam as it comes: one rate, no warm-up, no start at popularity.

    The strategy ``scratch`` is the same network, trained as well as we know how. This one is what many comparisons call
    "from scratch".

    Args:
        g: a feature extractor of the shape to be trained; its weights are not used.
        epochs: passes over the labelled users.
        batch_size: users per step.
        seed: fixes initial weights and order.

    Source: the article's fine-tuning loop; the sizes, which it leaves open, are PyTorch's and Keras' usual ones.
    """

    def __init__(self, g: Encoder, epochs: int = 30, batch_size: int = 32, seed: int = 0) -> None:
        self.g, self.epochs, self.batch_size, self.seed = g, epochs, batch_size, seed

    def fit(self, task: Task) -> Self:
        """Train on the task's labelled users."""
        with seeded(self.seed):
            g = type(self.g)(**self.g.config)
            f = PretrainedModel.compose(g, nn.Linear(g.dim, task.n_outputs), catalogue=task.behaviour.catalogue)
        optimizer, examples = torch.optim.Adam(f.parameters(), fused=True), task.examples()
        for epoch in range(self.epochs):
            with seeded(self.seed, epoch + 1):
                batches = (examples.take(rows) for rows in shuffled(len(examples), self.batch_size))
                run_epoch(batches, lambda example: task.loss(f(example[0]), example[1]), optimizer)
        self.model = f.eval()
        return self

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, outputs)``."""
        return self.model.score(behaviour)
