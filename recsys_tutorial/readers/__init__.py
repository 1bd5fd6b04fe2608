"""From files to :class:`Interactions`: one small module a format, and :func:`read_interactions` as the public door."""

from .door import read_interactions

__all__ = ["read_interactions"]
