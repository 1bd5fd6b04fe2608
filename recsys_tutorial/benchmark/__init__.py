"""How far our speed is from what the arithmetic alone costs: every figure is a ratio of two times in one run.

A ratio travels better than seconds: what slows the machine slows both sides. Both are timed in turns and the median of
their ratios is told, with its spread. Each ratio has a bar; a figure above it is told as missed, not hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..interactions import Interactions
from ..objectives import OBJECTIVES
from ..splits import random_holdout
from ..synthetic import synthetic
from .kernels import ease, ranking
from .measure import BARS, PEER_BARS, peak, ratio
from .peers import AGAINST, peer

__all__ = ["BARS", "PEER_BARS", "benchmark"]


def benchmark(
    users: int = 6040,
    items: int = 3706,
    events: int = 2_400_000,
    many: tuple[int, int] = (100_000, 20_000),
    repetitions: int = 7,
    against: Sequence[str] = (),
    seed: int = 0,
    data: Interactions | None = None,
) -> list[dict[str, Any]]:
    """Measure, on invented behaviour, and return tidy records.

    Args:
        users: of the ratios; the default sizes are those of MovieLens-1M.
        items: of the ratios.
        events: draws of :func:`recsys_tutorial.synthetic.synthetic`; repeats fall away.
        many: users and items of the evaluation whose memory is measured, in a process of its own.
        repetitions: times that both sides of a ratio are run.
        against: peers to hold ours against: ``cornac``, ``implicit``, ``irspack``.
        seed: of the data.
        data: what the peers are fitted to; None takes the invented behaviour.

    Returns:
        Records ``metric, value, low, high, bar, ok, seconds, floor_seconds, repetitions, threads, load, ...``: the
        median ratio with the lowest and the highest, and the median times of both sides; of a memory, MiB.

    Raises:
        InputError: a peer that is not known or not installed.
    """
    peers = {name: peer(name) for name in against}
    invented = synthetic(users, items, events, seed)
    split = random_holdout(invented, seed=seed)
    about = {"users": users, "items": items, "events": split.train.n_events, "seed": seed}
    records = [
        ratio("ranking_over_floor", *ranking(split, seed), repetitions) | about,
        ratio("ease_over_floor", *ease(split.train), repetitions) | about,
    ]
    compared = split.train if data is None else data
    for name, module in peers.items():
        for found in AGAINST[name](module, compared, min(3, repetitions), seed):
            records.append(found | about | {"data": compared.name})
    code = "from recsys_tutorial.benchmark.kernels import {0}; {0}({1})"
    size = {"users": many[0], "items": many[1], "seed": seed}
    records.append(peak("evaluation_peak_mb", code.format("evaluate_many", f"{many[0]}, {many[1]}, {seed}"), **size))
    for name in sorted(OBJECTIVES):
        run = code.format("pretrain_once", f"{name!r}, {users}, {items}, {events}, {seed}")
        records.append(peak(f"pretrain_peak_mb_{name}", run, **about))
    return records
