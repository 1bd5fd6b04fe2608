"""One seed of a study: its task, its users, what is pretrained there, and every contender by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from ..baselines import (
    EASE,
    DescribedRidge,
    LabelledEASE,
    LabelMean,
    Model,
    Neighbours,
    PlainScratch,
    RawLogistic,
    RawRidge,
    pca,
)
from ..data.interactions import Interactions
from ..errors import InputError
from ..learning.finetuning import STRATEGIES, finetune
from ..learning.pretraining import pretrain
from ..model import PretrainedModel
from ..objectives import build_objective
from ..tasks import TASKS, ClassificationTask, RankingTask, Task

PRETRAINED = "pretrained"  # what the first objective is called in results
PLAIN = "scratch (plain)"  # the network as the article trains it; `scratch` is trained as well as we know how
# What a head can do with few labels depends on g's shape as much as on its loss: tanh, rows of length 1 and 256 numbers
# were better here than the linear g that scores best by itself (docs/choices.md).
STUDIED = {"denoising": dict(loss="multinomial", dropout=0.5, dim=256, epochs=50, learning_rate=3e-3, weight_decay=0.0)}
SETTINGS = ("epochs", "learning_rate", "weight_decay", "batch_size")
TRIES = 200  # draws of labelled users until each class is there


@dataclass
class World:
    """What all contenders of one seed share: the task, who is tested on and who may be labelled, what is pretrained.

    g is pretrained on the behaviour of everyone but the test users, labelled or not, once, and only when a contender
    asks for it.

    Args:
        task: for all users.
        seed: draws the test users and the order in which the others are labelled.
        test_share: share of the users that is only tested on.
        objectives: of pretraining; the first is called ``pretrained``.
        how: ``dim``, ``epochs``, ``device`` of pretraining, where they are not the objective's own.
        most_test: test users at most.
        only_labelled: only users who have a label are labelled or tested on; the others are behaviour.
    """

    task: Task
    seed: int
    test_share: float
    objectives: Sequence[str]
    how: dict[str, Any]
    most_test: int | None = None
    only_labelled: bool = False
    _made: dict[str, tuple[Any, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with_labels = self.task.with_labels() if self.only_labelled else np.arange(len(self.task))
        order = np.random.default_rng(self.seed).permutation(with_labels)
        n_test = round(self.test_share * len(order))
        self.test, self.rest = self.task.take(order[:n_test][: self.most_test]), self.task.take(order[n_test:])
        everyone = self.task.behaviour
        tested = np.isin(np.arange(everyone.n_users), order[:n_test])
        others = np.setdiff1d(np.flatnonzero(~tested), order[n_test:])
        self.behaviour = everyone.take_users(np.concatenate([order[n_test:], others]))

    def labelled(self, n: int, draw: int = 0) -> Task:
        """Return ``n`` labelled users; ``draw`` 0 takes the first, further ones take others at random."""
        if n > len(self.rest):
            raise InputError(f"labels={n}: only {len(self.rest)} users are not in the test")
        for attempt in range(TRIES):
            rng = np.random.default_rng([self.seed, draw, attempt])
            rows = np.arange(len(self.rest)) if draw == attempt == 0 else rng.permutation(len(self.rest))
            found = self.rest.take(rows[:n])
            if not isinstance(found, ClassificationTask) or np.bincount(found.labels, minlength=2).min() > 1:
                return found
        raise InputError(f"labels={n}: a class has fewer than 2 of them in {TRIES} draws; ask for more labels")

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            started = time.perf_counter()
            made = make()
            self._made[name] = made, time.perf_counter() - started
        return self._made[name][0]

    def seconds(self, name: str) -> float:
        """Return what pretraining for the contender ``name`` took, 0 where it needs none."""
        return next((seconds for made, (_, seconds) in self._made.items() if name.startswith(f"{made} ")), 0.0)

    def pretrained(self, name: str) -> PretrainedModel:
        """Return what is pretrained without labels: ``pca``, ``ease``, ``pretrained`` or another objective."""
        x = self.behaviour
        if name == "pca":
            return self._once(name, lambda: pca(x, min(64, x.n_users - 1, x.n_items - 1), seed=self.seed))
        if name in CLOSED:
            solved: dict[str, Any] = {"dim": min(256, x.n_items // 4), "normalise": True} if name == "linear" else {}
            solved["objective"] = "linear" if name == "ease" else name
            return self._once(name, lambda: pretrain(interactions=x, seed=self.seed, progress=False, **solved))
        objective = self.objectives[0] if name == PRETRAINED else name
        about_person = self.only_labelled and self.task.outputs is None
        how = {**for_labels(objective, x.n_users, about_person), **self.how}
        return self._once(name, lambda: pretrain(objective, x, seed=self.seed, progress=False, **how))

    def blank(self) -> PretrainedModel:
        """Return a model of the shape of the first objective's, untrained."""
        how = {**STUDIED.get(self.objectives[0], {}), **self.how}
        how = {key: value for key, value in how.items() if key not in ("device", *SETTINGS)}
        g = build_objective(self.objectives[0], self.behaviour, how.pop("dim", None), **how).feature_extractor()
        return PretrainedModel.compose(g, nn.Linear(g.dim, 1), catalogue=self.behaviour.catalogue)

    def fit(self, name: str, labelled: Task) -> Model:
        """Return the contender called ``name``, made from the labelled users."""
        how = {"seed": self.seed, "device": self.how.get("device", "cpu"), "progress": False}
        if name in SIMPLE:
            return SIMPLE[name](self, labelled)
        first, _, second = name.partition(" + ")
        if second == "logistic":
            return _logistic(labelled, self.seed, self.pretrained(first))
        if name == "scratch":
            return finetune(self.blank(), labelled, "scratch", **how)
        if second == "no labels":
            return self.pretrained(first)
        if second == "stack":
            how["others"] = [self.pretrained(other) for other in self.beside(first)]
        return finetune(self.pretrained(first), labelled, second, **how)

    def beside(self, name: str) -> list[str]:
        """Return the linear models that a stack puts beside the pretrained one: those that suit the task."""
        task = self.task
        same = isinstance(task, RankingTask) and task.without_seen
        return [other for other in (["ease"] if same else ["counting", "linear", "pca"]) if other != name]

    def described(self, name: str) -> dict[str, Any]:
        """Return the strategy, the objective and the protocol of a contender, for its records."""
        first, _, second = name.partition(" + ")
        protocol = "few-labels"
        if isinstance(self.task, RankingTask):
            protocol = "top-n" if self.task.without_seen else "new-shelf"
            protocol = "target-behaviour" if self.only_labelled and self.task.without_seen else protocol
        return {
            "strategy": "scratch" if name == PLAIN else name if name in STRATEGIES else second or None,
            "objective": self.objectives[0] if first == PRETRAINED else first if second else None,
            "protocol": protocol,
        }


