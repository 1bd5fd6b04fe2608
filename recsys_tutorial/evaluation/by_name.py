"""Every model by its name, fitted: what the commands ``evaluate`` and ``study`` take."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ..baselines import EASE, IALS, SLIST, Blend, ItemKNN, Model, Popularity, pca
from ..data.interactions import Interactions
from ..data.splits import Split
from ..errors import InputError, unknown
from ..learning.checkpoints import load_model
from ..learning.pretraining import pretrain
from ..objectives import OBJECTIVES

BASELINES: dict[str, Callable[[Interactions, int], Model]] = {
    "popularity": lambda train, seed: Popularity().fit(train),
    "item-knn": lambda train, seed: ItemKNN().fit(train),
    "ease": lambda train, seed: EASE().fit(train),
    "slist": lambda train, seed: SLIST().fit(train),
    "ials": lambda train, seed: IALS(seed=seed).fit(train),
    "pca": lambda train, seed: pca(train, min(64, train.n_users - 1, train.n_items - 1), seed),
}


def model_by_name(
    name: str,
    train: Interactions,
    seed: int = 0,
    device: str = "cpu",
    progress: bool | None = None,
    validation: Split | None = None,
) -> Model:
    """Return the model called ``name``, fitted on ``train`` with its defaults, or loaded if ``name`` is a folder.

    Args:
        name: one of :data:`BASELINES` or of the objectives, or a folder that ``pretrain`` wrote; or several of them
            joined by ``+``: their :class:`~recsys_tutorial.Blend`.
        train: all that may be learned from.
        seed: of initial weights and draws.
        device: ``cpu`` or ``cuda``.
        progress: show a progress bar; None shows one where standard error is a terminal.
        validation: what a blend's weights are chosen by.

    Raises:
        InputError: no such name (near ones are suggested) or folder, or a folder with a model of other items; a blend
            without a validation part.
    """
    check_name(name)
    if len(parts := parts_of(name)) > 1:
        chosen_by = check_validation(name, validation)
        fitted = [model_by_name(part, train, seed, device, progress) for part in parts]
        return Blend.chosen(fitted, chosen_by, seed=seed)
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
    for part in parts_of(name):
        if part not in BASELINES and part not in OBJECTIVES and not Path(part).is_dir():
            raise unknown("model", part, [*BASELINES, *OBJECTIVES])


def parts_of(name: str) -> list[str]:
    """Return the names that ``+`` joins, or the one."""
    return [name] if Path(name).is_dir() else name.split("+")


def check_validation(name: str, validation: Split | None) -> Split:
    """Return what a blend's weights are chosen by; InputError where there is nothing."""
    if validation is None:
        raise InputError(
            f"{name}: a blend's weights are chosen on validation events, which leave-one-out and temporal keep, "
            "without refit: take one of them, or name the models one by one"
        )
    return validation


def warn_of_leak(name: str, model: Model, whole: Interactions) -> bool:
    """Say on standard error, and return, whether ``model`` was trained on the very data that it is tested on."""
    parts = model.models if isinstance(model, Blend) else [model]
    leaks = any(getattr(part, "origin", {}).get("data_fingerprint") == whole.fingerprint for part in parts)
    if leaks:
        print(
            f"careful: {name} was trained on all of {whole.name!r}, the test's targets included, and flattered; "
            "name its objective instead, to train it on the split",
            file=sys.stderr,
        )
    return leaks
