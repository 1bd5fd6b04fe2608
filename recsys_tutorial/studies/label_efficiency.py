"""How many labels does pretraining save? Every strategy and every rival on the same few labelled users, over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..data.interactions import Interactions
from ..errors import InputError, unknown
from ..learning.finetuning import RECIPES
from ..objectives import OBJECTIVES
from ..tasks import TASKS
from .contenders import FROM_SCRATCH, HEADLINE, STRATEGIES, build_world, contenders
from .runner import Runner, fingerprint, journal_at, versions
from .statistics import LOWER_IS_BETTER

EXTENSIONS = (3.3, 10.0)  # how far beyond the study's labels a curve from scratch is drawn where it has to be


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
        models: only these of :func:`recsys_tutorial.studies.contenders.contenders`; None takes all.
        seed: the first of the seeds.
        test_share: share of the users that is only tested on.
        dim: length of g's vector; None takes the objective's own.
        epochs: of pretraining; None takes the objective's own.
        draws: labelled users are drawn so often for a seed, and the values averaged; None: one draw where there are
            300 labels, 3 where there are 100, 10 where there are 30; a third of that for strategies that train step
            by step, scratch excepted.
        extend: draw the curves of the networks from scratch beyond ``labels``, up to tenfold, where they do not reach
            the headline model.
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
    for kind, names, among in (
        ("task", [task], TASKS), ("objective", objectives, OBJECTIVES), ("strategy", strategies, RECIPES),
    ):  # fmt: skip
        for name in names:
            if name not in among:
                raise unknown(kind, name, among)
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
    how: dict[str, Any] = dict(dim=dim, epochs=epochs, device=device, attribute=attribute, item=item)
    with journal_at(out, header) as journal:
        runner = Runner(journal, lambda one: build_world(interactions, task, one, test_share, objectives, **how))
        every = range(seed, seed + seeds)
        runner.run(every, sorted(labels), list(chosen), draws, progress, f"{task}, few labels")
        for n, behind in _extensions(runner, task, max(labels), seed) if extend else ():
            runner.run(every, [n], behind, 1, progress, f"from scratch with {n} labels")
        return pd.DataFrame(journal.cells)


def _extensions(runner: Runner, task: str, most: int, seed: int) -> Iterator[tuple[int, list[str]]]:
    """Yield further numbers of labels for the networks from scratch whose mean stays behind the headline model's best.

    With each number come the networks that need it.
    """
    for factor in EXTENSIONS:
        table = pd.DataFrame(runner.journal.cells)
        sign = -1 if table["metric"].iloc[0] in LOWER_IS_BETTER else 1
        best = (sign * table.groupby(["model", "labels"])["value"].mean()).groupby("model").max()
        n = min(round(most * factor), len(runner.world(seed).rest))
        behind = [name for name in FROM_SCRATCH if name in best and best[name] <= best.get(HEADLINE[task], -np.inf)]
        reached = table[table["model"].isin(behind)]["labels"].max()
        if not behind or n <= reached:
            return
        yield n, behind
