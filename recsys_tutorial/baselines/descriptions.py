"""Items that nobody has yet, by what is said of them: genres, and the words of the title."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from torch import nn

from ..data.catalogue import Catalogue
from ..errors import InputError
from ..model import PretrainedModel
from ..objectives.content2vec import tokens_of

SHARES = (0.0, 0.5, 1.0, 2.0, 4.0)


def described(known: Catalogue, new: Catalogue) -> tuple[csr_array, csr_array] | None:
    """Return the descriptions of both as rows of length 1, ``(items, tokens)``; None where there are none.

    A token is a genre or a word that at least two items share; the rarer, the louder (tf-idf).
    """
    titles = tuple(title for one in (known, new) for title in one.titles or [""] * len(one))
    genres = tuple(some for one in (known, new) for some in one.genres or [()] * len(one))
    try:
        found = tokens_of(Catalogue(np.arange(len(titles)), titles, genres))
    except InputError:  # nothing is said of them, or nothing that two of them share
        return None
    tokens, offsets = (part.numpy() for part in found)
    table = csr_array((np.ones(len(tokens)), tokens, offsets), shape=(len(titles), tokens.max() + 1))
    loudness = 1 + np.log(table.shape[0] / table.sum(axis=0))
    table = table.multiply(loudness).tocsr()
    table = table.multiply(1 / np.maximum(np.sqrt(table.power(2).sum(axis=1)), 1e-12)[:, None]).tocsr()
    return table[: len(known)], table[len(known) :]


def expected_head(model: PretrainedModel, items: Catalogue | None, strength: float = 3.0) -> np.ndarray | None:
    r"""Return W ``(dim, len(items))``: what the model's head would hold for items that it has never scored.

    The head has one vector for each item that it knows. These are regressed on the items' descriptions, and the
    regression is asked about the new ones. For the very items that the head knows it is the head itself.

    Args:
        model: ``f = h ∘ g`` with a linear head that scores items.
        items: to be scored; None for a task that scores none.
        strength: of the ridge.

    Returns:
        None where the model scores no items, or nothing is said of the items.

    Source: Gantner et al. (2010), Learning Attribute-to-Feature Mappings for Cold-Start Recommendations.
    """
    if items is None or model.outputs is None or not isinstance(model.classifier, nn.Linear):
        return None
    vectors = model.classifier.weight.detach().cpu().numpy().astype(float)
    if model.outputs.fingerprint == items.fingerprint:
        return vectors.T
    if (rows := described(model.outputs, items)) is None:
        return None
    from sklearn.linear_model import Ridge  # here, because it is slow to import

    known, new = rows
    ridge = Ridge(strength, fit_intercept=False, solver="sparse_cg", tol=1e-6).fit(known, vectors - vectors.mean(0))
    return ridge.predict(new).T


def volumes(expected: np.ndarray, y: csr_array) -> list[np.ndarray]:
    """Return by how much an expectation may be multiplied, ``(outputs,)`` each, from 0 up, to be chosen among.

    At volume 1 the scores expected of the labelled users differ by about as much as their labels do, and those of an
    item that is liked often by more: in proportion to the root of its frequency.

    Args:
        expected: ``(users, outputs)`` scores of the labelled users.
        y: ``(users, outputs)`` their labels.
    """
    often = np.asarray(y.mean(axis=0)).ravel() + 1 / len(expected)
    unit = np.sqrt(often * often.mean()) / max(float((expected - expected.mean(0)).std()), 1e-12)
    return [share * unit for share in SHARES]
