"""``pretrain``: learn ``g`` from behaviour without labels."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ..data.batches import Batch, Stored, in_order
from ..data.interactions import Interactions
from ..data.reports import warn_of_ties
from ..encoders import SequenceEncoder
from ..engine import processes as distributed
from ..engine.progress import Progress
from ..engine.ridge import ridge_head
from ..engine.settings import Settings, seeded
from ..engine.sharded_parameters import rows_of
from ..errors import InputError, check_shares, whole
from ..model import PretrainedModel
from ..objectives import Objective, build_objective
from ..training import fit
from . import checkpoints
from .requirements import check_events, check_memory
from .sharded_decoder import sharded

SOME = 256  # users whose loss the history of a closed form tells


def pretrain(
    objective: str | Objective,
    interactions: Interactions,
    *,
    epochs: int | None = None,
    dim: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    validation: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    shard_items: bool = False,
    progress: bool | None = None,
    told: dict[str, Any] | None = None,
    **options: Any,
) -> PretrainedModel:
    """Pretrain ``g`` and return ``f = h ∘ g``, where h scores items.

    h is what the objective learned for it (a decoder, say); :func:`hidden_events_head` serves objectives that learn
    none. Where ``epochs`` to ``weight_decay`` are None, the objective's own
    :class:`~recsys_tutorial.objectives.Recipe` decides. Objectives of a closed form (``linear``, ``counting``) are
    solved: what is said of epochs, steps and rates has no effect on them.

    Args:
        objective: a name (see :data:`recsys_tutorial.OBJECTIVES`), or an objective built around your own encoder.
        interactions: unlabelled behaviour.
        epochs: passes over the users.
        dim: length of g's vector; used when ``objective`` is a name.
        batch_size: users per step at most.
        learning_rate: the highest rate of the one-cycle schedule.
        weight_decay: see :class:`recsys_tutorial.engine.settings.Settings`.
        validation: share of the users held out for a validation loss; the weights of its best epoch are then kept.
            0 trains on everyone and keeps the last epoch.
        patience: stop after this many epochs without a better validation loss.
        seed: fixes initial weights, the held-out users, the order and every draw.
        device: ``cpu`` or ``cuda``.
        checkpoint: folder to write the model to; the training under way is saved there after every epoch.
        resume: go on from what ``checkpoint`` holds, to the same weights as without the interruption; a training that
            is over is not begun again, its model is returned.
        overwrite: let the new model take the place of what ``checkpoint`` holds, once it is complete.
        shard_items: keep the item tables cut by rows over the processes
            (:mod:`recsys_tutorial.learning.sharded_decoder`), instead of whole in each; each then reads all users of a
            batch, instead of its share.
        progress: show a progress bar; None shows one where standard error is a terminal.
        told: what else ``model.origin`` should hold: where the data was read from, say.
        options: handed to the objective when it is given by name; ``sampled_softmax=N`` lets its softmax run over N
            items drawn at every step, for catalogues so large that a step over all of them does not pay.

    Raises:
        InputError: unknown objective, a setting out of range, a checkpoint of another run, a folder that is taken,
            more weights than the memory holds, or no user with as many events as the objective needs to learn from one.
        TrainingError: a loss or gradient that is not finite.
    """
    check_shares(validation=validation)
    dim = None if dim is None else whole("dim", dim)
    batch_size = None if batch_size is None else whole("batch_size", batch_size)
    if checkpoint:
        checkpoints.check_free(checkpoint, resume, overwrite)
    if isinstance(objective, str):
        share = distributed.size() if shard_items else 1
        check_memory(objective, interactions, dim, batch_size, device, options, share)
    built = _build(objective, interactions, dim, seed, options)
    asked = dict(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=weight_decay)
    if isinstance(built.encoder, SequenceEncoder):
        warn_of_ties(interactions, built.name or "this objective")
    settings = _settings(built, interactions, asked, patience)
    origin = {
        "objective": built.name or type(built).__name__, "options": options, "data": interactions.name,
        "data_fingerprint": interactions.fingerprint, "validation": validation, "seed": seed,
        "dim": getattr(built.encoder, "dim", None), **asdict(settings),
    }  # fmt: skip
    if checkpoint and resume and (finished := checkpoints.load_finished(checkpoint, origin)) is not None:
        return finished.to(device)

    def save(state: Progress) -> None:
        if checkpoint and distributed.speaks():
            checkpoints.save_progress(checkpoint, state, origin)

    with sharded(built) if shard_items else nullcontext():
        history = _train(
            built.to(device),
            interactions,
            settings,
            validation,
            seed=seed,
            resume_from=checkpoints.load_progress(checkpoint, origin) if checkpoint and resume else None,
            on_epoch=save if checkpoint else None,
            progress=progress if distributed.speaks() else False,
            description=f"pretraining {origin['objective']}",
        )
    items = interactions.catalogue
    built.end(interactions)
    with torch.no_grad():
        g, h = built.feature_extractor(), built.head()
    model = PretrainedModel.compose(g, h, catalogue=items, outputs=items, history=history)
    if h is None:
        model.classifier = hidden_events_head(model, interactions, seed).to(device)
    model.origin = {**origin, **(told or {})}
    if checkpoint and distributed.speaks():
        checkpoints.save_model(checkpoint, model)
    return model.eval()


def hidden_events_head(
    model: PretrainedModel, interactions: Interactions, seed: int = 0, strength: float = 0.1
) -> nn.Linear:
    """Return a head that scores items for any g: the ridge head that finds each user's hidden events from the others.

    Half of a user's events, drawn at random, are shown to g; the head is fitted in closed form to the other half.

    Args:
        model: holds g.
        interactions: what g was pretrained on.
        seed: draws what is hidden.
        strength: of the ridge, see :func:`recsys_tutorial.engine.ridge.ridge_head`.
    """
    hidden = np.random.default_rng(seed).random(interactions.n_events) < 0.5
    wanted = interactions.keep_events(hidden).binarise().matrix
    return ridge_head(model.encode(interactions.keep_events(~hidden)), wanted, strengths=(strength,))


def _settings(
    built: Objective, interactions: Interactions, asked: dict[str, Any], patience: int | None
) -> Settings:
    """Return the settings that were asked for, the others from the objective's recipe."""
    recipe, found = built.recipe, {name: value for name, value in asked.items() if value is not None}
    found.setdefault("batch_size", min(recipe.batch_size, max(32, interactions.n_users // 10)))
    found.setdefault("learning_rate", recipe.learning_rate)
    found.setdefault("weight_decay", recipe.weight_decay)
    settings = Settings(epochs=found.pop("epochs", 1), **found, patience=patience)
    if asked["epochs"] is None and not built.closed_form:
        steps = len(list(built.order(built.examples(Stored.of(interactions)), settings.batch_size)))
        settings = replace(settings, epochs=max(recipe.epochs, -(-recipe.least_steps // steps)))
    return settings


def _build(
    objective: str | Objective, interactions: Interactions, dim: int | None, seed: int, options: dict[str, Any]
) -> Objective:
    """Return the objective, built with weights of this seed where it is given by name."""
    with seeded(seed):
        if isinstance(objective, str):
            objective = build_objective(objective, interactions, dim, **options)
    n_items = getattr(objective.encoder, "n_items", interactions.n_items)
    if n_items != interactions.n_items:
        raise InputError(f"g was built for {n_items} items, {interactions.name!r} has {interactions.n_items}")
    return objective


def _train(
    built: Objective, interactions: Interactions, settings: Settings, validation: float, *, seed: int, **how: Any
) -> pd.DataFrame:
    """Train ``built`` in place on all but the held-out users, and return the history."""
    train_rows, held_out_rows = _hold_out(interactions.n_users, validation, seed)
    check_events(built, interactions, train_rows, "trained on")
    if built.closed_form:
        return _solve(built, interactions.take_users(train_rows), seed)
    if len(held_out_rows):  # a validation loss of nothing would be 0 from the first epoch on, and keep its weights
        check_events(built, interactions, held_out_rows, f"held out (validation={validation})")
    held_out = built.examples(Batch.of(interactions.take_users(held_out_rows)))
    device = next(built.parameters()).device

    def loss(batch: Batch) -> Tensor:
        built.train()
        return module(batch.to(device))

    def validate() -> float:
        built.eval()
        pieces = in_order(len(held_out), settings.batch_size)
        return sum(float(built(held_out.take(rows).to(device))) * len(rows) for rows in pieces) / len(held_out)

    train = interactions.take_users(train_rows) if len(held_out) else interactions  # which may be larger than memory
    if how.get("resume_from") is None:  # else every weight is about to be restored
        built.begin(train, seed)
    examples = built.examples(Stored.of(train))
    how["order"] = lambda: built.order(examples, settings.batch_size)
    alone = any(map(rows_of, built.parameters()))  # each then trains its items on all users, not all items on its users
    module, shares = (built, examples) if alone else distributed.shared(built, examples)
    return fit(built, loss, shares, settings, seed=seed, validate=validate if len(held_out) else None, **how)


def _solve(built: Objective, interactions: Interactions, seed: int) -> pd.DataFrame:
    """Solve ``built`` in place; the history holds the loss of some users before (epoch 0) and after."""
    some = Batch.of(interactions.take_users(np.arange(min(SOME, interactions.n_users))))
    device, started, losses = next(built.parameters()).device, time.perf_counter(), []
    with torch.no_grad():
        losses.append(float(built(some.to(device))))
        built.solve(interactions, seed)
        losses.append(float(built(some.to(device))))
    seconds = [0.0, time.perf_counter() - started]
    return pd.DataFrame({"epoch": [0, 1], "loss": losses, "validation": np.nan, "seconds": seconds})


def _hold_out(n_users: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and the rows held out, both ascending."""
    held_out = np.random.default_rng(seed).permutation(n_users)[: round(share * n_users)]
    return np.setdiff1d(np.arange(n_users), held_out), np.sort(held_out)
