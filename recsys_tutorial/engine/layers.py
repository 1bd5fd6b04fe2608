"""Two things that torch has, in fewer passes over memory: rows of one length, and dropout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_LEVELS = 2**16  # of a rate: a draw for one number is two bytes


class _UnitRows(torch.autograd.Function):
    """``y = length · v / |v|``; its gradient is what of ``g`` is not along y, times ``length / |v|``."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, length: float) -> Tensor:
        shrink = table.norm(dim=1, keepdim=True).clamp_min_(1e-12).div_(length)
        rows = table / shrink
        ctx.save_for_backward(rows, shrink)
        ctx.square = length**2
        return rows

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        rows, shrink = ctx.saved_tensors
        along = (grad * rows).sum(1, keepdim=True).div_(ctx.square)
        return torch.addcmul(grad, rows, along, value=-1).div_(shrink), None


def unit_rows(table: Tensor, length: float = 1.0) -> Tensor:
    r"""Return ``length · v / |v|`` of each row v of ``(n, dim)``: ``length * F.normalize(table)``, a row of zeros too.

    Torch takes the quotient's gradient apart into a dozen passes over the table, each with a table of its own; written
    down, ``(g - y (g · y) / length²) · length / |v|``, it takes three.
    """
    return _UnitRows.apply(table, length)


class Dropout(nn.Dropout):
    """:class:`torch.nn.Dropout`, whose draws on a CPU cost a tenth: two random bytes a number instead of eight.

    The rate is rounded to a 65,536th. As there, torch's global CPU generator alone decides, whatever the threads.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x`` with a share of its numbers set to 0 and the others made larger, in training."""
        if x.device.type != "cpu" or not (self.training and self.p):
            return super().forward(x)
        dropped = min(round(self.p * _LEVELS), _LEVELS - 1)
        drawn = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)  # every bit is random
        kept = drawn.view(torch.int16)[: x.numel()].view(x.shape) >= dropped - _LEVELS // 2
        return x * kept.to(x.dtype).mul_(_LEVELS / (_LEVELS - dropped))
