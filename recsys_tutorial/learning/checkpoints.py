"""Models and interrupted trainings on disk (how: :mod:`recsys_tutorial.engine.tensors`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from ..data.catalogue import Catalogue
from ..data.files import to_json
from ..encoders import ENCODERS, build_encoder
from ..engine.heads import HEADS, build_head, describe_head
from ..engine.progress import Progress
from ..engine.tensors import read_tensors, remove_tensors, write_tensors
from ..errors import InputError
from ..model import PretrainedModel


def save_model(folder: str | Path, model: PretrainedModel) -> None:
    """Write ``f = h ∘ g`` with its items and history to ``folder``; a finished training's state is removed.

    Raises:
        InputError: g or h is of a type that cannot be rebuilt.
    """
    write_tensors(folder, "model", describe(model), model.state_dict())
    remove_tensors(Path(folder), "training")


def describe(model: PretrainedModel) -> dict[str, Any]:
    """Return all that :func:`rebuild` needs beside the tensors, ready for JSON.

    Raises:
        InputError: g or h is of a type that cannot be rebuilt.
    """
    g: Any = model.feature_extractor
    h: Any = model.classifier
    if type(g).__name__ not in ENCODERS or not isinstance(h, (nn.Linear, *HEADS.values(), type(None))):
        known = f"{sorted(ENCODERS)} with {['Linear', *sorted(HEADS)]}"
        raise InputError(f"cannot save g {type(g).__name__} with h {type(h).__name__}: known are {known}")
    return {
        "encoder": {"type": type(g).__name__, **g.config},
        "head": describe_head(h),
        "origin": model.origin,
        "catalogue": _describe(model.catalogue),
        "outputs": "catalogue" if model.outputs is model.catalogue else _describe(model.outputs),
        "history": [] if model.history is None else _records(model.history),
    }


def load_model(folder: str | Path, catalogue: Catalogue | None = None) -> PretrainedModel:
    """Return the model in ``folder``, in eval mode.

    Args:
        folder: written by :func:`save_model`.
        catalogue: refuse a model of other items than these.

    Raises:
        MissingFileError: no model there.
        InputError: damaged, of a newer format, with other tensors than the model has, or of another catalogue.
    """
    described, tensors = read_tensors(folder, "model")
    model = rebuild(described, tensors, str(folder))
    if catalogue is not None and model.catalogue is not None:
        model.catalogue.require_same(catalogue, "the data")
    return model


def rebuild(described: dict[str, Any], tensors: dict[str, Tensor], where: str) -> PretrainedModel:
    """Return the model that :func:`describe` described, with these tensors, in eval mode.

    Args:
        described: read back from JSON.
        tensors: of ``model.state_dict()``.
        where: what to call it in messages.

    Raises:
        InputError: damaged, or with other tensors than the model has.
    """
    try:
        g, h = build_encoder(described["encoder"]), build_head(described["head"])
        items = _catalogue(described["catalogue"])
        outputs = items if described["outputs"] == "catalogue" else _catalogue(described["outputs"])
        history, origin = pd.DataFrame(described["history"]), described["origin"]
    except (KeyError, TypeError) as error:
        raise InputError(f"the description in {where} is damaged ({error!r}): train the model again") from error
    model = PretrainedModel.compose(g, h, catalogue=items, outputs=outputs, history=history)
    model.origin = origin
    report = _compare(model, tensors)
    if not report.complete:
        raise InputError(f"{where}: {report}: the files of two models are mixed")
    model.load_state_dict(tensors)
    return model.eval()


def save_progress(folder: str | Path, state: Progress, origin: dict[str, Any]) -> None:
    """Write the state of an unfinished training to ``folder``."""
    described = {"origin": origin, "epoch": state.epoch, "history": _records(pd.DataFrame(state.history))}
    write_tensors(folder, "training", described, state.tensors)


def load_progress(folder: str | Path, origin: dict[str, Any]) -> Progress | None:
    """Return the state to resume from, or None where ``folder`` holds none.

    Raises:
        InputError: damaged, or the state of a training with other settings (which ones is said).
    """
    if not (Path(folder) / "training.json").exists():
        return None
    described, tensors = read_tensors(folder, "training")
    _require_same(folder, described["origin"], origin)
    history = [{key: np.nan if value is None else value for key, value in row.items()} for row in described["history"]]
    return Progress(described["epoch"], history, tensors)


def load_finished(folder: str | Path, origin: dict[str, Any]) -> PretrainedModel | None:
    """Return the model whose training is over, or None where ``folder`` holds none, or a training to go on with.

    Raises:
        InputError: damaged, or trained with other settings (which ones is said).
    """
    if not is_finished(folder):
        return None
    model = load_model(folder)
    _require_same(folder, model.origin, origin)
    return model


def is_finished(folder: str | Path) -> bool:
    """Return whether ``folder`` holds a model, and no training to go on with."""
    return (Path(folder) / "model.json").exists() and not (Path(folder) / "training.json").exists()


def check_free(folder: str | Path, resume: bool | None = None, overwrite: bool = False) -> None:
    """Raise InputError where a new training would replace what is in ``folder``, and neither of both was asked for.

    Args:
        folder: to be written to.
        resume: go on with what is there; None where that cannot be asked for.
        overwrite: replace what is there.
    """
    if resume and overwrite:
        raise InputError("resume goes on with what is there, overwrite begins again: give one of the two")
    for kind, what in (("model", "a finished model"), ("training", "an unfinished training")):
        path = Path(folder) / f"{kind}.json"
        if path.exists() and not (resume or overwrite):
            go_on = "" if resume is None else "resume=True to go on with it, or "
            raise InputError(
                f"{folder} holds {what} ({_told(path)}): give another folder, or {go_on}overwrite=True to replace it "
                f"once the new model is complete (in a command: {'' if resume is None else '--resume, '}--overwrite)"
            )


def _told(path: Path) -> str:
    """Return objective and data of what ``path`` describes, as far as it says."""
    try:
        origin = json.loads(path.read_text(encoding="utf-8"))["origin"]
        return f"{origin['objective']} on {origin['data']!r}"
    except (ValueError, KeyError, TypeError):
        return f"{path.name} does not say of what"


def _require_same(folder: str | Path, saved: dict[str, Any], origin: dict[str, Any]) -> None:
    differing = [key for key in origin if json.loads(to_json(origin[key])) != saved.get(key)]
    if differing:
        told = "; ".join(f"{key} was {saved.get(key)!r}, now {origin[key]!r}" for key in differing)
        raise InputError(f"cannot resume {folder}: {told}. Use the same settings, or another folder")


# ---- tensors -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LoadReport:
    """Which tensors of a model a checkpoint filled, by name."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    other_shape: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether model and checkpoint have the very same tensors."""
        return not (self.missing or self.unexpected or self.other_shape)

    def __str__(self) -> str:
        return (
            f"{len(self.matched)} tensors match, missing {list(self.missing)}, unexpected {list(self.unexpected)}, "
            f"other shape {list(self.other_shape)}"
        )


