"""content2vec: item2vec in which an item is its id, the words of its title and its genres, as fastText builds words."""

from __future__ import annotations

import copy
import re
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.catalogue import Catalogue
from ..data.interactions import Interactions
from ..encoders import BagEncoder
from ..errors import InputError
from .item2vec import Item2Vec


class Content2Vec(Item2Vec):
    r"""``v_i = id_i + mean of the vectors of i's tokens``, and likewise for ``c_i``; the loss is item2vec's.

    The vectors of ids begin at 0, so that an item that nobody has is what its tokens say, as a word that fastText has
    never seen is the sum of its pieces.

    Args:
        encoder: ``g``: a :class:`BagEncoder` without hidden layers.
        counts: see :class:`Item2Vec`.
        tokens: from :func:`tokens_of`: numbers of tokens, item after item, and where each item's begin.
        options: see :class:`Item2Vec`.

    Source: Bojanowski et al. (2017), Enriching Word Vectors with Subword Information.
    """

    name = "content2vec"
    tokens: Tensor
    offsets: Tensor

    def __init__(self, encoder: BagEncoder, counts: Tensor, tokens: tuple[Tensor, Tensor], **options: int) -> None:
        super().__init__(encoder, counts, **options)
        nn.init.zeros_(encoder.item_vectors)
        self.register_buffer("tokens", tokens[0])
        self.register_buffer("offsets", tokens[1])
        n_tokens = int(tokens[0].max()) + 1
        self.token_vectors = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_tokens, encoder.dim)))
        self.token_contexts = nn.Parameter(torch.zeros(n_tokens, encoder.dim))

    @classmethod
    def build(cls, interactions: Interactions, dim: int, **options: Any) -> Self:
        """Return it with the tokens of these items; InputError where neither titles nor genres are known."""
        return super().build(interactions, dim, tokens=tokens_of(interactions.catalogue), **options)

    def vectors(self) -> tuple[Tensor, Tensor]:
        """Return v and c of every item, ids and tokens added up."""
        return (
            self.encoder.item_vectors + self._mean_of_tokens(self.token_vectors),
            self.context_vectors + self._mean_of_tokens(self.token_contexts),
        )

    def _mean_of_tokens(self, table: Tensor) -> Tensor:
        return F.embedding_bag(self.tokens, table, self.offsets, mode="mean", include_last_offset=True)

    def feature_extractor(self) -> BagEncoder:
        """Return a bag encoder that holds the sums: the tokens are not needed any more."""
        g = copy.deepcopy(self.encoder)
        g.item_vectors.copy_(self.vectors()[0])
        return g


def tokens_of(catalogue: Catalogue, at_least: int = 2) -> tuple[Tensor, Tensor]:
    """Return the tokens of every item: its genres, and the words of its title that ``at_least`` items share.

    Returns:
        ``(n,)`` numbers of tokens, item after item, and ``(n_items + 1,)`` where each item's begin.

    Raises:
        InputError: no item has a token.
    """
    titles, genres = catalogue.titles or [""] * len(catalogue), catalogue.genres or [()] * len(catalogue)
    words = [
        {*re.findall(r"\w+", title.casefold()), *(f"genre {genre}" for genre in some)}
        for title, some in zip(titles, genres, strict=True)
    ]
    counts: dict[str, int] = {}
    for word in (word for some in words for word in some):
        counts[word] = counts.get(word, 0) + 1
    known = {word: number for number, word in enumerate(sorted(w for w, n in counts.items() if n >= at_least))}
    if not known:
        raise InputError("content2vec needs titles or genres, and no two items here share a word: take item2vec")
    found = [sorted(known[word] for word in some if word in known) for some in words]
    lengths = torch.tensor([0, *map(len, found)], device="cpu")  # counts, of use also where weights are only described
    return torch.tensor([number for some in found for number in some], device="cpu"), lengths.cumsum(0)
