"""Losses that never need a dense users × items target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..data.batches import Batch
from .processes import shared_count

_ALIGNED = 16  # users: rows that begin at odd addresses make a product a tenth slower
_LOGITS_AT_ONCE = 2**21  # 8 MB: they stay in the cache
_TINY = torch.finfo(torch.float32).tiny  # a chance below it would have an endless loss


class _Multinomial(torch.autograd.Function):
    """``Σ_e w_e (logsumexp(z_row(e)) - z_e)`` over events e; its gradient is ``softmax · Σ w - w``."""

    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        among: Tensor,
        rows: Tensor,
        items: Tensor,
        weights: Tensor,
        log_sum_of: Callable[[Tensor], Tensor],
        add: Callable[[Tensor], Tensor],
    ) -> Tensor:
        log_sum = log_sum_of(among)
        asked = add(torch.zeros_like(log_sum).index_add_(0, rows, weights))
        ctx.save_for_backward(among, log_sum, rows, items, weights, asked)
        return (weights * (log_sum[rows] - logits[rows, items])).sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        among, log_sum, rows, items, weights, asked = ctx.saved_tensors
        gradient = (among - log_sum[:, None]).exp_().mul_((grad * asked)[:, None])
        return gradient.index_put_((rows, items), -grad * weights, accumulate=True), *[None] * 6


class _Squared(torch.autograd.Function):
    """``Σ_j o_j² + Σ_e w_e (w_e - 2 o_e)``; its gradient is ``2 o``, less ``2 w`` at the events."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, rows: Tensor, items: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(outputs, rows, items, weights)
        flat = outputs.reshape(-1)
        return flat.dot(flat) + (weights * (weights - 2 * outputs[rows, items])).sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        outputs, rows, items, weights = ctx.saved_tensors
        gradient = outputs * (2 * grad)
        return gradient.index_put_((rows, items), -2 * grad * weights, accumulate=True), None, None, None


def _full(outputs: Tensor) -> Tensor:
    """Return outputs that autocast made short as float32: a loss adds up what 8 bits cannot tell apart."""
    return outputs.float() if outputs.dtype in (torch.bfloat16, torch.float16) else outputs


def _log_sum(logits: Tensor) -> Tensor:
    return logits.logsumexp(1)


def multinomial_loss(
    logits: Tensor,
    target: Batch,
    without: Batch | None = None,
    log_sum: Callable[[Tensor], Tensor] = _log_sum,
    add: Callable[[Tensor], Tensor] = torch.clone,
) -> Tensor:
    r"""Return the multinomial negative log-likelihood of each user's items, averaged over users.

    With ``x`` the weights of one user and ``z`` the logits,
    ``loss = -Σ_j x_j log softmax(z)_j = Σ_j x_j · logsumexp(z) - Σ_j x_j z_j``:
    only the logits of items the user has are ever looked up.

    Args:
        logits: ``(users, items)``.
        target: the behaviour to explain, one row per row of ``logits``.
        without: items that the softmax leaves out, none of them in ``target``.
        log_sum: ``(users, items) -> (users,)`` logsumexp; another one knows of items that are not in ``logits``.
        add: ``(users,) -> (users,)``: adds what ``target`` weighs in other processes, who have other items.

    Source: Liang et al. (2018), Variational Autoencoders for Collaborative Filtering, eq. 2.
    """
    logits = _full(logits)
    among = logits.detach()
    if without is not None:
        among = among.index_put((without.rows, without.items), logits.new_tensor(-torch.inf))
    total = _Multinomial.apply(logits, among, target.rows, target.items, target.weights.to(logits), log_sum, add)
    return total / shared_count(len(target))


def squared_loss(outputs: Tensor, target: Batch, without: Batch | None = None) -> Tensor:
    r"""Return ``Σ_j (o_j - y_j)²`` averaged over users, as ``Σ_j o_j² - 2 Σ_j y_j o_j + Σ_j y_j²``.

    The first sum runs over all outputs, the others only over the items a user has. A user must not have an item twice.

    Args:
        outputs: ``(users, items)``.
        target: y, one row per row of ``outputs``.
        without: items whose outputs do not count, none of them in ``target``.
    """
    outputs = _full(outputs)
    total = _Squared.apply(outputs, target.rows, target.items, target.weights.to(outputs))
    if without is not None:
        total = total - outputs[without.rows, without.items].square().sum()
    return total / shared_count(len(target))


