"""When does pretraining help? One map: kinds of label, data, how much is shown, how many are labelled."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ..data.interactions import Interactions
from ..errors import InputError, unknown
from ..tasks import Task
from .contenders import World, build_world
from .journal import Journal
from .runner import fingerprint, journal_at, versions

ALL = 0  # of ``shown``: the whole behaviour
MAP_TASKS = {"new-shelf": "new-shelf", "target-behaviour": "target-behaviour", "attribute": "classification"}
# What a cell compares: rivals that need no pretraining, pretraining in closed form, a network's; in that order.
WITHOUT: dict[str, tuple[str, ...]] = {
    "new-shelf": ("popularity", "neighbours", "raw ridge", "raw ridge (idf)", "ease (labelled)", "scratch"),
    "target-behaviour": ("popularity", "neighbours", "raw ridge", "raw ridge (idf)", "ease (labelled)", "scratch"),
    "attribute": ("label mean", "neighbours", "raw ridge", "raw ridge (idf)", "raw logistic", "scratch"),
}
LINEAR: dict[str, tuple[str, ...]] = {
    "new-shelf": ("pca + probe", "pca + neighbours", "linear + probe", "linear + neighbours", "counting + probe",
                  "counting + neighbours"),
    "target-behaviour": ("ease + no labels", "pca + no labels", "linear + probe", "counting + probe"),
    "attribute": ("pca + probe", "linear + probe", "counting + probe"),
}  # fmt: skip
NETWORK: dict[str, tuple[str, ...]] = {
    "new-shelf": ("pretrained + neighbours", "pretrained + probe", "pretrained + stack"),
    "target-behaviour": ("pretrained + no labels", "pretrained + probe", "pretrained + stack"),
    "attribute": ("pretrained + probe", "pretrained + stack"),
}
# The one model that a kind of label is judged by, fixed before the map was drawn (docs/choices.md).
MAP_HEADLINE = {"new-shelf": "pretrained + stack", "target-behaviour": "pretrained + stack",
                "attribute": "pretrained + probe"}  # fmt: skip
MOST_TEST = 2000  # test users of a cell: more would make it longer and no surer
DRAWS, MANY = 3, 300  # draws of labelled users that a value rests on, where they are fewer than so many


@dataclass(frozen=True)
class Place:
    """One data set and one kind of label on the map."""

    data: Interactions
    task: str
    shown: tuple[int, ...]
    attribute: str = ""
    target: str | None = None
    epochs: int | None = None

    @property
    def models(self) -> list[str]:
        """All that is compared here."""
        return [*WITHOUT[self.task], *LINEAR[self.task], *NETWORK[self.task]]

    def world(self, seed: int, test_share: float, device: str) -> World:
        """Return what all contenders of one seed share."""
        data = replace(self.data, labels=None, kinds=None) if self.task == "new-shelf" else self.data
        own = {"attribute": self.attribute or None, "target": self.target, "epochs": self.epochs}
        return build_world(
            data, MAP_TASKS[self.task], seed, test_share, ("denoising",), MOST_TEST, True, device=device, **own
        )  # fmt: skip


def study_map(
    data: Sequence[Interactions],
    tasks: Sequence[str] | None = None,
    shown: Sequence[int] = (1, 3, ALL),
    labels: Sequence[int] = (30, 100),
    seeds: int = 5,
    *,
    target: str | None = None,
    attribute: str | None = None,
    models: Sequence[str] | None = None,
    seed: int = 0,
    test_share: float = 0.33,
    epochs: int | None = None,
    draws: int | None = None,
    out: str | Path | None = None,
    origin: dict[str, Any] | None = None,
    device: str = "cpu",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return how well each kind of label is learned from few labelled users, on each data set, with and without g.

    Tasks: ``new-shelf`` (items that no history shows; test users show ``shown`` events of theirs), ``target-behaviour``
    (from what everybody does, what few do: see :func:`recsys_tutorial.tasks.target_behaviour`), ``attribute`` (who the
    user is). In each, all models see the same labelled and test users, and g is pretrained on everyone but the latter.
    What follows from the rows is in :mod:`recsys_tutorial.studies.map_findings`.

    Args:
        data: sets of behaviour.
        tasks: of these three; None takes, of each data set, all that it allows.
        shown: numbers of events that a test user of the new shelf shows; 0 is all of them.
        labels: numbers of labelled users; where a data set has fewer to give, that cell is left out.
        seeds: repetitions, at least 2.
        target: for ``target-behaviour``, see :func:`recsys_tutorial.tasks.with_target`.
        attribute: for ``attribute``: ``gender``, ``age>=35``, or several with commas between them.
        models: only these of :data:`WITHOUT`, :data:`LINEAR` and :data:`NETWORK`.
        seed: the first of the seeds.
        test_share: share of the users that is only tested on, 2,000 at most.
        epochs: of the network's pretraining; None takes the studies' own.
        draws: of labelled users a seed; None: 3, of 300 and more 1.
        out: results file; one that is there, of the same study, is continued.
        origin: what else the file should say of where it comes from.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Returns:
        One row per data set, task, model, ``shown``, number of labels and seed.

    Raises:
        InputError: an unknown task or model, a task that no data allows, fewer than two seeds, a results file of
            another study.
    """
    for name in tasks or ():
        if name not in MAP_TASKS:
            raise unknown("task", name, MAP_TASKS)
    if seeds < 2:
        raise InputError(f"seeds={seeds}: intervals over seeds need at least 2")
    counts = [one.name for one in data]
    if len(set(counts)) < len(counts):
        raise InputError(f"data {counts}: a name comes twice, and cells are told apart by it")
    found = list(places(data, tasks, shown, target, attribute, epochs))
    known = sorted({model for place in found for model in place.models})
    for name in models or ():
        if name not in known:
            raise unknown("model", name, known)
    settings = dict(
        tasks=None if tasks is None else list(tasks), shown=sorted(shown), labels=sorted(labels), seeds=seeds,
        target=target, attribute=attribute, models=None if models is None else list(models), seed=seed,
        test_share=test_share, epochs=epochs, draws=draws,
    )  # fmt: skip
    header = {"study": "map", "data": counts, "fingerprint": [fingerprint(one) for one in data],
              "split": f"{test_share:.0%} of the users are tested on, g is pretrained on the others",
              "settings": settings, "versions": versions(), **(origin or {})}  # fmt: skip
    show = sys.stderr.isatty() if progress is None else progress
    with journal_at(out, header) as journal, tqdm(
        total=len(found) * seeds, desc="map", unit="world", disable=not show
    ) as bar:  # fmt: skip
        for place in found:
            chosen = [name for name in place.models if models is None or name in models]
            for one in range(seed, seed + seeds):
                _measure(journal, place, one, sorted(labels), chosen, draws, test_share, device)
                bar.update()
        return pd.DataFrame(journal.cells)


