"""Losses that never need a dense users × items target."""

from __future__ import annotations

from torch import Tensor

from .batches import Batch


def multinomial_loss(logits: Tensor, target: Batch) -> Tensor:
    r"""Return the multinomial negative log-likelihood of each user's items, averaged over users.

    With ``x`` the weights of one user and ``z`` the logits,
    ``loss = -Σ_j x_j log softmax(z)_j = Σ_j x_j · logsumexp(z) - Σ_j x_j z_j``:
    only the logits of items the user has are ever looked up.

    Args:
        logits: ``(users, items)``.
        target: the behaviour to explain, one row per row of ``logits``.

    Source: Liang et al. (2018), Variational Autoencoders for Collaborative Filtering, eq. 2.
    """
    rows = target.rows
    explained = logits[rows, target.items] - logits.logsumexp(dim=1)[rows]
    return -(target.weights * explained).sum() / len(target)


def squared_loss(outputs: Tensor, target: Batch) -> Tensor:
    r"""Return ``Σ_j (o_j - y_j)²`` averaged over users, as ``Σ_j o_j² - 2 Σ_j y_j o_j + Σ_j y_j²``.

    The first sum runs over all outputs, the others only over the items a user has. A user must not have an item twice.

    Args:
        outputs: ``(users, items)``.
        target: y, one row per row of ``outputs``.
    """
    hit = outputs[target.rows, target.items]
    return (outputs.square().sum() + (target.weights * (target.weights - 2 * hit)).sum()) / len(target)
