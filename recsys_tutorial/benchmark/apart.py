"""Libraries that do not install beside this package: each answers from a process and an environment of its own."""

from __future__ import annotations

import json
import pickle
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from ..baselines import EASE, Model
from ..data.batches import Batch, as_batch
from ..data.interactions import Interactions
from ..data.splits import Split, held_out_users, leave_one_out
from ..errors import InputError
from ..learning.pretraining import pretrain
from ..serving.recommend import Recommender
from .around import measures
from .measure import alone, ratio
from .quality import BUDGETS, Fits, budgeted, to_quality
from .serving import untrained

# Ours by budget, as in BUDGETS: fewer epochs of a smaller g first; the last is the default.
NEXT_BUDGETS: tuple[dict[str, Any], ...] = ({"epochs": 3, "dim": 64}, {"epochs": 6, "dim": 128}, {})
_SASREC = {"n_factors": 64, "session_max_len": 50, "batch_size": 32, "k": 10}
_GBCE = _SASREC | {"loss": "gBCE", "n_negatives": 256, "gbce_t": 0.75}  # gSASRec's own negatives and calibration
_LISTS = {"k": 20, "factors": 64}


class Apart:
    """A library that answers from another process: JSON lines in and out, arrays through files of a folder.

    Args:
        command: starts it; ``tools/race_wire.py`` says what it is asked.
        folder: where it works, and leaves what libraries log unasked.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=folder, text=True, stdin=pipe, stdout=pipe)

    def ask(self, do: str, **about: Any) -> dict[str, Any]:
        """Return what it answers; InputError with its own words where it could not."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            print(json.dumps({"do": do} | about), file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        told = json.loads(line) if line else {"error": f"its process ended with {self.process.wait()}"}
        if "error" in told:
            raise InputError(told["error"])
        return told

    def clock(self) -> float:
        """Return the processor seconds that this process and the other one have taken."""
        theirs = psutil.Process(self.process.pid).cpu_times()
        return time.process_time() + theirs.user + theirs.system

    def close(self) -> None:
        """End it."""
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.kill()
        self.process.wait()


class Answers:
    """What the other process trained last, as one of our models."""

    def __init__(self, process: Apart, folder: Path) -> None:
        self.process, self.folder = process, folder

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        asked = as_batch(behaviour)
        with np.load(self.folder / "train.npz") as train:
            n_items = train["n_items"]
        np.savez(self.folder / "inputs.npz", offsets=asked.offsets, items=asked.items, n_items=n_items)
        self.process.ask("scores", folder=str(self.folder), to=str(self.folder / "answer.npy"))
        return np.load(self.folder / "answer.npy")


