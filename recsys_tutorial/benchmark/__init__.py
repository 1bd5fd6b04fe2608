"""How far speed is from what arithmetic alone costs: every figure is a ratio of times in one run.

A ratio travels better than seconds: what slows the machine slows both sides. Both are timed in turns and the median of
their ratios is told, with its spread. Each ratio has a bar; a figure above it is told as missed, not hidden.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from ..data.interactions import Interactions
from ..errors import unknown
from ..objectives import OBJECTIVES
from ..system.machine import peak_mb
from .measure import BARS, PEER_BARS
from .parts import PARTS, Run, Scale
from .peers import PEERS, peer

__all__ = ["BARS", "PARTS", "PEERS", "PEER_BARS", "Scale", "benchmark"]


def benchmark(
    parts: Sequence[str] | None = None,
    against: Sequence[str] = (),
    seed: int = 0,
    data: Interactions | None = None,
    scale: Scale | None = None,
    objectives: Sequence[str] | None = None,
    progress: bool = False,
) -> list[dict[str, Any]]:
    """Measure, on invented behaviour where none is given, and return tidy records.

    Args:
        parts: of :data:`PARTS`; None takes them all.
        against: peers to hold ours against: ``cornac``, ``implicit``, ``irspack``.
        seed: of the data, the splits and the trainings.
        data: what is trained on in ``hardware`` and ``quality``; None takes invented behaviour of known sizes for the
            first, and the likes of the default data for the second.
        scale: how much; None takes the sizes of the bars.
        objectives: only these.
        progress: say on standard error what was found, as it comes.

    Returns:
        Records ``part, metric, value, low, high, bar, ok, seconds, floor_seconds, repetitions, threads, load,
        peak_mb, ...``: the median ratio with the lowest and the highest, and the median times of both sides; of a
        memory, MiB. ``peak_mb`` is that of the process so far.

    Raises:
        InputError: a part, an objective or a peer that is not known, or a peer that is not installed.
    """
    for asked, known, what in ((parts, PARTS, "part"), (objectives, OBJECTIVES, "objective")):
        for name in asked or ():
            if name not in known:
                raise unknown(what, name, known)
    for name in against:
        peer(name)
    run = Run(scale or Scale(), seed, data, tuple(against), tuple(objectives or sorted(OBJECTIVES)))
    return list(_records(run, parts or tuple(PARTS), progress))


def _records(run: Run, parts: Sequence[str], progress: bool) -> Iterator[dict[str, Any]]:
    for part in parts:
        for found in PARTS[part](run):
            if progress:
                print(f"{part}: {found['metric']} {found['value']:.3g}", file=sys.stderr, flush=True)
            yield {"part": part} | found | {"seed": run.seed, "peak_mb": peak_mb()}
