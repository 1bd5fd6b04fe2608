"""Things to move in a notebook: the logic of each is a plain function, which a panel calls and shows.

Every panel can be moved by the keyboard alone (Tab, then the arrow keys), says what each control is, shows an error
instead of swallowing it, and leaves a table or a figure in the stored notebook for readers without a kernel.
"""

from .base import Folded, Panel, as_html, as_list
from .cases import AdvisePanel, UnseenPanel, unseen_at
from .labels import LabelPanel, at_labels
from .maps import MapPanel
from .metric import MetricPanel, metric_playground_values
from .ratings import RatingPanel, rate_films, recommend_from_ratings
from .reconstruction import ReconstructionPanel
from .tail import TailPanel

__all__ = [
    "AdvisePanel",
    "Folded",
    "LabelPanel",
    "MapPanel",
    "MetricPanel",
    "Panel",
    "RatingPanel",
    "ReconstructionPanel",
    "TailPanel",
    "UnseenPanel",
    "as_html",
    "as_list",
    "at_labels",
    "metric_playground_values",
    "rate_films",
    "recommend_from_ratings",
    "unseen_at",
]
