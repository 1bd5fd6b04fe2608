"""Does pretraining carry over? From a service where behaviour is plentiful to a new one that has few users."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..baselines import EASE, Model, Popularity
from ..data.interactions import Interactions
from ..data.joining import shared_items, with_items, with_more_users
from ..data.splits import held_out_users
from ..errors import InputError
from ..learning.adapting import adapt
from ..learning.finetuning import finetune
from ..learning.pretraining import pretrain
from ..model import PretrainedModel
from ..tasks import RankingTask, Task, liked_from, top_n
from .runner import Runner, fingerprint, journal_at, versions

ALL = 0  # in ``labels``: every user of the target outside the test
HEADLINE = "pretrained + stack"
# Its rivals that know nothing of the source, and those that know as much.
ALONE = ("scratch", "ease", "popularity")
MODELS = {
    "popularity": None, "ease": None, "scratch": "scratch", "pretrained + no labels": "no labels",
    "pretrained + full": "full", "pretrained + wide": "wide", HEADLINE: "stack",
    "ease of the source": None, "ease of source and target": None,
}  # fmt: skip
FEWEST = 5  # events that a user needs, and an item of the target: others say too little to be tested on


def transfer(
    source: Interactions,
    target: Interactions,
    labels: Sequence[int] = (30, 100, ALL),
    seeds: int = 5,
    *,
    objective: str = "denoising",
    models: Sequence[str] | None = None,
    seed: int = 0,
    test_share: float = 0.33,
    dim: int | None = None,
    epochs: int | None = None,
    draws: int | None = None,
    out: str | Path | None = None,
    origin: dict[str, Any] | None = None,
    device: str = "cpu",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return how well a new service's users are served with few of them known, with and without another service's.

    Items are joined by title and year, or by raw id (:func:`recsys_tutorial.data.joining.shared_items`). Test users are
    held out of the target, with a fifth of their items to be found. ``ease of source and target`` adds the users of
    both before it is solved: its Gram matrix is a pretrained model too, so that it is a rival and no baseline.
    ``pretrained + stack`` adds up that model's scores and those of the network that was pretrained on the source.

    Args:
        source: where behaviour is plentiful.
        target: the new service.
        labels: numbers of the target's users that are known; 0 means all that are not in the test.
        seeds: number of repetitions, at least 2; each draws its own test users, known users and initial weights.
        objective: of pretraining, and of ``scratch``, which has the known users alone.
        models: only these of :data:`MODELS`; None takes all.
        seed: the first of the seeds.
        test_share: share of the target's users that is only tested on.
        dim: length of g's vector; None takes the objective's own.
        epochs: of pretraining; None takes the objective's own.
        draws: see :func:`recsys_tutorial.label_efficiency`.
        out: results file; one that is there, of the same study, is continued.
        origin: what else the file should say of where it comes from.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Returns:
        One row per model, number of labels and seed, as :func:`recsys_tutorial.label_efficiency`.

    Raises:
        InputError: no shared items, too many labels, fewer than two seeds, a results file of another study.
    """
    if seeds < 2:
        raise InputError(f"seeds={seeds}: intervals over seeds need at least 2")
    target, source = _liked(target).filter_counts(FEWEST, FEWEST), _liked(source)
    source = with_items(source, target.catalogue, shared_items(source, target))
    source = source.take_users(np.flatnonzero(source.events_per_user >= FEWEST))
    most = target.n_users - max(1, round(test_share * target.n_users))
    counts = sorted({n or most for n in labels})
    if counts[-1] > most:
        raise InputError(f"labels={counts[-1]}: only {most} users of {target.name!r} are not in the test")
    chosen = list(models or MODELS)
    settings = dict(
        labels=sorted(labels), seeds=seeds, objective=objective, models=chosen, seed=seed, test_share=test_share,
        dim=dim, epochs=epochs, draws=draws,
    )  # fmt: skip
    header = {"study": "transfer", "data": [source.name, target.name],
              "fingerprint": [fingerprint(source), fingerprint(target)],
              "split": f"{test_share:.0%} of the target's users are tested on, a fifth of their items is to be found",
              "settings": settings, "versions": versions(), **(origin or {})}  # fmt: skip
    how = {key: value for key, value in dict(dim=dim, epochs=epochs).items() if value is not None}
    with journal_at(out, header) as journal:
        runner = Runner(journal, lambda one: _World(source, target, one, test_share, objective, device, how))
        runner.run(range(seed, seed + seeds), counts, chosen, draws, progress, "transfer")
        return pd.DataFrame(journal.cells)


def _liked(interactions: Interactions) -> Interactions:
    alone = replace(interactions, labels=None)
    return alone.binarise(liked_from(alone.weights))


class _World:
    """What all contenders of one seed share."""

    def __init__(
        self, source: Interactions, target: Interactions, seed: int, test_share: float, objective: str, device: str,
        how: dict[str, Any],
    ) -> None:  # fmt: skip
        split = held_out_users(target, test_share, seed=seed)
        self.source, self.rest, self.seed, self.objective = source, split.train, seed, objective
        self.test: Task = RankingTask(split.inputs, split.targets, min(20, target.n_items), without_seen=True)
        self.how, self.device = how, device
        self.made: tuple[PretrainedModel, float] | None = None

    def labelled(self, n: int, draw: int = 0) -> Interactions:
        """Return ``n`` users of the target."""
        return self.rest.take_users(np.random.default_rng([self.seed, draw]).permutation(self.rest.n_users)[:n])

    def fit(self, name: str, known: Interactions) -> Model:
        """Return the contender of that name."""
        return MAKERS[name](self, known)

    def seconds(self, name: str) -> float:
        """Return what pretraining took."""
        return self.made[1] if name.startswith("pretrained") and self.made else 0.0

    def described(self, name: str) -> dict[str, Any]:
        """Return strategy, objective and protocol."""
        objective = self.objective if MODELS[name] else None
        return {"strategy": MODELS[name], "objective": objective, "protocol": "transfer"}

    def pretrained(self) -> PretrainedModel:
        """Return what is pretrained on the source, once."""
        if self.made is None:
            started = time.perf_counter()
            model = self.train(self.source)
            self.made = model, time.perf_counter() - started
        return self.made[0]

    def train(self, interactions: Interactions) -> PretrainedModel:
        """Return the objective's model of these users alone."""
        return pretrain(
            self.objective, interactions, seed=self.seed, device=self.device, progress=False, **self.how
        )

    def further(self, known: Interactions) -> PretrainedModel:
        """Return the pretrained model, fine-tuned to tell the rest of a known user's items from a part of them."""
        return finetune(self.pretrained(), top_n(known, seed=self.seed), "full", seed=self.seed, progress=False)


MAKERS: dict[str, Callable[[_World, Interactions], Model]] = {
    "popularity": lambda world, known: Popularity().fit(known),
    "ease": lambda world, known: EASE().fit(known),
    "scratch": lambda world, known: world.train(known),
    "pretrained + no labels": lambda world, known: world.pretrained(),
    "pretrained + full": lambda world, known: world.further(known),
    "pretrained + wide": lambda world, known: adapt(world.pretrained(), known, seed=world.seed),
    HEADLINE: lambda world, known: adapt(world.pretrained(), known, seed=world.seed, source=world.source),
    "ease of the source": lambda world, known: EASE().fit(world.source),
    "ease of source and target": lambda world, known: EASE().fit(with_more_users(world.source, known)),
}
