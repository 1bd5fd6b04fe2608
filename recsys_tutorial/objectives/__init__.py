"""Pretraining objectives, one file each. Importing a file here is all that registering it takes."""

from .base import OBJECTIVES, Objective, build_objective
from .denoising import Denoising

__all__ = ["OBJECTIVES", "Denoising", "Objective", "build_objective"]
