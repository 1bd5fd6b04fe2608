"""A feature extractor that knows items by what is known of them (words, genres), not by their numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..engine.heads import DrawnLinear
from ..errors import InputError, check_sizes, unknown
from .bag import ACTIVATIONS
from .base import Cost, Encoder, n_parameters


class FeatureEncoder(Encoder):
    r"""A feature extractor ``g`` over fixed vectors of items: ``Batch -> (users, dim)``.

    ``g(x) = activation(W m(x) + b)``, m(x) the mean of the given vectors t_j of the items in x: the first layer is
    frozen, and what is learned, W and b, belongs to no item. So it takes items that nobody has yet, and
    :meth:`on` carries it to a catalogue with other items.

    Args:
        n_items: catalogue size.
        n_features: length of an item's given vector.
        dim: length of the output vector.
        activation: ``tanh``, ``relu`` or ``identity``.

    Raises:
        InputError: a size below 1, or an unknown activation.
    """

    features: Tensor

    def __init__(self, n_items: int, n_features: int, dim: int = 256, activation: str = "tanh") -> None:
        super().__init__()
        check_sizes(n_items=n_items, n_features=n_features, dim=dim)
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        self.n_items, self.dim = n_items, dim
        self.config: dict[str, Any] = dict(n_items=n_items, n_features=n_features, dim=dim, activation=activation)
        self.register_buffer("features", torch.zeros(n_items, n_features))
        self.project = DrawnLinear(n_features, dim)
        self.activation = ACTIVATIONS[activation]()

    @classmethod
    def of(cls, features: Tensor, dim: int = 256, activation: str = "tanh") -> FeatureEncoder:
        """Return it with these vectors ``(n_items, n_features)``."""
        n_items, n_features = features.shape
        g = cls(n_items, n_features, dim, activation)
        g.features.copy_(features)
        return g

    def forward(self, behaviour: Batch) -> Tensor:
        """Return ``(users, dim)``: a user without events gets what the bias alone gives."""
        mean = F.embedding_bag(
            behaviour.items, self.features, behaviour.offsets, mode="mean", include_last_offset=True
        )
        return self.activation(self.project(mean))

    @property
    def item_vectors(self) -> Tensor:  # type: ignore[override]  # made anew from what learns, not to be set
        """``(n_items, dim)``: W t_j."""
        return self.features @ self.project.weight.T

    def on(self, features: Tensor) -> FeatureEncoder:
        """Return a copy for the items whose vectors ``(other n_items, n_features)`` are given."""
        if features.shape[1] != self.features.shape[1]:
            raise InputError(f"items have {features.shape[1]} features, g was built for {self.features.shape[1]}")
        g = FeatureEncoder.of(features, self.dim, self.config["activation"])
        g.project.load_state_dict(self.project.state_dict())
        return g

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the parameters layer by layer, from the input up: one layer learns."""
        return [list(self.project.parameters())]

    def cost(self, events: int) -> Cost:
        """Return what it costs for a user with ``events`` events: it reads them all."""
        n_features = self.features.shape[1]
        return Cost(n_parameters(self), 2 * (events * n_features + n_features * self.dim), None)
