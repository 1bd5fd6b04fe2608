"""Where a training stands between two epochs, and how one that was interrupted goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class Progress:
    """Where a training stands after an epoch: all that a resumed one needs. Every tensor is a copy.

    ``tensors`` holds ``module.*``, ``optimizer.*`` and, once there is a validation loss, ``best.*``.
    """

    epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best(self) -> tuple[float, float]:
        """Lowest validation loss so far and its epoch (counted from 1); infinity before the first."""
        return min(((row["validation"], row["epoch"]) for row in self.history), default=(math.inf, 0))

    def out_of_patience(self, patience: int | None) -> bool:
        """Return whether the last ``patience`` epochs were no better than one before them."""
        return patience is not None and self.epoch - self.best[1] >= patience and self.epoch > 0

    def after(
        self, row: dict[str, float], module: nn.Module, optimizer: torch.optim.Optimizer, keep: bool
    ) -> Progress:
        """Return the state after one more epoch; the tensors to resume from are copied only where ``keep``."""
        better = row["validation"] < self.best[0]
        weights = module.state_dict() if better or keep else {}  # which gathers tables that are cut by rows
        tensors = {name: value for name, value in self.tensors.items() if name.startswith("best.")}
        if better:
            tensors = {f"best.{name}": value.clone() for name, value in weights.items()}
        if keep:
            tensors |= {f"module.{name}": value.clone() for name, value in weights.items()}
            for index, slots in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{index}.{slot}": value.clone() for slot, value in slots.items()}
        return Progress(int(row["epoch"]), [*self.history, row], tensors)

    def restore(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Put weights and optimiser back to where they stood; a training that has not begun is left alone."""
        if self.epoch == 0:
            return
        module.load_state_dict(_named(self.tensors, "module."))
        saved = optimizer.state_dict()
        saved["state"] = {}
        for name, value in _named(self.tensors, "optimizer.").items():
            index, slot = name.split(".")
            saved["state"].setdefault(int(index), {})[slot] = value
        optimizer.load_state_dict(saved)

    def best_weights(self) -> dict[str, Tensor]:
        """Return the weights of the epoch with the lowest validation loss; empty where there was none."""
        return _named(self.tensors, "best.")


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
