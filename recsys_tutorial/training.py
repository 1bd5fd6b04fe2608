"""The one training loop: ``train`` as the article calls it, ``run_epoch`` under it, ``fit`` for many epochs.

Pretraining and fine-tuning, every objective and every task pass through here.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from .data.batches import shuffled
from .engine import processes as distributed
from .engine.optimizer import RowAdamW
from .engine.progress import Progress
from .engine.settings import Settings, one_cycle, seeded
from .engine.sharded_parameters import clip_gradients, keep_whole
from .errors import InputError, TrainingError
from .model import PretrainedModel


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
    InputError says what is missing: the labels, a class for one of them, or the decoder.
    """
    model.train()

    def loss(data: Any) -> Tensor:
        x = data if isinstance(data, Tensor) else data[0]
        if is_pretraining:
            if model.decoder is None:
                raise InputError("the model has no decoder: make it with PretrainedModel(input, hidden, output sizes)")
            outputs = model.decoder(model.feature_extractor(x))
            return criterion(outputs, x.to(outputs.dtype))
        if isinstance(data, Tensor) or len(data) != 2:
            raise InputError("fine-tuning needs labels, the loader has none: give BehaviorDataset(behaviors, labels)")
        return criterion(*_comparable(model(x), data[1], criterion))

    return run_epoch(dataloader, loss, optimizer)


def _comparable(outputs: Tensor, y: Tensor, criterion: nn.Module) -> tuple[Tensor, Tensor]:
    """Return outputs and labels as ``criterion`` takes them; InputError names a label that is not a class."""
    n, one_each = outputs.shape[-1], y.numel() == len(outputs)
    if one_each and isinstance(criterion, nn.CrossEntropyLoss | nn.NLLLoss):
        y = y.flatten()
        wrong = y[((y < 0) | (y >= n) | (y != y.floor())) & (y != criterion.ignore_index)].tolist()
        if wrong:
            raise InputError(f"label {wrong[0]} for a model of {n} classes: labels are whole numbers, 0 to {n - 1}")
        return outputs, y.long()
    # One number against one output: without a common shape, torch would take the differences of all with all.
    return outputs, y.to(outputs.dtype).reshape(outputs.shape) if one_each and n == 1 else y


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
    state.restore(module, optimizer)
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
        while state.epoch < settings.epochs and not state.out_of_patience(settings.patience):
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
            state = state.after(row, module, optimizer, keep=on_epoch is not None)
            bar.update()
            bar.set_postfix({key: f"{row[key]:.3f}" for key in ("loss", "validation") if row[key] == row[key]})
            if on_epoch is not None:
                on_epoch(state)
    if best := state.best_weights():
        module.load_state_dict(best)
    return pd.DataFrame(state.history)
