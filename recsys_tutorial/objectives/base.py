"""The one interface of a pretraining objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ..data.batches import Batch, shuffled
from ..data.interactions import Interactions
from ..encoders import BagEncoder, Encoder
from ..encoders.bag import rarity
from ..engine.sampling import ItemSampler
from ..errors import InputError, unknown
from .decoder import Decoder

OBJECTIVES: dict[str, type[Objective]] = {}


@dataclass(frozen=True)
class Recipe:
    """How an objective is trained where nothing else is asked for.

    Args:
        epochs: passes over the users.
        least_steps: where the epochs make fewer steps, there are more epochs: few users are seen more often.
        dim: length of g's vector: a quarter of the number of items, at least 64 and at most this.
        batch_size: users per step: a tenth of them, at least 32 and at most this (or this, where it is below 32).
        learning_rate: the highest rate of the one-cycle schedule.
        weight_decay: pull of every weight towards zero.
    """

    epochs: int = 50
    least_steps: int = 0
    dim: int = 256
    batch_size: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.0


class Objective(nn.Module):
    """A loss that needs no labels. It wraps an encoder ``g`` and owns what it alone needs (a decoder, say).

    Write a subclass with a ``name``, a ``loss`` and, where it learns to score items, a ``head``; it is then known by
    its name to ``pretrain``, to ``evaluate`` and to the command line. The other methods have defaults that fit a bag of
    items. Draw random numbers from torch's global CPU generator: the training loop seeds it.

    Args:
        encoder: ``g``, ``Batch -> (users, dim)``.

    Attributes:
        least_events: events that a user needs for g to learn from them; 2 where g says one event from others.
        closed_form: :meth:`solve` finds the weights, and nothing is trained.
    """

    name: ClassVar[str] = ""
    recipe: ClassVar[Recipe] = Recipe()
    least_events: int = 2
    closed_form: ClassVar[bool] = False
    __call__: Callable[[Any, Batch], Tensor]

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.name:
            OBJECTIVES[cls.name] = cls

    @classmethod
    def build(cls, interactions: Interactions, dim: int, **options: Any) -> Self:
        """Return the objective with a fresh encoder for these items; override to choose another encoder."""
        return cls(BagEncoder(interactions.n_items, dim), **options)

    @classmethod
    def default_dim(cls, interactions: Interactions) -> int:
        """Return the length of g's vector where none is asked for: it follows the recipe."""
        return min(cls.recipe.dim, 16 * max(4, interactions.n_items // 64))

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch of behaviour, a scalar."""
        raise NotImplementedError

    def begin(self, interactions: Interactions, seed: int) -> None:
        """Set first weights that rest on the ``interactions`` to be trained on: none, as a rule."""

    def end(self, interactions: Interactions) -> None:
        """Set what rests on a training that is over, and on the ``interactions`` it was on: nothing, as a rule."""

    def solve(self, interactions: Interactions, seed: int) -> None:
        """Set the weights in closed form, from all of ``interactions``; for an objective of a ``closed_form``."""
        raise NotImplementedError

    @classmethod
    def bytes_to_solve(cls, interactions: Interactions) -> int:
        """Return the memory that :meth:`solve` takes beside the weights."""
        return 0

    def head(self) -> nn.Linear | None:
        """Return the part that scores items from g's vectors, ``(users, dim) -> (users, items)``, if it learned one."""
        return None

    def take_up(self, head: nn.Linear, places: Tensor) -> None:
        """Go on from what an earlier training's :meth:`head` holds; g is as it was already.

        Args:
            head: ``(users, dim) -> (users, items of then)``.
            places: ``(items of then,)`` where each of these items stands now; the others are new.

        Raises:
            InputError: more than g and h is needed, and it was thrown away.
        """
        decoder = self.head()
        if not isinstance(decoder, Decoder):  # made of parts that it does not show, or there is none
            raise InputError(f"{self.name!r} keeps too little of its training to go on with it: pretrain anew")
        decoder.weight[places], decoder.bias[places] = head.weight, head.bias

    def sample_softmax(self, sampler: ItemSampler) -> None:
        """Let the softmax over items run over what ``sampler`` draws; InputError where there is no such softmax."""
        if not isinstance(decoder := getattr(self, "decoder", None), Decoder):
            raise InputError(f"{self.name} has no softmax over items: leave sampled_softmax out")
        decoder.sampler, self.encoder.sparse_gradients = sampler, True

    def feature_extractor(self) -> Encoder:
        """Return ``g`` as it is after training."""
        return self.encoder

    def examples(self, behaviour: Batch) -> Batch:
        """Return what the loop draws batches from: the users themselves, as a rule."""
        return behaviour

    def order(self, examples: Batch, batch_size: int) -> Iterator[Tensor]:
        """Yield the rows of each batch of one epoch, in random order."""
        return shuffled(len(examples), batch_size)

    def forward(self, batch: Batch) -> Tensor:
        """Return :meth:`loss`."""
        return self.loss(batch)


def build_objective(
    name: str,
    interactions: Interactions,
    dim: int | None = None,
    *,
    sampled_softmax: int | None = None,
    weighting: str = "binary",
    **options: Any,
) -> Objective:
    """Return a fresh objective by name; InputError suggests the nearest name when there is none.

    Args:
        name: of :data:`OBJECTIVES`.
        interactions: what it will be trained on.
        dim: length of g's vector; None follows the recipe.
        sampled_softmax: for large catalogues: items that the softmax runs over in a step, drawn anew each time. The
            tables' gradients then hold the touched rows alone, and a step costs what the sample does.
        weighting: ``idf`` lets g read a rare item as louder than a common one; for a bag of items.
        options: the objective's own.
    """
    if name not in OBJECTIVES:
        raise unknown("objective", name, OBJECTIVES)
    found = OBJECTIVES[name]
    if dim is None:
        dim = found.default_dim(interactions)
    built = found.build(interactions, dim, **options)
    if weighting not in ("binary", "idf"):
        raise unknown("weighting", weighting, ("binary", "idf"))
    if weighting == "idf":
        if type(built.encoder) is not BagEncoder or name == "linear":
            raise InputError(f"{name} reads no weighted bag of items: leave weighting='idf' out")
        built.encoder.weigh_items(rarity(interactions))
    if sampled_softmax is not None:
        built.sample_softmax(ItemSampler(torch.from_numpy(interactions.events_per_item), sampled_softmax))
    return built
