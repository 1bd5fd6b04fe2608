"""``finetune``: join a head to ``g`` and learn a task from a few labelled users."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ..baselines.descriptions import expected_head, volumes
from ..encoders import Encoder
from ..engine.ridge import ridge_head
from ..engine.settings import Settings, seeded
from ..errors import InputError, unknown
from ..model import PretrainedModel
from ..tasks import Task
from ..training import fit
from .low_rank import RANK, low_rank
from .stacking import neighbours, own_head, stack
from .wide import beside, of_deep


@dataclass(frozen=True)
class Recipe:
    """How a strategy trains.

    Args:
        epochs: passes over the labelled users, the most where it may stop early; 0: solved in closed form.
        learning_rate: the highest rate of the one-cycle schedule, which warms up over the first three tenths.
        from_probe: h starts as the ridge solution, and the squared error that it minimises is trained on.
        validation: share of the labelled users held out to choose the number of epochs.
        moves_g: whether g is trained.
        decay: each layer's rate as a share of the rate of the layer above it.
        low_rank: g moves by :mod:`.low_rank` alone.
    """

    epochs: int = 0
    learning_rate: float = 0.0
    from_probe: bool = False
    validation: float = 0.0
    moves_g: bool = True
    decay: float = 1.0
    low_rank: bool = False


# Chosen by validation inside labelled users, on shelves and users of `anime` and `movielens-small` that no result
# reports (seeds from 10 on); see docs/choices.md.
RECIPES = {
    "probe": Recipe(moves_g=False),
    "neighbours": Recipe(moves_g=False),
    "stack": Recipe(moves_g=False),
    "wide": Recipe(moves_g=False),
    "described": Recipe(moves_g=False),
    "frozen": Recipe(20, 3e-3, moves_g=False),
    "lora": Recipe(20, 3e-4, from_probe=True, validation=0.2, low_rank=True),
    "layerwise": Recipe(20, 1e-3, from_probe=True, validation=0.2, decay=0.3),
    "full": Recipe(20, 3e-4, from_probe=True, validation=0.2),
    "scratch": Recipe(30, 3e-3),
}
STRATEGIES = tuple(name for name in RECIPES if name != "lora")  # those that the stored studies compare
PATIENCE = 5


def finetune(
    model: PretrainedModel,
    task: Task,
    strategy: str = "full",
    *,
    others: Sequence[PretrainedModel] = (),
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    weight_decay: float = 0.0,
    validation: float | None = None,
    patience: int | None = PATIENCE,
    rank: int = RANK,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
) -> PretrainedModel:
    """Return a new ``f = h ∘ g`` for ``task``; ``model`` itself is left as it is.

    Strategies, by how far g moves:

    - ``probe``: g stays; h is the ridge solution, its strength chosen by leave-one-out
      (:mod:`recsys_tutorial.engine.ridge`).
    - ``neighbours``: g stays; h lets the labelled users vote who are nearest in g's space. Nothing is trained.
    - ``stack``: g stays, and those of ``others`` beside it; h adds up what their heads say, and a ridge on the items
      themselves, weighted by leaving labelled users out (:mod:`recsys_tutorial.learning.stacking`).
    - ``wide``: g stays; h, a ridge solution too, reads g's vector beside the user's items themselves
      (:class:`recsys_tutorial.learning.wide.Beside`), so that what g has dropped is not lost.
    - ``described``: as ``wide``, and h is shrunk towards what the model's own head would hold for items that are
      described like these (:mod:`recsys_tutorial.baselines.descriptions`), as far as that helps with the labelled
      users.
    - ``frozen``: g stays, bit for bit; h is trained by gradient descent on the task's loss.
    - ``lora``: h as in ``full``; g's linear layers and item vectors move by :mod:`recsys_tutorial.learning.low_rank`.
    - ``layerwise``: h starts as the probe's, or as the model's own where that scores the task's very items; then all
      layers move, each more gently than the one above it (Howard and Ruder 2018).
    - ``full``: h starts likewise, then g and h move together, gently, on the ridge's own squared error
      (Kumar et al. 2022: a random h would first distort g).
    - ``scratch``: no pretraining. g and h start from random weights: what the labels alone can do.

    Where ``validation`` is above 0 the number of epochs is chosen: without the held-out part, the one with the best
    quality on it, 0 among them where h starts as the probe's; then all labelled users are trained on for that long.

    Args:
        model: what :func:`recsys_tutorial.pretrain` returned; ``scratch`` takes only the shape of its g.
        task: labelled data.
        strategy: see above.
        others: further pretrained models of the same items, for ``stack``: a linear one beside a network's, say.
        epochs: passes over the labelled users (at most); None takes the strategy's own (:data:`RECIPES`).
        learning_rate: the highest rate of the one-cycle schedule; None takes the strategy's own.
        batch_size: users per step; None takes a fortieth of the labelled users, at least 16 and at most 256.
        weight_decay: see :class:`recsys_tutorial.engine.settings.Settings`.
        validation: share of the labelled users held out to choose the number of epochs; None takes the strategy's own.
        patience: while choosing, stop after this many epochs without a better quality; None goes on to the last.
        rank: of ``lora``.
        seed: fixes initial weights, the held-out users and the order.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Raises:
        InputError: unknown strategy, another catalogue, fewer than 5 labelled users, a setting out of range.
        TrainingError: a loss or gradient that is not finite.
    """
    if strategy not in RECIPES:
        raise unknown("strategy", strategy, RECIPES)
    if len(task) < 5:
        raise InputError(f"{len(task)} labelled users: fine-tuning needs at least 5")
    recipe = RECIPES[strategy]
    share = recipe.validation if validation is None else validation
    if not 0 <= share < 1:
        raise InputError(f"validation={validation!r}: it needs to be at least 0 and below 1")
    if model.catalogue is not None:
        model.catalogue.require_same(task.behaviour.catalogue, f"the task's {task.behaviour.name!r}")
    if others and strategy != "stack":
        raise InputError(f"others are for strategy='stack', this is {strategy!r}: leave them out")
    f = _start(model, task, strategy, seed, device) if strategy != "stack" else stack([model, *others], task).to(device)
    if recipe.epochs:
        batch = batch_size or int(np.clip(len(task) // 40, 16, 256))
        rate = learning_rate or recipe.learning_rate
        settings = Settings(epochs or recipe.epochs, batch, rate, weight_decay, patience=patience)
        how: dict[str, Any] = dict(recipe=recipe, rank=rank, seed=seed, progress=progress)
        how["description"] = f"fine-tuning ({strategy})"
        if n_held_out := round(share * len(task)):
            order = np.random.default_rng(seed).permutation(len(task))
            train, held_out = task.take(np.sort(order[n_held_out:])), task.take(np.sort(order[:n_held_out]))
            chosen, f.history = _choose_epochs(
                _start(model, train, strategy, seed, device), train, held_out, settings, **how
            )
            if chosen:
                _train(f, task, replace(settings, epochs=chosen, patience=None), **how)
        else:
            f.history = _train(f, task, replace(settings, patience=None), **how)
    f.origin = {
        **model.origin, "strategy": strategy, "task": task.name, "labels": len(task), "finetune_seed": seed,
        "classes": getattr(task, "classes", None), "calibration": None, "report": None,
    }  # fmt: skip
    return f.eval()


def _start(model: PretrainedModel, task: Task, strategy: str, seed: int, device: str) -> PretrainedModel:
    """Return f before training by gradient descent: g from ``model`` or fresh, h in closed form or random."""
    recipe = RECIPES[strategy]
    with seeded(seed):
        g = _fresh(model.feature_extractor) if strategy == "scratch" else copy.deepcopy(model.feature_extractor)
        h = nn.Linear(g.dim, task.n_outputs)
    _set_prior(h, task)
    f = PretrainedModel.compose(g, h, catalogue=task.behaviour.catalogue, outputs=task.outputs).to(device)
    if recipe.from_probe or not recipe.epochs:
        z, y = f.encode(task.behaviour), task.target_matrix()
        towards: Sequence[np.ndarray | None] = [None]
        if strategy in ("wide", "described"):
            f.feature_extractor = both = beside(g, z, task.behaviour).to(device)
            if strategy == "described" and (head := expected_head(model, task.outputs)) is not None:
                towards = [of_deep(head * volume, both) for volume in volumes(z @ head, y)]
            z = f.encode(task.behaviour)
        if strategy == "neighbours":
            f.classifier = neighbours(g, z, task).h
        else:
            own = own_head(model, task) if recipe.from_probe else None  # to be trained further
            f.classifier = own or ridge_head(z, y, task.chooses_by, task.strengths(z), towards)
        f.to(device)
    return f


def _choose_epochs(
    f: PretrainedModel, train: Task, held_out: Task, settings: Settings, recipe: Recipe, **how: Any
) -> tuple[int, pd.DataFrame]:
    """Return for how many epochs to train, and the history of finding out; 0: the start was not improved on."""

    def validate() -> float:
        return -float(np.nanmean(held_out.quality(f.score(held_out.behaviour))))

    before = validate() if recipe.from_probe else np.inf
    history = _train(f, train, settings, recipe, validate=validate, **how)
    best = int(history["validation"].argmin()) if history["validation"].notna().any() else len(history) - 1
    if before <= history["validation"][best]:
        return 0, history
    return int(history["epoch"][best]), history


def _train(
    f: PretrainedModel, task: Task, settings: Settings, recipe: Recipe, rank: int, seed: int, **how: Any
) -> pd.DataFrame:
    """Train h, and g unless it is frozen (then in eval mode, without gradients); return the history."""
    loss = task.squared_loss if recipe.from_probe else task.loss

    def loss_of(example: tuple[Any, Any]) -> Tensor:
        x, y = (part.to(f.device) for part in example)
        f.train()
        f.feature_extractor.train(recipe.moves_g)
        return loss(f(x), y)

    f.feature_extractor.requires_grad_(recipe.moves_g)
    try:
        with low_rank(f.feature_extractor, rank, seed) if recipe.low_rank else nullcontext():
            groups = _groups(f, recipe)
            return fit(f, loss_of, task.examples(), settings, seed=seed, parameter_groups=groups, **how)
    finally:
        f.feature_extractor.requires_grad_(True)


def _groups(f: PretrainedModel, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters that move, from h down, each layer with its share of the rate."""
    layers = [list(f.classifier.parameters())]
    if recipe.moves_g:
        known = hasattr(f.feature_extractor, "parameter_layers") and not recipe.low_rank
        moving = [p for p in f.feature_extractor.parameters() if p.requires_grad]
        layers += f.feature_extractor.parameter_layers()[::-1] if known else [moving]
    return [{"params": layer, "scale": recipe.decay**depth} for depth, layer in enumerate(layers)]


def _fresh(g: Encoder) -> Encoder:
    """Return an encoder of the same shape with new random weights."""
    return type(g)(**g.config)


def _set_prior(h: nn.Linear, task: Task) -> None:
    """Start h's bias from what needs no g: the frequency of each output (ranking: popularity), or the mean label."""
    mean = np.asarray(task.target_matrix().mean(axis=0)).ravel()
    prior = mean if task.n_outputs == 1 else np.log(mean + 0.5 / len(task))
    with torch.no_grad():
        h.bias.copy_(torch.from_numpy(prior))
