"""Every model by its name, fitted: what the commands ``evaluate`` and ``study`` take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ..baselines import EASE, IALS, ItemKNN, Model, Popularity, pca
from ..data.interactions import Interactions
from ..errors import InputError, unknown
from ..learning.checkpoints import load_model
from ..learning.pretraining import pretrain
from ..objectives import OBJECTIVES

BASELINES: dict[str, Callable[[Interactions, int], Model]] = {
    "popularity": lambda train, seed: Popularity().fit(train),
    "item-knn": lambda train, seed: ItemKNN().fit(train),
    "ease": lambda train, seed: EASE().fit(train),
    "ials": lambda train, seed: IALS(seed=seed).fit(train),
    "pca": lambda train, seed: pca(train, min(64, train.n_users - 1, train.n_items - 1), seed),
}


def model_by_name(
    name: str, train: Interactions, seed: int = 0, device: str = "cpu", progress: bool | None = None
) -> Model:
    """Return the model called ``name``, fitted on ``train`` with its defaults, or loaded if ``name`` is a folder.

    Args:
        name: one of :data:`BASELINES` or of the objectives, or a folder that ``pretrain`` wrote.
        train: all that may be learned from.
        seed: of initial weights and draws.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.

    Raises:
        InputError: no such name (near ones are suggested) or folder, or a folder with a model of other items.
    """
    check_name(name)
    if name in BASELINES:
        return BASELINES[name](train, seed)
    if name in OBJECTIVES:
        return pretrain(name, train, seed=seed, device=device, progress=progress)
    model = load_model(name, train.catalogue)
    if model.outputs is None and "task" in model.origin:
        raise InputError(f"{name} does {model.origin['task']}, it ranks no items: evaluate it with --labels FILE")
    return model


def check_name(name: str) -> None:
    """Raise InputError where ``name`` is neither a model's nor a folder's; near ones are suggested."""
    if name not in BASELINES and name not in OBJECTIVES and not Path(name).is_dir():
        raise unknown("model", name, [*BASELINES, *OBJECTIVES])


def warn_of_leak(name: str, model: Model, whole: Interactions) -> bool:
    """Say on standard error, and return, whether ``model`` was trained on the very data that it is tested on."""
    leaks = getattr(model, "origin", {}).get("data_fingerprint") == whole.fingerprint
    if leaks:
        print(
            f"careful: {name} was trained on all of {whole.name!r}, the test's targets included, and flattered; "
            "name its objective instead, to train it on the split",
            file=sys.stderr,
        )
    return leaks
