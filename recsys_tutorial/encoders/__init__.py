"""Feature extractors ``g``, one file each: how behaviour becomes a vector."""

from typing import Any

from .bag import BagEncoder
from .base import Cost, Encoder
from .coded import CodedSequenceEncoder
from .feature import FeatureEncoder
from .sequence import SequenceEncoder
from .together import Together

_OURS: tuple[type[Encoder], ...] = (BagEncoder, CodedSequenceEncoder, FeatureEncoder, SequenceEncoder, Together)
ENCODERS = {encoder.__name__: encoder for encoder in _OURS}


def build_encoder(described: dict[str, Any]) -> Encoder:
    """Return an encoder of the shape that ``{"type": ..., **config}`` says, and its parts where it has some.

    Raises:
        KeyError, TypeError: no such encoder, or it cannot be built so.
    """
    how = {name: value for name, value in described.items() if name != "type"}
    if "parts" in how:
        how["parts"] = [build_encoder(part) for part in how["parts"]]
    return ENCODERS[described["type"]](**how)


__all__ = [
    "ENCODERS", "BagEncoder", "CodedSequenceEncoder", "Cost", "Encoder", "FeatureEncoder", "SequenceEncoder",
    "Together", "build_encoder",
]  # fmt: skip
