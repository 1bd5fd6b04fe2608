"""The mathematics of notebook 03: every function holds two ways of computing one thing side by side.

Each returns the largest absolute difference. Where nothing else is said both are in float64: what is left is rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn import functional as F

from ..baselines import pca
from ..data.batches import Batch
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..engine.losses import multinomial_loss, squared_loss
from ..engine.ridge import RidgePath, ridge_head
from ..learning.finetuning import finetune
from ..model import PretrainedModel
from ..tasks import Task
from .linear import linear_autoencoder, projection


def dense_equals_jagged(g: BagEncoder, x: Batch) -> float:
    """``g`` of dense rows (the article's form) is ``g`` of the jagged batch, and so are the gradients of ``Σ g(x)²``.

    ``Σ_j x_j U_j`` over all items j is the sum over the items that the user has. It needs each item at most once per
    user, and no event of weight 0.
    """
    g = copy.deepcopy(g).double()
    values = []
    for behaviour in (_double(x), x.dense(g.n_items).double()):
        z = g(behaviour)
        values.append([z, *torch.autograd.grad(z.square().sum(), list(g.parameters()))])
    return _largest(*values)


def chain_rule(f: PretrainedModel, x: Batch, y: Batch) -> float:
    r"""The gradient of a loss through ``h ∘ g`` is a product, one factor per function; held against torch's autograd.

    ``z = g(x) = tanh(x̃ U + c)``, ``o = h(z) = z W + b``, ``L = Σ (o - y)² / n`` over n users.
    With ``e = 2 (o - y) / n`` and ``δ = (e Wᵀ) ⊙ (1 - z²)``:
    ``∂L/∂W = zᵀ e``, ``∂L/∂b = Σ e``, ``∂L/∂U = x̃ᵀ δ``, ``∂L/∂c = Σ δ``.

    Args:
        f: a :class:`BagEncoder` of one layer with tanh, and a linear h.
        x: behaviour; x̃ is what g's weighting makes of it.
        y: targets, one row per row of x.

    Source: Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors.
    """
    f = copy.deepcopy(f).double()
    g, h = cast(BagEncoder, f.feature_extractor), f.classifier
    by_torch = torch.autograd.grad(squared_loss(f(_double(x)), y), [h.weight, h.bias, g.item_vectors, g.bias])
    with torch.no_grad():
        x_tilde = g._input_weights_dense(x.dense(g.n_items).double())
        z = torch.tanh(x_tilde @ g.item_vectors + g.bias)
        e = 2 * (h(z) - y.dense(h.out_features)) / len(x)
        delta = (e @ h.weight) * (1 - z**2)  # torch's h.weight is Wᵀ
        by_hand = [e.T @ z, e.sum(0), x_tilde.T @ delta, delta.sum(0)]
    return _largest(by_torch, by_hand)


def frozen_gradient(f: PretrainedModel, x: Batch, y: Batch) -> float:
    """Freezing g takes nothing from h: the gradient of the multinomial loss with respect to h stays what it was.

    Three ways: g moves as well; g is frozen; g is gone and only its stored vectors ``z = g(x)`` are left.
    """
    f, x = copy.deepcopy(f).double(), _double(x)
    g, h = f.feature_extractor, f.classifier
    together = torch.autograd.grad(multinomial_loss(f(x), y), [*h.parameters(), *g.parameters()])[:2]
    g.requires_grad_(False)
    frozen = torch.autograd.grad(multinomial_loss(f(x), y), list(h.parameters()))
    stored = torch.autograd.grad(multinomial_loss(h(g(x).clone()), y), list(h.parameters()))
    return _largest([*together, *together], [*frozen, *stored])


def frozen_g(model: PretrainedModel, task: Task, strategy: str = "frozen", epochs: int = 2) -> float:
    """Training h alone leaves g as it was, bit for bit: ``θ_g after - θ_g before = 0``, in float32 as trained."""
    tuned = finetune(model, task, strategy, epochs=epochs, validation=0, progress=False)
    return _largest(tuned.feature_extractor.parameters(), model.feature_extractor.parameters())


def linear_autoencoder_is_pca(x: np.ndarray, dim: int, seed: int = 0) -> float:
    """The linear autoencoder that reconstructs best gives back the projection on the leading principal directions.

    Source: Bourlard and Kamp (1988); Baldi and Hornik (1989): no minimum of the loss is worse than this one.
    """
    return _largest([linear_autoencoder(x, dim, seed)], [projection(x, dim)])


def pca_is_the_projection(interactions: Interactions, dim: int) -> float:
    """:func:`recsys_tutorial.pca`, ``h(g(x))``, is that projection; it is held in float32, which rounds at 1e-7."""
    x = F.normalize(Batch.of(interactions.binarise()).dense(interactions.n_items).double(), dim=1).numpy()
    return _largest([pca(interactions, dim).score(interactions)], [projection(x, dim)])


def multinomial_equals_cross_entropy(o: Tensor, y: Batch) -> float:
    """``-Σ_j y_j log softmax(o)_j`` on jagged targets is torch's cross-entropy on dense ones.

    So are the gradients: ``N π - y`` by hand, with ``π = softmax(o)`` and ``N = Σ_j y_j``.

    Source: Liang et al. (2018), Variational Autoencoders for Collaborative Filtering, eq. 2.
    """
    o, dense = o.detach().double().requires_grad_(), y.dense(o.shape[1]).double()
    losses = [multinomial_loss(o, y), F.cross_entropy(o, dense)]
    gradients = [torch.autograd.grad(loss, o)[0] for loss in losses]
    by_hand = (dense.sum(1, keepdim=True) * o.softmax(1) - dense) / len(y)
    return _largest([losses[0], gradients[0], gradients[0]], [losses[1], gradients[1], by_hand])


def squared_loss_equals_dense(o: Tensor, y: Batch) -> float:
    """``Σ_j o_j² - 2 Σ_j y_j o_j + Σ_j y_j²``, the last two sums on the user's items only, is ``Σ_j (o_j - y_j)²``."""
    o = o.detach().double().requires_grad_()
    losses = [squared_loss(o, y), (o - y.dense(o.shape[1])).square().sum(1).mean()]
    gradients = [torch.autograd.grad(loss, o)[0] for loss in losses]
    return _largest([losses[0], gradients[0]], [losses[1], gradients[1]])


def popularity_is_the_best_constant(interactions: Interactions) -> float:
    """Of all scores that are the same for everyone, ``b_j = log(events of j)`` has the least multinomial loss.

    The loss is convex in b, so it is enough that its gradient ``Σ_u (N_u π_j - x_uj) / n`` is 0 there: its largest
    entry is returned. Every item needs an event.
    """
    y = Batch.of(interactions.binarise())
    b = torch.tensor(interactions.events_per_item).double().log().requires_grad_()
    gradient = torch.autograd.grad(multinomial_loss(b.expand(len(y), -1), y), b)
    return _largest(gradient, [np.zeros(len(b))])


def ridge_normal_equations(z: np.ndarray, y: np.ndarray, strength: float) -> float:
    """:func:`ridge_head` solves ``(Zᵀ Z + λ I) W = Zᵀ Y`` on centred Z and Y, as scikit-learn's Ridge does.

    The head holds its weights in float32, which rounds at 1e-7. Source: Hoerl and Kennard (1970), Ridge Regression.
    """
    head, penalty = ridge_head(z, y, strengths=[strength]), strength * RidgePath(z, y).unit
    theirs = Ridge(alpha=penalty).fit(z, y)
    return _largest(
        [head.weight.T, head.bias] * 2, [*_normal_equations(z, y, penalty), theirs.coef_.T, theirs.intercept_]
    )


def leave_one_out(z: np.ndarray, y: np.ndarray, strength: float) -> float:
    """The closed form (:meth:`RidgePath.leave_one_out`) predicts what n heads predict, each fitted without one user.

    Source: Allen (1974), The Relationship between Variable Selection and Data Augmentation.
    """
    path, refitted = RidgePath(z, y), np.empty(y.shape)
    for i in range(len(z)):
        w, b = _normal_equations(np.delete(z, i, 0), np.delete(y, i, 0), strength * path.unit)
        refitted[i] = z[i] @ w + b
    return _largest([path.leave_one_out(strength)], [refitted])


def any_axes_will_do(z: np.ndarray, y: np.ndarray, strength: float, seed: int = 0) -> float:
    """A ridge head predicts the same from ``z`` and from ``z Q``, Q any rotation: what counts is g's subspace."""
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(z.shape[1], z.shape[1])))[0]
    (w, b), (w_q, b_q) = (RidgePath(one, y).solve(strength) for one in (z, z @ q))
    return _largest([z @ w + b], [z @ q @ w_q + b_q])


def _normal_equations(z: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return W and b of ridge regression, straight from the formula."""
    centred = z - z.mean(0)
    w = np.linalg.solve(centred.T @ centred + penalty * np.eye(z.shape[1]), centred.T @ (y - y.mean(0)))
    return w, y.mean(0) - z.mean(0) @ w


def _double(x: Batch) -> Batch:
    return replace(x, weights=x.weights.double())


def _largest(ours: Iterable[Any], theirs: Iterable[Any]) -> float:
    """Return the largest absolute difference between two lists of arrays or tensors, pair by pair."""
    differences = []
    for pair in zip(ours, theirs, strict=True):
        a, b = (one.detach().numpy() if isinstance(one, Tensor) else np.asarray(one) for one in pair)
        if a.shape != b.shape:
            raise ValueError(f"shapes {a.shape} and {b.shape}: only equal shapes can be compared")
        differences.append(np.abs(a - b).max())
    return float(np.max(differences))  # NaN stays NaN
