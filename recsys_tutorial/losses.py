"""Losses that never need a dense users × items target."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .batches import Batch
from .distributed import shared_count

_LOGITS_AT_ONCE = 2**21  # 8 MB: they stay in the cache


def _log_sum(logits: Tensor) -> Tensor:
    return logits.logsumexp(dim=1)


def multinomial_loss(
    logits: Tensor, target: Batch, without: Batch | None = None, log_sum: Callable[[Tensor], Tensor] = _log_sum
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

    Source: Liang et al. (2018), Variational Autoencoders for Collaborative Filtering, eq. 2.
    """
    rows = target.rows
    among = logits
    if without is not None:
        among = logits.index_put((without.rows, without.items), logits.new_tensor(-torch.inf))
    explained = logits[rows, target.items] - log_sum(among)[rows]
    return -(target.weights * explained).sum() / shared_count(len(target))


def squared_loss(outputs: Tensor, target: Batch, without: Batch | None = None) -> Tensor:
    r"""Return ``Σ_j (o_j - y_j)²`` averaged over users, as ``Σ_j o_j² - 2 Σ_j y_j o_j + Σ_j y_j²``.

    The first sum runs over all outputs, the others only over the items a user has. A user must not have an item twice.

    Args:
        outputs: ``(users, items)``.
        target: y, one row per row of ``outputs``.
        without: items whose outputs do not count, none of them in ``target``.
    """
    hit = outputs[target.rows, target.items]
    total = outputs.square().sum() + (target.weights * (target.weights - 2 * hit)).sum()
    if without is not None:
        total = total - outputs[without.rows, without.items].square().sum()
    return total / shared_count(len(target))


class _LinearCrossEntropy(torch.autograd.Function):
    """See :func:`linear_cross_entropy`; the gradients are found on the way forward, piece by piece."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, states: Tensor, table: Tensor, targets: Tensor, count: float
    ) -> Tensor:
        total = states.new_zeros(())
        by_states, by_table = torch.empty_like(states), torch.zeros_like(table)
        at_once = max(1, _LOGITS_AT_ONCE // len(table))
        pieces = (part.split(at_once) for part in (states, targets[:, None], by_states))
        for some, wanted, gradient in zip(*pieces, strict=True):
            logits = some @ table.T
            log_sum = logits.logsumexp(1, keepdim=True)
            total += (log_sum - logits.gather(1, wanted)).sum()
            if any(ctx.needs_input_grad):
                error = logits.sub_(log_sum).exp_()  # softmax
                error.scatter_add_(1, wanted, error.new_full(wanted.shape, -1.0))
                torch.mm(error, table, out=gradient)
                by_table.addmm_(error.T, some)
        ctx.save_for_backward(by_states / count, by_table / count)
        return total / count

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        by_states, by_table = ctx.saved_tensors
        return grad * by_states, grad * by_table, None, None


def linear_cross_entropy(states: Tensor, table: Tensor, targets: Tensor) -> Tensor:
    r"""Return the mean of ``-log softmax(states tableᵀ)`` at the targets, never holding all the logits; 0 of none.

    A full softmax over a large catalogue is bound by memory, not by arithmetic: so the logits are made, used for the
    loss and for its gradients ``(softmax - onehot) table`` and ``(softmax - onehot)ᵀ states``, and dropped, some rows
    at a time.

    Args:
        states: ``(n, dim)``.
        table: ``(items, dim)``.
        targets: ``(n,)`` int64, the item each state should point at.
    """
    return _LinearCrossEntropy.apply(states, table, targets, shared_count(len(targets)) or 1)
