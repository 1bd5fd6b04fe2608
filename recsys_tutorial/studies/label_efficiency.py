"""How many labels does pretraining save? Every strategy and every rival on the same few labelled users, over seeds."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from ..errors import InputError, unknown
from ..interactions import Interactions
from ..objectives import OBJECTIVES
from ..tasks import TASKS
from .journal import Journal
from .statistics import LOWER_IS_BETTER
from .world import HEADLINE, STRATEGIES, World, build_world, contenders

EXTENSIONS = (3.3, 10.0)  # how far beyond the study's labels the curve of scratch is drawn where it has to be
DRAWS_FROM = 300  # labelled users in all that a value rests on, where they are few: 10 draws of 30, 3 of 100


def label_efficiency(
    interactions: Interactions,
    labels: Sequence[int] = (30, 100, 300),
    seeds: int = 5,
    *,
    task: str = "new-shelf",
    objectives: Sequence[str] = ("denoising",),
    strategies: Sequence[str] = STRATEGIES,
    models: Sequence[str] | None = None,
    seed: int = 0,
    test_share: float = 0.33,
    dim: int | None = None,
    epochs: int | None = None,
    draws: int | None = None,
    extend: bool = False,
    attribute: str | None = None,
    item: str | None = None,
    out: str | Path | None = None,
    origin: dict[str, Any] | None = None,
    device: str = "cpu",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return how well a task is learned from few labelled users, with and without pretraining.

    Every seed draws its own hidden items, test users, labelled users and initial weights; within a seed all models see
    the same. g is pretrained on the behaviour of everyone but the test users, without their labels.

    Args:
        interactions: behaviour; see :mod:`recsys_tutorial.tasks.build` for what each task makes of it.
        labels: numbers of labelled users, at least 5 each and no more than there are outside the test.
        seeds: number of repetitions, at least 2.
        task: a name of :data:`recsys_tutorial.tasks.TASKS`.
        objectives: of pretraining; the first is the one called ``pretrained``.
        strategies: of fine-tuning.
        models: only these of :func:`recsys_tutorial.studies.world.contenders`; None takes all.
        seed: the first of the seeds.
        test_share: share of the users that is only tested on.
        dim: length of g's vector; None takes the objective's own.
        epochs: of pretraining; None takes the objective's own.
        draws: labelled users are drawn so often for a seed, and the values averaged; None: one draw where there are
            300 labels, 3 where there are 100, 10 where there are 30.
        extend: draw the curve of scratch beyond ``labels``, up to tenfold, where it does not reach the headline model.
        attribute: for classification, see there.
        item: for regression, see there.
        out: results file; one that is there, of the same study, is continued.
        origin: what else the file should say of where it comes from.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Returns:
        One row per model, number of labels and seed:
        ``model, strategy, objective, protocol, task, labels, seed, metric, k, value, seconds``.

    Raises:
        InputError: an unknown name, too many labels, fewer than two seeds, a results file of another study.
    """
    for kind, names, known in (
        ("task", [task], TASKS), ("objective", objectives, OBJECTIVES), ("strategy", strategies, STRATEGIES),
    ):  # fmt: skip
        for name in names:
            if name not in known:
                raise unknown(kind, name, known)
    if seeds < 2:
        raise InputError(f"seeds={seeds}: intervals over seeds need at least 2")
    known = contenders(task, objectives, strategies)
    chosen = {name: known[name] for name in models or known if name in known}
    if models is not None and len(chosen) < len(set(models)):
        raise unknown("model", next(name for name in models if name not in known), known)
    settings = dict(
        labels=sorted(labels), seeds=seeds, task=task, objectives=list(objectives), models=list(chosen), seed=seed,
        test_share=test_share, dim=dim, epochs=epochs, draws=draws, extend=extend, attribute=attribute, item=item,
    )  # fmt: skip
    header = {"study": "label-efficiency", "data": interactions.name, "fingerprint": fingerprint(interactions),
              "split": f"{test_share:.0%} of the users are tested on, g is pretrained on the others",
              "settings": settings, "versions": versions(), **(origin or {})}  # fmt: skip
    with journal_at(out, header) as journal:
        worlds = _Worlds(interactions, task, test_share, objectives, dict(
            dim=dim, epochs=epochs, device=device, attribute=attribute, item=item))  # fmt: skip
        seen = range(seed, seed + seeds)
        total = seeds * len(labels) * len(chosen)
        show = sys.stderr.isatty() if progress is None else progress
        with tqdm(total=total, desc=f"{task}, few labels", unit="model", disable=not show) as bar:
            for one in seen:
                for n in sorted(labels):
                    for name in chosen:
                        _cell(journal, worlds, one, n, name, chosen[name], draws)
                        bar.update()
            if extend:
                for n in _extensions(journal, task, max(labels), worlds.most_labels(seed)):
                    for one in seen:
                        _cell(journal, worlds, one, n, "scratch", "scratch", 1)
        return pd.DataFrame(journal.cells)


