"""What is to be predicted from behaviour, one kind of label a file."""

from .base import Labelled, Task
from .one_label import ClassificationTask, RegressionTask
from .ranking import RankingTask, new_shelf

__all__ = ["ClassificationTask", "Labelled", "RankingTask", "RegressionTask", "Task", "new_shelf"]
