"""Pretraining objectives, one file each: a file laid here is found, nothing else is touched."""

from importlib import import_module
from pkgutil import iter_modules

from .base import OBJECTIVES, Objective, build_objective
from .denoising import Denoising

for _found in iter_modules(__path__):
    import_module(f".{_found.name}", __name__)

__all__ = ["OBJECTIVES", "Denoising", "Objective", "build_objective"]