@contextmanager
def opened(command: Sequence[str], split: Split) -> Iterator[tuple[Apart, Path]]:
    """Start the process beside a folder that holds the split's files, and end it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("train", "targets"):
            data: Interactions = getattr(split, part)
            np.savez(folder / f"{part}.npz", offsets=data.offsets, items=data.items, n_items=data.n_items)
        (folder / "split.pickle").write_bytes(pickle.dumps(split))
        process = Apart(command, folder)
        try:
            yield process, folder
        finally:
            process.close()


# ---- models: time to the peer's best quality ------------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    """A row of models.

    Attributes:
        split: the protocol, of data and a seed.
        ours: our budgets, of a split and a seed, and what each is.
        what: what the other process calls the model.
        settings: the small search: each is a fit.
        k: of NDCG.
    """

    split: Callable[[Interactions, int], Split]
    ours: Callable[[Split, int], list[tuple[dict[str, Any], Callable[[], Model]]]]
    what: str
    settings: tuple[dict[str, Any], ...]
    k: int = 100

    def run(self, command: Sequence[str], data: Interactions, repetitions: int, seed: int) -> dict[str, Any]:
        """Return the record of one turn, with the peak memory of a fresh process of each side."""
        split = self.split(data, seed)
        budgets, fits = zip(*self.ours(split, seed), strict=True)
        with opened(command, split) as (process, folder):
            theirs = self._theirs(process, folder)
            found = to_quality(list(fits), theirs, split, min(1, repetitions), self.k, False, process.clock)
        found["peer_budget"] = chosen = self.settings[found["peer_budget"]]
        found |= {"k": self.k, "protocol": split.protocol}
        with opened(command, split) as (process, folder):
            brief = {"epochs": 1} if "epochs" in chosen else {}  # which takes as much memory as more of them
            self._theirs(process, folder, (chosen | brief,))[0]()
            found["peer_peak_mb"] = process.ask("peak")["peak_mb"]
            if (number := found.get("budget")) is not None:
                found |= {"budget": budgets[number], "peak_mb": self._peak(folder / "split.pickle", number, seed)}
        return found

    def _theirs(self, process: Apart, folder: Path, settings: tuple[dict[str, Any], ...] | None = None) -> Fits:
        def fit(number: int) -> Answers:
            process.ask("run", number=number)
            return Answers(process, folder)

        numbers = [
            process.ask("setup", what=self.what, folder=str(folder), settings=how)["number"]
            for how in settings or self.settings
        ]
        return [partial(fit, number) for number in numbers]

    def _peak(self, path: Path, number: int, seed: int) -> float:
        row = next(key for key, value in TRAINED.items() if value is self)
        code = f"from {__name__} import fit_once; fit_once({str(path)!r}, {row!r}, {number}, {seed})"
        return float(alone("peak", code))


def fit_once(path: str, row: tuple[str, str], number: int, seed: int) -> None:
    """Fit one of our budgets to the split in a file that :func:`opened` wrote, and print the peak memory in MiB."""
    from ..system.machine import peak_mb

    split = pickle.loads(Path(path).read_bytes())
    TRAINED[row].ours(split, seed)[number][1]()
    print(peak_mb())


def _held_out(data: Interactions, seed: int) -> Split:
    return held_out_users(data, seed=seed)


def _last(data: Interactions, seed: int) -> Split:
    return leave_one_out(data)


def _ease(split: Split, seed: int) -> list[tuple[dict[str, Any], Callable[[], Model]]]:
    return [({}, partial(EASE().fit, split.train))]


def _denoising(split: Split, seed: int) -> list[tuple[dict[str, Any], Callable[[], Model]]]:
    return [budgeted(split, "denoising", budget, seed)[1:] for budget in BUDGETS["denoising"]]


def _next_item(split: Split, seed: int) -> list[tuple[dict[str, Any], Callable[[], Model]]]:
    return [
        (budget, partial(pretrain, "next-item", split.train, seed=seed, progress=False, **budget))
        for budget in NEXT_BUDGETS
    ]


def _epochs(how: dict[str, Any], *numbers: int) -> tuple[dict[str, Any], ...]:
    return tuple(how | {"epochs": number} for number in numbers)


TRAINED: dict[tuple[str, str], Trained] = {
    ("ease", "rectools"): Trained(_held_out, _ease, "ease", ({"regularization": 250.0}, {"regularization": 500.0})),
    ("denoising", "recbole"): Trained(_held_out, _denoising, "multivae", _epochs({}, 25, 50, 100)),
    ("next item", "rectools"): Trained(
        _last, _next_item, "sasrec", ({"epochs": 15, "lr": 3e-3} | _SASREC, {"epochs": 40, "lr": 1e-3} | _SASREC), 10
    ),
    ("next item", "gsasrec"): Trained(
        _last, _next_item, "sasrec", ({"epochs": 8, "lr": 3e-3} | _GBCE, {"epochs": 16, "lr": 3e-3} | _GBCE), 10
    ),
    ("next item", "recbole"): Trained(_last, _next_item, "sasrec", _epochs({}, 2, 4), 10),
}


# ---- what is around models ------------------------------------------------------------------------------------------


def _lists(command: Sequence[str], data: Interactions, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold everyone's list against RecTools', of as many numbers for a user."""
    split = held_out_users(data, seed=seed)
    model = untrained(split.train, _LISTS["factors"], seed)
    with opened(command, split) as (process, folder):
        number = process.ask("setup", what="lists", folder=str(folder), settings=_LISTS)["number"]
        ours = lambda: sum(map(len, Recommender(model).recommend_many(split.train, _LISTS["k"])))  # noqa: E731
        return ratio("race", ours, lambda: process.ask("run", number=number), repetitions)


def _measures(command: Sequence[str], data: Interactions, repetitions: int, seed: int) -> dict[str, Any]:
    """Hold NDCG and recall of everyone's scores against RecTools', from the scores on."""
    split = held_out_users(data, seed=seed)
    with opened(command, split) as (process, folder):

        def theirs(scores: np.ndarray, k: int) -> Callable[[], object]:
            np.save(folder / "scores.npy", scores)
            number = process.ask("setup", what="measures", folder=str(folder), settings={"k": k})["number"]
            return lambda: process.ask("run", number=number)

        return measures(split, repetitions, theirs)


AROUND: Mapping[tuple[str, str], Callable[[Sequence[str], Interactions, int, int], dict[str, Any]]] = {
    ("recommend for all", "rectools"): _lists,
    ("evaluate", "rectools"): _measures,
}
LIBRARIES = {"gsasrec": "rectools"}  # whose environment a peer runs in, where not its own: RecTools has gSASRec's loss
RACES_APART = {**{key: row.run for key, row in TRAINED.items()}, **AROUND}
