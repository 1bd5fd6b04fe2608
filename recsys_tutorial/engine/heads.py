"""The head ``h``: one linear layer, from g's vector to the task's outputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def linear_head(weight: Tensor | np.ndarray, bias: Tensor | np.ndarray) -> nn.Linear:
    """Return ``h(z) = z weightᵀ + bias`` with copies of these, ``(outputs, dim)`` and ``(outputs,)``, as float32."""
    weight, bias = torch.as_tensor(weight), torch.as_tensor(bias)
    head = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.device)
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
    return head
