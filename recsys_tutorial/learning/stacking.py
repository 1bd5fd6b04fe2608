"""Heads on several extractors at once, weighted by how well each does for labelled users that it has not seen."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ..baselines.raw import item_coordinates
from ..encoders import Encoder, Together
from ..engine.heads import NeighboursHead, StackHead, linear_head, standard, unit, votes
from ..engine.ridge import RidgePath
from ..model import PretrainedModel
from ..tasks import Task

NEIGHBOURS = (5, 10, 20, 40, 80, 160)  # numbers of voters to choose among
ROUNDS = {True: 5, False: 10}  # of the greedy choice, in a ranking and elsewhere
# Votes that the parts of a ranking begin with (docs/choices.md). Neighbours say more than a probe of somebody who shows
# little; a head of the model's own needs no labels at all, so that beside it others begin with none.
OWN, NEAR, PROBE = 3.0, 2.0, 1.0
MOST_USERS = 1000  # labelled users that the weights are chosen on


@dataclass
class Part:
    """One extractor with one head, and what it says of each labelled user without that user's label.

    Args:
        g: the extractor.
        h: its head.
        left_out: ``(labelled, outputs)``.
        votes: how much it counts before any is chosen.
    """

    g: Encoder
    h: nn.Module
    left_out: np.ndarray
    votes: float = 0.0


def probe(g: Encoder, z: np.ndarray, task: Task) -> Part:
    """Return the ridge head on g's vectors z of the labelled users."""
    path = RidgePath(z, task.target_matrix())
    strength, _ = path.choose(task.chooses_by, task.strengths(z))
    weights, bias = path.solve(strength)
    return Part(g, linear_head(weights.T, bias), path.leave_one_out(strength))


def neighbours(g: Encoder, z: np.ndarray, task: Task) -> Part:
    """Return the head of votes (:class:`~recsys_tutorial.engine.heads.NeighboursHead`).

    The number of voters is chosen by leaving each labelled user out.
    """
    y, among = task.target_matrix(), unit(z) @ unit(z).T
    np.fill_diagonal(among, -1)
    usable = [k for k in NEIGHBOURS if k < len(task)] or [len(task) - 1]
    found = {k: votes(among, y, k) for k in usable}
    quality = task.chooses_by or (lambda scores: -((scores - y.toarray()) ** 2).sum(1))
    k = max(usable, key=lambda k: float(np.nanmean(quality(found[k]))))
    return Part(g, NeighboursHead.of(z, y, k), found[k])


def stack(models: Sequence[PretrainedModel], task: Task) -> PretrainedModel:
    r"""Return ``f(x) = Σ_p w_p s(h_p(g_p(x)))``: every model's heads, and a ridge on the items themselves.

    The parts of a model in a ranking are a probe, and its own head where that scores the task's items, else the votes
    of its neighbours; s brings each user's scores to mean 0 and deviation 1. Of labels it is the probe, as it is. w is
    chosen greedily by what the parts say of labelled users left out: in each round the part is added once more that
    helps most (Caruana et al. 2004). A ranking's parts begin with some votes, so that few labelled users move w little.

    Args:
        models: pretrained on the same items.
        task: the labelled users.
    """
    ranks = task.outputs is not None
    side, x = item_coordinates(task.behaviour, "binary" if ranks else "idf")
    parts = [probe(side, x, task)]
    for model in models:
        g, z = model.feature_extractor, model.encode(task.behaviour)
        parts.append(probe(g, z, task))
        if (own := own_head(model, task)) is not None:
            parts.append(Part(g, own, model.score(task.behaviour), OWN))
        elif ranks:
            parts[-1].votes = PROBE
            parts.append(replace(neighbours(g, z, task), votes=NEAR))
    if any(part.votes == OWN for part in parts):
        parts = [replace(part, votes=part.votes if part.votes == OWN else 0.0) for part in parts]
    weights = _weights(parts, task)
    kept = [number for number, weight in enumerate(weights) if weight > 0]
    head = StackHead([parts[number].h for number in kept], weights[kept].tolist(), ranks)
    g = Together([copy.deepcopy(parts[number].g) for number in kept])
    return PretrainedModel.compose(g, head, catalogue=task.behaviour.catalogue, outputs=task.outputs)


def own_head(model: PretrainedModel, task: Task) -> nn.Module | None:
    """Return a copy of the model's own head where it scores the very items of the task, else None."""
    if model.classifier is None or model.outputs is None or task.outputs is None:
        return None
    return copy.deepcopy(model.classifier) if model.outputs.fingerprint == task.outputs.fingerprint else None


def _weights(parts: Sequence[Part], task: Task) -> np.ndarray:
    """Return ``(parts,)`` weights that add up to 1."""
    some = np.arange(min(len(task), MOST_USERS))
    labelled = task.take(some)
    said = [torch.from_numpy(np.asarray(part.left_out[some], np.float32)) for part in parts]
    table = [(standard(one) if task.outputs is not None else one).numpy() for one in said]
    sign = -1 if task.lower_is_better else 1
    counts = np.array([part.votes for part in parts])
    total = np.einsum("p,pij->ij", counts, np.stack(table))
    for _ in range(ROUNDS[task.outputs is not None]):
        gains = [sign * labelled.value((total + one) / (counts.sum() + 1)) for one in table]
        best = int(np.argmax(gains))
        counts[best] += 1
        total = total + table[best]
    return counts / counts.sum()
