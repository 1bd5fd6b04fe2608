"""Drawings of ideas, made by code: one call each, the same fills for the same meanings, a text that stands in.

Every function returns a :class:`~recsys_tutorial.teaching.plots.Plot`, as the figures of measured numbers do.
"""

from .model import composition, encoder_decoder, strategies

__all__ = ["composition", "encoder_decoder", "strategies"]
