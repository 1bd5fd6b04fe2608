"""Pretraining in closed form: principal component analysis."""

from __future__ import annotations

import numpy as np
import torch

from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..engine.heads import linear_head
from ..errors import InputError, check_sizes
from ..model import PretrainedModel


def pca(interactions: Interactions, dim: int = 64, seed: int = 0) -> PretrainedModel:
    r"""Pretrain in closed form: g and its decoder are the first ``dim`` principal directions of the behaviour.

    ``g(x) = Vᵀ(x - μ)`` and ``decoder(z) = V z + μ``, where the columns of V are the leading eigenvectors of the
    covariance of the rows x, each row divided by its Euclidean length as :class:`BagEncoder` does. No linear
    autoencoder reconstructs better, so any other pretraining has to beat this one.

    Args:
        interactions: unlabelled behaviour; which items, not how much.
        dim: number of directions, below the number of users and of items.
        seed: starts the iterative eigensolver.
    """
    from sklearn.decomposition import PCA  # here, because it takes as long to import as all of ours
    from sklearn.preprocessing import normalize

    check_sizes(dim=dim)
    limit = min(interactions.n_users, interactions.n_items)
    if dim >= limit:
        raise InputError(
            f"dim={dim}: PCA of {interactions.n_users} users and {interactions.n_items} items needs dim < {limit}"
        )
    g = BagEncoder(interactions.n_items, dim, activation="identity")
    x = normalize(interactions.binarise().matrix.astype(np.float64))
    fitted = PCA(dim, svd_solver="arpack", random_state=seed).fit(x)
    v = fitted.components_.T.copy()  # with more users than items its strides are negative, which torch refuses
    with torch.no_grad():
        g.item_vectors.copy_(torch.from_numpy(v))
        g.bias.copy_(torch.from_numpy(-fitted.mean_ @ v))
    h = linear_head(v, fitted.mean_)
    return PretrainedModel.compose(g, h, catalogue=interactions.catalogue, outputs=interactions.catalogue)
