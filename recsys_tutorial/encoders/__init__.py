"""Feature extractors ``g``, one file each: how behaviour becomes a vector."""

from .bag import BagEncoder
from .base import Cost, Encoder
from .feature import FeatureEncoder
from .sequence import SequenceEncoder

ENCODERS = {encoder.__name__: encoder for encoder in (BagEncoder, FeatureEncoder, SequenceEncoder)}

__all__ = ["ENCODERS", "BagEncoder", "Cost", "Encoder", "FeatureEncoder", "SequenceEncoder"]
