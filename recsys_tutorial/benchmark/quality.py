"""Quality against seconds: what each model reaches, how long it takes, and when one passes another's best."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

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


def ndcg(model: Model, split: Split) -> float:
    """Return NDCG@100 of the held-out users."""
    return float(evaluate(model, split, ["ndcg"], min(100, split.inputs.n_items), progress=False)["value"].iloc[0])
