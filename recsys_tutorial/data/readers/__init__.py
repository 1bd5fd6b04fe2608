"""From files to :class:`Interactions`: a module a format; :func:`read_interactions` finds which."""

from .sniffing import FORMS, read_interactions

__all__ = ["FORMS", "read_interactions"]
