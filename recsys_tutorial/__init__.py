"""Pretrained models for recommender systems: ``f = h ∘ g``, pretrained, fine-tuned on few labels."""

__version__ = "0.1.0"

import importlib
import os
from types import ModuleType
from typing import TYPE_CHECKING

# Before torch starts its threads: by default they spin while they wait, and beside busy neighbours two spinning threads
# were ten times slower than one. Whoever sets the variable keeps their choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from . import metrics
from .baselines import (
    EASE,
    IALS,
    SLIST,
    Blend,
    ItemKNN,
    LabelMean,
    Neighbours,
    Popularity,
    RawLogistic,
    RawRidge,
    pca,
)
from .data import splits
from .data.batches import Batch
from .data.catalogue import Catalogue
from .data.events import from_events
from .data.file_form import FileForm
from .data.interactions import Interactions
from .data.published.datasets import datasets, load_dataset
from .data.readers import read_interactions
from .data.storage import open_interactions, save_interactions
from .dataset import BehaviorDataset
from .encoders import BagEncoder, FeatureEncoder, SequenceEncoder
from .encoders.semantic_ids import SemanticIDs
from .engine import losses, ridge
from .errors import InputError, TrainingError
from .evaluation.evaluation import compare, evaluate, evaluate_users
from .learning.adapting import adapt
from .learning.checkpoints import LoadReport, load_model, load_weights, save_model
from .learning.finetuning import STRATEGIES, finetune
from .learning.pretraining import pretrain
from .learning.updating import update
from .metrics import intervals as uncertainty
from .metrics import labels as label_metrics
from .model import PretrainedModel
from .objectives import OBJECTIVES, Denoising, Objective
from .serving.recommend import Recommender
from .studies import advise, label_efficiency, paired, study_map, summarise, transfer
from .system import machine
from .tasks import (
    ClassificationTask,
    RankingTask,
    RegressionTask,
    new_shelf,
    read_labels,
    target_behaviour,
    with_target,
)  # fmt: skip
from .training import train

__all__ = [
    "EASE",
    "IALS",
    "OBJECTIVES",
    "SLIST",
    "STRATEGIES",
    "BagEncoder",
    "Batch",
    "BehaviorDataset",
    "Blend",
    "Catalogue",
    "ClassificationTask",
    "Denoising",
    "FeatureEncoder",
    "FileForm",
    "InputError",
    "Interactions",
    "ItemKNN",
    "LabelMean",
    "LoadReport",
    "Neighbours",
    "Objective",
    "Popularity",
    "PretrainedModel",
    "RankingTask",
    "RawLogistic",
    "RawRidge",
    "Recommender",
    "RegressionTask",
    "SemanticIDs",
    "SequenceEncoder",
    "TrainingError",
    "adapt",
    "advise",
    "compare",
    "datasets",
    "drawings",
    "evaluate",
    "evaluate_users",
    "exercises",
    "finetune",
    "from_events",
    "label_efficiency",
    "label_metrics",
    "load_dataset",
    "load_model",
    "load_weights",
    "losses",
    "machine",
    "metrics",
    "new_shelf",
    "open_interactions",
    "paired",
    "pca",
    "plots",
    "pretrain",
    "read_interactions",
    "read_labels",
    "ridge",
    "save_interactions",
    "save_model",
    "splits",
    "study_map",
    "summarise",
    "target_behaviour",
    "train",
    "transfer",
    "uncertainty",
    "update",
    "widgets",
    "with_target",
]

# They bring matplotlib or ipywidgets, slow to import.
_WHEN_ASKED_FOR = ("drawings", "exercises", "identities", "plots", "widgets")

if TYPE_CHECKING:  # where the names below would all be taken for modules, misspelt ones too
    from .teaching import drawings, exercises, plots, widgets
    from .teaching import identities as identities
else:

    def __getattr__(name: str) -> ModuleType:
        if name in _WHEN_ASKED_FOR:
            return importlib.import_module(f".teaching.{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
