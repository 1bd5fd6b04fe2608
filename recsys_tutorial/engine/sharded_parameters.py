"""Parameters of which each process keeps some rows: whole in checkpoints, and one gradient when it is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..data.batches import Batch
from . import optimizer
from . import processes as distributed


@dataclass(frozen=True)
class Rows:
    """The items that each process keeps: process p those from ``bounds[p]`` to ``bounds[p + 1]``."""

    bounds: tuple[int, ...]

    @classmethod
    def divide(cls, n_items: int) -> Rows:
        """Divide the items over the processes, as equally as can be."""
        n = distributed.size()
        return cls(tuple(n_items * process // n for process in range(n + 1)))

    @property
    def own(self) -> slice:
        """The items of this process."""
        return slice(*self.bounds[distributed.number() :][:2])

    def of(self, batch: Batch) -> Batch:
        """Return the events on items of this process, numbered from 0; all users stay."""
        kept = batch.keep((batch.items >= self.own.start) & (batch.items < self.own.stop))
        return replace(kept, items=kept.items - self.own.start)

    def cut(self, table: Tensor) -> Tensor:
        """``(n_items, ...)`` -> a copy of this process's rows."""
        return table[self.own].clone()

    def gather(self, own: Tensor) -> Tensor:
        """Return the whole ``(n_items, ...)``, on the CPU, from the rows of all processes; each has to call this."""
        whole = torch.empty(self.bounds[-1], *own.shape[1:], dtype=own.dtype)
        for process, (begin, end) in enumerate(zip(self.bounds, self.bounds[1:], strict=False)):
            mine = process == distributed.number()
            part = own.detach().contiguous() if mine else own.new_empty(end - begin, *own.shape[1:])
            dist.broadcast(part, process)
            whole[begin:end] = part
        return whole


def rows_of(parameter: nn.Parameter) -> Rows | None:
    """Return how a parameter is divided, or None where every process has all of it."""
    return getattr(parameter, "rows", None)


def clip_gradients(parameters: Sequence[nn.Parameter], max_norm: float) -> Tensor:
    """Do what the optimizer's function of that name does, the gradients of all rows in all processes together."""
    divided = optimizer.numbers_of(p for p in parameters if rows_of(p))
    if not divided:
        return optimizer.clip_gradients(parameters, max_norm)
    squared = nn.utils.get_total_norm(divided).square()
    dist.all_reduce(squared)
    others = optimizer.numbers_of(p for p in parameters if not rows_of(p))
    norm = (squared + nn.utils.get_total_norm(others).square()).sqrt()
    optimizer.shorten([*divided, *others], norm, max_norm)
    return norm


def gather(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Make ``state``, from ``module.state_dict()``, whole: a hook; all processes have to come by."""
    for name, parameter in module.named_parameters():
        if rows := rows_of(parameter):
            state[prefix + name] = rows.gather(parameter)


def cut(module: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Cut a whole ``state`` that ``module`` is about to load: a hook."""
    for name, parameter in module.named_parameters():
        if rows := rows_of(parameter):
            state[prefix + name] = rows.cut(state[prefix + name])


def keep_whole(adam: torch.optim.Optimizer) -> None:
    """Let ``adam.state_dict()`` gather and ``load_state_dict`` cut what belongs to divided parameters."""
    parameters = [p for group in adam.param_groups for p in group["params"]]
    if any(map(rows_of, parameters)):
        adam.register_state_dict_post_hook(lambda _, state: _each(state, parameters, Rows.gather))
        adam.register_load_state_dict_pre_hook(lambda _, state: _each(state, parameters, Rows.cut))


def _each(state: dict[str, Any], parameters: list[nn.Parameter], change: Callable[[Rows, Tensor], Tensor]) -> Any:
    """Return an optimiser's state with the tables changed; a count of steps has no rows."""
    changed = {}
    for index, slots in sorted(state["state"].items()):  # in one order in all processes, who exchange rows here
        rows = rows_of(parameters[index])
        changed[index] = {
            name: change(rows, value) if rows and value.dim() else value for name, value in sorted(slots.items())
        }
    return state | {"state": changed}