class _LinearSquared(torch.autograd.Function):
    """See :func:`linear_squared_loss`; errors are laid out item by item, where the table's products are fastest."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, table: Tensor, bias: Tensor, events: tuple[Tensor, ...], without: tuple[Tensor, ...]
    ) -> Tensor:
        (users, items, weights), n = events, len(states)
        states = nn.functional.pad(states, (0, 0, 0, -n % _ALIGNED))
        errors = torch.addmm(bias[:, None], table, states.T)  # the outputs, until the events are taken off
        errors[:, n:] = 0.0
        errors[without] = 0.0
        total = errors.view(-1).dot(errors.view(-1)) + (weights * (weights - 2 * errors[items, users])).sum()
        errors.index_put_((items, users), -weights, accumulate=True)
        ctx.n = n
        ctx.save_for_backward(states, table, errors)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        states, table, errors = ctx.saved_tensors
        grad = 2 * grad
        return (errors.T @ table)[: ctx.n] * grad, errors @ (states * grad), errors.sum(1) * grad, None, None


def linear_squared_loss(
    states: Tensor, table: Tensor, bias: Tensor, target: Batch, without: Batch | None = None
) -> Tensor:
    r"""Return :func:`squared_loss` of ``states tableᵀ + bias``, with fewer passes over the outputs.

    Args:
        states: ``(users, dim)``.
        table: ``(items, dim)``.
        bias: ``(items,)``.
        target: y, one row per row of ``states``.
        without: items whose outputs do not count, none of them in ``target``.
    """
    states = _full(states)
    events = target.rows, target.items, target.weights.to(states)
    left_out = (target.items[:0],) * 2 if without is None else (without.items, without.rows)
    with torch.autocast(states.device.type, enabled=False):
        return _LinearSquared.apply(states, table, bias, events, left_out) / shared_count(len(target))


class _LinearCrossEntropy(torch.autograd.Function):
    """See :func:`linear_cross_entropy`; the gradients are found on the way forward, piece by piece."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, targets: Tensor, count: float) -> Tensor:
        total = states.new_zeros(())
        by_states, by_table = torch.empty_like(states), torch.empty_like(table)
        pieces = -(-len(states) * len(table) // _LOGITS_AT_ONCE)  # as equal as can be: none is thin
        pieces = max(1, min(pieces, len(states)))
        parts = (part.tensor_split(pieces) for part in (states, targets[:, None], by_states))
        room = states.new_empty(-(-len(states) // pieces), len(table))
        for number, (some, wanted, gradient) in enumerate(zip(*parts, strict=True)):
            logits = torch.mm(some, table.T, out=room[: len(some)])
            softmax = torch.softmax(logits, 1, out=logits)  # in place, row by row, each in the fastest cache
            chance = softmax.gather(1, wanted)
            total -= chance.clamp_min(_TINY).log().sum()
            if any(ctx.needs_input_grad):
                error = softmax.scatter_(1, wanted, chance - 1)
                torch.mm(error, table, out=gradient)
                torch.addmm(by_table, error.T, some, beta=int(number > 0), out=by_table)
        ctx.count = count
        ctx.save_for_backward(by_states, by_table)
        return total / count

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        by_states, by_table = ctx.saved_tensors
        grad = grad / ctx.count
        return grad * by_states, grad * by_table, None, None


def linear_cross_entropy(states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
    r"""Return the mean of ``-log softmax(states tableᵀ)`` at the targets, never holding all the logits; 0 of none.

    A full softmax over a large catalogue is bound by memory, not by arithmetic: so the logits are made, used for the
    loss and for its gradients ``(softmax - onehot) table`` and ``(softmax - onehot)ᵀ states``, and dropped, some rows
    at a time, in one piece of memory. (A state whose target is less likely than float32 can say, ``e⁻⁸⁷``, counts 87 in
    the loss; its gradient is exact.)

    Args:
        states: ``(n, dim)``.
        table: ``(items, dim)``.
        targets: ``(n,)`` int64, the item each state should point at.
    """
    with torch.autocast(states.device.type, enabled=False):
        return _LinearCrossEntropy.apply(_full(states), table, targets, shared_count(len(targets)) or 1)
