"""A feature extractor that ignores order: a bag of items."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..data.interactions import Interactions
from ..errors import InputError, check_sizes, unknown
from .base import Cost, Encoder, n_parameters

ACTIVATIONS = {"identity": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh}
WEIGHTINGS = ("binary", "raw", "log", "idf")


class BagEncoder(Encoder):
    """A feature extractor ``g`` that ignores order: ``Batch -> (users, dim)``.

    The first layer adds up one vector per item the user has, so its cost follows the user's events and not
    the catalogue: ``2 · events · width`` flops a user, ``n_items · width`` parameters. A dense table
    ``(users, n_items)`` of weights is taken too and gives the same vectors; it is there to teach and to test.

    Args:
        n_items: catalogue size.
        dim: length of the output vector.
        hidden: widths of the layers before the last one.
        activation: after every layer: ``tanh``, ``relu`` or ``identity``.
        output_activation: after the last layer; None takes ``activation``.
        weighting: what an event counts: ``binary`` 1, ``raw`` its weight, ``log`` log(1 + weight), ``idf`` the weight
            of its item, 1 until :meth:`weigh_items` says how rare it is.
        normalise: divide a user's events by their Euclidean length, so that a long history is not louder.

    Raises:
        InputError: a size below 1, an unknown activation or weighting.
    """

    item_vectors: nn.Parameter
    item_weights: Tensor  # where the weighting is idf

    def __init__(
        self,
        n_items: int,
        dim: int = 256,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        weighting: str = "binary",
        normalise: bool = True,
        output_activation: str | None = None,
    ) -> None:
        super().__init__()
        widths = (*hidden, dim)
        check_sizes(n_items=n_items, dim=dim, **{f"hidden[{i}]": width for i, width in enumerate(hidden)})
        last = activation if output_activation is None else output_activation
        for given in (activation, last):
            if given not in ACTIVATIONS:
                raise unknown("activation", given, ACTIVATIONS)
        if weighting not in WEIGHTINGS:
            raise unknown("weighting", weighting, WEIGHTINGS)
        self.n_items, self.dim, self.sparse_gradients = n_items, dim, False
        self.config = dict(
            n_items=n_items, dim=dim, hidden=list(hidden), activation=activation, weighting=weighting,
            normalise=normalise, output_activation=last,
        )  # fmt: skip
        self.item_vectors = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_items, widths[0])))
        self.bias = nn.Parameter(torch.zeros(widths[0]))
        if weighting == "idf":
            self.register_buffer("item_weights", torch.ones(n_items))
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [ACTIVATIONS[activation](), nn.Linear(before, after)]
        self.layers = nn.Sequential(*layers, ACTIVATIONS[last]())

    def weigh_items(self, item_weights: np.ndarray) -> Self:
        """Let an event count ``(n_items,)`` what its item does (:func:`rarity`), and return the encoder."""
        self.config["weighting"] = "idf"
        weights = torch.as_tensor(item_weights, dtype=torch.float32, device=self.item_vectors.device)
        self.register_buffer("item_weights", weights)
        return self

    def forward(self, behaviour: Batch | Tensor) -> Tensor:
        """Return ``(users, dim)``: a user without events gets the vector that the biases alone give."""
        if isinstance(behaviour, Tensor):
            summed = self._input_weights_dense(behaviour) @ self.item_vectors
        else:
            summed = self.sum_items(replace(behaviour, weights=self._input_weights(behaviour)))
        return self.layers(summed + self.bias)

    def sum_items(self, batch: Batch) -> Tensor:
        """Return ``(users, width)``: each user's item vectors, times the events' weights, added up."""
        how: dict[str, Any] = {"mode": "sum", "include_last_offset": True, "sparse": self.sparse_gradients}
        return F.embedding_bag(batch.items, self.item_vectors, batch.offsets, per_sample_weights=batch.weights, **how)

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the parameters layer by layer, from the input up."""
        linear = [list(layer.parameters()) for layer in self.layers if isinstance(layer, nn.Linear)]
        return [[self.item_vectors, self.bias], *linear]

    def cost(self, events: int) -> Cost:
        """Return what it costs for a user with ``events`` events: it reads them all."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        products = events * self.item_vectors.shape[1] + sum(layer.weight.numel() for layer in linear)
        return Cost(n_parameters(self), 2 * products, None)

    def _input_weights(self, batch: Batch) -> Tensor:
        weights = self._weigh(batch.weights, batch.items)
        if not self.config["normalise"]:
            return weights
        rows = batch.rows
        squares = weights.new_zeros(len(batch)).index_add_(0, rows, weights.square())
        return weights / squares.sqrt()[rows].clamp_min(1e-12)

    def _input_weights_dense(self, table: Tensor) -> Tensor:
        if table.shape[-1] != self.n_items:
            raise InputError(f"behaviour has {table.shape[-1]} items, g was built for {self.n_items}")
        table = table.to(self.item_vectors.dtype)  # float64 rows, or whole numbers, are as good
        weights = torch.where(table != 0, self._weigh(table, torch.arange(self.n_items)), 0.0)
        return F.normalize(weights, dim=1) if self.config["normalise"] else weights

    def _weigh(self, weights: Tensor, items: Tensor) -> Tensor:
        """Return what events of these weights, on these items, count; the two shapes may be broadcast."""
        match self.config["weighting"]:
            case "binary":
                return torch.ones_like(weights)
            case "log":
                return weights.log1p()
            case "idf":
                return self.item_weights[items].expand_as(weights)
        return weights


def rarity(interactions: Interactions) -> np.ndarray:
    """Return ``(n_items,)`` log(users / users who have the item), at least .1; an item nobody has is as rare as once.

    Source: Sparck Jones (1972), inverse document frequency.
    """
    counts = np.maximum(interactions.events_per_item, 1)
    return np.log(max(interactions.n_users, 1) / counts).clip(min=0.1)
