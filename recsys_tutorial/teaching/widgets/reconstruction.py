"""How many numbers g needs: the dimensions of PCA against what they give back."""

from __future__ import annotations

import numpy as np

from ..plots import reconstruction
from .base import Panel, slider


class ReconstructionPanel(Panel):
    """A slider over the length of z, and what PCA of that length keeps: of everyone's rows, and of one user's.

    Args:
        rows: ``(users, items)``.
        user: whose row is drawn.
        most: numbers in z at the right end of the slider; None takes one for each item.
    """

    def __init__(self, rows: np.ndarray, user: int = 0, most: int | None = None) -> None:
        most = rows.shape[1] if most is None else most
        super().__init__(
            {"dim": slider("numbers in z", 1, range(1, most + 1))},
            lambda dim: reconstruction(rows, dim, user),
            "A slider over the numbers in z, and how much of the behaviour they give back",
        )
