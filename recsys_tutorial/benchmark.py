"""How far our speed is from what the arithmetic alone costs: every figure is a ratio of two times in one run.

A ratio travels better than seconds: what slows the machine slows both sides. Both are timed in turns and the median of
their ratios is told, with its spread. Each ratio has a bar; a figure above it is told as missed, not hidden.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
import psutil
import torch
from scipy.sparse import csr_matrix

from . import machine
from .baselines import EASE, ItemKNN
from .baselines.sparse import binary_rows
from .batches import Batch, as_batch
from .errors import InputError, unknown
from .evaluation import evaluate
from .interactions import Interactions
from .metrics import FROM_HITS
from .splits import Split, random_holdout
from .synthetic import synthetic

BARS = {"ranking_over_floor": 3.0, "ease_over_floor": 1.5, "evaluation_peak_mb": 2000.0}
_DIM, _K = 256, 100


class LowRank:
    """A model that costs what any pretrained one costs to score: sums of item vectors, then one matrix product."""

    def __init__(self, n_items: int, dim: int = _DIM, seed: int = 0) -> None:
        rng = torch.Generator().manual_seed(seed)
        self.inwards = torch.randn(n_items, dim, generator=rng)
        self.outwards = torch.randn(dim, n_items, generator=rng)

    def encode(self, batch: Batch) -> torch.Tensor:
        """Return ``(users, dim)``."""
        return torch.nn.functional.embedding_bag(batch.items, self.inwards, batch.offsets[:-1], mode="sum")

    def score(self, behaviour: Batch | Interactions) -> np.ndarray:
        """Return ``(users, items)``."""
        return (self.encode(as_batch(behaviour)) @ self.outwards).numpy()


def benchmark(
    users: int = 6040,
    items: int = 3706,
    events: int = 2_400_000,
    many: tuple[int, int] = (100_000, 20_000),
    repetitions: int = 7,
    against: Sequence[str] = (),
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Measure, on invented behaviour, and return tidy records.

    Args:
        users: of the ratios; the default sizes are those of MovieLens-1M.
        items: of the ratios.
        events: draws of :func:`recsys_tutorial.synthetic.synthetic`; repeats fall away.
        many: users and items of the evaluation whose memory is measured, in a process of its own.
        repetitions: times that both sides of a ratio are run.
        against: peers to time the fits against: ``implicit``, ``irspack``.
        seed: of the data.

    Returns:
        Records ``metric, value, low, high, bar, ok, seconds, floor_seconds, repetitions, threads, load, ...``: the
        median ratio with the lowest and the highest, and the median times of both sides.

    Raises:
        InputError: a peer that is not known or not installed.
    """
    peers = {name: _peer(name) for name in against}
    split = random_holdout(synthetic(users, items, events, seed), seed=seed)
    about = {"users": users, "items": items, "events": split.train.n_events, "seed": seed}
    records = [
        _ratio("ranking_over_floor", *_ranking(split, seed), repetitions) | about,
        _ratio("ease_over_floor", *_ease(split.train), repetitions) | about,
    ]
    for name, module in peers.items():
        for metric, ours, theirs in _AGAINST[name](module, split.train):
            records.append(_ratio(metric, ours, theirs, min(3, repetitions)) | about)
    return [*records, _peak(*many, seed)]


