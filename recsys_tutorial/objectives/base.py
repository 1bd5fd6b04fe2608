"""The one interface of a pretraining objective."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import Tensor, nn

from ..batches import Batch
from ..errors import unknown
from ..interactions import Interactions
from ..model import BagEncoder

OBJECTIVES: dict[str, type[Objective]] = {}


class Objective(nn.Module):
    """A loss that needs no labels. It wraps an encoder ``g`` and owns what it alone needs (a decoder, say).

    Write a subclass with a ``name``, a ``loss``, and, where the objective can score items, a ``head``; it is then
    known by its name to ``pretrain``, to ``evaluate`` and to the command line. Draw random numbers from torch's
    global CPU generator: the training loop seeds it.

    Args:
        encoder: ``g``, ``Batch -> (users, dim)``.
    """

    name: ClassVar[str] = ""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.name:
            OBJECTIVES[cls.name] = cls

    @classmethod
    def build(cls, interactions: Interactions, dim: int = 256, **options: Any) -> Self:
        """Return the objective with a fresh encoder for these items; override to choose another encoder."""
        return cls(BagEncoder(interactions.n_items, dim), **options)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch of behaviour, a scalar, averaged over users."""
        raise NotImplementedError

    def head(self) -> nn.Module | None:
        """Return the part that scores items from g's vectors, ``(users, dim) -> (users, items)``, if there is one."""
        return None

    def forward(self, batch: Batch) -> Tensor:
        """Return :meth:`loss`."""
        return self.loss(batch)


def build_objective(name: str, interactions: Interactions, dim: int = 256, **options: Any) -> Objective:
    """Return a fresh objective by name; InputError suggests the nearest name when there is none."""
    if name not in OBJECTIVES:
        raise unknown("objective", name, OBJECTIVES)
    return OBJECTIVES[name].build(interactions, dim, **options)
