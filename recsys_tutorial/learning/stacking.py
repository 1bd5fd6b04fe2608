"""Heads on several extractors at once, weighted by how well each does for labelled users that it has not seen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from ..baselines.raw import item_coordinates
from ..data.interactions import Interactions
from ..encoders import Encoder, Together
from ..engine.heads import NeighboursHead, StackHead, linear_head, standard, unit, votes
from ..engine.ridge import RidgePath
from ..model import PretrainedModel
from ..tasks import Task

NEIGHBOURS = (5, 10, 20, 40, 80, 160)  # numbers of voters to choose among
ROUNDS = {True: 8, False: 10}  # of the greedy choice, in a ranking and elsewhere
# A ranking's weights are chosen for people who show one event, three, or all, the second to hold from 2 events on, the
# third from 6: what helps somebody who shows little is not what helps somebody who shows much.
SHOWN: tuple[int | None, ...] = (1, 3, None)
EDGES = (2, 6)
# Votes that the parts of a ranking begin with, for each of these (docs/choices.md). Neighbours say more than a probe of
# somebody who shows little; a head of the model's own needs no labels at all, so that beside it others begin with none.
OWN, NEAR, PROBE, NONE = (3.0, 3.0, 3.0), (2.0, 2.0, 1.0), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0)
OF_MODEL = (1.0, 0.5, 0.5)  # share of these that the parts of the first model begin with, of the next two; then none
MOST_USERS = 1000  # labelled users that the weights are chosen on
LEAST_USERS = 150  # of whom there should be as many when histories are cut short: few are cut several times


@dataclass
class Part:
    """One extractor with one head, and what it says of a labelled user without that user's label.

    Args:
        g: the extractor.
        h: its head.
        left_out: what the first m labelled users show, as g's vectors ``(m, dim)`` -> ``(m, outputs)``.
        votes: how much it counts before any is chosen, for each of :data:`SHOWN`.
    """

    g: Encoder
    h: nn.Module
    left_out: Callable[[np.ndarray], np.ndarray]
    votes: tuple[float, ...] = NONE


def probe(g: Encoder, z: np.ndarray, task: Task) -> Part:
    """Return the ridge head on g's vectors z of the labelled users."""
    path = RidgePath(z, task.target_matrix())
    strength, _ = path.choose(task.chooses_by, task.strengths(z))
    weights, bias = path.solve(strength)
    return Part(g, linear_head(weights.T, bias), lambda at: path.leave_one_out(strength, at=at))


def neighbours(g: Encoder, z: np.ndarray, task: Task) -> Part:
    """Return the head of votes (:class:`~recsys_tutorial.engine.heads.NeighboursHead`).

    The number of voters is chosen by leaving each labelled user out.
    """
    y = task.target_matrix()

    def among(at: np.ndarray) -> np.ndarray:
        similarity = unit(at) @ unit(z).T
        similarity[np.arange(len(at)), np.arange(len(at))] = -1
        return similarity

    usable = [k for k in NEIGHBOURS if k < len(task)] or [len(task) - 1]
    quality = task.chooses_by or (lambda scores: -((scores - y.toarray()) ** 2).sum(1))
    near = among(z)
    k = max(usable, key=lambda k: float(np.nanmean(quality(votes(near, y, k)))))
    return Part(g, NeighboursHead.of(z, y, k), lambda at: votes(among(at), y, k))


