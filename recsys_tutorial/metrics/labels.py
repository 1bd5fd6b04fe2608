"""Metrics for ratings and classes: predicted against true, one number over all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import InputError

Numbers = Sequence[float] | np.ndarray


def rmse(predicted: Numbers, true: Numbers) -> float:
    """Return the root of the mean squared difference, in the unit of the rating."""
    predicted, true = _pair(predicted, true)
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def mae(predicted: Numbers, true: Numbers) -> float:
    """Return the mean absolute difference, in the unit of the rating."""
    predicted, true = _pair(predicted, true)
    return float(np.mean(np.abs(predicted - true)))


def accuracy(scores: np.ndarray, labels: Numbers) -> float:
    """Return the share of rows of ``scores`` ``(users, classes)`` whose highest entry is that of the label."""
    scores, labels = np.asarray(scores), np.asarray(labels)
    _check(len(scores), len(labels))
    return float((scores.argmax(axis=1) == labels).mean())


def auc(scores: Numbers, labels: Numbers) -> float:
    """Return the chance that a row labelled 1 is scored above a row labelled 0 (scikit-learn's ``roc_auc_score``)."""
    from sklearn.metrics import roc_auc_score  # here, because it is slow to import

    scores, labels = _pair(scores, labels)
    if set(np.unique(labels)) != {0.0, 1.0}:
        raise InputError(f"AUC needs labels 0 and 1, both of them; these are {np.unique(labels)[:5].tolist()}")
    return float(roc_auc_score(labels, scores))


def log_loss(probabilities: np.ndarray, labels: Numbers) -> float:
    """Return the mean ``-log p`` of the true class; ``(users, classes)`` whose rows add up to 1 (scikit-learn's)."""
    from sklearn.metrics import log_loss as of_sklearn

    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    _check(len(probabilities), len(labels))
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-4):
        raise InputError("log-loss needs probabilities: the rows do not add up to 1; apply a softmax first")
    return float(of_sklearn(labels, probabilities, labels=np.arange(probabilities.shape[1])))


def brier(probabilities: np.ndarray, labels: Numbers) -> float:
    """Return the mean over users of the squared distance between ``(users, classes)`` and what came true (Brier 1950).

    0 is perfect; of two classes, .5 is a coin's.
    """
    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    _check(len(probabilities), len(labels))
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1).mean())


def calibration_error(probabilities: np.ndarray, labels: Numbers, bins: int = 10) -> float:
    """Return how far the highest probability of a user is from how often that class is right, on average.

    Users are dealt by that probability into ``bins`` of equal size: the expected calibration error.
    """
    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels)
    _check(len(probabilities), len(labels))
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    parts = np.array_split(np.argsort(sure, kind="stable"), min(bins, len(sure)))
    return float(sum(len(part) * abs(sure[part].mean() - right[part].mean()) for part in parts) / len(sure))


LABEL_METRICS: dict[str, Callable[..., float]] = {
    "rmse": rmse, "mae": mae, "accuracy": accuracy, "auc": auc, "log_loss": log_loss,
}  # fmt: skip


def _pair(first: Numbers, second: Numbers) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(first, float).ravel(), np.asarray(second, float).ravel()
    _check(len(first), len(second))
    for values in (first, second):
        if not np.isfinite(values).all():
            raise InputError("a value is NaN or infinite: mend the model or drop the row")
    return first, second


def _check(n: int, m: int) -> None:
    if n != m or n == 0:
        raise InputError(f"{n} predictions for {m} true values: give one each, at least one")
