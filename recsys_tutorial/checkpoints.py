"""Models and interrupted trainings on disk: safetensors for numbers, JSON for everything else, no pickle.

A folder holds ``model.json`` and the tensor file it names. The tensor file is written first, under a name made of its
own hash; renaming the JSON over the old one is the moment the new state counts. A crash at any time leaves the old
pair or the new pair, whole. ``training.json`` keeps an unfinished training in the same way.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import safetensors.torch
from torch import Tensor, nn

from .catalogue import Catalogue, as_ids
from .encoders import ENCODERS
from .errors import InputError, MissingFileError
from .files import to_json, write_bytes, write_text
from .model import PretrainedModel
from .training import Progress

FORMAT = 1


def save_model(folder: str | Path, model: PretrainedModel) -> None:
    """Write ``f = h ∘ g`` with its items and history to ``folder``; a finished training's state is removed.

    Raises:
        InputError: g is of a type that cannot be rebuilt, or h is not linear.
    """
    g, h = model.feature_extractor, model.classifier
    if type(g).__name__ not in ENCODERS or not isinstance(h, nn.Linear | None):
        raise InputError(f"cannot save g {type(g).__name__} with h {type(h).__name__}: known are {sorted(ENCODERS)}")
    described = {
        "encoder": {"type": type(g).__name__, **g.config},
        "head": None if h is None else {"inputs": h.in_features, "outputs": h.out_features},
        "origin": model.origin,
        "catalogue": _describe(model.catalogue),
        "outputs": "catalogue" if model.outputs is model.catalogue else _describe(model.outputs),
        "history": [] if model.history is None else _records(model.history),
    }
    _write(folder, "model", described, model.state_dict())
    _remove(Path(folder), "training")


def load_model(folder: str | Path, catalogue: Catalogue | None = None) -> PretrainedModel:
    """Return the model in ``folder``, in eval mode.

    Args:
        folder: written by :func:`save_model`.
        catalogue: refuse a model of other items than these.

    Raises:
        MissingFileError: no model there.
        InputError: damaged, of a newer format, with other tensors than the model has, or of another catalogue.
    """
    described, tensors = _read(folder, "model")
    try:
        encoder = dict(described["encoder"])
        g = ENCODERS[encoder.pop("type")](**encoder)
        head = described["head"]
        h = None if head is None else nn.Linear(head["inputs"], head["outputs"])
        items = _catalogue(described["catalogue"])
        outputs = items if described["outputs"] == "catalogue" else _catalogue(described["outputs"])
        history, origin = pd.DataFrame(described["history"]), described["origin"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{Path(folder) / 'model.json'} is damaged ({error!r}): train the model again") from error
    model = PretrainedModel.compose(g, h, catalogue=items, outputs=outputs, history=history)
    model.origin = origin
    _load_tensors(model, tensors, Path(folder))
    if catalogue is not None and items is not None:
        items.require_same(catalogue, "the data")
    return model.eval()


def save_progress(folder: str | Path, state: Progress, origin: dict[str, Any]) -> None:
    """Write the state of an unfinished training to ``folder``."""
    described = {"origin": origin, "epoch": state.epoch, "history": _records(pd.DataFrame(state.history))}
    _write(folder, "training", described, state.tensors)


def load_progress(folder: str | Path, origin: dict[str, Any]) -> Progress | None:
    """Return the state to resume from, or None where ``folder`` holds none.

    Raises:
        InputError: damaged, or the state of a training with other settings (which ones is said).
    """
    if not (Path(folder) / "training.json").exists():
        return None
    described, tensors = _read(folder, "training")
    saved = described["origin"]
    differing = [key for key in origin if json.loads(to_json(origin[key])) != saved.get(key)]
    if differing:
        told = "; ".join(f"{key} was {saved.get(key)!r}, now {origin[key]!r}" for key in differing)
        raise InputError(f"cannot resume {folder}: {told}. Use the same settings, or another folder")
    history = [{key: np.nan if value is None else value for key, value in row.items()} for row in described["history"]]
    return Progress(described["epoch"], history, tensors)


# ---- the pair of files -------------------------------------------------------------------------------------


def _write(folder: str | Path, kind: str, described: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    from . import __version__

    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: give a folder to write to")
    data = safetensors.torch.save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    name = f"{kind}-{digest[:12]}.safetensors"
    write_bytes(folder / name, data)
    head = {"format": FORMAT, "version": __version__, "tensors": name, "sha256": digest}
    write_text(folder / f"{kind}.json", to_json({**head, **described}))
    for old in folder.glob(f"{kind}-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def _read(folder: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    folder, path = Path(folder), Path(folder) / f"{kind}.json"
    if not path.is_file():
        raise MissingFileError(f"no {kind} in {str(folder)!r} (no {path.name}): give a folder that pretrain wrote")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        name, digest, version = described["tensors"], described["sha256"], described["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged: train the model again, or copy it anew") from error
    if version != FORMAT:
        raise InputError(f"{path} has format {version}, this version reads {FORMAT}: update recsys-tutorial")
    tensor_file = folder / Path(name).name
    if not tensor_file.is_file():
        raise MissingFileError(f"{path} names {name!r}, which is missing: copy the whole folder")
    data = tensor_file.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise InputError(
            f"{tensor_file} is damaged or truncated ({len(data):,} bytes, its sha256 is not the one in "
            f"{path.name}): copy it anew or train again"
        )
    return described, safetensors.torch.load(data)


def _remove(folder: Path, kind: str) -> None:
    (folder / f"{kind}.json").unlink(missing_ok=True)
    for old in folder.glob(f"{kind}-*.safetensors"):
        old.unlink(missing_ok=True)


def _load_tensors(model: PretrainedModel, tensors: dict[str, Tensor], folder: Path) -> None:
    own = {name: tensor.shape for name, tensor in model.state_dict().items()}
    given = {name: tensor.shape for name, tensor in tensors.items()}
    if own != given:
        missing, unexpected = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
        shapes = sorted(name for name in own.keys() & given.keys() if own[name] != given[name])
        matched = len(own) - len(missing) - len(shapes)
        raise InputError(
            f"{folder}: {matched} tensors match, missing {missing}, unexpected {unexpected}, other shape {shapes}: "
            "the files of two models are mixed"
        )
    model.load_state_dict(tensors)


def _describe(catalogue: Catalogue | None) -> dict[str, Any] | None:
    if catalogue is None:
        return None
    return {"ids": catalogue.ids.tolist(), "titles": catalogue.titles, "genres": catalogue.genres}


def _catalogue(described: dict[str, Any] | None) -> Catalogue | None:
    if described is None:
        return None
    titles, genres = described["titles"], described["genres"]
    return Catalogue(
        as_ids(described["ids"]),
        None if titles is None else tuple(titles),
        None if genres is None else tuple(map(tuple, genres)),
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON-ready records, NaN as null."""
    return [
        {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]
