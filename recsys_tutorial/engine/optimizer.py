"""AdamW for tables of millions of rows, of which a step touches some thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class RowAdamW(torch.optim.AdamW):
    """AdamW; where a gradient is sparse, only its rows are read and written, and each counts its own steps.

    A dense gradient is stepped as :class:`torch.optim.AdamW` does. A row that a step does not touch stands still:
    neither its moments nor its weight decay, and the first time it is touched it moves as in a first step.

    Source: Loshchilov and Hutter (2019), AdamW; rows by themselves: :class:`torch.optim.SparseAdam`.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take one step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.grad.is_sparse:
                    self._step_rows(parameter, parameter.grad.coalesce(), group)
                    parameter.grad = None
        return super().step(closure)

    def _step_rows(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        rows, g = gradient.indices()[0], gradient.values()
        state, (beta1, beta2) = self.state[parameter], group["betas"]
        if not state:
            state["step"] = parameter.new_zeros(len(parameter))
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        steps = state["step"][rows] + 1
        mean = state["exp_avg"][rows].lerp_(g, 1 - beta1)
        square = state["exp_avg_sq"][rows].lerp_(g.square(), 1 - beta2)
        for slot, value in (("step", steps), ("exp_avg", mean), ("exp_avg_sq", square)):
            state[slot].index_copy_(0, rows, value)
        steps = steps.view(-1, *[1] * (g.ndim - 1))
        size = (square / (1 - beta2**steps)).sqrt_().add_(group["eps"])
        move = (mean / (1 - beta1**steps)).div_(size)
        kept = parameter[rows] * (1 - group["lr"] * group["weight_decay"])
        parameter.index_copy_(0, rows, kept.sub_(move, alpha=group["lr"]))


@torch.no_grad()
def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> Tensor:
    """Scale the gradients back to the Euclidean length ``max_norm`` where they are longer; return what it was.

    As :func:`torch.nn.utils.clip_grad_norm_`, for sparse gradients too, and without a pass over gradients that are
    short enough.
    """
    gradients = numbers_of(parameters)
    length = nn.utils.get_total_norm(gradients)
    shorten(gradients, length, max_norm)
    return length


def numbers_of(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return the gradients, of sparse ones the rows that they hold, each once."""
    gradients = []
    for parameter in parameters:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
            gradients.append(parameter.grad.values())
        elif parameter.grad is not None:
            gradients.append(parameter.grad)
    return gradients


def shorten(gradients: Iterable[Tensor], length: Tensor, max_norm: float) -> None:
    """Scale gradients of this length in all back to ``max_norm``, where they are longer."""
    if length > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (length + 1e-6))
