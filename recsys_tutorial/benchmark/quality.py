"""Quality against seconds: what each model reaches, how long it takes, and when one passes another's best."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from ..baselines import EASE, Model, Popularity
from ..data.interactions import Interactions
from ..data.splits import Split, held_out_users
from ..evaluation.evaluation import evaluate
from ..learning.pretraining import pretrain
from ..objectives import OBJECTIVES
from .measure import record, seconds
from .peers import PEERS, Fit

# What is spent on a training, from little to much: every budget is a training of its own, with a whole cycle of rates,
# of about so many steps; the last is the default. Fewer steps want a smaller g and less hidden. Chosen on users
# who were held out of the training users, of anime and of movielens-small.
BUDGETS: dict[str, tuple[dict[str, Any], ...]] = {
    "denoising": (
        {"steps": 80, "dim": 256, "learning_rate": 8e-3, "dropout": 0.5},
        {"steps": 120, "dim": 384, "learning_rate": 5e-3, "dropout": 0.5, "weight_decay": 4.0},
        {"steps": 190, "dim": 512, "learning_rate": 4e-3, "dropout": 0.45, "weight_decay": 3.0},
        {"steps": 240, "dim": 512, "learning_rate": 3e-3, "dropout": 0.4},
        {"steps": 300, "dim": 768, "learning_rate": 3e-3, "dropout": 0.4},
        {},
    ),
    "variational": ({"steps": 200}, {"steps": 400}, {"steps": 800}, {}),
}  # fmt: skip
Fits = list[Callable[[], Model]]
SAME = 1e-3  # of NDCG: the same sums in another order rank a few items otherwise
# The share of a rival's best at which it counts as passed: all of it, as a rule.
SHARES = {"ease": {"": 0.98}, "vaecf": {"": 1.0, "_by_5_percent": 1.05}}


def quality(data: Interactions, names: Sequence[str], against: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    """Yield a record ``ndcg`` for every model and budget, then the seconds of each of ours over those of each rival.

    ``seconds_over_RIVAL_NAME`` is the least time in which NAME reaches the rival's best (98 % of it for EASE, a closed
    form), over the time that the rival took for it; NaN (in JSON null), and not ok, where NAME never does.

    Args:
        data: split into users to train on and users held out.
        names: objectives, by the budgets of :data:`BUDGETS` or their default.
        against: other libraries, of :data:`~recsys_tutorial.benchmark.peers.PEERS`.
        seed: of the split and of every training.
    """
    split = held_out_users(data, seed=seed)
    EASE().fit(split.train)  # what is slow the first time wakes up before it is timed
    pretrain("denoising", split.train, epochs=1, dim=16, progress=False)
    points: dict[str, list[tuple[float, float]]] = {}
    for model, budget, fit in _everyone(split, names, against, seed):
        found: list[Model] = []
        took = seconds(lambda: found.append(fit()))  # noqa: B023
        value = ndcg(found.pop(), split)
        points.setdefault(model, []).append((value, took))
        yield record("ndcg", value, value, value, 1) | {
            "model": model, "k": min(100, data.n_items), "seconds": took, "data": data.name,
            "ours": model in names, "budget": budget,
        }  # fmt: skip
    for rival in points:
        for suffix, share in SHARES.get(rival, {"": 1.0}).items():
            for name in names:
                if name != rival:
                    yield passed(points, name, rival, share, suffix) | {"data": data.name}


def passed(
    points: dict[str, list[tuple[float, float]]], name: str, rival: str, share: float, suffix: str = ""
) -> dict[str, Any]:
    """Return the record ``seconds_over_RIVAL_NAME``: points are (quality, seconds) of each budget."""
    best, spent = max(points[rival], key=lambda point: (point[0], -point[1]))
    took = min((took for value, took in points[name] if value >= share * best), default=math.nan)
    ratio = took / spent
    return record(f"seconds_over_{rival}{suffix}_{name}", ratio, ratio, ratio, 1) | {
        "wanted": share * best, "best": max(points[name])[0], "seconds": took, "floor_seconds": spent,
    }  # fmt: skip


def _everyone(split: Split, names: Sequence[str], against: Sequence[str], seed: int) -> Iterator[Fit]:
    """Yield name, budget and training of every model, ours and theirs in turns."""
    yield "popularity", {}, lambda: Popularity().fit(split.train)
    yield "ease", {}, lambda: EASE().fit(split.train)
    ours = [budgeted(split, name, budget, seed) for name in names for budget in BUDGETS.get(name, ({},))]
    theirs = [fit for peer in against for fit in PEERS[peer](split.train, seed)]
    for pair in zip_longest(ours, theirs):
        yield from filter(None, pair)


def budgeted(split: Split, name: str, budget: dict[str, Any], seed: int) -> Fit:
    """Return one of :data:`BUDGETS` as a training."""
    how = dict(budget)
    if steps := how.pop("steps", None):
        a_step = min(OBJECTIVES[name].recipe.batch_size, max(32, split.train.n_users // 10))
        how["epochs"] = max(1, round(steps * a_step / split.train.n_users))
    return name, budget, lambda: pretrain(name, split.train, seed=seed, progress=False, **how)


def ndcg(model: Model, split: Split, k: int = 100) -> float:
    """Return NDCG@k of the split's users."""
    return float(evaluate(model, split, ["ndcg"], min(k, split.inputs.n_items), progress=False)["value"].iloc[0])


def to_quality(
    ours: Fits,
    theirs: Fits,
    split: Split,
    repetitions: int,
    k: int = 100,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Return a record of our least seconds to a peer's best quality, over the seconds that it took for it.

    All are fitted in turns; the quality is that of the first turn. ``budget`` and ``peer_budget`` are the numbers of
    the fits that were compared.

    Args:
        ours: a fit for each budget.
        theirs: a fit for each setting of the peer.
        split: what NDCG is measured on.
        repetitions: turns that are timed.
        k: of NDCG.
        warm: whether a turn for nothing comes before; needless where a fit takes many seconds.
        clock: tells seconds; those of the processor where a fit is too long to be repeated beside other work.
    """
    fits: Fits = [*ours, *theirs]
    reached: list[float] = []
    times: list[list[float]] = []
    for turn in range(repetitions + warm):
        times.append([])
        for fit in fits:
            started = clock()
            found = [fit()]
            times[-1].append(clock() - started)
            if not turn:
                reached.append(ndcg(found[0], split, k))
    taken = np.array(times[int(warm) :])
    spent = np.median(taken, axis=0)
    best = max(range(len(ours), len(fits)), key=lambda n: (reached[n], -spent[n]))
    about = {
        "quality": max(reached[: len(ours)]), "peer_quality": reached[best], "floor_seconds": float(spent[best]),
        "peer_budget": best - len(ours),
    }  # fmt: skip
    enough = [n for n in range(len(ours)) if reached[n] >= reached[best] - SAME]
    if not enough:
        return record("race", np.nan, np.nan, np.nan, repetitions) | about | {"why": "ours never reaches its quality"}
    first = min(enough, key=lambda n: spent[n])
    ratios = taken[:, first] / taken[:, best]
    told = record("race", np.median(ratios), ratios.min(), ratios.max(), repetitions)
    return told | about | {"seconds": float(spent[first]), "budget": first}
