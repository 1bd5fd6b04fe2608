"""The parts of the benchmark: what each measures, and on how much data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ..data.interactions import Interactions
from ..data.published.datasets import load_dataset
from ..data.splits import random_holdout
from ..data.synthetic import synthetic
from ..objectives import OBJECTIVES
from .growth import Size, growth, large, sampled_growth
from .hardware import Meter, epochs_over_floor, padding
from .kernels import ease, ranking
from .measure import peak, ratio
from .peers import PEERS, closed_forms
from .quality import quality
from .race import race
from .roofline import roofline
from .serving import lists_over_implicit, serving

_SEQUENCES = ("masked-item", "next-item")
_KERNELS = "from recsys_tutorial.benchmark.kernels import {0}; {0}({1})"


_HISTORIES, _BASE = Size(4_850, 11_924, 42_000), Size(4_000, 4_000, 200_000)
_LARGE = Size(138_000, 27_000, 20_000_000, dim=1024)
_MILLION = Size(4_000, 1_000_000, 100_000, sampled_softmax=1_000)


@dataclass(frozen=True)
class Scale:
    """How much is measured. The defaults are the sizes of the bars.

    Args:
        users: of the bags and of the ratios of evaluation; with ``items`` and ``events``, those of MovieLens-1M.
        items: likewise.
        events: draws of :func:`recsys_tutorial.data.synthetic.synthetic`; repeats fall away.
        histories: what the objectives that read in order are trained on: a quarter of Amazon Toys' users.
        many: users and items of the evaluation whose memory is measured.
        serve_items: the catalogue that is ranked for one person.
        serve_dim: length of the vectors there.
        calls: people who ask.
        table_items: rows of the tables of the roofline, more than a cache holds.
        base: where the growth curves begin.
        doublings: of users, items and events.
        large: MovieLens-20M's.
        million: a catalogue of a million, the softmax sampled.
        square: side of the matrices whose product is the machine's rate.
        repetitions: times that both sides of a ratio are run.
        rounds: times that all points of a growth curve are measured.
    """

    users: int = 6040
    items: int = 3706
    events: int = 2_400_000
    histories: Size = _HISTORIES
    many: tuple[int, int] = (100_000, 20_000)
    serve_items: int = 20_000
    serve_dim: int = 256
    calls: int = 500
    table_items: int = 60_000
    base: Size = _BASE
    doublings: int = 4
    large: Size = _LARGE
    million: Size = _MILLION
    square: int = 2048
    repetitions: int = 5
    rounds: int = 2


@dataclass(frozen=True)
class Run:
    """One run of the benchmark: the scale, the seed, data of one's own, peers, and the objectives to measure."""

    scale: Scale = Scale()
    seed: int = 0
    data: Interactions | None = None
    against: tuple[str, ...] = ()
    objectives: tuple[str, ...] = field(default_factory=lambda: tuple(sorted(OBJECTIVES)))

    def invented(self) -> Interactions:
        """Return behaviour of MovieLens-1M's size."""
        return synthetic(self.scale.users, self.scale.items, self.scale.events, self.seed)

    def bags(self) -> Interactions:
        """Return what the objectives that ignore order are trained on."""
        return self.invented() if self.data is None else self.data

    def real(self) -> Interactions:
        """Return what quality is measured on: who likes what cannot be invented."""
        if self.data is not None:
            return self.data
        return load_dataset("movielens-small").binarise(at_least=4).filter_counts(per_user=5, per_item=5)

    def histories(self) -> Interactions:
        """Return what those that read in order are trained on."""
        size = self.scale.histories
        invented = synthetic(size.users, size.items, size.events, self.seed) if self.data is None else self.data
        return replace(invented, in_order=True)


