"""What is to be predicted from behaviour, one kind of label a file."""

from .base import Labelled, Task
from .build import TASKS, classification, liked_from, new_shelf, regression, top_n
from .one_label import ClassificationTask, RegressionTask
from .ranking import RankingTask

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
    "regression",
    "top_n",
]