def for_labels(objective: str, n_users: int, about_person: bool) -> dict[str, Any]:
    """Return the settings of pretraining that suit a head with few labels, where they were studied.

    Where labels are about the person g reads rare items louder: there they say the most.
    """
    if objective not in STUDIED:
        return {}
    weighting = {"weighting": "idf"} if about_person else {}
    return {**STUDIED[objective], "epochs": epochs_for(n_users), **weighting}


def epochs_for(n_users: int) -> int:
    """Return the epochs of a studied g: 50, fewer where users are many, so that there are about 600 steps of 256."""
    return int(np.clip(600 * 256 // max(1, n_users), 12, 50))


def contenders(task: str, objectives: Sequence[str], strategies: Sequence[str]) -> dict[str, str | None]:
    """Return model -> strategy: all rivals of a task, and every objective with every strategy."""
    linear = "logistic" if task == "classification" else "probe"
    found: dict[str, str | None] = {
        "popularity" if task in RANKING else "label mean": None, "neighbours": None, RAW[task]: None,
        "raw ridge (idf)": None,
        f"pca + {linear}": linear, "scratch": "scratch", PLAIN: "scratch",
    }  # fmt: skip
    if task == "new-shelf":
        found[DESCRIBED] = None
    if task in RANKING:
        found["ease (labelled)"] = None
    if task in SAME_ITEMS:
        found |= {"ease (no labels)": None, f"{PRETRAINED} + no labels": "no labels"}
    names = [PRETRAINED, *objectives[1:]]
    return found | {f"{name} + {how}": how for name in names for how in strategies if how != "scratch"}


def unpretrained(task: str, measured: Iterable[str] | None = None) -> list[str]:
    """Return the rivals that need no pretraining: those that a verdict is about.

    Args:
        task: a name of :data:`recsys_tutorial.tasks.TASKS`.
        measured: models of a results file. One that is older than two of the rivals is judged by the others.
    """
    younger = ["raw ridge (idf)", *(["ease (labelled)"] if task in RANKING else [])]
    kept = younger if measured is None else [name for name in younger if name in set(measured)]
    return ["scratch", RAW[task], "neighbours", "popularity" if task in RANKING else "label mean", *kept]


DESCRIBED = "raw ridge + descriptions"  # what descriptions bring without pretraining: the rival of `described`
FROM_SCRATCH = ("scratch", PLAIN)
RANKING = ("new-shelf", "target-behaviour", "top-n")
SAME_ITEMS = ("target-behaviour", "top-n")  # what is ranked are the items that g reads
CLOSED = ("linear", "counting", "ease")  # pretrained in closed form; `ease` is `linear` at full rank
RAW = dict.fromkeys(TASKS, "raw ridge") | {"classification": "raw logistic"}
# The one model that a verdict is about, fixed in advance (docs/choices.md).
HEADLINE = {name: f"{PRETRAINED} + {'wide' if name in RANKING else 'probe'}" for name in TASKS}
SIMPLE: dict[str, Callable[[World, Any], Model]] = {
    "popularity": lambda world, labelled: LabelMean().fit(labelled),
    "label mean": lambda world, labelled: LabelMean().fit(labelled),
    "neighbours": lambda world, labelled: Neighbours().fit(labelled),
    PLAIN: lambda world, labelled: PlainScratch(world.blank().feature_extractor, seed=world.seed).fit(labelled),
    "raw ridge": lambda world, labelled: RawRidge().fit(labelled),
    "raw ridge (idf)": lambda world, labelled: RawRidge("idf").fit(labelled),
    "ease (labelled)": lambda world, labelled: LabelledEASE(seed=world.seed).fit(labelled),
    DESCRIBED: lambda world, labelled: DescribedRidge().fit(labelled),
    "raw logistic": lambda world, labelled: _logistic(labelled, world.seed),
    "ease (no labels)": lambda world, labelled: world._once("ease", lambda: EASE().fit(world.behaviour)),
}


def _logistic(labelled: Any, seed: int, model: PretrainedModel | None = None) -> RawLogistic:
    folds = int(np.clip(np.bincount(labelled.labels).min(), 2, 5))
    return RawLogistic(folds, seed, model).fit(labelled)


def build_world(
    interactions: Interactions, task: str, seed: int, test_share: float, objectives: Sequence[str],
    most_test: int | None = None, only_labelled: bool | None = None, **how: Any,
) -> World:  # fmt: skip
    """Return the world of one seed; ``how`` may hold options of the task (``attribute``, ``item``, ``target``)."""
    options = {name: how.pop(name) for name in ("attribute", "item", "target") if how.get(name) is not None}
    made = TASKS[task](interactions, seed=seed, **options)
    only = task == "target-behaviour" if only_labelled is None else only_labelled
    how = {key: value for key, value in how.items() if value is not None}
    return World(made, seed, test_share, objectives, how, most_test, only)