def load_weights(model: PretrainedModel, folder: str | Path) -> LoadReport:
    """Copy into ``model`` every tensor of the checkpoint in ``folder`` that has its name and shape there.

    For a model that is not the saved one throughout: with another head, say. Look at what is returned: what is missing
    keeps the weights that it had.

    Raises:
        MissingFileError: no model there.
        InputError: damaged; of another catalogue than the model's; nothing of g matches.
    """
    described, tensors = read_tensors(folder, "model")
    saved = _catalogue(described["catalogue"])
    if saved is not None and model.catalogue is not None:
        model.catalogue.require_same(saved, str(folder))
    report = _compare(model, tensors)
    if not any(name.startswith("feature_extractor.") for name in report.matched):
        raise InputError(f"{folder}: nothing of g matches, nothing was loaded ({report}): build g as it was saved")
    model.load_state_dict({name: tensors[name] for name in report.matched}, strict=False)
    return report


def _compare(model: PretrainedModel, tensors: dict[str, Tensor]) -> LoadReport:
    own = {name: tensor.shape for name, tensor in model.state_dict().items()}
    given = {name: tensor.shape for name, tensor in tensors.items()}
    both = own.keys() & given.keys()
    return LoadReport(
        matched=tuple(sorted(name for name in both if own[name] == given[name])),
        missing=tuple(sorted(own.keys() - given.keys())),
        unexpected=tuple(sorted(given.keys() - own.keys())),
        other_shape=tuple(sorted(name for name in both if own[name] != given[name])),
    )


def _describe(catalogue: Catalogue | None) -> dict[str, Any] | None:
    return None if catalogue is None else catalogue.to_json()


def _catalogue(described: dict[str, Any] | None) -> Catalogue | None:
    return None if described is None else Catalogue.from_json(described)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON-ready records, NaN as null."""
    return [
        {str(key): None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]
