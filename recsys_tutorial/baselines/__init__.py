"""Rivals that are hard to beat, one file each. Every one has two verbs: ``fit`` and ``score``."""

from .base import Baseline, Model
from .blend import Blend
from .described import DescribedRidge
from .ease import EASE, LabelledEASE
from .ials import IALS
from .item_knn import ItemKNN
from .labelled import LabelMean, Neighbours
from .pca import pca
from .plain import PlainScratch
from .popularity import Popularity
from .raw import RawLogistic, RawRidge
from .slist import SLIST

__all__ = [
    "EASE",
    "IALS",
    "SLIST",
    "Baseline",
    "Blend",
    "DescribedRidge",
    "ItemKNN",
    "LabelMean",
    "LabelledEASE",
    "Model",
    "Neighbours",
    "PlainScratch",
    "Popularity",
    "RawLogistic",
    "RawRidge",
    "pca",
]
