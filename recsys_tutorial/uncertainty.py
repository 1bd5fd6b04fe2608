"""How sure a number is: intervals over users, over seeds, and for the difference of two models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from .errors import InputError


class Interval(NamedTuple):
    """A mean with the ends of its confidence interval."""

    value: float
    low: float
    high: float


def bootstrap_interval(
    values: Sequence[float] | np.ndarray, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """Return the mean of ``(users,)`` values with its percentile bootstrap interval over users; NaN are left out.

    Source: Efron and Tibshirani (1993), chapter 13.
    """
    values = _finite(values)
    rng = np.random.default_rng(seed)
    # Counting how often each user is drawn is the same as drawing users, and needs no (draws, users) copies at once.
    means = np.array([values[rng.integers(0, len(values), len(values))].mean() for _ in range(draws)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def seed_interval(values: Sequence[float] | np.ndarray, level: float = 0.95) -> Interval:
    """Return the mean of one value per seed with Student's interval; for a difference, hand in the differences.

    Raises:
        InputError: fewer than two values.
    """
    values = _finite(values)
    if len(values) < 2:
        raise InputError(f"{len(values)} seed: an interval over seeds needs at least 2")
    half = stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def _finite(values: Sequence[float] | np.ndarray) -> np.ndarray:
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        raise InputError("no values: every user was without relevant items")
    return values