def _ranking(split: Split, seed: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the evaluation with all ranking metrics, and the product and the topk of all users alone."""
    model, k = LowRank(split.inputs.n_items, seed=seed), min(_K, split.inputs.n_items)
    vectors = model.encode(Batch.of(split.inputs))

    def floor() -> None:
        for rows in vectors.split(256):
            (rows @ model.outwards).topk(k, dim=1)

    return lambda: evaluate(model, split, tuple(FROM_HITS), k=k, progress=False), floor


def _ease(train: Interactions) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the fit of EASE, and the factorisation and the inverse in it alone."""
    x = binary_rows(Batch.of(train), train.n_items)
    gram = torch.from_numpy((x.T @ x).toarray()) + EASE().regularisation * torch.eye(train.n_items)
    return lambda: EASE().fit(train), lambda: torch.cholesky_inverse(torch.linalg.cholesky(gram))


def _ratio(metric: str, ours: Callable[[], object], floor: Callable[[], object], repetitions: int) -> dict[str, Any]:
    """Run both in turns, once for nothing, and return the record of their ratio."""
    times = np.array([[_seconds(ours), _seconds(floor)] for _ in range(repetitions + 1)])[1:]
    ratios = times[:, 0] / times[:, 1]
    return _record(metric, median(ratios), ratios.min(), ratios.max(), repetitions) | {
        "seconds": float(median(times[:, 0])), "floor_seconds": float(median(times[:, 1])),
    }  # fmt: skip


def _record(metric: str, value: float, low: float, high: float, repetitions: int) -> dict[str, Any]:
    bar = BARS.get(metric)
    return {
        "metric": metric, "value": float(value), "low": float(low), "high": float(high), "bar": bar,
        "ok": None if bar is None else bool(value <= bar), "repetitions": repetitions,
        "threads": torch.get_num_threads(), "load": psutil.getloadavg()[0],
    }  # fmt: skip


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _peak(users: int, items: int, seed: int) -> dict[str, Any]:
    """Evaluate many users in a process of its own and return the record of its largest memory."""
    code = f"from recsys_tutorial.benchmark import evaluate_many; evaluate_many({users}, {items}, {seed})"
    command = [sys.executable, "-c", f"import torch; torch.set_num_threads({torch.get_num_threads()}); {code}"]
    started = time.perf_counter()
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    if done.returncode:
        raise RuntimeError(f"the evaluation of {users:,} users ended with {done.returncode}: {done.stderr[-500:]}")
    value, evaluated = map(float, done.stdout.split())
    return _record("evaluation_peak_mb", value, value, value, 1) | {
        "seconds": evaluated, "all_seconds": time.perf_counter() - started, "users": users, "items": items,
        "seed": seed,
    }  # fmt: skip


def evaluate_many(users: int, items: int, seed: int = 0) -> None:
    """Evaluate a model of low rank on many users, and print the peak memory in MiB and the seconds."""
    split = random_holdout(synthetic(users, items, 20 * users, seed), seed=seed)
    model = LowRank(items, dim=64, seed=seed)
    k = min(_K, items)
    seconds = _seconds(lambda: evaluate(model, split, tuple(FROM_HITS), k=k, progress=False))
    print(machine.peak_mb(), seconds)


# ---- peers ---------------------------------------------------------------------------------------------------


def _peer(name: str) -> Any:
    if name not in _AGAINST:
        raise unknown("peer", name, _AGAINST)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed: pip install 'recsys-tutorial[bench]'") from error


Pair = tuple[str, Callable[[], object], Callable[[], object]]


def _rows(train: Interactions) -> csr_matrix:
    return csr_matrix(binary_rows(Batch.of(train), train.n_items))


def _implicit(module: Any, train: Interactions) -> list[Pair]:
    """Fit item-kNN both ways, on as many threads as implicit likes."""
    rows = _rows(train)

    def theirs() -> None:
        module.nearest_neighbours.CosineRecommender(K=100).fit(rows, show_progress=False)

    return [("item_knn_over_implicit", lambda: ItemKNN(100).fit(train), theirs)]


def _irspack(module: Any, train: Interactions) -> list[Pair]:
    """Fit EASE and item-kNN both ways."""
    rows, how = _rows(train), dict(normalize=True, top_k=101)
    return [
        ("ease_over_irspack", lambda: EASE().fit(train), lambda: module.DenseSLIMRecommender(rows, reg=250.0).learn()),
        ("item_knn_over_irspack", lambda: ItemKNN(100).fit(train),
         lambda: module.CosineKNNRecommender(rows, 0.0, **how).learn()),
    ]  # fmt: skip


_AGAINST = {"implicit": _implicit, "irspack": _irspack}
