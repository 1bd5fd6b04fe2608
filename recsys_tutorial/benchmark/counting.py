"""What a piece of work does, counted and not timed: the same on every machine, however busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

_LOOK_UPS = {
    torch.ops.aten._embedding_bag.default, torch.ops.aten._embedding_bag_forward_only.default,
    torch.ops.aten.embedding.default, torch.ops.aten.index.Tensor,
}  # fmt: skip


class Counted(TorchDispatchMode):
    """Counts all that torch does inside its ``with`` block, backward passes included.

    Attributes:
        ops: operations, views left out.
        flops: additions and multiplications of matrix products.
        bytes: read and written by all operations, each as if nothing stayed in a cache.
        made: bytes of new tensors; what is changed in place is not new.
        gathered: bytes of the rows that were looked up in tables of vectors.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ops, self.flops, self.bytes, self.made, self.gathered = 0, 0, 0, 0, 0

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run ``func`` and count it."""
        out = func(*args, **(kwargs or {}))
        if func.is_view:
            return out
        self.ops += 1
        self.bytes += sum(map(_size, _tensors((args, kwargs)))) + sum(map(_size, _tensors(out)))
        if not any(returned.alias_info for returned in func._schema.returns):
            self.made += sum(map(_size, _tensors(out)))
        if (flops := flop_registry.get(func._overloadpacket)) is not None:
            self.flops += flops(*args, **(kwargs or {}), out_val=out)
        if func in _LOOK_UPS and args[0].is_floating_point() and args[0].ndim == 2:
            self.gathered += _rows(func, args) * args[0].shape[1] * args[0].element_size()
        return out


def counted(run: Callable[[], object]) -> Counted:
    """Run ``run()`` and return what it did."""
    with Counted() as found:
        run()
    return found


def _tensors(tree: object) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _size(tensor: Tensor) -> int:
    return 0 if tensor.is_sparse else tensor.numel() * tensor.element_size()


def _rows(func: Any, args: tuple[Any, ...]) -> int:
    """Return how many rows a look-up reads; 0 where it is one by two indices, that of single numbers."""
    if func is not torch.ops.aten.index.Tensor:
        return args[1].numel()
    indices = [index for index in args[1] if index is not None]
    return indices[0].numel() if len(args[1]) == 1 and indices[0].dtype == torch.int64 else 0
