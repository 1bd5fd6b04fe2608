"""Contrastive: two halves of one user have to be recognised as the same user, among all others of the batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..encoders import Encoder
from ..engine.processes import gathered
from ..errors import InputError, check_shares
from .base import Objective


class Contrastive(Objective):
    r"""Two augmented views of each user, and InfoNCE.

    ``a = proj(g(view 1))``, ``b = proj(g(view 2))``, both of length 1; with ``s_uv = a_u · b_v / temperature``:
    ``loss = -½ mean_u (log softmax(s)_uu + log softmax(sᵀ)_uu)``. The projection is thrown away with the rest.

    It learns no score for items: ``pretrain`` gives it a head in closed form.

    Args:
        encoder: ``g``.
        dropout: share of a user's events that each view hides, drawn anew.
        temperature: the smaller, the more the nearest strangers count.

    Source: van den Oord et al. (2018); Chen et al. (2020), SimCLR; for behaviour: Xie et al. (2022), CL4SRec.
    """

    name = "contrastive"

    def __init__(self, encoder: Encoder, dropout: float = 0.5, temperature: float = 0.2) -> None:
        super().__init__(encoder)
        check_shares(dropout=dropout)
        if temperature <= 0:
            raise InputError(f"temperature={temperature!r}: it needs to be above 0")
        self.dropout, self.temperature = dropout, temperature
        self.projection = nn.Sequential(nn.Linear(encoder.dim, encoder.dim), nn.ReLU(), nn.Linear(encoder.dim, 128))

    def loss(self, batch: Batch) -> Tensor:
        """Return InfoNCE in both directions, averaged over users."""
        views = (F.normalize(self.projection(self.encoder(self._view(batch))), dim=1) for _ in range(2))
        a, b = (gathered(view, batch) for view in views)  # strangers are those of all processes
        similarity = a @ b.T / self.temperature
        same = torch.arange(len(a), device=a.device)
        return 0.5 * (F.cross_entropy(similarity, same) + F.cross_entropy(similarity.T, same))

    def _view(self, batch: Batch) -> Batch:
        return batch.hide(self.dropout)[0]
