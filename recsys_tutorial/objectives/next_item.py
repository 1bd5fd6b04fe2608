"""Next item (GPT-like): at every event, foretell the one that follows."""

from __future__ import annotations

from torch import Tensor

from ..data.batches import Batch
from .sequence import SequenceObjective


class NextItem(SequenceObjective):
    r"""``loss = -mean_t log softmax_j(scale · s_t · v_j)_(j = item t + 1)``, s_t the state after events 1 .. t.

    One pass over a user trains as many foretellings as the user has events but one; the encoder is causal, so that
    none of them sees what it has to foretell.

    Args:
        encoder: a causal :class:`~recsys_tutorial.encoders.SequenceEncoder`.
        scale: see :class:`~recsys_tutorial.objectives.sequence.SequenceObjective`.

    Source: Radford et al. (2018), GPT; Kang and McAuley (2018), SASRec; the full softmax: Klenitskiy and Vasilev
    (2023), Turning Dross Into Gold Loss.
    """

    name = "next-item"
    causal = True

    def examples(self, behaviour: Batch) -> Batch:
        """Return pieces one longer than the encoder reads: the last event is foretold only."""
        return behaviour.windows(self.encoder.max_length + 1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean over all events but each user's first."""
        is_first, is_last = batch.ends()
        return self.says(self.encoder.states(batch.keep(~is_last)), batch.items[~is_first])
