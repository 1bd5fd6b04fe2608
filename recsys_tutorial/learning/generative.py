"""Generative retrieval: say the next item's semantic ID code by code, and search among the codes that items have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..encoders import SequenceEncoder
from ..encoders.semantic_ids import NONE, SemanticIDs
from ..errors import whole
from ..objectives.next_item import NextItem

_UNFOUND = -1e4  # the score of an item that the search did not reach: below every logarithm of a probability


class CodesHead(nn.Module):
    r"""Scores items by ``log p(c_1 | s) + log p(c_2 | s, c_1) + ...``, for those that a beam search finds.

    The search goes down the tree of the codes that items have (a trie), so that it never says an item that there is
    not, and keeps the ``beam`` best beginnings at every level. An item that it does not find is scored below all.

    Args:
        codes: ``(n_items, levels)``, -1 for an item without codes, which is never found.
        size: of each codebook.
        dim: length of a state s.
        beam: beginnings that are kept.
    """

    leaf_of_item: Tensor

    def __init__(self, codes: np.ndarray, size: int, dim: int, beam: int) -> None:
        super().__init__()
        self.beam, self.levels, self.in_features, self.out_features = beam, codes.shape[1], dim, len(codes)
        self.code_vectors = nn.Parameter(torch.randn(self.levels, size, dim) / math.sqrt(dim))
        self.mix = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
            for _ in range(self.levels)
        )
        self.say = nn.ModuleList(nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, size)) for _ in range(self.levels))
        there = np.flatnonzero(codes[:, 0] != NONE)
        parent = np.zeros(len(there), np.int64)
        for level in range(self.levels):
            nodes, own = np.unique(codes[there, : level + 1], axis=0, return_inverse=True)
            children = np.full((parent.max() + 1, size), -1)
            children[parent, codes[there, level]] = parent = own.ravel()
            self.register_buffer(f"children_{level}", torch.from_numpy(children))
        leaf = np.full(len(codes), len(nodes))  # behind the last leaf: that of items without codes
        leaf[there] = parent
        self.register_buffer("leaf_of_item", torch.from_numpy(leaf))

    def says(self, states: Tensor, before: Tensor) -> Tensor:
        """Return log-probabilities ``(n, size)`` of the next code.

        Args:
            states: ``(n, dim)``.
            before: ``(n, level)``, the codes that were said.
        """
        level = before.shape[1]
        x = math.sqrt(self.in_features) * states
        for place in range(level):
            x = x + self.code_vectors[place, before[:, place]]
        return F.log_softmax(self.say[level](x + self.mix[level](x)), dim=1)

    def forward(self, z: Tensor) -> Tensor:
        """Return ``(users, n_items)``."""
        users, dim = z.shape
        said, nodes = z.new_zeros(users, 1, 0, dtype=torch.int64), z.new_zeros(users, 1, dtype=torch.int64)
        total = z.new_zeros(users, 1)
        for level in range(self.levels):
            kept = nodes.shape[1]
            states = z[:, None, :].expand(users, kept, dim).reshape(-1, dim)
            found = self.says(states, said.reshape(users * kept, level)).view(users, kept, -1)
            below = self.get_buffer(f"children_{level}")[nodes.clamp_min(0)]
            scores = (total[:, :, None] + found).masked_fill((below < 0) | (nodes < 0)[:, :, None], -torch.inf)
            size = scores.shape[2]
            total, place = scores.flatten(1).topk(min(self.beam, kept * size), dim=1)
            said = torch.cat(
                [said.gather(1, (place // size)[:, :, None].expand(-1, -1, level)), (place % size)[:, :, None]], dim=2
            )
            # -1 where there are fewer beginnings than the beam is wide
            nodes = below.flatten(1).gather(1, place).masked_fill(total == -torch.inf, -1)
        leaves = int(self.get_buffer(f"children_{self.levels - 1}").max()) + 1
        by_leaf = z.new_full((users, leaves + 1), _UNFOUND)
        by_leaf.scatter_(1, torch.where(nodes < 0, leaves, nodes), total.clamp_min(_UNFOUND))
        by_leaf[:, leaves] = _UNFOUND
        return by_leaf[:, self.leaf_of_item]


class GenerativeRetrieval(NextItem):
    r"""``loss = -mean_t Σ_l log p(c_l of item t + 1 | s_t, c_1 .. c_(l-1))``: the next item, said code by code.

    What TIGER does, in small: an encoder in place of T5's, a small network a level in place of its decoder. It has no
    name, because it needs codes: ``pretrain(GenerativeRetrieval(encoder, ids), interactions)``. A model of it is not
    saved: it is here to be understood, and compared.

    Args:
        encoder: a causal :class:`SequenceEncoder`, with codes or without.
        ids: the codes to say.
        beam: see :class:`CodesHead`.

    Source: Rajput et al. (2023), Recommender Systems with Generative Retrieval.
    """

    name = ""

    def __init__(self, encoder: SequenceEncoder, ids: SemanticIDs, beam: int = 50) -> None:
        super().__init__(encoder)
        self.decoder = CodesHead(ids.codes, ids.codebooks.shape[1], encoder.dim, whole("beam", beam))
        self.register_buffer("item_codes", torch.from_numpy(ids.codes))

    def says(self, states: Tensor, items: Tensor) -> Tensor:
        """Return the mean loss of states that should say items; those without codes are not asked for."""
        codes = self.get_buffer("item_codes")[items]
        asked = codes[:, 0] != NONE
        states, codes = states[asked], codes[asked]
        total = states.new_zeros(())
        for level in range(codes.shape[1]):
            said = self.decoder.says(states, codes[:, :level])
            total = total - said.gather(1, codes[:, level, None]).sum()
        return total / max(1, len(codes))

    def head(self) -> Any:
        """Return the part that says codes and searches."""
        return self.decoder
