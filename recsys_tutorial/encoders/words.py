"""What is said of items as vectors, by counting: the words of titles, genres, other attributes (TF-IDF)."""

from __future__ import annotations

import re

import numpy as np
from scipy.sparse import csr_array, vstack

from ..data.interactions import Interactions
from ..errors import InputError

ATTRIBUTES = "attributes"  # the column of item_attributes that holds tuples of them
_CELLS = 2**22  # cosines that are held at a time


def tfidf(interactions: Interactions) -> csr_array:
    """Return ``(n_items, tokens)``, rows of length 1: the rarer a token, the louder; zeros where nothing is said.

    A token is a word of the title, a genre, or an attribute (column ``attributes`` of the item's table) that at least
    two items share.

    Raises:
        InputError: no two items share a token.

    Source: Sparck Jones (1972); Pazzani and Billsus (2007).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # here, because it is slow to import

    try:
        found = TfidfVectorizer(analyzer=lambda tokens: tokens, min_df=2).fit_transform(_tokens(interactions))
    except ValueError as error:
        raise InputError(
            f"no two items of {interactions.name!r} share a word of their titles, a genre or an attribute: "
            "there is nothing to know them by"
        ) from error
    return csr_array(found)


def attribute_vectors(interactions: Interactions, dim: int = 64, seed: int = 0) -> np.ndarray:
    """Return ``(n_items, dim)``: :func:`tfidf`, decomposed; fewer numbers where there are fewer tokens.

    Source: Deerwester et al. (1990), latent semantic analysis.
    """
    from sklearn.decomposition import TruncatedSVD

    table = tfidf(interactions)
    if min(table.shape) <= dim:
        return table.toarray()
    return TruncatedSVD(dim, random_state=seed).fit_transform(table)


def alike(interactions: Interactions, rows: np.ndarray, among: np.ndarray, k: int = 10) -> csr_array:
    """Return ``(len(rows), n_items)``: the cosines of items with those k of the items ``among`` that are most alike.

    Cosines are of :func:`tfidf`; of equals the first are kept, and those that share no token are none.

    Args:
        interactions: with titles, genres or attributes.
        rows: items that are asked about.
        among: items that may be named.
        k: of them at most.
    """
    words = tfidf(interactions)
    found, others, step = [], words[among].T.tocsr(), max(1, _CELLS // max(1, len(among)))
    for start in range(0, len(rows), step):
        cosines = (words[rows[start : start + step]] @ others).toarray()
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        kept = np.zeros_like(cosines)
        np.put_along_axis(kept, best, np.take_along_axis(cosines, best, 1), 1)
        found.append(csr_array(kept))
    near = vstack(found, format="coo") if found else csr_array((0, len(among))).tocoo()
    return csr_array((near.data, (near.row, among[near.col])), shape=(len(rows), interactions.n_items))


def _tokens(interactions: Interactions) -> list[list[str]]:
    items, table = interactions.catalogue, interactions.item_attributes
    titles, genres = items.titles or [""] * len(items), items.genres or [()] * len(items)
    more: dict[object, object] = {}
    if table is not None and ATTRIBUTES in table:
        more = dict(zip(table.index.tolist(), table[ATTRIBUTES].tolist(), strict=True))
    found = []
    for raw, title, some in zip(items.ids.tolist(), titles, genres, strict=True):
        own = more.get(raw, ())
        words = {f"word {word}" for word in re.findall(r"\w+", title.casefold())}
        named = own if isinstance(own, tuple) else ()
        found.append(sorted(words | {f"genre {one}" for one in some} | {f"attribute {one}" for one in named}))
    return found