def stack(models: Sequence[PretrainedModel], task: Task) -> PretrainedModel:
    r"""Return ``f(x) = Σ_p w_p s(h_p(g_p(x)))``: every model's heads, and a ridge on the items themselves.

    The parts of a model in a ranking are a probe, and its own head where that scores the task's items, else the votes
    of its neighbours; s brings each user's scores to mean 0 and deviation 1, and w depends on how many events x has. Of
    labels it is the probe, as it is. w is chosen greedily by what the parts say of labelled users left out: in each
    round the part is added once more that helps most (Caruana et al. 2004). A ranking's parts begin with some votes,
    so that few labelled users move w little.

    Args:
        models: pretrained on the same items.
        task: the labelled users.
    """
    ranks = task.outputs is not None
    side, x = item_coordinates(task.behaviour, "binary" if ranks else "idf")
    parts = [probe(side, x, task)]
    for place, model in enumerate(models):
        share = OF_MODEL[place] if place < len(OF_MODEL) else 0.0
        g, z = model.feature_extractor, model.encode(task.behaviour)
        parts.append(probe(g, z, task))
        if (own := own_head(model, task)) is not None:
            parts.append(Part(g, own, partial(_said, own), OWN))
        elif ranks:
            parts[-1].votes = tuple(share * votes for votes in PROBE)
            parts.append(replace(neighbours(g, z, task), votes=tuple(share * votes for votes in NEAR)))
    if any(part.votes == OWN for part in parts):
        parts = [replace(part, votes=part.votes if part.votes == OWN else NONE) for part in parts]
    some = task.take(np.arange(min(len(task), MOST_USERS)))
    weights = np.array([_weights(parts, some, row, n) for row, n in enumerate(SHOWN) if ranks or n is None])
    kept = np.flatnonzero(weights.any(axis=0))
    head = StackHead([parts[number].h for number in kept], weights[:, kept].tolist(), ranks, EDGES if ranks else ())
    g = Together([copy.deepcopy(parts[number].g) for number in kept], counts=ranks)
    return PretrainedModel.compose(g, head, catalogue=task.behaviour.catalogue, outputs=task.outputs)


@torch.inference_mode()
def _said(head: nn.Module, z: np.ndarray) -> np.ndarray:
    return np.asarray(head(torch.from_numpy(z)))


def own_head(model: PretrainedModel, task: Task) -> nn.Module | None:
    """Return a copy of the model's own head where it scores the very items of the task, else None."""
    if model.classifier is None or model.outputs is None or task.outputs is None:
        return None
    return copy.deepcopy(model.classifier) if model.outputs.fingerprint == task.outputs.fingerprint else None


def _left_out(parts: Sequence[Part], behaviour: Interactions) -> list[np.ndarray]:
    """Return what the parts say of the first labelled users, who show this, each ``(users, outputs)``."""
    extractors = dict.fromkeys(part.g for part in parts)  # a probe and the neighbours of one model share theirs
    z = {g: PretrainedModel.compose(g, None).encode(behaviour) for g in extractors}
    return [np.asarray(part.left_out(z[part.g]), np.float32) for part in parts]


def _weights(parts: Sequence[Part], labelled: Task, row: int, shown: int | None) -> np.ndarray:
    """Return ``(parts,)`` weights that add up to 1, for people who show so many events."""
    ranks = labelled.outputs is not None
    cuts = [labelled] if shown is None else [
        labelled.showing(shown, seed) for seed in range(max(1, LEAST_USERS // len(labelled)))
    ]  # fmt: skip
    said = zip(*(_left_out(parts, cut.behaviour) for cut in cuts), strict=True)
    tables = [np.concatenate(one) for one in said]  # of each part, the cuts one below the other
    asked = labelled.take(np.tile(np.arange(len(labelled)), len(cuts)))
    if ranks:
        tables = [standard(torch.from_numpy(one)).numpy() for one in tables]
    sign, counts = -1 if labelled.lower_is_better else 1, np.array([part.votes[row] for part in parts])
    total = np.zeros(tables[0].shape)
    for count, table in zip(counts, tables, strict=True):
        total += count * table
    for _ in range(ROUNDS[ranks]):
        gains = [sign * asked.value((total + table) / (counts.sum() + 1)) for table in tables]
        best = int(np.argmax(gains))
        counts[best] += 1
        total += tables[best]
    return counts / counts.sum()
