"""Feature extractors ``g``, one file each: how behaviour becomes a vector."""

from .bag import BagEncoder
from .base import Cost, Encoder
from .feature import FeatureEncoder
from .sequence import SequenceEncoder

_OURS: tuple[type[Encoder], ...] = (BagEncoder, FeatureEncoder, SequenceEncoder)
ENCODERS = {encoder.__name__: encoder for encoder in _OURS}

__all__ = ["ENCODERS", "BagEncoder", "Cost", "Encoder", "FeatureEncoder", "SequenceEncoder"]
