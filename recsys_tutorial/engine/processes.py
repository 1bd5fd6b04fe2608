"""Several processes, one training: each takes its share of the users of every batch, and all make the same step.

``torchrun --standalone --nproc-per-node=2 -m recsys_tutorial pretrain ...`` starts them. Every process draws for the
whole batch and keeps its share (:meth:`recsys_tutorial.data.batches.Batch.share`), and a mean is taken over the whole
batch (:func:`shared_count`), so that the number of processes changes a loss by rounding only. With one process nothing
here does anything.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..data.batches import Batch
from ..errors import InputError, TrainingError

_PATIENCE = timedelta(minutes=10)  # a process that is waited for longer than this is taken for lost


def started() -> int:
    """Return how many processes torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def speaks() -> bool:
    """Whether this is the process that writes files and speaks: the first that torchrun started, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


def size() -> int:
    """Return how many processes share the training."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def number() -> int:
    """Return the number of this process, from 0; it is 0 that writes and speaks."""
    return dist.get_rank() if size() > 1 else 0


@contextlib.contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, and give the device of this one: GPU by GPU for ``cuda``.

    Raises:
        TrainingError: another process was lost while this one waited for it.
    """
    if started() == 1:
        yield device
        return
    cuda = torch.device(device).type == "cuda"
    if cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    # Numbers on the CPU go by gloo in any case: counts, losses.
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
    try:
        yield device
    except RuntimeError as error:
        if isinstance(error, TrainingError) or not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        told = str(error).splitlines()[0].split(". ")[0]
        raise TrainingError(
            f"process {number()} lost another one of the {size()}: see what that one said; the last checkpoint is "
            f"whole, start all again with --resume ({told})"
        ) from error
    dist.destroy_process_group()


def mean(value: float) -> float:
    """Return the mean of all processes' values, the same in each."""
    return value if size() == 1 else _reduced(value, dist.ReduceOp.SUM) / size()


def highest(value: float) -> float:
    """Return the highest of all processes' values, the same in each."""
    return value if size() == 1 else _reduced(value, dist.ReduceOp.MAX)


def _reduced(value: float, how: dist.ReduceOp.RedOpType) -> float:
    found = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(found, how)
    return found.item()


def shared_count(n: int) -> float:
    """Return what to divide a sum over ``n`` users, events or pairs of this process by to get its part of the mean.

    That is the number in all processes over the number of processes: the mean of the parts is the mean of them all,
    and so is the mean of their gradients. Every process has to come by here, one with ``n = 0`` too.
    """
    return n if size() == 1 else mean(n)


class _Gathered(torch.autograd.Function):
    """See :func:`gathered`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, first: int, users: int) -> Tensor:
        ctx.own = slice(first, first + len(x))
        whole = x.new_zeros(users, *x.shape[1:])
        whole[ctx.own] = x
        dist.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return size() * grad[ctx.own], None, None


def gathered(x: Tensor, batch: Batch) -> Tensor:
    """Return the rows of all processes, ``(users of the whole batch, ...)``, from those of a share of a batch.

    For a loss that compares users, which each process then takes over all of them: gradients, of which the mean over
    the processes will be taken, are made that much larger on the way back.
    """
    return x if batch.whole is None else _Gathered.apply(x, batch.first, len(batch.whole))


@dataclass(frozen=True)
class Shares:
    """Examples of which this process takes its share of each batch."""

    examples: Batch

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, rows: Tensor) -> Batch:
        """Return this process's share of the users at ``rows``."""
        return self.examples.take(rows).share(number(), size())


def shared(module: nn.Module, examples: Batch) -> tuple[nn.Module, Batch | Shares]:
    """Return ``module`` so that gradients are averaged over the processes, and this process's share of ``examples``.

    Raises:
        InputError: gradients that hold the touched rows alone, of a sampled softmax: torch does not average them here.
    """
    if size() == 1:
        return module, examples
    if getattr(getattr(module, "encoder", None), "sparse_gradients", False):
        raise InputError(
            "a sampled softmax over several processes needs item tables cut by rows: shard_items=True, or leave "
            "sampled_softmax out"
        )
    return DistributedDataParallel(module), Shares(examples)
