"""Several feature extractors side by side, for a head that reads them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..data.batches import Batch
from .base import Cost, Encoder


class Together(Encoder):
    """The extractor ``x -> [g_1(x) · s_1, ..., g_p(x) · s_p]``.

    Args:
        parts: feature extractors of one catalogue.
        scales: s, one a part; 1 each when None.
        counts: the last number is how many events x has.
    """

    def __init__(
        self, parts: Sequence[Encoder], scales: Sequence[float] | None = None, counts: bool = False
    ) -> None:
        super().__init__()
        self.parts, self.counts = nn.ModuleList(parts), counts
        self.scales = tuple(scales) if scales is not None else (1.0,) * len(parts)
        self.n_items, self.dim = parts[0].n_items, sum(part.dim for part in parts) + counts

    @property
    def config(self) -> dict[str, Any]:  # type: ignore[override]  # that of its parts as they are
        """What it can be built from again, in JSON's terms: the parts too."""
        parts = [{"type": type(part).__name__, **part.config} for part in self._parts]
        return {"parts": parts, "scales": list(self.scales), "counts": self.counts}

    @property
    def item_vectors(self) -> Tensor:  # type: ignore[override]  # the first part's
        """``(n_items, width)``: what the first part learned of each item."""
        return self._parts[0].item_vectors

    def forward(self, behaviour: Batch | Tensor) -> Tensor:
        """Return ``(users, dim)``, the parts' vectors one behind the other."""
        pieces = [part(behaviour) * s for part, s in zip(self.parts, self.scales, strict=True)]
        if self.counts:
            n = (behaviour != 0).sum(1) if isinstance(behaviour, Tensor) else behaviour.lengths
            pieces.append(n[:, None].to(pieces[0]))
        return torch.cat(pieces, dim=1)

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the first part's layers from the input up; the other parts go with the first layer."""
        first, *others = self._parts[0].parameter_layers()
        return [[*first, *(p for part in self._parts[1:] for p in part.parameters())], *others]

    def cost(self, events: int) -> Cost:
        """Return what all parts cost for a user with ``events`` events."""
        costs = [part.cost(events) for part in self._parts]
        longest = None if any(cost.longest is None for cost in costs) else max(cost.longest or 0 for cost in costs)
        return Cost(sum(cost.parameters for cost in costs), sum(cost.flops for cost in costs), longest)

    @property
    def _parts(self) -> list[Any]:
        return list(self.parts)
