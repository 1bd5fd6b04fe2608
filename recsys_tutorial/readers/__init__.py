"""From files to :class:`Interactions`: one small module a format, and :func:`read_interactions` as the public door."""

from .door import FORMS, read_interactions

__all__ = ["FORMS", "read_interactions"]
