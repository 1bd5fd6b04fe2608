"""The article's own names, called as the article calls them; the loop underneath is the one in ``training``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from .errors import InputError
from .model import PretrainedModel
from .training import run_epoch


class BehaviorDataset(Dataset):
    """Rows ``x`` of behaviour, or pairs ``(x, y)`` where labels are given.

    Args:
        behaviors: ``(users, items)``: one row of weights (ratings) per user.
        labels: one label per user, or None.

    Raises:
        InputError: the number of labels is not the number of rows.
    """

    def __init__(self, behaviors: Tensor | Sequence[Any], labels: Tensor | Sequence[Any] | None = None) -> None:
        if labels is not None and len(labels) != len(behaviors):
            raise InputError(f"{len(labels)} labels for {len(behaviors)} rows of behaviour: give one per row")
        self.behaviors, self.labels = behaviors, labels

    def __len__(self) -> int:
        return len(self.behaviors)

    def __getitem__(self, index: int) -> Any:
        if self.labels is None:
            return self.behaviors[index]
        return self.behaviors[index], self.labels[index]


def train(
    model: PretrainedModel,
    dataloader: Iterable[Any],
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    is_pretraining: bool,
) -> float:
    """Train ``model`` for one epoch and return the mean loss over the batches.

    While pretraining, ``decoder ∘ g`` is held against its own input; labels, if the loader has any, are ignored.
    While fine-tuning, ``h ∘ g`` is held against the label. This is the article's function with its two faults
    mended: it takes rows without labels, and g's output passes a decoder before it is compared with the input.
    """
    model.train()

    def loss(data: Any) -> Tensor:
        if is_pretraining:
            x = data if isinstance(data, Tensor) else data[0]
            return criterion(model.decoder(model.feature_extractor(x)), x)
        x, y = data
        return criterion(model(x), y)

    return run_epoch(dataloader, loss, optimizer)
