"""What every feature extractor ``g`` promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn


class Cost(NamedTuple):
    """What an encoder costs.

    Attributes:
        parameters: how many numbers it learns.
        flops: additions and multiplications to encode one user, the products of matrices and vectors alone.
        longest: how many of a user's events it reads; None reads them all.
    """

    parameters: int
    flops: int
    longest: int | None


class Encoder(nn.Module):
    """A feature extractor ``g``: ``Batch -> (users, dim)``.

    Attributes:
        n_items: catalogue size.
        dim: length of the vector of a user.
        item_vectors: ``(n_items, width)``, one learned vector for each item: the first layer.
        config: the arguments that build the same shape again.
        sparse_gradients: whether the gradient of ``item_vectors`` holds only the rows that were read: for catalogues
            so large that a step touches few of them.
    """

    n_items: int
    dim: int
    item_vectors: Tensor
    config: dict[str, Any]
    sparse_gradients: bool
    __call__: Callable[..., Tensor]  # of a Batch, and some of dense rows too; nn.Module's own promises nothing

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the parameters layer by layer, from the input up."""
        raise NotImplementedError

    def cost(self, events: int) -> Cost:
        """Return what it costs for a user with ``events`` events."""
        raise NotImplementedError


def n_parameters(module: nn.Module) -> int:
    """Return how many numbers ``module`` learns."""
    return sum(parameter.numel() for parameter in module.parameters())
