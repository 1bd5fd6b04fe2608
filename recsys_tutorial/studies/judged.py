"""Fine-tune for a person's labels, and judge what came out inside the labelled users: never a number without rivals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.interactions import Interactions
from ..learning.calibration import Calibration, cross_fitted
from ..learning.finetuning import finetune
from ..learning.pretraining import pretrain
from ..metrics.labels import brier, calibration_error
from ..model import PretrainedModel
from ..objectives import OBJECTIVES
from ..tasks import ClassificationTask, Task
from .contenders import PRETRAINED
from .inside import FEWEST, FOLDS, Comparison, compare_inside, place, rivals, without_wanted
from .map import MAP_HEADLINE
from .worth import Worth

SETTINGS = ("epochs", "batch_size", "learning_rate", "weight_decay", "dim")


def finetune_judged(
    model: PretrainedModel,
    task: Task,
    behaviour: Interactions,
    strategy: str | None = None,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
) -> PretrainedModel:
    """Return :func:`recsys_tutorial.finetune` of ``model``, with a report in its ``origin``.

    ``origin["report"]`` holds ``records`` and ``text``: the quality by cross-validation inside the labelled users with
    its interval, beside rivals with no and with linear pretraining on the same folds, and whether pretraining was worth
    it here. For classes ``origin["calibration"]`` turns scores into probabilities, fitted on scores out of fold, and
    the report says how reliable these are. ``origin["labelled_users"]`` are those who were learned from.

    Args:
        model: pretrained.
        task: labelled users with behaviour, on the model's items.
        behaviour: of everybody, on the model's items.
        strategy: of fine-tuning; None takes the one fixed for this kind of task.
        seed: of folds and weights.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Raises:
        InputError: fewer than 5 labelled users, an unknown strategy, another catalogue.
    """
    strategy = strategy or MAP_HEADLINE[place(task)].partition(" + ")[2]
    clean = without_wanted(behaviour, task)
    how: dict[str, Any] = {"seed": seed, "device": device, "progress": False}
    name = "scratch" if strategy == "scratch" else f"{PRETRAINED} + {strategy}"
    seen = clean.n_events < behaviour.n_events and model.origin.get("data_fingerprint") == behaviour.fingerprint
    comparison = None
    judged_by = _again(model, clean, seed, device) if seen else model
    if len(task) >= FEWEST:
        comparison = compare_inside(task, clean, seed, judged_by, device=device)
    if strategy == "stack":
        worlds = comparison.world_of(0) if comparison is not None else None
        how["others"] = [] if worlds is None else [worlds.pretrained(other) for other in worlds.beside(PRETRAINED)]
    f = finetune(model, task, strategy, **how)
    f.origin["labelled_users"] = task.behaviour.user_ids.tolist()
    records, lines = _judged(comparison, name, f, progress) if comparison is not None else ([], [])
    if comparison is None:
        lines = [f"{len(task)} labelled users are too few to judge the model by: that takes {FEWEST}."]
    if seen:
        lines.append("Some of what is wanted was in the behaviour that g was pretrained on: to judge, g was pretrained "
                     "anew without it.")  # fmt: skip
    f.origin["report"] = {"records": records, "text": "\n".join(lines)}
    return f


def _judged(
    comparison: Comparison, name: str, f: PretrainedModel, progress: bool | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the records and the lines of the report; calibrate f where it tells classes."""
    task, (without, linear) = comparison.task, rivals(comparison.task)
    comparison.run([*without, *linear, name], progress)
    worth = Worth(comparison, name, without, linear)
    one, value = comparison.judged[name], comparison.judged[name].interval(task)
    lines = [
        f"{task.metric.upper()} {value.value:.3f} [{value.low:.3f}, {value.high:.3f}] by "
        f"{FOLDS}-fold cross-validation inside {len(task):,} labelled users, with its 95 % "
        "interval, beside its rivals on the same folds:",
        comparison.told(),
        worth.sentence(),
    ]  # fmt: skip
    records = worth.records()
    if isinstance(task, ClassificationTask) and one.scores is not None:
        f.origin["calibration"] = Calibration.fit(one.scores, task.labels).to_json()
        probabilities = cross_fitted(one.scores, task.labels, comparison.folds[0])
        constant = {"model": name, "task": task.name, "labels": len(task)}
        found = {measure.__name__: measure(probabilities, task.labels) for measure in (brier, calibration_error)}
        rare = brier(np.tile(np.bincount(task.labels) / len(task), (len(task), 1)), task.labels)
        records += [{**constant, "metric": metric, "value": value} for metric, value in found.items()]
        lines.append(
            f"Its probabilities are calibrated: Brier score {found['brier']:.3f} (that of the classes' shares alone is "
            f"{rare:.3f}), and they are off by {found['calibration_error']:.3f} on average, out of fold."
        )
    return records, lines


def _again(model: PretrainedModel, behaviour: Interactions, seed: int, device: str) -> PretrainedModel:
    """Return the model pretrained as it was, on this behaviour; itself where that cannot be told."""
    origin: dict[str, Any] = model.origin
    if origin.get("objective") not in OBJECTIVES:
        return model
    how: dict[str, Any] = {name: origin[name] for name in SETTINGS} | origin["options"]
    return pretrain(origin["objective"], behaviour, seed=seed, device=device, progress=False, **how)
