"""Ratios of two times, and the memory of a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import psutil
import torch

from ..objectives import OBJECTIVES

BARS = {
    "ranking_over_floor": 3.0, "ease_over_floor": 1.5, "evaluation_peak_mb": 2000.0,
    "epoch_over_floor_denoising": 1.5, "epoch_over_floor_next-item": 1.8, "padding_waste": 0.1,
    "serve_one_p99_over_product": 5.0,
    "seconds_exponent_events": 1.1, "large_peak_mb": 2500.0,
    "seconds_per_step_exponent_catalogue": 0.2, "million_items_peak_mb": 4000.0,
    "seconds_over_ease_denoising": 15.0,
    **{f"pretrain_peak_mb_{name}": 900.0 for name in sorted(OBJECTIVES)},
}  # fmt: skip
# With Cornac beside us: its best NDCG@100 is passed, by 5 % too, in a tenth of the time that it took. With implicit:
# everyone's list, with ids and titles, takes little longer than its bare numbers at as many factors.
PEER_BARS = {
    f"seconds_over_vaecf{share}_{name}": 0.1 for name in ("denoising", "variational") for share in ("", "_by_5_percent")
} | {"recommend_many_over_implicit": 1.5}


def ratio(metric: str, ours: Callable[[], object], floor: Callable[[], object], repetitions: int) -> dict[str, Any]:
    """Run both in turns, once for nothing, and return the record of their ratio."""
    times = np.array([[seconds(ours), seconds(floor)] for _ in range(repetitions + 1)])[1:]
    ratios = times[:, 0] / times[:, 1]
    return record(metric, median(ratios), ratios.min(), ratios.max(), repetitions) | {
        "seconds": float(median(times[:, 0])), "floor_seconds": float(median(times[:, 1])),
    }  # fmt: skip


def record(metric: str, value: float, low: float, high: float, repetitions: int) -> dict[str, Any]:
    """Return one tidy record, with its bar where it has one."""
    bar = (BARS | PEER_BARS).get(metric)
    return {
        "metric": metric, "value": float(value), "low": float(low), "high": float(high), "bar": bar,
        "ok": None if bar is None else bool(value <= bar), "repetitions": repetitions,
        "threads": torch.get_num_threads(), "load": psutil.getloadavg()[0],
    }  # fmt: skip


def seconds(run: Callable[[], object]) -> float:
    """Return how long ``run()`` took."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def alone(what: str, code: str) -> str:
    """Run ``code`` in a process of its own, with as many threads as this one, and return what it printed."""
    command = [sys.executable, "-c", f"import torch; torch.set_num_threads({torch.get_num_threads()}); {code}"]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    if done.returncode:
        raise RuntimeError(f"{what}: the process ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def peak(metric: str, code: str, **about: Any) -> dict[str, Any]:
    """Run ``code``, which prints its peak memory in MiB and its seconds, in a process of its own."""
    started = time.perf_counter()
    value, itself = map(float, alone(metric, code).split())
    return record(metric, value, value, value, 1) | {
        "seconds": itself, "all_seconds": time.perf_counter() - started, **about,
    }  # fmt: skip
