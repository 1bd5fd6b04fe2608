"""Cross-validation inside labelled users: contenders on the same folds, each with its interval, and their gains."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from ..data.interactions import Interactions
from ..data.joining import place_of
from ..errors import InputError
from ..evaluation.out_of_fold import Judged, deal, judge, said_of
from ..model import PretrainedModel
from ..tasks import ClassificationTask, RankingTask, Task
from .contenders import PRETRAINED, World
from .map import LINEAR, WITHOUT
from .runner import SLOW

FOLDS = 5
REPEATS = 3  # times that users are dealt into folds anew: one deal alone moves a gain by a fifth of its interval
LONG = ("raw logistic", "ease (labelled)", "stack", "scratch", *SLOW)  # rests on one deal
MOST_ITEMS = 10_000  # for EASE of everybody: its table is items × items
FEWEST = 10  # labelled users that can be judged: two in each fold
MOST = 2000  # labelled users that are compared on: more would make it longer and hardly surer


class Labelled(World):
    """What the contenders of a fold share, where the labelled users are given and not drawn.

    Args:
        task: of the labelled users.
        behaviour: what may be pretrained on.
        seed: of weights and folds.
        model: taken for the one called ``pretrained``; None pretrains it as the studies do.
        how: ``dim``, ``epochs``, ``device`` of that.
    """

    def __init__(
        self, task: Task, behaviour: Interactions, seed: int = 0, model: PretrainedModel | None = None, **how: Any
    ) -> None:
        self.task, self.behaviour, self.seed, self.model = task, behaviour, seed, model
        self.test = self.rest = task
        self.objectives, self.how, self.only_labelled = ("denoising",), how, True
        self._made: dict[str, tuple[Any, float]] = {}

    def pretrained(self, name: str) -> PretrainedModel:
        """Return what is pretrained without labels (see :class:`World`)."""
        return self.model if name == PRETRAINED and self.model is not None else super().pretrained(name)

    def beside(self, name: str) -> list[str]:
        """Return the linear models that a stack puts beside the pretrained one, of those that take seconds."""
        small = self.behaviour.n_items <= MOST_ITEMS
        return [one for one in super().beside(name) if one == "counting" or (one == "ease" and small)]


def rivals(task: Task) -> tuple[list[str], list[str]]:
    """Return the contenders that need no pretraining, and those that pretrain in closed form.

    The network from scratch is none of them: it would be trained anew for each fold, and with few labels it is never
    the best (docs/results). Nor is what takes longest of the closed forms, where others are as good.
    """
    left_out = {"scratch", *(() if isinstance(task, ClassificationTask) else ("raw logistic",))}
    without = [name for name in WITHOUT[place(task)] if name not in left_out]
    slow = ("linear", "ease") if task.behaviour.n_items > MOST_ITEMS else ("linear",)
    return without, [name for name in LINEAR[place(task)] if not name.startswith(slow)]


def place(task: Task) -> str:
    """Return what the map calls this kind of task."""
    if isinstance(task, RankingTask):
        return "target-behaviour" if task.without_seen else "new-shelf"
    return "attribute"


@dataclass
class Comparison:
    """Contenders judged on the same folds of the same labelled users.

    Args:
        task: of the labelled users who were compared on.
        folds: for each deal, ``(users,)`` numbers of the fold that a user is tested in.
        world_of: fold -> what is shared there.
        seed: drew the folds.
    """

    task: Task
    folds: Sequence[np.ndarray]
    world_of: Callable[[int], Labelled]
    seed: int = 0
    judged: dict[str, Judged] = field(default_factory=dict)

    def run(self, names: Iterable[str], progress: bool | None = None) -> None:
        """Judge these contenders, those that are judged already excepted."""
        todo = [name for name in names if name not in self.judged]
        show = sys.stderr.isatty() if progress is None else progress
        with tqdm(total=len(todo), desc="comparing", unit="model", disable=not show) as bar:
            for name in todo:
                self.judged[name] = self.judge(name)
                bar.update()

    def judge(self, name: str, share: float = 1.0) -> Judged:
        """Return a contender's value, fitted in each fold on a ``share`` of the users outside it.

        What takes long rests on one deal, all others on the mean of several.
        """
        found = []
        for fold in self.folds[: 1 if name.endswith(LONG) else None]:
            parts = [self.sides(fold, number, share) for number in range(FOLDS)]
            said = np.concatenate([self._said(number, name, *sides) for number, sides in enumerate(parts)])
            found.append(judge(self.task, fold, said[np.argsort(np.concatenate([test for _, test in parts]))]))
        value, influence = (np.mean([getattr(one, name) for one in found], axis=0) for name in ("value", "influence"))
        return Judged(float(value), influence, found[0].scores)

    def sides(self, fold: np.ndarray, number: int, share: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on in a fold, as many of each label as there are, and the rows to test on."""
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if share < 1:
            parts = deal(self.task.take(train), round(1 / share), self.seed)
            train = train[parts == 0]
        return train, test

    def _said(self, number: int, name: str, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        model = self.world_of(number).fit(name, self.task.take(train))
        return said_of(model, self.task.take(test))

    def best(self, names: Sequence[str]) -> str:
        """Return the best of these by its value, in hindsight: who is compared with it errs against himself."""
        sign = -1 if self.task.lower_is_better else 1
        return max(names, key=lambda name: sign * self.judged[name].value)

    def records(self) -> list[dict[str, Any]]:
        """Return one tidy record for each contender."""
        without, linear = rivals(self.task)
        roles = dict.fromkeys(without, "without") | dict.fromkeys(linear, "linear")
        return [
            {
                "model": name, "role": roles.get(name, "network"), "protocol": f"{FOLDS}-fold",
                "task": self.task.name, "labels": len(self.task), "metric": self.task.metric,
                "k": getattr(self.task, "k", None),
                **dict(zip(("value", "ci_low", "ci_high"), one.interval(self.task), strict=True)),
            }
            for name, one in self.judged.items()
        ]  # fmt: skip


    def told(self) -> str:
        """Return the contenders as lines of text, best first."""
        found = sorted(self.records(), key=lambda row: row["value"], reverse=not self.task.lower_is_better)
        width = max(len(row["model"]) for row in found)
        given = self.world_of(0).model
        mine = "a network" if given is None else f"this model, {given.origin.get('objective', 'yours')}"
        said = {"without": "no pretraining", "linear": "linear pretraining", "network": mine}
        lines = []
        for row in found:
            value = "{value:.3f} [{ci_low:.3f}, {ci_high:.3f}]".format(**row)
            lines.append(f"  {row['model']:<{width}}  {value}  {said[row['role']]}")
        return "\n".join(lines)


def compare_inside(
    task: Task, behaviour: Interactions, seed: int = 0, model: PretrainedModel | None = None, **how: Any
) -> Comparison:
    """Return a comparison to be run on the labelled users of ``task``.

    Where ``model`` is given its g stays what it is in all folds: it has read the behaviour, never the labels, of those
    who are tested on, just as that of the users that it is made for. Where it is None, g is pretrained without those
    who are tested on: without all labelled users where they are at most a third of everybody, so that once is enough;
    else twice, each time without one half of them.

    Args:
        task: labelled users with behaviour.
        behaviour: of everybody; what a ranking task wants of a labelled user is left out of it.
        seed: draws the folds and all weights.
        model: see above.
        how: ``dim``, ``epochs``, ``device`` of pretraining.

    Raises:
        InputError: too few labelled users to judge by.
    """
    if len(task) < FEWEST:
        raise InputError(f"{len(task)} labelled users with behaviour: to judge a model by them takes {FEWEST}")
    some = np.sort(np.random.default_rng(seed).permutation(len(task))[:MOST])
    task = task.take(some) if len(some) < len(task) else task
    behaviour = without_wanted(behaviour, task)
    rows = place_of(task.behaviour.user_ids, behaviour.user_ids)
    halves = 1 if model is not None or 3 * len(task) <= behaviour.n_users else 2
    folds = [deal(task, FOLDS, seed + repeat) for repeat in range(REPEATS if halves == 1 else 1)]
    made: dict[int, Labelled] = {}

    def world_of(number: int) -> Labelled:
        half = number % halves
        if half not in made:
            hidden = rows[(folds[0] % halves == half) & (rows >= 0)] if model is None else []
            known = behaviour.take_users(np.setdiff1d(np.arange(behaviour.n_users), hidden))
            made[half] = Labelled(task, known, seed, model, **how)
        return made[half]

    return Comparison(task, folds, world_of, seed)


def without_wanted(behaviour: Interactions, task: Task) -> Interactions:
    """Return the behaviour without the events that a ranking task asks its users for."""
    if not isinstance(task, RankingTask) or not task.without_seen:
        return behaviour
    rows = place_of(task.targets.user_ids, behaviour.user_ids)
    wanted = np.repeat(rows, task.targets.events_per_user) * behaviour.n_items + task.targets.items
    users = np.repeat(np.arange(behaviour.n_users), behaviour.events_per_user)
    return behaviour.keep_events(~np.isin(users * behaviour.n_items + behaviour.items, wanted))
