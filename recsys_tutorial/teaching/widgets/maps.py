"""Pick an objective and see the map of films that g has learned from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...data.catalogue import Catalogue, RawId
from ..plots import item_map
from .base import Panel, slider


class MapPanel(Panel):
    """A slider along the objectives, and the map of items by the chosen one (:func:`~..plots.item_map`).

    Args:
        vectors: objective -> ``(n_items, dim)``.
        catalogue: the items, with genres.
        among: ``(n_items,)`` mask of the items to draw.
        named: ids or titles of the items to write a name beside.
    """

    def __init__(
        self, vectors: Mapping[str, np.ndarray], catalogue: Catalogue, among: np.ndarray, named: Sequence[RawId] = ()
    ) -> None:
        super().__init__(
            {"objective": slider("objective", next(iter(vectors)), [(name, name) for name in vectors])},
            lambda objective: item_map(vectors[objective], catalogue, among, named, f"Films by {objective}"),
            "A slider along the objectives, and the map of films by each",
        )
