"""A softmax over a sample of a large catalogue, and gradients that hold only the rows it read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..data.batches import Batch
from ..errors import whole
from .processes import shared_count


class ItemSampler:
    r"""Draw a fixed number of items without repetition; item j is among them with a known probability ``π_j``.

    ``π_j = min(1, c · count_j^power)``, with c so that the probabilities add up to ``drawn``: what is popular, and
    holds most of a softmax's mass, is always there, and the tail stands in for itself now and then (with a power of 0
    all are as likely). The draw is systematic:
    the items' probabilities are laid end to end, in an order shuffled once, and a comb of ``drawn`` teeth, one apart,
    is laid upon them at random. It costs ``drawn · log n_items``, whatever the catalogue.

    Args:
        counts: ``(n_items,)`` how often each item occurs; one that never does counts 1.
        drawn: items in a sample; all of them where there are fewer.
        power: see above.

    Raises:
        InputError: ``drawn`` below 1.

    Source: Madow (1949), On the theory of systematic sampling II.
    """

    def __init__(self, counts: Tensor, drawn: int, power: float = 0.75) -> None:
        self.drawn = min(whole("sampled_softmax", drawn), len(counts))
        probability = _inclusion(counts.double().clamp_min(1).pow(power), self.drawn)
        self.log_probability = probability.log().float()
        self._order = torch.randperm(len(counts))
        self._ends = probability[self._order].cumsum(0)
        self._ends *= self.drawn / self._ends[-1].item()

    def draw(self) -> Tensor:
        """Return ``(drawn,)`` items, ascending, from torch's global CPU generator."""
        teeth = torch.rand((), dtype=torch.float64) + torch.arange(self.drawn)
        places = torch.searchsorted(self._ends, teeth, right=True).clamp_max(len(self._ends) - 1)
        return self._order[places].unique()


def _inclusion(weights: Tensor, drawn: int) -> Tensor:
    """Return ``min(1, c · weights)`` that adds up to ``drawn``."""
    certain = torch.zeros(len(weights), dtype=torch.bool)
    while True:
        left = drawn - int(certain.sum())
        found = torch.where(certain, 1.0, weights * (left / weights[~certain].sum().clamp_min(1e-300)))
        if not (found > 1).any():
            return found
        certain |= found >= 1


class _Rows(torch.autograd.Function):
    """``table[items]`` whose gradient is sparse: it holds these rows and no others."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, items: Tensor) -> Tensor:
        ctx.items, ctx.size = items, table.shape
        return table[items]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return torch.sparse_coo_tensor(ctx.items[None], grad, ctx.size, check_invariants=False), None


def take_rows(table: Tensor, items: Tensor, sparse: bool = True) -> Tensor:
    """Return ``table[items]``, ``(n, ...)``; where ``sparse``, the gradient of ``table`` holds these rows alone.

    A dense gradient of a million items is cleared, added up and walked over by the optimiser at every step, although
    the step moved some thousands of them.
    """
    return _Rows.apply(table, items) if sparse else table[items]


def sampled_multinomial_loss(
    vectors: Tensor,
    head_rows: Callable[[Tensor], tuple[Tensor, Tensor]],
    target: Batch,
    sampler: ItemSampler,
    without: Batch | None = None,
) -> Tensor:
    r"""Return an estimate of :func:`~.losses.multinomial_loss` of a head, from a sample of the items.

    With z the logits, S the sample and π its probabilities, a user's ``Z = Σ_j exp z_j`` is estimated by

    ``Ẑ = Σ_(j the user's targets) exp z_j + Σ_(j in S, not a target, not left out) exp(z_j - log π_j)``,

    which is Z on average, for any scores, and Z itself when all items are drawn. The loss takes its logarithm, which
    is too low by about ``Var(Ẑ) / 2 Z²``: it tends to 0 as the sample grows. Memory follows ``users · drawn`` and
    ``events · dim``, never the catalogue.

    Args:
        vectors: ``(users, dim)``.
        head_rows: ``(n,)`` items -> their rows of the head: weights ``(n, dim)`` and biases ``(n,)``.
        target: the behaviour to explain, one row per row of ``vectors``.
        sampler: draws S.
        without: items that the softmax leaves out, none of them in ``target``.

    Source: Horvitz and Thompson (1952) for Ẑ; Bengio and Senécal (2008), sampled softmax with importance weights.
    """
    items, device = sampler.draw(), vectors.device
    penalty = sampler.log_probability[items].to(device)
    items = items.to(device)
    weights, biases = head_rows(items)
    among = vectors @ weights.T + (biases - penalty)
    for left_out in (target, without):
        if left_out is not None:
            among = among.masked_fill(_where(items, left_out, len(vectors)), -torch.inf)
    rows = target.rows
    weights, biases = head_rows(target.items)
    own = (vectors[rows] * weights).sum(1) + biases
    log_z = _log_sum(among, own.masked_fill(~_first(target), -torch.inf), rows)
    return -(target.weights * (own - log_z[rows])).sum() / (shared_count(len(target)) or 1)


def _where(items: Tensor, behaviour: Batch, users: int) -> Tensor:
    """Return ``(users, drawn)`` bool: which of the ascending ``items`` each user has."""
    places = torch.searchsorted(items, behaviour.items).clamp_max(len(items) - 1)
    there = items[places] == behaviour.items
    found = torch.zeros(users, len(items), dtype=torch.bool, device=items.device)
    found[behaviour.rows[there], places[there]] = True
    return found


def _first(behaviour: Batch) -> Tensor:
    """Return ``(n_events,)`` bool: whether an event is the first of its user's with that item."""
    if len(behaviour.items) == len(behaviour):
        return torch.ones_like(behaviour.items, dtype=torch.bool)  # one each, as for histories
    by_item = behaviour.items.argsort(stable=True)
    order = by_item[behaviour.rows[by_item].argsort(stable=True)]
    pairs = torch.stack([behaviour.rows[order], behaviour.items[order]])
    new = torch.ones(len(order), dtype=torch.bool, device=order.device)
    new[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(0)
    return torch.empty_like(new).index_copy_(0, order, new)


def _log_sum(among: Tensor, own: Tensor, rows: Tensor) -> Tensor:
    """Return ``(users,)``: the logarithm of the sum of ``exp`` over ``among``'s row and over the user's in ``own``."""
    highest = among.detach().amax(1)
    highest = highest.scatter_reduce(0, rows, own.detach(), "amax").clamp_min(-1e30)
    total = (among - highest[:, None]).exp().sum(1).index_add(0, rows, (own - highest[rows]).exp())
    return total.clamp_min(1e-30).log() + highest
