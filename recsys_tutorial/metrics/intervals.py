"""How sure a number is: intervals over users, over seeds, and for the difference of two models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ..errors import InputError


class Interval(NamedTuple):
    """A mean with the ends of its confidence interval."""

    value: float
    low: float
    high: float


def bootstrap_interval(
    values: Sequence[float] | np.ndarray | pd.Series, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """Return the mean of ``(users,)`` values with its percentile bootstrap interval over users; NaN are left out.

    Source: Efron and Tibshirani (1993), chapter 13.
    """
    return bootstrap_intervals(np.asarray(values, float)[:, None], level, draws, seed)[0]


def bootstrap_intervals(values: np.ndarray, level: float = 0.95, draws: int = 2000, seed: int = 0) -> list[Interval]:
    """Return :func:`bootstrap_interval` of every column of ``(users, columns)``, all at once: they share the draws."""
    known = ~np.isnan(values)
    found: list[Interval] = [Interval(np.nan, np.nan, np.nan)] * values.shape[1]
    for mask in np.unique(known, axis=1).T:  # columns with the same users: as a rule, all of them
        columns = np.flatnonzero((known == mask[:, None]).all(0))
        kept = values[mask][:, columns]
        means = _means_of_draws(kept, draws, seed)
        ends = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
        for column, *interval in zip(columns, kept.mean(0), *ends, strict=True):
            found[column] = Interval(*map(float, interval))
    return found


def _means_of_draws(values: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return ``(draws, columns)`` means over as many users as there are, drawn with replacement."""
    n = len(values)
    if n == 0:
        raise InputError("no values: every user was without relevant items")
    rng = np.random.default_rng(seed)
    step = max(1, 2**16 // n)  # draws at a time: few enough to stay in the cache
    means = []
    for start in range(0, draws, step):
        drawn = rng.integers(0, n, (min(step, draws - start), n))
        # How often each user is drawn says all that a mean needs, and one matrix product gives those of all columns.
        drawn += n * np.arange(len(drawn))[:, None]
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        means.append(times.astype(float) @ values / n)
    return np.concatenate(means)


def seed_interval(values: Sequence[float] | np.ndarray | pd.Series, level: float = 0.95) -> Interval:
    """Return the mean of one value per seed with Student's interval; for a difference, hand in the differences.

    Raises:
        InputError: fewer than two values.
    """
    values = _finite(values)
    if len(values) < 2:
        raise InputError(f"{len(values)} seed: an interval over seeds needs at least 2")
    half = stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half))


def _finite(values: Sequence[float] | np.ndarray | pd.Series) -> np.ndarray:
    found = np.asarray(values, float)
    found = found[~np.isnan(found)]
    if len(found) == 0:
        raise InputError("no values: every user was without relevant items")
    return found
