"""Exercises of notebook 08."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .base import compared

Table = Mapping[str, np.ndarray]


def _median_events(users: list[int]) -> float:
    return float(np.median(np.unique(users, return_counts=True)[1]))


def _logs() -> dict[str, tuple]:
    return {
        "a log of the users 7 7 7 7 2 2 9": ([7, 7, 7, 7, 2, 2, 9],),
        "a log of the users 1 0 3 3 3 3 3 3 0": ([1, 0, 3, 3, 3, 3, 3, 3, 0],),
    }


def _gain(values: Table, model: str) -> np.ndarray:
    return values[model] - np.max([row for name, row in values.items() if name != model], axis=0)


def _best_on_average(values: Table, model: str) -> np.ndarray:
    rivals = {name: row for name, row in values.items() if name != model}
    return values[model] - rivals[max(rivals, key=lambda name: rivals[name].mean())]


def _over_splits(values: Table, model: str) -> np.ndarray:
    return np.array([values[model].mean() - row.mean() for name, row in values.items() if name != model])


def _tables() -> dict[str, tuple]:
    values = {
        "pretrained": np.array([0.30, 0.28, 0.33]),
        "ease": np.array([0.31, 0.25, 0.30]),
        "pca": np.array([0.26, 0.27, 0.32]),
    }
    return {"pretrained .30 .28 .33, ease .31 .25 .30 and pca .26 .27 .32 in three splits": (values, "pretrained")}


EXERCISES = (
    compared(
        "08-median",
        "Write median_events(users): users holds the user of each event; return the median number of events per user.",
        "np.unique(users, return_counts=True)[1] holds one count for each user.",
        _median_events,
        _logs,
        {
            "takes the mean, which a few busy users pull up": lambda users: float(
                np.mean(np.unique(users, return_counts=True)[1])
            ),
            "takes the median of the users' numbers, not of their events": lambda users: float(np.median(users)),
            "weighs each user by how much they did": lambda users: float(
                np.median([users.count(user) for user in users])
            ),
            "counts users up to the highest number, those without an event too": lambda users: float(
                np.median(np.bincount(users))
            ),
        },
    ),
    compared(
        "08-gain",
        "Write gain(values, model): values is model -> one value per split; per split, the model minus the best of the "
        "others in that split.",
        "np.max(rows, axis=0) takes the best of several rows in each column. The model is not its own rival.",
        _gain,
        _tables,
        {
            "takes the rival that is best on average, not in each split": _best_on_average,
            "lets the model be its own rival": lambda values, model: (
                values[model] - np.max(list(values.values()), axis=0)
            ),
            "averages over the wrong axis, one number per rival": _over_splits,
            "takes the worst rival": lambda values, model: values[model] - np.min(
                [row for name, row in values.items() if name != model], axis=0
            ),
        },
    ),
)  # fmt: skip
