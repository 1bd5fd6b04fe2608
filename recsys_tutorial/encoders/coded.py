"""A sequence encoder that knows an item by its semantic codes, with or without a vector of the item's own."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import InputError, check_shares, check_sizes
from .semantic_ids import NONE
from .sequence import SequenceEncoder

NEAR = 2.0  # what the items near a new one count beside its codes: docs/choices.md


class CodedSequenceEncoder(SequenceEncoder):
    r"""A :class:`SequenceEncoder` whose item vectors are sums: ``v_j = known_j · own_j + Σ_l u_l[c_jl]``.

    c_jl is item j's code at level l, and u_l the vectors of that level's codes, which all items with that code share.
    So an item that nobody has had yet is placed by its codes, where they come from what is said of it. Its own vector
    counts 0 until :meth:`place` sets it, for no training has put it anywhere; nor does a code that it does not have.

    An item that is known is, in training, now and then read as if it were new: without its own vector and without the
    codes that were counted from behaviour. Else the codes would be trained only beside these, and mean little alone.

    Args:
        n_items: catalogue size.
        dim: see :class:`SequenceEncoder`.
        levels: codes an item, over all sets of codes.
        size: of each codebook.
        counted: the first levels, this many, come from behaviour: an item that is read as new has none of them.
        ids: items have vectors of their own too.
        as_new: share of the items that a step reads as new.
        options: see :class:`SequenceEncoder`.

    Raises:
        InputError: a size below 1, a share out of range; only codes that are counted, and items read as new.

    Source: Rajput et al. (2023) for codes; reading known items as new: Volkovs et al. (2017), DropoutNet; placing new
    ones by known ones with the same attributes: Gantner et al. (2010).
    """

    own_vectors: nn.Parameter | None
    codes: Tensor
    known: Tensor

    def __init__(
        self, n_items: int, dim: int = 128, *, levels: int = 3, size: int = 128, counted: int = 0, ids: bool = True,
        as_new: float = 0.0, **options: int | float | bool,
    ) -> None:  # fmt: skip
        check_sizes(levels=levels, size=size)
        check_shares(as_new=as_new)
        if not 0 <= counted <= levels:
            raise InputError(f"counted={counted} of levels={levels}: it needs to be between 0 and levels")
        if as_new and counted == levels:
            raise InputError(f"as_new={as_new}: codes that are counted say nothing of a new item, give 0")
        self._shape = dict(levels=levels, size=size, counted=counted, ids=ids, as_new=as_new)
        super().__init__(n_items, dim, **options)  # type: ignore[arg-type]  # as they were given
        self.config |= self._shape

    def _add_items(self) -> None:
        levels, size = int(self._shape["levels"]), int(self._shape["size"])
        own = torch.randn(self.n_items, self.dim) / math.sqrt(self.dim)
        self.own_vectors = nn.Parameter(own) if self._shape["ids"] else None
        self.code_vectors = nn.Parameter(torch.randn(levels, size, self.dim) / math.sqrt(self.dim * levels))
        self.register_buffer("codes", torch.full((self.n_items, levels), NONE))
        self.register_buffer("known", torch.ones(self.n_items, dtype=torch.bool))

    @property
    def item_vectors(self) -> Tensor:  # type: ignore[override]  # made anew from what learns, not to be set
        """``(n_items, dim)``: the sums."""
        return self._sum(self.known, self.codes)

    @property
    def sparse_gradients(self) -> bool:
        """Never: a table of sums has no rows of its own."""
        return False

    @sparse_gradients.setter
    def sparse_gradients(self, asked: bool) -> None:
        """Ignore what is asked."""

    def table(self) -> Tensor:
        """Return ``(n_items, dim)``: the item vectors; in training some known items are read as new."""
        share, counted = float(self._shape["as_new"]), int(self._shape["counted"])
        if not (self.training and share):
            return self.item_vectors
        shown = (torch.rand(self.n_items) >= share).to(self.known.device)
        codes = self.codes.clone()
        codes[~shown, :counted] = NONE
        return self._sum(self.known & shown, codes)

    def trained_items(self) -> Tensor | None:
        """Return the items that are known, in training: what could never be asked for is not pushed away."""
        return self.known.nonzero()[:, 0] if self.training else None

    def set_codes(self, codes: np.ndarray) -> None:
        """Take up the codes ``(n_items, levels)``, -1 for none; InputError for another shape or codes out of range."""
        size = int(self._shape["size"])
        if codes.shape != self.codes.shape or codes.min(initial=0) < NONE or codes.max(initial=0) >= size:
            raise InputError(
                f"codes of shape {codes.shape} up to {codes.max(initial=0)}: g was built for "
                f"{tuple(self.codes.shape)} of {size}"
            )
        self.codes.copy_(torch.from_numpy(codes))

    @torch.no_grad()
    def start_at(self, vectors: Tensor) -> None:
        """Begin as near to ``(n_items, dim)`` vectors as the codes can be, own vectors with what is left; zeros: none.

        The codes that say something of new items come first, those that are counted explain what these leave.
        """
        left, counted = vectors.clone(), int(self._shape["counted"])
        levels, size, dim = self.code_vectors.shape
        told = vectors.any(1)
        for some in (range(counted, levels), range(counted)):
            rows = torch.zeros(len(vectors), len(some) * size, device=vectors.device)
            for place, level in enumerate(some):
                own = (self.codes[:, level] != NONE) & told
                rows[own.nonzero()[:, 0], place * size + self.codes[own, level]] = 1
            if len(some):
                inner = rows.T @ rows + torch.eye(rows.shape[1], device=rows.device)
                found = torch.linalg.solve(inner, rows.T @ left)
                left -= rows @ found
                self.code_vectors[some.start : some.stop] = found.view(len(some), size, dim)
        if self.own_vectors is not None:
            self.own_vectors.copy_(torch.where(told[:, None], left, 0.1 * self.own_vectors))

    @torch.no_grad()
    def place(self, items: np.ndarray, near: csr_array) -> None:
        """Put items that are not known between their codes and the known items that they are near to.

        ``v_j = s_j / |s_j| + 2 m_j / |m_j|``: s_j the sum of its codes, and m_j the mean of the vectors of the items
        near it, each of length 1 and counting as the cube of its nearness. Then they are known. Nothing near: it stays
        where its codes put it.

        Args:
            items: ``(n,)``.
            near: ``(n, n_items)``, 0 for what is not near.
        """
        if self.own_vectors is None:
            return
        vectors = self.item_vectors
        unit = F.normalize(vectors, dim=1)
        mean = F.normalize(torch.from_numpy(near.power(3) @ unit.cpu().numpy()).to(unit), dim=1)
        there = mean.any(1)
        places = torch.from_numpy(items).to(unit.device)[there]
        self.own_vectors[places] = unit[places] + NEAR * mean[there] - vectors[places]
        self.known[places] = True

    def _sum(self, known: Tensor, codes: Tensor) -> Tensor:
        levels, size, dim = self.code_vectors.shape
        place = codes.clamp_min(0) + size * torch.arange(levels, device=codes.device)
        there = (codes != NONE).to(self.code_vectors.dtype)
        summed = F.embedding_bag(
            place, self.code_vectors.view(levels * size, dim), mode="sum", per_sample_weights=there
        )
        return summed if self.own_vectors is None else summed + known[:, None] * self.own_vectors

    def _item_parameters(self) -> list[nn.Parameter]:
        return [self.code_vectors, *([] if self.own_vectors is None else [self.own_vectors])]
