"""Drawings of ideas: one call each, one meaning for each fill, and a text that stands in.

Every function returns a :class:`~recsys_tutorial.teaching.plots.Plot`, as the figures of measured numbers do.
"""

from .house import house
from .model import composition, encoder_decoder, strategies
from .objectives import autoencoder, contrastive, denoising, item2vec, masked_item, next_item
from .protocols import held_out_users, leave_one_out, random_holdout, temporal
from .reach import codes_tree, overlap

__all__ = [
    "autoencoder",
    "codes_tree",
    "composition",
    "contrastive",
    "denoising",
    "encoder_decoder",
    "held_out_users",
    "house",
    "item2vec",
    "leave_one_out",
    "masked_item",
    "next_item",
    "overlap",
    "random_holdout",
    "strategies",
    "temporal",
]
