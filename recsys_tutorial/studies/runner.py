"""What every study does: go through its cells seed by seed, and write down where they come from."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from tqdm.auto import tqdm

from ..baselines import Model
from ..data.interactions import Interactions
from ..tasks import Task
from .journal import Journal

DRAWS_FROM = 300  # labelled users in all that a value rests on, where they are few: 10 draws of 30, 3 of 100
SLOW = ("frozen", "lora", "layerwise", "full")  # trained step by step, and no part of a verdict: a third of the draws


class AnyWorld(Protocol):
    """What the contenders of one seed share."""

    test: Task
    rest: Any

    def labelled(self, n: int, draw: int = 0) -> Any:
        """Return the ``n`` labelled users of a draw."""

    def fit(self, name: str, labelled: Any) -> Model:
        """Return the contender of that name, made from the labelled users."""

    def seconds(self, name: str) -> float:
        """Return what pretraining for that contender took."""

    def described(self, name: str) -> dict[str, Any]:
        """Return what a record says of that contender and of the task."""


class Runner:
    """Measures the cells of a study that its journal does not hold yet.

    Args:
        journal: where finished cells are.
        build: seed -> world. The last world is kept: within a seed nothing is pretrained twice.
    """

    def __init__(self, journal: Journal, build: Callable[[int], AnyWorld]) -> None:
        self.journal, self.build = journal, build
        self._kept: tuple[int | None, Any] = None, None

    def world(self, seed: int) -> AnyWorld:
        """Return the world of a seed."""
        if self._kept[0] != seed:
            self._kept = seed, self.build(seed)
        return self._kept[1]

    def run(
        self, seeds: Sequence[int], labels: Sequence[int], models: Sequence[str], draws: int | None,
        progress: bool | None, what: str,
    ) -> None:  # fmt: skip
        """Measure every model at every number of labels and every seed."""
        show = sys.stderr.isatty() if progress is None else progress
        with tqdm(total=len(seeds) * len(labels) * len(models), desc=what, unit="model", disable=not show) as bar:
            for seed in seeds:
                for n in labels:
                    for name in models:
                        if not self.journal.find(labels=n, seed=seed, model=name):
                            self.journal.add(self._measure(seed, n, name, draws or draws_of(name, n)))
                        bar.update()

    def _measure(self, seed: int, n: int, name: str, draws: int) -> dict[str, Any]:
        world, values = self.world(seed), []
        started = time.perf_counter()
        for draw in range(draws):
            model = world.fit(name, world.labelled(n, draw))
            values.append(world.test.value(model.score(world.test.behaviour)))
        seconds = (time.perf_counter() - started) / draws + world.seconds(name)
        task = {"task": world.test.name, "metric": world.test.metric, "k": getattr(world.test, "k", None)}
        return {
            "model": name, **world.described(name), **task, "labels": n, "seed": seed, "draws": draws,
            "value": sum(values) / draws, "seconds": seconds,
        }  # fmt: skip


def draws_of(name: str, n: int) -> int:
    """Return how many draws of ``n`` labelled users the value of a model rests on; all models share the first."""
    draws = max(1, DRAWS_FROM // n)
    return max(1, draws // 3) if name.endswith(SLOW) else draws


@contextlib.contextmanager
def journal_at(out: str | Path | None, header: dict[str, Any]) -> Iterator[Journal]:
    """Give the journal at ``out``, or where that is None one in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Journal(out or os.path.join(folder, "results.jsonl"), header)


def fingerprint(interactions: Interactions) -> str:
    """Return the fingerprint of the behaviour, and that of the labels where it has some."""
    labels = interactions.labels
    return interactions.fingerprint + (f"+{labels.fingerprint}" if labels is not None else "")


def versions() -> dict[str, str]:
    """Return the versions of what results depend on."""
    return {name: version(name) for name in ("torch", "numpy", "scipy", "scikit-learn")}
