"""What the objectives that read behaviour in order have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..data.batches import Batch, by_length
from ..data.interactions import Interactions
from ..encoders import CodedSequenceEncoder, SequenceEncoder
from ..encoders.semantic_ids import SemanticIDs
from ..encoders.words import alike, attribute_vectors
from ..engine.heads import linear_head
from ..engine.layers import unit_rows
from ..engine.losses import linear_cross_entropy
from ..engine.negatives import binary_loss, calibrated_power
from ..engine.sampling import ItemSampler, sampled_multinomial_loss, take_rows
from ..errors import InputError, unknown, whole
from .base import Objective, Recipe
from .counting import counted_vectors

_EVENTS = 3200  # in a batch: with them a step takes about 200 MB
# Loss -> items that a place is held against where nothing else is asked for; None: all of them.
LOSSES: dict[str, int | None] = {"softmax": None, "sampled-softmax": 1000, "bce": 1, "gbce": 256}
CODES, LEVELS = ("co-occurrence", "attributes", "both"), 3  # where codes come from; codes an item and source
DRAWS = {"popularity": 0.75, "uniform": 0.0}  # power of an item's count


class SequenceObjective(Objective):
    r"""Say which item stands at a place, from the encoder's state there: ``softmax_j(scale · s · v_j / |v_j|)``.

    State s and item vectors have length 1, so that a popular item cannot win by a long vector alone. All items compete,
    at real places only: batches are of users who did about equally much, and none is padded far. By name another loss
    may be taken (:meth:`lose_by`); the scores, and what is recommended, stay these logits.

    Args:
        encoder: a :class:`SequenceEncoder`.
        scale: how sharp the softmax may become.

    Raises:
        InputError: another encoder, or one that looks the wrong way.
    """

    encoder: SequenceEncoder
    causal: ClassVar[bool]
    recipe = Recipe(epochs=20, least_steps=1000, dim=128, batch_size=128, weight_decay=0.1)

    def __init__(self, encoder: SequenceEncoder, scale: float = 14.0) -> None:
        super().__init__(encoder)
        if getattr(encoder, "causal", None) is not self.causal:
            raise InputError(f"{self.name} needs a SequenceEncoder with causal={self.causal}")
        self.scale = scale
        self.sampler: ItemSampler | None = None
        self.negatives: int | None = None  # of a binary loss
        self.power = 1.0
        self.offset = 0.0  # of a binary loss's logits
        self.codes: str | None = None  # where the codes come from that are fitted when the training begins

    @classmethod
    def _fresh(
        cls, interactions: Interactions, dim: int, *own: Any, loss: str = "softmax", negatives: int | None = None,
        calibration: float | None = None, drawn_by: str | None = None, codes: str | None = None, **options: Any,
    ) -> Self:  # fmt: skip
        """Return it with a fresh encoder.

        Args:
            interactions: what it will be trained on.
            dim: of the encoder.
            own: what the objective takes beside the encoder.
            loss: see :meth:`lose_by`, and the next three there too.
            negatives: see there.
            calibration: see there.
            drawn_by: see there.
            codes: an item vector is the sum of its semantic codes' vectors and its own: the codes are of
                ``co-occurrence``, of ``attributes``, or of ``both``; None takes own vectors alone.
            options: those of :class:`SequenceEncoder`; with ``codes`` those of :class:`CodedSequenceEncoder` too
                (``ids``, ``size``, ``as_new``).
        """
        shape: dict[str, Any] = {"n_items": interactions.n_items, "dim": dim, "causal": cls.causal, **options}
        if codes is not None:
            if codes not in CODES:
                raise unknown("codes", codes, CODES)
            levels = {name: LEVELS * (codes in (name, "both")) for name in CODES[:2]}
            shape |= {"levels": sum(levels.values()), "counted": levels["co-occurrence"]}
        built = cls(SequenceEncoder(**shape) if codes is None else CodedSequenceEncoder(**shape), *own)
        built.codes = codes
        built.lose_by(loss, interactions.events_per_item, negatives, calibration, drawn_by)
        return built

    def lose_by(
        self, loss: str, counts: np.ndarray, negatives: int | None = None, calibration: float | None = None,
        drawn_by: str | None = None,
    ) -> None:  # fmt: skip
        """Set the loss at every place.

        - ``softmax``: over all items.
        - ``sampled-softmax``: over ``negatives`` items, drawn anew at every step, with logits corrected by how likely
          an item is to be drawn (logQ): what ``sampled_softmax=N`` does for every objective with a softmax.
        - ``bce``: is the item right, are ``negatives`` others, drawn for each place, wrong? With one it is SASRec's.
        - ``gbce``: the same with many, the target's probability calibrated for how few are drawn
          (:func:`~recsys_tutorial.engine.negatives.calibrated_power`).

        Args:
            loss: of :data:`LOSSES`.
            counts: ``(n_items,)`` how often each item occurs.
            negatives: items that a place is held against, at most all others; None takes 1,000, 1 and 256.
            calibration: of ``gbce``, t from 0 (none) to 1; None takes .75.
            drawn_by: of ``sampled-softmax``, ``popularity`` (None too) or ``uniform``.

        Raises:
            InputError: an unknown loss, or a setting that the loss does not have.
        """
        if loss not in LOSSES:
            raise unknown("loss", loss, LOSSES)
        takes = {"negatives": loss != "softmax", "calibration": loss == "gbce", "drawn_by": loss == "sampled-softmax"}
        for name, given in (("negatives", negatives), ("calibration", calibration), ("drawn_by", drawn_by)):
            if given is not None and not takes[name]:
                raise InputError(f"{name}={given!r}: loss={loss!r} has no such setting, leave it out")
        n = whole("negatives", LOSSES[loss] if negatives is None else negatives) if takes["negatives"] else 0
        if loss == "sampled-softmax":
            power = DRAWS.get(drawn_by or "popularity")
            if power is None:
                raise unknown("drawn_by", drawn_by, DRAWS)
            with torch.device("cpu"):  # where memory is estimated, tensors are without numbers
                self.sample_softmax(ItemSampler(torch.from_numpy(counts), n, power))
        elif n:
            self.negatives = min(n, max(1, len(counts) - 1))
            t = (0.75 if calibration is None else calibration) if loss == "gbce" else 0.0
            if not 0 <= t <= 1:
                raise InputError(f"calibration={t!r}: it needs to be between 0 and 1")
            self.power = calibrated_power(self.negatives, len(counts), t)
            self.offset = math.log(self.power / self.negatives)  # a score of 0 then has the odds of the average item

    def begin(self, interactions: Interactions, seed: int) -> None:
        """Say which items are trained on, fit the codes, and put the item vectors where they start.

        After an update codes and vectors stay as they were. What is counted is counted once.
        """
        encoder = self.encoder
        counted = cache(partial(counted_vectors, interactions, encoder.dim, encoder.max_length, seed))
        if isinstance(encoder, CodedSequenceEncoder):
            encoder.known.copy_(torch.from_numpy(interactions.events_per_item > 0))
            sources = {
                "co-occurrence": lambda: counted().numpy(),
                "attributes": lambda: attribute_vectors(interactions, seed=seed),
            }
            fitted = [
                SemanticIDs.fit(vectors(), LEVELS, encoder.config["size"], seed)
                for name, vectors in sources.items() if self.codes in (name, "both")
            ]  # fmt: skip
            if fitted:
                encoder.set_codes(np.concatenate([one.codes for one in fitted], axis=1))
        self._place_items(counted)

    def end(self, interactions: Interactions) -> None:
        """Place the items that were not trained on, where something is said of them; an update leaves them."""
        if isinstance(encoder := self.encoder, CodedSequenceEncoder) and self.codes in CODES[1:]:
            known = encoder.known.cpu().numpy()
            if not known.all():
                new = np.flatnonzero(~known)
                encoder.place(new, alike(interactions, new, np.flatnonzero(known)))

    def _place_items(self, counted: Callable[[], Tensor]) -> None:
        """Leave the item vectors where they are; ``counted()`` gives those of counting."""

    def examples(self, behaviour: Batch) -> Batch:
        """Return histories that are too long for the encoder in pieces, so that all of them is trained on."""
        return behaviour.windows(self.encoder.max_length)

    def order(self, examples: Batch, batch_size: int) -> Iterator[Tensor]:
        """Yield rows of about equal length, few of them where they are long."""
        return by_length(examples.lengths, batch_size, _EVENTS)

    def weights(self) -> Tensor:
        """Return ``(n_items, dim)``, what a state is multiplied with to score every item."""
        return unit_rows(self.encoder.item_vectors, self.scale)

    def says(self, states: Tensor, items: Tensor) -> Tensor:
        """Return the mean loss of ``(n, dim)`` states that should say ``(n,)`` items; 0 where there are none."""
        if self.sampler is None:
            weights, places = self._competing(items)
            if self.negatives is not None:
                negatives = min(self.negatives, max(1, len(weights) - 1))
                return binary_loss(states, weights, places, negatives, self.power, self.offset)
            return linear_cross_entropy(states, weights, places)
        one_each = Batch(items, torch.arange(len(items) + 1, device=items.device), torch.ones_like(states[:, 0]))
        return sampled_multinomial_loss(states, self._rows, one_each, self.sampler)

    def _competing(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weights of the items that compete in training, and where ``items`` stand among them."""
        weights, among = unit_rows(self.encoder.table(), self.scale), self.encoder.trained_items()
        return (weights, items) if among is None else (weights[among], torch.searchsorted(among, items))

    def sample_softmax(self, sampler: ItemSampler) -> None:
        """Let the softmax run over a sample of the items."""
        if self.negatives is not None:
            raise InputError("a binary loss has no softmax to sample: leave sampled_softmax out")
        self.sampler, self.encoder.sparse_gradients = sampler, True

    def _rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        vectors = take_rows(self.encoder.table(), items, self.encoder.sparse_gradients)
        return unit_rows(vectors, self.scale), vectors.new_zeros(len(items))

    def take_up(self, head: nn.Linear, places: Tensor) -> None:
        """Go on from g: it holds all that scores items. Codes stay; a new item has none, and its own vector alone."""
        if isinstance(self.encoder, CodedSequenceEncoder) and self.encoder.own_vectors is None:
            raise InputError(f"{self.name} with ids=False has nothing to know a new item by: pretrain anew")
        self.codes = None

    def head(self) -> nn.Linear:
        """Return the scores as a linear layer without bias (it is 0)."""
        weights = self.weights()
        return linear_head(weights, weights.new_zeros(len(weights)))
