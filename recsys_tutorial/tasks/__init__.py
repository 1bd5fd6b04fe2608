"""What is to be predicted from behaviour, one kind of label a file."""

from collections.abc import Callable

from .base import Labelled, Task
from .build import classification, liked_from, new_shelf, regression, top_n
from .one_label import ClassificationTask, RegressionTask
from .ranking import RankingTask
from .reading import read_labels
from .targets import target_behaviour, with_target

TASKS: dict[str, Callable[..., Task]] = {
    "new-shelf": new_shelf, "target-behaviour": target_behaviour, "top-n": top_n, "classification": classification,
    "regression": regression,
}  # fmt: skip

__all__ = [
    "TASKS",
    "ClassificationTask",
    "Labelled",
    "RankingTask",
    "RegressionTask",
    "Task",
    "classification",
    "liked_from",
    "new_shelf",
    "read_labels",
    "regression",
    "target_behaviour",
    "top_n",
    "with_target",
]
