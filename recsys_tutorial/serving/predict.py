"""What a fine-tuned model says of every user: a class with its probabilities, a number, or the items to recommend."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..errors import InputError, how_many
from ..learning.calibration import Calibration
from ..model import PretrainedModel
from .ranking import Ranking
from .recommend import AT_ONCE


def predictions(model: PretrainedModel, behaviour: Interactions, k: int = 10) -> Iterator[pd.DataFrame]:
    """Yield tables with one row a user, by raw id, some users at a time.

    Classes: ``user, class`` and, where the model is calibrated, ``probability_NAME`` of each class. Numbers: ``user,
    value``. Rankings: ``user, item_1, ..., item_k``, best first, without what the user has.

    Args:
        model: fine-tuned.
        behaviour: of these users, on the model's items.
        k: how many items.

    Raises:
        InputError: the model is not fine-tuned; k is larger than the number of items.
    """
    task = model.origin.get("task")
    if task is None and model.outputs is None:
        raise InputError("this model is not fine-tuned: it has no classes, values or items to predict")
    if model.outputs is not None:
        how_many(k, len(model.outputs), "items to rank")
        ranking = Ranking(model)
    for begin in range(0, behaviour.n_users, AT_ONCE):
        some = behaviour.take_users(np.arange(begin, min(begin + AT_ONCE, behaviour.n_users)))
        if model.outputs is not None:
            yield _rankings(model.outputs.ids, some.user_ids, ranking.best(Batch.of(some), k)[0])
        elif task == "regression":
            yield pd.DataFrame({"user": some.user_ids, "value": model.score(some)[:, 0].astype(float)})
        else:
            yield _classes(model, some.user_ids, model.score(some))


def _classes(model: PretrainedModel, users: np.ndarray, scores: np.ndarray) -> pd.DataFrame:
    classes = np.array(model.origin.get("classes") or list(range(scores.shape[1])), object)
    calibration = model.origin.get("calibration")
    p = Calibration.from_json(calibration).probabilities(scores) if isinstance(calibration, dict) else None
    best = classes[(scores if p is None else p).argmax(axis=1)]
    columns = {} if p is None else {f"probability_{name}": p[:, place] for place, name in enumerate(classes)}
    return pd.DataFrame({"user": users, "class": best.tolist(), **columns})


def _rankings(items: np.ndarray, users: np.ndarray, best: np.ndarray) -> pd.DataFrame:
    known = pd.array(items, "Int64" if items.dtype.kind == "i" else "string")
    columns = {}
    for place, column in enumerate(best.T):  # -1: nothing is left to recommend
        ids = known.take(np.maximum(column, 0))
        ids[column < 0] = pd.NA
        columns[f"item_{place + 1}"] = ids
    return pd.DataFrame({"user": users, **columns})
