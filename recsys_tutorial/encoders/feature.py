"""A feature extractor that knows items by what is known of them (words, genres), not by their numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..errors import InputError, check_sizes, unknown
from .bag import ACTIVATIONS
from .base import Cost, Encoder, n_parameters

AS_NEW = 0.5  # share of the items that a training step reads without what they have of their own


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
        delta: an item that is trained on may leave ``W t_j`` by a vector of its own, at most this share of its length:
            what is said of it is too little for an item that many had, and to be free forgets what was said. 0: none.

    Raises:
        InputError: a size below 1, an unknown activation, a negative delta.
    """

    features: Tensor
    own_vectors: nn.Parameter | None

    def __init__(
        self, n_items: int, n_features: int, dim: int = 256, activation: str = "tanh", delta: float = 0.0
    ) -> None:
        super().__init__()
        if delta < 0:
            raise InputError(f"delta={delta}: it needs to be at least 0")
        check_sizes(n_items=n_items, n_features=n_features, dim=dim)
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        self.n_items, self.dim = n_items, dim
        self.config: dict[str, Any] = dict(n_items=n_items, n_features=n_features, dim=dim, activation=activation)
        if delta:
            self.config["delta"] = delta
        self.delta = delta
        self.register_buffer("features", torch.zeros(n_items, n_features))
        self.project = nn.Linear(n_features, dim)
        self.own_vectors = nn.Parameter(torch.zeros(n_items, dim)) if delta else None
        self.activation = ACTIVATIONS[activation]()

    @classmethod
    def of(
        cls, features: Tensor, dim: int = 256, activation: str = "tanh", delta: float = 0.0
    ) -> FeatureEncoder:
        """Return it with these vectors ``(n_items, n_features)``."""
        n_items, n_features = features.shape
        g = cls(n_items, n_features, dim, activation, delta)
        g.features.copy_(features)
        return g

    def forward(self, behaviour: Batch) -> Tensor:
        """Return ``(users, dim)``: a user without events gets what the bias alone gives."""
        if self.own_vectors is not None:
            said = self.features @ self.project.weight.T
            table = bounded(said, at_times_none(self.own_vectors, self.training), self.delta)
            mean = F.embedding_bag(
                behaviour.items, table, behaviour.offsets, mode="mean", include_last_offset=True
            )
            return self.activation(mean + self.project.bias)
        mean = F.embedding_bag(
            behaviour.items, self.features, behaviour.offsets, mode="mean", include_last_offset=True
        )
        return self.activation(self.project(mean))

    @property
    def item_vectors(self) -> Tensor:  # type: ignore[override]  # made anew from what learns, not to be set
        """``(n_items, dim)``: W t_j, and what an item has of its own."""
        said = self.features @ self.project.weight.T
        return said if self.own_vectors is None else bounded(said, self.own_vectors, self.delta)

    def on(self, features: Tensor, places: Tensor | None = None) -> FeatureEncoder:
        """Return a copy for other items.

        Args:
            features: their vectors, ``(other n_items, n_features)``.
            places: ``(n_items,)`` where the items of now stand among them, to keep what they have of their own.
        """
        if features.shape[1] != self.features.shape[1]:
            raise InputError(f"items have {features.shape[1]} features, g was built for {self.features.shape[1]}")
        g = FeatureEncoder.of(features, self.dim, self.config["activation"], self.delta)
        if g.own_vectors is not None and self.own_vectors is not None and places is not None:
            g.own_vectors.data[places] = self.own_vectors.data
        g.project.load_state_dict(self.project.state_dict())
        return g

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the parameters layer by layer, from the input up: one layer learns."""
        return [[*self.project.parameters(), *([] if self.own_vectors is None else [self.own_vectors])]]

    def cost(self, events: int) -> Cost:
        """Return what it costs for a user with ``events`` events: it reads them all."""
        n_features = self.features.shape[1]
        return Cost(n_parameters(self), 2 * (events * n_features + n_features * self.dim), None)


def bounded(said: Tensor, own: Tensor, share: float) -> Tensor:
    """Return ``said + own``, rows of ``own`` cut to ``share`` of the length of those of ``said``."""
    most = share * said.detach().norm(dim=1, keepdim=True)
    return said + own * (most / own.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)


def at_times_none(own: Tensor, training: bool) -> Tensor:
    """Return ``own``; in training without some of its rows, so that what is said of items stays able to do it alone.

    Source: Volkovs et al. (2017), DropoutNet.
    """
    return own * (torch.rand(len(own)) >= AS_NEW).to(own)[:, None] if training else own
