"""What scores every item from g's vector, and the softmax over these scores."""

from __future__ import annotations

from torch import Tensor, nn

from ..data.batches import Batch
from ..engine.losses import linear_squared_loss, multinomial_loss
from ..engine.sampling import ItemSampler, sampled_multinomial_loss, take_rows


class Decoder(nn.Linear):
    """g's vectors -> a score for every item: ``(users, dim) -> (users, n_items)``.

    Attributes:
        sampler: draws the items that the softmax runs over; None lets it run over all.
    """

    sampler: ItemSampler | None = None

    def squared_loss(self, vectors: Tensor, target: Batch, without: Batch | None = None) -> Tensor:
        """Return :func:`~recsys_tutorial.engine.losses.squared_loss` of the scores."""
        return linear_squared_loss(vectors, self.weight, self.bias, target, without)

    def multinomial_loss(self, vectors: Tensor, target: Batch, without: Batch | None = None) -> Tensor:
        """Return :func:`~.multinomial_loss` of the scores, or the estimate from a sample."""
        if self.sampler is None:
            return multinomial_loss(self(vectors), target, without)
        return sampled_multinomial_loss(vectors, self._rows, target, self.sampler, without)

    def _rows(self, items: Tensor) -> tuple[Tensor, Tensor]:
        return take_rows(self.weight, items), take_rows(self.bias, items)
