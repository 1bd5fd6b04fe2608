"""The one training loop: pretraining and fine-tuning, every objective and every task."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from .data.batches import shuffled
from .engine import processes as distributed
from .engine.optimizer import RowAdamW
from .engine.sharded_parameters import clip_gradients, keep_whole
from .errors import InputError, TrainingError


@contextlib.contextmanager
def seeded(seed: int, epoch: int = 0) -> Iterator[None]:
    """Seed torch's global CPU generator inside the block; outside, it goes on as if nothing had been drawn.

    Seeding by (seed, epoch) makes every epoch's randomness depend on these two alone, so that a resumed training
    draws the same numbers as one that was never interrupted.
    """
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed={seed!r}: it needs to be a whole number of at least 0")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed * 1_000_003 + epoch)
        yield


def run_epoch(
    batches: Iterable[Any],
    loss_of: Callable[[Any], Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    max_norm: float = math.inf,
    before_step: Callable[[], None] | None = None,
) -> float:
    """Take one optimiser step per batch and return the mean loss over the batches.

    Args:
        batches: anything; each element is handed to ``loss_of``.
        loss_of: batch -> scalar loss.
        optimizer: holds the parameters that move.
        max_norm: longer gradients are scaled back to this Euclidean length.
        before_step: called before every step (it sets the learning rate, say).

    Raises:
        TrainingError: no batches, nothing to train, a loss or gradient that is not finite; nothing was stepped then.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    total, steps = 0.0, 0
    for steps, batch in enumerate(batches, start=1):
        loss = loss_of(batch)
        if not loss.requires_grad:
            raise TrainingError("nothing to train: the loss depends on no parameter that may move")
        if not torch.isfinite(loss):
            raise TrainingError(_explain(f"the loss became {loss.item()}", steps, optimizer))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if not torch.isfinite(clip_gradients(parameters, max_norm)):
            raise TrainingError(_explain("a gradient is not finite", steps, optimizer))
        if before_step is not None:
            before_step()
        optimizer.step()
        total += loss.item()
    if steps == 0:
        raise TrainingError("nothing to train on: there was no batch")
    return total / steps


def _explain(what: str, step: int, optimizer: torch.optim.Optimizer) -> str:
    rate = optimizer.param_groups[0]["lr"]
    return f"{what} at step {step} of the epoch (learning rate {rate:.3g}): lower learning_rate, or look for NaN in x"


def one_cycle(progress: float, warm_up: float = 0.3) -> float:
    """Return the learning rate's factor at ``progress`` in [0, 1]: a cosine up to 1, then a cosine down to 0.

    Source: Smith and Topin (2018), Super-convergence.
    """
    if progress < warm_up:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / warm_up)) / 2
    return (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up))) / 2


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
        for name, lowest in (("epochs", 1), ("batch_size", 1), ("patience", 1)):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < lowest):
                raise InputError(f"{name}={value!r}: it needs to be a whole number of at least {lowest}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate={self.learning_rate!r}: it needs to be a number above 0")


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


def fit(
    module: nn.Module,
    loss_of: Callable[[Any], Tensor],
    examples: Any,
    settings: Settings,
    *,
    seed: int,
    order: Callable[[], Iterable[Tensor]] | None = None,
    parameter_groups: list[dict[str, Any]] | None = None,
    validate: Callable[[], float] | None = None,
    resume_from: Progress | None = None,
    on_epoch: Callable[[Progress], None] | None = None,
    progress: bool | None = None,
    description: str = "training",
) -> pd.DataFrame:
    """Train ``module`` in place and return its history: one row per epoch (epoch, loss, validation, seconds).

    With ``validate`` the weights of the best epoch are put back at the end.

    Args:
        module: what is trained; its train/eval mode is the caller's to choose inside ``loss_of``.
        loss_of: what ``examples.take`` returns -> scalar loss.
        examples: has ``len`` and ``take(rows)``.
        settings: epochs, rate and so on.
        seed: fixes the order of the examples and all draws of ``loss_of``.
        order: yields the rows of each batch of an epoch; None shuffles.
        parameter_groups: for AdamW, each with ``params`` and, where it is not the whole rate, ``scale``.
        validate: returns the validation loss (lower is better), called after every epoch.
        resume_from: go on from here.
        on_epoch: called with the state after every epoch (it writes checkpoints).
        progress: show a progress bar; None shows one where standard error is a terminal.
        description: what the progress bar calls this training.
    """
    groups = parameter_groups or [{"params": [p for p in module.parameters() if p.requires_grad]}]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise TrainingError("nothing to train: every parameter is frozen")
    order = order or (lambda: shuffled(len(examples), settings.batch_size))
    optimizer = RowAdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    keep_whole(optimizer)
    state = resume_from or Progress()
    _restore(module, optimizer, state)
    epochs_done = 0.0

    def set_rate() -> None:
        nonlocal epochs_done
        factor = one_cycle(epochs_done / settings.epochs)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * group.get("scale", 1.0) * factor
        epochs_done += 1 / len(plan)

    show = sys.stderr.isatty() if progress is None else progress
    bar = tqdm(total=settings.epochs, initial=state.epoch, desc=description, unit="epoch", disable=not show)
    with bar:
        while state.epoch < settings.epochs and not _out_of_patience(state, settings.patience):
            started = time.perf_counter()
            with seeded(seed, state.epoch + 1):
                plan, epochs_done = list(order()), float(state.epoch)
                batches = (examples.take(rows) for rows in plan)
                loss = run_epoch(batches, loss_of, optimizer, max_norm=settings.max_norm, before_step=set_rate)
                loss = distributed.mean(loss)
            row = {"epoch": state.epoch + 1, "loss": loss, "validation": math.nan}
            if validate is not None:
                with seeded(seed), torch.no_grad():
                    row["validation"] = distributed.mean(validate())  # the same in each, lest one stop alone
            row["seconds"] = time.perf_counter() - started
            state = _advance(state, row, module, optimizer, keep=on_epoch is not None)
            bar.update()
            bar.set_postfix({key: f"{row[key]:.3f}" for key in ("loss", "validation") if row[key] == row[key]})
            if on_epoch is not None:
                on_epoch(state)
    best = _named(state.tensors, "best.")
    if best:
        module.load_state_dict(best)
    return pd.DataFrame(state.history)


def _out_of_patience(state: Progress, patience: int | None) -> bool:
    return patience is not None and state.epoch - state.best[1] >= patience and state.epoch > 0


def _advance(
    state: Progress, row: dict[str, float], module: nn.Module, optimizer: torch.optim.Optimizer, keep: bool
) -> Progress:
    """Return the state after one more epoch; the tensors to resume from are copied only where ``keep``."""
    weights = module.state_dict()
    tensors = {name: value for name, value in state.tensors.items() if name.startswith("best.")}
    if row["validation"] < state.best[0]:
        tensors = {f"best.{name}": value.clone() for name, value in weights.items()}
    if keep:
        tensors |= {f"module.{name}": value.clone() for name, value in weights.items()}
        for index, slots in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{slot}": value.clone() for slot, value in slots.items()}
    return Progress(int(row["epoch"]), [*state.history, row], tensors)


def _restore(module: nn.Module, optimizer: torch.optim.Optimizer, state: Progress) -> None:
    if state.epoch == 0:
        return
    module.load_state_dict(_named(state.tensors, "module."))
    saved = optimizer.state_dict()
    saved["state"] = {}
    for name, value in _named(state.tensors, "optimizer.").items():
        index, slot = name.split(".")
        saved["state"].setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict(saved)


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
