"""``finetune``: join a head to ``g`` and learn a task from a few labelled users."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .errors import InputError, unknown
from .model import PretrainedModel
from .ridge import ridge_head
from .tasks import RankingTask, Task
from .training import Settings, fit, seeded

STRATEGIES = ("probe", "frozen", "full", "scratch")


def finetune(
    model: PretrainedModel,
    task: Task,
    strategy: str = "full",
    *,
    epochs: int = 40,
    batch_size: int = 16,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.0,
    validation: float = 0.2,
    patience: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
) -> PretrainedModel:
    """Return a new ``f = h ∘ g`` for ``task``; ``model`` itself is left as it is.

    Strategies, by how far g moves:

    - ``probe``: g stays; h is the ridge solution, its strength chosen by leave-one-out (:mod:`recsys_tutorial.ridge`).
    - ``frozen``: g stays, bit for bit; h is trained by gradient descent.
    - ``full``: first as ``frozen``, then g and h together at a third of the rate.
    - ``scratch``: g starts from random weights: what the labels alone can do.

    Args:
        model: what :func:`recsys_tutorial.pretrain` returned; ``scratch`` takes only the shape of its g.
        task: labelled data.
        strategy: see above.
        epochs: passes over the labelled users, in each phase.
        batch_size: users per step.
        learning_rate: the highest rate of the one-cycle schedule.
        weight_decay: see :class:`recsys_tutorial.training.Settings`.
        validation: share of the labelled users (at least one) that is kept from training to choose the epoch;
            unused by ``probe``.
        patience: stop after this many epochs without a better validation loss.
        seed: fixes initial weights, the held-out users and the order.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Raises:
        InputError: unknown strategy, another catalogue, fewer than 5 labelled users, a setting out of range.
    """
    if strategy not in STRATEGIES:
        raise unknown("strategy", strategy, STRATEGIES)
    if len(task) < 5:
        raise InputError(f"{len(task)} labelled users: fine-tuning needs at least 5")
    if not 0 < validation < 1:
        raise InputError(f"validation={validation!r}: it needs to be between 0 and 1")
    if model.catalogue is not None:
        model.catalogue.require_same(task.behaviour.catalogue, f"the task's {task.behaviour.name!r}")
    settings = Settings(epochs, batch_size, learning_rate, weight_decay, patience=patience)
    with seeded(seed):
        g = _fresh(model.feature_extractor) if strategy == "scratch" else copy.deepcopy(model.feature_extractor)
        h = nn.Linear(g.dim, task.n_outputs)
    f = PretrainedModel.compose(g, h, catalogue=task.behaviour.catalogue, outputs=task.outputs).to(device)
    if strategy == "probe":
        f.classifier = ridge_head(f.encode(task.behaviour), task.target_matrix(), task.quality).to(device)
    else:
        _set_prior(h, task)
        common: dict[str, Any] = dict(validation=validation, seed=seed, progress=progress, description=strategy)
        if strategy != "scratch":
            f.history = _train(f, task, settings, move_g=False, **common)
        if strategy != "frozen":
            rate = learning_rate if strategy == "scratch" else learning_rate / 3
            f.history = _train(
                f, task, Settings(**asdict(settings) | {"learning_rate": rate}), move_g=True, **common
            )
    f.origin = {**model.origin, "strategy": strategy, "task": task.name, "labels": len(task), "finetune_seed": seed}
    return f.eval()


def _train(
    f: PretrainedModel, task: Task, settings: Settings, *, move_g: bool, validation: float, seed: int, **how: Any
):  # noqa: ANN202 - a DataFrame
    """Train h, and g too where ``move_g``; return the history. g is put in eval mode where it stays."""
    order = np.random.default_rng(seed).permutation(len(task))
    n_held_out = max(1, round(validation * len(task)))
    train, held_out = task.take(np.sort(order[n_held_out:])), task.take(np.sort(order[:n_held_out]))

    def loss(example: tuple[Any, Any]) -> Tensor:
        x, y = (part.to(f.device) for part in example)
        f.train()
        f.feature_extractor.train(move_g)
        return task.loss(f(x), y)

    def validate() -> float:
        return -float(np.nan_to_num(np.nanmean(held_out.quality(f.score(held_out.behaviour)))))

    f.feature_extractor.requires_grad_(move_g)
    history = fit(f, loss, train.examples(), settings, seed=seed, validate=validate, **how)
    f.feature_extractor.requires_grad_(True)
    return history


def _fresh(g: nn.Module) -> nn.Module:
    """Return an encoder of the same shape with new random weights."""
    return type(g)(**g.config)


def _set_prior(h: nn.Linear, task: Task) -> None:
    """Start h from what needs no g: the frequency of each output (ranking: popularity), and no opinion beyond it."""
    mean = np.asarray(task.target_matrix().mean(axis=0)).ravel()
    prior = mean if task.n_outputs == 1 else np.log(mean + 0.5 / len(task))
    with torch.no_grad():
        h.weight.zero_()
        h.bias.copy_(torch.from_numpy(prior))


__all__ = ["STRATEGIES", "RankingTask", "finetune"]