class _Worlds:
    """The worlds of a study, the last one kept: within a seed nothing is pretrained twice."""

    def __init__(self, *how: Any) -> None:
        self.how, self.kept = how, (None, None)

    def of(self, seed: int) -> World:
        if self.kept[0] != seed:
            interactions, task, test_share, objectives, others = self.how
            self.kept = seed, build_world(interactions, task, seed, test_share, objectives, **others)
        return self.kept[1]

    def most_labels(self, seed: int) -> int:
        return len(self.of(seed).rest)


def _cell(
    journal: Journal, worlds: _Worlds, seed: int, n: int, name: str, strategy: str | None, draws: int | None
) -> None:
    """Measure one model at one number of labels and one seed, unless that is done."""
    if journal.find(labels=n, seed=seed, model=name):
        return
    world = worlds.of(seed)
    task, started, values = world.task, time.perf_counter(), []
    for draw in range(draws or max(1, DRAWS_FROM // n)):
        model = world.fit(name, world.labelled(n, draw))
        values.append(world.test.value(model.score(world.test.behaviour)))
    first = name.partition(" + ")[0]
    journal.add(
        {
            "model": name, "strategy": strategy, "objective": world.objectives[0] if first == "pretrained" else first,
            "protocol": "few-labels" if task.name != "ranking" else PROTOCOL[task.without_seen], "task": task.name,
            "labels": n, "seed": seed, "metric": task.metric, "k": getattr(task, "k", None),
            "value": sum(values) / len(values), "draws": len(values),
            "seconds": (time.perf_counter() - started) / len(values) + world.seconds(name),
        }
    )  # fmt: skip


PROTOCOL = {False: "new-shelf", True: "top-n"}


def _extensions(journal: Journal, task: str, most: int, available: int) -> Iterator[int]:
    """Yield further numbers of labels for scratch while its mean stays behind the headline model's best."""
    for factor in EXTENSIONS:
        table = pd.DataFrame(journal.cells)
        sign = -1 if table["metric"].iloc[0] in LOWER_IS_BETTER else 1
        means = sign * table.groupby(["model", "labels"])["value"].mean()
        if not {HEADLINE[task], "scratch"} <= set(table["model"]) or means["scratch"].max() > means[HEADLINE[task]].max():
            return
        n = min(round(most * factor), available)
        if n <= table["labels"].max():
            return
        yield n


class journal_at:  # noqa: N801 - used as `with journal_at(...)`, like a function
    """The journal at ``out``, or where that is None one in a folder that is gone afterwards."""

    def __init__(self, out: str | Path | None, header: dict[str, Any]) -> None:
        self.out, self.header, self.folder = out, header, None

    def __enter__(self) -> Journal:
        if self.out is None:
            self.folder = tempfile.TemporaryDirectory()
        return Journal(self.out or os.path.join(self.folder.name, "results.jsonl"), self.header)

    def __exit__(self, *error: object) -> None:
        if self.folder is not None:
            self.folder.cleanup()


def fingerprint(interactions: Interactions) -> str:
    """Return the fingerprint of the behaviour, and that of the labels where it has some."""
    labels = interactions.labels
    return interactions.fingerprint + (f"+{labels.fingerprint}" if labels is not None else "")


def versions() -> dict[str, str]:
    """Return the versions of what results depend on."""
    return {name: version(name) for name in ("torch", "numpy", "scipy", "scikit-learn")}
