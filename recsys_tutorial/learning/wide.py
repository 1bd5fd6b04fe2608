"""g's vector beside the user's items themselves, for a head that reads both."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..baselines.raw import item_coordinates
from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import ENCODERS, BagEncoder, Encoder


class Beside(Encoder):
    r"""The extractor ``x -> [g(x) / a, side(x) / b]``, the deep part beside the wide one.

    ``side`` gives x itself, each user's items divided by their Euclidean length, in the directions that the labelled
    users span. a and b are the typical distances of those users from their mean: both parts are about as loud.

    Args:
        g: a feature extractor, or its configuration with its ``type``.
        side: a linear :class:`BagEncoder`, or its configuration.
        scales: 1 / a and 1 / b.

    Source: Cheng et al. (2016), Wide & Deep Learning for Recommender Systems.
    """

    def __init__(
        self, g: Encoder | dict[str, Any], side: BagEncoder | dict[str, Any], scales: tuple[float, float]
    ) -> None:
        super().__init__()
        if isinstance(g, dict):
            g = ENCODERS[g["type"]](**{key: value for key, value in g.items() if key != "type"})
        self.g, self.side = g, BagEncoder(**side) if isinstance(side, dict) else side
        self.scales = tuple(scales)
        self.n_items, self.dim = self.side.n_items, self.g.dim + self.side.dim

    @property
    def config(self) -> dict[str, Any]:  # type: ignore[override]  # that of its parts as they are
        """What it can be built from again, in JSON's terms."""
        g = {"type": type(self.g).__name__} | self.g.config
        return {"g": g, "side": self.side.config, "scales": list(self.scales)}

    def forward(self, behaviour: Batch | Tensor) -> Tensor:
        """Return ``(users, g.dim + side.dim)``."""
        deep, wide = self.scales
        return torch.cat([self.g(behaviour) * deep, self.side(behaviour) * wide], dim=1)

    def of_deep(self, head: np.ndarray) -> np.ndarray:
        """Return ``head`` ``(g.dim, outputs)``, which reads g's vector, as one that reads both parts, scoring alike."""
        return np.concatenate([head / self.scales[0], np.zeros((self.side.dim, head.shape[1]))])

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return g's layers from the input up; the wide part goes with the first."""
        first, *others = self.g.parameter_layers()
        return [[*first, *self.side.parameters()], *others]


ENCODERS["Beside"] = Beside


def beside(g: Encoder, z: np.ndarray, behaviour: Interactions) -> Beside:
    """Return g beside the items, for the labelled users' ``behaviour`` and g's vectors of them, ``(users, dim)``."""
    side, x = item_coordinates(behaviour)
    return Beside(g, side, (1 / _spread(z), 1 / _spread(x)))


def _spread(z: np.ndarray) -> float:
    """Return the root of the mean squared distance from the mean vector."""
    return max(float(np.sqrt(((z - z.mean(0)) ** 2).sum(1).mean())), 1e-12)
