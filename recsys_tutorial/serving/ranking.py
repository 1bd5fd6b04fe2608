"""f's best items for many users: the same lists whatever the batch, the threads and the items around them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.batches import Batch
from ..data.joining import place_of
from ..encoders import BagEncoder
from ..metrics.ranking import top_k
from ..model import PretrainedModel

_SPARE = 12  # candidates beyond the k that are asked for
_NUMBERS = 1 << 17  # float64 values at once of the candidates' vectors: what a core's cache holds


class Ranking:
    """The best of a model's outputs, ties by lower number.

    A float32 product has other last bits in another batch, on other threads or at another place in the table, and lists
    would change with them. So it only finds candidates, some more than are asked for; their scores are then taken in
    float64 and rounded to float32, and these decide. Where a float32 error might hide an item from the candidates, the
    whole row is taken in float64.

    Args:
        model: with a catalogue and a head that scores items.
        among: ``(outputs,)`` mask of those that may be listed; None takes all.
    """

    def __init__(self, model: PretrainedModel, among: np.ndarray | None = None) -> None:
        assert model.catalogue is not None, "Recommender checks it"
        assert model.outputs is not None
        self.columns = np.arange(len(model.outputs)) if among is None else np.flatnonzero(among)
        same = among is None and model.outputs is model.catalogue
        places = None if same else place_of(model.catalogue.ids, model.outputs.ids[self.columns])
        self._places = None if places is None else torch.from_numpy(places)  # of each item among the columns, or -1
        g, h = model.feature_extractor, model.classifier
        # One sum for each user, in the order of their events: the same bits anywhere. Layers of products are not.
        plain = isinstance(g, BagEncoder) and len(g.layers) == 1
        self._g, self._of_g = (g, torch.float32) if plain else (_exact(g), torch.float64)
        self._h: Any = None if isinstance(h, nn.Linear) else _exact(h)
        self._device = model.device
        if self._h is None:
            rows = slice(None) if among is None else torch.from_numpy(self.columns).to(model.device)
            self._weight, self._bias = h.weight.detach()[rows], h.bias.detach()[rows]
            self._table = self._weight.cpu().numpy(), self._bias.cpu().numpy()  # the same memory on a CPU
            self._longest = self._weight.norm(dim=1).amax().item(), self._bias.abs().amax().item()

    @torch.inference_mode()
    def best(self, behaviour: Batch, k: int, known: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``k`` best of the outputs, ``(users, k)`` int64, and their scores, float32.

        Args:
            behaviour: indices of the model's catalogue.
            k: at most ``len(self.columns)``; where fewer are left, the other places hold -1, with scores of -inf.
            known: list what a user has, too.
        """
        batch = behaviour.to(self._device)
        z, had = self._encode(batch), None if known else self._had(batch)
        if self._h is None and 4 * (k + _SPARE) < len(self.columns):
            found, scores = self._of_candidates(z, k, had)
        else:
            found, scores = _top(_without(self._exact_scores(z), had), k)
        return np.where(found < 0, -1, self.columns[found]), scores

    @torch.inference_mode()
    def scores(self, behaviour: Batch, columns: np.ndarray) -> np.ndarray:
        """Return ``(users, len(columns))`` float32: the scores, bit by bit, that :meth:`best` has of these columns."""
        z = self._encode(behaviour.to(self._device))
        if self._h is not None:
            return self._exact_scores(z)[:, torch.from_numpy(columns).to(self._device)].cpu().numpy()
        return self._score(np.broadcast_to(columns, (len(z), len(columns))), z.cpu().numpy())

    def left(self, items: np.ndarray) -> int:
        """Return how many of the outputs a user with these items of the catalogue does not have."""
        columns = items if self._places is None else self._places.numpy()[items]
        return len(self.columns) - len(set(columns[columns >= 0].tolist()))

    def _encode(self, batch: Batch) -> Tensor:
        """Return g's vectors as float64."""
        same = batch.weights.dtype == self._of_g
        return self._g(batch if same else replace(batch, weights=batch.weights.to(self._of_g))).double()

    def _had(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return row and column of what is not to be listed, as the users have it."""
        if self._places is None:
            return batch.rows, batch.items
        columns = self._places.to(self._device)[batch.items]
        there = columns >= 0
        return batch.rows[there], columns[there]

    def _of_candidates(
        self, z: Tensor, k: int, left_out: tuple[Tensor, Tensor] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        rough = _without(torch.addmm(self._bias, z.float(), self._weight.T), left_out)
        values, items = (found.cpu().numpy() for found in rough.topk(k + _SPARE))
        vectors = z.cpu().numpy()
        exact = self._score(items, vectors)
        exact[values == -np.inf] = -np.inf
        order = np.lexsort((items, -exact))[:, :k]  # equal scores: the lower item first
        found, scores = np.take_along_axis(items, order, 1), np.take_along_axis(exact, order, 1)
        found[scores == -np.inf] = -1
        # How far a rough score may be off: the bound on the rounding of a sum of dim products.
        lengths = np.sqrt((vectors**2).sum(1))
        error = z.shape[1] * np.finfo(np.float32).eps * (lengths * self._longest[0] + self._longest[1])
        lowest = values[:, -1]
        unsure = np.flatnonzero((lowest != -np.inf) & ~(scores[:, -1] - lowest > 2 * error))
        if len(unsure):
            rows = torch.from_numpy(unsure)
            whole = self._exact_scores(z[rows])
            whole[rough[rows] == -torch.inf] = -torch.inf
            found[unsure], scores[unsure] = _top(whole, k)
        return found, scores

    def _score(self, items: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the scores ``(users, n)``, float32 of sums in float64, of ``n`` columns for each user."""
        weight, bias = self._table
        scores = np.empty(items.shape, np.float32)
        at_once = max(1, _NUMBERS // max(1, items.shape[1] * z.shape[1]))  # users whose items' vectors are copied
        for start in range(0, len(items), at_once):
            some = slice(start, start + at_once)
            scores[some] = (weight[items[some]].astype(np.float64) * z[some, None]).sum(-1) + bias[items[some]]
        return scores

    def _exact_scores(self, z: Tensor) -> Tensor:
        """Return the scores of all columns, in float64, rounded to float32."""
        if self._h is None:
            return torch.addmm(self._bias.double(), z, self._weight.double().T).float()
        return self._h(z)[:, torch.from_numpy(self.columns).to(self._device)].float()


def _exact(module: nn.Module) -> nn.Module:
    """Return a copy that computes in float64, without dropout."""
    return copy.deepcopy(module).double().eval()


def _without(scores: Tensor, left_out: tuple[Tensor, Tensor] | None) -> Tensor:
    if left_out is not None:
        scores[left_out] = -torch.inf
    return scores


def _top(scores: Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    found = top_k(scores.cpu(), k)
    best = scores.cpu().gather(1, torch.from_numpy(found.clip(0))).numpy()
    best[found < 0] = -np.inf
    return found, best