def _hardware(run: Run) -> Iterator[dict[str, Any]]:
    """Distance from the hardware: seconds of an epoch over the floor of its work, of every objective."""
    meter = Meter(run.scale.square)
    yield from roofline(meter, run.scale.table_items, 256, run.scale.repetitions)
    in_order = {*_SEQUENCES} & {*run.objectives}
    for names, of in (({*run.objectives} - in_order, run.bags), (in_order, run.histories)):
        if names:
            data = of()
            about = {"users": data.n_users, "items": data.n_items, "events": data.n_events, "data": data.name}
            for found in epochs_over_floor(sorted(names), data, meter, run.scale.repetitions, run.seed):
                yield found | about
    if "next-item" in run.objectives:
        yield padding("next-item", data, run.seed) | about


def _evaluation(run: Run) -> Iterator[dict[str, Any]]:
    """Ranking and EASE over what their arithmetic alone costs, and over other libraries where they are named."""
    split = random_holdout(run.invented(), seed=run.seed)
    about = {"users": split.train.n_users, "items": split.train.n_items, "events": split.train.n_events}
    yield ratio("ranking_over_floor", *ranking(split, run.seed), run.scale.repetitions) | about
    yield ratio("ease_over_floor", *ease(split.train), run.scale.repetitions) | about
    compared = split.train if run.data is None else run.data
    for name in run.against:
        for found in closed_forms(name, compared, min(3, run.scale.repetitions)):
            yield found | {"users": compared.n_users, "items": compared.n_items, "data": compared.name}


def _quality(run: Run) -> Iterator[dict[str, Any]]:
    """Time to quality: NDCG@100 over seconds for our objectives, EASE, and the peers."""
    bags = tuple(name for name in ("denoising", "variational") if name in run.objectives)
    yield from quality(run.real(), bags, run.against, run.seed)


def _race(run: Run) -> Iterator[dict[str, Any]]:
    """The race: models, lists, measures and reading, ours over those of the libraries that are named."""
    yield from race(run.real(), run.against, min(3, run.scale.repetitions), run.seed)


def _growth(run: Run) -> Iterator[dict[str, Any]]:
    """Growth of time and memory as users, items and interactions double."""
    yield from growth("denoising", run.scale.base, run.scale.doublings, run.scale.rounds, run.seed)


def _million(run: Run) -> Iterator[dict[str, Any]]:
    """A million items: a step of the sampled softmax as the catalogue grows, and as the sample grows."""
    yield from sampled_growth("autoencoder", run.scale.million, min(4, run.scale.doublings), run.scale.rounds, run.seed)


def _large(run: Run) -> Iterator[dict[str, Any]]:
    """Memory of one epoch at the size of MovieLens-20M."""
    yield from large("denoising", run.scale.large, run.seed)


def _serving(run: Run) -> Iterator[dict[str, Any]]:
    """Latency of one person, people per second in batches, and everyone's list over those of implicit where named."""
    data = synthetic(1000, run.scale.serve_items, 50_000, run.seed)
    yield from serving(data, run.scale.serve_dim, run.scale.calls, run.scale.repetitions, run.seed)
    if "implicit" in run.against:
        yield lists_over_implicit(run.invented(), run.scale.serve_dim, run.scale.repetitions, run.seed)


def _memory(run: Run) -> Iterator[dict[str, Any]]:
    """Peak memory of a large evaluation and of an epoch of every objective."""
    scale, (users, items) = run.scale, run.scale.many
    code = _KERNELS.format("evaluate_many", f"{users}, {items}, {run.seed}")
    yield peak("evaluation_peak_mb", code, users=users, items=items)
    for name in run.objectives:
        arguments = f"{name!r}, {scale.users}, {scale.items}, {scale.events}, {run.seed}"
        yield peak(f"pretrain_peak_mb_{name}", _KERNELS.format("pretrain_once", arguments),
                   users=scale.users, items=scale.items)  # fmt: skip


PARTS: dict[str, Callable[[Run], Iterator[dict[str, Any]]]] = {
    "hardware": _hardware, "evaluation": _evaluation, "quality": _quality, "serving": _serving, "race": _race,
    "growth": _growth, "million": _million, "large": _large, "memory": _memory,
}  # fmt: skip
__all__ = ["PARTS", "PEERS", "Run", "Scale"]
