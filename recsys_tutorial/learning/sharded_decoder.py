"""The item tables of a bag objective cut by rows: each process keeps some items, for catalogues beyond one device.

Every process reads the whole batch, adds up the vectors of the items that it keeps, and scores these: what is exchanged
are sums of ``(users, dim)`` and ``(users,)``, never a table (Shoeybi et al. 2019, Megatron-LM, cut a vocabulary so).
Weights, gradients and the optimiser's state are divided by the number of processes, and so are the logits. Of a sampled
softmax each process draws its own share, among its own items, by the probabilities that they have among all.

Why by hand: FSDP2 gathers the whole table for each pass, so that it has to fit after all. DTensor (torch 2.13) has no
rule for ``embedding_bag``, and its row-sharded ``embedding`` returns a replicated gradient of the table's full size.
A fused Adam takes DTensors by now: it is not a reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..data.batches import Batch
from ..encoders import BagEncoder
from ..engine import processes as distributed
from ..engine.losses import multinomial_loss
from ..engine.sampling import sampled_multinomial_loss
from ..engine.sharded_parameters import Rows, cut, gather
from ..errors import InputError
from ..objectives import Objective
from ..objectives.decoder import Decoder


class _Sum(torch.autograd.Function):
    """The sum over the processes; each of them gets its whole gradient back."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        summed = x.clone()
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        return grad


class _Spread(torch.autograd.Function):
    """The same tensor in every process, about to be used in another way in each: their gradients are added up."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        return _Sum.forward(ctx, grad.contiguous())


class _RowsOfBag(BagEncoder):
    """A bag encoder that keeps some rows of its item vectors; the biases and the layers above are the same in each."""

    item_vectors: Any  # a parameter with ``rows``, as are those below

    def sum_items(self, batch: Batch) -> Tensor:
        return _Sum.apply(super().sum_items(self.item_vectors.rows.of(batch)))


class _RowsOfDecoder(Decoder):
    """A decoder that scores some of the items."""

    weight: Any

    def forward(self, vectors: Tensor) -> Tensor:
        return super().forward(_Spread.apply(vectors))

    def multinomial_loss(self, vectors: Tensor, target: Batch, without: Batch | None = None) -> Tensor:
        own = self._own(target), self._own(without)
        if self.sampler is not None:
            how: Any = {"most": _most, "add": lambda x: _Spread.apply(_Sum.apply(x))}
            vectors = _Spread.apply(vectors)
            return _Sum.apply(sampled_multinomial_loss(vectors, self._rows, own[0], self.sampler, own[1], **how))
        return _Sum.apply(multinomial_loss(self(vectors), *own, log_sum=_log_sum, add=_Sum.apply))

    def squared_loss(self, vectors: Tensor, target: Batch, without: Batch | None = None) -> Tensor:
        own = self._own(target), self._own(without)
        return _Sum.apply(super().squared_loss(_Spread.apply(vectors), *own))

    def _own(self, batch: Batch | None) -> Any:
        return None if batch is None else self.weight.rows.of(batch)


def _log_sum(logits: Tensor) -> Tensor:
    """Return ``(users,)`` logsumexp over the items of all processes, without gradient."""
    highest = _most(logits.amax(1))
    return highest + _Sum.apply((logits - highest[:, None]).exp().sum(1)).log()


def _most(x: Tensor) -> Tensor:
    """Return the highest over the processes, without gradient."""
    highest = x.clone()
    dist.all_reduce(highest, dist.ReduceOp.MAX)
    return highest


@contextlib.contextmanager
def sharded(objective: Objective) -> Iterator[None]:
    """Cut the item tables of ``objective`` by rows inside the block; after it they are whole, on the CPU, in each.

    Inside, ``state_dict`` gathers and ``load_state_dict`` cuts, so that checkpoints have the normal form.

    Raises:
        InputError: one process; fewer items than processes; no bag encoder with a decoder.
    """
    encoder, decoder = objective.encoder, getattr(objective, "decoder", None)
    if distributed.size() == 1:
        raise InputError("items can be cut by rows over several processes only: start with torchrun")
    if type(encoder) is not BagEncoder or type(decoder) is not Decoder:
        raise InputError(
            f"the items of {objective.name!r} cannot be cut by rows: take one with a bag encoder and a decoder "
            "(denoising, autoencoder, variational, adversarial)"
        )
    if encoder.n_items < distributed.size():
        raise InputError(f"{encoder.n_items} items for {distributed.size()} processes: start fewer")
    rows = Rows.divide(encoder.n_items)
    sampler = decoder.sampler
    decoder.sampler = None if sampler is None else sampler.of(rows.own)
    tables = ((encoder, "item_vectors"), (decoder, "weight"), (decoder, "bias"))
    # Other classes of the same objects: the names of the parameters stay, and so does what refers to them.
    encoder.__class__, decoder.__class__ = _RowsOfBag, _RowsOfDecoder
    for module, name in tables:
        parameter: Any = nn.Parameter(rows.cut(getattr(module, name).detach()))
        parameter.rows = rows
        setattr(module, name, parameter)
    hooks = [objective.register_state_dict_post_hook(gather), objective.register_load_state_dict_pre_hook(cut)]
    yield
    for hook in hooks:
        hook.remove()
    objective.cpu()
    for module, name in tables:
        setattr(module, name, nn.Parameter(rows.gather(getattr(module, name))))
    encoder.__class__, decoder.__class__, decoder.sampler = BagEncoder, Decoder, sampler
