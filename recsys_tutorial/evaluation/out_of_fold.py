"""What each labelled user has to do with a metric, and so how far its value, out of fold or on new users, is sure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ..baselines import Model
from ..metrics.intervals import Interval
from ..tasks import ClassificationTask, RankingTask, RegressionTask, Task

AT_ONCE = 512  # test users scored at a time
# Two trainings of a fold share three quarters of their users: their values vary more together than the number of users
# says, by 1.1 to 1.3 times in invented worlds of 40 and of 300 labels (tests/studies/test_inside.py has one).
SHARED = 1.25
# For the difference of two models that is not enough: 1.1 to 1.55 there, so the correction of Nadeau and Bengio (2003),
# √(1 + folds / (folds - 1)), is taken.
SHARED_BY_TWO = 1.5


@dataclass(frozen=True)
class Judged:
    """One contender's value over all folds, and what each labelled user has to do with it.

    Args:
        value: of the task's metric.
        influence: ``(users,)``; its mean square over the number of users is the square of the value's standard error.
        scores: ``(users, outputs)`` out of fold, where there is one label a user.
    """

    value: float
    influence: np.ndarray
    scores: np.ndarray | None = None

    def interval(self, task: Task, level: float = 0.95, shared: float = SHARED) -> Interval:
        """Return the value with its interval, within what the metric allows; ``shared`` is 1 for one model on all."""
        # No surer than one more user of the rarest class on the wrong side would make it: else 20 users who happen to
        # be told apart would leave no doubt.
        floor = 0.5 / np.bincount(task.labels).min() if isinstance(task, ClassificationTask) else 0.0
        low, high = _ends(self.value, shared * self.influence, level, floor)
        return Interval(self.value, max(low, 0.0), high if task.lower_is_better else min(high, 1.0))

    def minus(self, rival: Judged, task: Task, level: float = 0.95) -> Interval:
        """Return by how much it is better than ``rival`` on the same users: positive is better, whatever the metric."""
        sign = -1 if task.lower_is_better else 1
        gain = sign * (self.value - rival.value)
        return Interval(gain, *_ends(gain, SHARED_BY_TWO * (self.influence - rival.influence), level))


def _ends(value: float, influence: np.ndarray, level: float, floor: float = 0.0) -> tuple[float, float]:
    n = len(influence)
    half = stdtrit(n - 1, (1 + level) / 2) * max(np.sqrt((influence**2).sum()) / n, floor)
    return value - half, value + half


def deal(task: Task, folds: int, seed: int) -> np.ndarray:
    """Return ``(users,)`` numbers of folds, dealt out along the labels, so that all folds have much the same."""
    draw = np.random.default_rng(seed).permutation(len(task))
    along = task.labels if isinstance(task, ClassificationTask | RegressionTask) else np.zeros(len(task))
    order = np.lexsort((draw, along))
    fold = np.empty(len(task), np.int64)
    fold[order] = np.arange(len(task)) % folds
    return fold


def said_of(model: Model, test: Task) -> np.ndarray:
    """Return the qualities ``(users,)`` of a ranking, the scores ``(users, outputs)`` of a task of one label."""
    pieces = []
    for begin in range(0, len(test), AT_ONCE):
        some = test.take(np.arange(begin, min(begin + AT_ONCE, len(test))))
        scores = np.asarray(model.score(some.behaviour), float)
        pieces.append(some.quality(scores) if isinstance(test, RankingTask) else scores)
    return np.concatenate(pieces)


def judge(task: Task, fold: np.ndarray, said: np.ndarray) -> Judged:
    """Return the value of :func:`said_of` all labelled users, each by a model that had not seen that user's label.

    Classes are ranked within each fold, since the scores of two models need not be on one scale; the influence of a
    user on the area under the curve is DeLong's (DeLong et al. 1988).
    """
    n = len(task)
    if isinstance(task, RankingTask):
        known = ~np.isnan(said)
        value = float(said[known].mean())
        return Judged(value, np.where(known, said - value, 0.0) * n / known.sum())
    if isinstance(task, RegressionTask):
        squares = (said[:, 0] - task.labels) ** 2
        value = float(np.sqrt(squares.mean()))
        return Judged(value, (squares - squares.mean()) / max(2 * value, 1e-12), said)
    assert isinstance(task, ClassificationTask)
    pairs = [_area(said[:, b] - said[:, a], task.labels, fold, a, b)
             for a, b in itertools.combinations(range(task.n_outputs), 2)]  # fmt: skip
    return Judged(float(np.mean([pair[0] for pair in pairs])), np.mean([pair[1] for pair in pairs], axis=0), said)


def _area(score: np.ndarray, labels: np.ndarray, fold: np.ndarray, a: int, b: int) -> tuple[float, np.ndarray]:
    """Return the chance that one of class b is scored above one of class a in the same fold, and the influences."""
    above, weight = np.zeros(len(labels)), np.zeros(len(labels))
    total = sum(int((labels[fold == f] == a).sum() * (labels[fold == f] == b).sum()) for f in np.unique(fold))
    if not total:
        return 0.5, np.zeros(len(labels))
    value = 0.0
    for number in np.unique(fold):
        first, second = (np.flatnonzero((fold == number) & (labels == one)) for one in (a, b))
        if not len(first) or not len(second):
            continue
        wins = (score[second][:, None] > score[first]) + 0.5 * (score[second][:, None] == score[first])
        above[first], above[second] = wins.mean(0), wins.mean(1)
        share = wins.size / total
        weight[first], weight[second] = share / len(first), share / len(second)
        value += share * float(wins.mean())
    return value, np.where(weight > 0, (above - value) * weight, 0.0) * len(labels)
