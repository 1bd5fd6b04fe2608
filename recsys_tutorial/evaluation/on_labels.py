"""Fine-tuned models side by side on labels that they have not learned from."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..data.interactions import Interactions
from ..data.joining import place_of, with_items
from ..errors import InputError, listed
from ..learning.calibration import Calibration
from ..metrics.labels import brier
from ..model import PretrainedModel
from ..tasks import ClassificationTask, Task
from .out_of_fold import AT_ONCE, judge


def evaluate_on_labels(models: Mapping[str, PretrainedModel], task: Task) -> pd.DataFrame:
    """Return the quality of each model on the same labelled users, without those that one of them learned from.

    Args:
        models: name -> what :func:`recsys_tutorial.studies.judged.finetune_judged` made.
        task: labelled users with behaviour.

    Returns:
        Columns ``model, protocol, task, metric, k, value, ci_low, ci_high, users, without, seconds``: the task's metric
        with its 95 % interval over users, and where a model gives probabilities their Brier score. ``without`` counts
        the labelled users that were learned from.

    Raises:
        InputError: a model for another task, other classes or other items; nobody is left.
    """
    for name, model in models.items():
        if model.origin.get("task") != task.name:
            raise InputError(f"{name} was not fine-tuned for {task.name}, which these labels ask for, but for "
                             f"{model.origin.get('task') or 'nothing'}")  # fmt: skip
    known = {str(user) for model in models.values() for user in _learned_from(model)}
    left = np.flatnonzero([str(user) not in known for user in task.behaviour.user_ids.tolist()])
    if not len(left):
        raise InputError(f"all {len(task):,} labelled users were learned from: give labels of others")
    test, rows = task.take(left), []
    for name, model in models.items():
        started = time.perf_counter()
        said = _said(name, model, test)
        one = judge(test, np.zeros(len(test), int), said)
        constant = {
            "model": name, "protocol": "labels", "task": task.name, "k": getattr(task, "k", None), "users": len(test),
            "without": len(task) - len(test), "seconds": time.perf_counter() - started,
        }  # fmt: skip
        value, low, high = one.interval(test, shared=1.0)
        rows.append({**constant, "metric": task.metric, "value": value, "ci_low": low, "ci_high": high})
        calibration = model.origin.get("calibration")
        if isinstance(test, ClassificationTask) and isinstance(calibration, dict):
            p = Calibration.from_json(calibration).probabilities(_scores(model, test))[:, _places(name, model, test)]
            rows.append({**constant, "metric": "brier", "value": brier(p, test.labels)})
    columns = ["model", "protocol", "task", "metric", "k", "value", "ci_low", "ci_high", "users", "without", "seconds"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _learned_from(model: PretrainedModel) -> list[object]:
    users = model.origin.get("labelled_users")
    return users if isinstance(users, list) else []


def _said(name: str, model: PretrainedModel, test: Task) -> np.ndarray:
    """Return what :func:`judge` reads: qualities of a ranking, scores by the classes of the task, or values."""
    if isinstance(test, ClassificationTask):
        return _scores(model, test)[:, _places(name, model, test)]
    if test.outputs is None:
        return _scores(model, test)
    if model.outputs is None or model.outputs.fingerprint != test.outputs.fingerprint:
        raise InputError(f"{name} ranks other items than these labels: give the behaviour that it was made for")
    pieces = [test.take(np.arange(begin, min(begin + AT_ONCE, len(test)))) for begin in range(0, len(test), AT_ONCE)]
    return np.concatenate([some.quality(model.score(_on_items(model, some.behaviour))) for some in pieces])


def _scores(model: PretrainedModel, test: Task) -> np.ndarray:
    return model.score(_on_items(model, test.behaviour)).astype(float)


def _on_items(model: PretrainedModel, behaviour: Interactions) -> Interactions:
    """Return the behaviour on the model's items; events on others are left out."""
    if model.catalogue is None or model.catalogue.fingerprint == behaviour.catalogue.fingerprint:
        return behaviour
    return with_items(behaviour, model.catalogue, place_of(behaviour.item_ids, model.catalogue.ids))


def _places(name: str, model: PretrainedModel, test: ClassificationTask) -> list[int]:
    """Return where each class of the task stands among the model's."""
    told: object = model.origin.get("classes")
    names = list(told) if isinstance(told, list | tuple) else list(range(test.n_outputs))
    missing = [one for one in test.classes or range(test.n_outputs) if one not in names]
    if missing:
        raise InputError(f"{name} does not know the class {missing[0]!r} of these labels: it tells {listed(names)}")
    return [names.index(one) for one in test.classes or range(test.n_outputs)]
