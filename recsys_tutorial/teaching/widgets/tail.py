"""The long tail: how few items hold how much of all events."""

from __future__ import annotations

from ...data.interactions import Interactions
from ..plots import long_tail
from .base import Panel, slider

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)


class TailPanel(Panel):
    """A slider over shares of the items, the most popular first, and the long tail with that head marked.

    Args:
        interactions: whose items are counted; see :func:`recsys_tutorial.teaching.plots.long_tail`.
    """

    def __init__(self, interactions: Interactions) -> None:
        options = [(f"{share:.0%}", share) for share in SHARES]
        super().__init__(
            {"share": slider("most popular items", 0.1, options)},
            lambda share: long_tail(interactions, share),
            "A slider over the share of the items, and how much of all events they hold",
        )
