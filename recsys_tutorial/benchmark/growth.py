"""How time and memory grow when users, items or interactions are doubled: exponents, not seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain
from statistics import median
from typing import Any

import numpy as np

from ..data.batches import Batch
from ..data.synthetic import synthetic
from ..engine.settings import Settings, seeded
from ..objectives import build_objective
from ..system import machine
from ..training import fit
from .measure import alone, record


@dataclass(frozen=True)
class Size:
    """One point of a growth curve.

    Args:
        users: of the invented behaviour.
        items: likewise.
        events: draws, of which repeats fall away.
        dim: length of g's vector.
        sampled_softmax: items that the softmax runs over; None takes all.
    """

    users: int
    items: int
    events: int
    dim: int = 64
    sampled_softmax: int | None = None


def train_once(objective: str, size: dict[str, Any], epochs: int, seed: int = 0) -> None:
    """Train on invented behaviour, and print peak memory in MiB, the median seconds of a step and of an epoch, events.

    Seconds are the processor's, all threads added up: what other programs do meanwhile hardly counts. The first epoch,
    in which memory is touched for the first time, is left out where there are others.
    """
    asked = Size(**size)
    data = synthetic(asked.users, asked.items, asked.events, seed)
    before = machine.peak_mb()
    with seeded(seed):
        built = build_objective(objective, data, asked.dim, sampled_softmax=asked.sampled_softmax)
    examples, recipe = built.examples(Batch.of(data)), built.recipe
    settings = Settings(epochs, recipe.batch_size, recipe.learning_rate, recipe.weight_decay)
    steps, begun = [], []

    def order() -> list[Any]:
        begun.append(time.process_time())
        steps.append(len(plan := list(built.order(examples, settings.batch_size))))
        return plan

    fit(built, built, examples, settings, seed=seed, order=order, progress=False)
    times = np.diff([*begun, time.process_time()])
    epoch = float(np.median(times[min(1, epochs - 1) :]))
    print(json.dumps({"peak_mb": machine.peak_mb(), "seconds": epoch, "seconds_per_step": epoch / steps[0],
                      "events": data.n_events, "data_peak_mb": before}))  # fmt: skip


def doublings(base: Size, axis: str, times: int) -> list[Size]:
    """Return ``base`` and the sizes with ``axis`` doubled once, twice, ..."""
    return [replace(base, **{axis: getattr(base, axis) * 2**n}) for n in range(times + 1)]


def measure(objective: str, sizes: list[Size], rounds: int, epochs: int, seed: int) -> dict[Size, dict[str, float]]:
    """Train at every size, each in a process of its own, and all of them ``rounds`` times in turns; medians."""
    found: dict[Size, list[dict[str, float]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, points in found.items():
            code = f"from {__name__} import train_once; train_once({objective!r}, {asdict(size)!r}, {epochs}, {seed})"
            points.append(json.loads(alone(f"growth of {objective}", code)))
    return {size: {key: median(point[key] for point in points) for key in points[0]} for size, points in found.items()}


def exponent(x: list[float], y: list[float]) -> float:
    """Return b of ``y = a x^b``, by least squares of the logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def growth(
    objective: str, base: Size, times: int, rounds: int, seed: int, columns: tuple[str, ...] = ("seconds", "peak_mb")
) -> Iterator[dict[str, Any]]:
    """Yield, for each axis, the points ``growth_COLUMN_AXIS`` and their exponent ``COLUMN_exponent_AXIS``."""
    along = {axis: doublings(base, axis, times) for axis in ("users", "items", "events")}
    found = measure(objective, list(dict.fromkeys(chain(*along.values()))), rounds, 4, seed)
    for axis, sizes in along.items():
        # Repeated draws fall away: the events that are left count.
        points = [{axis: getattr(size, axis)} | found[size] for size in sizes]
        yield from curve(axis, axis, points, columns, rounds, objective=objective)


def sampled_growth(objective: str, base: Size, times: int, rounds: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield how a step of a sampled softmax grows with the catalogue and with the sample, and the peak of the largest.

    The catalogue is doubled up to ``base``'s, the sample down from it.
    """
    by_items = [replace(base, items=base.items >> n) for n in range(times, -1, -1)]
    by_sample = [replace(base, sampled_softmax=(base.sampled_softmax or 0) << 2 * n) for n in range(times)]
    found = measure(objective, [*by_items, *by_sample[1:]], rounds, 4, seed)
    along: list[dict[str, Any]] = [found[size] | {"items": size.items} for size in by_items]
    yield from curve("catalogue", "items", along, ("seconds_per_step",), rounds, objective=objective)
    along = [found[size] | {"sample": size.sampled_softmax} for size in by_sample]
    yield from curve("sample", "sample", along, ("seconds_per_step",), rounds, objective=objective)
    peak = found[base]["peak_mb"]
    yield record("million_items_peak_mb", peak, peak, peak, rounds) | asdict(base) | {"objective": objective}


def curve(
    name: str, x: str, along: list[dict[str, Any]], columns: tuple[str, ...], rounds: int, **about: Any
) -> Iterator[dict[str, Any]]:
    """Yield the records of one curve and of its exponent; its ``low`` and ``high`` are those of single doublings."""
    for column in columns:
        values = [point[column] for point in along]
        for point, value in zip(along, values, strict=True):
            yield record(f"growth_{column}_{name}", value, value, value, rounds) | {x: point[x], **about}
        places = [point[x] for point in along]
        steps = [exponent(places[n : n + 2], values[n : n + 2]) for n in range(len(values) - 1)]
        fitted = exponent(places, values)
        yield record(f"{column}_exponent_{name}", fitted, min(steps), max(steps), rounds) | about


def large(objective: str, size: Size, seed: int) -> Iterator[dict[str, Any]]:
    """Yield peak memory and seconds of one epoch at the size of MovieLens-20M."""
    found = measure(objective, [size], 1, 1, seed)[size]
    about = asdict(size) | {"objective": objective, "seconds": found["seconds"], "drawn_events": found["events"]}
    yield record("large_peak_mb", found["peak_mb"], found["peak_mb"], found["peak_mb"], 1) | about | {
        "data_peak_mb": found["data_peak_mb"],
    }  # fmt: skip