def places(
    data: Sequence[Interactions], tasks: Sequence[str] | None, shown: Sequence[int], target: str | None,
    attribute: str | None, epochs: int | None = None,
) -> Iterator[Place]:  # fmt: skip
    """Yield every data set with every task that it allows; InputError where a task that was asked for fits none."""
    for task in MAP_TASKS:
        if tasks is not None and task not in tasks:
            continue
        fits, refused = [], None
        wanted = (attribute or "").split(",") if task == "attribute" else [""]
        for one, name in ((one, name) for one in data for name in wanted):
            at = tuple(shown) if task == "new-shelf" else (ALL,)
            place = Place(one, task, at, name.strip(), target if task == "target-behaviour" else None, epochs)
            try:
                if task == "attribute" and one.user_attributes is None:
                    raise InputError(f"{one.name!r} knows no attributes of its users")
                place.world(0, 0.33, "cpu")
            except InputError as error:
                refused = error
                continue
            fits.append(place)
        if tasks is not None and not fits and refused is not None:
            raise refused
        yield from fits


def _measure(
    journal: Journal, place: Place, seed: int, labels: Sequence[int], models: Sequence[str], draws: int | None,
    test_share: float, device: str,
) -> None:  # fmt: skip
    """Add the cells of one world that the journal does not hold yet."""
    here = {"data": place.data.name, "task": place.task, "attribute": place.attribute, "seed": seed}
    there = {(cell["labels"], cell["shown"], cell["model"]) for cell in journal.cells if here.items() <= cell.items()}
    wanted = [(n, name) for n in labels for name in models]
    missing = [(n, name) for n, name in wanted if any((n, s or "all", name) not in there for s in place.shown)]
    if not missing:
        return
    world = place.world(seed, test_share, device)
    tests = {s: world.test.showing(s, seed) if s else world.test for s in place.shown}
    for n, name in missing:
        if n > len(world.rest):
            continue
        values, unseen, strange = ({s: list[float]() for s in tests} for _ in range(3))
        started = time.perf_counter()
        repeats = draws or (1 if name == "scratch" or n >= MANY else DRAWS)
        for draw in range(repeats):
            labelled = world.labelled(n, draw)
            model = world.fit(name, labelled)
            for s, test in tests.items():
                values[s].append(test.value(model.score(test.behaviour)))
                unseen[s].append(unseen_share(labelled, test))
                strange[s].append(strangers(labelled, test))
        seconds = (time.perf_counter() - started) / repeats
        for s in tests:
            if (n, s or "all", name) not in there:
                journal.add({
                    **here, "shown": s or "all", "labels": n, "model": name, "role": role(place.task, name),
                    "metric": world.test.metric, "k": getattr(world.test, "k", None), "draws": repeats,
                    "value": float(np.mean(values[s])), "unseen_share": float(np.mean(unseen[s])),
                    "strangers": float(np.mean(strange[s])), "seconds": seconds,
                })  # fmt: skip


def unseen_share(labelled: Task, test: Task) -> float:
    """Return, of the events that ``test``'s users show, the share on items that no labelled user has."""
    known = np.zeros(test.behaviour.n_items, bool)
    known[labelled.behaviour.items] = True
    return float(1 - known[test.behaviour.items].mean()) if test.behaviour.n_events else 0.0


def strangers(labelled: Task, test: Task) -> float:
    """Return, of all pairs of a labelled user and one of ``test``'s, the share that has no item in common."""
    a, b = (one.behaviour.binarise().matrix for one in (labelled, test))
    return 1 - (a @ b.T).nnz / max(1, a.shape[0] * b.shape[0])


def role(task: str, model: str) -> str:
    """Return whether a model is ``without`` pretraining, ``linear`` or a ``network``."""
    return "without" if model in WITHOUT[task] else "linear" if model in LINEAR[task] else "network"
