"""Figures: one call each, labelled axes, colours for the colour-blind, a text that stands in.

Every function returns a :class:`Plot`. As the last line of a notebook cell it shows the picture; its alternative text
is stored beside it, for screen readers and for tests, which compare the text and not the pixels.
"""

from .base import COLOURS, LINES, MARKERS, Plot, new
from .cases import case, cells, unseen
from .cost import benchmark, growth, pareto, roofline
from .data import head_of_tail, heat, long_tail, plane, reconstruction
from .domains import domains
from .maps import item_map, item_maps
from .results import bars, curves, differences, evaluation, label_efficiency, lines, simulated_few_labels, training
from .when import forest, gain_against_unseen_share

__all__ = [
    "COLOURS",
    "LINES",
    "MARKERS",
    "Plot",
    "bars",
    "benchmark",
    "case",
    "cells",
    "curves",
    "differences",
    "domains",
    "evaluation",
    "forest",
    "gain_against_unseen_share",
    "growth",
    "head_of_tail",
    "heat",
    "item_map",
    "item_maps",
    "label_efficiency",
    "lines",
    "long_tail",
    "new",
    "pareto",
    "plane",
    "reconstruction",
    "roofline",
    "simulated_few_labels",
    "training",
    "unseen",
]
