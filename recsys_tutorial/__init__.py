"""Pretrained models for recommender systems: ``f = h ∘ g``, pretrained on behaviour, fine-tuned on few labels."""

__version__ = "0.1.0"

import importlib
import os
from types import ModuleType

# Before torch starts its threads: by default they spin while they wait, and beside busy neighbours two spinning threads
# were ten times slower than one. Whoever sets the variable keeps their choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from . import label_metrics, machine, metrics, splits, uncertainty
from .adapting import adapt
from .article import BehaviorDataset, train
from .baselines import EASE, IALS, ItemKNN, LabelMean, Neighbours, Popularity, RawLogistic, RawRidge, pca
from .batches import Batch
from .catalogue import Catalogue
from .checkpoints import LoadReport, load_model, load_weights, save_model
from .datasets import datasets, load_dataset
from .encoders import BagEncoder, FeatureEncoder, SequenceEncoder
from .errors import InputError, TrainingError
from .evaluation import compare, evaluate, evaluate_users
from .events import from_events
from .finetuning import STRATEGIES, finetune
from .interactions import Interactions
from .model import PretrainedModel
from .objectives import OBJECTIVES, Denoising, Objective
from .pretraining import pretrain
from .readers import read_interactions
from .recommend import Recommender
from .storage import open_interactions, save_interactions
from .studies import label_efficiency, paired, summarise, transfer
from .tasks import ClassificationTask, RankingTask, RegressionTask, new_shelf

__all__ = [
    "EASE",
    "IALS",
    "OBJECTIVES",
    "STRATEGIES",
    "BagEncoder",
    "Batch",
    "BehaviorDataset",
    "Catalogue",
    "ClassificationTask",
    "Denoising",
    "FeatureEncoder",
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
    "SequenceEncoder",
    "TrainingError",
    "adapt",
    "compare",
    "datasets",
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
    "machine",
    "metrics",
    "new_shelf",
    "open_interactions",
    "paired",
    "pca",
    "plots",
    "pretrain",
    "read_interactions",
    "save_interactions",
    "save_model",
    "splits",
    "summarise",
    "train",
    "transfer",
    "uncertainty",
    "widgets",
]

_WHEN_ASKED_FOR = ("exercises", "identities", "plots", "widgets")  # they bring matplotlib or ipywidgets, slow to import


def __getattr__(name: str) -> ModuleType:
    if name in _WHEN_ASKED_FOR:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
