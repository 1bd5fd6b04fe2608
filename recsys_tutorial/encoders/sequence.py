"""A feature extractor that reads behaviour in order: a small Transformer."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..engine.layers import Dropout, unit_rows
from ..engine.sampling import take_rows
from ..errors import InputError, check_shares, check_sizes
from .base import Cost, Encoder, n_parameters

_WIDER = 2  # the inner layer of a block's feed-forward part is this many times as wide as its ends


class SequenceEncoder(Encoder):
    r"""A feature extractor ``g`` that uses the order of events: a pre-norm Transformer, ``Batch -> (users, dim)``.

    Only a user's newest ``max_length`` events are read, and their weights are not. Every vector that leaves it has
    length 1. An event comes in as ``√dim (v_j / |v_j| + p_t)``: v_j the vector of its item, p_t that of its place,
    counted back from the newest.

    - ``causal=True`` (GPT-like): an event sees itself and what came before; ``g(x)`` is the state of the newest event.
    - ``causal=False`` (BERT-like): events see each other, and a mask that stands for an item not told, together with
      the mean of those that are; ``g(x)`` is the state of a mask laid behind the newest event: what comes next?

    A user without events gets zeros from a causal encoder, and the state of the mask alone from the other.

    It costs ``layers (16 n dim² + 4 n² dim)`` flops for a user with n events, and has ``(n_items + max_length) dim +
    8 layers dim²`` parameters and some: by far the most are the items'.

    Args:
        n_items: catalogue size.
        dim: length of the output vector, a multiple of ``heads``.
        layers: Transformer blocks.
        heads: attention heads in each.
        max_length: events that are read, the newest.
        dropout: share of the numbers that are dropped in training: of the inputs, and of what each block adds.
        causal: see above.

    Raises:
        InputError: a size below 1, a dropout out of range, or ``dim`` that is not a multiple of ``heads``.

    Source: Vaswani et al. (2017); Kang and McAuley (2018), SASRec; Sun et al. (2019), BERT4Rec.
    """

    item_vectors: nn.Parameter
    mask_vector: Any  # a parameter; None where causal

    def __init__(
        self,
        n_items: int,
        dim: int = 128,
        layers: int = 2,
        heads: int = 2,
        max_length: int = 50,
        dropout: float = 0.4,
        causal: bool = True,
    ) -> None:
        super().__init__()
        check_sizes(n_items=n_items, dim=dim, layers=layers, heads=heads, max_length=max_length)
        check_shares(dropout=dropout)
        if dim % heads:
            raise InputError(f"dim={dim}, heads={heads}: dim needs to be a multiple of heads")
        self.n_items, self.dim, self.max_length, self.causal = n_items, dim, max_length, causal
        self.sparse_gradients = False
        self.config = dict(
            n_items=n_items, dim=dim, layers=layers, heads=heads, max_length=max_length, dropout=dropout, causal=causal
        )
        self._add_items()
        self.position_vectors = nn.Parameter(0.02 * torch.randn(max_length + (not causal), dim))
        self.mask_vector = None if causal else nn.Parameter(torch.randn(dim) / math.sqrt(dim))
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(Block(dim, heads, dropout, causal) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)

    def _add_items(self) -> None:
        """Lay out what the item vectors are made of."""
        self.item_vectors = nn.Parameter(torch.randn(self.n_items, self.dim) / math.sqrt(self.dim))

    def table(self) -> Tensor:
        """Return ``(n_items, dim)``: the item vectors as this step reads and scores them."""
        return self.item_vectors

    def trained_items(self) -> Tensor | None:
        """Return ``(n,)`` the items that a softmax in training is over, ascending; None for all."""
        return None

    def forward(self, behaviour: Batch) -> Tensor:
        """Return ``(users, dim)``."""
        newest = behaviour.newest(self.max_length)
        if not self.causal:
            newest = newest.append(0)
            behind = newest.ends()[1]
            return self.states(newest, behind)[behind]
        filled = (newest.lengths > 0).nonzero()[:, 0]
        states = self.states(newest)[newest.ends()[1]]
        return states.new_zeros(len(newest), self.dim).index_copy(0, filled, states)

    def states(self, batch: Batch, masked: Tensor | None = None) -> Tensor:
        """Return the state of every event, ``(n_events, dim)``, in the order of the batch.

        Args:
            batch: no user with more than ``max_length`` events (one more where a mask is laid behind them).
            masked: ``(n_events,)`` bool: the events whose items are not told; None tells them all.
        """
        vectors = unit_rows(take_rows(self.table(), batch.items, self.sparse_gradients))
        if masked is not None:
            vectors = torch.where(masked[:, None], self._mask(vectors, batch.rows, len(batch), ~masked), vectors)
        back = batch.offsets[1:][batch.rows] - 1 - torch.arange(len(batch.items), device=batch.items.device)
        present = batch.present()
        table = vectors.new_zeros(*present.shape, self.dim)
        table[present] = math.sqrt(self.dim) * (vectors + self.position_vectors[back])
        table = self.dropout(table)
        for block in self.blocks:
            table = block(table, present)
        return unit_rows(self.norm(table[present]))

    def _mask(self, vectors: Tensor, rows: Tensor, users: int, told: Tensor) -> Tensor:
        """Return what stands for an untold item, for every event: the mask, and the mean of the user's told items.

        Attention alone would have to find the items first, and learns that slowly.
        """
        counts = vectors.new_zeros(users).index_add_(0, rows, told.to(vectors.dtype)).clamp_min(1)
        sums = vectors.new_zeros(users, self.dim).index_add(0, rows, vectors * told[:, None])
        return F.normalize(self.mask_vector, dim=0) + (sums / counts[:, None])[rows]

    def _item_parameters(self) -> list[nn.Parameter]:
        return [self.item_vectors]

    def parameter_layers(self) -> list[list[nn.Parameter]]:
        """Return the parameters layer by layer, from the input up."""
        first = [*self._item_parameters(), self.position_vectors, *([] if self.causal else [self.mask_vector])]
        return [first, *(list(block.parameters()) for block in self.blocks), list(self.norm.parameters())]

    def cost(self, events: int) -> Cost:
        """Return what it costs for a user with ``events`` events, of which it reads ``max_length``."""
        read, dim = min(events, self.max_length) + (not self.causal), self.dim
        flops = len(self.blocks) * (2 * (4 + 2 * _WIDER) * read * dim**2 + 4 * read**2 * dim)
        return Cost(n_parameters(self), flops, self.max_length)


class Block(nn.Module):
    """Pre-norm attention and feed-forward, each added to what came in: ``(users, events, dim)`` both ways."""

    def __init__(self, dim: int, heads: int, dropout: float, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.attention_norm, self.mix_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_qkv, self.from_heads = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.widen, self.narrow = nn.Linear(dim, _WIDER * dim), nn.Linear(_WIDER * dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Mix the events of each user; ``present`` ``(users, events)`` says which are not padding.

        Padding lies behind the events, so that where no event looks ahead none sees it.
        """
        users, events, dim = x.shape
        qkv = self.to_qkv(self.attention_norm(x)).view(users, events, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(
            q, k, v, attn_mask=None if self.causal else present[:, None, None, :], is_causal=self.causal
        )
        x = x + self.dropout(self.from_heads(seen.transpose(1, 2).reshape(users, events, dim)))
        return x + self.dropout(self.narrow(F.gelu(self.widen(self.mix_norm(x)))))
