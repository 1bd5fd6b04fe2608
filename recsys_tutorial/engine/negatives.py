"""Binary losses: the item that was asked for against some that were not, each judged by itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .processes import shared_count

_GATHERED_AT_ONCE = 2**21  # numbers, 8 MB: they stay in the cache


class _ScoresOf(torch.autograd.Function):
    """``s_n · v_(items_nm)``, ``(n, m)``; rows of the table are gathered some at a time, and never all of them held."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, items: Tensor) -> Tensor:
        ctx.save_for_backward(states, table, items)
        at_once = max(1, _GATHERED_AT_ONCE // max(1, items.shape[1] * table.shape[1]))
        pieces = zip(states.split(at_once), items.split(at_once), strict=True)
        return torch.cat([(table[which] @ some[:, :, None])[:, :, 0] for some, which in pieces])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        states, table, items = ctx.saved_tensors
        by_states = F.embedding_bag(items, table, per_sample_weights=grad.contiguous(), mode="sum")
        rows = torch.arange(len(items), device=items.device)[:, None].expand_as(items)
        places = torch.stack([items.flatten(), rows.flatten()])
        errors = torch.sparse_coo_tensor(places, grad.flatten(), (len(table), len(states)), check_invariants=False)
        return by_states, errors @ states, None


def other_items(targets: Tensor, negatives: int, n_items: int) -> Tensor:
    """Return ``(n, negatives)`` items, each uniform among all but the target of its row, by torch's CPU generator."""
    drawn = torch.randint(n_items - 1, (len(targets), negatives)).to(targets.device)
    return drawn + (drawn >= targets[:, None])


def binary_loss(states: Tensor, table: Tensor, targets: Tensor, negatives: int, power: float = 1.0) -> Tensor:
    r"""Return ``-(power · log σ(s · v_target) + Σ_j log(1 - σ(s · v_j))) / (negatives + 1)``, averaged; 0 of none.

    The j are ``negatives`` items, drawn anew for each state, each uniform among all but its target. Their logits are
    the only ones computed: ``2 n (negatives + 1) dim`` flops, whatever the catalogue.

    Args:
        states: ``(n, dim)``.
        table: ``(items, dim)``, at least two.
        targets: ``(n,)`` int64, the item each state should point at.
        negatives: items that each state is held against.
        power: of the target's probability; see :func:`calibrated_power`.

    Source: Kang and McAuley (2018), SASRec, with one negative; several, and the power: Petrov and Macdonald (2023).
    """
    items = torch.cat([targets[:, None], other_items(targets, negatives, len(table))], dim=1)
    scores = _ScoresOf.apply(states, table, items)
    total = power * F.logsigmoid(scores[:, 0]).sum() + F.logsigmoid(-scores[:, 1:]).sum()
    return -total / (negatives + 1) / (shared_count(len(targets)) or 1)


def calibrated_power(negatives: int, n_items: int, calibration: float) -> float:
    r"""Return β of gBCE: ``β = α (t (1 - 1/α) + 1/α)`` with ``α = negatives / (n_items - 1)`` and t the calibration.

    With few negatives σ tends to 1 for whatever is plausible, since what is never drawn is never denied. A target's
    probability to the power of β undoes that: at t = 1 the loss is least where σ is the probability that the item is
    the target; t = 0 leaves the binary loss as it is.

    Source: Petrov and Macdonald (2023), gSASRec.
    """
    sampled = negatives / (n_items - 1)
    return sampled * (calibration * (1 - 1 / sampled) + 1 / sampled)
